package match_test

import (
	"path/filepath"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/corpus"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/rules"
)

// TestPublicRules compiles every rule of the public set, the disabled ones
// too: at least 99.5 % load.
func TestPublicRules(t *testing.T) {
	dir := corpus.Path(t, 25349, "rules", "et-open-2025-08")
	rs, problems := rules.Load(rules.ParseConfig{Vars: rules.DefaultVars(), Disabled: true}, filepath.Join(dir, "*.rules"))
	set, more := match.Compile(rs, match.Options{Protocols: builtin.Protocols()})
	failed := 0
	for _, p := range append(problems, more...) {
		if !p.Warning {
			failed++
			t.Logf("%v", p)
		}
	}
	t.Logf("%d of %d rules loaded", set.Len(), len(rs))
	if len(rs) < 25000 || failed*1000 > len(rs)*5 || set.Len() < len(rs)-failed {
		t.Errorf("%d rules read, %d loaded, %d failed", len(rs), set.Len(), failed)
	}
}

// A content keeps its fast pattern when the contents behind it go to the
// buffers of older keywords.
func TestFastPatternBeforeMovedContents(t *testing.T) {
	set := compile(t, `alert tcp any any -> any any (msg:"m"; content:"/short.pdf"; content:"a long content"; fast_pattern:10,4; `+
		`content:!"one"; http_header; content:!"two"; http_header; sid:1;)`, match.Options{})
	if set.Len() != 1 {
		t.Errorf("%d rules", set.Len())
	}
}
