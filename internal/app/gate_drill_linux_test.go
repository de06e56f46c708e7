package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/api/client"
	"github.com/yamori-net/yamori/internal/capture"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/labnet"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// drilled, in the environment, makes the test program a daemon: it holds a
// daemonPlan.
const drilled = "YAMORI_TEST_DAEMON"

type daemonPlan struct {
	Config  config.Config
	HomeNet []netip.Prefix
	Slow    time.Duration // each packet in line takes so long
}

// runDrilled is the daemon's process.
func runDrilled(text string) int {
	var p daemonPlan
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	w := &Watch{Config: &p.Config, HomeNet: p.HomeNet, Rules: ConfiguredRules(&p.Config), Stdout: io.Discard, Stderr: io.Discard, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	if p.Slow > 0 {
		w.Around = func(h capture.Handler) capture.Handler {
			return func(f *packet.Frame) verdict.Verdict {
				if f != nil {
					time.Sleep(p.Slow)
				}
				return h(f)
			}
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := w.Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// gate is a home with the daemon, a process of its own, in its gateway.
type gate struct {
	t    *testing.T
	home *labnet.Home
	plan daemonPlan
	dir  string

	cmd  *exec.Cmd
	done chan error
	log  *lockedBuffer
	cl   *client.Client
}

// lockedBuffer is what the daemon logs.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// makeGate makes the home; start starts the daemon.
func makeGate(t *testing.T, o labnet.Options) *gate {
	t.Helper()
	h, err := labnet.New(o)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("skipped: %v", err)
	}
	t.Cleanup(h.Close)
	g := &gate{t: t, home: h, dir: t.TempDir()}
	g.plan = daemonPlan{HomeNet: h.Nets(), Config: config.Config{Interface: h.LAN, Workers: 2, Socket: filepath.Join(g.dir, "s.sock"),
		State: config.State{Dir: filepath.Join(g.dir, "state")}, API: config.API{Off: true}, Policy: config.Policy{Mode: "protect"},
		Inline: config.Inline{State: filepath.Join(g.dir, "enforce.json"), Bridge: o.Bridge}}}
	g.cl = client.Unix(g.plan.Config.Socket)
	t.Cleanup(func() {
		g.end(syscall.SIGKILL)
		if t.Failed() && g.log != nil {
			t.Log(g.log.String())
		}
	})
	return g
}

// start starts the daemon and waits until packets are inspected.
func (g *gate) start() {
	g.t.Helper()
	g.launch()
	eventually(g.t, "packets are inspected in line", g.inline)
}

// launch starts the daemon.
func (g *gate) launch() {
	g.t.Helper()
	text, err := json.Marshal(g.plan)
	if err != nil {
		g.t.Fatal(err)
	}
	g.cmd = exec.Command("/proc/self/exe")
	g.cmd.Env = append(os.Environ(), drilled+"="+string(text))
	g.log = &lockedBuffer{}
	g.cmd.Stdout, g.cmd.Stderr = g.log, g.log
	if err := labnet.Start(g.home.Gate, g.cmd); err != nil {
		g.t.Fatal(err)
	}
	g.done = make(chan error, 1)
	cmd, done := g.cmd, g.done
	go func() { done <- cmd.Wait() }()
}

func (g *gate) inline() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	p, err := g.cl.Policy(ctx)
	return err == nil && p.Inline
}

// signal sends the daemon one.
func (g *gate) signal(s syscall.Signal) { _ = g.cmd.Process.Signal(s) }

// end ends the daemon and waits for it.
func (g *gate) end(s syscall.Signal) {
	if g.cmd == nil {
		return
	}
	g.signal(s)
	_ = g.cmd.Process.Signal(syscall.SIGCONT)
	select {
	case err := <-g.done:
		if s == syscall.SIGTERM && err != nil {
			g.t.Errorf("the daemon ended badly: %v", err)
		}
	case <-time.After(10 * time.Second):
		g.t.Error("the daemon does not end")
		_ = g.cmd.Process.Kill()
	}
	g.cmd = nil
}

// device is a device as the daemon knows it.
func (g *gate) device(d *labnet.Device) (id string) {
	g.t.Helper()
	eventually(g.t, d.Name+" is known", func() bool {
		for x, err := range g.cl.Devices(context.Background(), api.DeviceQuery{}) {
			if err != nil {
				return false
			}
			for _, m := range x.MACs {
				if strings.EqualFold(m.Address, d.MAC.String()) {
					id = x.ID
				}
			}
		}
		return id != ""
	})
	return id
}

// rss is the daemon's memory in bytes, now and at most.
func (g *gate) rss() (now, peak int64) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.cmd.Process.Pid))
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		n, _ := strconv.ParseInt(f[1], 10, 64)
		switch f[0] {
		case "VmRSS:":
			now = n << 10
		case "VmHWM:":
			peak = n << 10
		}
	}
	return now, peak
}
