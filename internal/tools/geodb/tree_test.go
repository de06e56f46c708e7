package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// naive is the answer without a tree.
func naive(rows []row, ip netip.Addr) Record {
	for _, r := range rows {
		if ip.Is4() == r.from.Is4() && !ip.Less(r.from) && !r.to.Less(ip) {
			return r.Record
		}
	}
	return Record{}
}

// table draws rows in order: of every size, some side by side with the same
// record, some at the ends of the address space.
func table(rnd *rand.Rand, n int) (rows []row) {
	for _, v6 := range []bool{false, true} {
		cuts := []u128{}
		for range 2 * n {
			a := u128{0, uint64(rnd.Uint32())}
			if v6 {
				a = u128{rnd.Uint64() | 1<<40, rnd.Uint64()}
				if rnd.IntN(2) == 0 {
					a.lo = 0
				}
			} else if rnd.IntN(2) == 0 {
				a.lo &^= 0xfff
			}
			cuts = append(cuts, a)
		}
		if v6 {
			cuts = append(cuts, u128{^uint64(0), ^uint64(0)})
		} else {
			cuts = append(cuts, u128{}, u128{0, 1<<32 - 1})
		}
		slices.SortFunc(cuts, func(a, b u128) int {
			if a.less(b) {
				return -1
			}
			return 1
		})
		cuts = slices.Compact(cuts)
		for i := 0; i+1 < len(cuts); i++ {
			to := cuts[i+1].minus(u128{0, 1})
			if i+2 == len(cuts) {
				to = cuts[i+1]
			}
			if rnd.IntN(4) == 0 && i > 0 {
				continue // a hole
			}
			rec := Record{Number: 1 + rnd.Uint32N(uint32(n)/4+2)}
			rec.Name = strings.Repeat(fmt.Sprint("n", rec.Number), int(rec.Number%97))
			if rnd.IntN(3) == 0 {
				rec = Record{Country: string([]byte{'A' + byte(rnd.IntN(26)), 'A' + byte(rnd.IntN(26))})}
			}
			rows = append(rows, row{cuts[i].addr(), to.addr(), rec})
		}
	}
	return rows
}

func build(t testing.TB, rows []row, m Meta) *maxminddb.Reader {
	t.Helper()
	var w Writer
	for _, r := range rows {
		if err := w.Add(r.from, r.to, r.Record); err != nil {
			t.Fatalf("%s–%s: %v", r.from, r.to, err)
		}
	}
	var b bytes.Buffer
	if err := w.WriteTo(&b, m); err != nil {
		t.Fatal(err)
	}
	db, err := maxminddb.OpenBytes(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// TestAgainstNaive compares databases of every record size with the plain list
// they were made from: at random addresses and around every end of a range.
func TestAgainstNaive(t *testing.T) {
	for seed := range uint64(12) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		rows := table(rnd, 3+int(seed)*12)
		db := build(t, rows, Meta{Type: "test", RecordSize: []int{0, 24, 28, 32}[seed%4]})
		check := func(ip netip.Addr) {
			t.Helper()
			if got, err := lookup(db, ip.String()); err != nil || got != naive(rows, ip) {
				t.Fatalf("seed %d, %s: %+v %v, want %+v", seed, ip, got, err, naive(rows, ip))
			}
		}
		for _, r := range rows {
			for _, ip := range []netip.Addr{r.from, r.to, r.from.Prev(), r.to.Next()} {
				if ip.IsValid() {
					check(ip)
				}
			}
		}
		for range 2000 {
			check(u128{0, uint64(rnd.Uint32())}.addr())
			check(u128{rnd.Uint64() | 1<<40, rnd.Uint64()}.addr())
		}
		if err := db.Verify(); err != nil {
			t.Errorf("seed %d: the library's own check: %v", seed, err)
		}
	}
}

// TestPointers: records far into the data section are pointed at right, for
// each length of a pointer that a table of the internet reaches and one more.
func TestPointers(t *testing.T) {
	var rows []row
	for i := range uint32(9000) {
		a := u128{0, uint64(i) << 8}
		rows = append(rows, row{a.addr(), u128{0, a.lo + 255}.addr(), Record{Number: i + 1, Name: fmt.Sprintf("%d %s", i, strings.Repeat("x", 90))}})
	}
	// The same names again under other numbers: nothing but pointers.
	for i := range uint32(9000) {
		a := u128{0, 1<<31 + uint64(i)<<8}
		rows = append(rows, row{a.addr(), u128{0, a.lo + 255}.addr(), Record{Number: i + 100000, Name: rows[i].Name}})
	}
	db := build(t, rows, Meta{})
	for _, r := range rows {
		if got, err := lookup(db, r.to.String()); err != nil || got != r.Record {
			t.Fatalf("%s: %+v %v", r.to, got, err)
		}
	}
}

func TestMetadata(t *testing.T) {
	long := strings.Repeat("source and licence, ", 40)
	made := time.Date(2026, 6, 17, 19, 0, 0, 0, time.UTC)
	rows := []row{{netip.MustParseAddr("0.0.0.0"), netip.MustParseAddr("255.255.255.255"), Record{Country: "JP"}}}
	m := build(t, rows, Meta{Type: "Yamori-country", Source: long, Built: made}).Metadata
	if m.DatabaseType != "Yamori-country" || m.Description["en"] != long || !m.BuildTime().Equal(made) || m.IPVersion != 6 || m.RecordSize != 24 ||
		m.NodeCount != 96 || m.BinaryFormatMajorVersion != 2 || len(m.Languages) != 1 || m.Languages[0] != "en" {
		t.Errorf("%+v", m)
	}
}

// TestCompact: neighbours with one record are one network, equal subtrees are
// written once, and equal records too.
func TestCompact(t *testing.T) {
	size := func(rows []row) (nodes, data int) {
		var w Writer
		for _, r := range rows {
			if err := w.Add(r.from, r.to, r.Record); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.tree.finish(); err != nil {
			t.Fatal(err)
		}
		return len(w.tree.nodes), len(w.data)
	}
	var one, many, pattern []row
	jp := Record{Country: "JP"}
	one = append(one, row{u128{0, 0}.addr(), u128{0, 1<<16 - 1}.addr(), jp})
	for i := range uint64(256) {
		a, b := u128{0, i << 8}.addr(), u128{0, i<<8 + 255}.addr()
		many = append(many, row{a, b, jp})
		pattern = append(pattern, row{a, u128{0, i<<8 + 127}.addr(), jp})
	}
	n1, d1 := size(one)
	if n, d := size(many); n != n1 || d != d1 || n1 != 112 {
		t.Errorf("256 neighbours: %d nodes and %d bytes, one network: %d and %d", n, d, n1, d1)
	}
	if n, d := size(pattern); n != 112+9 || d != d1 {
		t.Errorf("256 times the same pattern: %d nodes, %d bytes", n, d)
	}
}

func TestWriterRefuses(t *testing.T) {
	ip := netip.MustParseAddr
	for _, c := range []struct{ first, from, to, want string }{
		{"10.0.0.0", "9.0.0.0", "9.0.0.255", "ascending"},
		{"10.0.0.0", "10.0.0.0", "10.255.255.255", "overlap"},
		{"10.0.0.0", "10.0.0.0", "10.0.0.0", "overlap"},
		{"2001:db8::", "10.0.0.0", "10.0.0.255", "ascending"},
		{"10.0.0.0", "11.0.0.1", "11.0.0.0", "before it begins"},
		{"10.0.0.0", "11.0.0.1", "2001:db8::", "two ends"},
		{"10.0.0.0", "::1:0:0", "::", "before it begins"},
		{"10.0.0.0", "::ffff", "::1:0:0", "::/96"},
	} {
		var w Writer
		if err := w.Add(ip(c.first), ip(c.first), Record{Number: 1}); err != nil {
			t.Fatal(err)
		}
		if err := w.Add(ip(c.from), ip(c.to), Record{Number: 2}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s–%s after %s: %v", c.from, c.to, c.first, err)
		}
	}
	var w Writer
	if err := w.WriteTo(&bytes.Buffer{}, Meta{}); !errors.Is(err, errEmpty) {
		t.Errorf("nothing: %v", err)
	}
	if err := w.Add(netip.Addr{}, netip.Addr{}, Record{}); err == nil {
		t.Error("no address was taken")
	}
	if fits(24, 1<<23, 1<<23) || !fits(28, 1<<23, 1<<23) || !fits(24, 1<<23, 1<<23-17) {
		t.Error("sizes of branches")
	}
}
