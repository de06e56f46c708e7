package app

import (
	"testing"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/report"
)

// TestAttentionText: what Home Assistant shows is a sentence, in its language.
func TestAttentionText(t *testing.T) {
	f := &api.Finding{Device: "mac:02:00:00:00:00:05", DeviceName: "Garden", Category: "mining", Title: "Cryptocurrency mining (Stratum V1)",
		Explain: api.Explain{Code: "mining.stratum", Args: map[string]string{"coin": "monero", "pool": "pool.example:3333"}}}
	p := &api.Problem{Code: "policy.unreadable"}
	for lang, want := range map[report.Lang][2]string{
		report.English:  {"Garden is mining cryptocurrency (monero), for the pool pool.example:3333.", "A part of the policy cannot be read."},
		report.Japanese: {(&report.Told{Who: "Garden", Code: f.Explain.Code, Category: "mining", Args: f.Explain.Args}).Happened(report.Japanese), ""},
	} {
		if got := findingText(lang, f); got != want[0] {
			t.Errorf("%s: %q, want %q", lang, got, want[0])
		}
		got := problemText(lang, p)
		if want[1] != "" && got != want[1] || got == p.Code {
			t.Errorf("%s: %q, want %q", lang, got, want[1])
		}
	}
	if got := problemText(report.English, &api.Problem{Code: "a.code.without.words"}); got != "a.code.without.words" {
		t.Errorf("%q", got)
	}
}
