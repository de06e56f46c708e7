// Package rdp reads the beginning of a Remote Desktop connection ([MS-RDPBCGR]
// 1.3.1.1): the cookie with a user name, the security protocols asked for and
// chosen, and what the client says of itself when nothing is encrypted.
package rdp

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/proto"
)

// Limits.
const (
	// maxPDU is the longest packet kept whole. The connect request with its
	// core, security, network and monitor data takes about 500 bytes.
	maxPDU = 4 << 10
	// maxCookie is how much of the cookie is kept; clients cut it at nine
	// bytes or send a load balancer's token.
	maxCookie = 128
	// maxChannels bounds the virtual channels kept; the protocol allows 31.
	maxChannels = 31
	// maxPDUs bounds the packets of a connection without TLS that are looked
	// at before it is let go: the capabilities follow within the first ten.
	maxPDUs = 16
)

// Type is the event_type of the steps.
const Type event.Type = "rdp"

// Protocol describes RDP.
var Protocol = proto.Protocol{
	Name:  "rdp",
	Event: Type,
	Doc:   "Remote Desktop Protocol, connection sequence",
	On:    proto.TCP | proto.UDP,
	Ports: []uint16{3389},
	Limit: maxPDU,
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
}

// Step says which message a Tx is.
type Step uint8

// Steps, in their order.
const (
	InitialRequest  Step = iota // X.224 connection request
	InitialResponse             // X.224 connection confirm
	ConnectRequest              // MCS connect initial
	ConnectResponse             // MCS connect response
	UDPConnect                  // first datagram of the UDP transport; not logged
)

// Security protocols, [MS-RDPBCGR] 2.2.1.1.1.
const (
	ProtocolSSL      = 1
	ProtocolHybrid   = 2 // CredSSP
	ProtocolRDSTLS   = 4
	ProtocolHybridEx = 8
	ProtocolRDSAAD   = 16
)

// Tx is one message of the connection sequence. Each is emitted once, as done.
type Tx struct {
	Step     Step
	Cookie   []byte // request: behind "Cookie: mstshash="
	HasNeg   bool   // a negotiation structure is there
	Protocol uint32 // request: those offered; response: the one chosen
	Failure  uint32 // response: failure code, 0: none

	HasCore  bool // connect request: the fields below are set
	Version  uint32
	Width    uint16
	Height   uint16
	Keyboard uint32
	Build    uint32
	Name     []byte // of the client computer, UTF-8
	Channels [maxChannels][]byte
	NChannel int
}

// EventType returns Type, or "" for UDPConnect.
func (t *Tx) EventType() event.Type {
	if t.Step == UDPConnect {
		return ""
	}
	return Type
}

// EncodeEVE appends "rdp":{…} in Suricata's shape.
func (t *Tx) EncodeEVE(e *event.Encoder) {
	e.Obj("rdp")
	e.Uint("tx_id", uint64(t.Step))
	e.Str("event_type", [...]string{"initial_request", "initial_response", "connect_request", "connect_response", "udp_connect"}[t.Step])
	switch t.Step {
	case InitialRequest:
		e.OptBytes("cookie", t.Cookie)
		if t.HasNeg {
			encodeProtocols(e, t.Protocol)
		}
	case InitialResponse:
		switch {
		case t.Failure != 0:
			e.Uint("error_code", uint64(t.Failure))
		case t.HasNeg:
			e.Str("protocol", protocolName(t.Protocol))
		}
	case ConnectRequest:
		if t.HasCore {
			e.Obj("client")
			e.OptStr("version", versionName(t.Version))
			e.Uint("desktop_width", uint64(t.Width))
			e.Uint("desktop_height", uint64(t.Height))
			e.Uint("keyboard_layout", uint64(t.Keyboard))
			e.Uint("build", uint64(t.Build))
			e.OptBytes("client_name", t.Name)
			e.EndObj()
		}
		if t.NChannel > 0 {
			e.Arr("channels")
			for _, c := range t.Channels[:t.NChannel] {
				e.Bytes("", c)
			}
			e.EndArr()
		}
	}
	e.EndObj()
}

func encodeProtocols(e *event.Encoder, v uint32) {
	e.Arr("protocols")
	if v == 0 {
		e.Str("", protocolName(0))
	}
	for bit := uint32(1); bit <= ProtocolRDSAAD; bit <<= 1 {
		if v&bit != 0 {
			e.Str("", protocolName(bit))
		}
	}
	e.EndArr()
}

func protocolName(v uint32) string {
	switch v {
	case 0:
		return "rdp"
	case ProtocolSSL:
		return "ssl"
	case ProtocolHybrid:
		return "hybrid"
	case ProtocolRDSTLS:
		return "rdstls"
	case ProtocolHybridEx:
		return "hybrid_ex"
	case ProtocolRDSAAD:
		return "rdsaad"
	}
	return "unknown"
}

// versionName gives Suricata's words for the version of the core data,
// [MS-RDPBCGR] 2.2.1.3.2.
func versionName(v uint32) string {
	switch v {
	case 0x00080001:
		return "v4"
	case 0x00080004:
		return "v5"
	case 0x00080005:
		return "v10.0"
	case 0x00080006:
		return "v10.1"
	case 0x00080007:
		return "v10.2"
	case 0x00080008:
		return "v10.3"
	case 0x00080009:
		return "v10.4"
	case 0x0008000a:
		return "v10.5"
	case 0x0008000b:
		return "v10.6"
	case 0x0008000c:
		return "v10.7"
	}
	return ""
}
