package flow

import (
	"net/netip"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

// TestOrient: who the client is of a flow whose start was not seen.
func TestOrient(t *testing.T) {
	for _, tt := range []struct {
		src, dst     string
		sport, dport uint16
		client       bool // the sender is the client
	}{
		{"192.168.1.9", "198.51.100.4", 40000, 443, true},
		{"198.51.100.4", "192.168.1.9", 443, 40000, false},
		{"192.168.1.9", "198.51.100.4", 40000, 45700, true}, // the server's is higher, but drawn neither
		{"198.51.100.4", "192.168.1.9", 45700, 40000, false},
		{"198.51.100.4", "192.168.1.9", 50000, 25565, true}, // somebody plays at home: no system draws this port
		{"192.168.1.9", "192.168.1.5", 50000, 49200, true},  // both private: by the ports
		{"192.168.1.9", "192.168.1.5", 40000, 45700, false},
	} {
		addr := func(s string) packet.Addr { return packet.Addr(netip.MustParseAddr(s).As16()) }
		p := packet.Packet{Src: addr(tt.src), Dst: addr(tt.dst), SrcPort: tt.sport, DstPort: tt.dport, TCPFlags: packet.ACK}
		for _, fromHi := range []bool{false, true} {
			var f Flow
			f.orient(&p, fromHi)
			if !f.Midstream || (f.FromHi == fromHi) != tt.client {
				t.Errorf("%s:%d to %s:%d: the client is the sender: %v", tt.src, tt.sport, tt.dst, tt.dport, f.FromHi == fromHi)
			}
		}
	}
}
