package match

import "github.com/yamori-net/yamori/internal/packet"

// frames returns the headers that rules inspect by name; nil when the packet
// has none such.
var frames = map[string]func(*packet.Packet) []byte{
	"ipv4.hdr": func(p *packet.Packet) []byte { return ipHeader(p, 4) },
	"ipv6.hdr": func(p *packet.Packet) []byte { return ipHeader(p, 6) },
	"tcp.hdr":  func(p *packet.Packet) []byte { return l4Header(p, packet.ProtoTCP) },
	"udp.hdr":  func(p *packet.Packet) []byte { return l4Header(p, packet.ProtoUDP) },
	"icmpv4.hdr": func(p *packet.Packet) []byte {
		return l4Header(p, packet.ProtoICMP)
	},
	// Suricata inspects the whole ICMPv6 message behind this name.
	"icmpv6.hdr": func(p *packet.Packet) []byte {
		if p.Proto != packet.ProtoICMPv6 {
			return nil
		}
		return p.L4
	},
	"ip.src": func(p *packet.Packet) []byte { return address(p, &p.Src) },
	"ip.dst": func(p *packet.Packet) []byte { return address(p, &p.Dst) },
}

// address is the four or sixteen bytes of an address.
func address(p *packet.Packet, a *packet.Addr) []byte {
	switch p.Version {
	case 4:
		return a[12:]
	case 6:
		return a[:]
	}
	return nil
}

func ipHeader(p *packet.Packet, version uint8) []byte {
	if p.Version != version {
		return nil
	}
	return p.IP[:min(p.IPHdr, len(p.IP))]
}

func l4Header(p *packet.Packet, proto uint8) []byte {
	if p.Proto != proto || p.L4 == nil {
		return nil
	}
	return p.L4[:len(p.L4)-min(len(p.Payload), len(p.L4))]
}
