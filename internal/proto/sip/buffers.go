package sip

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// buffer makes a buffer of the messages sent in direction d.
func buffer(name, doc string, d packet.Dir, get func(t *Tx) []byte) proto.Buffer {
	return proto.Buffer{Name: name, Doc: doc, Dir: d, Get: func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i != 0 || t.Dir != d {
			return nil, false
		}
		b := get(t)
		return b, b != nil
	}}
}

func request(get func(t *Tx) []byte) func(t *Tx) []byte {
	return func(t *Tx) []byte {
		if t.Code != nil {
			return nil
		}
		return get(t)
	}
}

func answer(get func(t *Tx) []byte) func(t *Tx) []byte {
	return func(t *Tx) []byte {
		if t.Code == nil {
			return nil
		}
		return get(t)
	}
}

func field(name string) func(t *Tx) []byte {
	return func(t *Tx) []byte { return t.Header(name) }
}

// Either party may send requests and answers, so each buffer stands for both
// directions.
var buffers = append(both([]named{
	{"sip.method", "request method", request(func(t *Tx) []byte { return t.Method })},
	{"sip.uri", "request URI", request(func(t *Tx) []byte { return t.URI })},
	{"sip.request_line", "start line of a request", request(func(t *Tx) []byte { return t.StartLine })},
	{"sip.stat_code", "status code of an answer", answer(func(t *Tx) []byte { return t.Code })},
	{"sip.stat_msg", "reason phrase of an answer", answer(func(t *Tx) []byte { return t.Reason })},
	{"sip.response_line", "start line of an answer", answer(func(t *Tx) []byte { return t.StartLine })},
	{"sip.protocol", "version of the protocol", func(t *Tx) []byte { return t.Version }},
	{"sip.from", "From", field("from")},
	{"sip.to", "To", field("to")},
	{"sip.via", "first Via", field("via")},
	{"sip.ua", "User-Agent", field("user-agent")},
	{"sip.user_agent", "User-Agent, under its newer name", field("user-agent")},
	{"sip.content_type", "Content-Type", field("content-type")},
	{"sip.content_length", "Content-Length", field("content-length")},
	{"frame.sip.pdu", "a message", func(t *Tx) []byte { return t.raw }},
	{"frame.sip.request.line", "start line of a request with its end", request(line)},
	{"frame.sip.request.headers", "header fields of a request", request(headers)},
	{"frame.sip.request.body", "body of a request", request(body)},
	{"frame.sip.response.line", "start line of an answer with its end", answer(line)},
	{"frame.sip.response.headers", "header fields of an answer", answer(headers)},
	{"frame.sip.response.body", "body of an answer", answer(body)},
}), sdpBuffers()...)

// line, headers and body are the parts of a message as sent; nil of one that is cut off
// over TCP.
func line(t *Tx) []byte {
	if t.raw == nil {
		return nil
	}
	return t.raw[:t.at[0]]
}

// headers leaves out the empty line that ends them.
func headers(t *Tx) []byte {
	if t.raw == nil {
		return nil
	}
	h := t.raw[t.at[0]:t.at[1]]
	if h = bytes.TrimSuffix(h, []byte{'\n'}); len(h) < t.at[1]-t.at[0] {
		h = bytes.TrimSuffix(h, []byte{'\r'})
		if len(h) > 0 && h[len(h)-1] != '\n' {
			return t.raw[t.at[0]:t.at[1]] // there is no empty line
		}
	}
	if len(h) == 0 {
		return nil
	}
	return h
}

func body(t *Tx) []byte {
	if t.at[1] >= len(t.raw) {
		return nil
	}
	return t.raw[t.at[1]:]
}

type named struct {
	name, doc string
	get       func(t *Tx) []byte
}

func both(list []named) (out []proto.Buffer) {
	for _, n := range list {
		out = append(out, buffer(n.name, n.doc, packet.ToServer, n.get), buffer(n.name, n.doc, packet.ToClient, n.get))
	}
	return out
}
