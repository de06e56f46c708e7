package dnsmode

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/yamori-net/yamori/internal/dnsmode/cache"
	"github.com/yamori-net/yamori/internal/dnsmode/upstream"
)

const (
	// maxFlights bounds the different questions under way to upstreams.
	maxFlights = 1024
	// patience is how long a client waits for a fresh answer when there is a
	// stale one (RFC 8767 section 5: client response timer).
	patience = 1800 * time.Millisecond
)

var errFull = errors.New("too many questions under way")

// flight is one question to the upstreams, for all who ask the same.
type flight struct {
	done chan struct{}
	msg  *dns.Msg // shared: to be copied
	ede  []*dns.EDNS0_EDE
	err  error
	poor bool // an answer that says nothing about the name
}

type flights struct {
	mu sync.Mutex
	m  map[cache.Key]*flight
}

type zone struct {
	name string
	up   *upstream.Group // nil: denied here
}

// fly joins the flight of a question or starts it.
func (s *Server) fly(k cache.Key, q *query) (*flight, error) {
	s.flights.mu.Lock()
	defer s.flights.mu.Unlock()
	if f := s.flights.m[k]; f != nil {
		s.stats.joined.Add(1)
		return f, nil
	}
	if len(s.flights.m) >= maxFlights {
		return nil, errFull
	}
	f := &flight{done: make(chan struct{})}
	s.flights.m[k] = f
	up := s.up
	if s.clockless() {
		up = s.early
	}
	if z := s.zone(q.bare); z != nil && z.up != nil {
		up = z.up
	}
	m := outward(k, q)
	s.stats.forwarded.Add(1)
	go func() {
		defer func() {
			if recover() != nil {
				s.stumble()
				f.msg, f.err = nil, upstream.ErrMalformed
			}
			s.flights.mu.Lock()
			delete(s.flights.m, k)
			s.flights.mu.Unlock()
			close(f.done)
		}()
		ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Timeout)
		defer cancel()
		f.msg, f.err = up.Exchange(ctx, m)
		s.land(k, f)
	}()
	return f, nil
}

// clockless says that the clock is plainly wrong, and that there is somebody to
// ask without it.
func (s *Server) clockless() bool { return s.early != nil && s.cfg.Now().Before(sane) }

// loops says that an upstream asks for what it is being asked for itself: the
// router, which is the upstream, has this resolver as its own. Left alone, each
// question would go round until its time is over.
func (s *Server) loops(k cache.Key, q *query) bool {
	if !s.asked[q.client] {
		return false
	}
	s.flights.mu.Lock()
	defer s.flights.mu.Unlock()
	for i := range 4 { // it may have changed the bits
		if s.flights.m[cache.Key{Name: k.Name, Type: k.Type, DO: i&1 != 0, CD: i&2 != 0}] != nil {
			return true
		}
	}
	return false
}

// outward makes the question for upstreams: nothing of the client is in it but
// what changes the answer.
func outward(k cache.Key, q *query) *dns.Msg {
	m := new(dns.Msg)
	m.SetQuestion(k.Name, k.Type)
	m.CheckingDisabled = k.CD
	m.AuthenticatedData = true // asks for the AD bit (RFC 6840 section 5.7)
	m.SetEdns0(upstream.UDPSize, k.DO)
	if k.Subnet != "" {
		o := m.IsEdns0()
		o.Option = append(o.Option, q.subnet)
	}
	return m
}

// land keeps what came back.
func (s *Server) land(k cache.Key, f *flight) {
	if f.err != nil {
		s.cache.Fail(k, s.cfg.Now())
		return
	}
	f.poor = !upstream.Useful(f.msg)
	if o := f.msg.IsEdns0(); o != nil {
		for _, e := range o.Option {
			if ede, ok := e.(*dns.EDNS0_EDE); ok && len(f.ede) < maxEDE {
				ede.ExtraText = clip(ede.ExtraText)
				f.ede = append(f.ede, ede)
			}
		}
	}
	f.msg.Extra = withoutOPT(f.msg.Extra)
	if len(f.msg.Question) != 1 {
		f.msg.Question = []dns.Question{{Name: k.Name, Qtype: k.Type, Qclass: dns.ClassINET}}
	}
	// Names are kept in lower case; each client gets its own letters back.
	f.msg.Question[0].Name = k.Name
	if f.msg.Rcode == dns.RcodeSuccess || f.msg.Rcode == dns.RcodeNameError {
		s.cache.Put(k, f.msg, s.cfg.Now())
	} else {
		s.cache.Fail(k, s.cfg.Now())
	}
}

// maxEDE and maxText bound the explanations of upstreams that are passed on.
const maxEDE, maxText = 4, 128

func clip(s string) string {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return s
}

func withoutOPT(rrs []dns.RR) []dns.RR {
	out := rrs[:0]
	for _, rr := range rrs {
		if rr.Header().Rrtype != dns.TypeOPT {
			out = append(out, rr)
		}
	}
	return out
}

// lookup answers from the cache or the upstreams.
func (s *Server) lookup(ctx context.Context, q *query) *dns.Msg {
	k := cache.Key{Name: strings.ToLower(q.name), Type: q.qtype, DO: q.do, CD: q.req.CheckingDisabled}
	if q.subnet != nil {
		k.Subnet = q.subnet.String()
	}
	a, ok := s.cache.Get(k, s.cfg.Now())
	switch {
	case !ok:
	case a.Failed:
		s.stats.cached.Add(1)
		q.ede(dns.ExtendedErrorCodeCachedError, "")
		return failure()
	case !a.Stale:
		s.stats.cached.Add(1)
		return a.Msg
	case a.Wait:
		return s.stale(q, a.Msg)
	}
	if s.loops(k, q) {
		s.stats.looped.Add(1)
		s.stats.loopAt.Store(int64(s.cfg.Now().Sub(s.started)))
		m := new(dns.Msg)
		m.Rcode = dns.RcodeRefused
		return m
	}
	f, err := s.fly(k, q)
	if err != nil {
		if ok {
			return s.stale(q, a.Msg)
		}
		s.drop()
		q.ede(dns.ExtendedErrorCodeNotReady, "")
		return failure()
	}
	var early <-chan time.Time
	if ok {
		t := time.NewTimer(min(patience, s.cfg.Timeout/2))
		defer t.Stop()
		early = t.C
	}
	select {
	case <-f.done:
		if err = f.err; err == nil {
			if ok && f.poor {
				return s.stale(q, a.Msg)
			}
			q.edes = append(q.edes, f.ede...)
			return f.msg.Copy()
		}
		if ok {
			return s.stale(q, a.Msg)
		}
	case <-early:
		return s.stale(q, a.Msg)
	case <-ctx.Done():
	}
	s.stats.failed.Add(1)
	if errors.Is(err, upstream.ErrMalformed) || errors.Is(err, upstream.ErrMismatch) {
		q.ede(dns.ExtendedErrorCodeInvalidData, "")
	} else {
		q.ede(dns.ExtendedErrorCodeNoReachableAuthority, "")
	}
	return failure()
}

func failure() *dns.Msg {
	m := new(dns.Msg)
	m.Rcode = dns.RcodeServerFailure
	return m
}

func (s *Server) stale(q *query, m *dns.Msg) *dns.Msg {
	s.stats.stale.Add(1)
	code := dns.ExtendedErrorCodeStaleAnswer
	if m.Rcode == dns.RcodeNameError {
		code = dns.ExtendedErrorCodeStaleNXDOMAINAnswer
	}
	q.ede(code, "")
	return m
}
