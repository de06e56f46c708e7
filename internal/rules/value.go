package rules

import (
	"fmt"
	"math"
	"strings"
)

// Unescape takes away the backslash before each escaped character, whatever
// the character, as msg does. It allocates only when there is one.
func Unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			if i++; i == len(s) {
				break
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

// Unquote takes apart a value: the negation before it and the quotes around
// it. What is within the quotes stays escaped.
func Unquote(v string) (text string, negated, quoted bool) {
	v = trim(v)
	if strings.HasPrefix(v, "!") {
		negated = true
		v = trim(v[1:])
	}
	if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
		return v[1 : len(v)-1], negated, true
	}
	return v, negated, false
}

// SplitList appends the parts of v between the separators to out, without
// blanks around them. A separator within quotes or after a backslash does not
// separate. "a, b" has two parts, "" has one, which is empty.
func SplitList(out []string, v string, sep byte) []string {
	start, quoted := 0, false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == sep && !quoted:
			out = append(out, trim(v[start:i]))
			start = i + 1
		}
	}
	return append(out, trim(v[start:]))
}

// ParseUint reads a decimal number, or a hexadecimal one after 0x, of at most
// most. Nothing may stand around it.
func ParseUint(v string, most uint64) (uint64, error) {
	n, used, ok := uintPrefix(v)
	if !ok || used != len(v) {
		return 0, badValue("", "%q is no number", clip(v))
	}
	if n > most {
		return 0, badValue("", "%s is more than %d", clip(v), most)
	}
	return n, nil
}

// ParseInt reads a number as ParseUint does, with a sign before it if wanted.
func ParseInt(v string, least, most int64) (int64, error) {
	digits, negative := strings.CutPrefix(v, "-")
	if !negative {
		digits = strings.TrimPrefix(digits, "+")
	}
	n, used, ok := uintPrefix(digits)
	if !ok || used != len(digits) || n > math.MaxInt64 {
		return 0, badValue("", "%q is no number", clip(v))
	}
	i := int64(n)
	if negative {
		i = -i
	}
	if i < least || i > most {
		return 0, badValue("", "%s is not from %d to %d", clip(v), least, most)
	}
	return i, nil
}

// ParseSize reads a number that a unit may follow: kb, mb, gb or kib, mib,
// gib in any case, all powers of 1024 as in Suricata ("10kb", "5 MB").
func ParseSize(v string, most uint64) (uint64, error) {
	v = trim(v)
	n, used, ok := uintPrefix(v)
	if !ok {
		return 0, badValue("", "%q is no size", clip(v))
	}
	unit := trim(v[used:])
	if unit != "" {
		f, ok := units[lower(unit)]
		if !ok {
			return 0, badValue("use kb, mb or gb", "%q is no unit of size", clip(unit))
		}
		if n > math.MaxUint64/f {
			return 0, badValue("", "%s is more than %d", clip(v), most)
		}
		n *= f
	}
	if n > most {
		return 0, badValue("", "%s is more than %d", clip(v), most)
	}
	return n, nil
}

var units = map[string]uint64{"kb": 1 << 10, "kib": 1 << 10, "mb": 1 << 20, "mib": 1 << 20, "gb": 1 << 30, "gib": 1 << 30}

// uintPrefix reads the number s begins with, saturating, and says how long it is.
func uintPrefix(s string) (n uint64, used int, ok bool) {
	base := uint64(10)
	i := 0
	if strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X") {
		base, i = 16, 2
	}
	start := i
	for ; i < len(s); i++ {
		d := uint64(hexDigit(s[i]))
		if d >= base {
			break
		}
		if n > (math.MaxUint64-d)/base {
			n = math.MaxUint64
			continue
		}
		n = n*base + d
	}
	return n, i, i > start
}

// hexDigit is the value of a hexadecimal digit, or 255.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}

// Op compares a number with the numbers of a rule.
type Op uint8

// Comparisons of UintRange.
const (
	Equal        Op = iota // v == A
	NotEqual               // v != A
	Less                   // v < A
	LessEqual              // v <= A
	Greater                // v > A
	GreaterEqual           // v >= A
	Between                // A < v < B
	NotBetween             // v <= A or v >= B
	Mask                   // v & A == B
	NotMask                // v & A != B
)

// UintRange is a comparison as the numeric keywords write it.
type UintRange struct {
	Op   Op
	A, B uint64
}

// Match reports whether v satisfies the comparison.
func (u UintRange) Match(v uint64) bool {
	switch u.Op {
	case Equal:
		return v == u.A
	case NotEqual:
		return v != u.A
	case Less:
		return v < u.A
	case LessEqual:
		return v <= u.A
	case Greater:
		return v > u.A
	case GreaterEqual:
		return v >= u.A
	case Between:
		return v > u.A && v < u.B
	case NotBetween:
		return v <= u.A || v >= u.B
	case Mask:
		return v&u.A == u.B
	case NotMask:
		return v&u.A != u.B
	}
	return false
}

// String writes the comparison as ParseUintRange reads it.
func (u UintRange) String() string {
	switch u.Op {
	case Between:
		return fmt.Sprintf("%d-%d", u.A, u.B)
	case NotBetween:
		return fmt.Sprintf("!%d-%d", u.A, u.B)
	case Mask:
		return fmt.Sprintf("&%d=%d", u.A, u.B)
	case NotMask:
		return fmt.Sprintf("&%d!=%d", u.A, u.B)
	}
	return fmt.Sprintf("%s%d", [...]string{"", "!", "<", "<=", ">", ">="}[u.Op], u.A)
}
