package match

import (
	"slices"

	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/reassembly"
)

// Flow is what the rule engine keeps of one flow. Workers lend them; a flow
// that no rule cares about has none.
type Flow struct {
	gen       uint32 // the numbers below are of the set of this generation
	bits      []uint64
	ints      []flowInt
	vars      []flowVar
	txs       []txState
	raw       []uint32 // rules on transactions whose part of the stream was seen
	events    []uint32 // rules whose violation was told, and that ask for more
	next      uint64   // number of the next transaction
	dir       [2]streamState
	watch     *reassembly.Watch // nil until a rule asks for stream events
	pass      bool              // a pass rule let the whole flow go
	drop      bool              // a drop rule condemned it
	pd        [2]uint8          // by direction: protocol that protocol-only rules have been tried for, plus 1
	spoke     [2]bool           // by direction: it carried data
	noPayload bool              // encrypted from here on
}

type flowInt struct{ id, v uint32 }

// MaxFlowInts bounds the counters of one flow.
const MaxFlowInts = 64

func (f *Flow) reset(gen uint32) {
	clear(f.bits)
	f.gen, f.ints, f.txs = gen, f.ints[:0], f.txs[:0]
	f.vars = nil
	f.raw, f.events = f.raw[:0], f.events[:0]
	if f.watch != nil {
		*f.watch = reassembly.Watch{}
	}
	f.next, f.pass, f.drop, f.noPayload = 0, false, false, false
	f.pd, f.spoke = [2]uint8{}, [2]bool{}
	f.dir[0].reset()
	f.dir[1].reset()
}

func (f *Flow) bit(id uint32) bool {
	return int(id/64) < len(f.bits) && f.bits[id/64]&(1<<(id%64)) != 0
}

func (f *Flow) setBit(id uint32) {
	for int(id/64) >= len(f.bits) {
		f.bits = append(f.bits, 0)
	}
	f.bits[id/64] |= 1 << (id % 64)
}

func (f *Flow) clearBit(id uint32) {
	if int(id/64) < len(f.bits) {
		f.bits[id/64] &^= 1 << (id % 64)
	}
}

func (f *Flow) int(id uint32) (uint32, bool) {
	if f == nil {
		return 0, false
	}
	for _, v := range f.ints {
		if v.id == id {
			return v.v, true
		}
	}
	return 0, false
}

func (f *Flow) setInt(id, v uint32) {
	for i := range f.ints {
		if f.ints[i].id == id {
			f.ints[i].v = v
			return
		}
	}
	if len(f.ints) < MaxFlowInts {
		f.ints = append(f.ints, flowInt{id, v})
	}
}

// streamState is the part of a stream that is inspected together.
type streamState struct {
	buf  []byte // the end of what was inspected, then what was not
	base uint64 // place of buf in the stream
	done int    // bytes of buf that were inspected
	// piece is the place in buf of what is inspected as one piece: a rule is
	// told of once for each.
	piece int
	off   bool // depth reached, or no rule cares
	old   bool // other rules inspected some of buf: these must not see it again
	seen  []seenRule
	shown []byte // see Worker.Show

	// In line only: what the flow spoke at the last inspection, and that all of
	// buf is to be searched by the next.
	app   uint64
	again bool
}

// seenRule is a rule that matched in what a stream still holds, or, in line,
// whose pattern is in it. Places are of the stream.
type seenRule struct {
	id    uint32
	from  uint64 // what it matches next begins here
	until uint64 // once the stream holds nothing before this, it is forgotten
}

// maxSeen bounds the rules remembered of one direction of a stream. With more,
// what is held is searched again as a whole, and a rule may be told of twice.
const maxSeen = 64

func (s *streamState) reset() {
	s.buf, s.base, s.done, s.piece, s.off, s.old, s.seen = nil, 0, 0, 0, false, false, s.seen[:0]
	s.app, s.again, s.shown = 0, false, nil
}

// forget drops the rules whose place is behind the bytes held.
func (s *streamState) forget() {
	keep := s.seen[:0]
	for _, r := range s.seen {
		if r.until > s.base {
			keep = append(keep, r)
		}
	}
	s.seen = keep
}

// start is where in the stream a rule may match.
func (s *streamState) start(id uint32) uint64 {
	for i := range s.seen {
		if s.seen[i].id == id {
			return max(s.seen[i].from, s.base)
		}
	}
	return s.base
}

// note remembers a rule that matched up to the place end, or, when not matched,
// whose pattern lies before it.
func (s *streamState) note(id uint32, end uint64, matched bool) {
	r := seenRule{id: id, until: end}
	if matched {
		r.from = end
	}
	for i := range s.seen {
		if o := &s.seen[i]; o.id == id {
			r.from = max(r.from, o.from)
			*o = r
			return
		}
	}
	if len(s.seen) == maxSeen {
		s.again = true
		return
	}
	s.seen = append(s.seen, r)
}

// txState is what is known of an open transaction.
type txState struct {
	tx  proto.Tx
	id  uint64
	dir [2]txDir
}

type txDir struct {
	cand    []uint32 // rules whose filter hit and that did not match yet
	matched []uint32
	seen    uint64 // filters whose buffer was scanned, by bit
	file    File   // looked at last, nil once it has ended
}

// MaxOpenTx bounds the transactions of one flow of which state is kept.
const MaxOpenTx = 64

// tx finds or makes the state of tx; nil when there are too many.
func (f *Flow) tx(tx proto.Tx) *txState {
	for i := range f.txs {
		if f.txs[i].tx == tx {
			return &f.txs[i]
		}
	}
	if len(f.txs) == MaxOpenTx {
		return nil
	}
	if n := len(f.txs); n < cap(f.txs) {
		f.txs = f.txs[:n+1]
		t := &f.txs[n]
		t.tx, t.id = tx, f.next
		for d := range t.dir {
			t.dir[d] = txDir{cand: t.dir[d].cand[:0], matched: t.dir[d].matched[:0]}
		}
	} else {
		f.txs = append(f.txs, txState{tx: tx, id: f.next})
	}
	f.next++
	return &f.txs[len(f.txs)-1]
}

// drop forgets tx, keeping the memory of its lists.
func (f *Flow) forget(tx proto.Tx) {
	for i := range f.txs {
		if f.txs[i].tx == tx {
			t := f.txs[i]
			t.tx, t.dir[0].file, t.dir[1].file = nil, nil, nil
			copy(f.txs[i:], f.txs[i+1:])
			f.txs[len(f.txs)-1] = t
			f.txs = f.txs[:len(f.txs)-1]
			return
		}
	}
}

func contains(l []uint32, id uint32) bool { return slices.Contains(l, id) }

// maxRaw bounds the rules of which Flow.raw and Flow.events know.
const maxRaw = 64

// saw notes that the stream has shown the payload part of a rule that also
// looks at buffers.
func (f *Flow) saw(id uint32) {
	if len(f.raw) < maxRaw && !contains(f.raw, id) {
		f.raw = append(f.raw, id)
	}
}

// note remembers that the violation that a rule asks for was told.
func (f *Flow) note(id uint32) {
	if len(f.events) < maxRaw && !contains(f.events, id) {
		f.events = append(f.events, id)
	}
}

func (f *Flow) sawRaw(id uint32) bool { return f != nil && contains(f.raw, id) }
