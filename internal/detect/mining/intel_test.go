package mining

import (
	"encoding/binary"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

func addr(n uint32) packet.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return packet.AddrFrom4(b[:])
}

// TestMemoryBounds: names and devices, however many an attacker invents, are
// remembered up to a limit, the latest of them.
func TestMemoryBounds(t *testing.T) {
	m := newMemory()
	const n = 5000
	for i := range uint32(n) {
		m.named(addr(i), 3, false, 1)
		m.seen(addr(i), flowSeen{id: uint64(i), score: 1})
	}
	if len(m.host) != maxPoolHosts || len(m.hostQ) != maxPoolHosts || len(m.device) != maxDevices || len(m.deviceQ) != maxDevices {
		t.Errorf("%d hosts, %d devices", len(m.host), len(m.device))
	}
	if i, _ := m.poolAt(addr(n-1), 2); i != 3 {
		t.Error("the latest name is forgotten")
	}
	if i, _ := m.poolAt(addr(0), 2); i != -1 {
		t.Error("the oldest name is still known")
	}
	if i, _ := m.poolAt(addr(n-1), 2+poolHostAge); i != -1 {
		t.Error("a name is believed for ever")
	}
}

// TestOtherFlows: a device with several such flows, and one that turns to the
// next pool.
func TestOtherFlows(t *testing.T) {
	m := newMemory()
	c := addr(1)
	for i, tt := range []struct {
		f      flowSeen
		others int
		next   bool
	}{
		{flowSeen{1, addr(10), 443, 100, 2}, 0, false},
		{flowSeen{1, addr(10), 443, 100, 3}, 0, false}, // the same again
		{flowSeen{2, addr(10), 443, 200, 2}, 1, false}, // the same pool again
		{flowSeen{3, addr(11), 443, 300, 2}, 2, true},  // the next
		{flowSeen{4, addr(12), 443, 400, -1}, 3, true},
		{flowSeen{5, addr(12), 443, 500, 1}, 3, true}, // the one before speaks against it and does not count
	} {
		if same, others, next := m.seen(c, tt.f); same+others != tt.others || next != tt.next {
			t.Errorf("%d: %d others, next %v; want %d, %v", i, others, next, tt.others, tt.next)
		}
	}
	if same, others, _ := m.seen(addr(2), flowSeen{id: 9, score: 2}); same+others != 0 {
		t.Error("another device's flows count")
	}
}
