package engine

import (
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// When a flow is let go of in line: never for its age, because mining lives in
// flows that are old and slow, but for bulk whose content nobody looks at any
// more. Where a protocol knows how long a message is, the side that sends it is
// let go of alone: the other one is still seen, and takes it back as soon as it
// says something, so that no later request and no answer to it goes by unseen.
const (
	// ReleaseBytes is what a flow has to have carried both ways.
	ReleaseBytes = 256 << 10
	// ReleaseRate is the least packets a second over its life; slower flows
	// cost nothing and stay.
	ReleaseRate = 20
	// ReleaseAnyway is what a flow has to have carried when its messages are
	// followed, or when rules still look at the stream of one side, which says
	// next to nothing (ReleaseQuiet) while the other sends: a download is one
	// long answer.
	ReleaseAnyway = 4 << 20
	ReleaseQuiet  = 64 // part of the other side's bytes
	// ReleaseParsed is the same while a parser still reads it, of a protocol that
	// cannot say where its bulk begins and ends.
	ReleaseParsed = 16 << 20
	// SideSeen is how much of the bulk of a message has to have been seen, at
	// SideRate bytes a second, and SideLeft how much has to be left, for its side
	// to be let go of.
	SideSeen = 64 << 10
	SideRate = 32 << 10
	SideLeft = 256 << 10
)

// LetGo says why something was let go of.
type LetGo uint8

// Reasons.
const (
	LetGoOver    LetGo = iota // nothing more can be learnt from the content
	LetGoWatched              // the same, and its messages were followed
	LetGoParsed               // bulk of a protocol that is still read
	LetGoSide                 // the rest of a message, which nobody looks at; its side alone
	LetGoReasons = iota
)

// String names the reason as in figures.
func (r LetGo) String() string {
	return [...]string{"over", "watched", "parsed", "side"}[r]
}

// releasable reports whether the kernel may carry the rest of the flow without
// asking.
func (w *Worker) releasable(fl *flow.Flow) (why LetGo, ok bool) {
	if fl.Stopped != verdict.NoOpinion || fl.Action == "drop" {
		return 0, false
	}
	least := uint64(ReleaseBytes)
	switch a := fl.App.(type) {
	case *watched:
		// What is followed for its messages' times may be mining in TLS, which
		// does not carry so much so fast.
		least, why = ReleaseAnyway, LetGoWatched
	case *conn:
		switch {
		case a == w.over:
		case a.ended:
			least = ReleaseAnyway // its streams are put together for rules alone
		case a.parser != nil && a.bulk == nil:
			for _, t := range a.tracks {
				if !t.File().Enough {
					return 0, false
				}
			}
			least, why = ReleaseParsed, LetGoParsed
		default:
			return 0, false
		}
	default:
		return 0, false
	}
	if fl.Side[0].Bytes+fl.Side[1].Bytes < least || fl.Side[0].Packets == 0 || fl.Side[1].Packets == 0 {
		return 0, false
	}
	life := float64(fl.Last-fl.Start) / 1e9
	if n := fl.Side[0].Packets + fl.Side[1].Packets; float64(n) < ReleaseRate*life {
		return 0, false
	}
	if why == LetGoParsed && float64(fl.Side[0].Bytes+fl.Side[1].Bytes) < SideRate*life {
		return 0, false
	}
	return why, w.match == nil || !w.waits(fl, packet.ToServer) && !w.waits(fl, packet.ToClient)
}

// waits reports whether rules look at the stream of a side that still speaks.
func (w *Worker) waits(fl *flow.Flow, d packet.Dir) bool {
	if !w.match.Wants(fl, d) {
		return false
	}
	// Headers alone of a side that only acknowledges come to 40 bytes for two
	// frames, or for one super-segment.
	s, o := &fl.Side[d], &fl.Side[d.Reverse()]
	return o.Bytes < ReleaseAnyway || s.Bytes > o.Bytes/ReleaseQuiet+s.Packets*80
}

// letGo turns no opinion on a packet of a flow that may be released into that.
func (w *Worker) letGo(p *packet.Packet, fl *flow.Flow, d packet.Dir, v verdict.Verdict) verdict.Verdict {
	if !w.e.cfg.Inline || v.Action != verdict.NoOpinion {
		return v
	}
	if fl.Midstream && fl.Side[d].Packets == 1 && fl.Side[d.Reverse()].Packets == 0 {
		// An engine before this one may have let go of a side.
		return verdict.Verdict{Action: verdict.Accept, Scope: verdict.Back, Why: "recalled"}
	}
	c, _ := fl.App.(*conn)
	if c != nil && c.bulk != nil && !c.ended {
		return w.letSideGo(p, fl, c, d, v)
	}
	if fl.Loose == bothSides {
		return v // it was on its way, or ends the flow
	}
	why, ok := w.releasable(fl)
	if !ok {
		return v
	}
	switch a := fl.App.(type) {
	case *watched:
		w.unfollow(a)
	case *conn:
		if a != w.over {
			w.release(fl, a)
		}
	}
	fl.Loose = bothSides
	w.countLetGo(fl, why)
	return verdict.Verdict{Action: verdict.Accept, Scope: verdict.Flow, Why: "released"}
}

const bothSides = 1<<packet.ToServer | 1<<packet.ToClient

func (w *Worker) countLetGo(fl *flow.Flow, why LetGo) {
	w.n.Released++
	a := w.n.apps[fl.AppProto]
	a.LetGo[why]++
	w.n.apps[fl.AppProto] = a
}

// letSideGo lets go of the side of packet p while it sends what nobody looks
// at, or takes the other side back because this one speaks.
func (w *Worker) letSideGo(p *packet.Packet, fl *flow.Flow, c *conn, d packet.Dir, v verdict.Verdict) verdict.Verdict {
	n := len(p.Payload) + p.Missing
	s := c.of(d)
	if o := c.loose; o != nil {
		if o == s || n == 0 && c.bulk.Bulk(o.dir) > 0 {
			return v
		}
		c.loose, o.richAt = nil, 0
		w.n.Recalled++
		return verdict.Verdict{Action: verdict.Accept, Scope: verdict.Back, Why: "recalled"}
	}
	if n == 0 || fl.Side[d].Bytes < SideSeen || fl.Stopped != verdict.NoOpinion || fl.Action == "drop" {
		return v
	}
	left := int64(0)
	if len(s.held) == 0 {
		left = c.bulk.Bulk(s.dir)
	}
	seen := s.stream.Delivered()
	switch {
	case left < SideLeft:
		s.richAt = 0
		return v
	case s.richAt == 0:
		s.richAt, s.richFrom = p.Time, seen
		return v
	}
	seen -= s.richFrom
	switch {
	case seen < SideSeen, float64(seen) < SideRate*float64(p.Time-s.richAt)/1e9,
		s.stream.Held() > 0, s.stream.Next() != p.Seq+uint32(n), // something is missing
		w.match != nil && w.match.Wants(fl, d):
		return v
	}
	c.loose, s.skipped = s, true
	fl.Loose |= 1 << d
	w.countLetGo(fl, LetGoSide)
	return verdict.Verdict{Action: verdict.Accept, Scope: verdict.Side, Why: "released"}
}

// passBy hears that the receiver has got all of side o before ack: what of it
// was not seen went by.
func (c *conn) passBy(o *side, ack uint32) {
	n := o.stream.Skip(ack)
	if n == 0 {
		return
	}
	if n = o.pass(n); n > 1 { // 1: the number of a FIN
		o.skipped = false
		o.Gap(n)
	}
}

// pass tells the parser of n bytes that were let go of, and returns how many of
// them were none of its business.
func (s *side) pass(n int) int {
	c := s.c
	if c.ended || c.bulk == nil {
		return n
	}
	m := int(min(int64(n), c.bulk.Bulk(s.dir)))
	if m > 0 {
		c.bulk.Pass(&c.pc, s.dir, m)
	}
	return n - m
}
