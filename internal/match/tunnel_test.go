package match_test

import (
	"testing"

	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// TestTunnels: rules see the packet that carries a tunnel and the one inside.
func TestTunnels(t *testing.T) {
	far := [4]byte{198, 51, 100, 7}
	inner := udp(client, server, 1000, 2000, "hello")
	gre := ip(client, far, 47, append([]byte{0, 0, 8, 0}, inner...))
	ipip := ip(client, far, 4, inner)
	eth := make([]byte, 12, 14)
	eth = append(eth, 8, 0)
	vxlan := udp(client, far, 5555, 4789, string([]byte{8, 0, 0, 0, 0, 0, 42, 0})+string(eth)+string(inner))
	geneve := udp(client, far, 5555, 6081, string([]byte{0, 0, 0x65, 0x58, 0, 0, 42, 0})+string(eth)+string(inner))
	teredo := udp(client, far, 5555, 3544, string(ip6("hello")))
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
		{"alert udp any any -> any 2000 (content:\"hello\"; sid:1;)", vxlan, 1, false},
		{"alert udp any any -> 198.51.100.7 4789 (sid:1;)", vxlan, 1, false},
		{"alert udp any any -> any 2000 (content:\"hello\"; sid:1;)", geneve, 1, false},
		{"alert udp any any -> 198.51.100.7 6081 (sid:1;)", geneve, 1, false},
		{"drop udp any any -> any 2000 (content:\"hello\"; sid:1;)", geneve, 1, true},
		{"alert udp any any -> 2001:db8::2 2000 (content:\"hello\"; sid:1;)", teredo, 1, false},
		{"alert udp any any -> any 3544 (sid:1;)", teredo, 1, false},
		{"drop udp any any -> any 3544 (sid:1;)", teredo, 1, true},
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

// ip6 is a datagram over IPv6 from port 1000 to port 2000.
func ip6(text string) []byte {
	n := byte(8 + len(text))
	b := []byte{0x60, 0, 0, 0, 0, n, 17, 64}
	for _, last := range []byte{1, 2} {
		b = append(b, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last)
	}
	return append(append(b, 1000>>8, 1000&255, 2000>>8, 2000&255, 0, n, 0, 0), text...)
}

// An alert says where its packet came from.
func TestSourceOfPacket(t *testing.T) {
	inner := udp(client, server, 1000, 2000, "inside")
	vxlan := append([]byte{8, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0}, inner...)
	for _, c := range []struct {
		frame []byte
		want  string
	}{
		{inner, `"wire/pcap"`},
		{udp(client, server, 4000, 4789, string(vxlan)), `"vxlan encapsulation"`},
		{ip(client, server, packet.ProtoIPIP, inner), `"ipv4 tunnel"`},
		{ip(client, server, packet.ProtoGRE, append([]byte{0, 0, 8, 0}, inner...)), `"gre tunnel"`},
		{ip(client, server, packet.ProtoIPv6, ip6("inside")), `"ipv4 tunnel"`},
	} {
		got := records(t, `alert udp any any -> any 2000 (content:"inside"; sid:1;)`, "alert", nil, func(r *replayer) { r.frame(c.frame) })
		if len(got) != 1 {
			t.Fatalf("%s: %d alerts", c.want, len(got))
		}
		expect(t, got[0], map[string]string{"pkt_src": c.want})
	}
	got := records(t, `alert tcp-stream any any -> any any (content:"left over"; sid:1;)`, "alert", nil, func(r *replayer) {
		r.open(40000, 7777).send(packet.ToServer, "left over")
	})
	expect(t, got[0], map[string]string{"pkt_src": `"stream (flow timeout)"`})
}
