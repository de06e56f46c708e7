package inject_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/capture/afpacket"
	"github.com/yamori-net/yamori/internal/inject"
	"github.com/yamori-net/yamori/internal/netns"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// hub joins two hosts and a watcher by a switch that sends every frame to every
// port, as a mirror port would get it. The hosts have addresses on eth0, and on
// VLAN 7 of it where the kernel has VLANs.
func hub(t *testing.T) (client, server, watcher *netns.NS, vlan bool) {
	t.Helper()
	var all [4]*netns.NS
	for i, name := range []string{"client", "server", "watcher", "hub"} {
		n, err := netns.New(name)
		if errors.Is(err, netns.ErrPermission) || errors.Is(err, netns.ErrUnsupported) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(n.Close)
		all[i] = n
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(all[3].Script("ip link add br0 type bridge ageing_time 0\nip link set br0 up"))
	for i, n := range all[:3] {
		p := fmt.Sprintf("p%d", i)
		must(netns.Join(all[3], p, n, "eth0"))
		must(all[3].Run("ip", "link", "set", p, "master", "br0"))
		if i == 2 {
			break
		}
		must(n.Script(fmt.Sprintf("ip addr add 192.0.2.%d/24 dev eth0\nip addr add fd00::%[1]d/64 dev eth0 nodad", i+1)))
		vlan = n.Run("ip", "link", "add", "link", "eth0", "name", "eth0.7", "type", "vlan", "id", "7") == nil
		if vlan {
			must(n.Script(fmt.Sprintf("ip link set eth0.7 up\nip addr add 198.51.100.%d/24 dev eth0.7", i+1)))
		}
	}
	return all[0], all[1], all[2], vlan
}

// TestMirror resets connections that are seen on a mirror and leaves others.
func TestMirror(t *testing.T) {
	client, server, watcher, vlan := hub(t)
	const bad, good = 3333, 8080
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var m *inject.Mirror
	var src []*afpacket.Source
	err := watcher.Do(func() (err error) {
		if m, err = inject.OpenMirror("eth0", afpacket.Socket); err != nil {
			return err
		}
		if _, err := inject.OpenMirror("eth9", afpacket.Socket); err == nil {
			return errors.New("an interface that is not there was taken")
		}
		src, err = afpacket.New(afpacket.Config{Interface: "eth0", Promiscuous: true, RingBytes: 1 << 20})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	done := watcher.Go(func() error {
		var d packet.Decoder
		var p packet.Packet
		return src[0].Run(ctx, func(f *packet.Frame) verdict.Verdict {
			if f == nil {
				return verdict.Verdict{}
			}
			d.Decode(&p, f)
			// What shows that a connection is bad is its first payload.
			if (p.SrcPort == bad || p.DstPort == bad) && len(p.Payload) > 0 {
				m.Reset(f, &p)
			}
			return verdict.Verdict{}
		})
	})
	for _, c := range []struct {
		name, addr string
		port       int
		reset      bool
	}{
		{"IPv4", "192.0.2.2", bad, true},
		{"IPv6", "fd00::2", bad, true},
		{"VLAN", "198.51.100.2", bad, true},
		{"another port", "192.0.2.2", good, false},
		{"another port, VLAN", "198.51.100.2", good, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.Contains(c.name, "VLAN") && !vlan {
				t.Skip("the kernel has no VLAN interfaces (CONFIG_VLAN_8021Q); TestMirrorResets looks at the frames")
			}
			var l net.Listener
			if err := server.Do(func() (err error) {
				l, err = net.Listen("tcp", net.JoinHostPort(c.addr, fmt.Sprint(c.port)))
				return err
			}); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = l.Close() }()
			served := make(chan error, 1)
			go func() {
				conn, err := l.Accept()
				if err != nil {
					served <- err
					return
				}
				var b [64]byte
				for err == nil {
					_ = conn.SetDeadline(time.Now().Add(3 * time.Second))
					if _, err = conn.Read(b[:]); err == nil {
						time.Sleep(50 * time.Millisecond)
						_, err = conn.Write([]byte("answer\n"))
					}
				}
				served <- err
			}()
			var conn net.Conn
			if err := client.Do(func() (err error) {
				conn, err = net.DialTimeout("tcp", l.Addr().String(), 3*time.Second)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			began := time.Now()
			answers := 0
			var b [64]byte
			var err error
			for range 5 {
				_ = conn.SetDeadline(time.Now().Add(3 * time.Second))
				if _, err = conn.Write([]byte("login\n")); err == nil {
					_, err = conn.Read(b[:])
				}
				if err != nil {
					break
				}
				answers++
			}
			if !c.reset {
				if err != nil || answers != 5 {
					t.Errorf("%d answers: %v", answers, err)
				}
				return
			}
			if !errors.Is(err, syscall.ECONNRESET) || answers != 0 {
				t.Errorf("the client had %d answers and %v", answers, err)
			}
			if err := <-served; !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
				t.Errorf("the server had %v", err)
			}
			t.Logf("both ends reset within %v", time.Since(began).Round(time.Millisecond))
		})
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	t.Logf("%d frames sent, %d failed, %d held back", m.Sent.Load(), m.Failed.Load(), m.Limited.Load())
	if m.Sent.Load() < 4 || m.Failed.Load() > 0 {
		t.Error("frames were not sent")
	}
	m.Close()
}
