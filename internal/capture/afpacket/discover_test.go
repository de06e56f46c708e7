package afpacket

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

const heading = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"

// v4 makes a default route of IPv4.
func v4(dev string, metric int) string {
	return fmt.Sprintf("%s\t00000000\t0102000A\t0003\t0\t0\t%d\t00000000\t0\t0\t0\n", dev, metric)
}

// v6 makes a default route of IPv6.
func v6(dev, metric, flags string) string {
	zero := strings.Repeat("0", 32)
	return fmt.Sprintf("%s 00 %s 00 fe80000000000000000000000000%s %s 00000001 00000000 %s %8s\n", zero, zero, "0001", metric, flags, dev)
}

const lan4 = "%s\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"

func dev(name string, flags net.Flags, addrs ...string) iface {
	i := iface{name: name, flags: flags | net.FlagUp}
	for _, a := range addrs {
		i.addrs = append(i.addrs, netip.MustParsePrefix(a))
	}
	return i
}

func TestChoose(t *testing.T) {
	const bc = net.FlagBroadcast
	lo := dev("lo", net.FlagLoopback, "127.0.0.1/8", "::1/128")
	docker := []string{"docker0/bridge", "docker0/lower_veth1", "veth1/brport"}
	for _, c := range []struct {
		name    string
		forward string // of IPv4 and IPv6, "1 0"
		routes  string
		routes6 string
		sys     []string // under /sys/class/net
		ifaces  []iface
		want    string
		why     string
	}{
		{"computer", "0 0", v4("eth0", 100), "", []string{"eth0/device", "wlan0/device"},
			[]iface{lo, dev("wlan0", bc, "192.168.1.8/24"), dev("eth0", bc, "192.168.1.7/24")}, "eth0", "default route"},
		{"lower metric wins", "0 0", v4("wlan0", 600) + v4("eth0", 100), "", nil,
			[]iface{lo, dev("wlan0", bc, "192.168.1.8/24"), dev("eth0", bc, "192.168.1.7/24")}, "eth0", "default route"},
		{"default route over an interface that is down", "0 0", v4("eth0", 100) + v4("wlan0", 600), "", nil,
			[]iface{lo, {name: "eth0"}, dev("wlan0", bc, "192.168.1.8/24")}, "wlan0", "default route"},
		{"IPv6 only", "0 0", "", v6("lo", "ffffffff", "00200200") + v6("eth1", "00000400", "00000003") + v6("eth0", "00000064", "00000003"), nil,
			[]iface{lo, dev("eth0", bc, "2001:db8::7/64"), dev("eth1", bc, "2001:db8:1::7/64")}, "eth0", "default route"},
		{"rejecting default route", "0 0", "", v6("eth0", "00000064", "00200200"), nil,
			[]iface{lo, dev("eth0", bc, "2001:db8::7/64")}, "eth0", "only interface"},
		{"OpenWrt", "1 1", v4("wan", 0), "", []string{"br-lan/bridge", "br-lan/lower_lan1", "lan1/device", "lan1/brport", "wan/device", "br-guest/bridge", "br-guest/lower_wlan1", "wlan1/device"},
			[]iface{lo, dev("wan", bc, "203.0.113.5/24"), dev("br-guest", bc, "192.168.2.1/24"), dev("lan1", bc), dev("br-lan", bc, "fd00::1/60", "192.168.1.1/24")},
			"br-lan", "LAN side of this router (192.168.1.1/24, the default route is on wan); other LAN interfaces: br-guest"},
		{"behind another router, over PPPoE", "1 0", v4("pppoe-wan", 0), "", []string{"eth0/device", "eth1/device"},
			[]iface{lo, dev("eth0", bc, "10.0.0.1/24"), dev("eth1", bc), dev("pppoe-wan", net.FlagPointToPoint, "192.168.9.2/32")}, "eth0", "LAN side"},
		{"two Ethernet ports, private on both", "1 0", fmt.Sprintf(lan4, "eth1") + v4("eth0", 0), "", []string{"eth0/device", "eth1/device"},
			[]iface{lo, dev("eth0", bc, "192.168.0.2/24"), dev("eth1", bc, "192.168.1.1/24")}, "eth1", "LAN side"},
		{"VLAN on a bond", "1 0", v4("eth0", 0), "", []string{"eth0/device", "bond0.5/lower_bond0", "bond0/lower_eth1", "eth1/device"},
			[]iface{lo, dev("eth0", bc, "198.51.100.2/24"), dev("bond0.5", bc, "192.168.1.1/24")}, "bond0.5", "LAN side"},
		{"IPv6 router", "0 1", "", v6("eth0", "00000400", "00000003"), []string{"eth0/device", "eth1/device"},
			[]iface{lo, dev("eth0", bc, "2001:db8::2/64"), dev("eth1", bc, "2001:db8:1::1/64", "fd12::1/64")}, "eth1", "fd12::1/64"},
		{"router that lost its default route", "1 0", "", "", []string{"br-lan/bridge", "br-lan/lower_eth0", "eth0/device", "eth1/device"},
			[]iface{lo, dev("br-lan", bc, "192.168.1.1/24"), dev("eth1", bc, "10.9.9.9/24")}, "br-lan", "LAN side of this router (192.168.1.1/24); other"},
		{"computer with Docker", "1 0", v4("eth0", 0), "", append(docker, "eth0/device"),
			[]iface{lo, dev("eth0", bc, "192.168.1.7/24"), dev("docker0", bc, "172.17.0.1/16"), dev("veth1", bc)}, "eth0", "default route"},
		{"computer with a VPN", "1 0", v4("eth0", 0), "", []string{"eth0/device"},
			[]iface{lo, dev("eth0", bc, "192.168.1.7/24"), dev("wg0", net.FlagPointToPoint, "10.8.0.1/24")}, "eth0", "default route"},
		{"container as router", "1 0", v4("veth0", 0), "", nil,
			[]iface{lo, dev("veth0", bc, "10.0.3.2/24"), dev("veth1", bc, "192.168.1.1/24")}, "veth1", "LAN side"},
		{"one arm", "1 0", "", "", []string{"eth0/device"}, []iface{lo, dev("eth0", bc, "192.168.1.7/24")}, "eth0", "only interface"},
		{"no route, several", "0 0", "", "", nil,
			[]iface{lo, dev("eth0", bc, "192.168.1.7/24"), dev("eth1", bc, "192.168.2.7/24")}, "", "--interface: eth0, eth1"},
		{"link-local only", "0 0", "", "", nil, []iface{lo, dev("eth0", bc, "169.254.1.7/16", "fe80::1/64")}, "", "connect one"},
		{"nothing", "0 0", "", "", nil, []iface{lo}, "", "connect one"},
		{"unreadable routes", "0 0", "eth0 00000000 x\neth0 00000000 0 zz 0 0 0 00000000\n\x00\n", "0 0\n" + v6("eth0", "xyz", "q"), nil,
			[]iface{lo, dev("eth0", bc, "192.168.1.7/24")}, "eth0", "only interface"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f4, f6, _ := strings.Cut(c.forward, " ")
			root := fstest.MapFS{
				"proc/sys/net/ipv4/ip_forward":          {Data: []byte(f4 + "\n")},
				"proc/sys/net/ipv6/conf/all/forwarding": {Data: []byte(f6 + "\n")},
				"proc/net/route":                        {Data: []byte(heading + c.routes)},
			}
			if c.routes6 != "" {
				root["proc/net/ipv6_route"] = &fstest.MapFile{Data: []byte(c.routes6)}
			}
			for _, s := range c.sys {
				root["sys/class/net/"+s+"/x"] = &fstest.MapFile{}
			}
			name, why, err := choose(root, c.ifaces)
			if err != nil {
				why = err.Error()
			}
			if name != c.want || !strings.Contains(why, c.why) || (err != nil) != (c.want == "") || err != nil && !errors.Is(err, ErrNoInterface) {
				t.Errorf("%q because %q, %v; want %q because %q", name, why, err, c.want, c.why)
			}
		})
	}
}

// TestHardwareLoop: devices that claim to stand on each other end the search.
func TestHardwareLoop(t *testing.T) {
	root := fstest.MapFS{"sys/class/net/a/lower_b/x": {}, "sys/class/net/b/lower_a/x": {}}
	if hardware(root, "a", maxStack) {
		t.Error("found hardware in a circle")
	}
}

// TestReadBound: of a huge table the first part is read.
func TestReadBound(t *testing.T) {
	line := fmt.Sprintf(lan4, "eth1")
	text := heading + v4("eth0", 0) + strings.Repeat(line, 2*maxProcFile/len(line))
	root := fstest.MapFS{"proc/net/route": {Data: []byte(text)}}
	if n := len(read(root, "proc/net/route")); n < maxProcFile || n > 2*maxProcFile {
		t.Errorf("%d bytes read", n)
	}
	if r := defaultRoutes(root); len(r) != 1 || r[0].dev != "eth0" {
		t.Errorf("routes %v", r)
	}
}

func FuzzRoutes(f *testing.F) {
	f.Add(heading+v4("eth0", 3), v6("eth0", "00000400", "00000003"))
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, r := range append(parseRoutes4(a), parseRoutes6(b)...) {
			if r.dev == "" {
				t.Error("a route without device")
			}
		}
	})
}

// TestDefaultInterface asks the machine itself; whatever it is, the answer
// names an interface with a reason, or the error says what to do.
func TestDefaultInterface(t *testing.T) {
	name, why, err := DefaultInterface()
	switch {
	case err != nil && (!errors.Is(err, ErrNoInterface) || !strings.Contains(err.Error(), "--interface")):
		t.Error(err)
	case err == nil && (name == "" || why == ""):
		t.Errorf("%q because %q", name, why)
	case err == nil:
		if _, err := net.InterfaceByName(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat("/proc/net/route"); err == nil && len(defaultRoutes(os.DirFS("/"))) > 0 && name == "" {
		t.Error("there is a default route, but nothing was chosen")
	}
}
