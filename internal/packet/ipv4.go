package packet

import "encoding/binary"

// IPv4 flag bits as Packet.IPFlags holds them, RFC 791 section 3.1.
const (
	ipMF = 1
	ipDF = 2
)

// ipv4 reads an IPv4 header and what it carries. p is touched only when the
// header is sound.
func (d *Decoder) ipv4(p *Packet, b []byte, n nest) {
	if len(b) < 20 {
		p.Anomalies |= TruncatedIP
		return
	}
	hdr := int(b[0]&15) * 4
	if b[0]>>4 != 4 || hdr < 20 {
		p.Anomalies |= BadIPHeader
		return
	}
	if hdr > len(b) {
		p.Anomalies |= TruncatedIP
		return
	}
	total, wire := int(be16(b[2:])), len(b)+n.cut
	if total < hdr {
		if total != 0 || wire < minSuperSegment {
			p.Anomalies |= BadIPHeader
			return
		}
		total = wire
	}
	if total <= len(b) {
		b, n.cut = b[:total], 0 // the rest is padding
	} else {
		if total > wire {
			p.Anomalies |= TruncatedIP
		}
		n.cut = total - len(b)
	}
	p.openIP(4, n.tun)
	p.EtherType = etherIPv4
	p.TOS, p.TTL = b[1], b[8]
	p.IPID = uint32(be16(b[4:]))
	frag := be16(b[6:])
	p.IPFlags = uint8(frag >> 13)
	p.FragOff = frag << 3
	p.Proto = b[9]
	p.Src.set4(b[12:16])
	p.Dst.set4(b[16:20])
	p.IP, p.IPHdr = b, hdr
	p.Missing = n.cut
	if hdr > 20 && !soundOptions(b[20:hdr]) {
		p.Anomalies |= BadIPOption
	}
	if frag&0x3fff != 0 {
		if b = d.defrag4(p, n); b == nil {
			return
		}
		hdr = p.IPHdr
		n.cut = 0
	}
	if p.Proto == ProtoAH {
		if b = p.skipAH(b[hdr:], n); b == nil {
			return
		}
		d.transport(p, b, n)
		return
	}
	d.transport(p, b[hdr:], n)
}

// set4 stores the mapped form of an IPv4 address, in two words: single bytes
// would stall whoever loads the address next.
func (a *Addr) set4(b []byte) {
	binary.BigEndian.PutUint64(a[:8], 0)
	binary.BigEndian.PutUint64(a[8:], 0xffff<<32|uint64(be32(b)))
}

// soundOptions walks IPv4 options, RFC 791 section 3.1: a type, and unless it
// ends the list or fills, a length that counts both.
func soundOptions(o []byte) bool {
	for len(o) > 0 {
		switch o[0] {
		case 0:
			return true
		case 1:
			o = o[1:]
			continue
		}
		if len(o) < 2 || o[1] < 2 || int(o[1]) > len(o) {
			return false
		}
		o = o[o[1]:]
	}
	return true
}

// skipAH walks over authentication headers (RFC 4302) of an IPv4 packet and
// returns what follows, or nil. b begins behind the IP header.
func (p *Packet) skipAH(b []byte, n nest) []byte {
	for i := 0; p.Proto == ProtoAH; i++ {
		if i == MaxExtHeaders {
			p.Anomalies |= TooManyExt
			return nil
		}
		size, ok := extSize(ProtoAH, b)
		if !ok {
			p.cutExt(n)
			return nil
		}
		p.Proto = b[0]
		p.IPHdr += size
		b = b[size:]
	}
	return b
}

// defrag4 handles an IPv4 fragment: it returns the whole packet, with p's
// fields set from its header, when the fragment completed one, else nil.
func (d *Decoder) defrag4(p *Packet, n nest) []byte {
	p.Fragment = true
	if d.Defrag == nil {
		return nil
	}
	if n.cut > 0 {
		d.Defrag.stats.Truncated++
		return nil
	}
	k := fragKey{src: p.Src, dst: p.Dst, id: p.IPID, vlan: p.flowVLAN(), proto: p.Proto, depth: p.Depth}
	b, bad := d.Defrag.add(&k, p.IP[:p.IPHdr], p.IP[p.IPHdr:], int(p.FragOff), p.IPFlags&ipMF != 0, p.Time)
	p.Anomalies |= bad
	if b == nil {
		return nil
	}
	p.Fragment, p.Defrag = false, true
	p.TOS, p.TTL = b[1], b[8]
	p.IPFlags, p.FragOff = b[6]>>5, 0
	p.IP, p.IPHdr = b, int(b[0]&15)*4
	return b
}
