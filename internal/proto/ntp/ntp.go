// Package ntp reads the Network Time Protocol, versions 1 to 4 (RFC 5905), with
// its control (RFC 9327) and private messages, the ones that amplify.
package ntp

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Protocol is NTP. It has no magic, so its Probe is never certain: port 123,
// or a plausible message from either side, decides.
var Protocol = proto.Protocol{
	Name:  "ntp",
	Event: "ntp",
	Doc:   "Network Time Protocol, RFC 5905",
	On:    proto.UDP,
	Ports: []uint16{123},
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
}

// Modes, RFC 5905 figure 10.
const (
	ModeSymmetricActive = iota + 1
	ModeSymmetricPassive
	ModeClient
	ModeServer
	ModeBroadcast
	ModeControl
	ModePrivate
)

// Monlist requests, the private messages that ask for the recent clients: the
// amplifiers of CVE-2013-5211.
const (
	MonGetList  = 20
	MonGetList1 = 42
)

const headerLen = 48

// Message is one message.
type Message struct {
	Version    uint8
	Mode       uint8
	Leap       uint8
	Stratum    uint8
	Poll       int8 // exponent of two, seconds
	Precision  int8 // exponent of two, seconds
	RootDelay  uint32
	RootDisp   uint32 // both in units of 1/65536 s
	RefID      [4]byte
	Transmit   uint64 // NTP time stamp
	Extensions int    // octets behind the header: extension fields, MAC

	Response bool  // of control and private messages
	Opcode   uint8 // of control messages
	Code     uint8 // request code of private messages
	Count    uint16
}

// EventType returns "ntp".
func (m *Message) EventType() event.Type { return "ntp" }

// EncodeEVE appends "ntp":{…}.
func (m *Message) EncodeEVE(e *event.Encoder) {
	e.Obj("ntp")
	e.Uint("version", uint64(m.Version))
	e.Str("mode", modeNames[m.Mode])
	switch m.Mode {
	case ModeControl:
		e.Bool("response", m.Response)
		e.Uint("opcode", uint64(m.Opcode))
		e.Uint("count", uint64(m.Count))
	case ModePrivate:
		e.Bool("response", m.Response)
		e.Uint("request_code", uint64(m.Code))
		e.Uint("count", uint64(m.Count))
	default:
		e.Uint("leap", uint64(m.Leap))
		e.Uint("stratum", uint64(m.Stratum))
		e.Int("poll", int64(m.Poll))
		e.Int("precision", int64(m.Precision))
		m.refID(e)
	}
	e.EndObj()
}

// refID appends the reference: letters of a clock or of a refusal below stratum
// 2, else an IPv4 address or the start of a hash of an IPv6 one.
func (m *Message) refID(e *event.Encoder) {
	if m.RefID == [4]byte{} {
		return
	}
	n := len(m.RefID)
	for n > 0 && m.RefID[n-1] == 0 {
		n--
	}
	if m.Stratum < 2 {
		for _, c := range m.RefID[:n] {
			if c < 0x20 || c > 0x7e {
				e.Hex("reference_id", m.RefID[:])
				return
			}
		}
		e.Bytes("reference_id", m.RefID[:n])
		return
	}
	e.Addr("reference_id", packet.AddrFrom4(m.RefID[:]))
}

var modeNames = [8]string{"reserved", "symmetric_active", "symmetric_passive", "client", "server", "broadcast", "control", "private"}

// Parse reads the datagram b; false means that it is too short or of no known
// version or mode.
func (m *Message) Parse(b []byte) bool {
	*m = Message{}
	if len(b) < 8 {
		return false
	}
	be := binary.BigEndian
	m.Leap, m.Version, m.Mode = b[0]>>6, b[0]>>3&7, b[0]&7
	if m.Version < 1 || m.Version > 4 {
		return false
	}
	switch m.Mode {
	case ModeControl: // RFC 9327 section 2
		if len(b) < 12 {
			return false
		}
		m.Leap, m.Response, m.Opcode, m.Count = 0, b[1]&0x80 != 0, b[1]&0x1f, be.Uint16(b[10:])
		return true
	case ModePrivate: // the header of ntpdc: response, more, sequence, implementation, request, items
		m.Leap, m.Response, m.Code, m.Count = 0, b[0]&0x80 != 0, b[3], be.Uint16(b[4:])&0xfff
		return true
	case 0:
		// Version 1 had no modes (RFC 1059 appendix B).
		if m.Version != 1 {
			return false
		}
	}
	if len(b) < headerLen {
		return false
	}
	m.Stratum, m.Poll, m.Precision = b[1], int8(b[2]), int8(b[3])
	m.RootDelay, m.RootDisp = be.Uint32(b[4:]), be.Uint32(b[8:])
	copy(m.RefID[:], b[12:])
	m.Transmit = be.Uint64(b[40:])
	m.Extensions = len(b) - headerLen
	return true
}

type parser struct{ m Message }

func (p *parser) Parse(c *proto.Conn, _ packet.Dir, data []byte) (int, error) {
	if !p.m.Parse(data) {
		c.Anomaly("malformed_data")
		return len(data), nil
	}
	c.Emit(&p.m, true)
	return len(data), nil
}

func (p *parser) Gap(*proto.Conn, packet.Dir, int) error { return nil }
func (p *parser) End(*proto.Conn)                        {}
func (p *parser) Reset()                                 {}

// probe asks for what a clock would send: root delay and dispersion below 32
// seconds, a stratum of at most 16, a length that extension fields and a MAC
// can give. Chance passes it once in a million.
func probe(_ packet.Dir, b []byte) proto.Match {
	var m Message
	if !m.Parse(b) {
		return proto.No
	}
	switch m.Mode {
	case ModeControl:
		if size := headerControl + int(m.Count); m.Opcode > 31 || b[1]&0x60 != 0 && !m.Response || len(b) < size || len(b) > size+maxMAC || m.Version < 2 {
			return proto.No
		}
		return proto.Weak
	case ModePrivate:
		// Requests of ntpdc have 8, 48 or, signed, more octets; only the
		// implementations 0, 2 and 3 ever existed; the error nibble of a
		// request is zero.
		if b[2] > 3 || b[2] == 1 || len(b)%4 != 0 || len(b) > 512 || !m.Response && b[4]&0xf0 != 0 || b[1]&0x80 != 0 && len(b) < 48 {
			return proto.No
		}
		return proto.Weak
	}
	const most = 32 << 16
	if m.Stratum > 16 || m.RootDelay >= most || m.RootDisp >= most || len(b)%4 != 0 || m.Extensions > 1024 {
		return proto.No
	}
	// Precision is a power below one second, or what chrony and SNTP clients
	// send to give nothing away (32, 0).
	if m.Precision > 0 && m.Precision != 32 || m.Precision < -32 || m.Poll > 17 || m.Poll < -7 {
		return proto.No
	}
	if m.Mode == ModeServer && m.Transmit == 0 {
		return proto.No
	}
	return proto.Weak
}

const (
	headerControl = 12
	maxMAC        = 3 + 4 + 64 // padding, key identifier, digest
)
