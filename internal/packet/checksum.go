package packet

import (
	"encoding/binary"
	"math/bits"
)

// sum16 adds b, as big-endian 16-bit words, to an unfolded one's complement
// sum, RFC 1071. b of odd length is padded with a zero. Eight bytes are added at
// once, as 2^64 and 2^16 are both 1 there.
func sum16(sum uint64, b []byte) uint64 {
	carry := uint64(0)
	for len(b) >= 32 {
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b), carry)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b[8:]), carry)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b[16:]), carry)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b[24:]), carry)
		b = b[32:]
	}
	for len(b) >= 8 {
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b), carry)
		b = b[8:]
	}
	sum = sum>>32 + sum&0xffffffff + carry
	for len(b) >= 2 {
		sum += uint64(be16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		sum += uint64(b[0]) << 8
	}
	return sum
}

// fold16 folds the carries of a sum into its lowest 16 bits.
func fold16(sum uint64) uint16 {
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}

// pseudoSum returns the sum of the pseudo-header over which TCP, UDP and
// ICMPv6 checksums run (RFC 9293 section 3.1, RFC 8200 section 8.1).
func (p *Packet) pseudoSum() uint64 {
	src, dst := p.Src[:], p.Dst[:]
	if p.Version == 4 {
		src, dst = src[12:], dst[12:]
	}
	sum := sum16(sum16(0, src), dst)
	return sum + uint64(p.Proto) + uint64(len(p.L4)>>16) + uint64(len(p.L4)&0xffff)
}

// VerifyChecksum checks the header checksum of an IPv4 packet and the
// transport checksum of TCP, UDP, ICMP and ICMPv6. known is false, and ok
// meaningless, when there is nothing to go by: no whole transport header, bytes
// missing in the capture, a protocol not listed here, a UDP packet over IPv4
// sent without a checksum, or one that the sender left for its network card to
// finish (the field then holds the sum of the pseudo-header alone). Decode
// never calls it: captured on the machine that sent them, wrong checksums are
// normal.
func VerifyChecksum(p *Packet) (ok, known bool) {
	if p.L4 == nil || p.Fragment || p.Missing > 0 || p.Anomalies&(TruncatedIP|BadIPOption) != 0 {
		return false, false
	}
	var field int
	var sum uint64
	switch {
	case p.Proto == ProtoTCP:
		field, sum = 16, p.pseudoSum()
	case p.Proto == ProtoUDP:
		field, sum = 6, p.pseudoSum()
	case p.Proto == ProtoICMP && p.Version == 4:
		field = 2
	case p.Proto == ProtoICMPv6 && p.Version == 6:
		field, sum = 2, p.pseudoSum()
	default:
		return false, false
	}
	if p.Version == 4 {
		if hdr := int(p.IP[0]&15) * 4; be16(p.IP[10:]) != 0 && fold16(sum16(0, p.IP[:hdr])) != 0xffff {
			return false, true // zero: left for the card, as is the total length
		}
	}
	have := be16(p.L4[field:])
	switch {
	case p.Proto == ProtoUDP && have == 0:
		// RFC 768: none was computed. RFC 8200 section 8.1 forbids that over
		// IPv6, RFC 6935 allows it for tunnels.
		return false, false
	case p.Proto != ProtoICMP && have == fold16(sum):
		return false, false
	}
	return fold16(sum16(sum, p.L4)) == 0xffff, true
}
