// Package clues turns what an engine's worker sees into clues about devices:
// transactions of the protocols in which devices present themselves, the first
// packets of flows, ARP. A clue told once is held back for a while, so that a
// device that repeats itself costs a hash and a look-up, and no memory.
package clues

import (
	"net/netip"
	"sync/atomic"

	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/packet"
)

// Limits of a worker's memory of what it has told.
const (
	maxTold   = 4096             // values remembered; twice as many before the oldest are told again
	forget    = int64(600 * 1e9) // everything is told again after this long, so that times stay fresh
	seenEvery = int64(15 * 1e9)  // a sign of life of one address is told this often
	seenSlots = 1024
)

// Extractor is one worker's. It implements engine.Observer.
type Extractor struct {
	sink  device.Sink
	home  []netip.Prefix
	epoch func() uint64
	at    uint64 // epoch of what is remembered

	told [2]map[uint64]struct{} // newer, older
	turn int64                  // when the older were last dropped
	seen [seenSlots]sight
	now  int64

	scratch []byte
}

type sight struct {
	mac packet.MAC
	ip  packet.Addr
	at  int64
}

// New makes the extractor of one worker, for a home with these prefixes; nil:
// device.DefaultHome. epoch, which may be nil, is Registry.Epoch: when it
// changes everything is told anew.
func New(sink device.Sink, home []netip.Prefix, epoch func() uint64) *Extractor {
	if len(home) == 0 {
		home = device.DefaultHome()
	}
	x := &Extractor{sink: sink, home: home, epoch: epoch, scratch: make([]byte, 0, 512)}
	for i := range x.told {
		x.told[i] = make(map[uint64]struct{}, maxTold)
	}
	return x
}

// who is the device that a clue is about.
type who struct {
	mac packet.MAC
	ip  packet.Addr
}

const (
	fnvStart = 14695981039346656037
	fnvPrime = 1099511628211
)

func hash[T string | []byte](h uint64, b T) uint64 {
	for i := 0; i < len(b); i++ {
		h = (h ^ uint64(b[i])) * fnvPrime
	}
	return (h ^ 0xff) * fnvPrime
}

// fresh reports whether a value has not been told lately, and notes it.
func (x *Extractor) fresh(h uint64) bool {
	cur, old := x.told[0], x.told[1]
	if _, ok := cur[h]; ok {
		return false
	}
	if _, ok := old[h]; ok {
		return false
	}
	if len(cur) >= maxTold {
		clear(old)
		x.told[0], x.told[1] = old, cur
		cur = old
	}
	cur[h] = struct{}{}
	return true
}

// tell hands over a clue unless it was told lately. key is a constant.
func (x *Extractor) tell(w who, s device.Source, key string, value []byte) {
	value = clean(value)
	if len(value) == 0 {
		return
	}
	h := hash(hash(w.start(s), key), value)
	if x.fresh(h) {
		x.sink.Add(device.Clue{Source: s, Key: key, Value: string(value), Time: x.now, MAC: w.mac, IP: w.ip})
	}
}

// tellConst is tell for a value that is a constant or stands in a table.
func (x *Extractor) tellConst(w who, s device.Source, key, value string) {
	h := hash(hash(w.start(s), key), value)
	if x.fresh(h) {
		x.sink.Add(device.Clue{Source: s, Key: key, Value: value, Time: x.now, MAC: w.mac, IP: w.ip})
	}
}

func (w *who) start(s device.Source) uint64 {
	h := hash(fnvStart, w.mac[:])
	if w.mac == (packet.MAC{}) {
		h = hash(h, w.ip[:])
	}
	return (h ^ uint64(s)) * fnvPrime
}

// clean cuts a value to what is kept, and ends it at the first control
// character: what follows is not for people.
func clean(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == 0) {
		b = b[1:]
	}
	b = b[:min(len(b), device.MaxValue)]
	for i, c := range b {
		if c < ' ' || c == 0x7f {
			b = b[:i]
			break
		}
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '.') {
		b = b[:len(b)-1]
	}
	return b
}

// life tells that an address spoke, not too often.
func (x *Extractor) life(w who) {
	h := hash(hash(fnvStart, w.mac[:]), w.ip[:])
	for k := range uint64(4) { // four places, so that two addresses seldom push each other out
		s := &x.seen[(h+k)%seenSlots]
		if s.mac == w.mac && s.ip == w.ip {
			if x.now-s.at >= seenEvery || x.now < s.at {
				s.at = x.now
				x.sink.Add(device.Clue{Source: device.Seen, Time: x.now, MAC: w.mac, IP: w.ip})
			}
			return
		}
	}
	old := &x.seen[h%seenSlots]
	for k := range uint64(4) {
		if s := &x.seen[(h+k)%seenSlots]; s.at < old.at {
			old = s
		}
	}
	*old = sight{w.mac, w.ip, x.now}
	x.sink.Add(device.Clue{Source: device.Seen, Time: x.now, MAC: w.mac, IP: w.ip})
}

// Tick lets time pass.
func (x *Extractor) Tick(now int64) {
	x.now = now
	again := now-x.turn >= forget || now < x.turn
	if x.epoch != nil {
		if e := x.epoch(); e != x.at {
			x.at, again = e, true
			clear(x.told[1])
		}
	}
	if again {
		clear(x.told[0])
		clear(x.told[1])
		clear(x.seen[:])
		x.turn = now
	}
	x.sink.Advance(now)
}

// Queue hands one worker's clues to a registry on another goroutine. It never
// makes the worker wait: what does not fit is dropped and counted, and told
// again when the worker's memory of it ends.
type Queue struct {
	c       chan device.Clue
	dropped atomic.Uint64
}

// QueueSize is how many clues wait at most.
const QueueSize = 1024

// NewQueue makes an empty queue.
func NewQueue() *Queue { return &Queue{c: make(chan device.Clue, QueueSize)} }

// Add queues a clue.
func (q *Queue) Add(c device.Clue) {
	select {
	case q.c <- c:
	default:
		q.dropped.Add(1)
	}
}

// Advance does nothing: time passes for the registry where Drain is called.
func (q *Queue) Advance(int64) {}

// Dropped counts clues that did not fit.
func (q *Queue) Dropped() uint64 { return q.dropped.Load() }

// Drain hands what waits to r, at most QueueSize clues.
func (q *Queue) Drain(r device.Sink) {
	for range QueueSize {
		select {
		case c := <-q.c:
			r.Add(c)
		default:
			return
		}
	}
}

// Batch gathers the clues of several workers of a replay, so that they can be
// handed over in the order of time.
type Batch struct{ clues []device.Clue }

// Add keeps a clue.
func (b *Batch) Add(c device.Clue) { b.clues = append(b.clues, c) }

// Advance does nothing: Merge lets time pass.
func (b *Batch) Advance(int64) {}
