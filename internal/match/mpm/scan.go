package mpm

import (
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
	left, fold, sh := c.left&63, c.fold, c.bitSh&63
	bitmap := c.bitmap
	i := 0
	for ; i+8 <= len(d); i += c.step {
		h := (binary.LittleEndian.Uint64(d[i:])<<left | fold) * multiplier
		bit := h >> sh
		if bitmap[bit/64]>>(bit%64)&1 != 0 {
			f.bucket(c, h, d, i, base, s)
		}
	}
	for ; i < len(d); i += c.step {
		h := c.hash(load(d[i:]))
		bit := h >> sh
		if bitmap[bit/64]>>(bit%64)&1 != 0 {
			f.bucket(c, h, d, i, base, s)
		}
	}
}

// bucket compares the patterns that have a window of hash h with d around position i.
func (f *Filter) bucket(c *class, h uint64, d []byte, i, base int, s *Scratch) {
	b := h >> (c.headSh & 63)
	if c.headSh == 64 {
		b = 0
	}
	tag := tagOf(h)
	for _, w := range c.wins[c.heads[b]:c.heads[b+1]] {
		if w.tag == tag {
			f.verify(w.ref, d, i, base, s)
		}
	}
}

// verify compares a whole pattern and notes a match.
func (f *Filter) verify(ref uint32, d []byte, i, base int, s *Scratch) {
	m := ref >> 2
	if s.seen[m/64]>>(m%64)&1 != 0 {
		return
	}
	p := &f.pats[m]
	begin := i - int(p.win) - int(ref&3)
	n := int(f.pats[m+1].pos - p.pos)
	if begin < 0 || begin+n > len(d) {
		return
	}
	if a := &f.anchors[p.anchor]; base+begin < int(a.min) || base+begin+n > int(a.max) {
		return
	}
	b, q := d[begin:begin+n], f.pool[p.pos:]
	if p.flags&flagNoCase == 0 {
		if !equal(b, q) {
			return
		}
	} else if !equalFold(b, q) {
		return
	}
	s.seen[m/64] |= 1 << (m % 64)
	s.hits = append(s.hits, m)
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
