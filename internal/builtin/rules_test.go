package builtin_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/rules"
)

// everyKind are rules of each kind of inspection, whose prefilters hit and
// which then do not match: with them no packet may allocate either.
const everyKind = `
alert ip [233.252.0.0/24,2001:db8:ffff::/48] any -> any any (msg:"addresses"; sid:1;)
alert tcp any any -> any any (msg:"header"; flags:SFUP; sid:2;)
alert tcp any any -> any 4444 (msg:"ports"; flow:to_server; dsize:>4000; sid:3;)
alert udp any any -> any any (msg:"datagram"; content:"|00 01|"; content:"not in any capture"; distance:0; sid:4;)
alert tcp any any -> any any (msg:"stream"; flow:established; content:"e"; content:"not in any capture"; distance:0; sid:5;)
alert tcp any any -> any any (msg:"begin"; flow:established; content:"GET "; depth:4; content:"not in any capture"; sid:6;)
alert tcp any any -> any any (msg:"expression"; content:"HTTP"; pcre:"/HTTP.{1,9}not in any capture/s"; sid:7;)
alert http any any -> any any (msg:"transaction"; http.uri; content:"/"; http.header; content:"not in any capture"; sid:8;)
alert http any any -> any any (msg:"transform"; http.host; to_md5; content:"not in any capture"; sid:9;)
alert http any any -> any any (msg:"file"; file.data; content:"e"; content:"not in any capture"; sid:10;)
alert dns any any -> any any (msg:"name"; dns.query; dotprefix; content:".not-in-any-capture.example"; endswith; sid:11;)
alert tls any any -> any any (msg:"server"; tls.sni; content:"not-in-any-capture"; sid:12;)
alert tcp any any -> any any (msg:"bits"; flowbits:isset,never; content:"e"; sid:13;)
alert ip any any -> any any (msg:"number"; ttl:0; sid:14;)
`

func compile(t testing.TB, rs []*rules.Rule) *match.Set {
	t.Helper()
	set, problems := match.Compile(rs, match.Options{Protocols: builtin.Protocols()})
	for _, p := range problems {
		if !p.Warning {
			t.Error(p)
		}
	}
	return set
}

// publicRules compiles the public rule set; nil without it.
func publicRules(t testing.TB) *match.Set {
	t.Helper()
	root := os.Getenv("YAMORI_TESTDATA")
	if root == "" {
		root = "../../../shared"
	}
	files, _ := filepath.Glob(filepath.Join(root, "rules/et-open-2025-08/*.rules"))
	if len(files) == 0 {
		return nil
	}
	rs, _ := rules.Load(rules.ParseConfig{}, files...)
	return compile(t, rs)
}

// TestRulesAllocs replays the project's own captures with rules: a packet that
// brings no alert costs no allocation.
func TestRulesAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("1 case: the race detector allocates")
	}
	parsed, problems := rules.Parse("every.rules", strings.NewReader(everyKind), rules.ParseConfig{})
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	sets := map[string]*match.Set{"every kind": compile(t, parsed)}
	if s := publicRules(t); s != nil {
		sets["public"] = s
	} else {
		t.Log("1 case skipped: no public rules (set YAMORI_TESTDATA)")
	}
	files, err := filepath.Glob("../proto/*/testdata/*.pcap")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d captures, %v", len(files), err)
	}
	for name, set := range sets {
		for _, f := range files {
			fs, span := frames(t, []string{f})
			alerts, last := 0, uint32(0)
			e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Rules: set, Seed: 1, MaxFlows: 1024,
				Events: []event.Type{event.Alert},
				Sink: func(int) event.Sink {
					return event.SinkFunc(func(ev *event.Event) { alerts, last = alerts+1, ev.Finding.SignatureID })
				}})
			if err != nil {
				t.Fatal(err)
			}
			pass := func() {
				for i := range fs {
					e.Workers[0].Handle(&fs[i])
					fs[i].Time += span
				}
			}
			for range 60 { // as in TestSteadyStateAllocs
				pass()
			}
			if n, over := allocs(f, 120, pass); alerts == 0 && over {
				t.Errorf("%s rules, %s: %.1f allocations per pass of %d packets", name, f, n, len(fs))
			}
			if name == "every kind" && alerts > 0 {
				t.Errorf("%s: %d alerts of rules that match nothing, the last of %d", f, alerts, last)
			}
			e.Close()
		}
	}
}

// BenchmarkRules is BenchmarkReplay with the public rules.
func BenchmarkRules(b *testing.B) {
	list := os.Getenv("YAMORI_BENCH")
	if list == "" {
		b.Skip("no captures: set YAMORI_BENCH, see docs/performance.md")
	}
	set := publicRules(b)
	if set == nil {
		b.Skip("no public rules: set YAMORI_TESTDATA")
	}
	for _, f := range filepath.SplitList(list) {
		b.Run(strings.TrimSuffix(filepath.Base(f), ".pcap"), func(b *testing.B) {
			b.ReportAllocs()
			var packets uint64
			for b.Loop() {
				e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Detectors: builtin.Detectors(), Rules: set, Seed: 1})
				if err != nil {
					b.Fatal(err)
				}
				r, err := pcapfile.Open(f)
				if err != nil {
					b.Fatal(err)
				}
				if err := r.Run(context.Background(), e.Workers[0].Handle); err != nil {
					b.Fatal(err)
				}
				_ = r.Close()
				e.Close()
				packets += e.Stats().Packets
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/packet")
		})
	}
}
