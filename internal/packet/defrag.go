package packet

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
)

// OverlapPolicy says whose bytes count where fragments of an IPv4 datagram
// overlap. Systems differ, and who hides an attack in the difference sees it
// assembled only by whoever assembles like the victim (Novak, "Target-Based
// Fragmentation Reassembly", 2005). Overlapping IPv6 fragments void their
// datagram whatever the policy (RFC 5722).
type OverlapPolicy uint8

// Overlap policies. A fragment's begin and end are those it was sent with.
const (
	// PolicyFirst keeps what came first. It is the one to use in line, where
	// what came first may have been passed on.
	PolicyFirst    OverlapPolicy = iota
	PolicyLast                   // what came last
	PolicyBSD                    // the older one, unless the newer begins before it
	PolicyBSDRight               // the newer one, unless it begins before the older
	PolicyLinux                  // the older one only if it begins before the newer
	PolicyWindows                // the older one, unless the newer begins before and ends behind it
	PolicySolaris                // as Windows, also when both end together
)

// newWins decides one overlap between the fragment that held the bytes as
// [off,end) and a newer one.
func (o OverlapPolicy) newWins(old run, off, end int) bool {
	oldOff, oldEnd := int(old.off), int(old.fend)
	switch o {
	case PolicyLast:
		return true
	case PolicyBSD:
		return off < oldOff
	case PolicyBSDRight:
		return off >= oldOff
	case PolicyLinux:
		return off <= oldOff
	case PolicyWindows:
		return off < oldOff && end > oldEnd
	case PolicySolaris:
		return off < oldOff && end >= oldEnd
	}
	return false
}

// DefragConfig bounds a Defrag. Zero values take the defaults.
type DefragConfig struct {
	MaxMemory    int           // bytes for fragment data, default 4 MB; at least 128 kB, so that one datagram always fits
	MaxFragments int           // per datagram, default and most 2048
	MaxDatagrams int           // incomplete datagrams held, default 1024
	Timeout      int64         // ns of packet time from the first fragment, default 60 s (RFC 8200 section 4.5)
	Policy       OverlapPolicy // default PolicyFirst
}

// Defaults and bounds of DefragConfig. 2048 fragments carry a datagram of
// 64 kB in pieces of 32 bytes; the smallest MTU of IPv4, 68 bytes, needs 1366.
const (
	defaultDefragMemory = 4 << 20
	minDefragMemory     = 128 << 10
	maxFragments        = 2048
	defaultDatagrams    = 1024
	defaultDefragTime   = 60e9
)

// DefragStats counts what a Defrag saw. Every fragment is in Fragments; every
// datagram ends in exactly one of Reassembled, TimedOut, Evicted and Dropped,
// or is still held.
type DefragStats struct {
	Fragments uint64 // fragments seen whole
	Truncated uint64 // fragments that the capture cut short; not used

	Datagrams   uint64 // datagrams begun
	Reassembled uint64 // completed
	TimedOut    uint64 // not complete in time
	Evicted     uint64 // given up for want of memory or of room in the table, oldest first
	Dropped     uint64 // given up for too many fragments, or overlap in IPv6
	Held        int    // incomplete now

	Overlaps   uint64 // fragments that contradicted earlier ones, in data or in length
	Duplicates uint64 // fragments that brought nothing new
	Oversize   uint64 // fragments that would end beyond 65,535 bytes (ping of death)
	Invalid    uint64 // fragments without data, or in the middle with a size that is no multiple of 8
	TooMany    uint64 // fragments beyond MaxFragments
	Late       uint64 // fragments of a datagram that had been dropped
}

// Defrag reassembles IP fragments under a fixed memory budget. Its clock is
// the packets' time. It serves one goroutine.
type Defrag struct {
	cfg   DefragConfig
	seed  uint64
	stats DefragStats

	table []datagram
	heads []int32 // hash chains through table
	free  int32   // chain of free table entries
	// Incomplete datagrams by last use, through table.
	oldest, newest int32

	pages  pagePool
	blocks blockPool
	split  []run  // scratch for merge
	out    []byte // the reassembled packet
}

// NewDefrag returns a Defrag with cfg's limits. Memory is taken as it is
// needed and kept for reuse.
func NewDefrag(cfg DefragConfig) *Defrag {
	if cfg.MaxMemory <= 0 {
		cfg.MaxMemory = defaultDefragMemory
	}
	cfg.MaxMemory = max(cfg.MaxMemory, minDefragMemory)
	if cfg.MaxFragments <= 0 || cfg.MaxFragments > maxFragments {
		cfg.MaxFragments = maxFragments
	}
	if cfg.MaxDatagrams <= 0 {
		cfg.MaxDatagrams = defaultDatagrams
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultDefragTime
	}
	r := &Defrag{
		cfg: cfg,
		// The seed only spreads datagrams over chains; no result depends on it.
		seed:   rand.Uint64(),
		table:  make([]datagram, cfg.MaxDatagrams),
		split:  make([]run, 0, blockRuns+2),
		oldest: none, newest: none,
	}
	// An eighth of the memory for the books of datagrams in many pieces.
	r.blocks.max = max(cfg.MaxMemory/8/blockBytes, 1)
	r.pages.max = (cfg.MaxMemory - r.blocks.max*blockBytes) / pageSize
	size := 16
	for size < cfg.MaxDatagrams {
		size *= 2
	}
	r.heads = make([]int32, size)
	for i := range r.heads {
		r.heads[i] = none
	}
	for i := range r.table {
		r.table[i].chain = int32(i + 1)
	}
	r.table[len(r.table)-1].chain = none
	return r
}

// Stats returns the counters.
func (r *Defrag) Stats() DefragStats { return r.stats }

// Expire gives up the datagrams that were not completed by now, a packet time.
// Fragments that arrive do the same; a caller needs it only to have the
// counters right when none do.
func (r *Defrag) Expire(now int64) {
	for r.oldest != none {
		g := &r.table[r.oldest]
		if !r.expired(g.last, now) {
			return
		}
		r.giveUp(r.oldest, &r.stats.TimedOut)
	}
}

// expired also takes time that went back by more than the time-out for a
// clock that was set, so that no datagram stays for ever.
func (r *Defrag) expired(then, now int64) bool {
	return now-then > r.cfg.Timeout || then-now > r.cfg.Timeout
}

// giveUp drops an incomplete datagram and counts why, unless that was counted
// when it was voided.
func (r *Defrag) giveUp(i int32, why *uint64) {
	if !r.table[i].void {
		*why++
	}
	r.remove(i)
}

// void gives up a datagram but keeps its name until it times out, so that the
// rest of it is not taken for a new one.
func (r *Defrag) void(i int32) {
	r.release(&r.table[i])
	r.table[i].void = true
	r.stats.Dropped++
	r.stats.Held--
}

// add takes one fragment: the IP header to put before the whole datagram if
// this is its first fragment, the fragment's data, its offset and whether more
// follow. It returns the whole packet when this completes one, valid until the
// next one, and what was wrong with the fragment. hdr and data may lie in the
// packet returned last.
func (r *Defrag) add(k *fragKey, hdr, data []byte, off int, more bool, now int64) ([]byte, Anomaly) {
	r.stats.Fragments++
	r.Expire(now)
	v6 := k.proto == extFragment && hdr[0]>>4 == 6
	if odd := len(data) % 8; more && odd != 0 {
		if v6 { // RFC 8200 section 4.5: to be discarded
			r.stats.Invalid++
			return nil, FragmentLength
		}
		data = data[:len(data)-odd] // as Linux does, ip_fragment.c
	}
	if len(data) == 0 {
		r.stats.Invalid++
		return nil, BadIPHeader
	}
	end := off + len(data)
	limit := 65535
	if !v6 {
		limit -= len(hdr)
	}
	if end > limit {
		r.stats.Oversize++
		return nil, FragmentOversize
	}
	i := r.find(k)
	if i != none && r.expired(r.table[i].first, now) {
		r.giveUp(i, &r.stats.TimedOut)
		i = none
	}
	if i == none {
		i = r.insert(k, now)
	}
	g := &r.table[i]
	g.last = now
	r.touch(i)
	if g.void {
		r.stats.Late++
		return nil, 0
	}
	if int(g.count) == r.cfg.MaxFragments {
		r.stats.TooMany++
		r.void(i)
		return nil, 0
	}
	g.count++
	// The end of the datagram is fixed by its last fragment; what contradicts
	// that is not used (ip_fragment.c, ip_frag_queue).
	if (!more && (g.total >= 0 && end != int(g.total) || end < int(g.high))) ||
		(more && g.total >= 0 && end > int(g.total)) {
		r.stats.Overlaps++
		if v6 {
			r.void(i)
		}
		return nil, FragmentOverlap
	}
	bad, ok := r.store(i, off, data, v6)
	if !ok {
		return nil, bad
	}
	if !more {
		g.total = int32(end)
	}
	if off == 0 && g.hlen == 0 {
		g.hlen = uint8(copy(g.hdr[:], hdr))
	}
	if g.got != g.total || g.hlen == 0 {
		return nil, bad
	}
	b := r.assemble(g)
	r.stats.Reassembled++
	r.remove(i)
	return b, bad
}

// store merges a fragment's data into datagram i. It returns false when the
// fragment could not be used.
func (r *Defrag) store(i int32, off int, data []byte, v6 bool) (Anomaly, bool) {
	g := &r.table[i]
	end := off + len(data)
	if v6 && off < int(g.high) {
		switch r.compare6(g, off, data) {
		case exactDuplicate:
			// RFC 8200 section 4.5 lets a receiver tell duplication by the
			// network from an overlap.
			r.stats.Duplicates++
			return 0, false
		case overlapping:
			r.stats.Overlaps++
			r.void(i)
			return FragmentOverlap, false
		}
	}
	r.reserve(i, off, end)
	if off >= int(g.high) { // in order, or nearly
		if !r.appendRun(i, run{uint16(off), uint16(end), uint16(off), uint16(end)}) {
			return 0, false
		}
		r.write(g, off, data)
		g.got += int32(len(data))
		g.high = int32(end)
		return 0, true
	}
	gained, differs, ok := r.merge(i, off, data)
	if !ok {
		return 0, false
	}
	g.got += int32(gained)
	g.high = max(g.high, int32(end))
	switch {
	case differs:
		r.stats.Overlaps++
		return FragmentOverlap, true
	case gained == 0:
		r.stats.Duplicates++
	}
	return 0, true
}

// merge lays a fragment over the runs of datagram i, byte range by byte range:
// gaps are filled, overlaps go to whom the policy names. It returns the number
// of bytes that were not there before and whether an overlap held other bytes.
func (r *Defrag) merge(i int32, off int, data []byte) (gained int, differs, ok bool) {
	g := &r.table[i]
	end := off + len(data)
	lo, hi := overlap(r.runs(g), off, end)
	out := r.split[:0] // what takes the place of runs lo to hi
	at := off          // what is before is settled
	mine := func(from, to int) {
		if from >= to {
			return
		}
		r.write(g, from, data[from-off:to-off])
		if n := len(out); n > 0 && int(out[n-1].end) == from && int(out[n-1].off) == off && int(out[n-1].fend) == end {
			out[n-1].end = uint16(to)
			return
		}
		out = append(out, run{uint16(from), uint16(to), uint16(off), uint16(end)})
	}
	for _, o := range r.runs(g)[lo:hi] {
		begin, stop := int(o.start), int(o.end)
		gained += max(begin-at, 0)
		mine(at, begin)
		from, to := max(begin, off), min(stop, end)
		if !r.equal(g, from, data[from-off:to-off]) {
			differs = true
		}
		if r.cfg.Policy.newWins(o, off, end) {
			if begin < from {
				left := o
				left.end = uint16(from)
				out = append(out, left)
			}
			mine(from, to)
			if to < stop {
				right := o
				right.start = uint16(to)
				out = append(out, right)
			}
		} else {
			out = append(out, o)
		}
		at = to
	}
	gained += end - at
	mine(at, end)
	return gained, differs, r.splice(i, lo, hi, out)
}

// overlap returns which of the runs, which are in order and apart, share bytes
// with [off,end): those from lo up to hi. When none does, lo and hi are where
// it belongs.
func overlap(list []run, off, end int) (lo, hi int) {
	hi = len(list)
	for lo < hi {
		if mid := (lo + hi) / 2; int(list[mid].end) <= off {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	for hi < len(list) && int(list[hi].start) < end {
		hi++
	}
	return lo, hi
}

// Results of compare6.
const (
	apart = iota
	exactDuplicate
	overlapping
)

// compare6 compares a fragment with those held of an IPv6 datagram, which
// never overlap each other.
func (r *Defrag) compare6(g *datagram, off int, data []byte) int {
	end := off + len(data)
	list := r.runs(g)
	lo, hi := overlap(list, off, end)
	switch {
	case lo == hi:
		return apart
	case int(list[lo].start) == off && int(list[lo].end) == end && r.equal(g, off, data):
		return exactDuplicate
	}
	return overlapping
}

// assemble copies a complete datagram into one piece and makes its header say
// so. The fragment that completed it may itself lie in the piece made last: by
// now it has been copied too.
func (r *Defrag) assemble(g *datagram) []byte {
	if r.out == nil {
		r.out = make([]byte, 65535+40)
	}
	hlen, total := int(g.hlen), int(g.total)
	b := r.out[: hlen+total : hlen+total]
	copy(b, g.hdr[:hlen])
	for at := 0; at < total; at += pageSize {
		copy(b[hlen+at:], r.pages.bytes(g.pages[at/pageSize]))
	}
	be := binary.BigEndian
	if b[0]>>4 == 6 {
		be.PutUint16(b[4:], uint16(total))
		return b
	}
	be.PutUint16(b[2:], uint16(hlen+total))
	b[6] &= 0xc0 // reserved and DF
	b[7] = 0
	b[10], b[11] = 0, 0
	be.PutUint16(b[10:], ^fold16(sum16(0, b[:hlen])))
	return b
}

// equal reports whether the datagram holds exactly data at off.
func (r *Defrag) equal(g *datagram, off int, data []byte) bool {
	for len(data) > 0 {
		page := r.pages.bytes(g.pages[off/pageSize])[off%pageSize:]
		n := min(len(page), len(data))
		if !bytes.Equal(page[:n], data[:n]) {
			return false
		}
		off, data = off+n, data[n:]
	}
	return true
}

// write copies data to off in the datagram's pages, which reserve provided.
func (r *Defrag) write(g *datagram, off int, data []byte) {
	for len(data) > 0 {
		n := copy(r.pages.bytes(g.pages[off/pageSize])[off%pageSize:], data)
		off, data = off+n, data[n:]
	}
}
