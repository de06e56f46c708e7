// Package app wires the parts into the program's commands. It holds no logic
// of its own.
package app

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/capture"
	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/report"
)

// Output formats of replay.
const (
	Human = "human"
	JSON  = "json"
	EVE   = "eve"
)

// DefaultEvents are the EVE records written when nothing else is asked for,
// besides alerts and (with --flows) flows.
var DefaultEvents = []event.Type{"tls", "quic", "dns", "http", event.Anomaly, event.MiningProgress}

// Replay describes one run over captures.
type Replay struct {
	Files    []string // "-" is standard input
	Output   string
	HomeNet  []netip.Prefix
	Workers  int
	Flows    bool
	Events   []event.Type // nil: DefaultEvents
	Lang     report.Lang
	Progress bool // on Stderr
	Limits   config.Limits
	// Rules says which rules are loaded besides the built-in ones; NoBuiltin
	// leaves those and the built-in detections out.
	Rules     RuleConfig
	NoBuiltin bool
	Stdout    io.Writer
	Stderr    io.Writer
	Log       *slog.Logger

	deviceEvents event.Sink // where changes of devices go, nil: nowhere
}

// Run reads the captures and writes the account. The summary is returned also
// when a capture was damaged; the error then says where.
func (r *Replay) Run(ctx context.Context) (*report.Summary, error) {
	workers := max(r.Workers, 1)
	coll := &report.Collector{}
	cfg := engine.Config{
		Protocols: builtin.Protocols(), Detectors: builtin.Detectors(), Workers: workers,
		HomeNet: r.HomeNet, NumberPackets: true, Seed: seed(),
		OnPanic: func(v any, stack []byte) {
			r.Log.Error("a packet made the engine panic", "value", v, "stack", string(stack))
		},
	}
	r.Limits.Engine(&cfg)
	if r.NoBuiltin {
		cfg.Detectors = nil
	}
	if r.Rules.Builtin = !r.NoBuiltin; r.Rules.Builtin || len(r.Rules.Files) > 0 {
		if err := r.loadRules(&cfg); err != nil {
			return nil, err
		}
	}
	cfg.Sink = func(int) event.Sink { return coll }
	cfg.Events = []event.Type{event.MiningProgress} // the account tells what mining has come to
	flush := func() error { return nil }
	var ordered []*event.Ordered
	if r.Output == EVE {
		cfg.Flows = r.Flows
		cfg.Events = r.Events
		if cfg.Events == nil {
			cfg.Events = DefaultEvents
		}
		if workers == 1 {
			w := &event.Writer{W: r.Stdout}
			r.deviceEvents = w
			flush = w.Flush
			cfg.Sink = func(int) event.Sink { return event.Tee{coll, w} }
		} else {
			for range workers {
				ordered = append(ordered, &event.Ordered{})
			}
			cfg.Sink = func(i int) event.Sink { return event.Tee{coll, ordered[i]} }
		}
	}
	devs, err := r.devices(&cfg, ordered)
	if err != nil {
		return nil, err
	}
	e, err := engine.New(cfg)
	if err != nil {
		return nil, err
	}
	handle, finish := capture.Handler(e.Workers[0].Handle), e.Close
	if workers > 1 {
		d := engine.NewDispatcher(e)
		handle, finish = d.Handle, d.Finish
		d.AfterBatch = devs.merge
		if ordered != nil {
			var buf []byte
			var werr error
			d.AfterBatch = func() {
				devs.merge()
				if buf = event.Merge(buf[:0], ordered...); werr == nil && len(buf) > 0 {
					_, werr = r.Stdout.Write(buf)
				}
			}
			flush = func() error { d.AfterBatch(); return werr }
		}
	}
	var problems []error
	for _, name := range r.Files {
		if err := r.read(ctx, name, handle); err != nil {
			problems = append(problems, err)
			if ctx.Err() != nil {
				break
			}
		}
	}
	finish()
	devs.registry.Finish()
	s := &report.Summary{Source: strings.Join(r.Files, ", "), Stats: e.Stats(), Devices: devs.registry.Devices(),
		Problem: errors.Join(problems...)}
	s.Findings, s.More = coll.Findings()
	devs.name(s.Findings)
	switch r.Output {
	case JSON:
		err = report.WriteJSON(r.Stdout, s)
	case Human:
		if s.Problem != nil && s.Stats.Packets == 0 {
			return s, s.Problem // there is nothing to tell
		}
		err = report.WriteAccount(r.Stdout, s, r.Lang)
	default:
		err = flush()
	}
	if err != nil {
		return s, fmt.Errorf("write the result: %w", err)
	}
	return s, s.Problem
}

// loadRules compiles the rules, tells how many there are and what is wrong
// with the others, and gives them to the engine.
func (r *Replay) loadRules(cfg *engine.Config) error {
	r.Rules.HomeNet = r.HomeNet
	l, err := r.Rules.Load()
	if err != nil {
		return err
	}
	l.tell(r.Log)
	if s := l.Set.Stats(); len(r.Rules.Files) > 0 {
		r.Log.Info("rules loaded", "loaded", l.Loaded, "failed", l.Failed, "inert", s.Inert, "bytes", s.Memory)
	}
	debug.FreeOSMemory() // the text of the rules is no longer needed
	cfg.Rules, cfg.RulesMidstream = l.Set, r.Rules.Midstream
	cfg.RulesPassMidstream = r.Rules.PassMidstream
	cfg.AlertPayload = r.Rules.Payload && r.Output == EVE
	return nil
}

func (r *Replay) read(ctx context.Context, name string, h capture.Handler) error {
	src, err := pcapfile.Open(name)
	if err != nil {
		return err
	}
	defer src.Close()
	if r.Progress {
		p := r.newProgress(src, name)
		defer p.clear()
		h = p.wrap(h)
	}
	return src.Run(ctx, h)
}

func seed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails (Go 1.24)
	return binary.LittleEndian.Uint64(b[:])
}

// IsTerminal reports whether f is a terminal.
func IsTerminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
