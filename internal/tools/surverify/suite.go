package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Test is one folder of the suite.
type Test struct {
	Name   string // as the lists have it: the folder below tests/
	Dir    string
	Class  string // of tests.tsv: plain, ips, config/args, out
	Passes bool   // listed as passed by Suricata 7.0.10
	Rules  []string
	Pcap   string // "" when the test brings none
	Args   []string
	Checks []Check
	Needs  Requires // of the whole test
}

// Family is the first part of a test's name: tests of one family show much the
// same, and there may be hundreds of them.
func (t *Test) Family() string {
	if i := strings.IndexAny(t.Name, "-/"); i > 0 {
		return t.Name[:i]
	}
	return t.Name
}

// Check is one expectation of a test.
type Check struct {
	Kind     string // filter, stats, shell, file-compare
	Count    int
	Match    []Cond
	Filename string // eve.json unless the check names another
	Requires Requires
	Shell    string
	Expect   string
}

// Cond is one condition of a filter: a path into the event and what is there.
type Cond struct {
	Path string
	Want any
}

// Requires says under which versions and features a check (or test) counts.
type Requires struct {
	Min, Lt, Gt string
	Features    []string
}

// testFile is test.yaml as far as it is understood.
type testFile struct {
	Requires map[string]any              `yaml:"requires"`
	Args     []string                    `yaml:"args"`
	Pcap     any                         `yaml:"pcap"`
	Checks   []map[string]map[string]any `yaml:"checks"`
}

// Load reads the suite below folder: the tests of tests.txt in its order.
func Load(folder string) ([]*Test, error) {
	folder, err := filepath.Abs(folder) // settings name files by it
	if err != nil {
		return nil, err
	}
	names, err := lines(filepath.Join(folder, "tests.txt"))
	if err != nil {
		return nil, err
	}
	passes, err := lines(filepath.Join(folder, "passes-suricata-7.0.10.txt"))
	if err != nil {
		return nil, err
	}
	table, err := lines(filepath.Join(folder, "tests.tsv"))
	if err != nil {
		return nil, err
	}
	class := map[string]string{}
	for _, l := range table {
		if f := strings.Split(l, "\t"); len(f) >= 2 {
			class[f[0]] = f[1]
		}
	}
	var out []*Test
	for _, n := range names {
		t, err := loadTest(filepath.Join(folder, "tests", n))
		if err != nil {
			return nil, err
		}
		t.Name, t.Class, t.Passes = n, class[n], slices.Contains(passes, n)
		out = append(out, t)
	}
	return out, nil
}

func lines(name string) ([]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []string
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		if l := strings.TrimRight(sc.Text(), "\r "); l != "" && l[0] != '#' {
			out = append(out, l)
		}
	}
	return out, sc.Err()
}

func loadTest(dir string) (*Test, error) {
	name := filepath.Join(dir, "test.yaml")
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var y testFile
	if err := yaml.Unmarshal(b, &y); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	t := &Test{Dir: dir}
	for _, a := range y.Args {
		t.Args = append(t.Args, strings.Fields(a)...)
	}
	for _, c := range y.Checks {
		for kind, body := range c {
			t.Checks = append(t.Checks, newCheck(kind, body))
		}
	}
	t.Needs = newRequires(y.Requires)
	t.Pcap = findPcap(dir, y.Pcap)
	t.Rules, err = filepath.Glob(filepath.Join(dir, "*.rules"))
	return t, err
}

func findPcap(dir string, named any) string {
	if s, ok := named.(string); ok && s != "" {
		return filepath.Join(dir, s)
	}
	for _, pat := range []string{"*.pcap", "*.pcapng"} {
		if m, _ := filepath.Glob(filepath.Join(dir, pat)); len(m) > 0 {
			return m[0]
		}
	}
	return ""
}

func newCheck(kind string, body map[string]any) Check {
	c := Check{Kind: kind, Filename: "eve.json"}
	if kind == "stats" {
		// The counters themselves are the body.
		for k, v := range body {
			c.Match = append(c.Match, Cond{k, v})
		}
		return c
	}
	if r, ok := body["requires"].(map[string]any); ok {
		c.Requires = newRequires(r)
	}
	if f, ok := body["filename"].(string); ok {
		c.Filename = f
	}
	if n, ok := body["count"]; ok {
		_, _ = fmt.Sscan(text(n), &c.Count)
	}
	if m, ok := body["match"].(map[string]any); ok {
		for k, v := range m {
			c.Match = append(c.Match, Cond{k, v})
		}
	}
	slices.SortFunc(c.Match, func(a, b Cond) int { return strings.Compare(a.Path, b.Path) })
	if s, ok := body["args"].(string); ok {
		c.Shell = s
	}
	if v, ok := body["expect"]; ok {
		c.Expect = text(v)
	}
	return c
}

func newRequires(m map[string]any) (r Requires) {
	str := func(k string) string {
		if v, ok := m[k]; ok {
			return text(v)
		}
		return ""
	}
	r.Min, r.Lt, r.Gt = str("min-version"), str("lt-version"), str("gt-version")
	if fs, ok := m["features"].([]any); ok {
		for _, f := range fs {
			r.Features = append(r.Features, text(f))
		}
	}
	return r
}
