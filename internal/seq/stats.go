package seq

import (
	"math"

	"github.com/yamori-net/yamori/internal/packet"
)

// Sizes of the tables. A miner's client sends two or three lengths after its
// login and is pushed one to three.
const (
	Calls  = 5
	Pushes = 4
	Firsts = 4 // lengths kept of each side's first messages
	near   = 3 // lengths so close are one: counters grow by digits
	none   = 0xff
)

// Call is a length that the client sends, and what comes back.
type Call struct {
	Len   uint16  // latest
	N     uint16  // times
	Reply uint16  // most usual length of the reply, 0: none yet
	Hit   uint16  // replies of that length
	Miss  uint16  // replies of others
	Slow  uint16  // replies later than two seconds
	Quiet uint16  // sent 60 s after whatever was received last
	React uint16  // sent right after a push
	last  uint32  // ms since Start
	Gap   Moments // of the gaps between two of them
	Wait  Moments // until the reply
}

// Push is a length that the server sends unasked.
type Push struct {
	Len  uint16
	N    uint16
	last uint32
	Gap  Moments
}

// Moments sums the natural logarithms of times in seconds.
type Moments struct {
	N       uint32
	Sum, Sq float32
}

func (m *Moments) add(ns int64) {
	x := float32(math.Log(float64(max(ns, 1e5)) / 1e9))
	m.N++
	m.Sum += x
	m.Sq += x * x
}

// Mean returns the mean logarithm, 0 without any.
func (m *Moments) Mean() float64 {
	if m.N == 0 {
		return 0
	}
	return float64(m.Sum) / float64(m.N)
}

// Dev returns the standard deviation of the logarithms: near 0 for a clock,
// 1.28 for a Poisson process whatever its rate; -1 for fewer than three.
func (m *Moments) Dev() float64 {
	if m.N < 3 {
		return -1
	}
	n := float64(m.N)
	mean := float64(m.Sum) / n
	return math.Sqrt(max(0, float64(m.Sq)/n-mean*mean) * n / (n - 1))
}

// Stats is what is known of a flow's messages. Index 0 is the client.
type Stats struct {
	Begin, Last int64     // first and latest message, ns
	Records     [2]uint32 // messages before joining
	Bursts      [2]uint32 // after it
	Bytes       [2]uint64 // of content
	First       [2][Firsts]uint16
	Answered    uint32 // calls with a reply
	Unanswered  uint32 // calls followed by another without a reply between
	Pushed      uint32 // messages of the server that answer nothing
	Woke        uint32 // of those, after a second of quiet
	OddCalls    uint32 // calls whose length found no place in the table
	OddPushes   uint32
	Most        uint32  // longest message after each side's first three
	LenSum      float32 // of the logarithms of lengths of pushes
	LenSq       float32

	Call [Calls]Call
	Push [Pushes]Push

	pending   uint8 // call that waits for its reply
	pendingAt int64
	lastPush  int64
	lastRecv  int64 // end of the server's latest message
}

// note counts a message before joining.
func (t *Tracker) note(now int64, d packet.Dir, n int) {
	if k := t.Records[d&1]; k < Firsts {
		t.First[d&1][k] = uint16(min(n, math.MaxUint16))
	}
	t.Records[d&1]++
	t.Bytes[d&1] += uint64(n)
	if t.Begin == 0 {
		t.Begin = now
	}
	t.Last = max(t.Last, now)
}

// count takes one joined message.
func (t *Tracker) count(d packet.Dir, n int, first, last int64) {
	s := &t.Stats
	if s.Bursts[d&1]++; s.Bursts[d&1] > 3 {
		s.Most = max(s.Most, uint32(n))
	}
	length := uint16(min(n, math.MaxUint16))
	ms := uint32(max(0, first-s.Begin) / 1e6)
	if d == packet.ToServer {
		s.call(length, ms, first, last)
		return
	}
	switch {
	case s.pending != none:
		s.reply(length, first)
	case s.Bursts[0] == 0:
		// Before the client's first word: session tickets, a greeting.
	default:
		s.push(length, ms, first)
	}
	s.lastRecv = last
}

func (s *Stats) call(n uint16, ms uint32, first, last int64) {
	if s.pending != none {
		s.Unanswered++
	}
	i := none
	least, leastN := 0, uint16(math.MaxUint16)
	for k := range s.Call {
		c := &s.Call[k]
		if c.N > 0 && diff(c.Len, n) <= near {
			i = k
			break
		}
		if c.N < leastN {
			least, leastN = k, c.N
		}
	}
	if i == none {
		// The rarest gives way, one step at a time (Metwally's space saving
		// would let noise displace what repeats).
		c := &s.Call[least]
		if c.N > 0 {
			s.OddCalls++
		}
		if c.N > 1 {
			c.N--
			s.pending, s.pendingAt = Calls, last
			return
		}
		*c = Call{}
		i = least
	}
	c := &s.Call[i]
	if c.N > 0 {
		c.Gap.add(int64(ms-c.last) * 1e6)
	}
	c.Len, c.last = n, ms
	c.N = inc(c.N)
	if s.lastPush != 0 && first-s.lastPush < reactGap {
		c.React = inc(c.React)
	}
	if q := first - s.lastRecv; s.lastRecv != 0 && q > 59.4e9 && q < 61.5e9 {
		c.Quiet = inc(c.Quiet)
	}
	s.pending, s.pendingAt = uint8(i), last
}

func (s *Stats) reply(n uint16, at int64) {
	i := s.pending
	s.pending = none
	s.Answered++
	if i >= Calls {
		return
	}
	c := &s.Call[i]
	wait := at - s.pendingAt
	if wait > slowGap {
		c.Slow = inc(c.Slow)
	}
	c.Wait.add(wait)
	switch {
	case c.Reply != 0 && diff(c.Reply, n) <= near:
		c.Reply = n
		c.Hit = inc(c.Hit)
	case c.Reply == 0 || c.Hit == 0 || c.Miss > 2*c.Hit:
		if c.Reply != 0 {
			c.Miss = inc(c.Miss)
		}
		c.Reply, c.Hit = max(1, n), 1
	default:
		c.Miss = inc(c.Miss)
	}
}

func (s *Stats) push(n uint16, ms uint32, at int64) {
	s.Pushed++
	if at-max(s.lastRecv, s.pendingAt) > idleGap {
		s.Woke++
	}
	s.lastPush = at
	x := float32(math.Log(float64(max(1, n))))
	s.LenSum += x
	s.LenSq += x * x
	least, leastN := 0, uint16(math.MaxUint16)
	for k := range s.Push {
		p := &s.Push[k]
		if p.N > 0 && diff(p.Len, n) <= near {
			p.Gap.add(int64(ms-p.last) * 1e6)
			p.Len, p.last = n, ms
			p.N = inc(p.N)
			return
		}
		if p.N < leastN {
			least, leastN = k, p.N
		}
	}
	p := &s.Push[least]
	if p.N > 0 {
		s.OddPushes++
	}
	if p.N > 1 {
		p.N--
		return
	}
	*p = Push{Len: n, N: 1, last: ms}
}

func diff(a, b uint16) uint16 {
	if a > b {
		return a - b
	}
	return b - a
}

// inc counts up to a limit: a flow under watch may live for months.
func inc(n uint16) uint16 {
	if n < math.MaxUint16 {
		return n + 1
	}
	return n
}
