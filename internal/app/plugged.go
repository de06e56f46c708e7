package app

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/capture"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/plugin"
	"github.com/yamori-net/yamori/internal/policy"
	"github.com/yamori-net/yamori/internal/verdict"
)

// plugged leads the traffic of the devices that the owner named here (package
// plugin), as long as the daemon runs. Nothing of it keeps the daemon from
// watching.
type plugged struct {
	w     *Watch
	iface string
	own   atomic.Pointer[ownAddrs]

	mu      sync.Mutex
	cfg     plugin.Config // that runs; no devices: none does
	failed  string        // why it does not
	silent  []string      // named devices without a known address
	state   plugin.State
	told    string // what was logged last
	stopped string // devices that did not find the router again
}

// ownAddrs are this machine's addresses on the interface.
type ownAddrs struct {
	mac  net.HardwareAddr
	is   map[netip.Addr]bool
	nets []netip.Prefix
}

// plugEvery is how often addresses of the named devices, and how it goes, are
// looked at.
const plugEvery = 3 * time.Second

// plugIn makes plug-in mode; nil: it is not wanted.
func (w *Watch) plugIn() *plugged {
	c := &w.Config.Plugin
	if !c.On {
		return nil
	}
	p := &plugged{w: w, iface: firstOf(c.Interface, w.iface)}
	p.look()
	return p
}

// look notes this machine's addresses.
func (p *plugged) look() {
	o := &ownAddrs{is: map[netip.Addr]bool{}}
	if ifc, err := net.InterfaceByName(p.iface); err == nil {
		o.mac = ifc.HardwareAddr
		list, _ := ifc.Addrs()
		for _, a := range list {
			if x, err := netip.ParsePrefix(a.String()); err == nil {
				o.is[x.Addr().WithZone("")] = true
				o.nets = append(o.nets, x.Masked())
			}
		}
	}
	p.own.Store(o)
}

// run leads, until ctx ends, and then tells the truth.
func (p *plugged) run(ctx context.Context) {
	if p == nil {
		return
	}
	t := time.NewTicker(plugEvery)
	defer t.Stop()
	for {
		p.look()
		p.follow()
		select {
		case <-ctx.Done():
			p.halt()
			return
		case <-t.C:
		}
	}
}

// follow makes what runs that which is wanted.
func (p *plugged) follow() {
	want, silent := p.want()
	p.mu.Lock()
	now := p.cfg
	p.silent = silent
	p.mu.Unlock()
	if !reflect.DeepEqual(want, now) {
		if len(now.Devices) > 0 {
			p.halt()
		}
		if len(want.Devices) > 0 {
			err := p.w.rights().StartPlugin(want)
			p.mu.Lock()
			if p.failed = ""; err != nil {
				p.failed = err.Error()
			} else {
				p.cfg, p.stopped = want, ""
			}
			p.mu.Unlock()
			if err == nil {
				p.w.Log.Info("traffic of devices is led here", "interface", p.iface, "devices", len(want.Devices))
			}
		}
	}
	st, err := p.w.rights().PluginState()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state = st; err == nil {
		// Each state of affairs is logged once.
		var text strings.Builder
		for _, x := range p.list() {
			text.WriteString(x.Code + " ")
			for _, a := range x.Args {
				text.WriteString(a.Value + " ")
			}
		}
		if s := text.String(); s != p.told {
			if p.told = s; s != "" {
				p.w.Log.Warn("plug-in mode", "problems", strings.TrimSpace(s))
			} else {
				p.w.Log.Info("plug-in mode: all is well")
			}
		}
	}
}

// halt tells the truth.
func (p *plugged) halt() {
	p.mu.Lock()
	running := len(p.cfg.Devices) > 0
	p.cfg, p.state = plugin.Config{}, plugin.State{}
	p.mu.Unlock()
	if !running {
		return
	}
	if err := p.w.rights().StopPlugin(); err != nil {
		p.w.Log.Error("not all devices were let go", "error", err)
		p.mu.Lock()
		p.stopped = err.Error()
		p.mu.Unlock()
		return
	}
	p.w.Log.Info("the devices have found the router again")
}

// want is what the configuration says, with the addresses that are known.
// silent are the devices of which none is.
func (p *plugged) want() (c plugin.Config, silent []string) {
	set := &p.w.Config.Plugin
	c = plugin.Config{Interface: p.iface, Every: set.Every}
	c.Gateway, _ = set.Router.Host() // checked by config
	for _, d := range set.Devices {
		h, err := d.Host()
		if err != nil {
			continue
		}
		if len(h.Addrs) == 0 {
			h.Addrs = p.known(h.MAC, &c.Gateway)
		}
		if len(h.Addrs) == 0 {
			silent = append(silent, h.MAC.String())
			continue
		}
		c.Devices = append(c.Devices, h)
	}
	return c, silent
}

// maxKnown bounds the addresses of a device that is named by its hardware
// address alone: one of IPv4, and those of IPv6 that privacy makes.
const maxKnown = 8

// known are the addresses that a device has now, of the families that the
// router is named for: those that nobody else had later.
func (p *plugged) known(mac net.HardwareAddr, router *plugin.Host) (out []netip.Addr) {
	own := p.own.Load()
	b := bookOf(p.w.house.Devices.Devices())
	for a, d := range b.by {
		has := slices.ContainsFunc(d.MACs, func(m packet.MAC) bool { return bytes.Equal(m[:], mac) }) || d.HasMAC && bytes.Equal(d.MAC[:], mac)
		near := slices.ContainsFunc(own.nets, func(n netip.Prefix) bool { return n.Contains(a) })
		spoken := slices.ContainsFunc(router.Addrs, func(r netip.Addr) bool { return r.Is4() == a.Is4() })
		if has && near && spoken && !own.is[a] && !a.IsLinkLocalUnicast() && !slices.Contains(router.Addrs, a) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return out[:min(len(out), maxKnown)]
}

// routers are never blocked: without the router nobody has an internet.
func (w *Watch) routerEntries() (out []policy.Entry) {
	if c := &w.Config.Plugin; c.On {
		h, _ := c.Router.Host() // checked by config
		for _, a := range h.Addrs {
			out = append(out, policy.Entry{Kind: policy.Never, Scope: policy.Scope{Dest: a.String()}, Reason: "router"})
		}
	}
	return out
}

// problems are what keeps it from working.
func (p *plugged) problems() []api.Problem {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.list()
}

func (p *plugged) list() (out []api.Problem) {
	add := func(code, what string) {
		out = append(out, api.Problem{Code: code, Args: []api.Pair{{Name: "what", Value: what}}})
	}
	switch {
	case p.w.Priv == nil:
		add("plugin.one_process", "")
		return out
	case p.failed != "":
		add("plugin.failed", strings.TrimPrefix(p.failed, plugin.ErrRefused.Error()+": "))
	case p.state.Code == plugin.NotForwarding:
		add("plugin.not_forwarding", p.state.Problem)
	case p.state.Problem != "":
		add("plugin.interrupted", p.state.Problem)
	}
	if p.state.Hidden != "" {
		add("plugin.hidden", "")
	}
	if p.stopped != "" {
		add("plugin.still_led", p.stopped)
	}
	for _, m := range p.silent {
		add("plugin.no_address", m)
	}
	if p.state.Looked {
		for _, d := range p.cfg.Devices {
			if m := d.MAC.String(); !slices.Contains(p.state.Led, m) {
				add("plugin.not_led", m)
			}
		}
	}
	return out
}

// status says which devices are named, and which of them come by.
func (p *plugged) status() *api.Plugin {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	out := &api.Plugin{Running: p.state.Running, Named: int64(len(p.w.Config.Plugin.Devices)), Led: []string{}}
	out.Led = append(out.Led, p.state.Led...)
	return out
}

// once keeps frames from the passive engine that this machine sends for others:
// they came in by the same interface, and were seen then. What it says of the
// router's address is not the truth either.
func (p *plugged) once(h capture.Handler) capture.Handler {
	if p == nil || p.iface != p.w.iface {
		return h
	}
	return func(f *packet.Frame) verdict.Verdict {
		if f != nil && f.Link == packet.LinkEthernet && p.forOthers(f.Data) {
			return verdict.Verdict{}
		}
		return h(f)
	}
}

// forOthers reports whether this machine sent a frame with an address that is
// not its own.
func (p *plugged) forOthers(b []byte) bool {
	own := p.own.Load()
	if len(b) < 34 || len(own.mac) != 6 || !bytes.Equal(b[6:12], own.mac) {
		return false
	}
	switch binary.BigEndian.Uint16(b[12:]) {
	case 0x0806:
		return !own.is[netip.AddrFrom4([4]byte(b[28:32]))]
	case 0x0800:
		return !own.is[netip.AddrFrom4([4]byte(b[26:30]))]
	case 0x86dd:
		return len(b) >= 38 && !own.is[netip.AddrFrom16([16]byte(b[22:38]))]
	}
	return false
}
