package inject

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/packet"
)

// MaxFrame bounds a frame that is built: a reset of IPv6 behind the most tags.
const MaxFrame = 14 + 4*packet.MaxVLANTags + 60

// MirrorResets appends to dst the two Ethernet frames that reset the connection
// of a segment that was seen, and not held, on a mirror of the network. They
// come from own, since switches learn from the source which port a host is at;
// they go to the hosts, or routers, that the segment was between, with the tags
// that it had. Nil for what is not plain Ethernet with IP, for segments without
// an answer (see Resets), and for what is inside a tunnel.
func MirrorResets(dst []byte, own packet.MAC, f *packet.Frame, p *packet.Packet) (toDst, toSrc []byte) {
	n := ipAt(f, p)
	if n == 0 || p.SrcMAC[0]&1 != 0 || p.DstMAC[0]&1 != 0 || p.SrcMAC == own || p.DstMAC == own {
		return nil, nil
	}
	var room [2 * 60]byte
	a, b := ResetsAfter(room[:0], p)
	if a == nil {
		return nil, nil
	}
	start := len(dst)
	dst = append(ethernet(dst, p.DstMAC, own, f, n), a...)
	mid := len(dst)
	dst = append(ethernet(dst, p.SrcMAC, own, f, n), b...)
	return dst[start:mid:mid], dst[mid:]
}

// ethernet appends the header of f, of n bytes, with other addresses, and the
// tag that the network card took off.
func ethernet(dst []byte, to, from packet.MAC, f *packet.Frame, n int) []byte {
	dst = append(append(dst, to[:]...), from[:]...)
	if f.VLANTPID != 0 {
		dst = binary.BigEndian.AppendUint16(dst, f.VLANTPID)
		dst = binary.BigEndian.AppendUint16(dst, f.VLAN)
	}
	return append(dst, f.Data[12:n]...)
}

// ipAt returns where the IP header of p is in f, when nothing but VLAN tags lie
// before it; 0: something else does.
func ipAt(f *packet.Frame, p *packet.Packet) int {
	if f.Link != packet.LinkEthernet || !p.HasMAC || p.Depth != 0 || len(p.IP) == 0 {
		return 0
	}
	for n := 12; n < 12+4*packet.MaxVLANTags && n+2 < len(f.Data); n += 4 {
		switch binary.BigEndian.Uint16(f.Data[n:]) {
		case 0x8100, 0x88a8, 0x9100: // 802.1Q, 802.1ad and its predecessor
			continue
		case 0x0800, 0x86dd:
			if n += 2; n < len(f.Data) && &f.Data[n] == &p.IP[0] {
				return n
			}
		}
		return 0
	}
	return 0
}
