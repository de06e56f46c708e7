package stratum

import (
	"sync"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// mode is what one direction of the stream is doing.
type mode uint8

const (
	between mode = iota // before a message or, when its framer has begun, in one
	inLong              // in a message longer than MaxMessage, whose beginning was judged
	lost                // in bytes that are no message: looking for the next one
)

type side struct {
	framer framer
	mode   mode
	last   byte // before the next byte, while lost
	hole   bool // bytes before the next ones are missing
	synced bool // a call or answer was read since
}

// messages lends each call of Parse its Message: it has six kilobytes, and a
// flow needs one only while it is looked at.
var messages = sync.Pool{New: func() any { return new(Message) }}

type parser struct {
	tx   Tx
	side [2]side
	any  bool // a message was seen
	said said
}

// said is the set of anomalies already reported for the flow: once is enough.
type said uint8

const (
	saidMalformed said = 1 << iota
	saidLong
	saidJunk
)

// Parse takes every whole message of the stream.
func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (n int, err error) {
	if c.Transport != proto.TCP {
		p.message(c, d, data)
		return len(data), nil
	}
	if !p.tx.Mining() {
		c.AppProto = "jsonrpc"
	}
	s := &p.side[d]
	for n < len(data) {
		rest := data[n:]
		switch s.mode {
		case lost:
			n += s.seek(rest)
		case inLong:
			s.framer.pos = 0
			size, bad := s.framer.next(rest)
			switch {
			case bad:
				n += s.framer.pos
				p.lose(c, s, saidMalformed)
			case size > 0:
				n += size
				s.mode = between
			default:
				n = len(data)
			}
		default:
			if s.framer.depth == 0 {
				k := lead(rest)
				n, rest = n+k, rest[k:]
				if len(rest) == 0 || bomPrefix(rest) {
					return n, nil
				}
				if rest[0] != '{' {
					p.lose(c, s, saidJunk)
					continue
				}
			}
			size, bad := s.framer.next(rest)
			switch {
			case bad:
				p.lose(c, s, saidMalformed)
			case size > 0:
				s.synced = p.message(c, d, rest[:size]) || s.synced
				n += size
			case len(rest) < MaxMessage:
				return n, nil
			default:
				p.anomaly(c, saidLong)
				p.message(c, d, rest)
				s.mode = inLong
				n = len(data)
			}
		}
	}
	return n, nil
}

// lose gives up finding a message here.
func (p *parser) lose(c *proto.Conn, s *side, why said) {
	if s.synced || !s.hole && !c.Midstream {
		p.anomaly(c, why)
	}
	*s = side{mode: lost, hole: s.hole, synced: s.synced}
}

// seek returns how many bytes to drop before a message may begin: those up to
// the end of the line, or of the message where messages follow each other
// without anything between them. Neither a line's end nor "}{" can stand
// inside a string that is quoted in a message.
func (s *side) seek(b []byte) int {
	for i, c := range b {
		switch {
		case c == '\n' || c == '\r' || c == 0:
			*s = side{hole: s.hole, synced: s.synced}
			return i + 1
		case c == '{' && s.last == '}':
			*s = side{hole: s.hole, synced: s.synced}
			return i
		}
		s.last = c
	}
	return len(b)
}

// message judges one message, or each of several in a batch or datagram. It
// tells whether there was a call or an answer among them: an object that is
// neither may be a piece of something larger.
func (p *parser) message(c *proto.Conn, d packet.Dir, b []byte) (rpc bool) {
	m := messages.Get().(*Message)
	p.tx.Msg = m
	for {
		n, st := ParseMessage(b, m)
		if st == Malformed || n == 0 || lead(b) == len(b) {
			if st == Malformed {
				p.anomaly(c, saidMalformed)
			}
			break
		}
		p.any = true
		p.tx.Dir = d
		p.tx.Seen(c.Time)
		p.tx.Observe(d, m)
		if p.tx.Mining() {
			c.AppProto = "stratum"
		}
		c.Emit(&p.tx, false)
		rpc = rpc || m.Method != NoMethod || m.Top.has&set(KeyResult, KeyError) != 0
		if b = b[n:]; st != Complete || len(b) == 0 {
			break
		}
	}
	p.tx.Msg = nil
	m.reset(nil)
	messages.Put(m)
	return rpc
}

func (p *parser) anomaly(c *proto.Conn, what said) {
	if p.said&what != 0 {
		return
	}
	p.said |= what
	switch what {
	case saidMalformed:
		c.Anomaly("malformed_message")
	case saidLong:
		c.Anomaly("message_over_limit")
	case saidJunk:
		c.Anomaly("junk_between_messages")
	}
}

// Gap goes on with what comes next: a message if it looks like one (segments
// mostly begin with one), else the line after it.
func (p *parser) Gap(_ *proto.Conn, d packet.Dir, _ int) error {
	p.side[d] = side{hole: true}
	return nil
}

// End closes the flow's transaction.
func (p *parser) End(c *proto.Conn) {
	if p.any {
		p.any = false
		p.tx.Done = true
		c.Emit(&p.tx, true)
	}
}

// Reset forgets the flow.
func (p *parser) Reset() {
	p.tx = Tx{}
	p.side = [2]side{}
	p.any, p.said = false, 0
}
