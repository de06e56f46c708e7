// Package dtls understands the part of DTLS that travels in the clear: records
// in datagrams, handshake messages in fragments, the exchange of a cookie. The
// messages themselves are those of TLS; transactions are tls.Tx.
package dtls

import (
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/tls"
)

// Protocol is DTLS over UDP, versions 1.0 to 1.3.
var Protocol = proto.Protocol{
	Name:    "dtls",
	Event:   "tls",
	Doc:     "Datagram TLS 1.0 to 1.3",
	On:      proto.UDP,
	Ports:   []uint16{443, 4433, 5684, 853, 5349},
	Probe:   probe,
	New:     func() proto.Parser { return new(parser) },
	Buffers: tls.Buffers,
}
