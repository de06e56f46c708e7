package main

import (
	"fmt"
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
