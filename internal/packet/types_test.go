package packet

import (
	"net/netip"
	"testing"
)

func TestAddr(t *testing.T) {
	for _, c := range []struct {
		a    Addr
		text string
		is4  bool
	}{
		{AddrFrom4(ip(a1)), a1, true},
		{AddrFrom16(ip(b1)), b1, false},
		{AddrOf(netip.MustParseAddr("fe80::1%eth0")), "fe80::1", false},
		{AddrOf(netip.MustParseAddr("::ffff:192.0.2.1")), a1, true},
		{Addr{}, "::", false},
		{AddrOf(netip.MustParseAddr("100::ffff:c000:201")), "100::ffff:c000:201", false},
	} {
		if c.a.String() != c.text || c.a.Is4() != c.is4 || c.a.Netip() != netip.MustParseAddr(c.text) {
			t.Errorf("%s: got %s, Is4 %v", c.text, c.a, c.a.Is4())
		}
	}
}

func TestDir(t *testing.T) {
	if ToServer.Reverse() != ToClient || ToClient.Reverse() != ToServer {
		t.Error("Reverse")
	}
	if ToServer.String() != "to_server" || ToClient.String() != "to_client" {
		t.Error("String")
	}
}
