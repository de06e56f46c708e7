package engine

import (
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
)

// keep records a packet of a flow that is still looked into, before it is
// inspected. A flow that was let go is not copied.
func (w *Worker) keep(f *packet.Frame, fl *flow.Flow) {
	if fl.App != any(w.over) {
		w.evidence.Packet(f, fl)
	}
}

// prove makes a capture for the finding of the worker's event.
func (w *Worker) prove(a *match.Alert) {
	if w.evidence == nil {
		return
	}
	var alone *packet.Frame
	if a != nil && a.Flow == nil && a.Packet != nil {
		alone = a.Packet.Frame
	}
	w.evidence.Found(&w.ev, alone)
}
