package app

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/geo"
	"github.com/yamori-net/yamori/internal/homerules"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/rules"
)

// RuleConfig says which rules are loaded and how.
type RuleConfig struct {
	Files          []string // paths, patterns or folders
	Disabled       bool     // also those in comments
	HomeNet        []netip.Prefix
	Vars           []string // NAME=value, without the dollar sign; over the defaults
	Classification string   // classification.config; empty: the built-in one
	Thresholds     string   // threshold.config; empty: none
	Data           string   // folder of the files that rules name
	Categories     string   // categories of the reputation lists; empty: no reputation
	Reputation     []string // the lists themselves
	CountryDB      string   // database of countries in MaxMind's format; empty: none
	Midstream      bool     // inspect streams whose start was not seen
	PassMidstream  bool     // no rule looks at such streams
	Payload        bool     // alerts tell the payload and the packet, in a replay
	Builtin        bool     // with the project's own rules for the home
	// MaxMemory bounds what the compiled rules hold, in bytes; 0: no bound.
	MaxMemory int
	// Previous is the set that is to be replaced, if any.
	Previous *match.Set
	Trace    *match.Trace // follows one rule; nil: none
}

// RuleLoad is the result of a load.
type RuleLoad struct {
	Set      *match.Set
	Rules    []*rules.Rule // that could be read, loaded or not
	Total    int           // rules found, loaded or not
	Loaded   int
	Failed   int
	Problems []*rules.Problem // with warnings, in the order of files and lines
}

// Load reads and compiles the rules. A fault of the compiler that a rule
// brings out is an error like any other: the running rules stay.
func (c *RuleConfig) Load() (l *RuleLoad, err error) {
	defer func() {
		if v := recover(); v != nil {
			l, err = nil, fmt.Errorf("the rules made their compiler fail (%v); please report this: %s", v, debug.Stack())
		}
	}()
	vars, err := c.vars()
	if err != nil {
		return nil, err
	}
	rs, problems := rules.Load(rules.ParseConfig{Vars: vars, Disabled: c.Disabled}, c.Files...)
	if c.Builtin {
		rs = append(rs, ownRules(vars, rs)...)
	}
	opt := match.Options{Protocols: builtin.Protocols(), Data: c.Data, Previous: c.Previous, MaxMemory: c.MaxMemory, Trace: c.Trace}
	if c.Classification != "" {
		f, err := os.Open(c.Classification)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		var more []*rules.Problem
		opt.Classes, more = rules.ParseClassification(c.Classification, f)
		problems = append(problems, more...)
	}
	if c.Thresholds != "" {
		f, err := os.Open(c.Thresholds)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		var more []*rules.Problem
		opt.Thresholds, more = rules.ParseThresholds(c.Thresholds, f, vars)
		problems = append(problems, more...)
	}
	more, err := c.sources(&opt)
	if err != nil {
		return nil, err
	}
	problems = append(problems, more...)
	set, more := match.Compile(rs, opt)
	problems = append(problems, more...)
	l = &RuleLoad{Set: set, Rules: rs, Loaded: set.Stats().Loaded, Problems: problems}
	for _, p := range problems {
		if !p.Warning {
			l.Failed++
		}
	}
	l.Total = l.Loaded + l.Failed
	return l, nil
}

// sources opens what rules ask of addresses. The database belongs to the set
// from then on: its file is let go with it.
func (c *RuleConfig) sources(opt *match.Options) (problems []*rules.Problem, err error) {
	if c.CountryDB != "" {
		db, err := geo.Open(c.CountryDB)
		if err != nil {
			return nil, err
		}
		opt.Country = func(a packet.Addr) string { return db.Country(a.Netip()) }
	}
	if c.Categories == "" {
		return nil, nil
	}
	opt.Reputation = rules.NewReputation()
	if problems, err = readList(c.Categories, opt.Reputation.ReadCategories); err != nil {
		return nil, err
	}
	for _, name := range c.Reputation {
		more, err := readList(name, opt.Reputation.Read)
		if err != nil {
			return nil, err
		}
		problems = append(problems, more...)
	}
	return problems, nil
}

func readList(name string, read func(string, io.Reader) []*rules.Problem) ([]*rules.Problem, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return read(name, f), nil
}

// tell logs what is wrong with the rules, the first ones by name.
func (l *RuleLoad) tell(log *slog.Logger) {
	const show = 20
	for i, p := range l.Problems {
		if i == show {
			log.Warn("more problems of rules; see yamori rules check", "problems", len(l.Problems)-show)
			return
		}
		log.Warn("rule", "problem", p.Error())
	}
}

// ownRules are the project's rules for the home, but for those that the
// files' rules replace. Variables of one's own may make some impossible: those
// are left out.
func ownRules(vars rules.Vars, files []*rules.Rule) []*rules.Rule {
	rs, _ := rules.Parse(homerules.Name, strings.NewReader(homerules.Text), rules.ParseConfig{Vars: vars})
	taken := map[uint32]bool{}
	for _, r := range files {
		taken[r.SID] = taken[r.SID] || r.GID == 1
	}
	return slices.DeleteFunc(rs, func(r *rules.Rule) bool { return taken[r.SID] })
}

// vars are Suricata's stock variables with the home's own networks and what
// else was set.
func (c *RuleConfig) vars() (rules.Vars, error) {
	v := rules.DefaultVars()
	if len(c.HomeNet) > 0 {
		var nets []string
		for _, p := range c.HomeNet {
			nets = append(nets, p.String())
		}
		v.Addrs["HOME_NET"] = "[" + strings.Join(nets, ",") + "]"
	}
	for _, s := range c.Vars {
		name, value, ok := strings.Cut(s, "=")
		if name = strings.TrimPrefix(name, "$"); !ok || name == "" {
			return v, fmt.Errorf("variable %q: write NAME=value", s)
		}
		if _, port := v.Ports[name]; port || strings.HasSuffix(name, "_PORTS") {
			v.Ports[name] = value
		} else {
			v.Addrs[name] = value
		}
	}
	if p := v.Check(); len(p) > 0 {
		return v, p[0]
	}
	return v, nil
}
