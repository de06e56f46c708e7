package packet

import "encoding/binary"

// Check looks for events in the frame that p was decoded from and, when p was
// put together from fragments, in the whole packet. It reads the headers once
// more, with the eye of Suricata's decoders, which name what Decode sums up in
// Anomalies. What the capture cut off raises no event. It allocates nothing.
func Check(p *Packet, e *Events) {
	f := p.Frame
	w := checker{p: p, e: e, cut: f.Len > len(f.Data)}
	w.frame(f.Link, f.Data)
	if p.Defrag {
		if p.Version == 4 {
			w.transport(4, p.Proto, p.IP[p.IPHdr:])
		} else {
			w.extensions(p.IP[6], p.IP[40:])
		}
	}
	overlap, large := EvIPv4FragmentOverlap, EvIPv4FragmentPacketTooLarge
	if p.Version == 6 {
		overlap, large = EvIPv6FragmentOverlap, EvIPv6FragmentPacketTooLarge
	}
	if p.Anomalies&FragmentOverlap != 0 {
		e.Add(overlap)
	}
	if p.Anomalies&FragmentOversize != 0 {
		e.Add(large)
	}
	if p.Anomalies&FragmentLength != 0 {
		e.Add(EvIPv6FragmentInvalidLength)
	}
	if p.Anomalies&TooDeep != 0 {
		e.Add(EvTooManyLayers)
	}
}

// checker walks the headers of a frame.
type checker struct {
	p     *Packet
	e     *Events
	cut   bool  // the capture does not hold the whole frame
	depth uint8 // encapsulations
	hop   uint8 // hop limit of the IP header
}

func (w *checker) add(e Event) { w.e.Add(e) }

// short reports that b is shorter than n, and says so by e unless the capture
// cut it.
func (w *checker) short(b []byte, n int, e Event) bool {
	if len(b) >= n {
		return false
	}
	if !w.cut {
		w.add(e)
	}
	return true
}

// deeper reports that one more encapsulation may be looked into.
func (w *checker) deeper() bool {
	w.depth++
	return w.depth <= MaxDepth
}

func (w *checker) frame(link LinkType, b []byte) {
	switch link {
	case LinkEthernet:
		w.ethernet(b)
	case LinkRaw, LinkRawBSD, LinkRawOBSD:
		if len(b) > 0 && b[0]>>4 != 4 && b[0]>>4 != 6 {
			w.add(EvRawInvalidIPVersion)
			return
		}
		w.byVersion(b)
	case LinkIPv4:
		w.ipv4(b)
	case LinkIPv6:
		w.ipv6(b)
	case LinkNull, LinkLoop:
		w.loopback(b)
	case LinkSLL:
		if !w.short(b, 16, EvSLLPacketTooSmall) {
			w.network(be16(b[14:]), b[16:])
		}
	case LinkSLL2:
		if !w.short(b, 20, EvSLLPacketTooSmall) {
			w.network(be16(b), b[20:])
		}
	case LinkPPP, LinkPPPHDLC:
		w.ppp(b)
	case LinkCHDLC:
		if !w.short(b, 4, EvCHDLCPacketTooSmall) {
			w.network(be16(b[2:]), b[4:])
		}
	case LinkPPPoE:
		w.pppoe(b)
	}
}

func (w *checker) byVersion(b []byte) {
	switch {
	case len(b) == 0:
	case b[0]>>4 == 4:
		w.ipv4(b)
	case b[0]>>4 == 6:
		w.ipv6(b)
	}
}

func (w *checker) loopback(b []byte) {
	if w.short(b, 4, EvNullPacketTooSmall) {
		return
	}
	family := binary.LittleEndian.Uint32(b)
	if family > 0xffff {
		family = be32(b)
	}
	switch family {
	case 2:
		w.ipv4(b[4:])
	case 10, 24, 28, 30:
		w.ipv6(b[4:])
	default:
		w.add(EvNullUnsupportedType)
	}
}

func (w *checker) ethernet(b []byte) {
	if !w.short(b, 14, EvEthernetPacketTooSmall) {
		w.network(be16(b[12:]), b[14:])
	}
}

// maxEventTags is how many VLAN tags Suricata 7 reads.
const maxEventTags = 3

func (w *checker) network(et uint16, b []byte) {
	tags := 0
	for et == etherVLAN || et == etherQinQ || et == etherQinQ91 || et == etherQinQ92 {
		if tags++; tags > maxEventTags {
			w.add(EvVLANTooManyLayers)
			return
		}
		if w.short(b, 4, EvVLANHeaderTooSmall) {
			return
		}
		et, b = be16(b[2:]), b[4:]
	}
	switch et {
	case etherIPv4:
		w.ipv4(b)
	case etherIPv6:
		w.ipv6(b)
	case etherPPPoE:
		w.pppoe(b)
	case etherPPPoED:
		w.discovery(b)
	case etherMPLS, etherMPLSMC:
		w.mpls(b)
	case etherARP, etherTEB:
	default:
		if tags > 0 {
			w.add(EvVLANUnknownType)
		}
	}
}

// etherPPPoED is the discovery stage of PPPoE, RFC 2516 section 4.
const etherPPPoED = 0x8863

func (w *checker) pppoe(b []byte) {
	if w.short(b, 7, EvPPPoEPacketTooSmall) {
		return
	}
	if n := int(be16(b[4:])); n < len(b)-6 {
		b = b[:6+n]
	}
	if w.deeper() {
		w.ppp(b[6:])
	}
}

// discovery walks the tags of RFC 2516 section 5.
func (w *checker) discovery(b []byte) {
	if w.short(b, 6, EvPPPoEPacketTooSmall) {
		return
	}
	switch b[1] {
	case 0x09, 0x07, 0x19, 0x65, 0xa7: // PADI, PADO, PADR, PADS, PADT
	default:
		w.add(EvPPPoEWrongCode)
	}
	size, b := int(be16(b[4:])), b[6:]
	if size > len(b) {
		if !w.cut {
			w.add(EvPPPoEMalformedTags)
		}
		return
	}
	for b = b[:size]; len(b) > 0; {
		if len(b) < 4 || int(be16(b[2:])) > len(b)-4 {
			w.add(EvPPPoEMalformedTags)
			return
		}
		b = b[4+int(be16(b[2:])):]
	}
}

// ppp reads the protocol field as Decode does.
func (w *checker) ppp(b []byte) {
	if len(b) > 0 && b[0] == 0x7e {
		b = b[1:]
	}
	if len(b) > 1 && b[0] == 0xff && b[1] == 3 {
		b = b[2:]
	}
	var proto uint16
	switch {
	case len(b) == 1 && w.cut:
		return
	case len(b) > 0 && b[0]&1 == 1:
		proto, b = uint16(b[0]), b[1:]
	case !w.short(b, 2, EvPPPPacketTooSmall):
		proto, b = be16(b), b[2:]
	default:
		return
	}
	switch proto {
	case pppIPv4:
		if !w.short(b, 20, EvPPPIP4PacketTooSmall) {
			w.ipv4(b)
		}
	case pppIPv6:
		if !w.short(b, 40, EvPPPIP6PacketTooSmall) {
			w.ipv6(b)
		}
	case pppMPLS, pppMPLSMC:
		w.mpls(b)
	case pppVJUncompressed:
		if !w.short(b, 20, EvPPPVJUPacketTooSmall) && b[0]>>4 == 4 {
			w.ipv4(b)
		}
	case pppVJCompressed, 0x0023, 0x0025, 0x0027, 0x0029, 0x002b, 0x003d, 0x003f, 0x0049, 0x004f, 0x00fd, // RFC 1661's registry
		0x8021, 0x8023, 0x8025, 0x8027, 0x8029, 0x802b, 0x8031, 0x803f, 0x8049, 0x8057, 0x80fd,
		0xc021, 0xc023, 0xc025, 0xc223:
		w.add(EvPPPUnsupportedProto)
	default:
		w.add(EvPPPWrongType)
	}
}

// Van Jacobson's compression in PPP, RFC 1332 section 4.
const (
	pppVJCompressed   = 0x002d
	pppVJUncompressed = 0x002f
)

func (w *checker) mpls(b []byte) {
	if !w.deeper() {
		return
	}
	for i := 0; ; i++ {
		if i == MaxLabels || w.short(b, 4, EvMPLSHeaderTooSmall) {
			return
		}
		label, bottom := be32(b)>>12, b[2]&1 != 0
		b = b[4:]
		if !bottom {
			continue
		}
		if w.short(b, 1, EvMPLSPacketTooSmall) {
			return
		}
		switch { // reserved labels, RFC 3032 section 2.1
		case label == 0:
			w.ipv4(b)
			return
		case label == 2:
			w.ipv6(b)
			return
		case label == 1:
			w.add(EvMPLSBadLabelRouterAlert)
			return
		case label == 3:
			w.add(EvMPLSBadLabelImplicitNull)
			return
		case label < 16:
			w.add(EvMPLSBadLabelReserved)
			return
		}
		break
	}
	switch b[0] >> 4 {
	case 4:
		w.ipv4(b)
	case 6:
		w.ipv6(b)
	case 0:
		if len(b) > 4 {
			w.ethernet(b[4:])
		}
	default:
		w.add(EvMPLSUnknownPayloadType)
	}
}
