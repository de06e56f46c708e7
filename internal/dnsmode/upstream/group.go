package upstream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// GroupConfig says which upstreams stand for one another.
type GroupConfig struct {
	Upstreams []Config
	// Fastest prefers whoever answered fastest lately; else the order counts.
	Fastest bool
	// Timeout bounds one attempt; 2 s.
	Timeout time.Duration
	// Stagger is how long the next is not asked while one is thinking; 600 ms.
	Stagger time.Duration
}

const (
	// MaxUpstreams bounds a group.
	MaxUpstreams = 16
	// downAfter failures in a row, an upstream is asked only in the background.
	downAfter = 3
	// Between two such questions, doubled each time.
	firstBackoff, lastBackoff = 2 * time.Second, time.Minute
	// slowFor is how long one that had to be overtaken comes after the others.
	slowFor = 10 * time.Second
	// maxAsking bounds the questions under way to one upstream.
	maxAsking = 512
	// exploreEvery is how often Fastest asks another one first.
	exploreEvery = 32
)

// Errors of a group.
var (
	ErrNone = errors.New("no upstream")
	ErrBusy = fmt.Errorf("%d questions to an upstream are under way", maxAsking)
)

// Group asks several upstreams: one at a time, the next as soon as one fails
// or thinks for too long.
type Group struct {
	cfg     GroupConfig
	members []*member
}

type member struct {
	name string
	up   Upstream

	mu       sync.Mutex
	asking   int
	queries  uint64
	failures uint64
	row      int // failures in a row
	down     bool
	backoff  time.Duration
	retry    time.Time
	slow     time.Time // until when it comes last
	rtt      time.Duration
	err      string
}

// Member tells about one upstream.
type Member struct {
	Name     string
	Down     bool
	Queries  uint64
	Failures uint64
	RTT      time.Duration // smoothed; 0: never answered
	Err      string        // the latest failure, for logs
}

// NewGroup makes a group; it asks nothing yet.
func NewGroup(c GroupConfig) (*Group, error) {
	if len(c.Upstreams) == 0 {
		return nil, ErrNone
	}
	if len(c.Upstreams) > MaxUpstreams {
		return nil, fmt.Errorf("more than %d upstreams", MaxUpstreams)
	}
	if c.Timeout <= 0 {
		c.Timeout = 2 * time.Second
	}
	if c.Stagger <= 0 {
		c.Stagger = 600 * time.Millisecond
	}
	g := &Group{cfg: c}
	for _, u := range c.Upstreams {
		up, err := New(u)
		if err != nil {
			return nil, err
		}
		g.members = append(g.members, &member{name: u.URL, up: up})
	}
	return g, nil
}

// Close ends idle connections.
func (g *Group) Close() {
	for _, m := range g.members {
		m.up.Close()
	}
}

// Members tells about all upstreams, in order.
func (g *Group) Members() []Member {
	var out []Member
	for _, m := range g.members {
		m.mu.Lock()
		out = append(out, Member{m.name, m.down, m.queries, m.failures, m.rtt, m.err})
		m.mu.Unlock()
	}
	return out
}

// Down reports whether no upstream is known to work.
func (g *Group) Down() bool {
	for _, m := range g.members {
		m.mu.Lock()
		down := m.down
		m.mu.Unlock()
		if !down {
			return false
		}
	}
	return true
}

// order says whom to ask in which order, and who is to be tried in the
// background.
func (g *Group) order(now time.Time) (ask, try []*member) {
	type ranked struct {
		*member
		rank int
		rtt  time.Duration
	}
	var all []ranked
	for _, m := range g.members {
		m.mu.Lock()
		r := ranked{member: m}
		switch {
		case m.down:
			r.rank = 2
			if !now.Before(m.retry) {
				try = append(try, m)
				m.retry = now.Add(m.backoff)
			}
		case now.Before(m.slow):
			r.rank = 1
		}
		if g.cfg.Fastest {
			r.rtt = m.rtt
		}
		m.mu.Unlock()
		all = append(all, r)
	}
	slices.SortStableFunc(all, func(a, b ranked) int {
		if a.rank != b.rank {
			return a.rank - b.rank
		}
		return int(min(max(a.rtt-b.rtt, -1), 1))
	})
	for _, r := range all {
		ask = append(ask, r.member)
	}
	if g.cfg.Fastest && len(ask) > 1 && rand.IntN(exploreEvery) == 0 {
		if i := 1 + rand.IntN(len(ask)-1); all[i].rank == 0 {
			ask[0], ask[i] = ask[i], ask[0]
		}
	}
	// When all are down the first attempts serve as trials.
	if len(all) > 0 && all[0].rank == 2 {
		try = nil
	}
	return ask, try
}

type result struct {
	from *member
	m    *dns.Msg
	err  error
}

// Exchange asks until one gives a useful answer. Answers that only say that a
// server could not or would not are passed on when there is no better one.
func (g *Group) Exchange(ctx context.Context, q *dns.Msg) (*dns.Msg, error) {
	ask, try := g.order(time.Now())
	for _, m := range try {
		go func() { _, _ = m.attempt(ctx, q, g.cfg.Timeout) }()
	}
	results := make(chan result, len(ask))
	next, waiting := 0, 0
	start := func() {
		m := ask[next]
		next++
		waiting++
		go func() {
			a, err := m.attempt(ctx, q, g.cfg.Timeout)
			results <- result{m, a, err}
		}()
	}
	start()
	timer := time.NewTimer(g.cfg.Stagger)
	defer timer.Stop()
	var poor *dns.Msg
	var errs []error
	for waiting > 0 {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timer.C:
			if next < len(ask) {
				ask[next-1].overtaken(time.Now())
				start()
				timer.Reset(g.cfg.Stagger)
			}
		case r := <-results:
			waiting--
			if r.err == nil && Useful(r.m) {
				return r.m, nil
			}
			if r.err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", r.from.name, r.err))
			} else if poor == nil {
				poor = r.m
			}
			if next < len(ask) {
				start()
				timer.Reset(g.cfg.Stagger)
			}
		}
	}
	if poor != nil {
		return poor, nil
	}
	return nil, errors.Join(errs...)
}

// Useful says that nobody else needs to be asked. A failure that the server
// explains by DNSSEC, or by its own filter, is such an answer: another server
// that does not check must not undo it.
func Useful(m *dns.Msg) bool {
	if m.Rcode == dns.RcodeSuccess || m.Rcode == dns.RcodeNameError {
		return true
	}
	o := m.IsEdns0()
	if o == nil {
		return false
	}
	for _, e := range o.Option {
		if ede, ok := e.(*dns.EDNS0_EDE); ok {
			switch c := ede.InfoCode; {
			case c >= dns.ExtendedErrorCodeDNSSECIndeterminate && c <= dns.ExtendedErrorCodeNSECMissing,
				c == dns.ExtendedErrorCodeUnsupportedDNSKEYAlgorithm, c == dns.ExtendedErrorCodeUnsupportedDSDigestType,
				c == dns.ExtendedErrorCodeSignatureExpiredBeforeValid, c == dns.ExtendedErrorCodeUnsupportedNSEC3IterValue,
				c >= dns.ExtendedErrorCodeBlocked && c <= dns.ExtendedErrorCodeProhibited:
				return true
			}
		}
	}
	return false
}

// attempt asks one upstream and remembers how it went. It goes on to its own
// end when the caller leaves: only so it becomes known that a server is dead.
func (m *member) attempt(ctx context.Context, q *dns.Msg, timeout time.Duration) (*dns.Msg, error) {
	m.mu.Lock()
	if m.asking >= maxAsking {
		m.mu.Unlock()
		return nil, ErrBusy
	}
	m.asking++
	m.queries++
	m.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	start := time.Now()
	a, err := m.up.Exchange(ctx, q)
	if err == nil && a.Rcode == dns.RcodeFormatError && q.IsEdns0() != nil {
		// A server that knows no EDNS (RFC 6891 section 7).
		bare := *q
		bare.Extra = nil
		a, err = m.up.Exchange(ctx, &bare)
	}
	now := time.Now()

	m.mu.Lock()
	defer m.mu.Unlock()
	m.asking--
	failed := err
	if err == nil && (a.Rcode == dns.RcodeRefused || a.Rcode == dns.RcodeNotImplemented || a.Rcode == dns.RcodeFormatError) && !Useful(a) {
		failed = fmt.Errorf("it answers %s", dns.RcodeToString[a.Rcode])
	}
	if failed != nil {
		m.failures++
		m.row++
		m.err = failed.Error()
		if m.row >= downAfter {
			m.down = true
			m.backoff = min(max(2*m.backoff, firstBackoff), lastBackoff)
			m.retry = now.Add(m.backoff)
		}
		return a, err
	}
	m.row, m.down, m.backoff = 0, false, 0
	if took := max(now.Sub(start), 1); m.rtt == 0 {
		m.rtt = took
	} else {
		m.rtt += (took - m.rtt) / 8 // as TCP smooths it (RFC 6298 section 2)
	}
	return a, nil
}

// overtaken notes that another had to be asked while this one was thinking.
func (m *member) overtaken(now time.Time) {
	m.mu.Lock()
	m.slow = now.Add(slowFor)
	m.mu.Unlock()
}
