package pcre

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rulesOf returns the pcre options of ET Open, or none when the test data is
// not there.
func rulesOf(t testing.TB) []string {
	root := os.Getenv("YAMORI_TESTDATA")
	if root == "" {
		root = "../../../../../shared"
	}
	files, _ := filepath.Glob(filepath.Join(root, "rules/et-open-2025-08/*.rules"))
	seen := map[string]bool{}
	var all []string
	for _, f := range files {
		r, err := os.Open(f)
		if err != nil {
			t.Fatal(err)
		}
		sc := bufio.NewScanner(r)
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			for _, opt := range options(sc.Text()) {
				if !seen[opt] {
					seen[opt] = true
					all = append(all, opt)
				}
			}
		}
		r.Close()
	}
	return all
}

// options returns the values of the pcre options of one rule.
func options(line string) (all []string) {
	for {
		i := strings.Index(line, "pcre:")
		if i < 0 {
			return all
		}
		line = line[i+5:]
		end := 0
		for end < len(line) && (line[end] != ';' || line[end-1] == '\\') {
			end++
		}
		if v := strings.TrimSpace(line[:end]); strings.HasPrefix(strings.TrimLeft(v, "! "), `"/`) {
			all = append(all, v)
		}
		line = line[end:]
	}
}

// TestRules compiles every expression of ET Open.
func TestRules(t *testing.T) {
	all := rulesOf(t)
	if len(all) == 0 {
		t.Skip("skipped about 3,200 expressions: no rules under YAMORI_TESTDATA")
	}
	bad := 0
	for _, v := range all {
		if _, err := Parse(v); err != nil {
			bad++
			t.Errorf("%s: %v", v, err)
		}
	}
	t.Logf("%d different expressions, %d refused", len(all), bad)
	if len(all) < 3100 {
		t.Errorf("only %d expressions found", len(all))
	}
}
