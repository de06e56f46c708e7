package dnsmode

import (
	"net/netip"
	"sync"
	"time"
)

// Limits of clients.
const (
	// maxClients bounds how many clients are counted one by one; whoever comes
	// beyond shares one count.
	maxClients = 4096
	// maxPending bounds the questions of one client that are under way, so
	// that one that asks for what nobody answers leaves room for the others.
	maxPending = 256
	// fairPending is that bound once half of all room is taken.
	fairPending = 32
	// forgetAfter is how long a client that asks nothing is remembered.
	forgetAfter = time.Minute
)

type client struct {
	tokens  float64
	at      time.Time
	pending int
}

// limiter is a token bucket for each client.
type limiter struct {
	rate, burst float64
	mu          sync.Mutex
	m           map[netip.Addr]*client
	others      client
	total       int // questions under way
	swept       time.Time
}

func newLimiter(rate, burst int) *limiter {
	return &limiter{rate: float64(rate), burst: float64(burst), m: map[netip.Addr]*client{}}
}

// enter says whether a client may ask now; if so, leave must be called when
// the question is answered.
func (l *limiter) enter(a netip.Addr, now time.Time) (*client, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.m[a]
	if c == nil {
		if len(l.m) >= maxClients && now.Sub(l.swept) >= time.Second {
			l.swept = now
			for k, o := range l.m {
				if o.pending == 0 && now.Sub(o.at) > forgetAfter {
					delete(l.m, k)
				}
			}
		}
		if len(l.m) >= maxClients {
			c = &l.others
		} else {
			c = new(client)
			l.m[a] = c
		}
	}
	if c.at.IsZero() {
		c.tokens = l.burst
	} else if d := now.Sub(c.at); d > 0 {
		c.tokens = min(l.burst, c.tokens+l.rate*d.Seconds())
	}
	c.at = now
	if l.rate > 0 && c.tokens < 1 || c.pending >= maxPending || l.total >= maxUDP/2 && c.pending >= fairPending {
		return nil, false
	}
	c.tokens--
	c.pending++
	l.total++
	return c, true
}

func (l *limiter) leave(c *client) {
	l.mu.Lock()
	c.pending--
	l.total--
	l.mu.Unlock()
}
