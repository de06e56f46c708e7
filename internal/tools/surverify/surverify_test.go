package main

import (
	"os"
	"testing"

	"github.com/yamori-net/yamori/internal/corpus"
)

// Floors: how many tests give the alerts they ask for. They only go up.
const (
	floorPasses = 442 // of those Suricata 7.0.10 passes
	floorOthers = 196
)

// suiteTests is the number of tests of the suite, for the message when it is absent.
const suiteTests = 859

func TestSuite(t *testing.T) {
	folder := corpus.Path(t, suiteTests, "captures", "suricata-verify")
	tests, err := Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(tests) != suiteTests {
		t.Errorf("%d tests instead of %d", len(tests), suiteTests)
	}
	var rep Report
	for _, one := range tests {
		rep.Add(judge(one, runYamori))
	}
	for _, l := range []struct {
		name   string
		floor  int
		choose func(*Test) bool
	}{
		{"passes", floorPasses, func(t *Test) bool { return t.Passes }},
		{"others", floorOthers, func(t *Test) bool { return !t.Passes && t.Class != "out" }},
	} {
		all, _ := rep.rates(l.choose, true)
		t.Logf("%s: %d of %d", l.name, all.Passed, all.Of)
		if all.Passed < l.floor {
			t.Errorf("%s: %d tests pass, %d did before", l.name, all.Passed, l.floor)
		}
		if all.Of == 0 {
			t.Errorf("%s: no tests", l.name)
		}
	}
	if testing.Verbose() {
		rep.Print(os.Stdout, false)
	}
}

func TestCompareVersions(t *testing.T) {
	for _, tc := range []struct {
		r    Requires
		want bool
	}{
		{Requires{}, true},
		{Requires{Min: "7"}, true},
		{Requires{Min: "7.0.10"}, true},
		{Requires{Min: "7.0.11"}, false},
		{Requires{Min: "8"}, false},
		{Requires{Min: "6.0.12"}, true},
		{Requires{Lt: "8"}, true},
		{Requires{Lt: "7"}, false},
		{Requires{Lt: "7.0.10"}, false},
		{Requires{Lt: "7.0.11"}, true},
		{Requires{Gt: "6.0.11"}, true},
		{Requires{Gt: "7.0.10"}, false},
	} {
		if got := tc.r.applies(); got != tc.want {
			t.Errorf("%+v: %v", tc.r, got)
		}
	}
}

func TestChecks(t *testing.T) {
	events, err := readEVE([]byte(`{"event_type":"alert","alert":{"signature_id":7},"tls":{"sni":"a.example"},"list":[{"x":true},{"x":1.50}]}
{"event_type":"alert","alert":{"signature_id":8}}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		path string
		want any
		n    int
	}{
		{"alert.signature_id", 7, 1},
		{"alert.signature_id", "8", 1},
		{"event_type", "alert", 2},
		{"list[0].x", true, 1},
		{"list[1].x", 1.5, 1},
		{"list[2].x", 1, 0},
		{"tls.sni.__find", "exam", 1},
		{"tls.sni.__startswith", "exam", 0},
		{"tls.sni.__endswith", "example", 1},
		{"tls.sni.__len", 9, 1},
		{"list.__len", 2, 1},
		{"has-key", "tls.sni", 1},
		{"not-has-key", "tls", 1},
		{"absent.key", "", 0},
	} {
		c := Check{Kind: "filter", Filename: "eve.json", Count: tc.n, Match: []Cond{{tc.path, tc.want}}}
		if o, why := c.eval(events); o != Pass {
			t.Errorf("%s=%v: %s", tc.path, tc.want, why)
		}
	}
}
