package match

import (
	"slices"

	"github.com/yamori-net/yamori/internal/rules"
)

// portIndex finds the rules that cannot be filtered by a pattern: few, and
// found by port where they name one.
type portIndex struct {
	any []uint32 // no port named
	dst portLists
	src portLists // only the source port is named
}

// portLists maps a port to rules: lists[i] holds for ports from from[i] on.
type portLists struct {
	from  []uint16
	lists [][]uint32
}

func (p *portIndex) empty() bool {
	return len(p.any) == 0 && len(p.dst.lists) == 0 && len(p.src.lists) == 0
}

// find appends the rules for a pair of ports, in order.
func (p *portIndex) find(out []uint32, sp, dp uint16) []uint32 {
	out = append(out, p.any...)
	n := 0
	for _, l := range [2][]uint32{p.dst.at(dp), p.src.at(sp)} {
		if len(l) > 0 {
			out = append(out, l...)
			n++
		}
	}
	if n > 0 && len(out) > 1 {
		slices.Sort(out)
	}
	return out
}

func (l *portLists) at(port uint16) []uint32 {
	lo, hi := 0, len(l.from)
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if l.from[m] <= port {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if lo == 0 {
		return nil
	}
	return l.lists[lo-1]
}

// portEntry is a rule with its ports.
type portEntry struct {
	id     uint32
	sp, dp *rules.PortSet
}

func buildPortIndex(in []portEntry) (p portIndex) {
	var dst, src []portEntry
	for _, e := range in {
		switch {
		case e.dp != nil:
			dst = append(dst, e)
		case e.sp != nil:
			src = append(src, portEntry{id: e.id, dp: e.sp})
		default:
			p.any = append(p.any, e.id)
		}
	}
	p.dst, p.src = buildPortLists(dst), buildPortLists(src)
	return p
}

func buildPortLists(in []portEntry) (l portLists) {
	if len(in) == 0 {
		return l
	}
	cuts := []int{0}
	for _, e := range in {
		for _, r := range e.dp.Ranges() {
			cuts = append(cuts, int(r.Lo))
			if r.Hi < 65535 {
				cuts = append(cuts, int(r.Hi)+1)
			}
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	for _, c := range cuts {
		var list []uint32
		for _, e := range in {
			if e.dp.Contains(uint16(c)) {
				list = append(list, e.id)
			}
		}
		if n := len(l.lists); n > 0 && slices.Equal(l.lists[n-1], list) {
			continue
		}
		l.from = append(l.from, uint16(c))
		l.lists = append(l.lists, list)
	}
	return l
}
