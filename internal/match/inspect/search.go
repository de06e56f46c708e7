package inspect

import "bytes"

func isLetter(b byte) bool { return 'a' <= b|0x20 && b|0x20 <= 'z' }

func toLower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b | 0x20
	}
	return b
}

// commonness ranks bytes by how often home traffic shows them: text of HTTP,
// mail and scripts first, then zeros of binary protocols. Only the order
// matters; a search looks for the rarest byte of its pattern.
func commonness(b byte) int {
	switch {
	case b == 0:
		return 250
	case b == ' ' || b == 'e':
		return 240
	case bytes.IndexByte([]byte("taoinsr"), b) >= 0:
		return 230
	case bytes.IndexByte([]byte("hldcumpfg/.-=\r\n"), b) >= 0:
		return 200
	case 'a' <= b && b <= 'z':
		return 150
	case '0' <= b && b <= '9':
		return 140
	case bytes.IndexByte([]byte("\"':;,_&?%<>()"), b) >= 0:
		return 120
	case 'A' <= b && b <= 'Z':
		return 110
	case b == 0xff || b == 1:
		return 100
	case b < 0x80:
		return 60
	}
	return 40
}

// rarest returns the place, at most 255, of the byte of p that a search should
// look for. Letters cost twice without case, as both forms must be looked for.
func rarest(p []byte, nocase bool) uint8 {
	best, at := 1<<30, 0
	for i, b := range p[:min(len(p), 256)] {
		c := commonness(b)
		if nocase && isLetter(b) {
			c += commonness(b &^ 0x20)
		}
		if c < best {
			best, at = c, i
		}
	}
	return uint8(at)
}

// indexFold returns the first place of the lower-case pattern p in s without
// regard to ASCII case, or -1. It looks for p[rare] with the vectorised
// bytes.IndexByte. cost counts the bytes compared beside that; when it passes
// limit, as a hostile pair of pattern and text makes it, the search ends.
func indexFold(s, p []byte, rare int, cost *int, limit int) int {
	last := len(s) - len(p) // the last place p can start
	if last < 0 {
		return -1
	}
	lo := p[rare]
	up := lo
	if isLetter(lo) {
		up = lo &^ 0x20
	}
	window := s[rare : rare+last+1] // where p[rare] can be
	nextLo, nextUp := -1, -1        // next places of both forms; len(window) when none is left
	for i := 0; i <= last; i++ {
		if nextLo < i {
			nextLo = indexFrom(window, lo, i)
		}
		if up == lo {
			nextUp = nextLo
		} else if nextUp < i {
			nextUp = indexFrom(window, up, i)
		}
		if i = min(nextLo, nextUp); i > last {
			return -1
		}
		n := equalFold(s[i:i+len(p)], p)
		if n == len(p) {
			return i
		}
		if *cost += n; *cost > limit {
			return -1
		}
	}
	return -1
}

func indexFrom(s []byte, b byte, from int) int {
	if i := bytes.IndexByte(s[from:], b); i >= 0 {
		return from + i
	}
	return len(s)
}

// equalFold returns how many leading bytes of s equal those of p, which is
// lower case and as long.
func equalFold(s, p []byte) int {
	for i, b := range s {
		if toLower(b) != p[i] {
			return i
		}
	}
	return len(s)
}
