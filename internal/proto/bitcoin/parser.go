package bitcoin

import (
	"errors"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

var errHeader = errors.New("bitcoin: no message header")

// side is what one direction is doing.
type side struct {
	remain int // bytes of a payload that pass unread
	n      int // messages so far
}

type parser struct {
	tx   Tx
	side [2]side
	any  bool
}

// Parse reads version messages and counts the others off. After some messages
// there is nothing to learn any more: blocks and payments pass.
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
		if len(b) < headerLen {
			return n, nil
		}
		h, ok := readHeader(b)
		if !ok || p.any && h.magic != p.tx.Magic {
			return n, errHeader
		}
		if !p.any {
			p.any = true
			p.tx.Magic, p.tx.Network = h.magic, network(b)
		}
		if h.is("version") && h.size <= maxVersion {
			if len(b) < headerLen+h.size {
				return n, nil
			}
			if !p.tx.Peer[d].Seen && p.tx.Peer[d].read(b[headerLen:headerLen+h.size]) {
				c.Emit(&p.tx, false)
			}
		}
		s.n++
		n += headerLen
		s.remain = h.size
	}
	return n, nil
}

// Gap is no matter inside a payload; elsewhere the place of the next header is
// lost.
func (p *parser) Gap(_ *proto.Conn, d packet.Dir, n int) error {
	s := &p.side[d]
	switch {
	case s.n >= maxRead:
	case n <= s.remain:
		s.remain -= n
	default:
		return errHeader
	}
	return nil
}

// End closes the flow's transaction.
func (p *parser) End(c *proto.Conn) {
	if p.any {
		p.any = false
		c.Emit(&p.tx, true)
	}
}

// Reset forgets the flow.
func (p *parser) Reset() { *p = parser{} }
