package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/policy"
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

// TestOwnBlocks: what findings block stands in the policy's account, by whom
// and until when, and what the owner blocks does not.
func TestOwnBlocks(t *testing.T) {
	x := newHome(t)
	if _, out, errs := x.call("policy"); strings.Contains(out, "block remove") || errs != "" {
		t.Errorf("with no blocks: %s%s", out, errs)
	}
	for _, e := range []policy.Entry{
		{Kind: policy.BlockEntry, Scope: policy.Scope{Device: "mac:02:00:5e:10:00:01", Dest: "203.0.113.9", Port: 3333}, Author: policy.Itself, For: time.Hour, Reason: "mining: mining.stratum"},
		{Kind: policy.BlockEntry, Scope: policy.Scope{Dest: "203.0.113.77"}, Author: "anna"},
	} {
		if _, _, err := x.h.Policy.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	for lang, want := range map[string]string{"en": "Findings block", "ja": "一時的に遮断"} {
		_, out, _ := x.call("policy", "--lang", lang)
		if !strings.Contains(out, want) || !strings.Contains(out, "203.0.113.9") || !strings.Contains(out, "3333") || !strings.Contains(out, policy.Itself) ||
			!strings.Contains(out, "mining.stratum") || strings.Contains(out, "203.0.113.77") {
			t.Errorf("%s: %s", lang, out)
		}
	}
	if code, out, errs := x.call("undo"); code != exitOK {
		t.Errorf("%s%s", out, errs)
	}
	if code, _, errs := x.call("undo"); code != exitOK {
		t.Errorf("the program's own change cannot be undone: %s", errs)
	}
	if _, out, _ := x.call("policy"); strings.Contains(out, "203.0.113.9") {
		t.Errorf("undone: %s", out)
	}
}
