// Package nbns reads NetBIOS over UDP (RFC 1001, 1002): the name service of
// port 137, by which old Windows and Samba find each other, and the datagram
// service of port 138, in which they announce themselves.
package nbns

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/dns"
)

// Protocol is the NetBIOS name service.
var Protocol = proto.Protocol{
	Name:  "nbns",
	Event: "nbns",
	Doc:   "NetBIOS name service, RFC 1002 section 4.2",
	On:    proto.UDP,
	Ports: []uint16{137},
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		{Name: "nbns.name", Doc: "name asked for, registered or answered, without padding and suffix", Dir: packet.ToServer, Get: nameBuffer},
	},
}

// MaxNames bounds the entries of a node status that are reported. A status
// counts them in one octet; real machines have below twenty.
const MaxNames = 32

// Opcodes, RFC 1002 section 4.2.1.1; nine and fifteen are Microsoft's.
const (
	OpQuery        = 0
	OpRegistration = 5
	OpRelease      = 6
	OpWACK         = 7
	OpRefresh      = 8
	OpRefreshAlt   = 9
	OpMultihomed   = 15
)

func opName(op uint8) string {
	switch op {
	case OpQuery:
		return "query"
	case OpRegistration:
		return "registration"
	case OpRelease:
		return "release"
	case OpWACK:
		return "wait"
	case OpRefresh, OpRefreshAlt:
		return "refresh"
	case OpMultihomed:
		return "multihomed_registration"
	}
	return ""
}

// Name is a decoded NetBIOS name.
type Name struct {
	text   [15]byte
	n      uint8
	Suffix byte // kind of service: 0x00 workstation, 0x20 file server, 0x1d master browser…
}

// Bytes returns the name without padding.
func (n *Name) Bytes() []byte { return n.text[:n.n] }

// set takes the fifteen octets and the suffix in b, as a node status and the
// decoded form have them.
func (n *Name) set(b []byte) {
	copy(n.text[:], b[:15])
	n.Suffix = b[15]
	for n.n = 15; n.n > 0 && (n.text[n.n-1] == ' ' || n.text[n.n-1] == 0); n.n-- {
	}
}

// decode reads the first-level encoding (RFC 1001 section 14.1) at the start
// of b: a length of 32 and two letters of A…P for each octet.
func (n *Name) decode(b []byte) bool {
	if len(b) < 33 || b[0] != 32 {
		return false
	}
	var raw [16]byte
	for i := range raw {
		h, l := b[1+2*i]-'A', b[2+2*i]-'A'
		if h > 15 || l > 15 {
			return false
		}
		raw[i] = h<<4 | l
	}
	n.set(raw[:])
	return true
}

func (n *Name) encode(e *event.Encoder, m *dns.Message) {
	m.Text(e, "name", n.Bytes())
	e.Hex("suffix", []byte{n.Suffix})
}

// Message is one message of the name service.
type Message struct {
	*dns.Message
	Name  Name // of the question, else of the first record
	Type  dns.Type
	entry Name // of a node status, while it is encoded
}

// EventType returns "nbns".
func (m *Message) EventType() event.Type { return "nbns" }

// Broadcast reports whether the message was sent to all (the B flag).
func (m *Message) Broadcast() bool { return m.Flags&0x0010 != 0 }

// record returns the first record that is not a question, or nil.
func (m *Message) record() *dns.Record {
	for s := dns.Answers; s <= dns.Additionals; s++ {
		if m.Len(s) > 0 {
			return m.Record(s, 0)
		}
	}
	return nil
}

// Status returns the data of a node status response (RFC 1002 section
// 4.2.18): n entries of 18 octets, then the adapter's address.
func (m *Message) Status() (entries []byte, mac packet.MAC, ok bool) {
	r := m.record()
	if r == nil || r.Type != dns.TypeSRV || !m.Response() {
		return nil, mac, false
	}
	b := m.RData(r)
	if len(b) < 1 || len(b) < 1+18*int(b[0]) {
		return nil, mac, false
	}
	n := 18 * int(b[0])
	copy(mac[:], b[1+n:])
	return b[1 : 1+n], mac, true
}

// EncodeEVE appends "nbns":{…}.
func (m *Message) EncodeEVE(e *event.Encoder) {
	e.Obj("nbns")
	if m.Response() {
		e.Str("type", "response")
	} else {
		e.Str("type", "request")
	}
	e.Uint("id", uint64(m.ID))
	e.OptStr("opcode", opName(m.Opcode()))
	if m.Broadcast() {
		e.Bool("broadcast", true)
	}
	m.Name.encode(e, m.Message)
	switch m.Type {
	case dns.TypeNB:
		e.Str("rrtype", "NB")
	case dns.TypeSRV:
		e.Str("rrtype", "NBSTAT")
	default:
		m.EncodeType(e, "rrtype", m.Type)
	}
	if m.Response() {
		e.Uint("rcode", uint64(m.Flags&15))
	}
	m.encodeAddresses(e)
	m.encodeStatus(e)
	e.EndObj()
}

// encodeAddresses appends the addresses of an NB record, RFC 1002 section 4.2.1.3.
func (m *Message) encodeAddresses(e *event.Encoder) {
	r := m.record()
	if r == nil || r.Type != dns.TypeNB || len(m.RData(r)) < 6 {
		return
	}
	e.Uint("ttl", uint64(r.TTL))
	e.Arr("addresses")
	for b := m.RData(r); len(b) >= 6; b = b[6:] {
		e.Obj("")
		e.Addr("addr", packet.AddrFrom4(b[2:]))
		e.Bool("group", b[0]&0x80 != 0)
		e.EndObj()
	}
	e.EndArr()
}

func (m *Message) encodeStatus(e *event.Encoder) {
	b, mac, ok := m.Status()
	if !ok {
		return
	}
	e.Arr("names")
	for i := 0; len(b) >= 18 && i < MaxNames; i++ {
		n := &m.entry
		n.set(b)
		e.Obj("")
		n.encode(e, m.Message)
		e.Bool("group", b[16]&0x80 != 0)
		e.EndObj()
		b = b[18:]
	}
	e.EndArr()
	var text [17]byte
	e.Bytes("mac", appendMAC(text[:0], mac))
}

func appendMAC(dst []byte, mac packet.MAC) []byte {
	const digits = "0123456789abcdef"
	for i, c := range mac {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = append(dst, digits[c>>4], digits[c&15])
	}
	return dst
}

func nameBuffer(tx proto.Tx, i int) ([]byte, bool) {
	m, ok := tx.(*Message)
	if !ok || i != 0 {
		return nil, false
	}
	return m.Name.Bytes(), true
}

type parser struct{ msg *Message }

func (p *parser) Parse(c *proto.Conn, _ packet.Dir, data []byte) (int, error) {
	m := dns.Borrow()
	defer dns.Return(m)
	if p.msg == nil {
		p.msg = new(Message)
	}
	p.msg.Message, p.msg.Name, p.msg.Type = m, Name{}, 0
	if !m.Parse(data) {
		c.Anomaly("malformed_data")
		return len(data), nil
	}
	r := p.msg.record()
	if m.Len(dns.Questions) > 0 {
		r = m.Record(dns.Questions, 0)
	}
	if r == nil || !p.msg.Name.decode(data[dns.HeaderLen:]) || m.Flaws&dns.Malformed != 0 {
		c.Anomaly("malformed_data")
	}
	if r != nil {
		p.msg.Type = r.Type
		c.Emit(p.msg, true)
	}
	p.msg.Message = nil
	return len(data), nil
}

func (p *parser) Gap(*proto.Conn, packet.Dir, int) error { return nil }
func (p *parser) End(*proto.Conn)                        {}
func (p *parser) Reset()                                 {}

// probe asks for a name in half-ASCII; the rest of the message must be
// readable too, or port 137 decides.
func probe(_ packet.Dir, b []byte) proto.Match {
	s, ok := dns.Look(b)
	if !ok || !s.NetBIOS || opName(s.Opcode()) == "" {
		return proto.No
	}
	if s.Exact && !s.OddClass {
		return proto.Yes
	}
	return proto.Weak
}
