package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/api/client"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/netns"
)

// askName asks the gateway for the address of a name; "": it is refused.
func askName(from *netns.NS, network, name string) (addr string, err error) {
	err = from.Do(func() error {
		c := dns.Client{Net: network, Timeout: 3 * time.Second}
		m, _, err := c.Exchange(new(dns.Msg).SetQuestion(name, dns.TypeA), "192.168.9.1:53")
		if err != nil {
			return err
		}
		if len(m.Answer) > 0 {
			addr = m.Answer[0].(*dns.A).A.String()
		} else if m.Rcode != dns.RcodeNameError {
			addr = dns.RcodeToString[m.Rcode]
		}
		return nil
	})
	return addr, err
}

// nameserver answers every question for an address with 203.0.113.80, at
// 198.51.100.53.
func nameserver(t *testing.T) {
	t.Helper()
	world, err := netns.New("nameserver")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(world.Close)
	sh(t, "ip link add dns0 type veth peer name eth0 netns "+world.Path(), "ip link set dns0 up", "ip addr add 198.51.100.1/24 dev dns0")
	t.Cleanup(func() { sh(t, "ip link del dns0") })
	if err := world.Script("ip link set eth0 up\nip addr add 198.51.100.53/24 dev eth0"); err != nil {
		t.Fatal(err)
	}
	var pcn net.PacketConn
	if err := world.Do(func() (err error) { pcn, err = net.ListenPacket("udp", "198.51.100.53:53"); return err }); err != nil {
		t.Fatal(err)
	}
	up := &dns.Server{PacketConn: pcn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: net.IPv4(203, 0, 113, 80)}}
		_ = w.WriteMsg(m)
	})}
	go func() { _ = up.ActivateAndServe() }()
	t.Cleanup(func() { _ = pcn.Close() })
}

// TestResolver: the daemon resolves names for the home, refuses those on a list
// and tells which device asked; a broken list costs no answer.
func TestResolver(t *testing.T) {
	if !apart(t) {
		return
	}
	camera, pc := homeOf(t)
	nameserver(t)
	dir := t.TempDir()
	list, sock, eve := filepath.Join(dir, "pools.txt"), filepath.Join(dir, "s.sock"), filepath.Join(dir, "eve.json")
	if err := os.WriteFile(list, []byte("pool.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &config.Config{Interface: "br-lan", Workers: 1, Socket: sock, State: config.State{Dir: filepath.Join(dir, "state")}, API: config.API{Off: true}, Events: config.Events{File: eve},
		DNS: config.DNS{On: true, Upstreams: []config.DNSUpstream{{URL: "198.51.100.53"}}, Lists: []config.DNSList{{Name: "pools", Path: list, Category: "mining"}}}}
	w := &Watch{Config: c, Rules: ConfiguredRules(c), Stdout: io.Discard, Stderr: io.Discard, Log: slog.New(slog.NewTextHandler(testWriter{t}, nil))}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	defer stop()
	cl := client.Unix(sock)
	eventually(t, "the daemon answers", func() bool { _, err := cl.Status(ctx); return err == nil })

	for _, network := range []string{"udp", "tcp"} {
		if a, err := askName(pc, network, "www.example."); err != nil || a != "203.0.113.80" {
			t.Errorf("%s: a good name: %q %v", network, a, err)
		}
	}
	dev := ""
	eventually(t, "the camera is known", func() bool {
		_, _ = askName(camera, "udp", "www.example.")
		for d, err := range cl.Devices(ctx, api.DeviceQuery{}) {
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range d.Addresses {
				if a == "192.168.9.3" {
					dev = d.ID
				}
			}
		}
		ref, _ := w.dns.who(netip.MustParseAddr("192.168.9.3"))
		return dev != "" && ref.ID == dev
	})
	refused := func() bool { a, err := askName(camera, "udp", "x.pool.example."); return err == nil && a == "" }
	eventually(t, "a listed name is refused", refused)
	var found *api.Finding
	eventually(t, "the refusal is told", func() bool {
		for f, err := range cl.Findings(ctx, api.FindingQuery{Category: "mining", Action: "blocked"}) {
			if err == nil {
				found = &f
			}
		}
		return found != nil
	})
	if dev == "" || found.Device != dev || found.Verdict != "likely" {
		t.Errorf("device %q, the camera is %q, verdict %q", found.Device, dev, found.Verdict)
	}
	eventually(t, "it is in the event file", func() bool { return holds(eve, `"code":"dns.blocked","args":{"name":"x.pool.example","list":"pools"`) })
	if p := (daemon{w}).Ready(); len(p) > 0 {
		t.Errorf("all is well, but %v", p)
	}

	// The list breaks: it is told, the one before stays, answers go on.
	if err := os.WriteFile(list, []byte("<html>\x00</html>\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ReloadRules(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the broken list is told", func() bool {
		for _, p := range (daemon{w}).Ready() {
			if p.Code == "dns.list_refused" {
				args := fmt.Sprint(p.Args)
				return strings.Contains(args, "{list pools}") && strings.Contains(args, "{old true}")
			}
		}
		return false
	})
	if a, err := askName(pc, "udp", "other.example."); err != nil || a != "203.0.113.80" || !refused() {
		t.Errorf("with a broken list: %q %v", a, err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestResolverCannotListen: another program holds the port; watching goes on.
func TestResolverCannotListen(t *testing.T) {
	if !apart(t) {
		return
	}
	homeOf(t)
	l, err := net.ListenPacket("udp", "192.168.9.1:53")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	c := &config.Config{Interface: "br-lan", Workers: 1, Socket: filepath.Join(dir, "s.sock"), State: config.State{Dir: filepath.Join(dir, "state")}, API: config.API{Off: true},
		DNS: config.DNS{Listen: []string{"192.168.9.1"}, Upstreams: []config.DNSUpstream{{URL: "203.0.113.9"}}}}
	w := &Watch{Config: c, Rules: ConfiguredRules(c), Stdout: io.Discard, Stderr: io.Discard, Log: slog.New(slog.NewTextHandler(testWriter{t}, nil))}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	defer stop()
	cl := client.Unix(c.Socket)
	eventually(t, "the daemon watches and says what is wrong", func() bool {
		s, err := cl.Status(ctx)
		if err != nil || !s.Inspecting {
			return false
		}
		for _, p := range s.Problems {
			if p.Code == dnsFailed {
				return true
			}
		}
		return false
	})
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func holds(path, text string) bool {
	b, err := os.ReadFile(path)
	return err == nil && strings.Contains(string(b), text)
}
