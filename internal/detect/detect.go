// Package detect fixes what a detector is. Inline detectors judge what one
// flow shows for certain, in the worker, before the packet leaves.
package detect

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/proto"
)

// Inline looks at transactions in the worker. It is cheap, bounded, allocates
// nothing when it finds nothing, and is used by one worker only, so it may
// keep scratch memory; what it must remember about a flow it keeps in the
// transaction's own session.
type Inline interface {
	// Inspect is called for each Emit. c describes the flow as the parser sees
	// it. ok is true when f was filled in; the same judgement is given once
	// per flow.
	Inspect(f *flow.Flow, c *proto.Conn, tx proto.Tx) (finding event.Finding, ok bool)
}

// Detector is a named inline detector.
type Detector struct {
	Name string
	Doc  string
	New  func() Inline // one per worker
}

// Progress is implemented by inline detectors that have more to tell of a flow
// after they have found something in it.
type Progress interface {
	// Progress is called for each Emit after the detector's finding. ok is true
	// when there is something to tell, which the engine sends as an event; u
	// and what it points to are valid until the next call.
	Progress(c *proto.Conn, tx proto.Tx) (u *event.MiningUpdate, ok bool)
}

// Riser is implemented by inline detectors that go on judging a flow in which
// they have found something, because they may come to know more: Inspect is
// called for it further, and tells nothing twice.
type Riser interface{ Rises() }

// Holder is implemented by inline detectors whose findings can wait for a few
// messages, for what they would say of whom the flow works for.
type Holder interface {
	// Hold takes back the finding that Inspect just returned for tx: it is
	// returned again with the flow's next message. False: it cannot wait.
	Hold(tx proto.Tx) bool
}
