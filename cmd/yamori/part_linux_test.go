package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/api/client"
	"github.com/yamori-net/yamori/internal/geo/geotest"
	"github.com/yamori-net/yamori/internal/netns"
	"github.com/yamori-net/yamori/internal/priv"
)

// envRun makes the test program be yamori: the whole of it, with a goroutine
// that tries what the daemon must not be able to do.
const envRun = "YAMORI_TEST_RUN"

func TestMain(m *testing.M) {
	if os.Getenv(envRun) == "" && (len(os.Args) < 2 || os.Args[1] != "privileged") {
		os.Exit(m.Run())
	}
	if priv.Departed() {
		go intrude()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// intrude is told on standard input when, and writes what succeeded.
func intrude() {
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return
	}
	socket := func(family, kind, proto int) error {
		fd, err := unix.Socket(family, kind, proto)
		if err == nil {
			_ = unix.Close(fd)
		}
		return err
	}
	read := func(path string) error { _, err := os.ReadFile(path); return err }
	dir := os.Getenv(envRun)
	var did []string
	for name, err := range map[string]error{
		"reads /etc/shadow":         read("/etc/shadow"),
		"reads the configuration":   read(filepath.Join(dir, "yamori.yaml")),
		"reads what is not named":   read(filepath.Join(dir, "other/file")),
		"writes /tmp":               os.WriteFile("/tmp/yamori-intruder", nil, 0o600),
		"writes the event file":     os.WriteFile(filepath.Join(dir, "log/eve.json"), nil, 0o600),
		"removes the event file":    os.Remove(filepath.Join(dir, "log/eve.json")),
		"writes the rules":          os.WriteFile(filepath.Join(dir, "rules/x.rules"), nil, 0o600),
		"opens a raw socket":        socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_RAW),
		"opens a packet socket":     socket(unix.AF_PACKET, unix.SOCK_RAW, 0),
		"talks to the filter":       socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_NETFILTER),
		"starts a program":          exec.Command("/bin/true").Run(),
		"becomes a program":         syscall.Exec("/proc/self/exe", []string{"x"}, nil),
		"becomes root":              syscall.Setresuid(0, 0, 0),
		"switches forwarding":       os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o600),
		"listens at another port":   func() error { _, err := net.Listen("tcp", "127.0.0.1:22"); return err }(),
		"signals its parent":        unix.Kill(os.Getppid(), 0),
		"looks into the helper":     read(fmt.Sprintf("/proc/%d/environ", os.Getppid())),
		"makes a namespace":         unix.Unshare(unix.CLONE_NEWUSER),
		"mounts":                    unix.Mount("none", dir, "tmpfs", 0, ""),
		"traces":                    unix.PtraceAttach(os.Getppid()),
		"makes a device":            unix.Mknod(filepath.Join(dir, "state/dev"), unix.S_IFBLK|0o600, 0x700),
		"keeps root's memory files": read("/proc/1/mem"),
	} {
		if err == nil {
			did = append(did, name)
		}
	}
	for name, err := range map[string]error{
		"cannot read its rules":   read(filepath.Join(dir, "rules/a.rules")),
		"cannot write its state":  os.WriteFile(filepath.Join(dir, "state/own"), nil, 0o600),
		"cannot list interfaces":  func() error { _, err := net.Interfaces(); return err }(),
		"cannot read resolv.conf": read("/etc/resolv.conf"),
	} {
		if err != nil {
			did = append(did, name+": "+err.Error())
		}
	}
	_ = os.Remove(filepath.Join(dir, "state/own"))
	slices.Sort(did)
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"intruder": did})
}

// runner is a yamori run in a namespace.
type runner struct {
	t    *testing.T
	ns   *netns.NS
	dir  string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  chan string // lines of standard output
	done chan error
	c    *client.Client
}

// startRun writes a configuration and starts the daemon with it.
func startRun(t *testing.T, ns *netns.NS, dir, config string) *runner {
	t.Helper()
	file := filepath.Join(dir, "yamori.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &runner{t: t, ns: ns, dir: dir, cmd: exec.Command("/proc/self/exe", "run", "--config", file), out: make(chan string, 64), done: make(chan error, 1)}
	r.cmd.Env = append(os.Environ(), envRun+"="+dir, "LC_ALL=C")
	log, err := os.OpenFile(filepath.Join(dir, "stderr"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	r.cmd.Stderr = log
	if r.in, err = r.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := ns.Do(r.cmd.Start); err != nil {
		t.Fatal(err)
	}
	go func() {
		for sc := bufio.NewScanner(out); sc.Scan(); {
			r.out <- sc.Text()
		}
		r.done <- r.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		if t.Failed() {
			t.Log(r.log())
		}
	})
	r.c = client.Unix(filepath.Join(dir, "run/yamori.sock"))
	r.until("the daemon answers", func() bool { _, err := r.c.Status(context.Background()); return err == nil })
	return r
}

func (r *runner) log() string {
	b, _ := os.ReadFile(filepath.Join(r.dir, "stderr"))
	return string(b)
}

func (r *runner) until(what string, f func() bool) {
	r.t.Helper()
	for end := time.Now().Add(20 * time.Second); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("%s: not within 20 s\n%s", what, r.log())
		}
	}
}

// ended waits for the end of the daemon.
func (r *runner) ended() error {
	r.t.Helper()
	for {
		select {
		case err := <-r.done:
			return err
		case <-r.out:
		case <-time.After(20 * time.Second):
			r.t.Fatalf("the daemon does not end\n%s", r.log())
		}
	}
}

// helper is the number of the privileged process.
func (r *runner) helper() int {
	r.t.Helper()
	n := childOf(r.cmd.Process.Pid)
	if n == 0 {
		r.t.Fatal("there is no privileged process")
	}
	return n
}

// childOf is the number of a process's only child; 0: it has none.
func childOf(pid int) int {
	for _, f := range must(filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))) {
		b, _ := os.ReadFile(f)
		for _, w := range strings.Fields(string(b)) {
			n, _ := strconv.Atoi(w)
			return n
		}
	}
	return 0
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// around is what a daemon may change of its machine.
func around(t *testing.T, ns *netns.NS) string {
	t.Helper()
	var all strings.Builder
	for _, line := range []string{"nft list ruleset", "iptables-save -c", "ip6tables-save -c", "ip -o addr", "ip rule", "ip route", "sysctl -a -r ^net"} {
		f := strings.Fields(line)
		out, err := ns.Output(f[0], f[1:]...)
		if err != nil {
			t.Fatal(line, err)
		}
		for l := range strings.Lines(string(out)) {
			if !strings.HasPrefix(l, "#") && !strings.Contains(l, "nf_conntrack_count") && !strings.Contains(l, "neigh.default.gc") {
				all.WriteString(l)
			}
		}
	}
	return all.String()
}

// owners lists who has which file of dir.
func owners(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, f := range must(filepath.Glob(dir + "/*/*")) {
		var st unix.Stat_t
		if err := unix.Lstat(f, &st); err != nil {
			t.Fatal(err)
		}
		out[strings.TrimPrefix(f, dir+"/")] = fmt.Sprintf("%d %o", st.Uid, st.Mode)
	}
	return out
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("this test needs root")
		}
		t.Skip("skipped: giving up privileges needs root")
	}
}

// partedHome is a folder and a namespace for a daemon.
func partedHome(t *testing.T) (dir string, ns *netns.NS) {
	t.Helper()
	needRoot(t)
	ns, err := netns.New("gateway")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ns.Close)
	dir = openFolder(t)
	country, err := os.ReadFile(geotest.Write(t, "country", map[string]geotest.Map{"192.0.2.0/24": geotest.Country("JP")}))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"geo/country.mmdb": string(country), "rules/a.rules": rule(1), "other/file": "x", "log/eve.json.1": "old\n", "lists/names.txt": "pool.example\n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir, ns
}

func rule(n int) string {
	return fmt.Sprintf("alert tcp any any -> any 4%03d (msg:\"test\"; sid:990%03d;)\n", n, n)
}

const partedConfig = `version: 1
interface: lo
workers: 1
socket: DIR/run/yamori.sock
state: {dir: DIR/state}
events: {file: DIR/log/eve.json, keep: 2}
rules: {files: [DIR/rules]}
api: {listen: ["127.0.0.1:443"]}
dns:
  listen: [127.0.0.1, "127.0.0.1:5300"]
  upstreams: [{url: 127.0.0.9}]
  lists: [{name: pools, path: DIR/lists/names.txt}]
inline: {state: DIR/enforce.json}
geo: {country: DIR/geo/country.mmdb}
exports: {syslog: {network: udp, address: "127.0.0.1:5140"}}
`

// TestParted: what reads packets cannot do what a thief would want, and does
// all that the daemon has to; what it was started on is as before when it ends.
func TestParted(t *testing.T) {
	t.Parallel()
	dir, ns := partedHome(t)
	before := around(t, ns)
	r := startRun(t, ns, dir, strings.ReplaceAll(partedConfig, "DIR", dir))
	ctx := context.Background()
	pid := r.cmd.Process.Pid

	t.Run("threads", func(t *testing.T) {
		n := 0
		for _, f := range must(filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))) {
			b, _ := os.ReadFile(f)
			for _, want := range []string{"CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"} {
				if len(b) > 0 && !strings.Contains(string(b), want+"\n") {
					t.Errorf("a thread has not %q:\n%s", want, b)
				}
			}
			if strings.Contains(string(b), "Uid:\t0") {
				t.Error("a thread is root")
			}
			n++
		}
		if n < 3 {
			t.Errorf("%d threads", n)
		}
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", r.helper()))
		if !strings.Contains(string(b), "privileged") {
			t.Errorf("the child is %q", b)
		}
	})
	t.Run("intruder", func(t *testing.T) {
		_, _ = io.WriteString(r.in, "\n")
		for line := range r.out {
			if strings.HasPrefix(line, `{"intruder"`) {
				if line != `{"intruder":null}` {
					t.Error(line)
				}
				return
			}
		}
	})
	t.Run("status", func(t *testing.T) {
		s, err := r.c.Status(ctx)
		if err != nil || s.Privileges == nil || !s.Privileges.Parted || !s.Privileges.Seccomp || s.Privileges.User == "root" {
			t.Fatalf("%+v %v", s.Privileges, err)
		}
		if s.Privileges.Landlock == 0 && !slices.ContainsFunc(s.Privileges.Missing, func(p api.Problem) bool { return p.Code == "priv.landlock.absent" }) {
			t.Error("Landlock is absent, and nobody is told")
		}
		code, out, _ := call(t, "status", "--socket", filepath.Join(dir, "run/yamori.sock"))
		if code != 0 || !strings.Contains(out, "  rights    none; user "+s.Privileges.User) {
			t.Error(code, out)
		}
	})
	t.Run("ports", func(t *testing.T) {
		for _, at := range []string{"127.0.0.1:443", "127.0.0.1:53", "127.0.0.1:5300"} {
			if err := ns.Do(func() error {
				c, err := net.DialTimeout("tcp", at, time.Second)
				if err == nil {
					_ = c.Close()
				}
				return err
			}); err != nil {
				t.Error(err)
			}
		}
		out, err := ns.Output("ss", "-Hlun", "src", "127.0.0.1:53")
		if err != nil || !strings.Contains(string(out), "127.0.0.1:53") {
			t.Errorf("no resolver at port 53: %s %v", out, err)
		}
	})
	t.Run("reload", func(t *testing.T) {
		loaded := must(r.c.Status(ctx)).Rules
		// An editor replaces the file: another one to Landlock. A rotator moves
		// the event file away.
		fresh := filepath.Join(dir, "rules/.new")
		if err := errors.Join(os.WriteFile(fresh, []byte(rule(1)+rule(2)), 0o644), os.Rename(fresh, filepath.Join(dir, "rules/a.rules")),
			os.Rename(filepath.Join(dir, "log/eve.json"), filepath.Join(dir, "log/eve.old")), r.cmd.Process.Signal(syscall.SIGHUP)); err != nil {
			t.Fatal(err)
		}
		r.until("SIGHUP", func() bool {
			_, err := os.Stat(filepath.Join(dir, "log/eve.json"))
			return err == nil && must(r.c.Status(ctx)).Rules == loaded+1
		})
		if err := os.WriteFile(filepath.Join(dir, "rules/b.rules"), []byte(rule(3)), 0o644); err != nil {
			t.Fatal(err)
		}
		if code, out, errs := call(t, "rules", "reload", "--socket", filepath.Join(dir, "run/yamori.sock")); code != 0 || must(r.c.Status(ctx)).Rules != loaded+2 {
			t.Error(code, out, errs)
		}
	})
	t.Run("backup", func(t *testing.T) {
		file := filepath.Join(dir, "backup")
		if code, out, errs := call(t, "backup", "-w", file, "--socket", filepath.Join(dir, "run/yamori.sock")); code != 0 {
			t.Error(code, out, errs)
		}
		if st, err := os.Stat(file); err != nil || st.Size() == 0 {
			t.Error(st, err)
		}
	})
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	helper := r.helper()
	if err := r.ended(); err != nil {
		t.Errorf("it ended with %v\n%s", err, r.log())
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", helper)); err == nil {
		t.Error("the privileged process is still there")
	}
	if after := around(t, ns); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	got := owners(t, dir)
	for f, o := range got {
		own := strings.HasPrefix(f, "state/")
		if root := strings.HasPrefix(o, "0 "); root == own {
			t.Errorf("%s belongs to %s", f, o)
		}
	}
	if _, ok := got["run/yamori.sock"]; ok {
		t.Error("the socket is still there")
	}
	if got["log/eve.json"] == "" || got["log/eve.old"] == "" {
		t.Error(slices.Sorted(maps.Keys(got)))
	}
	if !strings.Contains(r.log(), "two processes; this one has no privileges") {
		t.Error(r.log())
	}
	// It starts again with what it has, and also the way it was before.
	for _, more := range []string{"", "privileges: keep\n"} {
		r := startRun(t, ns, dir, strings.ReplaceAll(partedConfig, "DIR", dir)+more)
		s := must(r.c.Status(ctx))
		if s.Privileges.Parted == (more != "") || len(s.Problems) > 0 && s.Problems[0].Code == "store.temporary" {
			t.Errorf("%q: %+v %v", more, s.Privileges, s.Problems)
		}
		_ = r.cmd.Process.Signal(syscall.SIGTERM)
		if err := r.ended(); err != nil {
			t.Error(err, r.log())
		}
	}
	if after := around(t, ns); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// TestPartedDeath: whichever of the two is killed, the other ends and says so.
func TestPartedDeath(t *testing.T) {
	t.Parallel()
	dir, ns := partedHome(t)
	before := around(t, ns)
	config := strings.ReplaceAll(partedConfig, "DIR", dir) + "policy: {mode: protect}\n"
	inline := func(r *runner) {
		r.until("protection", func() bool { p, err := r.c.Policy(context.Background()); return err == nil && p.Inline })
	}
	r := startRun(t, ns, dir, config)
	inline(r)
	helper := r.helper()
	if err := r.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = r.ended()
	r.until("the end of the privileged process", func() bool { return unix.Kill(helper, 0) != nil })
	if after := around(t, ns); after != before {
		t.Errorf("the daemon was killed. Before:\n%s\nafter:\n%s", before, after)
	}

	r = startRun(t, ns, dir, config)
	inline(r)
	if err := unix.Kill(r.helper(), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := r.ended(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("the privileged process was killed, and the daemon ended with %v", err)
	}
	if !strings.Contains(r.log(), "the privileged process is gone") {
		t.Error(r.log())
	}
	// What it left queues nothing, and the next start replaces it.
	time.Sleep(600 * time.Millisecond)
	if out, err := ns.Output("nft", "list", "set", "inet", "yamori", "alive"); err != nil || strings.Contains(string(out), "expires") {
		t.Errorf("packets are still queued: %v\n%s", err, out)
	}
	r = startRun(t, ns, dir, config)
	inline(r)
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	if err := r.ended(); err != nil {
		t.Error(err)
	}
	if after := around(t, ns); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// TestPartedInterface: an interface that goes away and comes back is watched
// again, though each socket has to be asked for.
func TestPartedInterface(t *testing.T) {
	t.Parallel()
	dir, ns := partedHome(t)
	up := func() {
		if err := ns.Script("ip link add lan0 type veth peer name far0\nip link set far0 up\nip link set lan0 up\nip addr add 192.168.7.1/24 dev lan0"); err != nil {
			t.Fatal(err)
		}
	}
	up()
	r := startRun(t, ns, dir, fmt.Sprintf("interface: lan0\nsocket: %s/run/yamori.sock\nstate: {dir: %[1]s/state}\n", dir))
	seen := func() int64 {
		for i := range 3 {
			_ = ns.Do(func() error {
				c, err := net.Dial("udp", fmt.Sprintf("192.168.7.%d:9", 2+i))
				if err == nil {
					_, _ = c.Write([]byte("x"))
					_ = c.Close()
				}
				return err
			})
		}
		return must(r.c.Status(context.Background())).Packets
	}
	r.until("packets are seen", func() bool { return seen() > 0 })
	if err := ns.Run("ip", "link", "del", "lan0"); err != nil {
		t.Fatal(err)
	}
	r.until("the interface is gone", func() bool { return !must(r.c.Status(context.Background())).Inspecting })
	up()
	r.until("the interface is back", func() bool { return must(r.c.Status(context.Background())).Inspecting })
	before := seen()
	r.until("packets are seen again", func() bool { return seen() > before })
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	if err := r.ended(); err != nil {
		t.Error(err)
	}
}

// TestPartedRefuses: what cannot work is told before anything is left, with the
// cure.
func TestPartedRefuses(t *testing.T) {
	needRoot(t)
	dir := t.TempDir() // its parent is closed to others
	file := filepath.Join(dir, "yamori.yaml")
	for config, want := range map[string]string{
		"interface: nosuch0":                             "nosuch0",
		"interface: lo\nstate: {dir: /var/lib}":          "is not one to give away",
		"interface: lo\nstate: {dir: " + dir + "/state}": "cannot reach",
		"interface: lo\nuser: nosuchuser":                "there is no user nosuchuser",
		"interface: lo\nuser: root":                      "has the privileges of root",
		"interface: lo\nprivileges: some":                "use drop or keep",
		"interface: lo\nstate: {dir: /var/lib/yamori-test}\ninline: {state: /var/lib/yamori-test/enforce.json}": "name another place",
	} {
		sock := filepath.Join(dir, "sock")
		if err := os.WriteFile(file, []byte("socket: "+sock+"\n"+config+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("/proc/self/exe", "run", "--config", file)
		cmd.Env = append(os.Environ(), envRun+"="+dir)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v: %s", config, err, out)
		}
		if _, err := os.Lstat(sock); err == nil {
			t.Errorf("%s: the socket is left", config)
		}
	}
	_ = os.Remove("/var/lib/yamori-test")
}
