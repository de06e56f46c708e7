// Package reassembly puts the segments of a TCP stream in order. Bytes in
// their turn pass straight through, without a copy; bytes ahead of their turn
// wait in pooled memory that is bounded by stream and in total; a hole that
// will not be filled becomes a gap. Time is the packets' own.
//
// The receiver decides what counts. A hole is given up when the receiver has
// acknowledged bytes behind it (it has them, so only the capture lost them);
// as long as it acknowledges and still waits, so does the stream. Only where
// no acknowledgement is ever seen do time and room decide. So segments that
// never reach the receiver (small TTL, bad checksum) cannot push a stream out
// of step by lying about what comes later.
//
// Limits. The content of bytes already delivered is not kept, so a
// retransmission that differs from them is not noticed (the first data won);
// one that differs from held bytes is. Urgent data is taken in line, as RFC
// 6093 section 6 wants receivers to do.
package reassembly

// Output receives a stream's bytes in order. Bytes are valid during the call.
// It may call Stop on the stream it is called for, and nothing else of it.
type Output interface {
	Data(b []byte)
	Gap(n int) // n bytes are lost here
}

// Result is a set of what was noticed about a segment. Zero: it came in its
// turn and was delivered.
type Result uint16

// Results.
const (
	Retransmit   Result = 1 << iota // bytes already passed, or lost and given up
	KeepAlive                       // one byte or none, just before the next (RFC 9293 section 3.8.4)
	OutOfOrder                      // ahead of its turn
	Overlap                         // shares bytes with a held segment
	Contradicts                     // and differs there
	OutOfWindow                     // too far away to belong to this stream
	Dropped                         // not or not wholly held, for want of room
	Ignored                         // the stream is stopped
	DepthReached                    // this segment reached the depth: the stream is stopped now
)

// maxAhead is how far from its turn a segment may be: the largest window there
// is (RFC 7323 section 2.3).
const maxAhead = 1 << 30

// maxSegment bounds payload and missing bytes of one segment, well above the
// 64 kB of a super-segment.
const maxSegment = 1 << 20

// softStart is how far behind the first segment an acknowledgement seen before
// may lie for the stream to begin there.
const softStart = 64 << 10

// Stream is one direction of a connection. The zero value, or one after Init,
// is ready; it must not be copied or moved while it holds bytes.
type Stream struct {
	next    uint32 // sequence number of the next byte to deliver
	start   uint32 // of the first byte; before that, the hint of an acknowledgement
	highest uint32 // end of the highest segment seen
	fin     uint32 // end of the stream, once a FIN was seen
	flags   uint8
	policy  Policy
	blocks  uint16

	delivered, depth uint64

	head, tail   *block
	older, newer *Stream // pool's list
	since        int64   // time of the last progress while holding
}

// Flags of Stream.
const (
	started  = 1 << iota // next, start and highest are valid
	hinted               // start holds an acknowledgement seen before any segment
	soft                 // the start is a hint: bytes missing there are no gap
	passed               // bytes or gaps have been delivered
	ackSeen              // the peer acknowledges
	finSeen              // fin is valid
	finished             // stopped
)

// Init prepares the stream: policy for overlaps, and depth, the number of
// bytes after which the stream stops by itself (0: none). A stream that was in
// use must have been stopped.
func (s *Stream) Init(policy Policy, depth uint64) {
	*s = Stream{policy: policy, depth: depth}
}

// Delivered returns the number of bytes delivered.
func (s *Stream) Delivered() uint64 { return s.delivered }

// Started reports that the stream knows its first sequence number.
func (s *Stream) Started() bool { return s.flags&started != 0 }

// Next returns the sequence number of the next byte to deliver.
func (s *Stream) Next() uint32 { return s.next }

// Stopped reports that the stream delivers nothing any more.
func (s *Stream) Stopped() bool { return s.flags&finished != 0 }

// Done reports that all bytes before a FIN have been delivered. The stream
// still takes bytes behind it: a FIN may be forged.
func (s *Stream) Done() bool {
	return s.flags&(started|finSeen) == started|finSeen && !before(s.next, s.fin)
}

// Held returns the memory held, in bytes.
func (s *Stream) Held() int { return int(s.blocks) * BlockSize }

// Stop releases what is held and ignores all that follows. It may be called
// from Output.
func (s *Stream) Stop(pool *Pool) {
	s.flags |= finished
	s.release(pool)
}

// Flush ends the stream: held bytes are delivered with gaps between them.
func (s *Stream) Flush(pool *Pool, out Output) {
	for s.head != nil {
		s.giveUp(pool, out)
	}
}

// Ack says that the other side acknowledges all bytes before ack. Take it from
// segments with the ACK flag and without RST, before their own payload.
func (s *Stream) Ack(pool *Pool, ack uint32, out Output) {
	switch {
	case s.flags&finished != 0:
		return
	case s.flags&started == 0, s.flags&passed == 0 && s.head == nil && before(ack, s.start):
		// Before the first segment, or the SYN that began the stream is not
		// what the receiver talks about.
		s.start = ack
		s.flags = s.flags&^started | hinted | ackSeen
		return
	}
	s.flags |= ackSeen
	if before(s.highest+1, ack) { // +1: the FIN
		return // of bytes not seen: stale, forged, or lost by the capture
	}
	for s.head != nil && !before(ack, s.head.seq) {
		s.giveUp(pool, out)
	}
}

// Skip passes over the bytes before to, which went by unseen on purpose, and
// returns how many they are. It does nothing while segments are held: then the
// stream itself says what is missing.
func (s *Stream) Skip(to uint32) int {
	if s.flags&(started|finished) != started || s.head != nil {
		return 0
	}
	n := to - s.next
	if n == 0 || n > maxAhead {
		return 0
	}
	s.next = to
	if before(s.highest, to) {
		s.highest = to
	}
	return int(n)
}

// Segment takes one segment: its sequence number and flags, its payload and
// how many bytes of it the capture cut off, and the packet's time. What is in
// its turn goes to out before the call returns.
func (s *Stream) Segment(pool *Pool, seq uint32, syn, fin bool, payload []byte, missing int, now int64, out Output) (r Result) {
	if s.flags&finished != 0 {
		return Ignored
	}
	pool.now = now
	if syn {
		seq++
		if !s.syn(pool, seq) {
			pool.stats.OutOfWindow++
			return OutOfWindow
		}
		s.drain(pool, out)
	}
	n := len(payload) + max(missing, 0)
	if n == 0 && !fin {
		if s.flags&started != 0 && !syn && seq == s.next-1 {
			return KeepAlive
		}
		return 0
	}
	if s.flags&started == 0 {
		s.begin(seq)
	}
	end := seq + uint32(n)
	if d := seq - s.next + maxAhead; n > maxSegment || d > 2*maxAhead {
		pool.stats.OutOfWindow++
		return OutOfWindow
	}
	if fin {
		s.fin = end
		s.flags |= finSeen
	}
	if n == 0 {
		return 0
	}
	pool.stats.Segments++
	if before(s.highest, end) {
		s.highest = end
	}
	if before(seq, s.next) {
		pool.stats.Retransmitted++
		r = Retransmit
		if !before(s.next, end) {
			if n == 1 && end == s.next {
				r |= KeepAlive
			}
			return r
		}
	}
	r |= s.place(pool, &segment{seq: seq, end: end, data: payload}, out)
	if r&(OutOfOrder|Overlap|Dropped) != 0 {
		pool.stats.count(r)
	}
	if s.flags&finished != 0 && s.delivered == s.depth && s.depth > 0 {
		r |= DepthReached
	}
	return r
}

// syn starts the stream at seq, the number after the SYN. Another SYN moves
// the start as long as nothing was delivered; later it is refused.
func (s *Stream) syn(pool *Pool, seq uint32) bool {
	switch {
	case s.flags&started != 0 && seq == s.start:
		return true
	case s.flags&passed != 0:
		return false
	case s.head != nil && s.head.seq-seq > maxAhead:
		s.release(pool)
	}
	s.flags = s.flags&^(soft|hinted|finSeen) | started
	s.start, s.next, s.highest = seq, seq, seq
	if s.tail != nil {
		s.highest = s.tail.end()
	}
	return true
}

// begin starts the stream midstream, without its SYN: at the first segment, or
// a little before it, where the receiver was last seen to wait. Then segments
// that come in the wrong order at the start are put right.
func (s *Stream) begin(seq uint32) {
	at := seq
	if s.flags&hinted != 0 && seq-s.start <= softStart {
		at = s.start
		s.flags |= soft
	}
	s.flags = s.flags&^hinted | started
	s.start, s.next, s.highest = at, at, at
}

// before compares sequence numbers (RFC 9293 section 3.4).
func before(a, b uint32) bool { return int32(a-b) < 0 }
