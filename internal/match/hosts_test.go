package match

import "testing"

// TestMaxPorts reaches the bound on what unique_on remembers: beyond it every
// match counts, and what is forgotten makes room again.
func TestMaxPorts(t *testing.T) {
	h := NewHosts(0)
	var cs []*count
	for range MaxPorts / 65536 {
		c := &count{}
		for p := range 65536 {
			if !h.distinct(c, uint16(p), 1<<20) {
				t.Fatal("a new port was known")
			}
		}
		cs = append(cs, c)
	}
	c := &count{}
	for range 3 {
		if !h.distinct(c, 7, 10) || len(c.ports) != 0 {
			t.Fatal("a port was kept beyond the bound")
		}
	}
	if h.ports.Load() != MaxPorts {
		t.Errorf("%d ports counted", h.ports.Load())
	}
	h.forgetPorts(cs[0])
	if !h.distinct(c, 7, 10) || h.distinct(c, 7, 10) {
		t.Error("no room was made")
	}
	if h.distinct(cs[1], 7, 1<<20) {
		t.Error("a port that is kept counts again")
	}
}
