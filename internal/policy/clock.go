package policy

import (
	"encoding/json"
	"time"
)

// The time of day of a router is not to be trusted: many start in 1970 and are
// set by NTP a minute later. So what is left of an entry is counted by the
// monotonic clock while the process runs, and stored together with what the
// time of day was. The store also holds the time of day of a heartbeat. At the
// next start the time between an entry's stamp and the latest heartbeat has
// certainly passed; the time since then is taken from the time of day where
// that is plausible, and else counted as nothing until the clock is set. After
// a jump everything is stamped anew. So no jump ends an entry early, and none
// makes it last for ever.
const (
	// heartbeatEvery bounds by how much an entry can last longer than asked
	// when the gateway loses power and does not know the time afterwards.
	heartbeatEvery = 15 * time.Minute
	// maxOff is the longest time for which the gateway is believed to have
	// been off; a longer one is a clock that is wrong.
	maxOff = 366 * 24 * time.Hour
	// restampAfter keeps stamps younger than maxOff.
	restampAfter = 30 * 24 * time.Hour
	// step is how far the time of day may differ from the monotonic clock
	// before it counts as a jump.
	step = time.Minute
)

// clockState is stored.
type clockState struct {
	Wall int64 `json:"wall"` // of the latest heartbeat, ns since the Unix epoch
	// Before is the heartbeat of a run before, when the time since then is not
	// known yet; 0: it is. Counted is how much of that time was counted.
	Before  int64         `json:"before,omitempty"`
	Counted time.Duration `json:"counted,omitempty"`
}

type clock struct {
	state     clockState
	mono      time.Duration // of the latest reading
	wall      time.Time
	begin     time.Duration // monotonic time of the start
	beat      time.Duration // monotonic time of the latest heartbeat
	off       time.Duration // how long the gateway was off, as far as known
	last      int64         // latest time known to have been in the runs before
	counted   time.Duration // clockState.Counted as of the start
	unsettled bool          // how long it was off became unknown at this start
}

func (c *clock) start(mono time.Duration, wall time.Time) {
	c.mono, c.wall, c.begin, c.beat = mono, wall, mono, mono
}

func plausible(d time.Duration) bool { return d >= 0 && d <= maxOff }

// meet compares the time of day at the start with what was stored.
func (c *clock) meet(records []record, wall time.Time) {
	c.last = c.state.Wall
	for _, r := range records {
		// A stamp behind the heartbeat was taken after it; one far from it
		// belongs to another clock.
		if d := time.Duration(r.Stamp - c.last); c.last == 0 || d > 0 && d <= heartbeatEvery+step {
			c.last = max(c.last, r.Stamp)
		}
	}
	if c.last == 0 {
		return
	}
	d := wall.Sub(time.Unix(0, c.last))
	switch {
	case plausible(d):
		c.off = d
	case c.state.Before == 0:
		c.unsettled = true
		c.state.Before, c.state.Counted = c.last, 0
		return
	}
	if c.state.Before != 0 {
		c.counted = c.state.Counted + c.off + max(0, time.Duration(c.last-c.state.Wall))
	}
}

// elapsed returns what has passed since an entry was stamped.
func (c *clock) elapsed(stamp int64) time.Duration {
	d := time.Duration(c.last - stamp)
	if !plausible(d) {
		d = 0
	}
	return d + c.off
}

// settle is called after the time of day has jumped: where it was not known
// how long the gateway had been off, it may be now.
func (m *Manager) settle(mono time.Duration, wall time.Time) {
	c := &m.clock
	if c.state.Before == 0 {
		return
	}
	off := wall.Sub(time.Unix(0, c.state.Before)) - c.counted - (mono - c.begin)
	if !plausible(off) {
		return
	}
	c.state.Before, c.state.Counted = 0, 0
	for _, it := range m.entries {
		if it.owed && it.deadline != 0 {
			// It may have ended already; a deadline of zero would mean none.
			it.deadline = max(1, it.deadline-off)
		}
		it.owed = false
	}
}

// tick does what Tick promises; true when a new snapshot was published.
func (m *Manager) tick() bool {
	mono, wall := m.now()
	c := &m.clock
	jump := wall.Sub(c.wall) - (mono - c.mono)
	c.mono, c.wall = mono, wall
	jumped := jump > step || jump < -step
	if jumped {
		m.settle(mono, wall)
	}
	changed := false
	for id, it := range m.entries {
		if it.deadline != 0 && it.deadline <= mono {
			if err := m.erase(id); err != nil {
				m.failed++ // at the next start it will have ended as well
			}
			delete(m.entries, id)
			changed = true
			continue
		}
		if s := it.e.Schedule; s != nil && s.Holds(wall.In(m.cfg.Location)) != it.on {
			changed = true
		}
	}
	switch {
	case jumped:
		m.restamp(mono, wall)
	case mono-c.beat >= heartbeatEvery:
		m.heartbeat(mono, wall)
	}
	if changed {
		m.publish()
	}
	return changed
}

// restamp writes all entries that end, and the heartbeat, by the present time
// of day.
func (m *Manager) restamp(mono time.Duration, wall time.Time) {
	for _, it := range m.entries {
		if it.deadline != 0 {
			if err := m.put(it, mono, wall); err != nil {
				m.failed++
			}
		}
	}
	m.putClock(mono, wall)
}

// heartbeat writes the time of day, counters that have changed, and entries
// whose stamp is getting old.
func (m *Manager) heartbeat(mono time.Duration, wall time.Time) {
	for _, it := range m.entries {
		if it.hits.n.Load() != it.saved || it.deadline != 0 && wall.Sub(it.stamp) > restampAfter {
			if err := m.put(it, mono, wall); err != nil {
				m.failed++
			}
		}
	}
	m.putClock(mono, wall)
}

func (m *Manager) putClock(mono time.Duration, wall time.Time) {
	c := &m.clock
	c.beat = mono
	if m.cfg.Store == nil {
		return
	}
	c.state.Wall = wall.UnixNano()
	if c.state.Before != 0 {
		c.state.Counted = c.counted + mono - c.begin
	}
	b, _ := json.Marshal(&c.state)
	if err := m.cfg.Store.Put(BucketState, "clock", b); err != nil {
		m.failed++
	}
}
