// Package labnet makes a home in network namespaces: an internet with pools,
// web servers and worse, a router, and a camera, a NAS, a PC, a TV and a phone
// that do what such devices do, well or infected. Tests of the gateway and the
// command "yamori lab" play in it.
//
// # What it is made of
//
//	internet ── router[br-lan] ── camera, nas, pc, tv, phone          a router
//	internet ── router ── gate[br-lan] ── switch ── camera, nas, …    Options.Bridge
//
// The gateway under test runs in Home.Gate. The router masquerades IPv4 and,
// with Options.IPv6, routes IPv6; it forwards one port to the NAS, as homes do.
//
// # Nothing leaves it
//
// A namespace is a thread of this process, so everything ends with it, whatever
// ends it. No interface of the outside is in it and no route leads out: the
// internet is the end of the world, and has no default route. The devices'
// programs are goroutines whose sockets are opened inside. There is no malware:
// what scans or guesses is a loop with a bound, and refuses any address that is
// not of the lab.
package labnet

import (
	"errors"
	"net/netip"
	"time"
)

// ErrPermission is wrapped by the error of New without root.
var ErrPermission = errors.New("the lab needs root, to make network namespaces")

// ErrMissing is wrapped by the error of New when a program is missing that it
// needs.
var ErrMissing = errors.New("the lab needs a program that is not there")

// ErrClosed is returned by what is asked of a home that is closed.
var ErrClosed = errors.New("the lab is closed")

// ErrOutside is returned for an address that is not of the lab.
var ErrOutside = errors.New("the address is not of the lab")

// Options say what home to make.
type Options struct {
	Bridge bool // the gateway is a transparent bridge between router and switch
	IPv6   bool // the devices have IPv6 as well
	// Devices names those to make, of DeviceNames; none: all.
	Devices []string
	// Patience is how long a device waits for a connection or an answer before
	// it gives up; 0: DefaultPatience.
	Patience time.Duration
	// Resolver is whom the devices ask for names; zero: the internet's server.
	Resolver netip.Addr
}

// DefaultPatience is long beside anything that happens in a lab, so that giving
// up means being blocked.
const DefaultPatience = 2 * time.Second

// Addresses of the lab, all from the ranges for documentation (RFC 5737, RFC
// 3849) but for those of the home.
var (
	HomeNet4 = netip.MustParsePrefix("192.168.50.0/24")
	HomeNet6 = netip.MustParsePrefix("2001:db8:50::/64")
	// Router is the router's address at home; Gate the bridge's, with
	// Options.Bridge.
	Router4 = netip.MustParseAddr("192.168.50.1")
	Router6 = netip.MustParseAddr("2001:db8:50::1")
	Gate4   = netip.MustParseAddr("192.168.50.2")
	Gate6   = netip.MustParseAddr("2001:db8:50::2")
	// Outside is the router's address on the internet.
	Outside4 = netip.MustParseAddr("203.0.113.2")
	Outside6 = netip.MustParseAddr("2001:db8:1::2")

	servers4 = netip.MustParsePrefix("198.51.100.0/24")
	servers6 = netip.MustParsePrefix("2001:db8:100::/64")
	// wild4 is where scanners look; a few of its addresses answer.
	wild4 = netip.MustParsePrefix("192.0.2.0/24")
)

// inside reports whether a belongs to the lab.
func inside(a netip.Addr) bool {
	for _, p := range [...]netip.Prefix{HomeNet4, HomeNet6, servers4, servers6, wild4, netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8:1::/64")} {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Server is a host of the internet: its last number, in both families.
type Server byte

// Servers.
const (
	DNS     Server = 53
	Pool    Server = 33
	C2      Server = 66
	Web     Server = 80
	Video   Server = 81
	Cloud   Server = 83 // MQTT, print farm and the like
	Update  Server = 90
	Scanner Server = 99 // a client: where attacks come from
	Time    Server = 123
)

// servers are all of them, and the names by which they are found. The pool's
// names are those of real pools, known in the lab alone.
var servers = map[Server][]string{
	DNS: {"dns.lab.example"}, Pool: {"pool.lab.example", "xmr.2miners.com", "xmr-eu1.nanopool.org"}, C2: {"cnc.lab.example"},
	Web: {"www.lab.example", "news.lab.example"}, Video: {"video.lab.example"}, Cloud: {"cloud.lab.example", "mqtt.lab.example"},
	Update: {"update.lab.example"}, Scanner: {"scanner.lab.example"}, Time: {"time.lab.example"},
}

// Addr is the server's address.
func (s Server) Addr(v6 bool) netip.Addr {
	if v6 {
		a := servers6.Addr().As16()
		a[14], a[15] = byte(s)/100, byte(s)%100/10<<4|byte(s)%10 // readable: 2001:db8:100::123
		return netip.AddrFrom16(a)
	}
	a := servers4.Addr().As4()
	a[3] = byte(s)
	return netip.AddrFrom4(a)
}
