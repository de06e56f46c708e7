package dnsmode

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/yamori-net/yamori/internal/dnsmode/cache"
	"github.com/yamori-net/yamori/internal/dnsmode/lists"
	"github.com/yamori-net/yamori/internal/dnsmode/upstream"
)

// Server is the home's resolver.
type Server struct {
	cfg     Config
	up      *upstream.Group
	early   *upstream.Group     // while the clock is wrong; nil: none
	asked   map[netip.Addr]bool // addresses of upstreams
	zones   []zone
	cache   *cache.Cache
	lists   *lists.Store
	blocks  blocks
	limit   *limiter
	flights flights
	slots   chan struct{} // questions under way over UDP
	stats   counters
	started time.Time
	times   times

	mu    sync.Mutex
	ports []*port
	conns map[netip.Addr]int // open TCP connections by client
	total int
}

// New checks a configuration. It opens nothing yet.
func New(cfg Config) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, cache: cache.New(cfg.Cache), lists: lists.New(cfg.Lists), blocks: blocks{m: map[string]BlockedName{}},
		limit: newLimiter(cfg.Rate, cfg.Burst), flights: flights{m: map[cache.Key]*flight{}}, slots: make(chan struct{}, maxUDP),
		conns: map[netip.Addr]int{}, started: cfg.Now(), times: times{idleTime, readTime, writeTime}}
	var err error
	if s.up, err = upstream.NewGroup(cfg.Upstreams); err != nil {
		return nil, err
	}
	if len(cfg.WithoutClock.Upstreams) > 0 {
		if s.early, err = upstream.NewGroup(cfg.WithoutClock); err != nil {
			return nil, err
		}
	}
	s.asked = map[netip.Addr]bool{}
	for _, u := range cfg.endpoints() {
		s.asked[u.Addr().Unmap().WithZone("")] = true
	}
	for _, z := range cfg.Zones {
		zn := zone{name: z.Name}
		if len(z.Upstreams.Upstreams) > 0 {
			if zn.up, err = upstream.NewGroup(z.Upstreams); err != nil {
				return nil, fmt.Errorf("zone %s: %w", z.Name, err)
			}
		}
		s.zones = append(s.zones, zn)
	}
	for _, a := range cfg.Listen {
		s.ports = append(s.ports, &port{at: a})
	}
	return s, nil
}

// LoadLists reads the lists and puts them in force, off the questions' way. A
// list that cannot be had stays as it was.
func (s *Server) LoadLists(ctx context.Context, sources []lists.Source) ([]lists.Status, error) {
	return s.lists.Load(ctx, sources)
}

// Flush forgets all answers.
func (s *Server) Flush() { s.cache.Flush() }

// Open opens the addresses, so that rights needed for ports below 1024 can be
// given up before Run. Addresses that are not there yet are tried again by
// Run; the error is that of all when none could be opened.
func (s *Server) Open() error {
	var errs []error
	n := 0
	for _, p := range s.ports {
		if err := s.open(p); err != nil {
			errs = append(errs, err)
		} else {
			n++
		}
	}
	if n > 0 {
		return nil
	}
	return errors.Join(errs...)
}

// Addresses are those the server listens on, with the ports it was given.
func (s *Server) Addresses() []netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []netip.AddrPort
	for _, p := range s.ports {
		if p.pc != nil {
			out = append(out, p.at)
		}
	}
	return out
}

// retryOpen is how often addresses that could not be opened are tried again.
const retryOpen = 5 * time.Second

// Run answers until ctx ends; it opens the addresses if Open did not. It ends
// with an error only when there was never an address to answer on.
func (s *Server) Run(ctx context.Context) error {
	if len(s.Addresses()) == 0 {
		if err := s.Open(); err != nil {
			return err
		}
	}
	var wg sync.WaitGroup
	started := map[*port]bool{}
	tick := time.NewTicker(retryOpen)
	defer tick.Stop()
	for {
		for _, p := range s.ports {
			if !started[p] && (s.isOpen(p) || s.open(p) == nil) {
				started[p] = true
				wg.Go(func() { s.serveUDP(ctx, p) })
				wg.Go(func() { s.serveTCP(ctx, p) })
			}
		}
		select {
		case <-ctx.Done():
			s.close()
			wg.Wait()
			return nil
		case <-tick.C:
		}
	}
}

func (s *Server) close() {
	s.mu.Lock()
	for _, p := range s.ports {
		if p.pc != nil {
			_ = p.pc.Close()
			_ = p.ln.Close()
		}
	}
	s.mu.Unlock()
	s.up.Close()
	if s.early != nil {
		s.early.Close()
	}
	for _, z := range s.zones {
		if z.up != nil {
			z.up.Close()
		}
	}
}
