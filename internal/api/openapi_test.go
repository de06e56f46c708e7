package api

import (
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

var update = flag.Bool("update", false, "write openapi.yaml anew")

type (
	m = yaml.MapSlice
	i = yaml.MapItem
)

// generator makes openapi.yaml from the table of routes and the tags of the
// shapes.
type generator struct {
	schemas map[string]m
}

// nameOf is the name of a shape's schema.
func nameOf(t reflect.Type) string {
	n := t.Name()
	if in, ok := strings.CutPrefix(n, "List["); ok {
		return strings.TrimSuffix(in[strings.LastIndex(in, ".")+1:], "]") + "List"
	}
	return n
}

func (g *generator) ref(t reflect.Type) m {
	name := nameOf(t)
	if _, ok := g.schemas[name]; !ok {
		g.schemas[name] = nil // breaks circles
		g.schemas[name] = g.object(t)
	}
	return m{i{Key: "$ref", Value: "#/components/schemas/" + name}}
}

func (g *generator) object(t reflect.Type) m {
	var props m
	required := []string{}
	for k := range t.NumField() {
		f := t.Field(k)
		name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		s := g.schema(f.Type, f.Tag)
		omit := strings.Contains(opts, "omit")
		if f.Type.Kind() == reflect.Pointer && !omit {
			s[0].Value = []string{s[0].Value.(string), "null"}
		}
		if d := f.Tag.Get("doc"); d != "" {
			s = append(s, i{Key: "description", Value: d})
		}
		props = append(props, i{Key: name, Value: s})
		if !omit {
			required = append(required, name)
		}
	}
	out := m{i{Key: "type", Value: "object"}, i{Key: "additionalProperties", Value: false}}
	if len(required) > 0 {
		out = append(out, i{Key: "required", Value: required})
	}
	return append(out, i{Key: "properties", Value: props})
}

func (g *generator) schema(t reflect.Type, tag reflect.StructTag) m {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return m{i{Key: "type", Value: "string"}, i{Key: "format", Value: "date-time"}}
	case t == reflect.TypeFor[json.RawMessage]():
		return m{i{Key: "type", Value: "object"}}
	}
	num := func(key, tagName string, s m) m {
		if v, ok := tag.Lookup(tagName); ok {
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				panic(err)
			}
			s = append(s, i{Key: key, Value: n})
		}
		return s
	}
	switch t.Kind() {
	case reflect.Pointer:
		return g.schema(t.Elem(), tag)
	case reflect.Struct:
		return g.ref(t)
	case reflect.String:
		s := m{i{Key: "type", Value: "string"}}
		if e, ok := tag.Lookup("enum"); ok {
			s = append(s, i{Key: "enum", Value: strings.Split(e, ",")})
		}
		return num("maxLength", "max", num("minLength", "min", s))
	case reflect.Bool:
		return m{i{Key: "type", Value: "boolean"}}
	case reflect.Int, reflect.Int64:
		return num("maximum", "max", num("minimum", "min", m{i{Key: "type", Value: "integer"}}))
	case reflect.Float64:
		return m{i{Key: "type", Value: "number"}}
	case reflect.Slice:
		return num("maxItems", "max", num("minItems", "min", m{i{Key: "type", Value: "array"}, i{Key: "items", Value: g.schema(t.Elem(), "")}}))
	case reflect.Map:
		return num("maxProperties", "max", m{i{Key: "type", Value: "object"}, i{Key: "additionalProperties", Value: g.schema(t.Elem(), "")}})
	}
	panic("no schema for " + t.String())
}

func content(typ string, schema m) m {
	return m{i{Key: "content", Value: m{i{Key: typ, Value: m{i{Key: "schema", Value: schema}}}}}}
}

func (g *generator) operation(rt *route) m {
	op := m{i{Key: "operationId", Value: rt.Name}, i{Key: "summary", Value: rt.Doc}}
	needs := rt.Need.String()
	if rt.Need == Public {
		needs = "nothing"
		op = append(op, i{Key: "security", Value: []any{}})
	} else {
		needs = "role " + rt.Need.role().String() + ", or a token with the scope " + needs
		if rt.SessionOnly {
			needs = "role " + rt.Need.role().String() + ", in a session"
		} else if rt.NoToken {
			needs = "role " + rt.Need.role().String() + "; no token"
		}
		if rt.SessionOnly || rt.NoToken {
			op = append(op, i{Key: "security", Value: []m{{i{Key: "cookie", Value: []string{}}}}})
		}
	}
	op = append(op, i{Key: "description", Value: "Needs: " + needs + "."})
	var params []m
	if strings.Contains(rt.Pattern, "{id}") {
		params = append(params, m{i{Key: "name", Value: "id"}, i{Key: "in", Value: "path"}, i{Key: "required", Value: true},
			i{Key: "schema", Value: m{i{Key: "type", Value: "string"}, i{Key: "maxLength", Value: maxID}}}})
	}
	for _, p := range rt.Query {
		s := m{i{Key: "type", Value: p.Type}}
		switch {
		case p.Type == "date-time":
			s = m{i{Key: "type", Value: "string"}}
		case p.Type == "integer":
			s = append(s, i{Key: "minimum", Value: 1}, i{Key: "maximum", Value: MaxLimit})
		case len(p.Enum) > 0:
			s = append(s, i{Key: "enum", Value: p.Enum})
		}
		x := m{i{Key: "name", Value: p.Name}, i{Key: "in", Value: "query"}}
		if p.Doc != "" {
			x = append(x, i{Key: "description", Value: p.Doc})
		}
		params = append(params, append(x, i{Key: "schema", Value: s}))
	}
	if rt.Cond {
		params = append(params, m{i{Key: "$ref", Value: "#/components/parameters/IfMatch"}})
	}
	if params != nil {
		op = append(op, i{Key: "parameters", Value: params})
	}
	if rt.Body != nil {
		op = append(op, i{Key: "requestBody", Value: append(m{i{Key: "required", Value: true}}, content("application/json", g.ref(reflect.TypeOf(rt.Body)))...)})
	} else if rt.BodyType != "" {
		op = append(op, i{Key: "requestBody", Value: append(m{i{Key: "required", Value: true}}, content(rt.BodyType, m{})...)})
	}
	good := m{i{Key: "description", Value: "Done."}}
	if rt.Result != nil {
		good = append(good, content("application/json", g.ref(reflect.TypeOf(rt.Result)))...)
	} else if rt.Type != "" {
		good = append(good, content(rt.Type, m{})...)
	}
	res := m{i{Key: strconv.Itoa(rt.Status), Value: good}}
	if rt.Name == "readyz" {
		res = append(res, i{Key: "503", Value: append(m{i{Key: "description", Value: "Not ready, with the reasons."}}, content("application/json", g.ref(reflect.TypeFor[Health]()))...)})
	}
	res = append(res, i{Key: "default", Value: m{i{Key: "$ref", Value: "#/components/responses/Problem"}}})
	return append(op, i{Key: "responses", Value: res})
}

func generate() []byte {
	g := &generator{schemas: map[string]m{}}
	routes := table()
	var paths m
	for k := range routes {
		rt := &routes[k]
		item := i{Key: strings.ToLower(rt.Method), Value: g.operation(rt)}
		at := slices.IndexFunc(paths, func(x i) bool { return x.Key == rt.Pattern })
		if at < 0 {
			paths = append(paths, i{Key: rt.Pattern, Value: m{item}})
			continue
		}
		paths[at].Value = append(paths[at].Value.(m), item)
	}
	problem := append(m{i{Key: "description", Value: "Problem details (RFC 9457); code is stable."}}, content("application/problem+json", g.ref(reflect.TypeFor[Fault]()))...)
	g.ref(reflect.TypeFor[DeviceEvent]())
	names := []string{}
	for n := range g.schemas {
		names = append(names, n)
	}
	slices.Sort(names)
	var schemas m
	for _, n := range names {
		schemas = append(schemas, i{Key: n, Value: g.schemas[n]})
	}
	doc := m{
		i{Key: "openapi", Value: "3.1.0"},
		i{Key: "info", Value: m{i{Key: "title", Value: "Yamori"}, i{Key: "version", Value: "1"}, i{Key: "license", Value: m{i{Key: "name", Value: "Apache-2.0"}, i{Key: "identifier", Value: "Apache-2.0"}}},
			i{Key: "description", Value: "The gateway's API. Errors are problem details (RFC 9457). Lists have items and next; pass next as cursor. " +
				"Changes by cookie need the header Yamori-CSRF: 1. If-Match guards a change against others."}}},
		i{Key: "servers", Value: []m{{i{Key: "url", Value: "/"}}}},
		i{Key: "security", Value: []m{{i{Key: "cookie", Value: []string{}}}, {i{Key: "token", Value: []string{}}}}},
		i{Key: "paths", Value: paths},
		i{Key: "components", Value: m{
			i{Key: "securitySchemes", Value: m{
				i{Key: "cookie", Value: m{i{Key: "type", Value: "apiKey"}, i{Key: "in", Value: "cookie"}, i{Key: "name", Value: cookieTLS}}},
				i{Key: "token", Value: m{i{Key: "type", Value: "http"}, i{Key: "scheme", Value: "bearer"}}}}},
			i{Key: "parameters", Value: m{i{Key: "IfMatch", Value: m{i{Key: "name", Value: "If-Match"}, i{Key: "in", Value: "header"},
				i{Key: "description", Value: "ETag of what was read; 412 when somebody changed it since"}, i{Key: "schema", Value: m{i{Key: "type", Value: "string"}}}}}}},
			i{Key: "responses", Value: m{i{Key: "Problem", Value: problem}}},
			i{Key: "schemas", Value: schemas},
		}},
	}
	b, err := yaml.MarshalWithOptions(doc, yaml.Indent(2), yaml.IndentSequence(true))
	if err != nil {
		panic(err)
	}
	return append([]byte("# Made from the table of routes: go test ./internal/api -run TestOpenAPIMatches -update\n"), b...)
}

// TestOpenAPIMatches: the file is what the table and the shapes say.
func TestOpenAPIMatches(t *testing.T) {
	want := generate()
	if *update {
		if err := os.WriteFile("openapi.yaml", want, 0o644); err != nil {
			t.Fatal(err)
		}
		openAPI = want
	}
	if string(openAPI) != string(want) {
		t.Error("openapi.yaml is not what the routes and shapes say; go test ./internal/api -run TestOpenAPIMatches -update")
	}
}

// spec reads openapi.yaml as any reader of it would.
func spec(t testing.TB) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := yaml.Unmarshal(openAPI, &doc); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(doc) // to JSON's own types
	if err != nil {
		t.Fatal(err)
	}
	doc = nil
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestOpenAPIBothWays walks the file on its own: each route is there, and
// nothing else; references lead somewhere; names are not used twice.
func TestOpenAPIBothWays(t *testing.T) {
	doc := spec(t)
	if doc["openapi"] != "3.1.0" {
		t.Errorf("openapi: %v", doc["openapi"])
	}
	inTable := map[string]*route{}
	for k, rt := range table() {
		inTable[strings.ToLower(rt.Method)+" "+rt.Pattern] = &table()[k]
	}
	ids := map[string]bool{}
	n := 0
	for path, v := range doc["paths"].(map[string]any) {
		for method, v := range v.(map[string]any) {
			n++
			op := v.(map[string]any)
			rt := inTable[method+" "+path]
			if rt == nil {
				t.Errorf("%s %s is described but not served", method, path)
				continue
			}
			delete(inTable, method+" "+path)
			id := op["operationId"].(string)
			if ids[id] {
				t.Errorf("operationId %s twice", id)
			}
			ids[id] = true
			if op["summary"] == "" || op["responses"].(map[string]any)["default"] == nil || op["responses"].(map[string]any)[strconv.Itoa(rt.Status)] == nil {
				t.Errorf("%s: summary, answers: %v", id, op)
			}
			if sec, ok := op["security"].([]any); (ok && len(sec) == 0) != (rt.Need == Public) {
				t.Errorf("%s: described as public %v, is %v", id, ok, rt.Need)
			}
		}
	}
	for k := range inTable {
		t.Errorf("%s is served but not described", k)
	}
	var walk func(v any)
	walk = func(v any) {
		switch x := v.(type) {
		case map[string]any:
			if r, ok := x["$ref"].(string); ok {
				at := any(doc)
				for p := range strings.SplitSeq(strings.TrimPrefix(r, "#/"), "/") {
					at = at.(map[string]any)[p]
				}
				if at == nil {
					t.Errorf("%s leads nowhere", r)
				}
			}
			for _, y := range x {
				walk(y)
			}
		case []any:
			for _, y := range x {
				walk(y)
			}
		}
	}
	walk(doc)
	t.Logf("%d operations", n)
}
