package mining

import (
	"math"

	"github.com/yamori-net/yamori/internal/seq"
)

// view is what a look at a flow's counts finds in them: which of the client's
// lengths would be the share, which the keep-alive, which of the server's the
// job.
type view struct {
	s      *seq.Stats
	share  *seq.Call // nil: none could be
	job    *seq.Push // nil: nothing was pushed
	poll   *seq.Call // what fetches work, if anything does; nil: nothing is asked by a clock
	calls  float64   // messages of the client
	pushes float64
	length float64 // seconds from the first message to the latest
	lists  bool    // jobs differ by whole hashes
	whole  bool    // seen from the beginning on
}

// listSteps is how many changes of a job's length must be known before they
// tell that it lists hashes, as Bitcoin's kin do: the branches of a tree. By
// chance one change in thirteen is by whole hashes.
const listSteps = 3

// listed is the share of changes of lengths that are by whole hashes.
func listed(s *seq.Steps) float64 {
	if s.N < listSteps {
		return math.NaN()
	}
	return float64(max(s.Comma, s.Spaced)) / float64(s.N)
}

// pollCalls is how often work must have been fetched.
const pollCalls = 8

// clockDev is the spread of the logarithm of gaps below which they are a
// clock's; a Poisson process has 1.28.
const clockDev = 0.3

func byClock(c *seq.Call) bool {
	dev := c.Gap.Dev()
	return c.Quiet > 0 && c.Quiet*2 >= c.N || c.N >= 4 && dev >= 0 && dev < clockDev
}

func look(t *seq.Tracker) view {
	s := &t.Stats
	v := view{s: s, whole: t.Whole, calls: float64(s.Bursts[0]), pushes: float64(s.Pushed), length: float64(s.Last-s.Begin) / 1e9}
	best := -1
	for i := range s.Call {
		c := &s.Call[i]
		if c.N == 0 {
			continue
		}
		rank := int(c.N) * 4
		if c.Reply != 0 {
			rank += 2
		}
		if byClock(c) {
			rank = 1
		}
		if rank >= best { // of equals the later place: logins come first
			best, v.share = rank, c
		}
	}
	if s.Pushed == 0 {
		for i := range s.Call {
			if c := &s.Call[i]; c.N >= pollCalls && c.Reply != 0 && byClock(c) && (v.poll == nil || c.Reply > v.poll.Reply) {
				v.poll = c
			}
		}
	}
	v.lists = listed(&s.Steps) >= .7
	for i := range s.Push {
		if p := &s.Push[i]; p.N > 0 && (!v.lists || p.Len >= seq.ListsFrom) && (v.job == nil || p.N > v.job.N || p.N == v.job.N && p.Len > v.job.Len) {
			v.job = p
		}
	}
	return v
}

// feature is one question to a view. Its answer falls into a bin: 0 when it
// cannot be answered, else one more than the number of edges not above it.
type feature struct {
	name  string
	edges []float64
	value func(v view) float64 // NaN: cannot be answered
}

func (f *feature) bin(v view) int {
	x := f.value(v)
	if math.IsNaN(x) {
		return 0
	}
	n := 1
	for _, e := range f.edges {
		if x >= e {
			n++
		}
	}
	return n
}

// maxBins is the most bins a feature has.
const maxBins = 10

func ratio(a, b float64) float64 {
	if b <= 0 {
		return math.NaN()
	}
	return a / b
}

func dev(m *seq.Moments) float64 {
	if d := m.Dev(); d >= 0 {
		return d
	}
	return math.NaN()
}

// prompt reports whether answers are hardly ever late: one in fifty may be, for
// lines and servers have bad moments.
func prompt(c *seq.Call) bool { return int(c.Slow)*50 <= int(c.N) }

// What a flow must show in which work comes by a clock and answers finds: a
// node of Dero sends a template each half second and with every find, and what
// it counts in it is the only answer. The clock starts anew with each template
// (websocket_getwork_server.go of derohe); a server that shows its state by a
// clock and also when something was done does not do that.
const (
	clockFinds = 5   // finds
	clockJobs  = 40  // templates
	clockGap   = 1.1 // logarithm of the seconds between them, at most: three seconds
	clockSame  = .95 // of templates that have one length
	clockEarly = 3   // answers that came before the clock's next would have
	clockAnew  = .5  // of those and 1.5 more set it anew; by chance one in five does
)

func (v *view) clocked() bool {
	c, p, s := v.share, v.job, v.s
	if c == nil || p == nil || c.N < clockFinds || v.pushes < clockJobs || s.PushGap.Mean() > clockGap {
		return false
	}
	off := int(c.Reply) - int(p.Len)
	return float64(p.N) >= clockSame*v.pushes && p.Len >= 200 && p.Len <= 700 && max(off, -off) <= 8 && // templates
		c.Len >= 90 && c.Len <= 320 && c.Len < p.Len && float64(c.N) >= .9*(v.calls-2) && // finds are all that is sent
		c.Hit >= c.Miss && prompt(c) && // two templates may come as one
		c.Gap.Dev() > .5 && c.Gap.Dev() < 2.3 && // by chance
		s.Anew >= clockEarly && float64(s.AnewHit) >= clockAnew*float64(s.Anew)+1.5
}

// of asks c, which may be missing.
func ofCall(f func(v view, c *seq.Call) float64) func(v view) float64 {
	return func(v view) float64 {
		if v.share == nil {
			return math.NaN()
		}
		return f(v, v.share)
	}
}

func ofPush(f func(v view, p *seq.Push) float64) func(v view) float64 {
	return func(v view) float64 {
		if v.job == nil {
			return math.NaN()
		}
		return f(v, v.job)
	}
}

func ofPoll(f func(v view, c *seq.Call) float64) func(v view) float64 {
	return func(v view) float64 {
		if v.poll == nil || v.share == nil {
			return math.NaN()
		}
		return f(v, v.poll)
	}
}

// What holds after heldFrom messages is no chance any more; and of fewer than
// manyShares gaps nobody can tell how they are spread.
const (
	heldFrom   = 30
	manyShares = 8
)

// features is the list of questions, in the order of the model's file. None
// asks for an address, a name or a port. Lengths are of content, without what
// protection adds.
var features = []feature{
	{"share_length", []float64{50, 90, 280, 700, 3300}, ofCall(func(_ view, c *seq.Call) float64 { return float64(c.Len) })},
	{"share_reply", []float64{10, 30, 125, 300}, ofCall(func(_ view, c *seq.Call) float64 {
		if c.Reply == 0 {
			return math.NaN()
		}
		return float64(c.Reply)
	})},
	{"share_reply_same", []float64{.5, .8, .95}, ofCall(func(_ view, c *seq.Call) float64 { return ratio(float64(c.Hit), float64(c.Hit+c.Miss)) })},
	{"share_gap_spread", []float64{.15, .5, .8, 1.05, 1.6, 2.2}, ofCall(func(_ view, c *seq.Call) float64 { return dev(&c.Gap) })},
	{"share_wait", []float64{.3, 1}, ofCall(func(_ view, c *seq.Call) float64 {
		if c.Wait.N == 0 {
			return math.NaN()
		}
		return math.Exp(c.Wait.Mean())
	})},
	{"calls_two_lengths", []float64{.6, .85, .97}, func(v view) float64 {
		var a, b uint16
		for i := range v.s.Call {
			if n := v.s.Call[i].N; n > a {
				a, b = n, a
			} else if n > b {
				b = n
			}
		}
		return ratio(float64(a)+float64(b), v.calls-min(2, v.calls-1))
	}},
	{"calls_unanswered", []float64{.02, .2, .6}, func(v view) float64 { return ratio(float64(v.s.Unanswered), v.calls) }},
	{"calls_answered_late", []float64{.01, .1, .4}, func(v view) float64 {
		n := 0
		for i := range v.s.Call {
			n += int(v.s.Call[i].Slow)
		}
		return ratio(float64(n), v.calls)
	}},
	{"calls_after_push", []float64{.02, .15, .5}, func(v view) float64 {
		if v.pushes == 0 {
			return math.NaN()
		}
		n := 0
		for i := range v.s.Call {
			n += int(v.s.Call[i].React)
		}
		return ratio(float64(n), v.calls)
	}},
	{"calls_between_jobs", []float64{.15, .3, .45, .7}, func(v view) float64 {
		if v.s.PushGap.N < 4 {
			return math.NaN()
		}
		return float64(v.s.Single) / float64(v.s.PushGap.N)
	}},
	{"calls_by_clock", []float64{.02, .3, .7}, func(v view) float64 {
		n := 0
		for i := range v.s.Call {
			if c := &v.s.Call[i]; c.N > 0 && byClock(c) {
				n += int(c.N)
			}
		}
		return ratio(float64(n), v.calls)
	}},
	{"keepalive_60s", []float64{.5, 1.5, 3.5}, func(v view) float64 {
		n := 0
		for i := range v.s.Call {
			n += int(v.s.Call[i].Quiet)
		}
		return float64(n)
	}},
	{"jobs_seen", []float64{2, 4, 8}, func(v view) float64 { return v.pushes }},
	{"push_length", []float64{45, 120, 750, 1600, 3400}, ofPush(func(_ view, p *seq.Push) float64 { return float64(p.Len) })},
	{"push_same", []float64{.3, .6, .85, .97}, ofPush(func(v view, p *seq.Push) float64 {
		if v.lists {
			return math.NaN()
		}
		return ratio(float64(p.N), v.pushes)
	})},
	{"push_steps", []float64{.3, .7}, func(v view) float64 { return listed(&v.s.Steps) }},
	{"push_length_spread", []float64{.005, .05, .2, .5}, func(v view) float64 {
		if v.pushes < 2 || v.lists {
			return math.NaN()
		}
		m := float64(v.s.LenSum) / v.pushes
		return math.Sqrt(max(0, float64(v.s.LenSq)/v.pushes-m*m))
	}},
	{"push_gap_spread", []float64{.15, .5, .8, 1.05, 1.6}, ofPush(func(v view, p *seq.Push) float64 {
		if v.lists {
			return dev(&v.s.PushGap)
		}
		return dev(&p.Gap)
	})},
	{"push_unprompted", []float64{.5, .9}, func(v view) float64 { return ratio(float64(v.s.Woke), v.pushes) }},
	{"job_in_first_answer", []float64{.5}, ofPush(func(v view, p *seq.Push) float64 {
		if v.first(int(p.Len), int(p.Len)+150) {
			return 1
		}
		return 0
	})},
	{"share_conditions", []float64{2, 3, 4, 5, 6}, func(v view) float64 { a, _, _ := v.conditions(); return a }},
	{"job_conditions", []float64{1, 2, 3, 4, 5}, func(v view) float64 { _, b, _ := v.conditions(); return b }},
	{"conditions_held", []float64{10, 11, 12, 13, 14}, func(v view) float64 {
		if v.s.Bursts[0]+v.s.Bursts[1] < heldFrom {
			return math.NaN()
		}
		a, b, c := v.conditions()
		return a + b + c
	}},
	{"poisson_shares", []float64{.5}, ofCall(func(_ view, c *seq.Call) float64 {
		switch d := c.Gap.Dev(); {
		case c.N < manyShares:
			return math.NaN()
		case c.Hit >= 9*c.Miss && prompt(c) && d > .75 && d < 1.7:
			return 1
		}
		return 0
	})},
	{"poll_reply", []float64{120, 220, 450, 750, 1600}, ofPoll(func(_ view, c *seq.Call) float64 { return float64(c.Reply) })},
	{"poll_reply_same", []float64{.5, .8, .97}, ofPoll(func(_ view, c *seq.Call) float64 { return ratio(float64(c.Hit), float64(c.Hit+c.Miss)) })},
	{"poll_to_share_reply", []float64{1.2, 2, 4}, ofPoll(func(v view, c *seq.Call) float64 { return ratio(float64(c.Reply), float64(v.share.Reply)) })},
	{"share_to_poll", []float64{1, 1.3, 2, 3.5}, ofPoll(func(v view, c *seq.Call) float64 { return ratio(float64(v.share.Len), float64(c.Len)) })},
	{"poll_gains", []float64{-40, 20, 120}, ofPoll(func(_ view, c *seq.Call) float64 { return float64(c.Reply) - float64(c.Len) })},
	{"all_conditions", []float64{6, 8, 9, 10, 11, 12, 13, 14}, func(v view) float64 { a, b, c := v.conditions(); return a + b + c }},
}

// conditions counts what is as with a miner: of six about shares and their
// answers, of five about jobs, and of three about all. A score that only adds
// cannot say that all of them together mean more than each by itself; these
// counts can.
func (v *view) conditions() (share, job, all float64) {
	yes := func(n *float64, ok bool) {
		if ok {
			*n++
		}
	}
	unknown := func(m *seq.Moments) bool { return m.N < 3 }
	var reply, length uint16
	if c := v.share; c != nil {
		reply, length = c.Reply, c.Len
		yes(&share, c.Hit >= 1 && c.Hit >= 9*c.Miss && prompt(c))
		yes(&share, reply >= 28 && reply <= 130)
		yes(&share, length >= 90 && length <= 700 || length >= 2700 && length <= 3300)
		yes(&share, reply > 0 && float64(length) > 1.3*float64(reply))
		yes(&share, unknown(&c.Gap) || c.Gap.Dev() > .6 && c.Gap.Dev() < 2)
		yes(&share, c.Wait.N > 0 && c.Wait.Mean() < -.7) // half a second
	}
	if p := v.job; p != nil {
		m := float64(v.s.LenSum) / v.pushes
		spread := math.Sqrt(max(0, float64(v.s.LenSq)/v.pushes-m*m))
		yes(&job, v.pushes >= 2 && (float64(p.N) >= .6*v.pushes || v.lists || spread < .4 && p.Len >= 400)) // only long jobs hold lists
		yes(&job, p.Len >= 120 && p.Len <= 1600 || p.Len >= 2700 && p.Len <= 3400)
		yes(&job, float64(p.Len) > 1.8*float64(reply))
		after := 0
		for i := range v.s.Call {
			after += int(v.s.Call[i].React)
		}
		yes(&job, float64(after) <= .15*v.calls)
		yes(&job, v.first(int(p.Len)-3, int(p.Len)+160))
	}
	var a, b uint16
	late := 0
	for i := range v.s.Call {
		n := v.s.Call[i].N
		if n > a {
			a, b = n, a
		} else if n > b {
			b = n
		}
		late += int(v.s.Call[i].Slow)
	}
	yes(&all, float64(a)+float64(b) >= .85*(v.calls-min(2, v.calls-1)))
	yes(&all, float64(v.s.Unanswered) <= .05*v.calls && float64(late) <= .05*v.calls)
	most := float64(length)
	if v.job != nil {
		most = max(most, float64(v.job.Len))
	}
	yes(&all, v.s.Most > 0 && float64(v.s.Most) <= 1.2*most+80)
	return share, job, all
}

// Conditions returns the counts behind three features, for the trainer.
func Conditions(t *seq.Tracker) (share, job, all float64) {
	v := look(t)
	return v.conditions()
}

// opening says how work came at the beginning, as every pool gives it out: 3 by
// itself, with the length of later jobs, 2 in an answer that is longer than those by
// a name and a receipt or lacks a number that they have (EthProxy's answer to
// eth_getWork has no height with some pools), 1 together with more, 0 not at all; NaN
// when it was not seen or nothing else was pushed.
func (v *view) opening() float64 {
	if !v.whole || v.job == nil {
		return math.NaN()
	}
	n, near := int(v.job.Len), v.s.Near()
	switch {
	case v.first(n-near, n+near):
		return 3
	case n >= seq.ListsFrom && v.firstList(n):
		return 3
	case v.first(n-aNumber-n/32, n+160), v.lists && v.first(seq.ListsFrom, math.MaxInt):
		return 2
	case v.first(n+161, n+320):
		return 1
	}
	return 0
}

// aNumber is how long a number is with what goes around it.
const aNumber = 16

// firstList reports whether a job of n bytes and one of the first messages differ by
// entries of a list.
func (v *view) firstList(n int) bool {
	for _, k := range v.s.First[:v.s.Early] {
		if k >= seq.ListsFrom && seq.ByEntries(int(k)-n) {
			return true
		}
	}
	return false
}

// first reports whether one of the server's first messages, or what came at once
// of them, has a length between from and to.
func (v *view) first(from, to int) bool {
	first := v.s.First[:]
	if v.whole {
		first = first[:v.s.Early]
	}
	sum := 0
	for i, n := range first {
		if v.s.Joined&(1<<i) == 0 {
			sum = 0
		}
		sum += int(n)
		if int(n) >= from && int(n) <= to || sum >= from && sum <= to {
			return true
		}
	}
	return false
}
