package builtin_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
)

// TestOwnCaptures replays the captures beside each protocol through the whole
// engine, where all protocols compete: the folder's protocol is recognised in
// each, and in none of its look-alikes. (What is read of them is checked by
// the protocol's own golden files.)
func TestOwnCaptures(t *testing.T) {
	files, err := filepath.Glob("../proto/*/testdata/*.pcap")
	if err != nil || len(files) < 60 {
		t.Fatalf("only %d captures found, %v", len(files), err)
	}
	names := map[string][]string{"nbns": {"nbns", "nbdgm"}, "stratum": {"stratum", "jsonrpc"}, "stratumv2": {"stratum"}, "duinocoin": {"stratum"}}
	for _, p := range builtin.Protocols() {
		if names[p.Name] == nil {
			names[p.Name] = []string{p.Name}
		}
	}
	for _, f := range files {
		folder := filepath.Base(filepath.Dir(filepath.Dir(f)))
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := replay(t, f, bytes.NewReader(b), 1)
		if err != nil {
			t.Errorf("%s: %v", f, err)
		}
		var seen []string
		for line := range strings.Lines(string(out)) {
			var r struct {
				Type string `json:"event_type"`
				App  string `json:"app_proto"`
				Orig string `json:"app_proto_orig"`
			}
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			if r.Type == "flow" {
				seen = append(seen, r.App, r.Orig)
			}
		}
		found := slices.ContainsFunc(names[folder], func(n string) bool { return slices.Contains(seen, n) })
		lookalike := strings.Contains(filepath.Base(f), "alike")
		if found == lookalike {
			t.Errorf("%s: seen %q", f, seen)
		}
	}
}
