package smb

import (
	"slices"
	"sync"
	"unsafe"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Limits of following files.
const (
	// maxOpen is how many open files of a connection are known; the one used
	// longest ago is forgotten, and cut off if it was being transferred.
	maxOpen = 64
	// maxTrees is how many trees are remembered, to tell pipes from files.
	maxTrees = 16
	// maxAhead bounds the bytes held because something before them in their
	// file is still to come: clients ask for several pieces at a time, and
	// servers answer in any order. What does not fit is a gap in the file.
	maxAhead = 256 << 10
	// maxPieces bounds the pieces held so.
	maxPieces = 16
	// keptPiece is how much memory for a piece is kept for the next one.
	keptPiece = 64 << 10
)

// store is what is known of the files of a connection. It exists while
// somebody listens to files.
type store struct {
	open   []*openFile // the one used longest ago first
	free   []*openFile
	trees  [maxTrees]tree
	nTrees int
	ahead  [maxPieces]piece
	held   int      // bytes in ahead
	last   [16]byte // of the latest answer to a create
	half   [2]flying
}

type tree struct {
	id    uint32
	pipe  bool
	share []byte
}

// openFile is an open file. Each direction is a file of its own to listeners.
type openFile struct {
	id   [16]byte
	tree uint32
	name []byte
	dirs [2]transfer
}

// transfer is the reading or writing of a file.
type transfer struct {
	file  proto.File
	tx    Tx // describes the message that began it
	begun bool
	next  uint64 // where the bytes handed over so far end
}

// piece is data that came before its turn.
type piece struct {
	tr  *transfer // nil: not in use
	off uint64
	n   int // how much it will be
	buf []byte
}

// flying is the data of the message at hand in one direction.
type flying struct {
	tr   *transfer // nil: to be passed over
	hold *piece    // where it goes when it is not its turn
	pos  uint64    // in the file
	left int       // bytes still to come
}

// stores are shared, so that only connections with a file open hold one.
var stores = sync.Pool{New: func() any { return new(store) }}

func (p *parser) files() *store {
	if p.store == nil {
		p.store = stores.Get().(*store)
	}
	return p.store
}

// dropFiles cuts off what is being transferred, and forgets all files.
func (p *parser) dropFiles(c *proto.Conn) {
	s := p.store
	if s == nil {
		return
	}
	for len(s.open) > 0 {
		s.close(c, 0, true)
	}
	p.releaseFiles()
}

func (p *parser) releaseFiles() {
	if s := p.store; s != nil {
		for i := range s.ahead {
			s.drop(&s.ahead[i])
		}
		for _, o := range s.open {
			s.put(o)
		}
		clear(s.open)
		clear(s.free[min(len(s.free), 4):])
		s.open, s.free = s.open[:0], s.free[:min(len(s.free), 4)]
		s.nTrees, s.held, s.last, s.half = 0, 0, [16]byte{}, [2]flying{}
		stores.Put(s)
		p.store = nil
	}
}

// size returns the bytes that s holds.
func (s *store) size() int {
	n := int(unsafe.Sizeof(*s)) + (len(s.open)+len(s.free))*int(unsafe.Sizeof(openFile{})) + s.held
	for _, o := range s.open {
		n += cap(o.name)
	}
	return n
}

// connected notes what kind of tree an answer to a tree connect opened.
func (s *store) connected(t *Tx) {
	id := t.Rsp.TID
	var x *tree
	for i := range s.trees[:s.nTrees] {
		if s.trees[i].id == id {
			x = &s.trees[i]
		}
	}
	switch {
	case x != nil:
	case s.nTrees < maxTrees:
		x = &s.trees[s.nTrees]
		s.nTrees++
	default:
		x = &s.trees[id%maxTrees]
	}
	x.id, x.pipe = id, t.IsPipe()
	x.share = append(x.share[:0], t.Share...)
}

func (s *store) treeOf(id uint32) *tree {
	for i := range s.trees[:s.nTrees] {
		if s.trees[i].id == id {
			return &s.trees[i]
		}
	}
	return nil
}

// created notes the name of a file that an answer opened.
func (s *store) created(c *proto.Conn, t *Tx) {
	s.last = t.FileID
	tid := treeID(t)
	if x := s.treeOf(tid); x != nil && x.pipe {
		return
	}
	o := s.find(t.FileID, tid)
	if o != nil { // the number is used again: the close was not seen
		s.close(c, len(s.open)-1, true)
	}
	o = s.add(c, t.FileID, tid)
	o.name = append(o.name[:0], t.Filename...)
}

func treeID(t *Tx) uint32 {
	if t.HasReq {
		return t.Req.TID
	}
	return t.Rsp.TID
}

// related is the FileID of a message that means the file of the message before
// it in the same compound, [MS-SMB2] 3.2.4.1.4.
var related = [16]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

func (s *store) id(t *Tx) [16]byte {
	if t.Version == 2 && t.FileID == related {
		return s.last
	}
	return t.FileID
}

// find returns an open file and makes it the last of the list.
func (s *store) find(id [16]byte, tree uint32) *openFile {
	last := len(s.open) - 1
	for i := last; i >= 0; i-- {
		if o := s.open[i]; o.id == id && o.tree == tree {
			copy(s.open[i:], s.open[i+1:])
			s.open[last] = o
			return o
		}
	}
	return nil
}

func (s *store) add(c *proto.Conn, id [16]byte, tree uint32) *openFile {
	if len(s.open) == maxOpen {
		s.close(c, 0, true)
	}
	var o *openFile
	if n := len(s.free); n > 0 {
		o, s.free = s.free[n-1], s.free[:n-1]
	} else {
		o = new(openFile)
	}
	o.id, o.tree = id, tree
	s.open = append(s.open, o)
	return o
}

func (s *store) put(o *openFile) {
	for i := range o.dirs {
		tr := &o.dirs[i]
		tr.tx.reset()
		*tr = transfer{tx: tr.tx}
	}
	o.name = proto.Keep(o.name, maxText)
	s.free = append(s.free, o)
}

// closed ends the transfers of the file that t closes.
func (s *store) closed(c *proto.Conn, t *Tx) {
	if s.find(s.id(t), treeID(t)) != nil {
		s.close(c, len(s.open)-1, false)
	}
}

// close forgets the i-th open file.
func (s *store) close(c *proto.Conn, i int, cut bool) {
	o := s.open[i]
	for d := range o.dirs {
		tr := &o.dirs[d]
		s.settle(c, tr)
		short := cut
		if f := &s.half[d]; f.tr == tr {
			short = short || f.left > 0
			*f = flying{}
		}
		c.CloseFile(&tr.file, short)
	}
	copy(s.open[i:], s.open[i+1:])
	s.open[len(s.open)-1] = nil
	s.open = s.open[:len(s.open)-1]
	s.put(o)
}

// chunk takes data that a message of direction d carries: b of n bytes, which
// belong at off in the file of t. The rest follows by more.
func (p *parser) chunk(c *proto.Conn, t *Tx, d packet.Dir, off uint64, b []byte, n int) {
	s := p.files()
	s.half[d] = flying{}
	tid := treeID(t)
	x := s.treeOf(tid)
	if n <= 0 || x != nil && x.pipe {
		return
	}
	id := s.id(t)
	o := s.find(id, tid)
	if o == nil {
		o = s.add(c, id, tid)
	}
	tr := &o.dirs[d]
	if !tr.begun {
		tr.begun = true
		tr.describe(t, o, x)
		c.OpenFile(&tr.file, d, o.name, &tr.tx, t.ID-1)
	}
	if off < tr.next {
		c.Anomaly("file_overlap") // data sent twice, or other data for the same place
	}
	f := &s.half[d]
	*f = flying{tr: tr, pos: off, left: n}
	if off > tr.next {
		f.hold = s.piece(tr, off, n)
	}
	s.take(c, f, b)
}

// describe makes the transaction that listeners see.
func (tr *transfer) describe(t *Tx, o *openFile, x *tree) {
	r := &tr.tx
	r.ID, r.Version, r.Command, r.Dialect = t.ID, t.Version, t.Command, t.Dialect
	r.Req, r.HasReq = t.Req, true
	if !t.HasReq {
		r.Req = t.Rsp
	}
	r.FileID, r.FileIDLen = o.id, t.FileIDLen
	r.Filename = o.name
	if x != nil {
		start := len(r.buf)
		r.buf = append(r.buf, x.share...)
		r.Share = r.buf[start:]
	}
}

// more takes the next bytes of the message at hand.
func (s *store) more(c *proto.Conn, d packet.Dir, b []byte) {
	if f := &s.half[d]; f.left > 0 {
		s.take(c, f, b[:min(len(b), f.left)])
	}
}

// lost says that the next n bytes of the message at hand are not there.
func (s *store) lost(d packet.Dir, n int) {
	f := &s.half[d]
	f.left -= min(n, f.left)
	f.tr, f.hold = nil, nil // what follows in the message is given up with them
}

func (s *store) take(c *proto.Conn, f *flying, b []byte) {
	b = b[:min(len(b), f.left)]
	f.left -= len(b)
	tr := f.tr
	switch {
	case tr == nil || len(b) == 0:
	case f.hold != nil:
		f.hold.buf = append(f.hold.buf, b...)
		if x := f.hold; f.left == 0 && x.off <= tr.next { // what was before it has come
			f.hold, x.tr = nil, nil
			s.deliver(c, tr, x.off, x.buf)
			s.drop(x)
		}
	case f.pos <= tr.next:
		s.deliver(c, tr, f.pos, b)
	}
	f.pos += uint64(len(b))
}

// deliver hands over b, which begins at off, no later than where the file has
// come to, and what waited for it.
func (s *store) deliver(c *proto.Conn, tr *transfer, off uint64, b []byte) {
	if dup := tr.next - off; dup < uint64(len(b)) {
		c.FileData(&tr.file, b[dup:])
		tr.next = off + uint64(len(b))
	}
	for i := range s.ahead {
		if x := &s.ahead[i]; x.tr == tr && x.off <= tr.next && !s.growing(x) {
			tr := x.tr
			x.tr = nil
			s.deliver(c, tr, x.off, x.buf)
			s.drop(x)
		}
	}
}

// growing reports whether more of a piece is still to come.
func (s *store) growing(x *piece) bool {
	return s.half[0].hold == x && s.half[0].left > 0 || s.half[1].hold == x && s.half[1].left > 0
}

// piece finds room for n bytes at off, nil when there is none.
func (s *store) piece(tr *transfer, off uint64, n int) *piece {
	if s.held+n > maxAhead {
		return nil
	}
	for i := range s.ahead {
		if x := &s.ahead[i]; x.tr == nil && !s.growing(x) {
			x.tr, x.off, x.n = tr, off, n
			s.held += n
			x.buf = slices.Grow(x.buf[:0], n)
			return x
		}
	}
	return nil
}

func (s *store) drop(x *piece) {
	s.held -= x.n
	x.tr, x.n, x.buf = nil, 0, proto.Keep(x.buf, keptPiece)
}

// settle hands over the pieces of tr that still wait, with gaps between.
func (s *store) settle(c *proto.Conn, tr *transfer) {
	for {
		var first *piece
		for i := range s.ahead {
			if x := &s.ahead[i]; x.tr == tr && (first == nil || x.off < first.off) {
				first = x
			}
		}
		if first == nil {
			return
		}
		if first.off > tr.next {
			gap := first.off - tr.next
			c.FileGap(&tr.file, int(min(gap, 1<<62)))
			tr.next = first.off
		}
		first.tr = nil
		s.deliver(c, tr, first.off, first.buf)
		s.drop(first)
	}
}
