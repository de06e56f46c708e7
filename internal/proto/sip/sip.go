// Package sip parses SIP (RFC 3261) requests and answers over UDP and TCP.
package sip

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
	// MaxStartLine bounds the start line over TCP.
	MaxStartLine = 2 << 10
	// MaxBody is how much of a body is looked into; the rest is skipped.
	MaxBody = 8 << 10
)

// Protocol is SIP on UDP and TCP.
var Protocol = proto.Protocol{
	Name:    "sip",
	Doc:     "SIP, RFC 3261: start lines, the header fields that name the parties, session descriptions",
	On:      proto.TCP | proto.UDP,
	Ports:   []uint16{5060},
	Event:   "sip",
	Limit:   MaxHead,
	Probe:   probe,
	New:     func() proto.Parser { return new(parser) },
	Buffers: buffers,
}

// Tx is one message.
type Tx struct {
	Dir       packet.Dir
	StartLine []byte
	Method    []byte // of a request
	URI       []byte
	Version   []byte // "SIP/2.0"
	Code      []byte // of an answer
	Reason    []byte
	Headers   textline.Fields // names in their long form (RFC 3261 section 20)

	SDP []Line // the session description in the body, RFC 8866; valid while the message is emitted

	mem []byte
	raw []byte // as sent, its body cut; valid while the message is emitted
	at  [2]int // where in raw the header fields and the body begin
}

// Header returns the value of the first field of that long name.
func (t *Tx) Header(name string) []byte { return t.Headers.Get(name) }

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
	t.encodeSDP(e)
	e.EndObj()
}
