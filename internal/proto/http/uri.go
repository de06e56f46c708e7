package http

import "bytes"

// authority returns the host part of an absolute URI, with its port and
// without user information; nil when uri has none.
func authority(uri []byte) []byte {
	i := schemeEnd(uri)
	if i < 0 {
		return nil
	}
	a := uri[i:]
	if e := bytes.IndexAny(a, `/?#\`); e >= 0 {
		a = a[:e]
	}
	return a[bytes.LastIndexByte(a, '@')+1:]
}

// schemeEnd returns the index after "scheme://", -1 when uri is not absolute.
func schemeEnd(uri []byte) int {
	i := 0
	for i < len(uri) && i < 16 && (isTokenByte(uri[i]) || uri[i] == '+') {
		i++
	}
	if i > 0 && i+3 <= len(uri) && string(uri[i:i+3]) == "://" {
		return i + 3
	}
	return -1
}

// normalise writes what http.uri holds of uri to dst[:0] and returns dst and
// the result, which is part of uri itself when there is nothing to change. It
// follows libhtp's IDS personality, Suricata's default: scheme and authority
// are left out; in the path %XX and %uXXXX are decoded, backslashes become
// slashes, runs of slashes one slash, UTF-8 (overlong forms too) single bytes,
// dot segments are resolved; in query and fragment %XX is decoded.
func normalise(dst, uri []byte) (mem, out []byte) {
	if i := schemeEnd(uri); i >= 0 {
		uri = uri[i:]
		j := bytes.IndexAny(uri, `/?#\`)
		if j < 0 {
			j = len(uri)
		}
		uri = uri[j:]
	}
	if plain(uri) {
		return dst, uri
	}
	path, rest := uri, []byte(nil)
	if i := bytes.IndexAny(uri, "?#"); i >= 0 {
		path, rest = uri[:i], uri[i:]
	}
	dst = dst[:0]
	for i := 0; i < len(path); {
		c, n := pathByte(path[i:])
		i += n
		if c == '\\' {
			c = '/'
		}
		if c == '/' && len(dst) > 0 && dst[len(dst)-1] == '/' {
			continue
		}
		dst = append(dst, c)
	}
	dst = removeDots(narrowUTF8(dst))
	for i := 0; i < len(rest); {
		c, n := queryByte(rest[i:])
		i += n
		dst = append(dst, c)
	}
	return dst, dst
}

// plain reports whether normalise would change nothing.
func plain(uri []byte) bool {
	query := false
	for i, c := range uri {
		switch c {
		case '%':
			return false
		case '?', '#':
			query = true
		case '\\':
			if !query {
				return false
			}
		case '/', '.':
			if !query && i > 0 && uri[i-1] == '/' {
				return false
			}
		default:
			if c >= 0x80 && !query {
				return false
			}
		}
	}
	return true
}

// pathByte decodes the first byte of a path: n is how many bytes it took.
func pathByte(b []byte) (c byte, n int) {
	if b[0] != '%' {
		return b[0], 1
	}
	if len(b) >= 6 && b[1]|0x20 == 'u' {
		hi, ok1 := hexByte(b[2:])
		lo, ok2 := hexByte(b[4:])
		if ok1 && ok2 {
			return narrow(rune(hi)<<8 | rune(lo)), 6
		}
	}
	if c, ok := hexByte(b[1:]); ok {
		return c, 3
	}
	return '%', 1
}

// narrow maps a code point to one byte: itself up to 0xff, full-width forms
// (U+FF01 to U+FF5E) to their ASCII letters, the characters that file systems
// take for a slash to a slash, others to a question mark.
func narrow(r rune) byte {
	switch {
	case r <= 0xff:
		return byte(r)
	case r > 0xff00 && r <= 0xff5e:
		return byte(r - 0xff00 + 0x20)
	case r == 0x2044 || r == 0x2215:
		return '/'
	}
	return '?'
}

// narrowUTF8 replaces the UTF-8 sequences of p by single bytes, in place.
// Overlong forms count: they are what hides a slash or a dot.
func narrowUTF8(p []byte) []byte {
	i := 0
	for i < len(p) && p[i] < 0x80 {
		i++
	}
	w := i
	for i < len(p) {
		c, n, r := p[i], 0, rune(0)
		switch {
		case c < 0x80:
			p[w] = c
			w++
			i++
			continue
		case c >= 0xc0 && c < 0xe0:
			n, r = 1, rune(c&0x1f)
		case c >= 0xe0 && c < 0xf0:
			n, r = 2, rune(c&0x0f)
		case c >= 0xf0 && c < 0xf8:
			n, r = 3, rune(c&0x07)
		}
		i++
		ok := n > 0
		for ; n > 0 && ok && i < len(p); n-- {
			if ok = p[i]&0xc0 == 0x80; ok {
				r = r<<6 | rune(p[i]&0x3f)
				i++
			}
		}
		if n > 0 && ok {
			break // cut off at the end: left out
		}
		b := byte('?')
		if ok {
			b = narrow(r)
		}
		p[w] = b
		w++
	}
	return p[:w]
}

func queryByte(b []byte) (c byte, n int) {
	if b[0] == '%' {
		if c, ok := hexByte(b[1:]); ok {
			return c, 3
		}
	}
	return b[0], 1
}

func hexByte(b []byte) (c byte, ok bool) {
	if len(b) < 2 {
		return 0, false
	}
	hi, ok1 := hexValue(b[0])
	lo, ok2 := hexValue(b[1])
	return hi<<4 | lo, ok1 && ok2
}

// removeDots resolves "." and ".." segments of p in place. As in libhtp, no
// slash is left where a path ends in one of them.
func removeDots(p []byte) []byte {
	w, dotted := 0, false
	for r := 0; r < len(p); {
		e := r
		if p[e] == '/' {
			e++
		}
		for e < len(p) && p[e] != '/' {
			e++
		}
		seg := p[r:e]
		last := e == len(p)
		r = e
		name := seg
		if len(name) > 0 && name[0] == '/' {
			name = name[1:]
		}
		switch string(name) {
		case ".":
		case "..":
			for w > 0 {
				if w--; p[w] == '/' {
					break
				}
			}
		default:
			if !last || !dotted || len(name) > 0 {
				w += copy(p[w:], seg)
			}
			dotted = false
			continue
		}
		dotted = true
	}
	return p[:w]
}
