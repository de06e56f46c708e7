package flow

// clock turns the packets' time into one that never runs backwards and counts
// only time that passed. Packets of several queues or interfaces come a little
// out of order, routers start in 1970 and then learn the date, and captures
// hold whatever was written into them.
type clock struct {
	now     int64 // ns; its zero is arbitrary
	wall    int64 // packet time that now stands for
	started bool
	stepped bool  // the clock was set back
	peak    int64 // packet time before that
	maxStep int64 // a longer step forward is a clock being set; 0: none is
	maxJump int64 // a step counts at most this much: beyond all time-outs
}

// backStep is how far packet time may go back until that is a clock being set
// rather than packets out of order.
const backStep = int64(60e9)

func (c *clock) set(wall int64) {
	switch d := wall - c.wall; {
	case !c.started:
		c.started, c.wall = true, wall
	case wall > c.wall:
		if d < 0 { // the difference overflows
			d = 1<<63 - 1
		}
		if c.stepped && d > backStep && wall >= c.peak-backStep && wall <= c.peak+backStep {
			// A stray packet only: the clock is back where it was.
			d, c.stepped = max(0, wall-c.peak), false
		}
		c.wall = wall
		if c.maxStep == 0 || d <= c.maxStep {
			c.now += min(d, c.maxJump)
		}
	case d > 0 || d < -backStep:
		c.stepped, c.peak, c.wall = true, c.wall, wall
	}
}
