package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"time"
)

// Record is what is said of a network: a country, or an autonomous system.
type Record struct {
	Country string // ISO 3166-1 alpha-2
	Number  uint32 // of the autonomous system
	Name    string // of who runs it
}

// Keys of records, as ip-location-db and GeoLite2-ASN have them.
const (
	keyCountry = "country_code"
	keyNumber  = "autonomous_system_number"
	keyName    = "autonomous_system_organization"
)

// Meta is what a database says of itself.
type Meta struct {
	Type   string // database_type
	Source string // the description: where the data is from, with its licence
	Built  time.Time
	// RecordSize is the bits of a branch: 24, 28 or 32; 0 is the smallest that
	// holds the database.
	RecordSize int
}

// Writer makes a database in the MaxMind DB format, version 2.0.
type Writer struct {
	tree tree
	data []byte
	at   map[Record]ref    // records are written once
	text map[string]uint32 // strings are written once: offsets in data
}

// worthPointing is from how many bytes on a string is written once.
const worthPointing = 3

// maxData keeps offsets within a ref.
const maxData = 1 << 30

// Add says r of all addresses from … to, inclusive. Networks come in ascending
// order, IPv4 before IPv6, and do not overlap.
func (w *Writer) Add(from, to netip.Addr, r Record) error {
	if from.Is4() != to.Is4() || !from.IsValid() {
		return errors.New("a range has two ends of the same kind")
	}
	a, b := number(from), number(to)
	if b.less(a) {
		return errors.New("a range ends before it begins")
	}
	if !from.Is4() && a.isV4() {
		return errors.New("the format keeps IPv4 at ::/96")
	}
	leaf, err := w.record(r)
	if err != nil {
		return err
	}
	return prefixes(a, b, func(p u128, bits int) error { return w.tree.add(p, bits, leaf) })
}

// record writes r, unless it has been written.
func (w *Writer) record(r Record) (ref, error) {
	if leaf, ok := w.at[r]; ok {
		return leaf, nil
	}
	if w.at == nil {
		w.at, w.text = map[Record]ref{}, map[string]uint32{}
	}
	keys := []string{keyCountry}
	if r.Country == "" {
		keys = []string{keyNumber, keyName}
	}
	if len(w.data) > maxData {
		return 0, errors.New("the records come to more than a GiB")
	}
	leaf := isLeaf | ref(len(w.data))
	w.at[r] = leaf
	w.data = append(w.data, 7<<5|byte(len(keys)))
	if r.Country != "" {
		w.string(keyCountry)
		w.string(r.Country)
		return leaf, nil
	}
	w.string(keyNumber)
	w.data = appendUint(w.data, 6, uint64(r.Number))
	w.string(keyName)
	w.string(r.Name)
	return leaf, nil
}

// string writes s where it comes first, and after that a pointer to there. (The
// data section holds whole records alone, one after another, as verifiers
// expect.)
func (w *Writer) string(s string) {
	p, ok := w.text[s]
	if !ok || len(s) < worthPointing {
		if len(s) >= worthPointing {
			w.text[s] = uint32(len(w.data))
		}
		w.data = appendString(w.data, s)
		return
	}
	w.data = appendPointer(w.data, p)
}

// appendPointer writes an offset in 11, 19, 27 or 32 bits, each size beginning
// where the one before it ends.
func appendPointer(out []byte, p uint32) []byte {
	switch {
	case p < 2048:
		return append(out, 1<<5|byte(p>>8), byte(p))
	case p < 2048+1<<19:
		p -= 2048
		return append(out, 1<<5|1<<3|byte(p>>16), byte(p>>8), byte(p))
	case p < 2048+1<<19+1<<27:
		p -= 2048 + 1<<19
		return append(out, 1<<5|2<<3|byte(p>>24), byte(p>>16), byte(p>>8), byte(p))
	}
	return binary.BigEndian.AppendUint32(append(out, 1<<5|3<<3), p)
}

// fits says whether branches of size bits hold this many nodes and this much
// data.
func fits(size, nodes, data int) bool { return nodes+16+data < 1<<size }

// WriteTo writes the database. The writer must not be used again.
func (w *Writer) WriteTo(out io.Writer, m Meta) error {
	if err := w.tree.finish(); err != nil {
		return err
	}
	nodes := w.tree.nodes
	size := m.RecordSize
	for _, s := range []int{24, 28, 32} {
		if size == 0 && fits(s, len(nodes), len(w.data)) {
			size = s
		}
	}
	if size == 0 || !fits(size, len(nodes), len(w.data)) {
		return errors.New("the database is too large for the format")
	}
	b := bufio.NewWriterSize(out, 1<<16)
	var buf [8]byte
	// Backwards: the root is to be the first node, and children follow soon.
	for i := len(nodes) - 1; i >= 0; i-- {
		var v [2]uint32
		for k, r := range nodes[i] {
			switch {
			case r == 0:
				v[k] = uint32(len(nodes))
			case r&isLeaf != 0:
				v[k] = uint32(len(nodes)) + 16 + uint32(r&^isLeaf)
			default:
				v[k] = uint32(len(nodes)) - uint32(r)
			}
		}
		_, _ = b.Write(appendNode(buf[:0], size, v))
	}
	_, _ = b.Write(make([]byte, 16))
	_, _ = b.Write(w.data)
	_, _ = b.Write(metadata(len(nodes), size, m))
	return b.Flush()
}

func appendNode(out []byte, size int, v [2]uint32) []byte {
	switch size {
	case 24:
		return append(out, byte(v[0]>>16), byte(v[0]>>8), byte(v[0]), byte(v[1]>>16), byte(v[1]>>8), byte(v[1]))
	case 28:
		return append(out, byte(v[0]>>16), byte(v[0]>>8), byte(v[0]), byte(v[0]>>24)<<4|byte(v[1]>>24), byte(v[1]>>16), byte(v[1]>>8), byte(v[1]))
	}
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(out, v[0]), v[1])
}

// metadata is the marker and what follows it, keys in order.
func metadata(nodes, size int, m Meta) []byte {
	out := append([]byte("\xab\xcd\xefMaxMind.com"), 7<<5|9)
	key := func(s string) { out = appendString(out, s) }
	key("binary_format_major_version")
	out = appendUint(out, 5, 2)
	key("binary_format_minor_version")
	out = appendUint(out, 5, 0)
	key("build_epoch")
	out = appendUint(out, 9, uint64(max(m.Built.Unix(), 0)))
	key("database_type")
	key(m.Type)
	key("description")
	out = append(out, 7<<5|1)
	key("en")
	key(m.Source)
	key("ip_version")
	out = appendUint(out, 5, 6)
	key("languages")
	out = append(out, 1, 11-7) // an array of one; its type does not fit into 3 bits
	key("en")
	key("node_count")
	out = appendUint(out, 6, uint64(nodes))
	key("record_size")
	return appendUint(out, 5, uint64(size))
}

// appendUint writes an unsigned integer of the format's type (5: 16 bits, 6:
// 32, 9: 64) without leading zeros.
func appendUint(out []byte, kind byte, v uint64) []byte {
	n := byte(0)
	for x := v; x > 0; x >>= 8 {
		n++
	}
	if kind > 7 {
		out = append(out, n, kind-7)
	} else {
		out = append(out, kind<<5|n)
	}
	for ; n > 0; n-- {
		out = append(out, byte(v>>(8*(n-1))))
	}
	return out
}

func appendString(out []byte, s string) []byte {
	switch n := len(s); {
	case n < 29:
		out = append(out, 2<<5|byte(n))
	case n < 285:
		out = append(out, 2<<5|29, byte(n-29))
	default:
		s = s[:min(n, 285+1<<16-1)]
		out = append(out, 2<<5|30, byte((len(s)-285)>>8), byte(len(s)-285))
	}
	return append(out, s...)
}
