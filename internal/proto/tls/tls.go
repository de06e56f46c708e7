// Package tls understands the part of TLS that travels in the clear: records,
// the handshake up to the point where it is encrypted, certificates up to TLS
// 1.2, and the fingerprints JA3, JA3S and JA4. Its hellos and fingerprints are
// used by DTLS and QUIC as well.
package tls

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Protocol is TLS over TCP, SSLv2-compatible hello to TLS 1.3.
var Protocol = proto.Protocol{
	Name:    "tls",
	Event:   "tls",
	Doc:     "Transport Layer Security, SSL 3.0 to TLS 1.3",
	On:      proto.TCP,
	Ports:   []uint16{443, 8443, 853, 465, 563, 636, 989, 990, 992, 993, 995, 5061, 5223, 8883, 4433},
	Limit:   maxHello2 + 2, // all that is ever held back: an SSLv2 hello; records are consumed as they come
	Probe:   probe,
	New:     func() proto.Parser { return new(parser) },
	Buffers: Buffers,
}

// Tx is one handshake: the hellos and certificates that were visible of it.
type Tx struct {
	Over byte // transport as in JA4: OverTCP, OverDTLS

	HasHello bool
	Hello    ClientHello // the first one; a second, after HelloRetryRequest, repeats it
	HasSH    bool
	Server   ServerHello // the one that counts, never a HelloRetryRequest
	Retried  bool        // a HelloRetryRequest (DTLS: HelloVerifyRequest) came before
	Certs    [2]Chain    // by sender: [packet.ToClient] is the server's
	Resumed  bool        // an earlier session was taken up: no certificate will come
	Alert    [2]Alert    // first alert in the clear, by sender

	KeyExchange [2]bool // a ClientKeyExchange or ServerKeyExchange came (up to TLS 1.2), by sender

	Prints

	version []byte // text of the buffers tls.version and tls.cert_chain_len
}

// Alert is one alert, RFC 8446 section 6.
type Alert struct {
	Level       uint8 // 1 warning, 2 fatal; 0: none came
	Description uint8
}

var _ proto.Tx = (*Tx)(nil)

// EventType returns "tls", for DTLS too: readers of EVE know no other.
func (t *Tx) EventType() event.Type { return "tls" }

// Version returns the version negotiated, or, when no ServerHello was seen,
// the one in the ClientHello; 0 if neither was.
func (t *Tx) Version() uint16 {
	if t.HasSH {
		return t.Server.Selected
	}
	if t.HasHello {
		return t.Hello.Version
	}
	return 0
}

// empty reports whether nothing worth an event was seen.
func (t *Tx) empty() bool {
	return !t.HasHello && !t.HasSH && !t.Certs[packet.ToClient].Seen && !t.Certs[packet.ToServer].Seen
}

func (t *Tx) reset(over byte) {
	t.Over = over
	t.HasHello, t.HasSH, t.Retried, t.Resumed = false, false, false, false
	t.Hello, t.Server = ClientHello{}, ServerHello{}
	t.Alert = [2]Alert{}
	t.KeyExchange = [2]bool{}
	t.Certs[0].reset()
	t.Certs[1].reset()
	t.Prints.Reset()
}
