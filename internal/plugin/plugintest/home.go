// Package plugintest makes a home on one switch, for tests: a router, a client,
// somebody who is not to be touched, and a box that leads traffic by itself.
package plugintest

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/yamori-net/yamori/internal/netns"
	"github.com/yamori-net/yamori/internal/plugin"
)

// Home is the home. Hosts are namespaces; the interface of each is "eth0".
type Home struct {
	Internet, Router, Switch, Client, Other, Box *netns.NS
}

// Where hosts are. The link-local addresses end alike.
const (
	RouterIP, ClientIP, OtherIP, BoxIP = "192.168.77.1", "192.168.77.20", "192.168.77.30", "192.168.77.2"
	Router6, Client6                   = "fe80::1", "fd77::20"
	server                             = "198.51.100.10"
	port                               = 4711
)

// MAC is the hardware address of a host by the end of its address.
func MAC(ip string) string {
	n := 0
	_, _ = fmt.Sscanf(ip[strings.LastIndexByte(ip, '.')+1:], "%d", &n)
	return fmt.Sprintf("02:00:00:00:77:%02x", n)
}

// New makes a home, without anything running in the box.
func New() (*Home, error) {
	h := &Home{}
	for name, n := range map[string]**netns.NS{"internet": &h.Internet, "router": &h.Router, "switch": &h.Switch, "client": &h.Client, "other": &h.Other, "box": &h.Box} {
		var err error
		if *n, err = netns.New(name); err != nil {
			h.Close()
			return nil, err
		}
	}
	if err := h.wire(); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// Close ends it.
func (h *Home) Close() {
	for _, n := range []*netns.NS{h.Internet, h.Router, h.Switch, h.Client, h.Other, h.Box} {
		if n != nil {
			n.Close()
		}
	}
}

func (h *Home) wire() error {
	if err := h.Switch.Script("ip link add br0 type bridge\nip link set br0 up"); err != nil {
		return err
	}
	for i, host := range []struct {
		ns     *netns.NS
		ip, v6 string
	}{{h.Router, RouterIP, ""}, {h.Client, ClientIP, Client6}, {h.Other, OtherIP, "fd77::30"}, {h.Box, BoxIP, "fd77::2"}} {
		p := fmt.Sprintf("p%d", i)
		if err := netns.Join(h.Switch, p, host.ns, "eth0"); err != nil {
			return err
		}
		last := host.ip[strings.LastIndexByte(host.ip, '.')+1:]
		text := fmt.Sprintf("ip link set eth0 down\nip link set eth0 address %s addrgenmode none\nip link set eth0 up\nip addr add %s/24 dev eth0\nip addr add fe80::%s/64 dev eth0 nodad\n",
			MAC(host.ip), host.ip, last)
		if host.v6 != "" {
			text += "ip addr add " + host.v6 + "/64 dev eth0 nodad\nip route add default via " + RouterIP + "\nip -6 route add default via " + Router6 + " dev eth0\n"
		}
		if err := host.ns.Script(text); err != nil {
			return err
		}
		if err := h.Switch.Run("ip", "link", "set", p, "master", "br0"); err != nil {
			return err
		}
	}
	if err := netns.Join(h.Router, "wan", h.Internet, "eth0"); err != nil {
		return err
	}
	err := h.Router.Script("ip addr add 198.51.100.1/24 dev wan\nip addr add fd78::1/64 dev wan nodad\nip addr add fd77::1/64 dev eth0 nodad")
	if err != nil {
		return err
	}
	err = h.Internet.Script("ip addr add " + server + "/24 dev eth0\nip addr add fd78::10/64 dev eth0 nodad\nip route add default via 198.51.100.1\nip -6 route add default via fd78::1")
	if err != nil {
		return err
	}
	for _, n := range []*netns.NS{h.Router, h.Box} {
		if err := Forward(n, true); err != nil {
			return err
		}
	}
	return nil
}

// Forward switches the forwarding of a host on or off.
func Forward(n *netns.NS, on bool) error {
	v := "0"
	if on {
		v = "1"
	}
	for _, s := range []string{"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"} {
		if err := n.Run("sh", "-c", "echo "+v+" > /proc/sys/"+s); err != nil {
			return err
		}
	}
	return nil
}

// Config is what the owner of the home says: the client's traffic by the box.
func Config() plugin.Config {
	mac := func(ip string) net.HardwareAddr {
		m, _ := net.ParseMAC(MAC(ip))
		return m
	}
	return plugin.Config{
		Interface: "eth0", Every: time.Second,
		Gateway: plugin.Host{MAC: mac(RouterIP), Addrs: []netip.Addr{netip.MustParseAddr(RouterIP), netip.MustParseAddr(Router6)}},
		Devices: []plugin.Host{{MAC: mac(ClientIP), Addrs: []netip.Addr{netip.MustParseAddr(ClientIP), netip.MustParseAddr(Client6)}}},
	}
}

// Neighbour says at which hardware address a host believes ip to be.
func Neighbour(n *netns.NS, ip string) string {
	out, err := n.Output("ip", "neigh", "show", ip)
	if err != nil {
		return err.Error()
	}
	if _, rest, ok := strings.Cut(string(out), "lladdr "); ok {
		return strings.Fields(rest)[0]
	}
	return ""
}

// Poke has a host send a datagram to ip, and so find out where that is.
func Poke(n *netns.NS, ip string) error {
	return n.Do(func() error {
		c, err := net.Dial("udp4", ip+":9")
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		_, err = c.Write([]byte("x"))
		return err
	})
}

// Talk is a host that asks the internet for an echo all the time.
type Talk struct {
	conn, srv net.PacketConn
	to        net.Addr
	mu        sync.Mutex
	last      time.Time // answer
	gap       time.Duration
	answers   int
	stop      chan struct{}
	wg        sync.WaitGroup
}

// NewTalk begins to talk, twenty times a second, from the client.
func (h *Home) NewTalk(v6 bool) (*Talk, error) {
	t := &Talk{stop: make(chan struct{}), last: time.Now()}
	addr := net.UDPAddr{IP: net.ParseIP(server), Port: port}
	if v6 {
		addr.IP = net.ParseIP("fd78::10")
	}
	t.to = &addr
	listen := func(c *net.PacketConn, a string) func() error {
		return func() (err error) { *c, err = net.ListenPacket("udp", a); return err }
	}
	if err := h.Internet.Do(listen(&t.srv, fmt.Sprintf("[%s]:%d", addr.IP, port))); err != nil {
		return nil, err
	}
	from := ":0"
	if !v6 {
		from = "0.0.0.0:0"
	}
	if err := h.Client.Do(listen(&t.conn, from)); err != nil {
		return nil, err
	}
	t.wg.Go(func() {
		var b [16]byte
		for {
			n, from, err := t.srv.ReadFrom(b[:])
			if err != nil {
				return
			}
			_, _ = t.srv.WriteTo(b[:n], from)
		}
	})
	t.wg.Go(func() {
		var b [16]byte
		for {
			if _, _, err := t.conn.ReadFrom(b[:]); err != nil {
				return
			}
			t.mu.Lock()
			t.gap = max(t.gap, time.Since(t.last))
			t.last = time.Now()
			t.answers++
			t.mu.Unlock()
		}
	})
	t.wg.Go(func() {
		for {
			_, _ = t.conn.WriteTo([]byte("x"), t.to)
			select {
			case <-t.stop:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
	return t, nil
}

// Mark begins a new measurement.
func (t *Talk) Mark() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gap, t.answers = 0, 0
}

// Gap is the longest time without an answer since Mark, and how many answers
// there were.
func (t *Talk) Gap() (time.Duration, int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(t.gap, time.Since(t.last)), t.answers
}

// Close ends the talk.
func (t *Talk) Close() {
	close(t.stop)
	_, _ = t.conn.Close(), t.srv.Close()
	t.wg.Wait()
}
