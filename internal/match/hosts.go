package match

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/yamori-net/yamori/internal/packet"
)

// Hosts is what rules remember of hosts and pairs of hosts: thresholds, xbits
// and hostbits. It is shared by workers and survives a change of rules. Its
// clock is the packets' time.
type Hosts struct {
	max    int
	ports  atomic.Int64 // kept by all counters, see MaxPorts
	shards [hostShards]hostShard
}

// DefaultHosts bounds the entries of a table made without another limit: about
// 100 bytes each.
const DefaultHosts = 65536

const hostShards = 16

type hostShard struct {
	mu     sync.Mutex
	counts map[countKey]*count
	bits   map[bitKey]int64 // until when, packet time
}

// countKey is a rule (by gid and sid) and what it is counted by.
type countKey struct {
	rule uint64
	a, b packet.Addr
	n    uint8 // number of the counter in its rule
}

// bitKey is a bit of a host or a pair.
type bitKey struct {
	id   uint32
	kind uint8
	a, b packet.Addr
}

type count struct {
	since int64
	n     uint32
	next  uint32 // backoff: the count of the next alert
	until int64  // rate_filter is at work until then
	span  int64
	ports []uint16 // unique_on: those counted, sorted
}

// MaxPorts bounds the ports that unique_on remembers of all hosts, 2 MB. Where
// there is no room every match counts.
const MaxPorts = 1 << 20

// distinct reports that a port was not counted yet, and notes it. More than
// most and one are not told apart. The shard is locked.
func (h *Hosts) distinct(c *count, port uint16, most uint32) bool {
	i, ok := slices.BinarySearch(c.ports, port)
	if ok {
		return false
	}
	if uint32(len(c.ports)) > most || h.ports.Add(1) > MaxPorts {
		if uint32(len(c.ports)) <= most {
			h.ports.Add(-1)
		}
		return true
	}
	c.ports = slices.Insert(c.ports, i, port)
	return true
}

// forgetPorts lets the ports of a counter go.
func (h *Hosts) forgetPorts(c *count) {
	h.ports.Add(-int64(len(c.ports)))
	c.ports = c.ports[:0]
}

// drop removes a counter.
func (h *Hosts) drop(s *hostShard, k countKey, c *count) {
	h.forgetPorts(c)
	delete(s.counts, k)
}

// NewHosts returns a table of at most max entries; 0 means DefaultHosts.
func NewHosts(max int) *Hosts {
	if max <= 0 {
		max = DefaultHosts
	}
	h := &Hosts{max: max}
	for i := range h.shards {
		h.shards[i].counts = map[countKey]*count{}
		h.shards[i].bits = map[bitKey]int64{}
	}
	return h
}

func (h *Hosts) shard(a *packet.Addr) *hostShard {
	x := uint32(2166136261)
	for _, b := range a[8:] {
		x = (x ^ uint32(b)) * 16777619
	}
	return &h.shards[x%hostShards]
}

// Len returns the number of entries.
func (h *Hosts) Len() (n int) {
	for i := range h.shards {
		s := &h.shards[i]
		s.mu.Lock()
		n += len(s.counts) + len(s.bits)
		s.mu.Unlock()
	}
	return n
}

// room makes place for one more entry: what has expired goes first, then
// whatever comes (Go's maps are walked in random order).
func (h *Hosts) room(s *hostShard, now int64) {
	if len(s.counts)+len(s.bits) < h.max/hostShards {
		return
	}
	for k, c := range s.counts {
		if now-c.since > c.span && now > c.until {
			h.drop(s, k, c)
		}
	}
	for k, until := range s.bits {
		if now > until {
			delete(s.bits, k)
		}
	}
	for k, c := range s.counts {
		if len(s.counts)+len(s.bits) < h.max/hostShards*3/4 {
			return
		}
		h.drop(s, k, c)
	}
	for k := range s.bits {
		if len(s.counts)+len(s.bits) < h.max/hostShards*3/4 {
			return
		}
		delete(s.bits, k)
	}
}

// count returns the counter of k, made when there is none, with its shard
// locked.
func (h *Hosts) count(k countKey, now, span int64) (c *count, fresh bool, s *hostShard) {
	s = h.shard(&k.a)
	s.mu.Lock()
	if c = s.counts[k]; c != nil {
		return c, false, s
	}
	h.room(s, now)
	c = &count{since: now, span: span}
	s.counts[k] = c
	return c, true, s
}

func (h *Hosts) bit(k bitKey, now int64) bool {
	s := h.shard(&k.a)
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ok := s.bits[k]
	return ok && now <= until
}

func (h *Hosts) setBit(k bitKey, now, until int64) {
	s := h.shard(&k.a)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.bits[k]; !ok {
		h.room(s, now)
	}
	s.bits[k] = until
}

func (h *Hosts) clearBit(k bitKey) {
	s := h.shard(&k.a)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.bits, k)
}
