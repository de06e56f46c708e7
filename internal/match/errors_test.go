package match_test

import (
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/rules"
)

// What shows only when all of a rule is read is told at its option, and each
// error of an option with an example of it where nothing better is known.
func TestErrorPlaces(t *testing.T) {
	for _, c := range []struct{ options, at, reason, cure string }{
		{`content:"a"; byte_test:9,>,1,0; sid:1;`, "byte_test:9", "byte_test: number 9 out of range", "for example byte_test:"},
		{`content:"a"; byte_test:4,>,size,0; sid:1;`, "byte_test:4", `byte_test: variable "size"`, "for example byte_test:"},
		{`http.uri; content:"a"; isdataat:size; sid:1;`, "isdataat", `variable "size"`, "for example isdataat:"},
		{`content:"abc"; depth:2; sid:1;`, "depth:2", "depth 2 is less", "for example"},
		{`flags:Z; sid:1;`, "flags:Z", "flags", "for example flags:"},
		{`http.uri; dataset:isset,d,type string,load nothing.lst; sid:1;`, "dataset", "cannot be read", "--data-dir"},
	} {
		text := "alert tcp any any -> any any (" + c.options + ")"
		rs, _ := rules.Parse("t.rules", strings.NewReader(text), rules.ParseConfig{Vars: rules.DefaultVars()})
		_, ps := match.Compile(rs, match.Options{Protocols: builtin.Protocols(), Data: t.TempDir()})
		if len(ps) != 1 || ps[0].Col != strings.Index(text, c.at)+1 || !strings.Contains(ps[0].Reason, c.reason) || !strings.Contains(ps[0].Cure, c.cure) {
			t.Errorf("%s: %v, want %q at column %d with %q", c.options, ps, c.reason, strings.Index(text, c.at)+1, c.cure)
		}
	}
}
