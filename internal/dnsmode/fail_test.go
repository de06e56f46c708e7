package dnsmode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/yamori-net/yamori/internal/dnsmode/cache"
	"github.com/yamori-net/yamori/internal/dnsmode/lists"
	"github.com/yamori-net/yamori/internal/dnsmode/upstream"
)

func silence(*dns.Msg, bool) *dns.Msg { return nil }

func quick(c *Config) {
	c.Upstreams.Timeout = 40 * time.Millisecond
	c.Timeout = 100 * time.Millisecond
}

func TestStaleAnswers(t *testing.T) {
	o := newOutside(t, records(t, 0, www))
	ck := new(clock)
	s := server(t, o, func(c *Config) { quick(c); c.Now = ck.Now })
	ask(t, s, question("www.example.", dns.TypeA))
	for what, f := range map[string]func(*dns.Msg, bool) *dns.Msg{"silent": silence, "failing": records(t, dns.RcodeServerFailure, "")} {
		ck.advance(time.Hour)
		o.set(f)
		before := o.n.Load()
		m := ask(t, s, edns("www.example.", dns.TypeA))
		if m.Rcode != 0 || len(m.Answer) != 1 || m.Answer[0].Header().Ttl != 30 || !slices.Equal(explained(m), []uint16{dns.ExtendedErrorCodeStaleAnswer}) {
			t.Errorf("%s: %v", what, m)
		}
		asked := o.n.Load()
		if m = ask(t, s, question("www.example.", dns.TypeA)); len(m.Answer) != 1 || o.n.Load() != asked || asked == before {
			t.Errorf("%s: a moment later: %v, asked %d times", what, m, o.n.Load()-asked)
		}
	}
	// They work again.
	ck.advance(time.Minute)
	o.set(records(t, 0, "www.example. 300 IN A 192.0.2.2"))
	if m := ask(t, s, question("www.example.", dns.TypeA)); addresses(m)[0] != "192.0.2.2" {
		t.Errorf("%v", m)
	}
	// One that says that the signatures are wrong is believed.
	ck.advance(time.Hour)
	o.set(func(q *dns.Msg, _ bool) *dns.Msg {
		m := new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
		m.SetEdns0(1232, false)
		m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeDNSBogus, ExtraText: strings.Repeat("x", 500)})
		return m
	})
	m := ask(t, s, edns("www.example.", dns.TypeA))
	if m.Rcode != dns.RcodeServerFailure || !slices.Equal(explained(m), []uint16{dns.ExtendedErrorCodeDNSBogus}) {
		t.Errorf("%v", m)
	}
	if n := len(m.IsEdns0().Option[0].(*dns.EDNS0_EDE).ExtraText); n != maxText {
		t.Errorf("%d bytes of their words", n)
	}
	if st := s.Stats(); st.Stale != 4 {
		t.Errorf("%d stale answers", st.Stale)
	}
}

// A client with a stale answer does not wait for a slow upstream.
func TestImpatience(t *testing.T) {
	o := newOutside(t, records(t, 0, www))
	ck := new(clock)
	s := server(t, o, func(c *Config) { c.Now = ck.Now; c.Timeout = 2 * time.Second; c.Upstreams.Timeout = 2 * time.Second })
	ask(t, s, question("www.example.", dns.TypeA))
	ck.advance(time.Hour)
	release := make(chan struct{})
	o.set(func(q *dns.Msg, tcp bool) *dns.Msg {
		<-release
		return records(t, 0, "www.example. 300 IN A 192.0.2.2")(q, tcp)
	})
	if m := ask(t, s, question("www.example.", dns.TypeA)); addresses(m)[0] != "192.0.2.1" {
		t.Errorf("%v", m)
	}
	close(release)
	for range 6000 { // the fresh one comes, and is kept
		if addresses(ask(t, s, question("www.example.", dns.TypeA)))[0] == "192.0.2.2" {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the fresh answer is lost")
}

func TestNobodyAnswers(t *testing.T) {
	o := newOutside(t, silence)
	ck := new(clock)
	s := server(t, o, func(c *Config) { quick(c); c.Now = ck.Now })
	m := ask(t, s, edns("www.example.", dns.TypeA))
	if m.Rcode != dns.RcodeServerFailure || !slices.Equal(explained(m), []uint16{dns.ExtendedErrorCodeNoReachableAuthority}) {
		t.Errorf("%v", m)
	}
	asked := o.n.Load()
	if m = ask(t, s, edns("www.example.", dns.TypeA)); m.Rcode != dns.RcodeServerFailure || !slices.Equal(explained(m), []uint16{dns.ExtendedErrorCodeCachedError}) || o.n.Load() != asked {
		t.Errorf("%v, asked %d times", m, o.n.Load()-asked)
	}
	if m = ask(t, s, question("yamori.", dns.TypeA)); m == nil {
		t.Error("the home's own names are gone, too")
	}
	ck.advance(cache.FailureTTL)
	ask(t, s, question("a.example.", dns.TypeA))
	ask(t, s, question("b.example.", dns.TypeA))
	h := fmt.Sprint(s.Health())
	if !strings.Contains(h, NoUpstream) || !strings.Contains(h, UpstreamDown) || !strings.Contains(h, o.at.String()) {
		t.Errorf("health %s", h)
	}
	o.set(records(t, 0, www))
	if m = ask(t, s, question("www.example.", dns.TypeA)); m.Rcode != 0 || len(s.Health()) != 0 {
		t.Errorf("%v, health %v", m, s.Health())
	}
}

func TestMalformedUpstream(t *testing.T) {
	o := newOutside(t, func(q *dns.Msg, _ bool) *dns.Msg {
		m := new(dns.Msg).SetReply(q)
		m.Question[0].Name = "other.example."
		return m
	})
	s := server(t, o, quick)
	if m := ask(t, s, edns("www.example.", dns.TypeA)); m.Rcode != dns.RcodeServerFailure || !slices.Equal(explained(m), []uint16{dns.ExtendedErrorCodeInvalidData}) {
		t.Errorf("%v", m)
	}
}

func TestBrokenListsDoNotStopAnswers(t *testing.T) {
	o := newOutside(t, records(t, 0, www))
	s := server(t, o, func(c *Config) { c.Lists.Bytes = 1024 })
	loadLists(t, s, list("good", "bad.example"), list("big", "x.example"))
	var many strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, "n%d.example\n", i)
	}
	_, err := s.LoadLists(context.Background(), []lists.Source{list("good", "bad.example"), list("big", many.String()), list("page", "<html>"),
		{Name: "gone", Path: t.TempDir() + "/gone"}, {Name: "disk", Open: func() (io.ReadCloser, error) { return nil, errors.New("I/O error") }}})
	if err == nil {
		t.Error("no error")
	}
	if m := ask(t, s, question("www.example.", dns.TypeA)); m.Rcode != 0 {
		t.Errorf("%v", m)
	}
	for _, n := range []string{"bad.example.", "x.example."} {
		if m := ask(t, s, question(n, dns.TypeA)); m.Rcode != dns.RcodeNameError {
			t.Errorf("%s: %v", n, m)
		}
	}
	got := map[string]string{}
	for _, i := range s.Health() {
		if i.Code == ListRefused {
			got[i.Args[0].Value] = i.Args[1].Value + " " + i.Args[2].Value
		}
	}
	want := map[string]string{"big": "too_large true", "page": "no_names false", "gone": "missing false", "disk": "error false"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("health %v, want %v", got, want)
	}
}

// Many clients that ask the same cost one question.
func TestOneFlight(t *testing.T) {
	o := newOutside(t, func(q *dns.Msg, tcp bool) *dns.Msg {
		time.Sleep(100 * time.Millisecond)
		return records(t, 0, www)(q, tcp)
	})
	s := server(t, o, nil)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			name := []string{"www.example.", "WWW.example."}[i%2]
			m := askBy(t, s, question(name, dns.TypeA), netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), false)
			if len(m.Answer) != 1 || m.Question[0].Name != name || m.Answer[0].Header().Name != name {
				t.Errorf("%v", m)
			}
		})
	}
	wg.Wait()
	if o.n.Load() != 1 {
		t.Errorf("asked %d times", o.n.Load())
	}
}

func TestFlightsAreBounded(t *testing.T) {
	o := newOutside(t, records(t, 0, www))
	s := server(t, o, nil)
	for i := range maxFlights {
		s.flights.m[cache.Key{Name: fmt.Sprint(i)}] = &flight{}
	}
	m := ask(t, s, edns("www.example.", dns.TypeA))
	if m.Rcode != dns.RcodeServerFailure || !slices.Equal(explained(m), []uint16{dns.ExtendedErrorCodeNotReady}) || o.n.Load() != 0 {
		t.Errorf("%v", m)
	}
	if h := s.Health(); len(h) != 1 || h[0].Code != Overloaded || h[0].Args[0].Value != "1" {
		t.Errorf("health %v", h)
	}
}

func TestRate(t *testing.T) {
	o := newOutside(t, records(t, 0, www))
	ck := new(clock)
	s := server(t, o, func(c *Config) { c.Now = ck.Now; c.Rate, c.Burst = 10, 20 })
	for range 20 {
		if m := ask(t, s, question("www.example.", dns.TypeA)); m.Truncated || m.Rcode != 0 {
			t.Fatalf("%v", m)
		}
	}
	q := edns("www.example.", dns.TypeA)
	wire, _ := q.Pack()
	out := s.Answer(context.Background(), pc, false, wire)
	m := new(dns.Msg)
	if err := m.Unpack(out); err != nil || !m.Truncated || len(out) > len(wire) || len(m.Question) != 1 || m.Question[0] != q.Question[0] {
		t.Errorf("over the limit: %v %v", err, m)
	}
	if m := askBy(t, s, question("www.example.", dns.TypeA), pc, true); m.Rcode != dns.RcodeRefused {
		t.Errorf("over the limit, TCP: %v", m)
	}
	if m := askBy(t, s, question("www.example.", dns.TypeA), netip.MustParseAddr("192.168.1.21"), false); m.Rcode != 0 || m.Truncated {
		t.Errorf("another device: %v", m)
	}
	ck.advance(time.Second)
	for i := range 11 {
		if m := ask(t, s, question("www.example.", dns.TypeA)); m.Truncated != (i == 10) {
			t.Errorf("a second later, question %d: %v", i, m)
		}
	}
	if s.Stats().Limited != 3 {
		t.Errorf("%d counted", s.Stats().Limited)
	}
}

func TestClientsAreBounded(t *testing.T) {
	l := newLimiter(10, 20)
	now := time.Unix(1000, 0)
	for i := range maxClients + 20 {
		c, ok := l.enter(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), now)
		if !ok {
			t.Fatal(i)
		}
		l.leave(c)
	}
	if len(l.m) != maxClients {
		t.Errorf("%d clients", len(l.m))
	}
	stranger := netip.AddrFrom4([4]byte{10, 9, 9, 9})
	if _, ok := l.enter(stranger, now); ok {
		t.Error("clients beyond the bound do not share a limit")
	}
	if _, ok := l.enter(stranger, now.Add(2*forgetAfter)); !ok || len(l.m) != 1 {
		t.Errorf("those who ask nothing are kept: %d", len(l.m))
	}
	l = newLimiter(-1, -1) // no limit of the rate
	for i := range maxPending + 1 {
		if _, ok := l.enter(stranger, now); ok != (i < maxPending) {
			t.Errorf("question %d under way: %v", i, ok)
		}
	}
	// Two that ask for what nobody answers leave room for the others.
	for range maxPending {
		_, _ = l.enter(pc, now)
	}
	for i := range fairPending + 1 {
		if _, ok := l.enter(netip.AddrFrom4([4]byte{10, 9, 9, 8}), now); ok != (i < fairPending) {
			t.Errorf("question %d of a third: %v", i, ok)
		}
	}
}

// A question that makes the program stumble costs that question.
func TestPanic(t *testing.T) {
	o := newOutside(t, records(t, 0, www))
	s := server(t, o, func(c *Config) {
		c.Policy = decider(func(_ netip.Addr, name string, _ uint16) Decision {
			if name == "boom.example" {
				panic("boom")
			}
			return Decision{}
		})
	})
	if m := ask(t, s, question("boom.example.", dns.TypeA)); m.Rcode != dns.RcodeServerFailure || len(m.Question) != 1 {
		t.Errorf("%v", m)
	}
	if m := ask(t, s, question("www.example.", dns.TypeA)); m.Rcode != 0 {
		t.Errorf("%v", m)
	}
	if h := s.Health(); len(h) != 1 || h[0].Code != Panicked {
		t.Errorf("health %v", h)
	}
}

// A router that has this resolver as its own upstream.
func TestLoop(t *testing.T) {
	o := newOutside(t, silence)
	s := server(t, o, nil)
	o.set(func(q *dns.Msg, _ bool) *dns.Msg {
		m := askBy(t, s, question(q.Question[0].Name, q.Question[0].Qtype), netip.MustParseAddr("127.0.0.1"), false)
		m.Id = q.Id
		return m
	})
	start := time.Now()
	if m := ask(t, s, question("www.example.", dns.TypeA)); m.Rcode != dns.RcodeRefused || o.n.Load() != 1 || time.Since(start) > 2*time.Second {
		t.Errorf("%v after %v, asked %d times", m, time.Since(start), o.n.Load())
	}
	if h := s.Health(); len(h) != 1 || h[0].Code != Loop {
		t.Errorf("health %v", h)
	}
}

// Until the clock is set, no certificate holds.
func TestWithoutClock(t *testing.T) {
	tls, plain := newOutside(t, records(t, 0, www)), newOutside(t, records(t, 0, www))
	now := time.Unix(1000, 0)
	s := server(t, tls, func(c *Config) {
		c.Now = func() time.Time { return now }
		c.WithoutClock.Upstreams = []upstream.Config{{URL: plain.at.String()}}
	})
	ask(t, s, question("ntp.example.", dns.TypeA))
	if h := s.Health(); tls.n.Load() != 0 || plain.n.Load() != 1 || len(h) != 1 || h[0].Code != NoClock {
		t.Errorf("asked %d and %d times, health %v", tls.n.Load(), plain.n.Load(), h)
	}
	now = sane
	ask(t, s, question("www.example.", dns.TypeA))
	if tls.n.Load() != 1 || plain.n.Load() != 1 || len(s.Health()) != 0 {
		t.Errorf("asked %d and %d times, health %v", tls.n.Load(), plain.n.Load(), s.Health())
	}
}

func TestConfig(t *testing.T) {
	up := upstream.GroupConfig{Upstreams: []upstream.Config{{URL: "192.0.2.1"}}}
	lan := []netip.AddrPort{netip.MustParseAddrPort("192.168.1.1:53")}
	at := func(s string) []netip.AddrPort { return []netip.AddrPort{netip.MustParseAddrPort(s)} }
	for _, c := range []struct {
		what string
		cfg  Config
		want error // nil: accepted
	}{
		{"the usual", Config{Listen: lan, Upstreams: up}, nil},
		{"unique local", Config{Listen: at("[fd00::1]:53"), Upstreams: up}, nil},
		{"link-local", Config{Listen: at("[fe80::1%eth0]:53"), Upstreams: up}, nil},
		{"all addresses", Config{Listen: at("0.0.0.0:53"), Upstreams: up}, ErrAny},
		{"all addresses, wanted", Config{Listen: at("[::]:53"), Upstreams: up, PublicListen: true}, ErrAny},
		{"a public address", Config{Listen: at("198.51.100.1:53"), Upstreams: up}, ErrListen},
		{"a public IPv6 address", Config{Listen: at("[2001:db8::1]:53"), Upstreams: up}, ErrListen},
		{"a public address, wanted", Config{Listen: at("[2001:db8::1]:53"), Upstreams: up, PublicListen: true}, nil},
		{"multicast", Config{Listen: at("224.0.0.251:53"), Upstreams: up}, ErrListen},
		{"itself", Config{Listen: lan, Upstreams: upstream.GroupConfig{Upstreams: []upstream.Config{{URL: "192.168.1.1"}}}}, ErrLoop},
		{"itself for a zone", Config{Listen: lan, Upstreams: up, Zones: []Zone{{"x.example", upstream.GroupConfig{Upstreams: []upstream.Config{{URL: "192.168.1.1"}}}}}}, ErrLoop},
		{"a name that must be looked up", Config{Listen: lan, Upstreams: upstream.GroupConfig{Upstreams: []upstream.Config{{URL: "tls://dns.example"}}}}, upstream.ErrTLSName},
		{"no upstream", Config{Listen: lan}, upstream.ErrNone},
		{"a bad zone", Config{Listen: lan, Upstreams: up, Zones: []Zone{{Name: "a..b"}}}, ErrName},
		{"a bad exception", Config{Listen: lan, Upstreams: up, RebindAllow: []string{""}}, ErrName},
		{"a gateway of two words", Config{Listen: lan, Upstreams: up, Gateway: "a.b"}, ErrName},
	} {
		if _, err := New(c.cfg); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
	}
	for what, c := range map[string]Config{
		"nowhere": {Upstreams: up}, "a bad form": {Listen: lan, Upstreams: up, Blocked: Form{Kind: Custom}},
		"too many addresses": {Listen: make([]netip.AddrPort, maxListen+1), Upstreams: up},
		"too many zones":     {Listen: lan, Upstreams: up, Zones: make([]Zone, maxZones+1)},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s is accepted", what)
		}
	}
}
