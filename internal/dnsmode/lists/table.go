package lists

import "math/bits"

// A table is a set of names by their keyed 64-bit hashes: open addressing with
// linear probing, eight bytes a slot. The lowest bit of a slot says that the
// entry covers the names below it too; zero is a free slot. The hash is keyed
// with a seed that is drawn at start, so that nobody can make a name collide
// with a listed one; by chance it happens once in 2^63/n look-ups.
type table struct {
	slots []uint64
	n     int
}

const (
	slotBytes = 8
	// growAt is the load, in percent, at which a table grows by half.
	growAt = 80
	// fitTo is the load, in percent, of a finished table: a miss then reads
	// about nine neighbouring slots.
	fitTo = 75

	suffixBit = 1
)

// tag makes a hash a slot's content without the suffix bit; never zero.
func tag(h uint64) uint64 {
	h &^= suffixBit
	if h == 0 {
		return 1 << 63
	}
	return h
}

func (t *table) start(v uint64) int {
	hi, _ := bits.Mul64(v, uint64(len(t.slots)))
	return int(hi)
}

// find reports whether the hash is in the table, and whether it covers names
// below it.
func (t *table) find(h uint64) (suffix, ok bool) {
	if t.n == 0 {
		return false, false
	}
	h = tag(h)
	for i := t.start(h); ; {
		v := t.slots[i]
		if v == 0 {
			return false, false
		}
		if v&^suffixBit == h {
			return v&suffixBit != 0, true
		}
		if i++; i == len(t.slots) {
			i = 0
		}
	}
}

// add puts a hash in. An entry that is there twice is kept once, in its wider
// form. It reports whether it is new.
func (t *table) add(h uint64, suffix bool) bool {
	if (t.n+1)*100 > len(t.slots)*growAt {
		t.resize(max(64, len(t.slots)+len(t.slots)/2))
	}
	h = tag(h)
	for i := t.start(h); ; {
		v := t.slots[i]
		if v == 0 || v&^suffixBit == h {
			if suffix {
				h |= suffixBit
			}
			t.slots[i] = v | h
			if v == 0 {
				t.n++
			}
			return v == 0
		}
		if i++; i == len(t.slots) {
			i = 0
		}
	}
}

func (t *table) resize(n int) {
	old := t.slots
	t.slots = make([]uint64, n)
	for _, v := range old {
		if v == 0 {
			continue
		}
		i := t.start(v &^ suffixBit)
		for t.slots[i] != 0 {
			if i++; i == n {
				i = 0
			}
		}
		t.slots[i] = v
	}
}

// fit cuts the table to its final size.
func (t *table) fit() {
	if n := t.n*100/fitTo + 1; t.n > 0 && n < len(t.slots) {
		t.resize(n)
	}
}

func (t *table) bytes() int64 { return int64(len(t.slots)) * slotBytes }
