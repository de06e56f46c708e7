// Package geo tells the country and the network (autonomous system) of an
// address from a database in the MaxMind DB format
// (https://maxmind.github.io/MaxMind-DB/). It knows two shapes of record: that
// of GeoLite2 and GeoIP2 ("country" → "iso_code"), and the flat one of
// ip-location-db ("country_code"). The name of an autonomous system has the
// same keys in both.
//
// The file is mapped into memory, so its pages belong to the system's cache and
// not to the program. Whoever replaces it must rename a new file over it, as
// package managers and updaters do, and not write into it.
package geo

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"github.com/oschwald/maxminddb-golang/v2"
)

// DB is an open database. It is safe for any number of goroutines.
type DB struct {
	r *maxminddb.Reader
	// Records to decode into: they would escape, once a look-up.
	countries sync.Pool
	names     names
}

// Open opens the database at path. The error names the file.
func Open(path string) (*DB, error) {
	r, err := maxminddb.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if r.Metadata.NodeCount == 0 {
		err := r.Close()
		return nil, errors.Join(fmt.Errorf("%s: the database holds no network", path), err)
	}
	return &DB{r: r, countries: sync.Pool{New: func() any { return new(country) }}}, nil
}

// Close lets the file go. Nothing may be looked up after it or beside it. A nil
// DB closes nothing.
func (d *DB) Close() error {
	if d == nil {
		return nil
	}
	return d.r.Close()
}

// Source says where the data is from, as the database's description has it
// (make geo writes source and licence there), else what type of database it is.
// Empty for a nil DB.
func (d *DB) Source() string {
	if d == nil {
		return ""
	}
	if s := oneLine(d.r.Metadata.Description["en"], maxSource); s != "" {
		return s
	}
	return oneLine(d.r.Metadata.DatabaseType, maxSource)
}

// country holds both shapes of record.
type country struct {
	Country struct {
		ISOCode string `maxminddb:"iso_code"`
	} `maxminddb:"country"`
	Code string `maxminddb:"country_code"`
}

// Country returns the code of the country (ISO 3166-1, two capital letters)
// that ip is used in; empty when the database does not know, when it holds no
// countries, and for a nil DB. A damaged record counts as unknown.
func (d *DB) Country(ip netip.Addr) string {
	if d == nil || !ip.IsValid() {
		return ""
	}
	res := d.r.Lookup(ip.Unmap())
	if !res.Found() {
		return ""
	}
	c := d.countries.Get().(*country)
	defer d.countries.Put(c)
	*c = country{}
	if res.Decode(c) != nil {
		return ""
	}
	code := c.Country.ISOCode
	if code == "" {
		code = c.Code
	}
	if len(code) != 2 {
		return ""
	}
	return code
}

// as is an autonomous system.
type as struct {
	Number uint32 `maxminddb:"autonomous_system_number"`
	Name   string `maxminddb:"autonomous_system_organization"`
}

// ASN returns the number of the autonomous system that announces ip, and the
// name of who runs it; zero and empty when the database does not know, when it
// holds no such systems, and for a nil DB.
func (d *DB) ASN(ip netip.Addr) (number uint32, name string) {
	if d == nil || !ip.IsValid() {
		return 0, ""
	}
	res := d.r.Lookup(ip.Unmap())
	if !res.Found() {
		return 0, ""
	}
	var a as
	if res.Decode(&a) != nil {
		return 0, ""
	}
	return a.Number, a.Name
}
