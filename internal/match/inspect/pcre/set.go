package pcre

import "math/bits"

// set is a set of bytes, one bit each.
type set [4]uint64

func (s *set) add(b byte)      { s[b>>6] |= 1 << (b & 63) }
func (s *set) has(b byte) bool { return s[b>>6]>>(b&63)&1 != 0 }

func (s *set) addRange(lo, hi byte) {
	for b := int(lo); b <= int(hi); b++ {
		s.add(byte(b))
	}
}

func (s *set) union(o *set) {
	for i := range s {
		s[i] |= o[i]
	}
}

func (s *set) invert() {
	for i := range s {
		s[i] = ^s[i]
	}
}

// foldCase adds the other case of every letter (ASCII only, as PCRE2 does with
// its built-in tables).
func (s *set) foldCase() {
	for b := byte('a'); b <= 'z'; b++ {
		if s.has(b) || s.has(b&^0x20) {
			s.add(b)
			s.add(b &^ 0x20)
		}
	}
}

// one returns the only byte of the set.
func (s *set) one() (byte, bool) {
	found := -1
	for i, w := range s {
		if w == 0 {
			continue
		}
		if found >= 0 || w&(w-1) != 0 {
			return 0, false
		}
		found = i<<6 + bits.TrailingZeros64(w)
	}
	return byte(max(found, 0)), found >= 0
}

func setOf(chars string) (s set) {
	for i := range len(chars) {
		s.add(chars[i])
	}
	return s
}

func (s set) with(lo, hi byte) set {
	s.addRange(lo, hi)
	return s
}

func (s set) without() set {
	s.invert()
	return s
}

// shorthand returns the set of \d, \w, \s, \h, \v, \N and their opposites, in
// the "C" locale. \s has had the vertical tab since PCRE 8.34.
func shorthand(ch byte) (s set, ok bool) {
	switch ch | 0x20 {
	case 'd':
		s = s.with('0', '9')
	case 'w':
		s = wordSet()
	case 's':
		s = setOf(" \t\n\v\f\r")
	case 'h':
		s = setOf("\t \xa0")
	case 'v':
		s = setOf("\n\v\f\r\x85")
	case 'n':
		if ch == 'N' {
			return setOf("\n").without(), true
		}
		return s, false
	default:
		return s, false
	}
	if ch < 'a' {
		s.invert()
	}
	return s, true
}

func wordSet() set { return setOf("_").with('0', '9').with('a', 'z').with('A', 'Z') }

// posix returns the set of [:name:].
func posix(name string) (s set, ok bool) {
	switch name {
	case "alpha":
		return s.with('a', 'z').with('A', 'Z'), true
	case "lower":
		return s.with('a', 'z'), true
	case "upper":
		return s.with('A', 'Z'), true
	case "alnum":
		return s.with('a', 'z').with('A', 'Z').with('0', '9'), true
	case "ascii":
		return s.with(0, 0x7f), true
	case "blank":
		return setOf(" \t"), true
	case "cntrl":
		return s.with(0, 0x1f).with(0x7f, 0x7f), true
	case "digit":
		return s.with('0', '9'), true
	case "graph":
		return s.with(0x21, 0x7e), true
	case "print":
		return s.with(0x20, 0x7e), true
	case "punct":
		return s.with('!', '/').with(':', '@').with('[', '`').with('{', '~'), true
	case "space":
		return setOf(" \t\n\v\f\r"), true
	case "word":
		return wordSet(), true
	case "xdigit":
		return s.with('0', '9').with('a', 'f').with('A', 'F'), true
	}
	return s, false
}
