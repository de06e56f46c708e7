package engine

import (
	"errors"
	"fmt"

	"github.com/yamori-net/yamori/internal/files"
	"github.com/yamori-net/yamori/internal/match"
)

// Swap makes the workers inspect with another set of rules, each from its next
// packet on; s should have been compiled with Rules() as its Previous, so that
// what flows remember keeps its meaning. The set must have been compiled for
// the engine's protocols. Safe from any goroutine, one at a time. It does the
// long work itself: a worker only takes a pointer.
func (e *Engine) Swap(s *match.Set) error {
	if s == nil {
		return errors.New("engine: no set of rules")
	}
	if !s.Complete() {
		return errors.New("engine: the set of rules is not complete: it is larger than allowed")
	}
	if err := s.MadeFor(e.cfg.Protocols); err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	e.rules.Store(match.NewChange(e.Rules(), s))
	return nil
}

// Rules returns the set in use; nil: none.
func (e *Engine) Rules() *match.Set {
	if ch := e.rules.Load(); ch != nil {
		return ch.Set()
	}
	return e.cfg.Rules
}

// takeRules makes the worker use the engine's current set. It is called
// between packets.
func (w *Worker) takeRules(ch *match.Change, now int64) {
	w.change = ch
	if w.match == nil {
		w.match = match.NewWorker(ch.Set(), w.matchConfig())
	}
	w.match.Use(ch, now)
	cfg := w.e.cfg.Files
	cfg.Want |= filesFor(ch.Set()) | w.fileWant
	if cfg.Want != w.fileWant {
		// Files under way stay with the pool they began in.
		w.files, w.fileWant = files.NewPool(cfg), cfg.Want
	}
}

func (w *Worker) matchConfig() match.Config {
	c := match.Config{OnAlert: w.emitAlert, Encode: w.encodeTx, EncodeFile: encodeFile, Midstream: w.e.cfg.RulesMidstream,
		PassMidstream: w.e.cfg.RulesPassMidstream, Inline: w.e.cfg.Inline,
		MaxAlerts: w.e.cfg.MaxAlerts, Payload: w.e.cfg.AlertPayload}
	if w.e.cfg.Judge != nil {
		c.Decide = w.decideRule
	}
	return c
}

// filesFor says what rules need to know of files.
func filesFor(s *match.Set) (w files.Want) {
	if s == nil {
		return 0
	}
	data, hashes := s.WantsFiles()
	if data {
		w |= files.Inspect
	}
	if hashes {
		w |= files.Hashes
	}
	return w
}
