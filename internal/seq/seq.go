// Package seq follows the messages of flows whose content cannot be read: how
// long each is, who sends it, when, and what it answers. It keeps no message,
// only counts of constant size, and costs a few dozen instructions a packet.
//
// In TLS a message is a record. Records are followed by their headers, from
// segment to segment, without putting the stream together: split records and
// several in a segment are told apart, and after a loss the next segment that
// starts with a header is enough to go on. Elsewhere a message is the payload
// of a packet.
package seq

import "github.com/yamori-net/yamori/internal/packet"

// Bulk is how much a flow may send, both ways together: a burst, and beyond it
// a rate. Who sends more is moving data and is let go. The busiest miner known
// (Dero, two templates a second) sends less than a quarter of the rate.
const (
	BulkBurst = 128 << 10 // bytes
	BulkRate  = 4 << 10   // bytes a second
)

const joinGap = int64(60e6) // messages of one side closer than this are one

// Tracker is the state of one flow: constant size, no pointer. The zero value
// is not ready; see Start.
type Tracker struct {
	Reader
	open bool // a burst is under way
	bdir packet.Dir

	bbytes uint32 // of the burst
	bfirst int64
	blast  int64 // latest message

	level int32 // of the bucket that tells bulk, at the latest message

	Tag    uint32 // belongs to the detector
	Tag2   uint32
	look   uint32 // messages at which the next look is due
	half   uint16
	least  uint16 // SSH: shortest packet of the server's; QUIC: longest acknowledgement of late
	Whole  bool   // followed from the beginning on
	Best   uint8  // level reported
	Streak uint8  // looks in a row that spoke for more than Best

	Stats
}

// Start makes t ready for a new flow.
func (t *Tracker) Start(k Kind) {
	*t = Tracker{Reader: Reader{Kind: k}}
	t.pending, t.near = none, nears[k]
}

// Segment takes a packet of a TCP stream. missing says how many bytes of the
// payload were not captured. It reports false when the flow moves bulk data
// and need not be followed further.
func (t *Tracker) Segment(now int64, d packet.Dir, seqNo uint32, payload []byte, missing int) bool {
	return t.Reader.Segment(now, d, seqNo, payload, missing, t)
}

// Datagram takes a packet of QUIC.
func (t *Tracker) Datagram(now int64, d packet.Dir, payload []byte, missing int) bool {
	return t.Reader.Datagram(now, d, payload, missing, t)
}

// Message takes a message of n bytes of content: it joins what is sent at once
// and counts what came before.
func (t *Tracker) Message(now int64, d packet.Dir, n int) bool {
	switch t.Kind {
	case SSH:
		if n = t.channel(d, n); n == 0 {
			return true
		}
	case QUIC:
		if n > probes && (t.Begin == 0 || now-t.Begin < probing) || d == packet.ToServer && t.acknowledges(now, n) {
			return true
		}
	}
	quiet := min(max(0, now-t.blast), int64(BulkBurst/BulkRate)*1e9) // after so long the bucket is empty
	t.level = max(0, t.level-int32(quiet*BulkRate/1e9)) + int32(n)
	if t.level > BulkBurst {
		return false
	}
	joined := t.open && t.bdir == d && now-t.blast < joinGap
	if joined {
		t.bbytes += uint32(n)
	} else {
		t.Flush()
		t.open, t.bdir, t.bbytes, t.bfirst = true, d, uint32(n), now
	}
	t.blast = now
	t.note(now, quiet, d, n, joined)
	return true
}

// In their first seconds both ends of QUIC find out how long a packet may be,
// by some that are longer than what they send data in (RFC 9000 section 14.3).
const (
	probes  = 1280 - 28
	probing = int64(30e9)
)

// A client that says nothing for long repeats in each acknowledgement all that
// it received, in more and more ranges, for nobody acknowledges those. They
// come a moment after what they acknowledge and grow little by little.
const (
	ackFrom  = ackOnly - 28 // content of what is too short to be anything else
	ackGrows = 6
	ackMost  = 120
	ackSoon  = int64(100e6)
)

// acknowledges reports whether a packet of the client's holds nothing else.
func (t *Tracker) acknowledges(now int64, n int) bool {
	known := max(int(t.least), ackFrom)
	switch {
	case n <= known:
		return true
	case n <= min(known+ackGrows, ackMost) && t.bdir == packet.ToClient && now-t.blast < ackSoon:
		t.least = uint16(n)
		return true
	}
	t.least = 0 // which the server acknowledges, and with it all before
	return false
}

// What SSH's packets are made of (RFC 4253 section 6): a length, padding to
// the cipher's block and a tag that together differ from cipher to cipher. The
// shortest, which says no more than that the login succeeded, tells how much;
// a channel's message is 9 bytes and its data (RFC 4254 section 5.2).
const (
	sshShort  = 28 // shortest packet of the commonest cipher, with blocks of 8 bytes
	sshLonger = 9  // how much longer than the shortest a packet is than its data, about
	sshOpened = 16 // how much longer the word is that a channel is open
	// The request for a channel to an address holds two addresses: so much
	// longer than the shortest at least and at most.
	sshOpenMin, sshOpenMax = 48, 200
	// mostBefore is how many messages there may have been when a channel opens
	// so that all is counted anew.
	mostBefore = 24
)

// channel returns how much data a packet of SSH holds, give or take half a block. When a channel
// opens after little else, what was counted is forgotten, for it was the login,
// and the length is 0.
func (t *Tracker) channel(d packet.Dir, n int) int {
	if d == packet.ToClient && n >= sshShort && (t.least == 0 || n < int(t.least)) {
		t.least = uint16(min(n, 0xffff))
		if t.least > sshShort {
			t.near = 16 // blocks of 16 bytes
		}
	}
	least := max(int(t.least), sshShort)
	if t.least == 0 || least > 80 {
		least = sshShort
	}
	if c := int(t.bbytes); d == packet.ToClient && n == least+sshOpened && t.open && t.bdir == packet.ToServer && t.bursts() <= mostBefore &&
		c >= sshOpenMin-sshLonger && c <= sshOpenMax {
		t.forget()
		return 0
	}
	return max(1, n-least-sshLonger)
}

// forget counts anew.
func (t *Tracker) forget() {
	near := t.near
	t.Stats = Stats{near: near, pending: none}
	t.open, t.look, t.half, t.Whole = false, 0, 0, true
}

func (t *Tracker) bursts() uint32 { return t.Bursts[0] + t.Bursts[1] }

// Flush counts the burst under way: for the end of a flow, and for a look at
// the counts after a quiet time.
func (t *Tracker) Flush() {
	if t.open {
		t.open = false
		t.count(t.bdir, int(t.bbytes), t.bfirst, t.blast)
	}
}

// Due reports whether it is time for a look at the counts: after 6, 8, 11, 16…
// messages (each time half as many again), and with each half minute in which
// something came.
func (t *Tracker) Due(now int64) bool {
	n := t.Bursts[0] + t.Bursts[1]
	if t.look == soon {
		t.look = 0
		return true
	}
	if n < FirstLook {
		return false
	}
	half := uint16((now - t.Begin) / 30e9)
	if n < t.look && half == t.half {
		return false
	}
	t.half = half
	if n >= t.look {
		t.look = n + n/2
	}
	return true
}

const soon = ^uint32(0)

// Soon makes a look due with the next message: for a flow of which enough is
// known already.
func (t *Tracker) Soon() { t.look = soon }

// FirstLook is how many messages there must be before the first look.
const FirstLook = 6
