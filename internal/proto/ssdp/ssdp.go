// Package ssdp reads the Simple Service Discovery Protocol of UPnP (UPnP Device
// Architecture 2.0, section 1): searches, announcements and search responses,
// HTTP headers in datagrams.
package ssdp

import (
	"bytes"
	"strconv"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// Protocol is SSDP.
var Protocol = proto.Protocol{
	Name:  "ssdp",
	Event: "ssdp",
	Doc:   "Simple Service Discovery Protocol of UPnP",
	On:    proto.UDP,
	Ports: []uint16{1900},
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		{Name: "ssdp.st", Doc: "search target", Dir: packet.ToServer, Get: field(ST)},
		{Name: "ssdp.nt", Doc: "notification type", Dir: packet.ToServer, Get: field(NT)},
		{Name: "ssdp.nts", Doc: "notification sub type: ssdp:alive, ssdp:byebye, ssdp:update", Dir: packet.ToServer, Get: field(NTS)},
		{Name: "ssdp.usn", Doc: "unique service name", Dir: packet.ToServer, Get: field(USN)},
		{Name: "ssdp.location", Doc: "URL of the device's description", Dir: packet.ToServer, Get: field(Location)},
		{Name: "ssdp.server", Doc: "system and product as the device names them", Dir: packet.ToServer, Get: field(Server)},
		{Name: "ssdp.user_agent", Doc: "system and product of who searches", Dir: packet.ToServer, Get: field(UserAgent)},
	},
}

// MaxHeaders bounds the header lines read of one message; UPnP defines below
// twenty.
const MaxHeaders = 64

// Kind is the kind of a message.
type Kind uint8

// Kinds.
const (
	Search Kind = iota + 1 // M-SEARCH
	Notify
	Response
)

// Header is a header field this package keeps.
type Header uint8

// Headers, UPnP Device Architecture 2.0 sections 1.2.2, 1.3.2 and 1.3.3.
const (
	ST Header = iota
	NT
	NTS
	USN
	Location
	Server
	UserAgent
	Man
	MX
	Host
	CacheControl
	BootID
	ConfigID
	FriendlyName
	numHeaders
)

// headers are the names on the wire, in lower case, and in events.
var headers = [numHeaders]struct{ wire, eve string }{
	ST: {"st", "st"}, NT: {"nt", "nt"}, NTS: {"nts", "nts"}, USN: {"usn", "usn"}, Location: {"location", "location"},
	Server: {"server", "server"}, UserAgent: {"user-agent", "user_agent"}, Man: {"man", "man"}, MX: {"mx", "mx"},
	Host: {"host", "host"}, CacheControl: {"cache-control", "cache_control"},
	BootID: {"bootid.upnp.org", "boot_id"}, ConfigID: {"configid.upnp.org", "config_id"}, FriendlyName: {"cpfn.upnp.org", "friendly_name"},
}

// Message is one message. Its slices lie in the datagram.
type Message struct {
	Kind   Kind
	Status int // of a response
	fields [numHeaders][]byte
	many   bool
}

// Get returns the value of h, nil when it is absent.
func (m *Message) Get(h Header) []byte { return m.fields[h] }

// EventType returns "ssdp".
func (m *Message) EventType() event.Type { return "ssdp" }

// EncodeEVE appends "ssdp":{…}: type, status and every header kept.
func (m *Message) EncodeEVE(e *event.Encoder) {
	e.Obj("ssdp")
	switch m.Kind {
	case Search:
		e.Str("type", "search")
	case Notify:
		e.Str("type", "notify")
	case Response:
		e.Str("type", "response")
		e.Uint("status", uint64(m.Status))
	}
	for h, v := range m.fields {
		e.OptBytes(headers[h].eve, v)
	}
	e.EndObj()
}

// start reads the start line; rest are the header lines.
func (m *Message) start(b []byte) (rest []byte, ok bool) {
	line, rest, _ := bytes.Cut(b, []byte{'\n'})
	line = bytes.TrimRight(line, "\r ")
	switch {
	case bytes.HasPrefix(line, []byte("M-SEARCH * HTTP/1.")):
		m.Kind = Search
	case bytes.HasPrefix(line, []byte("NOTIFY * HTTP/1.")):
		m.Kind = Notify
	case bytes.HasPrefix(line, []byte("HTTP/1.")) && len(line) >= 12 && line[8] == ' ':
		m.Kind = Response
		for _, c := range line[9:12] {
			if c < '0' || c > '9' {
				return nil, false
			}
			m.Status = m.Status*10 + int(c-'0')
		}
	default:
		return nil, false
	}
	return rest, true
}

// Parse reads the datagram b. It returns false when its first line is none of
// SSDP's.
func (m *Message) Parse(b []byte) bool {
	*m = Message{}
	rest, ok := m.start(b)
	if !ok {
		return false
	}
	for n := 0; len(rest) > 0; n++ {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		if line = bytes.TrimRight(line, "\r \t"); len(line) == 0 {
			break
		}
		if n == MaxHeaders {
			m.many = true
			break
		}
		name, value, ok := bytes.Cut(line, []byte{':'})
		if !ok {
			continue
		}
		name = bytes.TrimSpace(name)
		for h := range headers {
			if m.fields[h] == nil && textline.Is(name, headers[h].wire) {
				m.fields[h] = bytes.TrimSpace(value)
				break
			}
		}
	}
	return true
}

// MaxAge returns the seconds a device wants to be remembered, or -1.
func (m *Message) MaxAge() int64 {
	_, v, ok := bytes.Cut(m.fields[CacheControl], []byte{'='})
	if !ok {
		return -1
	}
	n, err := strconv.ParseInt(string(bytes.TrimSpace(v)), 10, 32)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

func field(h Header) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		m, ok := tx.(*Message)
		if !ok || i != 0 || m.fields[h] == nil {
			return nil, false
		}
		return m.fields[h], true
	}
}

type parser struct{ m Message }

func (p *parser) Parse(c *proto.Conn, _ packet.Dir, data []byte) (int, error) {
	if !p.m.Parse(data) {
		c.Anomaly("malformed_data")
		return len(data), nil
	}
	if p.m.many {
		c.Anomaly("too_many_headers")
	}
	c.Emit(&p.m, true)
	p.m = Message{}
	return len(data), nil
}

func (p *parser) Gap(*proto.Conn, packet.Dir, int) error { return nil }
func (p *parser) End(*proto.Conn)                        {}
func (p *parser) Reset()                                 { p.m = Message{} }

// probe asks for a start line of SSDP, and of a response for a header that
// only a search response has: others use HTTP in datagrams as well.
func probe(_ packet.Dir, b []byte) proto.Match {
	if len(b) < 12 || b[0] != 'M' && b[0] != 'N' && b[0] != 'H' {
		return proto.No
	}
	var m Message
	if !m.Parse(b) {
		return proto.No
	}
	if m.Kind != Response || m.fields[ST] != nil || m.fields[USN] != nil {
		return proto.Yes
	}
	return proto.Weak
}
