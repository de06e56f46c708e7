package mpm

import (
	"cmp"
	"math/bits"
	"slices"
)

// Mode says which values a Name matches.
type Mode uint8

const (
	Exact  Mode = iota // the value is the name
	Suffix             // the value ends with the name (endswith)
	Domain             // the value is the name or ends with a dot and the name (dotprefix with endswith)
)

// Name is a whole value or the end of one: a domain, a user agent, a fingerprint.
type Name struct {
	Bytes  []byte // copied by BuildNames; for Domain without the dot in front
	NoCase bool   // ASCII letters match in either case
	Mode   Mode
	ID     uint32 // what Lookup reports; several names may share one
}

// NameSet finds the names a value equals or ends with, by hash, in time proportional to the value's length and not to
// the number of names. It is immutable and holds no pointers but its own arrays.
type NameSet struct {
	pool    []byte
	names   []name   // one more than there are names
	ids     []uint32 // IDs by name
	slots   []slot   // open addressing, power of two, at most three quarters full
	lengths []uint64 // bits 4n+Mode of a length n: names of this length and mode exist
	maxLen  int
	shared  bool
}

// name describes a name; 12 bytes.
type name struct {
	pos   uint32
	ids   uint32
	flags uint8
	mode  Mode
}

type slot struct {
	tag  uint32 // hash bits that the slot's index does not tell
	name uint32 // index + 1; 0 is free
}

// BuildNames makes a set of ns. Equal names are stored once with all their IDs.
func BuildNames(ns []Name) *NameSet {
	set := &NameSet{}
	type item struct {
		Name
		b []byte
	}
	items := make([]item, len(ns))
	for i, n := range ns {
		n.NoCase = n.NoCase && hasLetter(n.Bytes)
		items[i] = item{n, slices.Clone(n.Bytes)}
		if n.NoCase {
			lower(items[i].b)
		}
	}
	same := func(a, b *item) int {
		if c := cmp.Compare(a.Mode, b.Mode); c != 0 {
			return c
		}
		if a.NoCase != b.NoCase {
			if a.NoCase {
				return 1
			}
			return -1
		}
		return slices.Compare(a.b, b.b)
	}
	slices.SortFunc(items, func(a, b item) int {
		if c := same(&a, &b); c != 0 {
			return c
		}
		return cmp.Compare(a.ID, b.ID)
	})
	for i := range items {
		it := &items[i]
		if i == 0 || same(it, &items[i-1]) != 0 {
			n := name{pos: uint32(len(set.pool)), ids: uint32(len(set.ids)), mode: it.Mode}
			if it.NoCase {
				n.flags = flagNoCase
			}
			set.names = append(set.names, n)
			set.pool = append(set.pool, it.b...)
			set.maxLen = max(set.maxLen, len(it.b))
		} else if it.ID == items[i-1].ID {
			continue
		}
		set.ids = append(set.ids, it.ID)
	}
	if len(set.names) == 0 {
		return set
	}
	set.names = slices.Clip(append(set.names, name{pos: uint32(len(set.pool)), ids: uint32(len(set.ids))}))
	set.pool = slices.Clip(append(set.pool, make([]byte, 8)...))
	set.ids = slices.Clip(set.ids)
	sorted := slices.Sorted(slices.Values(set.ids))
	set.shared = len(slices.Compact(sorted)) != len(set.ids)
	set.index()
	return set
}

// index fills the hash table.
func (set *NameSet) index() {
	n := len(set.names) - 1
	set.slots = make([]slot, 1<<bits.Len(uint(n+n/3)))
	set.lengths = make([]uint64, set.maxLen/16+1)
	mask := uint32(len(set.slots) - 1)
	for i := range n {
		nm := &set.names[i]
		b := set.pool[nm.pos:set.names[i+1].pos]
		set.lengths[len(b)/16] |= 1 << (len(b) % 16 * 4) << nm.mode
		h := uint64(nameSeed)
		for j := len(b) - 1; j >= 0; j-- {
			h = nameStep(h, b[j])
		}
		h = nameEnd(h)
		k := uint32(h>>32) & mask
		for set.slots[k].name != 0 {
			k = (k + 1) & mask
		}
		set.slots[k] = slot{tag: uint32(h), name: uint32(i) + 1}
	}
}

const nameSeed = 0x2545F4914F6CDD1D

// nameStep takes one more byte, from the value's end towards its begin, blind to case.
func nameStep(h uint64, b byte) uint64 { return (h ^ uint64(b|0x20)) * multiplier }

// nameEnd mixes the high half, where multiplication gathers what differs, into the low one.
func nameEnd(h uint64) uint64 { return h ^ h>>29 }

// Lookup returns the IDs of the names that v equals or ends with, each once, in ascending order. The slice belongs to
// s and holds until its next use.
func (set *NameSet) Lookup(v []byte, s *Scratch) []uint32 {
	s.out = s.out[:0]
	if set == nil || len(set.slots) == 0 {
		return s.out
	}
	h := uint64(nameSeed)
	last := min(len(v), set.maxLen)
	for n := 0; ; n++ {
		if m := set.lengths[n/16] >> (n % 16 * 4) & 15; m != 0 {
			if n != len(v) {
				m &^= 1 << Exact
				if v[len(v)-n-1] != '.' {
					m &^= 1 << Domain
				}
			}
			if m != 0 {
				set.probe(nameEnd(h), v[len(v)-n:], uint8(m), s)
			}
		}
		if n == last {
			break
		}
		h = nameStep(h, v[len(v)-n-1])
	}
	if len(s.out) > 1 {
		slices.Sort(s.out)
		if set.shared {
			s.out = slices.Compact(s.out)
		}
	}
	return s.out
}

// probe adds the IDs of the names equal to b in one of the modes.
func (set *NameSet) probe(h uint64, b []byte, modes uint8, s *Scratch) {
	mask := uint32(len(set.slots) - 1)
	for k := uint32(h>>32) & mask; set.slots[k].name != 0; k = (k + 1) & mask {
		if set.slots[k].tag != uint32(h) {
			continue
		}
		i := set.slots[k].name - 1
		nm, end := &set.names[i], &set.names[i+1]
		if modes>>nm.mode&1 == 0 || int(end.pos-nm.pos) != len(b) {
			continue
		}
		q := set.pool[nm.pos:]
		if nm.flags&flagNoCase == 0 && equal(b, q) || nm.flags&flagNoCase != 0 && equalFold(b, q) {
			s.out = append(s.out, set.ids[nm.ids:end.ids]...)
		}
	}
}

// Len returns the number of distinct names.
func (set *NameSet) Len() int {
	if set == nil || len(set.names) == 0 {
		return 0
	}
	return len(set.names) - 1
}

// Size returns the bytes of memory the set's arrays take.
func (set *NameSet) Size() int {
	if set == nil {
		return 0
	}
	return cap(set.pool) + 12*cap(set.names) + 4*cap(set.ids) + 8*cap(set.slots) + 8*cap(set.lengths)
}
