// Package mdns reads multicast DNS (RFC 6762) and the service discovery it
// carries (RFC 6763): what the devices of a home say about themselves.
package mdns

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/dns"
)

// Protocol is multicast DNS.
var Protocol = proto.Protocol{
	Name:  "mdns",
	Event: "mdns",
	Doc:   "multicast DNS and service discovery, RFC 6762 and 6763",
	On:    proto.UDP,
	Ports: []uint16{5353},
	Probe: probe,
	New: func() proto.Parser {
		return dns.NewParser(func(c *proto.Conn, m *dns.Message) { c.Emit(Message{m}, true) })
	},
	Buffers: []proto.Buffer{
		{Name: "mdns.queries.rrname", Doc: "name of each question", Dir: packet.ToServer, Get: owner(dns.Questions)},
		{Name: "mdns.answers.rrname", Doc: "owner name of each answer", Dir: packet.ToServer, Get: owner(dns.Answers)},
		{Name: "mdns.authorities.rrname", Doc: "owner name of each authority", Dir: packet.ToServer, Get: owner(dns.Authorities)},
		{Name: "mdns.additionals.rrname", Doc: "owner name of each additional record", Dir: packet.ToServer, Get: owner(dns.Additionals)},
		{Name: "mdns.response.rrname", Doc: "every owner and target name of a response", Dir: packet.ToServer, Get: anyName},
	},
}

// Message is one message; what it returns lives as long as the call that
// emits it.
type Message struct{ *dns.Message }

// EventType returns "mdns".
func (m Message) EventType() event.Type { return "mdns" }

// EncodeEVE appends "mdns":{…}: type "request" or "response", id when it is not
// zero (a legacy resolver asks, RFC 6762 section 6.7), and the records of each
// section; the strings of a TXT record stand in an array, as they are keys
// with values.
func (m Message) EncodeEVE(e *event.Encoder) {
	e.Obj("mdns")
	if m.Response() {
		e.Str("type", "response")
	} else {
		e.Str("type", "request")
	}
	if m.ID != 0 {
		e.Uint("id", uint64(m.ID))
	}
	for s, key := range [...]string{"queries", "answers", "authorities", "additionals"} {
		if m.Len(dns.Section(s)) > 0 {
			m.encode(e, key, dns.Section(s))
		}
	}
	e.EndObj()
}

func (m Message) encode(e *event.Encoder, key string, s dns.Section) {
	e.Arr(key)
	for i := range m.Len(s) {
		r := m.Record(s, i)
		if r.Type == dns.TypeOPT {
			continue
		}
		e.Obj("")
		m.Text(e, "rrname", m.Name(r))
		m.EncodeType(e, "rrtype", r.Type)
		if s != dns.Questions {
			e.Uint("ttl", uint64(r.TTL))
			if r.Type == dns.TypeTXT {
				e.Arr("txt")
				for k := 0; ; k++ {
					v, ok := m.String(r, k)
					if !ok {
						break
					}
					m.Text(e, "", v)
				}
				e.EndArr()
			} else {
				m.EncodeData(e, r)
			}
		}
		e.EndObj()
	}
	e.EndArr()
}

// String returns the i-th non-empty string of a TXT record.
func (m Message) String(r *dns.Record, i int) (s []byte, ok bool) {
	if r.Type != dns.TypeTXT {
		return nil, false
	}
	for b := m.RData(r); len(b) > 0; {
		n := min(int(b[0]), len(b)-1)
		if n > 0 {
			if i == 0 {
				return b[1 : 1+n], true
			}
			i--
		}
		b = b[1+n:]
	}
	return nil, false
}

// Value returns the value of the first string "key=…" of a TXT record; key is
// compared without regard to case (RFC 6763 section 6.4).
func (m Message) Value(r *dns.Record, key string) (v []byte, ok bool) {
	for i := 0; ; i++ {
		s, ok := m.String(r, i)
		if !ok {
			return nil, false
		}
		k, v, _ := bytes.Cut(s, []byte{'='})
		if len(k) == len(key) && bytes.EqualFold(k, []byte(key)) {
			return v, true
		}
	}
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

func anyName(tx proto.Tx, i int) ([]byte, bool) {
	m, ok := tx.(Message)
	if !ok {
		return nil, false
	}
	return m.AnyName(i)
}

// probe tells a message apart from unicast DNS by what only multicast sends:
// an identifier of zero with a name of the local domain, a class with the top
// bit, answers to no question, or a name in "local". Port 5353 decides about
// the rest.
func probe(_ packet.Dir, b []byte) proto.Match {
	s, ok := dns.Look(b)
	if !ok || s.NetBIOS || s.Opcode() != 0 || s.First.Type == 0 {
		return proto.No // a message without records says nothing either
	}
	if !s.Exact || s.OddClass || s.Flags&15 != 0 {
		return proto.Weak
	}
	answers := s.Response() && s.Counts[0] == 0
	if s.Local || s.Flush || s.ID == 0 && (answers || s.Labels > 1 && s.Flags&dns.FlagRD == 0) {
		return proto.Yes
	}
	return proto.Weak
}
