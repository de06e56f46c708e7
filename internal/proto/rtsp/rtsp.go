// Package rtsp parses RTSP 1.0 and 2.0 (RFC 2326, RFC 7826): requests, answers
// and the binary frames interleaved with them, which are skipped.
package rtsp

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// Limits. Lines beyond them are left out, and an anomaly says so.
const (
	// MaxHead bounds the start line and header fields of a message.
	MaxHead = 8 << 10
	// MaxHeaders is how many header fields of a message are kept.
	MaxHeaders = 64
	// MaxStartLine bounds the start line.
	MaxStartLine = 2 << 10
)

// Protocol is RTSP on TCP.
var Protocol = proto.Protocol{
	Name:  "rtsp",
	Doc:   "RTSP, RFC 2326: requests and answers; interleaved media is skipped",
	On:    proto.TCP,
	Ports: []uint16{554, 8554},
	Limit: MaxHead,
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
}

// Tx is one message: a request or an answer.
type Tx struct {
	Dir       packet.Dir
	Method    []byte // of a request
	URI       []byte
	Version   []byte // "RTSP/1.0"
	Status    int    // of an answer
	Reason    []byte
	UserAgent []byte
	Server    []byte
	Realm     []byte // of WWW-Authenticate or Authorization
	Auth      []byte // scheme of the same: "Basic", "Digest"
	User      []byte // of a Digest Authorization
	Headers   textline.Fields

	mem []byte
}

// Header returns the value of the first field of that name.
func (t *Tx) Header(name string) []byte { return t.Headers.Get(name) }

// EventType implements proto.Tx: for detectors only.
func (t *Tx) EventType() event.Type { return "" }

// EncodeEVE implements proto.Tx.
func (t *Tx) EncodeEVE(*event.Encoder) {}
