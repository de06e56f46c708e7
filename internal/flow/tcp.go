package flow

import "github.com/yamori-net/yamori/internal/packet"

// tcpSide is what is known of one sender, after RFC 9293 section 3.3.1, as far
// as someone in the middle can tell.
type tcpSide struct {
	isn    uint32
	next   uint32 // end of the highest plausible segment sent
	acked  uint32 // highest acknowledgement sent, of the peer's bytes
	fin    uint32 // sequence number after the FIN
	retry  uint32 // ISN of a SYN that does not belong to this connection
	window uint32 // latest window offered, scaled
	scale  uint8
	flags  uint8
}

// Flags of tcpSide.
const (
	sentAny   = 1 << iota // next is valid
	sentSYN               // isn is valid
	sentACK               // acked is valid
	sentFIN               // fin is valid
	sentRetry             // retry is valid
	sentMany              // SYNs with different ISNs
	sentRight             // a SYN with the right checksum
	sentReset             // a plausible reset closed the flow
)

// plausible is how far ahead of what is known a sequence number may be: the
// largest window there is (RFC 7323 section 2.3).
const plausible = 1 << 30

// resetSlack widens the range of sequence numbers in which a reset is
// believed: acknowledgements cross it on the way, and the window may not be
// known.
const resetSlack = 1 << 16

// before compares sequence numbers (RFC 9293 section 3.4).
func before(a, b uint32) bool { return int32(a-b) < 0 }

// hasTCP reports whether the packet shows a TCP header.
func hasTCP(p *packet.Packet) bool {
	return p.Proto == packet.ProtoTCP && !p.Fragment && len(p.L4) >= 20
}

// drawnPorts is the lowest port that common systems draw for clients: Linux
// begins at 32,768, others at 49,152.
const drawnPorts = 32768

// orient decides who is the client of a new TCP flow. A SYN comes from the
// client and a SYN-ACK from the server. Otherwise the flow is picked up
// midstream and the lower port is taken for the server's: well-known ports
// are low and ephemeral ones high (RFC 6335 section 6). Where both ports are
// such as systems draw by themselves, a private address is taken for the
// client's if the other is none: pools of miners are at 45700, for one. Reverse
// corrects it.
func (f *Flow) orient(p *packet.Packet, fromHi bool) {
	switch p.TCPFlags & (packet.SYN | packet.ACK) {
	case packet.SYN:
		f.FromHi = fromHi
	case packet.SYN | packet.ACK:
		f.FromHi = !fromHi
	default:
		f.Midstream = true
		client := p.DstPort <= p.SrcPort // the sender is
		if min(p.SrcPort, p.DstPort) >= drawnPorts {
			if src, dst := p.Src.Netip().IsPrivate(), p.Dst.Netip().IsPrivate(); src != dst {
				client = src
			}
		}
		f.FromHi = fromHi == client
	}
}

// supersededBy reports that a packet opens a new connection on the ports of
// this flow: a SYN with another ISN when the flow is closed, or a SYN-ACK that
// answers a SYN which did not belong to the flow. A bare SYN on an open
// connection does nothing: a live host would refuse it (RFC 9293 section
// 3.10.7.4), and anybody can send one.
func (f *Flow) supersededBy(p *packet.Packet, fromHi bool) bool {
	from := packet.ToServer
	if fromHi != f.FromHi {
		from = packet.ToClient
	}
	s := &f.tcp[from]
	switch p.TCPFlags & (packet.SYN | packet.ACK | packet.RST | packet.FIN) {
	case packet.SYN:
		return f.State == Closed && (s.flags&sentSYN == 0 || s.isn != p.Seq)
	case packet.SYN | packet.ACK:
		peer := &f.tcp[from.Reverse()]
		if peer.flags&sentRetry != 0 && p.Ack == peer.retry+1 {
			return s.flags&sentSYN == 0 || s.isn != p.Seq
		}
		// Of several SYNs the one that is answered counts: the others may have been meant for the observer alone.
		return f.State != Established && peer.flags&sentMany != 0 && s.flags&sentSYN == 0 && peer.neverSent(p.Ack)
	}
	return false
}

// trackTCP follows the connection.
func (t *Table) trackTCP(f *Flow, p *packet.Packet, d packet.Dir) {
	s, peer := &f.tcp[d], &f.tcp[d.Reverse()]
	fl := p.TCPFlags
	f.Side[d].TCPFlags |= fl
	if f.Refused = t.cfg.Checksums && s.damaged(p) || f.refuses(p, s, peer); f.Refused {
		t.stats.Refused++
		return
	}
	switch {
	case fl&packet.RST != 0:
		t.reset(f, p, s, peer)
		return
	case fl&packet.SYN != 0:
		if !s.syn(p, f.Side[d.Reverse()].Packets == 0) {
			return
		}
		f.ISN[d], f.HasISN[d] = s.isn, true
		if r := d.Reverse(); fl&packet.ACK != 0 && !f.HasISN[r] {
			f.ISN[r], f.HasISN[r] = p.Ack-1, true // the SYN itself was not seen
		}
		if f.State == Closed && peer.flags&(sentReset|sentAny) == sentReset {
			f.State = New // the same SYN again after it was refused
			peer.flags &= sentRight
		}
	}
	if f.Loose != 0 {
		f.unseen(p, d)
	}
	end := p.Seq + uint32(len(p.Payload)+p.Missing)
	if fl&packet.SYN != 0 {
		end++
	}
	if fl&packet.FIN != 0 {
		end++
	}
	if s.flags&sentAny == 0 {
		s.next = end
		s.flags |= sentAny
	}
	if ahead := end - s.next; ahead < plausible {
		if fl&packet.FIN != 0 {
			s.fin = end
			s.flags |= sentFIN
		}
		if ahead > 0 && f.State == Closed && s.flags&sentReset != 0 {
			f.reopen() // who sent the reset goes on talking: it was forged
		}
		s.next = end
	}
	if fl&packet.ACK != 0 && f.believesAck(p.Ack, peer) {
		if s.flags&sentACK == 0 || before(s.acked, p.Ack) {
			s.acked = p.Ack
		}
		s.flags |= sentACK
		s.window = uint32(p.Window)
		if fl&packet.SYN == 0 {
			s.window <<= s.scale
		}
	}
	if f.State == New && s.flags&peer.flags&sentACK != 0 {
		f.State = Established
		if f.EstablishedAt == 0 {
			f.EstablishedAt = f.Side[0].Packets + f.Side[1].Packets
		}
	}
	if f.State == Established && s.finAcked(peer) && peer.finAcked(s) {
		f.State = Closed
	}
}

// refuses reports that the peer takes the packet for none of the connection. While it waits for an answer to its SYN
// that is what acknowledges something it never sent (RFC 9293 section 3.10.7.3): what an earlier connection on these
// ports left, or what is meant to make an observer read something else than the peer does. And after the SYN, what
// acknowledges nothing (sections 3.10.7.3 and 3.10.7.4).
func (f *Flow) refuses(p *packet.Packet, s, peer *tcpSide) bool {
	if peer.flags&sentSYN == 0 {
		return false
	}
	switch p.TCPFlags & (packet.SYN | packet.ACK | packet.RST) {
	case 0:
		return true
	case packet.ACK, packet.SYN | packet.ACK:
		return f.State != Established && s.flags&sentSYN == 0 && peer.flags&sentMany == 0 && peer.neverSent(p.Ack)
	}
	return false
}

// damaged reports that the checksum of a packet is wrong, though that of its sender's SYN was right: of those left
// unfinished one in 65,536 is right by chance.
func (s *tcpSide) damaged(p *packet.Packet) bool {
	syn := p.TCPFlags&packet.SYN != 0
	if !syn && s.flags&sentRight == 0 || p.Defrag { // what was put together has another header than was sent
		return false
	}
	if !syn && len(p.Payload) == 0 && p.TCPFlags&(packet.FIN|packet.RST) == 0 {
		return false // a mere acknowledgement does no harm
	}
	ok, known := packet.VerifyChecksum(p)
	if ok && syn {
		s.flags |= sentRight
	}
	return known && !ok && s.flags&sentRight != 0
}

// neverSent reports that a number, acknowledged, is beyond what the side sent since its SYN.
func (s *tcpSide) neverSent(ack uint32) bool { return ack-s.isn-1 > s.next-s.isn-1 }

// unseen counts what passed unseen, from the numbers of a packet that is seen.
// More than 4 GB between two such packets are counted modulo that.
func (f *Flow) unseen(p *packet.Packet, d packet.Dir) {
	count := func(of packet.Dir, to uint32) {
		s := &f.tcp[of]
		n := to - s.next
		if f.Loose&(1<<of) == 0 || s.flags&sentAny == 0 || n == 0 || n > ^uint32(0)-plausible {
			return // or it repeats something
		}
		s.next = to
		f.Side[of].Bytes += uint64(n)
		f.Unseen += uint64(n)
	}
	count(d, p.Seq)
	if p.TCPFlags&packet.ACK == 0 {
		return
	}
	o := &f.tcp[d.Reverse()]
	if o.flags&sentFIN != 0 && p.Ack == o.fin {
		return // the number of a FIN is no byte
	}
	count(d.Reverse(), p.Ack)
}

// believesAck reports that an acknowledgement fits what its peer sent. During
// the handshake it must be exact; later it may run ahead, as the capture may
// have lost what it acknowledges.
func (f *Flow) believesAck(ack uint32, peer *tcpSide) bool {
	if peer.flags&sentAny == 0 {
		return true
	}
	if f.State == New && peer.flags&sentSYN != 0 {
		return ack-peer.isn-1 <= peer.next-peer.isn-1
	}
	return ack-peer.next+plausible < 2*plausible
}

// syn notes an initial sequence number and the window scale. A client that got
// no answer may try again with another ISN; once the peer has spoken, another
// ISN is kept aside, see supersededBy, and the result is false.
func (s *tcpSide) syn(p *packet.Packet, alone bool) bool {
	switch {
	case s.flags&sentSYN != 0 && s.isn == p.Seq:
		return true // a retransmission
	case s.flags&sentAny != 0 && !alone:
		s.retry = p.Seq
		s.flags |= sentRetry | sentMany
		return false
	}
	many := uint8(0)
	if s.flags&sentSYN != 0 {
		many = sentMany
	}
	*s = tcpSide{isn: p.Seq, flags: sentSYN | many | s.flags&sentRight, scale: windowScale(p.TCPOpts)}
	return true
}

// finAcked reports that the side sent a FIN and the peer acknowledged it.
func (s *tcpSide) finAcked(peer *tcpSide) bool {
	return s.flags&sentFIN != 0 && peer.flags&sentACK != 0 && !before(peer.acked, s.fin)
}

// reset closes the flow when the receiver is likely to believe the reset: its
// sequence number lies in the window that the receiver last offered (with some
// slack), or, against a SYN, it acknowledges that SYN (RFC 9293 section
// 3.10.7.3). A side of which nothing is known believes every reset. RFC 5961
// hosts are stricter; a reset they refuse is undone by reopen as soon as its
// supposed sender goes on.
func (t *Table) reset(f *Flow, p *packet.Packet, s, peer *tcpSide) {
	var ok bool
	switch {
	case f.Loose != 0:
		ok = true // the numbers have moved on unseen; reopen corrects it
	case peer.flags&sentACK != 0:
		ok = p.Seq-(peer.acked-resetSlack) <= 2*resetSlack+peer.window
	case s.flags&sentAny != 0: // aborts what it opened itself
		ok = p.Seq-(s.next-resetSlack) <= 2*resetSlack
	case peer.flags&sentSYN != 0:
		ok = p.TCPFlags&packet.ACK != 0 && p.Ack-peer.isn-1 <= peer.next-peer.isn-1
	default:
		ok = true
	}
	if !ok {
		t.stats.BadResets++
		return
	}
	s.flags |= sentReset
	f.State = Closed
}

func (f *Flow) reopen() {
	f.State = New
	f.tcp[0].flags &^= sentReset
	f.tcp[1].flags &^= sentReset
}

// windowScale reads the window scale option (RFC 7323 section 2.2).
func windowScale(opts []byte) uint8 {
	for len(opts) > 0 && opts[0] != 0 {
		if opts[0] == 1 {
			opts = opts[1:]
			continue
		}
		if len(opts) < 2 || opts[1] < 2 || int(opts[1]) > len(opts) {
			break
		}
		if opts[0] == 3 && opts[1] == 3 {
			return min(opts[2], 14)
		}
		opts = opts[opts[1]:]
	}
	return 0
}
