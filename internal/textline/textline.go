// Package textline reads what the text protocols of the Internet share: lines,
// words in whatever case (RFC 5234 section 2.3) and header fields (RFC 5322
// section 2.2). Everything works on bytes as they came and allocates nothing.
package textline

import "bytes"

// Is reports whether b is the ASCII string s, in whatever case.
func Is(b []byte, s string) bool { return len(b) == len(s) && HasPrefix(b, s) }

// HasPrefix reports whether b begins with the ASCII string s, in whatever case.
func HasPrefix(b []byte, s string) bool {
	if len(b) < len(s) {
		return false
	}
	for i := range len(s) {
		if b[i] != s[i] && lower(b[i]) != lower(s[i]) {
			return false
		}
	}
	return true
}

// CutPrefix returns b without the ASCII string s that it begins with, in
// whatever case.
func CutPrefix(b []byte, s string) (rest []byte, ok bool) {
	if !HasPrefix(b, s) {
		return nil, false
	}
	return b[len(s):], true
}

// MayBecome reports whether b begins with the ASCII string s, in whatever case,
// or is too short to tell and has been like s so far.
func MayBecome(b []byte, s string) bool {
	n := min(len(b), len(s))
	return HasPrefix(b, s[:n])
}

// Contains reports whether b holds the ASCII string s, in whatever case.
func Contains(b []byte, s string) bool {
	for ; len(b) >= len(s); b = b[1:] {
		if HasPrefix(b, s) {
			return true
		}
	}
	return false
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c |= 0x20
	}
	return c
}

// Printable reports whether b holds no control characters; bytes beyond ASCII
// may be there.
func Printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// maxDigits is how many digits of a number are read.
const maxDigits = 9

// Number returns the decimal number that b begins with, of its first nine
// digits when there are more; zero when there is none.
func Number(b []byte) (n int64) {
	for i, c := range b {
		if c < '0' || c > '9' || i >= maxDigits {
			break
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

// Cut finds the first line of b, which has fewer than most bytes before its
// line feed. It returns the line without the line feed (a carriage return stays)
// and the length with it. n is zero while the line may still end; long says that
// it has not ended within most bytes: then line is these, and n is most.
func Cut(b []byte, most int) (line []byte, n int, long bool) {
	end := bytes.IndexByte(b[:min(len(b), most)], '\n')
	switch {
	case end >= 0:
		return b[:end], end + 1, false
	case len(b) < most:
		return nil, 0, false
	}
	return b[:most], most, true
}

// Scanner finds lines in bytes that are shown again with more behind them,
// without looking at any byte twice. The zero Scanner is at the begin of a line.
type Scanner struct{ seen int }

// Next returns the first line of b without its line end, and its length with
// it, zero while there is no line feed: then the next b begins with this one.
func (s *Scanner) Next(b []byte) (line []byte, n int) {
	i := bytes.IndexByte(b[min(s.seen, len(b)):], '\n')
	if i < 0 {
		s.seen = len(b)
		return nil, 0
	}
	i += s.seen
	s.seen = 0
	return bytes.TrimRight(b[:i], "\r"), i + 1
}

// Field is one header field.
type Field struct{ Name, Value []byte }

// Fields are the header fields of a message, in their order.
type Fields []Field

// Get returns the value of the first field of that name, nil when there is
// none.
func (f Fields) Get(name string) []byte {
	for i := range f {
		if Is(f[i].Name, name) {
			return f[i].Value
		}
	}
	return nil
}

// Colon returns where the name of the header field in line ends, -1 for what is
// no field and for the continuation of one.
func Colon(line []byte) int {
	i := bytes.IndexByte(line, ':')
	if i <= 0 || line[0] == ' ' || line[0] == '\t' {
		return -1
	}
	return i
}

// FieldAt splits line at its colon, without the space around name and value.
func FieldAt(line []byte, colon int) Field {
	return Field{bytes.TrimSpace(line[:colon]), bytes.TrimSpace(line[colon+1:])}
}
