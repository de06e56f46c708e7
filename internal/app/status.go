package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/yamori-net/yamori/internal/config"
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
	st := w.engine.Stats()
	s := Status{Version: w.Version, Mode: "watch", Interface: w.iface, Up: !w.down.Load(), Since: w.started,
		Workers: len(w.sources), Packets: st.Packets, Bytes: st.Bytes, Flows: st.Live,
		Devices: len(w.engine.Devices()), Findings: st.Findings, Alerts: st.Alerts, Rules: w.rules.Load(), Panics: st.Panics, Evicted: st.Flow.Ended[flow.Evicted]}
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

// serve answers status over the Unix socket; it returns how to stop.
func (w *Watch) serve() (stop func(), err error) {
	path := w.socket()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("status socket: %w; choose another place with --socket", err)
	}
	if err := freeSocket(path); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("status socket: %w; choose another place with --socket", err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("status socket: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(w.Status())
	})
	mux.HandleFunc("POST /v1/rules/reload", w.serveReload)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 8 << 10}
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			w.Log.Error("the status socket stopped", "error", err)
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = srv.Shutdown(ctx)
	}, nil
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

// AskStatus asks the daemon at socket path.
func AskStatus(ctx context.Context, path string) (*Status, error) {
	res, err := ask(ctx, path, http.MethodGet, "/v1/status", 5*time.Second)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var s Status
	if err := json.NewDecoder(res.Body).Decode(&s); err != nil {
		return nil, fmt.Errorf("the answer of yamori at %s: %w", path, err)
	}
	return &s, nil
}

// ask sends a request to the daemon at socket path.
func ask(ctx context.Context, path, method, what string, limit time.Duration) (*http.Response, error) {
	cl := &http.Client{Timeout: limit, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}}}
	req, err := http.NewRequestWithContext(ctx, method, "http://yamori"+what, nil)
	if err != nil {
		return nil, err
	}
	res, err := cl.Do(req)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("yamori is not running (nobody answers at %s); start it with: sudo yamori run", path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("no permission to ask yamori at %s; use sudo, or join the socket's group", path)
	}
	return res, err
}
