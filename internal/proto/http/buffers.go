package http

import (
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

type getter func(t *Tx) []byte

// request makes a buffer of the request, there once its head is complete or
// the flow has ended within it.
func request(name, doc string, get getter) proto.Buffer {
	return proto.Buffer{Name: name, Doc: doc, Dir: packet.ToServer, Get: once(get, packet.ToServer)}
}

func response(name, doc string, get getter) proto.Buffer {
	return proto.Buffer{Name: name, Doc: doc, Dir: packet.ToClient, Get: once(get, packet.ToClient)}
}

func once(get getter, d packet.Dir) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i != 0 || !t.msg[d].read {
			return nil, false
		}
		b := get(t)
		return b, b != nil
	}
}

// onRequestLine makes a buffer of the request line, which is there before the
// head is complete: a flow may end within the head.
func onRequestLine(name, doc string, get getter) proto.Buffer {
	return proto.Buffer{Name: name, Doc: doc, Dir: packet.ToServer, Get: early(get, packet.ToServer)}
}

func onStatusLine(name, doc string, get getter) proto.Buffer {
	return proto.Buffer{Name: name, Doc: doc, Dir: packet.ToClient, Get: early(get, packet.ToClient)}
}

func early(get getter, d packet.Dir) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i != 0 || t.msg[d].line == 0 {
			return nil, false
		}
		b := get(t)
		return b, b != nil
	}
}

// field makes the getter of one header field's first value.
func field(d packet.Dir, name string) getter {
	return func(t *Tx) []byte { return t.msg[d].value(name) }
}

const (
	toS = packet.ToServer
	toC = packet.ToClient
)

var buffers = []proto.Buffer{
	onRequestLine("http.method", "request method", func(t *Tx) []byte { return t.Method }),
	onRequestLine("http.uri", "request target, normalised", func(t *Tx) []byte { return t.Path }),
	onRequestLine("http.uri.raw", "request target as sent", func(t *Tx) []byte { return t.URI }),
	request("http.host", "host, lower case, without port", func(t *Tx) []byte { return t.Host }),
	request("http.host.raw", "host as sent, with port; that of an absolute target or of CONNECT as http.host", func(t *Tx) []byte {
		if t.inTarget {
			return t.Host
		}
		return t.HostRaw
	}),
	request("http.user_agent", "User-Agent", field(toS, "user-agent")),
	request("http.referer", "Referer", field(toS, "referer")),
	request("http.cookie", "Cookie", field(toS, "cookie")),
	response("http.cookie", "Set-Cookie", field(toC, "set-cookie")),
	request("http.header", "header fields of the request, one a line, without Cookie", func(t *Tx) []byte { return t.joined(toS) }),
	response("http.header", "header fields of the answer, one a line, without Set-Cookie", func(t *Tx) []byte { return t.joined(toC) }),
	request("http.header.raw", "header fields of the request as sent", func(t *Tx) []byte { return t.msg[toS].rawHeaders() }),
	response("http.header.raw", "header fields of the answer as sent", func(t *Tx) []byte { return t.msg[toC].rawHeaders() }),
	request("http.header_names", "names of the request's fields between line ends", func(t *Tx) []byte { return t.namesOf(toS) }),
	response("http.header_names", "names of the answer's fields between line ends", func(t *Tx) []byte { return t.namesOf(toC) }),
	onRequestLine("http.request_line", "request line", func(t *Tx) []byte { return t.msg[toS].startLineOf() }),
	request("http.request_body", "request body, decoded, its first part", func(t *Tx) []byte { return t.RequestBody }),
	request("http.content_type", "Content-Type of the request", field(toS, "content-type")),
	response("http.content_type", "Content-Type of the answer", field(toC, "content-type")),
	request("http.content_len", "Content-Length of the request", field(toS, "content-length")),
	response("http.content_len", "Content-Length of the answer", field(toC, "content-length")),
	request("http.accept", "Accept", field(toS, "accept")),
	request("http.accept_lang", "Accept-Language", field(toS, "accept-language")),
	request("http.accept_enc", "Accept-Encoding", field(toS, "accept-encoding")),
	request("http.connection", "Connection of the request", field(toS, "connection")),
	response("http.connection", "Connection of the answer", field(toC, "connection")),
	onRequestLine("http.protocol", "version of the request", func(t *Tx) []byte { return t.Version }),
	onStatusLine("http.protocol", "version of the answer", func(t *Tx) []byte { return t.AnswerVersion }),
	request("http.start", "request line and all header fields, one a line, with the empty line", func(t *Tx) []byte { return t.startOf(toS) }),
	response("http.start", "status line and all header fields, one a line, with the empty line", func(t *Tx) []byte { return t.startOf(toC) }),
	onStatusLine("http.stat_code", "status code", func(t *Tx) []byte { return t.StatusCode }),
	onStatusLine("http.stat_msg", "status text, if any", func(t *Tx) []byte {
		if len(t.StatusText) == 0 {
			return nil
		}
		return t.StatusText
	}),
	onStatusLine("http.response_line", "status line", func(t *Tx) []byte { return t.msg[toC].startLineOf() }),
	response("http.response_body", "answer body, decoded, its first part", func(t *Tx) []byte { return t.ResponseBody }),
	request("file.data", "request body, decoded, its first part", func(t *Tx) []byte { return t.RequestBody }),
	response("file.data", "answer body, decoded, its first part", func(t *Tx) []byte { return t.ResponseBody }),
	response("http.server", "Server", field(toC, "server")),
	response("http.location", "Location", field(toC, "location")),
	lines("http.request_header", "each field of the request, Name: value, repeated ones joined", toS),
	lines("http.response_header", "each field of the answer, Name: value, repeated ones joined", toC),
	{Name: "frame.http1.request", Doc: "request: head as sent, body decoded, its first part; once complete", Dir: toS, Get: frame(toS)},
	{Name: "frame.http1.response", Doc: "answer: head as sent, body decoded, its first part; once complete", Dir: toC, Get: frame(toC)},
}

// frame makes the getter of a whole message.
func frame(d packet.Dir) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i != 0 || d == toS && !t.RequestDone || d == toC && !t.ResponseDone {
			return nil, false
		}
		m, body := &t.msg[d], t.RequestBody
		if d == toC {
			body = t.ResponseBody
		}
		if len(body) == 0 {
			return m.head, true
		}
		m.one = append(append(m.one[:0], m.head...), body...)
		return m.one, true
	}
}

// lines makes a buffer with one instance for each name of a field, with the
// values of repeated ones joined.
func lines(name, doc string, d packet.Dir) proto.Buffer {
	return proto.Buffer{Name: name, Doc: doc, Dir: d, Get: func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || !t.msg[d].read || i < 0 {
			return nil, false
		}
		m := &t.msg[d]
		for j := range m.headers {
			if m.repeated(j) {
				continue
			}
			if i == 0 {
				m.one = m.appendField(m.one[:0], j)
				return m.one, true
			}
			i--
		}
		return nil, false
	}}
}

func (m *message) startLineOf() []byte { return m.head[:m.line] }

func (m *message) rawHeaders() []byte { return m.head[m.lineRaw:] }

const (
	madeJoin = 1 << iota
	madeNames
	madeStart
)

// joined returns http.header: "Name: value\r\n" for each field, repeated ones
// joined by ", " as libhtp does, without cookies, which have their own buffer;
// nil without such a field.
func (t *Tx) joined(d packet.Dir) []byte {
	m := &t.msg[d]
	if m.made&madeJoin == 0 {
		m.made |= madeJoin
		m.join = m.appendFields(m.join[:0], d == toS, d == toC)
	}
	if len(m.join) == 0 {
		return nil
	}
	return m.join
}

// startOf returns http.start: the start line and the fields as joined writes
// them, cookies included.
func (t *Tx) startOf(d packet.Dir) []byte {
	m := &t.msg[d]
	if m.made&madeStart != 0 {
		return m.start
	}
	m.made |= madeStart
	m.start = append(append(m.start[:0], m.startLineOf()...), '\r', '\n')
	if len(m.headers) > 0 {
		m.start = append(m.appendFields(m.start, false, false), '\r', '\n')
	}
	return m.start
}

// appendFields appends a line for each name of a field, repeated fields joined
// by ", " as libhtp does, without Cookie or Set-Cookie if wanted.
func (m *message) appendFields(b []byte, noCookie, noSetCookie bool) []byte {
	for i := range m.headers {
		h := &m.headers[i]
		if noCookie && textline.Is(h.Name, "cookie") || noSetCookie && textline.Is(h.Name, "set-cookie") || m.repeated(i) {
			continue
		}
		b = m.appendField(b, i)
		b = append(b, '\r', '\n')
	}
	return b
}

// appendField appends field i with the values of those that repeat its name,
// but for the length, of which the first counts.
func (m *message) appendField(b []byte, i int) []byte {
	h := &m.headers[i]
	b = append(b, h.Name...)
	b = append(b, ": "...)
	b = append(b, h.Value...)
	if textline.Is(h.Name, "content-length") {
		return b
	}
	for j := i + 1; j < len(m.headers); j++ {
		if sameName(m.headers[j].Name, h.Name) {
			b = append(b, ", "...)
			b = append(b, m.headers[j].Value...)
		}
	}
	return b
}

// namesOf returns http.header_names: "\r\nHost\r\nAccept\r\n\r\n"; nil without
// fields.
func (t *Tx) namesOf(d packet.Dir) []byte {
	m := &t.msg[d]
	if len(m.headers) == 0 {
		return nil
	}
	if m.made&madeNames != 0 {
		return m.names
	}
	m.made |= madeNames
	m.names = append(m.names[:0], '\r', '\n')
	for i := range m.headers {
		if !m.repeated(i) {
			m.names = append(m.names, m.headers[i].Name...)
			m.names = append(m.names, '\r', '\n')
		}
	}
	m.names = append(m.names, '\r', '\n')
	return m.names
}

// repeated reports whether field i repeats the name of an earlier one.
func (m *message) repeated(i int) bool {
	for j := range i {
		if sameName(m.headers[j].Name, m.headers[i].Name) {
			return true
		}
	}
	return false
}

func sameName(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, y := a[i], b[i]
		if x != y && (x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z') {
			return false
		}
	}
	return true
}
