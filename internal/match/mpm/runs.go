package mpm

import (
	"encoding/binary"
	"math/bits"
)

// run is a pattern of one byte repeated, such as padding or a sled. Its windows would be all alike and hit at every
// position of every run in the data, most of them too short; searching for runs themselves takes one look at each.
type run struct {
	pat uint32
	n   uint32
	b   byte
}

// minRun is the shortest pattern treated as a run; shorter ones are found as pairs.
const minRun = 3

func isRun(b []byte, nocase bool) bool {
	if len(b) < minRun || nocase {
		return false
	}
	for _, x := range b[1:] {
		if x != b[0] {
			return false
		}
	}
	return true
}

// scanRuns looks for runs of at least the shortest pattern's length.
func (f *Filter) scanRuns(d []byte, base int, s *Scratch) {
	if room := f.runLimit - base; room < len(d) {
		if room <= 0 {
			return
		}
		d = d[:room]
	}
	for i := 0; ; {
		if i = f.nextRun(d, i); i >= len(d) {
			return
		}
		b := d[i]
		// The last run ended with another byte, or the step was its: going back cannot meet it again.
		begin, end := i, i+1
		for begin > 0 && d[begin-1] == b {
			begin--
		}
		for end < len(d) && d[end] == b {
			end++
		}
		if f.runBytes[b/64]>>(b%64)&1 != 0 {
			f.matchRuns(b, base+begin, base+end, s)
		}
		i = end
	}
}

// nextRun returns a position at or behind i within a run that may be long enough, or len(d). A run of 7 holds 4 equal
// bytes at a multiple of 4 from anywhere; a shorter one is found by three equal bytes in 8, 6 places at a time.
func (f *Filter) nextRun(d []byte, i int) int {
	if f.runMin >= 7 {
		for ; i+4 <= len(d); i += 4 {
			if v := binary.LittleEndian.Uint32(d[i:]); v == bits.RotateLeft32(v, 8) {
				return i
			}
		}
		return len(d)
	}
	const ones = 0x0101010101010101
	for ; i+8 <= len(d); i += 6 {
		v := binary.LittleEndian.Uint64(d[i:])
		x := v ^ v>>8
		x |= x>>8 | 0xffff<<48
		// The lowest zero byte is told exactly by the classic test, later ones are not.
		if z := (x - ones) &^ x & (0x80 * ones); z != 0 {
			return i + bits.TrailingZeros64(z)/8
		}
	}
	for ; i+minRun <= len(d); i++ {
		if d[i] == d[i+1] && d[i] == d[i+2] {
			return i
		}
	}
	return len(d)
}

// matchRuns notes the patterns of byte b that a run from begin to end, counted from the buffer's begin, holds.
func (f *Filter) matchRuns(b byte, begin, end int, s *Scratch) {
	for _, r := range f.runs {
		if r.b != b || int(r.n) > end-begin {
			continue
		}
		a := &f.anchors[f.pats[r.pat].anchor]
		if min(end, int(a.max))-max(begin, int(a.min)) >= int(r.n) {
			s.add(r.pat)
		}
	}
}
