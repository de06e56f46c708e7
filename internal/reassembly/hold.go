package reassembly

import "bytes"

// segment is a segment with payload: data may end before end, where the
// capture cut it off.
type segment struct {
	seq, end uint32
	data     []byte
}

// cut returns the bytes of the sequence numbers from..to, as far as captured.
func (g *segment) cut(from, to uint32) []byte {
	a, b := int(from-g.seq), int(to-g.seq)
	if a >= len(g.data) {
		return nil
	}
	return g.data[a:min(b, len(g.data))]
}

// place delivers a segment, holds it back, or makes way for it by giving up
// what the stream has waited for.
func (s *Stream) place(pool *Pool, g *segment, out Output) Result {
	for s.flags&finished == 0 {
		switch oneWay := s.flags&ackSeen == 0; {
		case !before(s.next, g.end):
			return Retransmit // passed while giving up
		case !before(s.next, g.seq):
			return s.inTurn(pool, g, out)
		case oneWay && s.head != nil && pool.now-s.since > pool.holdTime:
			s.giveUp(pool, out)
		case oneWay && !s.fits(pool, len(g.data)):
			if s.head != nil && !before(g.seq, s.head.seq) {
				s.giveUp(pool, out)
			} else {
				s.gap(pool, g.seq, out)
			}
		default:
			return OutOfOrder | s.hold(pool, g)
		}
	}
	return 0
}

// inTurn delivers a segment that starts at or before the next byte and ends
// after it, then whatever was waiting for it.
func (s *Stream) inTurn(pool *Pool, g *segment, out Output) (r Result) {
	if s.head == nil || !before(s.head.seq, g.end) {
		s.pass(pool, g, g.end, out)
	} else {
		r = s.merge(pool, g, out)
	}
	if s.head != nil {
		s.drain(pool, out)
		s.progress(pool)
	}
	return r
}

// pass delivers the segment's bytes from the next one to the given end.
func (s *Stream) pass(pool *Pool, g *segment, to uint32, out Output) {
	if b := g.cut(s.next, to); len(b) > 0 {
		s.deliver(pool, b, out)
	}
	if s.flags&finished == 0 && s.next != to {
		s.gap(pool, to, out)
	}
}

// merge delivers a segment that overlaps held bytes.
func (s *Stream) merge(pool *Pool, g *segment, out Output) (r Result) {
	for s.flags&finished == 0 && before(s.next, g.end) {
		b := s.head
		if b == nil || !before(b.seq, g.end) {
			s.pass(pool, g, g.end, out)
			break
		}
		if b.seq != s.next {
			s.pass(pool, g, b.seq, out)
			continue
		}
		to := b.end()
		if before(g.end, to) {
			to = g.end
		}
		r |= s.contest(b.bytes(b.seq, to), g.cut(b.seq, to), s.policy.newWins(g.seq, g.end, b.oseq, b.oend))
		s.consume(pool, b, to, to == g.end, out)
	}
	return r
}

// contest compares held bytes with fresh ones for the same place, which may be
// cut short, and lets the fresh ones win or not.
func (s *Stream) contest(held, fresh []byte, freshWins bool) Result {
	held = held[:len(fresh)]
	if bytes.Equal(held, fresh) {
		return Overlap
	}
	if freshWins {
		copy(held, fresh)
	}
	return Overlap | Contradicts
}

// consume delivers the first held block up to a sequence number. Output may
// stop the stream, which takes the block away; its bytes last until then.
func (s *Stream) consume(pool *Pool, b *block, to uint32, skipLost bool, out Output) {
	s.deliver(pool, b.bytes(b.seq, to), out)
	if s.flags&finished != 0 {
		return
	}
	if to != b.end() {
		n := uint16(to - b.seq)
		b.seq, b.off, b.n = to, b.off+n, b.n-n
		return
	}
	lost := b.lost
	s.unlink(pool, b)
	if lost > 0 && skipLost {
		to += lost
		if s.head != nil && before(s.head.seq, to) {
			to = s.head.seq
		}
		if s.next != to {
			s.gap(pool, to, out)
		}
	}
}

// deliver hands bytes to the output, up to the depth.
func (s *Stream) deliver(pool *Pool, b []byte, out Output) {
	if s.depth > 0 && uint64(len(b)) > s.depth-s.delivered {
		b = b[:s.depth-s.delivered]
	}
	s.next += uint32(len(b))
	s.delivered += uint64(len(b))
	s.flags |= passed
	out.Data(b)
	if s.delivered == s.depth {
		s.Stop(pool)
	}
}

// gap moves on to a sequence number without the bytes before it.
func (s *Stream) gap(pool *Pool, to uint32, out Output) {
	n := to - s.next
	s.next = to
	if s.flags&(soft|passed) == soft {
		s.flags &^= soft
		s.start = to
		return
	}
	s.flags |= passed
	pool.stats.Gaps++
	pool.stats.GapBytes += uint64(n)
	out.Gap(int(n))
}

// giveUp gives up the first hole and delivers what waits behind it.
func (s *Stream) giveUp(pool *Pool, out Output) {
	s.gap(pool, s.head.seq, out)
	s.drain(pool, out)
	s.progress(pool)
}

// drain delivers the held bytes whose turn it is.
func (s *Stream) drain(pool *Pool, out Output) {
	for s.flags&finished == 0 && s.head != nil && s.head.seq == s.next {
		s.consume(pool, s.head, s.head.end(), true, out)
	}
}

// progress makes a stream that still holds bytes the youngest.
func (s *Stream) progress(pool *Pool) {
	if s.head != nil {
		pool.remove(s)
		pool.push(s)
	}
}

// hold keeps a segment that lies ahead of its turn.
func (s *Stream) hold(pool *Pool, g *segment) (r Result) {
	pos, end := g.seq, g.seq+uint32(len(g.data))
	at := s.tail // becomes the first block that ends behind pos
	switch {
	case at == nil || !before(pos, at.end()):
		at = nil
	case before(pos, s.head.seq):
		at = s.head
	default:
		for at.prev != nil && before(pos, at.prev.end()) {
			at = at.prev
		}
	}
	for before(pos, end) {
		if at == nil || before(pos, at.seq) {
			to := end
			if at != nil && before(at.seq, end) {
				to = at.seq
			}
			var ok bool
			if at, ok = s.insert(pool, g, pos, to, at); !ok {
				r |= Dropped
			}
			pos = to
			continue
		}
		to := at.end()
		if before(end, to) {
			to = end
		}
		wins := s.policy.newWins(g.seq, g.end, at.oseq, at.oend)
		r |= s.contest(at.bytes(pos, to), g.cut(pos, to), wins)
		if wins && !s.policy.plain() {
			at = s.own(pool, at, pos, to, g)
		}
		pos, at = to, at.next
	}
	last := s.tail
	if at != nil {
		last = at.prev
	}
	if g.end != end && last != nil && last.end() == end {
		last.lost = g.end - end
	}
	return r
}

// insert puts the bytes from..to of a segment before the block at (nil: at the
// end). When there is no room the blocks furthest ahead make way: what lies
// nearest to the hole is of use first. It returns at, or nil when that was
// among them, and whether all bytes found room.
func (s *Stream) insert(pool *Pool, g *segment, from, to uint32, at *block) (*block, bool) {
	data := g.cut(from, to)
	prev := s.tail
	if at != nil {
		prev = at.prev
	}
	if prev != nil && prev.end() == from && prev.lost == 0 &&
		(s.policy.plain() || prev.oseq == g.seq && prev.oend == g.end) {
		n := copy(prev.data[prev.off+prev.n:], data)
		prev.n += uint16(n)
		data = data[n:]
		from += uint32(n)
	}
	for len(data) > 0 {
		b := s.alloc(pool)
		for b == nil && s.tail != nil && before(from, s.tail.seq) {
			if s.tail == at {
				at = nil
			}
			pool.stats.Dropped++
			s.unlink(pool, s.tail)
			b = s.alloc(pool)
		}
		if b == nil {
			return at, false
		}
		n := copy(b.data[:], data)
		b.seq, b.off, b.n, b.lost = from, 0, uint16(n), 0
		b.oseq, b.oend = g.seq, g.end
		s.link(pool, b, at)
		data = data[n:]
		from += uint32(n)
	}
	return at, true
}

// own makes the bytes from..to of a block the segment's, by splitting the
// block where it reaches further. Without room for that its bytes keep their
// owner. It returns the block that ends at to or behind.
func (s *Stream) own(pool *Pool, b *block, from, to uint32, g *segment) *block {
	if before(b.seq, from) {
		right := s.split(pool, b, from)
		if right == nil {
			return b
		}
		b = right
	}
	if before(to, b.end()) && s.split(pool, b, to) == nil {
		return b
	}
	b.oseq, b.oend = g.seq, g.end
	return b
}

// split moves the bytes of a block from a sequence number on into a new one.
func (s *Stream) split(pool *Pool, b *block, at uint32) *block {
	nb := s.alloc(pool)
	if nb == nil {
		return nil
	}
	n := copy(nb.data[:], b.bytes(at, b.end()))
	nb.seq, nb.off, nb.n, nb.lost = at, 0, uint16(n), b.lost
	nb.oseq, nb.oend = b.oseq, b.oend
	b.n, b.lost = b.n-uint16(n), 0
	s.link(pool, nb, b.next)
	return nb
}

// fits reports that n more bytes have room in the stream's share and the pool.
func (s *Stream) fits(pool *Pool, n int) bool {
	need := (n + maxData - 1) / maxData
	return int(s.blocks)+need <= pool.perStream &&
		(need <= pool.available() || pool.oldest != nil && pool.oldest != s)
}

func (s *Stream) alloc(pool *Pool) *block {
	if int(s.blocks) >= pool.perStream {
		return nil
	}
	return pool.get(s)
}

// link puts a block before at (nil: at the end).
func (s *Stream) link(pool *Pool, b, at *block) {
	if s.head == nil {
		pool.push(s)
	}
	b.next = at
	if at == nil {
		b.prev, s.tail = s.tail, b
	} else {
		b.prev, at.prev = at.prev, b
	}
	if b.prev == nil {
		s.head = b
	} else {
		b.prev.next = b
	}
	s.blocks++
}

// unlink takes a block out and gives it back.
func (s *Stream) unlink(pool *Pool, b *block) {
	if b.prev == nil {
		s.head = b.next
	} else {
		b.prev.next = b.next
	}
	if b.next == nil {
		s.tail = b.prev
	} else {
		b.next.prev = b.prev
	}
	s.blocks--
	pool.put(b)
	if s.head == nil {
		pool.remove(s)
	}
}

// release gives back all that is held.
func (s *Stream) release(pool *Pool) {
	for s.head != nil {
		s.unlink(pool, s.head)
	}
}
