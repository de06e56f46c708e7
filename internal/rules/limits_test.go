package rules

import (
	"fmt"
	"strings"
	"testing"
)

// limit reads a rule that is to be refused for its size alone, and one that
// just fits.
func limit(t *testing.T, over, fits, reason string) {
	t.Helper()
	rules, problems := parse(over+"\nalert ip any any -> any any (sid:2;)", ParseConfig{})
	if len(rules) != 1 || rules[0].SID != 2 || len(problems) != 1 || !strings.Contains(problems[0].Reason, reason) {
		t.Errorf("%d rules, problems %.300v; want %q", len(rules), problems, reason)
	}
	if rules, problems := parse(fits, ParseConfig{}); len(rules) != 1 || len(problems) != 0 {
		t.Errorf("what fits is refused: %.300v", problems)
	}
}

func TestLimits(t *testing.T) {
	rule := func(src, port, options string) string {
		return "alert tcp " + src + " " + port + " -> any any (" + options + "sid:1;)"
	}
	t.Run("MaxRule", func(t *testing.T) {
		pad := MaxRule - len(rule("any", "any", `msg:"";`))
		limit(t, rule("any", "any", `msg:"`+strings.Repeat("a", pad+1)+`";`), rule("any", "any", `msg:"`+strings.Repeat("a", pad)+`";`), "more than 65536 bytes or 4096 lines")
	})
	t.Run("MaxRule of many lines", func(t *testing.T) {
		lines := strings.Repeat("nocase; \\\n", MaxRule/8+1)
		limit(t, "alert tcp any any -> any any ( \\\n"+lines+"sid:1;)", rule("any", "any", "\\\nnocase; \\\n"), "more than 65536 bytes or 4096 lines")
	})
	t.Run("MaxLines", func(t *testing.T) {
		lines := func(n int) string {
			return "alert tcp any any -> any any (" + strings.Repeat("\\\n", n-1) + "sid:1;)"
		}
		limit(t, lines(MaxLines+1), lines(MaxLines), "more than 65536 bytes or 4096 lines")
	})
	t.Run("MaxRules", func(t *testing.T) {
		var b strings.Builder
		for i := range MaxRules + 2 {
			fmt.Fprintf(&b, "pass ip any any -> any any (sid:%d;)\n", i+1)
		}
		rules, problems := parse(b.String(), ParseConfig{})
		if len(rules) != MaxRules || len(problems) != 1 || problems[0].Line != MaxRules+1 {
			t.Errorf("%d rules, %v", len(rules), problems)
		}
	})
	t.Run("MaxAllOptions", func(t *testing.T) {
		var b strings.Builder
		for i := range MaxAllOptions/MaxOptions + 2 {
			b.WriteString(strings.Replace(rule("any", "any", strings.Repeat("a;", MaxOptions-1)), "sid:1", fmt.Sprintf("sid:%d", i+1), 1) + "\n")
		}
		rules, problems := parse(b.String(), ParseConfig{})
		if len(rules) != MaxAllOptions/MaxOptions || len(problems) != 1 || problems[0].Line != len(rules)+1 {
			t.Errorf("%d rules, %v", len(rules), problems)
		}
	})
	t.Run("MaxOptions", func(t *testing.T) {
		limit(t, rule("any", "any", strings.Repeat("nocase;", MaxOptions)), rule("any", "any", strings.Repeat("nocase;", MaxOptions-1)), "more than 1024 options")
	})
	t.Run("MaxNesting", func(t *testing.T) {
		nest := func(n int, s string) string { return strings.Repeat("[", n) + s + strings.Repeat("]", n) }
		limit(t, rule(nest(MaxNesting+1, "1.2.3.4"), "any", ""), rule(nest(MaxNesting, "1.2.3.4"), "any", ""), "nested more than 16 deep")
		limit(t, rule("any", nest(20000, "!80"), ""), rule("any", nest(MaxNesting, "!80"), ""), "nested more than 16 deep")
	})
	t.Run("MaxListEntries", func(t *testing.T) {
		limit(t, rule("any", "["+strings.Repeat("1,", MaxListEntries+1)+"]", ""), rule("any", "["+strings.Repeat("1,", MaxListEntries-1)+"]", ""), "more than 16384 entries")
	})
	t.Run("MaxListEntries of variables", func(t *testing.T) {
		// Each variable holds sixteen of the one before: 16^4 entries.
		v := DefaultVars()
		v.Addrs["V0"] = "1.2.3.4"
		for i := range 4 {
			v.Addrs[fmt.Sprintf("V%d", i+1)] = "[" + strings.Repeat(fmt.Sprintf("$V%d,", i), 15) + fmt.Sprintf("$V%d]", i)
		}
		_, problems := parse(rule("$V4", "any", ""), ParseConfig{Vars: v})
		if len(problems) != 1 || !strings.Contains(problems[0].Reason, "$V4: ") || !strings.Contains(problems[0].Reason, "entries") {
			t.Errorf("%v", problems)
		}
	})
	t.Run("MaxProblems", func(t *testing.T) {
		_, problems := parse(strings.Repeat("x\n", MaxProblems+5), ParseConfig{})
		if len(problems) != MaxProblems+1 || problems[MaxProblems].Reason != "5 further problems are not listed" {
			t.Errorf("%d problems, the last %v", len(problems), problems[len(problems)-1])
		}
	})
	t.Run("MaxFile", func(t *testing.T) {
		if testing.Short() {
			t.Skip("skipping one case: it reads 128 MB")
		}
		rules, problems := Parse("f", &zeros{MaxFile + 1}, ParseConfig{})
		if len(rules) != 0 || len(problems) != 1 || !strings.Contains(problems[0].Reason, "there are more than") {
			t.Errorf("%v", problems)
		}
	})
	t.Run("MaxContent", func(t *testing.T) {
		if _, err := ParseContent(`"` + strings.Repeat("a", MaxContent) + `"`); err != nil {
			t.Error(err)
		}
		if _, err := ParseContent(`"` + strings.Repeat("a", MaxContent+1) + `"`); err == nil {
			t.Error("a longer pattern is taken")
		}
	})
}
