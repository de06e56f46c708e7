package websocket

import (
	"github.com/yamori-net/yamori/internal/inflate"
	"github.com/yamori-net/yamori/internal/proto"
)

// window is how far back DEFLATE refers: with context takeover (RFC 7692
// section 7.1.1) a message may refer to the ones before it.
const window = 32 << 10

// syncTail is what the sender leaves off each message, RFC 7692 section 7.2.1.
var syncTail = [4]byte{0, 0, 0xff, 0xff}

// inflater is one direction's permessage-deflate context. What was negotiated
// is not known here: keeping the window is right with context takeover and
// harmless without.
type inflater struct {
	z     inflate.Stream
	out   []byte // window, then the message under way
	start int    // where that begins
}

func (s *side) inflateStart() {
	if s.z != nil {
		return
	}
	s.z = inflaters.Get().(*inflater)
	s.z.out, s.z.start = s.z.out[:0], 0
	s.z.z.Reset(0)
}

// inflate decodes b. Data that does not decode makes the message opaque: its
// context may have been lost, or it is another extension's.
func (p *parser) inflate(c *proto.Conn, s *side, b []byte) {
	z := s.z
	limit := z.start + MaxMessage
	for len(b) > 0 {
		if z.z.Ended() {
			z.z.Reset(0) // BFINAL inside a message, RFC 7692 section 7.2.3.4
		}
		if len(z.out) >= limit {
			s.msg.Truncated = true
			p.anomaly(c, anLong, "message_too_long")
			return
		}
		var n int
		var err error
		if z.out, n, err = z.z.Inflate(z.out, b, limit); err != nil {
			s.msg.Opaque = true
			p.anomaly(c, anDeflate, "decompression_failed")
			return
		}
		b = b[n:]
		if n == 0 && len(z.out) < limit && !z.z.Ended() {
			return
		}
	}
}

func (z *inflater) message() []byte { return z.out[z.start:] }

// messageEnd keeps the window for the next message; lost says that the context
// is not known any more.
func (z *inflater) messageEnd(lost bool) {
	if lost {
		z.out = z.out[:0]
		z.z.Reset(0)
	} else if len(z.out) > window {
		n := copy(z.out, z.out[len(z.out)-window:])
		z.out = z.out[:n]
	}
	z.start = len(z.out)
}
