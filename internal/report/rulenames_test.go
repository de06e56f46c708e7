package report

import (
	"regexp"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/homerules"
)

// TestRuleNames: every rule of the project has a name in Japanese, and no name
// is of a rule that is not there any more.
func TestRuleNames(t *testing.T) {
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`msg:"(YAMORI [^"]+)"`).FindAllStringSubmatch(homeRules(t), -1) {
		name := strings.TrimPrefix(m[1], homeRule)
		if got := ruleName(English, m[1]); got != name {
			t.Errorf("%s: %s", m[1], got)
		}
		ja := ruleName(Japanese, m[1])
		if ja == name || strings.ContainsAny(ja, "()") {
			t.Errorf("%s has no Japanese name: %s", m[1], ja)
		}
		base, _, _ := strings.Cut(name, " (")
		used[base] = true
	}
	for name := range ruleNames {
		if !used[name] {
			t.Errorf("no rule is called %q", name)
		}
	}
	if got := ruleName(Japanese, "ET SCAN x (y)"); got != "ET SCAN x (y)" {
		t.Error(got)
	}
	if got := ruleName(Japanese, "YAMORI TLS to a mining pool (p.example)"); got != "採掘プールへの TLS 接続（p.example）" {
		t.Error(got)
	}
}

func homeRules(t *testing.T) string {
	t.Helper()
	if len(homerules.Text) == 0 {
		t.Fatal("no rules")
	}
	return string(homerules.Text)
}
