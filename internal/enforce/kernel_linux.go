package enforce

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// commandTime bounds one run of nft or iptables.
const commandTime = 10 * time.Second

// run runs a program of the packet filter. The environment is empty but for
// the path, and the language is C, so that its answers can be read.
func run(stdin, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandTime)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Env = []string{"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	c.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if err == nil {
		return out.String(), nil
	}
	text := strings.TrimSpace(errs.String())
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("%w: there is no program %s; install the package nftables (and iptables, for %s)", ErrUnsupported, name, chainName)
	case strings.Contains(text, "Operation not permitted"), strings.Contains(text, "Permission denied"), strings.Contains(text, "must be root"):
		return "", fmt.Errorf("%w (%s); run as root, or grant cap_net_admin", ErrPermission, name)
	}
	return "", fmt.Errorf("%s: %w: %s", name, err, firstLine(text))
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// Table is the program's rules in the kernel of the calling thread's network
// namespace. Its methods may be called by anyone.
type Table struct {
	cfg  Config
	mu   sync.Mutex
	conn *nftables.Conn
	sets map[string]*nftables.Set // in the table of the family inet
	beat *nftables.Conn           // of the heart alone: it waits for nobody
	mode string                   // how packets reach the queues
	last time.Time                // of the heartbeat
	busy bool                     // the gates lead to the blocks
	// bridges: there is a table of the family bridge, too.
	bridges bool
	lay     sync.Mutex      // held while the heart beats
	n       uint            // beats so far
	own     map[string]bool // the machine's hardware addresses that the rules know; under mu
}

// Install sets everything up, replacing what an earlier run left. Nothing is
// queued before the first heartbeat. When a step fails everything is removed
// again.
func Install(c Config) (*Table, error) {
	if err := c.setDefaults(); err != nil {
		return nil, fmt.Errorf("packet filter: %w", err)
	}
	if err := Unhook(c.State); err != nil {
		return nil, err
	}
	t := &Table{cfg: c}
	if err := t.install(); err != nil {
		t.Close()
		return nil, errors.Join(fmt.Errorf("packet filter: %w", err), Unhook(c.State))
	}
	return t, nil
}

func (t *Table) install() error {
	st := newState(t.cfg.State)
	if t.mode = t.cfg.mode; t.mode == "" {
		t.mode = queueMode(t.cfg.Passive)
	}
	if t.mode == modeIPTables {
		if t.cfg.Bridge {
			return fmt.Errorf("%w: bridge mode needs nft's queue or nft_compat in the kernel", ErrUnsupported)
		}
		st.noteTables()
	}
	if err := st.save(); err != nil {
		return err
	}
	if t.cfg.Bridge {
		if err := st.bridge(); err != nil {
			return err
		}
	}
	reject := nftReject()
	_, err := run(ruleset(&t.cfg, t.mode, reject, true), "nft", "-f", "-")
	if t.bridges = err == nil; err != nil && !t.cfg.Bridge { // a kernel without tables for bridges
		_, err = run(ruleset(&t.cfg, t.mode, reject, false), "nft", "-f", "-")
	}
	if err != nil {
		return err
	}
	if t.mode == modeIPTables {
		for _, prog := range iptablesPrograms() {
			for _, args := range iptables(&t.cfg) {
				if _, err := run("", prog, append([]string{"-w", "5", "-t", "mangle"}, args...)...); err != nil {
					return fmt.Errorf("%w; the kernel needs nft_queue or xt_NFQUEUE", err)
				}
			}
		}
	}
	if err := t.connect(); err != nil {
		return err
	}
	if t.mode == modeXT && !t.cfg.Passive {
		if err := toQueue(t.conn, t.inet(), &t.cfg); err != nil {
			return err
		}
	}
	return t.noteOwn()
}

// noteOwn puts the machine's own hardware addresses into their set, those that
// are not in it yet.
func (t *Table) noteOwn() error {
	set := t.sets["own"]
	if set == nil {
		return nil
	}
	list, err := net.Interfaces()
	if err != nil {
		return fmt.Errorf("list the interfaces: %w", err)
	}
	if t.own == nil {
		t.own = map[string]bool{}
	}
	var el []nftables.SetElement
	for _, i := range list {
		if a := string(i.HardwareAddr); len(a) == 6 && !t.own[a] && len(t.own)+len(el) < maxElements {
			el = append(el, nftables.SetElement{Key: i.HardwareAddr})
		}
	}
	if len(el) == 0 {
		return nil
	}
	if err := t.conn.SetAddElements(set, el); err != nil {
		return err
	}
	if err := t.conn.Flush(); err != nil {
		return err
	}
	for _, x := range el {
		t.own[string(x.Key)] = true
	}
	return nil
}

// inet is the program's table.
func (t *Table) inet() *nftables.Table {
	return &nftables.Table{Name: tableName, Family: nftables.TableFamilyINet}
}

// connect opens the netlink connections and learns the sets.
func (t *Table) connect() (err error) {
	for _, c := range [...]**nftables.Conn{&t.conn, &t.beat} {
		if *c, err = nftables.New(nftables.AsLasting()); err != nil {
			return fmt.Errorf("netlink: %w", err)
		}
	}
	all, err := t.conn.GetSets(t.inet())
	if err != nil {
		return fmt.Errorf("list the sets: %w", err)
	}
	t.sets = map[string]*nftables.Set{}
	for _, s := range all {
		s.Table = t.inet()
		t.sets[s.Name] = s
	}
	if t.sets["alive"] == nil || t.sets["blocked6"] == nil {
		return errors.New("the sets are not there after the rules were loaded")
	}
	return nil
}

// Mode says how packets reach the queues: "nft", "xt" or "iptables".
func (t *Table) Mode() string { return t.mode }

// Close lets go of the connections; the rules stay. See Remove.
func (t *Table) Close() {
	t.lay.Lock() // the heart may beat, or rest, elsewhere
	defer t.lay.Unlock()
	for _, c := range [...]*nftables.Conn{t.conn, t.beat} {
		if c != nil {
			_ = c.CloseLasting()
		}
	}
}

// Remove takes everything out of the kernel again.
func (t *Table) Remove() error {
	t.Close()
	return Unhook(t.cfg.State)
}

// nftQueue reports whether the kernel has nft's "queue": it is asked to check
// a rule that uses it, without loading it.
func nftQueue() bool {
	_, err := run("table inet "+tableName+"_probe {\n chain c {\n type filter hook forward priority mangle;\n queue num 0 bypass\n }\n}\n", "nft", "-c", "-f", "-")
	return err == nil
}

// nftReject reports whether the kernel has nft's "reject".
func nftReject() bool {
	_, err := run("table inet "+tableName+"_probe {\n chain c {\n type filter hook prerouting priority mangle;\n meta l4proto tcp reject with tcp reset\n }\n}\n", "nft", "-c", "-f", "-")
	return err == nil
}

// iptablesPrograms returns the two programs of iptables, those on nftables by
// preference.
func iptablesPrograms() []string {
	for _, p := range [...][]string{{"iptables-nft", "ip6tables-nft"}, {"iptables", "ip6tables"}} {
		if _, err := exec.LookPath(p[0]); err == nil {
			return p
		}
	}
	return []string{"iptables", "ip6tables"}
}

// Unhook removes everything that Install of any earlier run put into the
// kernel, also when the state file is gone, and puts back the settings that
// the state file names. Having nothing to remove is no error.
func Unhook(state string) error {
	if state == "" {
		state = DefaultState
	}
	var errs []error
	if _, err := exec.LookPath("nft"); err == nil {
		for _, family := range [...]string{"inet", "bridge"} {
			// Removing a table that is not there fails; adding it first does not.
			if _, err := run("table "+family+" "+tableName+" {}\ndelete table "+family+" "+tableName+"\n", "nft", "-f", "-"); err != nil {
				if errors.Is(err, ErrPermission) {
					return err
				}
				if family == "inet" { // a kernel without bridge tables has none of ours
					errs = append(errs, err)
				}
			}
		}
	}
	seen := map[string]bool{}
	for _, prog := range [...]string{"iptables-nft", "ip6tables-nft", "iptables-legacy", "ip6tables-legacy", "iptables", "ip6tables"} {
		path, err := exec.LookPath(prog)
		if err != nil || seen[path] {
			continue
		}
		seen[path] = true
		errs = append(errs, unhookIPTables(path))
	}
	st, err := loadState(state)
	errs = append(errs, err)
	if st != nil {
		errs = append(errs, st.restore())
	}
	return errors.Join(errs...)
}

// unhookIPTables removes the chain and the jumps to it.
func unhookIPTables(prog string) error {
	do := func(args ...string) error {
		_, err := run("", prog, append([]string{"-w", "5", "-t", "mangle"}, args...)...)
		return err
	}
	if strings.Contains(prog, "legacy") && !legacyTables(prog) {
		return nil // asking would load the modules
	}
	text, err := run("", prog, "-w", "5", "-t", "mangle", "-S")
	if err != nil || !strings.Contains(text, chainName) {
		return nil // no such table, or nothing of ours in it
	}
	var errs []error
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) == 4 && f[0] == "-A" && f[2] == "-j" && f[3] == chainName {
			errs = append(errs, do("-D", f[1], "-j", chainName))
		}
	}
	return errors.Join(append(errs, do("-F", chainName), do("-X", chainName))...)
}

// legacyTables reports whether the tables of old iptables are in use.
func legacyTables(prog string) bool {
	file := "/proc/thread-self/net/ip_tables_names"
	if strings.Contains(prog, "ip6") {
		file = "/proc/thread-self/net/ip6_tables_names"
	}
	b, err := os.ReadFile(file)
	return err == nil && strings.Contains(string(b), "mangle")
}

// missing reports whether err says that something is not there.
func missing(err error) bool { return errors.Is(err, unix.ENOENT) }
