package packet

// Limits on what one frame can make Decode do. Each is far beyond what a real
// network sends; a frame that reaches one keeps what was read before it.
const (
	MaxDepth    = 8  // encapsulations in one frame, of any kind (TooDeep beyond)
	MaxVLANTags = 8  // consecutive VLAN tags (TooDeep beyond)
	MaxLabels   = 16 // labels of one MPLS stack (TooDeep beyond)
	// MaxExtHeaders bounds the IPv6 extension headers (and the AH of IPv4) of
	// one IP packet. RFC 8200 section 4.1 names seven kinds, of which only the
	// destination options should come twice.
	MaxExtHeaders = 10
)

// minSuperSegment is the wire size, in bytes from the IP header on, from which
// an IP length of zero is taken for a segmentation offload's super-segment
// rather than for a broken header. It is the smallest MTU that IPv6 allows: a
// super-segment is by nature longer than the MTU of its link. A short packet
// with a length of zero is dropped by every receiver, so reading it would let
// an attacker show this machine data that no other sees.
const minSuperSegment = 1280

// Decoder reads frames. The zero value is ready and leaves fragments alone;
// with Defrag set, the fragment that completes a datagram becomes the whole
// packet. A Decoder serves one goroutine.
type Decoder struct {
	Defrag *Defrag // reassembles fragments when not nil
	// Outermost stops at the first IP header: what carries a tunnel is the
	// packet, and the tunnel's protocol, GRE or an IP version, its transport.
	Outermost bool
}

// nest says how far into a frame decoding has come.
type nest struct {
	cut   int    // bytes that this layer had on the wire and the capture does not hold
	tun   Tunnel // encapsulations entered
	depth uint8  // how many
}

// enter returns the nest of one more encapsulation, or false at MaxDepth.
func (n nest) enter(p *Packet, t Tunnel) (nest, bool) {
	if n.depth >= MaxDepth {
		p.Anomalies |= TooDeep
		return n, false
	}
	n.depth++
	n.tun |= t
	return n, true
}

// Decode reads f into p, a zero Packet or one that an earlier Decode filled, and
// leaves nothing of the earlier frame behind. p keeps slices of f.Data, or
// of the defragmenter's memory: they hold until f.Data changes or Decode is
// called again. There is no error: p.Version says whether an IP header was
// read, p.L4 whether a transport header was, and p.Anomalies what was wrong.
func (d *Decoder) Decode(p *Packet, f *Frame) {
	p.reset()
	p.Time, p.Frame = f.Time, f
	var n nest
	if f.Len > len(f.Data) {
		n.cut = f.Len - len(f.Data)
	}
	if f.VLANTPID != 0 {
		p.addVLAN(f.VLAN)
	}
	b := f.Data
	switch f.Link {
	case LinkEthernet:
		d.ethernet(p, b, n)
	case LinkRaw, LinkRawBSD, LinkRawOBSD:
		d.rawIP(p, b, n)
	case LinkIPv4:
		d.ipv4(p, b, n)
	case LinkIPv6:
		d.ipv6(p, b, n)
	case LinkNull, LinkLoop:
		d.loopback(p, b, n)
	case LinkSLL:
		d.sll(p, b, n)
	case LinkSLL2:
		d.sll2(p, b, n)
	case LinkPPP, LinkPPPHDLC:
		// RFC 1547 section 4.3.1: Cisco framing begins with its own address
		// octet, unicast or broadcast.
		if len(b) > 1 && (b[0] == 0x0f || b[0] == 0x8f) && b[1] == 0 {
			d.chdlc(p, b, n)
			return
		}
		d.ppp(p, b, n)
	case LinkCHDLC:
		d.chdlc(p, b, n)
	case LinkPPPoE:
		d.pppoe(p, b, n)
	default:
		p.Anomalies |= UnknownLink
	}
}

// reset clears what the last frame left. ARP is cleared only after an ARP
// frame: it is a tenth of the structure and rare.
func (p *Packet) reset() {
	p.SrcMAC, p.DstMAC = MAC{}, MAC{}
	p.HasMAC = false
	p.VLANs = 0
	p.VLAN = [2]uint16{}
	p.EtherType = 0
	p.Tunnels = 0
	p.Depth = 0
	p.Anomalies = 0
	if p.Version != 0 {
		p.Version = 0
		p.Src, p.Dst = Addr{}, Addr{}
		p.OuterSrc, p.OuterDst = Addr{}, Addr{}
		p.Defrag = false
		p.IP = nil
		p.resetIP()
	}
	if p.ARP.Op != 0 {
		p.ARP = ARP{}
	}
}

// resetIP clears what the IP header and the layers above it set, but for the
// fields that every IP header sets.
func (p *Packet) resetIP() {
	p.TTL, p.TOS = 0, 0
	p.IPID = 0
	p.Fragment = false
	p.IPFlags = 0
	p.FragOff = 0
	p.Proto = 0
	p.SrcPort, p.DstPort = 0, 0
	p.TCPFlags = 0
	p.Seq, p.Ack = 0, 0
	p.Window = 0
	p.ICMPType, p.ICMPCode = 0, 0
	p.IPHdr = 0
	p.L4, p.TCPOpts, p.Payload = nil, nil, nil
	p.Missing = 0
}

// openIP makes room for an IP header that has been found sound: the header
// around it, if any, becomes an outer one.
func (p *Packet) openIP(version uint8, t Tunnel) {
	if p.Version != 0 {
		if p.Depth == 0 {
			p.OuterSrc, p.OuterDst = p.Src, p.Dst
		}
		p.Depth++
		p.resetIP()
	}
	p.Version = version
	p.Tunnels |= t
}

// addVLAN notes a tag, inward of those noted before: the first slot is the
// outermost, the second the innermost.
func (p *Packet) addVLAN(tci uint16) {
	p.VLAN[min(p.VLANs, 1)] = tci & 0x0fff
	if p.VLANs < 255 {
		p.VLANs++
	}
}

func be16(b []byte) uint16 { _ = b[1]; return uint16(b[0])<<8 | uint16(b[1]) }

func be32(b []byte) uint32 {
	_ = b[3]
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}
