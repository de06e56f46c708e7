package engine

import (
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// When a flow is let go of in line: never for its age, because mining lives in
// flows that are old and slow, but for bulk whose content nobody looks at any
// more.
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
)

// releasable reports whether the kernel may carry the rest of the flow without
// asking.
func (w *Worker) releasable(fl *flow.Flow) bool {
	if fl.Stopped != verdict.NoOpinion || fl.Action == "drop" {
		return false
	}
	least := uint64(ReleaseBytes)
	switch a := fl.App.(type) {
	case *watched:
		// What is followed for its messages' times may be mining in TLS, which
		// does not carry so much so fast.
		least = ReleaseAnyway
	case *conn:
		if a != w.over {
			if !a.ended {
				return false
			}
			least = ReleaseAnyway // its streams are put together for rules alone
		}
	default:
		return false
	}
	if fl.Side[0].Bytes+fl.Side[1].Bytes < least || fl.Side[0].Packets == 0 || fl.Side[1].Packets == 0 {
		return false
	}
	if n := fl.Side[0].Packets + fl.Side[1].Packets; float64(n) < ReleaseRate*float64(fl.Last-fl.Start)/1e9 {
		return false
	}
	return w.match == nil || !w.waits(fl, packet.ToServer) && !w.waits(fl, packet.ToClient)
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

// letGo turns no opinion on a flow that may be released into that.
func (w *Worker) letGo(fl *flow.Flow, v verdict.Verdict) verdict.Verdict {
	if !w.e.cfg.Inline || v.Action != verdict.NoOpinion || !w.releasable(fl) {
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
	w.n.Released++
	return verdict.Verdict{Action: verdict.Accept, Scope: verdict.Flow, Why: "released"}
}
