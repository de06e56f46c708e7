package match

import (
	"bytes"
	"strings"

	"github.com/yamori-net/yamori/internal/match/inspect"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/rules"
)

// Trace follows one rule through captures: where it matched, or how far it
// came. It is given to Compile with the rule's number and read when the
// packets are over. A set with a trace inspects that rule without prefilter and
// belongs to one worker.
type Trace struct {
	GID, SID uint32
	// Packet is the number of the packet under inspection, kept by whoever
	// feeds the worker.
	Packet uint64

	Rule       *rules.Rule // nil: there is no such rule, or it cannot be loaded
	Fast       []byte      // the pattern its prefilter looks for in FastBuffer; nil: none
	FastBuffer string
	Best       Stop    // the furthest the rule came without matching
	Matches    []Place // where it matched, the first MaxPlaces
	Alerts     []Place // where it alerted
	Matched    uint64  // how often it matched

	ids   []uint32
	conds []string     // options of the rule's conditions, by place in rule.conds
	lists []tracedList // the payload first, then as in rule.bufs
}

// MaxPlaces bounds what a Trace keeps of where a rule matched.
const MaxPlaces = 100

// Stage is how far a rule came.
type Stage uint8

// Stages, in the order of inspection.
const (
	NoPacket  Stage = iota // nothing of the rule's protocol
	AtAddress              // addresses or ports differ
	AtFlow                 // direction or state of the flow
	AtApp                  // the flow speaks another protocol
	AtOption               // an option on the packet or flow
	AtBuffer               // the buffer never came
	AtContent              // an option on a buffer
	AtAlert                // it matched; a threshold, noalert or a pass rule kept the alert back
)

var stages = [...]string{"protocol", "addresses", "flow", "app", "option", "buffer", "content", "alert"}

func (s Stage) String() string { return stages[s] }

// Place is a packet or, with Packet nil at the end of flows, a moment.
type Place struct {
	Packet           uint64
	Time             int64
	Proto            uint8
	Src, Dst         packet.Addr
	SrcPort, DstPort uint16
}

// Stop is where a rule failed.
type Stop struct {
	Stage  Stage
	Option string // that failed last
	Buffer string // in this buffer; "payload" for packets and streams
	Data   []byte // the start of the buffer
	Size   int    // of the whole
	Place  Place
	step   int
}

// tracedData is how much of a buffer a Stop shows.
const tracedData = 256

// tracedList has a program for each number of a list's steps.
type tracedList struct {
	name    string
	options []string
	progs   []*inspect.Program
}

// follows says that the rule under compilation is the one to trace.
func (c *compiler) follows() bool {
	t := c.b.opt.Trace
	return t != nil && t.SID == c.m.SID && (t.GID == 0 || t.GID == c.m.GID)
}

// note remembers which option made which step or condition.
func (c *compiler) note(o rules.Option) {
	if !c.follows() {
		return
	}
	t := c.b.opt.Trace
	text := strings.TrimSuffix(o.String(), ";")
	moved := ""
	for i, l := range c.lists {
		if i == len(t.lists) {
			t.lists = append(t.lists, tracedList{name: l.name})
		}
		if x := &t.lists[i]; len(x.options) > len(l.steps) { // a modifier of the old kind took it away
			moved = x.options[len(x.options)-1] + "; "
			x.options = x.options[:len(l.steps)]
		}
	}
	for i, l := range c.lists {
		for x := &t.lists[i]; len(x.options) < len(l.steps); {
			x.options = append(x.options, moved+text)
		}
	}
	for len(t.conds) < len(c.out.conds) {
		t.conds = append(t.conds, text)
	}
}

// finishTraced is finish, and makes what a trace needs of the lists.
func (c *compiler) finishTraced() error {
	if err := c.finish(); err != nil || !c.follows() {
		return err
	}
	t := c.b.opt.Trace
	t.Rule = c.r
	if p, l := c.fastBuffer(); l != nil {
		t.Fast, t.FastBuffer = p.Bytes, l.name
	} else if p, ok := c.fastPattern(nil); ok {
		t.Fast, t.FastBuffer = p.Bytes, "payload"
	}
	c.out.flags |= traced
	for len(t.conds) < len(c.out.conds) {
		t.conds = append(t.conds, "a buffer of the packet's header")
	}
	kept := t.lists[:0]
	for i, l := range c.lists {
		if i >= len(t.lists) {
			break
		}
		x := t.lists[i]
		if i > 0 && (isFrame(l.name) || len(l.steps) == 0 && !l.absentOK && l.chain.empty()) {
			continue // as in finish
		}
		for n := range l.steps {
			p, err := c.b.set.arena.Compile(l.steps[:n+1], &c.vars)
			if err != nil {
				break // the whole list is a program, this part of it is none
			}
			x.progs = append(x.progs, p)
		}
		kept = append(kept, x)
	}
	t.lists = kept
	return nil
}

// Kind is how a rule is inspected.
type Kind uint8

// Kinds of rules.
const (
	KindInert Kind = iota // inspects a buffer that no protocol here provides
	KindPacket
	KindStream
	KindApp
	KindIPOnly
	KindProtocol
	KindEvent
)

var kinds = [...]string{"inert", "packet", "stream", "app", "ip_only", "protocol", "event"}

func (k Kind) String() string { return kinds[k] }

// kindOf tells from the counts before and after a rule was placed.
func kindOf(a, b *Stats) Kind {
	switch {
	case b.Packet > a.Packet:
		return KindPacket
	case b.Stream > a.Stream:
		return KindStream
	case b.App > a.App:
		return KindApp
	case b.IPOnly > a.IPOnly:
		return KindIPOnly
	case b.ProtoOnly > a.ProtoOnly:
		return KindProtocol
	case b.Event > a.Event:
		return KindEvent
	}
	return KindInert
}

// Rules lists what is known of the loaded rules, in the order of inspection.
func (s *Set) Rules() []Meta { return s.meta }

func (w *Worker) place() Place {
	c := &w.c
	return Place{Packet: w.set.trace.Packet, Time: c.now, Proto: c.proto, Src: c.src, Dst: c.dst, SrcPort: c.sp, DstPort: c.dp}
}

// stop notes where the rule failed, when it never came as far.
func (w *Worker) stop(s Stop) {
	b := &w.set.trace.Best
	if s.Stage < b.Stage || s.Stage == b.Stage && (s.step <= b.step && b.Place.Packet != 0) {
		return
	}
	s.Place = w.place()
	s.Data = bytes.Clone(s.Data[:min(len(s.Data), tracedData)])
	*b = s
}

// traceHeader tries what a packet must be before the rule looks into it.
func (w *Worker) traceHeader() {
	c := &w.c
	t := w.set.trace
	for _, id := range t.ids {
		r := &w.set.rules[id]
		switch {
		case r.on&c.v == 0 || r.on&(1<<l4Of(c.proto)) == 0:
		case (r.sp != nil || r.dp != nil) && (!hasPorts(c.proto) || c.p.Fragment):
		case !r.src.Contains((*[16]byte)(&c.src)):
			w.stop(Stop{Stage: AtAddress, Option: "source address"})
		case !r.dst.Contains((*[16]byte)(&c.dst)):
			w.stop(Stop{Stage: AtAddress, Option: "destination address", step: 1})
		case r.sp != nil && !r.sp.Contains(c.sp):
			w.stop(Stop{Stage: AtAddress, Option: "source port", step: 2})
		case r.dp != nil && !r.dp.Contains(c.dp):
			w.stop(Stop{Stage: AtAddress, Option: "destination port", step: 3})
		case !c.flowFits(r.flags):
			w.stop(Stop{Stage: AtFlow, Option: c.flowMisfit(r.flags)})
		case r.hasApps && r.apps&c.app == 0:
			w.stop(Stop{Stage: AtApp, Option: t.Rule.Proto})
		default:
			w.traceConds(r)
		}
	}
}

func (w *Worker) traceConds(r *rule) {
	t := w.set.trace
	for i, f := range r.conds {
		if !f(&w.c) {
			w.stop(Stop{Stage: AtOption, Option: t.conds[i], step: i})
			return
		}
	}
	for _, l := range t.lists {
		if len(l.progs) > 0 || l.name != "" {
			w.stop(Stop{Stage: AtBuffer, Buffer: bufferName(l.name)})
			return
		}
	}
}

func bufferName(name string) string {
	if name == "" {
		return "payload"
	}
	return name
}

// flowMisfit says what flowFits found wrong.
func (c *ctx) flowMisfit(flags uint32) string {
	switch {
	case c.f == nil:
		return "the packet belongs to no flow"
	case flags&toServer != 0 && c.d != packet.ToServer:
		return "flow:to_server, and only packets to the client came"
	case flags&toClient != 0 && c.d != packet.ToClient:
		return "flow:to_client, and only packets to the server came"
	case flags&established != 0 && !c.established():
		if c.f.Midstream {
			return "flow:established, and the start of the flow was not seen (see --midstream)"
		}
		return "flow:established, and the flow was not"
	case flags&notEstablish != 0:
		return "flow:not_established, and the flow was"
	}
	return "fragments"
}

// traceData notes which step of list i (0 is the payload, then the buffers)
// fails on data.
func (w *Worker) traceData(i int, data []byte) {
	t := w.set.trace
	if i >= len(t.lists) {
		return
	}
	l := &t.lists[i]
	start := w.ins.Start
	for n, p := range l.progs {
		if !p.Match(data, &w.ins) {
			w.stop(Stop{Stage: AtContent, Option: l.options[n], Buffer: bufferName(l.name), Data: data, Size: len(data), step: i<<16 | n})
			break
		}
	}
	w.ins.Start = start
}

// traceMatch notes that the rule matched.
func (w *Worker) traceMatch() {
	t := w.set.trace
	t.Matched++
	w.stop(Stop{Stage: AtAlert})
	if len(t.Matches) < MaxPlaces {
		t.Matches = append(t.Matches, w.place())
	}
}

// traceAlert notes that the rule's alert was told.
func (w *Worker) traceAlert() {
	if t := w.set.trace; len(t.Alerts) < MaxPlaces {
		t.Alerts = append(t.Alerts, w.place())
	}
}
