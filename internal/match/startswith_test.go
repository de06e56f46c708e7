package match_test

import (
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/match"
)

// TestStartsWithCounts: what is at the start of a packet is found in the packet
// and, when only watching, once more in the stream; both are told and counted.
// Suricata 7.0.10 gives the same numbers, with and without --simulate-ips.
func TestStartsWithCounts(t *testing.T) {
	set := func() *match.Set {
		return compile(t, `alert tcp any any -> any 9999 (content:"needle"; startswith; sid:1;)
alert tcp any any -> any 9999 (content:"needle"; startswith; threshold:type threshold, track by_src, count 2, seconds 60; sid:2;)
alert tcp any any -> any 9999 (content:"needle"; startswith; threshold:type threshold, track by_src, count 3, seconds 60; sid:3;)
alert tcp any any -> any 9999 (content:"needle"; threshold:type threshold, track by_src, count 2, seconds 60; sid:4;)
`, match.Options{})
	}
	for _, inline := range []bool{false, true} {
		r := replay(t, set())
		r.e.Close()
		e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Rules: set(), Inline: inline, Seed: 1, Sink: func(int) event.Sink {
			return event.SinkFunc(func(ev *event.Event) {
				if f := ev.Finding; f != nil && f.Rule != nil {
					r.alerts = append(r.alerts, f.Rule.SID)
				}
			})
		}})
		if err != nil {
			t.Fatal(err)
		}
		r.e = e
		f := r.open(4000, 9999)
		f.send(toServer, "needle 0 and more\n")
		f.send(toClient, "answer\n")
		f.close()
		got := map[uint32]int{}
		for _, sid := range r.end() {
			got[sid]++
		}
		want := map[uint32]int{1: 2, 2: 1}
		if inline {
			want = map[uint32]int{1: 1}
		}
		for sid := range uint32(5) {
			if got[sid] != want[sid] {
				t.Errorf("inline %v: rule %d: %d alerts, want %d", inline, sid, got[sid], want[sid])
			}
		}
	}
}
