package afpacket

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/packet"
)

// framing says how the frames of an interface are handed over.
type framing uint8

const (
	ethernet framing = iota // whole frames
	rawIP                   // IP packets; everything else is passed over
	cooked                  // payloads behind a Linux cooked header written here
)

// framingOf chooses by hardware type (ARPHRD_ in linux/if_arp.h). On
// interfaces that carry only IP the kernel is asked for the network layer:
// whether a link header stands in front depends on driver and direction.
func framingOf(hardware uint16) framing {
	switch hardware {
	case unix.ARPHRD_ETHER, unix.ARPHRD_LOOPBACK:
		return ethernet
	case unix.ARPHRD_NONE, unix.ARPHRD_RAWIP, unix.ARPHRD_PPP, unix.ARPHRD_TUNNEL, unix.ARPHRD_TUNNEL6,
		unix.ARPHRD_SIT, unix.ARPHRD_IPGRE, unix.ARPHRD_IP6GRE:
		return rawIP
	}
	return cooked
}

// link returns the link type of the frames.
func (k framing) link() packet.LinkType {
	switch k {
	case rawIP:
		return packet.LinkRaw
	case cooked:
		return packet.LinkSLL
	}
	return packet.LinkEthernet
}

// Offsets in the memory that kernel and program share, linux/if_packet.h. All
// fields have fixed widths, so 32-bit programs on 64-bit kernels agree.
const (
	// struct tpacket_block_desc
	blkStatus = 8
	blkCount  = 12
	blkFirst  = 16

	// struct tpacket3_hdr
	pktNext   = 0
	pktSec    = 4
	pktNsec   = 8
	pktSnap   = 12
	pktLen    = 16
	pktStatus = 20
	pktMAC    = 24
	pktTCI    = 32
	pktTPID   = 36

	// struct sockaddr_ll, behind the header
	sllProto    = 50
	sllHardware = 56
	sllType     = 58
	sllAddrLen  = 59
	sllAddr     = 60
	sllEnd      = 68
)

// cookedLen is the length of a LINKTYPE_LINUX_SLL header. For a socket of
// type SOCK_DGRAM the kernel leaves at least 28 bytes free between the address
// and the payload (tpacket_rcv in net/packet/af_packet.c), so the header is
// written there and nothing is copied.
const cookedLen = 16

// block walks the frames of one block that the kernel handed over. The kernel
// is trusted to mean well, yet nothing is read outside of b.
type block struct {
	b        []byte
	at, left uint32
	framing  framing
	inOnly   bool // pass over outgoing frames: on loopback each frame is seen twice
	index    uint32
}

// reset begins at the first frame of b.
func (k *block) reset(b []byte) {
	k.b = b
	k.left = binary.NativeEndian.Uint32(b[blkCount:])
	k.at = binary.NativeEndian.Uint32(b[blkFirst:])
}

// next reads the next frame into f.
func (k *block) next(f *packet.Frame) bool {
	ne := binary.NativeEndian
	for k.left > 0 {
		if uint64(k.at)+sllEnd > uint64(len(k.b)) {
			break
		}
		h := k.b[k.at:]
		k.left--
		step := ne.Uint32(h[pktNext:])
		if step == 0 || uint64(k.at)+uint64(step) > uint64(len(k.b)) {
			k.left = 0
		}
		k.at += step
		mac, snap := uint64(ne.Uint16(h[pktMAC:])), uint64(ne.Uint32(h[pktSnap:]))
		if mac < sllEnd || mac+snap > uint64(len(h)) {
			break
		}
		if k.inOnly && h[sllType] == unix.PACKET_OUTGOING {
			continue
		}
		data := h[mac : mac+snap : mac+snap]
		wire := ne.Uint32(h[pktLen:])
		switch k.framing {
		case rawIP:
			if p := binary.BigEndian.Uint16(h[sllProto:]); p != unix.ETH_P_IP && p != unix.ETH_P_IPV6 {
				continue
			}
		case cooked:
			if mac < sllEnd+cookedLen {
				continue
			}
			data = h[mac-cookedLen : mac+snap : mac+snap]
			cook(data, h)
			wire += cookedLen
		}
		*f = packet.Frame{
			Time:  int64(ne.Uint32(h[pktSec:]))*1e9 + int64(ne.Uint32(h[pktNsec:])),
			Data:  data,
			Len:   max(int(min(wire, 1<<31-1)), len(data)),
			Link:  k.framing.link(),
			Iface: k.index,
		}
		if status := ne.Uint32(h[pktStatus:]); status&unix.TP_STATUS_VLAN_VALID != 0 {
			f.VLAN, f.VLANTPID = uint16(ne.Uint32(h[pktTCI:])), unix.ETH_P_8021Q
			// Kernels before 3.14 do not tell the EtherType of the tag.
			if status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
				f.VLANTPID = ne.Uint16(h[pktTPID:])
			}
		}
		return true
	}
	k.left = 0
	return false
}

// cook writes the cooked header, LINKTYPE_LINUX_SLL, to the begin of b from the
// address in the packet header h.
func cook(b, h []byte) {
	be := binary.BigEndian
	be.PutUint16(b, uint16(h[sllType]))
	be.PutUint16(b[2:], binary.NativeEndian.Uint16(h[sllHardware:]))
	be.PutUint16(b[4:], uint16(h[sllAddrLen]))
	copy(b[6:14], h[sllAddr:sllEnd])
	copy(b[14:16], h[sllProto:sllProto+2])
}
