package config

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/yamori-net/yamori/internal/dnsmode/lists"
	"github.com/yamori-net/yamori/internal/dnsmode/upstream"
	"github.com/yamori-net/yamori/internal/event"
)

// DNS says how the home's names are resolved; see docs/dns-mode.md.
type DNS struct {
	On           bool          `yaml:"on"`            // off unless this is set or listen names addresses
	Listen       []string      `yaml:"listen"`        // addresses, also with ports; empty: the home's addresses of the interface, port 53
	PublicListen bool          `yaml:"public_listen"` // addresses that the internet can reach are meant so
	Upstreams    []DNSUpstream `yaml:"upstreams"`
	Fastest      bool          `yaml:"fastest"` // ask whoever answered fastest lately first
	WithoutClock []DNSUpstream `yaml:"without_clock"`
	Zones        []DNSZone     `yaml:"zones"`
	Lists        []DNSList     `yaml:"lists"`
	Blocked      DNSBlocked    `yaml:"blocked"`
	RebindAllow  []string      `yaml:"rebind_allow"` // names that may have private addresses, with all below them
	Domain       string        `yaml:"domain"`       // of the home; empty: home.arpa
	Gateway      string        `yaml:"gateway"`      // the gateway's name in it; empty: yamori
	BrowserDoH   bool          `yaml:"browser_doh"`  // let browsers go round the home's DNS
	BlockRelay   bool          `yaml:"block_relay"`  // ask Apple's devices not to use iCloud Private Relay
}

// DNSUpstream is a resolver that is asked.
type DNSUpstream struct {
	URL       string   `yaml:"url"`
	Addresses []string `yaml:"addresses"` // of a server with a name
}

// DNSZone is a part of the names with upstreams of its own; none: it is denied.
type DNSZone struct {
	Name      string        `yaml:"name"`
	Upstreams []DNSUpstream `yaml:"upstreams"`
}

// DNSList is a list of names that are refused.
type DNSList struct {
	Name     string `yaml:"name"`
	Path     string `yaml:"path"`
	Category string `yaml:"category"` // of findings; empty: refusals are counted only
	Exact    bool   `yaml:"exact"`    // a plain name does not cover the names below it
	Allow    bool   `yaml:"allow"`    // all its names are exceptions
}

// DNSBlocked is how refused names are answered.
type DNSBlocked struct {
	Answer    string   `yaml:"answer"`    // nxdomain, refused, null, nodata or address; empty: nxdomain
	Addresses []string `yaml:"addresses"` // with address: at most one of IPv4 and one of IPv6
}

// Enabled reports whether the home's names are to be resolved.
func (d *DNS) Enabled() bool { return d.On || len(d.Listen) > 0 }

// DNSPort is where names are asked for.
const DNSPort = 53

// Limits of the section.
const (
	maxDNSListen = 16
	maxDNSZones  = 64
	maxDNSAllow  = 1024
)

// ListenAddress reads an address, with a port or without.
func ListenAddress(s string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.AddrPortFrom(a, DNSPort), nil
	}
	a, err := netip.ParseAddrPort(s)
	if err != nil || a.Port() == 0 {
		return a, fmt.Errorf("listen %q: write an address such as 192.168.1.1 or 192.168.1.1:53", s)
	}
	return a, nil
}

// Group makes upstreams of their configuration, which has been checked.
func Group(in []DNSUpstream) (g upstream.GroupConfig) {
	for _, u := range in {
		c := upstream.Config{URL: u.URL}
		for _, s := range u.Addresses {
			if a, err := netip.ParseAddr(s); err == nil {
				c.Addresses = append(c.Addresses, a)
			}
		}
		g.Upstreams = append(g.Upstreams, c)
	}
	return g
}

// check validates the section; fail makes the error for a place in it.
func (d *DNS) check(fail func(path, format string, args ...any) error) error {
	listen := map[netip.AddrPort]bool{}
	if len(d.Listen) > maxDNSListen || len(d.Zones) > maxDNSZones || len(d.RebindAllow) > maxDNSAllow || len(d.Lists) > lists.MaxLists {
		return fail("$.dns", "dns: use at most %d addresses, %d zones, %d exceptions and %d lists", maxDNSListen, maxDNSZones, maxDNSAllow, lists.MaxLists)
	}
	for i, s := range d.Listen {
		at := fmt.Sprintf("$.dns.listen[%d]", i)
		a, err := ListenAddress(s)
		if err != nil {
			return fail(at, "%v", err)
		}
		ip := a.Addr().Unmap()
		switch {
		case ip.IsUnspecified() || ip.IsMulticast():
			return fail(at, "listen %q: name the gateway's addresses in the home instead", s)
		case !d.PublicListen && !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast():
			return fail(at, "listen %q: the internet can reach this address; write public_listen: true if it is meant", s)
		}
		listen[a] = true
	}
	if d.Enabled() && len(d.Upstreams) == 0 {
		return fail("$.dns", "dns: upstreams are needed, such as - url: 192.168.1.254")
	}
	groups := []struct {
		path string
		list []DNSUpstream
	}{{"upstreams", d.Upstreams}, {"without_clock", d.WithoutClock}}
	for i, z := range d.Zones {
		if !hostName(z.Name) {
			return fail(fmt.Sprintf("$.dns.zones[%d]", i), "zone %q: write a name such as fritz.box", z.Name)
		}
		groups = append(groups, struct {
			path string
			list []DNSUpstream
		}{fmt.Sprintf("zones[%d].upstreams", i), z.Upstreams})
	}
	for _, g := range groups {
		if len(g.list) > upstream.MaxUpstreams {
			return fail("$.dns."+g.path, "%s: use at most %d", g.path, upstream.MaxUpstreams)
		}
		for i, u := range g.list {
			at := fmt.Sprintf("$.dns.%s[%d].url", g.path, i)
			for j, s := range u.Addresses {
				if _, err := netip.ParseAddr(s); err != nil {
					return fail(fmt.Sprintf("$.dns.%s[%d].addresses[%d]", g.path, i, j), "%q is not an address", s)
				}
			}
			c := Group(g.list[i : i+1]).Upstreams[0]
			ends, err := c.Endpoints()
			if err != nil {
				return fail(at, "upstream %q: %v", u.URL, err)
			}
			for _, e := range ends {
				if listen[e] {
					return fail(at, "upstream %q is this resolver itself", u.URL)
				}
			}
		}
	}
	names := map[string]bool{}
	for i, l := range d.Lists {
		at := fmt.Sprintf("$.dns.lists[%d]", i)
		switch {
		case l.Name == "" || names[l.Name]:
			return fail(at, "list %q: each list needs a name of its own", l.Name)
		case l.Path == "":
			return fail(at, "list %q: path is needed, the file with its names", l.Name)
		case l.Category != "" && !event.KnownCategory(event.Category(l.Category)):
			return fail(at+".category", "category %q: use one of %s", l.Category, strings.Join(event.CategoryNames(), ", "))
		}
		names[l.Name] = true
	}
	for i, n := range d.RebindAllow {
		if !hostName(strings.TrimPrefix(n, "*.")) {
			return fail(fmt.Sprintf("$.dns.rebind_allow[%d]", i), "rebind_allow %q: write a name such as nas.example.org", n)
		}
	}
	if d.Domain != "" && !hostName(d.Domain) {
		return fail("$.dns.domain", "domain %q: write a name such as home.arpa", d.Domain)
	}
	if d.Gateway != "" && (!hostName(d.Gateway) || strings.Contains(d.Gateway, ".")) {
		return fail("$.dns.gateway", "gateway %q: write one word, such as yamori", d.Gateway)
	}
	return d.Blocked.check(fail)
}

func (b *DNSBlocked) check(fail func(path, format string, args ...any) error) error {
	switch b.Answer {
	case "", "nxdomain", "refused", "null", "nodata":
		if len(b.Addresses) > 0 {
			return fail("$.dns.blocked.addresses", "addresses are for answer: address")
		}
		return nil
	case "address":
	default:
		return fail("$.dns.blocked.answer", "answer %q: use nxdomain, refused, null, nodata or address", b.Answer)
	}
	v4, v6 := 0, 0
	for i, s := range b.Addresses {
		a, err := netip.ParseAddr(s)
		switch {
		case err != nil || a.Zone() != "" || a.Is4In6():
			return fail(fmt.Sprintf("$.dns.blocked.addresses[%d]", i), "%q is not an address", s)
		case a.Is4():
			v4++
		default:
			v6++
		}
	}
	if v4 > 1 || v6 > 1 || v4+v6 == 0 {
		return fail("$.dns.blocked", "answer: address needs one IPv4 address, one IPv6 address or both")
	}
	return nil
}

// hostName reports whether s can be a name in DNS.
func hostName(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > 253 || strings.ContainsAny(s, "/:*@\\ \t") {
		return false
	}
	for l := range strings.SplitSeq(s, ".") {
		if l == "" || len(l) > 63 {
			return false
		}
	}
	return true
}
