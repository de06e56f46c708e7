package enforce

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// counterPackets is the number of packets of a named counter.
func counterPackets(o *nftables.NamedObj) uint64 {
	if c, ok := o.Obj.(*expr.Counter); ok {
		return c.Packets
	}
	return 0
}

// Beat lets packets be queued for another Config.Timeout.
func (t *Table) Beat() error {
	t.lay.Lock()
	defer t.lay.Unlock()
	alive := t.sets["alive"]
	elements := func(d time.Duration) []nftables.SetElement {
		// NFPROTO_IPV4, NFPROTO_IPV6
		return []nftables.SetElement{{Key: []byte{2}, Timeout: d}, {Key: []byte{10}, Timeout: d}}
	}
	// An element that is there keeps its old time in kernels before 6.12, so it
	// is replaced; deleting one that has expired fails, so then it is added
	// alone. Either is one transaction: there is no moment without.
	for _, replace := range [...]bool{time.Since(t.last) < t.cfg.Timeout, time.Since(t.last) >= t.cfg.Timeout} {
		if replace {
			if err := t.beat.SetDeleteElements(alive, elements(0)); err != nil {
				return err
			}
		}
		if err := t.beat.SetAddElements(alive, elements(t.cfg.Timeout)); err != nil {
			return err
		}
		err := t.beat.Flush()
		if err == nil {
			t.last = time.Now()
			t.lookAround()
			return nil
		}
		if !missing(err) {
			return fmt.Errorf("packet filter: heartbeat: %w", err)
		}
	}
	return fmt.Errorf("packet filter: heartbeat: the set is not there; were the rules flushed? restart yamori to put them back")
}

// lookEvery so many beats (10 s) new interfaces of the machine are looked for.
const lookEvery = 64

// lookAround learns the hardware address of a port that was added to a bridge,
// unless somebody is changing the rules: the heart waits for nobody.
func (t *Table) lookAround() {
	if t.n++; !t.cfg.Bridge || t.n%lookEvery != 0 || !t.mu.TryLock() {
		return
	}
	defer t.mu.Unlock()
	_ = t.noteOwn() // the next look tries again
}

// Rest lets packets pass by at once.
func (t *Table) Rest() error {
	t.lay.Lock()
	defer t.lay.Unlock()
	t.beat.FlushSet(t.sets["alive"])
	t.last = time.Time{}
	if err := t.beat.Flush(); err != nil {
		return fmt.Errorf("packet filter: %w", err)
	}
	return nil
}

// Pulse is where one worker shows that it lives: it calls Take each time it
// takes its turn, busy or idle.
type Pulse struct{ n atomic.Uint64 }

// Take says that the worker takes its turn. It costs an addition.
func (p *Pulse) Take() { p.n.Add(1) }

// Turns is how often it did.
func (p *Pulse) Turns() uint64 { return p.n.Load() }

// Heart beats while all workers live.
type Heart struct {
	Table  Beater
	Pulses []*Pulse
	// OnState is told when inspection stops because a worker does not take its
	// turn (or the packet filter fails: err), and when it goes on.
	OnState func(on bool, err error)
	// Hold, if set, says at each beat whether packets are to pass by for now.
	Hold func() bool

	Beats, Missed atomic.Uint64
	on            atomic.Bool
}

// On reports whether packets are being inspected.
func (h *Heart) On() bool { return h.on.Load() }

// Run beats until ctx ends; then packets pass by at once.
func (h *Heart) Run(ctx context.Context) {
	defer func() { _ = h.Table.Rest() }()
	t := time.NewTicker(beatEvery)
	defer t.Stop()
	seen := make([]uint64, len(h.Pulses))
	late := make([]int, len(h.Pulses))
	for {
		alive := true
		for i, p := range h.Pulses {
			if n := p.n.Load(); n != seen[i] {
				seen[i], late[i] = n, 0
			} else {
				late[i]++
			}
			// One missed turn may be the scheduler; the element of the last beat
			// still lives. Two are a worker that hangs.
			alive = alive && late[i] < 2 && seen[i] > 0
		}
		var err error
		switch {
		case alive && h.Hold != nil && h.Hold():
			if alive = false; h.On() {
				err = h.Table.Rest()
			}
		case alive:
			err = h.Table.Beat()
		}
		if ok := alive && err == nil; ok {
			h.Beats.Add(1)
			h.set(true, nil)
		} else {
			h.Missed.Add(1)
			h.set(false, err)
		}
		select {
		case <-ctx.Done():
			h.set(false, ctx.Err())
			return
		case <-t.C:
		}
	}
}

func (h *Heart) set(on bool, err error) {
	if h.on.Swap(on) != on && h.OnState != nil {
		h.OnState(on, err)
	}
}
