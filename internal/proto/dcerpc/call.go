package dcerpc

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Half is one side's part of a call.
type Half struct {
	Done      bool // all of it was seen
	Type      uint8
	Frags     int  // fragments
	BigEndian bool // integers, also in the stub data
	open      bool // some of it was seen
}

// Call is a request with its answer, or one of them when the other was not
// seen: a call of an operation, or a proposal of interfaces.
type Call struct {
	ID       uint32
	Req, Rsp Half
	Version  uint8 // 5, or 4 in datagrams
	Minor    uint8

	// Of datagrams, C706 section 12.5.2.
	Activity [16]byte
	Seq      uint32

	opnum, context uint16
	called         bool // opnum and context are known
	stub           [2][]byte
	assoc          *Assoc
	life           int       // of assoc
	own            Interface // of datagrams, which name it each

	// Behind the buffers of rules.
	text  [5]byte
	iface [19]byte
}

// Reset empties c and keeps its memory when that is small.
func (c *Call) Reset() {
	s := c.stub
	for i := range s {
		if s[i] = s[i][:0]; cap(s[i]) > maxKeptStub {
			s[i] = nil
		}
	}
	*c = Call{stub: s}
}

// Size returns the bytes behind c.
func (c *Call) Size() int { return proto.Held(c.stub[0]) + proto.Held(c.stub[1]) }

// RPC returns c: transactions that carry calls have this method.
func (c *Call) RPC() *Call { return c }

// Seen reports whether the request or the answer is there.
func (c *Call) Seen() bool { return c.Req.Done || c.Rsp.Done }

// Opnum returns the number of the operation called. Of an answer whose request
// was not seen, and of proposals, it is not known.
func (c *Call) Opnum() (n uint16, ok bool) { return c.opnum, c.called }

// Context returns the number of the context that the request names.
func (c *Call) Context() (n uint16, ok bool) { return c.context, c.called }

// Stub returns the arguments (ToServer) or results (ToClient), with the
// authentication trailer where there is one.
func (c *Call) Stub(d packet.Dir) (b []byte, ok bool) {
	h := c.half(d)
	if !h.Done || h.Type != TypeRequest && h.Type != TypeResponse {
		return nil, false
	}
	return c.stub[d], len(c.stub[d]) > 0
}

// BigEndian reports the order of integers in the stub data of direction d.
func (c *Call) BigEndian(d packet.Dir) bool { return c.half(d).BigEndian }

// Interface returns the interface that the operation belongs to, when the
// server agreed to it.
func (c *Call) Interface() (Interface, bool) {
	switch {
	case !c.called:
	case c.Version == 4:
		return c.own, true
	case c.assoc != nil && c.life == c.assoc.life:
		return c.assoc.Find(c.context)
	}
	return Interface{}, false
}

// Interfaces returns what a proposal asks for; nil for other calls.
func (c *Call) Interfaces() []Interface {
	if c.assoc == nil || c.life != c.assoc.life || c.Req.Type != TypeBind && c.Req.Type != TypeAlter || !c.Req.Done {
		return nil
	}
	return c.assoc.Proposed()
}

// Waits reports whether c has a request whose answer is still to come.
func (c *Call) Waits() bool {
	return c.Req.Done && !c.Rsp.Done && (c.Req.Type == TypeRequest || c.Req.Type == TypeBind || c.Req.Type == TypeAlter)
}

// Answer takes the answer out of b, when it belongs to the request in c.
func (c *Call) Answer(b *Call) bool {
	if !c.Waits() || !b.Rsp.Done || b.Req.Done || b.ID != c.ID {
		return false
	}
	c.Rsp = b.Rsp
	c.stub[1], b.stub[1] = b.stub[1], c.stub[1]
	b.Reset()
	return true
}

// EventType returns Type, or "" for what says nothing.
func (c *Call) EventType() event.Type {
	if c.Req.Done && c.Req.Type >= TypeAuth3 || !c.Req.Done && c.Rsp.Type == TypeShutdown {
		return ""
	}
	return Type
}

func (c *Call) half(d packet.Dir) *Half {
	if d == packet.ToServer {
		return &c.Req
	}
	return &c.Rsp
}

// add takes one message, all of it or what there is of it. It reports whether
// that completes the side's part.
func (c *Call) add(a *Assoc, d packet.Dir, h *Header, b []byte) bool {
	x := c.half(d)
	if h.Flags&FlagFirst != 0 || !x.open {
		*x = Half{open: true, Type: h.Type, BigEndian: h.Big}
		c.stub[d] = c.stub[d][:0]
	}
	c.ID, c.Version, c.Minor, c.assoc = h.CallID, 5, h.Minor, a
	c.life = a.life
	x.Frags++
	b = b[headerLen:]
	switch h.Type {
	case TypeRequest:
		if len(b) < 8 {
			break
		}
		c.context, c.opnum, c.called = u16(b[4:], h.Big), u16(b[6:], h.Big), true
		skip := 8
		if h.Flags&flagObject != 0 {
			skip += 16
		}
		c.keep(d, b[min(skip, len(b)):])
	case TypeResponse:
		c.keep(d, b[min(8, len(b)):])
	case TypeBind, TypeAlter:
		a.propose(h, b)
	case TypeBindAck, TypeAlterResp:
		a.answer(h, b)
	}
	// Only calls and their results are fragmented, C706 section 12.6.2.
	if h.Type == TypeRequest || h.Type == TypeResponse {
		x.Done = h.Flags&FlagLast != 0
	} else {
		x.Done = true
	}
	return x.Done
}

func (c *Call) keep(d packet.Dir, b []byte) {
	c.stub[d] = proto.Append(c.stub[d], b[:min(len(b), MaxStub-len(c.stub[d]))])
}
