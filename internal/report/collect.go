// Package report tells people and programs what happened: the account of a
// replay or of a watch, as text or as one JSON object.
package report

import (
	"slices"
	"sync"
	"time"

	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// MaxFindings bounds the findings kept for an account; what comes after is
// counted only.
const MaxFindings = 10000

// Finding is what one side did to another, over one connection or many: the
// misbehaving side first.
type Finding struct {
	event.Finding
	First, Last      int64 // packet times, ns
	Count            int   // connections that showed it
	Src, Dst         packet.Addr
	SrcPort, DstPort uint16 // of the connection shown
	Proto            uint8
	AppProto         string

	tally tally
}

// groupKey tells which findings are the same thing happening again.
type groupKey struct {
	device, family string
	category       event.Category
	src, dst       packet.Addr
	port           uint16
}

// Collector is a sink that keeps the findings, repeated ones as one. Safe for
// several workers.
type Collector struct {
	// OnNew, if set, is told of a finding when it is first made, and again
	// when it goes on after a pause of Again.
	OnNew func(*Finding)

	mu       sync.Mutex
	findings []Finding
	at       map[groupKey]int // index in findings
	more     uint64
}

// Again is the pause (ns of packet time) after which a finding that repeats
// itself is news once more.
const Again = int64(time.Hour)

// Event keeps ev if it is a finding.
func (c *Collector) Event(ev *event.Event) {
	if u, ok := ev.Body.(*event.MiningUpdate); ok && ev.Finding == nil {
		c.progress(ev, u)
		return
	}
	if ev.Finding == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f := Finding{Finding: *ev.Finding, First: ev.Time, Last: ev.Time, Count: 1,
		Src: ev.Src, Dst: ev.Dst, SrcPort: ev.SrcPort, DstPort: ev.DstPort, Proto: ev.Proto, AppProto: ev.AppProto}
	k := groupKey{f.Device.ID, f.Family, f.Category, f.Src, f.Dst, f.DstPort}
	if f.Family == "collector" { // one story, whichever of its connections tells it
		k.dst, k.port = packet.Addr{}, 0
	}
	i, known := c.at[k]
	switch {
	case known:
		old := &c.findings[i]
		pause := ev.Time - old.Last
		f.First, f.Count = min(old.First, f.First), old.Count+1
		f.Last = max(old.Last, f.Last)
		if f.Level > old.Level || f.Level == old.Level && f.details() > old.details() {
			f.tally = old.tally
			*old = f
		} else {
			old.First, old.Last, old.Count = f.First, f.Last, f.Count
		}
		if pause < Again {
			return
		}
	case len(c.findings) >= MaxFindings:
		c.more++
		return
	default:
		if c.at == nil {
			c.at = map[groupKey]int{}
		}
		i = len(c.findings)
		c.at[k] = i
		c.findings = append(c.findings, f)
	}
	if c.OnNew != nil {
		c.OnNew(&c.findings[i])
	}
}

// progress adds what a connection's mining has come to to its finding.
func (c *Collector) progress(ev *event.Event, u *event.MiningUpdate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i, ok := c.at[groupKey{u.Device.ID, u.Family, event.Mining, ev.Src, ev.Dst, ev.DstPort}]; ok {
		c.findings[i].tally.add(ev.FlowID, u)
		c.findings[i].learn(&u.Detail)
	}
}

// learn fills in what was not known yet when the finding was made: a miner is
// found by its first message and mostly logs in by a later one.
func (f *Finding) learn(more *event.MiningDetail) {
	if f.Mining == nil {
		return
	}
	m := *f.Mining // which others may hold
	for _, x := range []struct{ to, from *string }{
		{&m.Coin, &more.Coin}, {&m.Algorithm, &more.Algorithm}, {&m.Agent, &more.Agent}, {&m.Worker, &more.Worker}, {&m.Wallet, &more.Wallet},
	} {
		if *x.to == "" {
			*x.to = *x.from
		}
	}
	f.Mining = &m
}

// details counts what is known of a miner: of equal findings the one that says
// most is shown.
func (f *Finding) details() (n int) {
	if m := f.Mining; m != nil {
		n = 8 * m.MinersTotal // of a device that gathers miners the fullest list
		for _, s := range []string{m.Coin, m.Algorithm, m.Agent, m.Worker, m.Wallet, m.Pool} {
			if s != "" {
				n++
			}
		}
	}
	return n
}

// Findings returns what was collected, oldest first, and how many more there
// were than are kept.
func (c *Collector) Findings() (kept []Finding, more uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept = slices.Clone(c.findings)
	slices.SortStableFunc(kept, func(a, b Finding) int {
		switch {
		case a.First < b.First:
			return -1
		case a.First > b.First:
			return 1
		}
		return slices.Compare(a.Src[:], b.Src[:])
	})
	return kept, c.more
}

// Summary is everything an account is made of.
type Summary struct {
	Source   string // what was read or watched, for the headline
	Live     bool   // Source is an interface
	Stats    engine.Stats
	Devices  []device.Device
	Findings []Finding
	More     uint64 // findings beyond MaxFindings
	Problem  error  // why the reading stopped early, nil when it did not
}
