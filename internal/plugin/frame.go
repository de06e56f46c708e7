package plugin

import (
	"encoding/binary"
	"net"
	"net/netip"
)

// Sizes of frames.
const (
	etherSize = 14
	arpSize   = 28
	ip6Size   = 40
	ndSize    = 32 // advertisement with one option
	// Frames shorter than 60 bytes are filled up (IEEE 802.3 clause 3.2.7).
	least = 60
)

// frame begins an Ethernet frame.
func frame(to, from net.HardwareAddr, ethertype uint16) []byte {
	b := make([]byte, etherSize, etherSize+ip6Size+ndSize)
	copy(b, to)
	copy(b[6:], from)
	binary.BigEndian.PutUint16(b[12:], ethertype)
	return b
}

// Reply builds the ARP reply (RFC 826) that tells the host at to, with the
// address target, that addr is at the hardware address at. The frame comes from
// own.
func Reply(to, own, at net.HardwareAddr, addr, target netip.Addr) []byte {
	b := frame(to, own, 0x0806)
	b = append(b, 0, 1, 8, 0, 6, 4, 0, 2) // Ethernet, IPv4, reply
	a, t := addr.As4(), target.As4()
	b = append(append(b, at[:6]...), a[:]...)
	b = append(append(b, to[:6]...), t[:]...)
	return append(b, make([]byte, least-len(b))...)
}

// Announce builds the broadcast by which everybody on the network learns that
// addr is at a hardware address (RFC 5227 section 3).
func Announce(own, at net.HardwareAddr, addr netip.Addr) []byte {
	all := net.HardwareAddr{255, 255, 255, 255, 255, 255}
	b := frame(all, own, 0x0806)
	b = append(b, 0, 1, 8, 0, 6, 4, 0, 1)
	a := addr.As4()
	b = append(append(b, at[:6]...), a[:]...)
	b = append(b, 0, 0, 0, 0, 0, 0)
	b = append(b, a[:]...)
	return append(b, make([]byte, least-len(b))...)
}

// Advertisement builds the neighbour advertisement (RFC 4861 section 4.4) that
// tells the host at to, with the address target, that addr is at the hardware
// address at. router says whether addr is a router's: a host forgets a router
// that says that it is none.
func Advertisement(to, own, at net.HardwareAddr, addr, target netip.Addr, router bool) []byte {
	b := frame(to, own, 0x86dd)
	b = append(b, 0x60, 0, 0, 0, 0, ndSize, 58, 255) // 255 hops: RFC 4861 section 7.1.2
	a, t := addr.As16(), target.As16()
	b = append(append(b, a[:]...), t[:]...)
	flags := byte(0x20) // override; not solicited, which multicast may not be either
	if router {
		flags |= 0x80
	}
	b = append(b, 136, 0, 0, 0, flags, 0, 0, 0)
	b = append(b, a[:]...)
	b = append(append(b, 2, 1), at[:6]...) // target link-layer address
	icmp := b[etherSize+ip6Size:]
	binary.BigEndian.PutUint16(icmp[2:], checksum(a, t, icmp))
	return b
}

// Request builds the ARP request by which own, at address addr (or the
// unspecified one), asks who has target.
func Request(own net.HardwareAddr, addr, target netip.Addr) []byte {
	b := Announce(own, own, target)
	a := addr.As4()
	copy(b[etherSize+14:], a[:])
	return b
}

// answer reads an ARP reply: who said that addr is his.
func answer(b []byte) (addr netip.Addr, mac net.HardwareAddr, ok bool) {
	if len(b) < etherSize+arpSize || string(b[12:etherSize+8]) != "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02" {
		return addr, nil, false
	}
	a := b[etherSize:]
	return netip.AddrFrom4([4]byte(a[14:18])), net.HardwareAddr(a[8:14]), true
}

// checksum is the Internet checksum of an ICMPv6 message whose own field is
// zero (RFC 8200 section 8.1).
func checksum(src, dst [16]byte, b []byte) uint16 {
	s := uint32(58 + len(b))
	for _, part := range [][]byte{src[:], dst[:], b} {
		for i := 0; i+1 < len(part); i += 2 {
			s += uint32(part[i])<<8 | uint32(part[i+1])
		}
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return ^uint16(s)
}
