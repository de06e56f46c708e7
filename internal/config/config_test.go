package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/engine"
)

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"misspelt key", "version: 1\nsockett: /tmp/s\n", `f.yaml:2: unknown field "sockett"; did you mean socket?`},
		{"misspelt key below", "rules:\n  file: x\n", `f.yaml:2: unknown field "file" in this section; see docs/configuration.md`},
		{"a word for a number", "state:\n  max_mb: lots\n", `f.yaml:2: max_mb: "lots" is not a whole number`},
		{"a word for a switch", "api:\n  off: never\n", `f.yaml:2: off: "never" is not true or false`},
		{"a word for a section", "state: here\n", `f.yaml:1: state: "here" is not a section; write its settings below it, indented`},
		{"a word for a list", "home_net: 192.168.1.0/24\n", `f.yaml:1: home_net: "192.168.1.0/24" is not a list; write it as [one, two]`},
		{"twice", "interface: a\ninterface: b\n", `f.yaml:2: "interface" stands twice, first in line 1; keep one of them`},
		{"a tab", "rules:\n\tfiles: []\n", `f.yaml:2: a tab stands where spaces belong; indent with spaces`},
		{"an open list", "home_net: [10.0.0.0/8\n", `f.yaml:1: a list is not closed; write ] at its end`},
		{"an open group", "state: {dir: /tmp\n", `f.yaml:1: a group is not closed; write } at its end`},
		{"unknown key", "version: 1\nfrobnicate: eth0\n", `f.yaml:2: unknown field "frobnicate"; known ones are in docs/configuration.md`},
		{"unknown key below", "events:\n  path: x\n", `f.yaml:2: unknown field "path"`},
		{"wrong type", "version: 1\nworkers: many\n", "f.yaml:2: "},
		{"not YAML", "version: 1\nworkers: [1\n", "f.yaml:"},
		{"version", "version: 9\n", "f.yaml:1: version 9 is not known to this program; write 1"},
		{"workers", "# comment\n\nworkers: 100\n", "f.yaml:3: workers 100: use 1 to 64"},
		{"network", "home_net:\n  - 192.168.1.0/24\n  - nonsense\n", `f.yaml:3: home_net: "nonsense" is not a network; write it like 192.168.1.0/24`},
		{"language", "language: fr\n", `f.yaml:1: language "fr": use en or ja`},
		{"limit", "limits:\n  max_flows: 5\n", "f.yaml:2: max_flows 5: use 1024 to"},
		{"rule memory", "rules:\n  memory_mb: 9999\n", "f.yaml:2: memory_mb 9999: use 1 to 4096"},
		{"rule variable", "rules:\n  vars:\n    $HOME_NET: any\n", `variable "$HOME_NET": write its name alone`},
		{"DNS without upstreams", "dns:\n  on: true\n", "upstreams are needed"},
		{"DNS public", "dns:\n  upstreams: [{url: 192.0.2.1}]\n  listen:\n    - 192.168.1.1\n    - 8.8.8.8\n", `f.yaml:5: listen "8.8.8.8": the internet can reach`},
		{"DNS loop", "dns:\n  listen: [192.168.1.1]\n  upstreams:\n    - url: 192.168.1.1\n", "f.yaml:4: upstream \"192.168.1.1\" is this resolver itself"},
		{"DNS name alone", "dns:\n  upstreams:\n    - url: tls://dns.example\n", "f.yaml:3: upstream"},
		{"DNS list", "dns:\n  lists:\n    - name: a\n      path: a\n      category: ads\n", `f.yaml:5: category "ads": use one of mining`},
		{"DNS answer", "dns:\n  blocked:\n    answer: maybe\n", `f.yaml:3: answer "maybe"`},
		{"log level", "log:\n  level: loud\n", `f.yaml:2: log level "loud": use debug, info, warn or error`},
		{"log format", "log:\n  format: xml\n", `f.yaml:2: log format "xml": use text or json`},
	} {
		_, err := Parse("f.yaml", []byte(c.yaml))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestEmptyIsDefault(t *testing.T) {
	for _, s := range []string{"", "\n \n", "# nothing but a comment\n"} {
		c, err := Parse("f.yaml", []byte(s))
		if err != nil || c.Version != 1 || c.Workers != 0 {
			t.Errorf("%q: %+v, %v", s, c, err)
		}
	}
}

// The configuration in the documentation is read, and holds every key there is.
func TestDocumentedExample(t *testing.T) {
	b, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(b)
	if m == nil {
		t.Fatal("no example")
	}
	c, err := Parse("docs", m[1])
	if err != nil {
		t.Fatal(err)
	}
	if c.Interface != "br-lan" || c.Events.File == "" || c.Limits.MaxFlows != 65536 || c.Log.Level != "info" ||
		len(c.Rules.Files) != 1 || c.Rules.MemoryMB != DefaultRuleMemoryMB || c.Rules.Vars["HTTP_PORTS"] != "[80,8080]" {
		t.Errorf("%+v", c)
	}
	src, err := os.ReadFile("config.go")
	if err != nil {
		t.Fatal(err)
	}
	more, err := os.ReadFile("dns.go")
	if err != nil {
		t.Fatal(err)
	}
	src = append(src, more...)
	if more, err = os.ReadFile("plugin.go"); err != nil {
		t.Fatal(err)
	}
	src = append(src, more...)
	for _, k := range regexp.MustCompile("`yaml:\"([a-z_]+)\"`").FindAllSubmatch(src, -1) {
		if !regexp.MustCompile(`(?m)^[\s-]*` + string(k[1]) + `:`).Match(m[1]) {
			t.Errorf("key %s is not in docs/configuration.md", k[1])
		}
	}
	var e engine.Config
	c.Limits.Engine(&e)
	if e.StreamMemory != 16<<20 || e.MaxFlows != 65536 {
		t.Errorf("limits: %+v", e)
	}
}

func TestLoad(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml")); err == nil {
		t.Error("a file that was named must exist")
	}
	f := filepath.Join(t.TempDir(), "y.yaml")
	if err := os.WriteFile(f, []byte("workers: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := Load(f); err != nil || c.Workers != 3 {
		t.Errorf("%+v %v", c, err)
	}
}

func TestPrefixes(t *testing.T) {
	p, err := Prefixes([]string{"192.168.1.7/24", "10.0.0.1", "fd00::/8"})
	if err != nil || p[0].String() != "192.168.1.0/24" || p[1].String() != "10.0.0.1/32" || p[2].String() != "fd00::/8" {
		t.Errorf("%v %v", p, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("version: 1\nlimits:\n  max_flows: 2048\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("{"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4096 {
			return
		}
		if c, err := Parse("f", b); err == nil && c.Version != 1 {
			t.Errorf("version %d accepted", c.Version)
		}
	})
}
