package match

import (
	"bytes"
	"strings"

	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/reassembly"
	"github.com/yamori-net/yamori/internal/rules"
)

// oddity is an event of the decoder or of the TCP connection, that a rule asks
// for by decode-event or stream-event.
type oddity struct {
	stream bool
	n      uint8
}

// odd is a set of events of one packet. Packets are looked at for them only
// when some rule asks.
type odd struct {
	decode packet.Events
	stream reassembly.Events
}

func (o *odd) has(x oddity) bool {
	if x.stream {
		return o.stream.Has(reassembly.Event(x.n))
	}
	return o.decode.Has(packet.Event(x.n))
}

// oddRules are the rules that ask for events, by event; nil when none does.
type oddRules struct {
	decode [][]uint32
	stream [][]uint32
}

func (r *oddRules) add(o oddity, id uint32) {
	l, n := &r.decode, int(packet.NumEvents)
	if o.stream {
		l, n = &r.stream, int(reassembly.NumEvents)
	}
	if *l == nil {
		*l = make([][]uint32, n)
	}
	(*l)[o.n] = append((*l)[o.n], id)
}

// oldEvents are names of earlier versions of Suricata.
var oldEvents = map[string]packet.Event{"udp.hlen_invalid": packet.EvUDPLengthInvalid}

func setupDecodeEvent(c *compiler, o rules.Option) error {
	if err := require(o); err != nil {
		return err
	}
	name := lowerTrim(unquote(o.Value))
	e, ok := packet.EventOf(strings.TrimPrefix(name, "decoder."))
	if old, is := oldEvents[name]; is {
		e, ok = old, true
	}
	c.asksFor(oddity{n: uint8(e)}, ok, "the decoder does not raise "+name)
	return nil
}

func setupStreamEvent(c *compiler, o rules.Option) error {
	if err := require(o); err != nil {
		return err
	}
	name := lowerTrim(unquote(o.Value))
	e, ok := reassembly.EventOf(strings.TrimPrefix(name, "stream."))
	c.asksFor(oddity{true, uint8(e)}, ok, "the stream engine does not raise "+name)
	return nil
}

// asksFor enters an event; a rule that names several wants all of them.
func (c *compiler) asksFor(o oddity, known bool, never string) {
	c.notPlain()
	if !known {
		c.neverAs = never
		return
	}
	c.odd = append(c.odd, o)
	if len(c.odd) > 1 {
		c.cond(func(c *ctx) bool { return c.odd.has(o) })
	}
}

// oddities looks the packet over for what rules ask.
func (w *Worker) oddities() {
	c, s := &w.c, w.set
	if s.odd.decode != nil {
		c.odd.decode = packet.Events{}
		packet.Check(c.p, &c.odd.decode)
	}
	if s.odd.stream != nil {
		c.odd.stream = 0
		if c.proto == packet.ProtoTCP && c.f != nil && len(c.p.L4) >= 20 {
			fs := c.flowState()
			if fs.watch == nil {
				fs.watch = &reassembly.Watch{}
			}
			c.odd.stream = fs.watch.Packet(c.p, c.d)
			if len(s.odd.stream[reassembly.EvReassemblyOverlapDifferentData]) > 0 && fs.contradicts(c.f, c.p, c.d) {
				c.odd.stream.Add(reassembly.EvReassemblyOverlapDifferentData)
			}
		}
	}
	if s.odd.decode != nil {
		for e, ok := c.odd.decode.Next(0); ok; e, ok = c.odd.decode.Next(e + 1) {
			w.odd[e]++
			w.raise(s.odd.decode[e])
		}
	}
	for ev := c.odd.stream; ev != 0 && s.odd.stream != nil; ev &= ev - 1 {
		w.raise(s.odd.stream[ev.First()])
	}
}

// contradicts reports that a segment differs from bytes that passed before, as
// far as they are kept.
func (f *Flow) contradicts(fl *flow.Flow, p *packet.Packet, d packet.Dir) bool {
	s := &f.dir[d]
	if !fl.HasISN[d] || fl.Midstream || len(s.buf) == 0 || len(p.Payload) == 0 || s.base >= StreamDepth {
		return false
	}
	at := int64(p.Seq - fl.ISN[d] - 1)
	lo, hi := max(at, int64(s.base)), min(at+int64(len(p.Payload)), int64(s.base)+int64(len(s.buf)))
	return lo < hi && !bytes.Equal(p.Payload[lo-at:hi-at], s.buf[lo-int64(s.base):hi-int64(s.base)])
}

// Oddities returns how often the decoder's events were found, by packet.Event;
// nil when no rule asks for any.
func (w *Worker) Oddities() []uint64 {
	if w.set.odd.decode == nil {
		return nil
	}
	return w.odd[:]
}

func (w *Worker) raise(ids []uint32) {
	c := &w.c
	for _, id := range ids {
		r := &w.set.rules[id]
		if (c.p == nil || c.p.Version != 0) && !c.matches(r) {
			continue
		}
		// What else it asks for: of the packet, or of the transaction to come.
		if len(r.bufs) > 0 {
			if fs := c.flowState(); fs != nil {
				fs.note(id)
			}
			continue
		}
		if r.payload != nil {
			w.ins.Start = 0
			if c.p == nil || len(c.p.Payload) == 0 || !r.payload.Match(c.p.Payload, &w.ins) {
				continue
			}
			w.captured()
		}
		w.found(id)
	}
}

// StreamEvent tells of an event that the stream of the packet under inspection
// shows: what a segment carries that contradicts another.
func (w *Worker) StreamEvent(e reassembly.Event) {
	if !w.active || w.c.f == nil || w.c.f.Midstream || w.set.odd.stream == nil || len(w.set.odd.stream[e]) == 0 {
		return
	}
	w.packetRules()
	if w.let() {
		return
	}
	w.c.odd.stream.Add(e)
	w.raise(w.set.odd.stream[e])
}
