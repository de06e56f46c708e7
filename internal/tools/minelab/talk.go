package main

import (
	"math"
	"math/rand/v2"
	"time"
)

// A talk says what two ends tell each other: sizes, order and times. Both ends
// draw the same talk from the row's seed.
type talk struct {
	hello  []exchange // in order, at the start of the connection
	behind behind     // one of their answers
	calls  []call     // of the client
	pushes []push     // of the server
	short  bool       // a connection for each call
}

type exchange struct {
	c, s  int // bytes; 0: none
	think dist
}

// behind is what the server says right after one of its first answers, each line
// by itself.
type behind struct {
	hello int // which
	lines []int
	late  dist // until the first of them; nil: at once
}

// call is something the client sends now and then.
type call struct {
	gap   dist
	size  sizer
	reply sizer // nil: none
	think dist  // until the reply, beside the way
	wait  bool  // the gap starts with the reply
	idle  bool  // the gap starts with whatever was received last
	react int   // sent on the push of this number, from 1; the gap is the delay
	head  int   // a first part of the reply, written by itself
	every int   // of a short talk: one in so many connections makes this call
	then  float64
	after int // with probability then, this push (from 1) follows the reply
	again int // the reply is this push (from 1), whose gap starts anew
}

type push struct {
	gap  dist
	size sizer
	pre  int // a message written just before it, by itself
}

type dist func(r *rand.Rand) time.Duration
type sizer func(r *rand.Rand, n int) int // n counts the messages of its kind

func sec(s float64) time.Duration { return time.Duration(s * 1e9) }

// poisson is a process with a mean gap in seconds.
func poisson(mean float64) dist {
	return func(r *rand.Rand) time.Duration { return sec(r.ExpFloat64() * mean) }
}

// clock is a gap with a jitter, both in seconds.
func clock(every, jitter float64) dist {
	return func(r *rand.Rand) time.Duration { return sec(max(0, every+jitter*(2*r.Float64()-1))) }
}

// between is uniform.
func between(a, b float64) dist {
	return func(r *rand.Rand) time.Duration { return sec(a + (b-a)*r.Float64()) }
}

// heavy is a log-normal gap: people, logs, chats.
func heavy(median, sigma float64) dist {
	return func(r *rand.Rand) time.Duration {
		return sec(median * math.Exp(sigma*r.NormFloat64()))
	}
}

// either draws from a with probability p, else from b.
func either(p float64, a, b dist) dist {
	return func(r *rand.Rand) time.Duration {
		if r.Float64() < p {
			return a(r)
		}
		return b(r)
	}
}

func fixed(n int) sizer { return func(*rand.Rand, int) int { return n } }

// digits is n plus the decimal digits of a counter that starts at from.
func digits(n, from int) sizer {
	return func(_ *rand.Rand, i int) int {
		return n + int(math.Log10(float64(max(1, from+i)))) + 1
	}
}

func span(a, b int) sizer { return func(r *rand.Rand, _ int) int { return a + r.IntN(max(1, b-a+1)) } }

// lognorm is a size around median.
func lognorm(median, sigma float64, most int) sizer {
	return func(r *rand.Rand, _ int) int {
		return min(most, max(2, int(median*math.Exp(sigma*r.NormFloat64()))))
	}
}

// pick draws one of the sizes each time.
func pick(n ...int) sizer { return func(r *rand.Rand, _ int) int { return n[r.IntN(len(n))] } }

// mostly is a with probability p, else b.
func mostly(p float64, a, b sizer) sizer {
	return func(r *rand.Rand, i int) int {
		if r.Float64() < p {
			return a(r, i)
		}
		return b(r, i)
	}
}

// plus adds n bytes of framing.
func plus(n int, s sizer) sizer { return func(r *rand.Rand, i int) int { return s(r, i) + n } }

func uni(r *rand.Rand, a, b float64) float64 { return a + (b-a)*r.Float64() }
func logUni(r *rand.Rand, a, b float64) float64 {
	return a * math.Pow(b/a, r.Float64())
}
func in(r *rand.Rand, a, b int) int { return a + r.IntN(b-a+1) }
func one(r *rand.Rand, p float64) bool {
	return r.Float64() < p
}

// think is a server's time for an answer, drawn once: a few milliseconds.
func think(r *rand.Rand) dist { return heavy(logUni(r, 0.0005, 0.02), 0.4) }

func choose(r *rand.Rand, x ...float64) float64 { return x[r.IntN(len(x))] }
