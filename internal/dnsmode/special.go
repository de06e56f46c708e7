package dnsmode

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// denied are names that do not exist for anybody outside, so that asking would
// only tell the upstream what goes on at home: RFC 6761 (invalid, test), RFC
// 7686 (onion), RFC 9476 (alt), RFC 6762 (local, and those of its appendix G),
// and internal, which ICANN set aside for private use in 2024.
var denied = [...]string{"invalid", "test", "onion", "alt", "local", "internal", "intranet", "private", "corp", "home", "lan", "localdomain"}

// localTTL is what clients may remember of the home's own answers, in seconds.
const localTTL = 60

// zone gives the zone of the configuration that a name belongs to, the most
// specific one.
func (s *Server) zone(name string) *zone {
	var best *zone
	for i := range s.zones {
		if z := &s.zones[i]; under(name, z.name) && (best == nil || len(z.name) > len(best.name)) {
			best = z
		}
	}
	return best
}

// own reports whether a name belongs to the home or is answered here for good.
func (s *Server) own(name string) bool {
	if under(name, s.cfg.Domain) || under(name, "localhost") || under(name, "resolver.arpa") || s.zone(name) != nil || name == "arpa" {
		return true
	}
	for _, d := range denied {
		if under(name, d) {
			return true
		}
	}
	return false
}

// local answers what is not for anybody outside; nil: it is.
func (s *Server) local(q *query) *dns.Msg {
	name := q.bare
	zone := s.zone(name)
	if zone != nil && zone.up != nil {
		return nil
	}
	switch {
	case under(name, "use-application-dns.net") && !s.cfg.AllowBrowserDoH,
		s.cfg.BlockRelay && (under(name, "mask.icloud.com") || under(name, "mask-h2.icloud.com")):
		return deny(q, dns.RcodeNameError, q.name)
	case under(name, "localhost"): // RFC 6761 section 6.3
		m := new(dns.Msg)
		m.Authoritative = true
		if m.Answer = q.addresses(localTTL, netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()); m.Answer == nil {
			return deny(q, dns.RcodeSuccess, "localhost.")
		}
		return m
	case under(name, "resolver.arpa"):
		// RFC 9462 section 6.4: forwarded, it would lead clients past the
		// home's resolver to the upstream itself.
		return deny(q, dns.RcodeSuccess, "resolver.arpa.")
	case under(name, "in-addr.arpa"), under(name, "ip6.arpa"):
		return s.reverse(q)
	case under(name, s.cfg.Domain):
		if name == s.cfg.Domain && q.qtype == dns.TypeDS && name == "home.arpa" {
			return nil // RFC 8375 section 4: proves that the zone is not signed
		}
		return s.home(q, strings.TrimSuffix(strings.TrimSuffix(name, s.cfg.Domain), "."))
	case zone != nil:
		return deny(q, dns.RcodeNameError, zone.name+".")
	case !strings.Contains(name, ".") && name != "" && !ofZones(q.qtype):
		return s.home(q, name) // a single word is a device of the home or nothing
	}
	for _, d := range denied {
		if under(name, d) {
			return deny(q, dns.RcodeNameError, d+".")
		}
	}
	return nil
}

// ofZones are the types that those ask for who walk the tree of names, and
// check its signatures, at top-level domains too.
func ofZones(qtype uint16) bool {
	switch qtype {
	case dns.TypeNS, dns.TypeSOA, dns.TypeDS, dns.TypeDNSKEY, dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNSEC3, dns.TypeNSEC3PARAM, dns.TypeZONEMD:
		return true
	}
	return false
}

// deny is an answer of the home's own that there is no such name, or no data.
func deny(q *query, rcode int, zone string) *dns.Msg {
	m := new(dns.Msg)
	m.Authoritative, m.Rcode = true, rcode
	rr := soa(zone, localTTL)
	if q.qtype == dns.TypeSOA && strings.EqualFold(q.name, zone) && rcode == dns.RcodeSuccess {
		m.Answer = []dns.RR{rr}
	} else {
		m.Ns = []dns.RR{rr}
	}
	return m
}

// hijackable are names that programs look up to find out how to reach the
// internet: a device that calls itself so would carry the others' traffic.
func hijackable(label string) bool {
	return label == "wpad" || label == "isatap" || label == "localhost"
}

// home answers for a name of the home; label is empty for the domain itself.
func (s *Server) home(q *query, label string) *dns.Msg {
	apex := s.cfg.Domain + "."
	var addrs []netip.Addr
	switch {
	case label == "":
		if q.qtype == dns.TypeNS {
			m := new(dns.Msg)
			m.Authoritative = true
			m.Answer = []dns.RR{&dns.NS{Hdr: dns.RR_Header{Name: q.name, Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: localTTL}, Ns: s.cfg.Gateway + "." + apex}}
			return m
		}
		return deny(q, dns.RcodeSuccess, apex)
	case label == s.cfg.Gateway:
		addrs = s.cfg.GatewayAddresses
	case strings.Contains(label, "."), hijackable(label):
	case s.cfg.Names != nil:
		addrs = s.cfg.Names.Addresses(label)
	}
	if !under(q.bare, s.cfg.Domain) {
		apex = q.name
	}
	if len(addrs) == 0 {
		return deny(q, dns.RcodeNameError, apex)
	}
	const maxAddresses = 16 // more would say nothing and fill the answer
	m := new(dns.Msg)
	m.Authoritative = true
	if m.Answer = q.addresses(localTTL, addrs[:min(len(addrs), maxAddresses)]...); m.Answer == nil {
		return deny(q, dns.RcodeSuccess, apex)
	}
	return m
}

// locallyServed are the networks whose reverse zones are never asked for
// outside: RFC 6303 section 4, RFC 7793, and the transition addresses of RFC 8880.
var locallyServed = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("255.255.255.255/32"),
	netip.MustParsePrefix("::/127"), netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("2001:db8::/32"),
}

var ipv4only = [...]netip.Addr{netip.AddrFrom4([4]byte{192, 0, 0, 170}), netip.AddrFrom4([4]byte{192, 0, 0, 171})}

// reverse answers for addresses; nil: a public one that is not of the home.
func (s *Server) reverse(q *query) *dns.Msg {
	net, ok := parseReverse(q.bare)
	if !ok {
		return nil // the zones above, for those who check signatures
	}
	name := ""
	if net.IsSingleIP() {
		a := net.Addr()
		switch {
		case a == ipv4only[0] || a == ipv4only[1]:
			return s.pointer(q, "ipv4only.arpa.")
		case a.IsLoopback():
			return s.pointer(q, "localhost.")
		}
		for _, g := range s.cfg.GatewayAddresses {
			if g == a {
				name = s.cfg.Gateway
			}
		}
		if name == "" && s.cfg.Names != nil {
			name = strings.ToLower(s.cfg.Names.Name(a))
		}
	}
	if name != "" && !strings.Contains(name, ".") && !hijackable(name) {
		fqdn := name + "." + s.cfg.Domain + "."
		if _, ok := dns.IsDomainName(fqdn); ok {
			return s.pointer(q, fqdn)
		}
	}
	for _, l := range locallyServed {
		if l.Bits() <= net.Bits() && l.Contains(net.Addr()) {
			rcode := dns.RcodeNameError
			if !net.IsSingleIP() {
				rcode = dns.RcodeSuccess // there may be names below it
			}
			return deny(q, rcode, q.name)
		}
	}
	return nil
}

func (s *Server) pointer(q *query, to string) *dns.Msg {
	m := new(dns.Msg)
	m.Authoritative = true
	if q.qtype != dns.TypePTR {
		return deny(q, dns.RcodeSuccess, q.name)
	}
	m.Answer = []dns.RR{&dns.PTR{Hdr: dns.RR_Header{Name: q.name, Rrtype: dns.TypePTR, Class: dns.ClassINET, Ttl: localTTL}, Ptr: to}}
	return m
}

// parseReverse reads a name under in-addr.arpa (RFC 1035 section 3.5) or
// ip6.arpa (RFC 3596 section 2.5) as the network it stands for. Labels that no
// address has, such as those of RFC 2317, are passed over.
func parseReverse(name string) (netip.Prefix, bool) {
	v6 := false
	rest, ok := strings.CutSuffix(name, ".in-addr.arpa")
	if !ok {
		if rest, ok = strings.CutSuffix(name, ".ip6.arpa"); !ok {
			return netip.Prefix{}, false
		}
		v6 = true
	}
	var b [16]byte
	n := 0
	for rest != "" {
		i := strings.LastIndexByte(rest, '.')
		label := rest[i+1:]
		rest = rest[:max(i, 0)]
		if v6 {
			d, err := strconv.ParseUint(label, 16, 8)
			if err != nil || len(label) != 1 || n == 32 {
				break
			}
			b[n/2] |= byte(d) << (4 * (1 - n%2))
		} else {
			d, err := strconv.ParseUint(label, 10, 8)
			if err != nil || n == 4 {
				break
			}
			b[n] = byte(d)
		}
		n++
	}
	if n == 0 {
		return netip.Prefix{}, false
	}
	if v6 {
		return netip.PrefixFrom(netip.AddrFrom16(b), 4*n), true
	}
	return netip.PrefixFrom(netip.AddrFrom4([4]byte(b[:4])), 8*n), true
}
