// Package files follows the files that protocols carry: how large they are,
// what they begin with, their hashes, and the piece of them that rules inspect
// next. It keeps a bounded amount of each and never a whole file.
package files

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"hash"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Limits.
const (
	// HeadSize is how many first bytes are kept to tell the type of a file: a
	// tar archive is told by its bytes 257 to 262.
	HeadSize = 512
	// DefaultMemory bounds the windows of all files a Pool follows.
	DefaultMemory = 16 << 20
	// DefaultTracks is how many files a Pool follows at a time.
	DefaultTracks = 8192
	// maxFree bounds the idle Tracks kept.
	maxFree = 256
)

// Want is a set of things to find out about files.
type Want uint8

// What can be wanted.
const (
	MD5 Want = 1 << iota
	SHA1
	SHA256
	Inspect // the window that rules look at
)

// Hashes is all of them.
const Hashes = MD5 | SHA1 | SHA256

// State is how a file ended.
type State uint8

// States, by Suricata's names.
const (
	Open State = iota
	Closed
	Truncated
)

// String returns the name as in events.
func (s State) String() string {
	return [...]string{"OPENED", "CLOSED", "TRUNCATED"}[s]
}

// Config says what is wanted of files.
type Config struct {
	Want Want
	// Limit is how many bytes of a file are looked at; what is longer counts
	// as truncated there. Zero: as WindowConfig says for the kind of file, or
	// no limit when hashes are wanted, which a part of a file does not have.
	// Negative: no limit.
	Limit  int64
	Memory int // bytes of windows; zero: DefaultMemory
	Tracks int // zero: DefaultTracks
}

// Pool follows files. It is used by one goroutine.
type Pool struct {
	cfg   Config
	live  int
	used  int // bytes of windows
	free  []*Track
	spare [][]byte // windows
}

// NewPool makes a Pool.
func NewPool(cfg Config) *Pool {
	p := &Pool{cfg: cfg}
	if p.cfg.Memory <= 0 {
		p.cfg.Memory = DefaultMemory
	}
	if p.cfg.Tracks <= 0 {
		p.cfg.Tracks = DefaultTracks
	}
	return p
}

// Live returns how many files are followed.
func (p *Pool) Live() int { return p.live }

// Used returns the bytes of windows in use.
func (p *Pool) Used() int { return p.used }

// Track is what is known of one file. It is valid until it is released.
type Track struct {
	pool  *Pool
	file  *proto.File
	size  uint64
	limit uint64
	state State
	gap   bool
	win   Window

	head  [HeadSize]byte
	nHead int

	md5, sha1, sha256 hash.Hash
	sums              Want // that are complete
	sum5              [md5.Size]byte
	sum1              [sha1.Size]byte
	sum256            [sha256.Size]byte
	magic             string
	hasMagic          bool

	// Seen is for the user: that the file was reported.
	Seen bool
}

// Begin follows f; nil when the pool follows as many as it may.
func (p *Pool) Begin(f *proto.File, w WindowConfig) *Track {
	if p.live >= p.cfg.Tracks {
		return nil
	}
	p.live++
	var t *Track
	if n := len(p.free); n > 0 {
		t, p.free = p.free[n-1], p.free[:n-1]
	} else {
		t = &Track{pool: p}
	}
	t.file, t.size, t.state, t.gap, t.nHead, t.sums, t.hasMagic, t.Seen = f, 0, Open, false, 0, 0, false, false
	t.win.reset(p, w)
	switch l := p.cfg.Limit; {
	case l > 0:
		t.limit = uint64(l)
	case l < 0, w.Limit == 0, p.cfg.Want&Hashes != 0:
		t.limit = 1<<64 - 1
	default:
		t.limit = w.Limit
	}
	if p.cfg.Want&MD5 != 0 {
		t.md5 = fresh(t.md5, md5.New)
	}
	if p.cfg.Want&SHA1 != 0 {
		t.sha1 = fresh(t.sha1, sha1.New)
	}
	if p.cfg.Want&SHA256 != 0 {
		t.sha256 = fresh(t.sha256, sha256.New)
	}
	return t
}

func fresh(h hash.Hash, make func() hash.Hash) hash.Hash {
	if h == nil {
		return make()
	}
	h.Reset()
	return h
}

// Release gives t back to its pool.
func (t *Track) Release() {
	p := t.pool
	t.win.release()
	t.file = nil
	p.live--
	if len(p.free) < maxFree {
		p.free = append(p.free, t)
	}
}

// Update takes what f says now. It returns true when the file has ended: it
// was closed, or is longer than what is looked at.
func (t *Track) Update() (ended bool) {
	f, p := t.file, t.pool
	if t.state != Open {
		t.win.none()
		return true
	}
	b := f.Data
	t.gap = t.gap || f.Gap
	over := false
	if f.Offset+uint64(len(b)) > t.limit {
		over = true
		b = b[:t.limit-min(f.Offset, t.limit)]
	}
	t.size = min(f.Size, t.limit)
	if t.nHead < HeadSize && f.Offset == uint64(t.nHead) {
		t.nHead += copy(t.head[t.nHead:], b)
	}
	if !t.gap {
		if p.cfg.Want&MD5 != 0 {
			t.md5.Write(b)
		}
		if p.cfg.Want&SHA1 != 0 {
			t.sha1.Write(b)
		}
		if p.cfg.Want&SHA256 != 0 {
			t.sha256.Write(b)
		}
	}
	switch {
	case over, f.Done && f.Truncated:
		t.state = Truncated
	case f.Done:
		t.state = Closed
		t.finish()
	}
	if p.cfg.Want&Inspect != 0 {
		t.win.write(b, f.Offset, t.state != Open)
	}
	if over {
		f.Enough = true
	}
	return t.state != Open
}

func (t *Track) finish() {
	w := t.pool.cfg.Want
	if w&MD5 != 0 {
		t.md5.Sum(t.sum5[:0])
	}
	if w&SHA1 != 0 {
		t.sha1.Sum(t.sum1[:0])
	}
	if w&SHA256 != 0 {
		t.sha256.Sum(t.sum256[:0])
	}
	t.sums = w & Hashes
}

// File returns what t follows.
func (t *Track) File() *proto.File { return t.file }

// Dir returns who sends the file.
func (t *Track) Dir() packet.Dir { return t.file.Dir }

// Name returns the file's name as the protocol gives it, nil when it has none.
func (t *Track) Name() []byte { return t.file.Name }

// Ext returns what follows the last dot of the name, nil when there is none.
func (t *Track) Ext() []byte {
	if i := bytes.LastIndexByte(t.file.Name, '.'); i >= 0 && i+1 < len(t.file.Name) {
		return t.file.Name[i+1:]
	}
	return nil
}

// Size returns the bytes of the file so far, at most the limit.
func (t *Track) Size() uint64 { return t.size }

// State returns how the file ended, Open while it has not.
func (t *Track) State() State { return t.state }

// Gaps reports whether bytes of the file are missing.
func (t *Track) Gaps() bool { return t.gap }

// Head returns the first bytes of the file, at most HeadSize.
func (t *Track) Head() []byte { return t.head[:t.nHead] }

// Window returns the bytes of the file to inspect after the latest Update, nil
// when it is not their time; offset is their place in the file.
func (t *Track) Window() (b []byte, offset uint64) { return t.win.view, t.win.viewAt }

// MD5 returns the hash of a file that is Closed; ok is false when there is
// none.
func (t *Track) MD5() (sum []byte, ok bool) { return t.sum5[:], t.sums&MD5 != 0 }

// SHA1 is the same for SHA-1.
func (t *Track) SHA1() (sum []byte, ok bool) { return t.sum1[:], t.sums&SHA1 != 0 }

// SHA256 is the same for SHA-256.
func (t *Track) SHA256() (sum []byte, ok bool) { return t.sum256[:], t.sums&SHA256 != 0 }

// Magic describes the type of the file in the words of file(1), as told by its
// first bytes; empty while there are none.
func (t *Track) Magic() string {
	if t.hasMagic {
		return t.magic
	}
	t.magic = Magic(t.Head())
	t.hasMagic = t.state != Open || t.nHead == HeadSize
	return t.magic
}
