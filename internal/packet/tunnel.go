package packet

// PPP protocol numbers (RFC 1332, RFC 5072, RFC 3032).
const (
	pppIPv4   = 0x0021
	pppIPv6   = 0x0057
	pppMPLS   = 0x0281
	pppMPLSMC = 0x0283
)

// ppp reads a PPP frame, with or without the opening flag, address and control
// of HDLC-like framing (RFC 1662) and with a protocol field of one or two
// bytes (RFC 1661 sections 2 and 6.5: all but the last byte are even).
func (d *Decoder) ppp(p *Packet, b []byte, n nest) {
	if len(b) > 0 && b[0] == 0x7e {
		b = b[1:]
	}
	if len(b) > 1 && b[0] == 0xff && b[1] == 3 {
		b = b[2:]
	}
	var proto uint16
	switch {
	case len(b) > 0 && b[0]&1 == 1:
		proto, b = uint16(b[0]), b[1:]
	case len(b) > 1:
		proto, b = be16(b), b[2:]
	default:
		p.Anomalies |= TruncatedFrame
		return
	}
	switch proto {
	case pppIPv4:
		d.ipv4(p, b, n)
	case pppIPv6:
		d.ipv6(p, b, n)
	case pppMPLS, pppMPLSMC:
		d.mpls(p, b, n)
	default: // control protocols, compression, encryption
		p.unknown()
	}
}

// pppoe reads a PPPoE session frame, RFC 2516 section 4.
func (d *Decoder) pppoe(p *Packet, b []byte, n nest) {
	if len(b) < 6 {
		p.Anomalies |= TruncatedFrame
		return
	}
	if b[0] != 0x11 || b[1] != 0 { // version 1 type 1, session data
		p.unknown()
		return
	}
	size := int(be16(b[4:]))
	b = b[6:]
	switch {
	case size <= len(b):
		if size == 0 && len(b)+n.cut >= minSuperSegment {
			break // the frame of a super-segment whose length was left for the card to fill
		}
		b, n.cut = b[:size], 0
	case size > len(b)+n.cut:
		p.Anomalies |= TruncatedFrame
	default:
		n.cut = size - len(b)
	}
	if n, ok := n.enter(p, TunnelPPPoE); ok {
		d.ppp(p, b, n)
	}
}

// mpls reads a label stack (RFC 3032) and guesses the payload by its first
// four bits, as RFC 4928 describes: 4 and 6 are IP, 0 is the control word of a
// pseudowire (RFC 4385), which here carries Ethernet.
func (d *Decoder) mpls(p *Packet, b []byte, n nest) {
	n, ok := n.enter(p, TunnelMPLS)
	if !ok {
		return
	}
	for i := 0; ; i++ {
		if i == MaxLabels {
			p.Anomalies |= TooDeep
			return
		}
		if len(b) < 4 {
			p.Anomalies |= TruncatedFrame
			return
		}
		bottom := b[2]&1 != 0
		b = b[4:]
		if bottom {
			break
		}
	}
	switch {
	case len(b) == 0:
		p.Anomalies |= TruncatedFrame
	case b[0]>>4 == 4:
		d.ipv4(p, b, n)
	case b[0]>>4 == 6:
		d.ipv6(p, b, n)
	case b[0]>>4 == 0 && len(b) >= 4:
		d.innerEthernet(p, b[4:], n)
	default:
		p.unknown()
	}
}

// nsh reads a Network Service Header, RFC 8300 section 2.2: version, length in
// four bytes and the protocol that follows.
func (d *Decoder) nsh(p *Packet, b []byte, n nest) {
	if len(b) < 8 {
		p.Anomalies |= TruncatedFrame
		return
	}
	size := 4 * int(b[1]&0x3f)
	switch {
	case b[0]>>6 != 0 || size < 8: // another version, or shorter than what every header has
		p.unknown()
		return
	case size > len(b):
		p.Anomalies |= TruncatedFrame
		return
	}
	n, ok := n.enter(p, TunnelNSH)
	if !ok {
		return
	}
	next := b[3]
	switch b = b[size:]; next {
	case 1:
		d.ipv4(p, b, n)
	case 2:
		d.ipv6(p, b, n)
	case 3:
		d.innerEthernet(p, b, n)
	case 4:
		d.nsh(p, b, n)
	case 5:
		d.mpls(p, b, n)
	default:
		p.unknown()
	}
}

// innerEthernet reads a frame carried inside a tunnel. Its VLAN tags count
// only when an IP packet is found behind them.
func (d *Decoder) innerEthernet(p *Packet, b []byte, n nest) {
	vlans, vlan, version, depth := p.VLANs, p.VLAN, p.Version, p.Depth
	d.ethernet(p, b, n)
	if p.Version == version && p.Depth == depth {
		p.VLANs, p.VLAN = vlans, vlan
	}
}

// gre reads a GRE packet: version 0 with all its optional fields (RFC 1701,
// RFC 2784, RFC 2890), version 1 of PPTP (RFC 2637). When what it carries is
// no IP, the packet stays a GRE packet between the two ends of the tunnel.
func (d *Decoder) gre(p *Packet, b []byte, n nest) {
	const (
		flagChecksum = 0x8000
		flagRouting  = 0x4000
		flagKey      = 0x2000
		flagSequence = 0x1000
		flagAck      = 0x0080 // version 1
	)
	if len(b) < 4 {
		p.Anomalies |= TruncatedL4
		return
	}
	flags, et := be16(b), be16(b[2:])
	size := 4
	version := flags & 7
	if version == 0 && flags&(flagChecksum|flagRouting) != 0 {
		size += 4
	}
	if flags&flagKey != 0 {
		size += 4
	}
	if flags&flagSequence != 0 {
		size += 4
	}
	if version == 1 {
		if flags&flagAck != 0 {
			size += 4
		}
		if et != etherPPP || flags&(flagChecksum|flagRouting) != 0 || flags&flagKey == 0 {
			p.Anomalies |= BadL4Header
			return
		}
	}
	if version > 1 {
		p.Anomalies |= BadL4Header
		return
	}
	if version == 0 && flags&flagRouting != 0 {
		// Source route entries: address family, offset, length, route. The
		// list ends with a family and a length of zero.
		for {
			if len(b) < size+4 {
				p.Anomalies |= TruncatedL4
				return
			}
			family, l := be16(b[size:]), int(b[size+3])
			size += 4 + l
			if family == 0 && l == 0 {
				break
			}
		}
	}
	if len(b) < size {
		p.Anomalies |= TruncatedL4
		return
	}
	p.L4, p.Payload = b, b[size:]
	if d.Outermost {
		return
	}
	n, ok := n.enter(p, TunnelGRE)
	if !ok {
		return
	}
	b = b[size:]
	switch et {
	case etherPPP:
		if len(b) > 0 { // an acknowledgement alone carries nothing
			d.ppp(p, b, n)
		}
	case etherTEB:
		d.innerEthernet(p, b, n)
	case etherIPv4, etherIPv6, etherMPLS, etherMPLSMC, etherPPPoE:
		d.network(p, et, b, n)
	}
}

// UDP ports of VXLAN: the assigned one, and the one that Linux used before it
// was assigned and still uses by default.
const (
	portVXLAN      = 4789
	portVXLANLinux = 8472
)

// vxlan reads a VXLAN packet, RFC 7348 section 5, whose header begins at b.
// Reserved bits are ignored on the assigned port, as the RFC asks; on the other
// port, which others use too, they must be zero.
func (d *Decoder) vxlan(p *Packet, b []byte, n nest) {
	if len(b) < 8+14 || b[0]&0x08 == 0 {
		return
	}
	if p.DstPort == portVXLANLinux && (b[0] != 0x08 || b[1]|b[2]|b[3]|b[7] != 0) {
		return
	}
	if n, ok := n.enter(p, TunnelVXLAN); ok {
		d.innerEthernet(p, b[8:], n)
	}
}

// portGENEVE is the UDP port of GENEVE, RFC 8926 section 3.3.
const portGENEVE = 6081

// geneve reads a GENEVE packet, RFC 8926 section 3.4, whose header begins at b.
// Options are skipped, reserved bits ignored; control packets, whose O bit is
// set, stay UDP packets.
func (d *Decoder) geneve(p *Packet, b []byte, n nest) {
	const control = 0x80
	if len(b) < 8 || b[0]>>6 != 0 || b[1]&control != 0 {
		return
	}
	et, size := be16(b[2:]), 8+4*int(b[0]&0x3f)
	if size >= len(b) {
		return
	}
	b = b[size:]
	switch {
	case et == etherTEB && len(b) >= 14:
		if n, ok := n.enter(p, TunnelGENEVE); ok {
			d.innerEthernet(p, b, n)
		}
	case et == etherIPv4 && b[0]>>4 == 4 && len(b) >= 20, et == etherIPv6 && b[0]>>4 == 6 && len(b) >= 40:
		if n, ok := n.enter(p, TunnelGENEVE); ok {
			d.network(p, et, b, n)
		}
	}
}

// portTeredo is the UDP port of Teredo servers, RFC 4380 section 2.7.
const portTeredo = 3544

// teredo reads a Teredo packet, RFC 4380 section 5.1.1: an IPv6 packet, behind
// an authentication and an origin indication if they are there. Bubbles, which
// carry nothing, and whatever does not fill the datagram exactly stay UDP
// packets: others use the port too.
func (d *Decoder) teredo(p *Packet, b []byte, n nest) {
	const authentication, origin = 1, 0
	if len(b) >= 4 && be16(b) == authentication {
		size := 4 + int(b[2]) + int(b[3]) + 8 + 1 // identifier, value, nonce, confirmation
		if size > len(b) {
			return
		}
		b = b[size:]
	}
	if len(b) >= 8 && be16(b) == origin {
		b = b[8:]
	}
	if len(b) <= 40 || b[0]>>4 != 6 || 40+int(be16(b[4:])) != len(b)+n.cut {
		return
	}
	if n, ok := n.enter(p, TunnelTeredo); ok {
		d.ipv6(p, b, n)
	}
}
