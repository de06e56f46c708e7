package rules

import (
	"strings"
	"testing"
)

// A file that holds something else is one problem, with its cure.
func TestNotRules(t *testing.T) {
	rule := "alert ip any any -> any any (sid:1;)\n"
	for _, c := range []struct {
		text      string
		line, col int
		want      string // empty: rules
	}{
		{"\x1f\x8b\x08\x00rest", 1, 1, "gunzip"},
		{"\x28\xb5\x2f\xfd\x04", 1, 1, "unzstd"},
		{"PK\x03\x04", 1, 1, "unzip"},
		{"\xff\xfea\x00l\x00", 1, 1, "UTF-8"},
		{"\x7fELF\x02\x01", 1, 1, "name a file of rules"},
		{rule + "ab\x00c\n", 2, 3, "name a file of rules"},
		{"\x00", 1, 1, "name a file of rules"},
		{"\n  <!DOCTYPE HTML>\n<title>404</title>", 1, 1, "fetch the rules again"},
		{"<html><body>", 1, 1, "fetch the rules again"},
		{rule, 0, 0, ""},
		{"\ufeff" + rule, 0, 0, ""},
		{"# <html>\r\n" + rule, 0, 0, ""},
		{rule + strings.Repeat("#\n", binaryLook) + "#\x00\n", 0, 0, ""}, // far behind: what Suricata reads, too
	} {
		got, problems := Parse("f", strings.NewReader(c.text), ParseConfig{})
		if c.want == "" {
			if len(got) != 1 || len(problems) != 0 {
				t.Errorf("%.20q: %d rules, %v", c.text, len(got), problems)
			}
			continue
		}
		if len(got) != 0 || len(problems) != 1 || problems[0].File != "f" || problems[0].Line != c.line || problems[0].Col != c.col || !strings.Contains(problems[0].Cure, c.want) {
			t.Errorf("%.20q: %d rules, %v, want one problem at %d:%d with %q", c.text, len(got), problems, c.line, c.col, c.want)
		}
	}
}
