// Package plugin is the last resort: it leads the traffic of devices that the
// owner named through this machine although the router is another one, by
// telling each device that the router's address is at this machine's hardware
// address, and the router that the device's addresses are (ARP, RFC 826;
// neighbour discovery, RFC 4861).
//
// It is off unless the owner says otherwise, and never touches a device that
// was not named. While it runs, the machine has to forward. When it stops it
// tells both sides the truth again, several times; when the machine loses
// power nobody does, and a device asks by itself only after its entry has aged:
// docs/plugin-mode.md says what was measured.
package plugin

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
)

// ErrRefused is wrapped by the errors of a configuration or a machine with
// which it must not begin.
var ErrRefused = errors.New("plug-in mode refused")

// Limits and times.
const (
	// MaxDevices is how many can be named.
	MaxDevices   = 32
	maxAddresses = 16 // of one host

	// DefaultEvery is how often both sides are told: well below the 15 to 45
	// seconds after which Linux asks again (base_reachable_time), and others
	// later.
	DefaultEvery = 5 * time.Second
	minEvery     = time.Second
	maxEvery     = time.Minute

	// maxRate bounds the frames of a second, whatever is configured.
	maxRate = 200

	// restores is how often the truth is told at the end, restoreGap apart: a
	// frame may be lost, and Wi-Fi sleepers listen once in a while.
	restores   = 5
	restoreGap = 300 * time.Millisecond
)

// Host is somebody on the home's network.
type Host struct {
	MAC   net.HardwareAddr `json:"mac"`
	Addrs []netip.Addr     `json:"addrs"` // IPv6: those that traffic comes by; a router's is link-local
}

// Config says whose traffic is led here. Zero fields get the defaults.
type Config struct {
	Interface string        `json:"interface"` // that leads to the router and the devices alike
	Gateway   Host          `json:"gateway"`
	Devices   []Host        `json:"devices"` // named by the owner
	Every     time.Duration `json:"every,omitempty"`
}

// State says how it goes.
type State struct {
	Running bool   `json:"running"`
	Sent    uint64 `json:"sent"`             // frames
	Failed  uint64 `json:"failed,omitempty"` // frames that could not be sent
	// Led names the devices whose traffic was seen to come this way.
	Led []string `json:"led,omitempty"`
	// Looked is set once devices had the time to send something.
	Looked bool `json:"looked,omitempty"`
	// Hidden says what keeps packets from being inspected although they come
	// this way: flow tables of others.
	Hidden string `json:"hidden,omitempty"`
	// Problem is why traffic may be interrupted: the machine stopped forwarding,
	// say. Then the truth is told, and nothing else until it is mended. Code is
	// which one: NotForwarding or NotSending.
	Problem string `json:"problem,omitempty"`
	Code    string `json:"code,omitempty"`
}

// Codes of problems.
const (
	NotForwarding = "forwarding"
	NotSending    = "sending"
)

// check says what is wrong with c, given this machine's own hardware address
// and addresses.
func (c *Config) check(own net.HardwareAddr, addrs []netip.Addr) error {
	bad := func(format string, a ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrRefused}, a...)...)
	}
	if c.Every == 0 {
		c.Every = DefaultEvery
	}
	switch {
	case c.Every < minEvery || c.Every > maxEvery:
		return bad("repeat every %v: choose between %v and %v", c.Every, minEvery, maxEvery)
	case len(c.Devices) == 0:
		return bad("name the devices; nothing is done to others")
	case len(c.Devices) > MaxDevices:
		return bad("%d devices, more than %d: make this machine the router instead", len(c.Devices), MaxDevices)
	}
	seen := map[netip.Addr]string{}
	macs := map[string]bool{}
	for i, h := range append([]Host{c.Gateway}, c.Devices...) {
		who := "the router"
		if i > 0 {
			who = "device " + h.MAC.String()
		}
		switch {
		case len(h.MAC) != 6 || h.MAC[0]&1 != 0 || string(h.MAC) == "\x00\x00\x00\x00\x00\x00":
			return bad("%s has no hardware address of its own", who)
		case slices.Equal(h.MAC, own):
			return bad("%s is this machine", who)
		case macs[string(h.MAC)]:
			return bad("%s is named twice, or is the router", who)
		case len(h.Addrs) == 0 || len(h.Addrs) > maxAddresses:
			return bad("%s has %d addresses; name 1 to %d", who, len(h.Addrs), maxAddresses)
		}
		macs[string(h.MAC)] = true
		for _, a := range h.Addrs {
			switch {
			case !a.IsValid() || a.Is4In6() || a.Zone() != "" || a.IsMulticast() || a.IsUnspecified() || a.IsLoopback() || a == broadcast:
				return bad("%s is no address of one host (%s)", a, who)
			case slices.Contains(addrs, a):
				return bad("%s is an address of this machine (%s)", a, who)
			case seen[a] != "":
				return bad("%s belongs to %s and to %s", a, seen[a], who)
			}
			seen[a] = who
		}
	}
	for _, d := range c.Devices {
		if !slices.ContainsFunc(d.Addrs, func(a netip.Addr) bool {
			return slices.ContainsFunc(c.Gateway.Addrs, func(g netip.Addr) bool { return g.Is4() == a.Is4() })
		}) {
			return bad("device %s and the router have no kind of address in common", d.MAC)
		}
	}
	if n := len(c.frames(nil, own, false)); n > maxRate {
		return bad("%d frames at a time, more than %d: name fewer devices or addresses", n, maxRate)
	}
	return nil
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// frames appends what is sent each time from this machine, own: to each device
// that the router's addresses are here, and to the router that the device's are.
// With truth each address is said to be where it belongs; the frame itself
// still comes from own, for switches learn from it which port a host is at.
func (c *Config) frames(dst [][]byte, own net.HardwareAddr, truth bool) [][]byte {
	tell := func(to, about *Host, router bool) {
		at := own
		if truth {
			at = about.MAC
		}
		for _, a := range about.Addrs {
			i := slices.IndexFunc(to.Addrs, func(t netip.Addr) bool { return t.Is4() == a.Is4() })
			switch {
			case i < 0: // speaks the other family only
			case a.Is4():
				dst = append(dst, Reply(to.MAC, own, at, a, to.Addrs[i]))
			default:
				dst = append(dst, Advertisement(to.MAC, own, at, a, to.Addrs[i], router))
			}
		}
	}
	for i := range c.Devices {
		d := &c.Devices[i]
		tell(d, &c.Gateway, true)
		tell(&c.Gateway, d, false)
	}
	return dst
}

// announcements appends broadcasts of the truth for IPv4.
func (c *Config) announcements(dst [][]byte, own net.HardwareAddr) [][]byte {
	for _, h := range append([]Host{c.Gateway}, c.Devices...) {
		for _, a := range h.Addrs {
			if a.Is4() {
				dst = append(dst, Announce(own, h.MAC, a))
			}
		}
	}
	return dst
}

// interest reports whether an Ethernet frame is ARP of the router or of a named
// device: then entries may just have been set right.
func (c *Config) interest(b []byte) bool {
	if len(b) < etherSize+arpSize || b[12] != 8 || b[13] != 6 {
		return false
	}
	sender := net.HardwareAddr(b[etherSize+8 : etherSize+14])
	return slices.Equal(sender, c.Gateway.MAC) || slices.ContainsFunc(c.Devices, func(d Host) bool { return slices.Equal(sender, d.MAC) })
}
