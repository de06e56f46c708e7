package mining

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/seq"
	"github.com/yamori-net/yamori/internal/seq/seqlog"
)

// TestRecordedSequences runs the project's recordings through tracker and
// model: with nothing else known, hardly any service may ever look like likely
// mining, and most miners must.
func TestRecordedSequences(t *testing.T) {
	m, err := ReadModel(strings.NewReader(modelText))
	if err != nil {
		t.Fatal(err)
	}
	type pair struct{ mining, found bool }
	pairs := map[string]*pair{}
	files, err := filepath.Glob("testdata/sequences/*.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		if filepath.Base(file) == "d.seq.gz" {
			continue // those who ask by a clock: see TestRecordedSeries
		}
		flows, err := seqlog.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range flows {
			p := pairs[f.ID]
			if p == nil {
				p = &pair{mining: f.Mining}
				pairs[f.ID] = p
			}
			var tr seq.Tracker
			tr.Start(f.Kind)
			before := 0.0
			for _, msg := range f.Msgs {
				more := tr.Message(msg.At+1, msg.Dir, msg.Len)
				if tr.Due(msg.At + 1) {
					if x, ok := Look(&tr); ok {
						s := m.Score(&x)
						p.found = p.found || s >= LikelyAlone && before >= LikelyAlone && Holds(&tr)
						before = s
					}
				}
				if !more {
					break
				}
			}
		}
	}
	var n, found [2]int
	for _, p := range pairs {
		k := 0
		if p.mining {
			k = 1
		}
		n[k]++
		if p.found {
			found[k]++
		}
	}
	t.Logf("%d of %d services, %d of %d miners", found[0], n[0], found[1], n[1])
	if n[0] < 400 || found[0] > 0 {
		t.Errorf("%d of %d services look like miners", found[0], n[0])
	}
	if n[1] < 200 || found[1]*100 < 70*n[1] {
		t.Errorf("%d of %d miners are found", found[1], n[1])
	}
}

// TestLookAllocates: a look at the counts costs no memory.
func TestLookAllocates(t *testing.T) {
	m, err := ReadModel(strings.NewReader(modelText))
	if err != nil {
		t.Fatal(err)
	}
	var tr seq.Tracker
	tr.Start(seq.TLS13)
	for i := range 100 {
		tr.Message(int64(i+1)*1e9, 0, 200)
		tr.Message(int64(i+1)*1e9+5e7, 1, 63)
		tr.Message(int64(i+1)*1e9+5e8, 1, 390)
	}
	if n := testing.AllocsPerRun(100, func() {
		if x, ok := Look(&tr); ok {
			m.Score(&x)
		}
	}); n > 0 {
		t.Errorf("%v allocations a look", n)
	}
}

func BenchmarkLook(b *testing.B) {
	m, err := ReadModel(strings.NewReader(modelText))
	if err != nil {
		b.Fatal(err)
	}
	var tr seq.Tracker
	tr.Start(seq.TLS13)
	for i := range 100 {
		tr.Message(int64(i+1)*1e9, 0, 200)
		tr.Message(int64(i+1)*1e9+5e7, 1, 63)
		tr.Message(int64(i+1)*1e9+5e8, 1, 390)
	}
	b.ReportAllocs()
	for b.Loop() {
		if x, ok := Look(&tr); ok {
			m.Score(&x)
		}
	}
}
