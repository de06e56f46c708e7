package packet

import "encoding/binary"

// EtherTypes that Decode follows (IEEE registry). Values below 0x0600 are the
// length field of an IEEE 802.3 frame.
const (
	etherIPv4   = 0x0800
	etherARP    = 0x0806
	etherTEB    = 0x6558 // transparent Ethernet bridging, in GRE
	etherVLAN   = 0x8100 // IEEE 802.1Q
	etherQinQ   = 0x88a8 // IEEE 802.1ad
	etherQinQ91 = 0x9100 // stacked tags before 802.1ad
	etherQinQ92 = 0x9200
	etherIPv6   = 0x86dd
	etherPPP    = 0x880b // in GRE, RFC 2637
	etherMPLS   = 0x8847
	etherMPLSMC = 0x8848
	etherPPPoE  = 0x8864 // session stage; discovery (0x8863) carries no IP
	etherNSH    = 0x894f // RFC 8300
	etherMin    = 0x0600
)

// ethernet reads an Ethernet II or IEEE 802.3 frame. Inside a tunnel the
// hardware addresses are those of another link and are not kept.
func (d *Decoder) ethernet(p *Packet, b []byte, n nest) {
	if len(b) < 14 {
		p.Anomalies |= TruncatedFrame
		return
	}
	if n.depth == 0 {
		p.DstMAC, p.SrcMAC = MAC(b[:6]), MAC(b[6:12])
		p.HasMAC = true
	}
	switch et := be16(b[12:]); et {
	case etherIPv4:
		d.ipv4(p, b[14:], n)
	case etherIPv6:
		d.ipv6(p, b[14:], n)
	default:
		d.network(p, et, b[14:], n)
	}
}

// network reads what an EtherType announces. EtherTypes that are not known
// leave an enclosing IP packet as it is.
func (d *Decoder) network(p *Packet, et uint16, b []byte, n nest) {
	for tags := 0; ; tags++ {
		if p.Version == 0 {
			p.EtherType = et
		}
		switch et {
		case etherVLAN, etherQinQ, etherQinQ91, etherQinQ92:
			if tags == MaxVLANTags {
				p.Anomalies |= TooDeep
				return
			}
			if len(b) < 4 {
				p.Anomalies |= TruncatedFrame
				return
			}
			p.addVLAN(be16(b))
			et, b = be16(b[2:]), b[4:]
			continue
		case etherIPv4:
			d.ipv4(p, b, n)
		case etherIPv6:
			d.ipv6(p, b, n)
		case etherARP:
			p.arp(b, n)
		case etherPPPoE:
			d.pppoe(p, b, n)
		case etherMPLS, etherMPLSMC:
			d.mpls(p, b, n)
		case etherNSH:
			d.nsh(p, b, n)
		default:
			if et < etherMin {
				// The length leaves out the padding of a short frame.
				if int(et) < len(b) {
					b, n.cut = b[:et], 0
				}
				d.llc(p, b, n)
				return
			}
			p.unknown()
		}
		return
	}
}

// unknown marks a payload that is not decoded; inside an IP tunnel the packet
// stays what the outer headers made of it.
func (p *Packet) unknown() {
	if p.Version == 0 {
		p.Anomalies |= UnknownLink
	}
}

// llc reads an IEEE 802.2 header: SNAP (RFC 1042) or, rarer, IP by its own
// service access point. Spanning tree and its kin end here.
func (d *Decoder) llc(p *Packet, b []byte, n nest) {
	if p.Version == 0 {
		p.EtherType = 0
	}
	if len(b) < 3 {
		p.Anomalies |= TruncatedFrame
		return
	}
	switch {
	case b[0] == 0xaa && b[1] == 0xaa && b[2] == 3:
		if len(b) < 8 {
			p.Anomalies |= TruncatedFrame
			return
		}
		oui := uint32(b[3])<<16 | uint32(b[4])<<8 | uint32(b[5])
		et := be16(b[6:])
		// 0x0000f8 is the bridge tunnel encapsulation of IEEE 802.1H.
		if (oui != 0 && oui != 0xf8) || et < etherMin {
			p.unknown()
			return
		}
		d.network(p, et, b[8:], n)
	case b[0] == 0x06 && b[1] == 0x06 && b[2] == 3:
		d.ipv4(p, b[3:], n)
	default:
		p.unknown()
	}
}

// arp reads an ARP message for IPv4 over Ethernet, RFC 826.
func (p *Packet) arp(b []byte, n nest) {
	if n.depth > 0 {
		return
	}
	if len(b) < 28 {
		p.Anomalies |= TruncatedFrame
		return
	}
	// Hardware 1 is Ethernet, 6 IEEE 802 (RFC 5494 keeps both in use).
	if hw := be16(b); (hw != 1 && hw != 6) || be16(b[2:]) != etherIPv4 || b[4] != 6 || b[5] != 4 {
		p.Anomalies |= UnknownLink
		return
	}
	op := be16(b[6:])
	if op == 0 { // reserved, RFC 5494 section 3
		p.Anomalies |= UnknownLink
		return
	}
	p.ARP = ARP{
		Op:        op,
		SenderMAC: MAC(b[8:14]), SenderIP: AddrFrom4(b[14:]),
		TargetMAC: MAC(b[18:24]), TargetIP: AddrFrom4(b[24:]),
	}
}

// rawIP reads an IP packet that nothing announces but its first four bits.
func (d *Decoder) rawIP(p *Packet, b []byte, n nest) {
	switch {
	case len(b) == 0:
		p.Anomalies |= TruncatedFrame
	case b[0]>>4 == 4:
		d.ipv4(p, b, n)
	case b[0]>>4 == 6:
		d.ipv6(p, b, n)
	default:
		p.unknown()
	}
}

// loopback reads the BSD loopback header: an address family in the byte order
// of the machine that captured (null) or of the network (loop). A family is a
// small number, so the order shows.
func (d *Decoder) loopback(p *Packet, b []byte, n nest) {
	if len(b) < 4 {
		p.Anomalies |= TruncatedFrame
		return
	}
	family := binary.LittleEndian.Uint32(b)
	if family > 0xffff {
		family = be32(b)
	}
	switch family {
	case 2:
		d.ipv4(p, b[4:], n)
	case 10, 24, 28, 30: // AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, Darwin
		d.ipv6(p, b[4:], n)
	default:
		p.Anomalies |= UnknownLink
	}
}

// Values of the ARPHRD_ field of Linux cooked frames (if_arp.h).
const (
	arphrdLoopback = 772
	arphrdNetlink  = 824
)

// sll reads a Linux cooked capture of version 1
// (https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html).
func (d *Decoder) sll(p *Packet, b []byte, n nest) {
	if len(b) < 16 {
		p.Anomalies |= TruncatedFrame
		return
	}
	d.cooked(p, be16(b[2:]), be16(b[4:]), b[6:12], be16(b[14:]), b[16:], n)
}

// sll2 reads version 2
// (https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html).
func (d *Decoder) sll2(p *Packet, b []byte, n nest) {
	if len(b) < 20 {
		p.Anomalies |= TruncatedFrame
		return
	}
	d.cooked(p, be16(b[8:]), uint16(b[11]), b[12:18], be16(b), b[20:], n)
}

// cooked reads what both versions hold: hardware type, length and bytes of the
// sender's address, protocol.
func (d *Decoder) cooked(p *Packet, hw, alen uint16, addr []byte, et uint16, b []byte, n nest) {
	if hw == arphrdNetlink {
		p.Anomalies |= UnknownLink
		return
	}
	if alen == 6 && hw != arphrdLoopback {
		p.SrcMAC = MAC(addr)
		p.HasMAC = true
	}
	switch {
	case et == 4: // 802.2 LLC after an 802.3 header that was taken off
		d.llc(p, b, n)
	case et < etherMin: // frames that Linux numbers itself: raw 802.3, CAN…
		p.Anomalies |= UnknownLink
	default:
		d.network(p, et, b, n)
	}
}

// chdlc reads Cisco's HDLC framing: address, control, EtherType.
func (d *Decoder) chdlc(p *Packet, b []byte, n nest) {
	if len(b) < 4 {
		p.Anomalies |= TruncatedFrame
		return
	}
	et := be16(b[2:])
	if et < etherMin {
		p.Anomalies |= UnknownLink
		return
	}
	d.network(p, et, b[4:], n)
}
