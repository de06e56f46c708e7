package http

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// startLine keeps a start line and returns it in the message's memory.
func (m *message) startLine(line, raw []byte) []byte {
	m.head = proto.Append(m.head[:0], line)
	m.line = len(line)
	if len(raw) > MaxLine {
		m.head = append(m.head, '\r', '\n')
	} else {
		m.head = proto.Append(m.head, raw[len(line):])
	}
	m.lineRaw = len(m.head)
	return m.head[:m.line]
}

// headerLine handles a line of the header section; the empty one ends it.
func (p *parser) headerLine(c *proto.Conn, d packet.Dir, line, raw []byte) (more bool) {
	t := p.side[d].tx
	m := &t.msg[d]
	// An answer's head also ends with a line of white space and a bare LF.
	// One that ended with LF CR takes the CR from the empty line, as in libhtp.
	if len(line) == 0 || d == packet.ToClient && (len(line)+1 == len(raw) && len(trim(line)) == 0 && line[0] != '\r' ||
		string(line) == "\r" && bareLF(m.head)) {
		p.side[d].odd = string(line) == "\r"
		if len(m.head)+2 <= MaxHead {
			m.head = proto.Append(m.head, raw[:min(len(raw), 2)])
		}
		if d == packet.ToServer {
			p.requestHead(c)
		} else {
			p.responseHead(c)
		}
		return !p.switched
	}
	p.fields(c, d, line, raw)
	return true
}

// bareLF reports whether the line at the end of b ends with an LF alone.
func bareLF(b []byte) bool {
	n := len(b)
	return n >= 2 && b[n-1] == '\n' && b[n-2] != '\r'
}

// fields stores the fields of a line: some clients take a lone CR for a line
// end.
func (p *parser) fields(c *proto.Conn, d packet.Dir, line, raw []byte) {
	for {
		i := bytes.IndexByte(line, '\r')
		if i < 0 {
			break
		}
		p.field(c, d, line[:i], line[:i+1])
		line = line[i+1:]
		raw = raw[i+1:]
	}
	if len(raw) > MaxLine {
		raw = line
	}
	p.field(c, d, line, raw)
}

// framing reports whether a field decides where the message ends or how its
// body is coded: such fields are kept even beyond the limits.
func framing(name []byte) bool {
	return len(name) >= 14 && (nameIs(name, "content-length") || nameIs(name, "content-encoding") || nameIs(name, "transfer-encoding"))
}

// nameIs compares a field name with the lower-case string s, overlooking zero
// bytes, as libhtp does.
func nameIs(name []byte, s string) bool {
	if len(name) < len(s) {
		return false
	}
	i := 0
	for _, c := range name {
		if c == 0 {
			continue
		}
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if i == len(s) || c != s[i] {
			return false
		}
		i++
	}
	return i == len(s)
}

// Room beyond MaxHeaders and MaxHead for fields that decide the framing.
const (
	framingHeaders = 16
	framingBytes   = 4 << 10
)

// field stores one header field; raw is its line with the line's end.
func (p *parser) field(c *proto.Conn, d packet.Dir, line, raw []byte) {
	m := &p.side[d].tx.msg[d]
	if len(line) == 0 {
		return
	}
	// A continuation line in an answer that looks like a field of its own is
	// one to browsers.
	if (line[0] == ' ' || line[0] == '\t' || line[0] == 0) && len(m.headers) > 0 && !(d == packet.ToClient && looksLikeHeader(trim(line))) {
		p.foldLine(c, m, line, raw)
		return
	}
	i := bytes.IndexByte(line, ':')
	maxN, maxB := MaxHeaders, MaxHead
	if i >= 0 && framing(trim(line[:i])) {
		maxN, maxB = maxN+framingHeaders, maxB+framingBytes
	}
	if len(m.headers) >= maxN || len(m.head)+len(raw) > maxB {
		p.anomaly(c, anHeaders)
		return
	}
	at := len(m.head)
	m.head = proto.Append(m.head, raw)
	line = m.head[at : at+len(line)]
	h := Header{Value: line}
	if i < 0 {
		// As libhtp: a field without name.
		p.anomaly(c, anNoColon)
	} else {
		h.Name, h.Value = trim(line[:i]), line[i+1:]
	}
	h.Value, m.tail = trimmed(h.Value)
	m.headers = append(m.headers, h)
	m.folded = false
}

// foldLine joins a continuation line (obs-fold, RFC 9112 section 5.2) to the
// field before it.
func (p *parser) foldLine(c *proto.Conn, m *message, line, raw []byte) {
	h := &m.headers[len(m.headers)-1]
	if len(m.head)+len(raw) > MaxHead || len(m.fold)+len(h.Value)+m.tail+len(line) > MaxHead {
		p.anomaly(c, anHeaders)
		return
	}
	at := len(m.head)
	m.head = proto.Append(m.head, raw)
	if rest := trim(line); h.Name == nil && len(rest) > 0 && rest[0] == ':' {
		// The colon came only after the fold.
		kept := m.head[at : at+len(line)]
		h.Name = h.Value
		h.Value, m.tail = trimmed(kept[bytes.IndexByte(kept, ':')+1:])
		m.folded = false
		return
	}
	if !m.folded {
		m.fold = proto.Append(m.fold, h.Value[:len(h.Value)+m.tail])
		m.folded = true
	}
	// As libhtp: only the line's end goes, the white space around it stays.
	at = len(m.fold) - len(h.Value) - m.tail
	m.fold = proto.Append(m.fold, line)
	h.Value, m.tail = trimmed(m.fold[at:])
}

// trimmed takes the white space around b away; tail is how much of it is behind.
func trimmed(b []byte) (v []byte, tail int) {
	b = trimLeft(b)
	v = trim(b)
	return v, len(b) - len(v)
}

// framingOf reads how the body of a message is delimited: chunked, by a length
// (negative when there is none), or neither.
func (p *parser) framingOf(c *proto.Conn, d packet.Dir) (chunked bool, length int64) {
	m := &p.side[d].tx.msg[d]
	length = -1
	for i := range m.headers {
		h := &m.headers[i]
		switch {
		case nameIs(h.Name, "transfer-encoding"):
			if containsFold(h.Value, "chunked") {
				chunked = true
				if !hasToken(h.Value, "chunked") {
					p.anomaly(c, anCodingTE)
				}
			} else if !textline.Is(h.Value, "identity") {
				p.anomaly(c, anCodingTE)
			}
		case nameIs(h.Name, "content-length"):
			v, ok := contentLength(h.Value)
			if !ok {
				p.anomaly(c, anLengthBad)
			}
			// An answer with a length like "50-100" lasts until the end.
			if v < 0 || !ok && d == packet.ToClient {
				continue
			}
			if length >= 0 && v != length {
				p.anomaly(c, anLengths)
				continue // the first counts, as in libhtp and browsers
			}
			length = v
		}
	}
	if chunked && length >= 0 {
		// Chunked wins, RFC 9112 section 6.3; it smells of smuggling.
		p.anomaly(c, anLengthChunked)
	}
	return chunked, length
}

// contentLength reads the first number of v, -1 when there is none; ok is
// false unless v is nothing but that number.
func contentLength(v []byte) (n int64, ok bool) {
	i := 0
	for i < len(v) && !isDigit(v[i]) {
		i++
	}
	n, digits := number(v[i:])
	if digits == 0 {
		return -1, false
	}
	return n, i == 0 && digits == len(v)
}

// containsFold reports whether b holds the lower-case string s, overlooking
// zero bytes.
func containsFold(b []byte, s string) bool {
	for i := 0; i+len(s) <= len(b); i++ {
		j := 0
		for _, c := range b[i:] {
			if c == 0 && j > 0 {
				continue
			}
			if 'A' <= c && c <= 'Z' {
				c |= 0x20
			}
			if c != s[j] {
				break
			}
			if j++; j == len(s) {
				return true
			}
		}
	}
	return false
}

// startBody prepares a message for its body.
func (p *parser) startBody(c *proto.Conn, d packet.Dir, chunked bool, length int64) {
	s := &p.side[d]
	p.codings(c, d)
	p.startFile(c, d)
	switch {
	case chunked:
		s.state = stChunkLen
	case length >= 0:
		s.state, s.remain = stBody, length
	default:
		s.state = stUntilEnd
	}
}

// usualLayers is how many content codings, identity among them, a message may
// name without being odd: as many as Suricata takes by default.
const usualLayers = 2

// codings reads Content-Encoding and the compressing part of
// Transfer-Encoding, and gets a decoder when both are known.
func (p *parser) codings(c *proto.Conn, d packet.Dir) {
	t := p.side[d].tx
	m := &t.msg[d]
	var list [MaxLayers]coding
	n, tokens, opaque := 0, 0, false
	for i := range m.headers {
		h := &m.headers[i]
		te := nameIs(h.Name, "transfer-encoding")
		if !te && !nameIs(h.Name, "content-encoding") {
			continue
		}
		for v := h.Value; len(v) > 0; {
			e := bytes.IndexByte(v, ',')
			if e < 0 {
				e = len(v)
			}
			name := trim(v[:e])
			v = v[min(e+1, len(v)):]
			if tokens++; tokens == usualLayers+1 && !te {
				p.anomaly(c, anManyLayers)
			}
			var k coding
			switch {
			case containsFold(name, "gzip"): // x-gzip and worse
				k = codeGzip
			case containsFold(name, "deflate"):
				k = codeDeflate
			case te, len(name) == 0, textline.Is(name, "identity"), textline.Is(name, "none"):
				continue
			default:
				opaque = true
				continue
			}
			if n == MaxLayers {
				p.anomaly(c, anLayers)
				opaque = true
				continue
			}
			list[n] = k
			n++
		}
	}
	if opaque {
		t.setEncoded(d)
	} else if n > 0 {
		m.dec = newDecoder(list[:n])
	}
}

func (t *Tx) setEncoded(d packet.Dir) {
	if d == packet.ToServer {
		t.RequestEncoded = true
	} else {
		t.ResponseEncoded = true
	}
}

func (t *Tx) setTruncated(d packet.Dir) {
	if d == packet.ToServer {
		t.RequestTruncated = true
	} else {
		t.ResponseTruncated = true
	}
}
