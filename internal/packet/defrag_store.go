package packet

import "encoding/binary"

// none ends the chains through the table; pages and blocks, whose numbers
// begin at one, use zero, so that a cleared datagram holds none.
const none = -1

// Sizes of the stores. A page holds one full fragment of an Ethernet; a
// fragment far from the others costs one page, not the distance.
const (
	pageSize   = 2048
	slabPages  = 32                 // pages taken from the heap at a time
	inlineRuns = 24                 // runs a datagram holds itself: 34 kB over Ethernet
	blockRuns  = 2*maxFragments + 1 // n fragments make at most 2n-1 runs
	blockBytes = blockRuns * 8      // of a block
	dataPages  = (65536 + pageSize - 1) / pageSize
)

// fragKey names a datagram in reassembly (RFC 791 section 3.2, RFC 8200
// section 4.5), kept apart per VLAN and per depth of tunnel.
type fragKey struct {
	src, dst Addr
	id       uint32
	vlan     uint16
	proto    uint8 // IPv4; extFragment for IPv6
	depth    uint8
}

// run is a stretch [start,end) of a datagram's data that came from one
// fragment, which was sent as [off,fend).
type run struct{ start, end, off, fend uint16 }

// datagram is one datagram in reassembly. It holds no pointer.
type datagram struct {
	key         fragKey
	first, last int64 // arrival of the first and the latest fragment
	got         int32 // bytes of data held
	high        int32 // highest end of a fragment used
	total       int32 // length of the data, -1 until the last fragment came
	older       int32 // by last use
	newer       int32
	chain       int32 // next in the hash chain or in the free chain
	block       int32 // of runs, when they outgrow own
	nruns       uint16
	count       uint16 // fragments
	hlen        uint8  // length of hdr, 0 until the first fragment came
	void        bool   // given up; further fragments are ignored
	hdr         [60]byte
	own         [inlineRuns]run
	pages       [dataPages]int32
}

// find returns the index of the datagram named k, or none.
func (r *Defrag) find(k *fragKey) int32 {
	for i := r.heads[r.slot(k)]; i != none; i = r.table[i].chain {
		if r.table[i].key == *k {
			return i
		}
	}
	return none
}

func (r *Defrag) slot(k *fragKey) uint64 {
	le := binary.LittleEndian
	h := mix(le.Uint64(k.src[:8])^r.seed, le.Uint64(k.src[8:])^0x9e3779b97f4a7c15)
	h = mix(le.Uint64(k.dst[:8])^h, le.Uint64(k.dst[8:])^0xa0761d6478bd642f)
	h = mix(h^(uint64(k.id)|uint64(k.vlan)<<32|uint64(k.proto)<<48|uint64(k.depth)<<56), r.seed|1)
	return h & uint64(len(r.heads)-1)
}

// insert begins a datagram, in place of the least recently used one when the
// table is full.
func (r *Defrag) insert(k *fragKey, now int64) int32 {
	if r.free == none {
		r.giveUp(r.oldest, &r.stats.Evicted)
	}
	i := r.free
	g := &r.table[i]
	r.free = g.chain
	s := r.slot(k)
	g.key, g.first, g.last = *k, now, now
	g.got, g.high, g.total = 0, 0, -1
	g.nruns, g.count, g.hlen, g.void = 0, 0, 0, false
	g.chain, r.heads[s] = r.heads[s], i
	r.link(i)
	r.stats.Datagrams++
	r.stats.Held++
	return i
}

// remove forgets a datagram and returns its memory.
func (r *Defrag) remove(i int32) {
	g := &r.table[i]
	r.release(g)
	at := &r.heads[r.slot(&g.key)]
	for *at != i {
		at = &r.table[*at].chain
	}
	*at = g.chain
	r.unlink(i)
	g.chain, r.free = r.free, i
	if !g.void {
		r.stats.Held--
	}
}

// release returns a datagram's pages and block.
func (r *Defrag) release(g *datagram) {
	for j, page := range g.pages {
		if page != 0 {
			r.pages.put(page)
			g.pages[j] = 0
		}
	}
	if g.block != 0 {
		r.blocks.put(g.block)
		g.block = 0
	}
	g.nruns = 0
}

// link puts i at the newest end, unlink takes it out, touch does both.
func (r *Defrag) link(i int32) {
	g := &r.table[i]
	g.older, g.newer = r.newest, none
	if r.newest != none {
		r.table[r.newest].newer = i
	} else {
		r.oldest = i
	}
	r.newest = i
}

func (r *Defrag) unlink(i int32) {
	g := &r.table[i]
	if g.older != none {
		r.table[g.older].newer = g.newer
	} else {
		r.oldest = g.newer
	}
	if g.newer != none {
		r.table[g.newer].older = g.older
	} else {
		r.newest = g.older
	}
}

func (r *Defrag) touch(i int32) {
	if r.newest != i {
		r.unlink(i)
		r.link(i)
	}
}

// reserve provides the pages of [off,end) for datagram i, which must be the
// newest, evicting others as needed. It cannot fail: minDefragMemory holds
// the largest datagram.
func (r *Defrag) reserve(i int32, off, end int) {
	g := &r.table[i]
	for j := off / pageSize; j <= (end-1)/pageSize; j++ {
		for g.pages[j] == 0 {
			if g.pages[j] = r.pages.get(); g.pages[j] == 0 {
				r.giveUp(r.oldest, &r.stats.Evicted)
			}
		}
	}
}

// runs returns the runs of g, in order.
func (r *Defrag) runs(g *datagram) []run {
	if g.block != 0 {
		return r.blocks.runs(g.block)[:g.nruns]
	}
	return g.own[:g.nruns]
}

// appendRun adds a run behind all others. It returns false, and the datagram
// is gone, when there is no room: then those with many pieces have taken the
// books, and the one that asks for more is no better.
func (r *Defrag) appendRun(i int32, n run) bool {
	g := &r.table[i]
	if !r.room(i, int(g.nruns)+1) {
		return false
	}
	g.nruns++
	list := r.runs(g)
	list[len(list)-1] = n
	return true
}

// splice puts list in the place of the runs lo to hi of i, with appendRun's
// result.
func (r *Defrag) splice(i int32, lo, hi int, list []run) bool {
	g := &r.table[i]
	old := int(g.nruns)
	n := old - (hi - lo) + len(list)
	if !r.room(i, n) {
		return false
	}
	g.nruns = uint16(max(n, old))
	all := r.runs(g)
	copy(all[lo+len(list):n], all[hi:old])
	copy(all[lo:], list)
	g.nruns = uint16(n)
	return true
}

func (r *Defrag) room(i int32, n int) bool {
	g := &r.table[i]
	if g.block != 0 || n <= inlineRuns {
		return true
	}
	block := r.blocks.get()
	if block == 0 {
		r.giveUp(i, &r.stats.Evicted)
		return false
	}
	copy(r.blocks.runs(block), g.own[:g.nruns])
	g.block = block
	return true
}

// pagePool lends pages of pageSize bytes, numbered from one. It grows by slabs
// up to max pages and never shrinks.
type pagePool struct {
	slabs [][]byte
	idle  []int32
	made  int
	max   int
}

// get returns the number of a page, zero when all are lent.
func (s *pagePool) get() int32 {
	if n := len(s.idle); n > 0 {
		page := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return page
	}
	if s.made == s.max {
		return 0
	}
	if s.made%slabPages == 0 {
		s.slabs = append(s.slabs, make([]byte, min(slabPages, s.max-s.made)*pageSize))
		s.idle = append(make([]int32, 0, len(s.slabs)*slabPages), s.idle...)
	}
	s.made++
	return int32(s.made)
}

func (s *pagePool) put(page int32) { s.idle = append(s.idle, page) }

func (s *pagePool) bytes(page int32) []byte {
	page--
	at := int(page%slabPages) * pageSize
	return s.slabs[page/slabPages][at : at+pageSize]
}

// blockPool lends blocks of blockRuns runs in the same way, one at a time:
// they are rare.
type blockPool struct {
	made []*[blockRuns]run
	idle []int32
	max  int
}

func (s *blockPool) get() int32 {
	if n := len(s.idle); n > 0 {
		block := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return block
	}
	if len(s.made) == s.max {
		return 0
	}
	s.made = append(s.made, new([blockRuns]run))
	s.idle = append(make([]int32, 0, len(s.made)), s.idle...)
	return int32(len(s.made))
}

func (s *blockPool) put(block int32) { s.idle = append(s.idle, block) }

func (s *blockPool) runs(block int32) []run { return s.made[block-1][:] }
