// Package quic understands the opening of QUIC connections: it removes the
// protection of Initial packets, which anyone who sees the first one can
// (RFC 9001 section 5.2), puts the ClientHello and ServerHello together, and
// reads the hello of Google's versions from before the standard.
package quic

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/tls"
)

// Protocol is QUIC over UDP.
var Protocol = proto.Protocol{
	Name:    "quic",
	Event:   "quic",
	Doc:     "QUIC: versions 1 and 2, drafts 21 to 34, mvfst, Google's Q0xx and T0xx",
	On:      proto.UDP,
	Ports:   []uint16{443},
	Probe:   probe,
	New:     func() proto.Parser { return new(parser) },
	Buffers: buffers,
}

// Tx is one connection's opening.
type Tx struct {
	Version   uint32 // of the latest long header that was not a negotiation
	Retried   bool   // the server sent a Retry
	Negotiate bool   // the server sent a Version Negotiation
	ZeroRTT   bool   // the client sent 0-RTT packets
	Closed    bool   // an Initial carried CONNECTION_CLOSE: refused

	HasHello bool
	Hello    tls.ClientHello
	HasSH    bool
	Server   tls.ServerHello
	tls.Prints

	Google GoogleHello // of a version before the standard

	version []byte // text of Version
	wire    [4]byte
}

var _ proto.Tx = (*Tx)(nil)

// EventType returns "quic".
func (t *Tx) EventType() event.Type { return "quic" }

// wireVersion returns the version as it is sent.
func (t *Tx) wireVersion() []byte {
	if t.Version == 0 {
		return nil
	}
	binary.BigEndian.PutUint32(t.wire[:], t.Version)
	return t.wire[:]
}

// VersionText returns the version as Suricata writes it: "1", "Q046",
// "ff00001d".
func (t *Tx) VersionText() []byte {
	t.version = appendVersion(t.version[:0], t.Version)
	return t.version
}

// SNI returns the server name the client asks for, nil if none was seen.
func (t *Tx) SNI() []byte {
	if t.HasHello {
		return t.Hello.SNI
	}
	return t.Google.SNI
}

// EncodeEVE appends "quic":{…} in the shape of Suricata's EVE.
func (t *Tx) EncodeEVE(e *event.Encoder) {
	e.Obj("quic")
	e.Bytes("version", t.VersionText())
	e.OptBytes("sni", t.SNI())
	e.OptBytes("ua", t.Google.UA)
	if t.Google.Seen {
		e.Arr("cyu")
		e.Obj("")
		e.Bytes("hash", t.Google.Hash())
		e.Bytes("string", t.Google.Text)
		e.EndObj()
		e.EndArr()
	}
	if t.HasHello {
		t.EncodeClient(e, &t.Hello, tls.OverQUIC)
		tls.EncodeALPN(e, "client_alpns", t.Hello.ALPN)
	}
	if t.HasSH {
		e.Obj("ja3s")
		e.Bytes("hash", t.JA3SHash(&t.Server))
		e.Bytes("string", t.JA3S(&t.Server))
		e.EndObj()
	}
	switch {
	case t.HasHello:
		encodeExtensions(e, t.Hello.Extensions, &t.Hello)
	case t.HasSH:
		encodeExtensions(e, t.Server.Extensions, nil)
	}
	e.EndObj()
}

func (t *Tx) reset() {
	*t = Tx{Prints: t.Prints, Google: t.Google, version: t.version}
	t.Prints.Reset()
	t.Google.reset()
}
