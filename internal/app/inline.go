package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yamori-net/yamori/internal/capture/nfqueue"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/enforce"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/inject"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/policy"
	"github.com/yamori-net/yamori/internal/verdict"
)

// inline is the gateway's inspection in the packets' way: the kernel's rules,
// the queues with an engine of their own, and the heart that lets packets pass
// by when anything of it fails. While it works, the passive engine only listens
// to what is never forwarded.
type inline struct {
	w       *Watch
	table   filter
	heart   *enforce.Heart
	engine  *engine.Engine
	sources []*nfqueue.Source
	senders []*inject.Sender
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	flush   func()
	late    atomic.Int64  // when packets last passed because a worker was late, in ns; 0: never
	rest    atomic.Int64  // until when packets pass by, in ns
	passed  atomic.Uint64 // packets that passed because no heart beat, since it began to
	frames  atomic.Uint64 // on a bridge that cannot be inspected
}

// keeper starts and stops the inspection in line as the policy's mode says, and
// keeps the kernel's blocks as the policy has them.
type keeper struct {
	w    *Watch
	wake chan struct{}

	mu     sync.Mutex
	on     *inline // nil: passive
	failed string  // why it could not be started; empty: it could
	done   map[string]enforce.Entry
	tried  time.Time // when it was tried last and could not be started; zero: it was not
}

// syncEvery is how often the kernel's blocks are compared with the policy: a
// device may have taken another address.
const syncEvery = 15 * time.Second

// tryEvery is how long it is left alone when it could not be started: each try
// replaces the rules that cut flows meanwhile.
const tryEvery = 30 * time.Second

// changed is told of each change of the policy.
func (k *keeper) changed() {
	k.w.reactor.changed()
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// run follows the policy until ctx ends, then takes everything out again.
func (k *keeper) run(ctx context.Context) {
	t := time.NewTicker(syncEvery)
	defer t.Stop()
	for {
		k.follow(ctx)
		select {
		case <-ctx.Done():
			k.stop()
			k.w.reactor.stand(ctx, false)
			return
		case <-k.wake:
		case <-t.C:
		}
	}
}

// follow does what the policy says now.
func (k *keeper) follow(ctx context.Context) {
	c := &k.w.Config.Inline
	want := !c.Off && ctx.Err() == nil && (k.w.house.Policy.Mode() == policy.Protect || len(k.w.house.Policy.Enforced().Blocks) > 0)
	k.mu.Lock()
	if !want {
		k.tried = time.Time{}
	}
	on, tried := k.on, k.tried
	k.mu.Unlock()
	switch {
	case want && on == nil && time.Since(tried) >= tryEvery:
		k.w.reactor.leave()
		i, err := k.w.startInline()
		k.mu.Lock()
		if k.on, k.failed, k.tried = i, "", (time.Time{}); err != nil {
			k.failed, k.tried = err.Error(), time.Now()
		}
		k.done = nil
		on = k.on
		k.mu.Unlock()
		if err != nil {
			k.w.Log.Error("packets cannot be stopped: the inspection in line does not start; watching goes on", "error", err)
		}
	case !want && on != nil:
		k.stop()
		on = nil
	}
	k.w.house.SetInline(on != nil && on.heart.On())
	if on != nil {
		k.sync(on.table)
	}
	k.w.reactor.stand(ctx, on != nil)
}

func (k *keeper) stop() {
	k.mu.Lock()
	on := k.on
	k.on = nil
	k.mu.Unlock()
	if on != nil {
		on.stop()
		k.w.house.SetInline(false)
		k.w.Log.Info("the inspection in line has ended; packets pass")
	}
}

// state says how it is: what problems there are, and the counters.
func (k *keeper) state() (on, beating bool, failed string, st inlineStats) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.on == nil {
		return false, false, k.failed, st
	}
	return true, k.on.beating(), "", k.on.stats()
}

// inlineStats adds up the queues.
type inlineStats struct {
	Queued, Dropped, Released, Unseen uint64
	Uninspected                       uint64 // frames on a bridge that cannot be
}

func (i *inline) stats() (s inlineStats) {
	for _, src := range i.sources {
		x := src.Stats()
		s.Queued += x.Packets
		s.Dropped += x.Dropped + x.Cut
		s.Released += x.Released
		s.Unseen += x.Unseen
	}
	s.Unseen += i.passed.Load()
	s.Uninspected = i.frames.Load()
	return s
}

// startInline sets everything up. Nothing is queued before all workers run.
func (w *Watch) startInline() (*inline, error) {
	c := &w.Config.Inline
	workers := len(w.sources)
	i := &inline{w: w, flush: func() {}}
	lan := c.LAN
	if len(lan) == 0 {
		lan = []string{w.iface}
	}
	first := c.Queue
	if first == 0 {
		first = config.DefaultQueue
	}
	var err error
	if i.table, err = w.rights().install(enforce.Config{Queue: uint16(first), Workers: workers, LAN: lan, Local: !c.NoLocal, Bridge: c.Bridge, State: c.State}); err != nil {
		return nil, err
	}
	ok := false
	defer func() {
		if !ok {
			i.stop()
		}
	}()
	cfg, flush := w.engineConfig(workers)
	i.flush = func() {
		for n := range workers {
			flush(n)
		}
	}
	cfg.Inline = true
	cfg.Rules, cfg.RulesMidstream = w.engine.Rules(), w.Rules.Midstream
	cfg.RulesPassMidstream = w.Rules.PassMidstream
	if i.engine, err = engine.New(cfg); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	i.cancel = cancel
	i.heart = &enforce.Heart{Table: i.table, OnState: i.beats, Hold: func() bool { return time.Now().UnixNano() < i.rest.Load() }}
	for n := range workers {
		sender, err := w.rights().OpenSender(int(enforce.DefaultMarks.Own()))
		if err != nil {
			return nil, err
		}
		i.senders = append(i.senders, sender)
		var dec packet.Decoder
		var p packet.Packet
		src, err := w.rights().OpenQueue(nfqueue.Config{Queue: uint16(first + n), Marks: nfqueue.Marks{Release: enforce.DefaultMarks.Release, Cut: enforce.DefaultMarks.Cut, Side: enforce.DefaultMarks.Side, Back: enforce.DefaultMarks.Back},
			Reject: func(f *packet.Frame) { dec.Decode(&p, f); refuse(sender, &p) }})
		if err != nil {
			return nil, err
		}
		i.sources = append(i.sources, src)
		i.heart.Pulses = append(i.heart.Pulses, &enforce.Pulse{})
	}
	for n, src := range i.sources {
		handle, pulse := handlerOf(i.engine.Workers[n], func() { flush(n) }), i.heart.Pulses[n]
		if w.Around != nil {
			handle = w.Around(handle)
		}
		i.wg.Go(func() {
			if err := src.Run(ctx, func(f *packet.Frame) verdict.Verdict { pulse.Take(); return handle(f) }); err != nil {
				w.Log.Error("a queue ended; its packets pass by", "error", err)
			}
		})
	}
	w.passive.Store(true)
	w.sources[0].Overhear(true)
	i.wg.Go(func() { i.heart.Run(ctx) })
	i.wg.Go(func() { i.relieve(ctx) })
	i.wg.Go(func() { i.count(ctx) })
	w.inlineEngine.Store(i.engine)
	ok = true
	w.Log.Info("inspecting in line", "lan", lan, "queues", workers, "rules", i.table.Mode())
	return i, nil
}

// Times of a worker that is late.
const (
	// relieveEvery bounds how long a packet may wait: to three times as much.
	relieveEvery = 30 * time.Millisecond
	// lateFor is how long it is told that packets passed.
	lateFor = 10 * time.Second
	// A worker that is late so often within a second cannot keep up: then all
	// packets pass by for a while, because waiting for it slows them down.
	lateTimes, restFor = 4, 2 * time.Second
	// A worker that is late and has not taken its turn for so many intervals
	// hangs: packets pass by at once, until shortly after it goes on.
	hungTurns, hungFor = 2, 200 * time.Millisecond
)

// relieve lets packets pass that a worker holds up.
func (i *inline) relieve(ctx context.Context) {
	t := time.NewTicker(relieveEvery)
	defer t.Stop()
	var times [lateTimes]time.Time
	turns, still, hung := make([]uint64, len(i.sources)), make([]int, len(i.sources)), make([]bool, len(i.sources))
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		n, wait, rest := 0, false, false
		for k, s := range i.sources {
			if now := i.heart.Pulses[k].Turns(); now != turns[k] {
				turns[k], still[k], hung[k] = now, 0, false
			} else {
				still[k]++
			}
			m := s.Relieve()
			n += m
			hung[k] = hung[k] || m > 0 && still[k] >= hungTurns
			wait = wait || hung[k]
			rest = rest || hung[k] && m > 0
		}
		now := time.Now()
		if wait {
			i.rest.Store(max(i.rest.Load(), now.Add(hungFor).UnixNano()))
		}
		if rest {
			_ = i.table.Rest() // the heart tries again
		}
		if n == 0 {
			continue
		}
		copy(times[1:], times[:])
		if times[0] = now; now.Sub(times[lateTimes-1]) < time.Second {
			i.rest.Store(now.Add(restFor).UnixNano())
		}
		i.tell("packets pass by uninspected: the inspection is too slow for them", uint64(n))
	}
}

// tell notes that packets passed, and says so once in a while: in the log, and
// to those who follow events.
func (i *inline) tell(what string, packets uint64) {
	now := time.Now()
	if was := i.late.Swap(now.UnixNano()); now.Sub(time.Unix(0, was)) > lateFor {
		i.w.Log.Warn(what, "packets", packets)
		i.w.house.PublishStatus(daemon{i.w})
	}
}

// countEvery is how often the packet filter's counters are read.
const countEvery = time.Second

// count reads what the packet filter has counted, and says so when packets passed
// because no heart beat: the daemon was stopped, or got no processor, and could
// not say so itself.
func (i *inline) count(ctx context.Context) {
	t := time.NewTicker(countEvery)
	defer t.Stop()
	began, first := false, uint64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		c, err := i.table.Counters()
		if err != nil {
			continue
		}
		i.frames.Store(c.Uninspected)
		if !began {
			// What came before the first beat passed as it should.
			began, first = i.heart.Beats.Load() > 0, c.Passed
			continue
		}
		if n := c.Passed - first; n > i.passed.Swap(n) {
			i.tell("packets passed by uninspected: the daemon was stopped, or got no processor", n)
		}
	}
}

// beating reports whether packets are inspected, all of them.
func (i *inline) beating() bool {
	return i.heart.On() && time.Since(time.Unix(0, i.late.Load())) > lateFor
}

// beats is told when packets begin or cease to be inspected.
func (i *inline) beats(on bool, err error) {
	w := i.w
	w.house.SetInline(on)
	switch {
	case on:
		w.Log.Info("packets are inspected")
	case errors.Is(err, context.Canceled):
	default:
		w.Log.Warn("packets pass by uninspected", "error", err)
	}
}

// stop takes everything out again. Packets pass by from the first step on.
func (i *inline) stop() {
	i.w.passive.Store(false)
	i.w.sources[0].Overhear(false)
	i.w.inlineEngine.Store(nil)
	if i.cancel != nil {
		i.cancel()
	}
	if i.table != nil {
		_ = i.table.Rest()
	}
	i.wg.Wait()
	for _, s := range i.sources {
		_ = s.Close()
	}
	for _, s := range i.senders {
		s.Close()
	}
	if i.engine != nil {
		i.engine.Close()
		i.w.noteStats(i.engine.Stats())
	}
	i.flush()
	if i.table != nil {
		if err := i.table.Remove(); err != nil {
			i.w.Log.Error("not all rules could be removed; try: yamori unhook", "error", err)
		}
	}
}

// sync makes the kernel's blocks those of the policy.
func (k *keeper) sync(t filter) {
	h := k.w.house
	v := h.Policy.Enforced()
	want := map[string]enforce.Entry{}
	add := func(e enforce.Entry) {
		// The daemon ends entries itself; the kernel's own time-out only makes
		// sure that none outlasts a daemon that was killed.
		key := fmt.Sprint(e.Kind, e.MAC, e.Net, e.Proto, e.Port)
		want[key] = e
	}
	var never, allowed []netip.Prefix
	for _, n := range v.Never {
		if n.Dest.IsValid() && n.Device == "" {
			never = append(never, n.Dest)
		}
	}
	allowed = never
	for _, b := range v.Blocks {
		var macs []net.HardwareAddr
		if b.Device != "" {
			d, ok := h.Devices.Get(b.Device)
			if !ok {
				continue
			}
			for _, m := range d.MACs {
				macs = append(macs, net.HardwareAddr(m[:]))
			}
		}
		switch b.Kind {
		case policy.Quarantine, policy.Pause:
			kind := enforce.Pause
			if b.Kind == policy.Quarantine {
				kind = enforce.Quarantine
			}
			for _, m := range macs {
				add(enforce.Entry{Kind: kind, MAC: m, For: b.Left})
			}
		case policy.BlockEntry:
			if !b.Dest.IsValid() || b.Dest.Bits() == 0 || b.Host != "" {
				continue // the engine carries these out
			}
			switch {
			case b.Device == "" && b.Port == 0:
				add(enforce.Entry{Kind: enforce.Block, Net: b.Dest, For: b.Left})
			case b.Device == "" && b.Dest.IsSingleIP():
				for _, proto := range [...]uint8{6, 17} {
					add(enforce.Entry{Kind: enforce.Block, Net: b.Dest, Proto: proto, Port: b.Port, For: b.Left})
				}
			case b.Port == 0 && b.Dest.IsSingleIP():
				for _, m := range macs {
					add(enforce.Entry{Kind: enforce.Block, Net: b.Dest, MAC: m, For: b.Left})
				}
			case b.Dest.IsSingleIP():
				for _, m := range macs {
					for _, proto := range [...]uint8{6, 17} {
						add(enforce.Entry{Kind: enforce.Block, Net: b.Dest, MAC: m, Proto: proto, Port: b.Port, For: b.Left})
					}
				}
			}
		}
	}
	var put, del []enforce.Entry
	for key, e := range want {
		if old, ok := k.done[key]; !ok || old.For != 0 != (e.For != 0) || e.For > old.For+time.Second {
			put = append(put, e)
		}
	}
	for key, e := range k.done {
		if _, ok := want[key]; !ok {
			del = append(del, e)
		}
	}
	err := errors.Join(t.SetNever(never), t.SetAllowed(allowed), t.Delete(del...))
	if len(put) > 0 {
		err = errors.Join(err, t.Put(put...))
	}
	if err != nil {
		k.w.Log.Error("the kernel's blocks are not those of the policy; trying again", "error", err)
		k.done = nil
		return
	}
	k.done = want
}

// overheard reports whether a frame is one that is never forwarded: what tells
// about devices. In line the rest comes through the queue.
func overheard(f *packet.Frame) bool {
	b := f.Data
	if f.Link != packet.LinkEthernet || len(b) < 38 || b[0]&1 != 0 {
		return true
	}
	switch uint16(b[12])<<8 | uint16(b[13]) {
	case 0x0806: // ARP
		return true
	case 0x0800:
		if b[23] != packet.ProtoUDP || b[14]&15 != 5 {
			return false
		}
		return announces(uint16(b[34])<<8|uint16(b[35])) || announces(uint16(b[36])<<8|uint16(b[37]))
	case 0x86dd:
		if b[20] == packet.ProtoICMPv6 {
			return len(b) > 54 && b[54] >= 133 && b[54] <= 137 // neighbour discovery
		}
		return b[20] == packet.ProtoUDP && len(b) > 57 && (announces(uint16(b[54])<<8|uint16(b[55])) || announces(uint16(b[56])<<8|uint16(b[57])))
	}
	return false
}

// announces reports whether p is a port by which devices tell of themselves.
func announces(p uint16) bool {
	switch p {
	case 67, 68, 137, 138, 546, 547, 1900, 3702, 5353, 5355:
		return true
	}
	return false
}
