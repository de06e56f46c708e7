// Package dhcp reads DHCP for IPv4 (RFC 2131, 2132) and the BOOTP it stands on
// (RFC 951): what a device calls itself, what it asks for, what it is given.
package dhcp

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Protocol is DHCP.
var Protocol = proto.Protocol{
	Name:    "dhcp",
	Event:   "dhcp",
	Doc:     "Dynamic Host Configuration Protocol for IPv4, RFC 2131",
	On:      proto.UDP,
	Ports:   []uint16{67, 68},
	Probe:   probe,
	New:     func() proto.Parser { return new(parser) },
	Buffers: buffers,
}

// Sizes of the fixed part, RFC 2131 section 2.
const (
	fixed   = 236 // octets before the magic cookie
	cookie  = 0x63825363
	snameAt = 44
	fileAt  = 108
)

// maxJoined bounds the octets of options joined from pieces: every piece may
// copy what is there before it, so a datagram of empty pieces of one code
// would otherwise cost its square.
const maxJoined = 64 << 10

// Message is one message. Its slices lie in the datagram or in memory of the
// Message, and live as long as the call that emits it.
type Message struct {
	Dir                            packet.Dir // in its flow: an answer sent to a host's own address may begin one
	Reply                          bool
	HType                          byte // 1: Ethernet
	Hops                           byte
	ID                             uint32
	Secs                           uint16
	Flags                          uint16
	Client, Your, Next, Relay      packet.Addr // ciaddr, yiaddr, siaddr, giaddr
	HWAddr                         []byte      // as long as hlen says, at most 16
	ServerName, File               []byte      // up to their zero octet; nil when options use the space
	BOOTP                          bool        // no magic cookie: no options
	Type                           byte        // option 53; 0: none
	Options                        []Option    // in the order in which their codes came first
	Order                          []byte      // every code in the order of the wire, a mark of the program that sent it
	joined                         []byte
	tooMany, unfinished            bool
	order                          [MaxOptions]byte
	leaseText, renewText, bindText [10]byte
	text                           []byte // scratch for events
}

// Parse reads the datagram b and returns false when it is no BOOTP message.
func (m *Message) Parse(b []byte) bool {
	*m = Message{Options: m.Options[:0], joined: m.joined[:0], text: m.text[:0]}
	m.Order = m.order[:0]
	if len(b) < fixed || b[0] != 1 && b[0] != 2 || b[2] > 16 {
		return false
	}
	be := binary.BigEndian
	m.Reply, m.HType, m.Hops = b[0] == 2, b[1], b[3]
	m.ID, m.Secs, m.Flags = be.Uint32(b[4:]), be.Uint16(b[8:]), be.Uint16(b[10:])
	m.Client, m.Your = packet.AddrFrom4(b[12:]), packet.AddrFrom4(b[16:])
	m.Next, m.Relay = packet.AddrFrom4(b[20:]), packet.AddrFrom4(b[24:])
	m.HWAddr = b[28 : 28+b[2]]
	sname, file := b[snameAt:fileAt], b[fileAt:fixed]
	if len(b) < fixed+4 || be.Uint32(b[fixed:]) != cookie {
		m.BOOTP = true
	} else {
		m.unfinished = !m.walk(b[fixed+4:])
		over := byte(0)
		if v := m.Option(OptOverload); len(v) == 1 {
			over = v[0]
		}
		// RFC 3396 section 5: the options field first, then file, then sname.
		if over&overFile != 0 {
			m.walk(file)
			file = nil
		}
		if over&overSname != 0 {
			m.walk(sname)
			sname = nil
		}
		if v := m.Option(OptMessageType); len(v) == 1 {
			m.Type = v[0]
		}
	}
	m.ServerName, m.File = untilZero(sname), untilZero(file)
	return true
}

func untilZero(b []byte) []byte {
	for i, c := range b {
		if c == 0 {
			return b[:i]
		}
	}
	return b
}

// Seconds returns an option that is a time.
func (m *Message) Seconds(code byte) (s uint32, ok bool) {
	v := m.Option(code)
	if len(v) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(v), true
}

// Address returns the first address of an option that is a list of them.
func (m *Message) Address(code byte) (a packet.Addr, ok bool) {
	v := m.Option(code)
	if len(v) < 4 {
		return a, false
	}
	return packet.AddrFrom4(v), true
}

// SubOption returns a sub-option of the relay agent's option (RFC 3046): 1
// circuit, 2 remote side.
func (m *Message) SubOption(code byte) []byte {
	for b := m.Option(OptRelayAgent); len(b) >= 2; {
		n := int(b[1])
		if 2+n > len(b) {
			break
		}
		if b[0] == code {
			return b[2 : 2+n]
		}
		b = b[2+n:]
	}
	return nil
}

type parser struct{ m *Message }

func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (int, error) {
	if p.m == nil {
		p.m = new(Message)
	}
	m := p.m
	if !m.Parse(data) {
		c.Anomaly("malformed_data")
		return len(data), nil
	}
	m.Dir = d
	if m.unfinished {
		c.Anomaly("malformed_options") // Suricata's name
	}
	if m.tooMany {
		c.Anomaly("too_many_options")
	}
	c.Emit(m, true)
	return len(data), nil
}

func (p *parser) Gap(*proto.Conn, packet.Dir, int) error { return nil }
func (p *parser) End(*proto.Conn)                        {}

// probe: the magic cookie at its place is telling; BOOTP without it has the
// shape of its first octets only.
func probe(_ packet.Dir, b []byte) proto.Match {
	if len(b) < fixed || b[0] != 1 && b[0] != 2 || b[2] > 16 {
		return proto.No
	}
	if len(b) >= fixed+4 && binary.BigEndian.Uint32(b[fixed:]) == cookie {
		return proto.Yes
	}
	if b[1] == 1 && b[2] == 6 && b[3] < 16 {
		return proto.Weak
	}
	return proto.No
}
