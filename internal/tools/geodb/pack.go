package main

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Limits of a package.
const (
	maxFile     = 512 << 20 // bytes of one file
	maxUnpacked = 1 << 30   // bytes of all
	maxNotice   = 64 << 10  // bytes of a licence
)

// origin is where a database comes from.
type origin struct {
	Package string `json:"name"`
	Version string `json:"version"`
	Licence string `json:"license"`

	File      string // when no package was given
	Said      string // what the owner says of it, instead of all above
	Integrity string // SHA-512 that the registry reports, verified
	Notices   []notice
}

type notice struct{ name, text string }

// unpack takes the tables, licences and description out of a package into dir.
// Scripts and whatever else it holds are left in it.
func unpack(file, dir string) (tables []string, o origin, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, o, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, o, fmt.Errorf("%s: %w", file, err)
	}
	left := int64(maxUnpacked)
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, o, fmt.Errorf("%s: %w", file, err)
		}
		if left -= h.Size; h.Size > maxFile || left < 0 {
			return nil, o, fmt.Errorf("%s: %s is too large", file, h.Name)
		}
		name := path.Base(path.Clean(h.Name)) // a table goes into dir, whatever its path says
		switch {
		case h.Typeflag != tar.TypeReg:
		case name == "package.json":
			if err := json.NewDecoder(io.LimitReader(t, maxNotice)).Decode(&o); err != nil {
				return nil, o, fmt.Errorf("%s: %s: %w", file, name, err)
			}
		case strings.Contains(strings.ToUpper(name), "LICENSE") || name == "MODIFICATIONS":
			b, err := io.ReadAll(io.LimitReader(t, maxNotice))
			if err != nil {
				return nil, o, fmt.Errorf("%s: %s: %w", file, name, err)
			}
			o.Notices = append(o.Notices, notice{name, string(b)})
		case isTable(name):
			to := filepath.Join(dir, name)
			if err := save(to, t); err != nil {
				return nil, o, fmt.Errorf("%s: %s: %w", file, name, err)
			}
			tables = append(tables, to)
		}
	}
	if len(tables) == 0 || o.Package == "" {
		return nil, o, fmt.Errorf("%s: no tables of addresses are in it", file)
	}
	return tables, o, nil
}

// isTable tells the tables to read among the forms a package has the same data
// in: not those with addresses as numbers, nor databases of one family.
func isTable(name string) bool {
	switch {
	case strings.HasSuffix(name, ".csv"):
		return !strings.HasSuffix(name, "-num.csv")
	case strings.HasSuffix(name, ".mmdb"):
		return !strings.HasSuffix(name, "-ipv4.mmdb") && !strings.HasSuffix(name, "-ipv6.mmdb")
	}
	return false
}

func save(path string, r io.Reader) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}

// date is when the data was made: these packages have it in the last part of
// their version (2.3.2026061719 is 17 June 2026, 19 h). Zero: not known.
func (o *origin) date() time.Time {
	if i := strings.LastIndexByte(o.Version, '.'); i >= 0 {
		if t, err := time.Parse("2006010215", o.Version[i+1:]); err == nil {
			return t
		}
	}
	return time.Time{}
}

// source is the line that reports show: whom the data is from, under which
// licence. Who gives data away under CC BY wants to be named with it.
func (o *origin) source() string {
	if o.Said != "" {
		return o.Said
	}
	for _, s := range sources {
		if s.Package == o.Package {
			return fmt.Sprintf("%s: %s, by ip-location-db %s, converted", s.About, s.Credit, o.Version)
		}
	}
	return fmt.Sprintf("%s %s (%s), converted", o.Package, o.Version, o.Licence)
}
