package event

import "testing"

func TestAppendProto(t *testing.T) {
	for p, want := range map[uint8]string{0: "0", 1: "ICMP", 6: "TCP", 17: "UDP", 58: "IPv6-ICMP", 89: "OSPF", 103: "PIM", 112: "VRRP", 132: "SCTP", 200: "200"} {
		if got := string(AppendProto(nil, p)); got != want {
			t.Errorf("%d: %s, not %s", p, got, want)
		}
	}
}
