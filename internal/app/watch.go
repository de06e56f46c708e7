package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/capture"
	"github.com/yamori-net/yamori/internal/capture/afpacket"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/export/evefile"
	"github.com/yamori-net/yamori/internal/house"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/priv"
	"github.com/yamori-net/yamori/internal/report"
	"github.com/yamori-net/yamori/internal/verdict"
)

// Watch describes one run over a live interface.
type Watch struct {
	Config  *config.Config
	HomeNet []netip.Prefix
	Lang    report.Lang
	Version string
	Line    bool // draw a live line on Stderr
	Stdout  io.Writer
	Stderr  io.Writer
	Log     *slog.Logger
	Rules   RuleConfig
	Reopen  <-chan os.Signal // asks to reopen the event file and to load the rules again, may be nil
	Ready   func(Status)     // called once watching, may be nil

	// Priv is the process that keeps the privileges, Socket the daemon's Unix
	// socket, opened before; nil: this process has them, and opens it itself.
	Priv   *priv.Client
	Socket *os.File

	// Around wraps what inspects in line; for tests and measuring, may be nil.
	Around func(capture.Handler) capture.Handler

	iface   string
	engine  *engine.Engine
	sources []*afpacket.Source
	coll    *report.Collector
	queue   *event.Queue
	started time.Time
	down    atomic.Bool
	reopen  chan os.Signal // to the event file

	house     *house.House
	lost      string // why what was known cannot be read; empty: it can
	temporary string // folder that stands for the one that cannot be used
	looking   atomic.Bool
	apiDown   atomic.Bool
	exports   exports
	dns       *resolver // nil: the home's names are resolved elsewhere
	plugged   *plugged  // nil: the traffic of devices is not led here

	keeper       *keeper
	reactor      *reactor
	passive      atomic.Bool                   // the passive engine only listens to what is never forwarded
	inlineEngine atomic.Pointer[engine.Engine] // of the inspection in line; nil: none
	pastMu       sync.Mutex
	past         engine.Stats // of engines that were in line before

	loading sync.Mutex // one load of rules at a time
	rules   atomic.Pointer[RuleStatus]
}

// maxWorkers bounds the workers chosen by the machine: a home's traffic needs
// no more, and each costs memory.
const maxWorkers = 4

// gcPercent trades a little time for memory: a gateway has little of it, and
// the engine makes hardly any garbage. GOGC in the environment wins.
const gcPercent = 40

// Run watches until ctx ends, then writes a final account to Stdout.
func (w *Watch) Run(ctx context.Context) error {
	c := w.Config
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	why := "as asked"
	w.iface = c.Interface
	if w.iface == "" {
		var err error
		if w.iface, why, err = afpacket.DefaultInterface(); err != nil {
			return fmt.Errorf("choose an interface: %w", err)
		}
	}
	workers := c.Workers
	if workers == 0 {
		workers = min(runtime.NumCPU(), maxWorkers)
	}
	var err error
	w.sources, err = afpacket.New(afpacket.Config{Interface: w.iface, Workers: workers, Promiscuous: true, OnState: w.state, Open: w.rights().OpenPacket})
	if err != nil {
		return err
	}
	w.coll = &report.Collector{OnNew: func(f *report.Finding) { report.WriteFinding(w.Stdout, f, w.Lang) }}
	if err := w.openHouse(workers); err != nil {
		return err
	}
	defer w.closeHouse()
	w.plugged = w.plugIn()
	handlers, closeEvents, err := w.build(workers)
	if err != nil {
		return err
	}
	defer closeEvents()
	debug.FreeOSMemory() // the text of the rules
	w.dns = w.startDNS()
	w.started = time.Now() // before anybody can ask
	w.exports.tell(w)
	srv, err := w.serve(ctx)
	if err != nil {
		return err
	}
	defer srv()
	w.tellPrivileges()
	w.Log.Info("watching", "interface", w.iface, "why", why, "workers", workers, "mode", "watch")
	if w.Ready != nil {
		w.Ready(w.Status())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	var gone error
	if w.Priv != nil {
		wg.Go(func() {
			select {
			case <-ctx.Done():
			case <-w.Priv.Done():
				w.Log.Error("the privileged process is gone; packets pass by uninspected, and this process ends")
				gone = errPrivGone
				cancel()
			}
		})
	}
	wg.Go(func() { w.onSignal(ctx) })
	wg.Go(func() { w.keeper.run(ctx) })
	wg.Go(func() { w.reactor.run(ctx) })
	wg.Go(func() { w.dns.run(ctx) })
	wg.Go(func() { w.plugged.run(ctx) })
	errs := make([]error, len(w.sources))
	for i, s := range w.sources {
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer cancel()
			errs[i] = s.Run(ctx, handlers[i])
		}()
	}
	if w.Line {
		wg.Add(1)
		go func() { defer wg.Done(); w.draw(ctx) }()
	}
	wg.Wait()
	w.engine.Close()
	w.exports.stop()
	err = errors.Join(errs...)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	err = errors.Join(err, gone)
	sum := &report.Summary{Source: w.iface, Live: true, Stats: w.allStats(), Devices: w.house.Devices.Devices(), Problem: err}
	sum.Findings, sum.More = w.coll.Findings()
	return errors.Join(err, report.WriteAccount(w.Stdout, sum, w.Lang))
}

// state hears of the interface going away and coming back.
func (w *Watch) state(up bool, err error) {
	if was := w.down.Swap(!up); was == up {
		if up {
			w.Log.Info("the interface is back", "interface", w.iface)
		} else {
			w.Log.Warn("the interface is gone; waiting for it", "interface", w.iface, "error", err)
		}
	}
}

// engineConfig is what an engine of the daemon is made of, but for its rules.
// flush hands over the events that worker i holds; it is for the worker alone.
func (w *Watch) engineConfig(workers int) (cfg engine.Config, flush func(i int)) {
	c := w.Config
	cfg = engine.Config{
		Protocols: builtin.Protocols(), Detectors: builtin.Detectors(), Workers: workers,
		HomeNet: w.HomeNet, Iface: w.iface, Seed: seed(), Now: func() int64 { return time.Now().UnixNano() },
		MaxStep: int64(time.Minute),
		OnPanic: func(v any, stack []byte) {
			w.Log.Error("a packet made the engine panic; its flow is not inspected", "value", v, "stack", string(stack))
		},
	}
	c.Limits.Engine(&cfg)
	w.furnish(&cfg)
	cfg.Events = []event.Type{event.MiningProgress} // the account tells what mining has come to
	fronts := make([]*event.Front, workers)
	if w.queue != nil {
		cfg.Flows, cfg.Events = c.Events.Flows, DefaultEvents
		if len(c.Events.Types) > 0 {
			cfg.Events = nil
			for _, t := range c.Events.Types {
				cfg.Events = append(cfg.Events, event.Type(t))
			}
		}
		for i := range fronts {
			fronts[i] = w.queue.NewFront()
		}
	}
	cfg.Sink = func(i int) event.Sink {
		t := event.Tee{w.reactor, w.coll, w.house.Recorder()}
		if fronts[i] != nil {
			t = append(t, fronts[i])
		}
		return append(t, w.exports.fronts()...)
	}
	return cfg, func(i int) {
		if fronts[i] != nil {
			fronts[i].Flush()
		}
	}
}

// handlerOf gives frames to a worker, and its events on at least once a second.
func handlerOf(wk *engine.Worker, flush func()) capture.Handler {
	var flushed int64
	return func(f *packet.Frame) verdict.Verdict {
		v := wk.Handle(f)
		if f == nil || f.Time-flushed >= int64(time.Second) || f.Time < flushed {
			flush()
			if f != nil {
				flushed = f.Time
			}
		}
		return v
	}
}

// build makes the engine and one handler per worker.
func (w *Watch) build(workers int) ([]capture.Handler, func(), error) {
	c := w.Config
	w.reopen = make(chan os.Signal, 1)
	closeEvents := func() {}
	if c.Events.File != "" {
		ec := evefile.Config{Path: c.Events.File, MaxMB: c.Events.MaxMB, Keep: c.Events.Keep}
		if w.Priv != nil {
			ec.Append = w.Priv.OpenEvents
		}
		f, err := evefile.Open(ec)
		if err != nil {
			return nil, nil, fmt.Errorf("event file: %w", err)
		}
		w.queue = event.NewQueue(f)
		done := make(chan struct{})
		go w.reopenOn(f, done)
		closeEvents = func() {
			w.queue.Close()
			close(done)
			_ = f.Close()
		}
	}
	if err := w.exports.start(w); err != nil {
		closeEvents()
		return nil, nil, err
	}
	cfg, flush := w.engineConfig(workers)
	err := w.firstRules(&cfg)
	if err == nil {
		w.engine, err = engine.New(cfg)
	}
	if err != nil {
		closeEvents()
		return nil, nil, err
	}
	handlers := make([]capture.Handler, workers)
	for i, wk := range w.engine.Workers {
		all := handlerOf(wk, func() { flush(i) })
		handlers[i] = w.plugged.once(w.reactor.doomed.around(i, func(f *packet.Frame) verdict.Verdict {
			if f != nil && w.passive.Load() && !overheard(f) {
				return verdict.Verdict{} // it comes through the queue
			}
			return all(f)
		}))
	}
	return handlers, func() {
		for i := range workers {
			flush(i)
		}
		closeEvents()
	}, nil
}

// draw keeps one line on the terminal up to date.
func (w *Watch) draw(ctx context.Context) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	last := w.Status()
	for {
		select {
		case <-ctx.Done():
			fmt.Fprint(w.Stderr, "\r\x1b[K")
			return
		case <-t.C:
			s := w.Status()
			fmt.Fprintf(w.Stderr, "\r\x1b[K"+report.Daemon(w.Lang).Live,
				s.Interface, report.Count(s.Packets), report.Count(s.Packets-last.Packets), s.Flows, s.Devices, s.Findings, s.Dropped)
			last = s
		}
	}
}
