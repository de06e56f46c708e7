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
const nearBytes = 128

// kind of a class: width of a window, step over the data, and the lengths of the patterns it takes.
type kind struct {
	width, step    int
	minLen, maxLen int
}

// kinds trade the step, which divides the work, for length: width+step-1 bytes must fit into a pattern.
var kinds = [...]kind{
	{5, 4, 8, 1 << 30},
	{4, 2, 5, 7},
	{3, 2, 4, 4},
	{3, 1, 3, 3},
	{2, 1, 2, 2},
	{2, 2, 3, 1 << 30},
}

// names of some of them
const (
	kindLong   = 0
	kindMedium = 1
	kindFour   = 2
	kindThree  = 3
	kindPair   = 4
	kindEven   = 5 // any of the first four, when there are few: see even
)

// classify gives each pattern its class.
func (b *builder) classify() {
	f := b.f
	var members [len(kinds)][2][]uint32
	for i := 0; i+1 < len(f.pats); i++ {
		p := &f.pats[i]
		text := f.pool[p.pos:f.pats[i+1].pos]
		n := len(text)
		end := f.anchors[p.anchor].max
		switch {
		case isRun(text, p.flags&flagNoCase != 0):
			f.addRun(run{pat: uint32(i), n: uint32(n), b: text[0]}, int(end))
		case n == 1:
			f.singles = append(f.singles, uint32(i))
		default:
			near := 0
			if end <= nearBytes {
				near = 1
			}
			k := slices.IndexFunc(kinds[:kindEven], func(k kind) bool { return n >= k.minLen && n <= k.maxLen })
			members[k][near] = append(members[k][near], uint32(i))
		}
	}
	for near := range 2 {
		long, medium := &members[kindLong][near], &members[kindMedium][near]
		four, three := &members[kindFour][near], &members[kindThree][near]
		b.demote(kinds[kindLong], long, medium)
		b.demote(kinds[kindMedium], medium, three)
		if b.demote(kinds[kindFour], four, three); len(*three) > 0 {
			// A pass over every position is made anyway: it takes these too.
			*three = append(*three, *four...)
			slices.Sort(*three)
			*four = nil
		}
		if near == 0 {
			b.even(&members)
		}
		for k := range kinds {
			if ms := members[k][near]; len(ms) > 0 && (near != 0 || !b.single(k, ms)) {
				limit := 0
				for _, m := range ms {
					limit = max(limit, int(f.anchors[f.pats[m].anchor].max))
				}
				f.classes = append(f.classes, newClass(f, k, ms, limit))
			}
		}
	}
	f.classes = slices.Clip(f.classes)
	f.singles = slices.Clip(f.singles)
	f.runs = slices.Clip(f.runs)
	f.rares = slices.Clip(f.rares)
}

func (f *Filter) addRun(r run, end int) {
	if len(f.runs) == 0 {
		f.runMin = int(r.n)
	}
	f.runs = append(f.runs, r)
	f.runMin = min(f.runMin, int(r.n))
	f.runLimit = max(f.runLimit, end)
	f.runBytes[r.b/64] |= 1 << (r.b % 64)
}

// hotWindow is the cost (see chooser) above which a pattern's neighbouring windows are worse than fewer ones in the next
// class, and demoteCost the sum of such costs that justifies to open that class for them: a pass over every position
// takes 0.6 ns a byte, a needless comparison 3 ns, and most traffic holds far fewer zeros than the estimate.
const (
	hotWindow  = 200
	demoteCost = 1_000_000
)

// demote moves patterns that have no place for kind's windows without common ones, mostly zeros, or without those of
// many patterns before, to the next class.
func (b *builder) demote(k kind, from, to *[]uint32) {
	var hot []uint32
	sum := 0.0
	ch := newChooser(k)
	for _, m := range *from {
		w, cost := ch.best(b.f.text(m))
		ch.take(b.f.text(m), w)
		if cost > hotWindow*float64(k.step) {
			hot = append(hot, m)
			sum += cost / float64(k.step)
		}
	}
	if len(hot) == 0 || len(*to) == 0 && sum < demoteCost {
		return
	}
	*from = slices.DeleteFunc(*from, func(m uint32) bool {
		_, found := slices.BinarySearch(hot, m)
		return found
	})
	*to = append(*to, hot...)
	slices.Sort(*to)
}

// text returns a pattern's bytes.
func (f *Filter) text(m uint32) []byte { return f.pool[f.pats[m].pos:f.pats[m+1].pos] }

func lower(b []byte) {
	for i, c := range b {
		if c-'A' < 26 {
			b[i] = c | 0x20
		}
	}
}

func hasLetter(b []byte) bool { return slices.ContainsFunc(b, isLetter) }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
