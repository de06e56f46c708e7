package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/api/client"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/netns"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/policy"
)

// runs is a daemon in the namespace of the tests.
type runs struct {
	t    *testing.T
	w    *Watch
	cl   *client.Client
	stop func()
}

// runWatch starts one.
func runWatch(t *testing.T, change func(*config.Config)) *runs {
	t.Helper()
	dir := t.TempDir()
	c := &config.Config{Interface: "br-lan", Workers: 2, Socket: filepath.Join(dir, "s.sock"), State: config.State{Dir: filepath.Join(dir, "state")}, API: config.API{Off: true},
		Policy: config.Policy{Mode: "protect"}, Inline: config.Inline{State: filepath.Join(dir, "enforce.json")}}
	change(c)
	w := &Watch{Config: c, Rules: ConfiguredRules(c), Stdout: io.Discard, Stderr: io.Discard, Log: slog.New(slog.NewTextHandler(testWriter{t}, nil))}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	r := &runs{t: t, w: w, cl: client.Unix(c.Socket)}
	ended := false
	r.stop = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(r.stop)
	eventually(t, "the daemon answers", func() bool { _, err := r.cl.Status(ctx); return err == nil })
	return r
}

func (r *runs) acts(want string) {
	r.t.Helper()
	eventually(r.t, "what is done is "+want, func() bool {
		p, err := r.cl.Policy(context.Background())
		return err == nil && p.Acts == want && (want != "inline" || p.Inline)
	})
}

// device is the identity of who has an address.
func (r *runs) device(ip string) (id string) {
	r.t.Helper()
	eventually(r.t, ip+" is known", func() bool {
		for d, err := range r.cl.Devices(context.Background(), api.DeviceQuery{}) {
			if err != nil {
				return false
			}
			for _, a := range d.Addresses {
				if a == ip {
					id = d.ID
				}
			}
		}
		return id != ""
	})
	return id
}

// blocks lists the blocks that findings made.
func (r *runs) blocks() (out []api.Entry) {
	for e, err := range r.cl.Entries(context.Background(), client.Blocks, "") {
		if err != nil {
			r.t.Fatal(err)
		}
		if e.Author == policy.Itself {
			out = append(out, e)
		}
	}
	return out
}

func (r *runs) found(action string) (n int) {
	for f, err := range r.cl.Findings(context.Background(), api.FindingQuery{Category: "mining", Action: action}) {
		if err != nil {
			r.t.Fatal(err)
		}
		n += int(f.Count)
	}
	return n
}

// dial opens a connection from inside a namespace.
func dial(t *testing.T, from *netns.NS, host, port string) (c net.Conn) {
	t.Helper()
	if err := from.Do(func() (err error) {
		c, err = (&net.Dialer{Timeout: 3 * time.Second}).Dial("tcp", net.JoinHostPort(host, port))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// ends says a line again and again until the connection ends, and how it did.
func ends(c net.Conn, line string, within time.Duration) error {
	sc := bufio.NewReader(c)
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		_ = c.SetDeadline(time.Now().Add(time.Second))
		if _, err := fmt.Fprintln(c, line); err != nil {
			return err
		}
		if _, err := sc.ReadString('\n'); err != nil {
			return err
		}
	}
	return nil
}

// TestAfter: a machine that forwards, and does not stand in line, cuts a miner's
// connection once the login was seen, keeps the device from the pool for a
// time, and does what the owner says of that.
func TestAfter(t *testing.T) {
	if !apart(t) {
		return
	}
	camera, pc := homeOf(t)
	r := runWatch(t, func(c *config.Config) { c.Inline.Off = true })
	ctx := context.Background()
	r.acts("after")
	if s, err := r.cl.Status(ctx); err != nil || !hasProblem(&s, "acts.after") {
		t.Errorf("the status does not say that flows are cut afterwards: %+v %v", s.Problems, err)
	}
	if p := (daemon{r.w}).Ready(); len(p) > 0 {
		t.Errorf("as the owner wanted, but not ready: %v", p)
	}
	for _, pool := range []string{poolAddr, poolAddr6} {
		miner, good := dial(t, camera, pool, "3333"), dial(t, pc, pool, "3333")
		if err := ends(miner, login, 5*time.Second); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
			t.Errorf("%s: the miner's connection: %v", pool, err)
		}
		if err := ends(good, "hello", 200*time.Millisecond); err != nil {
			t.Errorf("%s: a neighbour's connection to the same server: %v", pool, err)
		}
		_ = good.Close()
		if err := talk(pc, pool, "8080", "hello", `{"id":1,"jsonrpc":"2.0","method":"login","params":{"user":"anna"}}`, "more"); err != nil {
			t.Errorf("%s: what is no mining: %v", pool, err)
		}
	}
	cam := r.device("192.168.9.3")
	eventually(t, "it is told as blocked", func() bool { return r.found("blocked") > 0 })

	// The pool is blocked for the camera alone, once nobody else talks to it.
	sayAndEnd(t, camera, poolAddr)
	var list []api.Entry
	eventually(t, "the pool is blocked for the camera", func() bool {
		list = r.blocks()
		for _, e := range list {
			if e.Scope.Dest == poolAddr {
				list = []api.Entry{e}
				return true
			}
		}
		sayAndEnd(t, camera, poolAddr)
		return false
	})
	e := list[0]
	if e.Scope.Device != cam || e.Scope.Port != 3333 || e.Until.IsZero() || e.Reason == "" {
		t.Errorf("%+v", e)
	}
	eventually(t, "it is refused", func() bool { return talk(camera, poolAddr, "3333", "hi") != nil })
	start := time.Now()
	if err := talk(camera, poolAddr, "3333", "hi"); !errors.Is(err, syscall.ECONNREFUSED) || time.Since(start) > 400*time.Millisecond {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
	if err := talk(pc, poolAddr, "3333", "hi"); err != nil {
		t.Errorf("another device: %v", err)
	}
	if err := talk(camera, poolAddr, "8080", "hi"); err != nil {
		t.Errorf("another service: %v", err)
	}

	// The owner takes it back; it is not made again.
	var seq string
	for c, err := range r.cl.Changes(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if c.Entry == e.ID {
			seq = c.ID
		}
	}
	if _, err := r.cl.Undo(ctx, seq); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is not blocked any more", func() bool { return talk(camera, poolAddr, "3333", "hi") == nil })
	sayAndEnd(t, camera, poolAddr)
	time.Sleep(300 * time.Millisecond)
	for _, x := range r.blocks() {
		if x.Scope.Dest == poolAddr {
			t.Errorf("what the owner took back is blocked again: %+v", x)
		}
	}

	// Consent lifts what is left, and mining is left alone.
	if _, err := r.cl.AddEntry(ctx, "consents", api.EntryNew{Scope: api.Scope{Device: cam}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "consent lifts the blocks", func() bool { return len(r.blocks()) == 0 })
	eventually(t, "mining with consent goes on", func() bool { return talk(camera, poolAddr, "3333", login, "more", "more", "more") == nil })
	r.stop()
	if s := ourRules(t); s != "" {
		t.Errorf("rules stay:\n%s", s)
	}
}

// sayAndEnd opens a miner's connection and waits until it is cut.
func sayAndEnd(t *testing.T, from *netns.NS, pool string) {
	t.Helper()
	_ = from.Do(func() error {
		c, err := (&net.Dialer{Timeout: time.Second}).Dial("tcp", net.JoinHostPort(pool, "3333"))
		if err == nil {
			defer c.Close()
			err = ends(c, login, 3*time.Second)
			if err == nil {
				t.Errorf("a miner's connection to %s goes on", pool)
			}
		}
		return err
	})
}

func hasProblem(s *api.Status, code string) bool {
	for _, p := range s.Problems {
		if p.Code == code {
			return true
		}
	}
	return false
}

// TestBehindTheQueue: a finding that comes when nothing of the flow is in the
// inspection's hands, as of one that was let go of, ends it all the same; not
// when the never-block list holds, nor when it is watched alone.
func TestBehindTheQueue(t *testing.T) {
	if !apart(t) {
		return
	}
	camera, pc := homeOf(t)
	r := runWatch(t, func(c *config.Config) { c.Policy.BlockFor = "off" })
	r.acts("inline")
	finding := func(c net.Conn, flow uint64, action, why string) {
		f := event.Finding{Category: event.Mining, Family: "encrypted", Level: event.Confirmed, Code: "mining.encrypted", Action: action, Why: why, FromClient: true}
		a, b := c.LocalAddr().(*net.TCPAddr).AddrPort(), c.RemoteAddr().(*net.TCPAddr).AddrPort()
		r.w.reactor.Event(&event.Event{Time: time.Now().UnixNano(), Type: event.Alert, FlowID: flow, HasAddr: true, Proto: packet.ProtoTCP, Finding: &f,
			Src: packet.AddrOf(a.Addr()), SrcPort: a.Port(), Dst: packet.AddrOf(b.Addr()), DstPort: b.Port()})
	}
	for i, to := range []string{poolAddr, poolAddr6} {
		bad, watched, good := dial(t, camera, to, "8080"), dial(t, camera, to, "8080"), dial(t, pc, to, "8080")
		for _, c := range []net.Conn{bad, watched, good} {
			if err := ends(c, "hello", 50*time.Millisecond); err != nil {
				t.Fatal(err)
			}
		}
		finding(bad, uint64(100+i), policy.Blocked, policy.WhyTable)
		finding(watched, uint64(200+i), policy.WouldBlock, policy.WhyWatch)
		if err := ends(bad, "hello", 3*time.Second); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
			t.Errorf("%s: the flow of the finding: %v", to, err)
		}
		for name, c := range map[string]net.Conn{"watched": watched, "of another device": good} {
			if err := ends(c, "hello", 100*time.Millisecond); err != nil {
				t.Errorf("%s: a flow %s: %v", to, name, err)
			}
		}
		if err := talk(camera, to, "8080", "hi"); err != nil {
			t.Errorf("%s: the next flow, which nothing was found in: %v", to, err)
		}
	}
	if l := r.blocks(); len(l) > 0 {
		t.Errorf("with block_for off: %+v", l)
	}
}

// TestRejected: in line a miner hears at once that it is stopped, unless the
// owner wants silence; the never-block list lets it be.
func TestRejected(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"reset", "drop"} {
		t.Run(answer, func(t *testing.T) {
			if !apart(t) {
				return
			}
			camera, _ := homeOf(t)
			r := runWatch(t, func(c *config.Config) { c.Policy.Answer, c.Policy.BlockFor = answer, "off" })
			r.acts("inline")
			say := func(to, port string) (time.Duration, error) {
				c := dial(t, camera, to, port)
				start := time.Now()
				err := ends(c, login, 50*time.Millisecond)
				return time.Since(start), err
			}
			for _, at := range [][2]string{{poolAddr, "3333"}, {poolAddr6, "3333"}, {poolAddr, "8080"}, {poolAddr6, "8080"}} { // 8080 is also watched on the gateway itself
				took, err := say(at[0], at[1])
				if reset := errors.Is(err, syscall.ECONNRESET); err == nil || reset != (answer == "reset") || reset && took > 500*time.Millisecond {
					t.Errorf("%v: after %v: %v", at, took, err)
				}
			}
			if _, err := r.cl.AddEntry(context.Background(), client.Never, api.EntryNew{Scope: api.Scope{Dest: poolAddr}}); err != nil {
				t.Fatal(err)
			}
			if took, err := say(poolAddr, "3333"); err != nil {
				t.Errorf("on the never-block list: after %v: %v", took, err)
			}
		})
	}
}

// TestShared: what says that others may be behind an address.
func TestShared(t *testing.T) {
	for port, want := range map[uint16]bool{443: true, 80: true, 53: true, 3333: false, 14444: false, 0: false} {
		if common(port) != want {
			t.Errorf("port %d", port)
		}
	}
	if !manyServices(13335) || manyServices(64512) || manyServices(0) {
		t.Error("networks")
	}
	for _, c := range []event.Category{event.Scan, event.Flood, event.Policy, event.Odd, event.DNS, event.Tunneled} {
		if hostile(c) {
			t.Errorf("the other end of a finding of %s is a victim or a bystander", c)
		}
	}
	b := policy.Scope{Device: "a", Dest: "203.0.113.9", Port: 3333}
	n := policy.Scope{Device: "a", Host: "eu.pool.example"}
	for _, tt := range []struct {
		a    policy.Scope
		b, n bool
	}{
		{policy.Scope{Device: "a"}, true, true},
		{policy.Scope{Device: "b"}, false, false},
		{policy.Scope{Category: "mining"}, true, true},
		{policy.Scope{Dest: "203.0.113.0/24"}, true, true},
		{policy.Scope{Dest: "203.0.113.8"}, false, true},
		{policy.Scope{Host: "pool.example"}, true, true},
		{policy.Scope{Host: "ool.example"}, true, false},
	} {
		if touches(&tt.a, &b) != tt.b || touches(&tt.a, &n) != tt.n {
			t.Errorf("%+v", tt.a)
		}
	}
}

// TestNames: which names are taken from a finding.
func TestNames(t *testing.T) {
	for in, want := range map[string]string{
		"eu.pool.example:3333": "eu.pool.example", "Pool.Example.": "pool.example", "203.0.113.9:3333": "", "203.0.113.9": "", "[2001:db8::9]:3333": "",
		"2001:db8::9": "", "localhost": "", "": "", "a..b": "", "bad name.example": "", "xn--nxasmq6b.example": "xn--nxasmq6b.example", ".example": "",
	} {
		if got := hostOf(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for body, want := range map[string]struct {
		name  string
		asked bool
	}{
		`"dns":{"type":"query","rrname":"pool.example","rrtype":"A"}`: {"pool.example", true},
		`"dns":{"version":3,"query":[{"rrname":"Pool.example"}]}`:     {"pool.example", true},
		`"tls":{"sni":"c2.example","version":"TLS 1.3"}`:              {"c2.example", false},
		`"http":{"hostname":"c2.example:8080","url":"/"}`:             {"c2.example", false},
		`"quic":{"sni":"c2.example"},"direction":"to_server"`:         {"c2.example", false},
		`"tls":{"sni":"203.0.113.9"}`:                                 {"", false},
		`"tls":{"sni":7}`:                                             {"", false},
		`"smb":{"command":"x"}`:                                       {"", false},
	} {
		name, asked := nameOf(&event.Event{Finding: &event.Finding{}, Body: rawBody(body)})
		if name != want.name || asked != want.asked {
			t.Errorf("%s: %q %v", body, name, asked)
		}
	}
	f := &event.Finding{Mining: &event.MiningDetail{Pool: "eu.pool.example:3333"}}
	if name, asked := nameOf(&event.Event{Finding: f}); name != "eu.pool.example" || asked {
		t.Errorf("%q %v", name, asked)
	}
}

type rawBody string

func (b rawBody) EncodeEVE(e *event.Encoder) { e.B = append(e.B, b...) }
