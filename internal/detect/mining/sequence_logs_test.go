package mining

import (
	"path/filepath"
	"slices"
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
	pairs := map[string]*pair{}
	files, err := filepath.Glob("testdata/sequences/*.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		if b := filepath.Base(file); b == "d.seq.gz" || b == "g.seq.gz" || b == "i.seq.gz" {
			continue // those who ask by a clock: see TestRecordedSeries; tunnels: see TestRecordedTunnels
		}
		follow(t, m, file, LikelyAlone, pairs)
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
			if k == 0 && !slices.Contains(doubles, p.client) {
				t.Errorf("a service of kind %s looks like a miner", p.client)
			}
		}
	}
	t.Logf("%d of %d services, %d of %d miners", found[0], n[0], found[1], n[1])
	if n[0] < 600 || found[0] > 3 {
		t.Errorf("%d of %d services look like miners", found[0], n[0])
	}
	if n[1] < 300 || found[1]*100 < 80*n[1] {
		t.Errorf("%d of %d miners are found", found[1], n[1])
	}
}

// pair is a client and a server of a recording.
type pair struct {
	mining, found bool
	client        string
}

// doubles are services made to be miners in all but what is said; nothing in a
// sequence tells them apart (docs/detection/mining.md).
var doubles = []string{"listen-notify", "remote-procedure-worker"}

// follow runs a recording through tracker and model: found is who looked like a
// miner at two looks in a row, and nothing ruled it out.
func follow(t *testing.T, m *Model, file string, level float64, pairs map[string]*pair) {
	t.Helper()
	flows, err := seqlog.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range flows {
		p := pairs[f.ID]
		if p == nil {
			p = &pair{mining: f.Mining, client: f.Client}
			pairs[f.ID] = p
		}
		var tr seq.Tracker
		tr.Start(f.Kind)
		tr.Whole = f.Kind != seq.SSH // in which that is known when a channel opens
		before := 0.0
		for _, msg := range f.Msgs {
			more := tr.Message(msg.At+1, msg.Dir, msg.Len)
			if tr.Due(msg.At + 1) {
				if x, ok := Look(&tr); ok {
					s := m.Score(&x)
					p.found = p.found || s >= level && before >= level && Holds(&tr)
					before = s
				}
			}
			if !more {
				break
			}
		}
	}
}

// TestRecordedTunnels: the same for recordings of tunnels of SSH and QUIC, of
// which nothing was learnt.
func TestRecordedTunnels(t *testing.T) {
	m, err := ReadModel(strings.NewReader(modelText))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		file  string
		least int // in a hundred miners
		most  int // services beside the doubles; in SSH a message queue and a counter, whose lengths its blocks make one
	}{{"g", 60, 0}, {"i", 65, 2}} {
		pairs := map[string]*pair{}
		follow(t, m, "testdata/sequences/"+tt.file+".seq.gz", LikelyAlone+Blur, pairs)
		miners, found, called := 0, 0, 0
		for id, p := range pairs {
			switch {
			case p.mining:
				miners++
				if p.found {
					found++
				}
			case p.found && !slices.Contains(doubles, p.client):
				called++
				t.Logf("%s: a service of kind %s looks like a miner", id, p.client)
			}
		}
		t.Logf("%s: %d of %d miners", tt.file, found, miners)
		if found*100 < tt.least*miners || called > tt.most {
			t.Errorf("%s: %d of %d miners are found, %d services called", tt.file, found, miners, called)
		}
	}
}

// TestHeldOut: kinds of service that nothing was learnt from are hardly ever likely
// alone, but for those made to be miners in all but what they say.
func TestHeldOut(t *testing.T) {
	m, err := ReadModel(strings.NewReader(modelText))
	if err != nil {
		t.Fatal(err)
	}
	made := []string{"baby-monitor", "grid-dispatch", "lock-bridge", "pulse-meter", "live-quiz", "idle-game", "live-odds", "live-poll"}
	for _, tt := range []struct {
		file      string
		most, too int // services called, and of those made for it
	}{{"k", 2, 0}, {"n", 0, 17}} {
		pairs := map[string]*pair{}
		follow(t, m, "testdata/sequences/heldout/"+tt.file+".seq.gz", LikelyAlone, pairs)
		var n, found [2]int
		double := 0
		for id, p := range pairs {
			k := 0
			if p.mining {
				k = 1
			}
			n[k]++
			switch {
			case !p.found:
			case k == 0 && slices.Contains(made, p.client):
				double++
			default:
				found[k]++
				if k == 0 {
					t.Logf("%s: a service of kind %s looks like a miner", id, p.client)
				}
			}
		}
		t.Logf("%s: %d and %d of %d services, %d of %d miners", tt.file, found[0], double, n[0], found[1], n[1])
		if n[0] < 240 || found[0] > tt.most || double > tt.too || n[1] < 120 || found[1]*100 < 75*n[1] {
			t.Errorf("%s: %d and %d of %d services, %d of %d miners", tt.file, found[0], double, n[0], found[1], n[1])
		}
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
