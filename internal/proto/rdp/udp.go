package rdp

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// The first datagrams of the UDP transport, [MS-RDPEUDP] 2.2.2.1 and 3.1.5.1:
// a header of acknowledged number, receive window and flags, then the initial
// number and the two MTUs, padded with zeros to 1232 bytes.
const (
	udpSYN    = 1
	udpACK    = 4
	udpPadded = 1232
	udpMinMTU = 1132
	udpMaxMTU = 1232
	// udpNoAck stands in a SYN for the number acknowledged.
	udpNoAck = 0xffffffff
)

// probeUDP recognises the SYN of a client and the answer of a server.
func probeUDP(d packet.Dir, b []byte) proto.Match {
	if len(b) != udpPadded {
		return proto.No
	}
	be := binary.BigEndian
	flags := be.Uint16(b[6:])
	up, down := be.Uint16(b[12:]), be.Uint16(b[14:])
	if flags&udpSYN == 0 || (flags&udpACK != 0) != (d == packet.ToClient) || (be.Uint32(b) == udpNoAck) != (d == packet.ToServer) ||
		up < udpMinMTU || up > udpMaxMTU || down < udpMinMTU || down > udpMaxMTU || be.Uint16(b[4:]) == 0 {
		return proto.No
	}
	for _, c := range b[udpPadded-64:] { // beyond correlation identifier and version
		if c != 0 {
			return proto.No
		}
	}
	return proto.Yes
}

// datagram reports the side's first datagram. What follows is TLS or DTLS in
// numbered pieces, which is not put together.
func (p *parser) datagram(c *proto.Conn, d packet.Dir, b []byte) {
	if probeUDP(d, b) == proto.Yes {
		p.start(UDPConnect)
		c.Emit(&p.tx, true)
	}
	c.Finish()
}
