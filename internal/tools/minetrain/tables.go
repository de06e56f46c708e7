package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/yamori-net/yamori/internal/detect/mining"
	"github.com/yamori-net/yamori/internal/seq"
)

// outcome is what a model that never saw a recording's kind makes of it.
type outcome struct {
	it    *item
	top   float64
	at    map[float64]float64 // by level: seconds until it was reached, -1 never
	model *mining.Model
}

// levels are the scores at which mining is likely: with a hello that names no
// server, with nothing else at all, and against a hello like a browser's with
// an innocent name.
var levels = []float64{mining.Needed, alone, alone + mining.WebClient}

func judge(m *mining.Model, it *item) outcome {
	o := outcome{it: it, model: m, at: map[float64]float64{}, top: -99}
	for _, l := range levels {
		o.top, o.at[l], _ = best(m, it.looks, l)
	}
	return o
}

// leaveOut judges every recording by a model made without those of the same
// key. Slope and cap are those of the whole: one number each.
func leaveOut(d []*item, whole *mining.Model, key func(*item) string) (out []outcome) {
	for _, p := range split(d, key) {
		m := fit(p.train)
		m.Slope, m.PollSlope, m.Cap = whole.Slope, whole.PollSlope, whole.Cap
		for _, it := range p.test {
			out = append(out, judge(m, it))
		}
	}
	return out
}

func group(it *item) string { return it.group }
func named(it *item) string { return it.group + "/" + it.client }

func table(title string, res []outcome, key func(*item) string) {
	fmt.Printf("\n%s\n\n| left out | recordings |", title)
	for _, l := range levels {
		fmt.Printf(" ≥ %.2f |", l)
	}
	fmt.Print(" lowest / highest score |\n|---|---|---|---|---|---|\n")
	by := map[string][]outcome{}
	for _, o := range res {
		by[key(o.it)] = append(by[key(o.it)], o)
	}
	var keys []string
	for k := range by {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	row := func(name string, os []outcome) {
		lo, hi := 99.0, -99.0
		for _, o := range os {
			lo, hi = min(lo, o.top), max(hi, o.top)
		}
		fmt.Printf("| %s | %d |", name, len(os))
		for _, l := range levels {
			n := 0
			for _, o := range os {
				if o.at[l] >= 0 {
					n++
				}
			}
			fmt.Printf(" %d |", n)
		}
		fmt.Printf(" %.1f / %.1f |\n", lo, hi)
	}
	for _, k := range keys {
		row(k, by[k])
	}
	row("**all**", res)
}

// only returns the outcomes of a class, of one source if that is given.
func only(res []outcome, mining bool, source ...string) (out []outcome) {
	for _, o := range res {
		if o.it.mining == mining && (len(source) == 0 || o.it.source == source[0]) {
			out = append(out, o)
		}
	}
	return out
}

func tables(all []*item, lab string) error {
	m := fit(all)
	calibrate(m, all)
	var d, polling, tunnels []*item // those who ask by a clock and the tunnels have tables of their own
	for _, it := range all {
		switch {
		case it.carried():
			tunnels = append(tunnels, it)
		case it.source == pollSource:
			polling = append(polling, it)
		default:
			d = append(d, it)
		}
	}
	polls := leaveOut(append(slices.Clone(d), polling...), m, group)
	table("Those who ask by a clock, leaving out each coin and kind of service", only(polls, true, pollSource), named)
	table("The same, services", only(polls, false, pollSource), named)
	byGroup := leaveOut(d, m, group)
	table("Leave one coin out", only(byGroup, true), group)
	table("Leave one kind of service out", only(byGroup, false), group)
	byName := leaveOut(d, m, named)
	table("Leave one client or dialect out", only(byName, true), named)
	table("Leave one service out", only(byName, false), named)
	times(only(byGroup, true))
	rank(only(byGroup, true), only(byName, false))
	curve(only(byGroup, true), only(byName, false))
	tail(only(byName, false))
	evade(m, d)
	carry(d, m)
	inTunnels(tunnels, all, m)
	l, err := labItems(lab)
	if err != nil {
		fmt.Println("\nno captures of another source:", err)
		return nil
	}
	var res []outcome
	for _, it := range l {
		res = append(res, judge(m, it))
	}
	table("Leave one source out: mining-lab", only(res, true), named)
	table("Leave one source out: mining-lab, benign", only(res, false), named)
	return nil
}

// inTunnels prints what recorded tunnels look like to models that know neither
// the coin or kind of service, nor any carrier but TLS.
func inTunnels(tunnels, all []*item, whole *mining.Model) {
	known := map[string]*mining.Model{}
	var res []outcome
	for _, it := range tunnels {
		m := known[it.group]
		if m == nil {
			m = fit(slices.DeleteFunc(slices.Clone(all), func(o *item) bool { return o.group == it.group }))
			m.Slope, m.PollSlope, m.Cap = whole.Slope, whole.PollSlope, whole.Cap
			known[it.group] = m
		}
		res = append(res, judge(m, it))
	}
	for _, kind := range []seq.Kind{seq.SSH, seq.QUIC} {
		title := map[seq.Kind]string{seq.SSH: "SSH", seq.QUIC: "QUIC"}[kind]
		part := slices.DeleteFunc(slices.Clone(res), func(o outcome) bool { return o.it.flows[0].Kind != kind })
		table("Recorded tunnels of "+title+", leaving out each coin and kind of service", only(part, true), named)
		table("Recorded tunnels of "+title+": services", called(only(part, false)), named)
	}
}

// called returns those that reach any level.
func called(res []outcome) []outcome {
	n := len(res)
	res = slices.DeleteFunc(res, func(o outcome) bool { return o.at[levels[0]] < 0 })
	fmt.Printf("\nof %d services %d reach a level\n", n, len(res))
	return res
}

// times prints how long it took until mining was likely.
func times(res []outcome) {
	fmt.Printf("\n| score | found | median | 90 %% |\n|---|---|---|---|\n")
	for _, l := range levels {
		var at []float64
		for _, o := range res {
			if o.at[l] >= 0 {
				at = append(at, o.at[l])
			}
		}
		slices.SortFunc(at, cmp.Compare[float64])
		if len(at) > 0 {
			fmt.Printf("| ≥ %.2f | %d of %d | %.0f s | %.0f s |\n", l, len(at), len(res), at[len(at)/2], at[len(at)*9/10])
		}
	}
}

// rank says how much mining scores higher than the highest, the third highest
// and so on of what is benign.
func rank(mining, benign []outcome) {
	var b []float64
	for _, o := range benign {
		b = append(b, o.top)
	}
	slices.Sort(b)
	fmt.Println()
	for _, k := range []int{1, 2, 3, 5, 10} {
		if k > len(b) {
			break
		}
		n := 0
		for _, o := range mining {
			if o.top > b[len(b)-k] {
				n++
			}
		}
		fmt.Printf("benign number %d from the top scores %.2f; %d of %d miners score higher\n", k, b[len(b)-k], n, len(mining))
	}
}
