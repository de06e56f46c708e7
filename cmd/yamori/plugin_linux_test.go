package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/plugin/plugintest"
)

// pluggedHome is a home whose router stays as it is, with a pool outside, and a
// daemon in a box that leads the client.
func pluggedHome(t *testing.T, more string) (*plugintest.Home, *runner) {
	t.Helper()
	needRoot(t)
	h, err := plugintest.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	var l net.Listener
	if err := h.Internet.Do(func() (err error) { l, err = net.Listen("tcp", ":3333"); return err }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for sc := bufio.NewScanner(c); sc.Scan(); {
					_, _ = fmt.Fprintln(c, `{"id":1,"jsonrpc":"2.0","error":null,"result":{"status":"OK"}}`)
				}
			}()
		}
	}()
	dir := openFolder(t)
	conf := fmt.Sprintf(`version: 1
interface: eth0
workers: 1
home_net: [192.168.77.0/24, "fd77::/64"]
socket: %s/run/yamori.sock
state: {dir: %[1]s/state}
api: {off: true}
inline: {state: %[1]s/enforce.json}
plugin:
  on: true
  router: {mac: "%s", addresses: [%s, "%s"]}
  devices: [{mac: "%s"%s}]
  every: 1s
`, dir, plugintest.MAC(plugintest.RouterIP), plugintest.RouterIP, plugintest.Router6, plugintest.MAC(plugintest.ClientIP), "ADDRESSES") + more
	addresses := ""
	if !strings.Contains(more, "# by hardware address") {
		addresses = fmt.Sprintf(`, addresses: [%s, "%s"]`, plugintest.ClientIP, plugintest.Client6)
	}
	return h, startRun(t, h.Box, dir, strings.Replace(conf, "ADDRESSES", addresses, 1))
}

// login logs in to the pool from the client and says what it heard.
func login(h *plugintest.Home, v6 bool) (answer string, err error) {
	to := "198.51.100.10:3333"
	if v6 {
		to = "[fd78::10]:3333"
	}
	err = h.Client.Do(func() error {
		c, err := net.DialTimeout("tcp", to, 3*time.Second)
		if err != nil {
			return err
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(3 * time.Second))
		if _, err := c.Write([]byte(minerLogin)); err != nil {
			return err
		}
		answer, err = bufio.NewReader(c).ReadString('\n')
		return err
	})
	return answer, err
}

// at reports at whose hardware address a host believes another.
func at(h *plugintest.Home, v6 bool, whose string) bool {
	router, client := plugintest.RouterIP, plugintest.ClientIP
	back := whose
	if whose == plugintest.RouterIP {
		back = plugintest.ClientIP
	}
	if v6 {
		router, client = plugintest.Router6, plugintest.Client6
	}
	return plugintest.Neighbour(h.Client, router) == plugintest.MAC(whose) && plugintest.Neighbour(h.Router, client) == plugintest.MAC(back)
}

func hasProblem(s api.Status, code string) bool {
	return slices.ContainsFunc(s.Problems, func(p api.Problem) bool { return p.Code == code })
}

// TestPlugInProtects: a device that was named by the owner cannot mine any
// more, though the router knows nothing of it; another one is left alone, and
// the end restores everything.
func TestPlugInProtects(t *testing.T) {
	t.Parallel()
	h, r := pluggedHome(t, "policy: {mode: protect}\n")
	redirects := func() string {
		return strings.Join(strings.Fields(string(must(h.Box.Output("sysctl", "-n", "net.ipv4.conf.all.send_redirects", "net.ipv4.conf.eth0.send_redirects")))), " ")
	}
	ctx := context.Background()
	k, err := h.NewTalk(false)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	k6, err := h.NewTalk(true)
	if err != nil {
		t.Fatal(err)
	}
	defer k6.Close()
	r.until("the client is led", func() bool { return at(h, false, plugintest.BoxIP) && at(h, true, plugintest.BoxIP) })
	r.until("protection", func() bool { p, err := r.c.Policy(ctx); return err == nil && p.Inline })
	r.until("it is seen", func() bool {
		s, err := r.c.Status(ctx)
		return err == nil && s.Plugin != nil && s.Plugin.Running && len(s.Plugin.Led) == 1
	})
	if redirects() != "0 0" {
		t.Error("redirects tell the devices of the shorter way")
	}
	if err := h.Box.Run("sysctl", "-q", "-w", "net.ipv4.conf.all.send_redirects=1"); err != nil {
		t.Fatal(err)
	}
	r.until("redirects are off again", func() bool { return redirects() == "0 0" })
	// On a busy machine it is told for ten seconds that packets passed.
	r.until("no problem", func() bool { return len(must(r.c.Status(ctx)).Problems) == 0 })
	if _, out, _ := call(t, "status", "--socket", r.dir+"/run/yamori.sock"); !strings.Contains(out, "1 of 1 named devices come by") {
		t.Error(out)
	}
	for _, v6 := range []bool{false, true} {
		// Too little of the processor, and packets pass for seconds.
		r.until(fmt.Sprintf("IPv6 %v: the pool does not answer", v6), func() bool { _, err := login(h, v6); return err != nil })
	}
	var found api.Finding
	r.until("the finding", func() bool {
		for f, err := range r.c.Findings(ctx, api.FindingQuery{Category: "mining"}) {
			if found = f; err == nil && f.Action == "blocked" {
				return true
			}
		}
		return false
	})
	if want := "mac:" + plugintest.MAC(plugintest.ClientIP); found.Device != want {
		t.Errorf("the finding is about %s, not %s", found.Device, want)
	}
	// What this machine sends for others makes no device of it that has their
	// addresses.
	for d, err := range r.c.Devices(ctx, api.DeviceQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range d.Addresses {
			if d.ID == "mac:"+plugintest.MAC(plugintest.BoxIP) && (a == plugintest.ClientIP || a == plugintest.RouterIP) {
				t.Errorf("the box is said to have %s", a)
			}
		}
	}
	if plugintest.Neighbour(h.Other, plugintest.RouterIP) == plugintest.MAC(plugintest.BoxIP) {
		t.Error("somebody who was not named is led")
	}
	// The machine stops forwarding: the truth is told, and the owner.
	if err := plugintest.Forward(h.Box, false); err != nil {
		t.Fatal(err)
	}
	r.until("the interruption is told", func() bool { return hasProblem(must(r.c.Status(ctx)), "plugin.not_forwarding") })
	r.until("the truth", func() bool { return at(h, false, plugintest.RouterIP) })
	if err := plugintest.Forward(h.Box, true); err != nil {
		t.Fatal(err)
	}
	r.until("the client is led again", func() bool { return at(h, false, plugintest.BoxIP) })
	k.Mark()
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	if err := r.ended(); err != nil {
		t.Error(err)
	}
	if !at(h, false, plugintest.RouterIP) || !at(h, true, plugintest.RouterIP) {
		t.Errorf("after the end the client believes the router at %s", plugintest.Neighbour(h.Client, plugintest.RouterIP))
	}
	if gap, _ := k.Gap(); gap > time.Second {
		t.Errorf("the client had no answers for %v", gap)
	}
	if redirects() != "1 1" {
		t.Error("the setting of redirects was not put back")
	}
	if out := must(h.Box.Output("nft", "list", "ruleset")); strings.Contains(string(out), "yamori") {
		t.Errorf("left:\n%s", out)
	}
	if a, err := login(h, false); err != nil {
		t.Errorf("after the end: %q %v", a, err)
	}
}

// TestPlugInWatches: who only watches hears of it once, by the device that was
// named by its hardware address alone; a daemon that is killed lets it go.
func TestPlugInWatches(t *testing.T) {
	t.Parallel()
	h, r := pluggedHome(t, "events: {file: /dev/null}\n# by hardware address\n")
	ctx := context.Background()
	if s := must(r.c.Status(ctx)); s.Plugin == nil {
		t.Fatal("plug-in mode is not told of")
	}
	r.until("nothing is known of the device", func() bool { return hasProblem(must(r.c.Status(ctx)), "plugin.no_address") })
	k, err := h.NewTalk(false)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	r.until("the client is led", func() bool {
		// It tells of itself, as devices do when they ask for the box.
		_ = plugintest.Poke(h.Client, plugintest.BoxIP)
		return at(h, false, plugintest.BoxIP)
	})
	if hasProblem(must(r.c.Status(ctx)), "plugin.no_address") {
		r.until("an address is known", func() bool { return !hasProblem(must(r.c.Status(ctx)), "plugin.no_address") })
	}
	if a, err := login(h, false); err != nil {
		t.Errorf("who watches stops nothing: %q %v", a, err)
	}
	count := func() (n, all int) {
		for f, err := range r.c.Findings(ctx, api.FindingQuery{Category: "mining"}) {
			if err != nil {
				t.Fatal(err)
			}
			n, all = n+1, all+int(f.Count)
			if f.Device != "mac:"+plugintest.MAC(plugintest.ClientIP) {
				t.Errorf("about %s", f.Device)
			}
		}
		return n, all
	}
	r.until("the finding", func() bool { n, _ := count(); return n > 0 })
	time.Sleep(300 * time.Millisecond)
	if n, all := count(); n != 1 || all != 1 {
		t.Errorf("%d findings, %d times, of one login", n, all)
	}
	helper := r.helper()
	k.Mark()
	_ = r.cmd.Process.Kill()
	_ = r.ended()
	r.until("the truth", func() bool { return at(h, false, plugintest.RouterIP) })
	r.until("the end of the privileged process", func() bool { return unix.Kill(helper, 0) != nil })
	if gap, _ := k.Gap(); gap > time.Second || !at(h, false, plugintest.RouterIP) {
		t.Errorf("the client had no answers for %v", gap)
	}
}

// TestPlugInRefuses: what cannot work is said, and the daemon watches on.
func TestPlugInRefuses(t *testing.T) {
	t.Parallel()
	h, r := pluggedHome(t, "")
	r.until("the client is led", func() bool { _ = plugintest.Poke(h.Client, plugintest.RouterIP); return at(h, false, plugintest.BoxIP) })
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	_ = r.ended()
	if err := plugintest.Forward(h.Box, false); err != nil {
		t.Fatal(err)
	}
	text := must(os.ReadFile(r.dir + "/yamori.yaml"))
	r = startRun(t, h.Box, r.dir, string(text))
	ctx := context.Background()
	r.until("the refusal", func() bool { return hasProblem(must(r.c.Status(ctx)), "plugin.failed") })
	if _, out, _ := call(t, "status", "--socket", r.dir+"/run/yamori.sock"); !strings.Contains(out, "! plug-in mode does not begin: this machine does not forward IPv4; set net.ipv4.ip_forward=1") {
		t.Error(out)
	}
	if err := plugintest.Forward(h.Box, true); err != nil {
		t.Fatal(err)
	}
	r.until("it begins", func() bool { _ = plugintest.Poke(h.Client, plugintest.RouterIP); return at(h, false, plugintest.BoxIP) })
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	_ = r.ended()
}
