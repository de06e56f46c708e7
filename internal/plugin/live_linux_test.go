package plugin_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/netns"
	"github.com/yamori-net/yamori/internal/plugin"
	"github.com/yamori-net/yamori/internal/plugin/plugintest"
)

// The test program is begun again inside the box.
const envBox = "YAMORI_TEST_BOX"

func TestMain(m *testing.M) {
	if text := os.Getenv(envBox); text != "" {
		var c plugin.Config
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			panic(err)
		}
		p, err := plugin.Start(c)
		if err != nil {
			fmt.Println("refused:", err)
			os.Exit(1)
		}
		in := bufio.NewScanner(os.Stdin)
		fmt.Println("started")
		for in.Scan() {
			_ = json.NewEncoder(os.Stdout).Encode(p.State())
		}
		fmt.Println("stopped:", p.Stop())
		os.Exit(0)
	}
	os.Exit(m.Run())
}

type box struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func start(t *testing.T, n *netns.NS, c plugin.Config) (*box, string) {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	b := &box{cmd: exec.Command("/proc/self/exe")}
	b.cmd.Env = append(os.Environ(), envBox+"="+string(text))
	b.cmd.Stderr = os.Stderr
	if b.in, err = b.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	b.out = bufio.NewScanner(out)
	if err := n.Do(b.cmd.Start); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.cmd.Process.Kill(); _ = b.cmd.Wait() })
	return b, b.line()
}

func (b *box) line() string {
	b.out.Scan()
	return b.out.Text()
}

func (b *box) state(t *testing.T) (s plugin.State) {
	t.Helper()
	_, _ = io.WriteString(b.in, "\n")
	if err := json.Unmarshal([]byte(b.line()), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func home(t *testing.T) *plugintest.Home {
	t.Helper()
	h, err := plugintest.New()
	if errors.Is(err, netns.ErrPermission) || errors.Is(err, netns.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

func talk(t *testing.T, h *plugintest.Home, v6 bool) *plugintest.Talk {
	t.Helper()
	k, err := h.NewTalk(v6)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	until(t, "the internet", 5*time.Second, func() bool { _, n := k.Gap(); return n > 2 })
	return k
}

func until(t *testing.T, what string, d time.Duration, f func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !f() {
		if time.Since(began) > d {
			t.Fatalf("%s: not within %v", what, d)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return time.Since(began)
}

// led reports whether both sides believe that the other is at ip's hardware
// address.
func led(h *plugintest.Home, router, client string) bool {
	return plugintest.Neighbour(h.Client, plugintest.RouterIP) == plugintest.MAC(router) && plugintest.Neighbour(h.Router, plugintest.ClientIP) == plugintest.MAC(client)
}

func led6(h *plugintest.Home, router, client string) bool {
	return plugintest.Neighbour(h.Client, plugintest.Router6) == plugintest.MAC(router) && plugintest.Neighbour(h.Router, plugintest.Client6) == plugintest.MAC(client)
}

// TestLed leads one device's traffic by the box and lets it go again.
func TestLed(t *testing.T) {
	t.Parallel()
	h := home(t)
	four, six := talk(t, h, false), talk(t, h, true)
	if err := plugintest.Poke(h.Other, plugintest.RouterIP); err != nil {
		t.Fatal(err)
	}
	before := redirects(t, h.Box)
	four.Mark()
	six.Mark()
	b, word := start(t, h.Box, plugintest.Config())
	if word != "started" {
		t.Fatal(word)
	}
	const box, router, client = plugintest.BoxIP, plugintest.RouterIP, plugintest.ClientIP
	d := until(t, "led by the box", 3*time.Second, func() bool { return led(h, box, box) && led6(h, box, box) })
	until(t, "the device is seen", 5*time.Second, func() bool { return len(b.state(t).Led) == 1 })
	// Who asks anew hears the truth first, but not for long.
	if err := h.Client.Run("ip", "neigh", "flush", "dev", "eth0"); err != nil {
		t.Fatal(err)
	}
	again := until(t, "led by the box again", 5*time.Second, func() bool { return led(h, box, box) })
	time.Sleep(2500 * time.Millisecond)
	if got := plugintest.Neighbour(h.Other, router); got != plugintest.MAC(router) {
		t.Errorf("somebody who was not named finds the router at %s", got)
	}
	if !led(h, box, box) || !led6(h, box, box) {
		t.Error("it does not last")
	}
	st := b.state(t)
	if !st.Running || st.Problem != "" || st.Failed != 0 || st.Led[0] != plugintest.MAC(client) {
		t.Errorf("state %+v", st)
	}
	if n := st.Sent; n < 8 || n > 200 {
		t.Errorf("%d frames", n)
	}
	gap, n := four.Gap()
	gap6, n6 := six.Gap()
	t.Logf("led within %v, again within %v after the device asked anew; longest gap %v (IPv4, %d answers), %v (IPv6, %d); %d frames", d, again, gap, n, gap6, n6, st.Sent)
	if gap > time.Second || gap6 > time.Second {
		t.Error("the gap is longer than a second")
	}
	four.Mark()
	six.Mark()
	_ = b.in.Close()
	d = until(t, "the truth", 2*time.Second, func() bool { return led(h, router, client) && led6(h, router, client) })
	if word := b.line(); word != "stopped: <nil>" {
		t.Error(word)
	}
	gap, _ = four.Gap()
	gap6, _ = six.Gap()
	t.Logf("the truth within %v; longest gap %v (IPv4), %v (IPv6)", d, gap, gap6)
	if gap > time.Second || gap6 > time.Second {
		t.Error("the gap is longer than a second")
	}
	time.Sleep(1200 * time.Millisecond)
	if !led(h, router, client) {
		t.Error("the truth does not last")
	}
	if after := redirects(t, h.Box); after != before {
		t.Errorf("settings: %q, before %q", after, before)
	}
}

func redirects(t *testing.T, n *netns.NS) string {
	t.Helper()
	out, err := n.Output("sh", "-c", "cat /proc/sys/net/ipv4/conf/*/send_redirects")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestRefuses does not begin where traffic would be lost.
func TestRefuses(t *testing.T) {
	t.Parallel()
	h := home(t)
	for name, change := range map[string]func(*plugin.Config){
		"no such interface":  func(c *plugin.Config) { c.Interface = "eth9" },
		"loopback":           func(c *plugin.Config) { c.Interface = "lo" },
		"another router":     func(c *plugin.Config) { c.Gateway.MAC[5] = 9 },
		"a silent router":    func(c *plugin.Config) { c.Gateway.Addrs[0] = c.Gateway.Addrs[0].Next().Next() },
		"another device":     func(c *plugin.Config) { c.Devices[0].MAC[5] = 9 },
		"the router himself": func(c *plugin.Config) { c.Devices[0].MAC = c.Gateway.MAC },
	} {
		c := plugintest.Config()
		change(&c)
		if _, word := start(t, h.Box, c); !strings.HasPrefix(word, "refused: plug-in mode refused") {
			t.Errorf("%s: %s", name, word)
		}
	}
	if err := plugintest.Forward(h.Box, false); err != nil {
		t.Fatal(err)
	}
	if _, word := start(t, h.Box, plugintest.Config()); !strings.Contains(word, "does not forward") {
		t.Error(word)
	}
	if err := plugintest.Forward(h.Box, true); err != nil {
		t.Fatal(err)
	}
	// Forwarding that ends while it runs: the truth, at once.
	k := talk(t, h, false)
	b, word := start(t, h.Box, plugintest.Config())
	if word != "started" {
		t.Fatal(word)
	}
	const box, router, client = plugintest.BoxIP, plugintest.RouterIP, plugintest.ClientIP
	until(t, "led by the box", 3*time.Second, func() bool { return led(h, box, box) })
	k.Mark()
	if err := plugintest.Forward(h.Box, false); err != nil {
		t.Fatal(err)
	}
	until(t, "the truth", 3*time.Second, func() bool { return led(h, router, client) })
	if st := b.state(t); !strings.Contains(st.Problem, "does not forward") {
		t.Errorf("state %+v", st)
	}
	gap, _ := k.Gap()
	t.Logf("forwarding ended: longest gap %v", gap)
	if err := plugintest.Forward(h.Box, true); err != nil {
		t.Fatal(err)
	}
	until(t, "led by the box again", 3*time.Second, func() bool { return led(h, box, box) })
}

// TestPowerCut: everything in the box ends at once and nobody tells the truth.
// Without YAMORI_TEST_LONG hosts doubt what they know of their neighbours sooner
// than the kernel's own time, with it this measures what docs/plugin-mode.md
// says.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		cut  bool
		most time.Duration
	}{
		// The kernel of a box that runs on goes on forwarding.
		{"program killed", false, 500 * time.Millisecond},
		// Linux probes the dead address, then asks everybody: up to 45 s until it
		// doubts (one and a half base_reachable_time), 5 s of delay, 3 probes; then
		// the router does.
		{"power cut", true, 90 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := home(t)
			if os.Getenv("YAMORI_TEST_LONG") == "" {
				for _, n := range []*netns.NS{h.Client, h.Router} {
					if err := n.Run("sysctl", "-q", "-w", "net.ipv4.neigh.eth0.base_reachable_time_ms=4000", "net.ipv6.neigh.eth0.base_reachable_time_ms=4000"); err != nil {
						t.Fatal(err)
					}
				}
			}
			four, six := talk(t, h, false), talk(t, h, true)
			b, word := start(t, h.Box, plugintest.Config())
			if word != "started" {
				t.Fatal(word)
			}
			until(t, "led by the box", 3*time.Second, func() bool {
				return led(h, plugintest.BoxIP, plugintest.BoxIP) && led6(h, plugintest.BoxIP, plugintest.BoxIP)
			})
			time.Sleep(3 * time.Second)
			four.Mark()
			six.Mark()
			if err := b.cmd.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if c.cut {
				if err := h.Box.Run("ip", "link", "set", "eth0", "down"); err != nil {
					t.Fatal(err)
				}
			} else {
				time.Sleep(2 * time.Second)
			}
			began := time.Now()
			for _, k := range []*plugintest.Talk{four, six} {
				until(t, "the internet", c.most, func() bool {
					gap, n := k.Gap()
					return n > 20 && gap >= 0 && (time.Since(began) < c.most)
				})
			}
			gap, _ := four.Gap()
			gap6, _ := six.Gap()
			t.Logf("%s: a Linux client reaches the internet again after %.1f s (IPv4), %.1f s (IPv6)", c.name, gap.Seconds(), gap6.Seconds())
			if gap > c.most || gap6 > c.most {
				t.Errorf("longer than %v", c.most)
			}
			if c.cut && (gap < 500*time.Millisecond || gap6 < 500*time.Millisecond) {
				t.Error("there was no gap: the box was not in the way")
			}
		})
	}
}
