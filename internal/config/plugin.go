package config

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/yamori-net/yamori/internal/plugin"
)

// Plugin names the devices whose traffic is led here although the router is
// another machine; see docs/plugin-mode.md.
type Plugin struct {
	On        bool          `yaml:"on"`
	Interface string        `yaml:"interface"` // that leads to the router and the devices alike; empty: the watched one
	Router    PluginHost    `yaml:"router"`
	Devices   []PluginHost  `yaml:"devices"`
	Every     time.Duration `yaml:"every"` // how often both sides are told; 0: plugin.DefaultEvery
}

// PluginHost is somebody on the home's network.
type PluginHost struct {
	MAC string `yaml:"mac"`
	// Addresses are those that are led, of a router also its link-local one for
	// IPv6. Empty, of a device: the ones it is known to have.
	Addresses []string `yaml:"addresses"`
}

// Host parses what was checked.
func (p PluginHost) Host() (plugin.Host, error) {
	mac, err := net.ParseMAC(p.MAC)
	if err != nil || len(mac) != 6 {
		return plugin.Host{}, fmt.Errorf("mac %q: write a hardware address such as 02:00:5e:10:00:01", p.MAC)
	}
	h := plugin.Host{MAC: mac}
	for _, s := range p.Addresses {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return h, fmt.Errorf("address %q: write an address such as 192.168.1.20", s)
		}
		h.Addrs = append(h.Addrs, a.Unmap())
	}
	return h, nil
}

func (p *Plugin) check(fail func(path, format string, args ...any) error, keep bool) error {
	if !p.On {
		return nil
	}
	switch {
	case keep:
		return fail("$.plugin.on", "plug-in mode needs the process that keeps the privileges, which lets the devices go after a crash; remove privileges: keep")
	case p.Every != 0 && (p.Every < time.Second || p.Every > time.Minute):
		return fail("$.plugin.every", "every %v: use 1s to 1m", p.Every)
	case len(p.Devices) == 0:
		return fail("$.plugin", "plugin: name the devices; nothing is done to others")
	case len(p.Devices) > plugin.MaxDevices:
		return fail("$.plugin.devices", "%d devices, more than %d: make this machine the router instead", len(p.Devices), plugin.MaxDevices)
	case len(p.Router.Addresses) == 0:
		return fail("$.plugin.router", "plugin: name the router with its hardware address and its addresses")
	}
	seen := map[string]bool{}
	for i, d := range append([]PluginHost{p.Router}, p.Devices...) {
		path := "$.plugin.router"
		if i > 0 {
			path = fmt.Sprintf("$.plugin.devices[%d]", i-1)
		}
		h, err := d.Host()
		if err != nil {
			return fail(path, "%v", err)
		}
		if seen[string(h.MAC)] {
			return fail(path, "%s is named twice", h.MAC)
		}
		seen[string(h.MAC)] = true
	}
	return nil
}
