package dcerpc

import (
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// maxPart bounds what is kept of a message that goes through a pipe in parts.
// Windows and Samba send at most 5840 octets in one.
const maxPart = 16 << 10

// Pipe is the conversation in one named pipe. Each read or write through it
// carries one message, a part of one or several.
type Pipe struct {
	Assoc
	part [2][]byte // of a message
	call [2]Call   // being put together
	last Call      // whose answer is expected; its stub is not used
}

// Busy reports whether the beginning of a message is waiting for the rest.
func (p *Pipe) Busy(d packet.Dir) bool { return len(p.part[d]) > 0 }

// Size returns the bytes behind p.
func (p *Pipe) Size() int {
	return proto.Held(p.part[0]) + proto.Held(p.part[1]) + p.call[0].Size() + p.call[1].Size()
}

// Reset empties p and keeps its memory when that is small.
func (p *Pipe) Reset() {
	for d := range p.part {
		if p.part[d] = p.part[d][:0]; cap(p.part[d]) > maxKeptStub {
			p.part[d] = nil
		}
		p.call[d].Reset()
	}
	p.reset()
	p.last.Reset()
}

// Starts reports whether b begins with a message that direction d may send.
func Starts(d packet.Dir, b []byte) bool {
	h, ok := ParseHeader(b)
	return ok && sender(d, h.Type) && h.FragLen >= leastLen(h.Type)
}

// Feed takes what one read or write carries in direction d; cut says that more
// of it there was but is not at hand. What it completes goes into c: the side's
// part of the call, and of an answer also which operation it answers.
func (p *Pipe) Feed(c *Call, d packet.Dir, b []byte, cut bool) {
	if p.Busy(d) {
		if room := maxPart - len(p.part[d]); len(b) > room {
			b, cut = b[:room], true
		}
		p.part[d] = proto.Append(p.part[d], b)
		b = p.part[d]
	}
	for len(b) > 0 {
		h, ok := ParseHeader(b)
		switch {
		case ok && sender(d, h.Type) && (len(b) >= h.FragLen || cut):
		case ok && sender(d, h.Type), !ok && len(b) < headerLen && b[0] == 5 && !cut:
			if !p.Busy(d) {
				p.part[d] = proto.Append(p.part[d], b[:min(len(b), maxPart)])
			} else if &b[0] != &p.part[d][0] {
				p.part[d] = p.part[d][:copy(p.part[d], b)]
			}
			return
		default:
			b = nil
			continue
		}
		n := min(h.FragLen, len(b))
		p.message(c, d, &h, b[:n])
		b = b[n:]
	}
	p.part[d] = p.part[d][:0]
}

func (p *Pipe) message(c *Call, d packet.Dir, h *Header, b []byte) {
	one := &p.call[d]
	if !one.add(&p.Assoc, d, h, b) {
		return
	}
	c.ID, c.Version, c.Minor, c.assoc = one.ID, one.Version, one.Minor, one.assoc
	c.life = one.life
	*c.half(d) = *one.half(d)
	c.stub[d], one.stub[d] = one.stub[d], c.stub[d]
	if d == packet.ToServer {
		c.opnum, c.context, c.called = one.opnum, one.context, one.called
		p.last.ID, p.last.opnum, p.last.context, p.last.called = c.ID, c.opnum, c.context, c.called
	} else if !c.Req.Done && p.last.ID == c.ID && h.Type == TypeResponse {
		c.opnum, c.context, c.called = p.last.opnum, p.last.context, p.last.called
	}
	one.Reset()
}
