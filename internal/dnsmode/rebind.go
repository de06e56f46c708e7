package dnsmode

import (
	"net/netip"

	"github.com/miekg/dns"
)

// privateNets are what a public name has no reason to point at: a page from
// outside whose name suddenly means the router would be read by the browser as
// one of the router's own (DNS rebinding). RFC 6890 lists them.
var privateNets = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("255.255.255.255/32"),
	netip.MustParsePrefix("::/127"), netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/9"),
}

// embedded are networks whose addresses carry an IPv4 address: mapped (RFC
// 4291 section 2.5.5.2), compatible (2.5.5.1), NAT64 (RFC 6052) and 6to4 (RFC
// 3056), with the byte at which it begins.
var embedded = [...]struct {
	net netip.Prefix
	at  int
}{
	{netip.MustParsePrefix("::ffff:0:0/96"), 12}, {netip.MustParsePrefix("::/96"), 12},
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, {netip.MustParsePrefix("2002::/16"), 2},
}

// private reports whether an address lies in somebody's home.
func private(a netip.Addr) bool {
	a = a.WithZone("")
	for _, n := range privateNets {
		if n.Contains(a) {
			return true
		}
	}
	if a.Is6() {
		b := a.As16()
		for _, e := range embedded {
			if e.net.Contains(a) {
				return private(netip.AddrFrom4([4]byte(b[e.at : e.at+4])))
			}
		}
	}
	return false
}

// eachAddress calls f for all addresses of an answer, those that HTTPS and
// SVCB records hint at (RFC 9460 section 7.3) too.
func eachAddress(m *dns.Msg, f func(netip.Addr)) {
	one := func(ip []byte) {
		if a, ok := netip.AddrFromSlice(ip); ok {
			f(a)
		}
	}
	hints := func(v []dns.SVCBKeyValue) {
		for _, kv := range v {
			switch h := kv.(type) {
			case *dns.SVCBIPv4Hint:
				for _, ip := range h.Hint {
					one(ip.To4())
				}
			case *dns.SVCBIPv6Hint:
				for _, ip := range h.Hint {
					one(ip.To16())
				}
			}
		}
	}
	for _, sec := range [][]dns.RR{m.Answer, m.Extra} {
		for _, rr := range sec {
			switch r := rr.(type) {
			case *dns.A:
				one(r.A.To4())
			case *dns.AAAA:
				one(r.AAAA.To16())
			case *dns.HTTPS:
				hints(r.Value)
			case *dns.SVCB:
				hints(r.Value)
			}
		}
	}
}

// rebinds looks for private addresses behind a public name. An answer that
// consists of null addresses alone is the upstream's own filter.
func (s *Server) rebinds(q *query, m *dns.Msg) (b Blocked, found bool) {
	if s.cfg.AllowRebind || s.rebindAllowed(q.bare) {
		return b, false
	}
	var bad netip.Addr
	null := true
	eachAddress(m, func(a netip.Addr) {
		if !a.IsUnspecified() {
			null = false
		}
		if private(a) && (!bad.IsValid() || bad.IsUnspecified()) {
			bad = a
		}
	})
	if !bad.IsValid() {
		return b, false
	}
	b = Blocked{Client: q.client, Name: q.bare, Type: q.qtype, Form: s.cfg.Blocked, Reason: ByRebind, Entry: bad.String()}
	if null {
		b.Reason = ByUpstream
	}
	return b, true
}

func (s *Server) rebindAllowed(name string) bool {
	for _, z := range s.cfg.RebindAllow {
		if under(name, z) {
			return true
		}
	}
	return s.zone(name) != nil
}
