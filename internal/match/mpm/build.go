package mpm

import (
	"bytes"
	"cmp"
	"slices"
)

// Build makes a filter of ps. Patterns equal in bytes, case and place are stored once with all their IDs. A pattern
// that its Depth leaves no room for is left out.
func Build(ps []Pattern) *Filter {
	f := &Filter{}
	b := builder{f: f, anchors: map[anchor]uint16{{max: anywhere}: 0}}
	f.anchors = append(f.anchors, anchor{max: anywhere})
	items := make([]item, 0, len(ps))
	for i := range ps {
		p := &ps[i]
		if len(p.Bytes) == 0 {
			f.always = append(f.always, p.ID)
			continue
		}
		it := item{id: p.ID, nocase: p.NoCase && hasLetter(p.Bytes), bytes: p.Bytes, at: place(p)}
		if int64(it.at.max)-int64(it.at.min) < int64(len(p.Bytes)) {
			continue
		}
		if it.nocase {
			it.bytes = bytes.Clone(p.Bytes)
			lower(it.bytes)
		}
		items = append(items, it)
	}
	slices.Sort(f.always)
	f.always = slices.Compact(f.always)
	slices.SortFunc(items, func(a, b item) int {
		if c := a.compare(&b); c != 0 {
			return c
		}
		return cmp.Compare(a.id, b.id)
	})
	b.store(items)
	b.classify()
	return f
}

// item is a pattern while the filter is being built.
type item struct {
	bytes  []byte
	at     anchor
	id     uint32
	nocase bool
}

func (a *item) compare(b *item) int {
	if c := bytes.Compare(a.bytes, b.bytes); c != 0 {
		return c
	}
	if a.nocase != b.nocase {
		if a.nocase {
			return 1
		}
		return -1
	}
	if c := cmp.Compare(a.at.min, b.at.min); c != 0 {
		return c
	}
	return cmp.Compare(a.at.max, b.at.max)
}

// place turns Offset and Depth into bounds.
func place(p *Pattern) anchor {
	a := anchor{max: anywhere}
	off := max(p.Offset, 0)
	a.min = uint32(min(uint64(off), anywhere))
	if p.Depth > 0 {
		a.max = uint32(min(uint64(off)+uint64(p.Depth), anywhere))
	}
	return a
}

type builder struct {
	f       *Filter
	anchors map[anchor]uint16
}

// store fills pool, pats and ids from sorted items, exactly sized.
func (b *builder) store(items []item) {
	f := b.f
	n, size, ids := 0, 0, 0
	for i := range items {
		if i == 0 || items[i].compare(&items[i-1]) != 0 {
			n++
			size += len(items[i].bytes)
			ids++
		} else if items[i].id != items[i-1].id {
			ids++
		}
	}
	if n == 0 {
		return
	}
	f.pool = make([]byte, 0, size+8)
	f.pats = make([]pat, 0, n+1)
	f.ids = make([]uint32, 0, ids)
	for i := range items {
		it := &items[i]
		if i == 0 || it.compare(&items[i-1]) != 0 {
			p := pat{pos: uint32(len(f.pool)), ids: uint32(len(f.ids)), anchor: b.anchor(it.at)}
			if it.nocase {
				p.flags |= flagNoCase
			}
			f.pats = append(f.pats, p)
			f.pool = append(f.pool, it.bytes...)
			f.maxLen = max(f.maxLen, len(it.bytes))
		} else if it.id == items[i-1].id {
			continue
		}
		f.ids = append(f.ids, it.id)
	}
	f.pats = append(f.pats, pat{pos: uint32(len(f.pool)), ids: uint32(len(f.ids))})
	f.pool = f.pool[:size+8]
	sorted := slices.Sorted(slices.Values(f.ids))
	f.shared = len(slices.Compact(sorted)) != len(f.ids)
}

func (b *builder) anchor(a anchor) uint16 {
	if i, ok := b.anchors[a]; ok {
		return i
	}
	if len(b.f.anchors) == maxAnchors {
		return 0
	}
	i := uint16(len(b.f.anchors))
	b.anchors[a] = i
	b.f.anchors = append(b.f.anchors, a)
	return i
}

// nearBytes is how far from the buffer's start a pattern must end to go to the classes that read only that far.
const nearBytes = 64

// kind of a class: width of a window, step over the data, and the lengths of the patterns it takes.
type kind struct {
	width, step    int
	minLen, maxLen int
}

// kinds trade the step, which divides the work, for length: width+step-1 bytes must fit into a pattern.
var kinds = [...]kind{
	{5, 4, 8, 1 << 30},
	{4, 2, 5, 7},
	{3, 1, 3, 4},
	{2, 1, 2, 2},
	{1, 1, 1, 1},
}

// classify gives each pattern its class and chooses its windows.
func (b *builder) classify() {
	f := b.f
	for _, k := range kinds {
		for _, near := range []bool{false, true} {
			var members []uint32
			limit := 0
			for i := 0; i+1 < len(f.pats); i++ {
				n := int(f.pats[i+1].pos - f.pats[i].pos)
				end := f.anchors[f.pats[i].anchor].max
				if n < k.minLen || n > k.maxLen || near != (end <= nearBytes) {
					continue
				}
				members = append(members, uint32(i))
				limit = max(limit, int(end))
			}
			if len(members) > 0 {
				f.classes = append(f.classes, newClass(f, k, members, limit))
			}
		}
	}
	f.classes = slices.Clip(f.classes)
}

func lower(b []byte) {
	for i, c := range b {
		if c-'A' < 26 {
			b[i] = c | 0x20
		}
	}
}

func hasLetter(b []byte) bool {
	for _, c := range b {
		if c|0x20 >= 'a' && c|0x20 <= 'z' {
			return true
		}
	}
	return false
}
