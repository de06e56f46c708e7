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

// Kind says what the messages of a flow are.
type Kind uint8

// Kinds.
const (
	Raw   Kind = iota // payloads of TCP, nothing known of them
	TLS13             // records, TLS 1.3
	TLS12             // records, up to TLS 1.2
	SSH               // payloads of TCP
	QUIC              // payloads of UDP
)

// overhead is what protection adds to a message: AEAD tag and type (RFC 8446
// section 5.2), explicit nonce and tag (RFC 5288), length, padding and tag
// (RFC 4253 section 6, with a channel's header), short header and tag (RFC
// 9001).
var overhead = [...]int{Raw: 0, TLS13: 17, TLS12: 24, SSH: 34, QUIC: 28}

// Bulk is how much a flow may send, both ways together: a burst, and beyond it
// a rate. Who sends more is moving data and is let go. The busiest miner known
// (Dero, two templates a second) sends less than a quarter of the rate.
const (
	BulkBurst = 128 << 10 // bytes
	BulkRate  = 4 << 10   // bytes a second
)

const (
	joinGap  = int64(2e6)   // records of one side closer than this are one message
	reactGap = int64(150e6) // a client's message this soon after a push answers it
	slowGap  = int64(2e9)   // a reply later than this was waited for
	idleGap  = int64(1e9)   // a push after so much quiet comes of itself
)

// half is one direction of a stream.
type half struct {
	next   uint32 // sequence number of the next header (TLS) or byte
	synced bool
	nhdr   uint8 // bytes of a split header that were seen
	hdr    [5]byte
}

// Tracker is the state of one flow: constant size, no pointer. The zero value
// is not ready; see Start.
type Tracker struct {
	Kind  Kind
	ready bool // a first message was counted
	open  bool // a burst is under way
	bdir  packet.Dir
	half  [2]half

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

	Stats
}

// Start makes t ready for a new flow.
func (t *Tracker) Start(k Kind) {
	*t = Tracker{Kind: k}
	t.pending = none
}

// Segment takes a packet of a TCP stream. missing says how many bytes of the
// payload were not captured. It reports false when the flow moves bulk data
// and need not be followed further.
func (t *Tracker) Segment(now int64, d packet.Dir, seqNo uint32, payload []byte, missing int) bool {
	if len(payload) == 0 {
		return true
	}
	h := &t.half[d&1]
	if t.Kind != TLS13 && t.Kind != TLS12 {
		end := seqNo + uint32(len(payload)+missing)
		if h.synced && int32(end-h.next) <= 0 {
			return true // sent again
		}
		h.next, h.synced = end, true
		return t.message(now, d, len(payload)+missing)
	}
	off := 0
	switch delta := int64(int32(h.next - seqNo)); {
	case !h.synced || delta < 0: // first, or something was lost: this may be where a record starts
		h.next, h.nhdr, h.synced = seqNo, 0, true
		if !plausible(payload) {
			h.synced = false
			return true
		}
	case delta+int64(h.nhdr) >= int64(len(payload)):
		return true // within a record, or sent again
	default:
		off = int(delta) + int(h.nhdr)
	}
	for off < len(payload) {
		var n int
		if h.nhdr == 0 && len(payload)-off >= 5 {
			copy(h.hdr[:], payload[off:off+5])
			off += 5
		} else {
			k := copy(h.hdr[h.nhdr:], payload[off:])
			h.nhdr += uint8(k)
			if off += k; h.nhdr < 5 {
				return true
			}
		}
		h.nhdr = 0
		if !plausible(h.hdr[:]) {
			h.synced = false
			return true
		}
		n = int(h.hdr[3])<<8 | int(h.hdr[4])
		h.next += uint32(5 + n)
		if h.hdr[0] == 23 && !t.record(now, d, n) {
			return false
		}
		off += n
	}
	return true
}

// plausible reports whether b starts like a record; of a short b what is there
// counts.
func plausible(b []byte) bool {
	return b[0] >= 20 && b[0] <= 24 && (len(b) < 2 || b[1] == 3) && (len(b) < 4 || b[3] <= 0x41)
}

// record takes a record of data. The client's Finished is none of the talk.
func (t *Tracker) record(now int64, d packet.Dir, n int) bool {
	if t.Kind == TLS13 && d == packet.ToServer && t.Records[0] == 0 && !t.ready && (n == 53 || n == 69) {
		t.ready = true
		return true
	}
	return t.message(now, d, n)
}

// Datagram takes a packet of QUIC.
func (t *Tracker) Datagram(now int64, d packet.Dir, n int) bool {
	if n < 52 { // acknowledgements
		return true
	}
	return t.message(now, d, n)
}

// message joins what is sent at once and counts what came before.
func (t *Tracker) message(now int64, d packet.Dir, n int) bool {
	n = max(1, n-overhead[t.Kind])
	t.level = max(0, t.level-int32(min(int64(BulkBurst), max(0, now-t.levelAt)*BulkRate/1e9))) + int32(n)
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

// FirstLook is how many messages there must be before the first look.
const FirstLook = 6
