package packet

func (w *checker) ipv4(b []byte) {
	if w.short(b, 20, EvIPv4PacketTooSmall) {
		return
	}
	hdr, total := int(b[0]&15)*4, int(be16(b[2:]))
	switch {
	case b[0]>>4 != 4:
		w.add(EvIPv4WrongIPVersion)
		return
	case hdr < 20:
		w.add(EvIPv4HeaderLengthTooSmall)
		return
	case total == 0 && len(b) >= minSuperSegment:
		total = len(b) // left for the card to fill, see ipv4 of Decoder
	case total < hdr:
		w.add(EvIPv4LengthSmallerThanHeaderLength)
		return
	}
	if w.short(b, total, EvIPv4TruncatedPacket) {
		return
	}
	b = b[:total]
	w.options4(b[20:hdr])
	if be16(b[6:])&0x3fff != 0 {
		return // the whole packet is looked at once it is there
	}
	w.hop = b[8]
	w.transport(4, b[9], b[hdr:])
}

// IPv4 options: the ones in use (IANA registry).
const (
	opt4RR   = 7
	opt4QS   = 25
	opt4TS   = 68
	opt4SEC  = 130
	opt4LSRR = 131
	opt4ESEC = 133
	opt4CIP  = 134
	opt4SID  = 136
	opt4SSRR = 137
	opt4RTR  = 148
)

func (w *checker) options4(o []byte) {
	if len(o)%8 != 0 {
		w.add(EvIPv4OptionPadRequired)
	}
	var seen [4]uint64
	for len(o) > 0 && o[0] != 0 {
		if o[0] == 1 {
			o = o[1:]
			continue
		}
		if len(o) < 2 {
			w.add(EvIPv4OptionEOLRequired)
			return
		}
		n := int(o[1])
		if n < 2 || n > len(o) {
			w.add(EvIPv4OptionInvalidLength)
			return
		}
		kind := o[0]
		if seen[kind>>6]&(1<<(kind&63)) != 0 {
			w.add(EvIPv4OptionDuplicate)
		}
		seen[kind>>6] |= 1 << (kind & 63)
		w.option4(kind, o[:n])
		o = o[n:]
	}
}

// option4 checks one option, RFC 791 section 3.1 and RFC 1108, 2113, 4782.
func (w *checker) option4(kind byte, o []byte) {
	n := len(o)
	bad := false
	switch kind {
	case opt4RR, opt4LSRR, opt4SSRR:
		bad = n < 3
		if !bad && (o[2] < 4 || o[2]%4 != 0 || int(o[2]) > n+1) {
			w.add(EvIPv4OptionMalformed)
		}
	case opt4TS:
		bad = n < 5
		if !bad && o[2] < 5 {
			w.add(EvIPv4OptionMalformed)
		}
	case opt4QS:
		bad = n != 8
	case opt4SEC:
		bad = n != 11 && n != 3
	case opt4ESEC:
		bad = n < 3
	case opt4SID, opt4RTR:
		bad = n != 4
	case opt4CIP:
		bad = n < 10
	default:
		w.add(EvIPv4OptionInvalid)
	}
	if bad {
		w.add(EvIPv4OptionInvalidLength)
	}
}

func (w *checker) ipv6(b []byte) {
	if w.short(b, 40, EvIPv6PacketTooSmall) {
		return
	}
	if b[0]>>4 != 6 {
		w.add(EvIPv6WrongIPVersion)
		return
	}
	total := 40 + int(be16(b[4:]))
	if total == 40 {
		if n, ok := jumboLength(b); ok {
			total += n
		} else if len(b) >= minSuperSegment && b[6] != extNone {
			total = len(b)
		}
	}
	if w.short(b, total, EvIPv6TruncatedPacket) {
		return
	}
	w.hop = b[7]
	w.extensions(b[6], b[40:total])
}

// extensions walks the extension headers b, the first of which is next.
func (w *checker) extensions(next uint8, b []byte) {
	var seen [256 / 64]uint64
	times := 0 // destination options may stand twice, RFC 8200 section 4.1
	for range 64 {
		switch next {
		case extNone:
			if len(b) > 0 {
				w.add(EvIPv6DataAfterNoneHeader)
			}
			return
		case ProtoICMP:
			w.add(EvIPv6ICMPv4)
			return
		}
		if w.short(b, 2, EvIPv6TruncatedExt) {
			return
		}
		size := 0
		switch next {
		case extHopByHop, extDestOpts, extRouting:
			size = (int(b[1]) + 1) * 8
		case extFragment:
			size = 8
		case ProtoAH:
			size = (int(b[1]) + 2) * 4
		case extMobility, extHIP, extShim6:
			size = (int(b[1]) + 1) * 8
		case ProtoESP:
			w.short(b, 8, EvIPv6TruncatedExt)
			return
		case ProtoTCP, ProtoUDP, ProtoICMPv6, ProtoSCTP, ProtoGRE, ProtoIPIP, ProtoIPv6:
			w.transport(6, next, b)
			return
		default:
			w.add(EvIPv6UnknownNextHeader)
			return
		}
		if w.short(b, size, EvIPv6TruncatedExt) {
			return
		}
		again := seen[next>>6]&(1<<(next&63)) != 0
		seen[next>>6] |= 1 << (next & 63)
		if next == extDestOpts {
			times++
			again = times > 2
		}
		if again {
			w.again(next)
		}
		if !w.header(next, b[:size]) {
			return
		}
		next, b = b[0], b[size:]
	}
}

func (w *checker) again(next uint8) {
	switch next {
	case extHopByHop:
		w.add(EvIPv6ExtDuplicateHH)
	case extDestOpts:
		w.add(EvIPv6ExtDuplicateDH)
	case extRouting:
		w.add(EvIPv6ExtDuplicateRH)
	case extFragment:
		w.add(EvIPv6ExtDuplicateFH)
	case ProtoAH:
		w.add(EvIPv6ExtDuplicateAH)
	}
}

// header looks into one extension header; false when what follows is part of a
// fragment.
func (w *checker) header(kind uint8, b []byte) bool {
	switch kind {
	case extHopByHop, extDestOpts:
		w.options6(kind == extHopByHop, b[2:])
	case extRouting:
		if len(b) > 2 && b[2] == 0 { // deprecated, RFC 5095
			w.add(EvIPv6RHType0)
		}
	case extFragment:
		if b[1] != 0 {
			w.add(EvIPv6FHNonZeroReservedField)
		}
		if be16(b[2:])&^6 == 0 { // neither offset nor more
			w.add(EvIPv6ExtUselessFH)
			return true
		}
		return false
	case ProtoAH:
		if len(b) >= 4 && be16(b[2:]) != 0 {
			w.add(EvIPv6ExtAHReservedNotNull)
		}
	}
	return true
}

func (w *checker) options6(hop bool, o []byte) {
	padding, other := 0, 0
	for len(o) > 0 {
		if o[0] == optPad1 {
			padding++
			o = o[1:]
			continue
		}
		if len(o) < 2 || 2+int(o[1]) > len(o) {
			w.add(EvIPv6ExtInvalidOptLength)
			return
		}
		n := int(o[1])
		want := n
		switch o[0] {
		case optPadN:
			padding++
			if n == 0 {
				w.add(EvIPv6ZeroLengthPadN)
			}
		case optRouterAlert:
			want = 2
			other++
		case optJumbo:
			want = 4
			other++
		case optHomeAddress:
			want = 16
			other++
		case optTunnelLimit:
			want = 1
			other++
		default:
			other++
			if hop {
				w.add(EvIPv6HopOptsUnknownOption)
			} else {
				w.add(EvIPv6DstOptsUnknownOption)
			}
		}
		if n != want {
			w.add(EvIPv6ExtInvalidOptLength)
			return
		}
		o = o[2+n:]
	}
	if padding > 0 && other == 0 {
		if hop {
			w.add(EvIPv6HopOptsOnlyPadding)
		} else {
			w.add(EvIPv6DstOptsOnlyPadding)
		}
	}
}
