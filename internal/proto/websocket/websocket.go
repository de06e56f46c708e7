// Package websocket parses the frames of WebSocket (RFC 6455) after an HTTP
// upgrade: masking and fragmentation are undone, permessage-deflate (RFC 7692)
// is inflated, and each whole data message is handed on to be identified.
package websocket

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// MaxMessage is how much of a message is kept, inflated; the rest is counted
// and skipped.
const MaxMessage = 64 << 10

// Protocol is WebSocket, entered by an HTTP upgrade, or midstream by Probe.
var Protocol = proto.Protocol{
	Name:    "websocket",
	Doc:     "WebSocket, RFC 6455: messages, unmasked, defragmented and inflated",
	On:      proto.TCP,
	Probe:   Probe,
	New:     func() proto.Parser { return new(parser) },
	Buffers: buffers,
}

// Opcodes, RFC 6455 section 11.8.
const (
	OpContinuation = 0
	OpText         = 1
	OpBinary       = 2
	OpClose        = 8
	OpPing         = 9
	OpPong         = 10
)

// Tx is one message: a text or binary one, whole, or a control frame.
type Tx struct {
	Dir        packet.Dir
	Opcode     uint8
	Flags      uint8 // first byte of the first frame without the opcode: FIN and RSV bits
	Masked     bool
	Mask       [4]byte // of the last frame
	Payload    []byte  // unmasked and inflated, at most MaxMessage
	Length     uint64  // bytes of payload on the wire
	Frames     int
	Compressed bool // sent with permessage-deflate
	Opaque     bool // compressed, but not to be inflated: Payload is empty
	Truncated  bool // longer than kept, or bytes of it were lost

	meta [6]byte // opcode, flags, mask: memory of the small buffers
}

// EventType implements proto.Tx: messages are for detectors and rules only.
func (t *Tx) EventType() event.Type { return "" }

// EncodeEVE implements proto.Tx.
func (t *Tx) EncodeEVE(*event.Encoder) {}

type getter func(t *Tx) []byte

func buffer(name, doc string, d packet.Dir, get getter) proto.Buffer {
	return proto.Buffer{Name: name, Doc: doc, Dir: d, Get: func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i != 0 || t.Dir != d {
			return nil, false
		}
		b := get(t)
		return b, b != nil
	}}
}

func payload(t *Tx) []byte { return t.Payload }

func opcode(t *Tx) []byte {
	t.meta[0] = t.Opcode
	return t.meta[:1]
}

func fin(t *Tx) []byte {
	t.meta[1] = t.Flags >> 7
	return t.meta[1:2]
}

func mask(t *Tx) []byte {
	if !t.Masked {
		return nil
	}
	copy(t.meta[2:], t.Mask[:])
	return t.meta[2:]
}

var buffers = []proto.Buffer{
	buffer("websocket.payload", "message of the client, unmasked and inflated", packet.ToServer, payload),
	buffer("websocket.payload", "message of the server, inflated", packet.ToClient, payload),
	buffer("websocket.opcode", "one byte: 1 text, 2 binary, 8 close, 9 ping, 10 pong", packet.ToServer, opcode),
	buffer("websocket.opcode", "the same of the server", packet.ToClient, opcode),
	buffer("websocket.fin", "one byte: whether the first frame was also the last", packet.ToServer, fin),
	buffer("websocket.fin", "the same of the server", packet.ToClient, fin),
	buffer("websocket.mask", "the four bytes of the masking key", packet.ToServer, mask),
	buffer("websocket.mask", "the same of the server, which should send none", packet.ToClient, mask),
}
