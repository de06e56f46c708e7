package mime

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/textline"
)

// AppendParam appends the parameter of that lower-case name in a field such as
// "attachment; filename=\"a;b\"" to dst, without quotes, and returns it; nothing
// is appended when there is none. A name in pieces ("filename*0=a; filename*1=b")
// is joined in the order it stands in, and percent signs of the extended form
// ("filename*=utf-8”a%20b") are undone, RFC 2231 and 8187.
func AppendParam(dst, v []byte, name string) []byte {
	base := len(dst)
	inQuotes, start := false, -1 // what is before the first semicolon is no parameter
	for i := 0; i <= len(v); i++ {
		if i < len(v) && v[i] == '"' && (i == 0 || v[i-1] != '\\') {
			inQuotes = !inQuotes
		}
		if i < len(v) && (v[i] != ';' || inQuotes) {
			continue
		}
		if start >= 0 {
			key, val, ok := bytes.Cut(v[start:i], []byte{'='})
			key = bytes.TrimSpace(key)
			if ok && textline.HasPrefix(key, name) {
				switch rest := key[len(name):]; {
				case len(rest) == 0:
					return append(dst[:base], unquote(val)...)
				case rest[0] == '*':
					dst = appendExtended(dst, unquote(val), rest)
				}
			}
		}
		start = i + 1
	}
	return dst
}

func unquote(b []byte) []byte {
	b = bytes.TrimSpace(b)
	if len(b) > 0 && b[0] == '"' {
		b = b[1:]
	}
	if len(b) > 0 && b[len(b)-1] == '"' {
		b = b[:len(b)-1]
	}
	return b
}

// appendExtended appends a piece of a value; star is what follows the name of
// its parameter: "*", "*0" or "*0*".
func appendExtended(dst, v, star []byte) []byte {
	if star[len(star)-1] != '*' {
		return append(dst, v...)
	}
	if len(star) == 1 || string(star) == "*0*" { // charset'language'value
		for range 2 {
			if _, rest, ok := bytes.Cut(v, []byte{'\''}); ok {
				v = rest
			}
		}
	}
	for len(v) > 0 {
		if v[0] == '%' && len(v) >= 3 {
			if hi, lo := hexDigit(v[1]), hexDigit(v[2]); hi < 16 && lo < 16 {
				dst = append(dst, hi<<4|lo)
				v = v[3:]
				continue
			}
		}
		dst = append(dst, v[0])
		v = v[1:]
	}
	return dst
}
