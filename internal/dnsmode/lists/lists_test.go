package lists

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

func text(name, s string) Source {
	return Source{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(s)), nil }}
}

func load(t *testing.T, s *Store, src ...Source) []Status {
	t.Helper()
	st, err := s.Load(context.Background(), src)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

const mixed = "\ufeff" + `# a hosts file and more
127.0.0.1 localhost localhost.localdomain
0.0.0.0 ads.example.com tracker.example.net # both
:: six.example.com
192.168.1.1 router.example.com
! AdBlock
[Adblock Plus 2.0]
||suffix.example.org^
||important.example.org^$important
||third.example.org^$third-party
|only.example.org^
*.star.example.org
.dot.example.org
Plain.Example.ORG.
@@||good.suffix.example.org^
example.org##.banner
/regex/
||part*.example.org^
com
||net^
1.2.3.4
日本.example
xn--wgv71a.example
`

func TestForms(t *testing.T) {
	s := New(Limits{})
	st := load(t, s, text("mixed", mixed))
	if st[0].Names != 10 || st[0].Exceptions != 1 || st[0].Skipped != 9 {
		t.Errorf("status %+v, want 10 names, 1 exception, 9 skipped", st[0])
	}
	for name, want := range map[string]string{
		"ads.example.com": "ads.example.com", "x.ads.example.com": "", "example.com": "",
		"tracker.example.net": "tracker.example.net", "six.example.com": "six.example.com",
		"router.example.com": "", "localhost": "", "localhost.localdomain": "",
		"suffix.example.org": "suffix.example.org", "a.b.suffix.example.org": "suffix.example.org",
		"notsuffix.example.org": "", "good.suffix.example.org": "", "x.good.suffix.example.org": "",
		"important.example.org": "important.example.org", "third.example.org": "",
		"only.example.org": "only.example.org", "x.only.example.org": "",
		"star.example.org": "star.example.org", "x.star.example.org": "star.example.org",
		"dot.example.org": "dot.example.org", "plain.example.org": "plain.example.org",
		"a.plain.example.org": "plain.example.org", "com": "", "net": "", "example.org": "",
		"x.xn--wgv71a.example": "xn--wgv71a.example", "": "", strings.Repeat("a.", 127) + "plain.example.org": "",
	} {
		hit, ok := s.Lookup(name)
		if hit.Exception != strings.HasSuffix(name, "good.suffix.example.org") {
			t.Errorf("%q: exception %v", name, hit.Exception)
		}
		if hit.Exception {
			hit.Entry = ""
		}
		if ok != (want != "") || hit.Entry != want {
			t.Errorf("%q: %v %q, want %q", name, ok, hit.Entry, want)
		}
		if ok && hit.List != "mixed" {
			t.Errorf("%q: list %q", name, hit.List)
		}
	}
}

func TestExactAndAllow(t *testing.T) {
	s := New(Limits{})
	exact := text("exact", "one.example\n*.two.example\n")
	exact.Category = "mining"
	exact.Exact = true
	good := text("good", "fine.two.example\n")
	good.Allow = true
	load(t, s, exact, text("wide", "two.example\nthree.example"), good)
	if hit, _ := s.Lookup("one.example"); hit.Category != "mining" {
		t.Errorf("category %q", hit.Category)
	}
	for name, want := range map[string]string{
		"one.example": "exact", "x.one.example": "", "x.two.example": "exact", "fine.two.example": "",
		"x.fine.two.example": "", "x.three.example": "wide",
	} {
		if hit, ok := s.Lookup(name); ok && hit.List != want || ok != (want != "") {
			t.Errorf("%s: %v by %q, want %q", name, ok, hit.List, want)
		}
	}
}

// The wider form of a name that is there twice holds, in either order.
func TestTwice(t *testing.T) {
	for _, s := range []string{"0.0.0.0 a.example\n||a.example^", "||a.example^\n0.0.0.0 a.example"} {
		st := New(Limits{})
		if got := load(t, st, text("l", s)); got[0].Names != 1 {
			t.Errorf("%q: %d names", s, got[0].Names)
		}
		if _, ok := st.Lookup("x.a.example"); !ok {
			t.Errorf("%q: not the wider form", s)
		}
	}
}

type broken struct{ r io.Reader }

func (b *broken) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err == io.EOF {
		err = errors.New("disk error")
	}
	return n, err
}

func TestOldStays(t *testing.T) {
	s := New(Limits{Bytes: 4096, File: 64 << 10})
	load(t, s, text("l", "old.example"), text("other", "other.example"))
	var big, wide strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&big, "n%d.example\n", i)
	}
	for range 3000 {
		wide.WriteString("# a comment that is long enough\n")
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		src  Source
		want error
	}{
		{"too many names", context.Background(), text("l", big.String()), ErrTooLarge},
		{"too long a file", context.Background(), text("l", wide.String()), ErrFile},
		{"a web page", context.Background(), text("l", "<html><body>Not found</body></html>"), ErrNoNames},
		{"missing", context.Background(), Source{Name: "l", Path: t.TempDir() + "/none"}, nil},
		{"read error", context.Background(), Source{Name: "l", Open: func() (io.ReadCloser, error) {
			return io.NopCloser(&broken{strings.NewReader("new.example\n")}), nil
		}}, nil},
		{"cancelled", canceled, text("l", "new.example"), context.Canceled},
	} {
		st, err := s.Load(c.ctx, []Source{c.src, text("other", "other.example")})
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.want)
		}
		if !st[0].Old || st[0].Names != 1 || st[0].Err == nil {
			t.Errorf("%s: status %+v", c.name, st[0])
		}
		if _, ok := s.Lookup("old.example"); !ok {
			t.Errorf("%s: the old list is gone", c.name)
		}
		if _, ok := s.Lookup("new.example"); ok {
			t.Errorf("%s: half a list is in force", c.name)
		}
	}
	// One that is no longer named goes; an empty file is a list without names.
	load(t, s, text("l", "# nothing yet\n"))
	for _, n := range []string{"old.example", "other.example"} {
		if _, ok := s.Lookup(n); ok {
			t.Errorf("%s is still listed", n)
		}
	}
}

func TestLongLinesAndTooManyLists(t *testing.T) {
	s := New(Limits{})
	long := strings.Repeat("a", 3*maxLine) + ".example\n"
	st := load(t, s, text("l", long+"fine.example\n"+strings.Repeat("x", 2*maxLine)))
	if st[0].Names != 1 || st[0].Skipped != 2 {
		t.Errorf("status %+v", st[0])
	}
	if _, ok := s.Lookup("fine.example"); !ok {
		t.Error("the line after a long one is lost")
	}
	var src []Source
	for i := range MaxLists + 1 {
		src = append(src, text(fmt.Sprint("l", i), fmt.Sprintf("l%d.example", i)))
	}
	if _, err := s.Load(context.Background(), src); !errors.Is(err, ErrTooMany) {
		t.Errorf("error %v", err)
	}
	if _, ok := s.Lookup("l0.example"); !ok {
		t.Error("the lists that fit are not loaded")
	}
}

// TestOracle compares the table with a map over random names and sizes.
func TestOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		var tb table
		want := map[uint64]bool{}
		for range r.IntN(3000) {
			h, suffix := r.Uint64N(4000)<<52|r.Uint64N(2)<<1, r.IntN(2) == 0
			tb.add(h, suffix)
			want[tag(h)] = want[tag(h)] || suffix
		}
		tb.fit()
		if tb.n != len(want) {
			t.Fatalf("%d entries, want %d", tb.n, len(want))
		}
		for range 3000 {
			h := r.Uint64N(4000)<<52 | r.Uint64N(2)<<1
			s, ok := tb.find(h)
			if ws, wok := want[tag(h)]; s != ws || ok != wok {
				t.Fatalf("%x: %v %v, want %v %v", h, s, ok, ws, wok)
			}
		}
	}
}

// names writes a list as such lists are: about 22 letters a name.
type names struct {
	n, i int
	buf  []byte
}

func (g *names) Read(p []byte) (int, error) {
	for len(g.buf) < len(p) && g.i < g.n {
		g.buf = fmt.Appendf(g.buf, "tracker%07d.example%d.com\n", g.i, g.i%97)
		g.i++
	}
	if len(g.buf) == 0 {
		return 0, io.EOF
	}
	n := copy(p, g.buf)
	g.buf = g.buf[n:]
	return n, nil
}

func many(n int) Source {
	return Source{Name: "many", Open: func() (io.ReadCloser, error) { return io.NopCloser(bufio.NewReader(&names{n: n})), nil }}
}

// TestMemory states what a name costs once loaded, and while loading.
func TestMemory(t *testing.T) {
	const aim = 24 // bytes a name
	sizes := []int{100_000, 1_000_000}
	if race {
		sizes = sizes[:1] // the detector makes a million take ten seconds
	}
	for _, n := range sizes {
		s := New(Limits{})
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		st := load(t, s, many(n))
		loaded := after
		runtime.ReadMemStats(&loaded)
		runtime.GC()
		runtime.ReadMemStats(&after)
		per := float64(int64(after.HeapAlloc)-int64(before.HeapAlloc)) / float64(n)
		t.Logf("%d names: %.1f bytes a name in force (%.1f MB), %.1f bytes a name allocated in all while loading",
			n, per, float64(st[0].Bytes)/1e6, float64(loaded.TotalAlloc-before.TotalAlloc)/float64(n))
		if st[0].Names != n || per > aim {
			t.Errorf("%d names at %.1f bytes, want %d at most %d", st[0].Names, per, n, aim)
		}
		if _, ok := s.Lookup("x.tracker0000042.example42.com"); !ok {
			t.Error("a listed name is not found")
		}
		runtime.KeepAlive(s)
	}
}

func TestLookupAllocs(t *testing.T) {
	s := New(Limits{})
	load(t, s, text("l", mixed))
	if n := testing.AllocsPerRun(100, func() { s.Lookup("www.a.plain.example.org"); s.Lookup("www.example.com") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzList(f *testing.F) {
	f.Add([]byte(mixed), false)
	f.Add([]byte("||^\n@@\n|\n*.\n.\n0.0.0.0 \n||a.b^$important,\n"), true)
	f.Fuzz(func(t *testing.T, b []byte, exact bool) {
		s := New(Limits{Bytes: 1 << 16, File: 1 << 16})
		src := text("f", string(b))
		src.Exact = exact
		_, _ = s.Load(context.Background(), []Source{src})
		for line := range strings.Lines(string(b)) {
			s.Lookup(strings.ToLower(strings.TrimSpace(line)))
			parseLine([]byte(line), exact, func(e entry) {
				if e.kind == refused {
					return
				}
				if n, ok := cleanName([]byte(string(e.name))); !ok || string(n) != string(e.name) {
					t.Errorf("%q is not clean", e.name)
				}
			})
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	s := New(Limits{})
	if _, err := s.Load(context.Background(), []Source{many(1_000_000)}); err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"www.wikipedia.org", "a.tracker0000042.example42.com"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Lookup(name)
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(Limits{}).Load(context.Background(), []Source{many(100_000)}); err != nil {
			b.Fatal(err)
		}
	}
}
