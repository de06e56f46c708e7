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
	Firsts = 8  // lengths kept of the server's first messages: tickets, greetings, answers
	tiny   = 16 // what is shorter and answers nothing is a ping of the layer below: WebSocket, HTTP/2, MQTT
	none   = 0xff

	mostOwed = 3     // replies waited for at a time
	reactGap = 150   // ms: a client's message this soon after a push answers it
	slowGap  = 2000  // ms: a reply later than this was waited for
	idleGap  = 1000  // ms: a push after so much quiet comes of itself
	owedFor  = 60000 // ms: what was not answered by then will not be
)

// nears are how close lengths must be to be taken for one: counters grow by
// digits, SSH rounds up to blocks, and QUIC puts acknowledgements before data.
var nears = [...]uint16{Raw: 3, TLS13: 3, TLS12: 3, SSH: 8, QUIC: 12}

// Near is how close two lengths of this flow must be to be taken for one.
func (s *Stats) Near() int { return int(s.near) }

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

// Steps counts how the lengths of what comes unasked change from one to the
// next, among those long enough to hold a list.
type Steps struct {
	N      uint16 // changes
	Comma  uint16 // by entries of 67 bytes: 64 hexadecimal digits, quotes and a comma
	Spaced uint16 // by entries of 68: and a blank
	last   uint16
}

// Entries of lists of hashes, and how far off a multiple of them may be: other
// parts of a message grow by digits.
const (
	entry    = 67
	entryOff = 2
)

// What a server says at the beginning: its answers, and what comes with no pause behind
// them, but for the time it takes to look something up.
const (
	beginning = int64(10e9)
	promptly  = int64(2e9)
)

// ListsFrom is the length of a message that can hold a list of hashes beside
// what else there is in a job.
const ListsFrom = 300

func (s *Steps) add(n, near uint16) {
	if n < ListsFrom {
		return
	}
	if d := diff(n, s.last); s.last > 0 && d > near {
		s.N = inc(s.N)
		if by(int(d), entry) {
			s.Comma = inc(s.Comma)
		}
		if by(int(d), entry+1) {
			s.Spaced = inc(s.Spaced)
		}
	}
	s.last = n
}

func by(d, entry int) bool { return (d+entryOff)%entry <= 2*entryOff }

// ByEntries reports whether two lengths differ by whole entries of a list of hashes.
func ByEntries(d int) bool {
	d = max(d, -d)
	return by(d, entry) || by(d, entry+1)
}

// Moments sums the natural logarithms of times in seconds.
type Moments struct {
	N       uint32
	Sum, Sq float32
}

// Add takes one more time, in milliseconds.
func (m *Moments) Add(ms int64) {
	x := float32(math.Log(max(float64(ms), .5) / 1e3))
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
	Records     [2]uint16 // messages before joining
	Pings       uint16    // messages of a few bytes that answer nothing; counted here alone
	Most        uint16    // longest message after each side's first three
	Bursts      [2]uint32 // after it
	Sum         [2]uint32 // bytes since the client's first message, without those of a few bytes
	First       [Firsts]uint16
	Joined      uint8 // bit k: First[k] came at once with the one before
	firsts      uint8
	Early       uint8   // how many of First came at the beginning, without a pause
	Unanswered  uint32  // calls followed by another without a reply between
	Pushed      uint32  // messages of the server that answer nothing
	Woke        uint32  // of those, after a second of quiet
	LenSum      float32 // of the logarithms of lengths of pushes
	LenSq       float32

	PushGap Moments // between any two messages that came unasked
	Steps   Steps
	// Anew counts answers that came sooner after the latest unasked message than
	// those come after one another, and were followed by such a one; AnewHit those
	// of them that it came as long after: they set the server's clock anew.
	Anew, AnewHit uint16
	Single        uint16 // times that exactly one call came between two messages that came unasked
	between       uint8  // calls since the latest of them
	near          uint16
	answered      bool // the server's latest message was such an answer

	Call [Calls]Call
	Push [Pushes]Push

	pending   uint8  // call that waits for its reply
	owed      uint8  // replies that are due
	asked     bool   // by a message too short to count
	asks      bool   // the latest message is the client's
	pendingAt uint32 // ms since Begin, as the others
	lastPush  uint32
	lastRecv  uint32 // the server's latest message
}

// note counts a message before joining, that came so long after the one before.
func (t *Tracker) note(now, quiet int64, d packet.Dir, n int, joined bool) {
	length := uint16(min(n, math.MaxUint16))
	if d == packet.ToClient {
		k := t.firsts
		t.first(n, length, joined && (t.Kind == TLS13 || t.Kind == TLS12)) // elsewhere a packet is no message
		if k == t.Early && (t.Begin == 0 || (t.asks || quiet < promptly) && now-t.Begin < beginning) {
			t.Early = t.firsts
		}
	}
	t.asks = d == packet.ToServer
	t.Records[d&1] = inc(t.Records[d&1])
	if n > tiny && t.Records[0] > 0 && t.Sum[d&1] < 1<<30 {
		t.Sum[d&1] += uint32(n)
	}
	if t.Begin == 0 {
		t.Begin = now
	}
	t.Last = max(t.Last, now)
}

// first keeps the length of one of the server's first messages. What came at
// once is a message by itself, but for an end of line or the byte that is sent
// ahead of the rest.
func (s *Stats) first(n int, length uint16, joined bool) {
	k := s.firsts
	if joined && k > 0 && (n <= tiny || s.First[k-1] <= tiny) {
		s.First[k-1] = uint16(min(int(s.First[k-1])+n, math.MaxUint16))
		return
	}
	if k == Firsts {
		return
	}
	s.First[k] = length
	if joined {
		s.Joined |= 1 << k
	}
	s.firsts++
}

// since returns the milliseconds from b to a; times run on through the end of
// their 32 bits, and a clock may go back.
func since(a, b uint32) int64 { return max(0, int64(int32(a-b))) }

// count takes one joined message.
func (t *Tracker) count(d packet.Dir, n int, first, last int64) {
	s := &t.Stats
	at, end := uint32((first-s.Begin)/1e6), uint32((last-s.Begin)/1e6)
	if n <= tiny && (d == packet.ToServer || s.owed == 0) {
		s.Pings = inc(s.Pings)
		if d == packet.ToClient {
			s.lastRecv = end
		} else {
			s.asked, s.pendingAt = true, end // a query can be as short
		}
		return
	}
	length := uint16(min(n, math.MaxUint16))
	if s.Bursts[d&1]++; s.Bursts[d&1] > 3 {
		s.Most = max(s.Most, length)
	}
	if d == packet.ToServer {
		s.call(length, at, end)
		return
	}
	if s.owed > 0 && since(at, s.pendingAt) > owedFor {
		s.Unanswered += uint32(s.owed)
		s.owed = 0
	}
	switch {
	case s.owed > 0:
		s.reply(length, at)
	case s.asked && since(at, s.pendingAt) < slowGap:
		// a query of a few bytes
	case s.Bursts[0] == 0:
		// Before the client's first word: session tickets, a greeting.
	default:
		s.push(length, at)
	}
	s.lastRecv, s.asked = end, false
}

// usual reports whether so many milliseconds are, at least nearly, what lies
// between two messages that come unasked.
func (s *Stats) usual(ms int64) bool { return float64(ms) >= .8*1e3*math.Exp(s.PushGap.Mean()) }

// anew looks at a message that came unasked, the first after an early answer.
func (s *Stats) anew(at uint32) {
	s.answered = false
	s.Anew = inc(s.Anew)
	if s.usual(since(at, s.lastRecv)) {
		s.AnewHit = inc(s.AnewHit)
	}
}

func (s *Stats) call(n uint16, at, end uint32) {
	if s.owed > 0 && since(at, s.pendingAt) > owedFor {
		s.Unanswered += uint32(s.owed)
		s.owed = 0
	}
	if s.owed < mostOwed {
		s.owed++
	} else {
		s.Unanswered++
	}
	s.pendingAt = end
	s.between = min(s.between+1, 2)
	i, least, leastN := -1, 0, uint16(math.MaxUint16)
	for k := range s.Call {
		c := &s.Call[k]
		if c.N > 0 && diff(c.Len, n) <= s.near {
			i = k
			break
		}
		if c.N < leastN {
			least, leastN = k, c.N
		}
	}
	if i < 0 {
		// The rarest gives way, one step at a time: noise must not displace
		// what repeats.
		c := &s.Call[least]
		if c.N > 1 {
			c.N--
			s.pending = none
			return
		}
		*c = Call{}
		i = least
	}
	c := &s.Call[i]
	if c.N > 0 {
		c.Gap.Add(since(at, c.last))
	}
	c.Len, c.last = n, at
	c.N = inc(c.N)
	if s.Pushed > 0 && since(at, s.lastPush) < reactGap {
		c.React = inc(c.React)
	}
	if q := since(at, s.lastRecv); s.Bursts[1] > 0 && q > 59400 && q < 61500 {
		c.Quiet = inc(c.Quiet)
	}
	s.pending = uint8(i)
}

func (s *Stats) reply(n uint16, at uint32) {
	i := s.pending
	s.owed--
	s.pending = none
	s.answered = s.PushGap.N >= 3 && !s.usual(since(at, s.lastPush))
	if i == none || s.owed > 0 { // whose reply this is cannot be said
		return
	}
	c := &s.Call[i]
	wait := since(at, s.pendingAt)
	if wait > slowGap {
		c.Slow = inc(c.Slow)
	}
	c.Wait.Add(wait)
	switch {
	case c.Reply != 0 && diff(c.Reply, n) <= s.near:
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

func (s *Stats) push(n uint16, at uint32) {
	s.Pushed++
	if since(at, s.lastRecv) > idleGap && since(at, s.pendingAt) > idleGap {
		s.Woke++
	}
	if s.answered {
		s.anew(at)
	}
	if s.between == 1 && s.Pushed > 1 {
		s.Single = inc(s.Single)
	}
	s.between = 0
	if s.Pushed > 1 {
		s.PushGap.Add(since(at, s.lastPush))
	}
	s.lastPush = at
	s.Steps.add(n, s.near)
	x := float32(math.Log(float64(max(1, n))))
	s.LenSum += x
	s.LenSq += x * x
	least, leastN := 0, uint16(math.MaxUint16)
	for k := range s.Push {
		p := &s.Push[k]
		if p.N > 0 && diff(p.Len, n) <= s.near {
			p.Gap.Add(since(at, p.last))
			p.Len, p.last = n, at
			p.N = inc(p.N)
			return
		}
		if p.N < leastN {
			least, leastN = k, p.N
		}
	}
	p := &s.Push[least]
	if p.N > 1 {
		p.N--
		return
	}
	*p = Push{Len: n, N: 1, last: at}
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
