package engine

import (
	"cmp"
	"context"
	"slices"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
)

// MaxLiveFlows bounds what each worker tells of at a time.
const MaxLiveFlows = 2048

// LiveFlow is a flow that is open, as it was when the worker told of it.
type LiveFlow struct {
	ID               uint64
	Src, Dst         packet.Addr
	SrcPort, DstPort uint16
	Proto            uint8
	AppProto         string
	First, Last      int64
	Bytes            [2]uint64 // by packet.Dir
	Device           event.DeviceRef
	Blocked          bool
}

// LiveFlows asks all workers for their flows. A worker answers when its timers
// run next, at least once a second while it runs; what no worker has answered
// when ctx ends is left out, and its error returned.
func (e *Engine) LiveFlows(ctx context.Context) (out []LiveFlow, err error) {
	select { // one question at a time: a second would take the first one's answers
	case e.asking <- struct{}{}:
		defer func() { <-e.asking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	answers := make(chan []LiveFlow, len(e.Workers))
	for _, w := range e.Workers {
		w.tell.Store(&answers)
	}
	for range e.Workers {
		select {
		case a := <-answers:
			out = append(out, a...)
		case <-ctx.Done():
			err = ctx.Err()
		}
		if err != nil {
			break
		}
	}
	slices.SortFunc(out, func(a, b LiveFlow) int { return cmp.Or(cmp.Compare(b.Last, a.Last), cmp.Compare(a.ID, b.ID)) })
	return out, err
}

// liveFlows answers who asked.
func (w *Worker) liveFlows() {
	to := w.tell.Swap(nil)
	if to == nil {
		return
	}
	var out []LiveFlow
	w.table.Each(func(f *flow.Flow) {
		if len(out) == MaxLiveFlows {
			return
		}
		l := LiveFlow{ID: f.ID, Proto: f.Key.Proto, AppProto: f.AppProto, First: f.Start, Last: f.Last, Bytes: [2]uint64{f.Side[0].Bytes, f.Side[1].Bytes},
			Blocked: f.Action == "drop"}
		l.Src, l.SrcPort = f.Client()
		l.Dst, l.DstPort = f.Server()
		if l.Device = w.ref(f.ClientMAC, l.Src); l.Device.ID == "" {
			l.Device = w.ref(f.ServerMAC, l.Dst)
		}
		out = append(out, l)
	})
	*to <- out
}
