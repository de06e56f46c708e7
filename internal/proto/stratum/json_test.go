package stratum

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseMessage(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }
	for _, tt := range []struct {
		name, in string
		st       Status
		n        int // -1: all of it
	}{
		{"empty", ``, Truncated, -1},
		{"blanks", " \r\n\t\x00", Truncated, -1},
		{"object", `{}`, Complete, -1},
		{"rest follows", `{"id":1}{"id":2}`, Complete, 8},
		{"line", "{\"id\":1}\r\n", Complete, 8},
		{"byte order mark", "\xef\xbb\xbf{\"id\":1}", Complete, -1},
		{"nul framing", "\x00{\"id\":1}\x00", Complete, 9},
		{"batch", `[{"id":1},{"id":2}]`, Complete, 9},
		{"spacing", "{ \"id\"\t:\r\n 1 , \"method\" : \"x\" }", Complete, -1},
		{"nested", `{"a":{"b":[{"c":[1,"x",null,true,false,-1.5e+3]}]}}`, Complete, -1},
		{"escapes", `{"a":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}`, Complete, -1},
		{"depth at the bound", `{"a":` + deep(MaxDepth-1) + `}`, Complete, -1},
		{"depth over the bound", `{"a":` + deep(MaxDepth) + `}`, Malformed, -2},
		{"cut in a key", `{"meth`, Truncated, -2},
		{"cut in a value", `{"method":"log`, Truncated, -2},
		{"cut in an escape", `{"method":"\u00`, Truncated, -2},
		{"cut in a number", `{"id":12`, Truncated, -2},
		{"cut after a comma", `{"id":1,`, Truncated, -2},
		{"array without object", `[1,2]`, Malformed, -2},
		{"text", `hello`, Malformed, -2},
		{"single quotes", `{'id':1}`, Malformed, -2},
		{"trailing comma", `{"id":1,}`, Malformed, -2},
		{"missing comma", `{"id":1 "a":2}`, Malformed, -2},
		{"missing colon", `{"id" 1}`, Malformed, -2},
		{"wrong close", `{"a":[1}`, Malformed, -2},
		{"leading zero", `{"id":01}`, Malformed, -2},
		{"bare minus", `{"id":-}`, Malformed, -2},
		{"bad fraction", `{"id":1.}`, Malformed, -2},
		{"bad exponent", `{"id":1e+}`, Malformed, -2},
		{"word", `{"id":nil}`, Malformed, -2},
		{"bad escape", `{"id":"\x"}`, Malformed, -2},
		{"bad unicode escape", `{"id":"\u00zz"}`, Malformed, -2},
		{"raw newline in a string", "{\"id\":\"a\nb\"}", Malformed, -2},
	} {
		var m Message
		n, st := ParseMessage([]byte(tt.in), &m)
		if tt.n == -1 {
			tt.n = len(tt.in)
		}
		if st != tt.st || tt.n >= 0 && n != tt.n {
			t.Errorf("%s: %d, status %d; want %d, %d", tt.name, n, st, tt.n, tt.st)
		}
		if m.Truncated != (st == Truncated && tt.n != len(tt.in)) {
			t.Errorf("%s: Truncated is %v", tt.name, m.Truncated)
		}
	}
}

func TestMessageFields(t *testing.T) {
	in := `{"ID":7,"\u006dethod":"mining.s\u0075bmit","extra":{"method":"login","params":[1]},"params":["w\u006frker",null,"00FF","0xab",["aa",["mining.notify"]],[1,2,3,4],{"agent":"x\/1"}],
		"result":{"job":{"blob":"00","job_id":"j"},"status":"OK"},"worker":"r"}`
	var m Message
	if _, st := ParseMessage([]byte(in), &m); st != Complete {
		t.Fatalf("status %d", st)
	}
	text := func(v Value) string { return string(m.Text(v)) }
	if m.Method != Submit || string(m.MethodName()) != "mining.submit" {
		t.Errorf("method %d %q", m.Method, m.MethodName())
	}
	if text(m.Top.Get(KeyID)) != "7" || text(m.Top.Get(KeyWorker)) != "r" || m.NArgs != 7 {
		t.Errorf("id %q worker %q args %d", text(m.Top.Get(KeyID)), text(m.Top.Get(KeyWorker)), m.NArgs)
	}
	if text(m.Arg(0)) != "worker" || m.Arg(1).Kind != Null || m.Arg(2).HexLen() != 4 || m.Arg(3).HexLen() != 2 || m.Arg(3).Flags&Prefixed == 0 {
		t.Errorf("args %q %+v", text(m.Arg(0)), m.Args[:4])
	}
	if f := m.Arg(4).Flags; f&HasNotification == 0 || m.Arg(4).Count != 2 {
		t.Errorf("nested notification not seen: %+v", m.Arg(4))
	}
	if m.Arg(5).Flags&AllNumbers == 0 || m.Arg(5).Count != 4 {
		t.Errorf("numbers: %+v", m.Arg(5))
	}
	if text(m.Params.Get(KeyAgent)) != "x/1" {
		t.Errorf("agent in the list's object: %q", text(m.Params.Get(KeyAgent)))
	}
	if text(m.Job.Get(KeyJobID)) != "j" || text(m.Result.Get(KeyStatus)) != "OK" {
		t.Errorf("job %q status %q", text(m.Job.Get(KeyJobID)), text(m.Result.Get(KeyStatus)))
	}
	if m.Params.Has(set(KeyMethod)) || m.Arg(99).Kind != Absent || m.Res(-0).Kind != Absent {
		t.Error("values from nowhere")
	}
}

// TestHidden holds what a sender might try to keep a method from being seen.
func TestHidden(t *testing.T) {
	junk := strings.Repeat(`"a\u0041":"\u0041\u0041",`, 4000)
	for name, in := range map[string]string{
		"unknown members first": `{` + junk + `"method":"lo\u0067in"}`,
		"long list first":       `{"x":[` + strings.Repeat(`"\u0041",`, 5000) + `1],"method":"lo\u0067in"}`,
		"twice, known first":    `{"method":"login","method":"x"}`,
		"twice, known last":     `{"method":"x","method":"login"}`,
		"quoted before":         `{"x":"{\"method\":\"y\"}","method":"login"}`,
		"upper-case member":     `{"METHOD":"login"}`,
	} {
		var m Message
		if _, st := ParseMessage([]byte(in), &m); st != Complete || m.Method != Login {
			t.Errorf("%s: status %d method %d", name, st, m.Method)
		}
	}
}

// TestTextLimit: what does not fit the memory for unescaped text stays as it
// was sent.
func TestTextLimit(t *testing.T) {
	long := strings.Repeat(`\u0041`, maxText+1)
	var m Message
	ParseMessage([]byte(`{"method":"`+long+`","id":"\u0042"}`), &m)
	if got := string(m.MethodName()); got != long {
		t.Errorf("%d bytes of text, want the %d sent", len(got), len(long))
	}
	if got := string(m.Text(m.Top.Get(KeyID))); got != "B" {
		t.Errorf("id %q after a text over the limit", got)
	}
	if ParseMessage([]byte(`{"params":[`+strings.Repeat("1,", 99)+`1]}`), &m); m.NArgs != 100 || m.Arg(MaxArgs).Kind != Absent || m.Arg(MaxArgs-1).Kind != Number {
		t.Errorf("%d arguments", m.NArgs)
	}
}

// agree compares m with what encoding/json makes of the same text.
func agree(t *testing.T, m *Message, in []byte) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(in))
	dec.UseNumber()
	var want map[string]any
	if err := dec.Decode(&want); err != nil {
		t.Fatalf("encoding/json: %v", err)
	}
	seen := map[Key]bool{}
	for k, w := range want {
		id := keyOf([]byte(k))
		if id == noKey {
			continue
		}
		if seen[id] {
			return // the same member in two spellings: no order to compare by
		}
		seen[id] = true
		v := m.Top.Get(id)
		if id == KeyMethod && m.Method != Other {
			continue // a known method is kept against a later one
		}
		same(t, m, k, v, w)
		if list, ok := w.([]any); ok && (id == KeyParams || id == KeyResult) {
			get, n := m.Arg, m.NArgs
			if id == KeyResult {
				get, n = m.Res, m.NRes
			}
			if n != len(list) {
				t.Errorf("%s: %d elements, want %d", k, n, len(list))
			}
			for i := range min(len(list), MaxArgs) {
				same(t, m, k, get(i), list[i])
			}
		}
	}
	for id := range numKeys {
		if m.Top.has&(1<<id) != 0 && !seen[id] {
			t.Errorf("member %d is not in %q", id, in)
		}
	}
}

func same(t *testing.T, m *Message, k string, v Value, want any) {
	t.Helper()
	ok := false
	switch w := want.(type) {
	case nil:
		ok = v.Kind == Null
	case bool:
		ok = v.Kind == True && w || v.Kind == False && !w
	case json.Number:
		ok = v.Kind == Number && string(m.Text(v)) == string(w)
	case string:
		ok = v.Kind == String && string(m.Text(v)) == w
	case []any:
		ok = v.Kind == Array && int(v.Count) == min(len(w), 1<<16-1)
	case map[string]any:
		ok = v.Kind == Object
	}
	if !ok {
		t.Errorf("%s: %+v, want %T %v", k, v, want, want)
	}
}

// FuzzParse checks ParseMessage against encoding/json, the framer against
// ParseMessage, and the framer against itself on bytes that arrive one by one.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"x","pass":"y","agent":"XMRig/6","algo":["rx/0"]}}`,
		`{"id":null,"method":"mining.notify","params":["a","b",["c"],true]}`,
		`{"id":0,"result":["0x00","0x01","0x02"]}`, `{"a":"\ud83d\u0041\ud83d\ude00"}`, `[{"id":-1.5e3},{}]`, "{\"a\":1}\n{\"b\":2}", `{"a":[[[[]]]]`, "\xef\xbb\xbf{}",
	} {
		f.Add([]byte(s))
	}
	var m Message
	f.Fuzz(func(t *testing.T, b []byte) {
		n, st := ParseMessage(b, &m)
		if n < 0 || n > len(b) {
			t.Fatalf("read %d of %d bytes", n, len(b))
		}
		start := lead(b)
		obj := b[start:]
		if len(obj) == 0 || obj[0] != '{' {
			return
		}
		var whole, drip framer
		size, bad := whole.next(obj)
		got, gotBad := 0, false
		for i := 1; i <= len(obj) && got == 0 && !gotBad; i++ {
			got, gotBad = drip.next(obj[:i])
		}
		if got != size || gotBad != bad {
			t.Fatalf("framer: %d %v at once, %d %v byte by byte", size, bad, got, gotBad)
		}
		switch st {
		case Complete:
			if bad || start+size != n {
				t.Fatalf("framer says %d (%v), parser %d", start+size, bad, n)
			}
			if utf8.Valid(obj[:size]) && len(obj) < maxText/2 {
				agree(t, &m, obj[:size])
			}
		case Truncated:
			if bad || size > 0 {
				t.Fatalf("framer sees an end at %d (%v) of a message cut short", size, bad)
			}
		}
		if dec := json.NewDecoder(bytes.NewReader(obj)); st != Complete {
			var v map[string]any
			if err := dec.Decode(&v); err == nil && depth(v) < MaxDepth {
				t.Fatalf("status %d on what encoding/json reads: %q", st, obj)
			}
		}
	})
}

func depth(v any) int {
	d := 0
	switch x := v.(type) {
	case map[string]any:
		for _, e := range x {
			d = max(d, depth(e))
		}
		d++
	case []any:
		for _, e := range x {
			d = max(d, depth(e))
		}
		d++
	}
	return d
}

// TestFramerResync: the framer stops at the first byte that cannot be, so that
// a line that is no message costs that line only.
func TestFramerResync(t *testing.T) {
	for name, in := range map[string]string{
		"second brace":   `{{`,
		"value for key":  `{1`,
		"newline":        "{\"a\n",
		"close too much": `{"a":]`,
		"too deep":       `{"a":` + strings.Repeat("[", MaxDepth),
		"control":        "{\"a\\\x01",
		"odd byte":       `{"a":#`,
	} {
		var f framer
		if n, bad := f.next([]byte(in)); n != 0 || !bad || f.pos != len(in)-1 {
			t.Errorf("%s: %d %v at %d, want an error at %d", name, n, bad, f.pos, len(in)-1)
		}
	}
}
