// Package inject makes the packets that end a connection or refuse a request on
// behalf of somebody who was not let through: TCP resets to both ends, ICMP
// "administratively prohibited", refused DNS answers. It builds bytes; Sender
// puts them on the wire.
package inject

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/packet"
)

// MaxPacket bounds what is built: an ICMPv6 error may be as long as the least
// MTU (RFC 4443 section 2.4 c).
const MaxPacket = 1280

const ttl = 64

// Resets appends to dst one IP packet that resets the connection at the
// destination of p and one that does at its source, as if each came from the
// other end, and returns them. p is the segment that is not let through: so its
// own numbers are the ones both ends wait for (RFC 9293 section 3.10.7.4: a
// reset counts only with exactly the next number). Nil for what is no TCP
// segment, and for a reset.
func Resets(dst []byte, p *packet.Packet) (toDst, toSrc []byte) { return resets(dst, p, false) }

// ResetsAfter is Resets for a segment that was let through: its receiver waits
// for the number after it.
func ResetsAfter(dst []byte, p *packet.Packet) (toDst, toSrc []byte) { return resets(dst, p, true) }

func resets(dst []byte, p *packet.Packet, passed bool) (toDst, toSrc []byte) {
	if p.Proto != packet.ProtoTCP || p.L4 == nil || p.TCPFlags&packet.RST != 0 || !answerable(p) {
		return nil, nil
	}
	n := uint32(len(p.Payload) + p.Missing)
	if p.TCPFlags&packet.SYN != 0 {
		n++
	}
	if p.TCPFlags&packet.FIN != 0 {
		n++
	}
	start := len(dst)
	seq, flags := p.Seq, byte(packet.RST)
	if passed {
		seq += n
	}
	var ack uint32
	if p.TCPFlags&packet.ACK != 0 {
		ack, flags = p.Ack, packet.RST|packet.ACK
	}
	dst = tcp(dst, p.Src, p.Dst, p.SrcPort, p.DstPort, seq, ack, flags)
	mid := len(dst)
	// To the source: it waits for its peer's next byte, which it told in its
	// acknowledgement; a first SYN has none, and is answered with 0 and ACK.
	seq = 0
	if p.TCPFlags&packet.ACK != 0 {
		seq = p.Ack
	}
	dst = tcp(dst, p.Dst, p.Src, p.DstPort, p.SrcPort, seq, p.Seq+n, packet.RST|packet.ACK)
	return dst[start:mid:mid], dst[mid:]
}

// Unreachable appends an ICMP error to the source of p, from its destination:
// communication administratively prohibited (RFC 1812 section 5.2.7.1, RFC 4443
// section 3.1). Nil for what must not be answered (RFC 1122 section 3.2.2):
// errors, fragments but the first, broadcasts and multicasts.
func Unreachable(dst []byte, p *packet.Packet) []byte {
	if !answerable(p) || len(p.IP) == 0 || isError(p) {
		return nil
	}
	start := len(dst)
	if p.Version == 4 {
		quote := p.IP[:min(len(p.IP), p.IPHdr+8)]
		dst = header(dst, p.Dst, p.Src, packet.ProtoICMP, 8+len(quote))
		at := len(dst)
		dst = append(dst, 3, 13, 0, 0, 0, 0, 0, 0)
		dst = append(dst, quote...)
		binary.BigEndian.PutUint16(dst[at+2:], fold(sum(0, dst[at:])))
		return dst[start:]
	}
	quote := p.IP[:min(len(p.IP), MaxPacket-40-8)]
	dst = header(dst, p.Dst, p.Src, packet.ProtoICMPv6, 8+len(quote))
	at := len(dst)
	dst = append(dst, 1, 1, 0, 0, 0, 0, 0, 0)
	dst = append(dst, quote...)
	checksum(dst[at:], 2, p.Dst, p.Src, packet.ProtoICMPv6)
	return dst[start:]
}

// UDP appends a datagram with payload from the destination of p to its source.
func UDP(dst []byte, p *packet.Packet, payload []byte) []byte {
	if p.Proto != packet.ProtoUDP || !answerable(p) || len(payload) > MaxPacket-48 {
		return nil
	}
	start := len(dst)
	dst = header(dst, p.Dst, p.Src, packet.ProtoUDP, 8+len(payload))
	at := len(dst)
	dst = binary.BigEndian.AppendUint16(dst, p.DstPort)
	dst = binary.BigEndian.AppendUint16(dst, p.SrcPort)
	dst = binary.BigEndian.AppendUint16(dst, uint16(8+len(payload)))
	dst = append(dst, 0, 0)
	dst = append(dst, payload...)
	checksum(dst[at:], 6, p.Dst, p.Src, packet.ProtoUDP)
	return dst[start:]
}

// answerable reports whether somebody in particular can be answered.
func answerable(p *packet.Packet) bool {
	return (p.Version == 4 || p.Version == 6) && !p.Fragment && single(p.Src) && single(p.Dst)
}

// single reports whether a is one host's address.
func single(a packet.Addr) bool {
	ip := a.Netip()
	return !ip.IsMulticast() && !ip.IsUnspecified() && ip != broadcast
}

var broadcast = packet.AddrFrom4([]byte{255, 255, 255, 255}).Netip()

func isError(p *packet.Packet) bool {
	switch p.Proto {
	case packet.ProtoICMP:
		return p.ICMPType != 8 && p.ICMPType != 0 && p.ICMPType != 13 && p.ICMPType != 14
	case packet.ProtoICMPv6:
		return p.ICMPType < 128
	}
	return false
}

// tcp appends a segment without payload.
func tcp(dst []byte, from, to packet.Addr, sport, dport uint16, seq, ack uint32, flags byte) []byte {
	dst = header(dst, from, to, packet.ProtoTCP, 20)
	at := len(dst)
	dst = binary.BigEndian.AppendUint16(dst, sport)
	dst = binary.BigEndian.AppendUint16(dst, dport)
	dst = binary.BigEndian.AppendUint32(dst, seq)
	dst = binary.BigEndian.AppendUint32(dst, ack)
	dst = append(dst, 5<<4, flags, 0, 0, 0, 0, 0, 0)
	checksum(dst[at:], 16, from, to, packet.ProtoTCP)
	return dst
}

// header appends an IP header for n bytes of payload.
func header(dst []byte, from, to packet.Addr, proto uint8, n int) []byte {
	src, dest := from.Netip(), to.Netip()
	if src.Is4() {
		at := len(dst)
		dst = append(dst, 0x45, 0)
		dst = binary.BigEndian.AppendUint16(dst, uint16(20+n))
		dst = append(dst, 0, 0, 0x40, 0, ttl, proto, 0, 0) // do not fragment
		a, b := src.As4(), dest.As4()
		dst = append(append(dst, a[:]...), b[:]...)
		binary.BigEndian.PutUint16(dst[at+10:], fold(sum(0, dst[at:])))
		return dst
	}
	dst = append(dst, 0x60, 0, 0, 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	dst = append(dst, proto, ttl)
	a, b := src.As16(), dest.As16()
	return append(append(dst, a[:]...), b[:]...)
}

// checksum writes the Internet checksum of a transport header with its pseudo
// header (RFC 9293 section 3.1, RFC 8200 section 8.1) at offset at of b.
func checksum(b []byte, at int, from, to packet.Addr, proto uint8) {
	s := uint32(proto) + uint32(len(b))
	for _, a := range [2]packet.Addr{from, to} {
		if ip := a.Netip(); ip.Is4() {
			x := ip.As4()
			s = sum(s, x[:])
		} else {
			x := ip.As16()
			s = sum(s, x[:])
		}
	}
	c := fold(sum(s, b))
	if c == 0 && proto == packet.ProtoUDP {
		c = 0xffff // 0 means none (RFC 768)
	}
	binary.BigEndian.PutUint16(b[at:], c)
}

func sum(s uint32, b []byte) uint32 {
	for ; len(b) > 1; b = b[2:] {
		s += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		s += uint32(b[0]) << 8
	}
	return s
}

func fold(s uint32) uint16 {
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return ^uint16(s)
}
