package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Result is what a run of one test gave.
type Result struct {
	Events   []map[string]any
	Problems []string // rules that were not loaded
}

func (r *Result) events() []map[string]any {
	if r == nil {
		return nil
	}
	return r.Events
}

// runSuricata runs the installed Suricata on a test with its stock
// configuration: to see what the runner makes of the reference itself.
func runSuricata(t *Test) (*Result, error) {
	dir, err := os.MkdirTemp("", "surverify")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	args := []string{"-c", "/etc/suricata/suricata.yaml", "-k", "none", "--runmode", "single", "-l", dir}
	if t.Pcap != "" {
		args = append(args, "-r", t.Pcap)
	}
	var text []byte
	for _, r := range t.Rules {
		b, err := os.ReadFile(r)
		if err != nil {
			return nil, err
		}
		text = append(append(text, b...), '\n')
	}
	rules := filepath.Join(dir, "all.rules")
	if err := os.WriteFile(rules, text, 0o600); err != nil {
		return nil, err
	}
	if len(t.Rules) == 1 {
		rules = t.Rules[0]
	}
	cmd := exec.Command("suricata", append(args, "-S", rules)...)
	cmd.Dir = t.Dir
	out, runErr := cmd.CombinedOutput()
	b, err := os.ReadFile(filepath.Join(dir, "eve.json"))
	if err != nil {
		return nil, fmt.Errorf("suricata: %v: %s", runErr, lastLine(out))
	}
	res := &Result{}
	for _, l := range strings.Split(string(out), "\n") {
		if strings.Contains(l, "error parsing signature") {
			res.Problems = append(res.Problems, l)
		}
	}
	res.Events, err = readEVE(b)
	return res, err
}

func lastLine(b []byte) string {
	b = bytes.TrimSpace(b)
	return string(b[bytes.LastIndexByte(b, '\n')+1:])
}

// readEVE reads events, one a line.
func readEVE(b []byte) ([]map[string]any, error) {
	var out []map[string]any
	for line := range bytes.SplitSeq(b, []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		var ev map[string]any
		if err := d.Decode(&ev); err != nil {
			return out, fmt.Errorf("event %d: %w: %.100s", len(out)+1, err, line)
		}
		out = append(out, ev)
	}
	return out, nil
}
