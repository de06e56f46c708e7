package clues

import (
	"cmp"
	"slices"

	"github.com/yamori-net/yamori/internal/device"
)

// Merge hands the clues of all batches to r in the order of time, and lets r's
// time pass second by second. The workers must stand still.
func Merge(r device.Sink, batches ...*Batch) {
	var all []device.Clue
	for _, b := range batches {
		all = append(all, b.clues...)
		b.clues = b.clues[:0]
	}
	slices.SortStableFunc(all, func(a, b device.Clue) int { return cmp.Compare(a.Time, b.Time) })
	last := int64(0)
	for _, c := range all {
		if c.Time-last >= 1e9 {
			r.Advance(c.Time)
			last = c.Time
		}
		r.Add(c)
	}
	if len(all) > 0 {
		r.Advance(all[len(all)-1].Time)
	}
}
