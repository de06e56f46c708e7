package mpm

import (
	"bytes"
	"math"
)

// rare is a pattern found by one of its bytes. The search for a single byte goes through 32 of the data at a time, so
// a filter with few patterns of a class does without the class's pass over all positions.
type rare struct {
	pat uint32
	at  uint16 // of the byte in the pattern
	b   byte
	alt byte // b in the other case, for a letter of a nocase pattern; else b
}

// Cost of a search in nanoseconds for each byte of data: of a class's pass, by kind; of the search for a byte, and of
// stopping at one that occurs.
var passCost = [len(kinds)]float64{0.25, 0.42, 0.45, 0.93, 0.93, 0.25}

const (
	byteCost    = 0.045
	stopCost    = 8
	packetBytes = 1460
)

// maxRareAt bounds which byte of a pattern is chosen; the choice is stored in 16 bits.
const maxRareAt = 1 << 12

// rarest returns how to search for the pattern by one byte and what that costs.
func (f *Filter) rarest(m uint32) (r rare, cost float64) {
	text, fold := f.text(m), f.pats[m].flags&flagNoCase != 0
	cost = math.Inf(1)
	for i, x := range text[:min(len(text), maxRareAt)] {
		c := byteCost + stopCost*float64(frequency(x))/1000
		alt := x
		if fold && x|0x20 >= 'a' && x|0x20 <= 'z' {
			c += byteCost
			alt = x ^ 0x20
		}
		if c < cost {
			r, cost = rare{pat: m, at: uint16(i), b: x, alt: alt}, c
		}
	}
	return r, cost
}

// single takes the members of a class as rare patterns if that costs less than its pass.
func (b *builder) single(k int, members []uint32) bool {
	rs, _ := b.singly(k, members)
	b.f.rares = append(b.f.rares, rs...)
	return rs != nil
}

// singly returns how to search for each of the members of a class by a byte, nil if its pass costs less, and the cost of
// the cheaper way.
func (b *builder) singly(k int, members []uint32) (rs []rare, cost float64) {
	sum := 0.0
	for _, m := range members {
		r, cost := b.f.rarest(m)
		// Packets are seldom longer: a pattern bound to their begin is searched for there only.
		if end := b.f.anchors[b.f.pats[m].anchor].max; end < packetBytes {
			cost *= float64(end) / packetBytes
		}
		if sum += cost; sum >= passCost[k] {
			return nil, passCost[k]
		}
		rs = append(rs, r)
	}
	return rs, sum
}

// scanRare looks for a pattern by its rare byte.
func (f *Filter) scanRare(r *rare, d []byte, base int, s *Scratch) {
	if f.searchRare(r, r.b, d, base, s); r.alt != r.b {
		f.searchRare(r, r.alt, d, base, s)
	}
}

func (f *Filter) searchRare(r *rare, x byte, d []byte, base int, s *Scratch) {
	p := &f.pats[r.pat]
	n := int(f.pats[r.pat+1].pos - p.pos)
	d = d[:max(0, min(len(d), int(f.anchors[p.anchor].max)-base))]
	// The byte lies between what comes before it in the pattern and what comes after.
	for i, last := int(r.at), len(d)-(n-int(r.at)); i <= last; i++ {
		j := bytes.IndexByte(d[i:last+1], x)
		if j < 0 {
			return
		}
		i += j
		if f.at(r.pat, d, i-int(r.at), base, s) {
			return
		}
	}
}
