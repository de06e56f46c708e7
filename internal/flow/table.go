package flow

import (
	"cmp"
	"slices"

	"github.com/yamori-net/yamori/internal/packet"
)

// slabFlows is how many entries are allocated at a time.
const slabFlows = 1024

// Table is one worker's flows. It has no lock: one goroutine uses it.
//
// Entries live in slabs and are reused, so that neither a packet nor, once the
// table has grown, a new flow allocates. Each flow hangs in one hash chain and
// in one queue (see queue.go). Memory grows to MaxFlows entries and no
// further; see BytesPerFlow.
type Table struct {
	cfg     Config
	limits  [2][nQueues]int64 // time-outs by queue: at ease, in an emergency
	buckets []*Flow
	mask    uint64
	free    *Flow // chained through Flow.hnext
	slabs   [][]Flow
	queues  [nQueues]queue
	clock   clock
	stats   Stats
	key     packet.Key // scratch, so that a lookup's key need not escape
}

// NewTable returns an empty table.
func NewTable(cfg Config) *Table {
	cfg = cfg.withDefaults()
	t := &Table{cfg: cfg}
	t.limits[0] = cfg.Timeouts.byQueue()
	t.limits[1] = cfg.Emergency.byQueue()
	n := 1
	for n < cfg.MaxFlows {
		n <<= 1
	}
	t.buckets = make([]*Flow, n)
	t.mask = uint64(n - 1)
	t.clock.maxStep = cfg.MaxStep
	for _, l := range t.limits {
		t.clock.maxJump = max(t.clock.maxJump, slices.Max(l[:])+2*tick)
	}
	return t
}

// Lookup finds or makes the flow of a packet and accounts the packet to it:
// counters, times, addresses, TCP state. It returns the flow, the packet's
// direction in it, and whether it was made by this packet. The packet must
// hold an IP header (p.Version != 0).
//
// A lookup may end other flows and call OnEnd for them: the flow's own
// predecessor when it timed out or its ports are used anew, and, in a full
// table, the flow that the eviction policy chooses. The result is valid until
// the next call on the table.
func (t *Table) Lookup(p *packet.Packet) (f *Flow, d packet.Dir, created bool) {
	t.clock.set(p.Time)
	fromHi := p.Key(&t.key)
	h := t.key.Hash(t.cfg.Seed)
	for f = t.buckets[h&t.mask]; f != nil; f = f.hnext {
		if f.Hash == h && f.Key == t.key {
			break
		}
	}
	isTCP := hasTCP(p)
	if f != nil {
		switch {
		case t.expired(f):
			t.end(f, f.idleReason())
			f = nil
		case isTCP && f.supersededBy(p, fromHi):
			t.stats.Reused++
			t.end(f, Finished)
			f = nil
		}
	}
	if f == nil {
		f = t.create(p, h, fromHi)
		created = true
	}
	if fromHi != f.FromHi {
		d = packet.ToClient
	}
	f.account(p, d)
	switch {
	case isTCP:
		t.trackTCP(f, p, d)
	case f.Key.Proto != packet.ProtoTCP && f.State == New && f.Side[packet.ToServer].Packets > 0 && f.Side[packet.ToClient].Packets > 0:
		f.State = Established
	}
	q := f.queueFor()
	if q != f.queue || t.clock.now-f.touched >= tick {
		t.queues[f.queue].remove(f)
		t.enqueue(f, q)
	}
	return f, d, created
}

// create makes room when there is none and enters a new flow.
func (t *Table) create(p *packet.Packet, h uint64, fromHi bool) *Flow {
	if t.stats.Current >= t.cfg.MaxFlows {
		t.evict()
	}
	f := t.take()
	f.Key, f.Hash = t.key, h
	f.ID = flowID(p, &f.Key)
	f.FromHi = fromHi
	f.Start, f.Last = p.Time, p.Time
	f.VLANs, f.VLAN = p.VLANs, p.VLAN
	f.ICMPType, f.ICMPCode = p.ICMPType, p.ICMPCode
	if hasTCP(p) {
		f.orient(p, fromHi)
		if f.Midstream {
			t.stats.Midstream++
		}
	}
	b := &t.buckets[h&t.mask]
	f.hnext, *b = *b, f
	t.enqueue(f, f.queueFor())
	t.stats.Created++
	t.stats.Current++
	t.stats.Peak = max(t.stats.Peak, t.stats.Current)
	return f
}

// take returns a zeroed entry, growing the slabs when none is free. The caller
// has made sure that fewer than MaxFlows are in use.
func (t *Table) take() *Flow {
	if t.free == nil {
		n := min(slabFlows, t.cfg.MaxFlows-len(t.slabs)*slabFlows)
		slab := make([]Flow, n)
		t.slabs = append(t.slabs, slab)
		for i := n - 1; i >= 0; i-- {
			slab[i].hnext, t.free = t.free, &slab[i]
		}
	}
	f := t.free
	t.free, f.hnext = f.hnext, nil
	return f
}

// end takes a flow out, reports it and puts its entry back, also when the
// report panics: a fault in what hangs on one flow must not cost the table.
func (t *Table) end(f *Flow, r Reason) {
	t.queues[f.queue].remove(f)
	at := &t.buckets[f.Hash&t.mask]
	for *at != f {
		at = &(*at).hnext
	}
	*at = f.hnext
	t.stats.Current--
	t.stats.Ended[r]++
	if t.stats.InEmergency && t.stats.Current <= t.cfg.MaxFlows*emergencyLeave/10 {
		t.stats.InEmergency = false
	}
	defer t.put(f)
	if t.cfg.OnEnd != nil {
		t.cfg.OnEnd(f, r)
	}
}

func (t *Table) put(f *Flow) {
	*f = Flow{hnext: t.free}
	t.free = f
}

// Advance tells the table the time, in nanoseconds since the epoch, and ends
// every flow that is idle for longer than its time-out. Its work is
// proportional to the flows that end, whatever the step; a call with nothing
// to end costs a few nanoseconds. Lookup knows the time of its packets by
// itself and never returns a flow that is due, so how often Advance is called
// decides only how soon an end is reported (at most a second after the
// time-out when it is called for every packet).
func (t *Table) Advance(now int64) {
	t.clock.set(now)
	if t.clock.now >= rebaseAt {
		t.rebase()
	}
	for q := range t.queues {
		for f := t.queues[q].head; f != nil && t.expired(f); f = t.queues[q].head {
			t.end(f, f.idleReason())
		}
	}
}

// Each calls fn for every flow, least recently used first (to the second;
// within it in the order of their IDs). fn must not call the table, except for
// Stats.
func (t *Table) Each(fn func(*Flow)) {
	all := t.all()
	slices.SortFunc(all, func(a, b *Flow) int {
		return cmp.Or(cmp.Compare(a.touched/tick, b.touched/tick), cmp.Compare(a.ID, b.ID))
	})
	for _, f := range all {
		fn(f)
	}
}

// Close ends all flows with Shutdown, in the order of their start, then ID.
// The table is empty and usable afterwards.
func (t *Table) Close() {
	all := t.all()
	slices.SortFunc(all, func(a, b *Flow) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.ID, b.ID))
	})
	for _, f := range all {
		t.end(f, Shutdown)
	}
}

func (t *Table) all() []*Flow {
	all := make([]*Flow, 0, t.stats.Current)
	for q := range t.queues {
		for f := t.queues[q].head; f != nil; f = f.next {
			all = append(all, f)
		}
	}
	return all
}

// account adds a packet to the counters.
func (f *Flow) account(p *packet.Packet, d packet.Dir) {
	s := &f.Side[d]
	if s.Packets == 0 && p.HasMAC {
		if d == packet.ToServer {
			f.ClientMAC = p.SrcMAC
		} else {
			f.ServerMAC = p.SrcMAC
		}
	}
	f.Tunnels |= p.Tunnels
	s.Packets++
	s.Bytes += length(p)
	f.TTL[d] = p.TTL
	f.Last = max(f.Last, p.Time) // a clock set back must not make a flow end before its start
}

// length is what a packet counts for: its frame on the wire, as in Suricata, or
// when it came out of a tunnel or was put together, from the IP header on.
func length(p *packet.Packet) uint64 {
	if p.Frame == nil || p.Depth > 0 || p.Defrag {
		return uint64(len(p.IP) + p.Missing)
	}
	return uint64(p.Frame.Len)
}

// flowID derives an identifier from the packet that opens the flow, so that it
// is the same in every run and for any number of workers. It has 51 bits, as
// EVE readers that hold numbers in a float64 keep 53, and is never zero. The
// sequence number tells apart two flows of one key in a capture whose clock
// stands still.
func flowID(p *packet.Packet, k *packet.Key) uint64 {
	id := k.Hash(uint64(p.Time)^uint64(p.Seq)<<32) & (1<<51 - 1)
	return max(id, 1)
}
