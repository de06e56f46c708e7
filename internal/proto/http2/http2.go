// Package http2 parses HTTP/2 in clear text (RFC 9113): the header fields of
// requests and answers; bodies are counted and skipped.
package http2

import (
	"bytes"
	"encoding/binary"
	"sync"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Limits.
const (
	// MaxBlock bounds a header block as sent, continuations included.
	MaxBlock = 16 << 10
	// MaxHead bounds the header fields kept of one message, decoded.
	MaxHead = 8 << 10
	// MaxHeaders is how many header fields of a message are kept.
	MaxHeaders = 64
	// MaxStreams is how many streams are followed at once; beyond it the
	// oldest is handed over as it is. Browsers open about a hundred.
	MaxStreams = 128
	// MaxBody is how much of the body of either side is kept for rules.
	MaxBody = 4 << 10
	// MaxControl bounds what is kept of a control frame's payload: 42 settings.
	MaxControl = 252
)

// Protocol is HTTP/2 without TLS.
var Protocol = proto.Protocol{
	Name:    "http2",
	Doc:     "HTTP/2 in clear text, RFC 9113: header fields of requests and answers",
	On:      proto.TCP,
	Ports:   []uint16{80, 8080, 50051},
	Event:   "http",
	Limit:   1 << 10, // frame headers and the preface: frames are never held back
	Probe:   Probe,
	New:     func() proto.Parser { return newParser() },
	Buffers: buffers,
}

// Header is one header field.
type Header struct{ Name, Value []byte }

// Tx is one stream: a request with its answer. It is emitted when the header
// fields of either are complete and, done, when the stream is.
type Tx struct {
	Stream      uint32
	Method      []byte
	Path        []byte // as sent
	Scheme      []byte
	Host        []byte // authority or host, without port
	HostRaw     []byte
	Status      int
	UserAgent   []byte
	ContentType []byte // of the answer, without parameters

	RequestHeaders  []Header // pseudo-header fields included
	ResponseHeaders []Header
	RequestLen      int64 // bytes in DATA frames, padding included
	ResponseLen     int64
	RequestHead     bool
	ResponseHead    bool
	RequestDone     bool
	ResponseDone    bool

	Error    [2]uint32 // with which a side ended the stream, RFC 9113 section 7; of stream 0 the connection
	hasError [2]bool

	seen    [2]uint16  // types of frames that each side sent, a bit for each
	control []byte     // of stream 0: the frame as sent, valid while it is emitted
	from    packet.Dir // of stream 0: who sent it
	weight  byte       // of the stream's priority, in HEADERS
	weighed bool
	update  [2]uint32 // new size of the dynamic table
	updated [2]bool

	body    [2][]byte // first part of the bodies, when they are not coded
	mem     [2][]byte
	calls   bool // the bodies are gRPC's messages
	fresh   bool // one of them grew in this frame
	cut     bool // fields were left out
	code    []byte
	scratch []byte // of buffers that are put together
	held    int    // bytes counted in the parser's sum

	num   uint64        // in the flow, from 0
	files [2]proto.File // bodies, when somebody listens
	name  [2][]byte     // their names
}

var txs = sync.Pool{New: func() any { return new(Tx) }}

// Number returns the place of the stream in its flow, from 0.
func (t *Tx) Number() uint64 { return t.num }

// Body returns what is kept of the body sent in direction d, nil when there is
// none or it is coded. It may still grow.
func (t *Tx) Body(d packet.Dir) []byte { return t.bodyOf(d) }

// Header returns the value of the first field of that name sent in direction
// d, nil when there is none. Names are lower case on the wire.
func (t *Tx) Header(d packet.Dir, name string) []byte {
	hs := t.RequestHeaders
	if d == packet.ToClient {
		hs = t.ResponseHeaders
	}
	for i := range hs {
		if string(hs[i].Name) == name {
			return hs[i].Value
		}
	}
	return nil
}

// EventType implements proto.Tx. Stream 0 is the connection itself.
func (t *Tx) EventType() event.Type {
	if t.Stream == 0 {
		return ""
	}
	return "http"
}

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// Probe recognises the preface; a SETTINGS frame, with which both sides begin,
// is Weak.
func Probe(d packet.Dir, b []byte) proto.Match {
	if d == packet.ToServer {
		if n := min(len(b), len(preface)); string(b[:n]) == preface[:n] {
			if n < len(preface) {
				return proto.More
			}
			return proto.Yes
		}
	}
	return probeSettings(b)
}

// maxSettings is how many settings the first frame may hold to be recognised.
const maxSettings = 32

func probeSettings(b []byte) proto.Match {
	want := [9]byte{0, 0, 0, frSettings}
	for i, c := range b[:min(len(b), 9)] {
		switch {
		case i == 2:
			if c%6 != 0 || c > 6*maxSettings {
				return proto.No
			}
		case i == 4:
			if c > 1 || c == 1 && b[2] != 0 {
				return proto.No
			}
		case c != want[i]:
			return proto.No
		}
	}
	if len(b) < 9 {
		return proto.More
	}
	for s := b[9:]; len(s) >= 6 && len(b)-len(s) < 9+int(b[2]); s = s[6:] {
		// Identifiers in use: 1 to 9 and reserved ones (0x?a?a) as grease.
		if id := binary.BigEndian.Uint16(s); id == 0 || id > 16 && id&0x0f0f != 0x0a0a {
			return proto.No
		}
	}
	return proto.Weak
}

// hostOnly takes the port off an authority.
func hostOnly(a []byte) []byte {
	if i := bytes.LastIndexByte(a, ':'); i >= 0 && bytes.IndexByte(a[i:], ']') < 0 {
		return a[:i]
	}
	return a
}
