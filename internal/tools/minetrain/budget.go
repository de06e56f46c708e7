package main

import (
	"fmt"
	"math"
	"slices"
)

// curve prints what each level would give, every recording judged by a model
// that has not seen its coin or its kind of service.
func curve(miners, services []outcome) {
	fmt.Print("\nRecall and false alarms by level\n\n| level | miners | services | kinds of them |\n|---|---|---|---|\n")
	for l := 1.2; l < 4.5; l += .2 {
		n, f := 0, 0
		var kinds []string
		for _, o := range miners {
			if o.reaches(l) {
				n++
			}
		}
		for _, o := range services {
			if o.reaches(l) {
				f++
				if k := named(o.it); !slices.Contains(kinds, k) {
					kinds = append(kinds, k)
				}
			}
		}
		slices.Sort(kinds)
		fmt.Printf("| %.1f | %d of %d | %d of %d | %d %v |\n", l, n, len(miners), f, len(services), len(kinds), kinds)
	}
}

func (o *outcome) reaches(level float64) bool {
	_, at, _ := best(o.model, o.it.looks, level)
	return at >= 0
}

// tailFrom is the level above which the services' tail is taken for an
// exponential one: about one in ten is above.
const tailFrom = .4

// tail says how often a service that is no impostor, of a kind never seen, can
// be expected to reach each level: counted, the most that is possible with 95 %
// where nothing was counted (the rule of three), and by an exponential tail
// (extreme values with shape 0, whose scale is the mean excess).
func tail(services []outcome) {
	n, above, excess := 0, 0, 0.0
	var highest []float64
	for _, o := range services {
		if slices.Contains(impostors, o.it.client) {
			continue
		}
		n++
		top := -99.0
		for l := tailFrom; l < 6 && o.reaches(l); l += .05 {
			top = l
		}
		highest = append(highest, top)
		if top >= tailFrom {
			above++
			excess += top - tailFrom
		}
	}
	scale := excess / float64(max(1, above))
	fmt.Printf("\nServices that are no impostors: %d, above %.1f %d, mean excess %.2f\n\n| level | counted | at most | by the tail |\n|---|---|---|---|\n", n, tailFrom, above, scale)
	for _, l := range levels {
		k := 0
		for _, h := range highest {
			if h >= l {
				k++
			}
		}
		most := "-"
		if k == 0 {
			most = fmt.Sprintf("%.2f %%", 300/float64(n))
		}
		fmt.Printf("| %.2f | %d | %s | %.2f %% |\n", l, k, most, 100*float64(above)/float64(n)*math.Exp(-(l-tailFrom)/scale))
	}
}
