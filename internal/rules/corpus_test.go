package rules

import (
	"os"
	"path/filepath"
	"testing"
)

// testdata is the folder of shared test material, which is not part of the
// repository.
func testdata(t testing.TB, cases string, parts ...string) string {
	dir := os.Getenv("YAMORI_TESTDATA")
	if dir == "" {
		dir = "../../../shared"
	}
	p := filepath.Join(append([]string{dir}, parts...)...)
	if _, err := os.Stat(p); err != nil {
		t.Skipf("skipping %s: %s is not here (YAMORI_TESTDATA names the folder above it)", cases, p)
	}
	return p
}

func TestETOpen(t *testing.T) {
	dir := testdata(t, "25,349 rules of ET Open", "rules/et-open-2025-08")
	files, _ := filepath.Glob(filepath.Join(dir, "*.rules"))
	p := newParser(ParseConfig{Disabled: true})
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		p.read(filepath.Base(name), f)
		f.Close()
	}
	rules, problems := p.finish()
	for i, q := range problems {
		if i < 20 {
			t.Log(q)
		}
	}
	enabled, contents := 0, 0
	for _, r := range rules {
		if r.Enabled {
			enabled++
		}
		for _, o := range r.Options {
			if o.Name == "content" {
				if _, err := ParseContent(o.Value); err != nil {
					t.Error(r.Problem(o, err))
				}
				contents++
			}
		}
	}
	t.Logf("%d rules, %d enabled, %d contents, %d problems", len(rules), enabled, contents, len(problems))
	t.Logf("%d address lists in %d sets, %d port lists in %d sets", len(p.addrs), len(p.addrSets), len(p.ports), len(p.portSets))
}

func TestSuricataVerify(t *testing.T) {
	dir := testdata(t, "870 rule files of suricata-verify", "captures/suricata-verify/tests")
	files, n, bad := 0, 0, 0
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".rules" {
			return err
		}
		files++
		rules, problems := Load(ParseConfig{}, name)
		n += len(rules)
		for _, q := range problems {
			rel, _ := filepath.Rel(dir, name)
			q.File = rel
			t.Log(q.Warning, q)
		}
		bad += len(problems)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files, %d rules, %d problems", files, n, bad)
}
