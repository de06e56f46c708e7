// Package sip parses SIP (RFC 3261) requests and answers over UDP and TCP.
package sip

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Limits. Lines beyond them are left out, and an anomaly says so.
const (
	// MaxHead bounds the start line and header fields of a message.
	MaxHead = 8 << 10
	// MaxHeaders is how many header fields of a message are kept.
	MaxHeaders = 64
	// MaxStartLine bounds the start line over TCP.
	MaxStartLine = 2 << 10
)

// Protocol is SIP on UDP and TCP.
var Protocol = proto.Protocol{
	Name:    "sip",
	Doc:     "SIP, RFC 3261: start lines and the header fields that name the parties",
	On:      proto.TCP | proto.UDP,
	Ports:   []uint16{5060},
	Event:   "sip",
	Limit:   MaxHead,
	Probe:   Probe,
	New:     func() proto.Parser { return new(parser) },
	Buffers: buffers,
}

// Header is one header field, names in their long form (RFC 3261 section 20).
type Header struct{ Name, Value []byte }

// Tx is one message.
type Tx struct {
	Dir       packet.Dir
	StartLine []byte
	Method    []byte // of a request
	URI       []byte
	Version   []byte // "SIP/2.0"
	Code      []byte // of an answer
	Reason    []byte
	Headers   []Header

	mem []byte
}

// Header returns the value of the first field of that lower-case long name.
func (t *Tx) Header(name string) []byte {
	for i := range t.Headers {
		if equalFold(t.Headers[i].Name, name) {
			return t.Headers[i].Value
		}
	}
	return nil
}

// EventType implements proto.Tx.
func (t *Tx) EventType() event.Type { return "sip" }

// EncodeEVE implements proto.Tx: Suricata's sip object.
func (t *Tx) EncodeEVE(e *event.Encoder) {
	e.Obj("sip")
	if t.Code == nil {
		e.OptBytes("method", t.Method)
		e.OptBytes("uri", t.URI)
		e.OptBytes("version", t.Version)
		e.OptBytes("request_line", t.StartLine)
	} else {
		e.OptBytes("version", t.Version)
		e.OptBytes("code", t.Code)
		e.OptBytes("reason", t.Reason)
		e.OptBytes("response_line", t.StartLine)
	}
	e.EndObj()
}

// get makes a buffer's accessor; request says whose messages have it.
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
var buffers = both([]named{
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
})

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
