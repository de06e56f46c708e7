package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/api/client"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/export/mqtt"
	"github.com/yamori-net/yamori/internal/netns"
)

// The tests of the inspection in line run with the router's namespace as that
// of the whole process: TestMain starts the test program again inside one.
const inside = "YAMORI_TEST_ROUTER"

func TestMain(m *testing.M) {
	if text := os.Getenv(drilled); text != "" {
		os.Exit(runDrilled(text))
	}
	if os.Getenv(inside) == "" && os.Geteuid() == 0 {
		runtime.LockOSThread()
		cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
		cmd.Env = append(os.Environ(), inside+"=1")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Unshareflags: unix.CLONE_NEWNS, Pdeathsig: unix.SIGKILL}
		if err := cmd.Start(); err == nil {
			err := cmd.Wait()
			var exit *exec.ExitError
			switch {
			case err == nil:
				os.Exit(0)
			case errors.As(err, &exit) && exit.ExitCode() >= 0:
				os.Exit(exit.ExitCode())
			}
			fmt.Fprintln(os.Stderr, "tests in a network namespace:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

const (
	poolAddr  = "203.0.113.9"
	poolAddr6 = "2001:db8::9"
)

// homeOf makes a camera and a PC behind this namespace, and a pool outside.
func homeOf(t *testing.T) (camera, pc *netns.NS) {
	t.Helper()
	missing := ""
	if os.Getenv(inside) == "" {
		missing = "root"
	}
	for _, p := range []string{"ip", "nft", "iptables-nft"} {
		if _, err := exec.LookPath(p); err != nil {
			missing = "the program " + p
		}
	}
	if missing != "" {
		if os.Getenv("CI") != "" {
			t.Fatalf("this test needs %s", missing)
		}
		t.Skipf("skipped: this test needs %s", missing)
	}
	ns := func(name, dev, near string, lines ...string) *netns.NS {
		n, err := netns.New(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(n.Close)
		sh(t, "ip link add "+near+" type veth peer name "+dev+" netns "+n.Path(), "ip link set "+near+" up")
		for _, l := range append([]string{"ip link set " + dev + " up"}, lines...) {
			if err := n.Script(l); err != nil {
				t.Fatal(err)
			}
		}
		return n
	}
	camera = ns("camera", "eth0", "lan1", "ip addr add 192.168.9.3/24 dev eth0", "ip route add default via 192.168.9.1", "ip -6 addr add fd00:9::3/64 dev eth0 nodad", "ip -6 route add default via fd00:9::1")
	pc = ns("pc", "eth0", "lan2", "ip addr add 192.168.9.2/24 dev eth0", "ip route add default via 192.168.9.1", "ip -6 addr add fd00:9::2/64 dev eth0 nodad", "ip -6 route add default via fd00:9::1")
	world := ns("world", "eth0", "wan", "ip addr add 203.0.113.9/24 dev eth0", "ip -6 addr add 2001:db8::9/64 dev eth0 nodad", "ip -6 route add fd00:9::/64 via 2001:db8::1")
	sh(t, "ip link set lo up", "ip link add br-lan type bridge", "ip link set lan1 master br-lan", "ip link set lan2 master br-lan", "ip link set br-lan up",
		"ip addr add 192.168.9.1/24 dev br-lan", "ip addr add 203.0.113.1/24 dev wan", "ip -6 addr add fd00:9::1/64 dev br-lan nodad", "ip -6 addr add 2001:db8::1/64 dev wan nodad",
		"sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1", "iptables-nft -t nat -A POSTROUTING -o wan -j MASQUERADE")
	t.Cleanup(func() {
		for _, l := range []string{"ip link del br-lan", "iptables-nft -t nat -F"} {
			_ = exec.Command("sh", "-c", l).Run()
		}
	})
	pools(t, world)
	eventually(t, "the home is connected", func() bool {
		return talk(pc, poolAddr, "8080", "hi") == nil && talk(camera, poolAddr6, "8080", "hi") == nil
	})
	return camera, pc
}

// pools has a pool that answers every line listen in a namespace, and on another
// port something that only looks like one.
func pools(t *testing.T, in *netns.NS) {
	t.Helper()
	for _, port := range []string{":3333", ":8080"} {
		var l net.Listener
		if err := in.Do(func() (err error) { l, err = net.Listen("tcp", port); return err }); err != nil {
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
	}
}

func sh(t *testing.T, lines ...string) {
	t.Helper()
	for _, l := range lines {
		f := strings.Fields(l)
		if out, err := exec.Command(f[0], f[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", l, err, out)
		}
	}
}

// inTime waits for something to be stopped: while the daemon gets too little of
// the processor, packets pass for seconds, as they should, and what it does not
// stop at all passes each time.
func inTime(t *testing.T, what string, passes func() bool) {
	t.Helper()
	eventually(t, what+" is stopped", func() bool { return !passes() })
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	// The limit is far beyond what it takes: a machine that is busy does not reach it.
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within a minute: %s", what)
}

// talk says lines to the outside, one after the other, and hears an answer to
// each.
func talk(from *netns.NS, host, port string, lines ...string) error {
	return from.Do(func() error {
		d := net.Dialer{Timeout: 500 * time.Millisecond}
		c, err := d.Dial("tcp", net.JoinHostPort(host, port))
		if err != nil {
			return err
		}
		defer c.Close()
		r := bufio.NewReader(c)
		for _, l := range lines {
			_ = c.SetDeadline(time.Now().Add(500 * time.Millisecond))
			if _, err := fmt.Fprintln(c, l); err != nil {
				return err
			}
			if _, err := r.ReadString('\n'); err != nil {
				return err
			}
		}
		return nil
	})
}

const login = `{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"46WNbmwXpYxiBpkbHjhgAbXQkeJ9YAuVMYMdaTnZwT8T2GDeH7bmkYB","pass":"x","agent":"XMRig/6.26.0","algo":["rx/0"]}}`

// ourRules is what of the packet filter is the program's.
func ourRules(t *testing.T) string {
	out, err := exec.Command("nft", "list", "ruleset").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	if s := string(out); strings.Contains(s, "yamori") || strings.Contains(s, "YAMORI") {
		return s
	}
	return ""
}

// TestProtect: only watching, a miner's login is told and passes; protecting,
// it never arrives, over IPv4 and IPv6, and what only looks like it is left
// alone; the owner's consent, pause and quarantine hold; a trial that nobody
// confirms and the end of the daemon leave nothing behind.
func TestProtect(t *testing.T) {
	if !apart(t) {
		return
	}
	camera, pc := homeOf(t)
	dir := t.TempDir()
	sock := filepath.Join(dir, "s.sock")
	c := &config.Config{Interface: "br-lan", Workers: 2, Socket: sock, State: config.State{Dir: filepath.Join(dir, "state")}, API: config.API{Off: true},
		Inline: config.Inline{State: filepath.Join(dir, "enforce.json")},
		// A broker that is away must not keep anything.
		Exports: config.Exports{MQTT: &mqtt.Config{Server: "mqtt://127.0.0.1:9"}}}
	w := &Watch{Config: c, Rules: ConfiguredRules(c), Stdout: io.Discard, Stderr: io.Discard, Log: slog.New(slog.NewTextHandler(testWriter{t}, nil))}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	defer stop()
	cl := client.Unix(sock)
	eventually(t, "the daemon answers", func() bool { _, err := cl.Status(ctx); return err == nil })

	if err := talk(camera, poolAddr, "3333", login, "more"); err != nil {
		t.Errorf("watching, the login is stopped: %v", err)
	}
	find := func(action string) (n int) {
		for f, err := range cl.Findings(ctx, api.FindingQuery{Category: "mining", Action: action}) {
			if err != nil {
				t.Fatal(err)
			}
			n += int(f.Count)
		}
		return n
	}
	eventually(t, "it is told", func() bool { return find("would_block") > 0 })
	if ourRules(t) != "" {
		t.Error("watching, there are rules")
	}

	if _, err := cl.TryMode(ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
	inline := func() bool { p, err := cl.Policy(ctx); return err == nil && p.Inline }
	eventually(t, "packets are inspected in line", inline)
	for _, to := range []string{poolAddr, poolAddr6} {
		inTime(t, "protecting, a login to "+to, func() bool { return talk(camera, to, "3333", login) == nil })
		for range 3 {
			if err := talk(pc, to, "8080", "hello", `{"id":1,"jsonrpc":"2.0","method":"login","params":{"user":"anna"}}`, "more"); err != nil {
				t.Errorf("what is no mining is stopped: %v", err)
			}
		}
	}
	eventually(t, "it is told as blocked", func() bool { return find("blocked") > 0 })

	// The owner's own mining.
	dev := ""
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
	if dev == "" {
		t.Fatal("the camera is not known")
	}
	e, err := cl.AddEntry(ctx, "consents", api.EntryNew{Scope: api.Scope{Device: dev}})
	if err != nil {
		t.Fatal(err)
	}
	if err := talk(camera, poolAddr, "3333", login, "more"); err != nil {
		t.Errorf("mining with consent is stopped: %v", err)
	}
	if err := cl.RemoveEntry(ctx, "consents", e.ID); err != nil {
		t.Fatal(err)
	}

	// Pause and quarantine.
	for _, hold := range []struct {
		name string
		set  func() error
		lift func() error
	}{
		{"pause", func() error { _, err := cl.Pause(ctx, dev, api.Hold{Seconds: 600}); return err }, func() error { return cl.Unpause(ctx, dev) }},
		{"quarantine", func() error { _, err := cl.Quarantine(ctx, dev, api.Hold{Seconds: 600}); return err }, func() error { return cl.Unquarantine(ctx, dev) }},
	} {
		if err := hold.set(); err != nil {
			t.Fatal(err)
		}
		eventually(t, hold.name+" holds", func() bool { return talk(camera, poolAddr, "8080", "hi") != nil })
		if err := talk(pc, poolAddr, "8080", "hi"); err != nil {
			t.Errorf("%s of another device: %v", hold.name, err)
		}
		if err := hold.lift(); err != nil {
			t.Fatal(err)
		}
		eventually(t, hold.name+" is lifted", func() bool { return talk(camera, poolAddr, "8080", "hi") == nil })
	}

	// Back, and a trial that ends by itself.
	if _, err := cl.SetMode(ctx, "watch"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the rules are gone", func() bool { return ourRules(t) == "" })
	if _, err := cl.TryMode(ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the trial begins", func() bool { return ourRules(t) != "" })
	if _, err := cl.TryMode(ctx, time.Second); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the trial ends", func() bool { return ourRules(t) == "" })
	if err := talk(camera, poolAddr, "3333", login); err != nil {
		t.Errorf("after the trial: %v", err)
	}
	if _, err := cl.SetMode(ctx, "protect"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "packets are inspected again", inline)
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if r := ourRules(t); r != "" {
		t.Errorf("the daemon has ended and its rules stay:\n%s", r)
	}
	if err := talk(camera, poolAddr, "3333", login); err != nil {
		t.Errorf("without the daemon: %v", err)
	}
}

// testWriter logs to the test.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}
