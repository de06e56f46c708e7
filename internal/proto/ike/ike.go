// Package ike reads the Internet Key Exchange, version 1 (RFC 2408, 2409) and 2
// (RFC 7296): who sets up an IPsec tunnel, with what software and which
// algorithms.
package ike

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"unsafe"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Limits of what is kept of one message.
const (
	maxPayloads   = 32
	maxVendors    = 16
	maxTransforms = 32
	maxAttributes = 24 // of a transform, or algorithms of a proposal of version 2
	maxNotify     = 16
)

const headerLen = 28

// Flags of the header.
const (
	flagEncrypted = 0x01 // version 1, RFC 2408 section 3.1
	flagInitiator = 0x08 // version 2, RFC 7296 section 3.1
)

// Protocol is IKE.
var Protocol = proto.Protocol{
	Name:  "ike",
	Event: "ike",
	Doc:   "Internet Key Exchange of IPsec, versions 1 and 2",
	On:    proto.UDP,
	Ports: []uint16{500, 4500},
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		{Name: "ike.init_spi", Doc: "initiator's SPI, hexadecimal", Dir: packet.ToServer, Get: text(packet.ToServer, func(m *Message) []byte { return m.hex(m.InitSPI[:]) })},
		{Name: "ike.resp_spi", Doc: "responder's SPI, hexadecimal", Dir: packet.ToClient, Get: text(packet.ToClient, func(m *Message) []byte { return m.hex(m.RespSPI[:]) })},
		{Name: "ike.exchtype", Doc: "kind of exchange, a decimal number", Dir: packet.ToServer, Get: text(packet.ToServer, func(m *Message) []byte { return m.number(int(m.Exchange)) })},
		{Name: "ike.exchtype", Doc: "kind of exchange, a decimal number", Dir: packet.ToClient, Get: text(packet.ToClient, func(m *Message) []byte { return m.number(int(m.Exchange)) })},
		{Name: "ike.vendor", Doc: "each vendor ID of the client, hexadecimal", Dir: packet.ToServer, Get: vendor},
		{Name: "ike.key_exchange_payload", Doc: "public value of the client", Dir: packet.ToServer, Get: text(packet.ToServer, func(m *Message) []byte { return m.Key })},
		{Name: "ike.key_exchange_payload", Doc: "public value of the server", Dir: packet.ToClient, Get: text(packet.ToClient, func(m *Message) []byte { return m.Key })},
		{Name: "ike.key_exchange_payload_length", Doc: "its length, a decimal number", Dir: packet.ToServer, Get: text(packet.ToServer, func(m *Message) []byte { return m.length(m.Key) })},
		{Name: "ike.key_exchange_payload_length", Doc: "its length, a decimal number", Dir: packet.ToClient, Get: text(packet.ToClient, func(m *Message) []byte { return m.length(m.Key) })},
		{Name: "ike.nonce_payload", Doc: "nonce of the client", Dir: packet.ToServer, Get: text(packet.ToServer, func(m *Message) []byte { return m.Nonce })},
		{Name: "ike.nonce_payload", Doc: "nonce of the server", Dir: packet.ToClient, Get: text(packet.ToClient, func(m *Message) []byte { return m.Nonce })},
		{Name: "ike.nonce_payload_length", Doc: "its length, a decimal number", Dir: packet.ToServer, Get: text(packet.ToServer, func(m *Message) []byte { return m.length(m.Nonce) })},
		{Name: "ike.nonce_payload_length", Doc: "its length, a decimal number", Dir: packet.ToClient, Get: text(packet.ToClient, func(m *Message) []byte { return m.length(m.Nonce) })},
		{Name: "ike.chosen_sa_attribute", Doc: "each attribute of what the server of version 1 chose, such as alg_enc=7", Dir: packet.ToClient, Get: chosen},
	},
}

// Attribute is one property of a transform: in version 1 its class (RFC 2409
// appendix A), in version 2 the transform's type (RFC 7296 section 3.3.2).
type Attribute struct {
	Type  uint16
	Value uint32
}

// Transform is one set of algorithms proposed or chosen. In version 2, where
// each transform is one algorithm, a proposal's are together in one.
type Transform struct {
	List [maxAttributes]Attribute
	N    int
}

func (t *Transform) add(typ uint16, v uint32) {
	if t.N < maxAttributes {
		t.List[t.N] = Attribute{typ, v}
		t.N++
	}
}

// Get returns the first value of a type.
func (t *Transform) Get(typ uint16) (uint32, bool) {
	for _, a := range t.List[:t.N] {
		if a.Type == typ {
			return a.Value, true
		}
	}
	return 0, false
}

// Message is one message. Its slices lie in the datagram.
type Message struct {
	Dir              packet.Dir
	Major, Minor     uint8
	InitSPI, RespSPI [8]byte
	Exchange         uint8 // version 1: 2 main mode, 4 aggressive, 32 quick; version 2: 34 IKE_SA_INIT, 35 IKE_AUTH
	Flags            uint8
	ID               uint32
	Encrypted        bool
	Payloads         [maxPayloads]uint8 // types in order
	NPayloads        int
	DOI              uint32
	Key, Nonce       []byte
	Vendors          [maxVendors][]byte
	NVendors         int
	Notify           [maxNotify]uint16
	NNotify          int
	Transforms       []Transform // of which NTransforms count
	NTransforms      int
	Chosen           Transform // of version 1: what the server chose so far in this flow; of version 2: in this message

	buf [128]byte // scratch of buffers and events
}

// EventType returns "ike".
func (m *Message) EventType() event.Type { return "ike" }

func text(d packet.Dir, f func(*Message) []byte) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		m, ok := tx.(*Message)
		if !ok || i != 0 || m.Dir != d {
			return nil, false
		}
		b := f(m)
		return b, len(b) > 0
	}
}

func (m *Message) hex(b []byte) []byte {
	return hex.AppendEncode(m.buf[:0], b[:min(len(b), len(m.buf)/2)])
}
func (m *Message) number(n int) []byte { return strconv.AppendUint(m.buf[:0], uint64(n), 10) }

func (m *Message) length(b []byte) []byte {
	if b == nil {
		return nil
	}
	return m.number(len(b))
}

func vendor(tx proto.Tx, i int) ([]byte, bool) {
	m, ok := tx.(*Message)
	if !ok || m.Dir != packet.ToServer || i >= m.NVendors {
		return nil, false
	}
	return m.hex(m.Vendors[i]), true
}

// chosen gives the attributes of the answer that chose them, not of those after.
func chosen(tx proto.Tx, i int) ([]byte, bool) {
	m, ok := tx.(*Message)
	if !ok || m.Major != 1 || m.Dir != packet.ToClient || m.NTransforms == 0 || i >= m.Chosen.N {
		return nil, false
	}
	a := m.Chosen.List[i]
	b := append(m.buf[:0], attributeName(a.Type)...)
	return strconv.AppendUint(append(b, '='), uint64(a.Value), 10), true
}

// transform returns the next transform, empty, or nil when there are too many.
func (m *Message) transform() *Transform {
	if m.NTransforms == maxTransforms {
		return nil
	}
	if m.NTransforms == len(m.Transforms) {
		m.Transforms = append(m.Transforms, Transform{})
	}
	t := &m.Transforms[m.NTransforms]
	m.NTransforms++
	t.N = 0
	return t
}

type parser struct{ m Message }

// Size implements proto.Sizer.
func (p *parser) Size() int { return 2 * cap(p.m.Transforms) * int(unsafe.Sizeof(Transform{})) }

func (p *parser) Gap(*proto.Conn, packet.Dir, int) error { return nil }
func (p *parser) End(*proto.Conn)                        {}
func (p *parser) Reset()                                 { p.m.Chosen = Transform{} }

func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (int, error) {
	b := unmark(data)
	if len(b) < headerLen {
		return len(data), nil // a keep-alive, or ESP in UDP (RFC 3948)
	}
	m := &p.m
	if !m.header(b) {
		if len(b) == len(data) && c.ServerPort != 4500 {
			c.Anomaly("malformed_data")
		}
		return len(data), nil
	}
	m.Dir = d
	if m.Major == 2 && m.Encrypted {
		m.Chosen = Transform{}
		c.Emit(m, true) // its header is all there is to see
		return len(data), nil
	}
	if !m.Encrypted && !m.payloads(b[16], b[headerLen:min(uint32(len(b)), binary.BigEndian.Uint32(b[24:]))]) {
		c.Anomaly("malformed_data")
	}
	if d == packet.ToClient && m.NTransforms > 0 && !m.Encrypted {
		m.Chosen = m.Transforms[0]
	} else if m.Major == 2 {
		m.Chosen = Transform{}
	}
	if m.Major == 2 && m.NTransforms > 0 {
		m.weak(c)
	}
	c.Emit(m, true)
	return len(data), nil
}

// unmark takes off the four zero octets before IKE on port 4500, RFC 3948
// section 2.2.
func unmark(b []byte) []byte {
	if len(b) >= 4+headerLen && binary.BigEndian.Uint32(b) == 0 {
		return b[4:]
	}
	return b
}

// probe asks for a header whose parts fit and whose length is the datagram's.
func probe(_ packet.Dir, b []byte) proto.Match {
	b = unmark(b)
	var m Message
	if len(b) < headerLen || !m.header(b) || binary.BigEndian.Uint64(b) == 0 {
		return proto.No
	}
	if binary.BigEndian.Uint32(b[24:]) == uint32(len(b)) {
		return proto.Yes
	}
	return proto.No
}
