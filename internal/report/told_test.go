package report

import (
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/event"
)

func TestTold(t *testing.T) {
	mining := Told{Who: "Garden\x1b[2J", Code: "mining.stratum", Category: "mining", Verdict: "confirmed", Action: "would_block",
		Args: map[string]string{"coin": "monero", "pool": "pool.example:3333"}}
	rule := Told{Code: "rule", Category: "exploit", Verdict: "likely", Args: map[string]string{"rule": "ET EXPLOIT something"}}
	asked := Told{Who: "PC", Code: "rule.match", Category: "mining", Verdict: "suspect", Remote: "192.0.2.53", Args: map[string]string{"rule": "Name of a pool asked for"}}
	for _, c := range []struct{ got, want string }{
		{asked.Happened(English), "PC: Name of a pool asked for"}, // who asks does not mine yet, and whom it asks is no pool
		{mining.Happened(English), "Garden\ufffd[2J is mining cryptocurrency (monero), for the pool pool.example:3333."},
		{mining.Happened(Japanese), "Garden\ufffd[2J が仮想通貨（monero）の採掘（マイニング）をしています。接続先：pool.example:3333"},
		{mining.Sure(Japanese), "確実"},
		{mining.Did(English), "Yamori would have stopped it, but is only watching."},
		{rule.Happened(English), "The device: ET EXPLOIT something"},
		{rule.Did(English), "Yamori only watched; nothing was blocked."},
		{rule.Do(English), "Look at this device before you trust it again."},
		{EvidenceText(English, "stratum.answer", "3"), "The other side answered as a pool answers (3)"},
		{EvidenceText(English, "no.such", "x\ny"), "x\ufffdy"},
		{EvidenceText(English, "no.such", ""), "no.such"},
		{KindName(English, "appliance"), "household appliance"},
		{KindName(English, ""), "unknown"},
		{KindName(Japanese, "unknown"), "不明"},
		{CategoryName(Japanese, "mining"), "採掘"},
		{CategoryName(English, "a\tb"), "a\ufffdb"},
	} {
		if c.got != c.want {
			t.Errorf("%q, not %q", c.got, c.want)
		}
	}
	for _, k := range device.Kinds() {
		if s := KindName(English, k); strings.HasPrefix(s, "a ") || k != "unknown" && s == "unknown" {
			t.Errorf("%s: %q", k, s)
		}
	}
	for _, c := range event.CategoryNames() {
		if categoryWords[c][1] == "" {
			t.Errorf("no words for %s", c)
		}
	}
}
