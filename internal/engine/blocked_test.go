package engine

import (
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/policy"
	"github.com/yamori-net/yamori/internal/proto"
)

// listener finds nothing and notes whose flows are dropped.
type listener struct{ said []uint32 }

func (*listener) Inspect(*flow.Flow, *proto.Conn, proto.Tx) (event.Finding, bool) {
	return event.Finding{}, false
}

func (l *listener) Blocked(_ *flow.Flow, found *event.Finding, now int64) {
	if now > 0 {
		l.said = append(l.said, found.SignatureID)
	}
}

// TestTellBlocked: detectors hear of a finding whose flow is dropped, and of no
// other.
func TestTellBlocked(t *testing.T) {
	for _, tt := range []struct {
		name   string
		inline bool
		mode   policy.Mode
		want   int
	}{{"in line", true, policy.Protect, 1}, {"watching", false, policy.Protect, 0}, {"telling only", true, policy.Watch, 0}} {
		g := guard(t, tt.inline, nil, tt.mode)
		l := &listener{}
		w := g.e.Workers[0]
		w.detectors, w.more = append(w.detectors, l), append(w.more, nil)
		g.open(9)
		g.hear(false, 9, 1000, 5000, "ALPHA hello\n")
		g.hear(false, 9, 1012, 5000, "bad\n")
		if len(l.said) != tt.want || tt.want == 1 && l.said[0] != 77 {
			t.Errorf("%s: told of %v", tt.name, l.said)
		}
	}
}
