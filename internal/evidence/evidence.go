// Package evidence keeps the latest packets of the flows that are looked into,
// in fixed memory, and cuts a small capture out of them when something is
// found: the flow's first packets, those around the proof, and a few after.
// What is kept of nothing found is overwritten within seconds or minutes and
// never leaves memory.
package evidence

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/yamori-net/yamori/internal/event"
)

// Config bounds what is kept. Zero values mean the defaults.
type Config struct {
	Bytes int // per worker, for recent packets; 1 MiB
	Snap  int // bytes kept of each packet; 1,514, a whole frame of Ethernet
	Blob  int // bytes of a capture at most; 65,536
	After int // packets of the flow that are added after the proof; 6
	// PerMinute bounds the captures that each worker makes, by packet time:
	// a storm of alerts must not become a storm of captures; 30.
	PerMinute int
	// Want says which findings are worth a capture; nil: Worthy.
	Want func(*event.Finding) bool
}

// Bounds of the settings.
const (
	minBytes, maxBytes = 64 << 10, 64 << 20
	minSnap, maxSnap   = 96, 1514
	minBlob, maxBlob   = 8 << 10, 64 << 10
	maxAfter           = 64
)

// afterTime is how long the packets after the proof are waited for, in ns.
const afterTime = 10e9

// Worthy reports whether a finding deserves a capture: not what the owner hid,
// nor matches of rules that only inform.
func Worthy(f *event.Finding) bool {
	return !f.Quiet && (f.Rule == nil || f.Level >= event.Likely && f.Severity <= 2)
}

func (c *Config) check() error {
	for _, v := range [...]struct {
		name        string
		v           *int
		def, lo, hi int
	}{
		{"bytes", &c.Bytes, 1 << 20, minBytes, maxBytes}, {"snap", &c.Snap, maxSnap, minSnap, maxSnap}, {"blob", &c.Blob, maxBlob, minBlob, maxBlob},
		{"after", &c.After, 6, 1, maxAfter}, {"per_minute", &c.PerMinute, 30, 1, 6000},
	} {
		if *v.v == 0 {
			*v.v = v.def
		}
		if *v.v < v.lo || *v.v > v.hi {
			return fmt.Errorf("evidence: %s %d: use %d to %d, or 0 for %d", v.name, *v.v, v.lo, v.hi, v.def)
		}
	}
	if c.Want == nil {
		c.Want = Worthy
	}
	return nil
}

// Item is one capture, and to which finding it belongs.
type Item struct {
	FlowID   uint64 // zero: the packet belonged to no flow
	Time     int64  // of the finding, ns
	Category event.Category
	GID, SID uint32
	Packets  int
	Data     []byte // pcapng; the receiver's to keep
}

// Stats counts what became of findings.
type Stats struct {
	Made    uint64 // captures handed over
	Dropped uint64 // no room: too many at a time, or a slow receiver
	Limited uint64 // beyond PerMinute
}

// Collector makes the captures, on a goroutine of its own.
type Collector struct {
	cfg     Config
	deliver func(*Item)
	ch      chan *slot
	free    chan *slot
	wg      sync.WaitGroup
	once    sync.Once
	off     atomic.Bool
	made    atomic.Uint64
	dropped atomic.Uint64
	limited atomic.Uint64
}

// slots bounds the captures that are being made at a time, of all workers:
// each holds Config.Blob bytes from its first use on.
const slots = 16

// New starts a collector; deliver is called with each capture, one at a time.
func New(cfg Config, deliver func(*Item)) (*Collector, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if deliver == nil {
		return nil, errors.New("evidence: nobody takes the captures")
	}
	c := &Collector{cfg: cfg, deliver: deliver, ch: make(chan *slot, slots), free: make(chan *slot, slots)}
	for range slots {
		c.free <- &slot{}
	}
	c.wg.Go(func() {
		for s := range c.ch {
			it := s.item()
			s.reset()
			c.free <- s
			c.made.Add(1)
			c.deliver(it)
		}
	})
	return c, nil
}

// Switch makes captures from now on, or none: then packets are not kept, and
// what was kept is forgotten with the next one.
func (c *Collector) Switch(on bool) { c.off.Store(!on) }

// On reports whether captures are made.
func (c *Collector) On() bool { return c != nil && !c.off.Load() }

// Stats returns the counters.
func (c *Collector) Stats() Stats {
	return Stats{Made: c.made.Load(), Dropped: c.dropped.Load(), Limited: c.limited.Load()}
}

// Close hands over what is under way and stops. The recorders must have been
// closed.
func (c *Collector) Close() {
	c.once.Do(func() { close(c.ch) })
	c.wg.Wait()
}
