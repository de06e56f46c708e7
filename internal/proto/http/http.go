// Package http parses HTTP/1.x (RFC 9110, RFC 9112) and what passes for it:
// HTTP/0.9, ICY answers, and the broken servers that browsers put up with. The
// reading of odd messages follows what browsers and libhtp do, because what
// the client makes of an answer is what counts.
package http

import (
	"sync"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// Limits. What exceeds one is cut, named by an anomaly and parsed on.
const (
	// MaxBody is how much of each decoded body is kept.
	MaxBody = 16 << 10
	// MaxLine is how much of one line is kept; the rest of it is skipped.
	MaxLine = 16 << 10
	// MaxHeaders is how many header fields of a message are kept.
	MaxHeaders = 128
	// MaxHead bounds the start line and header fields of a message together.
	MaxHead = 32 << 10
	// MaxPending is how many requests may wait for their answers; beyond it
	// the oldest is handed over as it is.
	MaxPending = 32
	// maxPendingBytes bounds what the waiting requests hold together.
	maxPendingBytes = 256 << 10
	// maxTunnelWait is how much a client may send ahead of the answer to its
	// CONNECT before the tunnel is taken as granted (a flow of which only one
	// direction is seen).
	maxTunnelWait = 32 << 10
)

// Protocol is HTTP/1.x on TCP.
var Protocol = proto.Protocol{
	Name:    "http",
	Doc:     "HTTP/1.x, RFC 9112: requests, answers and the first part of their bodies",
	On:      proto.TCP,
	Ports:   []uint16{80, 8080, 8000, 8008, 8081, 8888, 3128, 5000, 7547, 49152},
	Limit:   64 << 10,
	Probe:   probe,
	Event:   "http",
	New:     func() proto.Parser { return new(parser) },
	Buffers: buffers,
}

// Header is one header field as sent, without white space around the value;
// continuation lines are joined by one space.
type Header struct{ Name, Value []byte }

// Tx is a request with its answer. It is emitted when the head of either is
// complete, when a body is complete or its kept prefix full, and finally when
// the answer has ended.
type Tx struct {
	// Request line.
	Method  []byte // as sent
	URI     []byte // as sent
	Path    []byte // URI normalised: see README.md
	Version []byte // "HTTP/1.1"; empty for HTTP/0.9

	Host        []byte // lower case, without port; from the URI or else the Host field
	HostRaw     []byte // as sent, with port
	Port        uint16 // named beside the host, else zero
	UserAgent   []byte
	Referer     []byte
	ContentType []byte // of the answer, without parameters

	Status        int // 100 to 999; zero when absent or no number
	StatusText    []byte
	StatusCode    []byte // as sent
	AnswerVersion []byte

	RequestHeaders  []Header
	ResponseHeaders []Header

	RequestBody  []byte // decoded prefix, at most MaxBody; nil until complete or full
	ResponseBody []byte
	RequestLen   int64 // bytes of the body on the wire, chunk lines included
	ResponseLen  int64

	// Truncated: the body is longer than the prefix kept, or bytes of it were lost.
	RequestTruncated, ResponseTruncated bool
	// Encoded: the body has a content coding that was not undone (br, zstd,
	// too many layers); the prefix is as on the wire.
	RequestEncoded, ResponseEncoded bool

	RequestHead  bool // the head of the request is complete
	RequestDone  bool // the whole request is
	ResponseHead bool
	ResponseDone bool

	msg [2]message

	path, host []byte // memory of Path, Host
	inTarget   bool   // the host is that of the request target
	started    bool   // an answer has begun
	num        uint64 // in the flow, from 0
}

// Number returns the place of the transaction in its flow, from 0.
func (t *Tx) Number() uint64 { return t.num }

// message is the memory behind one side of a Tx.
type message struct {
	head    []byte // start line and header fields as sent
	line    int    // length of the start line within head
	lineRaw int    // the same with its line end
	fold    []byte // joined continuation lines
	headers []Header
	folded  bool // the last header's value lies at the end of fold
	tail    int  // bytes of white space behind the last header's value
	body    []byte
	mem     *body  // of body; nil while there is none
	full    bool   // nothing more goes into body
	join    []byte // http.header, made on demand
	names   []byte // http.header_names
	start   []byte // http.start
	one     []byte // one line of http.request_header
	made    uint8  // which of the three are made
	read    bool   // the fields have been read: the head is complete, or the flow ended within it
	lists   []byte // values of fields that came several times, joined
	listed  []list // which, by name
	dec     *decoder

	filing    bool       // somebody listens to the body as a file
	undecoded bool       // no more of the body can be decoded
	file      proto.File // what the body is, unless multi is set
	multi     *multipart
	name      []byte // memory of the file's name
}

// txs keeps transactions for reuse across flows: only flows with a message
// under way hold one.
var txs = sync.Pool{New: func() any { return new(Tx) }}

func (m *message) reset() {
	if m.dec != nil {
		m.dec.release()
	}
	m.releaseBody()
	if m.multi != nil {
		m.multi.release()
	}
	*m = message{head: proto.Keep(m.head, keptHead), fold: proto.Keep(m.fold, keptHead), headers: proto.Keep(m.headers, keptHeaders),
		join: proto.Keep(m.join, keptHead), start: proto.Keep(m.start, keptHead), names: proto.Keep(m.names, keptHead), one: proto.Keep(m.one, keptHead), name: proto.Keep(m.name, keptHead),
		lists: proto.Keep(m.lists, keptHead), listed: m.listed[:0]}
}

// list is a place in message.lists.
type list struct {
	name   string
	lo, hi int
}

// value returns the value of a field as rules see it: what came several times
// is joined, as libhtp does, but for the length, of which the first counts.
// The name is one of those the buffers name, so listed is short.
func (m *message) value(name string) []byte {
	first, n := -1, 0
	for i := range m.headers {
		if textline.Is(m.headers[i].Name, name) {
			if n++; first < 0 {
				first = i
			}
		}
	}
	switch {
	case n == 0:
		return nil
	case n == 1 || name == "content-length":
		return m.headers[first].Value
	}
	for _, l := range m.listed {
		if l.name == name {
			return m.lists[l.lo:l.hi]
		}
	}
	lo := len(m.lists)
	for i := first; i < len(m.headers); i++ {
		if !textline.Is(m.headers[i].Name, name) {
			continue
		}
		if i > first {
			m.lists = append(m.lists, ", "...)
		}
		m.lists = append(m.lists, m.headers[i].Value...)
	}
	if m.read { // no more will come
		m.listed = append(m.listed, list{name, lo, len(m.lists)})
	}
	return m.lists[lo:]
}

func (t *Tx) reset() {
	t.msg[0].reset()
	t.msg[1].reset()
	*t = Tx{msg: t.msg, path: proto.Keep(t.path, keptHead), host: proto.Keep(t.host, keptHead)}
}

// Header returns the value of the first field of that lower-case name sent in
// direction d, nil when there is none.
func (t *Tx) Header(d packet.Dir, name string) []byte { return find(t.msg[d].headers, name) }

func find(hs []Header, name string) []byte {
	for i := range hs {
		if textline.Is(hs[i].Name, name) {
			return hs[i].Value
		}
	}
	return nil
}

// hasToken reports whether the comma-separated list holds the lower-case token.
func hasToken(list []byte, token string) bool {
	for len(list) > 0 {
		i := 0
		for i < len(list) && list[i] != ',' {
			i++
		}
		if textline.Is(trim(list[:i]), token) {
			return true
		}
		list = list[min(i+1, len(list)):]
	}
	return false
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func trim(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}
