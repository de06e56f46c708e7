package app

import (
	"context"
	"errors"
	"fmt"
	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/api/client"
	"os"
	"runtime/debug"
	"time"

	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/rules"
)

// idleTick is how often a source without packets wakes its worker.
const idleTick = time.Second

// RuleStatus says which rules the daemon inspects with.
type RuleStatus struct {
	Loaded int       `json:"loaded"`
	Failed int       `json:"failed"`
	Inert  int       `json:"inert"`  // load and cannot match here
	Memory int       `json:"memory"` // bytes of the compiled rules
	Since  time.Time `json:"since"`  // when they were loaded
	// Refused is why a later load was refused, at RefusedAt; these rules stay.
	Refused   string    `json:"refused,omitempty"`
	RefusedAt time.Time `json:"refused_at,omitzero"`
	// Problems are the first of what is wrong with the rules.
	Problems []*rules.Problem `json:"-"`
}

// maxProblems bounds the problems that are kept for whoever asks.
const maxProblems = 100

// ConfiguredRules is what a configuration says of rules.
func ConfiguredRules(c *config.Config) RuleConfig {
	rc := RuleConfig{Files: c.Rules.Files, Midstream: c.Rules.Midstream, PassMidstream: c.Rules.PassMidstream, Classification: c.Rules.Classification,
		Thresholds: c.Rules.Thresholds, Categories: c.Rules.Reputation.Categories, Reputation: c.Rules.Reputation.Files, CountryDB: c.Geo.Country}
	for name, value := range c.Rules.Vars {
		rc.Vars = append(rc.Vars, name+"="+value)
	}
	rc.HomeNet, _ = config.Prefixes(c.HomeNet) // checked by Load
	mb := c.Rules.MemoryMB
	if mb == 0 {
		mb = config.DefaultRuleMemoryMB
	}
	rc.MaxMemory = mb << 20
	return rc
}

// errNoRules refuses a load in which nothing is good.
var errNoRules = errors.New("none of the rules can be loaded; see yamori rules check")

// loadWhole loads rules for the daemon: a file that cannot be read and a set
// that is too large are errors, a bad rule is not.
func (w *Watch) loadWhole(prev *match.Set) (*RuleLoad, error) {
	rc := w.Rules
	rc.Previous = prev
	l, err := rc.Load()
	if err != nil {
		return nil, err
	}
	if err := l.refuse(); err != nil {
		return nil, err
	}
	l.tell(w.Log)
	return l, nil
}

// refuse says why the daemon does not take these rules, nil if it does.
func (l *RuleLoad) refuse() error {
	var last *rules.Problem
	for _, p := range l.Problems {
		if p.Line == 0 && !p.Warning {
			return p
		}
		last = p
	}
	switch {
	case !l.Set.Complete():
		return last // the one that says so comes last
	case l.Loaded == 0 && l.Failed > 0:
		return errNoRules
	}
	return nil
}

// CheckRules loads rules as the daemon does at its start. The load comes with
// an error when the daemon would start without them; it is nil when nothing was
// read.
func CheckRules(rc RuleConfig) (*RuleLoad, error) {
	rc.Builtin = true
	l, err := rc.Load()
	if err != nil {
		return nil, err
	}
	return l, l.refuse()
}

// firstRules loads the rules that the engine starts with. A home whose rule
// files are gone or not to be used is watched by the project's own, and told so.
func (w *Watch) firstRules(cfg *engine.Config) error {
	w.Rules.Builtin = true
	l, refused := w.loadWhole(nil)
	if refused != nil {
		w.Log.Error("the rules are not loaded: only the project's own are there", "error", refused)
		own := RuleConfig{Builtin: true, HomeNet: w.Rules.HomeNet}
		var err error
		if l, err = own.Load(); err != nil {
			return fmt.Errorf("rules: %w", err)
		}
	}
	cfg.Rules, cfg.RulesMidstream = l.Set, w.Rules.Midstream
	cfg.RulesPassMidstream = w.Rules.PassMidstream
	s := ruleStatus(l)
	if refused != nil {
		s.Refused, s.RefusedAt = refused.Error(), s.Since
	}
	w.rules.Store(s)
	return nil
}

func ruleStatus(l *RuleLoad) *RuleStatus {
	return &RuleStatus{Loaded: l.Loaded, Failed: l.Failed, Inert: l.Set.Stats().Inert, Memory: l.Set.Size(), Since: time.Now(), Problems: l.Problems[:min(len(l.Problems), maxProblems)]}
}

// ReloadRules loads the rules again and gives them to the workers. When that
// fails the old rules stay. It works on the caller's goroutine; packets go on.
func (w *Watch) ReloadRules() (*RuleStatus, error) {
	w.dns.again()
	w.loading.Lock()
	defer w.loading.Unlock()
	l, err := w.loadWhole(w.engine.Rules())
	if err == nil {
		err = w.engine.Swap(l.Set)
		if e := w.inlineEngine.Load(); e != nil && err == nil {
			err = e.Swap(l.Set)
		}
	}
	if err != nil {
		w.Log.Error("the rules were not changed", "error", err)
		s := *w.rules.Load()
		s.Refused, s.RefusedAt = err.Error(), time.Now()
		w.rules.Store(&s)
		debug.FreeOSMemory()
		return nil, err
	}
	s := ruleStatus(l)
	w.rules.Store(s)
	w.Log.Info("rules loaded", "loaded", s.Loaded, "failed", s.Failed, "inert", s.Inert, "bytes", s.Memory)
	l = nil
	debug.FreeOSMemory()                           // the text of the rules
	time.AfterFunc(2*idleTick, debug.FreeOSMemory) // the old set, once idle workers have left it, too
	return s, nil
}

// onSignal reopens the event file and loads the rules at each signal.
func (w *Watch) onSignal(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.Reopen:
		}
		select {
		case w.reopen <- os.Interrupt: // which signal does not matter
		default:
		}
		_, _ = w.ReloadRules() // logged
	}
}

// reloadTime is how long a load may take: 50,000 rules on a slow router.
const reloadTime = 5 * time.Minute

// AskReload makes the daemon at socket path load its rules again.
func AskReload(ctx context.Context, path string) (api.Rules, error) {
	ctx, cancel := context.WithTimeout(ctx, reloadTime)
	defer cancel()
	r, err := client.Unix(path).ReloadRules(ctx)
	var e *client.Error
	if errors.As(err, &e) && errors.Is(err, api.ErrInvalid) {
		return r, fmt.Errorf("the old rules stay: %s", e.Detail)
	}
	return r, err
}
