package pcre

import (
	"bytes"
	"errors"
	"math/rand"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

func mustParse(t testing.TB, opt string) *Regexp {
	t.Helper()
	re, err := Parse(opt)
	if err != nil {
		t.Fatalf("%s: %v", opt, err)
	}
	return re
}

func TestOption(t *testing.T) {
	re := mustParse(t, `!"/a\/b[/]c/iRU"`)
	if !re.Negated() || !re.Relative() || re.Buffer() != 'U' || re.Source() != `a\/b[/]c` || re.NoLimit() {
		t.Errorf("%v %v %c %s", re.Negated(), re.Relative(), re.Buffer(), re.Source())
	}
	if re = mustParse(t, ` "/x/O" `); !re.NoLimit() || re.Negated() {
		t.Error("flag O")
	}
	re = mustParse(t, `"/(\w+) (\d+)/, flow:user, pkt:n"`)
	want := []Capture{{CaptureFlow, "user"}, {CapturePacket, "n"}}
	if !slices.Equal(re.Captures(), want) {
		t.Errorf("%v", re.Captures())
	}
	re = mustParse(t, `"/(?P<pkt_http_ua>a)(?P<x>b)(?P<flow_v>c)/"`)
	if want := []Capture{{CapturePacket, "http_ua"}, {CaptureFlow, "v"}}; !slices.Equal(re.Captures(), want) {
		t.Errorf("%v", re.Captures())
	}
	var m Machine
	if ok, _ := re.Match([]byte("-abc"), 0, &m); !ok {
		t.Fatal("no match")
	}
	if lo, hi := m.Group(2); lo != 2 || hi != 3 {
		t.Errorf("second variable at %d to %d, wanted group 2", lo, hi)
	}
}

func TestRefused(t *testing.T) {
	for opt, reason := range map[string]string{
		`"abc"`:              "begin with a slash",
		`"/abc"`:             "closing slash",
		`"/a/j"`:             "unknown flag",
		`"/a/UH"`:            "two buffers",
		`"/a/, foo:b"`:       "variable",
		`"/a/, flow:b"`:      "1 variables for 0 groups",
		`"/(a/"`:             "missing )",
		`"/a)/"`:             "unmatched )",
		`"/[a/"`:             "missing ]",
		`"/*a/"`:             "without an item",
		`"/a**/"`:            "two quantifiers",
		`"/a{3,2}/"`:         "out of order",
		`"/a{65536}/"`:       "count over",
		`"/[b-a]/"`:          "out of order",
		`"/[[:nope:]]/"`:     "POSIX",
		`"/\x{100}/"`:        "over 0xff",
		`"/\y/"`:             "unsupported escape",
		`"/\1/"`:             "group 1 of 0",
		`"/(?P=no)/"`:        "unknown group",
		`"/(?<=a*)b/"`:       "not fixed length",
		`"/(?<n>a)(?<n>b)/"`: "two groups",
		`"/(?R)/"`:           "unsupported group",
		`"/(*SKIP)a/"`:       "verbs",
		`"/(?#a/"`:           "comment without end",
		`"/` + strings.Repeat("(", maxDepth+1) + strings.Repeat(")", maxDepth+1) + `/"`:                           "nested groups",
		`"/((((a{9}b){99}c){99}d){99}e){99}/"`:                                                                    "instructions",
		`"/((((){65535}){65535}){65535})/"`:                                                                       "repeated too often",
		`"/(a)(a)(a)(a)(a)(a)(a)(a)(a)/, flow:a, flow:b, flow:c, flow:d, flow:e, flow:f, flow:g, flow:h, flow:i"`: "at most 8",
		`"/` + strings.Repeat("a", maxOption) + `/"`:                                                              "at most 8192",
	} {
		if _, err := Parse(opt); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%.60s: %v, wanted %q", opt, err, reason)
		}
	}
}

// TestMatch holds what random expressions do not reach.
func TestMatch(t *testing.T) {
	for _, c := range []struct{ opt, subject, want string }{
		{`/a b # c/x`, "ab", "0,2"},
		{`/[^\x00-\x7f]{2}/`, "a\xc3\xa9", "1,3"},
		{`/\x{e9}/i`, "\xc9", "-"},
		{`/\h+\R/`, "a \xa0\r\nb", "1,5"},
		{`/(?i)straSSe(?-i)X/`, "STRASSEX", "0,8"},
		{`/(?i)straSSe(?-i)X/`, "STRASSEx", "-"},
		{`/a{,2}/`, "aa{,2}", "1,6"},
		{`/^b$/m`, "a\nb\nc", "2,3"},
		{`/^/m`, "\n", "0,0"},
		{`/a$/`, "a\n", "0,1"},
		{`/a$/E`, "a\n", "-"},
		{`/a+?/G`, "aaa", "0,3"},
		{`/(a)|b\1/`, "b", "-"},
		{`/(?:(a)|b)(?(1)c|d)/`, "bdac", "0,2"},
		{`/(?=(a+))\1b/`, "aab", "0,3 0,2"},
		{`/(?>a+)ab/`, "aaab", "-"},
		{`/a++ab/`, "aaab", "-"},
		{`/(?<!a|bc)d/`, "adbcdxd", "6,7"},
		{`/foo\Kbar/`, "foobar", "3,6"},
		{`/(\w)\1(?P=x)?(?<x>z)?/`, "aa", "0,2 0,1"},
		{`/\Qa.b*\E+/`, "a.b***", "0,6"},
		{`/[]a]+[^]]/`, "]a]b", "0,4"},
		{`/[a\]\-z]+/`, "-]az", "0,4"},
		{`/\cA\e\07\o{10}/`, "\x01\x1b\x07\x08", "0,4"},
		{`/(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\10\g{-1}/`, "abcdefghijjj", "0,12 0,1 1,2 2,3 3,4 4,5 5,6 6,7 7,8 8,9 9,10"},
		{`/(?|(a)b|(c)d)\1/`, "cdc", "0,3 0,1"},
		{`/(a*)*b/`, "aac", "-"},
		{`/(a|ab)(c|bcd)(d*)/`, "abcd", "0,4 0,1 1,4 4,4"},
		{`//`, "x", "0,0"},
	} {
		re := withGroups(t, c.opt)
		var m Machine
		ok, err := re.Match([]byte(c.subject), 0, &m)
		if got := places(&m, ok, re.prog.Load().groups); got != c.want || err != nil {
			t.Errorf("%s on %q: %s %v, want %s", c.opt, c.subject, got, err, c.want)
		}
	}
}

// TestGo compares with Go's engine where both mean the same.
func TestGo(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	atoms := []string{"a", "b", "c", "[ab]", "[^b]", "x", "ab", "a|b", "(?:a|bc)", "^", "$", `\b`}
	var m Machine
	for n := 0; n < 3000; {
		var text string
		for range 1 + r.Intn(5) {
			a := atoms[r.Intn(len(atoms))]
			if r.Intn(3) == 0 && a != "^" && a != "$" && a != `\b` {
				a = "(" + a + ")" + []string{"*", "+", "?", "*?", "+?", "{1,3}"}[r.Intn(6)]
			}
			text += a
		}
		std, err := regexp.Compile(`(?s)` + strings.ReplaceAll(text, "$", `\z`))
		if err != nil {
			continue
		}
		n++
		re := mustParse(t, "/"+text+"/sE")
		for range 5 {
			s := make([]byte, r.Intn(10))
			for i := range s {
				s[i] = "abcx"[r.Intn(4)]
			}
			want := std.FindIndex(s)
			m.Reset(0)
			ok, err := re.Match(s, 0, &m)
			if lo, hi := m.Group(0); err != nil || ok != (want != nil) || ok && (lo != want[0] || hi != want[1]) {
				t.Fatalf("%s on %q: %v %d,%d %v, Go says %v", text, s, ok, lo, hi, err, want)
			}
			if lit, fold := re.Literal(); want != nil && !fold && !bytes.Contains(s, []byte(lit)) {
				t.Fatalf("%s: literal %q is not in %q", text, lit, s)
			}
		}
	}
}

func TestLiteral(t *testing.T) {
	for opt, want := range map[string]string{
		`/foo\d+longer.x?/`:     "longer",
		`/Foo-Bar/i`:            "i:foo-bar",
		`/(?:abc){2}|d/`:        "",
		`/(?:abcd)+e(?=zzzzz)/`: "abcd",
		`/\/a\x2eb[0-9]/`:       "/a.b",
		`/(ab|cd)*efg?/`:        "ef",
	} {
		lit, fold := mustParse(t, opt).Literal()
		if fold {
			lit = "i:" + lit
		}
		if lit != want {
			t.Errorf("%s: %q, want %q", opt, lit, want)
		}
	}
}

// TestBounded runs expressions that take exponential or quadratic time in a
// plain backtracking matcher.
func TestBounded(t *testing.T) {
	a := bytes.Repeat([]byte("a"), 20000)
	for _, c := range []struct {
		opt    string
		budget bool // ends with ErrBudget; else it finishes by its memory
	}{
		{`/(a*)*b/`, false}, {`/(a|aa)+$b/`, false}, {`/(?:a+)+b/`, false},
		{`/(.*)(.*)(.*)(.*)x\d/s`, false}, {`/(?:a?){30}b/`, false}, {`/a.*a.*[^a]/s`, false},
		{`/.*?.*?.*?b/s`, false}, {`/(?:(?:a|b)*?c)*d/`, false},
		{`/(a+)+\1b/`, true}, {`/(?:(a+)(a+))+\2\1c/`, true}, {`/^(a?){9}(a*)*\2*\1c/`, true},
	} {
		re := mustParse(t, c.opt)
		var m Machine
		m.Reset(1 << 23)
		ok, err := re.Match(a, 0, &m)
		if ok || c.budget != errors.Is(err, ErrBudget) {
			t.Errorf("%s: %v %v after %d steps", c.opt, ok, err, m.Spent())
		}
		if m.Spent() > 1<<23+len(a) {
			t.Errorf("%s: %d steps", c.opt, m.Spent())
		}
	}
}

// TestStack reaches the limit of the stack before that of the steps.
func TestStack(t *testing.T) {
	re := mustParse(t, `/^(?:(?:ab|c)x?)*\b(d)\1/`)
	var m Machine
	m.Reset(1 << 30)
	ok, err := re.Match(bytes.Repeat([]byte("ab"), maxFrames), 0, &m)
	if ok || err != ErrBudget {
		t.Errorf("%v %v", ok, err)
	}
	if len(m.stack) > maxFrames {
		t.Errorf("%d frames", len(m.stack))
	}
}

// TestBudgetShared shows that a budget holds for all matches until Reset.
func TestBudgetShared(t *testing.T) {
	re := mustParse(t, `/(.)\1x/s`)
	subject := bytes.Repeat([]byte("ax"), 100)
	subject = append(subject, "x y"...)
	var m Machine
	m.Reset(2000)
	for i := range 100 {
		if _, err := re.Match(subject[1:], 0, &m); err == ErrBudget {
			if i == 0 {
				t.Error("refused at once")
			}
			m.Reset(2000)
			if _, err := re.Match([]byte("aax"), 0, &m); err != nil {
				t.Error(err)
			}
			return
		}
	}
	t.Errorf("100 matches took %d steps of 2000", m.Spent())
}

func TestConcurrentFirstUse(t *testing.T) {
	re := mustParse(t, `/(?:foo|ba+r)\d/i`)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			var m Machine
			if ok, err := re.Match([]byte("xx BAAR7"), 0, &m); !ok || err != nil {
				t.Error(ok, err)
			}
		})
	}
	wg.Wait()
}

func TestAllocs(t *testing.T) {
	subject := []byte(strings.Repeat("key=value; session=0123456789abcdef; ", 40) + "id=7\r\n")
	for _, opt := range []string{`/session=([0-9a-f]+).*id=\d\r\n$/s`, `/(\w+)=\1/`, `/(a|v)*?(?=x)(?<!y)z/`, `/(?:\w|e)+!/`} {
		re := mustParse(t, opt)
		var m Machine
		run := func() {
			m.Reset(0)
			if _, err := re.Match(subject, 0, &m); err != nil {
				t.Fatal(opt, err)
			}
		}
		run()
		if n := testing.AllocsPerRun(20, run); n != 0 {
			t.Errorf("%s: %v allocations", opt, n)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`/(?:a|b)*c{2,5}?[^\d\x00-\x1f]+\1/iR`, `/(?<=ab)(?(1)c|d)\Qx\E(?|a|b)/sm`, `/\g{-1}(?P<n>x)(?P=n)/x`} {
		f.Add(s, []byte("abcabcc"))
	}
	f.Fuzz(func(t *testing.T, opt string, subject []byte) {
		re, err := Parse(opt)
		if err != nil {
			return
		}
		var m Machine
		for _, m.remember = range []bool{false, true} {
			m.Reset(1 << 18)
			ok, _ := re.Match(subject, 0, &m)
			if lo, hi := m.Group(0); ok && (lo < 0 || hi > len(subject)) {
				t.Fatalf("%q on %q: %d to %d", opt, subject, lo, hi)
			}
			if lit, fold := re.Literal(); ok && !fold && !bytes.Contains(subject, []byte(lit)) {
				t.Fatalf("%q on %q: literal %q", opt, subject, lit)
			}
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	subject := []byte(strings.Repeat("GET /images/logo.png?id=42 HTTP/1.1\r\nHost: example.com\r\n", 20))
	for _, opt := range []string{`/^Host: evil[0-9]+\.com/m`, `/\.php\?[a-z]{2,}=\d+$/i`, `/[a-f0-9]{32}/`} {
		re := mustParse(b, opt)
		b.Run(opt[1:len(opt)-2], func(b *testing.B) {
			var m Machine
			b.SetBytes(int64(len(subject)))
			b.ReportAllocs()
			for b.Loop() {
				m.Reset(0)
				re.Match(subject, 0, &m)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(`"/^\/(?:[a-z0-9]{4,8}\/){2,}(?P<n>\w+)\.(?:php|asp)\?(?P=n)=[^&\r\n]+$/Ui"`); err != nil {
			b.Fatal(err)
		}
	}
}
