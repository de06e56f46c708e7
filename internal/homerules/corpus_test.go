package homerules_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/corpus"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
)

// Captures of ordinary traffic, of devices being set up, and of miners in a
// laboratory (whose pools are none of those the rules name) make no rule speak;
// those of attacks make these.
func TestCorpus(t *testing.T) {
	rs := load(t)
	expected := map[string]map[uint32]bool{
		"eternalblue-success-unpatched-win7.pcap": {1741010: true}, // asks for the implant, four times
		"coinhive-stratum.pcap":                   {1741051: true}, // looks the pool up
	}
	for _, dir := range []string{"mining-lab", "iot-sentinel", "ndpi", "eternalsafety", "zeek-cryptomining"} {
		files := corpus.Captures(t, corpus.Path(t, len(expected), "captures", dir))
		alerts := 0
		for _, f := range files {
			seen := map[uint32]bool{}
			e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Rules: compile(t, rs), Seed: 1,
				Sink: func(int) event.Sink {
					return event.SinkFunc(func(ev *event.Event) { seen[ev.Finding.SignatureID] = true; alerts++ })
				}})
			if err != nil {
				t.Fatal(err)
			}
			src, err := pcapfile.Open(f)
			if err != nil {
				t.Fatal(err)
			}
			_ = src.Run(context.Background(), e.Workers[0].Handle) // damaged ones are read as far as possible
			_ = src.Close()
			e.Close()
			want := expected[filepath.Base(f)]
			for sid := range seen {
				if !want[sid] {
					t.Errorf("%s: rule %d alerts", f, sid)
				}
			}
			for sid := range want {
				if !seen[sid] {
					t.Errorf("%s: rule %d does not alert", f, sid)
				}
			}
		}
		t.Logf("%s: %d captures, %d alerts", dir, len(files), alerts)
	}
}
