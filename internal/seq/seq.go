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
	blast  int64

	level   int32 // of the bucket that tells bulk
	levelAt int64

	Tag    uint32 // belongs to the detector
	Tag2   uint32
	look   uint32 // messages at which the next look is due
	minute uint16
	Best   uint8 // level reported
	Streak uint8 // looks in a row that spoke for more than Best

	Stats
}

// Start makes t ready for a new flow.
func (t *Tracker) Start(k Kind) {
	*t = Tracker{Reader: Reader{Kind: k}}
	t.pending = none
}

// Segment takes a packet of a TCP stream. missing says how many bytes of the
// payload were not captured. It reports false when the flow moves bulk data
// and need not be followed further.
func (t *Tracker) Segment(now int64, d packet.Dir, seqNo uint32, payload []byte, missing int) bool {
	return t.Reader.Segment(now, d, seqNo, payload, missing, t)
}

// Datagram takes a packet of QUIC.
func (t *Tracker) Datagram(now int64, d packet.Dir, n int) bool {
	return t.Reader.Datagram(now, d, n, t)
}

// Message takes a message of n bytes of content: it joins what is sent at once
// and counts what came before.
func (t *Tracker) Message(now int64, d packet.Dir, n int) bool {
	quiet := min(max(0, now-t.levelAt), int64(BulkBurst/BulkRate)*1e9) // after so long the bucket is empty
	t.level = max(0, t.level-int32(quiet*BulkRate/1e9)) + int32(n)
	t.levelAt = now
	if t.level > BulkBurst {
		return false
	}
	if t.open && t.bdir == d && now-t.blast < joinGap {
		t.bbytes += uint32(n)
		t.blast = now
	} else {
		t.Flush()
		t.open, t.bdir, t.bbytes, t.bfirst, t.blast = true, d, uint32(n), now, now
	}
	t.note(now, d, n)
	return true
}

// Flush counts the burst under way: for the end of a flow, and for a look at
// the counts after a quiet time.
func (t *Tracker) Flush() {
	if t.open {
		t.open = false
		t.count(t.bdir, int(t.bbytes), t.bfirst, t.blast)
	}
}

// Due reports whether it is time for a look at the counts: after 6, 8, 11, 16…
// messages (each time half as many again), and with each minute in which
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
	minute := uint16((now - t.Begin) / 60e9)
	if n < t.look && minute == t.minute {
		return false
	}
	t.minute = minute
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
