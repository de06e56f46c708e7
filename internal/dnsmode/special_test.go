package dnsmode

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/yamori-net/yamori/internal/dnsmode/upstream"
)

type devices map[string][]netip.Addr

func (d devices) Addresses(name string) []netip.Addr { return d[name] }
func (d devices) Name(a netip.Addr) string {
	for n, as := range d {
		for _, x := range as {
			if x == a {
				return n
			}
		}
	}
	return ""
}

var atHome = devices{
	"printer": {netip.MustParseAddr("192.168.1.30"), netip.MustParseAddr("fd00::30")},
	"wpad":    {netip.MustParseAddr("192.168.1.66")},
	"yamori":  {netip.MustParseAddr("192.168.1.66")},
	"phone":   {netip.MustParseAddr("2001:db8:1::9")},
	"bad.one": {netip.MustParseAddr("192.168.1.67")},
}

func TestLocalAndForwarded(t *testing.T) {
	const forwarded = "forwarded"
	o := newOutside(t, records(t, 0, "other.example. 300 IN A 198.51.100.9"))
	s := server(t, o, func(c *Config) {
		c.Listen = append(c.Listen, netip.MustParseAddrPort("192.168.1.1:53"))
		c.Names = atHome
		c.Zones = []Zone{{Name: "fritz.box"}, {Name: "corp.internal.", Upstreams: upstream.GroupConfig{Upstreams: []upstream.Config{{URL: o.at.String()}}}}}
		c.BlockRelay = true
	})
	for _, c := range []struct {
		name  string
		qtype uint16
		want  string // what the answers say, NXDOMAIN, NODATA, or forwarded
	}{
		{"localhost.", dns.TypeA, "127.0.0.1"}, {"a.b.LocalHost.", dns.TypeAAAA, "::1"}, {"localhost.", dns.TypeMX, "NODATA"},
		{"yamori.home.arpa.", dns.TypeA, "192.168.1.1"}, {"Yamori.", dns.TypeA, "192.168.1.1"}, {"yamori.home.arpa.", dns.TypeAAAA, "NODATA"},
		{"printer.home.arpa.", dns.TypeA, "192.168.1.30"}, {"printer.", dns.TypeAAAA, "fd00::30"}, {"PRINTER.Home.Arpa.", dns.TypeA, "192.168.1.30"},
		{"printer.home.arpa.", dns.TypeTXT, "NODATA"}, {"nobody.home.arpa.", dns.TypeA, "NXDOMAIN"}, {"nobody.", dns.TypeA, "NXDOMAIN"},
		{"printer.", dns.TypeHTTPS, "NODATA"}, {"nobody.", dns.TypeHTTPS, "NXDOMAIN"}, {"com.", dns.TypeA, "NXDOMAIN"}, {"com.", dns.TypeDS, forwarded},
		{"a.printer.home.arpa.", dns.TypeA, "NXDOMAIN"}, {"bad.one.home.arpa.", dns.TypeA, "NXDOMAIN"},
		{"wpad.home.arpa.", dns.TypeA, "NXDOMAIN"}, {"wpad.", dns.TypeA, "NXDOMAIN"}, {"isatap.", dns.TypeA, "NXDOMAIN"},
		{"home.arpa.", dns.TypeA, "NODATA"}, {"home.arpa.", dns.TypeSOA, "SOA"}, {"home.arpa.", dns.TypeNS, "yamori.home.arpa."}, {"home.arpa.", dns.TypeDS, forwarded},
		{"30.1.168.192.in-addr.arpa.", dns.TypePTR, "printer.home.arpa."}, {"1.1.168.192.in-addr.arpa.", dns.TypePTR, "yamori.home.arpa."},
		{"99.1.168.192.in-addr.arpa.", dns.TypePTR, "NXDOMAIN"}, {"30.1.168.192.in-addr.arpa.", dns.TypeA, "NODATA"},
		{"66.1.168.192.in-addr.arpa.", dns.TypePTR, "NXDOMAIN or a harmless name"},
		{"168.192.in-addr.arpa.", dns.TypeSOA, "SOA"}, {"b._dns-sd._udp.0.1.168.192.in-addr.arpa.", dns.TypePTR, "NXDOMAIN"},
		{"1.0.0.127.in-addr.arpa.", dns.TypePTR, "localhost."}, {"170.0.0.192.in-addr.arpa.", dns.TypePTR, "ipv4only.arpa."},
		{"1.0.0.10.in-addr.arpa.", dns.TypePTR, "NXDOMAIN"}, {"5.4.20.172.in-addr.arpa.", dns.TypePTR, "NXDOMAIN"}, {"5.4.64.100.in-addr.arpa.", dns.TypePTR, "NXDOMAIN"},
		{"1.2.254.169.in-addr.arpa.", dns.TypePTR, "NXDOMAIN"}, {"5.4.32.172.in-addr.arpa.", dns.TypePTR, forwarded}, {"8.8.8.8.in-addr.arpa.", dns.TypePTR, forwarded},
		{"172.in-addr.arpa.", dns.TypeNS, forwarded}, {"in-addr.arpa.", dns.TypeDNSKEY, forwarded},
		{rev("fd00::30"), dns.TypePTR, "printer.home.arpa."}, {rev("fd00::31"), dns.TypePTR, "NXDOMAIN"}, {rev("fe80::1"), dns.TypePTR, "NXDOMAIN"},
		{rev("::1"), dns.TypePTR, "localhost."}, {rev("2001:db8:1::9"), dns.TypePTR, "phone.home.arpa."}, {rev("2606:4700::1"), dns.TypePTR, forwarded},
		{"d.f.ip6.arpa.", dns.TypeSOA, "SOA"}, {"x.invalid.", dns.TypeA, "NXDOMAIN"}, {"x.test.", dns.TypeA, "NXDOMAIN"}, {"abc.onion.", dns.TypeA, "NXDOMAIN"},
		{"x.alt.", dns.TypeA, "NXDOMAIN"}, {"nas.local.", dns.TypeA, "NXDOMAIN"}, {"x.internal.", dns.TypeA, "NXDOMAIN"}, {"x.lan.", dns.TypeA, "NXDOMAIN"},
		{"_dns.resolver.arpa.", dns.TypeSVCB, "NODATA"}, {"resolver.arpa.", dns.TypeA, "NODATA"},
		{"use-application-dns.net.", dns.TypeA, "NXDOMAIN"}, {"mask.icloud.com.", dns.TypeA, "NXDOMAIN"}, {"mask-h2.icloud.com.", dns.TypeHTTPS, "NXDOMAIN"},
		{"icloud.com.", dns.TypeA, forwarded}, {"ipv4only.arpa.", dns.TypeAAAA, forwarded}, {"router.fritz.box.", dns.TypeA, "NXDOMAIN"},
		{"srv.corp.internal.", dns.TypeA, forwarded}, {"com.", dns.TypeDNSKEY, forwarded}, {".", dns.TypeNS, forwarded}, {"nothome.arpa.", dns.TypeA, forwarded},
	} {
		before := o.n.Load()
		m := ask(t, s, question(c.name, c.qtype))
		got := ""
		for _, r := range m.Answer {
			got += " " + strings.TrimSpace(strings.TrimPrefix(r.String(), r.Header().String()))
			if r.Header().Rrtype == dns.TypeSOA {
				got = " SOA"
			}
		}
		got = strings.TrimSpace(got)
		switch {
		case o.n.Load() != before:
			got = forwarded
		case m.Rcode == dns.RcodeNameError:
			got = "NXDOMAIN"
		case len(m.Answer) == 0:
			got = "NODATA"
		}
		if c.want == "NXDOMAIN or a harmless name" {
			if got == "NXDOMAIN" || got == "yamori.home.arpa." {
				continue
			}
		}
		if got != c.want {
			t.Errorf("%s %s: %s, want %s", c.name, dns.TypeToString[c.qtype], got, c.want)
		}
		if got != forwarded && (!m.Authoritative || len(m.Answer) == 0 && len(m.Ns) != 1) {
			t.Errorf("%s: not a proper answer of the home's own: %v", c.name, m)
		}
	}
	s = server(t, o, func(c *Config) { c.AllowBrowserDoH = true })
	before := o.n.Load()
	ask(t, s, question("use-application-dns.net.", dns.TypeA))
	ask(t, s, question("mask.icloud.com.", dns.TypeA))
	if o.n.Load() != before+2 {
		t.Error("the owner's wish is not heeded")
	}
}

func rev(a string) string {
	r, err := dns.ReverseAddr(a)
	if err != nil {
		panic(err)
	}
	return r
}

func TestParseReverse(t *testing.T) {
	for name, want := range map[string]string{
		"4.3.2.1.in-addr.arpa": "1.2.3.4/32", "2.1.in-addr.arpa": "1.2.0.0/16", "0/25.2.0.192.in-addr.arpa": "192.0.2.0/24",
		"5.4.3.2.1.in-addr.arpa": "1.2.3.4/32", "256.in-addr.arpa": "", "in-addr.arpa": "", "x.ip6.arpa": "", "d.f.ip6.arpa": "fd00::/8",
		"10.f.ip6.arpa": "f000::/4", "in-addr.arpa.example": "",
	} {
		got := ""
		if p, ok := parseReverse(name); ok {
			got = p.String()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestRebinding(t *testing.T) {
	for _, c := range []struct {
		rec    string
		reason string // empty: passes
	}{
		{"A 192.0.2.1", ""}, {"A 198.51.100.1", ""}, {"AAAA 2606:4700::1", ""}, {"AAAA 64:ff9b::808:808", ""}, {"A 100.63.0.1", ""}, {"A 172.32.0.1", ""},
		{"A 192.0.0.170", ""}, {"TXT \"192.168.1.1\"", ""},
		{"A 192.168.1.1", ByRebind}, {"A 10.0.0.1", ByRebind}, {"A 172.31.255.255", ByRebind}, {"A 127.0.0.1", ByRebind}, {"A 127.8.8.8", ByRebind},
		{"A 169.254.169.254", ByRebind}, {"A 100.64.0.1", ByRebind}, {"A 0.1.2.3", ByRebind}, {"A 255.255.255.255", ByRebind},
		{"AAAA ::1", ByRebind}, {"AAAA fd00::1", ByRebind}, {"AAAA fe80::1", ByRebind}, {"AAAA fec0::1", ByRebind}, {"AAAA ::ffff:192.168.1.1", ByRebind},
		{"AAAA ::192.168.1.1", ByRebind}, {"AAAA 64:ff9b::c0a8:101", ByRebind}, {"AAAA 2002:c0a8:101::1", ByRebind},
		{"HTTPS 1 . ipv4hint=192.168.1.1", ByRebind}, {"SVCB 1 svc.example. ipv6hint=fd00::1", ByRebind}, {"HTTPS 1 . ipv4hint=192.0.2.1", ""},
		{"A 0.0.0.0", ByUpstream}, {"AAAA ::", ByUpstream},
	} {
		var told []Blocked
		r := rr(t, "evil.example. 300 IN "+c.rec)
		o := newOutside(t, func(q *dns.Msg, _ bool) *dns.Msg {
			m := new(dns.Msg).SetReply(q)
			m.Answer = []dns.RR{rr(t, "evil.example. 300 IN A 192.0.2.77"), r}
			if c.reason == ByUpstream {
				m.Answer = m.Answer[1:]
			}
			return m
		})
		s := server(t, o, func(c *Config) {
			c.OnBlock = func(b Blocked) { told = append(told, b) }
			c.RebindAllow = []string{"*.Nas.Example."}
		})
		for range 2 { // from the cache, too
			m := ask(t, s, edns("evil.example.", r.Header().Rrtype))
			if blocked := m.Rcode == dns.RcodeNameError; blocked != (c.reason != "") || blocked && (len(m.Answer) > 0 || fmt.Sprint(explained(m)) != "[15]") {
				t.Errorf("%s: %v", c.rec, m)
			}
		}
		if c.reason == "" && len(told) > 0 || c.reason != "" && (len(told) != 2 || told[0].Reason != c.reason || told[0].Name != "evil.example") {
			t.Errorf("%s: told %+v", c.rec, told)
		}
		if m := ask(t, s, question("my.nas.example.", r.Header().Rrtype)); m.Rcode != 0 || len(m.Answer) == 0 {
			t.Errorf("%s: an exception is refused: %v", c.rec, m)
		}
	}
}

func TestRebindOff(t *testing.T) {
	o := newOutside(t, records(t, 0, "www.example. 300 IN A 192.168.1.1"))
	s := server(t, o, func(c *Config) { c.AllowRebind = true })
	if m := ask(t, s, question("www.example.", dns.TypeA)); len(m.Answer) != 1 {
		t.Errorf("%v", m)
	}
	s = server(t, o, func(c *Config) { c.Zones = []Zone{{Name: "example", Upstreams: c.Upstreams}} })
	if m := ask(t, s, question("www.example.", dns.TypeA)); len(m.Answer) != 1 {
		t.Errorf("a zone of the owner's own: %v", m)
	}
}
