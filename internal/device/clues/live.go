package clues

import (
	"context"
	"net/netip"
	"time"

	"github.com/yamori-net/yamori/internal/device"
)

// Live carries the clues of a running engine's workers to a registry.
type Live struct {
	reg    *device.Registry
	home   []netip.Prefix
	queues []*Queue
}

// Intervals of Run.
const (
	drainEvery = 100 * time.Millisecond
	saveEvery  = 600 // drains: a minute
)

// NewLive makes the way from that many workers to reg.
func NewLive(reg *device.Registry, home []netip.Prefix, workers int) *Live {
	l := &Live{reg: reg, home: home}
	for range workers {
		l.queues = append(l.queues, NewQueue())
	}
	return l
}

// Observer returns what watches worker i's traffic.
func (l *Live) Observer(i int) *Extractor { return New(l.queues[i], l.home, l.reg.Epoch) }

// Run hands clues over, lets the registry's time pass and saves it once a
// minute, until ctx ends; then it does all of it once more. now is the clock in
// ns; onError, which may be nil, is told when saving fails.
func (l *Live) Run(ctx context.Context, now func() int64, onError func(error)) {
	save := func() {
		if err := l.reg.Save(); err != nil && onError != nil {
			onError(err)
		}
	}
	t := time.NewTicker(drainEvery)
	defer t.Stop()
	for n := 1; ; n++ {
		for _, q := range l.queues {
			q.Drain(l.reg)
		}
		if n%10 == 0 || ctx.Err() != nil {
			l.reg.Advance(now())
		}
		if n%saveEvery == 0 || ctx.Err() != nil {
			save()
		}
		if ctx.Err() != nil {
			return
		}
		select {
		case <-ctx.Done():
		case <-t.C:
		}
	}
}

// Dropped counts the clues that did not fit into the queues.
func (l *Live) Dropped() (n uint64) {
	for _, q := range l.queues {
		n += q.Dropped()
	}
	return n
}
