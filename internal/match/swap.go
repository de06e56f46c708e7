package match

import (
	"fmt"
	"maps"

	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/rules"
)

// Change is the step from one Set to another, made ahead of time so that
// workers can take it between two packets.
type Change struct {
	to      *Set
	from    uint32   // generation of the set before; 0: none
	rules   []uint32 // by place in the set before: the same rule's place in to, plus 1
	streams [2]bool  // the set before inspected streams of this direction
}

// NewChange prepares the step from one Set to the next, which should have been
// compiled with it as Options.Previous. from may be nil.
func NewChange(from, to *Set) *Change {
	ch := &Change{to: to}
	if from == nil {
		return ch
	}
	ch.from = from.gen
	for d := range from.streams {
		ch.streams[d] = from.streams[d].n > 0
	}
	type key struct {
		gid, sid uint32
		swapped  bool
	}
	at := make(map[key]uint32, len(to.rules))
	for i := range to.rules {
		m := &to.meta[to.rules[i].meta]
		at[key{m.GID, m.SID, to.rules[i].flags&swapped != 0}] = uint32(i) + 1
	}
	ch.rules = make([]uint32, len(from.rules))
	for i := range from.rules {
		m := &from.meta[from.rules[i].meta]
		ch.rules[i] = at[key{m.GID, m.SID, from.rules[i].flags&swapped != 0}]
	}
	return ch
}

// Set returns the set that the change leads to.
func (ch *Change) Set() *Set { return ch.to }

// Use makes the worker inspect with another set. It is called between two
// packets, with the time of the one to come. What rules remember of flows and
// hosts stays; a flow's state is brought over when its next packet comes.
func (w *Worker) Use(ch *Change, now int64) {
	w.set, w.change, w.since, w.dropped = ch.to, ch, now, nil
	clear(w.alerts[:cap(w.alerts)]) // they point into the old set
}

// adopt brings a flow's state over from an earlier set.
func (w *Worker) adopt(f *Flow) {
	var remap []uint32
	var had [2]bool
	if ch := w.change; ch != nil {
		had = ch.streams
		if ch.from == f.gen {
			remap = ch.rules
		}
	}
	if w.set.names.since > f.gen {
		// The names were numbered anew.
		clear(f.bits)
		f.ints = f.ints[:0]
	}
	for i := range f.txs {
		for d := range f.txs[i].dir {
			t := &f.txs[i].dir[d]
			// The filters of the new set have seen nothing yet; what matched
			// must not be told twice.
			t.cand, t.seen = t.cand[:0], 0
			t.matched = renumber(t.matched, remap)
		}
	}
	f.raw, f.events = renumber(f.raw, remap), renumber(f.events, remap)
	for d := range f.dir {
		s := &f.dir[d]
		s.renumber(remap)
		s.old, s.piece = len(s.buf) > 0, s.done
		if !had[d] {
			s.off = true // where in the stream this flow is, nobody knows
		}
	}
	f.gen = w.set.gen
}

// renumber maps the rules of list, in place; those that are gone are left out.
func renumber(list, remap []uint32) []uint32 {
	out := list[:0]
	for _, id := range list {
		if int(id) < len(remap) && remap[id] > 0 {
			out = append(out, remap[id]-1)
		}
	}
	return out
}

// renumber does the same with the rules that a stream remembers. The filters of
// the new set have seen nothing of it.
func (s *streamState) renumber(remap []uint32) {
	out := s.seen[:0]
	for _, r := range s.seen {
		if int(r.id) < len(remap) && remap[r.id] > 0 {
			r.id = remap[r.id] - 1
			out = append(out, r)
		}
	}
	s.seen, s.again = out, true
}

// late marks a state that is made for a flow older than the set: a stream that
// the set before did not follow cannot be inspected from its middle.
func (w *Worker) late(f *Flow, start int64) {
	if w.change == nil || start >= w.since {
		return
	}
	for d := range f.dir {
		if !w.change.streams[d] {
			f.dir[d].off = true
		}
	}
}

// MaxNames bounds the flowbits (and others of one kind) that a line of sets
// may name before they are numbered anew, and flows lose theirs: 2 kB a flow.
const MaxNames = 1 << 14

// follow makes a set the successor of another: names keep their numbers, and
// hosts and data sets without a file keep what is known of them.
func (s *Set) follow(prev *Set) {
	s.gen = 1
	s.names.since = 1
	if prev == nil {
		return
	}
	s.gen = prev.gen + 1
	s.prevData = prev.data
	full := false
	for _, m := range prev.names.of {
		full = full || len(m) >= MaxNames
	}
	if full {
		s.names.since = s.gen
		for k := range s.names.base {
			s.names.base[k] = prev.names.base[k] + uint32(len(prev.names.of[k]))
		}
		// Bits of flows are places in a list and begin at 0 again.
		s.names.base[kindFlowbit] = 0
		return
	}
	s.names.since, s.names.base = prev.names.since, prev.names.base
	for k := range s.names.of {
		s.names.of[k] = maps.Clone(prev.names.of[k]) // a set that is refused leaves nothing behind
	}
}

// Size returns how many bytes a set holds, about: programs, filters, rules and
// what alerts say.
func (s *Set) Size() int { return s.stats.Memory + len(s.rules)*ruleBytes + len(s.meta)*metaBytes }

// Bytes of a rule and of what it says with its strings, measured on public
// rule sets.
const (
	ruleBytes = 256
	metaBytes = 288
)

// tooLarge is the problem of a set beyond Options.MaxMemory.
func tooLarge(r *rules.Rule, limit int) *rules.Problem {
	return &rules.Problem{File: r.File, Line: r.Line, SID: r.SID,
		Reason: fmt.Sprintf("the rules up to here need more than the %d MB allowed", limit>>20),
		Cure:   "load fewer rules, or raise rules.memory_mb"}
}

// Complete reports that all rules were compiled; a set that is not must not be
// used. It is false when Options.MaxMemory was exceeded.
func (s *Set) Complete() bool { return !s.partial }

// MadeFor returns an error unless the set was compiled for these protocols.
func (s *Set) MadeFor(ps []proto.Protocol) error {
	if len(ps) != len(s.protocols) {
		return fmt.Errorf("the rules were compiled for %d protocols, not %d", len(s.protocols), len(ps))
	}
	for i := range ps {
		if ps[i].Name != s.protocols[i].Name {
			return fmt.Errorf("the rules were compiled for protocol %q where %q stands", s.protocols[i].Name, ps[i].Name)
		}
	}
	return nil
}
