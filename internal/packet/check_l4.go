package packet

// transport looks at what an IP packet of the given version carries.
func (w *checker) transport(version, proto uint8, b []byte) {
	switch proto {
	case ProtoTCP:
		w.tcp(b)
	case ProtoUDP:
		w.udp(b)
	case ProtoICMP:
		if version == 4 {
			w.icmp4(b)
		}
	case ProtoICMPv6:
		if version == 6 {
			w.icmp6(b)
		} else {
			w.add(EvIPv4ICMPv6)
		}
	case ProtoIGMP:
		w.igmp(b)
	case ProtoGRE:
		w.gre(b)
	case ProtoIPIP:
		if !w.deeper() {
			return
		}
		if version == 6 && (w.short(b, 20, EvIPv6IPv4InIPv6TooSmall) || w.other(b, 4, EvIPv6IPv4InIPv6WrongVersion)) {
			return
		}
		w.ipv4(b)
	case ProtoIPv6:
		if !w.deeper() {
			return
		}
		if version == 6 && (w.short(b, 40, EvIPv6IPv6InIPv6TooSmall) || w.other(b, 6, EvIPv6IPv6InIPv6WrongVersion)) {
			return
		}
		w.ipv6(b)
	}
}

// other reports an IP header of another version than announced.
func (w *checker) other(b []byte, version byte, e Event) bool {
	if b[0]>>4 == version {
		return false
	}
	w.add(e)
	return true
}

func (w *checker) tcp(b []byte) {
	if w.short(b, 20, EvTCPPacketTooSmall) {
		return
	}
	n := int(b[12]>>4) * 4
	if w.short(b, n, EvTCPHeaderLengthTooSmall) {
		return
	}
	if n < 20 {
		w.add(EvTCPInvalidOptLength)
		return
	}
	var seen uint64
	for o := b[20:n]; len(o) > 0 && o[0] != 0; {
		if o[0] == 1 {
			o = o[1:]
			continue
		}
		if len(o) < 2 {
			return
		}
		kind, n := o[0], int(o[1])
		if n < 2 || n > len(o) {
			w.add(EvTCPOptionInvalidLength)
			return
		}
		o = o[n:]
		bad := false
		switch kind {
		case 2:
			bad = n != 4
		case 3:
			bad = n != 3
		case 4:
			bad = n != 2
		case 5:
			bad = n < 10 || n > 34 || (n-2)%8 != 0
		case 8:
			bad = n != 10
		case 19: // MD5, RFC 2385
			bad = n != 18
		case 29: // authentication, RFC 5925
			bad = n < 4
		case 34: // fast open, RFC 7413
			bad = n != 2 && (n < 6 || n > 18 || n%2 != 0)
		default:
			continue
		}
		if bad {
			w.add(EvTCPOptionInvalidLength)
			continue
		}
		if seen&(1<<kind) != 0 {
			w.add(EvTCPOptionDuplicate)
		}
		seen |= 1 << kind
	}
}

func (w *checker) udp(b []byte) {
	if w.short(b, 8, EvUDPHeaderLengthTooSmall) {
		return
	}
	size := int(be16(b[4:]))
	if size == 0 && len(b) >= minSuperSegment {
		return
	}
	if w.short(b, size, EvUDPPacketTooSmall) {
		return
	}
	if size < 8 {
		w.add(EvUDPLengthInvalid)
	}
}

// maxCode4 is the highest code of the ICMP types in use, plus one; 0: the type
// is not in use. RFC 792, 950, 1256 and the IANA registry.
var maxCode4 = [19]uint8{0: 1, 3: 16, 4: 1, 5: 4, 8: 1, 9: 17, 10: 1, 11: 2, 12: 3, 13: 1, 14: 1, 15: 1, 16: 1, 17: 1, 18: 1}

func (w *checker) icmp4(b []byte) {
	if w.short(b, 8, EvICMPv4PacketTooSmall) {
		return
	}
	typ, code := b[0], b[1]
	if int(typ) >= len(maxCode4) || maxCode4[typ] == 0 {
		w.add(EvICMPv4UnknownType)
		return
	}
	if code >= maxCode4[typ] {
		w.add(EvICMPv4UnknownCode)
		return
	}
	switch typ {
	case 13, 14:
		w.short(b, 20, EvICMPv4PacketTooSmall)
	case 3, 4, 5, 11, 12:
		if in := b[8:]; len(in) > 0 && !w.short(in, 20, EvICMPv4IPv4TruncatedPacket) && in[0]>>4 != 4 {
			w.add(EvICMPv4IPv4UnknownVersion)
		}
	}
}

func (w *checker) icmp6(b []byte) {
	if w.short(b, 8, EvICMPv6PacketTooSmall) {
		return
	}
	typ, code := b[0], b[1]
	most := uint8(0)
	switch {
	case typ == 1:
		most = 6
	case typ == 3:
		most = 1
	case typ == 4:
		most = 2
	case typ == 138: // router renumbering, RFC 2894: 255 resets
		most = 255
	case typ == 139, typ == 140:
		most = 2
	case typ == 2, typ >= 128 && typ <= 159:
	case typ == 100, typ == 101, typ == 200, typ == 201:
		w.add(EvICMPv6ExperimentationType)
		return
	case typ > 4 && typ < 127, typ >= 160 && typ < 200:
		w.add(EvICMPv6UnassignedType)
		return
	default:
		w.add(EvICMPv6UnknownType)
		return
	}
	if code > most {
		w.add(EvICMPv6UnknownCode)
		return
	}
	switch typ {
	case 1, 2, 3, 4:
		if in := b[8:]; len(in) > 0 && !w.short(in, 40, EvICMPv6IPv6TruncatedPacket) && in[0]>>4 != 6 {
			w.add(EvICMPv6IPv6UnknownVersion)
		}
	case 130, 131, 132: // RFC 2710 section 3
		if w.hop != 1 {
			w.add(EvICMPv6MLDMessageWithInvalidHopLimit)
		}
	}
}

// igmp checks the lengths of RFC 1112, 2236 and 3376.
func (w *checker) igmp(b []byte) {
	if w.short(b, 8, EvIGMPPacketTooSmall) {
		return
	}
	switch {
	case b[0] == 0x22: // version 3 report: records of eight bytes, sources and auxiliary words
		records := int(be16(b[6:]))
		for b = b[8:]; records > 0; records-- {
			if w.short(b, 8, EvIGMPV3PacketTooSmall) {
				return
			}
			n := 8 + 4*int(be16(b[2:])) + 4*int(b[1])
			if n > len(b) {
				if !w.cut {
					w.add(EvIGMPMalformed)
				}
				return
			}
			b = b[n:]
		}
	case b[0] == 0x11 && len(b) >= 12:
		if 12+4*int(be16(b[10:])) > len(b) && !w.cut {
			w.add(EvIGMPMalformed)
		}
	}
}

// gre checks the flags of version 0 (RFC 1701) and of version 1 (RFC 2637).
func (w *checker) gre(b []byte) {
	if w.short(b, 4, EvGREPacketTooSmall) {
		return
	}
	const checksum, routing, key, sequence, strict, ack = 0x80, 0x40, 0x20, 0x10, 0x08, 0x80
	flags, more, et, size := b[0], b[1], be16(b[2:]), 4
	tooBig := EvGREVersion0HeaderTooBig
	switch more & 7 {
	case 0:
		if flags&7 != 0 {
			w.add(EvGREVersion0Recursion)
			return
		}
		if more&0xf8 != 0 {
			w.add(EvGREVersion0Flags)
			return
		}
	case 1:
		tooBig = EvGREVersion1HeaderTooBig
		for _, c := range [...]struct {
			bad bool
			e   Event
		}{{flags&checksum != 0, EvGREVersion1Checksum}, {flags&routing != 0, EvGREVersion1Route}, {flags&strict != 0, EvGREVersion1SSR},
			{flags&7 != 0, EvGREVersion1Recursion}, {more&0x78 != 0, EvGREVersion1Flags}, {et != etherPPP, EvGREVersion1WrongProtocol},
			{flags&key == 0, EvGREVersion1NoKey}} {
			if c.bad {
				w.add(c.e)
				return
			}
		}
		if more&ack != 0 {
			size += 4
		}
	default:
		w.add(EvGREWrongVersion)
		return
	}
	if flags&(checksum|routing) != 0 {
		size += 4
	}
	if flags&key != 0 {
		size += 4
	}
	if flags&sequence != 0 {
		size += 4
	}
	if w.short(b, size, tooBig) {
		return
	}
	if flags&routing != 0 {
		for {
			if w.short(b, size+4, EvGREVersion0MalformedSREHeader) {
				return
			}
			family, n := be16(b[size:]), int(b[size+3])
			if size += 4 + n; family == 0 && n == 0 {
				break
			}
			if w.short(b, size, EvGREVersion0MalformedSREHeader) {
				return
			}
		}
	}
	if b = b[size:]; !w.deeper() {
		return
	}
	switch et {
	case etherPPP:
		if len(b) > 0 {
			w.ppp(b)
		}
	case etherTEB:
		w.ethernet(b)
	default:
		w.network(et, b)
	}
}
