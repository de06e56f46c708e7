package main

import (
	"github.com/yamori-net/yamori/internal/detect/mining"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/seq"
	"github.com/yamori-net/yamori/internal/seq/seqlog"
)

// item is one recording of a pair of client and server: its flows, and what a
// detector sees at each look at them.
type item struct {
	id, source, group, client string
	mining                    bool
	flows                     []*seqlog.Flow
	looks                     []sample
	seconds                   float64
}

// sample is one look.
type sample struct {
	x     mining.Vector
	at    float64 // seconds since the flow's first message
	msgs  int
	cond  [3]float64
	holds bool    // nothing rules mining out
	blur  float64 // what less exact lengths take away
}

// prepare gathers the flows of a pair and looks at them.
func prepare(all []*seqlog.Flow) []*item {
	by := map[string]*item{}
	var out []*item
	for _, f := range all {
		it := by[f.ID]
		if it == nil {
			it = &item{id: f.ID, source: f.Source, group: f.Group, client: f.Client, mining: f.Mining}
			by[f.ID] = it
			out = append(out, it)
		}
		it.flows = append(it.flows, f)
		it.looks = append(it.looks, looks(f)...)
		if n := len(f.Msgs); n > 0 {
			it.seconds += float64(f.Msgs[n-1].At) / 1e9
		}
	}
	return out
}

// looks runs a flow through a tracker as the engine does.
func looks(f *seqlog.Flow) (out []sample) {
	var t seq.Tracker
	t.Start(f.Kind)
	t.Whole = f.Kind != seq.SSH // in which that is known when a channel opens
	look := func() {
		if x, ok := mining.Look(&t); ok {
			a, b, c := mining.Conditions(&t)
			out = append(out, sample{x, float64(t.Last-t.Begin) / 1e9, int(t.Bursts[0] + t.Bursts[1]), [3]float64{a, b, c}, mining.Holds(&t), blurred(f.Kind)})
		}
	}
	for i, m := range f.Msgs {
		more := t.Message(m.At+1, m.Dir, m.Len)
		if t.Due(m.At + 1) {
			look()
		}
		if !more {
			return out
		}
		if i == len(f.Msgs)-1 && i+1 < seqlog.MaxMessages {
			if t.Flush(); t.Bursts[0]+t.Bursts[1] >= seq.FirstLook {
				look()
			}
		}
	}
	return out
}

func blurred(k seq.Kind) float64 {
	if k == seq.SSH || k == seq.QUIC {
		return mining.Blur
	}
	return 0
}

// best is the highest score and when level was reached: by two looks in a row,
// or by one that was well above, as the detector has it; -1 never.
func best(m *mining.Model, looks []sample, level float64) (top, at float64, msgs int) {
	top, at = -99, -1
	for i := range looks {
		s := m.Score(&looks[i].x) - looks[i].blur
		held := s >= level+mining.SureMargin || s >= level && i > 0 && looks[i].at > looks[i-1].at && m.Score(&looks[i-1].x)-looks[i-1].blur >= level
		if held && looks[i].holds && at < 0 {
			at, msgs = looks[i].at, looks[i].msgs
		}
		top = max(top, s)
	}
	return top, at, msgs
}

const client, server = packet.ToServer, packet.ToClient
