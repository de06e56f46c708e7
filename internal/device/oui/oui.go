// Package oui names the maker of a network card from the address blocks that
// IEEE has given out (MA-L, MA-M and MA-S). The table is one compressed file,
// unpacked when the first address is looked up: see README.md for its source.
package oui

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"errors"
	"io"
	"sort"
	"sync"
)

//go:embed makers.gz
var packed []byte

// maxUnpacked bounds the unpacked file.
const maxUnpacked = 4 << 20

// Magic is the start of the unpacked file; Write of tools/ouitable makes it.
const Magic = "OUI1"

// Bits are the lengths of the blocks' prefixes, the longest first.
var Bits = [3]uint{36, 28, 24}

// table holds the blocks of each length as two arrays, sorted by prefix, and
// the names as one text: three searches in memory that has no pointers.
type table struct {
	prefix [3][]uint64
	maker  [3][]uint16
	starts []uint32 // of each name in text, one more at the end
	text   string
}

var load = sync.OnceValues(func() (*table, error) { return unpack(packed) })

// Maker returns the name under which the block of mac is registered, "" when
// there is none, and for addresses that are locally administered or groups.
func Maker(mac [6]byte) string {
	if mac[0]&3 != 0 {
		return ""
	}
	t, err := load()
	if err != nil {
		return "" // a test opens the file that ships
	}
	return t.find(mac)
}

func (t *table) find(mac [6]byte) string {
	var v uint64
	for _, b := range mac {
		v = v<<8 | uint64(b)
	}
	for i, bits := range Bits {
		p := v >> (48 - bits)
		list := t.prefix[i]
		k := sort.Search(len(list), func(k int) bool { return list[k] >= p })
		if k < len(list) && list[k] == p {
			n := t.maker[i][k]
			return t.text[t.starts[n]:t.starts[n+1]]
		}
	}
	return ""
}

var errTable = errors.New("oui: the table of makers is damaged")

// unpack reads a file: the magic, the names (their number, then each after its
// length), and for each length of prefix the number of blocks, then of each
// the distance to the prefix before and the number of its name, all as
// varints.
func unpack(b []byte) (*table, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(z, maxUnpacked+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxUnpacked || !bytes.HasPrefix(raw, []byte(Magic)) {
		return nil, errTable
	}
	r := reader{b: raw[len(Magic):]}
	t := &table{}
	n := r.num()
	if n > uint64(len(r.b)) || n >= 1<<16 {
		return nil, errTable
	}
	var text []byte
	t.starts = make([]uint32, 1, n+1)
	for range n {
		text = append(text, r.take(r.num())...)
		t.starts = append(t.starts, uint32(len(text)))
	}
	t.text = string(text)
	for i := range Bits {
		m := r.num()
		if m > uint64(len(r.b)) {
			return nil, errTable
		}
		t.prefix[i], t.maker[i] = make([]uint64, 0, m), make([]uint16, 0, m)
		last := uint64(0)
		for range m {
			last += r.num()
			name := r.num()
			if name >= n {
				return nil, errTable
			}
			t.prefix[i] = append(t.prefix[i], last)
			t.maker[i] = append(t.maker[i], uint16(name))
		}
	}
	if r.bad || len(r.b) != 0 {
		return nil, errTable
	}
	return t, nil
}

type reader struct {
	b   []byte
	bad bool
}

func (r *reader) num() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}
