package inject

import (
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

// TestMirrorRate reaches the limit, and the next second.
func TestMirrorRate(t *testing.T) {
	m := Mirror{fd: -1, own: own}
	f, p := seen(t, a4, b4, packet.ACK, "x")
	f.Time = 5e9
	for range MirrorRate + 10 {
		m.Reset(f, p)
	}
	if m.Limited.Load() != 10 || m.Failed.Load() != MirrorRate {
		t.Errorf("%d held back, %d tried", m.Limited.Load(), m.Failed.Load())
	}
	f.Time += 1e9
	m.Reset(f, p)
	if m.Limited.Load() != 10 {
		t.Error("the next second is not counted anew")
	}
}
