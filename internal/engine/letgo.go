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
)

// releasable reports whether the kernel may carry the rest of the flow without
// asking.
func (w *Worker) releasable(fl *flow.Flow) bool {
	if fl.App != any(w.over) || fl.Stopped != verdict.NoOpinion || fl.Action == "drop" {
		return false
	}
	if fl.Side[0].Bytes+fl.Side[1].Bytes < ReleaseBytes || fl.Side[0].Packets == 0 || fl.Side[1].Packets == 0 {
		return false
	}
	if n := fl.Side[0].Packets + fl.Side[1].Packets; float64(n) < ReleaseRate*float64(fl.Last-fl.Start)/1e9 {
		return false
	}
	return w.match == nil || !w.match.Wants(fl, packet.ToServer) && !w.match.Wants(fl, packet.ToClient)
}

// letGo turns no opinion on a flow that may be released into that.
func (w *Worker) letGo(fl *flow.Flow, v verdict.Verdict) verdict.Verdict {
	if !w.e.cfg.Inline || v.Action != verdict.NoOpinion || !w.releasable(fl) {
		return v
	}
	w.n.Released++
	return verdict.Verdict{Action: verdict.Accept, Scope: verdict.Flow, Why: "released"}
}
