package match

import (
	"github.com/yamori-net/yamori/internal/match/inspect"
	"github.com/yamori-net/yamori/internal/packet"
)

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
	// What all messages begin with, RFC 4443 section 2.1, and four bytes more,
	// as in Suricata 7.
	"icmpv6.hdr": func(p *packet.Packet) []byte {
		if p.Proto != packet.ProtoICMPv6 || len(p.L4) < 8 {
			return nil
		}
		return p.L4[:8]
	},
	"igmp.hdr": func(p *packet.Packet) []byte {
		if !isIGMP(p) {
			return nil
		}
		return p.L4
	},
	"sctp.hdr": func(p *packet.Packet) []byte {
		if !isSCTP(p) {
			return nil
		}
		return p.L4
	},
	"ether.hdr": etherHeader,
	"ip.src":    func(p *packet.Packet) []byte { return address(p, &p.Src) },
	"ip.dst":    func(p *packet.Packet) []byte { return address(p, &p.Dst) },
}

// header inspects a header, changed by ch.
func (c *ctx) header(ch chain, p *inspect.Program, b []byte) bool {
	if ch != nil {
		b = c.w.apply(ch, b)
	}
	c.w.ins.Start = 0
	ok := p.Match(b, &c.w.ins)
	if ok {
		c.w.captured()
	}
	return ok
}

// chunks reports whether one of the chunks of an SCTP packet matches.
func (c *ctx) chunks(ch chain, p *inspect.Program) bool {
	for _, value := range chunksOf(c.p) {
		if c.header(ch, p, value) {
			return true
		}
	}
	return false
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
