// Package report tells people and programs what happened: the account of a
// replay or of a watch, as text or as one JSON object.
package report

import (
	"slices"
	"sync"

	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// MaxFindings bounds the findings kept for an account; what comes after is
// counted only.
const MaxFindings = 10000

// Finding is a finding together with the flow it is about, the misbehaving
// side first.
type Finding struct {
	event.Finding
	First, Last      int64 // packet times, ns
	Src, Dst         packet.Addr
	SrcPort, DstPort uint16
	Proto            uint8
	AppProto         string
}

// Collector is a sink that keeps the findings. Safe for several workers.
type Collector struct {
	mu       sync.Mutex
	findings []Finding
	more     uint64
}

// Event keeps ev if it is a finding.
func (c *Collector) Event(ev *event.Event) {
	if ev.Finding == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.findings) >= MaxFindings {
		c.more++
		return
	}
	c.findings = append(c.findings, Finding{Finding: *ev.Finding, First: ev.Time, Last: ev.Time,
		Src: ev.Src, Dst: ev.Dst, SrcPort: ev.SrcPort, DstPort: ev.DstPort, Proto: ev.Proto, AppProto: ev.AppProto})
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
	Stats    engine.Stats
	Devices  []device.Device
	Findings []Finding
	More     uint64 // findings beyond MaxFindings
	Problem  error  // why the reading stopped early, nil when it did not
}
