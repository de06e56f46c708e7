package store

import "time"

const (
	// clockStep is the largest step between two looks at the clock (at most
	// DefaultFlush apart) that is not a clock being set.
	clockStep = time.Hour
	// clockTrust is how long the clock must run without being set before
	// records leave because of their age.
	clockTrust = 24 * time.Hour
	// clockAway is how long the program may have been off without the clock
	// losing that trust.
	clockAway = 30 * 24 * time.Hour
)

// Stamps before clockFloor come from a clock that nobody set (routers boot in
// 1970 or in the year of their firmware), those after clockCeil from one that
// was set wrong.
var (
	clockFloor = time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
	clockCeil  = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

func plausible(t time.Time) bool { return !t.Before(clockFloor) && t.Before(clockCeil) }

// clock says what time it is while the wall clock jumps. Owned by the writer.
type clock struct {
	now    func() time.Time
	last   time.Time     // what now said at the last look
	est    time.Time     // the best guess while last is not plausible
	steady time.Duration // since the last jump
	trust  bool
}

// start begins with the time saved when the store was last written (ms).
func (c *clock) start(now func() time.Time, saved int64) {
	c.now, c.last = now, now()
	c.est = time.UnixMilli(saved)
	if !plausible(c.est) {
		c.est = clockFloor
	}
	away := c.last.Sub(c.est)
	c.trust = saved != 0 && plausible(c.last) && away > -clockStep && away < clockAway
}

// look notices what the clock did since the last look.
func (c *clock) look() {
	now := c.now()
	d := now.Sub(c.last) // monotonic where the clock has it
	wall := now.Round(0).Sub(c.last.Round(0))
	c.last = now
	if jump := wall - d; d < 0 || d > clockStep || jump > clockStep || jump < -clockStep {
		c.steady, c.trust = 0, false
		d = max(0, min(d, DefaultFlush))
	}
	c.est = c.est.Add(d)
	if plausible(now) {
		c.est = now.Round(0)
		if c.steady += d; c.steady >= clockTrust {
			c.trust = true
		}
	}
}

// estimate is the time now, as far as it can be known.
func (c *clock) estimate() time.Time { return c.est }

// stamp returns the time to keep for something that says it happened at t.
func (c *clock) stamp(t time.Time) (kept time.Time, estimated bool) {
	if plausible(t) {
		return t, false
	}
	return c.est, true
}
