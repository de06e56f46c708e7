package stratum

import (
	"unicode/utf16"
	"unicode/utf8"
)

// Status says how far ParseMessage came.
type Status uint8

// Status values.
const (
	Complete  Status = iota // one whole message was read
	Truncated               // the bytes end inside a message; what was read of it is in place
	Malformed               // not a JSON object
)

// reader walks one JSON text by recursive descent, bounded by MaxDepth.
type reader struct {
	m     *Message
	b     []byte
	i     int
	depth int
	st    Status
}

// fail records why reading stops and returns false.
func (r *reader) fail(st Status) bool {
	r.st = st
	return false
}

// peek skips white space and returns the next byte.
func (r *reader) peek() (c byte, ok bool) {
	for r.i < len(r.b) && space(r.b[r.i]) {
		r.i++
	}
	if r.i == len(r.b) {
		return 0, r.fail(Truncated)
	}
	return r.b[r.i], true
}

// place is where in a message a value stands, as far as that matters.
type place uint8

const (
	elsewhere  place = iota
	inTop            // member of the message
	inParams         // member of params, or of an object that is an element of params
	inResult         // member of result
	inJob            // member of a job
	paramsList       // element of params
	resultList       // element of result
)

// object reads from the brace at r.i.
func (r *reader) object(at place) bool {
	if r.depth++; r.depth > MaxDepth {
		return r.fail(Malformed)
	}
	r.i++
	for first := true; ; first = false {
		c, ok := r.peek()
		if !ok {
			return false
		}
		if c == '}' && first {
			break
		}
		if c != '"' {
			return r.fail(Malformed)
		}
		s, e, esc, ok := r.str()
		if !ok {
			return false
		}
		k := noKey
		if at != elsewhere {
			k = r.key(s, e, esc)
		}
		if c, ok = r.peek(); !ok {
			return false
		} else if c != ':' {
			return r.fail(Malformed)
		}
		r.i++
		held := len(r.m.buf)
		v, ok := r.value(below(at, k))
		if k == noKey {
			r.m.buf = r.m.buf[:held]
		} else if ok || v.Kind != 0 {
			r.m.store(at, k, v)
		}
		if !ok {
			return false
		}
		if c, ok = r.peek(); !ok {
			return false
		}
		if c == '}' {
			break
		}
		if c != ',' {
			return r.fail(Malformed)
		}
		r.i++
	}
	r.i++
	r.depth--
	return true
}

// below returns the place of what a member of that name holds.
func below(at place, k Key) place {
	switch {
	case at == inTop && k == KeyParams:
		return paramsList
	case k == KeyResult && (at == inTop || at == inParams): // also of an eth_subscription
		return resultList
	case k == KeyJob || k == KeyNewJob:
		return inJob
	}
	return elsewhere
}

// array reads from the bracket at r.i and sums up its elements in v.
func (r *reader) array(at place, v *Value) bool {
	if r.depth++; r.depth > MaxDepth {
		return r.fail(Malformed)
	}
	r.i++
	all := AllHashes | AllNumbers | AllStrings
	for first := true; ; first = false {
		c, ok := r.peek()
		if !ok {
			return false
		}
		if c == ']' && first {
			all = 0
			break
		}
		in := elsewhere
		if at == paramsList {
			in = inParams
		}
		held := len(r.m.buf)
		e, ok := r.value(in)
		if v.Count < 1<<16-1 {
			v.Count++
		}
		all &= e.kinds()
		v.Flags |= e.Flags & (HasNotification | HasAlgorithm)
		if e.Kind == String {
			v.Flags |= classify(r.m.Text(e))
		}
		if at == elsewhere {
			r.m.buf = r.m.buf[:held]
		} else if ok || e.Kind != 0 {
			r.m.element(at, int(v.Count)-1, e)
		}
		if !ok {
			return false
		}
		if c, ok = r.peek(); !ok {
			return false
		}
		if c == ']' {
			break
		}
		if c != ',' {
			return r.fail(Malformed)
		}
		r.i++
	}
	v.Flags |= all
	r.i++
	r.depth--
	return true
}

// value reads one value. When the bytes end inside it, v still tells its kind
// if it is a container: its members are in place as far as they were read.
func (r *reader) value(at place) (v Value, ok bool) {
	c, ok := r.peek()
	if !ok {
		return v, false
	}
	switch {
	case c == '"':
		s, e, esc, ok := r.str()
		if !ok {
			return v, false
		}
		return r.m.text(s, e, esc), true
	case c == '{':
		switch at {
		case paramsList:
			at = inParams
		case resultList:
			at = inResult
		}
		v.Kind, v.Start = Object, uint32(r.i)
		ok = r.object(at)
		v.End = uint32(r.i)
		return v, ok
	case c == '[':
		if at != paramsList && at != resultList {
			at = elsewhere
		}
		v.Kind, v.Start = Array, uint32(r.i)
		ok = r.array(at, &v)
		v.End = uint32(r.i)
		return v, ok
	}
	return r.word()
}

// word reads a number, true, false or null.
func (r *reader) word() (v Value, ok bool) {
	s := r.i
	for r.i < len(r.b) && wordByte(r.b[r.i]) {
		r.i++
	}
	if r.i == len(r.b) {
		return v, r.fail(Truncated)
	}
	v.Start, v.End = uint32(s), uint32(r.i)
	switch w := r.b[s:r.i]; string(w) {
	case "true":
		v.Kind = True
	case "false":
		v.Kind = False
	case "null":
		v.Kind = Null
	default:
		if !number(w) {
			return Value{}, r.fail(Malformed)
		}
		v.Kind = Number
	}
	return v, true
}

// number reports whether w is a number, RFC 8259 section 6.
func number(w []byte) bool {
	i := 0
	if i < len(w) && w[i] == '-' {
		i++
	}
	n := digits(w[i:])
	if n == 0 || n > 1 && w[i] == '0' {
		return false
	}
	i += n
	if i < len(w) && w[i] == '.' {
		if n = digits(w[i+1:]); n == 0 {
			return false
		}
		i += 1 + n
	}
	if i < len(w) && w[i]|0x20 == 'e' {
		i++
		if i < len(w) && (w[i] == '+' || w[i] == '-') {
			i++
		}
		if n = digits(w[i:]); n == 0 {
			return false
		}
		i += n
	}
	return i == len(w)
}

func digits(w []byte) int {
	n := 0
	for n < len(w) && w[n] >= '0' && w[n] <= '9' {
		n++
	}
	return n
}

// str reads the string whose quote is at r.i and returns the bounds of its
// inside.
func (r *reader) str() (start, end int, esc, ok bool) {
	b := r.b
	i := r.i + 1
	start = i
	for {
		for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= 0x20 {
			i++
		}
		if i == len(b) {
			return 0, 0, false, r.fail(Truncated)
		}
		switch {
		case b[i] == '"':
			r.i = i + 1
			return start, i, esc, true
		case b[i] < 0x20:
			return 0, 0, false, r.fail(Malformed)
		}
		esc = true
		if i+1 == len(b) {
			return 0, 0, false, r.fail(Truncated)
		}
		switch b[i+1] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			i += 2
		case 'u':
			for j := i + 2; j < i+6; j++ {
				if j >= len(b) {
					return 0, 0, false, r.fail(Truncated)
				}
				if unhex(b[j]) < 0 {
					return 0, 0, false, r.fail(Malformed)
				}
			}
			i += 6
		default:
			return 0, 0, false, r.fail(Malformed)
		}
	}
}

// unescape appends the text of a valid JSON string's inside to dst, at most
// until dst is full; whole tells whether all of it fitted. Lone surrogates
// become U+FFFD.
func unescape(dst, s []byte) (out []byte, whole bool) {
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			if len(dst) == cap(dst) {
				return dst, false
			}
			dst = append(dst, s[i])
			i++
			continue
		}
		if cap(dst)-len(dst) < utf8.UTFMax {
			return dst, false
		}
		c := s[i+1]
		i += 2
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			u := hex4(s[i:])
			i += 4
			if utf16.IsSurrogate(u) {
				pair := rune(utf8.RuneError)
				if i+6 <= len(s) && s[i] == '\\' && s[i+1] == 'u' {
					pair = utf16.DecodeRune(u, hex4(s[i+2:]))
				}
				if u = pair; u != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, u)
			continue
		}
		dst = append(dst, c)
	}
	return dst, true
}

func hex4(s []byte) (u rune) {
	for _, c := range s[:4] {
		u = u<<4 | rune(unhex(c))
	}
	return u
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
