package dnsmode

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func TestForwardAndCache(t *testing.T) {
	o := newOutside(t, records(t, 0, www))
	ck := new(clock)
	s := server(t, o, func(c *Config) { c.Now = ck.Now })
	for i, c := range []struct {
		after time.Duration
		ttl   uint32
		asked int64
	}{{0, 300, 1}, {0, 300, 1}, {100 * time.Second, 200, 1}, {199 * time.Second, 1, 1}, {time.Second, 300, 2}} {
		ck.advance(c.after)
		m := ask(t, s, question("www.example.", dns.TypeA))
		if m.Rcode != 0 || len(m.Answer) != 1 || m.Answer[0].Header().Ttl != c.ttl || o.n.Load() != c.asked {
			t.Errorf("%d: TTL %v, asked %d times; want %d, %d", i, m.Answer, o.n.Load(), c.ttl, c.asked)
		}
	}
	st := s.Stats()
	if st.Queries != 5 || st.Cached != 3 || st.Forwarded != 2 {
		t.Errorf("%+v", st)
	}
	s.Flush()
	ask(t, s, question("www.example.", dns.TypeA))
	if o.n.Load() != 3 {
		t.Error("a flush keeps answers")
	}
}

func TestNegative(t *testing.T) {
	o := newOutside(t, records(t, dns.RcodeNameError, "authority\nexample. 900 IN SOA ns.example. h.example. 1 2 3 4 60"))
	ck := new(clock)
	s := server(t, o, func(c *Config) { c.Now = ck.Now; c.Cache.Stale = -1 })
	for _, step := range []time.Duration{0, 59 * time.Second, time.Second} {
		ck.advance(step)
		if m := ask(t, s, question("no.example.", dns.TypeA)); m.Rcode != dns.RcodeNameError || len(m.Ns) != 1 {
			t.Errorf("%v", m)
		}
	}
	if o.n.Load() != 2 {
		t.Errorf("asked %d times", o.n.Load())
	}
}

// The letters of the question come back as they were, from the cache too.
func TestLetters(t *testing.T) {
	o := newOutside(t, records(t, 0, www+"\nwww.example. 300 IN RRSIG A 13 2 300 20300101000000 20260101000000 1 example. AAAA"))
	s := server(t, o, nil)
	for _, name := range []string{"wWw.eXaMpLe.", "WWW.example.", "www.example."} {
		m := ask(t, s, question(name, dns.TypeA))
		if m.Question[0].Name != name || m.Answer[0].Header().Name != name || m.Answer[1].Header().Name != name {
			t.Errorf("%s: %v", name, m)
		}
	}
	if o.n.Load() != 1 || !strings.EqualFold(o.last().Question[0].Name, "www.example.") {
		t.Errorf("asked %d times for %s", o.n.Load(), o.last().Question[0].Name)
	}
}

func TestEDNS(t *testing.T) {
	o := newOutside(t, func(q *dns.Msg, tcp bool) *dns.Msg {
		m := records(t, 0, www)(q, tcp)
		m.AuthenticatedData = true
		m.SetEdns0(4096, q.IsEdns0().Do())
		m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0123456789abcdef0123456789abcdef"},
			&dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeStaleAnswer, ExtraText: "theirs"})
		return m
	})
	s := server(t, o, nil)
	q := edns("www.example.", dns.TypeA)
	q.IsEdns0().Option = append(q.IsEdns0().Option, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0123456789abcdef"},
		&dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: 1, SourceNetmask: 24, Address: net.IP{198, 51, 100, 0}},
		&dns.EDNS0_LOCAL{Code: 65001, Data: []byte("who asks")})
	m := ask(t, s, q)
	up := o.last().IsEdns0()
	if up == nil || len(up.Option) != 0 || up.UDPSize() != 1232 || up.Do() || !o.last().RecursionDesired || o.last().Id == q.Id {
		t.Errorf("the upstream is told %v", o.last())
	}
	opt := m.IsEdns0()
	if opt == nil || opt.UDPSize() != 1232 || opt.Do() || len(opt.Option) != 1 || !slices.Equal(explained(m), []uint16{dns.ExtendedErrorCodeStaleAnswer}) {
		t.Errorf("the client is told %v", m)
	}
	if m.AuthenticatedData {
		t.Error("AD for a client that does not ask for it")
	}
	if m = ask(t, s, question("www.example.", dns.TypeA)); m.IsEdns0() != nil {
		t.Error("EDNS for a client that has none")
	}
	q = question("www.example.", dns.TypeA)
	q.AuthenticatedData = true
	if m = ask(t, s, q); !m.AuthenticatedData {
		t.Error("no AD for a client that asks for it")
	}
	q.AuthenticatedData, q.CheckingDisabled = false, true
	if m = ask(t, s, q); !m.CheckingDisabled || !o.last().CheckingDisabled {
		t.Error("CD is lost")
	}
}

// What a validating client needs comes through untouched.
func TestDNSSEC(t *testing.T) {
	text := `www.example. 300 IN A 192.0.2.1
www.example. 300 IN RRSIG A 13 2 300 20300101000000 20260101000000 12345 example. sDMtZnlWvZKDs8LnEGDSxkMEVjpTvLcKqTyOTn5Hzi4Q5Jy6Pw1nzbDXYhX4HCvCFwKz4YLYqkFHb4/nDkzp0A==
authority
example. 300 IN NSEC3 1 0 0 - 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM NS SOA RRSIG DNSKEY
example. 300 IN DS 12345 13 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE49FD46E6C4B45C55D4AC69CB
example. 300 IN TYPE65400 \# 4 0a000001`
	o := newOutside(t, records(t, 0, text))
	s := server(t, o, nil)
	q := question("www.example.", dns.TypeA)
	q.SetEdns0(4096, true)
	want := records(t, 0, text)(q, false)
	for range 2 {
		m := ask(t, s, q)
		if !o.last().IsEdns0().Do() || !m.IsEdns0().Do() {
			t.Error("DO is lost")
		}
		if fmt.Sprint(m.Answer, m.Ns) != fmt.Sprint(want.Answer, want.Ns) {
			t.Errorf("got\n%v\n%v\nwant\n%v\n%v", m.Answer, m.Ns, want.Answer, want.Ns)
		}
	}
	if o.n.Load() != 1 {
		t.Errorf("asked %d times", o.n.Load())
	}
	ask(t, s, edns("www.example.", dns.TypeA))
	if o.n.Load() != 2 || o.last().IsEdns0().Do() {
		t.Error("answers with and without DNSSEC are mixed")
	}
}

func TestKeepSubnet(t *testing.T) {
	o := newOutside(t, records(t, 0, www))
	s := server(t, o, func(c *Config) { c.KeepSubnet = true })
	for i, ip := range []net.IP{{198, 51, 100, 0}, {198, 51, 100, 0}, {203, 0, 113, 0}} {
		q := edns("www.example.", dns.TypeA)
		q.IsEdns0().Option = append(q.IsEdns0().Option, &dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: 1, SourceNetmask: 24, Address: ip})
		m := ask(t, s, q)
		if len(o.last().IsEdns0().Option) != 1 || len(m.IsEdns0().Option) != 1 || o.n.Load() != []int64{1, 1, 2}[i] {
			t.Errorf("%d: %v; asked %d times with %v", i, m, o.n.Load(), o.last())
		}
	}
}

func TestTruncation(t *testing.T) {
	many := func(n int) string {
		var b strings.Builder
		b.WriteString("www.example. 300 IN CNAME many.example.\n")
		for i := range n {
			fmt.Fprintf(&b, "many.example. 300 IN A 192.0.2.%d\n", i)
		}
		return b.String()
	}
	extra := "authority\nexample. 300 IN NS ns1.example.\nadditional\n" + strings.Repeat("ns1.example. 300 IN TXT \""+strings.Repeat("x", 200)+"\"\n", 6)
	for _, c := range []struct {
		what  string
		text  string
		size  uint16 // 0: no EDNS
		tcp   bool
		tc    bool
		count int // answers
	}{
		{"it fits", many(20), 0, false, false, 21},
		{"too much for 512", many(40), 0, false, true, 1},
		{"too much for 512 that claims less", many(40), 100, false, true, 1},
		{"it fits 1232", many(40), 4096, false, false, 41},
		{"too much for 1232", many(100), 4096, false, true, 1},
		{"too much for 800", many(60), 800, false, true, 1},
		{"TCP", many(200), 0, true, false, 201},
		{"what nobody asked for goes first", many(20) + extra, 0, false, false, 21},
	} {
		o := newOutside(t, records(t, 0, c.text))
		s := server(t, o, func(c *Config) { c.AllowRebind = true })
		q := question("www.example.", dns.TypeA)
		limit := 512
		if c.size > 0 {
			q.SetEdns0(c.size, false)
			limit = min(max(int(c.size), 512), 1232)
		}
		wire, _ := q.Pack()
		out := s.Answer(context.Background(), pc, c.tcp, wire)
		m := new(dns.Msg)
		if err := m.Unpack(out); err != nil || !c.tcp && len(out) > limit {
			t.Errorf("%s: %d bytes, %v", c.what, len(out), err)
		}
		if m.Truncated != c.tc || len(m.Answer) != c.count || (m.IsEdns0() != nil) != (c.size > 0) {
			t.Errorf("%s: TC %v, %d answers, want %v, %d", c.what, m.Truncated, len(m.Answer), c.tc, c.count)
		}
	}
}

// An upstream that cannot do TCP: the client is told that there is more, and
// over TCP that it cannot be had.
func TestUpstreamWithoutTCP(t *testing.T) {
	o := newOutside(t, func(q *dns.Msg, tcp bool) *dns.Msg {
		m := new(dns.Msg).SetReply(q)
		m.Truncated = true
		return m
	})
	s := server(t, o, nil)
	if m := ask(t, s, question("www.example.", dns.TypeA)); !m.Truncated || m.Rcode != 0 {
		t.Errorf("%v", m)
	}
	if m := askBy(t, s, question("www.example.", dns.TypeA), pc, true); m.Truncated || m.Rcode != dns.RcodeServerFailure {
		t.Errorf("%v", m)
	}
}

func TestOddQuestions(t *testing.T) {
	o := newOutside(t, records(t, 0, www))
	s := server(t, o, nil)
	change := func(f func(m *dns.Msg)) []byte {
		m := edns("www.example.", dns.TypeA)
		f(m)
		b, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	plain := change(func(*dns.Msg) {})
	for _, c := range []struct {
		what  string
		wire  []byte
		rcode int // -1: no answer
	}{
		{"nothing", nil, -1},
		{"half a header", plain[:7], -1},
		{"an answer", change(func(m *dns.Msg) { m.Response = true }), -1},
		{"a header alone", []byte{0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, dns.RcodeFormatError},
		{"cut", plain[:len(plain)-3], dns.RcodeFormatError},
		{"two questions", change(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }), dns.RcodeFormatError},
		{"two OPT", change(func(m *dns.Msg) { m.Extra = append(m.Extra, m.Extra[0]) }), dns.RcodeFormatError},
		{"EDNS 1", change(func(m *dns.Msg) { m.IsEdns0().SetVersion(1) }), dns.RcodeBadVers},
		{"an update", change(func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate }), dns.RcodeNotImplemented},
		{"a notification", change(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }), dns.RcodeNotImplemented},
		{"a transfer", change(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAXFR }), dns.RcodeRefused},
		{"type OPT", change(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeOPT }), dns.RcodeRefused},
		{"class CHAOS", change(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), dns.RcodeRefused},
	} {
		out := s.Answer(context.Background(), pc, false, c.wire)
		if c.rcode < 0 {
			if out != nil {
				t.Errorf("%s is answered", c.what)
			}
			continue
		}
		m := new(dns.Msg)
		if err := m.Unpack(out); err != nil || m.Rcode != c.rcode || !m.Response || len(m.Answer) != 0 {
			t.Errorf("%s: %v %v, want %s", c.what, err, m, dns.RcodeToString[c.rcode])
		}
	}
	if o.n.Load() != 0 {
		t.Error("the upstream was asked")
	}
	if m := ask(t, s, question("www.example.", dns.TypeANY)); len(m.Answer) != 1 || m.Answer[0].Header().Rrtype != dns.TypeHINFO {
		t.Errorf("ANY: %v", m)
	}
}

func TestNotHome(t *testing.T) {
	o := newOutside(t, records(t, 0, www))
	s := server(t, o, func(c *Config) {
		c.Clients = []netip.Prefix{netip.MustParsePrefix("2001:db8:1::/48")}
		c.Home = func(a netip.Addr) bool { return a == netip.MustParseAddr("203.0.113.5") }
	})
	for addr, want := range map[string]bool{
		"192.168.1.20": true, "10.1.1.1": true, "127.0.0.1": true, "169.254.3.4": true, "fe80::1": true, "fe80::1%eth0": true, "fd00::5": true,
		"::ffff:192.168.1.20": true, "2001:db8:1::7": true, "203.0.113.5": true,
		"203.0.113.6": false, "2001:db8:2::7": false, "8.8.8.8": false, "::ffff:8.8.8.8": false, "224.0.0.251": false,
	} {
		if m := askBy(t, s, question("www.example.", dns.TypeA), netip.MustParseAddr(addr), false); (m != nil) != want {
			t.Errorf("%s: %v", addr, m)
		}
	}
	if s.Stats().NotHome != 5 {
		t.Errorf("%d counted", s.Stats().NotHome)
	}
}
