package p2pool

import (
	"errors"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

var errMessage = errors.New("p2pool: no message")

type network uint8

const (
	unknown network = iota
	monero
	old // Bitcoin's
)

// side is what one direction is doing.
type side struct {
	remain int // bytes of a message that pass unread
	n      int // messages so far
	port   bool
}

type parser struct {
	tx   Tx
	net  network
	side [2]side
	any  bool
}

// Parse takes the messages that tell something and counts the others off.
func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (n int, err error) {
	s := &p.side[d]
	for n < len(data) {
		if s.n >= maxRead {
			return len(data), nil
		}
		b := data[n:]
		if s.remain > 0 {
			k := min(s.remain, len(b))
			s.remain -= k
			n += k
			continue
		}
		if p.net == unknown {
			const first = "version"
			switch {
			case b[0] != msgChallenge:
				p.net = old
			case len(b) < 8+len(first):
				return n, nil
			case string(b[8:8+len(first)]) == first:
				p.net = old
			default:
				p.net = monero
			}
		}
		took, more, err := p.message(c, d, b)
		if err != nil || more {
			return n, err
		}
		s.n++
		n += took
	}
	return n, nil
}

// message takes the message at the beginning of b, or of a long one its head.
func (p *parser) message(c *proto.Conn, d packet.Dir, b []byte) (took int, more bool, err error) {
	s := &p.side[d]
	t := &p.tx
	told := t.Marks
	if p.net == old {
		if len(b) < oldHeader {
			return 0, true, nil
		}
		h, ok := readHeader(b)
		if !ok {
			return 0, false, errMessage
		}
		if h.is("version") && h.size <= maxVersion {
			if len(b) < oldHeader+h.size {
				return 0, true, nil
			}
			p.seen(c, d, stratum.MarkPeer)
			if d == packet.ToServer {
				t.Agent.Set(software(b[oldHeader : oldHeader+h.size]))
			}
		}
		if h.own() {
			p.seen(c, d, stratum.MarkShareChain)
		}
		if h.is("shares") || h.is("sharereply") {
			t.Jobs++
		}
		s.remain = h.size
		took = oldHeader
	} else {
		size, need, bad := size(b)
		switch {
		case bad && s.n < 2:
			return 0, false, errMessage
		case bad: // a message that a later version has
			s.n = maxRead
			return len(b), false, nil
		case len(b) < need:
			return 0, true, nil
		}
		switch {
		case s.n < 2 && b[0] != byte(s.n): // the handshake has an order
			return 0, false, errMessage
		case b[0] == msgSolution && (worked(b[1:]) || p.any && t.Marks.Has(stratum.MarkPeer)):
			p.seen(c, d, stratum.MarkPeer)
		case b[0] == msgPort:
			s.port = port(b)
		case b[0] == msgAsk && s.port:
			p.seen(c, d, stratum.MarkShareChain)
		case b[0] == msgNew || b[0] == msgCompact:
			t.Jobs++
		}
		took = need
		s.remain = size - need
	}
	if t.Marks != told {
		c.Emit(t, false)
	}
	return took, false, nil
}

// seen notes a mark. Both sides of a connection mine; the one to tell of is the
// one at home.
func (p *parser) seen(c *proto.Conn, d packet.Dir, m stratum.Mark) {
	t := &p.tx
	p.any = true
	t.Seen(c.Time)
	t.Is(stratum.DialectP2Pool)
	t.Messages[d]++
	t.Mark(m)
	home := c.Client.Netip().IsPrivate() || !c.Server.Netip().IsPrivate()
	t.Role(packet.ToServer, home)
}

// software returns the name in a version message of p2p.py: version, services,
// two addresses of 26 bytes, nonce, and then the name with its length before it.
func software(b []byte) []byte {
	const at = 4 + 8 + 26 + 26 + 8
	if len(b) <= at || int(b[at]) > min(len(b)-at-1, maxAgent) {
		return nil
	}
	return b[at+1 : at+1+int(b[at])]
}

// Gap is no matter inside a message; elsewhere the place of the next one is
// lost.
func (p *parser) Gap(_ *proto.Conn, d packet.Dir, n int) error {
	s := &p.side[d]
	switch {
	case s.n >= maxRead:
	case n <= s.remain:
		s.remain -= n
	default:
		return errMessage
	}
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
func (p *parser) Reset() { *p = parser{} }
