package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/capture/afpacket"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/dnsmode"
	"github.com/yamori-net/yamori/internal/enforce"
	"github.com/yamori-net/yamori/internal/report"
)

// Levels of what the doctor finds.
const (
	LevelOK      = "ok"
	LevelNote    = "note"    // worth knowing
	LevelWarning = "warning" // something is missed, or soon will be
	LevelFailure = "failure" // it does not work
)

// Check is one thing that the doctor looked at. Sentences belong to package
// report.
type Check struct {
	Code  string     `json:"code"`
	Level string     `json:"level"`
	Args  []api.Pair `json:"args"`
}

// Doctor looks at everything that Yamori needs: the configuration, the machine,
// the packet filter and the running daemon. It changes nothing.
type Doctor struct {
	Config  *config.Config
	Problem error  // why there is no configuration
	Socket  string // of the daemon

	checks []Check
}

// Bounds of what is healthy.
const (
	oldRules    = 30 * 24 * time.Hour
	leastDisk   = 8 << 20   // below it nothing is kept
	leastMemory = 48 << 20  // what a home's traffic takes (docs/performance.md)
	firstYear   = 2026      // of the program
	fullTable   = 9.0 / 10. // of the kernel's connections
)

// add notes one finding; args are names and values.
func (d *Doctor) add(level, code string, args ...string) {
	c := Check{Code: code, Level: level, Args: []api.Pair{}}
	for i := 0; i+1 < len(args); i += 2 {
		c.Args = append(c.Args, api.Pair{Name: args[i], Value: args[i+1]})
	}
	d.checks = append(d.checks, c)
}

// Examine looks at everything and returns what it found, in order.
func (d *Doctor) Examine(ctx context.Context) []Check {
	if d.Config == nil {
		d.add(LevelFailure, "config.bad", "error", d.Problem.Error())
		d.Config = &config.Config{}
	} else {
		d.add(LevelOK, "config.ok")
		d.files(ctx)
	}
	d.machine()
	d.filter()
	d.daemon(ctx)
	return d.checks
}

// files looks at what the configuration names.
func (d *Doctor) files(ctx context.Context) {
	if _, err := CheckFiles(ctx, d.Config); err != nil {
		for line := range strings.Lines(err.Error()) {
			d.add(LevelFailure, "config.files", "error", strings.TrimSpace(line))
		}
	}
	if len(d.Config.Rules.Files) == 0 {
		d.add(LevelOK, "rules.none")
		return
	}
	var newest time.Time
	for _, p := range d.Config.Rules.Files {
		at := newestIn(p)
		if at.IsZero() {
			d.add(LevelFailure, "rules.missing", "path", p)
		}
		if at.After(newest) {
			newest = at
		}
	}
	if newest.IsZero() {
		return
	}
	age := max(0, time.Since(newest))
	level, code := LevelOK, "rules.ok"
	if age > oldRules {
		level, code = LevelWarning, "rules.old"
	}
	d.add(level, code, "days", strconv.Itoa(int(age/(24*time.Hour))))
}

// newestIn is when the newest file of a file, pattern or folder was written;
// zero: there is none.
func newestIn(path string) (at time.Time) {
	all, err := filepath.Glob(path)
	if err != nil {
		return at
	}
	for _, p := range all {
		_ = filepath.WalkDir(p, func(_ string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return nil
			}
			if i, err := e.Info(); err == nil && i.ModTime().After(at) {
				at = i.ModTime()
			}
			return nil
		})
	}
	return at
}

// machine looks at the interface, forwarding, the clock, disk and memory.
func (d *Doctor) machine() {
	c := d.Config
	name, err := c.Interface, error(nil)
	if name == "" {
		name, _, err = afpacket.DefaultInterface()
	}
	var ifc *net.Interface
	if err == nil {
		ifc, err = net.InterfaceByName(name)
	}
	switch {
	case err != nil:
		d.add(LevelFailure, "interface.missing", "error", err.Error())
	case ifc.Flags&net.FlagUp == 0 || ifc.Flags&net.FlagRunning == 0:
		d.add(LevelFailure, "interface.down", "interface", name)
	default:
		d.add(LevelOK, "interface.ok", "interface", name)
	}
	v4, v6 := isOne("/proc/sys/net/ipv4/ip_forward"), isOne("/proc/sys/net/ipv6/conf/all/forwarding")
	switch {
	case v4 && v6:
		d.add(LevelOK, "forward.ok")
	case v4:
		d.add(LevelNote, "forward.v6_off")
	case c.Policy.Mode == "protect" && !c.Inline.Bridge && c.Inline.Resets == "" && !c.DNS.Enabled():
		d.add(LevelWarning, "forward.off")
	default:
		d.add(LevelNote, "forward.off")
	}
	switch now := time.Now(); {
	case now.Year() < firstYear:
		d.add(LevelFailure, "clock.wrong", "now", now.Format(time.DateTime))
	case !synchronised():
		d.add(LevelNote, "clock.unsynchronised")
	default:
		d.add(LevelOK, "clock.ok")
	}
	d.disk()
	if n, ok := procNumber("/proc/meminfo", "MemAvailable:"); ok && n<<10 < leastMemory {
		d.add(LevelWarning, "memory.low", "free", report.Size(uint64(n)<<10))
	}
	count, ok := procNumber("/proc/sys/net/netfilter/nf_conntrack_count", "")
	most, ok2 := procNumber("/proc/sys/net/netfilter/nf_conntrack_max", "")
	if ok && ok2 && most > 0 && float64(count) > fullTable*float64(most) {
		d.add(LevelWarning, "conntrack.full", "count", strconv.FormatInt(count, 10), "most", strconv.FormatInt(most, 10), "double", strconv.FormatInt(2*most, 10))
	}
	if c.DNS.Enabled() {
		d.port53()
	}
}

// disk looks at the room for what is kept.
func (d *Doctor) disk() {
	dir := firstOf(d.Config.State.Dir, config.DefaultState)
	at := dir
	for {
		if _, err := os.Stat(at); err == nil || at == "/" || at == "." {
			break
		}
		at = filepath.Dir(at) // it is made at the first start
	}
	free, err := freeBytes(at)
	limit := int64(d.Config.State.MaxMB) << 20
	if limit == 0 {
		limit = 256 << 20
	}
	used := sizeOf(dir)
	switch {
	case err != nil:
		d.add(LevelWarning, "disk.unknown", "folder", dir, "error", err.Error())
	case free < leastDisk:
		d.add(LevelFailure, "disk.full", "folder", dir, "free", report.Size(free))
	case int64(free)+used < limit:
		d.add(LevelWarning, "disk.low", "folder", dir, "free", report.Size(free), "limit", report.Size(uint64(limit)))
	default:
		d.add(LevelOK, "disk.ok", "folder", dir, "free", report.Size(free))
	}
}

func sizeOf(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			if i, err := e.Info(); err == nil {
				n += i.Size()
			}
		}
		return nil
	})
	return n
}

// port53 looks whether the addresses of the home's resolver can be had, unless
// the daemon itself has them.
func (d *Doctor) port53() {
	if _, err := AskStatus(context.Background(), d.Socket); err == nil {
		return // it says itself what it could not have
	}
	var at []netip.AddrPort
	for _, s := range d.Config.DNS.Listen {
		if a, err := config.ListenAddress(s); err == nil {
			at = append(at, a)
		}
	}
	if len(at) == 0 {
		w := &Watch{Config: d.Config, iface: d.Config.Interface}
		for _, a := range w.homeAddresses() {
			if a = netip.AddrPortFrom(a.Addr(), config.DNSPort); dnsmode.CheckListen(a) == nil {
				at = append(at, a)
			}
		}
	}
	for _, a := range at {
		c, err := net.ListenPacket("udp", a.String())
		if err == nil {
			_ = c.Close()
		} else if errors.Is(err, syscall.EADDRINUSE) {
			d.add(LevelFailure, "dns.port_taken", "address", a.String())
		}
	}
}

// filter looks at what the packet filter offers.
func (d *Doctor) filter() {
	if missing := missingCapabilities(); len(missing) > 0 {
		if os.Geteuid() == 0 {
			d.add(LevelFailure, "caps.missing", "missing", strings.Join(missing, ", "))
		}
		d.add(LevelNote, "doctor.not_root")
		return
	}
	a := enforce.Probe()
	if a.CanInspect() {
		d.add(LevelOK, "enforce.ok")
	}
	d.checks = append(d.checks, probed(&a, d.Config, d.Config.Policy.Mode == "protect")...)
	if _, err := AskStatus(context.Background(), d.Socket); err != nil && enforce.Left() {
		d.add(LevelWarning, "enforce.left")
	}
}

// probed says how bad it is what the packet filter lacks.
func probed(a *enforce.Abilities, c *config.Config, protect bool) (out []Check) {
	for _, f := range a.Findings {
		x := Check{Code: f.Code, Level: LevelWarning, Args: []api.Pair{}}
		switch f.Code {
		case enforce.NoNFT, enforce.NoQueue:
			if protect && !c.Inline.Off {
				x.Level = LevelFailure
			}
		case enforce.NoBridge:
			if x.Level = LevelFailure; !c.Inline.Bridge {
				x.Level = LevelNote
			}
		}
		if len(f.Args) > 0 {
			x.Args = []api.Pair{{Name: "tables", Value: strings.Join(f.Args, ", ")}}
		}
		out = append(out, x)
	}
	return out
}

// daemon asks the running daemon what ails it.
func (d *Doctor) daemon(ctx context.Context) {
	s, err := AskStatus(ctx, d.Socket)
	if err != nil {
		d.add(LevelWarning, "daemon.down", "error", err.Error())
		return
	}
	d.add(LevelOK, "daemon.ok", "version", s.Version, "mode", s.Mode)
	seen := map[string]bool{}
	for _, c := range d.checks {
		seen[c.Code] = true
	}
	for _, p := range s.Problems {
		if !seen[p.Code] || !strings.HasPrefix(p.Code, "enforce.") {
			d.checks = append(d.checks, Check{p.Code, levelOf(p.Code), p.Args})
		}
	}
	if s.Privileges != nil {
		for _, p := range s.Privileges.Missing {
			d.checks = append(d.checks, Check{p.Code, LevelNote, p.Args})
		}
	}
}

// levelOf says how bad a problem of a status is.
func levelOf(code string) string {
	switch code {
	case "interface.down", "store.temporary", "store.full", "store.failing", "store.damaged", "policy.unreadable", "api.down", "inline.failed", "acts.failed",
		dnsFailed, "dns.not_listening", "dns.no_upstream", "dns.loop":
		return LevelFailure
	case "acts.after", "acts.reset", "store.repaired", "inline.passed":
		return LevelNote
	}
	return LevelWarning
}

// isOne reports whether a setting of the kernel is on.
func isOne(file string) bool {
	b, err := os.ReadFile(file)
	return err == nil && strings.HasPrefix(string(b), "1")
}

// procNumber is the number behind a word in a file of /proc; "": the first one.
func procNumber(file, word string) (n int64, ok bool) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if word != "" {
			if len(f) < 2 || f[0] != word {
				continue
			}
			f = f[1:]
		}
		if len(f) > 0 {
			_, err := fmt.Sscan(f[0], &n)
			return n, err == nil
		}
	}
	return 0, false
}
