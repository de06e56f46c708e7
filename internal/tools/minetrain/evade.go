package main

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/yamori-net/yamori/internal/detect/mining"
	"github.com/yamori-net/yamori/internal/seq/seqlog"
)

// An evasion changes what a miner's flow looks like, as its owner could.
type evasion struct {
	name   string
	change func(r *rand.Rand, in []seqlog.Msg) []seqlog.Msg
}

const ms = int64(1e6)

var evasions = []evasion{
	{"none", func(_ *rand.Rand, in []seqlog.Msg) []seqlog.Msg { return in }},
	{"every message padded by 0 to 64 bytes at random", padded(64)},
	{"every message padded by 0 to 255 bytes at random", padded(256)},
	{"every message padded to a multiple of 512 bytes", func(_ *rand.Rand, in []seqlog.Msg) []seqlog.Msg {
		for i := range in {
			in[i].Len = (in[i].Len + 511) / 512 * 512
		}
		return in
	}},
	{"every message split in two records, sent at once", split2(0)},
	{"every message split in two, 5 to 50 ms apart", split2(50 * ms)},
	{"answers delayed by 0.2 to 1 s", late(200*ms, 1000*ms)},
	{"answers delayed by 2 to 8 s", late(2000*ms, 8000*ms)},
	{"shares held and sent together every 3 minutes", batched},
	{"through an SSH tunnel: after its login, lengths rounded up to 8 bytes", tunnelled},
	{"a dummy message of random length both ways every 10 s", dummies},
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
		for _, m := range in {
			cut := 1 + r.IntN(max(1, m.Len-1))
			a, b := m, m
			a.Len, b.Len = cut, max(1, m.Len-cut)
			if gap > 0 {
				b.At += gap/10 + r.Int64N(gap)
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
				g := *f
				g.Msgs = e.change(r, slices.Clone(f.Msgs))
				changed = append(changed, looks(&g)...)
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

// tunnelled puts the talk behind an SSH login (service, user, channel) and
// rounds lengths as SSH's padding does (RFC 4253 section 6).
func tunnelled(_ *rand.Rand, in []seqlog.Msg) (out []seqlog.Msg) {
	at := int64(0)
	for _, n := range []int{10, 10, 34, 42, 610, 34, 90, 20} {
		d := client
		if len(out)%2 == 1 {
			d = server
		}
		out = append(out, seqlog.Msg{At: at, Dir: d, Len: n})
		at += 40 * ms
	}
	for _, m := range in {
		m.At += at
		m.Len = (m.Len + 7) / 8 * 8
		out = append(out, m)
	}
	return out
}
