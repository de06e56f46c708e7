package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEventsImport: what is exported can be taken in again, beside alerts of
// Suricata; lines that are neither are said.
func TestEventsImport(t *testing.T) {
	x := newHome(t)
	dir := t.TempDir()
	call := func(args ...string) (int, string, string) {
		return x.call(append(args, "--lang", "en")...)
	}
	code, eve, stderr := call("events", "-o", "eve")
	if code != 0 || strings.Count(eve, "\n") != 1 {
		t.Fatal(code, eve, stderr)
	}
	file := filepath.Join(dir, "eve.json")
	text := eve + `{"timestamp":"2026-05-04T12:30:00.000000+0000","event_type":"alert","src_ip":"192.168.1.7","dest_ip":"203.0.113.5","alert":{"signature_id":2008983,"signature":"ET MALWARE x"}}
{"timestamp":"2026-05-04T12:30:00.000000+0000","event_type":"dns","dns":{"rrname":"private.example"}}
no JSON` + "\x1b[2J\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, stderr := call("events", "import", file)
	if code != 0 || !strings.HasPrefix(out, "Added 2 events.\n  1 lines are no alerts") || !strings.Contains(out, "1 lines could not be read") || strings.Contains(out, "\x1b") {
		t.Fatal(code, out, stderr)
	}
	if code, out, _ = call("events", "-o", "json", "--limit", "0"); code != 0 || strings.Count(out, `"signature"`) != 3 {
		t.Errorf("%d: %s", code, out)
	}
	if code, out, _ = call("report", "--from", "2026-05", "--to", "2026-05", "-o", "json"); code != 0 || !strings.Contains(out, `"count": 1,`) {
		t.Errorf("the report of May: %d %s", code, out)
	}
	if code, _, stderr = call("events", "import", filepath.Join(dir, "nothing")); code != exitError || !strings.Contains(stderr, "check the name") {
		t.Errorf("%d %s", code, stderr)
	}
	if code, _, _ = call("events", "import"); code != exitUsage {
		t.Errorf("without a file: %d", code)
	}
}

// TestParts: parts are whole lines, of about the size asked for, and together
// the whole.
func TestParts(t *testing.T) {
	line := strings.Repeat("x", 99) + "\n"
	for _, c := range []struct {
		text string
		want int
	}{{"", 0}, {"a", 1}, {line, 1}, {strings.Repeat(line, 25), 3}, {strings.Repeat(line, 20), 2}, {strings.Repeat(line, 15) + "end", 2}, {strings.Repeat("y", 200_000), 2}} {
		n, all := 0, ""
		err := inParts(strings.NewReader(c.text), 1000, func(b []byte) error {
			n++
			all += string(b)
			return nil
		})
		if err != nil || all != c.text || n < c.want {
			t.Errorf("%d bytes: %d parts, %v, want %d", len(c.text), n, err, c.want)
		}
	}
}
