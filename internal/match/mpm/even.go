package mpm

import "slices"

// Few patterns of 3 bytes and more are found by pairs at every second position: each pattern has two neighbouring ones,
// of which one lies at such a position. A pair is its own place in the bitmap, so that nothing is hashed. Pairs are common
// in text, though: it is for few patterns, and the two that a pattern is found by are the rarest of its.

const (
	// candidateCost is what it costs to look at a window that is stored, in nanoseconds.
	candidateCost = 12

	// maxEven is how many patterns are weighed for it. Two pairs of each are in the bitmap, and in several cases.
	maxEven = 512
)

// even moves the members of classes to the one of pairs at every second position where that costs less.
func (b *builder) even(members *[len(kinds)][2][]uint32) {
	sets := [...][]int{{kindThree, kindFour}, {kindThree, kindFour, kindMedium}, {kindThree, kindFour, kindMedium, kindLong}}
	best, most := -1, 0.0
	for i, set := range sets {
		saved := -passCost[kindEven]
		var all []uint32
		for _, k := range set {
			saved += b.passOf(k, members[k][0])
			all = append(all, members[k][0]...)
		}
		if saved -= candidateCost * b.sharesOf(all); saved > most {
			best, most = i, saved
		}
	}
	if best < 0 {
		return
	}
	to := &members[kindEven][0]
	for _, k := range sets[best] {
		*to = append(*to, members[k][0]...)
		members[k][0] = nil
	}
	slices.Sort(*to)
}

// passOf returns what it costs to look for the members of a class apart from others.
func (b *builder) passOf(k int, members []uint32) float64 {
	if len(members) == 0 {
		return 0
	}
	_, cost := b.singly(k, members)
	return cost
}

// sharesOf estimates which part of all positions of traffic has a pair of the members.
func (b *builder) sharesOf(members []uint32) float64 {
	if len(members) > maxEven {
		return 1
	}
	sum, ch := 0.0, newChooser(kinds[kindEven])
	for _, m := range members {
		text := b.f.text(m)
		sum += ch.share(text[ch.choose(text):])
	}
	return sum
}
