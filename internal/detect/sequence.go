package detect

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/seq"
)

// Sequencer is implemented by an inline detector that also judges flows whose
// content cannot be read (any more), by the sizes, order and times of their
// messages. The engine keeps a tracker for such a flow and asks at checkpoints
// (see seq.Tracker.Due). One detector of a worker may be a Sequencer.
type Sequencer interface {
	// Follow is asked once, when the content of a flow is over. It may note in
	// t.Tag and t.Tag2 what it knows of the flow, and correct t.Kind; false:
	// the flow is not to be followed.
	Follow(f *flow.Flow, c *proto.Conn, t *seq.Tracker) bool

	// Judge looks at a flow at time now; end is true at its end. who names the
	// device behind the client, and may be called during Judge only. It may
	// find something in the same flow again, at a higher level.
	Judge(f *flow.Flow, t *seq.Tracker, now int64, end bool, who func() event.DeviceRef) (event.Finding, bool)
}

// Blocked is implemented by an inline detector that wants to know what became
// of findings.
type Blocked interface {
	// Blocked is told that a flow is dropped from time now on because of a
	// finding in it, whichever detector's.
	Blocked(f *flow.Flow, found *event.Finding, now int64)
}
