package evidence

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
)

// The packets are kept in three rings, so that a download does not push out
// the beginning of a flow, nor the messages of one that speaks once a second.
const (
	heads = iota // the first packets of each flow
	slow         // packets of flows that send few
	fast         // all others
	rings
)

const (
	// headPackets of a flow are its head: a handshake of TCP and one of TLS.
	headPackets = 8
	// slowGap is the mean time between the packets of a slow flow, in ns: less
	// than twenty a second.
	slowGap = 50e6
	// bulkBytes is where a fast flow counts as bulk: it is not kept any more.
	// What is found in it has its head and the packet that shows it.
	bulkBytes = 1 << 20
)

// Recorder is one worker's. It is not safe for concurrent use; nil records
// nothing.
type Recorder struct {
	c       *Collector
	ring    [rings]ring
	seq     uint64
	pending []*slot
	refs    []ref
	minute  int64 // of packet time, of the count below
	count   int
	last    packet.Frame // the packet in hand, where it was not kept
	lastID  uint64
	kept    bool // the rings are there
}

// ref is a record of a flow.
type ref struct {
	b          []byte
	seq        uint64
	head, take bool
}

// Recorder makes one for a worker. A nil collector makes nil.
func (c *Collector) Recorder() *Recorder {
	if c == nil {
		return nil
	}
	r := &Recorder{c: c, pending: make([]*slot, 0, slots)}
	if c.On() {
		r.begin()
	}
	return r
}

// begin makes the rings.
func (r *Recorder) begin() {
	n := r.c.cfg.Bytes
	for i, n := range [rings]int{n / 4, n / 4, n / 2} {
		r.ring[i] = ring{buf: make([]byte, n)}
	}
	r.kept = true
}

// ready reports whether packets are kept; it makes and gives back the memory
// when that was switched.
func (r *Recorder) ready() bool {
	if r.c.off.Load() {
		if r.kept {
			r.ring, r.kept, r.last, r.lastID = [rings]ring{}, false, packet.Frame{}, 0
		}
		return false
	}
	if !r.kept {
		r.begin()
	}
	return true
}

// Packet keeps a packet of a flow that is looked into.
func (r *Recorder) Packet(f *packet.Frame, fl *flow.Flow) {
	if !r.ready() {
		return
	}
	r.seq++
	n := fl.Side[0].Packets + fl.Side[1].Packets
	k := heads
	if n > headPackets {
		k = fast
		if fl.Last-fl.Start >= int64(n)*slowGap {
			k = slow
		} else if fl.Side[0].Bytes+fl.Side[1].Bytes > bulkBytes {
			r.last, r.lastID = *f, fl.ID
			return
		}
	}
	r.lastID = 0
	data := f.Data[:min(len(f.Data), r.c.cfg.Snap)]
	h := record{size: sizeOf(len(data)), flow: fl.ID, seq: r.seq, time: f.Time, wire: max(f.Len, len(f.Data)), cap: len(data), link: f.Link, tpid: f.VLANTPID, tci: f.VLAN}
	if b := r.ring[k].room(h.size); b != nil {
		h.put(b)
		copy(b[headLen:], data)
	}
	if len(r.pending) > 0 {
		r.follow(&h, data)
	}
}

// follow adds a packet after the proof.
func (r *Recorder) follow(h *record, data []byte) {
	for i, s := range r.pending {
		if s.flow != h.flow {
			continue
		}
		s.left--
		if !s.add(h, data) || s.left <= 0 {
			r.pending = slices.Delete(r.pending, i, i+1)
			r.finish(s)
		}
		return
	}
}

// Found makes a capture for the finding of ev, which is of the packet in hand.
// alone is that packet where it belongs to no flow, else nil. A flow of which
// a capture is being made gets no second one.
func (r *Recorder) Found(ev *event.Event, alone *packet.Frame) {
	f := ev.Finding
	if !r.ready() || !r.c.cfg.Want(f) || ev.FlowID == 0 && alone == nil {
		return
	}
	for _, s := range r.pending {
		if s.flow == ev.FlowID && ev.FlowID != 0 {
			return
		}
	}
	if m := ev.Time / 60e9; m != r.minute {
		r.minute, r.count = m, 0
	}
	if r.count >= r.c.cfg.PerMinute {
		r.c.limited.Add(1)
		return
	}
	var s *slot
	select {
	case s = <-r.c.free:
	default:
		r.c.dropped.Add(1)
		return
	}
	r.count++
	s.begin(&r.c.cfg, ev)
	if ev.FlowID == 0 {
		r.whole(s, alone)
		r.finish(s)
		return
	}
	r.gather(s)
	if r.lastID == ev.FlowID {
		r.whole(s, &r.last)
	}
	r.pending = append(r.pending, s)
}

// whole adds a packet that is in no ring.
func (r *Recorder) whole(s *slot, f *packet.Frame) {
	data := f.Data[:min(len(f.Data), r.c.cfg.Snap)]
	s.add(&record{size: sizeOf(len(data)), seq: r.seq, time: f.Time, wire: max(f.Len, len(f.Data)), cap: len(data), link: f.Link, tpid: f.VLANTPID, tci: f.VLAN}, data)
}

// gather copies the flow's packets: the one that shows the proof, the flow's
// head, and as many of the latest as there is room for, less what is kept free
// for those to come.
func (r *Recorder) gather(s *slot) {
	r.refs = r.refs[:0]
	for k := range r.ring {
		r.ring[k].each(func(b []byte) {
			if binary.LittleEndian.Uint64(b[8:]) == s.flow {
				r.refs = append(r.refs, ref{b: b, seq: binary.LittleEndian.Uint64(b[16:]), head: k == heads})
			}
		})
	}
	slices.SortFunc(r.refs, func(a, b ref) int { return cmp.Compare(a.seq, b.seq) })
	left := s.room() - s.room()/4
	if r.lastID == s.flow {
		left -= blockOf(sizeOf(r.c.cfg.Snap))
	}
	take := func(x *ref, keep int) bool {
		if n := blockOf(len(x.b)); !x.take && left-n >= keep {
			left -= n
			x.take = true
		}
		return x.take
	}
	if n := len(r.refs); n > 0 {
		take(&r.refs[n-1], 0)
	}
	half := left / 2
	for i := range r.refs {
		if r.refs[i].head && !take(&r.refs[i], half) {
			break
		}
	}
	for i := len(r.refs) - 1; i >= 0 && take(&r.refs[i], 0); i-- {
	}
	for i := range r.refs {
		if x := &r.refs[i]; x.take {
			var h record
			h.get(x.b)
			s.add(&h, x.b[headLen:headLen+h.cap])
		}
	}
	clear(r.refs) // they point into the rings
}

// Tick hands over captures that have waited long enough; now is packet time.
func (r *Recorder) Tick(now int64) {
	if r == nil {
		return
	}
	r.lastID = 0
	for i := 0; i < len(r.pending); {
		s := r.pending[i]
		if now-s.time < afterTime && now >= s.time {
			i++
			continue
		}
		r.pending = slices.Delete(r.pending, i, i+1)
		r.finish(s)
	}
}

// Close hands over everything.
func (r *Recorder) Close() {
	if r == nil {
		return
	}
	for _, s := range r.pending {
		r.finish(s)
	}
	r.pending = r.pending[:0]
}

// finish never waits: there are no more slots than the channel holds.
func (r *Recorder) finish(s *slot) { r.c.ch <- s }

// comment is what the packet that shows the proof says of it.
func comment(dst []byte, f *event.Finding) []byte {
	add := func(parts ...string) {
		for _, p := range parts {
			dst = append(dst, p...)
		}
	}
	add(f.Signature, "\n", string(f.Category), " ", f.Level.String(), " ", strconv.FormatFloat(f.Confidence, 'f', 3, 64), " ", f.Action)
	if f.Rule != nil {
		add(" rule ", strconv.FormatUint(uint64(f.Rule.GID), 10), ":", strconv.FormatUint(uint64(f.Rule.SID), 10), ":", strconv.FormatUint(uint64(f.Rule.Rev), 10))
	}
	for _, e := range f.Evidence {
		add("\n", e.Code, ": ", e.Value)
		if e.Weight != 0 {
			add(" (", strconv.FormatFloat(e.Weight, 'f', 2, 64), ")")
		}
	}
	return dst
}
