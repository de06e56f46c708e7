package mpm

import "math"

// chooser picks the windows of patterns so that they are rare in traffic and differ from each other.
type chooser struct {
	kind
	used map[uint64]int
}

func newChooser(k kind) *chooser { return &chooser{kind: k, used: make(map[uint64]int)} }

// maxChoice is how many places of a pattern are weighed; the choice is stored in a byte.
const maxChoice = 200

// choose returns where in b the class's windows begin.
func (c *chooser) choose(b []byte) int {
	span := c.width + c.step - 1
	best, bestCost := 0, math.Inf(1)
	for w := 0; w+span <= len(b) && w < maxChoice; w++ {
		cost := 0.0
		for s := range c.step {
			cost += c.cost(b[w+s : w+s+c.width])
		}
		if cost < bestCost {
			best, bestCost = w, cost
		}
	}
	for s := range c.step {
		c.used[key(b[best+s:best+s+c.width])]++
	}
	return best
}

func key(w []byte) uint64 { return load(w) | 0x2020202020202020 }

// cost estimates how often a window occurs in a megabyte of traffic, plus what a shared bucket costs.
func (c *chooser) cost(w []byte) float64 {
	p := 1 << 20 * 1.0
	same := true
	for i, x := range w {
		p *= float64(frequency(x)) / 1000
		same = same && x == w[0]
		// A byte repeated is likelier than two independent ones: padding, runs, doubled letters.
		if i > 0 && x == w[i-1] {
			p *= 4
		}
	}
	if same {
		p += 1000
	}
	n := float64(c.used[key(w)])
	return p + n*n*0.5 + n
}

// frequency estimates how many of a thousand bytes of traffic are x, in either case: text of web pages and headers
// over a floor of compressed and encrypted bytes.
func frequency(x byte) int {
	if x-'A' < 26 {
		x |= 0x20
	}
	switch x {
	case 0:
		return 60
	case ' ':
		return 50
	case 'e':
		return 60
	case 't', 'a', 'o', 'i', 'n', 's', 'r':
		return 45
	case 'c', 'd', 'l', 'p', 'm', 'h', 'u':
		return 25
	case '/', '.', '-', ':', '=', '"', '0', '1', '2', '\r', '\n', 0xff:
		return 18
	case 'f', 'g', 'w', 'b', 'y', '3', '4', '5', '6', '7', '8', '9', '<', '>', ';', ',', 1, 2, 3:
		return 14
	case 'v', 'k', 'x', '&', '_', '(', ')', '%', 4, 5, 6, 8, 16:
		return 9
	case 'j', 'q', 'z', '+', '{', '}', '\'', '?', '\t':
		return 6
	}
	return 4
}
