package match

import (
	"encoding/binary"
	"slices"
	"sort"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/rules"
)

// ipIndex finds the rules that only name addresses. A rule is entered by the
// side that names fewer IPv4 addresses; rules that name none, or IPv6, are
// tried one by one.
type ipIndex struct {
	side  [2]ipRanges // by source, by destination
	other []uint32
	n     int
}

// ipRanges maps an IPv4 address to rules: lists[i] holds from from[i] on.
type ipRanges struct {
	from  []uint32
	lists [][]uint32
	nets  []uint64 // a bit for each network of 16 bits in which an address has rules; nil without ranges
}

func (r *ipRanges) at(ip uint32) []uint32 {
	if n := ip >> 16; r.nets == nil || r.nets[n/64]>>(n%64)&1 == 0 {
		return nil
	}
	i := sort.Search(len(r.from), func(i int) bool { return r.from[i] > ip })
	if i == 0 {
		return nil
	}
	return r.lists[i-1]
}

func (x *ipIndex) find(out []uint32, src, dst *packet.Addr) []uint32 {
	out = append(out, x.other...)
	if src.Is4() {
		out = append(out, x.side[0].at(binary.BigEndian.Uint32(src[12:]))...)
		out = append(out, x.side[1].at(binary.BigEndian.Uint32(dst[12:]))...)
	}
	if len(out) > 1 {
		slices.Sort(out)
	}
	return out
}

func buildIPIndex(ids []uint32, rs []rule) (x ipIndex) {
	x.n = len(ids)
	var sides [2][]uint32
	for _, id := range ids {
		r := &rs[id]
		best, least := -1, uint64(1)<<31
		for i, set := range [2]*rules.AddrSet{r.src, r.dst} {
			if set == nil || len(set.V6()) > 0 {
				continue
			}
			if n := fewAddrs(set); n < least {
				best, least = i, n
			}
		}
		if best < 0 {
			x.other = append(x.other, id)
			continue
		}
		sides[best] = append(sides[best], id)
	}
	x.side[0] = buildRanges(sides[0], func(id uint32) []rules.Range4 { return rs[id].src.V4() })
	x.side[1] = buildRanges(sides[1], func(id uint32) []rules.Range4 { return rs[id].dst.V4() })
	return x
}

// fewAddrs counts the IPv4 addresses of a set.
func fewAddrs(set *rules.AddrSet) (n uint64) {
	for _, v := range set.V4() {
		n += uint64(v.Hi-v.Lo) + 1
	}
	return n
}

func buildRanges(ids []uint32, of func(uint32) []rules.Range4) (r ipRanges) {
	type edge struct {
		at    uint64
		id    uint32
		begin bool
	}
	var edges []edge
	for _, id := range ids {
		for _, v := range of(id) {
			edges = append(edges, edge{uint64(v.Lo), id, true}, edge{uint64(v.Hi) + 1, id, false})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return int(a.id) - int(b.id)
	})
	var open []uint32
	for i := 0; i < len(edges); {
		at := edges[i].at
		for ; i < len(edges) && edges[i].at == at; i++ {
			e := edges[i]
			if e.begin {
				open = append(open, e.id)
			} else if k := slices.Index(open, e.id); k >= 0 {
				open = slices.Delete(open, k, k+1)
			}
		}
		if at > 0xffffffff {
			break
		}
		r.from = append(r.from, uint32(at))
		r.lists = append(r.lists, slices.Clone(open))
	}
	r.mark()
	return r
}

// mark sets nets: most addresses that a home talks to have no rules, and are told from one bit.
func (r *ipRanges) mark() {
	if len(r.from) == 0 {
		return
	}
	r.nets = make([]uint64, 1<<16/64)
	for i, l := range r.lists {
		last := uint32(0xffffffff)
		if i+1 < len(r.from) {
			last = r.from[i+1] - 1
		}
		if len(l) > 0 {
			for n := r.from[i] >> 16; n <= last>>16; n++ {
				r.nets[n/64] |= 1 << (n % 64)
			}
		}
	}
}
