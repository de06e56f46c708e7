package smb

import (
	"errors"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

var errLost = errors.New("smb: no message found for too long")

// half is one direction.
type half struct {
	skip      int  // bytes of the message at hand still to pass over
	lost      bool // framing is lost: search
	searched  int  // bytes passed over while searching
	encrypted int  // encrypted messages since the last plain one
}

type parser struct {
	half    [2]half
	id      uint64
	dialect string
	offered [maxDialects]string // of the SMB1 negotiation, constants
	pending []*Tx               // in order of their requests
	free    []*Tx
	warned  bool   // that framing was lost
	store   *store // nil unless somebody listens to files

	pipes, freePipes []*pipe // in use, in the order of their last use; not in use
	closed           []*pipe // by the message at hand
	ready            []*Tx   // to be emitted after it
}

func (p *parser) Reset() {
	p.releaseFiles()
	for _, t := range p.pending {
		p.put(t)
	}
	clear(p.pending)
	for _, x := range p.pipes {
		if x.wait != nil {
			p.put(x.wait)
			x.wait = nil
		}
		x.Reset()
		p.freePipes = append(p.freePipes, x)
	}
	clear(p.freePipes[min(len(p.freePipes), 1):])
	p.freePipes = p.freePipes[:min(len(p.freePipes), 1)]
	clear(p.pipes)
	clear(p.free[min(len(p.free), maxKept):])
	p.free = p.free[:min(len(p.free), maxKept)]
	*p = parser{pending: p.pending[:0], free: p.free, pipes: p.pipes[:0], freePipes: p.freePipes, ready: p.ready[:0], closed: p.closed[:0]}
}

func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (n int, err error) {
	h := &p.half[d]
	for n < len(data) {
		b := data[n:]
		if h.skip > 0 {
			used := min(h.skip, len(b))
			if p.store != nil {
				p.store.more(c, d, b[:used])
			}
			h.skip -= used
			n += used
			continue
		}
		if h.lost {
			used, err := h.search(b)
			n += used
			if err != nil {
				return n, err
			}
			if h.lost {
				break
			}
			continue
		}
		used, wait := p.frame(c, d, b)
		n += used
		if wait || c.Finished() {
			break
		}
	}
	return n, nil
}

// search passes over bytes until a message begins. It keeps the last few
// bytes, in which one may begin.
func (h *half) search(b []byte) (int, error) {
	const keep = 9
	at := find(b)
	if at >= 0 && len(b) >= at+10 {
		h.lost, h.searched = false, 0
		return at, nil
	}
	n := at
	if at < 0 {
		n = max(0, len(b)-keep)
	}
	if h.searched += n; h.searched > maxLost {
		return n, errLost
	}
	return n, nil
}

// frame reads one NetBIOS session packet at the start of b.
func (p *parser) frame(c *proto.Conn, d packet.Dir, b []byte) (n int, wait bool) {
	h := &p.half[d]
	if len(b) < 4 {
		return 0, true
	}
	size := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	switch {
	case b[0] == nbMessage && size == 0, b[0] == nbKeepalive && size == 0, b[0] >= nbPositive && b[0] <= nbRetarget && size <= 6:
		h.skip = 4 + size
		return 0, false
	case b[0] == nbRequest && size == 68:
		if len(b) < 4+size {
			return 0, true
		}
		p.sessionRequest(c, b[4:4+size])
		return 4 + size, false
	case b[0] == nbMessage && size >= 4:
		if len(b) < 8 {
			return 0, true
		}
		if !isMagic(b[4:]) {
			break
		}
		have := len(b) - 4
		if have < min(size, headerLen) {
			return 0, true
		}
		want := min(size, prefixLen(b[4:]))
		if have < want {
			return 0, true
		}
		if want < size && want < maxPrefix && p.carriesDCE(d, b[4:4+want]) {
			if want = min(size, maxPrefix); have < want {
				return 0, true
			}
		}
		p.message(c, d, b[4:4+want], size)
		h.skip = size - want
		return 4 + want, false
	}
	if !p.warned && !c.Midstream {
		c.Anomaly("smb_framing_lost")
	}
	p.warned, h.lost = true, true
	return 0, false
}

// headerLen is what prefixLen needs: the longer header, and of SMB1 the first
// words.
const headerLen = 64

// prefixLen returns how many bytes of the message with the header m are worth
// waiting for.
func prefixLen(m []byte) int {
	const (
		small  = 512 // header, fixed part and the beginning of the data
		medium = 4 << 10
	)
	switch {
	case len(m) < 5:
		return small
	case m[0] == idSMB1:
		switch m[4] {
		case cmd1SessionSetup:
			return maxPrefix
		case cmd1Negotiate, cmd1TreeConnect, cmd1NTCreate, cmd1OpenAndX:
			return medium
		}
	case m[0] == idSMB2 && len(m) >= 24:
		if le32(m[20:]) != 0 { // NextCommand
			return maxPrefix
		}
		switch le16(m[12:]) {
		case cmd2SessionSetup:
			return maxPrefix
		case cmd2Negotiate, cmd2TreeConnect, cmd2Create, cmd2SetInfo:
			return medium
		}
	}
	return small
}

// message reads the prefix m of a message of size bytes.
func (p *parser) message(c *proto.Conn, d packet.Dir, m []byte, size int) {
	h := &p.half[d]
	switch m[0] {
	case idTransform:
		p.transform(c, h)
		return
	case idCompressed:
		p.compressed(c, m, size)
	case idSMB1:
		p.smb1(c, m, size)
	case idSMB2:
		p.compound(c, m, size)
	}
	h.encrypted = 0
}

// transform counts an encrypted message; the first is reported. Once both
// sides encrypt everything there is nothing to learn from the flow.
func (p *parser) transform(c *proto.Conn, h *half) {
	if p.half[0].encrypted+p.half[1].encrypted == 0 {
		t := p.get()
		t.Version, t.Encrypted = 2, true
		p.single(c, t)
	}
	h.encrypted++
	if p.half[0].encrypted >= maxEncrypted && p.half[1].encrypted >= maxEncrypted {
		c.Finish()
	}
}

// compressed reports a compression header. What is in it is not unpacked.
func (p *parser) compressed(c *proto.Conn, m []byte, size int) {
	if len(m) < 16 {
		c.Anomaly("smb_bad_header")
		return
	}
	t := p.get()
	t.Version, t.Compressed, t.Length = 2, true, size
	t.Compression = Compression{OriginalSize: le32(m[4:]), Algorithm: le16(m[8:]), Flags: le16(m[10:]), Offset: le32(m[12:])}
	p.single(c, t)
}

// sessionRequest reads the two names, RFC 1001 section 14.1: each byte is sent
// as two letters, A for 0 to P for 15.
func (p *parser) sessionRequest(c *proto.Conn, b []byte) {
	t := p.get()
	t.HasReq = true
	for _, dst := range [2]*[]byte{&t.Called, &t.Calling} {
		start := len(t.buf)
		for i := 1; i < 31; i += 2 { // the sixteenth byte is a suffix
			hi, lo := b[i]-'A', b[i+1]-'A'
			if hi > 15 || lo > 15 {
				c.Anomaly("smb_bad_netbios_name")
				break
			}
			if ch := hi<<4 | lo; ch != ' ' && ch != 0 {
				t.buf = append(t.buf, ch)
			}
		}
		*dst = t.buf[start:len(t.buf):len(t.buf)]
		b = b[34:]
	}
	p.single(c, t)
}

// get returns an empty transaction with the next number.
func (p *parser) get() *Tx {
	var t *Tx
	if n := len(p.free); n > 0 {
		t, p.free = p.free[n-1], p.free[:n-1]
		t.reset()
	} else {
		t = new(Tx)
	}
	p.id++
	t.ID, t.Dialect = p.id, p.dialect
	return t
}

func (p *parser) put(t *Tx) {
	if cap(t.buf) > maxKeptText {
		t.buf = nil
	}
	t.DCE.Reset()
	p.free = append(p.free, t)
}

// single emits a transaction that waits for nothing.
func (p *parser) single(c *proto.Conn, t *Tx) {
	c.Emit(t, true)
	p.put(t)
}

// request emits t and lets it wait for its answer.
func (p *parser) request(c *proto.Conn, t *Tx) {
	if len(p.pending) == maxPending {
		old := p.pending[0]
		p.remove(0)
		p.single(c, old)
	}
	p.pending = append(p.pending, t)
	c.Emit(t, false)
}

// waiting returns the transaction that an answer belongs to, or a new one when
// there is none. It is taken off the list unless keep is set.
func (p *parser) waiting(c *proto.Conn, version uint8, command uint16, key uint64, keep bool) *Tx {
	for i := len(p.pending) - 1; i >= 0; i-- {
		t := p.pending[i]
		if t.key == key && t.Version == version && t.Command == command {
			if !keep {
				p.remove(i)
			}
			return t
		}
	}
	t := p.get()
	t.Version, t.Command, t.key = version, command, key
	if keep {
		if len(p.pending) == maxPending {
			old := p.pending[0]
			p.remove(0)
			p.single(c, old)
		}
		p.pending = append(p.pending, t)
	}
	return t
}

func (p *parser) remove(i int) {
	copy(p.pending[i:], p.pending[i+1:])
	p.pending[len(p.pending)-1] = nil
	p.pending = p.pending[:len(p.pending)-1]
}

// Gap goes on behind the hole when it lies within bytes passed over anyway,
// and searches for the next message when it does not.
func (p *parser) Gap(_ *proto.Conn, d packet.Dir, n int) error {
	h := &p.half[d]
	if p.store != nil {
		p.store.lost(d, n)
	}
	if h.skip >= n {
		h.skip -= n
		return nil
	}
	h.skip, h.lost = 0, true
	return nil
}

// End emits the requests that were never answered.
func (p *parser) End(c *proto.Conn) {
	p.dropFiles(c)
	for _, t := range p.pending {
		c.Emit(t, true)
		p.put(t)
	}
	clear(p.pending)
	p.pending = p.pending[:0]
	for _, x := range p.pipes {
		p.release(x)
	}
	p.flush(c)
}
