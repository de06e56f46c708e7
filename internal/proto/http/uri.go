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
// slashes, runs of slashes one slash, dot segments are resolved (RFC 3986
// section 5.2.4); in the query %XX is decoded; the fragment stays.
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
	dst = removeDots(dst)
	query, fragment := rest, []byte(nil)
	if i := bytes.IndexByte(rest, '#'); i >= 0 {
		query, fragment = rest[:i], rest[i:]
	}
	for i := 0; i < len(query); {
		c, n := queryByte(query[i:])
		i += n
		dst = append(dst, c)
	}
	dst = append(dst, fragment...)
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
			return narrow(hi, lo), 6
		}
	}
	if c, ok := hexByte(b[1:]); ok {
		return c, 3
	}
	return '%', 1
}

// narrow maps a code point of %u to one byte: full-width forms (U+FF01 to
// U+FF5E) to their ASCII letters, others beyond 0xff to a question mark.
func narrow(hi, lo byte) byte {
	switch {
	case hi == 0:
		return lo
	case hi == 0xff && lo >= 1 && lo <= 0x5e:
		return lo + 0x20
	}
	return '?'
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

// removeDots resolves "." and ".." segments of p in place.
func removeDots(p []byte) []byte {
	w := 0
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
			w += copy(p[w:], seg)
			continue
		}
		if last && (w == 0 || p[w-1] != '/') && len(seg) > len(name) {
			p[w] = '/'
			w++
		}
	}
	return p[:w]
}
