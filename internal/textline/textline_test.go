package textline

import (
	"strings"
	"testing"
)

func TestFold(t *testing.T) {
	for _, tt := range []struct {
		b, s                      string
		is, prefix, may, contains bool
	}{
		{"", "", true, true, true, true},
		{"", "a", false, false, true, false},
		{"AUTH", "auth", true, true, true, true},
		{"auth", "AUTH", true, true, true, true},
		{"AUTH TLS", "auth", false, true, true, true},
		{"AU", "auth", false, false, true, false},
		{"xAuth", "auth", false, false, false, true},
		{"AUT\xc8", "auth", false, false, false, false},
		{"[", "{", false, false, false, false}, // differ in the bit of the case alone
		{"@", "`", false, false, false, false},
		{"\u212a", "k", false, false, false, false}, // the sign of kelvin folds to k in Unicode
		{"smt smtp", "SMTP", false, false, false, true},
	} {
		b := []byte(tt.b)
		if Is(b, tt.s) != tt.is || HasPrefix(b, tt.s) != tt.prefix || MayBecome(b, tt.s) != tt.may || Contains(b, tt.s) != tt.contains {
			t.Errorf("%q, %q: %v %v %v %v", tt.b, tt.s, Is(b, tt.s), HasPrefix(b, tt.s), MayBecome(b, tt.s), Contains(b, tt.s))
		}
		if rest, ok := CutPrefix(b, tt.s); ok != tt.prefix || ok && string(rest) != tt.b[len(tt.s):] {
			t.Errorf("%q without %q: %q, %v", tt.b, tt.s, rest, ok)
		}
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]bool{"": true, "a b~": true, "\xff": true, "a\x00": false, "\x7f": false, "\t": false} {
		if got := Printable([]byte(in)); got != want {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestNumber(t *testing.T) {
	for in, want := range map[string]int64{"": 0, "x": 0, "12": 12, "12 3": 12, "-1": 0, "999999999": 999999999, "1234567890": 123456789} {
		if got := Number([]byte(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		in, line string
		n        int
		long     bool
	}{
		{"", "", 0, false}, {"abc", "", 0, false}, {"\n", "", 1, false}, {"ab\r\ncd", "ab\r", 4, false}, {"abc\n", "abc", 4, false},
		{"abcd", "abcd", 4, true}, {"abcd\n", "abcd", 4, true}, {"abcdef", "abcd", 4, true},
	} {
		if line, n, long := Cut([]byte(tt.in), 4); string(line) != tt.line || n != tt.n || long != tt.long {
			t.Errorf("%q: %q %d %v", tt.in, line, n, long)
		}
	}
}

// TestScanner shows the same lines whatever pieces the stream comes in.
func TestScanner(t *testing.T) {
	const stream = "one\r\n\r\ntwo\n\r\r\nthree"
	for piece := 1; piece <= len(stream); piece++ {
		var s Scanner
		var held, got []byte
		for at := 0; at < len(stream); at += piece {
			held = append(held, stream[at:min(at+piece, len(stream))]...)
			for {
				line, n := s.Next(held)
				if n == 0 {
					break
				}
				got = append(append(got, line...), '|')
				held = held[n:]
			}
		}
		if string(got) != "one||two||" || string(held) != "three" {
			t.Errorf("pieces of %d: %q, left %q", piece, got, held)
		}
	}
}

func TestFields(t *testing.T) {
	var f Fields
	for _, line := range []string{"Via: a", "via:b", "X :\t c d ", " folded: d", "\tx: y", ": z", "none", "", "Empty:"} {
		if i := Colon([]byte(line)); i >= 0 {
			f = append(f, FieldAt([]byte(line), i))
		}
	}
	var got strings.Builder
	for _, x := range f {
		got.WriteString(string(x.Name) + "=" + string(x.Value) + "|")
	}
	if want := "Via=a|via=b|X=c d|Empty=|"; got.String() != want {
		t.Errorf("%s, want %s", got.String(), want)
	}
	if v := f.Get("vIA"); string(v) != "a" {
		t.Errorf("%q", v)
	}
	if f.Get("folded") != nil {
		t.Error("a continuation is a field")
	}
}

func TestNoAllocs(t *testing.T) {
	b := []byte("Subject: a mail server of SMTP\r\n")
	var s Scanner
	if n := testing.AllocsPerRun(100, func() {
		line, _ := s.Next(b)
		f := FieldAt(line, Colon(line))
		if !Is(f.Name, "subject") || !Contains(f.Value, "smtp") {
			t.Error(f)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkIs(b *testing.B) {
	name := []byte("Content-Length")
	for b.Loop() {
		Is(name, "content-length")
	}
}

func FuzzCut(f *testing.F) {
	f.Add([]byte("220 x\r\n"), 4)
	f.Fuzz(func(t *testing.T, b []byte, most int) {
		if most <= 0 || most > 1<<16 {
			return
		}
		line, n, long := Cut(b, most)
		switch {
		case n > len(b), len(line) > n, long && n != most:
			t.Fatalf("%q %d %v", line, n, long)
		case n == 0 && (long || len(b) >= most):
			t.Fatalf("no line of %d bytes, most %d", len(b), most)
		}
		if i := Colon(line); i >= 0 {
			FieldAt(line, i)
		}
	})
}
