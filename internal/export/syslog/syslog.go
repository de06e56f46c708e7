package syslog

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yamori-net/yamori/internal/event"
)

// Times of the connection.
const (
	dialTimeout  = 5 * time.Second
	writeTimeout = 5 * time.Second
	closeTimeout = 2 * time.Second // for what is queued at the end
	minRetry     = time.Second
	maxRetry     = time.Minute
	idle         = 100 * time.Millisecond // after which a stream is looked at before it is written to
)

// Sender sends messages to one server.
type Sender struct {
	cfg   Config
	tls   *tls.Config
	ch    chan []byte
	types map[event.Type]bool
	wg    sync.WaitGroup
	stop  context.CancelFunc
	end   chan struct{}
	once  sync.Once
	retry time.Duration // first pause; tests shorten it

	sent, dropped, failed atomic.Uint64
	up                    atomic.Bool
	last                  atomic.Pointer[string]
}

// Stats is what became of messages.
type Stats struct {
	Sent    uint64
	Dropped uint64 // the queue was full, or the end came
	Failed  uint64 // connections and writes that failed
	Up      bool   // the latest write succeeded
	Error   string // of the latest failure
}

// New checks the configuration and starts sending. A server that is not there
// yet is no error: it is tried again and again.
func New(cfg Config) (*Sender, error) { return start(cfg, minRetry) }

func start(cfg Config, retry time.Duration) (*Sender, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	t, err := cfg.tlsConfig()
	if err != nil {
		return nil, err
	}
	s := &Sender{cfg: cfg, tls: t, ch: make(chan []byte, cfg.Queue), types: map[event.Type]bool{}, end: make(chan struct{}), retry: retry}
	for _, x := range cfg.Types {
		s.types[event.Type(x)] = true
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.wg.Go(func() { s.run(ctx) })
	return s, nil
}

// Stats returns the counters.
func (s *Sender) Stats() Stats {
	st := Stats{Sent: s.sent.Load(), Dropped: s.dropped.Load(), Failed: s.failed.Load(), Up: s.up.Load()}
	if p := s.last.Load(); p != nil {
		st.Error = *p
	}
	return st
}

// Front is one worker's sink. Not safe for concurrent use.
type Front struct {
	s *Sender
	f format
}

// NewFront returns a sink into s.
func (s *Sender) NewFront() *Front { return &Front{s: s, f: newFormat(&s.cfg)} }

// Event queues a message of ev; it never waits.
func (f *Front) Event(ev *event.Event) {
	if !f.s.types[ev.Type] {
		return
	}
	m := f.f.message(ev)
	select {
	case f.s.ch <- append(make([]byte, 0, len(m)), m...):
	default:
		f.s.dropped.Add(1)
	}
}

// Close sends what is queued, for at most two seconds, and stops. The fronts
// must not be used any more.
func (s *Sender) Close() {
	s.once.Do(func() {
		close(s.end)
		t := time.AfterFunc(closeTimeout, s.stop)
		s.wg.Wait()
		t.Stop()
		s.stop()
		s.dropped.Add(uint64(len(s.ch)))
	})
}

func (s *Sender) run(ctx context.Context) {
	var conn net.Conn
	defer func() {
		if conn != nil {
			_ = conn.Close()
		}
	}()
	pause, wrote := s.retry, time.Time{}
	for {
		var m []byte
		select {
		case m = <-s.ch:
		default:
			select {
			case m = <-s.ch:
			case <-s.end:
				return
			}
		}
		for {
			var err error
			if conn != nil && time.Since(wrote) > idle && dead(conn, s.cfg.Network) {
				_ = conn.Close()
				conn = nil
			}
			if conn == nil {
				conn, err = s.dial(ctx)
			}
			if err == nil {
				if err = s.write(conn, m); err == nil {
					s.sent.Add(1)
					s.up.Store(true)
					pause, wrote = s.retry, time.Now()
					break
				}
				_ = conn.Close()
			}
			conn = nil
			if ctx.Err() == nil { // else the end is the reason
				s.fail(err)
			}
			select {
			case <-ctx.Done():
				s.dropped.Add(1)
				return
			case <-time.After(pause):
			}
			pause = min(2*pause, maxRetry)
		}
	}
}

func (s *Sender) fail(err error) {
	s.failed.Add(1)
	s.up.Store(false)
	text := "syslog: " + err.Error() + "; check that the server listens at " + s.cfg.Address + " over " + s.cfg.Network
	s.last.Store(&text)
}

func (s *Sender) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout}
	switch s.cfg.Network {
	case "tls":
		return (&tls.Dialer{NetDialer: &d, Config: s.tls}).DialContext(ctx, "tcp", s.cfg.Address)
	default:
		return d.DialContext(ctx, s.cfg.Network, s.cfg.Address)
	}
}

// dead finds a stream that the server has closed, into which a first write
// would still seem to succeed. Servers never send anything.
func dead(c net.Conn, network string) bool {
	if network == "udp" {
		return false
	}
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	var b [1]byte
	_, err := c.Read(b[:])
	var ne net.Error
	return err != nil && !(errors.As(err, &ne) && ne.Timeout())
}

func (s *Sender) write(c net.Conn, m []byte) error {
	_ = c.SetWriteDeadline(time.Now().Add(writeTimeout))
	if s.cfg.Network != "udp" {
		b := strconv.AppendInt(make([]byte, 0, len(m)+8), int64(len(m)), 10)
		m = append(append(b, ' '), m...)
	}
	_, err := c.Write(m)
	return err
}
