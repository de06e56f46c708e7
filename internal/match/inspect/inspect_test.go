package inspect

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/match/inspect/pcre"
)

func must(t testing.TB, steps ...Step) *Program {
	t.Helper()
	p, err := NewArena().Compile(steps, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func regex(t testing.TB, opt string) Step {
	t.Helper()
	re, err := pcre.Parse(opt)
	if err != nil {
		t.Fatal(err)
	}
	return Step{Kind: PCRE, Regexp: re}
}

func content(s string) Step { return Step{Kind: Content, Pattern: []byte(s)} }

func within(s string, n int64) Step {
	return Step{Kind: Content, Pattern: []byte(s), Distance: N(0), Within: N(n)}
}

func TestMatch(t *testing.T) {
	end := Step{Kind: IsDataAt, Bytes: N(1), Relative: true, Negated: true}
	for name, c := range map[string]struct {
		steps []Step
		buf   string
		want  bool
	}{
		"retry content":               {[]Step{content("a"), within("b", 1)}, "a-ab", true},
		"too far":                     {[]Step{content("a"), within("b", 1)}, "a-b", false},
		"retry two":                   {[]Step{content("a"), within("b", 2), within("c", 1)}, "ab a-bb abc", true},
		"isdataat ends":               {[]Step{content("a"), end}, "aba", true},
		"isdataat ends not":           {[]Step{content("a"), end}, "abab", false},
		"regex relative":              {[]Step{content("id="), regex(t, `"/^\d+$/R"`)}, "id=x id=12", true},
		"regex relative not":          {[]Step{content("id="), regex(t, `!"/^\d/R"`)}, "id=1", false},
		"regex tries again":           {[]Step{regex(t, `"/k\d/"`), within("!", 1)}, "k1 k2 k3!", true},
		"regex sees before":           {[]Step{regex(t, `"/(?<=a)k/"`), within("!", 1)}, "k!ak-ak!", true},
		"bsize":                       {[]Step{{Kind: Size, Min: 3, Max: 4}, content("a")}, "aaaaa", false},
		"bsize empty":                 {[]Step{{Kind: Size, Min: 0, Max: 0}}, "", true},
		"bsize not":                   {[]Step{{Kind: Size, Min: 3, Max: 4, Negated: true}}, "a", true},
		"urilen":                      {[]Step{{Kind: URILen, Min: 65535, Max: 1 << 40}}, strings.Repeat("a", 70000), true},
		"string number":               {[]Step{content("len "), {Kind: ByteTest, Relative: true, Bytes: N(5), String: true, Base: 10, Op: OpGreater, Value: N(1000)}}, "len 1024;", true},
		"hex prefix":                  {[]Step{{Kind: ByteTest, Bytes: N(4), String: true, Op: OpEqual, Value: N(0x1f)}}, "0x1fz", true},
		"overflow is no number":       {[]Step{{Kind: ByteTest, Bytes: N(23), String: true, Base: 10, Op: OpGreater, Value: N(0)}}, "99999999999999999999999", false},
		"mask":                        {[]Step{{Kind: ByteTest, Bytes: N(2), Op: OpEqual, Value: N(3), Bitmask: 0x0ff0}}, "\x10\x31", true},
		"xor":                         {[]Step{{Kind: ByteTest, Bytes: N(1), Op: OpXor, Value: N(1)}}, "\x01", false},
		"jump":                        {[]Step{{Kind: ByteJump, Bytes: N(1), Multiplier: 2, PostOffset: -1}, within("c", 1)}, "\x02abxc", true},
		"jump aligned":                {[]Step{{Kind: ByteJump, Bytes: N(1), Align: 4}, within("c", 1)}, "\x02abxyc", true},
		"jump before the start":       {[]Step{{Kind: ByteJump, Bytes: N(0), From: FromEnd, PostOffset: -99}, within("a", 1)}, "ab", true},
		"jump beyond":                 {[]Step{{Kind: ByteJump, Bytes: N(1)}}, "\x02a", false},
		"jump huge":                   {[]Step{{Kind: ByteJump, Bytes: N(8), Multiplier: 1}}, "\x7f\xff\xff\xff\xff\xff\xff\xffab", false},
		"extract and use":             {[]Step{{Kind: ByteExtract, Bytes: N(1), Result: "n"}, {Kind: Content, Pattern: []byte("z"), Offset: V("n")}}, "\x03zz-z", true},
		"extract aligned":             {[]Step{{Kind: ByteExtract, Bytes: N(1), Align: 4, Result: "n"}, {Kind: ByteTest, Bytes: N(1), Op: OpEqual, Value: V("n")}}, "\x04", true},
		"math":                        {[]Step{{Kind: ByteMath, Bytes: N(1), Op: OpMultiply, Value: N(3), Result: "n"}, {Kind: IsDataAt, Bytes: V("n")}}, "\x02abcdef", true},
		"math by zero":                {[]Step{{Kind: ByteMath, Bytes: N(1), Op: OpDivide, Value: N(0), Result: "n"}}, "\x02", false},
		"base64":                      {[]Step{content("x="), {Kind: Base64, Relative: true, Sub: []Step{content("hello"), end}}}, "x=aGVsbG8=;", true},
		"base64 bytes":                {[]Step{{Kind: Base64, Bytes: N(4), Sub: []Step{content("hello")}}}, "aGVsbG8=", false},
		"base64 without data":         {[]Step{{Kind: Base64}}, "aGVsbG8=", false},
		"base64 foreign byte":         {[]Step{{Kind: Base64, Sub: []Step{content("hel"), end}}}, "aGVs;bG8=", true},
		"asn1 oversize":               {[]Step{{Kind: ASN1, Asn1: Asn1Options{Oversize: N(3), Absolute: N(1)}}}, "-\x30\x06\x04\x04abcd", true},
		"asn1 fits":                   {[]Step{{Kind: ASN1, Asn1: Asn1Options{Oversize: N(6), Absolute: N(1)}}}, "-\x30\x06\x04\x04abcd", false},
		"asn1 bits":                   {[]Step{content("A"), {Kind: ASN1, Asn1: Asn1Options{Bitstring: true, Rel: N(1)}}}, "A-\x03\x01\xff", true},
		"asn1 real":                   {[]Step{{Kind: ASN1, Asn1: Asn1Options{Double: true}}}, "\x09\x82\x01\x01" + strings.Repeat("\x05", 257), true},
		"asn1 cut":                    {[]Step{{Kind: ASN1, Asn1: Asn1Options{Oversize: N(1)}}}, "\x30\x84\xff\xff\xff\xff\x04", false},
		"not at the end, twice":       {[]Step{{Kind: Content, Pattern: []byte("XY"), Negated: true, EndsWith: true}}, "aXYbXY", false},
		"not at the end, earlier":     {[]Step{{Kind: Content, Pattern: []byte("XY"), Negated: true, EndsWith: true}}, "aXYb", true},
		"not at the end, alone":       {[]Step{{Kind: Content, Pattern: []byte("XY"), Negated: true, EndsWith: true}}, "aXY", false},
		"not at the end, nowhere":     {[]Step{{Kind: Content, Pattern: []byte("XY"), Negated: true, EndsWith: true}}, "ab", true},
		"not at the end, overlapping": {[]Step{{Kind: Content, Pattern: []byte("XY"), Negated: true, EndsWith: true}}, "XYXY", false},
		"not at the end, short":       {[]Step{{Kind: Content, Pattern: []byte("XY"), Negated: true, EndsWith: true}}, "Y", true},
		"not at the end, any case":    {[]Step{{Kind: Content, Pattern: []byte("XY"), NoCase: true, Negated: true, EndsWith: true}}, "xYbxy", false},
		"not at the end, by isdataat": {[]Step{{Kind: Content, Pattern: []byte("XY"), Negated: true}, {Kind: IsDataAt, Negated: true, Relative: true, Bytes: N(1)}}, "aXYbXY", false},
		"negated at the end":          {[]Step{content("a"), {Kind: Content, Pattern: []byte("b"), Negated: true, EndsWith: true}}, "bab", true},
		"call":                        {[]Step{{Kind: Call, Func: func(b []byte, _ any) bool { return len(b) == 2 }}}, "ab", true},
	} {
		if got := must(t, c.steps...).Match([]byte(c.buf), new(Ctx)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestContext(t *testing.T) {
	dce := Step{Kind: ByteTest, Bytes: N(2), Op: OpEqual, Value: N(1), Endian: EndianDCE}
	if must(t, dce).Match([]byte{1, 0}, &Ctx{HasDCE: true, DCE: LittleEndian}) != true || must(t, dce).Match([]byte{1, 0}, new(Ctx)) {
		t.Error("order of a DCERPC header")
	}
	deep := Step{Kind: Content, Pattern: []byte("a"), Depth: N(10)}
	if must(t, deep).Match([]byte("---a"), &Ctx{Start: 8}) || !must(t, deep).Match([]byte("-a--"), &Ctx{Start: 8}) || must(t, deep).Match([]byte("a"), &Ctx{Start: 10}) {
		t.Error("depth counts from the start of the stream")
	}
	size := Step{Kind: Size, Min: 12, Max: 12}
	if !must(t, size).Match([]byte("ab"), &Ctx{Start: 10}) {
		t.Error("bsize counts from the start of the stream")
	}
	// A variable extracted from one buffer is used on another.
	a, vars := NewArena(), new(Vars)
	first, err := a.Compile([]Step{{Kind: ByteExtract, Bytes: N(1), Result: "n"}}, vars)
	if err != nil {
		t.Fatal(err)
	}
	second, err := a.Compile([]Step{{Kind: ByteTest, Bytes: N(1), Op: OpEqual, Value: V("n")}}, vars)
	if err != nil {
		t.Fatal(err)
	}
	a.Seal()
	ctx := new(Ctx)
	if !first.Match([]byte("x"), ctx) || ctx.Var(0) != 'x' || !second.Match([]byte("x"), ctx) {
		t.Error("variable across buffers")
	}
	if ctx.ClearVars(); second.Match([]byte("x"), ctx) {
		t.Error("variable after ClearVars")
	}
}

func TestCaptures(t *testing.T) {
	s := regex(t, `"/user=(\w+)/, flow:name"`)
	p := must(t, s, within("!", 1))
	ctx := new(Ctx)
	if !p.Match([]byte("user=ann;user=bob!"), ctx) || len(ctx.Captures) != 1 {
		t.Fatalf("%+v", ctx.Captures)
	}
	if c := ctx.Captures[0]; c.Kind != pcre.CaptureFlow || c.Name != "name" || string(c.Data) != "bob" {
		t.Errorf("%+v", c)
	}
	if p.Match([]byte("user=ann;"), ctx) || len(ctx.Captures) != 0 {
		t.Error("captures of a match that failed")
	}
}

func TestCompileRefuses(t *testing.T) {
	tooMany := make([]Step, MaxSteps+1)
	for i := range tooMany {
		tooMany[i] = content("a")
	}
	var vars []Step
	for i := range MaxVars + 1 {
		vars = append(vars, Step{Kind: ByteExtract, Bytes: N(1), Result: strings.Repeat("v", i+1)})
	}
	for reason, steps := range map[string][]Step{
		"no steps":                nil,
		"at most 4096":            tooMany,
		"more than 64 variables":  vars,
		"unknown kind":            {{}},
		"content of 0 bytes":      {{Kind: Content}},
		"content of 65536 bytes":  {{Kind: Content, Pattern: make([]byte, MaxPattern+1)}},
		"together with distance":  {{Kind: Content, Pattern: []byte("a"), Depth: N(3), Within: N(3)}},
		"startswith together":     {{Kind: Content, Pattern: []byte("a"), Depth: N(3), StartsWith: true}},
		"out of range 3":          {{Kind: Content, Pattern: []byte("abc"), Within: N(2)}},
		"out of range -1048576":   {{Kind: Content, Pattern: []byte("abc"), Distance: N(1 << 21)}},
		"before it is set":        {{Kind: Content, Pattern: []byte("a"), Offset: V("x")}},
		"out of range 1 to 8":     {{Kind: ByteTest, Bytes: N(9), Op: OpEqual}},
		"out of range 0 to 23":    {{Kind: ByteTest, Bytes: N(24), Op: OpEqual, String: true}},
		"operator":                {{Kind: ByteMath, Bytes: N(1), Op: OpEqual, Result: "x"}},
		"result variable":         {{Kind: ByteExtract, Bytes: N(1)}},
		"base 7":                  {{Kind: ByteTest, Bytes: N(1), Op: OpEqual, String: true, Base: 7}},
		"inside base64_data":      {{Kind: Base64, Sub: []Step{{Kind: Base64}}}},
		"more than one base64":    {{Kind: Base64, Sub: []Step{content("a")}}, {Kind: Base64, Sub: []Step{content("a")}}},
		"without an expression":   {{Kind: PCRE}},
		"without a function":      {{Kind: Call}},
		"isdataat without":        {{Kind: IsDataAt}},
		"number of bytes missing": nil,
	} {
		if reason == "number of bytes missing" {
			reason, steps = "number of bytes is missing", []Step{{Kind: ByteJump}}
		}
		a := NewArena()
		_, err := a.Compile(steps, nil)
		if err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v", reason, err)
		}
		if len(a.ops)+len(a.res)+len(a.funcs) != 0 {
			t.Errorf("%s: the arena keeps something", reason)
		}
	}
}

// TestHostile runs rules made to take forever.
func TestHostile(t *testing.T) {
	a := bytes.Repeat([]byte("a"), 1<<18)
	many := make([]Step, MaxSteps)
	for i := range many {
		many[i] = within("a", 100)
	}
	many[0] = content("a")
	many[len(many)-1] = within("b", 1000)
	long := content(strings.Repeat("a", 3000) + "b" + strings.Repeat("a", 3000))
	long.NoCase = true
	far := Step{Kind: Content, Pattern: []byte("b"), Distance: N(0)}
	for name, c := range map[string]struct {
		steps     []Step
		exhausted bool
	}{
		"thousands of relative contents": {many, false},
		"every place, far to search":     {[]Step{content("a"), within("a", 5), {Kind: Content, Pattern: []byte("b"), Distance: N(0)}}, true},
		"long pattern, any case":         {[]Step{long}, true},
		"regex at every place":           {[]Step{content("a"), regex(t, `"/(a+)\1[bc]/R"`)}, true},
		"regex again and again":          {[]Step{regex(t, `"/a/"`), far}, true},
	} {
		p := must(t, c.steps...)
		ctx := new(Ctx)
		start := time.Now()
		if p.Match(a, ctx) || ctx.Exhausted != c.exhausted {
			t.Errorf("%s: matched or exhausted %v", name, ctx.Exhausted)
		}
		if ctx.count > stepLimit {
			t.Errorf("%s: %d steps", name, ctx.count)
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("%s: %v", name, d)
		} else {
			t.Logf("%s: %v, %d steps, budget left %d", name, d, ctx.count, ctx.budget)
		}
	}
}

func TestStepLimit(t *testing.T) {
	// One occurrence of "a" a step pair: the 1500th is out of reach.
	p := must(t, content("a"), within("b", 1))
	for n, want := range map[int]bool{2000: true, 2998: true, 3000: false} {
		buf := append(bytes.Repeat([]byte("a"), n-2), "ab"...)
		if got := p.Match(buf, new(Ctx)); got != want {
			t.Errorf("%d occurrences: %v", n, got)
		}
	}
}

func TestAllocs(t *testing.T) {
	p := must(t, content("GET "), within("id=", 40), Step{Kind: Content, Pattern: []byte("host"), NoCase: true, Distance: N(0)},
		Step{Kind: ByteExtract, Bytes: N(2), String: true, Base: 10, Offset: N(2), Relative: true, Result: "n"},
		regex(t, `"/(\w+)\r\n/R, flow:x"`), Step{Kind: Base64, Relative: true, Sub: []Step{content("hello")}})
	buf := []byte("GET /a?id=1 HTTP/1.1\r\nHost: 12example\r\naGVsbG8=")
	ctx := new(Ctx)
	if !p.Match(buf, ctx) {
		t.Fatal("no match")
	}
	if n := testing.AllocsPerRun(100, func() { p.Match(buf, ctx) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestArena(t *testing.T) {
	a := NewArena()
	for range 1000 {
		if _, err := a.Compile([]Step{content("User-Agent: "), within("evil", 20)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	a.Seal()
	if n := a.Size(); n > 1000*2*opSize+100 {
		t.Errorf("1000 rules take %d bytes", n)
	}
}

func BenchmarkMatch(b *testing.B) {
	host := content("host: ")
	host.NoCase = true
	p := must(b, content("GET "), host, within("example", 30), Step{Kind: Content, Pattern: []byte("missing"), NoCase: true})
	buf := []byte("GET /index.html HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: curl\r\n" + strings.Repeat("Accept-Language: en\r\n", 50))
	ctx := new(Ctx)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		p.Match(buf, ctx)
	}
}

// BenchmarkReject is the common case: the first content decides.
func BenchmarkReject(b *testing.B) {
	p := must(b, Step{Kind: Content, Pattern: []byte("POST"), Depth: N(4)}, content("x"))
	buf := []byte("GET /index.html HTTP/1.1\r\n")
	ctx := new(Ctx)
	b.ReportAllocs()
	for b.Loop() {
		p.Match(buf, ctx)
	}
}
