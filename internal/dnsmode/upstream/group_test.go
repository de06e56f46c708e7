package upstream

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func group(t testing.TB, c GroupConfig, servers ...*fake) *Group {
	t.Helper()
	for _, s := range servers {
		c.Upstreams = append(c.Upstreams, Config{URL: s.at.String()})
	}
	g, err := NewGroup(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

func TestGroupBounds(t *testing.T) {
	if _, err := NewGroup(GroupConfig{}); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
	if _, err := NewGroup(GroupConfig{Upstreams: make([]Config, MaxUpstreams+1)}); err == nil {
		t.Error("no bound")
	}
	m := &member{asking: maxAsking}
	if _, err := m.attempt(soon(t, time.Second), question(), time.Second); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
}

func TestFailover(t *testing.T) {
	var dead atomic.Bool
	first := serve(t, nil, func(n string, q *dns.Msg) [][]byte {
		if dead.Load() {
			return nil
		}
		return good(n, q)
	})
	second := serve(t, nil, good)
	g := group(t, GroupConfig{Timeout: 300 * time.Millisecond, Stagger: 150 * time.Millisecond}, first, second)
	ask := func() time.Duration {
		t.Helper()
		start := time.Now()
		if _, err := g.Exchange(soon(t, 2*time.Second), question()); err != nil {
			t.Fatal(err)
		}
		return time.Since(start)
	}
	ask()
	if first.udp.Load() != 1 || second.udp.Load() != 0 {
		t.Errorf("asked %d and %d", first.udp.Load(), second.udp.Load())
	}
	dead.Store(true)
	for range downAfter {
		g.members[0].mu.Lock()
		g.members[0].slow = time.Time{}
		g.members[0].mu.Unlock()
		ask()
	}
	wait(t, func() bool { return g.Members()[0].Down })
	if g.Down() {
		t.Error("the group counts as down")
	}
	n := first.udp.Load()
	for range 10 {
		if d := ask(); d > 120*time.Millisecond {
			t.Errorf("a dead upstream costs %v", d)
		}
	}
	if first.udp.Load() != n {
		t.Error("a dead upstream is asked")
	}
	// When its time comes it is tried in the background, and is first again.
	dead.Store(false)
	g.members[0].mu.Lock()
	g.members[0].retry = time.Now()
	g.members[0].slow = time.Time{}
	g.members[0].mu.Unlock()
	ask()
	wait(t, func() bool { return !g.Members()[0].Down })
	n = second.udp.Load()
	ask()
	if second.udp.Load() != n {
		t.Error("the first is not first again")
	}
}

func wait(t testing.TB, f func() bool) {
	t.Helper()
	// The limit is far beyond what it takes: a machine that is busy does not reach it.
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatal("it does not come")
}

// One that thinks for long is overtaken, and then comes last for a while.
func TestSlow(t *testing.T) {
	first, second := serve(t, nil, slow(900*time.Millisecond, good)), serve(t, nil, good)
	g := group(t, GroupConfig{Timeout: 2 * time.Second, Stagger: 150 * time.Millisecond}, first, second)
	for i := range 3 {
		start := time.Now()
		if _, err := g.Exchange(soon(t, 2*time.Second), question()); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); i > 0 && d > 120*time.Millisecond || d > 800*time.Millisecond {
			t.Errorf("question %d took %v", i, d)
		}
	}
	if first.udp.Load() != 1 {
		t.Errorf("the slow one was asked %d times", first.udp.Load())
	}
}

func TestFastest(t *testing.T) {
	first, second := serve(t, nil, slow(50*time.Millisecond, good)), serve(t, nil, good)
	g := group(t, GroupConfig{Fastest: true}, first, second)
	for range 60 {
		if _, err := g.Exchange(soon(t, 2*time.Second), question()); err != nil {
			t.Fatal(err)
		}
	}
	if first.udp.Load() > 20 || second.udp.Load() < 40 {
		t.Errorf("the slow one was asked %d times, the fast one %d times", first.udp.Load(), second.udp.Load())
	}
}

func TestPoorAnswers(t *testing.T) {
	bogus := func(_ string, q *dns.Msg) [][]byte {
		m := new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
		m.SetEdns0(UDPSize, false)
		m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeDNSBogus})
		return [][]byte{pack(m)}
	}
	noEDNS := func(n string, q *dns.Msg) [][]byte {
		if q.IsEdns0() != nil {
			m := new(dns.Msg).SetRcodeFormatError(q)
			m.Question = nil // so old that it does not even copy the question
			return [][]byte{pack(m)}
		}
		return good(n, q)
	}
	for _, c := range []struct {
		what   string
		first  reply
		rcode  int
		second int64 // how often it is asked
	}{
		{"a failure", rcode(dns.RcodeServerFailure), dns.RcodeSuccess, 1},
		{"a refusal", rcode(dns.RcodeRefused), dns.RcodeSuccess, 1},
		{"no such name", rcode(dns.RcodeNameError), dns.RcodeNameError, 0},
		{"bogus", bogus, dns.RcodeServerFailure, 0},
		{"no EDNS", noEDNS, dns.RcodeSuccess, 0},
	} {
		second := serve(t, nil, good)
		m, err := group(t, GroupConfig{}, serve(t, nil, c.first), second).Exchange(soon(t, 2*time.Second), question())
		if err != nil || m.Rcode != c.rcode || second.udp.Load() != c.second {
			t.Errorf("%s: %v %v, the second asked %d times", c.what, m, err, second.udp.Load())
		}
	}
	// All alike: what the first said is passed on.
	m, err := group(t, GroupConfig{}, serve(t, nil, rcode(dns.RcodeServerFailure)), serve(t, nil, rcode(dns.RcodeServerFailure))).Exchange(soon(t, 2*time.Second), question())
	if err != nil || m.Rcode != dns.RcodeServerFailure {
		t.Errorf("%v %v", m, err)
	}
}

func TestAllDown(t *testing.T) {
	one, two := serve(t, nil, silent), serve(t, nil, silent)
	g := group(t, GroupConfig{Timeout: 20 * time.Millisecond, Stagger: 5 * time.Millisecond}, one, two)
	var err error
	for range downAfter {
		_, err = g.Exchange(soon(t, time.Second), question())
	}
	if err == nil || !strings.Contains(err.Error(), one.at.String()) || !strings.Contains(err.Error(), two.at.String()) {
		t.Errorf("error %v", err)
	}
	if !g.Down() {
		t.Errorf("%+v", g.Members())
	}
	// They are asked all the same: there is nobody else.
	n := one.udp.Load()
	_, _ = g.Exchange(soon(t, time.Second), question())
	if one.udp.Load() == n {
		t.Error("nobody is asked")
	}
}

func TestGroupConcurrent(t *testing.T) {
	g := group(t, GroupConfig{Fastest: true}, serve(t, nil, good), serve(t, nil, good), serve(t, nil, rcode(dns.RcodeServerFailure)))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 30 {
				q := new(dns.Msg)
				q.SetQuestion(fmt.Sprintf("n%d-%d.example.", i, j), dns.TypeA)
				if m, err := g.Exchange(soon(t, 5*time.Second), q); err != nil || m.Question[0].Name != q.Question[0].Name {
					t.Errorf("%v %v", m, err)
				}
				g.Members()
			}
		})
	}
	wg.Wait()
}

func BenchmarkPlain(b *testing.B) {
	u := up(b, Config{URL: serve(b, nil, good).at.String()})
	q := question()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := u.Exchange(soon(b, time.Second), q); err != nil {
			b.Fatal(err)
		}
	}
}
