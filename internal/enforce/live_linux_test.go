package enforce

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	gonet "net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/capture/nfqueue"
	"github.com/yamori-net/yamori/internal/netns"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// house is a router between two devices at home and a server outside.
type house struct {
	t                         *testing.T
	router, pc, camera, world *netns.NS
	state                     string
}

func makeHouse(t *testing.T) *house {
	t.Helper()
	missing := func(what string) {
		if os.Getenv("CI") != "" {
			t.Fatalf("this test needs %s", what)
		}
		t.Skipf("skipped: this test needs %s", what)
	}
	for _, p := range []string{"ip", "nft", "iptables-nft"} {
		if _, err := exec.LookPath(p); err != nil {
			missing("the program " + p)
		}
	}
	h := &house{t: t, state: filepath.Join(t.TempDir(), "run", "enforce.json")}
	for name, ns := range map[string]**netns.NS{"router": &h.router, "pc": &h.pc, "camera": &h.camera, "world": &h.world} {
		n, err := netns.New(name)
		if errors.Is(err, netns.ErrPermission) {
			missing("root")
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(n.Close)
		*ns = n
	}
	for _, err := range []error{
		netns.Join(h.pc, "eth0", h.router, "lan1"), netns.Join(h.camera, "eth0", h.router, "lan2"), netns.Join(h.world, "eth0", h.router, "wan"),
		h.router.Script(`
			ip link add br-lan type bridge
			ip link set lan1 master br-lan
			ip link set lan2 master br-lan
			ip link set br-lan up
			ip addr add 192.168.9.1/24 dev br-lan
			ip addr add 203.0.113.1/24 dev wan
			ip -6 addr add fd00:9::1/64 dev br-lan nodad
			ip -6 addr add 2001:db8::1/64 dev wan nodad
			sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1`),
		h.pc.Script("ip addr add 192.168.9.2/24 dev eth0\nip route add default via 192.168.9.1\nip -6 addr add fd00:9::2/64 dev eth0 nodad\nip -6 route add default via fd00:9::1"),
		h.camera.Script("ip link set eth0 address " + camera + "\nip addr add 192.168.9.3/24 dev eth0\nip route add default via 192.168.9.1\nip -6 addr add fd00:9::3/64 dev eth0 nodad\nip -6 route add default via fd00:9::1"),
		h.world.Script("ip addr add 203.0.113.9/24 dev eth0\nip addr add 203.0.113.10/24 dev eth0\nip -6 addr add 2001:db8::9/64 dev eth0 nodad\nip route add 192.168.9.0/24 via 203.0.113.1\nip -6 route add fd00:9::/64 via 2001:db8::1"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	// A service that answers every line with itself.
	var l gonet.Listener
	if err := h.world.Do(func() (err error) { l, err = gonet.Listen("tcp", ":3333"); return err }); err != nil {
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
					if _, err := fmt.Fprintln(c, sc.Text()); err != nil {
						return
					}
				}
			}()
		}
	}()
	waitFor(t, "the house is connected", func() bool {
		return reaches(h.pc, world, glance) && reaches(h.pc, world6, glance) && reaches(h.camera, world, glance) && reaches(h.camera, world6, glance)
	})
	return h
}

const (
	camera = "02:00:00:00:00:cc"
	world  = "203.0.113.9"
	world6 = "2001:db8::9"
)

// install puts the rules into the router.
func (h *house) install(c Config) *Table {
	h.t.Helper()
	c.State = h.state
	var tab *Table
	if err := h.router.Do(func() (err error) { tab, err = Install(c); return err }); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		if err := h.router.Do(func() error { return tab.Remove() }); err != nil {
			h.t.Error(err)
		}
	})
	return tab
}

func (h *house) do(f func() error) {
	h.t.Helper()
	if err := h.router.Do(f); err != nil {
		h.t.Fatal(err)
	}
}

// Answers come at once where nothing holds them; waiting for one that is
// expected may take long on a busy machine, for one that is not it is short.
const (
	patience = 10 * time.Second
	glance   = 400 * time.Millisecond
)

// reaches reports whether a device gets an answer within limit.
func reaches(from *netns.NS, to string, limit time.Duration) bool {
	return from.Do(func() error {
		d := gonet.Dialer{Timeout: limit}
		c, err := d.Dial("tcp", gonet.JoinHostPort(to, "3333"))
		if err != nil {
			return err
		}
		defer c.Close()
		return ask(c, "hello", limit)
	}) == nil
}

func ask(c gonet.Conn, line string, limit time.Duration) error {
	_ = c.SetDeadline(time.Now().Add(limit))
	if _, err := fmt.Fprintln(c, line); err != nil {
		return err
	}
	got, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && got != line+"\n" {
		err = fmt.Errorf("got %q", got)
	}
	return err
}

// TestEntries: each kind of entry does what it says, to whom it says, for as
// long as it says, also to connections that are open.
func TestEntries(t *testing.T) {
	t.Parallel()
	h := makeHouse(t)
	tab := h.install(Config{})
	mac, _ := gonet.ParseMAC(camera)
	p := netip.MustParsePrefix
	check := func(when string, cam4, cam6, pc4, pc6 bool) {
		t.Helper()
		for _, x := range []struct {
			who  string
			from *netns.NS
			to   string
			want bool
		}{{"camera", h.camera, world, cam4}, {"camera", h.camera, world6, cam6}, {"pc", h.pc, world, pc4}, {"pc", h.pc, world6, pc6}} {
			limit := glance
			if x.want {
				limit = patience
			}
			if got := reaches(x.from, x.to, limit); got != x.want {
				t.Errorf("%s: %s reaches %s: %v, want %v", when, x.who, x.to, got, x.want)
			}
		}
	}
	check("nothing blocked", true, true, true, true)
	for _, tt := range []struct {
		name                 string
		e                    Entry
		cam4, cam6, pc4, pc6 bool
	}{
		{"address", Entry{Kind: Block, Net: p("203.0.113.9/32")}, false, true, false, true},
		{"network", Entry{Kind: Block, Net: p("2001:db8::/32")}, true, false, true, false},
		{"port", Entry{Kind: Block, Net: p("203.0.113.9/32"), Proto: 6, Port: 3333}, false, true, false, true},
		{"other port", Entry{Kind: Block, Net: p("203.0.113.9/32"), Proto: 6, Port: 3334}, true, true, true, true},
		{"one device", Entry{Kind: Block, Net: p("2001:db8::9/128"), MAC: mac}, true, false, true, true},
		{"pause", Entry{Kind: Pause, MAC: mac}, false, false, true, true},
		{"quarantine", Entry{Kind: Quarantine, MAC: mac}, false, false, true, true},
	} {
		h.do(func() error { return errors.Join(tab.Put(tt.e), tab.Put(tt.e)) })
		check(tt.name, tt.cam4, tt.cam6, tt.pc4, tt.pc6)
		var list []Active
		h.do(func() (err error) { list, err = tab.List(); return err })
		if len(list) != 1 || list[0].Kind != tt.e.Kind || list[0].Net != tt.e.Net || list[0].MAC.String() != tt.e.MAC.String() || list[0].Port != tt.e.Port || list[0].Left != 0 {
			t.Errorf("%s: listed as %+v", tt.name, list)
		}
		h.do(func() error { return errors.Join(tab.Delete(tt.e), tab.Delete(tt.e)) })
	}
	check("all deleted", true, true, true, true)

	// The never-block list wins over blocks; the allowed hosts over quarantine.
	h.do(func() error {
		return errors.Join(tab.SetNever([]netip.Prefix{p("203.0.113.0/28"), p("203.0.113.9/32")}), tab.SetAllowed([]netip.Prefix{p("2001:db8::9/128")}),
			tab.Put(Entry{Kind: Block, Net: p("203.0.113.9/32")}, Entry{Kind: Quarantine, MAC: mac}))
	})
	check("never and allowed", true, true, true, true)
	h.do(func() error { return errors.Join(tab.SetNever(nil), tab.SetAllowed(nil)) })
	check("lists emptied", false, false, false, true)
	h.do(func() error {
		return tab.Delete(Entry{Kind: Block, Net: p("203.0.113.9/32")}, Entry{Kind: Quarantine, MAC: mac})
	})

	// An open connection is cut, and goes on when the time is over.
	var c gonet.Conn
	if err := h.pc.Do(func() (err error) { c, err = gonet.Dial("tcp", world+":3333"); return err }); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := ask(c, "one", patience); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	h.do(func() error {
		return tab.Put(Entry{Kind: Block, Net: p("203.0.113.9/32"), For: 1200 * time.Millisecond})
	})
	if ask(c, "two", glance) == nil {
		t.Error("an open connection goes on")
	}
	for !reaches(h.pc, world, glance) {
		if time.Since(start) > 5*time.Second {
			t.Fatal("a block for 1.2 s lasts")
		}
	}
	if d := time.Since(start); d < 1100*time.Millisecond {
		t.Errorf("a block for 1.2 s lasted %v", d)
	}
	var n Counters
	h.do(func() (err error) { n, err = tab.Counters(); return err })
	if n.Blocked == 0 || n.Paused == 0 || n.Quarantined == 0 || n.Passed == 0 || n.Queued != 0 {
		t.Errorf("%+v", n)
	}
}

// TestHeart: packets are queued while the workers take their turns, and pass by
// when one does not, when nobody listens, and when the heart is gone.
func TestHeart(t *testing.T) {
	t.Parallel()
	h := makeHouse(t)
	tab := h.install(Config{Queue: 20, Workers: 1, LAN: []string{"br-lan"}})
	pulse := &Pulse{}
	var hang atomic.Bool
	var seen atomic.Uint64
	release := make(chan struct{})
	handler := func(f *packet.Frame) verdict.Verdict {
		if hang.Load() {
			<-release
		}
		pulse.Take()
		if f != nil {
			seen.Add(1)
		}
		return verdict.Verdict{}
	}
	var src *nfqueue.Source
	h.do(func() (err error) { src, err = nfqueue.Open(nfqueue.Config{Queue: 20}); return err })
	ctx, stop := context.WithCancel(context.Background())
	done := h.router.Go(func() error { return src.Run(ctx, handler) })
	var changes atomic.Int32
	heart := &Heart{Table: tab, Pulses: []*Pulse{pulse}, OnState: func(bool, error) { changes.Add(1) }}
	beating := h.router.Go(func() error { heart.Run(ctx); return nil })

	waitFor(t, "the heart beats", heart.On)
	if !reaches(h.pc, world, patience) || !reaches(h.pc, world6, patience) || seen.Load() == 0 {
		t.Fatalf("%d packets were inspected", seen.Load())
	}
	// Many beats later it is still so: elements are really renewed.
	time.Sleep(3 * DefaultTimeout)
	before := seen.Load()
	if !reaches(h.pc, world, patience) || seen.Load() == before {
		t.Errorf("after %d beats nothing is inspected", heart.Beats.Load())
	}

	// A worker that hangs: the home goes on within a second or so.
	hang.Store(true)
	start := time.Now()
	for !reaches(h.pc, world, glance) {
		if time.Since(start) > 5*time.Second {
			t.Fatal("a hanging worker cuts the home off")
		}
	}
	t.Logf("a worker hangs: connections open again after %v", time.Since(start).Round(time.Millisecond))
	waitFor(t, "it shows", func() bool { return !heart.On() })
	hang.Store(false)
	close(release)
	waitFor(t, "the heart beats again", heart.On)
	before = seen.Load()
	if !reaches(h.pc, world, patience) || seen.Load() == before {
		t.Error("nothing is inspected after the worker came back")
	}

	// Stopped: packets pass by at once.
	stop()
	if err := errors.Join(<-done, <-beating); err != nil {
		t.Error(err)
	}
	if !reaches(h.pc, world, patience) {
		t.Error("stopped, and the home is cut off")
	}
	if changes.Load() < 3 {
		t.Errorf("%d changes told", changes.Load())
	}
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	// The limit is far beyond what it takes: a machine that is busy does not reach it.
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within a minute: %s", what)
}

// TestVerdicts: a flow that is cut or released by mark stays so without the
// queue, by each way to the queues.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"", modeIPTables} {
		t.Run(cmp.Or(mode, "best"), func(t *testing.T) { testVerdicts(t, mode, false) })
	}
	// What a bridge that also routes forwards is inspected once.
	t.Run("bridge", func(t *testing.T) {
		if !exists(sysBridge + bridgeSettings[0]) {
			t.Skip("skipped: this test needs br_netfilter")
		}
		testVerdicts(t, "", true)
	})
}

func testVerdicts(t *testing.T, mode string, bridge bool) {
	t.Parallel()
	h := makeHouse(t)
	tab := h.install(Config{Queue: 30, Workers: 2, Local: true, Bridge: bridge, mode: mode})
	if mode != "" && tab.Mode() != mode {
		t.Fatalf("the way is %q", tab.Mode())
	}
	t.Log("the way to the queues:", tab.Mode())
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	pulses := []*Pulse{{}, {}}
	var queued, hellos atomic.Uint64
	for i, p := range pulses {
		var src *nfqueue.Source
		h.do(func() (err error) {
			src, err = nfqueue.Open(nfqueue.Config{Queue: uint16(30 + i), Marks: nfqueue.Marks{Release: DefaultMarks.Release, Cut: DefaultMarks.Cut}})
			return err
		})
		h.router.Go(func() error {
			return src.Run(ctx, func(f *packet.Frame) verdict.Verdict {
				p.Take()
				if f == nil {
					return verdict.Verdict{}
				}
				queued.Add(1)
				if strings.HasSuffix(string(f.Data), "hi\n") {
					hellos.Add(1)
				}
				switch {
				case strings.Contains(string(f.Data), "evil"):
					return verdict.Verdict{Action: verdict.Drop, Scope: verdict.Flow}
				case strings.Contains(string(f.Data), "known"):
					return verdict.Verdict{Action: verdict.Accept, Scope: verdict.Flow}
				}
				return verdict.Verdict{}
			})
		})
	}
	heart := &Heart{Table: tab, Pulses: pulses}
	h.router.Go(func() error { heart.Run(ctx); return nil })
	waitFor(t, "the heart beats", heart.On)
	for i, to := range []string{world, world6} {
		var good, bad gonet.Conn
		if err := h.pc.Do(func() (err error) {
			if good, err = gonet.Dial("tcp", gonet.JoinHostPort(to, "3333")); err == nil {
				bad, err = gonet.Dial("tcp", gonet.JoinHostPort(to, "3333"))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		defer good.Close()
		defer bad.Close()
		if err := errors.Join(ask(good, "hi", patience), ask(bad, "hi", patience)); err != nil {
			t.Fatal(to, err)
		}
		if n, want := hellos.Load(), 4*uint64(i+1); n < want || n > want+want/2 { // two connections and the answers; repeats
			t.Errorf("%s: %d packets with a word of four were inspected", to, n)
		}
		if err := ask(good, "known", patience); err != nil {
			t.Fatal(to, err)
		}
		if ask(bad, "evil", glance) == nil {
			t.Errorf("%s: evil came through", to)
		}
		time.Sleep(50 * time.Millisecond)
		before := queued.Load()
		if err := errors.Join(ask(good, "evil, but released", patience), ask(good, "more", patience)); err != nil {
			t.Error(to, err)
		}
		if n := queued.Load() - before; n > 3 { // repeats of the one that was cut
			t.Errorf("%s: %d packets of a released flow were queued", to, n)
		}
		heartbeat := heart.On()
		if ask(bad, "again", glance) == nil || !heartbeat {
			t.Errorf("%s: a flow that was cut goes on", to)
		}
		// A block holds for what was let go of, too, and for as long as it is there.
		block := Entry{Kind: Block, Net: netip.PrefixFrom(netip.MustParseAddr(to), netip.MustParseAddr(to).BitLen()), For: time.Minute}
		h.do(func() error { return tab.Put(block) })
		if ask(good, "blocked", glance) == nil {
			t.Errorf("%s: a released flow to a blocked address goes on", to)
		}
		if !tab.busy {
			t.Error("something is blocked and the table is not busy")
		}
		h.do(func() error { return tab.Delete(block) })
		if tab.busy {
			t.Error("nothing is blocked and the table is busy")
		}
	}
	var n Counters
	h.do(func() (err error) { n, err = tab.Counters(); return err })
	if n.Cut == 0 || n.Queued == 0 {
		t.Errorf("%+v", n)
	}
}

// snapshot is everything of the packet filter that a program could change.
func (h *house) snapshot() string {
	h.t.Helper()
	var all strings.Builder
	for _, c := range [][]string{{"nft", "list", "ruleset"}, {"iptables-nft-save"}, {"ip6tables-nft-save"}, {"sysctl", "-a", "-r", "^net[.]bridge[.]"}, {"ip", "rule"}, {"ip", "-d", "link", "show", "br-lan"}} {
		out, err := h.router.Output(c[0], c[1:]...)
		if err != nil {
			h.t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			if !strings.HasPrefix(line, "#") && !strings.Contains(line, "_timer") {
				all.WriteString(counters.ReplaceAllString(line, "counter"))
			}
		}
	}
	return all.String()
}

// counters count what passes meanwhile.
var counters = regexp.MustCompile(`counter packets \d+ bytes \d+|\[\d+:\d+\]`)

func TestParseMangle(t *testing.T) {
	chains, idle := parseMangle("# Warning\ntable ip mangle {\n\tchain FORWARD {\n\t\ttype filter hook forward priority mangle; policy accept;\n\t}\n\n\tchain INPUT {\n\t\ttype filter hook input priority mangle; policy accept;\n\t\tcounter\n\t}\n\tchain MINE {\n\t}\n}\n")
	if fmt.Sprint(chains, idle) != "[FORWARD INPUT MINE] [FORWARD]" {
		t.Error(chains, idle)
	}
}

// TestUnhook: what was before is there after, others' rules included, also
// after a crash and without the state file.
func TestUnhook(t *testing.T) {
	t.Parallel()
	h := makeHouse(t)
	for _, err := range []error{
		h.router.Script("nft add table inet fw4\nnft add chain inet fw4 forward { type filter hook forward priority 0 ; }\nnft add rule inet fw4 forward counter accept"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	_, _ = h.router.Output("modprobe", "br_netfilter")
	bridge := h.router.Run("test", "-e", sysBridge+bridgeSettings[0]) == nil
	if !bridge {
		t.Log("the kernel has no br_netfilter: bridge mode is not part of this run")
	}
	clean := h.snapshot()
	for _, own := range []struct {
		name string
		prep string
	}{{"nobody else has a mangle table", ""}, {"somebody has", "iptables-nft -t mangle -A FORWARD -p tcp --dport 9 -j ACCEPT"}} {
		if own.prep != "" {
			if err := h.router.Script(own.prep); err != nil {
				t.Fatal(err)
			}
			clean = h.snapshot()
		}
		for i, end := range []string{"removed", "crashed", "crashed, state lost", "removed, iptables", "crashed, iptables"} {
			c := Config{State: h.state, Local: true, Bridge: bridge, Workers: 2}
			if i > 2 {
				c.Bridge, c.mode = false, modeIPTables
			}
			var tab *Table
			h.do(func() (err error) {
				tab, err = Install(c)
				if err == nil {
					err = tab.Put(Entry{Kind: Pause, MAC: mac})
				}
				return err
			})
			if h.snapshot() == clean {
				t.Fatal("nothing was set up")
			}
			switch end {
			case "removed", "removed, iptables":
				h.do(tab.Remove)
			case "crashed", "crashed, iptables":
				tab.Close()
				h.do(func() error { return Unhook(h.state) })
			default:
				tab.Close()
				saved, err := os.ReadFile(h.state)
				if err != nil {
					t.Fatal(err)
				}
				_ = os.Remove(h.state)
				h.do(func() error { return Unhook(h.state) })
				if err := os.WriteFile(h.state, saved, 0o600); err != nil { // for the settings, and iptables' empty table
					t.Fatal(err)
				}
				if out, _ := h.router.Output("nft", "list", "ruleset"); strings.Contains(string(out), "yamori") || strings.Contains(string(out), chainName) {
					t.Errorf("without the state file rules stay:\n%s", out)
				}
				h.do(func() error { return Unhook(h.state) })
			}
			if now := h.snapshot(); now != clean {
				t.Errorf("%s, %s: before\n%s\nafter\n%s", own.name, end, clean, now)
			}
			if _, err := os.Stat(h.state); err == nil {
				t.Errorf("%s, %s: the state file stays", own.name, end)
			}
		}
	}
	h.do(func() error { return Unhook(h.state) }) // nothing to remove is no error
}
