package http2

import (
	"strconv"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

type getter func(t *Tx) []byte

func buffer(name, doc string, d packet.Dir, get getter) proto.Buffer {
	return proto.Buffer{Name: name, Doc: doc, Dir: d, Get: func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i != 0 || d == packet.ToServer && !t.RequestHead || d == packet.ToClient && !t.ResponseHead {
			return nil, false
		}
		b := get(t)
		return b, b != nil
	}}
}

func field(d packet.Dir, name string) getter {
	return func(t *Tx) []byte { return t.Header(d, name) }
}

// names makes http2.header_name: one instance for each field.
func names(d packet.Dir, doc string) proto.Buffer {
	return proto.Buffer{Name: "http2.header_name", Doc: doc, Dir: d, Get: func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok {
			return nil, false
		}
		hs := t.RequestHeaders
		if d == packet.ToClient {
			hs = t.ResponseHeaders
		}
		if i < 0 || i >= len(hs) {
			return nil, false
		}
		return hs[i].Name, true
	}}
}

const (
	toS = packet.ToServer
	toC = packet.ToClient
)

var buffers = append([]proto.Buffer{
	buffer("http.method", ":method", toS, func(t *Tx) []byte { return t.Method }),
	buffer("http.uri", ":path", toS, func(t *Tx) []byte { return t.Path }),
	buffer("http.uri.raw", ":path", toS, func(t *Tx) []byte { return t.Path }),
	buffer("http.host", ":authority without port", toS, func(t *Tx) []byte { return t.Host }),
	buffer("http.host.raw", ":authority", toS, func(t *Tx) []byte { return t.HostRaw }),
	buffer("http.user_agent", "user-agent", toS, func(t *Tx) []byte { return t.UserAgent }),
	buffer("http.referer", "referer", toS, field(toS, "referer")),
	buffer("http.cookie", "cookie", toS, field(toS, "cookie")),
	buffer("http.cookie", "set-cookie", toC, field(toC, "set-cookie")),
	buffer("http.accept", "accept", toS, field(toS, "accept")),
	buffer("http.accept_enc", "accept-encoding", toS, field(toS, "accept-encoding")),
	buffer("http.accept_lang", "accept-language", toS, field(toS, "accept-language")),
	buffer("http.content_type", "content-type of the request", toS, field(toS, "content-type")),
	buffer("http.content_type", "content-type of the answer", toC, field(toC, "content-type")),
	buffer("http.content_len", "content-length of the request", toS, field(toS, "content-length")),
	buffer("http.content_len", "content-length of the answer", toC, field(toC, "content-length")),
	buffer("http.stat_code", ":status", toC, func(t *Tx) []byte { return t.code }),
	buffer("http.stat_msg", "empty: there is none in HTTP/2", toC, func(t *Tx) []byte { return t.code[:0] }),
	buffer("http.server", "server", toC, field(toC, "server")),
	buffer("http.location", "location", toC, field(toC, "location")),
	names(toS, "name of each field of the request"),
	names(toC, "name of each field of the answer"),
	lines("http.request_header", "each field of the request, name: value", toS),
	lines("http.response_header", "each field of the answer, name: value", toC),
	buffer("http.header", "fields of the request, one a line, without cookie", toS, func(t *Tx) []byte { return t.joined(toS) }),
	buffer("http.header", "fields of the answer, one a line, without set-cookie", toC, func(t *Tx) []byte { return t.joined(toC) }),
	buffer("http.header_names", "names of the request's fields between line ends", toS, func(t *Tx) []byte { return t.nameList(toS) }),
	buffer("http.header_names", "names of the answer's fields between line ends", toC, func(t *Tx) []byte { return t.nameList(toC) }),
	buffer("http.protocol", "HTTP/2", toS, version),
	buffer("http.protocol", "HTTP/2", toC, version),
	buffer("http.request_line", "method, path and HTTP/2, as a line", toS, func(t *Tx) []byte {
		return t.text(append(append(append(append(t.scratch[:0], t.Method...), ' '), t.Path...), " HTTP/2\r\n"...))
	}),
	buffer("http.response_line", "HTTP/2 and status, as a line", toC, func(t *Tx) []byte {
		return t.text(append(append(append(t.scratch[:0], "HTTP/2 "...), t.code...), '\r', '\n'))
	}),
	buffer("http.request_body", "body of the request, its first part, unless it is coded", toS, func(t *Tx) []byte { return t.bodyOf(toS) }),
	buffer("http.response_body", "body of the answer, its first part, unless it is coded", toC, func(t *Tx) []byte { return t.bodyOf(toC) }),
	number("http2.errorcode", "error with which the client ends the stream or connection, a decimal number", toS),
	number("http2.errorcode", "error with which the server ends the stream or connection, a decimal number", toC),
}, frameBuffers()...)

var protocol = []byte("HTTP/2")

func version(*Tx) []byte { return protocol }

// number makes a buffer of the error code sent in direction d.
func number(name, doc string, d packet.Dir) proto.Buffer {
	return proto.Buffer{Name: name, Doc: doc, Dir: d, Get: func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i != 0 || !t.hasError[d] {
			return nil, false
		}
		return t.text(strconv.AppendUint(t.scratch[:0], uint64(t.Error[d]), 10)), true
	}}
}

// bodyOf is what is kept of a body, nil when there is none.
func (t *Tx) bodyOf(d packet.Dir) []byte {
	if len(t.body[d]) == 0 {
		return nil
	}
	return t.body[d]
}

func (t *Tx) fields(d packet.Dir) []Header {
	if d == packet.ToServer {
		return t.RequestHeaders
	}
	return t.ResponseHeaders
}

// text keeps b, which was made in t's scratch memory, for as long as that is
// not used again.
func (t *Tx) text(b []byte) []byte {
	t.scratch = b
	return b
}

// lines makes a buffer with one instance for each field.
func lines(name, doc string, d packet.Dir) proto.Buffer {
	return proto.Buffer{Name: name, Doc: doc, Dir: d, Get: func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok {
			return nil, false
		}
		hs := t.fields(d)
		if i < 0 || i >= len(hs) {
			return nil, false
		}
		return t.text(hs[i].line(t.scratch[:0])), true
	}}
}

// line appends "name: value".
func (h *Header) line(dst []byte) []byte {
	return append(append(append(dst, h.Name...), ':', ' '), h.Value...)
}

// joined returns the fields one a line, without those that have a buffer of
// their own in http.cookie.
func (t *Tx) joined(d packet.Dir) []byte {
	b := t.scratch[:0]
	hs := t.fields(d)
	for i := range hs {
		if n := hs[i].Name; string(n) == "cookie" || string(n) == "set-cookie" {
			continue
		}
		b = append(hs[i].line(b), '\r', '\n')
	}
	return t.text(b)
}

// nameList returns the names as HTTP/1 has them: "\r\nhost\r\naccept\r\n\r\n".
func (t *Tx) nameList(d packet.Dir) []byte {
	b := append(t.scratch[:0], '\r', '\n')
	hs := t.fields(d)
	for i := range hs {
		b = append(append(b, hs[i].Name...), '\r', '\n')
	}
	return t.text(append(b, '\r', '\n'))
}
