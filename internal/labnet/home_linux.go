package labnet

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yamori-net/yamori/internal/labnet/talks"
	"github.com/yamori-net/yamori/internal/netns"
)

// Home is a home and the internet around it.
type Home struct {
	Internet *netns.NS
	Router   *netns.NS
	// Gate is where the gateway under test runs: the router, or the bridge in
	// front of it. LAN names its interface at home, and Tap the one to listen
	// at: a bridge that listens to everything itself makes copies of packets that
	// are still on their way, and NFQUEUE drops the first of each connection then
	// (nf_ct_drop_unconfirmed in nfnetlink_queue.c).
	Gate     *netns.NS
	LAN, Tap string

	opt     Options
	devices []*Device
	spaces  []*netns.NS
	closers []io.Closer
	cert    tls.Certificate
	roots   *x509.CertPool
	heard   map[string]*ear // by conversation
	pieces  atomic.Int64    // into how many bytes servers split what they say; 0: not at all
	logins  atomic.Int64
	trials  atomic.Int64

	meters    sync.Map // number → *meter, of transfers
	lastMeter atomic.Uint64

	ctx    context.Context // of the servers
	cancel context.CancelFunc
	wg     sync.WaitGroup // servers
	mu     sync.Mutex
	active sync.WaitGroup // what uses the namespaces
	closed bool
}

// New makes a home. It takes about half a second.
func New(o Options) (*Home, error) {
	if os.Geteuid() != 0 {
		return nil, ErrPermission
	}
	for _, p := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(p); err != nil {
			return nil, fmt.Errorf("%w: %s (packages iproute2 and nftables)", ErrMissing, p)
		}
	}
	if o.Patience == 0 {
		o.Patience = DefaultPatience
	}
	if !o.Resolver.IsValid() {
		o.Resolver = DNS.Addr(false)
	}
	h := &Home{opt: o, LAN: "br-lan", Tap: "br-lan", heard: map[string]*ear{}}
	for _, t := range talks.All() {
		h.heard[t.Name] = &ear{}
		if t.Mining {
			h.heard[talks.Twin(t).Name] = &ear{}
		}
	}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	err := h.build()
	if err == nil {
		err = h.serveInternet()
	}
	if err == nil {
		err = h.await()
	}
	if err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// space makes a namespace in which addresses are usable at once.
func (h *Home) space(name string) (*netns.NS, error) {
	n, err := netns.New(name)
	if errors.Is(err, netns.ErrPermission) {
		return nil, fmt.Errorf("%w: %w", ErrPermission, err)
	}
	if err != nil {
		return nil, err
	}
	h.spaces = append(h.spaces, n)
	return n, n.Do(func() error {
		// Routers leave what is bridged alone (OpenWrt: sysctl.d/11-br-netfilter.conf);
		// the kernel's own default does not.
		return errors.Join(set("ipv6/conf/default/accept_dad", "0"), set("bridge/bridge-nf-call-iptables", "0"), set("bridge/bridge-nf-call-ip6tables", "0"),
			set("bridge/bridge-nf-call-arptables", "0"))
	})
}

// set writes a setting of the calling thread's namespace.
func set(name, value string) error {
	err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0)
	if errors.Is(err, os.ErrNotExist) && (strings.HasPrefix(name, "ipv6/") || strings.HasPrefix(name, "bridge/")) {
		return nil // a kernel without
	}
	return err
}

// ipBatch runs commands of "ip", one a line, in one go.
func ipBatch(n *netns.NS, text string) error {
	return n.Do(func() error {
		c := exec.Command("ip", "-batch", "-")
		c.Stdin = strings.NewReader(text)
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("in %s: ip: %w: %s", n.Name, err, bytes.TrimSpace(out))
		}
		return nil
	})
}

func nft(n *netns.NS, text string) error {
	return n.Do(func() error {
		c := exec.Command("nft", "-f", "-")
		c.Stdin = strings.NewReader(text)
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("in %s: nft: %w: %s", n.Name, err, bytes.TrimSpace(out))
		}
		return nil
	})
}

// build makes namespaces, links, addresses and routes.
func (h *Home) build() (err error) {
	if h.Internet, err = h.space("internet"); err != nil {
		return err
	}
	if h.Router, err = h.space("router"); err != nil {
		return err
	}
	if err := netns.Join(h.Router, "wan", h.Internet, "isp"); err != nil {
		return err
	}
	net4 := "addr add 203.0.113.1/24 dev isp\nroute add blackhole " + wild4.String() + "\n"
	for _, a := range wildHosts {
		net4 += "addr add " + a + "/32 dev lo\n"
	}
	net6 := "addr add 2001:db8:1::1/64 dev isp nodad\nroute add " + HomeNet6.String() + " via " + Outside6.String() + "\n"
	for s := range servers {
		net4 += "addr add " + s.Addr(false).String() + "/32 dev lo\n"
		net6 += "addr add " + s.Addr(true).String() + "/128 dev lo nodad\n"
	}
	home := h.Router // where the home is plugged in
	port := "lan-%s"
	router := "link add br-lan address " + routerMAC + " type bridge\nlink set br-lan up\n"
	lan := "br-lan"
	if h.opt.Bridge {
		if home, err = h.bridge(); err != nil {
			return err
		}
		router, lan = "link set lan0 down\nlink set lan0 address "+routerMAC+"\nlink set lan0 up\n", "lan0"
	}
	router += "addr add " + Router4.String() + "/24 dev " + lan + "\naddr add " + Outside4.String() + "/24 dev wan\nroute add default via 203.0.113.1\n"
	if h.opt.IPv6 {
		net4 += net6
		router += "addr add " + Router6.String() + "/64 dev " + lan + " nodad\naddr add " + Outside6.String() + "/64 dev wan nodad\nroute add default via 2001:db8:1::1\n"
	}
	if err := errors.Join(ipBatch(h.Internet, net4), ipBatch(h.Router, router), h.Router.Do(func() error {
		return errors.Join(set("ipv4/ip_forward", "1"), set("ipv6/conf/all/forwarding", "1"))
	})); err != nil {
		return err
	}
	if h.Gate == nil {
		h.Gate = h.Router
	}
	for i := range inventory {
		d := &inventory[i]
		if !h.wants(d.Name) {
			continue
		}
		if err := h.plug(d, home, fmt.Sprintf(port, d.Name)); err != nil {
			return err
		}
	}
	return nft(h.Router, fmt.Sprintf(`table ip lab {
		chain out { type nat hook postrouting priority srcnat; policy accept; oifname "wan" masquerade; }
		chain in { type nat hook prerouting priority dstnat; policy accept; iifname "wan" tcp dport %d dnat to %v; }
	}`, loginPort, netip.AddrPortFrom(inventory[nasIndex].IP4, loginPort)))
}

// bridge puts the gateway between the router and a switch, and returns the
// switch.
func (h *Home) bridge() (*netns.NS, error) {
	gate, err := h.space("gate")
	if err != nil {
		return nil, err
	}
	sw, err := h.space("switch")
	if err != nil {
		return nil, err
	}
	h.Gate, h.Tap = gate, "down0"
	mine := "link add br-lan type bridge\nlink set up0 master br-lan\nlink set down0 master br-lan\nlink set br-lan up\n" +
		"addr add " + Gate4.String() + "/24 dev br-lan\nroute add default via " + Router4.String() + "\n"
	if h.opt.IPv6 {
		mine += "addr add " + Gate6.String() + "/64 dev br-lan nodad\nroute add default via " + Router6.String() + "\n"
	}
	for _, err := range []error{
		netns.Join(h.Router, "lan0", gate, "up0"), netns.Join(gate, "down0", sw, "up0"), ipBatch(gate, mine),
		sw.Do(func() error {
			return errors.Join(set("ipv6/conf/all/disable_ipv6", "1"), set("ipv6/conf/default/disable_ipv6", "1"))
		}), // a switch says nothing itself
		ipBatch(sw, "link add br-lan type bridge\nlink set up0 master br-lan\nlink set br-lan up\n"),
	} {
		if err != nil {
			return nil, err
		}
	}
	return sw, nil
}

func (h *Home) wants(name string) bool {
	if len(h.opt.Devices) == 0 {
		return true
	}
	for _, n := range h.opt.Devices {
		if n == name {
			return true
		}
	}
	return false
}

// plug connects a device.
func (h *Home) plug(m *model, home *netns.NS, port string) error {
	n, err := h.space(m.Name)
	if err != nil {
		return err
	}
	d := &Device{model: m, NS: n, home: h}
	text := "link set eth0 down\nlink set eth0 address " + m.MAC.String() + "\nlink set eth0 up\naddr add " + m.IP4.String() + "/24 dev eth0\nroute add default via " + Router4.String() + "\n"
	if h.opt.IPv6 {
		text += "addr add " + m.IP6.String() + "/64 dev eth0 nodad\nroute add default via " + Router6.String() + "\n"
	}
	for _, err := range []error{netns.Join(home, port, n, "eth0"), ipBatch(home, "link set "+port+" master br-lan\n"), ipBatch(n, text)} {
		if err != nil {
			return err
		}
	}
	h.devices = append(h.devices, d)
	return d.serve()
}

// await waits until every device reaches the internet.
func (h *Home) await() error {
	for _, d := range h.devices {
		for _, v6 := range []bool{false, true}[:1+b2i(h.opt.IPv6)] {
			var err error
			for range 50 {
				ctx, cancel := context.WithTimeout(h.ctx, 200*time.Millisecond)
				c, e := d.Dial(ctx, netip.AddrPortFrom(Web.Addr(v6), 80))
				cancel()
				if err = e; err == nil {
					_ = c.Close()
					break
				}
				time.Sleep(20 * time.Millisecond)
			}
			if err != nil {
				return fmt.Errorf("the lab's %s does not reach its internet: %w", d.Name, err)
			}
		}
	}
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Nets are the networks of the home.
func (h *Home) Nets() []netip.Prefix {
	if h.opt.IPv6 {
		return []netip.Prefix{HomeNet4, HomeNet6}
	}
	return []netip.Prefix{HomeNet4}
}

// Spaces lists all namespaces.
func (h *Home) Spaces() []*netns.NS { return h.spaces }

// Heard is how many messages of conversations of this name, from clients, have
// arrived at the server, in clear or inside TLS. What a gateway stops on the
// way is not among them.
func (h *Home) Heard(talk string) int {
	if e := h.heard[talk]; e != nil {
		return int(e.messages.Load())
	}
	return 0
}

// ear is what servers have heard of a conversation: whole messages, and bytes.
type ear struct{ messages, bytes atomic.Int64 }

// begin says that the namespaces are being used; it is false when they are
// gone.
func (h *Home) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.active.Add(1)
	}
	return !h.closed
}

// Close ends everything: what devices do is broken off, and the namespaces are
// gone when it returns, but for programs that others started in them.
func (h *Home) Close() {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return
	}
	h.closed = true
	h.mu.Unlock()
	h.cancel()
	for _, c := range h.closers {
		_ = c.Close()
	}
	h.active.Wait()
	h.wg.Wait()
	for _, n := range h.spaces {
		n.Close()
	}
}
