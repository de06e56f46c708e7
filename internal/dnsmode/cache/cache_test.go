package cache

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

var t0 = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func msg(t testing.TB, name string, qtype uint16, rcode int, answer, ns string) *dns.Msg {
	t.Helper()
	m := new(dns.Msg)
	m.SetQuestion(name, qtype)
	m.Response, m.Rcode = true, rcode
	for _, s := range []struct {
		text string
		to   *[]dns.RR
	}{{answer, &m.Answer}, {ns, &m.Ns}} {
		for line := range strings.Lines(s.text) {
			rr, err := dns.NewRR(strings.TrimSpace(line))
			if err != nil {
				t.Fatal(err)
			}
			*s.to = append(*s.to, rr)
		}
	}
	return m
}

const soa = "example. 900 IN SOA ns.example. host.example. 1 2 3 4 300"

func key(name string, qtype uint16) Key { return Key{Name: name, Type: qtype} }

func TestTTL(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		what       string
		cfg        Config
		answer, ns string
		rcode      int
		life       time.Duration // 0: not kept
	}{
		{"the smallest counts", Config{}, "a.example. 300 IN A 192.0.2.1\na.example. 60 IN A 192.0.2.2", "", 0, time.Minute},
		{"bounded above", Config{}, "a.example. 999999 IN A 192.0.2.1", "", 0, day},
		{"bounded below", Config{MinTTL: 2 * time.Minute}, "a.example. 5 IN A 192.0.2.1", "", 0, 2 * time.Minute},
		{"no time to live", Config{}, "a.example. 0 IN A 192.0.2.1", "", 0, 0},
		{"beyond 31 bits", Config{}, "a.example. 2147483648 IN A 192.0.2.1", "", 0, 0},
		{"no such name", Config{}, "", soa, dns.RcodeNameError, 5 * time.Minute},
		{"no data", Config{}, "", soa, 0, 5 * time.Minute},
		{"no data behind an alias", Config{}, "a.example. 60 IN CNAME b.example.", soa, 0, time.Minute},
		{"a long denial", Config{}, "", "example. 90000 IN SOA ns.example. h.example. 1 2 3 4 90000", 0, time.Hour},
		{"a denial without SOA", Config{}, "", "", dns.RcodeNameError, 0},
		{"a failure", Config{}, "", soa, dns.RcodeServerFailure, 0},
	} {
		c.cfg.Stale = -1
		ca := New(c.cfg)
		ok := ca.Put(key("a.example.", dns.TypeA), msg(t, "a.example.", dns.TypeA, c.rcode, c.answer, c.ns), t0)
		if ok != (c.life > 0) {
			t.Errorf("%s: kept %v", c.what, ok)
			continue
		}
		if _, ok := ca.Get(key("a.example.", dns.TypeA), t0.Add(c.life)); ok {
			t.Errorf("%s: there after %v", c.what, c.life)
		}
		if !ok {
			continue
		}
		ca.Put(key("a.example.", dns.TypeA), msg(t, "a.example.", dns.TypeA, c.rcode, c.answer, c.ns), t0)
		a, ok := ca.Get(key("a.example.", dns.TypeA), t0.Add(c.life-time.Second))
		if !ok || a.Stale {
			t.Errorf("%s: gone before %v", c.what, c.life)
			continue
		}
		least := uint32(1 << 31)
		eachTTL(a.Msg, func(ttl uint32) uint32 { least = min(least, ttl); return ttl })
		if least != 1 {
			t.Errorf("%s: a second before the end the TTL is %d", c.what, least)
		}
	}
}

func TestTruncatedIsNotKept(t *testing.T) {
	m := msg(t, "a.example.", dns.TypeA, 0, "a.example. 300 IN A 192.0.2.1", "")
	m.Truncated = true
	if New(Config{}).Put(key("a.example.", dns.TypeA), m, t0) {
		t.Error("kept")
	}
}

func TestStale(t *testing.T) {
	c := New(Config{Stale: time.Hour})
	k := key("a.example.", dns.TypeA)
	c.Put(k, msg(t, "a.example.", dns.TypeA, 0, "a.example. 60 IN A 192.0.2.1", ""), t0)
	a, ok := c.Get(k, t0.Add(2*time.Minute))
	if !ok || !a.Stale || a.Wait || a.Msg.Answer[0].Header().Ttl != 30 {
		t.Fatalf("after its time: %+v %v", a, ok)
	}
	c.Fail(k, t0.Add(2*time.Minute))
	if a, _ = c.Get(k, t0.Add(2*time.Minute+RetryAfter-1)); !a.Wait || a.Failed {
		t.Errorf("after a failure: %+v", a)
	}
	if a, _ = c.Get(k, t0.Add(2*time.Minute+RetryAfter)); a.Wait || !a.Stale {
		t.Errorf("when it is time to ask again: %+v", a)
	}
	if _, ok = c.Get(k, t0.Add(time.Minute+time.Hour+time.Second)); ok {
		t.Error("there after the time for stale answers")
	}
	if s := c.Stats(); s.Entries != 0 || s.Bytes != 0 {
		t.Errorf("what is over is kept: %+v", s)
	}
}

func TestFailure(t *testing.T) {
	c := New(Config{})
	k := key("a.example.", dns.TypeA)
	c.Fail(k, t0)
	if a, ok := c.Get(k, t0.Add(FailureTTL-1)); !ok || !a.Failed {
		t.Errorf("%+v %v", a, ok)
	}
	if _, ok := c.Get(k, t0.Add(FailureTTL)); ok {
		t.Error("a failure is remembered for too long")
	}
}

func TestKeysAreApart(t *testing.T) {
	c := New(Config{})
	k := key("a.example.", dns.TypeA)
	c.Put(k, msg(t, "a.example.", dns.TypeA, 0, "a.example. 60 IN A 192.0.2.1", ""), t0)
	for _, k2 := range []Key{{k.Name, k.Type, true, false, ""}, {k.Name, k.Type, false, true, ""}, {k.Name, k.Type, false, false, "s"}, {k.Name, dns.TypeAAAA, false, false, ""}} {
		if _, ok := c.Get(k2, t0); ok {
			t.Errorf("%+v found", k2)
		}
	}
}

func TestBytes(t *testing.T) {
	c := New(Config{Bytes: 64 << 10})
	put := func(i int) bool {
		n := fmt.Sprintf("n%d.example.", i)
		return c.Put(key(n, dns.TypeA), msg(t, n, dns.TypeA, 0, n+" 300 IN A 192.0.2.1", ""), t0)
	}
	for i := range 1000 {
		put(i)
		c.Get(key("n0.example.", dns.TypeA), t0) // in use: never the oldest
	}
	s := c.Stats()
	if s.Bytes > 64<<10 || s.Evicted == 0 || s.Entries < 100 {
		t.Errorf("%+v", s)
	}
	if _, ok := c.Get(key("n0.example.", dns.TypeA), t0); !ok {
		t.Error("what is in use was displaced")
	}
	big := strings.Repeat("a.example. 300 IN TXT \""+strings.Repeat("x", 250)+"\"\n", 60)
	if c.Put(key("a.example.", dns.TypeTXT), msg(t, "a.example.", dns.TypeTXT, 0, big, ""), t0) {
		t.Error("one answer takes more than its share")
	}
	c.Flush()
	if s := c.Stats(); s.Entries != 0 || s.Bytes != 0 {
		t.Errorf("after a flush: %+v", s)
	}
}

// TestOverhead holds the bytes counted against the heap.
func TestOverhead(t *testing.T) {
	const n = 20_000
	c := New(Config{Bytes: 1 << 30})
	var a, b runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&a)
	for i := range n {
		name := fmt.Sprintf("host%d.example.", i)
		c.Put(key(name, dns.TypeA), msg(t, name, dns.TypeA, 0, name+" 300 IN A 192.0.2.1", ""), t0)
	}
	runtime.GC()
	runtime.ReadMemStats(&b)
	real, counted := float64(b.HeapAlloc-a.HeapAlloc)/n, float64(c.Stats().Bytes)/n
	t.Logf("%.0f bytes an entry on the heap, %.0f counted", real, counted)
	if real > 1.25*counted {
		t.Errorf("an entry takes %.0f bytes and counts as %.0f", real, counted)
	}
	runtime.KeepAlive(c)
}

func TestConcurrent(t *testing.T) {
	c := New(Config{Bytes: 16 << 10})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 500 {
				n := fmt.Sprintf("n%d.example.", (i*7+g)%60)
				c.Put(key(n, dns.TypeA), msg(t, n, dns.TypeA, 0, n+" 300 IN A 192.0.2.1", ""), t0)
				if a, ok := c.Get(key(n, dns.TypeA), t0); ok && a.Msg != nil {
					a.Msg.Answer[0].Header().Ttl = 1 // the caller's own
				}
				c.Fail(key(n, dns.TypeA), t0)
			}
		})
	}
	wg.Wait()
}

func BenchmarkGet(b *testing.B) {
	c := New(Config{})
	k := key("a.example.", dns.TypeA)
	c.Put(k, msg(b, "a.example.", dns.TypeA, 0, "a.example. 300 IN A 192.0.2.1\na.example. 300 IN A 192.0.2.2", ""), t0)
	b.ReportAllocs()
	for b.Loop() {
		c.Get(k, t0)
	}
}
