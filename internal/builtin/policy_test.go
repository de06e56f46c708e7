package builtin_test

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"slices"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/evidence"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/policy"
	"github.com/yamori-net/yamori/internal/verdict"
)

// judged replays a capture of loopback, which is the home here, and returns
// what became of each finding and how many packets were stopped.
func judged(t *testing.T, data []byte, mod func(*engine.Config)) (said []string, stopped int) {
	t.Helper()
	cfg := engine.Config{Protocols: builtin.Protocols(), Detectors: builtin.Detectors(), HomeNet: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Sink: func(int) event.Sink {
			return event.SinkFunc(func(ev *event.Event) {
				if f := ev.Finding; f != nil && f.Category == event.Mining {
					said = append(said, f.Family+" "+f.Action+" "+f.Why)
				}
			})
		}}
	mod(&cfg)
	e, err := engine.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := pcapfile.NewReader("test", bytes.NewReader(data)).Run(context.Background(), func(f *packet.Frame) verdict.Verdict {
		v := e.Workers[0].Handle(f)
		if v.Action >= verdict.Drop {
			stopped++
		}
		return v
	}); err != nil {
		t.Fatal(err)
	}
	e.Close()
	return said, stopped
}

// TestConsent: a recording of a real browser miner and a real pool, under
// several policies.
func TestConsent(t *testing.T) {
	data, err := os.ReadFile("../detect/mining/testdata/browser.pcap")
	if err != nil {
		t.Fatal(err)
	}
	const wallet = "48edfHu7V9Z84YzzMa6fUueoELZ9ZRXq9VetWzYGzKt52XU5xvqgzYnDK9URnRoJMk1j8nLwEVsaSWJ4fhdUyZijBGUicoD"
	consent := func(s policy.Scope) []policy.Entry {
		return []policy.Entry{{ID: "c", Kind: policy.Consent, Scope: s}}
	}
	for _, tt := range []struct {
		name string
		mode policy.Mode
		es   []policy.Entry
		want []string
		stop bool
	}{
		{"protect", policy.Protect, nil, []string{"coinhive blocked table", "stratum blocked table"}, true},
		{"watch", policy.Watch, nil, []string{"coinhive would_block watch", "stratum would_block watch"}, false},
		{"this is me", policy.Protect, consent(policy.Scope{Wallet: wallet}), []string{"coinhive allowed consent", "stratum allowed consent"}, false},
		{"another wallet", policy.Protect, consent(policy.Scope{Wallet: "4" + wallet}), []string{"coinhive blocked table", "stratum blocked table"}, true},
		{"one of the two pools", policy.Protect, consent(policy.Scope{Pool: "127.0.0.1:3334"}), []string{"coinhive blocked table", "stratum allowed consent"}, true},
	} {
		s, err := policy.New(tt.mode, 1, tt.es)
		if err != nil {
			t.Fatal(err)
		}
		var h policy.Handle
		h.Store(s)
		said, stopped := judged(t, data, func(c *engine.Config) { c.Judge, c.Inline = &h, true })
		slices.Sort(said)
		if !slices.Equal(said, tt.want) || (stopped > 0) != tt.stop {
			t.Errorf("%s: %q, %d packets stopped; want %q", tt.name, said, stopped, tt.want)
		}
	}
}

// TestEvidenceProves: the capture that is made for a finding leads to the same
// finding when it is replayed alone.
func TestEvidenceProves(t *testing.T) {
	for _, name := range []string{"browser", "template"} {
		data, err := os.ReadFile("../detect/mining/testdata/" + name + ".pcap")
		if err != nil {
			t.Fatal(err)
		}
		var items []*evidence.Item
		col, err := evidence.New(evidence.Config{}, func(it *evidence.Item) { items = append(items, it) })
		if err != nil {
			t.Fatal(err)
		}
		said, _ := judged(t, data, func(c *engine.Config) { c.Evidence = col })
		col.Close()
		if len(items) == 0 || len(items) != len(said) {
			t.Fatalf("%s: %d captures for %q", name, len(items), said)
		}
		var again []string
		for _, it := range items {
			got, _ := judged(t, it.Data, func(*engine.Config) {})
			if len(got) != 1 || len(it.Data) > 64<<10 {
				t.Errorf("%s: a capture of %d bytes and %d packets shows %q", name, len(it.Data), it.Packets, got)
			}
			again = append(again, got...)
		}
		slices.Sort(said)
		slices.Sort(again)
		if !slices.Equal(said, again) {
			t.Errorf("%s: %q, of captures %q", name, said, again)
		}
	}
}
