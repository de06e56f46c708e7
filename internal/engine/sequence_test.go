package engine

import (
	"testing"
	"unsafe"

	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/seq"
)

// follower follows every flow and finds something in none, or breaks.
type follower struct {
	judged, ended int
	broken        bool
}

func (f *follower) Inspect(*flow.Flow, *proto.Conn, proto.Tx) (event.Finding, bool) {
	return event.Finding{}, false
}
func (f *follower) Follow(*flow.Flow, *proto.Conn, *seq.Tracker) bool { return true }
func (f *follower) Judge(_ *flow.Flow, _ *seq.Tracker, _ int64, end bool, who func() event.DeviceRef) (event.Finding, bool) {
	if f.broken {
		panic("judge")
	}
	if f.judged++; end {
		f.ended++
	}
	who()
	return event.Finding{}, false
}

func TestWatchedSize(t *testing.T) {
	if n := unsafe.Sizeof(watched{}); n > 560 {
		t.Errorf("a watched flow costs %d bytes", n)
	}
}

// watchedWorker is a worker that follows unknown flows.
func watchedWorker(t *testing.T, f *follower) *Worker {
	e, err := New(Config{Detectors: []detect.Detector{{Name: "follower", New: func() detect.Inline { return f }}}})
	if err != nil {
		t.Fatal(err)
	}
	return e.Workers[0]
}

// put begins to watch a flow by hand.
func put(w *Worker, fl *flow.Flow, now int64) {
	fl.App, fl.AppProto = w.over, Unrecognised
	w.follow(fl, &proto.Conn{Time: now}, packet.ToServer, &packet.Packet{Time: now, Payload: []byte{1, 2, 3}})
}

// TestWatchBound: the one quiet for longest is let go, and counted no more.
func TestWatchBound(t *testing.T) {
	f := &follower{}
	w := watchedWorker(t, f)
	flows := make([]flow.Flow, MaxWatched+10)
	for i := range flows {
		put(w, &flows[i], int64(1e9+i))
		if i == 100 { // the first is used again and stays
			w.sequence(&flows[0], flows[0].App.(*watched), packet.ToServer, &packet.Packet{Time: 2e9, Payload: []byte{1}})
		}
	}
	if w.watch.n != MaxWatched {
		t.Errorf("%d watched", w.watch.n)
	}
	for i, want := range map[int]bool{0: true, 1: false, 10: false, 11: true, MaxWatched + 9: true} {
		if _, ok := flows[i].App.(*watched); ok != want {
			t.Errorf("flow %d is watched: %v", i, ok)
		}
	}
	a := flows[11].App.(*watched)
	w.endSequence(&flows[11], a)
	if f.ended != 1 || w.watch.n != MaxWatched-1 || flows[11].App != any(w.over) {
		t.Errorf("ended %d, %d watched", f.ended, w.watch.n)
	}
}

// TestWatchPanic: a judge that breaks costs the flow.
func TestWatchPanic(t *testing.T) {
	f := &follower{broken: true}
	w := watchedWorker(t, f)
	var fl flow.Flow
	put(w, &fl, 1e9)
	func() {
		defer w.rescue()
		w.endSequence(&fl, fl.App.(*watched))
	}()
	if w.watch.n != 0 || w.n.Panics != 1 || fl.App != any(w.over) {
		t.Errorf("%d watched, %d panics", w.watch.n, w.n.Panics)
	}
}
