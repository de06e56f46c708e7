// Package snmp reads the Simple Network Management Protocol, versions 1 (RFC
// 1157), 2c (RFC 1901, 3416) and 3 (RFC 3412, 3414): with which community or
// user somebody asks a device, and for what.
package snmp

import (
	"strconv"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Protocol is SNMP.
var Protocol = proto.Protocol{
	Name:  "snmp",
	Event: "snmp",
	Doc:   "Simple Network Management Protocol v1, v2c, v3",
	On:    proto.UDP,
	Ports: []uint16{161, 162},
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		{Name: "snmp.version", Doc: "version 1, 2 or 3 of a message to the server, a decimal number", Dir: packet.ToServer, Get: of(packet.ToServer, version)},
		{Name: "snmp.version", Doc: "version of a message to the client", Dir: packet.ToClient, Get: of(packet.ToClient, version)},
		{Name: "snmp.community", Doc: "community of versions 1 and 2c, as sent to the server", Dir: packet.ToServer, Get: of(packet.ToServer, community)},
		{Name: "snmp.community", Doc: "community of versions 1 and 2c, as sent to the client", Dir: packet.ToClient, Get: of(packet.ToClient, community)},
		{Name: "snmp.usm", Doc: "user of version 3, as sent to the server", Dir: packet.ToServer, Get: of(packet.ToServer, usm)},
		{Name: "snmp.usm", Doc: "user of version 3, as sent to the client", Dir: packet.ToClient, Get: of(packet.ToClient, usm)},
		{Name: "snmp.pdu_type", Doc: "kind of message, 0 get request to 8 report, a decimal number", Dir: packet.ToServer, Get: of(packet.ToServer, pduType)},
		{Name: "snmp.pdu_type", Doc: "kind of message to the client", Dir: packet.ToClient, Get: of(packet.ToClient, pduType)},
	},
}

// MaxVars bounds the variables whose names are reported of one message.
const MaxVars = 32

// maxArcs bounds the numbers of an object identifier, RFC 2578 section 3.5.
const maxArcs = 128

// Message is one message. Its slices lie in the datagram.
type Message struct {
	Dir       packet.Dir // whereto it goes
	Version   int        // 1, 2 or 3
	Community []byte
	User      []byte // of version 3
	Engine    []byte // authoritative engine of version 3
	Flags     byte   // of version 3: 1 authenticated, 2 encrypted, 4 reportable
	Encrypted bool
	HasPDU    bool
	PDU       uint8 // 0 get, 1 get next, 2 response, 3 set, 4 trap of version 1, 5 get bulk, 6 inform, 7 trap, 8 report
	RequestID int64
	Error     int64 // error status of a response
	// Trap of version 1, RFC 1157 section 4.1.6.
	Enterprise, TrapAddr []byte
	TrapType             int64
	vars                 []byte // the list of variables
	text                 [1 + 20]byte
	oid                  []byte // scratch for events
}

// tlv takes the first element off b, BER with definite lengths (X.690 section
// 8.1) and tags of one octet.
func tlv(b []byte) (tag byte, v, rest []byte, ok bool) {
	if len(b) < 2 {
		return 0, nil, nil, false
	}
	tag, n, at := b[0], int(b[1]), 2
	if n >= 0x80 {
		size := n & 0x7f
		if size == 0 || size > 4 || len(b) < 2+size {
			return 0, nil, nil, false
		}
		var l uint64
		for _, c := range b[2 : 2+size] {
			l = l<<8 | uint64(c)
		}
		if l > uint64(len(b)) {
			return 0, nil, nil, false
		}
		n, at = int(l), 2+size
	}
	if n > len(b)-at {
		return 0, nil, nil, false
	}
	return tag, b[at : at+n], b[at+n:], true
}

const (
	tagInt = 0x02
	tagStr = 0x04
	tagOID = 0x06
	tagSeq = 0x30
	tagIP  = 0x40
)

// want takes the first element off b when it has the tag.
func want(b []byte, tag byte) (v, rest []byte, ok bool) {
	t, v, rest, ok := tlv(b)
	if !ok || t != tag {
		return nil, nil, false
	}
	return v, rest, true
}

func integer(b []byte) (n int64, rest []byte, ok bool) {
	v, rest, ok := want(b, tagInt)
	if !ok || len(v) == 0 || len(v) > 8 {
		return 0, nil, false
	}
	n = int64(int8(v[0]))
	for _, c := range v[1:] {
		n = n<<8 | int64(c)
	}
	return n, rest, true
}

// Parse reads the datagram b. It returns false when it is no SNMP message; what
// can be read before that is kept.
func (m *Message) Parse(b []byte) bool {
	*m = Message{oid: m.oid[:0]}
	b, _, ok := want(b, tagSeq)
	if !ok {
		return false
	}
	v, b, ok := integer(b)
	if !ok {
		return false
	}
	switch v {
	case 0, 1:
		m.Version = int(v) + 1
		if m.Community, b, ok = want(b, tagStr); !ok {
			return false
		}
		return m.pdu(b)
	case 3:
		m.Version = 3
		return m.v3(b)
	}
	return false
}

// v3 reads header, security parameters and scoped message, RFC 3412 section 6
// and RFC 3414 section 2.4.
func (m *Message) v3(b []byte) bool {
	h, b, ok := want(b, tagSeq)
	if !ok {
		return false
	}
	if _, h, ok = integer(h); !ok { // msgID
		return false
	}
	if _, h, ok = integer(h); !ok { // msgMaxSize
		return false
	}
	flags, h, ok := want(h, tagStr)
	if !ok || len(flags) != 1 {
		return false
	}
	m.Flags = flags[0]
	model, _, ok := integer(h)
	if !ok {
		return false
	}
	sec, b, ok := want(b, tagStr)
	if !ok {
		return false
	}
	if model == 3 {
		if !m.usm(sec) {
			return false
		}
	}
	tag, scoped, _, ok := tlv(b)
	switch {
	case ok && tag == tagStr:
		m.Encrypted = true
		return true
	case !ok || tag != tagSeq:
		return false
	}
	if _, scoped, ok = want(scoped, tagStr); !ok { // contextEngineID
		return false
	}
	if _, scoped, ok = want(scoped, tagStr); !ok { // contextName
		return false
	}
	return m.pdu(scoped)
}

func (m *Message) usm(b []byte) bool {
	b, _, ok := want(b, tagSeq)
	if !ok {
		return false
	}
	if m.Engine, b, ok = want(b, tagStr); !ok {
		return false
	}
	if _, b, ok = integer(b); !ok { // boots
		return false
	}
	if _, b, ok = integer(b); !ok { // time
		return false
	}
	m.User, _, ok = want(b, tagStr)
	return ok
}

// pdu reads the message proper.
func (m *Message) pdu(b []byte) bool {
	tag, b, _, ok := tlv(b)
	if !ok || tag < 0xa0 || tag > 0xa8 {
		return false
	}
	m.PDU, m.HasPDU = tag-0xa0, true
	if m.PDU == 4 {
		if m.Enterprise, b, ok = want(b, tagOID); !ok {
			return false
		}
		if m.TrapAddr, b, ok = want(b, tagIP); !ok {
			return false
		}
		if m.TrapType, b, ok = integer(b); !ok {
			return false
		}
		if _, b, ok = integer(b); !ok { // specific trap
			return false
		}
		if _, _, b, ok = tlv(b); !ok { // time stamp
			return false
		}
	} else {
		if m.RequestID, b, ok = integer(b); !ok {
			return false
		}
		if m.Error, b, ok = integer(b); !ok { // of get bulk: non-repeaters
			return false
		}
		if _, b, ok = integer(b); !ok { // error index
			return false
		}
	}
	m.vars, _, ok = want(b, tagSeq)
	return ok
}

// EventType returns "snmp".
func (m *Message) EventType() event.Type { return "snmp" }

// EncodeEVE appends "snmp":{…} in Suricata's shape: version, community or usm,
// pdu_type, error, trap members and the names of the variables.
func (m *Message) EncodeEVE(e *event.Encoder) {
	e.Obj("snmp")
	e.Uint("version", uint64(m.Version))
	switch {
	case m.Encrypted:
		e.Str("pdu_type", "encrypted")
	case m.HasPDU:
		e.Str("pdu_type", pduNames[m.PDU])
		if m.Error != 0 && m.PDU == 2 {
			m.encodeError(e)
		}
		if m.PDU == 4 {
			if t := m.TrapType; t >= 0 && t < int64(len(trapNames)) {
				e.Str("trap_type", trapNames[t])
			}
			m.encodeOID(e, "trap_oid", m.Enterprise)
			if len(m.TrapAddr) == 4 {
				e.Addr("trap_address", packet.AddrFrom4(m.TrapAddr))
			}
		}
		m.encodeVars(e)
	}
	if m.Version < 3 {
		e.Bytes("community", m.Community)
	} else {
		e.Bytes("usm", m.User)
	}
	e.EndObj()
}

// encodeError appends the error status of RFC 1157 as Suricata names it; those
// that version 2 added have numbers only there.
func (m *Message) encodeError(e *event.Encoder) {
	if m.Error > 0 && m.Error < int64(len(errorNames)) {
		e.Str("error", errorNames[m.Error])
		return
	}
	m.oid = strconv.AppendInt(append(m.oid[:0], "ErrorStatus("...), m.Error, 10)
	m.oid = append(m.oid, ')')
	e.Bytes("error", m.oid)
}

var errorNames = [...]string{"NoError", "TooBig", "NoSuchName", "BadValue", "ReadOnly", "GenErr"}

// trapNames are the generic traps of RFC 1157 section 4.1.6.
var trapNames = [...]string{
	"coldStart", "warmStart", "linkDown", "linkUp", "authenticationFailure", "egpNeighborLoss", "enterpriseSpecific",
}

func (m *Message) encodeVars(e *event.Encoder) {
	if len(m.vars) == 0 {
		return
	}
	e.Arr("vars")
	b := m.vars
	for range MaxVars {
		one, rest, ok := want(b, tagSeq)
		if !ok {
			break
		}
		if name, _, ok := want(one, tagOID); ok {
			m.encodeOID(e, "", name)
		}
		b = rest
	}
	e.EndArr()
}

// encodeOID appends an object identifier as dotted numbers, X.690 section 8.19.
func (m *Message) encodeOID(e *event.Encoder, key string, v []byte) {
	m.oid = m.oid[:0]
	var n uint64
	arcs := 0
	for _, c := range v {
		n = n<<7 | uint64(c&0x7f)
		if c&0x80 != 0 {
			continue
		}
		if arcs++; arcs > maxArcs {
			break
		}
		if len(m.oid) == 0 {
			top := min(n/40, 2)
			m.oid = strconv.AppendUint(m.oid, top, 10)
			n -= 40 * top
		}
		m.oid = strconv.AppendUint(append(m.oid, '.'), n, 10)
		n = 0
	}
	e.Bytes(key, m.oid)
}

var pduNames = [9]string{
	"get_request", "get_next_request", "response", "set_request", "trap_v1", "get_bulk_request", "inform_request", "trap_v2", "report",
}

// of makes the getter of a message that goes in direction d.
func of(d packet.Dir, get func(*Message) ([]byte, bool)) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		m, ok := tx.(*Message)
		if !ok || i != 0 || m.Dir != d {
			return nil, false
		}
		return get(m)
	}
}

func version(m *Message) ([]byte, bool) {
	m.text[0] = byte('0' + m.Version)
	return m.text[:1], true
}

func community(m *Message) ([]byte, bool) {
	return m.Community, m.Version <= 2
}

func usm(m *Message) ([]byte, bool) {
	return m.User, m.Version == 3
}

func pduType(m *Message) ([]byte, bool) {
	return strconv.AppendUint(m.text[1:1], uint64(m.PDU), 10), m.HasPDU
}

type parser struct{ m Message }

func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (int, error) {
	ok := p.m.Parse(data)
	p.m.Dir = d
	if !ok {
		c.Anomaly("malformed_data")
	}
	if ok || p.m.Version != 0 {
		c.Emit(&p.m, true)
	}
	return len(data), nil
}

func (p *parser) Gap(*proto.Conn, packet.Dir, int) error { return nil }
func (p *parser) End(*proto.Conn)                        {}
func (p *parser) Reset()                                 {}

// probe asks for the outer sequence to fill the datagram and for the whole
// structure within; a version with the right next element is weak.
func probe(_ packet.Dir, b []byte) proto.Match {
	if len(b) < 12 || b[0] != tagSeq {
		return proto.No
	}
	_, _, rest, ok := tlv(b)
	var m Message
	if m.Parse(b) && len(rest) == 0 {
		return proto.Yes
	}
	if ok && m.Version != 0 && (m.Community != nil || m.Version == 3) {
		return proto.Weak
	}
	return proto.No
}
