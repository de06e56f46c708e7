// Package archtest holds the tests that keep the house in shape: imports go
// down the layers, and every extension has what an extension needs.
package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/yamori-net/yamori/"

// layers gives each package (a path, or a path with /* for its children) its
// layer. A package may import packages of lower layers only, and of its own
// layer where sameLayer allows it. docs/architecture.md shows the same table.
var layers = map[string]int{
	"internal/packet":             0,
	"internal/verdict":            0,
	"internal/inflate":            0,
	"internal/mime":               0,
	"internal/textline":           0,
	"internal/rules":              0,
	"internal/homerules":          0,
	"internal/netns":              1,
	"internal/event":              1,
	"internal/geo":                1,
	"internal/geo/geotest":        1, // tests only
	"internal/inject":             2,
	"internal/enforce":            2,
	"internal/capture":            2,
	"internal/flow":               2,
	"internal/proto":              2,
	"internal/seq":                2,
	"internal/seq/*":              3,
	"internal/device":             2,
	"internal/store":              2,
	"internal/device/oui":         1,
	"internal/device/descr":       1,
	"internal/device/fingerprint": 3,
	"internal/device/synth":       3, // tests only
	"internal/device/clues":       4,
	"internal/device/look":        6,
	"internal/auth":               2,
	"internal/corpus":             2, // tests only
	"internal/capture/*":          3,
	"internal/proto/prototest":    3, // tests only
	"internal/proto/*":            3,
	"internal/reassembly":         3,
	"internal/files":              3,
	"internal/evidence":           3,
	"internal/detect":             3,
	"internal/detect/*":           4,
	"internal/match/inspect/pcre": 2,
	"internal/match/*":            3,
	"internal/match":              4,
	"internal/policy":             4,
	"internal/plugin":             2,
	"internal/plugin/plugintest":  3, // tests only
	"internal/priv":               4,
	"internal/engine":             5,
	"internal/builtin":            6,
	"internal/report":             6,
	"internal/export/*":           6,
	"internal/dnsmode/*":          6,
	"internal/dnsmode":            7,
	"internal/api":                6,
	"internal/api/*":              6,
	"internal/config":             7,
	"internal/trend":              7,
	"internal/labnet/talks":       7,
	"internal/labnet":             8,
	"internal/house":              8,
	"internal/app":                9,
	"internal/tools/*":            10,
	"cmd/*":                       10,
	"internal/archtest":           11,
}

// sameLayer lists the imports allowed within a layer: protocols that carry or
// share the wire format of another.
var sameLayer = map[string][]string{
	"internal/mime":         {"internal/textline"},
	"internal/api/client":   {"internal/api"},
	"internal/proto/dtls":   {"internal/proto/tls"},
	"internal/proto/quic":   {"internal/proto/tls"},
	"internal/proto/mdns":   {"internal/proto/dns"},
	"internal/proto/llmnr":  {"internal/proto/dns"},
	"internal/proto/nbns":   {"internal/proto/dns"},
	"internal/proto/dhcp":   {"internal/proto/dns"}, // names in options
	"internal/proto/dhcpv6": {"internal/proto/dns"},
	"internal/proto/smb":    {"internal/proto/dcerpc"}, // in pipes
	// What mining in any protocol shows is kept in one form.
	"internal/proto/duinocoin": {"internal/proto/stratum"},
	"internal/proto/p2pool":    {"internal/proto/stratum"},
	"internal/proto/stratumv2": {"internal/proto/stratum"},
}

func layerOf(pkg string) (int, bool) {
	if l, ok := layers[pkg]; ok {
		return l, true
	}
	l, ok := layers[filepath.ToSlash(filepath.Dir(pkg))+"/*"]
	return l, ok
}

// packages maps each package folder to the files that are not tests.
func packages(t *testing.T, root string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && p != root) {
			return fs.SkipDir
		}
		if strings.HasSuffix(p, ".go") {
			rel, err := filepath.Rel(root, p)
			if err != nil {
				return err
			}
			dir := filepath.ToSlash(filepath.Dir(rel))
			out[dir] = append(out[dir], p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const root = "../.."

// TestLayers reads the import statements: none goes up.
func TestLayers(t *testing.T) {
	for pkg, files := range packages(t, root) {
		from, ok := layerOf(pkg)
		if !ok {
			t.Errorf("%s has no layer: add it to the table in this test and to docs/architecture.md", pkg)
			continue
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			ast, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, im := range ast.Imports {
				path, _ := strconv.Unquote(im.Path.Value)
				rel, ours := strings.CutPrefix(path, module)
				if !ours {
					continue
				}
				to, ok := layerOf(rel)
				if !ok {
					t.Errorf("%s imports %s, which has no layer", f, rel)
				} else if to > from || to == from && !allowed(pkg, rel) {
					t.Errorf("%s (layer %d) imports %s (layer %d): imports only go down", f, from, rel, to)
				}
				if strings.HasSuffix(rel, "/corpus") || strings.HasSuffix(rel, "/prototest") {
					if !strings.HasPrefix(pkg, "internal/tools/") {
						t.Errorf("%s imports %s, which is for tests", f, rel)
					}
				}
			}
		}
	}
}

func allowed(pkg, rel string) bool {
	for _, a := range sameLayer[pkg] {
		if a == rel {
			return true
		}
	}
	return false
}

// TestClock finds calls of time.Now below the engine, where only the packets'
// time counts.
func TestClock(t *testing.T) {
	// Live sources have no other clock.
	live := map[string]bool{"internal/capture/afpacket": true, "internal/capture/nfqueue": true, "internal/enforce": true,
		"internal/plugin": true, "internal/plugin/plugintest": true, "internal/priv": true}
	for pkg, files := range packages(t, root) {
		l, ok := layerOf(pkg)
		if !ok || l > layers["internal/engine"] || live[pkg] {
			continue
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), f, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" && (s.Sel.Name == "Now" || s.Sel.Name == "Since") {
						t.Errorf("%s uses time.%s below the engine", f, s.Sel.Name)
					}
				}
				return true
			})
		}
	}
}

// TestExtensions checks that each protocol and detector has its README, tests
// and fuzz target, and one line in the list of builtin.
func TestExtensions(t *testing.T) {
	list, err := os.ReadFile(filepath.Join(root, "internal/builtin/builtin.go"))
	if err != nil {
		t.Fatal(err)
	}
	for pkg, files := range packages(t, root) {
		dir := filepath.Dir(pkg)
		if dir != "internal/proto" && dir != "internal/detect" || pkg == "internal/proto/prototest" {
			continue
		}
		name := filepath.Base(pkg)
		if _, err := os.Stat(filepath.Join(root, pkg, "README.md")); err != nil {
			t.Errorf("%s has no README.md", pkg)
		}
		if !strings.Contains(string(list), "\t\t"+name+".") {
			t.Errorf("%s is not listed in internal/builtin/builtin.go", pkg)
		}
		var tests string
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				b, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				tests += string(b)
			}
		}
		if dir == "internal/proto" {
			for _, want := range []string{"func Fuzz", "func Benchmark", "Allocs"} {
				if !strings.Contains(tests, want) {
					t.Errorf("%s has no test with %q", pkg, want)
				}
			}
		}
	}
}

// TestFileLength bounds files: short ones are read.
func TestFileLength(t *testing.T) {
	const most = 800
	for _, files := range packages(t, root) {
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(b), "\n"); n > most {
				t.Errorf("%s has %d lines, more than %d", f, n, most)
			}
			for i, line := range strings.Split(string(b), "\n") {
				if strings.Contains(line, "func init()") && strings.HasPrefix(line, "func") {
					t.Errorf("%s:%d: no init functions", f, i+1)
				}
			}
		}
	}
}
