package app

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/netns"
)

// mirrored joins a camera and a pool by a switch that sends every frame to every
// port, so that mir0 here sees what is said between them, as on a mirror port.
func mirrored(t *testing.T) (camera *netns.NS) {
	t.Helper()
	if os.Getenv(inside) == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("this test needs root")
		}
		t.Skip("skipped: this test needs root")
	}
	ns := func(name string) *netns.NS {
		n, err := netns.New(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(n.Close)
		return n
	}
	camera, pool, hub := ns("camera"), ns("pool"), ns("hub")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(hub.Script("ip link add br0 type bridge ageing_time 0\nip link set br0 up"))
	must(netns.Join(hub, "p0", camera, "eth0"))
	must(netns.Join(hub, "p1", pool, "eth0"))
	_ = exec.Command("ip", "link", "del", "mir0").Run()
	sh(t, "ip link add mir0 type veth peer name p2 netns "+hub.Path(), "ip link set mir0 up", "sysctl -q -w net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0")
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", "mir0").Run() })
	must(hub.Script("ip link set p0 master br0\nip link set p1 master br0\nip link set p2 master br0\nip link set p2 up"))
	must(camera.Script("ip addr add 192.168.9.3/24 dev eth0\nip route add default dev eth0\nip -6 addr add fd00:9::3/64 dev eth0 nodad\nip -6 route add default dev eth0"))
	must(pool.Script("ip addr add 203.0.113.9/24 dev eth0\nip route add default dev eth0\nip -6 addr add 2001:db8::9/64 dev eth0 nodad\nip -6 route add default dev eth0"))
	pools(t, pool)
	eventually(t, "the camera reaches the pool", func() bool {
		return talk(camera, poolAddr, "8080", "hi") == nil && talk(camera, poolAddr6, "8080", "hi") == nil
	})
	return camera
}

// TestMirrorPort: on a mirror port a miner's connection is reset when the owner
// has opted in, and untouched otherwise, which the status says; what is no
// mining is never touched.
func TestMirrorPort(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, resets, acts, note, action string }{
		{"opted in", "mir0", "reset", "acts.reset", "blocked"},
		{"not", "", "tell", "acts.tell", "would_block"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !apart(t) {
				return
			}
			camera := mirrored(t)
			r := runWatch(t, func(c *config.Config) {
				c.Interface, c.Inline.Off, c.Inline.Resets = "mir0", true, tt.resets
			})
			r.acts(tt.acts)
			if s, err := r.cl.Status(context.Background()); err != nil || !hasProblem(&s, tt.note) {
				t.Errorf("the status: %+v %v", s.Problems, err)
			}
			for _, to := range []string{poolAddr, poolAddr6} {
				good := dial(t, camera, to, "8080")
				miner := dial(t, camera, to, "3333")
				start := time.Now()
				err := ends(miner, login, 1500*time.Millisecond)
				if reset := errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE); reset != (tt.resets != "") || !reset && err != nil {
					t.Errorf("%s: the miner's connection, after %v: %v", to, time.Since(start), err)
				}
				if err := ends(good, `{"id":1,"jsonrpc":"2.0","method":"login","params":{"user":"anna"}}`, 200*time.Millisecond); err != nil {
					t.Errorf("%s: what is no mining: %v", to, err)
				}
			}
			eventually(t, "it is told as "+tt.action, func() bool { return r.found(tt.action) > 0 })
			frames, limited := r.w.reactor.doomed.sent()
			if (frames > 0) != (tt.resets != "") || limited != 0 {
				t.Errorf("%d frames sent, %d held back", frames, limited)
			}
			if s := ourRules(t); s != "" {
				t.Errorf("rules where nothing is forwarded:\n%s", s)
			}
		})
	}
}
