// Package stun reads STUN (RFC 8489, RFC 3489), by which programs find the way
// through a gateway, and TURN (RFC 8656), by which they are relayed.
package stun

import (
	"encoding/binary"
	"errors"
	"strconv"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Protocol is STUN. On UDP other protocols share its flows (RFC 7983): with the
// first DTLS record the flow becomes DTLS, anything else is passed over.
var Protocol = proto.Protocol{
	Name:  "stun",
	Event: "stun",
	Doc:   "Session Traversal Utilities for NAT and TURN, RFC 8489 and 8656",
	On:    proto.UDP | proto.TCP,
	Ports: []uint16{3478, 3479, 3480, 3481, 5349, 19302},
	Limit: headerLen + 65535 + 2,
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		{Name: "stun.software", Doc: "program as it names itself", Dir: packet.ToServer, Get: buffer(func(m *Message) []byte { return m.Software })},
		{Name: "stun.username", Doc: "user name", Dir: packet.ToServer, Get: buffer(func(m *Message) []byte { return m.Username })},
		{Name: "stun.realm", Doc: "realm of the relay", Dir: packet.ToServer, Get: buffer(func(m *Message) []byte { return m.Realm })},
	},
}

func buffer(get func(*Message) []byte) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		m, ok := tx.(*Message)
		if !ok || i != 0 {
			return nil, false
		}
		b := get(m)
		return b, b != nil
	}
}

// EventType returns "stun" for the first message of its class and method in a
// direction: the others of a flow, often thousands, are for detectors only.
func (m *Message) EventType() event.Type {
	if m.log {
		return "stun"
	}
	return ""
}

// EncodeEVE appends "stun":{…}.
func (m *Message) EncodeEVE(e *event.Encoder) {
	e.Obj("stun")
	if m.IsData {
		e.Str("class", "channel_data")
		e.Uint("channel", uint64(m.Channel))
		e.Uint("length", uint64(m.Data))
		e.EndObj()
		return
	}
	e.Str("class", [4]string{"request", "indication", "success", "error"}[m.Class])
	if n := m.methodName(); n != "" {
		e.Str("method", n)
	} else {
		var b [5]byte
		e.Bytes("method", strconv.AppendUint(b[:0], uint64(m.Method), 10))
	}
	if m.Classic {
		e.Bool("classic", true)
	}
	if m.ICE {
		e.Bool("ice", true)
	}
	e.OptBytes("software", m.Software)
	e.OptBytes("username", m.Username)
	e.OptBytes("realm", m.Realm)
	if m.ErrorCode != 0 {
		e.Uint("error_code", uint64(m.ErrorCode))
		e.OptBytes("error_reason", m.ErrorReason)
	}
	if m.HasLifetime {
		e.Uint("lifetime", uint64(m.Lifetime))
	}
	if m.Channel != 0 {
		e.Uint("channel", uint64(m.Channel))
	}
	encode(e, "mapped", m.Mapped)
	encode(e, "relayed", m.Relayed)
	encode(e, "peer", m.Peer)
	e.EndObj()
}

func encode(e *event.Encoder, key string, p Endpoint) {
	if p.OK {
		e.Obj(key)
		e.Addr("addr", p.Addr)
		e.Uint("port", uint64(p.Port))
		e.EndObj()
	}
}

// maxKinds bounds the kinds of message (class and method, channel data) that
// are logged of one direction.
const maxKinds = 16

type parser struct {
	m     Message
	kinds [2][maxKinds]uint16
	n     [2]uint8
	frame [2]framing
}

// framing is how messages stand in a stream.
type framing uint8

const (
	unknown framing = iota
	plain           // one behind the other, ChannelData padded (RFC 8656 section 12.5)
	framed          // two octets of length before each (RFC 4571, as ICE over TCP does)
)

var errStream = errors.New("stun: stream without message")

func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (n int, err error) {
	if c.Transport != proto.TCP {
		if !p.datagram(c, d, data) && isDTLS(data) {
			// A call's keys are agreed on beside its STUN (RFC 5764): from here
			// on the flow is worth more as DTLS.
			c.Switch("dtls")
			return 0, nil
		}
		return len(data), nil
	}
	for {
		b := data[n:]
		if p.frame[d] == unknown {
			if len(b) < 2+8 {
				return n, nil
			}
			p.frame[d] = plain
			if isFramed(b) {
				p.frame[d] = framed
			}
		}
		size := 0
		switch {
		case len(b) < 4:
			return n, nil
		case p.frame[d] == framed:
			if size = 2 + int(binary.BigEndian.Uint16(b)); size > len(b) {
				return n, nil
			}
			p.datagram(c, d, b[2:size])
		case b[0]&0xc0 == 0:
			if size = headerLen + int(binary.BigEndian.Uint16(b[2:])); size > len(b) {
				return n, nil
			}
			if !p.datagram(c, d, b[:size]) {
				c.Anomaly("malformed_data")
				return n, errStream
			}
		default:
			var ok bool
			if size, ok = p.m.channelData(b); !ok {
				c.Anomaly("malformed_data")
				return n, errStream
			}
			if size = (size + 3) &^ 3; size > len(b) {
				return n, nil
			}
			p.emit(c, d)
		}
		n += size
	}
}

// isDTLS reports whether b begins with a DTLS record, RFC 6347 section 4.1.
func isDTLS(b []byte) bool {
	return len(b) >= 13 && b[0] >= 20 && b[0] <= 25 && b[1] == 0xfe && (b[2] == 0xff || b[2] == 0xfd) &&
		13+int(binary.BigEndian.Uint16(b[11:])) <= len(b)
}

// isFramed reports whether b begins with a message behind its length.
func isFramed(b []byte) bool {
	be := binary.BigEndian
	return len(b) >= 10 && be.Uint32(b[6:]) == cookie && int(be.Uint16(b)) == headerLen+int(be.Uint16(b[4:])) && b[2]&0xc0 == 0
}

// datagram takes one datagram or one framed message; false means that it was
// something else.
func (p *parser) datagram(c *proto.Conn, d packet.Dir, b []byte) bool {
	if _, ok := p.m.Parse(b); ok {
		if p.m.malformed {
			c.Anomaly("malformed_data")
		}
		if p.m.tooMany {
			c.Anomaly("too_many_attributes")
		}
		p.emit(c, d)
		return true
	}
	if size, ok := p.m.channelData(b); ok && size <= len(b) && len(b) <= (size+3)&^3 {
		p.emit(c, d)
		return true
	}
	return false
}

// emit hands on p.m, to be logged when it is the first of its kind.
func (p *parser) emit(c *proto.Conn, d packet.Dir) {
	kind := p.m.Method<<2 | uint16(p.m.Class)
	if p.m.IsData {
		kind = 0xffff
	}
	p.m.log = int(p.n[d]) < maxKinds
	for _, k := range p.kinds[d][:p.n[d]] {
		if k == kind {
			p.m.log = false
		}
	}
	if p.m.log {
		p.kinds[d][p.n[d]] = kind
		p.n[d]++
	}
	c.Emit(&p.m, true)
}

// Gap ends the parsing: nothing marks where the next message begins.
func (p *parser) Gap(*proto.Conn, packet.Dir, int) error { return errStream }

func (p *parser) End(*proto.Conn) {}

func (p *parser) Reset() { *p = parser{} }

// probe: the magic cookie at its place is telling. Messages of RFC 3489 have
// none; their few types, an exact length and attributes that fill it are weak,
// as is a ChannelData frame of media that fills its datagram.
func probe(_ packet.Dir, b []byte) proto.Match {
	if len(b) > 0 && b[0] >= 0x40 {
		var m Message
		// GTP has the same first four octets: what is relayed must be RTP or
		// DTLS as well.
		if size, ok := m.channelData(b); ok && (size == len(b) || (size+3)&^3 == len(b)) && m.Data > 0 && (b[4]&0xc0 == 0x80 || isDTLS(b[4:])) {
			return proto.Weak
		}
		return proto.No
	}
	if len(b) < headerLen {
		return probeShort(b)
	}
	if isFramed(b) {
		return proto.Yes
	}
	var m Message
	size, ok := m.head(b)
	switch {
	case !ok:
		return proto.No
	case !m.Classic && size <= 4096+headerLen:
		return proto.Yes
	case m.Classic && size == len(b) && classic(binary.BigEndian.Uint16(b)) && attributes(b[headerLen:]):
		return proto.Weak
	}
	return proto.No
}

// probeShort judges fewer octets than a header has.
func probeShort(b []byte) proto.Match {
	ok := true
	for i, c := range b {
		switch {
		case i == 0:
			ok = c <= 1 // every method in use
		case i >= 4 && i < 8:
			ok = ok && c == byte(uint32(cookie)>>(8*(7-i)))
		case i == 3:
			ok = ok && c&3 == 0
		}
	}
	if ok {
		return proto.More
	}
	// Behind two octets of length?
	for i, c := range b {
		if i >= 6 && i < 10 && c != byte(uint32(cookie)>>(8*(9-i))) || i == 2 && c >= 0x40 || i == 5 && c&3 != 0 {
			return proto.No
		}
	}
	if len(b) > 0 && b[0] > 1 { // nobody opens with a frame above half a kilobyte
		return proto.No
	}
	return proto.More
}

// classic reports whether t is a type of RFC 3489 section 11.1.
func classic(t uint16) bool {
	switch t {
	case 0x0001, 0x0101, 0x0111, 0x0002, 0x0102, 0x0112:
		return true
	}
	return false
}

func attributes(a []byte) bool {
	for range MaxAttributes {
		if len(a) == 0 {
			return true
		}
		_, _, rest, ok := attribute(a)
		if !ok {
			return false
		}
		a = rest
	}
	return false
}
