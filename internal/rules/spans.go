package rules

import (
	"cmp"
	"slices"
)

// wide is an unsigned number of 128 bits: an IPv6 address, or any smaller
// thing that lists of ranges are made of.
type wide struct{ hi, lo uint64 }

func (a wide) compare(b wide) int {
	if a.hi != b.hi {
		return cmp.Compare(a.hi, b.hi)
	}
	return cmp.Compare(a.lo, b.lo)
}

func (a wide) next() wide {
	a.lo++
	if a.lo == 0 {
		a.hi++
	}
	return a
}

func (a wide) prev() wide {
	if a.lo == 0 {
		a.hi--
	}
	a.lo--
	return a
}

// span is a range of numbers, both ends included.
type span struct{ lo, hi wide }

// normalize sorts spans and joins those that touch.
func normalize(s []span) []span {
	if len(s) < 2 {
		return s
	}
	slices.SortFunc(s, func(a, b span) int { return a.lo.compare(b.lo) })
	out := s[:1]
	for _, x := range s[1:] {
		last := &out[len(out)-1]
		if x.lo.compare(last.hi) <= 0 || x.lo == last.hi.next() {
			if x.hi.compare(last.hi) > 0 {
				last.hi = x.hi
			}
			continue
		}
		out = append(out, x)
	}
	return out
}

// subtract takes b away from a; both are normalized, as is the result.
func subtract(a, b []span) []span {
	if len(b) == 0 {
		return a
	}
	out := make([]span, 0, len(a)+len(b))
	i := 0
	for _, x := range a {
		for i < len(b) && b[i].hi.compare(x.lo) < 0 {
			i++
		}
		lo, left := x.lo, true
		for j := i; j < len(b) && b[j].lo.compare(x.hi) <= 0; j++ {
			if b[j].lo.compare(lo) > 0 {
				out = append(out, span{lo, b[j].lo.prev()})
			}
			if b[j].hi.compare(x.hi) >= 0 {
				left = false
				break
			}
			lo = b[j].hi.next()
		}
		if left {
			out = append(out, span{lo, x.hi})
		}
	}
	return out
}
