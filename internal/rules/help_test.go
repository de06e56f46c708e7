package rules

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

// parse reads text as one file named t.rules.
func parse(text string, cfg ParseConfig) ([]*Rule, []*Problem) {
	return Parse("t.rules", strings.NewReader(text), cfg)
}

// one reads text, which must hold one good rule and nothing to complain of.
func one(t *testing.T, text string) *Rule {
	t.Helper()
	rules, problems := parse(text, ParseConfig{Disabled: true})
	if len(rules) != 1 || len(problems) != 0 {
		t.Fatalf("%d rules and problems %v in\n%s", len(rules), problems, text)
	}
	return rules[0]
}

func mapped(t testing.TB, s string) *[16]byte {
	t.Helper()
	a, err := netip.ParseAddr(s)
	if err != nil {
		t.Fatal(err)
	}
	b := a.As16()
	return &b
}

// same reports how two rules differ in anything but where they stood.
func same(a, b *Rule) error {
	x, y := *a, *b
	for _, r := range []*Rule{&x, &y} {
		r.File, r.Line, r.Raw = "", 0, ""
		r.Options = append([]Option(nil), r.Options...)
		for i := range r.Options {
			r.Options[i].Line, r.Options[i].Col = 0, 0
		}
	}
	if !reflect.DeepEqual(x, y) {
		return fmt.Errorf("\n%+v\nis not\n%+v", x, y)
	}
	return nil
}
