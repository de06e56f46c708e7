package match_test

import (
	"testing"

	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/verdict"
)

// TestTunnels: rules see the packet that carries a tunnel and the one inside.
func TestTunnels(t *testing.T) {
	far := [4]byte{198, 51, 100, 7}
	inner := udp(client, server, 1000, 2000, "hello")
	gre := ip(client, far, 47, append([]byte{0, 0, 8, 0}, inner...))
	ipip := ip(client, far, 4, inner)
	for _, c := range []struct {
		rule    string
		frame   []byte
		n       int
		blocked bool
	}{
		{"alert ip any any -> any any (ip_proto:47; sid:1;)", gre, 1, false},
		{"alert ip any any -> 198.51.100.7 any (sid:1;)", gre, 1, false},
		{"alert ip any any -> 203.0.113.9 any (sid:1;)", gre, 1, false},
		{"alert udp any any -> any any (content:\"hello\"; sid:1;)", gre, 1, false},
		{"alert ip any any -> any any (content:\"hello\"; sid:1;)", gre, 1, false},
		{"alert ip any any -> any any (ttl:64; sid:1;)", gre, 2, false},
		{"drop ip any any -> any any (ip_proto:47; sid:1;)", gre, 1, true},
		{"alert ip any any -> any any (ip_proto:4; sid:1;)", ipip, 1, false},
		{"alert ip any any -> any any (ip_proto:4; sid:1;)", inner, 0, false},
	} {
		r := replay(t, compile(t, c.rule, match.Options{}))
		r.frame(c.frame)
		if blocked := r.last.Action >= verdict.Drop; blocked != c.blocked {
			t.Errorf("%s: blocked %v", c.rule, blocked)
		}
		if got := r.end(); len(got) != c.n {
			t.Errorf("%s: %v", c.rule, got)
		}
	}
}
