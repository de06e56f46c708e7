package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// ErrNoRule says that no rule has the sid asked for.
var ErrNoRule = errors.New("no rule has this sid")

// TestRule inspects a capture with all the rules of rc and follows one of
// them. The trace is returned also when the capture was damaged.
func TestRule(ctx context.Context, rc RuleConfig, gid, sid uint32, capture string) (*match.Trace, *RuleLoad, error) {
	t := &match.Trace{GID: gid, SID: sid}
	rc.Trace = t
	l, err := rc.Load()
	if err != nil {
		return nil, nil, err
	}
	if t.Rule == nil {
		for _, p := range l.Problems {
			if p.SID == sid && !p.Warning {
				return nil, l, fmt.Errorf("the rule cannot be loaded: %w", p)
			}
		}
		return nil, l, fmt.Errorf("sid %d: %w; see yamori rules list", sid, ErrNoRule)
	}
	e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Rules: l.Set, RulesMidstream: rc.Midstream, HomeNet: rc.HomeNet, Seed: seed()})
	if err != nil {
		return nil, nil, err
	}
	src, err := pcapfile.Open(capture)
	if err != nil {
		return nil, nil, err
	}
	defer src.Close()
	err = src.Run(ctx, func(f *packet.Frame) verdict.Verdict {
		if f != nil {
			t.Packet++
		}
		return e.Workers[0].Handle(f)
	})
	e.Close()
	return t, l, err
}
