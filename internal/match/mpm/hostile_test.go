package mpm

import (
	"bytes"
	"fmt"
	"testing"
)

// comparisons counts the patterns that a scan of data compares when none is found, and the most at one position.
func comparisons(f *Filter, data []byte) (total, most int) {
	at := make([]int, len(data))
	for i := range f.classes {
		c := &f.classes[i]
		for p := 0; p+c.kind.width <= len(data); p += c.kind.step {
			v := load(data[p:])
			if !c.has(v) {
				continue
			}
			h := c.hash(v)
			b := h >> c.headSh
			for _, t := range c.tags[c.heads[b]:c.heads[b+1]] {
				if t == c.tag(h) {
					at[p]++
				}
			}
		}
	}
	for _, n := range at {
		total += n
		most = max(most, n)
	}
	return total, most
}

// TestHostileDataStaysLinear: data that knows the patterns meets comparisons everywhere, but never more than MaxChain at
// a position, and MaxChain is far below the number of patterns where they leave a choice.
func TestHostileDataStaysLinear(t *testing.T) {
	set := func(format string, n int) []Pattern {
		ps := make([]Pattern, n)
		for i := range ps {
			ps[i] = Pattern{Bytes: fmt.Appendf(nil, format, i), NoCase: i%2 == 0, ID: uint32(i)}
		}
		return ps
	}
	long := make([]Pattern, 200)
	for i := range long {
		long[i] = Pattern{Bytes: append(bytes.Repeat([]byte("a"), 60+i), 'b'), ID: uint32(i)}
	}
	for _, test := range []struct {
		name     string
		ps       []Pattern
		unit     string
		maxChain int
	}{
		{"distinct tails", set("User-Agent: %05x", 5000), "User-Agent: 0", 60},
		{"distinct heads", set("%05x.example.com", 5000), ".example.com", 60},
		{"short", set("%05d", 5000), "0123", 12},
		{"one byte before its end", long, "a", 200},
		{"sled", []Pattern{{Bytes: bytes.Repeat([]byte{0x90}, 100)}, {Bytes: bytes.Repeat([]byte{0x90}, 200), ID: 1}}, "\x90", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := Build(test.ps)
			if f.MaxChain() > test.maxChain {
				t.Errorf("%d patterns are compared at one position, want at most %d", f.MaxChain(), test.maxChain)
			}
			one := bytes.Repeat([]byte(test.unit), 4096/len(test.unit))
			n1, most := comparisons(f, one)
			n8, most8 := comparisons(f, bytes.Repeat(one, 8))
			if most > f.MaxChain() || most8 > f.MaxChain() {
				t.Errorf("%d and %d comparisons at one position, MaxChain says %d", most, most8, f.MaxChain())
			}
			if n8 > 8*n1+64*f.MaxChain() {
				t.Errorf("%d comparisons in 4 kB but %d in 32 kB", n1, n8)
			}
		})
	}
}

// TestEveryPositionHits: a pattern for every three bytes of data, so that each position of the slowest class is a
// candidate and lists run full.
func TestEveryPositionHits(t *testing.T) {
	data := make([]byte, 3*blockSize)
	for i := range data {
		data[i] = byte(i * 7)
	}
	var ps []Pattern
	for i := range 256 {
		ps = append(ps, Pattern{Bytes: data[i : i+3], ID: uint32(i)},
			Pattern{Bytes: append(bytes.Clone(data[i:i+5]), data[i+5]+1), ID: 1000})
	}
	var s Scratch
	if got := Build(ps).Scan(data, &s); len(got) != 256 {
		t.Errorf("%d of 256 patterns found", len(got))
	}
}
