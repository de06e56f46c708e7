package enforce

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// state is what has to be put back when the rules are removed. It is written
// before anything is changed.
type state struct {
	file string

	// Settings are files under /proc/sys with their old values.
	Settings map[string]string `json:"settings,omitempty"`
	// Mangle holds, for the nft families "ip" and "ip6", the chains that table
	// mangle had before; absent: there was no table. iptables makes what it
	// needs and leaves it behind.
	Mangle map[string][]string `json:"mangle,omitempty"`
	Noted  bool                `json:"noted,omitempty"` // Mangle was filled in
}

func newState(file string) *state {
	return &state{file: file, Settings: map[string]string{}, Mangle: map[string][]string{}}
}

// loadState returns nil when there is none.
func loadState(file string) (*state, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("packet filter: %w", err)
	}
	st := newState(file)
	if err := json.Unmarshal(b, st); err != nil {
		return nil, fmt.Errorf("packet filter: %s is damaged (%w); settings of the bridge may have to be put back by hand, then delete the file", file, err)
	}
	return st, nil
}

// save writes the file whole or not at all.
func (s *state) save() error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.file), 0o755); err != nil {
		return fmt.Errorf("remember what to restore: %w", err)
	}
	tmp := s.file + ".new"
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return fmt.Errorf("remember what to restore: %w", err)
	}
	return os.Rename(tmp, s.file)
}

// mangle lists the chains of table mangle, and of them the built-in ones that
// hold no rule. ok is false when there is no such table.
func mangle(family string) (chains, idle []string, ok bool) {
	text, err := run("", "nft", "list", "table", family, "mangle")
	if err != nil {
		return nil, nil, false
	}
	chains, idle = parseMangle(text)
	return chains, idle, true
}

func parseMangle(listing string) (chains, idle []string) {
	name, rules := "", 0
	for line := range strings.Lines(listing) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0, f[0] == "#", f[0] == "type", f[0] == "table":
		case f[0] == "chain" && len(f) > 1:
			name, rules = f[1], 0
			chains = append(chains, name)
		case f[0] == "}" && name != "":
			if builtin := " PREROUTING INPUT FORWARD OUTPUT POSTROUTING "; rules == 0 && strings.Contains(builtin, " "+name+" ") {
				idle = append(idle, name)
			}
			name = ""
		default:
			rules++
		}
	}
	return chains, idle
}

// noteTables notes what iptables is not going to make.
func (s *state) noteTables() {
	for _, f := range [...]string{"ip", "ip6"} {
		if chains, _, ok := mangle(f); ok {
			s.Mangle[f] = append([]string{}, chains...)
		}
	}
	s.Noted = true
}

// bridgeSettings make bridged frames pass the packet filter, also inside VLAN
// tags and PPPoE (Linux documentation, bridge netfilter).
var bridgeSettings = [...]string{"bridge-nf-call-iptables", "bridge-nf-call-ip6tables", "bridge-nf-filter-vlan-tagged", "bridge-nf-filter-pppoe-tagged"}

const sysBridge = "/proc/sys/net/bridge/"

// bridge turns them on and remembers what they were.
func (s *state) bridge() error {
	if _, err := os.Stat(sysBridge + bridgeSettings[0]); err != nil {
		_, _ = run("", "modprobe", "br_netfilter") // where it is no module, the next look says so
	}
	for _, name := range bridgeSettings {
		file := sysBridge + name
		b, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("%w: %s is not there; bridge mode needs the module br_netfilter", ErrUnsupported, file)
		}
		s.Settings[file] = strings.TrimSpace(string(b))
	}
	if err := s.save(); err != nil {
		return err
	}
	for _, name := range bridgeSettings {
		if err := os.WriteFile(sysBridge+name, []byte("1"), 0o600); err != nil {
			return fmt.Errorf("bridge mode: %w", err)
		}
	}
	return nil
}

// restore puts everything back and removes the file.
func (s *state) restore() error {
	var errs []error
	for file, v := range s.Settings {
		if !strings.HasPrefix(file, sysBridge) || strings.Contains(file, "..") {
			errs = append(errs, fmt.Errorf("packet filter: %s names %s, which is no setting of ours", s.file, file))
			continue
		}
		if err := os.WriteFile(file, []byte(v), 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("packet filter: restore %s: %w", file, err))
		}
	}
	for _, f := range [...]string{"ip", "ip6"} {
		chains, idle, ok := mangle(f)
		if !ok || !s.Noted {
			continue
		}
		before, had := s.Mangle[f]
		if !had && len(idle) == len(chains) {
			if _, err := run("", "nft", "delete", "table", f, "mangle"); err != nil {
				errs = append(errs, err)
			}
			continue
		}
		// Only what nobody has put a rule into meanwhile.
		for _, c := range idle {
			if slices.Contains(before, c) {
				continue
			}
			if _, err := run("", "nft", "delete", "chain", f, "mangle", c); err != nil {
				errs = append(errs, err)
			}
		}
	}
	if err := os.Remove(s.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
