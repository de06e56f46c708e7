package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sample is n rules of common forms.
func sample(n int) string {
	var b strings.Builder
	for i := range n {
		switch i % 4 {
		case 0:
			fmt.Fprintf(&b, `alert dns $HOME_NET any -> any any (msg:"Query of bad-%d.example"; dns.query; dotprefix; content:".bad-%d.example"; nocase; endswith; reference:url,example.org/%d; classtype:trojan-activity; sid:%d; rev:2; metadata:created_at 2025_01_01, severity Major;)`, i, i, i, i+1)
		case 1:
			fmt.Fprintf(&b, `alert http $HOME_NET any -> $EXTERNAL_NET $HTTP_PORTS (msg:"Request %d"; flow:established,to_server; http.method; content:"GET"; http.uri; content:"/x%d.php|3f|id="; fast_pattern; pcre:"/id=[0-9]{1,5}\;$/"; classtype:web-application-attack; sid:%d; rev:1;)`, i, i, i+1)
		case 2:
			fmt.Fprintf(&b, `# alert tcp $EXTERNAL_NET any -> $HOME_NET [139,445] (msg:"Off %d"; flow:established,to_server; content:"|ff|SMB"; offset:4; depth:4; content:"|%02x|"; distance:0; sid:%d; rev:3;)`, i, i%256, i+1)
		case 3:
			fmt.Fprintf(&b, `drop ip [10.1.%d.1,10.2.%d.0/24] any -> $HOME_NET any (msg:"Bad source %d"; sid:%d;)`, i/256%256, i%256, i, i+1)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestAllocations keeps the parser at few allocations a rule: nodes of lists
// that no rule had before, and blocks.
func TestAllocations(t *testing.T) {
	const n = 4000
	text := sample(n)
	got := testing.AllocsPerRun(3, func() {
		rules, problems := parse(text, ParseConfig{Disabled: true})
		if len(rules) != n || len(problems) > 0 {
			t.Fatalf("%d rules, %v", len(rules), problems)
		}
	})
	// A quarter of the rules have lists of their own: 7 allocations each.
	if most := 2.2 * n; got > most {
		t.Errorf("%.0f allocations for %d rules, want at most %.0f", got, n, most)
	}
}

func BenchmarkParse(b *testing.B) {
	text := sample(25000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if rules, _ := parse(text, ParseConfig{Disabled: true}); len(rules) != 25000 {
			b.Fatal(len(rules))
		}
	}
}

func BenchmarkETOpen(b *testing.B) {
	files, _ := filepath.Glob(filepath.Join(testdata(b, "ET Open", "rules/et-open-2025-08"), "*.rules"))
	var all []byte
	for _, f := range files {
		t, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		all = append(append(all, t...), '\n')
	}
	text := string(all)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if rules, _ := parse(text, ParseConfig{Disabled: true}); len(rules) != 25349 {
			b.Fatal(len(rules))
		}
	}
}
