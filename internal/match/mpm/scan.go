package mpm

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
)

// Scan returns the IDs of the patterns that occur in data, each once, in ascending order. The slice belongs to s and
// holds until its next use. Scan does not allocate once s has grown to the filter.
func (f *Filter) Scan(data []byte, s *Scratch) []uint32 { return f.ScanAt(data, 0, s) }

// ScanAt is Scan for data that begins base bytes into the buffer: Offset and Depth count from the buffer's begin.
func (f *Filter) ScanAt(data []byte, base int, s *Scratch) []uint32 {
	s.out = s.out[:0]
	if f == nil {
		return s.out
	}
	s.out = append(s.out, f.always...)
	if n := (len(f.pats) + 63) / 64; len(s.seen) < n {
		s.seen = make([]uint64, n)
	}
	for i := range f.classes {
		c := &f.classes[i]
		d := data
		if room := c.limit - base; room < len(d) {
			if room <= 0 {
				continue
			}
			d = d[:room]
		}
		f.scan(c, d, base, s)
	}
	if len(f.runs) > 0 {
		f.scanRuns(data, base, s)
	}
	for _, m := range f.singles {
		f.scanSingle(m, data, base, s)
	}
	for i := range f.rares {
		f.scanRare(&f.rares[i], data, base, s)
	}
	for _, m := range s.hits {
		s.seen[m/64] = 0
		s.out = append(s.out, f.ids[f.pats[m].ids:f.pats[m+1].ids]...)
	}
	s.hits = s.hits[:0]
	if len(s.out) > 1 {
		slices.Sort(s.out)
		if f.shared || len(f.always) > 0 {
			s.out = slices.Compact(s.out)
		}
	}
	return s.out
}

// scan looks at the class's positions of d.
func (f *Filter) scan(c *class, d []byte, base int, s *Scratch) {
	for at := 0; at < len(d); at += blockSize * c.kind.step {
		i, n := 0, 0
		switch block := d[at:]; c.no {
		case kindLong:
			i, n = c.block4(block, &s.cand)
		case kindMedium:
			i, n = c.block2(block, &s.cand)
		case kindFour:
			i, n = c.block2of3(block, &s.cand)
		case kindThree:
			i, n = c.block1(block, &s.cand)
		case kindPair:
			i, n = c.blockPairs(block, &s.cand)
		case kindEven:
			i, n = c.blockEven(block, &s.cand)
		}
		// The last bytes of the buffer.
		for last := min(len(d)-at-c.kind.width, blockSize*c.kind.step-1); i <= last; i += c.kind.step {
			if c.has(load(d[at+i:])) {
				s.cand[n&(blockSize-1)] = uint16(i)
				n++
			}
		}
		for _, j := range s.cand[:n] {
			f.bucket(c, d, at+int(j), base, s)
		}
	}
}

func (c *class) has(v uint64) bool {
	bit := c.hash(v) >> (c.bitSh & 63)
	return c.bitmap[bit/64]&(1<<(bit%64)) != 0
}

// bucket compares the patterns that have the window at position i with d around it.
func (f *Filter) bucket(c *class, d []byte, i, base int, s *Scratch) {
	h := c.hash(load(d[i:]))
	b := h >> (c.headSh & 63)
	from, to := c.heads[b], c.heads[b+1]
	tag := c.tag(h)
	prev := uint8(0)
	if i > 0 {
		prev = d[i-1] | 0x20
	}
	prevs := c.prevs[from:to]
	for k, t := range c.tags[from:to] {
		if t != tag {
			continue
		}
		// Within runs of zeros this turns most patterns away that touch one.
		if p := prevs[k]; p == prev || p == 0 {
			f.verify(c.refs[from+uint32(k)], d, i, base, s)
		}
	}
}

// scanSingle looks for a pattern of one byte.
func (f *Filter) scanSingle(m uint32, d []byte, base int, s *Scratch) {
	p := &f.pats[m]
	a := &f.anchors[p.anchor]
	from, to := max(int(a.min)-base, 0), min(int(a.max)-base, len(d))
	if from >= to {
		return
	}
	d = d[from:to]
	if x := f.pool[p.pos]; bytes.IndexByte(d, x) >= 0 || p.flags&flagNoCase != 0 && bytes.IndexByte(d, x^0x20) >= 0 {
		s.add(m)
	}
}

// verify compares a whole pattern and notes a match.
func (f *Filter) verify(ref uint32, d []byte, i, base int, s *Scratch) {
	m := ref >> 2
	if s.seen[m/64]>>(m%64)&1 == 0 {
		f.at(m, d, i-int(f.pats[m].win)-int(ref&3), base, s)
	}
}

// at compares a pattern with d from begin on, and notes and reports a match.
func (f *Filter) at(m uint32, d []byte, begin, base int, s *Scratch) bool {
	p := &f.pats[m]
	n := int(f.pats[m+1].pos - p.pos)
	if begin < 0 || begin+n > len(d) {
		return false
	}
	if a := &f.anchors[p.anchor]; base+begin < int(a.min) || base+begin+n > int(a.max) {
		return false
	}
	b, q := d[begin:begin+n], f.pool[p.pos:]
	if p.flags&flagNoCase == 0 {
		if !equal(b, q) {
			return false
		}
	} else if !equalFold(b, q) {
		return false
	}
	s.add(m)
	return true
}

// equal reports whether q begins with b.
func equal(b, q []byte) bool { return string(b) == string(q[:len(b)]) }

// equalFold is equal with the ASCII letters of b in either case; q is in lower case.
func equalFold(b, q []byte) bool {
	for len(b) >= 8 {
		if lower8(binary.LittleEndian.Uint64(b)) != binary.LittleEndian.Uint64(q) {
			return false
		}
		b, q = b[8:], q[8:]
	}
	x := lower8(load(b)) ^ binary.LittleEndian.Uint64(q)
	return bits.TrailingZeros64(x) >= 8*len(b)
}

// lower8 turns 8 bytes to lower case at once: per byte, the top bit of the sums tells whether it is 'A' or more and
// whether it is above 'Z'.
func lower8(v uint64) uint64 {
	const ones = 0x0101010101010101
	low := v & (0x7f * ones)
	ge := low + (0x80-'A')*ones
	gt := low + (0x80-'Z'-1)*ones
	return v | (ge&^gt&^v&(0x80*ones))>>2
}
