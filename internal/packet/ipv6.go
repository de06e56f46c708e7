package packet

// IPv6 extension headers (IANA registry; RFC 8200 section 4, RFC 6275,
// RFC 7401, RFC 5533) and the end of the chain.
const (
	extHopByHop = 0
	extRouting  = 43
	extFragment = 44
	extNone     = 59
	extDestOpts = 60
	extMobility = 135
	extHIP      = 139
	extShim6    = 140
)

// ipv6 reads an IPv6 header, its extension headers and what it carries. p is
// touched only when the fixed header is sound.
func (d *Decoder) ipv6(p *Packet, b []byte, n nest) {
	if len(b) < 40 {
		p.Anomalies |= TruncatedIP
		return
	}
	if b[0]>>4 != 6 {
		p.Anomalies |= BadIPHeader
		return
	}
	total, wire := 40+int(be16(b[4:])), len(b)+n.cut
	next := b[6]
	if total == 40 {
		if size, ok := jumboLength(b); ok {
			total += size
		} else if wire >= minSuperSegment && next != extNone {
			total = wire // BIG TCP or a super-segment
		}
	}
	if total <= len(b) {
		b, n.cut = b[:total], 0 // the rest is padding
	} else {
		if total > wire {
			p.Anomalies |= TruncatedIP
		}
		n.cut = total - len(b)
	}
	p.openIP(6, n.tun)
	p.EtherType = etherIPv6
	p.TOS = b[0]<<4 | b[1]>>4
	p.TTL = b[7]
	p.Src = Addr(b[8:24])
	p.Dst = Addr(b[24:40])
	p.IP, p.IPHdr = b, 40
	p.Proto = next
	p.Missing = n.cut
	switch next {
	case ProtoTCP, ProtoUDP, ProtoICMPv6:
		d.transport(p, b[40:], n)
	default:
		d.extensions(p, n)
	}
}

// jumboLength returns the length that a jumbo payload option (RFC 2675
// section 2) at the head of the hop-by-hop options gives: it is the only
// place where Linux puts it for BIG TCP.
func jumboLength(b []byte) (int, bool) {
	if b[6] != extHopByHop || len(b) < 48 || b[42] != 0xc2 || b[43] != 4 {
		return 0, false
	}
	size := be32(b[44:])
	if size <= 0xffff || size > 1<<24 {
		return 0, false // RFC 2675 section 3: an error; beyond 16 MB no link exists
	}
	return int(size), true
}

// extensions walks the extension headers of p.IP from p.IPHdr on and reads
// what they lead to.
func (d *Decoder) extensions(p *Packet, n nest) {
	b, fragments := p.IP, 0
	for i := 0; ; i++ {
		rest := b[p.IPHdr:]
		if len(rest) < 2 && i > 0 && n.cut == 0 && p.Proto != extNone {
			p.Anomalies |= NothingFollows
		}
		switch p.Proto {
		case extHopByHop, extRouting, extDestOpts, extMobility, extHIP, extShim6, ProtoAH, extFragment:
		case extNone: // RFC 8200 section 4.7: what follows is to be ignored
			return
		default:
			d.transport(p, rest, n)
			return
		}
		if i == MaxExtHeaders {
			p.Anomalies |= TooManyExt
			return
		}
		if p.Proto == extHopByHop && i > 0 {
			// Allowed only right behind the fixed header; every node drops the
			// packet (RFC 8200 section 4.1).
			p.Anomalies |= BadIPOption
			return
		}
		size, ok := extSize(p.Proto, rest)
		if !ok {
			p.cutExt(n)
			return
		}
		if p.Proto == extHopByHop || p.Proto == extDestOpts {
			p.Anomalies |= options(p.Proto, rest[2:size])
		}
		kind := p.Proto
		p.Proto = rest[0]
		p.IPHdr += size
		if kind != extFragment {
			continue
		}
		frag := be16(rest[2:])
		p.IPID = be32(rest[4:])
		if fragments++; fragments > 1 {
			p.Anomalies |= RepeatedFragment
		}
		if frag&0xfff9 == 0 {
			p.Anomalies |= UselessFragment
			continue // atomic: a whole packet in one fragment, RFC 6946
		}
		p.FragOff = frag & 0xfff8
		if b = d.defrag6(p, frag&1 != 0, n); b == nil {
			return
		}
		n.cut = 0
	}
}

// extSize returns the length of the extension header at b, false when b does
// not hold all of it.
func extSize(kind uint8, b []byte) (int, bool) {
	if len(b) < 8 {
		return 0, false
	}
	size := 8
	switch kind {
	case extFragment:
	case ProtoAH:
		size = (int(b[1]) + 2) * 4 // RFC 4302 section 2.2
		if size < 12 {
			return 0, false
		}
	default:
		size = (int(b[1]) + 1) * 8
	}
	return size, size <= len(b)
}

// cutExt marks an extension header that runs over the end of the packet, or of
// what the capture kept of it.
func (p *Packet) cutExt(n nest) {
	if n.cut > 0 {
		p.Anomalies |= TruncatedIP
		return
	}
	p.Anomalies |= BadIPOption
}

// Options of IPv6 in use: padding (RFC 8200 section 4.2), the tunnel
// encapsulation limit (RFC 2473), the router alert (RFC 2711), the jumbo
// payload (RFC 2675), the home address (RFC 6275).
const (
	optPad1        = 0x00
	optPadN        = 0x01
	optTunnelLimit = 0x04
	optRouterAlert = 0x05
	optJumbo       = 0xc2
	optHomeAddress = 0xc9
)

// options walks the options o of a hop-by-hop or destination options header,
// RFC 8200 section 4.2.
func options(header uint8, o []byte) (bad Anomaly) {
	for len(o) > 0 {
		if o[0] == optPad1 {
			o = o[1:]
			continue
		}
		if len(o) < 2 || 2+int(o[1]) > len(o) {
			return bad | BadIPOption
		}
		switch o[0] {
		case optPadN, optTunnelLimit, optRouterAlert, optJumbo, optHomeAddress:
		default:
			if header == extDestOpts {
				bad |= UnknownDestOption
			} else {
				bad |= UnknownHopOption
			}
		}
		o = o[2+int(o[1]):]
	}
	return bad
}

// defrag6 handles an IPv6 fragment whose data begins at p.IPHdr: it returns
// the whole packet, with p's fields set from its header, when the fragment
// completed one, else nil. The whole packet has no extension headers in front
// of the fragmented part; they were read on the way here.
func (d *Decoder) defrag6(p *Packet, more bool, n nest) []byte {
	p.Fragment = true
	p.IPFlags = 0
	if more {
		p.IPFlags = ipMF
	}
	if d.Defrag == nil {
		return nil
	}
	if n.cut > 0 {
		d.Defrag.stats.Truncated++
		return nil
	}
	// RFC 8200 section 4.5: source, destination and identification alone tell
	// datagrams apart, and only the first fragment's next header counts.
	var hdr [40]byte
	copy(hdr[:], p.IP)
	hdr[6] = p.Proto
	k := fragKey{src: p.Src, dst: p.Dst, id: p.IPID, vlan: p.flowVLAN(), proto: extFragment, depth: p.Depth}
	b, bad := d.Defrag.add(&k, hdr[:], p.IP[p.IPHdr:], int(p.FragOff), more, p.Time)
	p.Anomalies |= bad
	if b == nil {
		return nil
	}
	p.Fragment, p.Defrag = false, true
	p.TOS, p.TTL = b[0]<<4|b[1]>>4, b[7]
	p.IPFlags, p.FragOff = 0, 0
	p.Proto = b[6]
	p.IP, p.IPHdr = b, 40
	p.Missing = 0
	return b
}
