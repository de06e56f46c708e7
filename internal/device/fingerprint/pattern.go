package fingerprint

import (
	"errors"
	"strings"
)

// pattern is what a value has to look like, compared without regard to case:
//
//   - any run of bytes, the shortest that fits   ? any one byte
//     # a decimal digit   [a-z] a letter   [x] a hexadecimal digit
//     a space: a space, hyphen, underscore or dot (names of hosts have no spaces)
//     ~ at the start: anywhere, where a word begins
//     ! at the end: a word ends there
//
// A pattern without "~" is about the whole value; one with it about any part.
type pattern struct {
	text  string // in lower case, without the marks
	words bool   // began with ~
	ends  bool   // ended with !
}

var errPattern = errors.New("the pattern is empty")

func compile(s string) (p pattern, err error) {
	p.text = strings.ToLower(s)
	p.text, p.words = strings.CutPrefix(p.text, "~")
	if p.words {
		p.text, p.ends = strings.CutSuffix(p.text, "!")
	} else {
		p.text = strings.TrimSuffix(p.text, "!")
	}
	p.text = strings.ReplaceAll(p.text, "[a-z]", "\x01")
	p.text = strings.ReplaceAll(p.text, "[x]", "\x02")
	if strings.Trim(p.text, "*") == "" {
		return p, errPattern
	}
	return p, nil
}

// literal reports that p stands for one value only.
func (p *pattern) literal() bool { return !p.words && !strings.ContainsAny(p.text, "*?# \x01\x02") }

// match returns the part of v, which is in lower case, that p describes.
func (p *pattern) match(v string) (from, to int, ok bool) {
	if !p.words {
		if n := glob(p.text, v, true); n >= 0 {
			return 0, len(v), true
		}
		return 0, 0, false
	}
	for i := range len(v) {
		if i > 0 && wordByte(v[i-1]) {
			continue
		}
		n := glob(p.text, v[i:], false)
		if n < 0 {
			continue
		}
		if p.ends && i+n < len(v) && wordByte(v[i+n]) {
			continue
		}
		return i, i + n, true
	}
	return 0, 0, false
}

func wordByte(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 0x80 }

func fits(c, v byte) bool {
	switch c {
	case '?':
		return true
	case '#':
		return v >= '0' && v <= '9'
	case 1:
		return v >= 'a' && v <= 'z'
	case 2:
		return v >= '0' && v <= '9' || v >= 'a' && v <= 'f'
	case ' ':
		return v == ' ' || v == '-' || v == '_' || v == '.'
	}
	return c == v
}

// glob matches the start of v, or all of it, and returns how many bytes it
// takes, -1 for none. It goes back to the latest * only, so that its cost is at
// most the product of the lengths.
func glob(p, v string, whole bool) int {
	i, j, star, mark := 0, 0, -1, 0
	for {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
			continue
		case i == len(p) && (!whole || j == len(v)):
			return j
		case i < len(p) && j < len(v) && fits(p[i], v[j]):
			i++
			j++
			continue
		}
		if star < 0 || mark >= len(v) {
			return -1
		}
		mark++
		i, j = star+1, mark
	}
}
