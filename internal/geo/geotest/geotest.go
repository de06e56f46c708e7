// Package geotest writes small databases in the MaxMind DB format, version 2.0
// (https://maxmind.github.io/MaxMind-DB/), for tests of what reads them.
package geotest

import (
	"encoding/binary"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Map is a record: values are string, uint32 or Map.
type Map map[string]any

// Country returns a record as GeoLite2-Country has it.
func Country(code string) Map { return Map{"country": Map{"iso_code": code}} }

// Source is the description of a database: what reports show.
const Source = "Example networks, CC0-1.0"

// Write makes a database of these networks in a folder of the test and returns
// its path. No network may hold another.
func Write(t testing.TB, kind string, nets map[string]Map) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), kind+".mmdb")
	if err := os.WriteFile(path, Encode(kind, nets), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// node is one bit of an address; a child is 0 (nothing), n+1 (node n) or
// -n-1 (record n).
type node [2]int

// Encode returns the bytes of a database: search tree of 32-bit records, 16
// zeros, data, marker and metadata. It panics on a network that does not parse.
func Encode(kind string, nets map[string]Map) []byte {
	tree := []node{{}}
	var data []byte
	var at []int // offset of each record in data
	keys := make([]string, 0, len(nets))
	for k := range nets {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		p := netip.MustParsePrefix(k)
		a, bits := p.Addr().As16(), p.Bits()
		if p.Addr().Is4() {
			// IPv4 lies at ::/96 of the tree.
			a[10], a[11] = 0, 0
			bits += 96
		}
		at = append(at, len(data))
		data = appendValue(data, nets[k])
		n := 0
		for i := range bits {
			b := a[i/8] >> (7 - i%8) & 1
			if i == bits-1 {
				tree[n][b] = -len(at)
				break
			}
			if tree[n][b] <= 0 {
				tree = append(tree, node{})
				tree[n][b] = len(tree)
			}
			n = tree[n][b] - 1
		}
	}
	var out []byte
	for _, n := range tree {
		for _, c := range n {
			v := len(tree) // nothing
			switch {
			case c > 0:
				v = c - 1
			case c < 0:
				v = len(tree) + 16 + at[-c-1]
			}
			out = binary.BigEndian.AppendUint32(out, uint32(v))
		}
	}
	out = append(out, make([]byte, 16)...)
	out = append(out, data...)
	out = append(out, "\xab\xcd\xefMaxMind.com"...)
	return appendValue(out, Map{
		"node_count": uint32(len(tree)), "record_size": uint16(32), "ip_version": uint16(6), "database_type": kind,
		"binary_format_major_version": uint16(2), "binary_format_minor_version": uint16(0), "build_epoch": uint64(1700000000),
		"description": Map{"en": Source},
	})
}

// appendValue encodes a value: a control byte of type (3 bits) and size (5),
// then the value; types above 7 have theirs in a byte of its own.
func appendValue(out []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		if len(v) > 28 {
			out = append(out, 2<<5|29, byte(len(v)-29))
		} else {
			out = append(out, 2<<5|byte(len(v)))
		}
		return append(out, v...)
	case uint16:
		return append(out, 5<<5|2, byte(v>>8), byte(v))
	case uint32:
		return binary.BigEndian.AppendUint32(append(out, 6<<5|4), v)
	case uint64:
		return binary.BigEndian.AppendUint64(append(out, 8, 9-7), v)
	case Map:
		out = append(out, 7<<5|byte(len(v)))
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			out = appendValue(appendValue(out, k), v[k])
		}
		return out
	}
	panic("geotest: no such type")
}
