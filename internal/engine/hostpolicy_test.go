package engine

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/reassembly"
)

// TestHostPolicies: of two segments that wait and differ, the one counts that
// the receiver takes; the narrowest prefix that holds it says which.
func TestHostPolicies(t *testing.T) {
	server := netip.MustParseAddr("192.0.2.1")
	last := HostPolicy{netip.PrefixFrom(server, server.BitLen()), reassembly.Last}
	all := HostPolicy{netip.PrefixFrom(server, 8).Masked(), reassembly.First}
	other := HostPolicy{netip.MustParsePrefix("203.0.113.0/24"), reassembly.Last}
	for _, k := range []struct {
		hosts []HostPolicy
		want  string
	}{
		{nil, "old"},
		{[]HostPolicy{last}, "new"},
		{[]HostPolicy{all, last, other}, "new"},
		{[]HostPolicy{last, all}, "new"},
		{[]HostPolicy{all, other}, "old"},
	} {
		w := newWorld(t, func(c *Config) { c.HostPolicies = k.hosts }, alpha)
		w.open(9)
		w.c(9, "ALPHA\n")
		at := uint32(1000 + 6)
		w.handle(frame(6, false, 9, packet.ACK, at+1, 5000, []byte("old\n")))
		w.handle(frame(6, false, 9, packet.ACK, at+1, 5000, []byte("new\n")))
		w.handle(frame(6, false, 9, packet.ACK, at, 5000, []byte("-")))
		w.e.Close()
		if !strings.Contains(strings.Join(w.events, " "), ">-"+k.want) {
			t.Errorf("%v: %q, want %s", k.hosts, w.events, k.want)
		}
	}
}
