// Package llmnr reads link-local multicast name resolution (RFC 4795), by which
// Windows machines ask their neighbours for names.
package llmnr

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/dns"
)

// Protocol is LLMNR.
var Protocol = proto.Protocol{
	Name:  "llmnr",
	Event: "llmnr",
	Doc:   "link-local multicast name resolution, RFC 4795, over UDP and TCP",
	On:    proto.UDP | proto.TCP,
	Ports: []uint16{5355},
	Limit: dns.MaxMessage + 2,
	Probe: probe,
	New: func() proto.Parser {
		return dns.NewParser(func(c *proto.Conn, m *dns.Message) { c.Emit(Message{m}, true) })
	},
	Buffers: []proto.Buffer{
		{Name: "llmnr.queries.rrname", Doc: "name of each question of a query", Dir: packet.ToServer, Get: question(false)},
		{Name: "llmnr.queries.rrname", Doc: "name of each question of an answer", Dir: packet.ToClient, Get: question(true)},
		{Name: "llmnr.answers.rrname", Doc: "owner name of each answer", Dir: packet.ToClient, Get: owner(dns.Answers)},
		{Name: "llmnr.authorities.rrname", Doc: "owner name of each authority", Dir: packet.ToClient, Get: owner(dns.Authorities)},
		{Name: "llmnr.additionals.rrname", Doc: "owner name of each additional record", Dir: packet.ToClient, Get: owner(dns.Additionals)},
		{Name: "llmnr.response.rrname", Doc: "every owner and target name of a response", Dir: packet.ToClient, Get: anyName},
	},
}

// Flag bits of the header that differ from DNS, RFC 4795 section 2.1.1.
const (
	FlagC = 0x0400 // the name is not unique (a conflict was seen)
	FlagT = 0x0100 // the answerer has not verified that the name is its own
	flagZ = 0x00f0 // reserved, zero
)

// Message is one message; what it returns lives as long as the call that
// emits it.
type Message struct{ *dns.Message }

// Conflict reports the C bit.
func (m Message) Conflict() bool { return m.Flags&FlagC != 0 }

// Tentative reports the T bit.
func (m Message) Tentative() bool { return m.Flags&FlagT != 0 }

// EventType returns "llmnr".
func (m Message) EventType() event.Type { return "llmnr" }

// EncodeEVE appends "llmnr":{…} in the manner of "mdns": type "request" or
// "response", id, the flags that are set, queries and answers.
func (m Message) EncodeEVE(e *event.Encoder) {
	e.Obj("llmnr")
	if m.Response() {
		e.Str("type", "response")
	} else {
		e.Str("type", "request")
	}
	e.Uint("id", uint64(m.ID))
	if m.Conflict() {
		e.Bool("conflict", true)
	}
	if m.Flags&dns.FlagTC != 0 {
		e.Bool("tc", true)
	}
	if m.Tentative() {
		e.Bool("tentative", true)
	}
	if m.Len(dns.Questions) > 0 {
		m.EncodeRecords(e, "queries", dns.Questions)
	}
	if m.Len(dns.Answers) > 0 {
		m.EncodeRecords(e, "answers", dns.Answers)
	}
	e.EndObj()
}

func owner(s dns.Section) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		m, ok := tx.(Message)
		if !ok {
			return nil, false
		}
		return m.Owner(s, i)
	}
}

func question(answer bool) func(proto.Tx, int) ([]byte, bool) {
	names := owner(dns.Questions)
	return func(tx proto.Tx, i int) ([]byte, bool) {
		if m, ok := tx.(Message); !ok || m.Response() != answer {
			return nil, false
		}
		return names(tx, i)
	}
}

func anyName(tx proto.Tx, i int) ([]byte, bool) {
	m, ok := tx.(Message)
	if !ok {
		return nil, false
	}
	return m.AnyName(i)
}

// probe judges a datagram or, on TCP, a message behind its length. The wire
// has nothing of its own: what counts as DNS for certain counts as LLMNR too,
// so that it wins on its port, and dns must be asked first on any other. What
// dns doubts is doubted here as well, lest it lose its own port.
func probe(_ packet.Dir, b []byte) proto.Match {
	m := judge(b)
	if m == proto.Yes || len(b) < 2 {
		return m
	}
	size := int(binary.BigEndian.Uint16(b))
	if size < dns.HeaderLen || size > 9194 { // the UDP payload every host must take, section 2.1
		return m
	}
	if len(b)-2 >= size {
		return max(m, judge(b[2:2+size]))
	}
	if m == proto.No && prefix(b[2:], size) {
		return proto.More
	}
	return m
}

// prefix reports whether b begins a message of size octets; a query with its
// one name is short.
func prefix(b []byte, size int) bool {
	if len(b) >= dns.HeaderLen {
		s, ok := dns.Look(b)
		return ok && s.Partial && s.Counts[0] == 1 && s.Flags&(flagZ|0x7800) == 0 && s.Counts[1]|s.Counts[2] < 64
	}
	return size <= 512 && (len(b) < 4 || b[2]&0x78 == 0 && b[3]&0xf0 == 0) && (len(b) < 6 || b[4] == 0 && b[5] == 1)
}

func judge(b []byte) proto.Match {
	s, ok := dns.Look(b)
	if !ok || s.NetBIOS || !s.Question || s.Counts[0] != 1 || s.Flush {
		return proto.No
	}
	if s.Opcode() == 0 {
		return dns.Judge(b)
	}
	if s.Exact {
		return proto.Weak
	}
	return proto.No
}
