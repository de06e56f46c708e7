package match

import (
	"crypto/md5"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/rules"
)

// TestPortIndex compares with asking every rule.
func TestPortIndex(t *testing.T) {
	text := `
alert tcp any any -> any 80 (sid:1;)
alert tcp any any -> any [1:1024,!80] (sid:2;)
alert tcp any 53 -> any any (sid:3;)
alert tcp any any -> any any (sid:4;)
alert tcp any 1: -> any [443,8443] (sid:5;)
alert tcp any ![100:200] -> any any (sid:6;)
`
	rs, _ := rules.Parse("t", strings.NewReader(text), rules.ParseConfig{})
	var in []portEntry
	for i, r := range rs {
		in = append(in, portEntry{uint32(i), r.SrcPorts.Set(), r.DstPorts.Set()})
	}
	x := buildPortIndex(in)
	for sp := uint32(0); sp < 65536; sp += 17 {
		for _, dp := range []uint16{0, 1, 79, 80, 81, 443, 1024, 1025, 8443, 65535} {
			var want []uint32
			for _, e := range in {
				if e.dp != nil && e.dp.Contains(dp) || e.dp == nil && (e.sp == nil || e.sp.Contains(uint16(sp))) {
					want = append(want, e.id)
				}
			}
			if got := x.find(nil, uint16(sp), dp); !slices.Equal(got, want) {
				t.Fatalf("ports %d %d: rules %v, want %v", sp, dp, got, want)
			}
		}
	}
}

// TestIPIndex compares with asking every rule, on random lists.
func TestIPIndex(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	addr := func() string {
		return "10." + string(rune('0'+rnd.IntN(3))) + "." + string(rune('0'+rnd.IntN(3))) + "." + string(rune('0'+rnd.IntN(9)))
	}
	var text strings.Builder
	for i := range 60 {
		src, dst := "any", "any"
		for range rnd.IntN(4) {
			src = strings.TrimPrefix(src+","+addr()+[]string{"", "/24", "/30"}[rnd.IntN(3)], "any,")
		}
		if rnd.IntN(2) == 0 {
			dst = addr() + "/28"
		}
		text.WriteString("alert ip [" + src + "] any -> " + dst + " any (sid:" + string(rune('0'+i/10)) + string(rune('0'+i%10)) + "1;)\n")
	}
	rs, problems := rules.Parse("t", strings.NewReader(text.String()), rules.ParseConfig{})
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	var compiled []rule
	var ids []uint32
	for i, r := range rs {
		compiled = append(compiled, rule{src: r.Src.Set(), dst: r.Dst.Set()})
		ids = append(ids, uint32(i))
	}
	x := buildIPIndex(ids, compiled)
	for range 5000 {
		src := packet.AddrFrom4([]byte{10, byte(rnd.IntN(3)), byte(rnd.IntN(3)), byte(rnd.IntN(12))})
		dst := packet.AddrFrom4([]byte{10, byte(rnd.IntN(3)), byte(rnd.IntN(3)), byte(rnd.IntN(12))})
		matching := func(list []uint32) (out []uint32) {
			for _, id := range list {
				if r := &compiled[id]; r.src.Contains((*[16]byte)(&src)) && r.dst.Contains((*[16]byte)(&dst)) {
					out = append(out, id)
				}
			}
			return out
		}
		if got, want := matching(x.find(nil, &src, &dst)), matching(ids); !slices.Equal(got, want) {
			t.Fatalf("%v to %v: rules %v, want %v", src, dst, got, want)
		}
	}
}

func TestTransforms(t *testing.T) {
	sum := md5.Sum([]byte("ab"))
	for _, c := range []struct{ options, in, want string }{
		{"dotprefix;", "a.b", ".a.b"},
		{"to_lowercase;", "A1bÄ", "a1bÄ"},
		{"to_uppercase;", "a1B", "A1B"},
		{"strip_whitespace;", " a\tb\r\n", "ab"},
		{"compress_whitespace;", "a \t b  c", "a b c"},
		{"url_decode;", "a%20b+c%zz%4", "a b c%zz%4"},
		{"to_md5;", "ab", string(sum[:])},
		{`xor:"0102";`, "abc", "\x60\x60\x62"},
		{`xor:"offset 1,extract 1 0";`, "\x02abc", "c`a"},
		{`xor:"offset 2,extract 2 0";`, "\x01\x02abc", "\x60\x60\x62"},
		{`xor:"offset 1,extract 3 0";`, "ab", "ab"},
		{"from_base64;", "aGVsbG8=", "hello"},
		{"from_base64: bytes 4, offset 1;", "xaGVsbG8=", "hel"},
		{`pcrexform:"x=(\d+)";`, "a x=42 b", "42"},
		{`pcrexform:"x=(\d+)";`, "none", "none"},
		{"header_lowercase;", "Host: A\r\nX-Y: Z\r\n", "host: A\r\nx-y: Z\r\n"},
		{"strip_pseudo_headers;", ":method\r\nhost\r\n:path\r\n", "host\r\n"},
		{"to_lowercase; strip_whitespace; dotprefix;", "A B", ".ab"},
	} {
		rs, problems := rules.Parse("t", strings.NewReader(`alert http any any -> any any (http.uri; `+c.options+` content:"x"; sid:1;)`), rules.ParseConfig{})
		set, more := Compile(rs, Options{})
		if problems = append(problems, more...); len(problems) > 0 || len(set.chains) != 2 {
			t.Fatalf("%s: %v, %d sequences", c.options, problems, len(set.chains)-1)
		}
		w := NewWorker(set, Config{})
		if got := string(w.apply(set.chains[1], []byte(c.in))); got != c.want {
			t.Errorf("%s of %q: %q, want %q", c.options, c.in, got, c.want)
		}
	}
}

// TestHostsBounded fills the table far beyond its limit.
func TestHostsBounded(t *testing.T) {
	h := NewHosts(1600)
	for i := range 20000 {
		a := packet.AddrFrom4([]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		_, _, s := h.count(countKey{rule: 1, a: a}, int64(i), 1e18)
		s.mu.Unlock()
		h.setBit(bitKey{id: 1, a: a}, int64(i), 1e18)
	}
	if n := h.Len(); n > 1600 || n < 800 {
		t.Errorf("%d entries", n)
	}
	k := bitKey{id: 2}
	h.setBit(k, 100, 200)
	if !h.bit(k, 200) || h.bit(k, 201) {
		t.Error("a bit does not expire when it should")
	}
}

// TestFlowBounds fills what a flow may hold.
func TestFlowBounds(t *testing.T) {
	f := &Flow{}
	f.reset(0)
	for i := range uint32(2 * MaxFlowInts) {
		f.setInt(i, i)
	}
	if len(f.ints) != MaxFlowInts {
		t.Errorf("%d counters", len(f.ints))
	}
	type fake struct {
		noTx
		n int
	}
	for i := range 2 * MaxOpenTx {
		if ok := f.tx(fake{n: i}) != nil; ok != (i < MaxOpenTx) {
			t.Errorf("transaction %d: state %v", i, ok)
		}
	}
	f.forget(fake{n: 3})
	if f.open(fake{n: 3}) || !f.open(fake{n: 4}) || f.tx(fake{n: 99}) == nil {
		t.Error("a transaction that ended makes no room")
	}
}

func TestDataset(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "names.lst")
	if err := os.WriteFile(list, []byte("ZXhhbXBsZS5vcmc=\n# comment\nYQ==,7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &dataset{kind: "string", has: map[string]uint16{}}
	if err := d.read(list); err != nil {
		t.Fatal(err)
	}
	if _, ok := d.find([]byte("example.org")); !ok {
		t.Error("example.org is not found")
	}
	if v, ok := d.find([]byte("a")); !ok || v != 7 {
		t.Error("a has lost its reputation", v, ok)
	}
	if !d.add([]byte("new")) || d.add([]byte("new")) {
		t.Error("a value is new once")
	}
	if err := os.WriteFile(list, []byte("not base64\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.read(list); err == nil {
		t.Error("a damaged list is read")
	}
}

func TestVersions(t *testing.T) {
	for v, want := range map[string]bool{">= 7": true, ">= 7.0.3 < 8": true, "< 7": false, ">= 8 | < 7.1": true, ">= 9": false, "nonsense": false} {
		if got := versionFits(strings.Fields(v)); got != want {
			t.Errorf("%s: %v", v, got)
		}
	}
}
