package builtin_test

import (
	"bytes"
	"context"
	"errors"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/corpus"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
)

// slow is how long one capture may take, also under the race detector.
const slow = 10 * time.Second

// replay runs one capture and returns all its events as EVE lines.
func replay(t testing.TB, name string, r io.Reader, workers int) ([]byte, *engine.Engine, error) {
	t.Helper()
	var out []byte
	e := newEngine(t, workers, &out)
	src := pcapfile.NewReader(name, r)
	defer src.Close()
	ctx, cancel := context.WithTimeout(context.Background(), slow)
	defer cancel()
	err := src.Run(ctx, e.Workers[0].Handle)
	if ctx.Err() != nil {
		t.Errorf("%s: not done after %v", name, slow)
	}
	e.Close()
	if n := e.Stats().Panics; n > 0 {
		t.Errorf("%s: %d panics", name, n)
	}
	return out, e, err
}

func newEngine(t testing.TB, workers int, out *[]byte) *engine.Engine {
	t.Helper()
	var eve event.EVE
	e, err := engine.New(engine.Config{
		Protocols: builtin.Protocols(), Detectors: builtin.Detectors(), Workers: workers,
		Events: builtin.EventTypes(), Flows: true, NumberPackets: true, Seed: 1,
		Sink:    func(int) event.Sink { return event.SinkFunc(func(ev *event.Event) { *out = eve.Append(*out, ev) }) },
		OnPanic: func(v any, stack []byte) { t.Errorf("panic: %v\n%s", v, stack) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// share selects a part of the captures: 1/YAMORI_SHARE of them, all by
// default, by a hash of the name, so that it is always the same part.
func share(files []string, n uint32) []string {
	var out []string
	for _, f := range files {
		h := fnv.New32a()
		_, _ = io.WriteString(h, filepath.Base(filepath.Dir(f))+filepath.Base(f))
		if h.Sum32()%n == 0 {
			out = append(out, f)
		}
	}
	return out
}

// TestCorpus replays every real capture: no panic, no hang, bounded memory.
func TestCorpus(t *testing.T) {
	files := corpus.Captures(t, corpus.Path(t, 1300, "captures"))
	if raceEnabled {
		files = share(files, 4)
	}
	var peak uint64
	for i, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := replay(t, f, bytes.NewReader(b), 1); err != nil {
			var d *pcapfile.Damage
			if !errors.As(err, &d) {
				t.Errorf("%s: %v", f, err)
			}
		}
		if i%50 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapSys-m.HeapReleased)
		}
	}
	t.Logf("%d captures, heap at most %d MB", len(files), peak>>20)
	if peak > 400<<20 {
		t.Errorf("heap reached %d MB", peak>>20)
	}
}

// TestCorpusCut replays every capture cut off at ten random places (two with
// -short, one under the race detector).
func TestCorpusCut(t *testing.T) {
	files := corpus.Captures(t, corpus.Path(t, 13000, "captures"))
	cuts := 10
	switch {
	case raceEnabled:
		files, cuts = share(files, 4), 1
	case testing.Short():
		cuts = 2
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		rnd := rand.New(rand.NewPCG(uint64(len(b)), 7))
		for range cuts {
			at := rnd.IntN(len(b) + 1)
			_, _, _ = replay(t, f, bytes.NewReader(b[:at]), 1) // an error is right here; a panic or a hang is not
		}
	}
	t.Logf("%d captures, %d cuts each", len(files), cuts)
}

// TestCorpusBytes damages captures in the middle: random bytes are changed.
func TestCorpusBytes(t *testing.T) {
	files := share(corpus.Captures(t, corpus.Path(t, 160, "captures")), 8)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) == 0 {
			continue
		}
		rnd := rand.New(rand.NewPCG(uint64(len(b)), 9))
		b = bytes.Clone(b)
		for range 1 + len(b)/500 {
			if i := rnd.IntN(len(b)); i > 100 {
				b[i] = byte(rnd.Uint32())
			}
		}
		_, _, _ = replay(t, f, bytes.NewReader(b), 1)
	}
	t.Logf("%d damaged captures", len(files))
}

// TestLinesAreJSON checks that events of hostile captures are whole lines.
func TestLinesAreJSON(t *testing.T) {
	for _, f := range share(corpus.Captures(t, corpus.Path(t, 320, "captures")), 4) {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out, _, _ := replay(t, f, bytes.NewReader(b), 1)
		for line := range strings.Lines(string(out)) {
			if err := checkEvent(line); err != nil {
				t.Fatalf("%s: %v\n%s", f, err, line)
			}
		}
	}
}
