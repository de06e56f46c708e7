package event

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"unicode/utf8"

	"github.com/yamori-net/yamori/internal/packet"
)

// Encoder appends JSON to B. Keys are trusted constants; values are escaped,
// and bytes that are not UTF-8 become U+FFFD, so that whatever an attacker
// sends the line stays one valid JSON object. The comma before a member is
// decided from the last byte of B. It never allocates beyond growing B.
type Encoder struct {
	B []byte

	// The date of the latest Time, so that most need no calendar.
	day     int64 // days since the epoch
	dayText [10]byte
	hasDay  bool
}

func (e *Encoder) key(k string) {
	e.comma()
	e.B = append(e.B, '"')
	e.B = append(e.B, k...)
	e.B = append(e.B, '"', ':')
}

func (e *Encoder) comma() {
	if n := len(e.B); n > 0 {
		switch e.B[n-1] {
		case '{', '[', ':', '\n':
		default:
			e.B = append(e.B, ',')
		}
	}
}

// Obj opens an object; an empty key opens an element of an array (or the
// outermost object).
func (e *Encoder) Obj(k string) { e.open(k, '{') }

// EndObj closes the innermost object.
func (e *Encoder) EndObj() { e.B = append(e.B, '}') }

// Arr opens an array; the key is empty for an array in an array.
func (e *Encoder) Arr(k string) { e.open(k, '[') }

// EndArr closes the innermost array.
func (e *Encoder) EndArr() { e.B = append(e.B, ']') }

func (e *Encoder) open(k string, c byte) {
	if k == "" {
		e.comma()
	} else {
		e.key(k)
	}
	e.B = append(e.B, c)
}

// Str appends a string member; with an empty key, an array element.
func (e *Encoder) Str(k, v string) {
	e.start(k)
	e.B = AppendString(e.B, v)
}

// Bytes appends a member whose string value is the text in v.
func (e *Encoder) Bytes(k string, v []byte) {
	e.start(k)
	e.B = AppendString(e.B, v)
}

// OptBytes is Bytes, left out when v is empty.
func (e *Encoder) OptBytes(k string, v []byte) {
	if len(v) > 0 {
		e.Bytes(k, v)
	}
}

// OptStr is Str, left out when v is empty.
func (e *Encoder) OptStr(k, v string) {
	if v != "" {
		e.Str(k, v)
	}
}

// Hex appends v as lower-case hexadecimal digits.
func (e *Encoder) Hex(k string, v []byte) {
	e.start(k)
	e.B = append(e.B, '"')
	e.B = hex.AppendEncode(e.B, v)
	e.B = append(e.B, '"')
}

// Raw appends members that were encoded before: "tls":{…} without a comma
// around it.
func (e *Encoder) Raw(members []byte) {
	e.comma()
	e.B = append(e.B, members...)
}

// Base64 appends v in standard base64 with padding.
func (e *Encoder) Base64(k string, v []byte) {
	e.start(k)
	e.B = append(e.B, '"')
	e.B = base64.StdEncoding.AppendEncode(e.B, v)
	e.B = append(e.B, '"')
}

// Printable appends v as text with a dot for each byte that cannot be shown;
// ends of lines stay, as in Suricata's payload_printable.
func (e *Encoder) Printable(k string, v []byte) {
	e.start(k)
	e.B = append(e.B, '"')
	for _, c := range v {
		switch {
		case c == '"' || c == '\\':
			e.B = append(e.B, '\\', c)
		case c == '\n':
			e.B = append(e.B, '\\', 'n')
		case c == '\r':
			e.B = append(e.B, '\\', 'r')
		case c < 0x20 || c > 0x7e:
			e.B = append(e.B, '.')
		default:
			e.B = append(e.B, c)
		}
	}
	e.B = append(e.B, '"')
}

// Int appends a signed number.
func (e *Encoder) Int(k string, v int64) {
	e.start(k)
	e.B = strconv.AppendInt(e.B, v, 10)
}

// Uint appends an unsigned number.
func (e *Encoder) Uint(k string, v uint64) {
	e.start(k)
	e.B = strconv.AppendUint(e.B, v, 10)
}

// Float appends a number with at most prec digits after the point.
func (e *Encoder) Float(k string, v float64, prec int) {
	e.start(k)
	e.B = strconv.AppendFloat(e.B, v, 'f', prec, 64)
}

// Bool appends true or false.
func (e *Encoder) Bool(k string, v bool) {
	e.start(k)
	e.B = strconv.AppendBool(e.B, v)
}

// Addr appends an address in its text form.
func (e *Encoder) Addr(k string, a packet.Addr) {
	e.start(k)
	e.B = append(e.B, '"')
	e.B = a.Netip().AppendTo(e.B)
	e.B = append(e.B, '"')
}

func (e *Encoder) start(k string) {
	if k == "" {
		e.comma()
	} else {
		e.key(k)
	}
}

const hexDigits = "0123456789abcdef"

// AppendString appends v as a JSON string, RFC 8259 section 7, with quotes.
func AppendString[T string | []byte](dst []byte, v T) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(v); {
		c := v[i]
		if c < utf8.RuneSelf {
			if c >= 0x20 && c != '"' && c != '\\' && c != 0x7f {
				i++
				continue
			}
			dst = append(dst, v[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		n := runeLen(v, i)
		if n == 0 {
			dst = append(dst, v[start:i]...)
			dst = append(dst, "\ufffd"...)
			i++
			start = i
			continue
		}
		i += n
	}
	dst = append(dst, v[start:]...)
	return append(dst, '"')
}

// runeLen returns the length of the valid UTF-8 sequence at v[i], or 0.
func runeLen[T string | []byte](v T, i int) int {
	var b [utf8.UTFMax]byte
	n := copy(b[:], v[i:min(len(v), i+utf8.UTFMax)])
	r, size := utf8.DecodeRune(b[:n])
	if r == utf8.RuneError && size <= 1 {
		return 0
	}
	return size
}
