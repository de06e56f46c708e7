package match_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/rules"
)

// reputation says something of 192.0.2.0/24 in the category bad.
func reputation() *rules.Reputation {
	r := rules.NewReputation()
	r.ReadCategories("categories", strings.NewReader("1,bad,bad hosts\n2,good,good hosts\n"))
	r.Read("list", strings.NewReader("192.0.2.0/24,1,50\n192.0.2.9,2,20\n"))
	return r
}

// country knows two countries.
func country(a packet.Addr) string {
	switch s := a.String(); {
	case strings.HasPrefix(s, "192.0.2."):
		return "JP"
	case strings.HasPrefix(s, "198.51.100."):
		return "DE"
	}
	return ""
}

// loads reports whether a rule with these options loads with one of the
// protocols, and why it does not.
func loads(file, options string) string {
	why := ""
	for _, p := range []string{"tcp", "http", "udp", "icmp", "ip", "tls", "dns", "smb", "ssh"} {
		text := options
		if !strings.HasPrefix(text, "msg:") {
			text = `msg:"example"; ` + text
		}
		if !strings.Contains(text, "sid:") {
			text += " sid:1;"
		}
		rs, problems := rules.Parse(file, strings.NewReader(`alert `+p+` any any -> any any (`+text+`)`),
			rules.ParseConfig{Vars: rules.DefaultVars()})
		_, more := match.Compile(rs, match.Options{Protocols: builtin.Protocols(), Reputation: reputation(), Country: country})
		problems = append(problems, more...)
		if len(rs) == 1 && len(problems) == 0 {
			return ""
		}
		if len(problems) > 0 && why == "" {
			why = problems[0].Error()
		}
	}
	return why
}

// Every keyword is documented, and its example is a rule that loads; one
// without an example is refused, or needs a file beside the rules.
func TestKeywordExamples(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "sums"), []byte("00112233445566778899aabbccddeeff\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, sum := range map[string]string{"sums1": "00112233445566778899aabbccddeeff00112233\n", "sums256": strings.Repeat("00112233445566778899aabbccddeeff", 2) + "\n",
		"names.lst": "bmFtZQ==,7\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(sum), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	withFile := map[string]string{"filemd5": "sums", "filesha1": "sums1", "filesha256": "sums256"}
	seen := map[string]bool{}
	for _, k := range match.KeywordsFor(builtin.Protocols()) {
		if seen[k.Name] {
			t.Errorf("%s is listed twice", k.Name)
		}
		seen[k.Name] = true
		if k.Doc == "" || k.Family == "" {
			t.Errorf("%s is not documented", k.Name)
		}
		example := k.Example
		if f := withFile[k.Name]; f != "" {
			example = k.Name + ":" + f + ";"
		}
		file := filepath.Join(dir, "t.rules")
		if example == "" {
			if loads(file, k.Name+":x;") == "" && k.Inert == "" {
				t.Errorf("%s has no example and is not refused", k.Name)
			}
			continue
		}
		if why := loads(file, example); why != "" {
			t.Errorf("%s: %s: %s", k.Name, example, why)
		}
		if !strings.Contains(example, k.Name) {
			t.Errorf("%s: its example does not use it: %s", k.Name, example)
		}
	}
	if len(seen) < 250 {
		t.Errorf("only %d keywords", len(seen))
	}
}
