package dcerpc

import (
	"bytes"
	"errors"
	"unsafe"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

var errLost = errors.New("dcerpc: no message found for too long")

type parser struct {
	assoc    Assoc
	pending  []*Call // in the order of their requests
	free     []*Call
	lost     [2]bool
	searched [2]int
	warned   bool
}

func (p *parser) Reset() {
	p.drop()
	clear(p.free[min(len(p.free), maxKept):])
	p.free = p.free[:min(len(p.free), maxKept)]
	p.assoc.reset()
	*p = parser{assoc: p.assoc, pending: p.pending[:0], free: p.free}
}

func (p *parser) drop() {
	for _, c := range p.pending {
		c.Reset()
		p.free = append(p.free, c)
	}
	clear(p.pending)
	p.pending = p.pending[:0]
}

// Size implements proto.Sizer.
func (p *parser) Size() (n int) {
	for _, c := range p.pending {
		n += int(unsafe.Sizeof(*c)) + c.Size()
	}
	for _, c := range p.free {
		n += int(unsafe.Sizeof(*c)) + c.Size()
	}
	return n
}

func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (n int, err error) {
	if c.Transport == proto.UDP {
		p.datagram(c, d, data)
		return len(data), nil
	}
	for {
		b := data[n:]
		if p.lost[d] {
			used := p.search(d, b)
			n += used
			if p.searched[d] += used; p.searched[d] > maxLost {
				return n, errLost
			}
			if p.lost[d] {
				return n, nil
			}
			p.searched[d] = 0
			continue
		}
		if len(b) < headerLen {
			return n, nil
		}
		h, ok := ParseHeader(b)
		if !ok || !sender(d, h.Type) {
			if !p.warned && !c.Midstream {
				c.Anomaly("dcerpc_framing_lost")
			}
			p.warned, p.lost[d] = true, true
			n++
			continue
		}
		if len(b) < h.FragLen {
			return n, nil
		}
		p.message(c, d, &h, b[:h.FragLen])
		n += h.FragLen
	}
}

// search passes over bytes until a message begins. It keeps the last few, in
// which a header may begin.
func (p *parser) search(d packet.Dir, b []byte) (n int) {
	for {
		i := bytes.IndexByte(b[n:], 5)
		if i < 0 {
			return len(b)
		}
		n += i
		if len(b)-n < headerLen {
			return n
		}
		if Starts(d, b[n:]) {
			p.lost[d] = false
			return n
		}
		n++
	}
}

func (p *parser) message(c *proto.Conn, d packet.Dir, h *Header, b []byte) {
	i := p.find(d, h)
	if i < 0 {
		p.pending = append(p.room(c), p.get())
		i = len(p.pending) - 1
	}
	call := p.pending[i]
	if !call.add(&p.assoc, d, h, b) {
		return
	}
	if d == packet.ToServer && h.Type < TypeAuth3 {
		c.Emit(call, false)
		return
	}
	p.finish(c, i)
}

// find returns the call that a message belongs to: of the client the one being
// sent, of the server the first with the number that waits for its answer.
func (p *parser) find(d packet.Dir, h *Header) int {
	for i, x := range p.pending {
		if x.ID != h.CallID || x.Version != 5 {
			continue
		}
		if d == packet.ToServer && x.Req.open && !x.Req.Done && h.Flags&FlagFirst == 0 ||
			d == packet.ToClient && !x.Rsp.Done && (x.Req.Done || x.Rsp.open) {
			return i
		}
	}
	return -1
}

// room returns the list of pending calls with room for one more.
func (p *parser) room(c *proto.Conn) []*Call {
	if len(p.pending) == maxPending {
		p.finish(c, 0)
	}
	return p.pending
}

func (p *parser) get() *Call {
	if n := len(p.free); n > 0 {
		c := p.free[n-1]
		p.free = p.free[:n-1]
		return c
	}
	return new(Call)
}

// finish emits a call as done and takes it off the list.
func (p *parser) finish(c *proto.Conn, i int) {
	call := p.pending[i]
	copy(p.pending[i:], p.pending[i+1:])
	p.pending[len(p.pending)-1] = nil
	p.pending = p.pending[:len(p.pending)-1]
	c.Emit(call, true)
	call.Reset()
	p.free = append(p.free, call)
}

// Gap goes on at the next message that can be found.
func (p *parser) Gap(_ *proto.Conn, d packet.Dir, _ int) error {
	p.lost[d] = true
	return nil
}

// End emits the calls that were never answered. What is known of unfinished
// requests is inspected as well.
func (p *parser) End(c *proto.Conn) {
	for _, call := range p.pending {
		for d := range packet.Dir(2) {
			if h := call.half(d); h.open {
				h.Done = true
			}
		}
		c.Emit(call, true)
	}
	p.drop()
}
