package stratum

// MaxDepth is the deepest nesting of objects and arrays that is followed.
// Mining messages nest four deep; a message beyond the bound is malformed.
const MaxDepth = 32

// framer finds the end of one JSON object in bytes that arrive piecemeal. It
// keeps its place between calls, so that a message in one-byte segments costs
// one pass and not one pass per segment, and it follows the grammar (RFC 8259
// section 2) closely enough to stop at the first byte that cannot belong to
// an object: a line that is not JSON must not swallow the lines after it.
// Numbers and literals are only delimited here; ParseMessage judges them.
type framer struct {
	pos   int    // bytes already looked at
	stack uint32 // one bit per open container, innermost lowest: 1 object, 0 array
	depth uint8
	state uint8
}

const (
	fStart      uint8 = iota // expects the opening brace
	fKeyOrEnd                // after {
	fKey                     // after a comma in an object
	fColon                   // after a key
	fValue                   // after a colon, or a comma in an array
	fValueOrEnd              // after [
	fAfter                   // after a value
	fWord                    // in a number or literal
	fString                  // in a string value
	fEscape                  // after a backslash in it
	fKeyString               // in a key
	fKeyEscape
)

// next looks on from where it stood and returns the length of the object when
// it is complete, else 0; bad means that no object can begin like this, and
// pos then is the place of the offending byte.
func (f *framer) next(b []byte) (n int, bad bool) {
	i := f.pos
	for ; i < len(b); i++ {
		c := b[i]
		switch f.state {
		case fString, fKeyString:
			for c != '"' && c != '\\' && c >= 0x20 {
				if i++; i == len(b) {
					f.pos = i
					return 0, false
				}
				c = b[i]
			}
			switch {
			case c < 0x20: // control characters are escaped in strings: RFC 8259 section 7
				f.pos = i
				return 0, true
			case c == '\\':
				f.state++
			case f.state == fKeyString:
				f.state = fColon
			default:
				f.state = fAfter
			}
			continue
		case fEscape, fKeyEscape:
			if c < 0x20 {
				f.pos = i
				return 0, true
			}
			f.state-- // the escaped character itself; ParseMessage checks \u
			continue
		case fWord:
			if wordByte(c) {
				continue
			}
			f.state = fAfter
		}
		if space(c) {
			continue
		}
		ok := false
		switch f.state {
		case fStart:
			ok = c == '{' && f.push(1)
		case fKeyOrEnd, fKey:
			if c == '"' {
				f.state, ok = fKeyString, true
			} else {
				ok = c == '}' && f.state == fKeyOrEnd && f.pop(1)
			}
		case fColon:
			f.state, ok = fValue, c == ':'
		case fValue, fValueOrEnd:
			switch {
			case c == '"':
				f.state, ok = fString, true
			case c == '{':
				ok = f.push(1)
			case c == '[':
				ok = f.push(0)
			case c == ']':
				ok = f.state == fValueOrEnd && f.pop(0)
			case wordByte(c):
				f.state, ok = fWord, true
			}
		case fAfter:
			switch c {
			case ',':
				f.state, ok = fValue, true
				if f.stack&1 == 1 {
					f.state = fKey
				}
			case '}':
				ok = f.pop(1)
			case ']':
				ok = f.pop(0)
			}
		}
		if !ok {
			f.pos = i
			return 0, true
		}
		if f.depth == 0 {
			*f = framer{}
			return i + 1, false
		}
	}
	f.pos = i
	return 0, false
}

func (f *framer) push(object uint32) bool {
	if f.depth == MaxDepth {
		return false
	}
	f.depth++
	f.stack = f.stack<<1 | object
	f.state = fValueOrEnd
	if object == 1 {
		f.state = fKeyOrEnd
	}
	return true
}

func (f *framer) pop(object uint32) bool {
	if f.stack&1 != object {
		return false
	}
	f.depth--
	f.stack >>= 1
	f.state = fAfter
	return true
}

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '+' || c == '.'
}
