// Package dhcpv6 reads DHCP for IPv6 (RFC 8415): who asks, by which identifier,
// and which addresses and prefixes are given.
package dhcpv6

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Protocol is DHCPv6.
var Protocol = proto.Protocol{
	Name:  "dhcpv6",
	Event: "dhcpv6",
	Doc:   "Dynamic Host Configuration Protocol for IPv6, RFC 8415",
	On:    proto.UDP,
	Ports: []uint16{547, 546},
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		{Name: "dhcpv6.client_duid", Doc: "the client's unique identifier, raw", Dir: packet.ToServer, Get: option(OptClientID)},
		{Name: "dhcpv6.vendor_class", Doc: "vendor class: enterprise number and strings, raw", Dir: packet.ToServer, Get: option(OptVendorClass)},
		{Name: "dhcpv6.fqdn", Doc: "the client's name, RFC 4704: flags and labels, raw", Dir: packet.ToServer, Get: option(OptFQDN)},
	},
}

// Message types, RFC 8415 section 7.3.
const (
	Solicit = iota + 1
	Advertise
	Request
	Confirm
	Renew
	Rebind
	Reply
	Release
	Decline
	Reconfigure
	InformationRequest
	RelayForw
	RelayRepl
	maxType = 36 // the last one registered
)

// Options this package reads, RFC 8415 section 21 unless said otherwise.
const (
	OptClientID    = 1
	OptServerID    = 2
	OptIANA        = 3
	OptIATA        = 4
	OptIAAddr      = 5
	OptRequest     = 6
	OptElapsed     = 8
	OptRelayMsg    = 9
	OptStatus      = 13
	OptUserClass   = 15
	OptVendorClass = 16
	OptInterfaceID = 18
	OptDNS         = 23 // RFC 3646
	OptDomains     = 24 // RFC 3646
	OptIAPD        = 25
	OptIAPrefix    = 26
	OptRemoteID    = 37 // RFC 4649
	OptFQDN        = 39 // RFC 4704
)

// Limits.
const (
	MaxRelays  = 8  // relay messages looked through; RFC 8415 section 7.6 allows 8 hops
	MaxOptions = 64 // options kept of one message
)

// Option is one option; several of a code may stand in a message.
type Option struct {
	Code  uint16
	Value []byte
}

// Message is one message, that of the client or server behind any relays. Its
// slices lie in the datagram.
type Message struct {
	Type       byte
	ID         uint32 // 24 bits
	Options    []Option
	Relays     int         // relays looked through
	RelayType  byte        // of the outermost relay message
	Hops       byte        // of the outermost relay message
	Link, Peer packet.Addr // of the relay nearest to the client
	Interface  []byte      // interface identifier that this relay gave

	malformed, tooMany, tooDeep bool
	text                        []byte // scratch for events
}

// next returns the first option in b and what follows it.
func next(b []byte) (o Option, rest []byte, ok bool) {
	if len(b) < 4 {
		return o, nil, false
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if 4+n > len(b) {
		return o, nil, false
	}
	return Option{binary.BigEndian.Uint16(b), b[4 : 4+n]}, b[4+n:], true
}

// Parse reads the datagram b; false means that it has no header.
func (m *Message) Parse(b []byte) bool {
	*m = Message{Options: m.Options[:0], text: m.text[:0]}
	for len(b) > 0 && (b[0] == RelayForw || b[0] == RelayRepl) {
		if len(b) < 34 {
			return false
		}
		if m.Relays == MaxRelays {
			m.tooDeep = true
			return false
		}
		if m.Relays == 0 {
			m.RelayType, m.Hops = b[0], b[1]
		}
		m.Relays++
		m.Link, m.Peer, m.Interface = packet.AddrFrom16(b[2:]), packet.AddrFrom16(b[18:]), nil
		inner := []byte(nil)
		rest := b[34:]
		for len(rest) > 0 {
			o, r, ok := next(rest)
			if !ok {
				m.malformed = true
				break
			}
			switch o.Code {
			case OptRelayMsg:
				inner = o.Value
			case OptInterfaceID:
				m.Interface = o.Value
			}
			rest = r
		}
		if inner == nil {
			m.Type = b[0]
			m.malformed = true
			return true
		}
		b = inner
	}
	if len(b) < 4 || b[0] == 0 || b[0] > maxType {
		return false
	}
	m.Type, m.ID = b[0], binary.BigEndian.Uint32(b)&0xffffff
	for rest := b[4:]; len(rest) > 0; {
		o, r, ok := next(rest)
		if !ok {
			m.malformed = true
			break
		}
		rest = r
		if len(m.Options) == MaxOptions {
			m.tooMany = true
			break
		}
		m.Options = append(m.Options, o)
	}
	return true
}

// Option returns the value of the first option with the code, nil when there
// is none.
func (m *Message) Option(code uint16) []byte {
	for i := range m.Options {
		if m.Options[i].Code == code {
			return m.Options[i].Value
		}
	}
	return nil
}

// ClientMAC returns the Ethernet address in the client's identifier, if it is
// made from one (types 1 and 3, RFC 8415 section 11).
func (m *Message) ClientMAC() (mac packet.MAC, ok bool) {
	d := m.Option(OptClientID)
	if len(d) < 4 || binary.BigEndian.Uint16(d[2:]) != 1 {
		return mac, false
	}
	switch kind := binary.BigEndian.Uint16(d); {
	case kind == 1 && len(d) == 14:
		return packet.MAC(d[8:]), true
	case kind == 3 && len(d) == 10:
		return packet.MAC(d[4:]), true
	}
	return mac, false
}

func option(code uint16) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		m, ok := tx.(*Message)
		if !ok || i != 0 {
			return nil, false
		}
		v := m.Option(code)
		return v, v != nil
	}
}

type parser struct{ m Message }

func (p *parser) Parse(c *proto.Conn, _ packet.Dir, data []byte) (int, error) {
	m := &p.m
	ok := m.Parse(data)
	switch {
	case m.tooDeep:
		c.Anomaly("too_many_relays")
	case !ok || m.malformed:
		c.Anomaly("malformed_data")
	case m.tooMany:
		c.Anomaly("too_many_options")
	}
	if ok {
		c.Emit(m, true)
	}
	return len(data), nil
}

func (p *parser) Gap(*proto.Conn, packet.Dir, int) error { return nil }
func (p *parser) End(*proto.Conn)                        {}

// probe: DHCPv6 has no magic. A known type, options that end with the
// datagram, and an identifier of a known kind are telling together; without
// the identifier the ports decide.
func probe(_ packet.Dir, b []byte) proto.Match {
	for range MaxRelays {
		if len(b) < 34 || b[0] != RelayForw && b[0] != RelayRepl {
			break
		}
		inner, ok := walk(b[34:], OptRelayMsg)
		if !ok || inner == nil {
			return proto.No
		}
		b = inner
	}
	if len(b) < 4 || b[0] == 0 || b[0] > maxType || b[0] == RelayForw || b[0] == RelayRepl {
		return proto.No
	}
	id, ok := walk(b[4:], OptClientID)
	if !ok {
		return proto.No
	}
	if id == nil {
		id, _ = walk(b[4:], OptServerID)
	}
	if len(id) >= 4 && len(id) <= 130 && id[0] == 0 && id[1] >= 1 && id[1] <= 4 && b[0] <= InformationRequest {
		return proto.Yes
	}
	if len(b) == 4 {
		return proto.No
	}
	return proto.Weak
}

// walk reads options to the end of b; it returns the value of the first with
// the code, and false when they do not end as b does.
func walk(b []byte, code uint16) (v []byte, ok bool) {
	for len(b) > 0 {
		o, rest, ok := next(b)
		if !ok || o.Code == 0 || o.Code > 255 { // the registry ends below 160
			return nil, false
		}
		if o.Code == code && v == nil {
			v = o.Value
		}
		b = rest
	}
	return v, true
}
