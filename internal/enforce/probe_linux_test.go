package enforce

import "testing"

// TestProbe: what Install needs here is there, and looking changes nothing.
func TestProbe(t *testing.T) {
	t.Parallel()
	h := makeHouse(t)
	before := h.snapshot()
	var a Abilities
	h.do(func() error { a = Probe(); return nil })
	if !a.NFT || !a.CanInspect() {
		t.Errorf("%+v", a)
	}
	if after := h.snapshot(); after != before {
		t.Errorf("looking changed something:\n%s\n%s", before, after)
	}
}
