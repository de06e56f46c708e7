package match

import (
	"testing"

	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
)

// The end of streams is kept of so many directions at a time, and given back.
func TestShownIsBounded(t *testing.T) {
	w := NewWorker(compileText(t, nil, `alert tcp any any -> any any (content:"x"; sid:1;)`+"\n"), Config{Payload: true})
	show := func(f *flow.Flow) *Flow {
		f.Key.Proto = packet.ProtoTCP
		w.BeginEnd(f)
		w.Show(packet.ToServer, []byte("some"), 0)
		w.Show(packet.ToServer, []byte("thing"), 0)
		w.Suspend()
		return state(f)
	}
	flows := make([]flow.Flow, MaxWindows+1)
	for i := range flows {
		fs := show(&flows[i])
		if got, want := string(fs.dir[0].shown), map[bool]string{true: "something"}[i < MaxWindows]; got != want {
			t.Fatalf("flow %d: %q", i, got)
		}
	}
	w.Close(&flows[0])
	w.Close(&flows[MaxWindows])
	if w.showing != MaxWindows-1 {
		t.Errorf("%d directions", w.showing)
	}
	if fs := show(&flow.Flow{}); string(fs.dir[0].shown) != "something" {
		t.Errorf("%q after one was given back", fs.dir[0].shown)
	}
}
