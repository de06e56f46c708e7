package seq

import (
	"math/bits"

	"github.com/yamori-net/yamori/internal/packet"
)

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
// section 5.2), explicit nonce and tag (RFC 5288), short header and tag (RFC
// 9001). What SSH adds depends on its cipher: see Tracker.channel.
var overhead = [...]int{Raw: 0, TLS13: 17, TLS12: 24, SSH: 0, QUIC: 28}

// half is one direction of a stream.
type half struct {
	next   uint32 // sequence number of the next header (TLS) or byte
	synced bool
	nhdr   uint8 // bytes of a split header that were seen
	hdr    [4]byte
	rest   uint8 // of the first record's length beyond whole blocks; odd: another one's differed
	sizes  uint8 // numbers of blocks that records had, modulo 8
}

// rounded takes a record's length and reports whether all were of whole blocks
// so far (and the same beyond), of so many sizes that it is no chance: one in
// 4,096 for lengths that differ as they like.
func (h *half) rounded(n int) bool {
	rest := uint8(n&(cbcBlock-1)) << 1
	if h.sizes == 0 {
		h.rest = rest
	} else if h.rest != rest {
		h.rest |= 1
	}
	h.sizes |= 1 << (n / cbcBlock & 7)
	return h.rest&1 == 0 && bits.OnesCount8(h.sizes) >= roundedSizes
}

const roundedSizes = 4

// Sink takes messages; false: no more are wanted.
type Sink interface {
	Message(now int64, d packet.Dir, n int) bool
}

// Reader finds the messages of a flow in its packets.
type Reader struct {
	Kind   Kind
	fin    bool  // the client's Finished went by, or a message of its
	over   uint8 // what protection adds to a message, if it is not the kind's
	Blocks bool  // lengths are rounded to whole blocks
	half   [2]half
}

// content is the length of what is protected in n bytes.
func (r *Reader) content(n int) int {
	if r.over > 0 {
		return max(1, n-int(r.over))
	}
	return max(1, n-overhead[r.Kind])
}

// Segment takes a packet of a TCP stream and hands its messages to to. missing
// says how many bytes of the payload were not captured. It reports false when
// to did.
func (r *Reader) Segment(now int64, d packet.Dir, seqNo uint32, payload []byte, missing int, to Sink) bool {
	if len(payload) == 0 {
		return true
	}
	h := &r.half[d&1]
	if r.Kind != TLS13 && r.Kind != TLS12 {
		end := seqNo + uint32(len(payload)+missing)
		if h.synced && int32(end-h.next) <= 0 {
			return true // sent again
		}
		h.next, h.synced = end, true
		return to.Message(now, d, r.content(len(payload)+missing))
	}
	off := 0
	switch delta := int64(int32(h.next + uint32(h.nhdr) - seqNo)); {
	case !h.synced || delta < 0: // first, or something was lost: this may be where a record starts
		h.next, h.nhdr, h.synced = seqNo, 0, true
		if !plausible(payload) {
			h.synced = false
			return true
		}
	case delta >= int64(len(payload)):
		return true // within a record, or sent again
	default:
		off = int(delta)
	}
	for off < len(payload) {
		var b [5]byte
		copy(b[:], h.hdr[:h.nhdr])
		k := copy(b[h.nhdr:], payload[off:])
		off += k
		if k += int(h.nhdr); k < len(b) {
			h.nhdr = uint8(copy(h.hdr[:], b[:k]))
			return true
		}
		h.nhdr = 0
		if !plausible(b[:]) {
			h.synced = false
			return true
		}
		n := int(b[3])<<8 | int(b[4])
		h.next += uint32(len(b) + n)
		if b[0] == 23 && !r.record(now, d, n, to) {
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
func (r *Reader) record(now int64, d packet.Dir, n int, to Sink) bool {
	if d == packet.ToServer && !r.fin {
		r.fin = true
		if r.Kind == TLS13 && (n == 53 || n == 69 || n == 64 || n == 80) { // by the hash, RFC 8446 section 4.4.4; padded to 16
			return true
		}
	}
	if r.over == 0 && r.half[d&1].rounded(n) {
		// Mbed TLS pads so in TLS 1.3, and CBC does where the hello was not seen.
		r.Blocks = true
	}
	return to.Message(now, d, r.content(n))
}

// Datagram takes a packet of QUIC; missing says how many bytes of it were not
// captured.
func (r *Reader) Datagram(now int64, d packet.Dir, payload []byte, missing int, to Sink) bool {
	n := len(payload) + missing
	if len(payload) == 0 || payload[0]&0x80 != 0 || n < ackOnly { // a long header (RFC 9000 section 17.2) is the handshake's
		return true
	}
	return to.Message(now, d, r.content(n))
}

// ackOnly is the length below which a packet with a short header holds no
// message, but acknowledgements, pings and the like.
const ackOnly = 52
