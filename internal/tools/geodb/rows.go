package main

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/oschwald/maxminddb-golang/v2"
)

// Limits of what is read: several times what whole tables of the internet have
// (515,000 networks, 206 bytes a line at most, June 2026).
const (
	maxRows = 8 << 20
	maxLine = 4096
	// maxName bounds the name of a network, in runes; longer ones are cut.
	maxName = 96
)

// Kind is what a database says of addresses.
type Kind string

// Kinds. They are also the names of the files.
const (
	Country Kind = "country"
	ASN     Kind = "asn"
)

// row is a range of addresses, both ends included.
type row struct {
	from, to netip.Addr
	Record
}

// errSkip is a row that says nothing.
var errSkip = errors.New("nothing is said")

// readRows gives every row of the files to f, in the files' order. Where rows
// overlap the earlier one holds; what is left of the later is given. It returns
// how many rows were cut so, and how many were left out because they say
// nothing that is known.
func readRows(kind Kind, files []string, f func(row) error) (cut, skipped int, err error) {
	return readUpTo(maxRows, kind, files, f)
}

func readUpTo(most int, kind Kind, files []string, f func(row) error) (cut, skipped int, err error) {
	var first, last u128 // of the row before
	n := 0
	for _, path := range files {
		each := func(r row, err error) error {
			if errors.Is(err, errSkip) {
				skipped++
				return nil
			}
			if err != nil {
				return err
			}
			if n++; n > most {
				return fmt.Errorf("more than %d networks", most)
			}
			a, b := number(r.from), number(r.to)
			if a.less(first) {
				return fmt.Errorf("%s comes after %s; sort the table by its first column", r.from, first.addr())
			}
			first = a
			if n > 1 && !last.less(a) {
				cut++
				if !last.less(b) {
					return nil
				}
				a, _ = last.next()
				r.from = a.addr()
			}
			last = b
			return f(r)
		}
		read := readCSV
		if strings.HasSuffix(path, ".mmdb") {
			read = readMMDB
		}
		if err := read(kind, path, each); err != nil {
			return cut, skipped, fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
	}
	return cut, skipped, nil
}

// readCSV reads lines "first,last,country" or "first,last,number,name", with
// addresses in text.
func readCSV(kind Kind, path string, each func(row, error) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	c := csv.NewReader(f)
	c.ReuseRecord = true
	for {
		fields, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		r, err := parse(kind, fields)
		if err := each(r, err); err != nil {
			line, _ := c.FieldPos(0)
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

// parse reads the fields of a line.
func parse(kind Kind, fields []string) (r row, err error) {
	if want := map[Kind]int{Country: 3, ASN: 4}[kind]; len(fields) != want {
		return r, fmt.Errorf("%d fields instead of the %d of a table of %s", len(fields), want, kind)
	}
	size := 0
	for _, s := range fields {
		size += len(s)
	}
	if size > maxLine {
		return r, fmt.Errorf("longer than %d bytes", maxLine)
	}
	if r.from, err = netip.ParseAddr(fields[0]); err == nil {
		r.to, err = netip.ParseAddr(fields[1])
	}
	if err != nil {
		return r, err
	}
	if r.from.Zone() != "" || r.from.Is4() != r.to.Is4() || r.to.Less(r.from) {
		return r, fmt.Errorf("%s to %s is no range", fields[0], fields[1])
	}
	if kind == Country {
		r.Country = fields[2]
		return r, r.check(kind)
	}
	n, err := strconv.ParseUint(fields[2], 10, 32)
	if err != nil {
		return r, fmt.Errorf("%q is no number of a network", fields[2])
	}
	r.Number, r.Name = uint32(n), fields[3]
	return r, r.check(kind)
}

// check cleans a record; errSkip when nothing is left.
func (r *row) check(kind Kind) error {
	if kind == Country {
		r.Number, r.Name = 0, ""
		if len(r.Country) != 2 || strings.Trim(r.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return errSkip
		}
		return nil
	}
	r.Country = ""
	if r.Number == 0 {
		return errSkip
	}
	r.Name = clean(r.Name)
	return nil
}

// clean makes a name of one line that a terminal can show.
func clean(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if r := []rune(s); len(r) > maxName {
		s = string(r[:maxName-1]) + "…"
	}
	return s
}

// entry holds the shapes of record that are known.
type entry struct {
	Country struct {
		ISOCode string `maxminddb:"iso_code"`
	} `maxminddb:"country"`
	Code   string `maxminddb:"country_code"`
	Number uint32 `maxminddb:"autonomous_system_number"`
	Name   string `maxminddb:"autonomous_system_organization"`
}

// readMMDB reads a database of the same format.
func readMMDB(kind Kind, path string, each func(row, error) error) error {
	db, err := maxminddb.Open(path)
	if err != nil {
		return err
	}
	defer db.Close()
	for net := range db.Networks() {
		var e entry
		if err := net.Decode(&e); err != nil {
			return err
		}
		p := net.Prefix()
		from := number(p.Addr())
		to, ok := from.plus(p.Addr().BitLen() - p.Bits())
		if to = to.minus(u128{0, 1}); !ok {
			to = u128{^uint64(0), ^uint64(0)}
		}
		r := row{from: from.addr(), to: to.addr(), Record: Record{cmp.Or(e.Country.ISOCode, e.Code), e.Number, e.Name}}
		if err := each(r, r.check(kind)); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
	}
	return nil
}

// kindOf says what a file is about, by its first row, and where it begins.
func kindOf(path string) (Kind, u128, error) {
	stop := errors.New("enough")
	var k Kind
	var at u128
	for _, try := range []Kind{Country, ASN} {
		_, _, err := readRows(try, []string{path}, func(r row) error {
			k, at = try, number(r.from)
			return stop
		})
		if errors.Is(err, stop) {
			return k, at, nil
		}
		var gone *os.PathError
		if errors.As(err, &gone) {
			return "", at, err
		}
	}
	return "", at, fmt.Errorf("%s is neither a table of countries (first,last,code) or of networks (first,last,number,name), nor such a database (.mmdb)", path)
}

// inOrder sorts files by their first address.
func inOrder(files []string) error {
	at := map[string]u128{}
	for _, f := range files {
		_, a, err := kindOf(f)
		if err != nil {
			return err
		}
		at[f] = a
	}
	slices.SortFunc(files, func(a, b string) int {
		switch {
		case at[a].less(at[b]):
			return -1
		case at[b].less(at[a]):
			return 1
		}
		return 0
	})
	return nil
}
