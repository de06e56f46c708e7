package engine

import (
	"math/bits"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// identify asks the candidates about the first bytes of side s. It returns the
// index of the protocol (in Config.Protocols), or -1 while none is certain. It
// may swap client and server when only that makes sense of the bytes.
//
// A Yes wins at once, protocols that name one of the flow's ports first. A
// Weak wins on the protocol's own port as soon as nobody else could still say
// Yes, and elsewhere when the other side is at least Weak too.
func (c *conn) identify(s *side, data []byte) int {
	t := c.table()
	hint := t.hints(c.pc.ServerPort, c.pc.ClientPort)
	udp := c.pc.Transport == proto.UDP
	last := udp || s.seen+len(data) >= ProbeLimit

	yes, weak, more := probe(t, s.cand, hint, s.dir, data)
	if yes < 0 && weak == 0 && (more == 0 || !udp) && c.reversible() {
		if y, _, _ := probe(t, t.all, hint, s.dir.Reverse(), data); y >= 0 {
			c.reverse()
			yes = y
		}
	}
	if yes >= 0 {
		return t.idx[yes]
	}
	switch {
	case udp:
		more = 0 // a datagram does not grow
	case last:
		weak, more = weak|more, 0
	}
	s.cand, s.weak = weak|more, weak
	if h := weak & hint; h != 0 && more&^weak == 0 {
		return t.idx[bits.TrailingZeros64(h)]
	}
	if b := weak & c.other(s).weak; b != 0 {
		return t.idx[bits.TrailingZeros64(b)]
	}
	if udp {
		s.cand = t.all // each datagram may be the first that tells
		s.weak = weak
		if s.seen++; s.seen >= ProbeDatagrams {
			c.ended = true
		}
		return -1
	}
	if last && weak == 0 {
		s.cand = 0
	}
	if s.cand == 0 && (c.other(s).cand == 0 || s.seen+len(data) >= 2*ProbeLimit) {
		c.ended = true
	}
	return -1
}

// probe asks candidates, hinted ones first, and stops at the first Yes.
func probe(t *protoTable, cand, hint uint64, d packet.Dir, data []byte) (yes int, weak, more uint64) {
	for _, set := range [2]uint64{cand & hint, cand &^ hint} {
		for m := set; m != 0; m &= m - 1 {
			i := bits.TrailingZeros64(m)
			switch t.list[i].Probe(d, data) {
			case proto.Yes:
				return i, weak, more
			case proto.Weak:
				weak |= 1 << i
			case proto.More:
				more |= 1 << i
			}
		}
	}
	return -1, weak, more
}

// reversible says that the flow's opener is a guess.
func (c *conn) reversible() bool {
	if c.pc.Transport == proto.UDP {
		return c.first == nil || c.flow.Side[0].Packets == 0 || c.flow.Side[1].Packets == 0
	}
	return c.pc.Midstream && c.switches == 0
}

// keepProbing holds the bytes of a side that no protocol has claimed yet, up
// to ProbeLimit: should the other side tell what it is, the parser gets them.
func (s *side) keepProbing(data []byte) {
	if len(data) > ProbeLimit {
		s.seen = max(s.seen, len(data))
		if s.cand == 0 {
			s.dropped += len(data)
			s.drop()
			return
		}
	}
	s.keep(data)
}
