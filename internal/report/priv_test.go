package report

import (
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/priv"
)

// TestPrivWords: each code about privileges and plug-in mode has a sentence in
// both languages that says what it is about.
func TestPrivWords(t *testing.T) {
	codes := []string{"plugin.failed", "plugin.interrupted", "plugin.not_led", "plugin.hidden", "plugin.still_led", "plugin.no_address", "plugin.one_process", "plugin.not_forwarding"}
	for _, c := range []string{priv.NoLandlock, priv.OldLandlock, priv.NoSeccomp, priv.NoPath, priv.SameUser, priv.KeptBounding, priv.KeptOwner, priv.KeptLimit} {
		codes = append(codes, "priv."+c)
	}
	for c := range privWords {
		if (strings.HasPrefix(c, "priv.") || strings.HasPrefix(c, "plugin.")) && !slices.Contains(codes, c) {
			t.Errorf("nobody says %s", c)
		}
	}
	for _, c := range codes {
		en, ja := Explain(English, c, map[string]string{"what": "this\x1b[2J thing"}), Explain(Japanese, c, map[string]string{"what": "this\x1b[2J thing"})
		for _, s := range []string{en, ja} {
			if s == "" || s == c || strings.Contains(s, "%!") || strings.Contains(s, "\x1b") {
				t.Errorf("%s: %q", c, s)
			}
		}
		if w := privWords[c]; strings.Contains(w[0], "%s") != strings.Contains(w[1], "%s") || strings.Contains(w[0], "%s") && !strings.Contains(ja, "thing") {
			t.Errorf("%s: %q and %q say different things", c, en, ja)
		}
	}
}
