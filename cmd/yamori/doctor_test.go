package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDoctor: each thing that is made wrong is found, with its cure in both
// languages, and makes the exit code.
func TestDoctor(t *testing.T) {
	x := newHome(t)
	dir := t.TempDir()
	file := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	rules := file("old.rules", "alert tcp any any -> any any (msg:\"x\"; sid:1;)\n")
	long := time.Now().Add(-90 * 24 * time.Hour)
	if err := os.Chtimes(rules, long, long); err != nil {
		t.Fatal(err)
	}
	state := "state:\n  dir: " + dir + "\n"
	for _, tt := range []struct {
		name, config string
		codes        []string // level and code
		not          []string
	}{
		{"good", "version: 1\ninterface: lo\n" + state, []string{"ok config.ok", "ok rules.none", "ok interface.ok", "ok daemon.ok"}, []string{"config.bad", "daemon.down", "interface.missing"}},
		{"no such interface", "version: 1\ninterface: none0\n" + state, []string{"failure interface.missing"}, []string{"interface.ok"}},
		{"unknown key", "version: 1\nsuch_a_key: 1\n", []string{"failure config.bad"}, []string{"config.ok"}},
		{"old rules", "version: 1\ninterface: lo\nrules:\n  files: [" + rules + "]\n" + state, []string{"warning rules.old"}, []string{"rules.ok"}},
		{"no rules there", "version: 1\ninterface: lo\nrules:\n  files: [" + dir + "/none/*.rules]\n" + state, []string{"failure rules.missing"}, []string{"rules.ok"}},
		{"a file is missing", "version: 1\ninterface: lo\ngeo:\n  asn: " + dir + "/none.mmdb\n" + state, []string{"failure config.files"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conf := file("yamori.yaml", tt.config)
			code, out, errs := x.call("doctor", "--config", conf, "-o", "json")
			var d diagnosis
			if err := json.Unmarshal([]byte(out), &d); err != nil {
				t.Fatalf("%v: %s %s", err, out, errs)
			}
			has, failed := map[string]bool{}, false
			for _, c := range d.Checks {
				has[c.Level+" "+c.Code], has[c.Code] = true, true
				failed = failed || c.Level == "failure"
				if c.Text == "" || c.Text == c.Code || strings.Contains(c.Text+c.Cure, "{") {
					t.Errorf("%s: %q %q", c.Code, c.Text, c.Cure)
				}
			}
			for _, c := range tt.codes {
				if !has[c] {
					t.Errorf("no %s in %s", c, out)
				}
			}
			for _, c := range tt.not {
				if has[c] {
					t.Errorf("%s in %s", c, out)
				}
			}
			if failed == d.OK || failed != (code == exitError) || code != exitOK && code != exitError {
				t.Errorf("exit %d, ok %v", code, d.OK)
			}
			if _, ja, _ := x.call("doctor", "--config", conf, "--lang", "ja", "--all"); !strings.Contains(ja, "設定") {
				t.Errorf("in Japanese: %s", ja)
			}
		})
	}
	conf := file("yamori.yaml", "version: 1\ninterface: lo\n"+state)
	if code, out, _ := call(t, "doctor", "--config", conf, "--socket", filepath.Join(dir, "nobody.sock")); code != exitOK || !strings.Contains(out, "yamori run") {
		t.Errorf("without a daemon: exit %d, %s", code, out)
	}
	for _, args := range [][]string{{"doctor", "-o", "xml"}, {"doctor", "--lang", "de"}, {"doctor", "more"}} {
		if code, _, _ := x.call(args...); code != exitUsage {
			t.Errorf("%v: exit %d", args, code)
		}
	}
}
