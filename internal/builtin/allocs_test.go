package builtin_test

import (
	"errors"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// frames reads captures into memory, one after the other in time.
func frames(t testing.TB, files []string) (out []packet.Frame, span int64) {
	t.Helper()
	const gap = int64(1000e9)
	base := int64(1e18)
	for _, f := range files {
		r, err := pcapfile.Open(f)
		if err != nil {
			t.Fatal(err)
		}
		var first, last int64
		for {
			var fr packet.Frame
			if err := r.Next(&fr); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if first == 0 {
				first, last = fr.Time, fr.Time
			}
			last = max(last, fr.Time)
			fr.Time += base - first
			fr.Data = append([]byte(nil), fr.Data...)
			out = append(out, fr)
		}
		_ = r.Close()
		base += last - first + gap
	}
	return out, base - 1e18
}

// TestSteadyStateAllocs replays the project's own captures of every protocol
// again and again, with all events encoded, but without detectors, whose
// findings may allocate: once every kind of flow has been seen, a packet costs
// no allocation (the odd one in a whole pass is a pool that grows once more).
func TestSteadyStateAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("1 case: the race detector allocates")
	}
	files, err := filepath.Glob("../proto/*/testdata/*.pcap")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d captures, %v", len(files), err)
	}
	for _, f := range files {
		fs, span := frames(t, []string{f})
		var buf []byte
		var eve event.EVE
		e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Events: builtin.EventTypes(), Flows: true, Seed: 1, MaxFlows: 1024,
			Sink: func(int) event.Sink { return event.SinkFunc(func(ev *event.Event) { buf = eve.Append(buf[:0], ev) }) }})
		if err != nil {
			t.Fatal(err)
		}
		pass := func() {
			for i := range fs {
				e.Workers[0].Handle(&fs[i])
				fs[i].Time += span
			}
		}
		for range 30 { // until the parsers in the pool have seen the largest messages
			pass()
		}
		if n, over := allocs(f, 200, pass); over {
			t.Errorf("%s: %.1f allocations per pass of %d packets", f, n, len(fs))
		}
		e.Close()
	}
}

// allocs counts the allocations of each pass of a capture, and says whether
// they are more than a steady state has. What the runtime itself allocates now
// and then, and a pool that grows once more, is no more the second time.
func allocs(capture string, passes int, pass func()) (each float64, over bool) {
	// The standard library's AES allocates for each QUIC connection that is
	// opened, and for nothing after that.
	budget := 0.5
	if strings.Contains(capture, "/quic/") {
		budget = 24
	}
	for range 3 {
		var a, b runtime.MemStats
		runtime.ReadMemStats(&a)
		for range passes {
			pass()
		}
		runtime.ReadMemStats(&b)
		if each = float64(b.Mallocs-a.Mallocs) / float64(passes); each <= budget {
			return each, false
		}
	}
	return each, true
}
