package stun

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/packet"
)

// Sizes and limits.
const (
	headerLen     = 20
	cookie        = 0x2112a442 // RFC 8489 section 5
	MaxAttributes = 64         // attributes read of one message
)

// Classes, RFC 8489 section 5.
const (
	Request = iota
	Indication
	Success
	Failure
)

// Attributes this package reads: RFC 8489 section 18.3, RFC 8656 section 17,
// RFC 8445 section 16.1.
const (
	attrMapped      = 0x0001
	attrUsername    = 0x0006
	attrError       = 0x0009
	attrChannel     = 0x000c
	attrLifetime    = 0x000d
	attrXorPeer     = 0x0012
	attrRealm       = 0x0014
	attrXorRelayed  = 0x0016
	attrXorMapped   = 0x0020
	attrUseCand     = 0x0025
	attrXorMapped2  = 0x8020 // from drafts, still sent
	attrSoftware    = 0x8022
	attrControlled  = 0x8029
	attrControlling = 0x802a
)

// Endpoint is an address with a port; the port is zero when there is none.
type Endpoint struct {
	Addr packet.Addr
	Port uint16
	OK   bool
}

// Message is one STUN message or one ChannelData frame of TURN. Its slices lie
// in the data.
type Message struct {
	Class       uint8
	Method      uint16
	Classic     bool   // of RFC 3489: no magic cookie
	Channel     uint16 // of ChannelData, else of a channel bind; 0: none
	Data        int    // octets of ChannelData
	IsData      bool   // ChannelData
	Software    []byte
	Username    []byte
	Realm       []byte
	ErrorCode   int // of a failure, else 0
	ErrorReason []byte
	Lifetime    uint32 // seconds of an allocation
	HasLifetime bool
	ICE         bool // controlling, controlled or use-candidate is there: a check between peers
	Mapped      Endpoint
	Relayed     Endpoint
	Peer        Endpoint

	malformed, tooMany, log bool
}

// Methods, RFC 8489 section 18.2 and RFC 8656 section 17.
func (m *Message) methodName() string {
	switch m.Method {
	case 1:
		return "binding"
	case 2:
		return "shared_secret"
	case 3:
		return "allocate"
	case 4:
		return "refresh"
	case 6:
		return "send"
	case 7:
		return "data"
	case 8:
		return "create_permission"
	case 9:
		return "channel_bind"
	case 10:
		return "connect"
	case 11:
		return "connection_bind"
	case 12:
		return "connection_attempt"
	}
	return ""
}

// head reads the header; size is that of the whole message.
func (m *Message) head(b []byte) (size int, ok bool) {
	if len(b) < headerLen || b[0]&0xc0 != 0 || b[3]&3 != 0 {
		return 0, false
	}
	be := binary.BigEndian
	t := be.Uint16(b)
	m.Class = uint8(t>>4&1 | t>>7&2)
	m.Method = t&0xf | t>>1&0x70 | t>>2&0xf80
	m.Classic = be.Uint32(b[4:]) != cookie
	return headerLen + int(be.Uint16(b[2:])), true
}

// Parse reads the message at the start of b, which must hold all of it, and
// returns its size; false means that b begins with none.
func (m *Message) Parse(b []byte) (size int, ok bool) {
	*m = Message{}
	size, ok = m.head(b)
	if !ok || size > len(b) {
		return 0, false
	}
	a := b[headerLen:size]
	for n := 0; len(a) > 0; n++ {
		if n == MaxAttributes {
			m.tooMany = true
			break
		}
		t, v, rest, ok := attribute(a)
		if !ok {
			m.malformed = true
			break
		}
		m.read(t, v, b)
		a = rest
	}
	return size, true
}

// attribute takes the first attribute off a; values are padded to four octets.
func attribute(a []byte) (t uint16, v, rest []byte, ok bool) {
	if len(a) < 4 {
		return 0, nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(a[2:]))
	if 4+n > len(a) {
		return 0, nil, nil, false
	}
	return binary.BigEndian.Uint16(a), a[4 : 4+n], a[min(len(a), 4+(n+3)&^3):], true
}

func (m *Message) read(t uint16, v, msg []byte) {
	switch t {
	case attrMapped:
		if !m.Mapped.OK {
			m.Mapped = endpoint(v, nil)
		}
	case attrXorMapped, attrXorMapped2:
		if e := endpoint(v, msg); e.OK {
			m.Mapped = e
		}
	case attrXorRelayed:
		m.Relayed = endpoint(v, msg)
	case attrXorPeer:
		if !m.Peer.OK {
			m.Peer = endpoint(v, msg)
		}
	case attrUsername:
		m.Username = v
	case attrRealm:
		m.Realm = v
	case attrSoftware:
		m.Software = v
	case attrError:
		if len(v) >= 4 {
			m.ErrorCode, m.ErrorReason = int(v[2]&7)*100+int(v[3]), v[4:]
		}
	case attrLifetime:
		if len(v) == 4 {
			m.Lifetime, m.HasLifetime = binary.BigEndian.Uint32(v), true
		}
	case attrChannel:
		if len(v) == 4 {
			m.Channel = binary.BigEndian.Uint16(v)
		}
	case attrUseCand, attrControlled, attrControlling:
		m.ICE = true
	}
}

// endpoint reads an address attribute; msg gives the mask of the XOR forms
// (RFC 8489 section 14.2), nil leaves them as they are.
func endpoint(v, msg []byte) (e Endpoint) {
	if len(v) < 8 {
		return e
	}
	var mask [18]byte
	if msg != nil {
		copy(mask[:2], msg[4:6])
		copy(mask[2:], msg[4:20])
	}
	var raw [18]byte
	n := copy(raw[:], v[2:])
	for i := range raw {
		raw[i] ^= mask[i]
	}
	switch {
	case v[1] == 1 && n == 6:
		e.Addr = packet.AddrFrom4(raw[2:])
	case v[1] == 2 && n == 18:
		e.Addr = packet.AddrFrom16(raw[2:])
	default:
		return e
	}
	e.Port, e.OK = binary.BigEndian.Uint16(raw[:]), true
	return e
}

// channelData reads a frame of RFC 8656 section 12.4, with the channel numbers
// that RFC 5766 allowed and relays still use; size is without padding.
func (m *Message) channelData(b []byte) (size int, ok bool) {
	if len(b) < 4 || b[0]&0xc0 != 0x40 {
		return 0, false
	}
	*m = Message{IsData: true, Channel: binary.BigEndian.Uint16(b), Data: int(binary.BigEndian.Uint16(b[2:]))}
	return 4 + m.Data, true
}
