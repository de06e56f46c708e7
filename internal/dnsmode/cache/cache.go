// Package cache keeps answers of the home's resolver for as long as they hold,
// within a fixed number of bytes. It has no clock of its own.
package cache

import (
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Key says which question an answer is to. Answers with and without DNSSEC
// records, and checked and unchecked ones, are kept apart.
type Key struct {
	Name   string // in lower case
	Type   uint16
	DO, CD bool
	Subnet string // the client subnet that was asked for; empty: none
}

// Config bounds the cache. Zero values: the defaults named at each.
type Config struct {
	Bytes  int64         // memory; 8 MiB
	MinTTL time.Duration // answers are kept at least so long; 0
	MaxTTL time.Duration // and at most so long; one day
	// MaxNegative bounds answers that something does not exist (RFC 2308
	// section 5 suggests one to three hours); one hour.
	MaxNegative time.Duration
	// Stale is how long an answer may be used beyond its time when nobody can
	// be asked (RFC 8767 section 5 suggests one to three days); negative:
	// never; zero: one day.
	Stale time.Duration
}

// Times of RFC 8767 section 5 and RFC 9520 section 3.2.
const (
	// StaleTTL is what a stale answer says it lives.
	StaleTTL = 30 * time.Second
	// RetryAfter is how long no upstream is asked after a failure when there is
	// a stale answer.
	RetryAfter = 30 * time.Second
	// FailureTTL is how long a failure is remembered when there is none.
	FailureTTL = 5 * time.Second
)

const (
	// overhead is what an entry costs beside its bytes (a test measures it).
	overhead = 256
	// share bounds one answer to a part of the cache, so that it does not
	// displace all others.
	share = 8
)

type entry struct {
	key        Key
	wire       []byte // never changed; nil: a failure
	stored     time.Time
	expires    time.Time
	retry      time.Time // of a stale answer: ask again from here on
	prev, next *entry
}

func (e *entry) cost() int64 {
	return int64(len(e.wire) + len(e.key.Name) + len(e.key.Subnet) + overhead)
}

// Cache is safe for use by several goroutines.
type Cache struct {
	cfg   Config
	mu    sync.Mutex
	m     map[Key]*entry
	root  entry // ring: root.next is the most recently used
	bytes int64
	evict uint64
}

// New makes an empty cache.
func New(cfg Config) *Cache {
	set := func(d *time.Duration, def time.Duration) {
		if *d == 0 {
			*d = def
		}
	}
	if cfg.Bytes <= 0 {
		cfg.Bytes = 8 << 20
	}
	set(&cfg.MaxTTL, 24*time.Hour)
	set(&cfg.MaxNegative, time.Hour)
	set(&cfg.Stale, 24*time.Hour)
	cfg.MinTTL = min(cfg.MinTTL, cfg.MaxTTL)
	c := &Cache{cfg: cfg}
	c.clear()
	return c
}

func (c *Cache) clear() {
	c.m, c.bytes = map[Key]*entry{}, 0
	c.root.prev, c.root.next = &c.root, &c.root
}

// Flush forgets everything.
func (c *Cache) Flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clear()
}

// Stats are sizes and counts.
type Stats struct {
	Entries int
	Bytes   int64
	Evicted uint64
}

// Stats tells how full the cache is.
func (c *Cache) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{len(c.m), c.bytes, c.evict}
}

// Put keeps an answer, if it may be kept, and sets the TTLs of m to what they
// count from now on. m has no OPT record.
func (c *Cache) Put(key Key, m *dns.Msg, now time.Time) bool {
	life, ok := c.lifetime(m)
	if !ok {
		return false
	}
	m.Compress = true
	wire, err := m.Pack()
	if err != nil {
		return false
	}
	return c.put(&entry{key: key, wire: wire, stored: now, expires: now.Add(life)})
}

// Fail remembers that nobody could answer. An answer that is there, if only a
// stale one, stays, and is used without asking for a while.
func (c *Cache) Fail(key Key, now time.Time) {
	c.mu.Lock()
	e := c.m[key]
	if e != nil && e.wire != nil {
		e.retry = now.Add(RetryAfter)
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	c.put(&entry{key: key, stored: now, expires: now.Add(FailureTTL)})
}

func (c *Cache) put(e *entry) bool {
	cost := e.cost()
	if cost > c.cfg.Bytes/share {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.m[e.key]; old != nil {
		c.remove(old)
	}
	for c.bytes+cost > c.cfg.Bytes {
		c.remove(c.root.prev)
		c.evict++
	}
	c.m[e.key] = e
	c.bytes += cost
	c.front(e)
	return true
}

func (c *Cache) front(e *entry) {
	e.prev, e.next = &c.root, c.root.next
	e.prev.next, e.next.prev = e, e
}

func (c *Cache) remove(e *entry) {
	e.prev.next, e.next.prev = e.next, e.prev
	delete(c.m, e.key)
	c.bytes -= e.cost()
}

// Answer is what the cache knows.
type Answer struct {
	Msg    *dns.Msg // the caller's own; nil when Failed
	Failed bool     // nobody could answer a moment ago
	Stale  bool     // its time is over; use it when nobody can be asked
	Wait   bool     // of a stale answer: nobody could be asked a moment ago
}

// Get looks an answer up; its TTLs are what is left of them.
func (c *Cache) Get(key Key, now time.Time) (Answer, bool) {
	c.mu.Lock()
	e := c.m[key]
	if e == nil {
		c.mu.Unlock()
		return Answer{}, false
	}
	stale := !now.Before(e.expires)
	if stale && (e.wire == nil || c.cfg.Stale < 0 || now.Sub(e.expires) > c.cfg.Stale) {
		c.remove(e)
		c.mu.Unlock()
		return Answer{}, false
	}
	e.prev.next, e.next.prev = e.next, e.prev
	c.front(e)
	retry := e.retry
	c.mu.Unlock()
	if e.wire == nil {
		return Answer{Failed: true}, true
	}
	m := new(dns.Msg)
	if m.Unpack(e.wire) != nil { // it was packed here
		return Answer{}, false
	}
	age := uint32(max(0, now.Sub(e.stored)) / time.Second)
	eachTTL(m, func(ttl uint32) uint32 {
		if stale {
			return uint32(StaleTTL / time.Second)
		}
		return ttl - min(age, ttl)
	})
	return Answer{Msg: m, Stale: stale, Wait: stale && now.Before(retry)}, true
}
