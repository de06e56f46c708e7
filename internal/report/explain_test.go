package report

import (
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	for _, tt := range []struct {
		lang Lang
		code string
		args map[string]string
		want string
	}{
		{English, "mining.stratum", map[string]string{"coin": "monero", "pool": "p.example:1\x1b"}, "is mining cryptocurrency (monero), for the pool p.example:1"},
		{Japanese, "mining.stratum", map[string]string{"algorithm": "rx/0"}, "採掘"},
		{"fr", "mining.browser", nil, "inside a web page"},
		{English, "rule", map[string]string{"rule": "ET SCAN x"}, "ET SCAN x"},
		{Japanese, "rule", map[string]string{"rule": "YAMORI Shellshock request"}, "Shellshock 攻撃"},
		{Japanese, "camera", nil, "カメラ"},
		{English, "findings", nil, "Findings"},
		{Japanese, "category.mining", nil, "採掘"},
		{English, "verdict.suspect", nil, "unusual"},
		{Japanese, "action.would_block", nil, "保護モードなら遮断"},
		{English, "dns.blocked", map[string]string{"name": "pool.example", "list": "pools"}, "asked for pool.example, a name on the list pools"},
		{Japanese, "dns.blocked", map[string]string{"name": "pool.example", "list": "pools"}, "リスト pools にある名前 pool.example"},
		{Japanese, "dns.blocked", map[string]string{"name": "pool.example"}, "名前 pool.example"},
		{English, "dns.no_upstream", nil, "no upstream resolver answers"},
		{English, "no such code", nil, ""},
	} {
		got := Explain(tt.lang, tt.code, tt.args)
		if !strings.Contains(got, tt.want) || tt.want == "" && got != "" || strings.ContainsRune(got, 0x1b) || strings.Contains(got, "%!") {
			t.Errorf("%s %s: %q, want %q", tt.lang, tt.code, got, tt.want)
		}
	}
}

// TestClues: the page of what is stored says from what a device is known.
func TestClues(t *testing.T) {
	for code, w := range clueWords {
		if Explain(English, code, nil) != w[0] || Explain(Japanese, code, nil) != w[1] || w[0] == "" || w[1] == "" {
			t.Errorf("%s: %q, %q", code, Explain(English, code, nil), Explain(Japanese, code, nil))
		}
	}
}
