package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/corpus"
	"github.com/yamori-net/yamori/internal/files"
)

// Floors: how many tests give the alerts they ask for, and how many all that
// their checks do. They only go up.
const (
	floorPasses    = 447 // of those Suricata 7.0.10 passes
	floorOthers    = 248
	floorPassesAll = 433
	floorOthersAll = 162
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
		alerts bool
		choose func(*Test) bool
	}{
		{"passes, alerts", floorPasses, true, func(t *Test) bool { return t.Passes }},
		{"others, alerts", floorOthers, true, func(t *Test) bool { return !t.Passes && t.Class != "out" }},
		{"passes, all checks", floorPassesAll, false, func(t *Test) bool { return t.Passes }},
		{"others, all checks", floorOthersAll, false, func(t *Test) bool { return !t.Passes && t.Class != "out" }},
	} {
		all, _ := rep.rates(l.choose, l.alerts)
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
		if got := tc.r.applies(stock); got != tc.want {
			t.Errorf("%+v: %v", tc.r, got)
		}
	}
}

// A test that needs a newer Suricata is judged by the checks for that series.
func TestVersion(t *testing.T) {
	for needs, want := range map[string]Version{"": stock, "6": stock, "7.0.10": stock, "7.0.13": {7, 0, 99}, "8": {8, 0, 99}, "9.1.2": {9, 1, 99}} {
		if got := (&Test{Needs: Requires{Min: needs}}).version(); got != want {
			t.Errorf("%q: %v", needs, got)
		}
	}
	one := &Test{Needs: Requires{Min: "8.0.0"}}
	if !(Requires{Min: "8.0.7"}).applies(one.version()) || (Requires{Lt: "8.0.7"}).applies(one.version()) || (Requires{Min: "9"}).applies(one.version()) {
		t.Error("the last release of the series counts")
	}
}

func TestInline(t *testing.T) {
	for _, one := range []struct {
		test Test
		want bool
	}{
		{Test{Name: "x/y-ips"}, true}, {Test{Name: "ips/x"}, false}, {Test{Name: "x", Class: "ips"}, true}, {Test{Name: "x", Args: []string{"--simulate-ips"}}, true},
	} {
		if got := one.test.inline(); got != one.want {
			t.Errorf("%+v: %v", one.test, got)
		}
	}
}

func TestSettings(t *testing.T) {
	dir := t.TempDir()
	yaml := "%YAML 1.1\n---\nvars:\n  address-groups:\n    HOME_NET: \"[192.0.2.0/24]\"\n  port-groups:\n    HTTP_PORTS: \"8080\"\nstream:\n  midstream: true\noutputs:\n  - fast:\n      enabled: yes\n"
	if err := os.WriteFile(filepath.Join(dir, "suricata.yaml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	one := &Test{Dir: dir, Args: strings.Fields("-k none --runmode=single --simulate-ips --set threshold-file=${TEST_DIR}/threshold.config --set stream.midstream=false --no-random")}
	s := one.settings()
	if !s.IPS || s.Midstream || s.Threshold != dir+"/threshold.config" || s.Addrs["HOME_NET"] != "[192.0.2.0/24]" || s.Ports["HTTP_PORTS"] != "8080" {
		t.Errorf("%+v", s)
	}
	more := (&Test{Dir: dir, Args: strings.Fields("--set packet-alert-max=3 --set outputs.1.file-store.force-hash.0=md5 --set x.force-filestore=yes")}).settings()
	if more.MaxAlerts != 3 || more.Hashes != files.MD5|files.SHA256 {
		t.Errorf("%+v", more)
	}
	for policy, want := range map[string]bool{"pass-flow": true, "bypass": true, "ignore": false} {
		own := &Test{Dir: dir, Args: []string{"--set", "exception-policy=drop-flow", "--set", "stream.midstream-policy=" + policy}}
		if got := own.settings().PassMidstream; got != want {
			t.Errorf("%s: %v", policy, got)
		}
	}
	if len(s.Unknown) != 1 || s.Unknown[0] != "--no-random" {
		t.Errorf("not understood: %q", s.Unknown)
	}
}

func TestFamily(t *testing.T) {
	for name, want := range map[string]string{"http-evader/http-evader-004": "http", "base64": "base64", "dns/v2/bug-990": "dns", "ipv6-evasion/x": "ipv6"} {
		if got := (&Test{Name: name}).Family(); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestChecks(t *testing.T) {
	events, err := readEVE([]byte(`{"event_type":"alert","alert":{"signature_id":7},"ip":"2001:db8::1","tls":{"sni":"a.example"},"list":[{"x":true},{"x":1.50}]}
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
		{"ip", "2001:0db8:0000:0000:0000:0000:0000:0001", 1},
		{"ip", "2001:db8::2", 0},
	} {
		c := Check{Kind: "filter", Filename: "eve.json", Count: tc.n, Match: []Cond{{tc.path, tc.want}}}
		if o, why := c.eval(events, stock); o != Pass {
			t.Errorf("%s=%v: %s", tc.path, tc.want, why)
		}
	}
}
