// Package openvpn recognises OpenVPN tunnels on UDP and TCP and reads the
// opening of their control channel: opcodes, session identifiers and how
// control packets are protected. The wire format is that of OpenVPN's protocol
// description (doc/openvpn-rfc in its sources, draft-openvpn-wire-protocol).
package openvpn

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// maxPacket bounds what is kept of one packet on TCP; of a longer one the rest
// is skipped. Control packets have at most 1250 bytes and a wrapped key.
const maxPacket = 2400

// Protocol describes OpenVPN.
var Protocol = proto.Protocol{
	Name:  "openvpn",
	Doc:   "OpenVPN tunnel: how its control channel opens",
	On:    proto.UDP | proto.TCP,
	Ports: []uint16{1194},
	Limit: 2 + maxPacket,
	Event: "openvpn",
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
}

// Opcode is the upper five bits of a packet's first byte.
type Opcode uint8

// Opcodes.
const (
	ResetClientV1 Opcode = 1
	ResetServerV1 Opcode = 2
	SoftReset     Opcode = 3
	Control       Opcode = 4
	Ack           Opcode = 5
	DataV1        Opcode = 6
	ResetClientV2 Opcode = 7
	ResetServerV2 Opcode = 8
	DataV2        Opcode = 9
	ResetClientV3 Opcode = 10
	ControlWKC    Opcode = 11
)

var opcodeNames = [...]string{ResetClientV1: "P_CONTROL_HARD_RESET_CLIENT_V1", ResetServerV1: "P_CONTROL_HARD_RESET_SERVER_V1",
	SoftReset: "P_CONTROL_SOFT_RESET_V1", Control: "P_CONTROL_V1", Ack: "P_ACK_V1", DataV1: "P_DATA_V1",
	ResetClientV2: "P_CONTROL_HARD_RESET_CLIENT_V2", ResetServerV2: "P_CONTROL_HARD_RESET_SERVER_V2", DataV2: "P_DATA_V2",
	ResetClientV3: "P_CONTROL_HARD_RESET_CLIENT_V3", ControlWKC: "P_CONTROL_WKC_V1"}

func (o Opcode) client() bool { return o == ResetClientV1 || o == ResetClientV2 || o == ResetClientV3 }
func (o Opcode) server() bool { return o == ResetServerV1 || o == ResetServerV2 }

// Protection is how control packets are protected.
type Protection uint8

// Protections.
const (
	Unknown    Protection = iota
	Plain                 // by nothing but TLS itself
	TLSAuth               // an HMAC
	TLSCrypt              // encrypted and authenticated
	TLSCryptV2            // the same with a key for each client
)

var protectionNames = [...]string{Plain: "none", TLSAuth: "tls-auth", TLSCrypt: "tls-crypt", TLSCryptV2: "tls-crypt-v2"}

// Tunnel is the transaction: the opening of a tunnel, or a tunnel met midway.
type Tunnel struct {
	Opcode     Opcode     // of the opening packet, or of the first one met
	Client     packet.Dir // who opened
	Session    [2][8]byte // by who chose it
	hasSession [2]bool
	Protection Protection
	HMAC       int  // bytes, with TLSAuth
	Answered   bool // the server's reset was seen
	Confirmed  bool // and it named the client's session
}

// EventType returns "openvpn".
func (t *Tunnel) EventType() event.Type { return "openvpn" }

// EncodeEVE appends "openvpn":{…}.
func (t *Tunnel) EncodeEVE(e *event.Encoder) {
	e.Obj("openvpn")
	e.Str("opcode", opcodeNames[t.Opcode])
	if t.hasSession[t.Client] {
		e.Hex("client_session", t.Session[t.Client][:])
	}
	if s := t.Client.Reverse(); t.hasSession[s] {
		e.Hex("server_session", t.Session[s][:])
	}
	e.OptStr("protection", protectionNames[t.Protection])
	if t.HMAC > 0 {
		e.Uint("hmac_length", uint64(t.HMAC))
	}
	e.Bool("answered", t.Answered)
	if t.Confirmed {
		e.Bool("confirmed", true)
	}
	e.EndObj()
}
