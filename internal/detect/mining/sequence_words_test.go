package mining

import (
	"os"
	"strings"
	"testing"
)

// TestEvidenceHasWords: every code that a finding about a sequence can carry
// has a sentence for people.
func TestEvidenceHasWords(t *testing.T) {
	b, err := os.ReadFile("../../report/evidence.go")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	var codes []string
	for _, f := range features {
		codes = append(codes, "sequence."+f.name)
	}
	for _, w := range tagWeights {
		codes = append(codes, w.code)
	}
	codes = append(codes, "sequence.rest", "sequence.prior", "sequence.blur", "sequence.clock_anew", "sequence.device", "sequence.flows", "sequence.next_server",
		"sequence.after_block", "sequence.retry", "sequence.serves", "collector.upstream_sealed", "collector.listens_sealed",
		"series.prior", "series.poll", "series.quick", "series.template", "series.steps", "series.hours")
	for _, c := range codes {
		if !strings.Contains(text, `"`+c+`":`) {
			t.Errorf("no sentence for %s", c)
		}
	}
}

// TestModelRoundTrip: the file in the tree is what the trainer writes, every
// feature and bin in it is known, and writing what was read changes nothing.
func TestModelRoundTrip(t *testing.T) {
	m, err := ReadModel(strings.NewReader(modelText))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	if b.String() != modelText {
		t.Error("model.tsv is not what Write makes of it")
	}
	if len(features) > len(Vector{}.Bins) {
		t.Errorf("%d features, %d places", len(features), len(Vector{}.Bins))
	}
	for i := range features {
		if Bins(i) > maxBins+1 {
			t.Errorf("%s has %d bins", features[i].name, Bins(i))
		}
	}
	for _, bad := range []string{"x", "push\tno_such\t<1\t1", "push\tshare_reply\t9-11\t1", "round\tshare_reply\tunknown\t1", "push\tshare_reply\tunknown\tx"} {
		if _, err := ReadModel(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestPools(t *testing.T) {
	p := readPools(poolText)
	if len(p.all) < 100 || len(p.by) != len(p.all) {
		t.Fatalf("%d pools, %d names", len(p.all), len(p.by))
	}
	for _, tt := range []struct {
		name string
		want string
		site bool
	}{
		{"xmr-eu1.nanopool.org", "nanopool.org", false},
		{"Pool.SupportXMR.com.", "supportxmr.com", false},
		{"www.nanopool.org", "nanopool.org", true},
		{"nanopool.org", "nanopool.org", true},
		{"donate.v2.xmrig.com", "donate.v2.xmrig.com", false},
		{"coinhive.com", "coinhive.com", false},
		{"xmrig.com", "", false},
		{"notnanopool.org", "", false},
		{"nanopool.org.example", "", false},
		{"", "", false},
		{strings.Repeat("a.", 200) + "nanopool.org", "", false},
	} {
		i, site := p.find([]byte(tt.name))
		got := ""
		if i >= 0 {
			got = p.all[i].Suffix
		}
		if got != tt.want || site != tt.site {
			t.Errorf("%s: %q %v, want %q %v", tt.name, got, site, tt.want, tt.site)
		}
	}
	name := []byte("cdn.some.where.example.com")
	if n := testing.AllocsPerRun(100, func() { p.find(name) }); n > 0 {
		t.Errorf("%v allocations to look a name up", n)
	}
}
