package reassembly

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// naive is the oracle: an array of bytes by position, without blocks, limits
// or shortcuts. Positions count from the first byte of the stream.
type naive struct {
	policy  Policy
	next    int
	highest int
	held    []naiveByte
	out     recorder
}

type naiveByte struct {
	b        byte
	held     bool
	seq, end int // extents of the segment it came in
}

func (o *naive) segment(seq int, data []byte) (r Result) {
	end := seq + len(data)
	o.highest = max(o.highest, end)
	for len(o.held) < end {
		o.held = append(o.held, naiveByte{})
	}
	if seq < o.next {
		r |= Retransmit
	}
	if seq > o.next {
		r |= OutOfOrder
	}
	for i, b := range data {
		pos := seq + i
		if pos < o.next {
			continue
		}
		if old := o.held[pos]; old.held {
			r |= Overlap
			if old.b != b {
				r |= Contradicts
			}
			if !o.policy.newWins(uint32(seq), uint32(end), uint32(old.seq), uint32(old.end)) {
				continue
			}
		}
		o.held[pos] = naiveByte{b, true, seq, end}
	}
	o.drain()
	return r
}

func (o *naive) drain() {
	for o.next < len(o.held) && o.held[o.next].held {
		o.out.Data([]byte{o.held[o.next].b})
		o.next++
	}
}

// low is the first held position, or -1.
func (o *naive) low() int {
	for pos := o.next; pos < len(o.held); pos++ {
		if o.held[pos].held {
			return pos
		}
	}
	return -1
}

func (o *naive) giveUp() {
	low := o.low()
	o.out.Gap(low - o.next)
	o.next = low
	o.drain()
}

func (o *naive) ack(to int) {
	if to > o.highest+1 {
		return
	}
	for low := o.low(); low >= 0 && low <= to; low = o.low() {
		o.giveUp()
	}
}

// recorder writes a stream down: its bytes, and gaps between them.
type recorder struct {
	buf  []byte
	gaps []string
	n    int // bytes and gaps together
	seen int
}

func (r *recorder) Data(b []byte) {
	if len(b) == 0 {
		panic("empty data")
	}
	r.buf = append(r.buf, b...)
	r.n += len(b)
}

func (r *recorder) Gap(n int) {
	if n <= 0 {
		panic(fmt.Sprint("gap of ", n))
	}
	r.gaps = append(r.gaps, fmt.Sprintf("%d+%d", r.n, n))
	r.n += n
}

// equal compares what was written since the last time.
func (r *recorder) equal(o *recorder) bool {
	ok := bytes.Equal(r.buf[r.seen:], o.buf[min(r.seen, len(o.buf)):]) && slices.Equal(r.gaps, o.gaps)
	r.seen = len(r.buf)
	return ok
}

// play runs a script of operations against the stream and the oracle and
// compares after each of them. Six bytes are one operation.
func play(t *testing.T, script []byte) {
	t.Helper()
	if len(script) < 6 {
		return
	}
	policy := Policy(script[0] % uint8(numPolicies))
	isn := binary.LittleEndian.Uint32(script[1:])
	if script[5]&1 != 0 {
		isn = -isn % 3000 // wrap during the test
		isn = -isn
	}
	pool := NewPool(Config{MaxStreamBytes: 4 << 20})
	var s Stream
	s.Init(policy, 0)
	var got recorder
	s.Segment(pool, isn-1, true, false, nil, 0, 1, &got)
	s.Ack(pool, isn, &got)
	want := &naive{policy: policy}
	for op := 0; len(script) >= 6; op++ {
		seq, n, x := int(binary.LittleEndian.Uint16(script)), int(binary.LittleEndian.Uint16(script[2:])), script[4]
		kind := script[5]
		script = script[6:]
		seq %= 9000
		if kind%4 < 2 { // near the next byte, so that streams move
			seq = max(want.next+seq%64-16, 0)
		}
		switch {
		case kind < 32:
			s.Ack(pool, isn+uint32(seq), &got)
			want.ack(seq)
		default:
			n %= 50
			if kind > 240 {
				n *= 100 // several blocks
			}
			n++
			data := make([]byte, n)
			for i := range data {
				data[i] = byte((seq + i) * 7)
				if kind&16 != 0 { // another story
					data[i] += x
				}
			}
			r := s.Segment(pool, isn+uint32(seq), false, false, data, 0, 1, &got)
			w := want.segment(seq, data)
			if r&^KeepAlive != w {
				t.Fatalf("op %d: segment %d+%d: result %b, oracle says %b", op, seq, n, r, w)
			}
		}
		if !got.equal(&want.out) || int(s.Next()-isn) != want.next {
			t.Fatalf("op %d (policy %d): stream and oracle differ:\n%x %v\n%x %v", op, policy, got.buf, got.gaps, want.out.buf, want.out.gaps)
		}
	}
	s.Flush(pool, &got)
	for want.low() >= 0 {
		want.giveUp()
	}
	if !got.equal(&want.out) {
		t.Fatalf("after flush: stream and oracle differ:\n%x %v\n%x %v", got.buf, got.gaps, want.out.buf, want.out.gaps)
	}
	checkEmpty(t, pool)
}

func checkEmpty(t *testing.T, pool *Pool) {
	t.Helper()
	if st := pool.Stats(); st.HeldBytes != 0 || st.Holding != 0 || pool.oldest != nil || pool.newest != nil {
		t.Fatalf("pool still holds %d bytes of %d streams", st.HeldBytes, st.Holding)
	}
}

func TestOracle(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 1500 {
		script := make([]byte, 6*(1+rnd.IntN(80)))
		for j := range script {
			script[j] = byte(rnd.Uint32())
		}
		script[0] = byte(i)
		play(t, script)
	}
}

func FuzzReassembly(f *testing.F) {
	for p := range uint8(numPolicies) {
		f.Add([]byte{p, 0, 0, 0, 0, 1, 20, 0, 30, 0, 9, 64, 10, 0, 30, 0, 3, 82, 0, 0, 50, 0, 0, 65})
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 6*200 {
			script = script[:6*200]
		}
		play(t, script)
		squeeze(t, script)
	})
}

// squeeze plays a script with truthful segments, random snap lengths, tiny
// limits and several streams, and checks what must hold whatever is given up.
func squeeze(t *testing.T, script []byte) {
	t.Helper()
	if len(script) < 6 {
		return
	}
	pool := NewPool(Config{MaxBytes: MinBytes, MaxStreamBytes: 16 * BlockSize, HoldTime: 1000})
	const n = 4
	var streams [n]Stream
	var outs [n]checker
	const isn = 1<<32 - 40000
	for i := range streams {
		streams[i].Init(Policy(script[0]+uint8(i))%numPolicies, 0)
		outs[i].t = t
	}
	now, aligned := int64(0), script[0]&64 != 0
	data := make([]byte, 9000)
	for ; len(script) >= 6; script = script[6:] {
		i := int(script[0]) % n
		s, out := &streams[i], &outs[i]
		if !s.Started() {
			s.Segment(pool, isn-1, true, false, nil, 0, now, out)
			if i%2 == 0 {
				s.Ack(pool, isn, out)
			}
		}
		now += int64(script[1]) * 4
		seq := (int(binary.LittleEndian.Uint16(script[2:]))*int(script[0]) + int(script[1])) % 200000
		if script[5]&1 == 0 {
			seq = max(0, int(s.Next()-isn)+seq%8000-3000)
		}
		size := 1 + int(script[4])*32
		if aligned { // edges that meet
			seq, size = seq/512*512, size/512*512+512
		}
		switch {
		case script[5] < 20:
			s.Ack(pool, isn+uint32(seq), out)
		case script[5] < 24:
			s.Flush(pool, out)
		default:
			b := data[:size]
			for j := range b {
				b[j] = pattern(seq + j)
			}
			missing := 0
			if script[5]%8 == 7 {
				missing = len(b) / 2
				b = b[:len(b)-missing]
			}
			s.Segment(pool, isn+uint32(seq), false, script[5] == 25, b, missing, now, out)
		}
		if int(s.Next()-isn) != out.pos {
			t.Fatalf("stream is at %d, its output at %d", int(s.Next()-isn), out.pos)
		}
		if st := pool.Stats(); st.HeldBytes > MinBytes || s.Held() > 16*BlockSize {
			t.Fatalf("holds %d bytes, stream %d", st.HeldBytes, s.Held())
		}
		checkBlocks(t, s)
	}
	for i := range streams {
		streams[i].Flush(pool, &outs[i])
	}
	checkEmpty(t, pool)
}

func pattern(pos int) byte { return byte(pos*131 + pos>>8) }

// checker expects the pattern at every position.
type checker struct {
	t   *testing.T
	pos int
}

func (c *checker) Data(b []byte) {
	for i, x := range b {
		if x != pattern(c.pos+i) {
			c.t.Fatalf("wrong byte at %d", c.pos+i)
		}
	}
	c.pos += len(b)
}

func (c *checker) Gap(n int) {
	if n <= 0 || n > 300000 {
		c.t.Fatalf("gap of %d at %d", n, c.pos)
	}
	c.pos += n
}

// checkBlocks verifies the list: in order, no overlap, all ahead, counted.
func checkBlocks(t *testing.T, s *Stream) {
	t.Helper()
	n, at, prev := 0, s.next+1, (*block)(nil)
	for b := s.head; b != nil; b = b.next {
		if before(b.seq, at) || b.n == 0 || b.prev != prev {
			t.Fatalf("block %d at %d+%d is out of place: expected from %d", n, b.seq, b.n, at)
		}
		at, prev = b.end(), b
		n++
	}
	if n != int(s.blocks) || prev != s.tail {
		t.Fatalf("%d blocks in the list, %d counted", n, s.blocks)
	}
}

func TestSqueeze(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 800 {
		script := make([]byte, 6*(1+rnd.IntN(300)))
		for j := range script {
			script[j] = byte(rnd.Uint32())
		}
		squeeze(t, script)
	}
}
