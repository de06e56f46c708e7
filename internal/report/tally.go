package report

import (
	"math"
	"strconv"

	"github.com/yamori-net/yamori/internal/event"
)

// maxOpen bounds the connections of one finding whose mining goes on and is
// added to the total: more at a time are added when they end.
const maxOpen = 16

// tally adds up what the connections behind one finding have come to.
type tally struct {
	ended event.MiningRun
	any   bool
	open  []openRun
}

type openRun struct {
	flow uint64
	run  event.MiningRun
}

// add takes an update of connection flow.
func (t *tally) add(flow uint64, u *event.MiningUpdate) {
	r := u.Detail.Run
	if r == nil {
		return
	}
	for i := range t.open {
		if t.open[i].flow == flow {
			if !u.Final {
				t.open[i].run = *r
				return
			}
			t.open = append(t.open[:i], t.open[i+1:]...)
			break
		}
	}
	switch {
	case u.Final:
		t.ended = sum(t.ended, *r, t.any)
		t.any = true
	case len(t.open) < maxOpen:
		t.open = append(t.open, openRun{flow, *r})
	}
}

// shortest is the time, in hours, below which no rate can be told.
const shortest = 10.0 / 3600

// total returns the sum, nil when there is nothing to tell.
func (t *tally) total() *event.MiningRun {
	out, any := t.ended, t.any
	for _, o := range t.open {
		out = sum(out, o.run, any)
		any = true
	}
	if !any {
		return nil
	}
	hours := float64(out.Last-out.First) / 3.6e12
	out.Rate = 0
	if hours > shortest {
		out.Rate = out.Work / (hours * 3600)
	}
	rate := out.Rate
	if rate == 0 {
		rate = out.Reported
	}
	for i := range out.Power {
		if rate > 0 && out.Joules[1] > 0 {
			out.Power[i] = rate * out.Joules[i]
			if i == 1 {
				out.Power[i] = max(out.Power[i], out.Least)
			}
		}
		out.Energy[i] = out.Power[i] * hours
	}
	return &out
}

// sum adds b to a; any: there is an a.
func sum(a, b event.MiningRun, any bool) event.MiningRun {
	if !any {
		return b
	}
	b.First, b.Last = min(a.First, b.First), max(a.Last, b.Last)
	b.Jobs += a.Jobs
	b.Shares += a.Shares
	b.Accepted += a.Accepted
	b.Rejected += a.Rejected
	b.Work += a.Work
	if b.Reported == 0 {
		b.Reported = a.Reported
	}
	if b.Basis == "" || a.Joules[1] > 0 && b.Joules[1] == 0 {
		b.Basis, b.Joules, b.Power, b.Least, b.Assumed = a.Basis, a.Joules, a.Power, a.Least, a.Assumed
	}
	return b
}

// SI writes v with a prefix and at most two decimals: "3.2 kH/s".
func SI(v float64, unit string) string {
	prefixes := []struct {
		by   float64
		name string
	}{{1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}, {1e-3, "m"}, {1e-6, "µ"}, {1e-9, "n"}, {1e-12, "p"}, {0, "f"}}
	for _, p := range prefixes {
		if v < p.by || v == 0 && p.by != 1 {
			continue
		}
		if p.by == 0 {
			p.by = 1e-15
		}
		return significant(v/p.by) + " " + p.name + unit
	}
	return "0 " + unit
}

// significant writes v with two significant digits: estimates deserve no more.
func significant(v float64) string {
	if v <= 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return "0"
	}
	p := math.Pow(10, 1-math.Floor(math.Log10(v)))
	return strconv.FormatFloat(math.Round(v*p)/p, 'f', -1, 64)
}
