package builtin_test

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/device/clues"
	"github.com/yamori-net/yamori/internal/device/fingerprint"
	"github.com/yamori-net/yamori/internal/device/synth"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
)

// once keeps what was told from being forgotten and told again.
type once struct{ *clues.Extractor }

func (o once) Tick(int64) {}

type nowhere struct{}

func (nowhere) Add(device.Clue) {}
func (nowhere) Advance(int64)   {}

// TestCluesAllocs is TestSteadyStateAllocs with devices watched: once every
// clue of a capture was told, its packets cost no allocation.
func TestCluesAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("1 case: the race detector allocates")
	}
	files, err := filepath.Glob("../proto/*/testdata/*.pcap")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d captures, %v", len(files), err)
	}
	for _, f := range files {
		if strings.Contains(f, "/quic/") {
			continue // its keys allocate, as TestSteadyStateAllocs says
		}
		fs, span := frames(t, []string{f})
		x := clues.New(nowhere{}, nil, nil)
		e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Seed: 1, MaxFlows: 1024,
			Observer: func(int) engine.Observer { return once{x} }})
		if err != nil {
			t.Fatal(err)
		}
		pass := func() {
			for i := range fs {
				e.Workers[0].Handle(&fs[i])
				fs[i].Time += span
			}
		}
		for range 30 {
			pass()
		}
		const passes = 200
		var a, b runtime.MemStats
		runtime.ReadMemStats(&a)
		for range passes {
			pass()
		}
		runtime.ReadMemStats(&b)
		if n := float64(b.Mallocs-a.Mallocs) / passes; n > 0.5 {
			t.Errorf("%s: %.1f allocations per pass of %d packets", f, n, len(fs))
		}
		e.Close()
	}
}

// What is told about devices is what the schema says.
func TestDeviceEvents(t *testing.T) {
	var lines []string
	var eve event.EVE
	r, err := device.NewRegistry(device.Config{Judge: fingerprint.Judge, Exact: true,
		OnChange: func(c device.Change) { lines = append(lines, strings.TrimSpace(string(eve.Append(nil, c.Event())))) }})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Seed: 1, Refs: r.Ref,
		Observer: func(int) engine.Observer { return clues.New(r, nil, r.Epoch) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range synth.Products() {
		for i := range c.Frames {
			e.Workers[0].Handle(&c.Frames[i])
		}
	}
	e.Close()
	r.Finish()
	first := r.Devices()[0]
	for _, f := range []func() error{
		func() error { return r.Correct(first.ID, device.Correction{Name: "x", Kind: device.Hub, Person: "y"}) },
		func() error { return r.Merge(first.ID, r.Devices()[1].ID) },
	} {
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	r.Advance(first.Last + 2*device.DefaultGoneAfter)
	if len(lines) < 2*len(synth.Products()) {
		t.Errorf("%d events", len(lines))
	}
	for _, l := range lines {
		if err := checkEvent(l); err != nil {
			t.Fatalf("%s\n%v", l, err)
		}
	}
}
