package app

import (
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/match"
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
	Midstream      bool     // inspect streams whose start was not seen
}

// RuleLoad is the result of a load.
type RuleLoad struct {
	Set      *match.Set
	Total    int // rules found, loaded or not
	Loaded   int
	Failed   int
	Problems []*rules.Problem // with warnings, in the order of files and lines
}

// Load reads and compiles the rules.
func (c *RuleConfig) Load() (*RuleLoad, error) {
	vars, err := c.vars()
	if err != nil {
		return nil, err
	}
	rs, problems := rules.Load(rules.ParseConfig{Vars: vars, Disabled: c.Disabled}, c.Files...)
	opt := match.Options{Protocols: builtin.Protocols(), Data: c.Data}
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
	set, more := match.Compile(rs, opt)
	problems = append(problems, more...)
	l := &RuleLoad{Set: set, Loaded: set.Stats().Loaded, Problems: problems}
	for _, p := range problems {
		if !p.Warning {
			l.Failed++
		}
	}
	l.Total = l.Loaded + l.Failed
	return l, nil
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
