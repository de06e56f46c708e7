package app

import (
	"context"
	"errors"
	"fmt"
	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/api/client"
	"io/fs"
	"net"
	"os"
	"time"

	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/flow"
)

// Status is what the daemon says of itself.
type Status struct {
	Version       string      `json:"version"`
	Mode          string      `json:"mode"` // "watch"
	Interface     string      `json:"interface"`
	Up            bool        `json:"up"` // the interface is there
	Since         time.Time   `json:"since"`
	Workers       int         `json:"workers"`
	Packets       uint64      `json:"packets"`
	Bytes         uint64      `json:"bytes"`
	Dropped       uint64      `json:"dropped"` // frames the kernel could not keep for us
	Lost          uint64      `json:"lost"`    // times the interface went away
	Flows         int         `json:"flows"`   // open now
	Devices       int         `json:"devices"`
	Findings      uint64      `json:"findings"`
	Alerts        uint64      `json:"alerts"` // of rules
	EventsDropped uint64      `json:"events_dropped"`
	EventErrors   uint64      `json:"event_errors"` // writes to the event file that failed
	Panics        uint64      `json:"panics"`
	Evicted       uint64      `json:"evicted"` // flows pushed out because the table was full
	Rules         *RuleStatus `json:"rules,omitempty"`
}

// Status takes a snapshot, at most a second old. Safe from any goroutine.
func (w *Watch) Status() Status {
	st := w.allStats()
	mode := w.house.Policy.Mode().String()
	s := Status{Version: w.Version, Mode: mode, Interface: w.iface, Up: !w.down.Load(), Since: w.started,
		Workers: len(w.sources), Packets: st.Packets, Bytes: st.Bytes, Flows: st.Live,
		Devices: len(w.house.Devices.Devices()), Findings: st.Findings, Alerts: st.Alerts, Rules: w.rules.Load(), Panics: st.Panics, Evicted: st.Flow.Ended[flow.Evicted]}
	for _, src := range w.sources {
		cs := src.Stats()
		s.Dropped += cs.Dropped
		s.Lost += cs.Lost
	}
	if w.queue != nil {
		s.EventsDropped, s.EventErrors = w.queue.Dropped(), w.queue.Errors()
	}
	return s
}

func (w *Watch) socket() string {
	if w.Config.Socket != "" {
		return w.Config.Socket
	}
	return config.DefaultSocket
}

// freeSocket removes a socket that a killed daemon left; one that answers is
// another daemon's.
func freeSocket(path string) error {
	st, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("status socket: %w", err)
	}
	if st.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("status socket: %s is not a socket; choose another place with --socket", path)
	}
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		_ = c.Close()
		return fmt.Errorf("yamori is already running (%s answers); stop it first, or choose another socket with --socket", path)
	}
	return os.Remove(path)
}

// allStats adds up what all engines of this run have counted: the passive one,
// the one in line, and those that were in line before.
func (w *Watch) allStats() engine.Stats {
	st := w.engine.Stats()
	live := st.Live
	w.pastMu.Lock()
	st.Add(w.past)
	w.pastMu.Unlock()
	st.Live = live
	if e := w.inlineEngine.Load(); e != nil {
		st.Add(e.Stats())
	}
	return st
}

// noteStats keeps what an engine that has ended has counted.
func (w *Watch) noteStats(s engine.Stats) {
	w.pastMu.Lock()
	w.past.Add(s)
	w.pastMu.Unlock()
}

// AskStatus asks the daemon at socket path.
func AskStatus(ctx context.Context, path string) (api.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return client.Unix(path).Status(ctx)
}
