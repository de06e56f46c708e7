package auth

import (
	"net/netip"
	"sync"
	"time"
)

// Limits of attempts to log in.
const (
	addrBurst  = 8                // attempts of one address at once
	addrRefill = 20 * time.Second // one more each

	accountBurst  = 30              // failures of one account, over all addresses
	accountRefill = 2 * time.Minute // one more each

	maxBuckets = 4096 // of each kind; beyond it the fullest are forgotten
)

// limiter counts attempts by address (an IPv6 client by its /64) and by
// account. A guesser with many addresses uses up the account's allowance; but
// addresses that logged in to the account before are not held to it, and the
// Unix socket never comes here: an owner at home is not locked out.
type limiter struct {
	mu       sync.Mutex
	addrs    map[string]*bucket
	accounts map[string]*bucket
}

// bucket is a token bucket: level tokens at time at.
type bucket struct {
	level float64
	at    time.Time
}

func newLimiter() *limiter {
	return &limiter{addrs: map[string]*bucket{}, accounts: map[string]*bucket{}}
}

// take charges one attempt before the password is looked at, so that parallel
// ones count too. known: the address logged in to this account before.
func (l *limiter) take(addr, account string, known bool, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := get(l.addrs, addrKey(addr), addrBurst, addrRefill, now)
	if a.level < 1 {
		return until(a, addrRefill)
	}
	if !known {
		c := get(l.accounts, account, accountBurst, accountRefill, now)
		if c.level < 1 {
			return until(c, accountRefill)
		}
		c.level--
	}
	a.level--
	return 0
}

// good gives back what a successful attempt was charged.
func (l *limiter) good(addr, account string, known bool, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	get(l.addrs, addrKey(addr), addrBurst, addrRefill, now).level++
	if !known {
		get(l.accounts, account, accountBurst, accountRefill, now).level++
	}
}

func until(b *bucket, refill time.Duration) time.Duration {
	return max(time.Second, time.Duration((1-b.level)*float64(refill)).Round(time.Second))
}

func get(m map[string]*bucket, key string, burst float64, refill time.Duration, now time.Time) *bucket {
	b := m[key]
	if b == nil {
		if len(m) >= maxBuckets {
			shrink(m, burst, refill, now)
		}
		b = &bucket{level: burst, at: now}
		m[key] = b
	}
	b.fill(burst, refill, now)
	return b
}

// fill adds what has come since. A clock set back gives nothing; a clock set
// forward gives a full bucket once.
func (b *bucket) fill(burst float64, refill time.Duration, now time.Time) {
	if d := now.Sub(b.at); d > 0 {
		b.level = min(burst, b.level+float64(d)/float64(refill))
	}
	b.at = now
}

// shrink forgets the buckets that hold the least against their owner until
// an eighth of the room is free.
func shrink(m map[string]*bucket, burst float64, refill time.Duration, now time.Time) {
	for floor := burst; ; floor-- {
		for k, b := range m {
			level := b.level
			if d := now.Sub(b.at); d > 0 {
				level += float64(d) / float64(refill)
			}
			if level >= floor || floor < 0 {
				delete(m, k)
			}
			if len(m) <= maxBuckets*7/8 {
				return
			}
		}
	}
}

// addrKey is the address, for IPv6 its /64: one client has a whole one.
func addrKey(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return addr
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}
