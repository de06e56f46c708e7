// Command geodb makes the databases that say in which country and network an
// address is (docs/geo.md):
//
//	go run ./internal/tools/geodb                     # fetched with npm
//	go run ./internal/tools/geodb -from asn.tgz       # from a package that is there
//	go run ./internal/tools/geodb -from v4.csv -from v6.csv -source 'Example, CC0'
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

func main() {
	var c command
	flag.StringVar(&c.dir, "dir", "data/geo", "folder to write country.mmdb, asn.mmdb and LICENSES to")
	flag.StringVar(&c.npm, "npm", "npm", "client that fetches the packages")
	flag.StringVar(&c.said, "source", "", "where a bare table is from, with its licence; reports show it")
	flag.Func("from", "package (.tgz), table (.csv) or database (.mmdb) to convert instead of fetching; repeatable", func(s string) error {
		c.from = append(c.from, s)
		return nil
	})
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := c.run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "geodb:", err)
		os.Exit(1)
	}
}

type command struct {
	dir, npm, said string
	from           []string
}

// job is a database to make.
type job struct {
	tables []string
	origin origin
}

func (c *command) run(ctx context.Context, out io.Writer) error {
	tmp, err := os.MkdirTemp("", "geodb-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	jobs, err := c.gather(ctx, tmp)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return err
	}
	licences, err := readSections(filepath.Join(c.dir, licencesFile))
	if err != nil {
		return err
	}
	for _, k := range []Kind{Country, ASN} {
		j := jobs[k]
		if j == nil {
			continue
		}
		if err := inOrder(j.tables); err != nil {
			return err
		}
		if err := c.make(k, j, out); err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		licences[k] = j.origin.section(k, time.Now())
	}
	return writeSections(filepath.Join(c.dir, licencesFile), licences)
}

// gather fetches what is needed, or takes what was given.
func (c *command) gather(ctx context.Context, tmp string) (map[Kind]*job, error) {
	jobs := map[Kind]*job{}
	folder := func() (string, error) { return os.MkdirTemp(tmp, "") }
	if len(c.from) == 0 {
		for _, s := range sources {
			dir, err := folder()
			if err != nil {
				return nil, err
			}
			file, integrity, err := fetch(ctx, c.npm, s.Package, dir)
			if err != nil {
				return nil, err
			}
			tables, o, err := unpack(file, dir)
			if err != nil {
				return nil, err
			}
			o.Integrity = integrity
			jobs[s.Kind] = &job{tables, o}
		}
		return jobs, nil
	}
	for _, f := range c.from {
		tables, o := []string{f}, origin{File: filepath.Base(f), Said: c.said}
		if strings.HasSuffix(f, ".tgz") {
			dir, err := folder()
			if err != nil {
				return nil, err
			}
			if tables, o, err = unpack(f, dir); err != nil {
				return nil, err
			}
			o.File, o.Said = filepath.Base(f), c.said
		}
		k, _, err := kindOf(tables[0])
		if err != nil {
			return nil, err
		}
		if o.Package == "" && c.said == "" {
			return nil, fmt.Errorf("%s: say where it is from and under which licence, for reports: -source 'Example, CC0'", f)
		}
		if j := jobs[k]; j != nil {
			j.tables = append(j.tables, tables...)
			if o.Package == j.origin.Package {
				continue
			}
			return nil, fmt.Errorf("%s: one database of %s is made from one source; run geodb for the one that is wanted", f, k)
		}
		jobs[k] = &job{tables, o}
	}
	return jobs, nil
}

// make writes a database beside the one that is there, reads it back, and puts
// it in its place.
func (c *command) make(k Kind, j *job, out io.Writer) error {
	start := time.Now()
	var w Writer
	rows := 0
	cut, skipped, err := readRows(k, j.tables, func(r row) error {
		rows++
		return w.Add(r.from, r.to, r.Record)
	})
	if err != nil {
		return err
	}
	path := filepath.Join(c.dir, string(k)+".mmdb")
	f, err := os.CreateTemp(c.dir, "."+string(k)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	err = w.WriteTo(f, Meta{Type: "Yamori-" + string(k), Source: j.origin.source(), Built: j.origin.date()})
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	checked, err := readBack(f.Name(), k, j.tables)
	if err != nil {
		return err
	}
	if err := os.Chmod(f.Name(), 0o644); err != nil {
		return err
	}
	st, err := os.Stat(f.Name())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %d networks (%d cut at another, %d say nothing), %d records, %d nodes, %d bytes, %d read back, %.1f s\n  %s\n",
		path, rows, cut, skipped, len(w.at), len(w.tree.nodes), st.Size(), checked, time.Since(start).Seconds(), j.origin.source())
	return nil
}

// every is which networks are read back after writing: the first and the last
// address of each tenth one.
const every = 10

// readBack compares a database with the tables it was made from, through the
// library that yamori reads it with.
func readBack(path string, k Kind, tables []string) (checked int, err error) {
	db, err := maxminddb.Open(path)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	n := 0
	_, _, err = readRows(k, slices.Clone(tables), func(r row) error {
		if n++; n%every != 1 {
			return nil
		}
		for _, ip := range []string{r.from.String(), r.to.String()} {
			got, err := lookup(db, ip)
			if err != nil {
				return err
			}
			if got != r.Record {
				return fmt.Errorf("%s reads back as %+v instead of %+v", ip, got, r.Record)
			}
			checked++
		}
		return nil
	})
	return checked, err
}
