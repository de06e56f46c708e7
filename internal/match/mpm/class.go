package mpm

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
)

// class holds the windows of patterns that are searched alike.
type class struct {
	bitmap []uint64 // bit set: some window has this hash
	heads  []uint32 // begin of each bucket in wins, one more at the end
	wins   []window // sorted by hash
	fold   uint64   // 0x20 in every byte of a window: the hash is blind to case
	left   uint8    // shift that drops the bytes behind a window
	bitSh  uint8    // hash to bitmap index
	headSh uint8    // hash to bucket
	step   int      // look at every step-th position
	limit  int      // bytes of the buffer worth reading
}

// window is a stored window: the part of its hash that the bucket does not tell, and whose it is.
type window struct {
	tag uint32
	ref uint32 // pattern<<2 | distance from the pattern's first window
}

// multiplier spreads windows over the bitmap (Fibonacci hashing: 2^64 divided by the golden ratio, made odd).
const multiplier = 0x9E3779B97F4A7C15

func (c *class) hash(v uint64) uint64 { return (v<<(c.left&63) | c.fold) * multiplier }

func tagOf(h uint64) uint32 { return uint32(h >> 12) }

func (c *class) size() int { return 8*cap(c.bitmap) + 4*cap(c.heads) + 8*cap(c.wins) + 120 }

// bitsPerWindow is the room in the bitmap for each window: more means fewer wrong hits and more cache.
const bitsPerWindow = 16

const (
	minBitmapBits = 10
	maxBitmapBits = 20 // 128 kB: half of a small machine's second-level cache
)

func newClass(f *Filter, k kind, members []uint32, limit int) class {
	c := class{step: k.step, limit: limit, left: uint8(64 - 8*k.width)}
	c.fold = 0x2020202020202020 << c.left
	type hashed struct {
		h   uint64
		ref uint32
	}
	ws := make([]hashed, 0, len(members)*k.step)
	ch := newChooser(k)
	for _, m := range members {
		p := &f.pats[m]
		b := f.pool[p.pos:f.pats[m+1].pos]
		w := ch.choose(b)
		p.win = uint8(w)
		for s := range k.step {
			ws = append(ws, hashed{c.hash(load(b[w+s:])), m<<2 | uint32(s)})
		}
	}
	slices.SortFunc(ws, func(a, b hashed) int {
		if a.h != b.h {
			return cmp.Compare(a.h, b.h)
		}
		return cmp.Compare(a.ref, b.ref)
	})
	nb := min(max(bits.Len(uint(len(ws)*bitsPerWindow-1)), minBitmapBits), maxBitmapBits)
	hb := bits.Len(uint(len(ws))) - 1
	c.bitSh, c.headSh = uint8(64-nb), uint8(64-hb)
	c.bitmap = make([]uint64, 1<<nb/64)
	c.heads = make([]uint32, 1<<hb+1)
	c.wins = make([]window, len(ws))
	for i, w := range ws {
		bit := w.h >> c.bitSh
		c.bitmap[bit/64] |= 1 << (bit % 64)
		c.wins[i] = window{tagOf(w.h), w.ref}
		c.heads[w.h>>c.headSh+1]++
	}
	for i := 1; i < len(c.heads); i++ {
		c.heads[i] += c.heads[i-1]
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
