package duinocoin

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// side is the line of one direction that is not over yet: not every client
// ends its lines, so that one is also over when the other side speaks.
type side struct {
	n    int
	long bool // the line is longer than maxLine
	b    [maxLine]byte
}

type parser struct {
	tx   Tx
	side [2]side
	any  bool // a line was seen
	odd  bool // the anomaly was told
}

// unsure is the name of a flow as long as it is not known to be mining, that
// of flows that nothing recognises.
const unsure = "failed"

// Parse takes lines as they end.
func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (int, error) {
	if !p.tx.Mining() {
		c.AppProto = unsure
	}
	p.flush(c, d.Reverse())
	s := &p.side[d]
	for _, b := range data {
		if b == '\n' {
			p.flush(c, d)
			continue
		}
		if s.n == maxLine {
			if !s.long && !p.odd {
				p.odd = true
				c.Anomaly("message_over_limit")
			}
			s.long = true
			continue
		}
		s.b[s.n] = b
		s.n++
	}
	if c.Transport == proto.Message {
		p.flush(c, d)
	}
	return len(data), nil
}

// flush judges the line of direction d that is over.
func (p *parser) flush(c *proto.Conn, d packet.Dir) {
	s := &p.side[d]
	if s.n > 0 && !s.long {
		p.line(c, d, bytes.TrimRight(s.b[:s.n], "\r"))
	}
	s.n, s.long = 0, false
}

func (p *parser) line(c *proto.Conn, d packet.Dir, l []byte) {
	t := &p.tx
	k := classify(d, l)
	if k == noLine {
		// The miner may be on the other side, of a flow picked up midstream.
		if k = classify(d.Reverse(), l); k == noLine || !c.Midstream {
			return
		}
	}
	p.any = true
	t.Seen(c.Time)
	t.Messages[d]++
	t.Is(stratum.DialectDuino)
	_, rest, _ := bytes.Cut(l, comma)
	second, rest, _ := bytes.Cut(rest, comma)
	third, rest, _ := bytes.Cut(rest, comma)
	fourth, _, _ := bytes.Cut(rest, comma)
	switch k {
	case greeting:
		t.Version.Set(l)
	case ask:
		t.Mark(stratum.MarkDucoAsk)
		t.Role(d, true)
		if l[0] == 'J' {
			t.Login.Set(second)
			t.Tier.Set(third)
		}
		t.Algorithm.Set(algorithms[len(l) > 3 && l[3] == 'X'])
	case job:
		t.Jobs++
		t.Mark(stratum.MarkDucoJob)
		t.Role(d, false)
		t.Diff.Set(third)
		// The number to find lies between 0 and 100 times the difficulty: half of
		// them are tried on average.
		t.Effort.PerShare = 50 * number(third)
	case share:
		t.Role(d, true)
		t.Hand(1, 0)
		t.Agent.Set(third)
		if stratum.IsMiner(third) {
			t.Mark(stratum.MarkAgent)
			t.Mark(stratum.MarkDucoShare)
		} else if t.Jobs > 0 {
			t.Mark(stratum.MarkDucoShare)
		}
		t.Worker.Set(fourth)
		if r := number(second); r > 0 {
			t.Effort.Reported = r
		}
	case verdict:
		t.Role(d, false)
		if l[0] == 'B' && l[1] == 'A' {
			t.Hand(0, 1)
		} else {
			t.Accepted++
		}
	}
	if t.Mining() {
		c.AppProto = "stratum"
	}
	c.Emit(t, false)
}

// algorithms are the one of the protocol's first word and the other one.
var algorithms = map[bool][]byte{false: []byte("duco-s1"), true: []byte("xxhash")}

// Gap forgets the line that has the hole, and lets what comes up to the next
// line's end pass.
func (p *parser) Gap(_ *proto.Conn, d packet.Dir, _ int) error {
	p.side[d].n, p.side[d].long = 0, true
	return nil
}

// End closes the flow's transaction.
func (p *parser) End(c *proto.Conn) {
	p.flush(c, packet.ToServer)
	p.flush(c, packet.ToClient)
	if p.any {
		p.any = false
		p.tx.Done = true
		c.Emit(&p.tx, true)
	}
}

// Reset forgets the flow.
func (p *parser) Reset() { *p = parser{} }
