package dcerpc

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/packet"
)

// Types of messages, C706 section 12.1 and [MS-RPCE] 2.2.2. Those from ping to
// cancel acknowledgement are sent in datagrams only.
const (
	TypeRequest   = 0
	TypePing      = 1
	TypeResponse  = 2
	TypeFault     = 3
	TypeReject    = 6
	TypeBind      = 11
	TypeBindAck   = 12
	TypeBindNak   = 13
	TypeAlter     = 14
	TypeAlterResp = 15
	TypeAuth3     = 16
	TypeShutdown  = 17
	TypeCancel    = 18
	TypeOrphaned  = 19
)

// Flags of a header, C706 section 12.6.3.1.
const (
	FlagFirst  = 0x01
	FlagLast   = 0x02
	flagObject = 0x80
)

const (
	headerLen    = 16
	littleEndian = 0x10
)

// Header is what each message of the connection-oriented protocol begins with,
// C706 section 12.6.3.1.
type Header struct {
	Minor   uint8
	Type    uint8
	Flags   uint8
	Big     bool // integers are big-endian
	FragLen int  // of the whole message, header included
	AuthLen int
	CallID  uint32
}

// ParseHeader reads the header at the start of b. It returns false for what
// cannot be one.
func ParseHeader(b []byte) (h Header, ok bool) {
	if len(b) < headerLen || b[0] != 5 || b[1] > 1 || b[2] > TypeOrphaned || b[4]&^littleEndian != 0 || b[5]|b[6]|b[7] != 0 {
		return h, false
	}
	h = Header{Minor: b[1], Type: b[2], Flags: b[3], Big: b[4] == 0}
	h.FragLen, h.AuthLen, h.CallID = int(u16(b[8:], h.Big)), int(u16(b[10:], h.Big)), u32(b[12:], h.Big)
	return h, h.FragLen >= headerLen && h.AuthLen <= h.FragLen-headerLen
}

func u16(b []byte, big bool) uint16 {
	if big {
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

func u32(b []byte, big bool) uint32 {
	if big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

// uuid brings an identifier into the order of its text form: the first three
// groups are integers on the wire (C706 appendix A).
func uuid(b []byte, big bool) (u [16]byte) {
	copy(u[:], b)
	if !big {
		u[0], u[1], u[2], u[3] = u[3], u[2], u[1], u[0]
		u[4], u[5], u[6], u[7] = u[5], u[4], u[7], u[6]
	}
	return u
}

// sender reports whether direction d may send messages of the type.
func sender(d packet.Dir, typ uint8) bool {
	switch typ {
	case TypeRequest, TypeBind, TypeAlter, TypeAuth3, TypeCancel, TypeOrphaned:
		return d == packet.ToServer
	case TypeResponse, TypeFault, TypeBindAck, TypeBindNak, TypeAlterResp, TypeShutdown:
		return d == packet.ToClient
	}
	return false
}

// leastLen is the shortest message of the type.
func leastLen(typ uint8) int {
	switch typ {
	case TypeRequest, TypeResponse, TypeFault:
		return 24
	case TypeBind, TypeAlter:
		return 28
	case TypeBindAck, TypeAlterResp:
		return 26
	}
	return headerLen
}

// Interface is a presentation context: an interface proposed by the client,
// and what the server said to it.
type Interface struct {
	UUID         [16]byte // in the order of its text form
	Major, Minor uint16
	Context      uint16 // calls name the interface by this number
	Result       uint16 // 0 accepted, 1 user rejection, 2 provider rejection, 3 negotiated
	Reason       uint16
	Acked        bool // the server answered
	First        bool // the message that proposed it said that it is the first fragment
}

// Accepted reports whether the server agreed to the interface.
func (i *Interface) Accepted() bool { return i.Acked && i.Result == 0 }

// Assoc holds the contexts of one association.
type Assoc struct {
	list [MaxInterfaces]Interface
	n    int
	last int // where those of the last proposal begin
	life int // counts resets, so that a call outlives its association
}

func (a *Assoc) reset() { a.n, a.last, a.life = 0, 0, a.life+1 }

// Interfaces returns the contexts of the association in the order of their
// proposal.
func (a *Assoc) Interfaces() []Interface { return a.list[:a.n] }

// Proposed returns the contexts of the last proposal.
func (a *Assoc) Proposed() []Interface { return a.list[a.last:a.n] }

// Find returns the interface agreed on for a context.
func (a *Assoc) Find(context uint16) (Interface, bool) {
	for i := a.n - 1; i >= 0; i-- {
		if x := &a.list[i]; x.Context == context && x.Accepted() {
			return *x, true
		}
	}
	return Interface{}, false
}

// propose reads a bind or alter_context behind its header, C706 12.6.4.3:
// max_xmit, max_recv, group, count and three octets, then for each context its
// number, the number of transfer syntaxes, the interface and the syntaxes (20
// octets each).
func (a *Assoc) propose(h *Header, b []byte) {
	if h.Type == TypeBind {
		a.n = 0
	}
	a.last = a.n
	if len(b) < 12 {
		return
	}
	n := int(b[8])
	b = b[12:]
	for ; n > 0 && len(b) >= 24; n-- {
		if a.n == MaxInterfaces {
			copy(a.list[:], a.list[1:])
			a.n, a.last = a.n-1, max(0, a.last-1)
		}
		version := u32(b[20:], h.Big) // one integer, C706 section 3.1
		a.list[a.n] = Interface{Context: u16(b, h.Big), UUID: uuid(b[4:20], h.Big), Major: uint16(version), Minor: uint16(version >> 16), First: h.Flags&FlagFirst != 0}
		a.n++
		b = b[min(len(b), 24+20*int(b[2])):]
	}
}

// answer reads a bind_ack or alter_context_resp behind its header, C706
// 12.6.4.4: max_xmit, max_recv, group, the port's name with its length, padding
// to four octets, count, three octets, then result, reason and syntax (20
// octets) for each context in the order of the proposal.
func (a *Assoc) answer(h *Header, b []byte) {
	if len(b) < 10 {
		return
	}
	at := 10 + int(u16(b[8:], h.Big))
	at = (at + 3) &^ 3
	if at+4 > len(b) {
		return
	}
	n := int(b[at])
	b = b[at+4:]
	for i := a.last; i < a.n && n > 0 && len(b) >= 4; i, n = i+1, n-1 {
		x := &a.list[i]
		x.Acked, x.Result, x.Reason = true, u16(b, h.Big), u16(b[2:], h.Big)
		b = b[min(len(b), 24):]
	}
}
