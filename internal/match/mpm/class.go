package mpm

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
)

// class holds the windows of patterns that are searched alike.
//
// A window's hash is the product of its bytes with a constant. Its top bits choose the bit
// in the bitmap, some fewer of them the bucket, and the bits below are the tag that tells windows of a bucket apart.
type class struct {
	bitmap []uint64 // bit set: some window has this hash
	heads  []uint32 // begin of each bucket in tags, prevs and refs, one more at the end
	tags   []uint16
	prevs  []uint8  // the pattern's byte before the window, folded; 0: the window is its begin
	refs   []uint32 // pattern<<2 | distance from the pattern's first window
	kind   kind
	no     int    // of the kind
	fold   uint64 // 0x20 in every byte of a window: the hash is blind to case
	mask   uint64 // the bytes of a window
	mult   uint64 // makes the hash of them
	bitSh  uint8  // hash to bitmap index
	headSh uint8  // hash to bucket
	limit  int    // bytes of the buffer worth reading
	chain  int    // most windows of one bucket and tag
}

const (
	// multiplier spreads windows over the bitmap (Fibonacci hashing: 2^64 divided by the golden ratio, made odd).
	multiplier = 0x9E3779B97F4A7C15
	// spaces folds case: letters differ in this bit only. Other bytes fall together too, which verification sorts out.
	spaces = 0x2020202020202020
)

func (c *class) hash(v uint64) uint64 { return (v&c.mask | c.fold) * c.mult }

// tag takes the 16 bits below the bucket's.
func (c *class) tag(h uint64) uint16 { return uint16(h >> (c.headSh - 16)) }

// size returns the class's bytes; the struct itself is about 200.
func (c *class) size() int {
	return 8*cap(c.bitmap) + 4*cap(c.heads) + 2*cap(c.tags) + cap(c.prevs) + 4*cap(c.refs) + 200
}

// Room in the bitmap: a set bit that means nothing costs a mispredicted branch, so few windows get 64 bits each while
// the bitmap stays within half of a first-level cache, and many no less than 8.
const (
	minBitmapBits   = 9
	firstLevelBits  = 17 // 16 kB
	maxBitmapBits   = 20 // 128 kB: half of a small machine's second-level cache
	sparseBitmap    = 64
	denseBitmap     = 16
	windowsPerChain = 4
)

func bitmapBits(windows int) int {
	n := bits.Len(uint(windows*sparseBitmap - 1))
	if n > firstLevelBits {
		n = max(firstLevelBits, bits.Len(uint(windows*denseBitmap-1)))
	}
	return min(max(n, minBitmapBits), maxBitmapBits)
}

func newClass(f *Filter, no int, members []uint32, limit int) class {
	k := kinds[no]
	c := class{kind: k, no: no, limit: limit, mask: 1<<(8*k.width) - 1, mult: multiplier}
	if no == kindEven {
		c.mult = 1 << (64 - 8*k.width) // the pair itself
	}
	if k.width > 2 {
		c.fold = spaces & c.mask
	}
	type hashed struct {
		h    uint64
		ref  uint32
		prev uint8
	}
	ws := make([]hashed, 0, len(members)*k.step)
	ch := newChooser(k)
	for _, m := range members {
		text, w := f.text(m), 0
		if k.width > 2 || k.step > 1 {
			w = ch.choose(text)
		}
		f.pats[m].win = uint8(w)
		for s := range k.step {
			v := load(text[w+s:])
			prev := uint8(0)
			if w+s > 0 {
				prev = text[w+s-1] | 0x20
			}
			ws = append(ws, hashed{c.hash(v), m<<2 | uint32(s), prev})
			// Pairs are not folded, as half of them would fall together: they are stored in each case.
			if k.width == 2 && f.pats[m].flags&flagNoCase != 0 {
				lo, hi := isLetter(text[w+s]), isLetter(text[w+s+1])
				if lo {
					ws = append(ws, hashed{c.hash(v ^ 0x20), m<<2 | uint32(s), prev})
				}
				if hi {
					ws = append(ws, hashed{c.hash(v ^ 0x2000), m<<2 | uint32(s), prev})
				}
				if lo && hi {
					ws = append(ws, hashed{c.hash(v ^ 0x2020), m<<2 | uint32(s), prev})
				}
			}
		}
	}
	slices.SortFunc(ws, func(a, b hashed) int {
		if a.h != b.h {
			return cmp.Compare(a.h, b.h)
		}
		return cmp.Compare(a.ref, b.ref)
	})
	nb := bitmapBits(len(ws))
	if no == kindEven {
		nb = 16 // each pair has a bit of its own
	}
	hb := min(max(bits.Len(uint(len(ws)/windowsPerChain)), 1), nb)
	c.bitSh, c.headSh = uint8(64-nb), uint8(64-hb)
	c.bitmap = make([]uint64, 1<<nb/64)
	c.heads = make([]uint32, 1<<hb+1)
	c.tags = make([]uint16, len(ws))
	c.prevs = make([]uint8, len(ws))
	c.refs = make([]uint32, len(ws))
	for i, w := range ws {
		bit := w.h >> c.bitSh
		c.bitmap[bit/64] |= 1 << (bit % 64)
		c.tags[i], c.prevs[i], c.refs[i] = c.tag(w.h), w.prev, w.ref
		c.heads[w.h>>c.headSh+1]++
	}
	for i := 1; i < len(c.heads); i++ {
		c.heads[i] += c.heads[i-1]
	}
	// Windows are sorted by hash, so those of one bucket and tag are neighbours.
	for i, n := 0, 0; i < len(ws); i++ {
		if n++; i > 0 && (c.tags[i] != c.tags[i-1] || ws[i].h>>c.headSh != ws[i-1].h>>c.headSh) {
			n = 1
		}
		c.chain = max(c.chain, n)
	}
	return c
}

// load reads up to 8 bytes, little endian, zeros behind the end.
func load(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.LittleEndian.Uint64(b)
	}
	var v uint64
	for i, x := range b {
		v |= uint64(x) << (8 * i)
	}
	return v
}
