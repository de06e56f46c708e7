package mqtt

import "encoding/binary"

// reader takes fields off a packet's body. After the first that is not there,
// bad is set and all further ones are empty.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

// text takes a string or binary data with its length (section 1.5.4, 1.5.6).
func (r *reader) text() []byte { return r.take(int(r.uint16())) }

func (r *reader) varint() int {
	v, n := varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// varint reads a Variable Byte Integer (section 1.5.5): at most four bytes. n
// is 0 when b ends within it and -1 when it is longer.
func varint(b []byte) (v, n int) {
	for i, c := range b {
		v |= int(c&0x7f) << (7 * i)
		if c < 0x80 {
			return v, i + 1
		}
		if i == 3 {
			return 0, -1
		}
	}
	return 0, 0
}

// minimal says that v was written in n bytes as section 1.5.5 demands.
func minimal(v, n int) bool { return n == 1 || v >= 1<<(7*(n-1)) }

// Properties this package wants, section 2.2.2.2.
const (
	propAssignedID = 0x12
	propTopicAlias = 0x23
)

// shape of a property's value: its length in bytes, or one of the marks.
const (
	shapeVarint = -1
	shapeText   = -2
	shapePair   = -3
)

func shape(id byte) int {
	switch id {
	case 0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2a:
		return 1
	case 0x13, 0x21, 0x22, 0x23:
		return 2
	case 0x02, 0x11, 0x18, 0x27:
		return 4
	case 0x0b:
		return shapeVarint
	case 0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1a, 0x1c, 0x1f:
		return shapeText
	case 0x26:
		return shapePair
	}
	return 0
}

// properties walks a property list, keeping those that p has a place for.
func (r *reader) properties(p *Packet) {
	l := reader{b: r.take(r.varint())}
	for len(l.b) > 0 {
		id := l.byte()
		switch n := shape(id); {
		case n == 0:
			l.bad = true
		case n == shapeVarint:
			l.varint()
		case n == shapePair:
			l.text()
			l.text()
		case n == shapeText:
			if v := l.text(); id == propAssignedID {
				p.AssignedID = v
			}
		default:
			if v := l.take(n); id == propTopicAlias && v != nil {
				p.TopicAlias = binary.BigEndian.Uint16(v)
			}
		}
		if l.bad {
			r.bad, r.b = true, nil
			return
		}
	}
}
