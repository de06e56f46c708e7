package flow

import "github.com/yamori-net/yamori/internal/packet"

// Every flow is in the queue of its kind and state. A queue is ordered by last
// use, oldest at the head, and all its flows share one time-out, so the head
// is always the next to end: queues do the work of a timing wheel, without
// buckets to walk through when time jumps, and the order that eviction needs
// comes for free. A flow moves to the tail at most once per tick, so most
// packets touch no queue at all.
const (
	qTCPFirst   = iota // one packet, no answer
	qUDPFirst          //
	qOtherFirst        //
	qTCPClosed         //
	qTCPNew            // half open, or several packets and no answer
	qUDPNew            //
	qOtherNew          //
	qTCPEst            //
	qUDPEst            //
	qOtherEst          //
	nQueues
)

// tick is the grain of the queues' order, and how late a time-out may be.
const tick = int64(1e9)

// classOf is the order in which a full table gives up its flows.
var classOf = [nQueues]Class{
	qTCPFirst: Unanswered, qUDPFirst: Unanswered, qOtherFirst: Unanswered,
	qTCPClosed: Done,
	qTCPNew:    Opening, qUDPNew: Opening, qOtherNew: Opening,
	qTCPEst: Talking, qUDPEst: Talking, qOtherEst: Talking,
}

// queue is a doubly linked list through Flow.prev and Flow.next.
type queue struct{ head, tail *Flow }

func (q *queue) push(f *Flow) {
	f.prev, f.next = q.tail, nil
	if q.tail == nil {
		q.head = f
	} else {
		q.tail.next = f
	}
	q.tail = f
}

func (q *queue) remove(f *Flow) {
	if f.prev == nil {
		q.head = f.next
	} else {
		f.prev.next = f.next
	}
	if f.next == nil {
		q.tail = f.prev
	} else {
		f.next.prev = f.prev
	}
	f.prev, f.next = nil, nil
}

// queueFor says where the flow belongs now.
func (f *Flow) queueFor() uint8 {
	kind := uint8(2)
	switch f.Key.Proto {
	case packet.ProtoTCP:
		kind = 0
	case packet.ProtoUDP:
		kind = 1
	}
	switch {
	case f.State == Closed:
		return qTCPClosed
	case f.State == Established:
		return qTCPEst + kind
	case f.Side[0].Packets+f.Side[1].Packets <= 1:
		return qTCPFirst + kind
	}
	return qTCPNew + kind
}

func (t *Table) enqueue(f *Flow, q uint8) {
	f.queue, f.touched = q, t.clock.now
	t.queues[q].push(f)
}

// expired compares with the tick added: f.touched lies up to one tick before
// the flow's last packet.
func (t *Table) expired(f *Flow) bool {
	l := &t.limits[0]
	if t.stats.InEmergency {
		l = &t.limits[1]
	}
	return t.clock.now-f.touched >= l[f.queue]+tick
}

func (f *Flow) idleReason() Reason {
	if f.State == Closed {
		return Finished
	}
	return Timeout
}

// evict frees one entry of a full table: of the lowest class that has any, the
// least recently used flow.
func (t *Table) evict() {
	if !t.stats.InEmergency {
		t.stats.InEmergency = true
		t.stats.Emergencies++
	}
	var victim *Flow
	for q := range t.queues {
		if victim != nil && classOf[q] != classOf[victim.queue] {
			break
		}
		if f := t.queues[q].head; f != nil && (victim == nil || f.touched < victim.touched) {
			victim = f
		}
	}
	// Past its emergency time-out the victim is no loss.
	if t.expired(victim) {
		t.end(victim, victim.idleReason())
		return
	}
	t.stats.Evicted[classOf[victim.queue]]++
	t.end(victim, Evicted)
}

// rebaseAt is where the table's clock is set back, half of its range.
const rebaseAt = int64(1) << 62

// rebase keeps the clock from overflowing. A capture whose time keeps jumping
// gets here after millions of jumps, a sound one never.
func (t *Table) rebase() {
	t.clock.now -= rebaseAt
	for q := range t.queues {
		for f := t.queues[q].head; f != nil; f = f.next {
			f.touched -= rebaseAt
		}
	}
}
