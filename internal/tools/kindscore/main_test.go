package main

import (
	"slices"
	"testing"

	"github.com/yamori-net/yamori/internal/corpus"
)

func check(t *testing.T, runs []sample, m mode, right, wrong float64) {
	t.Helper()
	s, err := measure(runs, m, false)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.times) > 0 {
		slices.Sort(s.times)
		if med := s.times[len(s.times)/2]; med > 60 {
			t.Errorf("%s: median time to kind %.1f s", m, med)
		}
	}
	if percent(s.right, s.n) < right || percent(s.wrong, s.n) > wrong {
		t.Errorf("%s: of %d right %d, wrong %d, unknown %d", m, s.n, s.right, s.wrong, s.unknown)
	}
}

// The kinds of real devices: without what makers' names add, two cameras that
// say nothing stay unknown, which is no mistake.
func TestRecorded(t *testing.T) {
	runs, err := recorded(corpus.Path(t, 66, "captures", "iot-sentinel"))
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) < 60 {
		t.Fatalf("%d captures", len(runs))
	}
	check(t, runs, asRecorded, 85, 2)
	check(t, runs, randomMAC, 80, 2)
	check(t, runs, noMaker, 80, 2)
}

func TestSynthetic(t *testing.T) {
	for _, set := range generated {
		for _, m := range []mode{asRecorded, randomMAC, noMaker} {
			check(t, samples(set.list()), m, 95, 2)
		}
	}
}

// The rewriting leaves nothing of an address behind.
func TestRandomise(t *testing.T) {
	runs := samples(generated[0].list())
	f, err := runs[0].frames()
	if err != nil {
		t.Fatal(err)
	}
	local := randomise(f, runs[0].mac)
	if local[0]&3 != 2 || local == runs[0].mac {
		t.Errorf("%x", local)
	}
	for i := range f {
		if string(f[i].Data[6:12]) != string(local[:]) {
			t.Errorf("frame %d: %x", i, f[i].Data[6:12])
		}
	}
	if g, _ := runs[0].frames(); string(g[0].Data[6:12]) != string(runs[0].mac[:]) {
		t.Error("the sample itself was changed")
	}
}
