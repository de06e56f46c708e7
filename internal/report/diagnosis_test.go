package report

import (
	"strings"
	"testing"
	"unicode"
)

// TestDiagnosis: every code has a sentence in both languages, with the same
// arguments, and a cure in both or in none.
func TestDiagnosis(t *testing.T) {
	holes := func(s string) (out []string) {
		for _, f := range strings.SplitAfter(s, "}") {
			if i := strings.LastIndexByte(f, '{'); i >= 0 {
				out = append(out, f[i:])
			}
		}
		return out
	}
	for _, code := range DiagnosisCodes() {
		a := adviceOn[code]
		if a.what == "" || a.whatJA == "" || (a.cure == "") != (a.cureJA == "") {
			t.Errorf("%s: a sentence is missing", code)
		}
		for _, p := range [...][2]string{{a.what, a.whatJA}, {a.cure, a.cureJA}} {
			en, ja := map[string]bool{}, map[string]bool{}
			for _, h := range holes(p[0]) {
				en[h] = true
			}
			for _, h := range holes(p[1]) {
				ja[h] = true
			}
			for h := range en {
				if !ja[h] {
					t.Errorf("%s: %s is not in %q", code, h, p[1])
				}
			}
			for h := range ja {
				if !en[h] {
					t.Errorf("%s: %s is not in %q", code, h, p[0])
				}
			}
			if p[1] != "" && !strings.ContainsFunc(p[1], func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Han) }) {
				t.Errorf("%s: %q is not Japanese", code, p[1])
			}
		}
		if !strings.HasSuffix(code, ".ok") && a.cure == "" && code != "rules.none" && code != "store.repaired" {
			t.Errorf("%s: what helps?", code)
		}
	}
	what, cure := Diagnosis(Japanese, "dns.port_taken", map[string]string{"address": "192.168.1.1:53\x1b"})
	if !strings.Contains(what, "192.168.1.1:53") || strings.Contains(what, "\x1b") || cure == "" {
		t.Errorf("%q %q", what, cure)
	}
	if what, _ := Diagnosis(English, "dns.upstream_down", map[string]string{"upstream": "tls://dns.example"}); !strings.Contains(what, "tls://dns.example") {
		t.Errorf("%q", what)
	}
	if what, cure := Diagnosis(English, "no.such.code", nil); what != "" || cure != "" {
		t.Errorf("%q %q", what, cure)
	}
}
