package engine

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/seq"
)

// MaxWatched bounds the flows of one worker that are followed by the sequence
// of their messages; beyond it the one quiet for longest is let go. With the
// 560 bytes of each that is 2.3 MB.
const MaxWatched = 4096

// touchEvery is how long a watched flow may keep its place among those in use:
// a packet must not cost two cache misses for an order that is needed to the
// second.
const touchEvery = int64(1e9)

// watched is a flow whose content is over or cannot be read, and whose
// messages are still followed. It stands in Flow.App. Released ones are pooled.
type watched struct {
	seq.Tracker
	flow       *flow.Flow
	app        string
	used       int64    // when it was last put in front
	prev, next *watched // ring of those in use, the latest used behind the head
}

// watchRing is the head of the ring.
type watchRing struct {
	head watched
	n    int
	free []*watched
	cur  *watched // being worked on, for rescue
	pc   proto.Conn
}

func (r *watchRing) init() { r.head.prev, r.head.next = &r.head, &r.head }

func (r *watchRing) unlink(a *watched) { a.prev.next, a.next.prev = a.next, a.prev }

func (r *watchRing) front(a *watched) {
	a.prev, a.next = &r.head, r.head.next
	a.prev.next, a.next.prev = a, a
}

// kindOf says how the messages of a flow of protocol app are told apart.
func kindOf(app string) (seq.Kind, bool) {
	switch app {
	case "tls":
		return seq.TLS13, true
	case "ssh":
		return seq.SSH, true
	case "quic":
		return seq.QUIC, true
	case Unrecognised:
		return seq.Raw, true
	}
	return 0, false
}

// follow begins to watch a flow that was just released, where a detector
// wants it, with packet p.
func (w *Worker) follow(fl *flow.Flow, pc *proto.Conn, d packet.Dir, p *packet.Packet) {
	kind, ok := kindOf(fl.AppProto)
	if !ok || w.seq == nil || fl.App != any(w.over) {
		return
	}
	r := &w.watch
	var a *watched
	switch n := len(r.free); {
	case r.n >= MaxWatched:
		w.unfollow(r.head.prev)
		fallthrough
	case n > 0:
		a = r.free[len(r.free)-1]
		r.free = r.free[:len(r.free)-1]
	default:
		a = new(watched)
	}
	a.Start(kind)
	if !w.seq.Follow(fl, pc, &a.Tracker) {
		r.free = append(r.free, a)
		return
	}
	a.flow, a.app, a.used = fl, fl.AppProto, p.Time
	fl.App = a
	r.front(a)
	r.n++
	w.sequence(fl, a, d, p)
}

// unfollow lets go of a flow without a last look.
func (w *Worker) unfollow(a *watched) {
	w.watch.unlink(a)
	w.watch.n--
	a.flow.App = w.over
	a.flow = nil
	w.watch.free = append(w.watch.free, a)
}

// sequence takes a packet of a watched flow.
func (w *Worker) sequence(fl *flow.Flow, a *watched, d packet.Dir, p *packet.Packet) {
	if len(p.Payload) == 0 {
		return
	}
	r := &w.watch
	if r.head.next != a && p.Time-a.used >= touchEvery {
		a.used = p.Time
		r.unlink(a)
		r.front(a)
	}
	r.cur = a
	var more bool
	if a.Kind == seq.QUIC {
		more = a.Datagram(p.Time, d, p.Payload, p.Missing)
	} else {
		more = a.Segment(p.Time, d, p.Seq, p.Payload, p.Missing)
	}
	if a.Due(p.Time) {
		w.judgeSequence(fl, a, p.Time, false)
	}
	r.cur = nil
	if !more {
		w.unfollow(a)
	}
}

// endSequence takes a last look at a watched flow that ends.
func (w *Worker) endSequence(fl *flow.Flow, a *watched) {
	w.watch.cur = a
	a.Flush()
	w.judgeSequence(fl, a, fl.Last, true)
	w.watch.cur = nil
	w.unfollow(a)
}

func (w *Worker) judgeSequence(fl *flow.Flow, a *watched, now int64, end bool) {
	f, ok := w.seq.Judge(fl, &a.Tracker, now, end, w.who)
	if !ok {
		return
	}
	pc := &w.watch.pc
	pc.Time, pc.AppProto = now, a.app
	w.emitFinding(fl, pc, &f)
}

// whoWatched names the client's device of the flow being judged.
func (w *Worker) whoWatched() event.DeviceRef {
	fl := w.watch.cur.flow
	ip, _ := fl.Client()
	return w.ref(fl.ClientMAC, ip)
}
