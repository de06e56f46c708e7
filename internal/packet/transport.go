package packet

// transport reads the header that p.Proto names at b, the end of which is the
// end of the IP packet, or descends into a tunnel. It sets p.L4 only when the
// header is whole and consistent; the ports as soon as they are there.
func (d *Decoder) transport(p *Packet, b []byte, n nest) {
	switch p.Proto {
	case ProtoTCP:
		p.tcp(b, n)
	case ProtoUDP:
		d.udp(p, b, n)
	case ProtoICMP:
		if p.Version == 4 {
			p.icmp(b)
		} else {
			p.opaque(b)
		}
	case ProtoICMPv6:
		if p.Version == 6 {
			p.icmp6(b)
		} else {
			p.opaque(b)
		}
	case ProtoSCTP:
		p.sctp(b)
	case ProtoGRE:
		d.gre(p, b, n)
	case ProtoIPIP:
		p.opaque(b)
		if d.Outermost {
			return
		}
		t := TunnelIPIP
		if p.Version == 6 {
			t = Tunnel4in6
		}
		if n, ok := n.enter(p, t); ok {
			d.ipv4(p, b, n)
		}
	case ProtoIPv6:
		p.opaque(b)
		if d.Outermost {
			return
		}
		t := Tunnel6in4
		if p.Version == 6 {
			t = TunnelIP6IP
		}
		if n, ok := n.enter(p, t); ok {
			d.ipv6(p, b, n)
		}
	default: // ESP among them: what it carries is encrypted
		p.opaque(b)
	}
}

// opaque hands a protocol that is not decoded on as it is.
func (p *Packet) opaque(b []byte) { p.L4, p.Payload = b, b }

// ports notes the two port numbers with which TCP, UDP and SCTP begin.
func (p *Packet) ports(b []byte) {
	if len(b) >= 4 {
		p.SrcPort, p.DstPort = be16(b), be16(b[2:])
	}
}

// tcp reads a TCP header, RFC 9293 section 3.1.
func (p *Packet) tcp(b []byte, n nest) {
	if len(b) < 20 {
		p.Anomalies |= TruncatedL4
		p.ports(b)
		return
	}
	p.SrcPort, p.DstPort = be16(b), be16(b[2:])
	off := int(b[12]>>4) * 4
	if off < 20 || off > len(b) {
		if off > len(b) && off <= len(b)+n.cut {
			p.Anomalies |= TruncatedL4
		} else {
			p.Anomalies |= BadL4Header
		}
		return
	}
	p.Seq, p.Ack = be32(b[4:]), be32(b[8:])
	p.TCPFlags = b[13]
	p.Window = be16(b[14:])
	p.L4, p.Payload = b, b[off:]
	if off > 20 {
		p.TCPOpts = b[20:off]
	}
}

// udp reads a UDP header, RFC 768. A length of zero means that the IP length
// counts: over IPv6 always (RFC 2675 section 4 is how Linux reads it), over
// IPv4 in a super-segment, while receivers drop short packets that say so.
func (d *Decoder) udp(p *Packet, b []byte, n nest) {
	if len(b) < 8 {
		p.Anomalies |= TruncatedL4
		p.ports(b)
		return
	}
	p.SrcPort, p.DstPort = be16(b), be16(b[2:])
	size := int(be16(b[4:]))
	switch {
	case size == 0 && (p.Version == 6 || len(b)+n.cut >= minSuperSegment):
	case size < 8 || size > len(b)+n.cut:
		p.Anomalies |= BadL4Header
		return
	case size <= len(b):
		b, n.cut = b[:size], 0
		p.Missing = 0
	default:
		n.cut = size - len(b)
		p.Missing = n.cut
	}
	p.L4, p.Payload = b, b[8:]
	if d.Outermost {
		return
	}
	switch {
	case p.DstPort == portVXLAN || p.DstPort == portVXLANLinux:
		d.vxlan(p, b[8:], n)
	case p.DstPort == portGENEVE:
		d.geneve(p, b[8:], n)
	case p.DstPort == portTeredo || p.SrcPort == portTeredo:
		d.teredo(p, b[8:], n)
	}
}

// icmp reads an ICMP header, RFC 792. Echo has its identifier as both ports;
// the other queries have the type of the request, so that question and answer
// make one flow; errors have none.
func (p *Packet) icmp(b []byte) {
	if !p.icmpHeader(b) {
		return
	}
	switch t := p.ICMPType; t {
	case 0, 8:
		p.SrcPort = be16(b[4:])
	case 13, 15, 17, 37: // timestamp, information, mask, domain name (RFC 1788)
		p.SrcPort = uint16(t)
	case 14, 16, 18, 38:
		p.SrcPort = uint16(t - 1)
	case 9, 10: // router advertisement, solicitation (RFC 1256)
		p.SrcPort = 10
	case 42, 43: // extended echo, RFC 8335
		p.SrcPort = be16(b[4:])
	}
	p.DstPort = p.SrcPort
	// What belongs to the header of these, as in Suricata: the addresses of an
	// advertisement (RFC 1256 section 3), three times (RFC 792).
	size := 8
	switch p.ICMPType {
	case 9:
		size += 4 * int(b[4]) * int(b[5])
	case 13, 14:
		size += 12
	}
	if size <= len(b) {
		p.Payload = b[size:]
	}
}

// icmp6 reads an ICMPv6 header, RFC 4443, with the same rules.
func (p *Packet) icmp6(b []byte) {
	if !p.icmpHeader(b) {
		return
	}
	switch t := p.ICMPType; t {
	case 128, 129, 160, 161: // echo; extended echo, RFC 8335
		p.SrcPort = be16(b[4:])
	case 130, 131, 132, 143: // multicast listener query, reports, done (RFC 2710, RFC 3810)
		p.SrcPort = 130
	case 133, 135, 139, 144, 146: // router and neighbour discovery, node information, home agent, mobile prefix
		p.SrcPort = uint16(t)
	case 134, 136, 140, 145, 147:
		p.SrcPort = uint16(t - 1)
	}
	p.DstPort = p.SrcPort
}

// icmpHeader reads what all messages share. The second four bytes have a
// meaning of their own in nearly every type, and no type is shorter than
// eight bytes.
func (p *Packet) icmpHeader(b []byte) bool {
	if len(b) >= 2 {
		p.ICMPType, p.ICMPCode = b[0], b[1]
	}
	if len(b) < 8 {
		p.Anomalies |= TruncatedL4
		return false
	}
	p.L4, p.Payload = b, b[8:]
	return true
}

// sctp reads the common header of SCTP, RFC 9260 section 3.1.
func (p *Packet) sctp(b []byte) {
	p.ports(b)
	if len(b) < 12 {
		p.Anomalies |= TruncatedL4
		return
	}
	p.L4, p.Payload = b, b[12:]
}
