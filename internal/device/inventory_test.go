package device

import (
	"net/netip"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

func ip(s string) packet.Addr { return packet.AddrOf(netip.MustParseAddr(s)) }

var (
	macA = packet.MAC{2, 0, 0, 0, 0, 0xa}
	macB = packet.MAC{2, 0, 0, 0, 0, 0xb}
)

func TestSeen(t *testing.T) {
	v := NewInventory(nil)
	v.Seen(macA, ip("192.168.1.2"), 10)
	v.Seen(macA, ip("fe80::1"), 20)
	v.Seen(macA, ip("192.168.1.2"), 30)
	v.Seen(macB, ip("203.0.113.9"), 10)                  // not of the home
	v.Seen(packet.MAC{}, ip("10.0.0.5"), 5)              // no link layer
	v.Seen(packet.MAC{1, 0, 0x5e}, ip("172.16.0.1"), 40) // a group address is nobody's
	d := Merge(v)
	if len(d) != 3 || d[0].ID != "ip:10.0.0.5" || d[1].ID != "mac:02:00:00:00:00:0a" || d[2].ID != "ip:172.16.0.1" {
		t.Fatalf("%+v", d)
	}
	if a := d[1]; len(a.Addresses) != 2 || a.First != 10 || a.Last != 30 || a.Kind != Unknown {
		t.Errorf("%+v", a)
	}
	if r := v.Ref(macA, ip("192.168.1.2")); r.ID != "mac:02:00:00:00:00:0a" || r.Kind != Unknown {
		t.Errorf("%+v", r)
	}
	if r := v.Ref(macB, ip("192.168.1.9")); r.ID != "ip:192.168.1.9" {
		t.Errorf("%+v", r)
	}
	if r := v.Ref(macB, ip("203.0.113.9")); r.ID != "" {
		t.Errorf("%+v", r)
	}
}

func TestHomeNet(t *testing.T) {
	v := NewInventory([]netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")})
	v.Seen(macA, ip("192.168.1.2"), 1)
	v.Seen(macB, ip("203.0.113.9"), 1)
	if d := Merge(v); len(d) != 1 || d[0].MAC != macB {
		t.Errorf("%+v", d)
	}
}

func TestMergeWorkers(t *testing.T) {
	v, w := NewInventory(nil), NewInventory(nil)
	v.Seen(macA, ip("192.168.1.2"), 20)
	w.Seen(macA, ip("192.168.1.3"), 10)
	w.Seen(macA, ip("192.168.1.2"), 30)
	d := Merge(v, w)
	if len(d) != 1 || len(d[0].Addresses) != 2 || d[0].First != 10 || d[0].Last != 30 {
		t.Errorf("%+v", d)
	}
}

// Somebody on the LAN invents addresses: the list stays bounded, and the
// devices seen lately stay on it.
func TestFlood(t *testing.T) {
	v := NewInventory(nil)
	for i := range 5 * MaxDevices {
		m := packet.MAC{2, 1, byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)}
		v.Seen(m, packet.AddrFrom4([]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), int64(i))
		if i%100 == 0 {
			v.Seen(macA, ip("192.168.1.2"), int64(i))
		}
	}
	d := Merge(v)
	if len(d) > MaxDevices {
		t.Errorf("%d devices", len(d))
	}
	found := false
	for _, x := range d {
		found = found || x.MAC == macA
	}
	if !found {
		t.Error("the real device was pushed out")
	}
	for i := range 3 * MaxAddresses {
		v.Seen(macA, packet.AddrFrom4([]byte{192, 168, 2, byte(i)}), 1e9)
	}
	for _, x := range Merge(v) {
		if len(x.Addresses) > MaxAddresses {
			t.Errorf("%d addresses", len(x.Addresses))
		}
	}
}

func TestNoAllocs(t *testing.T) {
	v := NewInventory(nil)
	a := ip("192.168.1.2")
	v.Seen(macA, a, 1)
	if n := testing.AllocsPerRun(100, func() { v.Seen(macA, a, 2) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
