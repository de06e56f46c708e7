// Package config reads the configuration file: YAML, strict, with errors that
// name the line and the cure.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/export/evefile"
	"github.com/yamori-net/yamori/internal/export/mqtt"
	"github.com/yamori-net/yamori/internal/export/syslog"
	"github.com/yamori-net/yamori/internal/policy"
)

// DefaultPath is read when no file is named; it need not exist.
const DefaultPath = "/etc/yamori/yamori.yaml"

// DefaultSocket is where the running daemon listens for status and commands.
const DefaultSocket = "/run/yamori/yamori.sock"

// Config is the whole file. Zero values mean the default.
type Config struct {
	Version   int      `yaml:"version"`   // of this format: 1
	Interface string   `yaml:"interface"` // to watch; empty: the LAN side, else the default route's
	Workers   int      `yaml:"workers"`   // 0: one for each core, at most 4
	HomeNet   []string `yaml:"home_net"`  // prefixes of the home; empty: private addresses
	Language  string   `yaml:"language"`  // en, ja; empty: from the environment
	Socket    string   `yaml:"socket"`    // Unix socket of the daemon
	// Privileges says whether a daemon that is started as root gives them up and
	// leaves what needs them to a small process: drop (or empty) or keep.
	Privileges string  `yaml:"privileges"`
	User       string  `yaml:"user"` // who it becomes; empty: yamori, else nobody
	Events     Events  `yaml:"events"`
	Rules      Rules   `yaml:"rules"`
	Geo        Geo     `yaml:"geo"`
	Policy     Policy  `yaml:"policy"`
	State      State   `yaml:"state"`
	API        API     `yaml:"api"`
	Inline     Inline  `yaml:"inline"`
	DNS        DNS     `yaml:"dns"`
	Plugin     Plugin  `yaml:"plugin"`
	Exports    Exports `yaml:"exports"`
	Limits     Limits  `yaml:"limits"`
	Log        Log     `yaml:"log"`
}

// Events says what is written to the event file.
type Events struct {
	File  string   `yaml:"file"`  // EVE lines are appended to it; empty: none
	Types []string `yaml:"types"` // empty: tls, quic, dns, http, anomaly
	Flows bool     `yaml:"flows"` // also a record for each flow
	// MaxMB and Keep rotate the file: see evefile.Config.
	MaxMB int `yaml:"max_mb"`
	Keep  int `yaml:"keep"`
}

// Policy says what holds until the owner says something else.
type Policy struct {
	Mode     string `yaml:"mode"`      // watch or protect; watch
	Answer   string `yaml:"answer"`    // what the ends of a stopped flow hear: reset, or drop for nothing; reset
	ICMP     bool   `yaml:"icmp"`      // senders of datagrams hear of it, too
	BlockFor string `yaml:"block_for"` // how long a finding blocks the other end for the device: 1h, or off; DefaultBlockFor
}

// State says where the daemon keeps what it knows.
type State struct {
	Dir      string `yaml:"dir"`      // empty: DefaultState
	MaxMB    int    `yaml:"max_mb"`   // of everything; 0: 256
	Evidence *bool  `yaml:"evidence"` // small captures of what was found; nil: yes
}

// DefaultState is where the daemon keeps what it knows.
const DefaultState = "/var/lib/yamori"

// API says where the daemon answers besides its socket.
type API struct {
	Off    bool     `yaml:"off"`
	Listen []string `yaml:"listen"` // addresses with ports, for HTTPS; empty: the home's addresses of the interface, DefaultPort
	Names  []string `yaml:"names"`  // host names by which the gateway may be called
	// OpenMetrics lets /metrics be read without a token.
	OpenMetrics bool `yaml:"open_metrics"`
}

// Inline says how packets are inspected in their way, once the owner asks for
// protection.
type Inline struct {
	Off     bool     `yaml:"off"`      // only watch, whatever the policy says
	LAN     []string `yaml:"lan"`      // interfaces of the home; empty: the watched one
	Queue   int      `yaml:"queue"`    // number of the first NFQUEUE; 0: DefaultQueue
	NoLocal bool     `yaml:"no_local"` // leave the gateway's own services alone
	Bridge  bool     `yaml:"bridge"`   // also what is bridged
	State   string   `yaml:"state"`    // file that remembers what to restore; empty: under /run/yamori
	// Resets names the interface by which connections are reset that were seen
	// on a mirror port; empty: none are.
	Resets string `yaml:"resets"`
}

// DefaultQueue is the first NFQUEUE that is used.
const DefaultQueue = 7410

// DefaultPort is where HTTPS is served.
const DefaultPort = 8443

// Exports are where findings are sent besides.
type Exports struct {
	Syslog *syslog.Config `yaml:"syslog"`
	MQTT   *mqtt.Config   `yaml:"mqtt"`
}

// Rules says which rules of Suricata's language are loaded, besides the
// project's own.
type Rules struct {
	Files          []string          `yaml:"files"`          // files, patterns or folders
	Midstream      bool              `yaml:"midstream"`      // inspect streams whose start was not seen
	PassMidstream  bool              `yaml:"pass_midstream"` // no rule looks at such streams
	MemoryMB       int               `yaml:"memory_mb"`      // what the compiled rules may hold; 0: DefaultRuleMemoryMB
	Classification string            `yaml:"classification"` // classification.config; empty: the built-in one
	Thresholds     string            `yaml:"thresholds"`     // threshold.config; empty: none
	Vars           map[string]string `yaml:"vars"`           // of the rules' text, without the dollar sign
	Reputation     Reputation        `yaml:"reputation"`     // what iprep asks
}

// Reputation names lists of addresses with scores, in Suricata's format.
type Reputation struct {
	Categories string   `yaml:"categories"` // number,name,description
	Files      []string `yaml:"files"`      // address,category,score
}

// Geo names databases in the MaxMind DB format.
type Geo struct {
	Country string `yaml:"country"` // empty: countries are not known
	ASN     string `yaml:"asn"`     // empty: networks are not known
	Source  string `yaml:"source"`  // shown in reports: where they come from, with their licence
}

// DefaultRuleMemoryMB is what compiled rules may hold when nothing else is
// said: three times what 15,000 rules need.
const DefaultRuleMemoryMB = 96

// Limits bound memory, per worker.
type Limits struct {
	MaxFlows       int `yaml:"max_flows"`
	StreamMemoryMB int `yaml:"stream_memory_mb"` // held out of order
	HeldMemoryMB   int `yaml:"held_memory_mb"`   // incomplete messages
	FragMemoryMB   int `yaml:"fragment_memory_mb"`
}

// Log says how the daemon logs.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn, error
	Format string `yaml:"format"` // text, json
}

// Error is a problem in a configuration file.
type Error struct {
	File string
	Line int // 0: the file as a whole
	Text string
}

// Error names the place, then what is wrong: "yamori.yaml:3: …".
func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Text)
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text)
}

// Load reads the file at path. An empty path means DefaultPath where that
// exists, else the defaults.
func Load(path string) (*Config, error) {
	name := path
	if name == "" {
		name = DefaultPath
	}
	b, err := os.ReadFile(name)
	if path == "" && errors.Is(err, fs.ErrNotExist) {
		return &Config{Version: 1}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return Parse(name, b)
}

// Parse reads a configuration; name is for errors.
func Parse(name string, b []byte) (*Config, error) {
	c := &Config{Version: 1}
	if len(bytes.TrimSpace(b)) == 0 {
		return c, nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict())
	if err := dec.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		e := &Error{File: name, Text: err.Error()}
		var ye yaml.Error
		if errors.As(err, &ye) {
			if tk := ye.GetToken(); tk != nil {
				e.Line = tk.Position.Line
			}
			e.Text = mistake(ye)
		}
		return nil, e
	}
	if c.Version == 0 && !has(b, "$.version") {
		c.Version = 1
	}
	if err := c.check(name, b); err != nil {
		return nil, err
	}
	return c, nil
}

// has reports whether the file says anything at path.
func has(b []byte, path string) bool {
	p, err := yaml.PathString(path)
	if err != nil {
		return false
	}
	n, err := p.ReadNode(bytes.NewReader(b))
	return err == nil && n != nil
}

// check validates the values; line numbers are found by path.
func (c *Config) check(name string, b []byte) error {
	fail := func(path, format string, args ...any) error {
		e := &Error{File: name, Text: fmt.Sprintf(format, args...)}
		if p, err := yaml.PathString(path); err == nil {
			if n, err := p.ReadNode(bytes.NewReader(b)); err == nil && n.GetToken() != nil {
				e.Line = n.GetToken().Position.Line
			}
		}
		return e
	}
	if c.Version != 1 {
		return fail("$.version", "version %d is not known to this program; write 1", c.Version)
	}
	if c.Workers < 0 || c.Workers > 64 {
		return fail("$.workers", "workers %d: use 1 to 64, or 0 to choose by the machine", c.Workers)
	}
	for i, s := range c.HomeNet {
		if _, err := Prefixes([]string{s}); err != nil {
			return fail(fmt.Sprintf("$.home_net[%d]", i), "home_net: %v", err)
		}
	}
	if c.Language != "" && c.Language != "en" && c.Language != "ja" {
		return fail("$.language", "language %q: use en or ja", c.Language)
	}
	if c.Privileges != "" && c.Privileges != "drop" && c.Privileges != "keep" {
		return fail("$.privileges", "privileges %q: use drop or keep", c.Privileges)
	}
	for _, l := range []struct {
		name      string
		v, lo, hi int
	}{
		{"max_flows", c.Limits.MaxFlows, 1024, 4 << 20}, {"stream_memory_mb", c.Limits.StreamMemoryMB, 1, 4096},
		{"held_memory_mb", c.Limits.HeldMemoryMB, 1, 4096}, {"fragment_memory_mb", c.Limits.FragMemoryMB, 1, 1024},
	} {
		if l.v != 0 && (l.v < l.lo || l.v > l.hi) {
			return fail("$.limits."+l.name, "%s %d: use %d to %d", l.name, l.v, l.lo, l.hi)
		}
	}
	if c.Policy.Mode != "" {
		if _, err := policy.ParseMode(c.Policy.Mode); err != nil {
			return fail("$.policy.mode", "mode %q: use watch or protect", c.Policy.Mode)
		}
	}
	if err := c.Policy.check(fail); err != nil {
		return err
	}
	if m := c.State.MaxMB; m != 0 && (m < 4 || m > 1<<20) {
		return fail("$.state.max_mb", "max_mb %d: use 4 to 1048576", m)
	}
	if q := c.Inline.Queue; q < 0 || q > 65000 {
		return fail("$.inline.queue", "queue %d: use 1 to 65000", q)
	}
	if err := c.DNS.check(fail); err != nil {
		return err
	}
	if err := c.Plugin.check(fail, c.Privileges == "keep"); err != nil {
		return err
	}
	for i, a := range c.API.Listen {
		if ap, err := netip.ParseAddrPort(a); err != nil || ap.Port() == 0 {
			return fail(fmt.Sprintf("$.api.listen[%d]", i), "listen %q: write an address with a port, such as 192.168.1.1:%d", a, DefaultPort)
		}
	}
	for i, n := range c.API.Names {
		if n == "" || strings.ContainsAny(n, "/:* \t") {
			return fail(fmt.Sprintf("$.api.names[%d]", i), "name %q: write a host name alone, such as yamori.home.arpa", n)
		}
	}
	if c.Events.File != "" {
		f := evefile.Config{Path: c.Events.File, MaxMB: c.Events.MaxMB, Keep: c.Events.Keep}
		if err := f.Check(); err != nil {
			return fail("$.events", "%v", err)
		}
	}
	if x := c.Exports.Syslog; x != nil {
		if err := x.Check(); err != nil {
			return fail("$.exports.syslog", "%v", err)
		}
	}
	if x := c.Exports.MQTT; x != nil {
		if err := x.Check(); err != nil {
			return fail("$.exports.mqtt", "%v", err)
		}
	}
	if m := c.Rules.MemoryMB; m != 0 && (m < 1 || m > 4096) {
		return fail("$.rules.memory_mb", "memory_mb %d: use 1 to 4096", m)
	}
	if r := c.Rules.Reputation; r.Categories == "" && len(r.Files) > 0 {
		return fail("$.rules.reputation", "reputation: files need the list of categories, too")
	}
	for name := range c.Rules.Vars {
		if name == "" || strings.ContainsAny(name, "=$ \t") {
			return fail("$.rules.vars", "variable %q: write its name alone, such as HOME_NET", name)
		}
	}
	if _, err := c.Log.level(); err != nil {
		return fail("$.log.level", "%v", err)
	}
	if c.Log.Format != "" && c.Log.Format != "text" && c.Log.Format != "json" {
		return fail("$.log.format", "log format %q: use text or json", c.Log.Format)
	}
	return nil
}

// Prefixes parses networks; a bare address means itself alone.
func Prefixes(in []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range in {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, aerr := netip.ParseAddr(s)
			if aerr != nil {
				return nil, fmt.Errorf("%q is not a network; write it like 192.168.1.0/24", s)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// Engine copies the limits to an engine's configuration.
func (l Limits) Engine(c *engine.Config) {
	c.MaxFlows = l.MaxFlows
	c.StreamMemory = l.StreamMemoryMB << 20
	c.HeldMemory = l.HeldMemoryMB << 20
	c.FragMemory = l.FragMemoryMB << 20
}

func (l Log) level() (slog.Level, error) {
	switch l.Level {
	case "", "info":
		return slog.LevelInfo, nil
	case "debug":
		return slog.LevelDebug, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("log level %q: use debug, info, warn or error", l.Level)
}

// Logger makes the daemon's logger.
func (l Log) Logger(w io.Writer) *slog.Logger {
	lv, _ := l.level() // checked by Parse
	opt := &slog.HandlerOptions{Level: lv}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opt))
	}
	return slog.New(slog.NewTextHandler(w, opt))
}
