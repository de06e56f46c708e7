// Package dns reads the Domain Name System (RFC 1035) over UDP and TCP: every
// message becomes one transaction with its questions, answers, authorities and
// additional records. Its walker of names and records also serves mDNS, LLMNR
// and the NetBIOS name service.
package dns

import (
	"encoding/binary"
	"errors"
	"sync"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Protocol is DNS.
var Protocol = proto.Protocol{
	Name:    "dns",
	Event:   "dns",
	Doc:     "Domain Name System queries and answers, RFC 1035, over UDP and TCP",
	On:      proto.UDP | proto.TCP,
	Ports:   []uint16{53},
	Limit:   MaxMessage + 2,
	Probe:   probe,
	New:     func() proto.Parser { return NewParser(emit) },
	Buffers: buffers,
}

// pool holds Messages between calls of Parse. A home has thousands of DNS
// flows open for half a minute after their only exchange; without it each would
// keep the tables of its largest message.
var pool = sync.Pool{New: func() any { return new(Message) }}

// Borrow returns a Message to parse into; Return gives it back.
func Borrow() *Message { return pool.Get().(*Message) }

// Return gives back a Message from Borrow. Nothing it returned may be used
// any more.
func Return(m *Message) {
	m.msg = nil
	pool.Put(m)
}

// NewParser returns a parser of messages in datagrams or, behind two octets of
// length, in a stream. Each goes to emit, to be handed on in the call.
func NewParser(emit func(c *proto.Conn, m *Message)) proto.Parser { return &parser{emit: emit} }

func emit(c *proto.Conn, m *Message) { c.Emit(m, true) }

type parser struct {
	emit func(*proto.Conn, *Message)
	txs  uint64
	lost [2]bool // framing lost by a gap
}

var errFraming = errors.New("dns: length prefix below a header's size")

func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (n int, err error) {
	if c.Transport != proto.TCP {
		p.message(c, data)
		return len(data), nil
	}
	if p.lost[d] {
		// Senders begin a message with a segment: take up the stream where a
		// whole message stands at the start of what arrives.
		switch probeStream(data) {
		case proto.Yes:
			p.lost[d] = false
		case proto.More:
			return 0, nil
		default:
			return len(data), nil
		}
	}
	for len(data)-n >= 2 {
		size := int(binary.BigEndian.Uint16(data[n:]))
		if size < HeaderLen {
			c.Anomaly("malformed_data")
			return n, errFraming
		}
		if len(data)-n-2 < size {
			break
		}
		p.message(c, data[n+2:n+2+size])
		n += 2 + size
	}
	return n, nil
}

func (p *parser) message(c *proto.Conn, b []byte) {
	m := Borrow()
	defer Return(m)
	if !m.Parse(b) {
		c.Anomaly("malformed_data")
		return
	}
	m.TxID = p.txs
	p.txs++
	m.Report(c)
	p.emit(c, m)
}

// Report tells the connection what is wrong with m.
func (m *Message) Report(c *proto.Conn) {
	m.Decode()
	for _, f := range anomalies {
		if m.Flaws&f.flaw != 0 {
			c.Anomaly(f.name)
		}
	}
}

// anomalies names flaws; the first three are Suricata's names.
var anomalies = [...]struct {
	flaw Flaw
	name string
}{
	{Malformed, "malformed_data"},
	{ReservedFlag, "z_flag_set"},
	{ReservedOpcode, "invalid_opcode"},
	{NameTooLong, "name_too_long"},
	{ForwardPointer, "forward_pointer"},
	{PointerLoop, "pointer_loop"},
	{TooManyRecords, "too_many_records"},
	{TrailingBytes, "trailing_bytes"},
}

func (p *parser) Gap(_ *proto.Conn, d packet.Dir, _ int) error {
	p.lost[d] = true
	return nil
}

func (p *parser) End(*proto.Conn) {}

func (p *parser) Reset() { *p = parser{emit: p.emit} }
