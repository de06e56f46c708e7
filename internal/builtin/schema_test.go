package builtin_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/yamori-net/yamori/internal/builtin"
)

const schemaFile = "../../docs/formats/eve.schema.json"

var schema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	return jsonschema.NewCompiler().Compile(schemaFile)
})

// checkEvent validates one EVE line against the closed schema.
func checkEvent(line string) error {
	s, err := schema()
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

func TestSchemaIsClosed(t *testing.T) {
	good := `{"timestamp":"2026-01-01T00:00:00.000000+0000","event_type":"anomaly","flow_id":1,"src_ip":"192.0.2.1","dest_ip":"192.0.2.2",` +
		`"proto":"TCP","community_id":"1:x","anomaly":{"type":"applayer","event":"x","layer":"proto_parser"}}`
	if err := checkEvent(good); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		strings.Replace(good, `"event":"x"`, `"event":"x","more":1`, 1),
		strings.Replace(good, `"proto":"TCP"`, `"proto":"TCP","more":1`, 1),
		strings.Replace(good, `"event_type":"anomaly"`, `"event_type":"nonsense"`, 1),
		strings.Replace(good, `"event_type":"anomaly"`, `"event_type":"tls"`, 1),
		strings.Replace(good, `.000000+0000`, `Z`, 1),
	} {
		if checkEvent(bad) == nil {
			t.Errorf("accepted: %s", bad)
		}
	}
}

// TestSchemaKnowsEveryKey compares the keys that protocols write (the string
// literals given to the encoder) with the schema: a key no capture happens to
// contain is still described.
func TestSchemaKnowsEveryKey(t *testing.T) {
	b, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Defs       map[string]json.RawMessage `json:"$defs"`
		Properties map[string]json.RawMessage
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	for _, typ := range builtin.EventTypes() {
		if !strings.Contains(string(doc.Properties["event_type"]), strconv.Quote(string(typ))) {
			t.Errorf("event type %s is not in the schema", typ)
		}
	}
	all := regexp.MustCompile(`"([A-Za-z0-9_]+)":`)
	known := map[string]bool{}
	for _, m := range all.FindAllStringSubmatch(string(b), -1) {
		known[m[1]] = true
	}
	methods := []string{"Obj", "Arr", "Str", "Bytes", "OptBytes", "OptStr", "Hex", "Base64", "Int", "Uint", "Float", "Bool", "Addr", "Time"}
	files, err := filepath.Glob("../proto/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "../files/info.go")
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") || strings.Contains(f, "prototest") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			c, ok := n.(*ast.CallExpr)
			if !ok || len(c.Args) == 0 {
				return true
			}
			sel, ok := c.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains(methods, sel.Sel.Name) {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); !ok || x.Name != "e" && x.Name != "enc" {
				return true
			}
			if l, ok := c.Args[0].(*ast.BasicLit); ok && l.Kind == token.STRING {
				if k, _ := strconv.Unquote(l.Value); k != "" && !known[k] {
					t.Errorf("%s writes %q, which is not in docs/formats/eve.schema.json", f, k)
				}
			}
			return true
		})
	}
}
