package http2

import "errors"

// HPACK, RFC 7541, decoded without allocation and within limits.

var errHPACK = errors.New("http2: invalid header block")

const (
	// MaxTable bounds the dynamic table of one direction; the protocol's
	// default is 4096, browsers ask for up to 65536.
	MaxTable = 64 << 10
	// tableDefault is the size before any SETTINGS, RFC 9113 section 6.5.2.
	tableDefault = 4096
	// entryCost is added to the length of each entry, RFC 7541 section 4.1.
	entryCost = 32
	// minEvicted is how many evicted entries are worth moving the others.
	minEvicted = 64
)

type entry struct{ off, name, value int }

// table is the dynamic table of one direction, oldest entries first. Their
// bytes lie one after the other in buf.
type table struct {
	max     int
	size    int
	entries []entry
	first   int // index of the oldest entry still in the table
	buf     []byte
}

func (t *table) reset() {
	t.max, t.size, t.first = tableDefault, 0, 0
	t.entries, t.buf = t.entries[:0], t.buf[:0]
}

// get returns the entry of an index that begins with 1 at the newest.
func (t *table) get(i int) (name, value []byte, ok bool) {
	k := len(t.entries) - i
	if i < 1 || k < t.first {
		return nil, nil, false
	}
	e := t.entries[k]
	return t.buf[e.off : e.off+e.name], t.buf[e.off+e.name : e.off+e.name+e.value], true
}

func (t *table) evict(room int) {
	for t.size > room && t.first < len(t.entries) {
		e := t.entries[t.first]
		t.size -= e.name + e.value + entryCost
		t.first++
	}
	if t.first == len(t.entries) {
		t.entries, t.buf, t.first, t.size = t.entries[:0], t.buf[:0], 0, 0
	}
}

// add inserts an entry, RFC 7541 section 4.4. name may lie in the table.
func (t *table) add(name, value []byte) {
	cost := len(name) + len(value) + entryCost
	if cost > t.max {
		t.evict(0)
		return
	}
	off := len(t.buf)
	t.buf = append(append(t.buf, name...), value...)
	t.entries = append(t.entries, entry{off, len(name), len(value)})
	t.size += cost
	t.evict(t.max)
	if t.first == len(t.entries) {
		return
	}
	// Forget evicted bytes and entries once they outweigh the table; entries
	// need not have any bytes.
	if from := t.entries[t.first].off; from > max(t.max, tableDefault) || t.first > max(len(t.entries)/2, minEvicted) {
		t.buf = t.buf[:copy(t.buf, t.buf[from:])]
		n := copy(t.entries, t.entries[t.first:])
		t.entries, t.first = t.entries[:n], 0
		for i := range t.entries {
			t.entries[i].off -= from
		}
	}
}

// integer reads an integer with an n-bit prefix, RFC 7541 section 5.1.
func integer(b []byte, n uint) (v int, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	mask := 1<<n - 1
	v, b = int(b[0])&mask, b[1:]
	if v < mask {
		return v, b, true
	}
	for shift := uint(0); len(b) > 0 && shift <= 21; shift += 7 {
		c := b[0]
		b = b[1:]
		v += int(c&0x7f) << shift
		if c < 0x80 {
			return v, b, true
		}
	}
	return 0, nil, false
}

// str reads a string literal, RFC 7541 section 5.2. A Huffman coded one is
// decoded onto mem, which is returned as well.
func str(b, mem []byte) (s, rest, grown []byte, ok bool) {
	if len(b) == 0 {
		return nil, nil, mem, false
	}
	huffman := b[0]&0x80 != 0
	n, b, ok := integer(b, 7)
	if !ok || n > len(b) {
		return nil, nil, mem, false
	}
	s, rest = b[:n], b[n:]
	if !huffman {
		return s, rest, mem, true
	}
	at := len(mem)
	mem, ok = unhuffman(mem, s)
	return mem[at:], rest, mem, ok
}

// decoder is the HPACK state of one direction.
type decoder struct {
	table   table
	scratch []byte
	resized bool // a block changed the size of the table
}

// decode reads a whole header block and calls field for each header field.
func (d *decoder) decode(b []byte, t *Tx, field func(t *Tx, name, value []byte)) error {
	for len(b) > 0 {
		d.scratch = d.scratch[:0]
		var i int
		var ok bool
		first := b[0]
		switch {
		case first&0x80 != 0: // indexed, section 6.1
			if i, b, ok = integer(b, 7); !ok {
				return errHPACK
			}
			name, value, ok := d.lookup(i)
			if !ok {
				return errHPACK
			}
			field(t, name, value)
			continue
		case first&0xe0 == 0x20: // table size update, section 6.3
			if i, b, ok = integer(b, 5); !ok || i > MaxTable {
				return errHPACK
			}
			d.table.max, d.resized = i, true
			d.table.evict(i)
			continue
		case first&0xc0 == 0x40: // literal with indexing, section 6.2.1
			i, b, ok = integer(b, 6)
		default: // literal without, sections 6.2.2 and 6.2.3
			i, b, ok = integer(b, 4)
		}
		if !ok {
			return errHPACK
		}
		var name, value []byte
		if i > 0 {
			if name, _, ok = d.lookup(i); ok {
				// Adding may move the table's bytes.
				d.scratch = append(d.scratch, name...)
				name = d.scratch
			}
		} else {
			name, b, d.scratch, ok = str(b, d.scratch)
		}
		if !ok {
			return errHPACK
		}
		if value, b, d.scratch, ok = str(b, d.scratch); !ok {
			return errHPACK
		}
		if first&0xc0 == 0x40 {
			d.table.add(name, value)
		}
		field(t, name, value)
	}
	return nil
}

func (d *decoder) lookup(i int) (name, value []byte, ok bool) {
	if i < 1 {
		return nil, nil, false
	}
	if i <= len(static) {
		return static[i-1].Name, static[i-1].Value, true
	}
	return d.table.get(i - len(static))
}

// unhuffman decodes s onto dst, RFC 7541 section 5.2 and appendix B. The code
// is canonical: codes of one length are consecutive in the order of symbols.
func unhuffman(dst, s []byte) ([]byte, bool) {
	code, first, index, length := 0, 0, 0, 0
	for _, c := range s {
		for bit := 7; bit >= 0; bit-- {
			code |= int(c>>bit) & 1
			length++
			n := int(huff.count[length])
			if code-first < n {
				sym := huff.symbol[index+code-first]
				if sym == eos {
					return dst, false
				}
				dst = append(dst, byte(sym))
				code, first, index, length = 0, 0, 0, 0
				continue
			}
			if length == 30 {
				return dst, false
			}
			index += n
			first = (first + n) << 1
			code <<= 1
		}
	}
	// What is left is padding: less than a byte, all ones.
	return dst, length < 8 && code>>1 == 1<<length-1
}

const eos = 256

// huff is the code of appendix B by length and symbol.
var huff = newCode()

type canonical struct {
	count  [31]uint16
	symbol [257]uint16
}

func newCode() *canonical {
	c := new(canonical)
	i := 0
	for l := 1; l < len(c.count); l++ {
		for s, n := range codeLengths {
			if int(n) == l {
				c.count[l]++
				c.symbol[i] = uint16(s)
				i++
			}
		}
	}
	return c
}
