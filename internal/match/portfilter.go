package match

import (
	"slices"

	"github.com/yamori-net/yamori/internal/match/mpm"
	"github.com/yamori-net/yamori/internal/rules"
)

// portFilter is a prefilter in parts: what any port needs, and what single
// ports need besides, so that a packet is searched for what its ports call for.
type portFilter struct {
	any *mpm.Filter
	dst portMap
	src portMap // rules that name only the source port
}

// portMap maps a port to a filter: filters[i] holds for ports from from[i] on.
type portMap struct {
	from    []uint16
	filters []*mpm.Filter
}

func (m *portMap) at(port uint16) *mpm.Filter {
	lo, hi := 0, len(m.from)
	for lo < hi {
		k := int(uint(lo+hi) >> 1)
		if m.from[k] <= port {
			lo = k + 1
		} else {
			hi = k
		}
	}
	if lo == 0 {
		return nil
	}
	return m.filters[lo-1]
}

// scan appends the rules whose pattern is in data, in order, each once.
func (f *portFilter) scan(out []uint32, data []byte, base int, sp, dp uint16, s *mpm.Scratch) []uint32 {
	parts := 0
	for _, p := range [3]*mpm.Filter{f.any, f.dst.at(dp), f.src.at(sp)} {
		if p == nil {
			continue
		}
		hits := p.ScanAt(data, base, s)
		if len(hits) > 0 {
			out = append(out, hits...)
			parts++
		}
	}
	if parts > 1 {
		slices.Sort(out)
		out = slices.Compact(out)
	}
	return out
}

// manyPorts is how many ports a rule may name and still be filtered by port:
// it stands in the filter of each.
const manyPorts = 256

func few(s *rules.PortSet) bool {
	if s == nil {
		return false
	}
	n := 0
	for _, r := range s.Ranges() {
		n += int(r.Hi-r.Lo) + 1
	}
	return n <= manyPorts
}

func (g *grouper) portFilter(in []prefilterRule) (f portFilter) {
	var anyPort []mpm.Pattern
	var dst, src []prefilterRule
	for _, p := range in {
		switch {
		case few(p.dp):
			dst = append(dst, p)
		case few(p.sp):
			src = append(src, prefilterRule{p: p.p, dp: p.sp})
		default:
			anyPort = append(anyPort, p.p)
		}
	}
	f.any = g.filter(anyPort)
	f.dst, f.src = g.portMap(dst), g.portMap(src)
	return f
}

func (g *grouper) portMap(in []prefilterRule) (m portMap) {
	var entries []portEntry
	byID := map[uint32][]mpm.Pattern{}
	for _, p := range in {
		entries = append(entries, portEntry{id: p.p.ID, dp: p.dp})
		byID[p.p.ID] = append(byID[p.p.ID], p.p)
	}
	lists := buildPortLists(entries)
	made := map[string]*mpm.Filter{}
	for i, l := range lists.lists {
		key := make([]byte, 0, 4*len(l))
		var ps []mpm.Pattern
		for _, id := range l {
			key = append(key, byte(id), byte(id>>8), byte(id>>16), byte(id>>24))
			ps = append(ps, byID[id]...)
		}
		f, ok := made[string(key)]
		if !ok {
			f = g.filter(ps)
			made[string(key)] = f
		}
		m.from = append(m.from, lists.from[i])
		m.filters = append(m.filters, f)
	}
	return m
}
