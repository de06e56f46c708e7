package afpacket

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// ErrNoInterface is wrapped by the error of DefaultInterface when nothing is
// worth watching by itself.
var ErrNoInterface = errors.New("no interface to watch was found")

// DefaultInterface chooses the interface to watch when nobody named one, and
// says why. On a router that is the LAN side: an interface with a private
// address that carries no default route, a bridge before others. On any other
// machine it is the interface of the default route.
func DefaultInterface() (name, why string, err error) {
	list, err := net.Interfaces()
	if err != nil {
		return "", "", fmt.Errorf("%w: %w", ErrNoInterface, err)
	}
	var all []iface
	for _, i := range list {
		it := iface{name: i.Name, flags: i.Flags}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it vanished meanwhile
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				it.addrs = append(it.addrs, p)
			}
		}
		all = append(all, it)
	}
	return choose(os.DirFS("/"), all)
}

// iface is what the choice goes by.
type iface struct {
	name  string
	flags net.Flags
	addrs []netip.Prefix
}

// private returns the first private IPv4 address or, failing that, unique
// local IPv6 address (RFC 1918, RFC 4193).
func (i *iface) private() (p netip.Prefix, ok bool) {
	for _, a := range i.addrs {
		if !a.Addr().Unmap().IsPrivate() {
			continue
		}
		if a.Addr().Unmap().Is4() {
			return a, true
		}
		if !ok {
			p, ok = a, true
		}
	}
	return p, ok
}

// routable reports whether the interface has an address beyond its link.
func (i *iface) routable() bool {
	return slices.ContainsFunc(i.addrs, func(p netip.Prefix) bool { return p.Addr().IsGlobalUnicast() })
}

// choose decides from /proc and /sys under root and the list of interfaces.
func choose(root fs.FS, all []iface) (name, why string, err error) {
	routes := defaultRoutes(root)
	up := slices.DeleteFunc(slices.Clone(all), func(i iface) bool {
		return i.flags&net.FlagUp == 0 || i.flags&net.FlagLoopback != 0
	})
	routes = slices.DeleteFunc(routes, func(r route) bool {
		return !slices.ContainsFunc(up, func(i iface) bool { return i.name == r.dev })
	})
	if name, why := lanSide(root, up, routes); name != "" {
		return name, why, nil
	}
	if len(routes) > 0 {
		return routes[0].dev, "it carries the default route", nil
	}
	var names []string
	for i := range up {
		if up[i].routable() {
			names = append(names, up[i].name)
		}
	}
	switch len(names) {
	case 1:
		return names[0], "it is the only interface with an address", nil
	case 0:
		return "", "", fmt.Errorf("%w: none but loopback is up and has an address; connect one or name one with --interface", ErrNoInterface)
	}
	return "", "", fmt.Errorf("%w: there is no default route, and several have addresses; name one with --interface: %s",
		ErrNoInterface, strings.Join(names, ", "))
}

// lanSide returns the LAN interface of a router, or nothing on another machine.
func lanSide(root fs.FS, up []iface, routes []route) (name, why string) {
	if !forwards(root) {
		return "", ""
	}
	var found []iface
	sides := 0 // interfaces a router could stand between
	for _, i := range up {
		_, private := i.private()
		wan := slices.ContainsFunc(routes, func(r route) bool { return r.dev == i.name })
		if wan {
			sides++
			continue
		}
		// VPNs are point to point. Members of a bridge are seen through it.
		// Bridges that lead to no hardware are those of containers and
		// virtual machines: a computer with Docker forwards, but is no router.
		if !private || i.flags&net.FlagPointToPoint != 0 || exists(root, "sys/class/net/"+i.name+"/brport") ||
			!leadsOut(root, i.name, up) {
			continue
		}
		sides++
		found = append(found, i)
	}
	if sides < 2 || len(found) == 0 {
		return "", ""
	}
	slices.SortStableFunc(found, func(a, b iface) int {
		return cmp.Or(cmp.Compare(rank(root, &a), rank(root, &b)), cmp.Compare(a.name, b.name))
	})
	best := found[0]
	addr, _ := best.private()
	why = fmt.Sprintf("it is the LAN side of this router (%s", addr)
	if len(routes) > 0 {
		why += ", the default route is on " + routes[0].dev
	}
	why += ")"
	if len(found) > 1 {
		var others []string
		for _, i := range found[1:] {
			others = append(others, i.name)
		}
		why += "; other LAN interfaces: " + strings.Join(others, ", ")
	}
	return best.name, why
}

// rank orders LAN interfaces: OpenWrt's name for the LAN first, then bridges,
// then what is called a LAN, then the rest.
func rank(root fs.FS, i *iface) int {
	switch {
	case i.name == "br-lan":
		return 0
	case exists(root, "sys/class/net/"+i.name+"/bridge"):
		return 1
	case strings.Contains(i.name, "lan") && !strings.HasPrefix(i.name, "wlan"):
		return 2
	}
	return 3
}

// forwards reports whether the machine routes IPv4 or IPv6.
func forwards(root fs.FS) bool {
	for _, f := range []string{"proc/sys/net/ipv4/ip_forward", "proc/sys/net/ipv6/conf/all/forwarding"} {
		if s := strings.TrimSpace(read(root, f)); s != "" && s != "0" {
			return true
		}
	}
	return false
}

// maxStack bounds how many devices stand upon each other.
const maxStack = 4

// leadsOut reports whether frames of the interface can leave the machine: it
// is hardware or stands on some (bridge, bond, VLAN). Where no interface is
// hardware, in a container or a laboratory of namespaces, all do.
func leadsOut(root fs.FS, name string, up []iface) bool {
	if hardware(root, name, maxStack) {
		return true
	}
	return !slices.ContainsFunc(up, func(i iface) bool { return hardware(root, i.name, maxStack) })
}

// hardware follows the links that the kernel keeps to the devices below.
func hardware(root fs.FS, name string, depth int) bool {
	dir := "sys/class/net/" + name
	if exists(root, dir+"/device") {
		return true
	}
	if depth == 0 {
		return false
	}
	entries, err := fs.ReadDir(root, dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if below, ok := strings.CutPrefix(e.Name(), "lower_"); ok && hardware(root, below, depth-1) {
			return true
		}
	}
	return false
}

func exists(root fs.FS, name string) bool {
	_, err := fs.Stat(root, name)
	return err == nil
}
