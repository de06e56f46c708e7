package rules

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestParsePattern(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"abc", "abc"},
		{"|41|", "A"},
		{"|41 42|c|44|", "ABcD"},
		{"|41,42|", "AB"},
		{"|4 1|", "A"},
		{"|aAfF|", "\xaa\xff"},
		{`a\;b\\c\"d\:e`, `a;b\c"d:e`},
		{"a:b;c", "a:b;c"},
		{"a||b", "ab"},
		{"\x80\xff", "\x80\xff"},
	} {
		got, err := ParsePattern(c.text)
		if err != nil || string(got) != c.want {
			t.Errorf("%q is %q (%v), want %q", c.text, got, err, c.want)
		}
	}
	for text, want := range map[string]string{
		"":       "empty",
		"||":     "empty",
		"|414|":  "odd number",
		"|41":    "not closed",
		"a|":     "not closed",
		"|4x|":   "no hexadecimal digit",
		"|4\t1|": "no hexadecimal digit",
		`a\x`:    `\x is no escape`,
		`a\|41|`: `\| is no escape`,
		`abc\`:   "lone backslash",
		`a"b`:    "not escaped",
	} {
		if got, err := ParsePattern(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %q, %v; want an error with %q", text, got, err, want)
		}
	}
}

func TestParseContent(t *testing.T) {
	for v, want := range map[string]Content{
		`"abc"`:        {[]byte("abc"), false},
		`!"a|00|"`:     {[]byte("a\x00"), true},
		` ! "abc" `:    {[]byte("abc"), true},
		`"|22|"`:       {[]byte(`"`), false},
		`"! not this"`: {[]byte("! not this"), false},
	} {
		got, err := ParseContent(v)
		if err != nil || !bytes.Equal(got.Bytes, want.Bytes) || got.Negated != want.Negated {
			t.Errorf("%s is %+v, %v", v, got, err)
		}
	}
	for _, v := range []string{"", "abc", `"abc`, `abc"`, `"`, `""`, `!""`, `!`, `"|4|"`} {
		if got, err := ParseContent(v); err == nil {
			t.Errorf("%s is %+v", v, got)
		}
	}
}

// TestAppendPattern: what is written reads back as the same bytes.
func TestAppendPattern(t *testing.T) {
	if got := string(AppendPattern(nil, []byte("GET \r\n;x|\x00"))); got != "GET |0D 0A 3B|x|7C 00|" {
		t.Error(got)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		b := make([]byte, 1+r.IntN(20))
		for i := range b {
			b[i] = byte(r.IntN(256)) & byte(0x7f+r.IntN(2)*0x80)
		}
		text := AppendPattern(nil, b)
		got, err := ParsePattern(string(text))
		if err != nil || !bytes.Equal(got, b) {
			t.Fatalf("%q written as %s reads as %q, %v", b, text, got, err)
		}
	}
}

func TestUnquote(t *testing.T) {
	for _, c := range []struct {
		v, text         string
		negated, quoted bool
	}{
		{`"a"`, "a", false, true}, {`!"a"`, "a", true, true}, {` ! "a b" `, "a b", true, true},
		{"a", "a", false, false}, {"!a", "a", true, false}, {`"`, `"`, false, false}, {"", "", false, false}, {`""`, "", false, true},
	} {
		text, negated, quoted := Unquote(c.v)
		if text != c.text || negated != c.negated || quoted != c.quoted {
			t.Errorf("%q: %q %v %v", c.v, text, negated, quoted)
		}
	}
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{"a": "a", `a\;b`: "a;b", `\\`: `\`, `\x`: "x", `a\`: "a", "": ""} {
		if got := Unescape(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestSplitList(t *testing.T) {
	for _, c := range []struct {
		v    string
		want []string
	}{
		{"", []string{""}},
		{"a", []string{"a"}},
		{" a , b ,c", []string{"a", "b", "c"}},
		{`name,"a,b",c`, []string{"name", `"a,b"`, "c"}},
		{`a\,b,c`, []string{`a\,b`, "c"}},
		{"a,,", []string{"a", "", ""}},
		{`a\`, []string{`a\`}},
	} {
		if got := SplitList(nil, c.v, ','); !slices.Equal(got, c.want) {
			t.Errorf("%q is %q, want %q", c.v, got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[string]uint64{"0": 0, "00080": 80, "0x1F": 31, "255": 255, "0Xff": 255} {
		if got, err := ParseUint(v, 255); err != nil || got != want {
			t.Errorf("ParseUint(%q) = %d, %v", v, got, err)
		}
	}
	for _, v := range []string{"", "256", "-1", "+1", " 1", "1 ", "0x", "x", "1a", "0x100", "18446744073709551616", "99999999999999999999999"} {
		if got, err := ParseUint(v, 255); err == nil {
			t.Errorf("ParseUint(%q) = %d", v, got)
		}
	}
	if got, err := ParseUint("18446744073709551615", math.MaxUint64); err != nil || got != math.MaxUint64 {
		t.Error(got, err)
	}
	for v, want := range map[string]int64{"-5": -5, "+5": 5, "5": 5, "0": 0, "-0x10": -16} {
		if got, err := ParseInt(v, -65535, 65535); err != nil || got != want {
			t.Errorf("ParseInt(%q) = %d, %v", v, got, err)
		}
	}
	for _, v := range []string{"", "-", "--1", "-+1", "65536", "-65536", "9223372036854775808", "1.5"} {
		if got, err := ParseInt(v, -65535, 65535); err == nil {
			t.Errorf("ParseInt(%q) = %d", v, got)
		}
	}
	for v, want := range map[string]uint64{"10": 10, "10kb": 10240, "5 MB": 5 << 20, "1GiB": 1 << 30, "2 Kib": 2048} {
		if got, err := ParseSize(v, math.MaxUint64); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v", v, got, err)
		}
	}
	for _, v := range []string{"", "kb", "10xb", "10k", "18446744073709551615kb", "-1kb", "5gb"} {
		if got, err := ParseSize(v, 4<<30); err == nil {
			t.Errorf("ParseSize(%q) = %d", v, got)
		}
	}
}

func TestParseUintRange(t *testing.T) {
	for _, c := range []struct {
		v       string
		in, out []uint64
	}{
		{"10", []uint64{10}, []uint64{9, 11}},
		{" = 10 ", []uint64{10}, []uint64{9}},
		{"0x10", []uint64{16}, []uint64{10}},
		{"!10", []uint64{9, 11}, []uint64{10}},
		{"!= 10", []uint64{9, 11}, []uint64{10}},
		{">10", []uint64{11, 255}, []uint64{10}},
		{">=10", []uint64{10, 255}, []uint64{9}},
		{"< 10", []uint64{0, 9}, []uint64{10}},
		{"<=10", []uint64{10}, []uint64{11}},
		{"10-20", []uint64{11, 19}, []uint64{10, 20}},
		{"10 <> 20", []uint64{11, 19}, []uint64{10, 20}},
		{"!10-20", []uint64{10, 20, 255}, []uint64{11, 19}},
		{"&6=4", []uint64{4, 5, 12}, []uint64{6, 2, 0}},
		{"& 0x6 != 4", []uint64{6, 2, 0}, []uint64{4}},
	} {
		u, err := ParseUintRange(c.v, 255)
		if err != nil {
			t.Errorf("%q: %v", c.v, err)
			continue
		}
		again, err := ParseUintRange(u.String(), 255)
		if err != nil || again != u {
			t.Errorf("%q is written %q, which reads %+v, %v", c.v, u, again, err)
		}
		for _, n := range c.in {
			if !u.Match(n) {
				t.Errorf("%q does not match %d", c.v, n)
			}
		}
		for _, n := range c.out {
			if u.Match(n) {
				t.Errorf("%q matches %d", c.v, n)
			}
		}
	}
	for _, v := range []string{
		"", "x", "256", "<0", ">255", ">=0", "<=255", "20-10", "10-11", "10-10", "10-", "-10", "10-20-30", "10 20",
		"=10-20", "!=10-20", ">10-20", "&", "&4", "&4=2", "&4=", "1kb", "!", "10-300", "18446744073709551615gb",
	} {
		if u, err := ParseUintRange(v, 255); err == nil {
			t.Errorf("%q is %+v", v, u)
		}
	}
	if u, err := ParseUintRange(">1kb", 1<<32); err != nil || u.A != 1024 {
		t.Error(u, err)
	}
	if u, err := ParseUintRange("18446744073709551615gb", math.MaxUint64); err == nil {
		t.Error(u)
	}
	u, err := ParseUintRangeInclusive("10-11", 255)
	if err != nil || !u.Match(10) || !u.Match(11) || u.Match(9) || u.Match(12) {
		t.Error(u, err)
	}
	if u, err := ParseUintRangeInclusive("!3<>5", 255); err != nil || !u.Match(2) || u.Match(3) || u.Match(5) || !u.Match(6) {
		t.Error(u, err)
	}
	for _, v := range []string{"0-5", "5-255", "5-5"} {
		if u, err := ParseUintRangeInclusive(v, 255); err == nil {
			t.Errorf("%q is %+v", v, u)
		}
	}
}
