package main

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/yamori-net/yamori/internal/detect/mining"
	"github.com/yamori-net/yamori/internal/seq"
	"github.com/yamori-net/yamori/internal/seq/seqlog"
)

// An evasion changes what a miner's flow looks like, as its owner could.
type evasion struct {
	name   string
	change func(r *rand.Rand, in []seqlog.Msg) []seqlog.Msg
	kind   seq.Kind // what it is carried by then; Raw: as before
}

// apply returns the flow as it looks then.
func (e *evasion) apply(r *rand.Rand, f *seqlog.Flow) *seqlog.Flow {
	g := *f
	g.Msgs = e.change(r, slices.Clone(f.Msgs))
	if e.kind != seq.Raw {
		g.Kind = e.kind
	}
	return &g
}

const ms = int64(1e6)

var evasions = []evasion{
	{"none", func(_ *rand.Rand, in []seqlog.Msg) []seqlog.Msg { return in }, 0},
	{"every message padded by 0 to 64 bytes at random", padded(64), 0},
	{"every message padded by 0 to 255 bytes at random", padded(256), 0},
	{"every message padded to a multiple of 512 bytes", func(_ *rand.Rand, in []seqlog.Msg) []seqlog.Msg {
		for i := range in {
			in[i].Len = (in[i].Len + 511) / 512 * 512
		}
		return in
	}, 0},
	{"every message split in two records, sent at once", split2(0), 0},
	{"every message split in two, 5 to 50 ms apart", split2(50 * ms), 0},
	{"answers delayed by 0.2 to 1 s", late(200*ms, 1000*ms), 0},
	{"answers delayed by 2 to 8 s", late(2000*ms, 8000*ms), 0},
	{"no work for the first 30 s", unhurried, 0},
	{"shares held and sent together every 3 minutes", batched, 0},
	{"through an SSH tunnel", tunnelled, seq.SSH},
	{"a dummy message of random length both ways every 10 s", dummies, 0},
}

func padded(most int) func(r *rand.Rand, in []seqlog.Msg) []seqlog.Msg {
	return func(r *rand.Rand, in []seqlog.Msg) []seqlog.Msg {
		for i := range in {
			in[i].Len += r.IntN(most)
		}
		return in
	}
}

func split2(gap int64) func(r *rand.Rand, in []seqlog.Msg) []seqlog.Msg {
	return func(r *rand.Rand, in []seqlog.Msg) (out []seqlog.Msg) {
		late, lastSent := int64(0), int64(-1e18)
		for _, m := range in {
			cut := 1 + r.IntN(max(1, m.Len-1))
			a, b := m, m
			a.Len, b.Len = cut, max(1, m.Len-cut)
			if gap > 0 { // an answer is as much later
				if m.Dir == server && m.At-lastSent < 1e9 {
					a.At, b.At = a.At+late, b.At+late
				}
				by := gap/10 + r.Int64N(gap)
				b.At += by
				if m.Dir == client {
					late, lastSent = by, m.At
				}
			}
			out = append(out, a, b)
		}
		return sorted(out)
	}
}

func sorted(m []seqlog.Msg) []seqlog.Msg {
	slices.SortStableFunc(m, func(a, b seqlog.Msg) int { return int(max(-1, min(1, a.At-b.At))) })
	return m
}

// late delays what the server sends right after the client.
func late(from, to int64) func(r *rand.Rand, in []seqlog.Msg) []seqlog.Msg {
	return func(r *rand.Rand, in []seqlog.Msg) []seqlog.Msg {
		for i := 1; i < len(in); i++ {
			if in[i].Dir == server && in[i-1].Dir == client {
				in[i].At += from + r.Int64N(to-from)
			}
		}
		return sorted(in)
	}
}

// unhurried has a pool say yes at first and give out work half a minute later.
func unhurried(_ *rand.Rand, in []seqlog.Msg) (out []seqlog.Msg) {
	for i, m := range in {
		if m.Dir == server && m.At < 10e9 && m.Len >= 120 {
			if i > 0 && in[i-1].Dir == client {
				out = append(out, seqlog.Msg{At: m.At, Dir: server, Len: 60})
			}
			m.At += 30e9
		}
		out = append(out, m)
	}
	return sorted(out)
}

// batched holds the client's messages, and with them their answers, until the
// next full three minutes.
func batched(_ *rand.Rand, in []seqlog.Msg) []seqlog.Msg {
	const every = 180e9
	for i := 4; i < len(in); i++ {
		if in[i].Dir == client {
			at := (in[i].At/every + 1) * every
			if i+1 < len(in) && in[i+1].Dir == server && in[i+1].At-in[i].At < 1e9 {
				in[i+1].At += at - in[i].At
			}
			in[i].At = at
		}
	}
	return sorted(in)
}

func dummies(r *rand.Rand, in []seqlog.Msg) []seqlog.Msg {
	if len(in) == 0 {
		return in
	}
	end := in[len(in)-1].At
	for at := int64(10e9); at < end; at += 10e9 {
		in = append(in, seqlog.Msg{At: at, Dir: client, Len: 60 + r.IntN(600)}, seqlog.Msg{At: at + 50*ms, Dir: server, Len: 60 + r.IntN(600)})
	}
	return sorted(in)
}

// evade prints how many miners are still found when they do each of these,
// by a model that has seen their coins but no evasion.
func evade(m *mining.Model, d []*item) {
	fmt.Print("\nEvasion\n\n| what the miner does |")
	for _, l := range levels {
		fmt.Printf(" ≥ %.2f |", l)
	}
	fmt.Print("\n|---|---|---|---|\n")
	for _, e := range evasions {
		r := rand.New(rand.NewPCG(11, 12))
		var n int
		found := make([]int, len(levels))
		for _, it := range d {
			if !it.mining {
				continue
			}
			n++
			var changed []sample
			for _, f := range it.flows {
				changed = append(changed, looks(e.apply(r, f))...)
			}
			for i, l := range levels {
				if _, at, _ := best(m, changed, l); at >= 0 {
					found[i]++
				}
			}
		}
		fmt.Printf("| %s |", e.name)
		for _, k := range found {
			fmt.Printf(" %.0f %% |", 100*float64(k)/float64(n))
		}
		fmt.Println()
	}
}

// tunnelled puts the talk into a channel of SSH, with the lengths that packets
// have on the wire (RFC 4253 section 6): a login, a channel to an address, and
// then the messages, with their headers and padding.
func tunnelled(_ *rand.Rand, in []seqlog.Msg) (out []seqlog.Msg) {
	at := int64(0)
	for _, n := range []int{-44, 44, 60, -76, 140, -92, 300, -28, 60, -388, 92, -44} {
		d := client
		if n < 0 {
			d, n = server, -n
		}
		out = append(out, seqlog.Msg{At: at, Dir: d, Len: n})
		at += 70 * ms
	}
	for _, m := range in {
		m.At += at
		m.Len = 20 + (m.Len+14+7)/8*8
		out = append(out, m)
	}
	return out
}
