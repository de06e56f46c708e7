package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// licencesFile lies beside the databases. Whoever passes them on passes it on.
const licencesFile = "LICENSES"

// head begins the section of a database.
func head(k Kind) string { return "== " + string(k) + ".mmdb ==" }

// section says where a database is from: source, version, licence, date, and
// the licence's own text as the package has it.
func (o *origin) section(k Kind, now time.Time) string {
	var b strings.Builder
	fmt.Fprintln(&b, head(k))
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-10s %s\n", name+":", strings.Join(strings.Fields(text), " "))
		}
	}
	line("Source", o.source())
	line("Package", o.Package)
	line("Version", o.Version)
	line("Licence", o.Licence)
	if d := o.date(); !d.IsZero() {
		line("Data of", d.Format(time.DateOnly))
	}
	line("Converted", now.UTC().Format(time.DateOnly)+" (tables to the MaxMind DB format; neighbours with the same record joined, long names cut)")
	line("Integrity", o.Integrity)
	line("File", o.File)
	for _, n := range o.Notices {
		fmt.Fprintf(&b, "\n-- %s\n", n.name)
		for l := range strings.Lines(strings.TrimSpace(n.text)) {
			fmt.Fprintf(&b, "   %s\n", strings.TrimRight(l, "\r\n"))
		}
	}
	return b.String()
}

// readSections reads what is there already: a database that is not made anew
// keeps its section.
func readSections(path string) (map[Kind]string, error) {
	out := map[Kind]string{}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	var at Kind
	for l := range strings.Lines(string(b)) {
		for _, k := range []Kind{Country, ASN} {
			if strings.TrimSpace(l) == head(k) {
				at = k
			}
		}
		if at != "" {
			out[at] += l
		}
	}
	return out, nil
}

func writeSections(path string, s map[Kind]string) error {
	text := "Where the databases beside this file are from, and under which licences.\n"
	for _, k := range []Kind{Country, ASN} {
		if s[k] != "" {
			text += "\n" + strings.TrimRight(s[k], "\n") + "\n"
		}
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// lookup asks a database as yamori does.
func lookup(db *maxminddb.Reader, ip string) (Record, error) {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return Record{}, err
	}
	var e entry
	err = db.Lookup(a).Decode(&e)
	return Record{e.Code, e.Number, e.Name}, err
}
