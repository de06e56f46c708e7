package dnsmode

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/yamori-net/yamori/internal/dnsmode/upstream"
	"github.com/yamori-net/yamori/internal/netns"
)

// TestInNamespaces puts the resolver between a home and an internet of its own.
func TestInNamespaces(t *testing.T) {
	var ns []*netns.NS
	for _, name := range []string{"home", "gateway", "internet"} {
		n, err := netns.New(name)
		if errors.Is(err, netns.ErrPermission) {
			t.Skipf("network namespaces: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(n.Close)
		ns = append(ns, n)
	}
	home, gw, inet := ns[0], ns[1], ns[2]
	for _, err := range []error{
		netns.Join(home, "eth0", gw, "lan0"), netns.Join(inet, "eth0", gw, "wan0"),
		home.Script("ip addr add 192.168.77.20/24 dev eth0\nip route add default via 192.168.77.1"),
		gw.Script("ip addr add 192.168.77.1/24 dev lan0\nip addr add 203.0.113.1/24 dev wan0"),
		inet.Script("ip addr add 203.0.113.53/24 dev eth0\nip route add 192.168.77.0/24 via 203.0.113.1"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var out net.PacketConn
	if err := inet.Do(func() (err error) { out, err = net.ListenPacket("udp", "203.0.113.53:53"); return err }); err != nil {
		t.Fatal(err)
	}
	srv := &dns.Server{PacketConn: out, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) { _ = w.WriteMsg(records(t, 0, www)(q, false)) })}
	go func() { _ = srv.ActivateAndServe() }()
	defer out.Close()

	in := func(n *netns.NS) upstream.Dial {
		return func(ctx context.Context, network, addr string) (c net.Conn, err error) {
			err = n.Do(func() (err error) { c, err = new(net.Dialer).DialContext(ctx, network, addr); return err })
			return c, err
		}
	}
	listen := netip.MustParseAddrPort("192.168.77.1:53")
	s, err := New(Config{Listen: []netip.AddrPort{listen}, Interface: "lan0", In: gw.Do,
		Upstreams: upstream.GroupConfig{Upstreams: []upstream.Config{{URL: "203.0.113.53", Dial: in(gw)}}}})
	if err != nil {
		t.Fatal(err)
	}
	run(t, s)
	ask := func(from *netns.NS, network, to string, patience time.Duration) (*dns.Msg, error) {
		c, err := in(from)(context.Background(), network, to)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(patience))
		co := &dns.Conn{Conn: c}
		if err := co.WriteMsg(question("www.example.", dns.TypeA)); err != nil {
			return nil, err
		}
		return co.ReadMsg()
	}
	for _, network := range []string{"udp", "tcp"} {
		if m, err := ask(home, network, "192.168.77.1:53", 10*time.Second); err != nil || len(m.Answer) != 1 {
			t.Errorf("%s from the home: %v %v", network, m, err)
		}
	}
	// Nothing stands at the outer address, and who comes in from there to the
	// inner one meets the interface that the socket is bound to.
	for _, to := range []string{"203.0.113.1:53", "192.168.77.1:53"} {
		if m, err := ask(inet, "udp", to, 500*time.Millisecond); err == nil {
			t.Errorf("the internet is answered at %s: %v", to, m)
		}
	}
}
