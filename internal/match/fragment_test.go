package match_test

import (
	"testing"

	"github.com/yamori-net/yamori/internal/match"
)

// TestFragmentPorts: a fragment has no port, not port 0.
func TestFragmentPorts(t *testing.T) {
	r := replay(t, compile(t, `alert udp any any -> any 0 (sid:1;)
alert udp any 0 -> any any (sid:2;)
alert udp any any -> any any (sid:3;)`, match.Options{}))
	whole := udp(client, server, 0, 0, "to port 0")
	r.frame(whole)
	later := append([]byte(nil), whole...)
	later[7] = 3 // eight times the fragment's offset
	r.frame(later)
	same(t, r.end(), []uint32{1, 2, 3, 3})
}
