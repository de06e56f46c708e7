// Package packet turns a captured frame into headers: link layer, VLAN and
// tunnels, IP, transport, and the key of the flow the packet belongs to. It puts
// fragments together under a memory budget. But for those it
// copies nothing; it allocates nothing per packet and never panics, whatever the
// bytes say.
package packet

import "net/netip"

// Dir is the direction of a packet or of a stretch of stream within its flow.
type Dir uint8

// Directions. The client is who opened the flow (sent the SYN, or the first
// packet seen).
const (
	ToServer Dir = iota
	ToClient
)

// Reverse returns the other direction.
func (d Dir) Reverse() Dir { return d ^ 1 }

// String returns "to_server" or "to_client".
func (d Dir) String() string {
	if d == ToServer {
		return "to_server"
	}
	return "to_client"
}

// Addr is an IPv6 address, or an IPv4 address in its mapped form
// (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2), in network order. It holds no
// pointer, so tables of addresses cost the garbage collector nothing.
type Addr [16]byte

// AddrFrom4 returns the mapped form of the first four bytes of b.
// It needs len(b) >= 4.
func AddrFrom4(b []byte) (a Addr) {
	a[10], a[11] = 0xff, 0xff
	copy(a[12:], b[:4])
	return a
}

// AddrFrom16 returns the address in the first sixteen bytes of b.
// It needs len(b) >= 16.
func AddrFrom16(b []byte) (a Addr) {
	copy(a[:], b[:16])
	return a
}

// AddrOf converts a netip address; the zone is dropped.
func AddrOf(ip netip.Addr) Addr { return Addr(ip.As16()) }

// Is4 reports whether a holds an IPv4 address.
func (a *Addr) Is4() bool {
	return a[10] == 0xff && a[11] == 0xff &&
		a[0]|a[1]|a[2]|a[3]|a[4]|a[5]|a[6]|a[7]|a[8]|a[9] == 0
}

// Netip returns the address in the standard library's type, IPv4 unmapped.
func (a Addr) Netip() netip.Addr { return netip.AddrFrom16(a).Unmap() }

// String returns the usual text form.
func (a Addr) String() string { return a.Netip().String() }

// MAC is an EUI-48 hardware address.
type MAC [6]byte

// LinkType is a LINKTYPE_ value of the pcap registry
// (https://www.tcpdump.org/linktypes.html).
type LinkType uint16

// Link types that Decode understands.
const (
	LinkNull     LinkType = 0   // BSD loopback, host order family
	LinkEthernet LinkType = 1   //
	LinkPPP      LinkType = 9   // PPP, with or without HDLC framing
	LinkPPPHDLC  LinkType = 50  // PPP in HDLC-like framing (RFC 1662)
	LinkPPPoE    LinkType = 51  // PPPoE session
	LinkRawBSD   LinkType = 12  // raw IP, as DLT_RAW on most systems
	LinkRawOBSD  LinkType = 14  // raw IP, as DLT_RAW on OpenBSD
	LinkRaw      LinkType = 101 // raw IPv4 or IPv6
	LinkCHDLC    LinkType = 104 // Cisco HDLC
	LinkLoop     LinkType = 108 // OpenBSD loopback, network order family
	LinkSLL      LinkType = 113 // Linux cooked v1
	LinkIPv4     LinkType = 228 //
	LinkIPv6     LinkType = 229 //
	LinkSLL2     LinkType = 276 // Linux cooked v2
)

// Frame is one captured frame, as a capture source hands it over. Data is
// valid only during the call that delivers it.
type Frame struct {
	Time  int64  // nanoseconds since the Unix epoch, from the capture
	Data  []byte // captured bytes, from the link layer on
	Len   int    // length on the wire; >= len(Data)
	Link  LinkType
	Iface uint32 // interface: number in the file, or index on the machine

	// VLAN is the tag control information of a tag that the network card took
	// off the frame (TPACKET_V3 tells it apart); VLANTPID its EtherType, zero
	// when there was none.
	VLAN     uint16
	VLANTPID uint16
}

// IP protocol numbers this package or its users name (IANA registry).
const (
	ProtoICMP   = 1
	ProtoIGMP   = 2
	ProtoIPIP   = 4
	ProtoTCP    = 6
	ProtoUDP    = 17
	ProtoIPv6   = 41
	ProtoGRE    = 47
	ProtoESP    = 50
	ProtoAH     = 51
	ProtoICMPv6 = 58
	ProtoSCTP   = 132
)

// TCP flag bits, RFC 9293 section 3.1.
const (
	FIN = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
)

// Tunnel is a set of the encapsulations a packet was taken out of.
type Tunnel uint16

// Encapsulations.
const (
	TunnelPPPoE Tunnel = 1 << iota
	TunnelMPLS
	TunnelGRE
	TunnelIPIP  // IPv4 in IPv4
	Tunnel6in4  // IPv6 in IPv4
	Tunnel4in6  // IPv4 in IPv6: DS-Lite (RFC 6333), MAP-E (RFC 7597)
	TunnelIP6IP // IPv6 in IPv6
	TunnelVXLAN
	TunnelGENEVE
	TunnelTeredo // IPv6 in UDP
	TunnelNSH    // what a chain of services carries, RFC 8300
)

// Anomaly is a set of things that are wrong with a packet. A packet with an
// anomaly still carries every header that could be read before it.
type Anomaly uint32

// Anomalies, in the order of the layers.
const (
	TruncatedFrame   Anomaly = 1 << iota // shorter than its link header
	UnknownLink                          // link type or EtherType not decoded
	TruncatedIP                          // fewer bytes than the IP header or its length says
	BadIPHeader                          // version, header length or total length contradict each other
	BadIPOption                          // an option or extension header runs over its end
	TooManyExt                           // more extension headers than MaxExtHeaders
	TooDeep                              // more encapsulations than MaxDepth
	TruncatedL4                          // fewer bytes than the transport header
	BadL4Header                          // a transport header's own lengths contradict each other
	FragmentOverlap                      // a fragment contradicted one already held
	FragmentOversize                     // a fragment would end beyond 65,535 bytes
	FragmentLength                       // an IPv6 fragment in the middle whose length is no multiple of 8
	NothingFollows                       // the last IPv6 extension header announces what is not there

	// What follows is odd, not wrong: see Oddities.
	UselessFragment   // an IPv6 fragment header on a whole packet (RFC 6946)
	RepeatedFragment  // a second IPv6 fragment header
	UnknownDestOption // an IPv6 destination option that is not of those in use
	UnknownHopOption  // the same of a hop-by-hop option
)

// Oddities are the anomalies of packets that are sound and that every system
// takes. They are told for rules.
const Oddities = UselessFragment | RepeatedFragment | UnknownDestOption | UnknownHopOption

// Packet holds what Decode read from one frame. The caller owns it and reuses
// it; slices point into the frame, or into the defragmenter's memory, which
// holds until the next Decode. Of nested IP headers the fields are those of the
// innermost one that could be read.
type Packet struct {
	Time  int64 // of the frame, ns since the Unix epoch
	Frame *Frame

	SrcMAC, DstMAC MAC       // of the outermost link; Linux cooked frames know only the source
	HasMAC         bool      // SrcMAC is known
	VLANs          uint8     // number of tags; 2 are kept: the outermost and the innermost
	VLAN           [2]uint16 // tag identifiers (12 bits), outer first
	EtherType      uint16    // of the innermost payload: 0x0800, 0x86dd, 0x0806…
	Tunnels        Tunnel
	Depth          uint8 // IP headers nested around the innermost one
	Anomalies      Anomaly

	Version  uint8 // 4, 6; 0: no IP
	TTL, TOS uint8
	IPID     uint32 // IPv4 identification or IPv6 fragment identification
	Fragment bool   // a fragment that was not (yet) reassembled: no transport header
	Defrag   bool   // reassembled from fragments
	IPFlags  uint8  // IPv4 flag bits (reserved, DF, MF) in the lowest three bits
	FragOff  uint16 // fragment offset, bytes

	Src, Dst         Addr
	Proto            uint8 // IANA protocol number of the transport
	SrcPort, DstPort uint16

	TCPFlags           uint8
	Seq, Ack           uint32
	Window             uint16
	ICMPType           uint8
	ICMPCode           uint8
	OuterSrc, OuterDst Addr // of the outermost IP header when Depth > 0

	IP      []byte // innermost IP header and everything it says belongs to it
	IPHdr   int    // length of the innermost IP header with options / extension headers
	L4      []byte // transport header and payload; nil when the header is not whole, though ports may be set
	TCPOpts []byte // options of the TCP header
	Payload []byte // above the transport header; all of L4 for a protocol that is not decoded
	// Missing counts payload bytes that the IP length promises and the capture
	// does not hold: cut off (snap length), or, with TruncatedIP, never sent.
	Missing int

	ARP ARP // when EtherType is 0x0806; never from inside a tunnel, which is another link
}

// ARP is an Ethernet/IPv4 ARP message, RFC 826.
type ARP struct {
	Op                   uint16 // 1 request, 2 reply; 0: none
	SenderMAC, TargetMAC MAC
	SenderIP, TargetIP   Addr
}
