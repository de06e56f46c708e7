// Package krb5 reads Kerberos version 5 (RFC 4120) between clients and the key
// distribution centre of a domain: who asks for a ticket to which service, with
// which encryption, and what went wrong.
package krb5

import (
	"strconv"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Limits.
const (
	// maxMessage is how much of a message over TCP is kept: tickets of Windows
	// domains with many groups reach 48 kB, and the names stand before them
	// except in answers, whose ticket is passed over by its length.
	maxMessage = 64 << 10
	// maxParts bounds the parts of a principal's name. Services have two or
	// three (RFC 4120 section 6.2.1, host/a.example/REALM).
	maxParts = 8
)

// Message types, RFC 4120 section 7.5.7.
const (
	ASReq  = 10
	ASRep  = 11
	TGSReq = 12
	TGSRep = 13
	APReq  = 14
	APRep  = 15
	Error  = 30
)

// Protocol describes Kerberos.
var Protocol = proto.Protocol{
	Name:  "krb5",
	Event: "krb5",
	Doc:   "Kerberos version 5: tickets of a Windows or Unix domain",
	On:    proto.TCP | proto.UDP,
	Ports: []uint16{88},
	Limit: 4 + maxMessage,
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		{Name: "krb5.msg_type", Doc: "kind of message, 10 AS-REQ to 30 error, a decimal number", Dir: packet.ToServer, Get: number(toServer, func(m *Message) int32 { return int32(m.Type) })},
		{Name: "krb5.msg_type", Doc: "kind of message, 10 AS-REQ to 30 error, a decimal number", Dir: packet.ToClient, Get: number(toClient, func(m *Message) int32 { return int32(m.Type) })},
		{Name: "krb5.err_code", Doc: "error code of RFC 4120 section 7.5.9, a decimal number", Dir: packet.ToClient, Get: number(isError, func(m *Message) int32 { return m.ErrorCode })},
		{Name: "krb5.ticket_encryption", Doc: "encryption type of the ticket, a decimal number", Dir: packet.ToClient, Get: number(hasTicket, func(m *Message) int32 { return m.TicketEnc })},
		{Name: "krb5.cname", Doc: "parts of the client's name, of answers", Dir: packet.ToClient, Get: parts(toClient, func(m *Message) *Name { return &m.Client })},
		{Name: "krb5.sname", Doc: "parts of the service's name, of answers", Dir: packet.ToClient, Get: parts(toClient, func(m *Message) *Name { return &m.Service })},
	},
}

func toServer(m *Message) bool  { return m.Dir == packet.ToServer }
func toClient(m *Message) bool  { return m.Dir == packet.ToClient }
func isError(m *Message) bool   { return m.Type == Error }
func hasTicket(m *Message) bool { return m.HasTicket }

func number(when func(*Message) bool, get func(*Message) int32) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		m, ok := tx.(*Message)
		if !ok || i != 0 || !when(m) {
			return nil, false
		}
		return strconv.AppendInt(m.text[:0], int64(get(m)), 10), true
	}
}

func parts(when func(*Message) bool, get func(*Message) *Name) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		m, ok := tx.(*Message)
		if !ok || !when(m) {
			return nil, false
		}
		n := get(m)
		if i >= n.N {
			return nil, false
		}
		return n.Parts[i], true
	}
}

// Name is a principal's name, its parts as sent.
type Name struct {
	Parts [maxParts][]byte
	N     int
}

// Message is one message. Its slices lie in the bytes parsed.
type Message struct {
	Dir       packet.Dir
	Type      uint8
	Request   uint8 // of an error: the type of the request before it, 0 when not seen
	Client    Name
	Service   Name
	Realm     []byte
	ErrorCode int32
	Enc       int32 // of the answer's encrypted part
	HasEnc    bool
	TicketEnc int32
	HasTicket bool
	text      [12]byte
}

// EventType returns "krb5".
func (m *Message) EventType() event.Type { return "krb5" }

type parser struct {
	m       Message
	request uint8 // type of the client's last request
	skip    [2]int
}

func (p *parser) Reset() { *p = parser{} }

// Parse reads a datagram, or of a stream the messages with their length of
// four bytes before them (RFC 4120 section 7.2.2).
func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (n int, err error) {
	if c.Transport == proto.UDP {
		p.message(c, d, data)
		return len(data), nil
	}
	for {
		b := data[n:]
		if p.skip[d] > 0 {
			used := min(p.skip[d], len(b))
			p.skip[d] -= used
			n, b = n+used, b[used:]
		}
		if len(b) < 4 {
			return n, nil
		}
		size := record(b)
		if size < 0 {
			return n, errFraming
		}
		if size > maxMessage {
			c.Anomaly("message_too_long")
			p.skip[d] = 4 + size
			continue
		}
		if len(b) < 4+size {
			return n, nil
		}
		p.message(c, d, b[4:4+size])
		n += 4 + size
	}
}

// Gap is the end: where the next message begins cannot be known.
func (p *parser) Gap(_ *proto.Conn, d packet.Dir, n int) error {
	if p.skip[d] >= n {
		p.skip[d] -= n
		return nil
	}
	return errFraming
}

// End has nothing to do: every message is complete in itself.
func (p *parser) End(*proto.Conn) {}

func (p *parser) message(c *proto.Conn, d packet.Dir, b []byte) {
	m := &p.m
	*m = Message{Dir: d}
	if !m.read(b) {
		c.Anomaly("malformed_data")
		return
	}
	switch m.Type {
	case ASReq, TGSReq, APReq:
		p.request = m.Type
	case Error:
		m.Request = p.request
		p.request = 0
	default:
		p.request = 0
	}
	if m.Type == APReq || m.Type == APRep {
		return // carries a ticket for somebody else, nothing to read
	}
	if m.HasEnc && weak(m.Enc) {
		c.Anomaly("weak_encryption")
	}
	c.Emit(m, true)
}
