package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/files"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/rules"
)

// runYamori runs a test in this process.
func runYamori(t *Test) (*Result, error) {
	s := t.settings()
	res := &Result{}
	set := s.load(t, res)
	var out bytes.Buffer
	w := &event.Writer{W: &out}
	e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Flows: true, Events: builtin.EventTypes(), NumberPackets: true,
		Rules: set, Inline: t.inline(), AlertPayload: true, MaxAlerts: s.MaxAlerts, Files: files.Config{Want: s.Hashes}, RulesMidstream: s.Midstream, RulesPassMidstream: s.PassMidstream, HostPolicies: s.Policies, Sink: func(int) event.Sink { return w }, Seed: 1})
	if err != nil {
		return nil, err
	}
	var runErr error
	if t.Pcap != "" {
		runErr = replay(t.Pcap, e)
	}
	e.Close()
	if err := w.Flush(); err != nil {
		return nil, err
	}
	if res.Events, err = readEVE(out.Bytes()); err != nil {
		return nil, err
	}
	if e.Stats().Packets > 0 {
		runErr = nil // a capture cut off in its last packet is one as well
	}
	return res, runErr
}

// inline reports whether the test runs Suricata as an IPS: the suite's own runner
// does so by the test's name, too.
func (t *Test) inline() bool {
	return t.Class == "ips" || t.settings().IPS || strings.Contains(filepath.Base(t.Name), "ips")
}

func replay(name string, e *engine.Engine) error {
	src, err := pcapfile.Open(name)
	if err != nil {
		return err
	}
	defer src.Close()
	return src.Run(context.Background(), e.Workers[0].Handle)
}

// load compiles the rules of a test; what could not be loaded goes to res.
func (s *Settings) load(t *Test, res *Result) *match.Set {
	cfg := rules.ParseConfig{Vars: rules.DefaultVars().With(rules.Vars{Addrs: s.Addrs, Ports: s.Ports})}
	rs, problems := rules.Load(cfg, t.Rules...)
	opt := match.Options{Protocols: builtin.Protocols(), Data: t.Dir}
	if f, err := os.Open(s.file(t, s.Classes)); err == nil {
		opt.Classes, _ = rules.ParseClassification(s.Classes, f)
		_ = f.Close()
	}
	if f, err := os.Open(s.file(t, s.Threshold)); err == nil {
		opt.Thresholds, _ = rules.ParseThresholds(s.Threshold, f, cfg.Vars)
		_ = f.Close()
	}
	opt.Reputation = s.reputation(t)
	set, more := match.Compile(rs, opt)
	for _, p := range append(problems, more...) {
		if !p.Warning {
			res.Problems = append(res.Problems, p.Error())
		}
	}
	return set
}

// reputation reads the lists that the settings name, nil when there are none.
func (s *Settings) reputation(t *Test) *rules.Reputation {
	f, err := os.Open(s.file(t, s.Categories))
	if err != nil {
		return nil
	}
	defer f.Close()
	rep := rules.NewReputation()
	rep.ReadCategories(s.Categories, f)
	dir := s.Values["default-reputation-path"]
	for _, name := range s.Reputation {
		if !filepath.IsAbs(name) && dir != "" {
			name = filepath.Join(dir, name)
		}
		if f, err := os.Open(s.file(t, name)); err == nil {
			rep.Read(name, f)
			_ = f.Close()
		}
	}
	return rep
}

// file is the path of a file that a setting names.
func (s *Settings) file(t *Test, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(t.Dir, name)
}
