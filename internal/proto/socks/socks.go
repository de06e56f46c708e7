// Package socks parses SOCKS 4, 4a and 5 (RFC 1928, RFC 1929) up to the point
// where the proxy has granted the request; what follows is identified as if
// there were no proxy.
package socks

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Protocol is SOCKS on TCP. Its UDP relay is not parsed.
var Protocol = proto.Protocol{
	Name:  "socks",
	Doc:   "SOCKS 4, 4a and 5: the requested destination and the user; the tunnel is looked through",
	On:    proto.TCP,
	Ports: []uint16{1080, 9050, 9150},
	Limit: 16 << 10,
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
}

// Commands.
const (
	Connect   = 1
	Bind      = 2
	Associate = 3 // UDP ASSOCIATE, SOCKS 5 only
)

// Limits that the format itself sets (one length byte) for SOCKS 5, and that
// this package sets for SOCKS 4, whose strings end with a zero byte.
const (
	// MaxUser bounds the user id of SOCKS 4.
	MaxUser = 255
	// MaxHost bounds the domain name of SOCKS 4a.
	MaxHost = 255
	// maxTunnelWait is how much a client may send ahead of the answer before
	// the tunnel is taken as granted (only one direction is seen).
	maxTunnelWait = 8 << 10
)

// Tx is one SOCKS negotiation. It is emitted when the request is known and,
// done, when the proxy has answered.
type Tx struct {
	Version  uint8 // 4 or 5
	Command  uint8
	Host     []byte // domain name; empty when an address was asked for
	Addr     packet.Addr
	Port     uint16
	User     []byte
	Method   uint8 // authentication method the proxy chose, SOCKS 5 (0xff: none acceptable)
	Answered bool
	Reply    uint8 // the proxy's code: granted is 0 in SOCKS 5, 90 in SOCKS 4
	Granted  bool

	mem [2*MaxUser + 2]byte // of User and Host
}

// EventType implements proto.Tx: for detectors only.
func (t *Tx) EventType() event.Type { return "" }

// EncodeEVE implements proto.Tx.
func (t *Tx) EncodeEVE(*event.Encoder) {}

// probe recognises the client's first message by its exact length. Few bytes
// are fixed, so a greeting alone is Weak; with the request behind it, or with
// a domain name in it, it is Yes.
func probe(d packet.Dir, b []byte) proto.Match {
	if len(b) == 0 {
		return proto.More
	}
	switch {
	case d == packet.ToServer && b[0] == 5:
		return probeGreeting(b)
	case d == packet.ToServer && b[0] == 4:
		return probe4(b)
	case d == packet.ToClient && b[0] == 5:
		return probeChoice(b)
	case d == packet.ToClient && b[0] == 0:
		if len(b) < 8 {
			if len(b) > 1 && (b[1] < 90 || b[1] > 93) {
				return proto.No
			}
			return proto.More
		}
		if b[1] >= 90 && b[1] <= 93 {
			return proto.Weak
		}
	}
	return proto.No
}

// maxMethods is how many authentication methods a greeting may offer to be
// recognised: clients offer one to three, nobody more than a handful.
const maxMethods = 10

func probeGreeting(b []byte) proto.Match {
	if len(b) < 2 {
		return proto.More
	}
	n := int(b[1])
	if n == 0 || n > maxMethods {
		return proto.No
	}
	for i, m := range b[2:min(len(b), 2+n)] {
		// 0 none, 1 GSSAPI, 2 password, 3 to 9 assigned, 0x80 on private.
		if m > 9 && m < 0x80 || m == 0xff {
			return proto.No
		}
		for _, o := range b[2 : 2+i] {
			if o == m {
				return proto.No
			}
		}
	}
	switch rest := b[min(len(b), 2+n):]; {
	case len(b) < 2+n:
		return proto.More
	case len(rest) == 0:
		return proto.Weak
	case rest[0] == 5:
		size, ok := request5(rest)
		switch {
		case !ok:
			return proto.No
		case size == 0:
			return proto.Weak
		}
		return proto.Yes
	case rest[0] == 1:
		if len(rest) > 2 && rest[1] != 0 && len(rest) > 2+int(rest[1]) {
			return proto.Yes
		}
		return proto.Weak
	}
	return proto.No
}

func probeChoice(b []byte) proto.Match {
	if len(b) < 2 {
		return proto.More
	}
	if b[1] > 9 && b[1] < 0x80 {
		return proto.No
	}
	if len(b) > 2 && b[2] != 5 && b[2] != 1 {
		return proto.No
	}
	return proto.Weak
}

func probe4(b []byte) proto.Match {
	if len(b) >= 2 && b[1] != Connect && b[1] != Bind {
		return proto.No
	}
	if len(b) >= 4 && b[2]|b[3] == 0 {
		return proto.No // port zero
	}
	size, user, host, ok := request4(b)
	switch {
	case !ok:
		return proto.No
	case size == 0:
		return proto.More
	case !printable(user) || !printable(host):
		return proto.No
	case len(host) > 0:
		return proto.Yes
	}
	return proto.Weak
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}
