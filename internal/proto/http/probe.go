package http

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// methods that make a line without version plausible, and let a long request
// line be recognised before its end.
var methods = [...]string{"GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "CONNECT", "TRACE",
	"OPTIONS", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT",
	"SEARCH", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "M-SEARCH"}

const (
	maxProbeLine   = 1024 // a request line of a known method needs no more to be sure
	maxProbeOther  = 256  // within which the line of another method must end
	maxProbePath   = 4096 // the same when a path follows it
	maxProbeMethod = 24
)

// probe recognises a request by its request line, whatever the method, and an
// answer by its status line. RTSP, SIP and ICE requests look alike up to the
// version and are refused there.
func probe(d packet.Dir, b []byte) proto.Match {
	for i := 0; len(b) > 0 && (b[0] == '\r' || b[0] == '\n') && i < 8; i++ {
		b = b[1:]
	}
	if len(b) == 0 {
		return proto.More
	}
	if d == packet.ToClient {
		return probeAnswer(b)
	}
	line, more := b, true
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		line, more = b[:i], false
	}
	sp := 0
	for sp < len(line) && sp <= maxProbeMethod && isTokenByte(line[sp]) {
		sp++
	}
	if sp == len(line) {
		if more && sp <= maxProbeMethod {
			return proto.More
		}
		return proto.No
	}
	if sp == 0 || sp > maxProbeMethod || line[sp] != ' ' && line[sp] != '\t' {
		return proto.No
	}
	method, rest := line[:sp], trimLeft(line[sp:])
	known := knownMethod(method)
	if !more {
		req, ok := parseRequestLine(trim(line))
		switch {
		case !ok:
			return proto.No
		case len(req.version) > 0:
			if bytes.HasPrefix(req.version, []byte("HTTP/2")) && textline.Is(method, "pri") {
				return proto.No
			}
			return proto.Yes
		case known && rest[0] == '/' && bytes.IndexByte(trim(rest), ' ') < 0:
			// HTTP/0.9, or a version forgotten: a header field settles it.
			if looksLikeHeader(b[len(line)+1:]) {
				return proto.Yes
			}
			return proto.Weak
		}
		return proto.No
	}
	for _, c := range line {
		if c < ' ' && c != '\t' && c != '\r' {
			return proto.No
		}
	}
	if len(rest) > 0 && known {
		if foreignScheme(rest) {
			return proto.No
		}
		if len(line) >= maxProbeLine {
			return proto.Yes
		}
		return proto.More
	}
	limit := maxProbeOther
	if len(rest) > 0 && rest[0] == '/' {
		limit = maxProbePath
	}
	if len(line) > limit {
		return proto.No
	}
	return proto.More
}

func probeAnswer(b []byte) proto.Match {
	for _, s := range [...]string{"HTTP/", "ICY "} {
		n := min(len(b), len(s))
		if string(b[:n]) != s[:n] {
			continue
		}
		switch {
		case n < len(s):
			return proto.More
		case s == "ICY ":
			if len(b) < 7 {
				return proto.More
			}
			if isDigit(b[4]) && isDigit(b[5]) && isDigit(b[6]) {
				return proto.Yes
			}
			return proto.No
		case len(b) == n:
			return proto.More
		case isDigit(b[n]):
			return proto.Yes
		}
	}
	return proto.No
}

// foreignScheme reports whether a request target is RTSP's or SIP's.
func foreignScheme(uri []byte) bool {
	for _, s := range [...]string{"rtsp", "sip:", "sips:", "mrcp"} {
		if textline.HasPrefix(uri, s) {
			return true
		}
	}
	return false
}

func looksLikeHeader(b []byte) bool {
	i := 0
	for i < len(b) && isTokenByte(b[i]) {
		i++
	}
	return i > 0 && i < len(b) && b[i] == ':'
}

func knownMethod(m []byte) bool {
	for _, k := range methods {
		if len(k) == len(m) && bytes.EqualFold(m, []byte(k)) {
			return true
		}
	}
	return false
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isTokenByte: the part of RFC 9110's tchar that method and field names use.
func isTokenByte(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || isDigit(c) || c == '-' || c == '_' || c == '.'
}

func trimLeft(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	return b
}

type requestLine struct{ method, uri, version []byte }

// parseRequestLine splits a trimmed line as libhtp does: the URI ends at the
// first space, or without any at the first other white space, and all that
// follows is the version. ok is false for what is no request to HTTP: another
// protocol's version, or no version as the last word and no known method.
func parseRequestLine(line []byte) (r requestLine, ok bool) {
	i := 0
	for i < len(line) && line[i] != ' ' && line[i] != '\t' {
		if line[i] < ' ' || line[i] >= 0x7f {
			return r, false
		}
		i++
	}
	if i == 0 {
		return r, false
	}
	r.method = line[:i]
	rest := trim(line[i:])
	last := bytes.LastIndexAny(rest, " \t")
	word := rest[last+1:]
	if textline.HasPrefix(word, "http/") {
		if last < 0 {
			r.version = word
			return r, true
		}
		r.uri, r.version = target(rest)
		return r, true
	}
	r.uri, r.version = target(rest)
	if len(rest) == 0 || !knownMethod(r.method) || foreignScheme(rest) {
		return r, false
	}
	for _, s := range [...]string{"RTSP/", "SIP/", "ICE/"} {
		if bytes.HasPrefix(word, []byte(s)) {
			return r, false
		}
	}
	return r, true
}

// target splits what follows the method.
func target(b []byte) (uri, version []byte) {
	i := bytes.IndexByte(b, ' ')
	if i < 0 {
		for i = 0; i < len(b) && !isSpace(b[i]); {
			i++
		}
	}
	return trim(b[:i]), trim(b[i:])
}

type statusLine struct{ version, code, text []byte }

// maxStatusPad is how many bytes of white space may precede a status line.
const maxStatusPad = 64

// isStatusLine judges the first bytes of an answer: yes, no, or (more) too few.
func isStatusLine(b []byte) (yes, more bool) {
	t := b
	for len(t) > 0 && (isSpace(t[0]) || t[0] == 0) && len(b)-len(t) < maxStatusPad {
		t = t[1:]
	}
	for _, s := range [...]string{"http", "icy "} {
		n := min(len(t), len(s))
		if textline.Is(t[:n], s[:n]) {
			return n == len(s), n < len(s)
		}
	}
	return false, false
}

func parseStatusLine(line []byte) (s statusLine) {
	for len(line) > 0 && (isSpace(line[0]) || line[0] == 0) {
		line = line[1:]
	}
	s.version, line = word(line)
	s.code, s.text = word(line)
	return s
}

// word splits b at its first white space.
func word(b []byte) (w, rest []byte) {
	i := 0
	for i < len(b) && !isSpace(b[i]) {
		i++
	}
	return b[:i], trimLeft(b[i:])
}

// number reads up to 18 digits at the start of b; n is how many there were.
func number(b []byte) (v int64, n int) {
	for n < len(b) && n < 18 && isDigit(b[n]) {
		v = v*10 + int64(b[n]-'0')
		n++
	}
	return v, n
}
