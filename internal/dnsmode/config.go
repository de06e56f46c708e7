// Package dnsmode is the home's resolver: it forwards to upstreams, keeps
// answers, refuses the names that lists, findings and the policy of a device
// forbid, and answers what belongs to the home itself. It is the mode for homes
// whose router stays as it is. When something of it fails, answers go on as
// long as they can, and Health says what is wrong.
package dnsmode

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/yamori-net/yamori/internal/dnsmode/cache"
	"github.com/yamori-net/yamori/internal/dnsmode/lists"
	"github.com/yamori-net/yamori/internal/dnsmode/upstream"
)

// Config says how the home's DNS is answered. Of the zero value only Listen
// and Upstreams must be filled in.
type Config struct {
	// Listen are addresses of the gateway in the home. Addresses that the
	// internet can reach are refused unless PublicListen is set.
	Listen       []netip.AddrPort
	PublicListen bool
	// Open opens the TCP listener or the UDP socket of an address, for a process
	// that may not; nil: the server does.
	Open func(stream bool, at netip.AddrPort) (*os.File, error)
	// Interface binds the sockets to one interface (Linux); empty: none.
	Interface string
	// Clients may ask beside private, link-local and loopback addresses: the
	// home's public IPv6 networks. Home, if set, is asked about others.
	Clients []netip.Prefix
	Home    func(netip.Addr) bool

	Upstreams upstream.GroupConfig
	// WithoutClock are asked instead while the clock is plainly wrong: a router
	// without a battery starts in 1970, no certificate holds then, and setting
	// the clock needs names. Plain upstreams; empty: none, and TLS fails until then.
	WithoutClock upstream.GroupConfig
	// Zones are asked elsewhere, or not at all. Their answers may hold private
	// addresses.
	Zones []Zone
	// Timeout bounds one question with all attempts; 4.5 s, just less than
	// clients wait.
	Timeout time.Duration
	Cache   cache.Config
	// KeepSubnet passes a client subnet (RFC 7871) on; else it is taken off.
	KeepSubnet bool

	// Domain is the home's own (RFC 8375); home.arpa. Gateway is the gateway's
	// name in it; yamori. GatewayAddresses are its addresses; those of Listen.
	Domain           string
	Gateway          string
	GatewayAddresses []netip.Addr
	Names            Names // devices of the home; nil: none

	Policy Decider // nil: nothing is decided by device
	Lists  lists.Limits
	// Blocked is how refused names are answered.
	Blocked Form
	// BlockTTL is how long clients may remember a refusal; 30 s.
	BlockTTL time.Duration

	// RebindAllow are names, with all below them, that may have private
	// addresses; AllowRebind lets all.
	RebindAllow []string
	AllowRebind bool
	// AllowBrowserDoH answers the canary name with which Firefox asks whether
	// it may go round the home's DNS as if nobody cared. BlockRelay asks Apple
	// devices not to send DNS and web traffic round through iCloud Private Relay.
	AllowBrowserDoH bool
	BlockRelay      bool

	// Rate is how many questions a second one client may ask on average, Burst
	// how many at once; 200 and 400. Negative: no limit.
	Rate, Burst int

	// OnBlock is told of each refusal, on the goroutine that answers: it must
	// not wait. There is no log of what is asked.
	OnBlock func(Blocked)
	// In runs what opens sockets; for another network namespace.
	In func(func() error) error
	// Now is the clock; time.Now.
	Now func() time.Time
}

// Zone is a part of the tree of names with upstreams of its own: the router's
// own domain, a company's. Without upstreams it is denied here.
type Zone struct {
	Name      string
	Upstreams upstream.GroupConfig
}

// Names knows the devices of the home.
type Names interface {
	// Addresses gives those of a device; name is one label in lower case.
	Addresses(name string) []netip.Addr
	// Name gives a device's name, one label; empty: not known.
	Name(netip.Addr) string
}

// Errors of a configuration.
var (
	ErrListen = errors.New("the internet can reach this address")
	ErrAny    = errors.New("name the gateway's addresses in the home instead of all addresses")
	ErrLoop   = errors.New("the upstream is this resolver itself")
	ErrName   = errors.New("not a name")
)

// Limits of a configuration.
const (
	maxListen = 16
	maxZones  = 64
	maxAllow  = 1024
)

// CheckListen says whether the resolver may stand at an address: private,
// link-local and loopback ones are never reached from the internet.
func CheckListen(a netip.AddrPort) error {
	ip := a.Addr().Unmap()
	switch {
	case !ip.IsValid() || ip.IsUnspecified():
		return fmt.Errorf("%s: %w", a, ErrAny)
	case ip.IsMulticast() || !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast():
		return fmt.Errorf("%s: %w", a, ErrListen)
	}
	return nil
}

// sane is a time that has certainly come.
var sane = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (c *Config) check() error {
	if len(c.Listen) == 0 {
		return errors.New("no address to listen on")
	}
	if len(c.Listen) > maxListen || len(c.Zones) > maxZones || len(c.RebindAllow) > maxAllow || len(c.Clients) > maxAllow {
		return fmt.Errorf("more than %d addresses, %d zones, or %d exceptions or networks", maxListen, maxZones, maxAllow)
	}
	for _, a := range c.Listen {
		if err := CheckListen(a); err != nil && !(c.PublicListen && errors.Is(err, ErrListen)) {
			return err
		}
	}
	for _, u := range c.upstreams() {
		if _, err := u.Endpoints(); err != nil {
			return err
		}
	}
	for _, a := range c.endpoints() {
		for _, l := range c.Listen {
			if a == l && a.Port() != 0 {
				return fmt.Errorf("%s: %w", a, ErrLoop)
			}
		}
	}
	if c.Domain == "" {
		c.Domain = "home.arpa"
	}
	if c.Gateway == "" {
		c.Gateway = "yamori"
	}
	names := []*string{&c.Domain, &c.Gateway}
	c.Zones = append([]Zone(nil), c.Zones...)
	for i := range c.Zones {
		names = append(names, &c.Zones[i].Name)
	}
	c.RebindAllow = append([]string(nil), c.RebindAllow...)
	for i := range c.RebindAllow {
		names = append(names, &c.RebindAllow[i])
	}
	for _, n := range names {
		s := strings.TrimPrefix(strings.TrimSuffix(strings.ToLower(*n), "."), "*.")
		if _, ok := dns.IsDomainName(s); !ok || s == "" {
			return fmt.Errorf("%q: %w", *n, ErrName)
		}
		*n = s
	}
	if strings.Contains(c.Gateway, ".") {
		return fmt.Errorf("%q: %w: the gateway's name is one word", c.Gateway, ErrName)
	}
	if len(c.GatewayAddresses) == 0 {
		for _, a := range c.Listen {
			if !a.Addr().IsLoopback() && a.Addr().Zone() == "" {
				c.GatewayAddresses = append(c.GatewayAddresses, a.Addr().Unmap())
			}
		}
	}
	if c.Timeout <= 0 {
		c.Timeout = 4500 * time.Millisecond
	}
	if c.BlockTTL <= 0 {
		c.BlockTTL = 30 * time.Second
	}
	if c.Rate == 0 {
		c.Rate = 200
	}
	if c.Burst <= 0 {
		c.Burst = 2 * c.Rate
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.In == nil {
		c.In = func(f func() error) error { return f() }
	}
	return c.Blocked.check()
}

// upstreams are all of the configuration.
func (c *Config) upstreams() []upstream.Config {
	out := append([]upstream.Config(nil), c.Upstreams.Upstreams...)
	out = append(out, c.WithoutClock.Upstreams...)
	for _, z := range c.Zones {
		out = append(out, z.Upstreams.Upstreams...)
	}
	return out
}

// endpoints are where they are reached.
func (c *Config) endpoints() (out []netip.AddrPort) {
	for _, u := range c.upstreams() {
		at, _ := u.Endpoints() // checked before
		out = append(out, at...)
	}
	return out
}

// under reports whether name is zone or below it; both without the last dot.
func under(name, zone string) bool {
	return strings.HasSuffix(name, zone) && (len(name) == len(zone) || name[len(name)-len(zone)-1] == '.')
}
