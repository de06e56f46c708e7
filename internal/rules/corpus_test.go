package rules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// testdata is a path in the shared test material, which is not part of the
// repository.
func testdata(t testing.TB, cases string, parts ...string) string {
	t.Helper()
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

// TestETOpen reads every rule of ET Open of August 2025, enabled or not. All
// of them written back by Rule.String were also loaded by Suricata 7.0.10
// (-T, November 2026: 14,966 loaded, 0 failed).
func TestETOpen(t *testing.T) {
	dir := testdata(t, "25,349 rules of ET Open", "rules/et-open-2025-08")
	for _, c := range []struct {
		cfg  ParseConfig
		want int
	}{{ParseConfig{Disabled: true}, 25349}, {ParseConfig{}, 14966}} {
		rules, problems := Load(c.cfg, dir)
		if len(rules) != c.want || len(problems) != 0 {
			t.Errorf("%d rules, want %d; %d problems: %v", len(rules), c.want, len(problems), problems[:min(len(problems), 10)])
		}
		for _, r := range rules {
			checkValues(t, r)
		}
	}
}

// checkValues reads the values whose form this package knows.
func checkValues(t *testing.T, r *Rule) {
	for _, o := range r.Options {
		var err error
		switch o.Name {
		case "content", "uricontent":
			_, err = ParseContent(o.Value)
		case "dsize":
			_, err = ParseUintRange(o.Value, 65535)
		case "itype", "icode":
			_, err = ParseUintRangeInclusive(o.Value, 255)
		}
		if err != nil {
			t.Error(r.Problem(o, err))
		}
		if o.Line != int32(r.Line) {
			continue
		}
		if r.Enabled && !strings.EqualFold(r.Raw[o.Col-1:o.Col-1+len(o.Name)], o.Name) {
			t.Errorf("sid %d: column %d is not where %s is", r.SID, o.Col, o.Name)
		}
	}
}

// TestSuricataVerify reads the rules of Suricata's own tests. Only the firewall
// mode of Suricata 8 is refused; what suricata -T of 7.0.10 refuses beyond it
// are keywords, protocols and the arrow => of version 8, and Lua.
func TestSuricataVerify(t *testing.T) {
	dir := testdata(t, "870 rule files of suricata-verify", "captures/suricata-verify/tests")
	rules, firewall := 0, 0
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".rules" {
			return err
		}
		good, problems := Load(ParseConfig{}, name)
		rules += len(good)
		for _, p := range problems {
			if !strings.Contains(p.Reason, "firewall mode") {
				t.Error(p)
			}
			firewall++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if rules != 2029 || firewall != 443 {
		t.Errorf("%d rules and %d of the firewall mode, want 2029 and 443", rules, firewall)
	}
}
