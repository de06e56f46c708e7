package reassembly

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/packet"
)

// Watch follows the handshake, the data and the end of one TCP connection and
// tells what is odd about it, as Suricata 7 sees it. It knows only connections
// whose SYN it saw: of others nothing is certain. The zero value is ready.
type Watch struct {
	side    [2]watched // by who sends
	state   watchState
	client  packet.Dir // who sent the SYN
	fourWay bool       // the server answered with a SYN of its own (RFC 9293 section 3.5, simultaneous)
	syns    uint8      // SYNs with other numbers while one is open
	synacks uint8
	busy    bool // the server goes on after its SYN
	stamps  bool // both sides use timestamps
}

// watched is one sender.
type watched struct {
	isn, next uint32
	acked     uint32 // by the peer
	window    uint32 // that the peer offers
	limit     uint32 // end of what it may send
	stamp     uint32 // latest timestamp
	stampAt   int64  // when
	scale     uint8  // of the windows that it offers
	scaled    bool   // its SYN had a scale
	stamps    bool   // its SYN had a timestamp
	reset     bool   // it sent a reset
}

type watchState uint8

const (
	watchNone watchState = iota
	watchSYNSent
	watchSYNRecv
	watchEstablished
	watchFinWait1  // the server has sent its FIN
	watchFinWait2  // which the client has acknowledged
	watchCloseWait // the client has sent its FIN
	watchClosing
	watchLastAck
	watchTimeWait
	watchClosed
)

// Limits of Suricata: max-syn-queued and max-synack-queued.
const (
	maxSYNs    = 10
	maxSYNACKs = 5
)

// shutdown names the events of the states in which a connection ends.
var shutdown = [watchClosed]struct{ seq, ack, fin Event }{
	watchFinWait1:  {EvFIN1AckWrongSeq, EvFIN1InvalidAck, EvFIN1FINWrongSeq},
	watchFinWait2:  {EvFIN2AckWrongSeq, EvFIN2InvalidAck, EvFIN2FINWrongSeq},
	watchCloseWait: {EvClosewaitAckOutOfWindow, EvClosewaitInvalidAck, EvClosewaitFINOutOfWindow},
	watchClosing:   {EvClosingAckWrongSeq, EvClosingInvalidAck, EvClosingAckWrongSeq},
	watchLastAck:   {EvLastackAckWrongSeq, EvLastackInvalidAck, EvLastackAckWrongSeq},
	watchTimeWait:  {EvTimewaitAckWrongSeq, EvTimewaitInvalidAck, EvTimewaitAckWrongSeq},
}

// Packet takes the next packet of the connection, sent in direction d of its
// flow, and returns what is odd about it. The packet must have a TCP header.
func (w *Watch) Packet(p *packet.Packet, d packet.Dir) (ev Events) {
	fl := p.TCPFlags
	if fl&(packet.SYN|packet.FIN) == packet.SYN|packet.FIN && w.state != watchClosed {
		ev.Add(EvFINSYN)
	}
	if fl&packet.ACK == 0 && p.Ack != 0 {
		ev.Add(EvPacketBrokenAck)
	}
	s, peer := &w.side[d], &w.side[d.Reverse()]
	g := seen{p: p, fl: fl, len: uint32(len(p.Payload) + p.Missing), client: d == w.client}
	g.stamp, g.echo, g.stamped = timestamps(p.TCPOpts)
	switch w.state {
	case watchNone:
		w.first(&g, d, &ev)
	case watchSYNSent:
		w.synSent(&g, s, peer, &ev)
	case watchSYNRecv:
		if w.fresh(&g, s, &ev) {
			w.synRecv(&g, s, peer, &ev)
		}
	case watchClosed:
		if s.reset && fl&packet.RST == 0 && g.len > 0 {
			s.reset = false
			ev.Add(EvSuspectedRSTInject)
		}
		if fl&(packet.SYN|packet.ACK|packet.RST) == packet.SYN {
			*w = Watch{} // the ports are used again
			w.first(&g, d, &ev)
		}
	default:
		if w.fresh(&g, s, &ev) {
			w.open(&g, s, peer, &ev)
		}
	}
	return ev
}

// seen is a packet under inspection.
type seen struct {
	p           *packet.Packet
	fl          uint8
	len         uint32
	client      bool // from the client
	stamped     bool
	stamp, echo uint32
}

func (g *seen) end() uint32 { return g.p.Seq + g.len }

func (w *Watch) first(g *seen, d packet.Dir, ev *Events) {
	switch {
	case g.fl&packet.RST != 0:
		ev.Add(EvRSTButNoSession)
	case g.fl&(packet.SYN|packet.FIN) == packet.FIN:
		ev.Add(EvFINButNoSession)
	case g.fl&(packet.SYN|packet.ACK) == packet.SYN:
		w.client, w.state = d, watchSYNSent
		w.side[d].begin(g)
		w.side[d.Reverse()].window = uint32(g.p.Window)
	case g.fl&packet.SYN != 0:
		w.state = watchClosed // there is a session, of which the begin was not seen
	}
}

// begin notes a SYN.
func (s *watched) begin(g *seen) {
	s.isn, s.next = g.p.Seq, g.p.Seq+1
	s.acked, s.limit = s.next, s.next+s.window
	s.stamps, s.stamp, s.stampAt = g.stamped, g.stamp, g.p.Time
	s.scale, s.scaled = windowShift(g.p.TCPOpts)
}

func (w *Watch) synSent(g *seen, s, peer *watched, ev *Events) {
	if !g.client && g.stamped && (peer.stamps && peer.stamp != 0 && g.echo != 0 && g.echo != peer.stamp || !peer.stamps && g.echo != 0) {
		// What it echoes was never sent.
		ev.Add(EvPacketInvalidTimestamp)
		return
	}
	switch {
	case g.fl&packet.RST != 0 && g.client:
		// It refuses what it asked for only as long as nothing has passed.
		if g.p.Seq == s.isn && g.p.Window == 0 && g.p.Ack == s.isn+1 {
			w.state, s.reset = watchClosed, true
		}
	case g.fl&packet.RST != 0:
		if g.fl&packet.ACK != 0 && g.p.Ack != peer.next && g.p.Ack-peer.next > 1<<16 {
			ev.Add(EvRSTInvalidAck)
			return
		}
		w.state, s.reset = watchClosed, true
	case g.fl&packet.FIN != 0:
	case g.fl&(packet.SYN|packet.ACK) == packet.SYN|packet.ACK:
		switch {
		case w.fourWay && g.client:
			if g.p.Ack != peer.isn+1 {
				ev.Add(EvHand4SYNACKWithWrongAck)
			} else if g.p.Seq != s.isn {
				ev.Add(EvHand4SYNACKWithWrongSYN)
			} else {
				peer.acknowledged(g, s.scale, true)
				w.state = watchSYNRecv
			}
		case g.client:
			ev.Add(EvHandSYNACKInWrongDirection)
		case g.p.Ack-peer.isn-1 > 1<<16: // with data in the SYN it may be more
			ev.Add(EvHandSYNACKWithWrongAck)
		default:
			s.begin(g)
			w.stamps = s.stamps && peer.stamps
			if !s.scaled || !peer.scaled { // RFC 7323 section 2.2: both or none
				s.scale, peer.scale = 0, 0
			}
			peer.next = g.p.Ack
			peer.acknowledged(g, s.scale, true)
			w.state = watchSYNRecv
		}
	case g.fl&packet.SYN != 0 && !g.client:
		w.fourWay = true
		s.begin(g)
	case g.fl&packet.SYN != 0 && g.p.Seq != s.isn:
		if w.syns++; w.syns > maxSYNs {
			ev.Add(EvHandSYNFlood)
		}
		s.begin(g)
	}
}

func (w *Watch) synRecv(g *seen, s, peer *watched, ev *Events) {
	switch {
	case g.fl&packet.RST != 0:
		w.rst(g, s, peer, ev)
	case g.fl&(packet.SYN|packet.ACK) == packet.SYN|packet.ACK:
		switch {
		case g.client && !w.fourWay:
			ev.Add(EvHandSYNACKToServerOnSYNRecv)
		case g.p.Ack != peer.acked:
			ev.Add(EvHandSYNACKResendWithDifferentAck)
		case g.p.Seq != s.isn:
			ev.Add(EvHandSYNACKResendWithDifferentSeq)
			if w.synacks++; w.synacks > maxSYNACKs {
				ev.Add(EvHandSYNACKFlood)
			}
		}
	case g.fl&packet.SYN != 0:
		if !g.client {
			ev.Add(EvHandSYNToClientOnSYNRecv)
		} else if g.p.Seq != s.isn {
			ev.Add(EvHandSYNResendDifferentSeqOnSYNRecv)
		}
	case g.fl&packet.ACK != 0:
		w.handshake(g, s, peer, ev)
	}
}

// handshake takes the acknowledgement that ends the handshake.
func (w *Watch) handshake(g *seen, s, peer *watched, ev *Events) {
	rightSeq, rightAck := g.p.Seq == s.next, g.p.Ack == peer.next
	switch {
	case w.fourWay && !g.client:
		if !rightSeq {
			ev.Add(EvHand4WrongSeq)
			return
		}
		if w.badAck(g, peer, ev) {
			ev.Add(EvHand4InvalidAck)
			return
		}
	case !g.client:
		// The client's own may have been lost: then the server goes on.
		if g.len == 0 || !rightSeq || g.p.Ack != peer.acked {
			ev.Add(EvHandAckInWrongDirection)
			return
		}
	case rightSeq && rightAck:
	case rightSeq:
		ev.Add(EvHandRightSeqWrongAckEvasion)
		return
	case rightAck && g.p.Seq-s.next < max(s.window, 1): // segments before it were lost
	default:
		ev.Add(EvHandWrongSeqWrongAck)
		return
	}
	w.state = watchEstablished
	w.take(g, s, peer, ev)
}

// open takes a packet of an open connection, or one that ends.
func (w *Watch) open(g *seen, s, peer *watched, ev *Events) {
	switch {
	case g.fl&packet.RST != 0:
		w.rst(g, s, peer, ev)
	case g.fl&packet.SYN != 0:
		w.synAgain(g, s, peer, ev)
	case g.fl&packet.ACK != 0:
		w.take(g, s, peer, ev)
	case g.fl&packet.FIN != 0:
		w.finish(g, s)
	}
}

func (w *Watch) rst(g *seen, s, peer *watched, ev *Events) {
	if g.fl&packet.ACK != 0 && w.badAck(g, peer, ev) {
		ev.Add(EvRSTInvalidAck)
		return
	}
	if d := g.p.Seq - s.acked; d <= max(s.window, 1) || g.p.Seq == s.next {
		w.state, s.reset = watchClosed, true
	}
}

func (w *Watch) synAgain(g *seen, s, peer *watched, ev *Events) {
	both := g.fl&packet.ACK != 0
	switch {
	case w.state != watchEstablished:
		ev.Add(EvShutdownSYNResend)
	case both && g.client:
		ev.Add(EvEstSYNACKToServer)
	case both && g.p.Ack != peer.isn+1:
		ev.Add(EvEstSYNACKResendWithDifferentAck)
	case both && g.p.Seq != s.isn:
		ev.Add(EvEstSYNACKResendWithDifferentSeq)
	case both:
		if w.busy { // before that it says that the client's acknowledgement was lost
			ev.Add(EvEstSYNACKResend)
		}
	case !g.client:
		ev.Add(EvEstSYNToClient)
	case g.p.Seq != s.isn:
		ev.Add(EvEstSYNResendDifferentSeq)
	default:
		ev.Add(EvEstSYNResend)
	}
}

// take takes a packet with an acknowledgement.
func (w *Watch) take(g *seen, s, peer *watched, ev *Events) {
	e := shutdown[w.state]
	fin := g.fl&packet.FIN != 0
	if w.badAck(g, peer, ev) {
		switch {
		case w.state == watchEstablished && fin:
			ev.Add(EvFINInvalidAck)
		case w.state == watchEstablished:
			ev.Add(EvEstInvalidAck)
		default:
			ev.Add(e.ack)
		}
		return
	}
	again := w.retransmission(g, s, ev)
	if before(g.end(), s.isn+1) {
		ev.Add(EvReassemblySegmentBeforeBaseSeq)
	}
	late := before(g.end(), s.acked) && g.p.Seq != s.next-1
	if before(s.next, s.acked) && before(s.next, g.end()) {
		late = false // the acknowledged bytes before it were lost by the capture
	}
	far := before(s.limit, g.end()) && !(s.window == 0 && g.len <= 1) // else a probe of a closed window
	switch {
	case w.state == watchEstablished && fin && (before(g.p.Seq, s.next) && !again || before(s.limit, g.p.Seq)):
		ev.Add(EvFINOutOfWindow)
		return
	case w.state == watchEstablished && late:
		ev.Add(EvEstPacketBeforeLastAck)
		return
	case w.state == watchEstablished && far:
		ev.Add(EvEstPacketOutOfWindow)
		return
	case w.state == watchCloseWait && g.len > 0 && !before(s.acked, g.end()):
		ev.Add(EvClosewaitPacketBeforeLastAck)
		return
	case w.state != watchEstablished && !again && (far && before(s.limit+1, g.end()) || late && g.len == 0 && before(g.p.Seq+1, s.acked)):
		if fin {
			ev.Add(e.fin)
		} else {
			ev.Add(e.seq)
		}
		return
	}
	w.windowUpdate(g, s, peer, ev)
	if !g.client {
		w.busy = true
	}
	if before(s.next, g.end()) {
		s.next = g.end()
	}
	peer.acknowledged(g, s.scale, false)
	if fin {
		w.finish(g, s)
		return
	}
	// The peer's FIN counts as one byte, and is in next.
	switch done := g.p.Ack == peer.next; {
	case w.state == watchFinWait1 && g.client && done:
		w.state = watchFinWait2
	case w.state == watchClosing && done:
		w.state = watchTimeWait
	case w.state == watchLastAck && g.client && done:
		w.state = watchClosed
	}
}

// finish takes a FIN.
func (w *Watch) finish(g *seen, s *watched) {
	if before(s.next, g.end()+1) {
		s.next = g.end() + 1
	}
	switch {
	case w.state <= watchEstablished && g.client:
		w.state = watchCloseWait
	case w.state <= watchEstablished:
		w.state = watchFinWait1
	case w.state == watchCloseWait && !g.client:
		w.state = watchLastAck
	case w.state == watchFinWait1 && g.client:
		w.state = watchClosing
		if g.p.Ack == w.side[w.client.Reverse()].next {
			w.state = watchTimeWait
		}
	case w.state == watchFinWait2 && g.client:
		w.state = watchTimeWait
	}
}

// badAck reports an acknowledgement of what the peer cannot have sent, or one
// much too old.
func (w *Watch) badAck(g *seen, peer *watched, ev *Events) bool {
	a := g.p.Ack
	if !before(a, peer.acked) && !before(peer.next, a) {
		return false
	}
	if before(peer.limit+1, a) || before(a, peer.acked-peer.window) {
		ev.Add(EvPacketInvalidAck)
		return true
	}
	return false
}

func (w *Watch) retransmission(g *seen, s *watched, ev *Events) bool {
	switch {
	case g.len == 0 || g.len == 1 && g.p.Seq == s.next-1:
		return false
	case !before(s.acked, g.end()):
		ev.Add(EvPacketSpuriousRetransmission)
	case before(g.p.Seq, s.acked), !before(s.next, g.end()):
		if w.state > watchEstablished { // of an open connection it is nothing odd
			ev.Add(EvPacketRetransmission)
		}
	default:
		return false
	}
	return true
}

// windowUpdate finds a window that shrinks by more than the packet tells of.
func (w *Watch) windowUpdate(g *seen, s, peer *watched, ev *Events) {
	n := uint32(g.p.Window) << s.scale
	if n < peer.window && peer.window-n > g.len && before(peer.next, g.p.Ack) && before(s.next, g.p.Seq) {
		ev.Add(EvPacketBadWindowUpdate)
	}
}

// acknowledged notes what the peer of s acknowledges and offers.
func (s *watched) acknowledged(g *seen, scale uint8, syn bool) {
	if before(s.acked, g.p.Ack) {
		s.acked = g.p.Ack
	}
	s.window = uint32(g.p.Window)
	if !syn {
		s.window <<= scale
	}
	if end := g.p.Ack + s.window; before(s.limit, end) {
		s.limit = end
	}
}

// pawsIdle is how long a timestamp is held against its sender, RFC 7323
// section 5.5.
const pawsIdle = 24 * 24 * 3600 * int64(1e9)

// fresh checks the timestamp, RFC 7323 section 5: a packet with one that is
// older than the last is no part of the connection.
func (w *Watch) fresh(g *seen, s *watched, ev *Events) bool {
	if !w.stamps || !g.stamped {
		return true
	}
	if s.stamp != 0 && int32(g.stamp-s.stamp) < 0 && g.p.Time-s.stampAt < pawsIdle {
		ev.Add(EvPacketInvalidTimestamp)
		return false
	}
	s.stamp, s.stampAt = g.stamp, g.p.Time
	return true
}

// Kinds of TCP options, RFC 7323.
const (
	optScale     = 3
	optTimestamp = 8
)

// option returns the value of a TCP option, nil when there is none.
func option(o []byte, kind byte) []byte {
	for len(o) > 0 && o[0] != 0 {
		if o[0] == 1 {
			o = o[1:]
			continue
		}
		if len(o) < 2 || o[1] < 2 || int(o[1]) > len(o) {
			return nil
		}
		if o[0] == kind {
			return o[2:o[1]]
		}
		o = o[o[1]:]
	}
	return nil
}

func windowShift(o []byte) (uint8, bool) {
	v := option(o, optScale)
	if len(v) != 1 {
		return 0, false
	}
	return min(v[0], 14), true
}

func timestamps(o []byte) (val, echo uint32, ok bool) {
	v := option(o, optTimestamp)
	if len(v) != 8 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint32(v), binary.BigEndian.Uint32(v[4:]), true
}
