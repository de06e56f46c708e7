package engine

import (
	"fmt"
	"testing"

	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/policy"
	"github.com/yamori-net/yamori/internal/proto"
)

// purse finds mining in a line that is bad and in each line after it, whose
// wallet it knows once it was told.
type purse struct {
	wallet string
	can    bool // its findings can wait
	told   bool
	asked  int
}

func (p *purse) Inspect(f *flow.Flow, c *proto.Conn, tx proto.Tx) (event.Finding, bool) {
	if p.told {
		return event.Finding{}, false
	}
	x, ok := badWord{}.Inspect(f, c, tx)
	if !ok {
		return x, false
	}
	p.told = true
	x.Category, x.Level, x.Severity, x.FromClient = event.Mining, event.Confirmed, 1, true
	x.Mining = &event.MiningDetail{Wallet: p.wallet, Pool: "192.0.2.2:9"}
	return x, true
}

func (p *purse) Hold(proto.Tx) bool {
	p.asked++
	p.told = !p.can
	return p.can
}

// TestHeldFinding: where the owner consents to a wallet, what shows a miner
// waits for the wallet, and no longer than it should.
func TestHeldFinding(t *testing.T) {
	mine := policy.Entry{Kind: policy.Consent, Scope: policy.Scope{Wallet: "mine"}}
	for _, tt := range []struct {
		name   string
		can    bool
		es     []policy.Entry
		wallet string // named with the third bad line
		passed int    // of 30 bad lines
		said   string
		asked  int
	}{
		{"no consent", true, nil, "mine", 0, "blocked table ", 0},
		{"the owner's wallet", true, []policy.Entry{mine}, "mine", 30, "allowed consent a", 2},
		{"another wallet", true, []policy.Entry{mine}, "theirs", 2, "blocked table ", 2},
		{"no wallet at all", true, []policy.Entry{mine}, "", maxHeld, "blocked table ", maxHeld},
		{"cannot wait", false, []policy.Entry{mine}, "mine", 0, "blocked table ", 1},
	} {
		g := guard(t, true, nil, policy.Protect, tt.es...)
		p := &purse{can: tt.can}
		g.e.Workers[0].detectors = []detect.Inline{p}
		g.open(9)
		seq, passed := uint32(1000), 0
		g.hear(false, 9, seq, 5000, "ALPHA hello\n")
		seq += 12
		for i := range 30 {
			if i == 2 {
				p.wallet = tt.wallet
			}
			line := fmt.Sprintf("bad %02d\n", i)
			if g.hear(false, 9, seq, 5000, line) {
				passed++
			}
			seq += uint32(len(line))
		}
		if passed != tt.passed || p.asked != tt.asked {
			t.Errorf("%s: %d lines passed, asked to wait %d times", tt.name, passed, p.asked)
		}
		if len(g.said) == 0 || g.said[0] != tt.said {
			t.Errorf("%s: %q", tt.name, g.said)
		}
	}
}
