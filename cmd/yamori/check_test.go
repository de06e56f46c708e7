package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/geo/geotest"
)

// TestRunCheck: run --check loads what the configuration names and says where
// each problem is.
func TestRunCheck(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	good := write("good.rules", "alert tcp any any -> any any (content:\"x\"; sid:1;)\n")
	bad := write("bad.rules", "alert tcp any any -> any any (content:\"x\"; sid:2;)\n\nalert tcp any any -> any any (contant:\"x\"; sid:3;)\n")
	rep := write("rep.rules", "alert ip any any -> any any (iprep:src,bad,>,1; sid:4;)\nalert ip any any -> any any (geoip:src,JP; sid:5;)\n")
	cats := write("categories", "1,bad,bad hosts\n")
	list := write("iprep.list", "192.0.2.1,1,10\n192.0.2.300,1,10\n")
	mmdb := geotest.Write(t, "country", map[string]geotest.Map{"192.0.2.0/24": geotest.Country("JP")})
	networks := geotest.Write(t, "asn", map[string]geotest.Map{"192.0.2.0/24": {"autonomous_system_number": uint32(64500)}})
	names := write("names", "ads.example\n<nonsense>\ntracker.example\n")
	for _, c := range []struct {
		name, config string
		code         int
		out, errs    string // stdout begins, stderr holds
	}{
		{"no rules", "version: 1\n", 0, "The configuration is good.\n", ""},
		{"good", "rules:\n  files: [" + good + "]\n", 0, "The configuration is good.\n", ""},
		{"a bad rule", "rules:\n  files: [" + good + ", " + bad + "]\n", 1,
			bad + ":3:31: sid 3: unknown option \"contant\" (did you mean content?)\nThe configuration is good; 1 of ", ""},
		{"no file", "rules:\n  files: [" + dir + "/none.rules]\n", 1, "", dir + "/yamori.yaml:2: " + dir + "/none.rules"},
		{"lacking", "rules:\n  files: [" + rep + "]\n", 0, "warning: " + rep + ":1:1: sid 4: iprep: no reputation of addresses is loaded, so 1 rules never match", ""},
		{"with lists", "geo:\n  country: " + mmdb + "\nrules:\n  files: [" + rep + "]\n  reputation: {categories: " + cats + ", files: [" + list + "]}\n", 0,
			"warning: " + list + ":2:1: this is neither an address nor a network\nThe configuration is good.\n", ""},
		{"no list", "rules:\n  files: [" + good + "]\n  reputation: {categories: " + cats + ", files: [" + dir + "/none]}\n", 1, "", dir + "/none"},
		{"no categories", "rules:\n  reputation: {files: [" + list + "]}\n", 1, "", ":2: reputation: files need the list of categories, too"},
		{"no database of networks", "geo: {asn: " + good + "}\n", 1, "", dir + "/yamori.yaml:1: geo.asn: "},
		{"networks", "geo: {asn: " + networks + "}\n", 0, "The configuration is good.\n", ""},
		{"no list of names", "dns: {lists: [{name: ads, path: " + dir + "/none}]}\n", 1, "", "yamori.yaml:1: dns.lists: list ads: open " + dir + "/none"},
		{"list of names", "dns: {lists: [{name: ads, path: " + names + "}]}\n", 0, "warning: dns.lists: ads: 1 lines are not understood and left out, 2 names are taken\nThe configuration is good.\n", ""},
		{"no authority", "exports: {mqtt: {server: \"mqtts://broker\", ca: " + dir + "/none}}\n", 1, "", "yamori.yaml:1: mqtt: ca: open " + dir + "/none"},
		{"no database", "geo: {country: " + good + "}\n", 1, "", good},
	} {
		code, out, errs := call(t, "run", "--check", "--config", write("yamori.yaml", c.config))
		if code != c.code || !strings.HasPrefix(out, c.out) || !strings.Contains(errs, c.errs) {
			t.Errorf("%s: exit %d, want %d\n%s\n%s", c.name, code, c.code, out, errs)
		}
	}
	// Files on the command line are checked as well.
	if code, out, _ := call(t, "run", "--check", "--config", write("yamori.yaml", "version: 1\n"), "--rules", bad); code != 1 || !strings.HasPrefix(out, bad+":3:31:") {
		t.Errorf("exit %d: %s", code, out)
	}
}
