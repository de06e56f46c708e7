package packet

import (
	"strings"
	"testing"
)

func BenchmarkDecode(b *testing.B) {
	body := strings.Repeat("x", 1200)
	for _, c := range []struct {
		name string
		link LinkType
		data []byte
	}{
		{"tcp4", LinkEthernet, ether(0x0800, v4(6, a1, a2, tcpOpt(1, 2, ACK, zeros(12), body)))},
		{"tcp6", LinkEthernet, ether(0x86dd, v6(6, b1, b2, tcpOpt(1, 2, ACK, zeros(12), body)))},
		{"udp4", LinkEthernet, ether(0x0800, v4(17, a1, a2, udp(1, 2, []byte(body))))},
		{"vlan-pppoe", LinkEthernet, ether(0x8100, tag(7, 0x8864), pppoe(cat(u16(0x21), web)))},
		{"vxlan", LinkEthernet, ether(0x0800, vx(4789, vxlanHdr, ether(0x0800, web)))},
		{"dslite", LinkEthernet, ether(0x86dd, v6(4, b1, b2, web))},
		{"arp", LinkEthernet, ether(0x0806, u16(1, 0x0800), []byte{6, 4}, u16(1), zeros(20))},
	} {
		b.Run(c.name, func(b *testing.B) {
			var d Decoder
			p, f := new(Packet), frame(c.link, c.data)
			b.ReportAllocs()
			for b.Loop() {
				d.Decode(p, f)
			}
		})
	}
}
