package mdns

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/dns"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

func TestGolden(t *testing.T) { prototest.GoldenUDP(t, Protocol, *update) }

func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }

// Messages written out after RFC 6762 and 6763.
const (
	head       = "\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
	browse     = head + "\x04_ipp\x04_tcp\x05local\x00\x00\x0c\x00\x01"
	unicast    = head + "\x04_ipp\x04_tcp\x05local\x00\x00\x0c\x80\x01"
	legacy     = "\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03cam\x05local\x00\x00\x01\x00\x01"
	announce   = "\x00\x00\x84\x00\x00\x00\x00\x02\x00\x00\x00\x00" + service + text
	service    = "\x04_ipp\x04_tcp\x05local\x00\x00\x0c\x00\x01\x00\x00\x11\x94\x00\x0b\x08A. Hall!\xc0\x0c"
	text       = "\xc0\x27\x00\x10\x80\x01\x00\x00\x11\x94\x00\x12\x05ty=\"x\x00\x03x=1\x06TXTv=2"
	unicastDNS = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x00\x00\x01\x00\x01"
)

func TestEvents(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"browse", browse, `"mdns":{"type":"request","queries":[{"rrname":"_ipp._tcp.local","rrtype":"PTR"}]}`},
		{"legacy", legacy, `"mdns":{"type":"request","id":4660,"queries":[{"rrname":"cam.local","rrtype":"A"}]}`},
		{"announce", announce, `"mdns":{"type":"response","answers":[` +
			`{"rrname":"_ipp._tcp.local","rrtype":"PTR","ttl":4500,"rdata":"A. Hall!._ipp._tcp.local"},` +
			`{"rrname":"A. Hall!._ipp._tcp.local","rrtype":"TXT","ttl":4500,"txt":["ty=\"x","x=1","TXTv=2"]}]}`},
	}
	for _, tt := range tests {
		o := prototest.Options{Conn: proto.Conn{Transport: proto.UDP}}
		if r := prototest.Drive(Protocol, o, prototest.C(tt.in)); r.Joined() != tt.want || len(r.Anomalies) != 0 {
			t.Errorf("%s: %v\n%s\nwant %s", tt.name, r.Anomalies, r.Joined(), tt.want)
		}
	}
}

func TestProbe(t *testing.T) {
	tests := []struct {
		name, in string
		want     proto.Match
	}{
		{"browse", browse, proto.Yes},
		{"unicast answer wanted", unicast, proto.Yes},
		{"legacy", legacy, proto.Yes},
		{"announce", announce, proto.Yes},
		{"unicast dns", unicastDNS, proto.Weak},
		{"cut", browse[:20], proto.No},
		{"answer cut", announce[:50], proto.Weak},
		{"empty", head, proto.No},
		{"short", "\x00\x00", proto.No},
		{"ssdp", "M-SEARCH * HTTP/1.1\r\n\r\n", proto.No},
		{"netbios", head + " CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\x00\x00\x21\x00\x01", proto.No},
	}
	for _, tt := range tests {
		if got := probe(packet.ToServer, []byte(tt.in)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestFlaws(t *testing.T) {
	loop := "\x00\x00\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00\xc0\x0c\x00\x0c\x00\x01\x00\x00\x00\x01\x00\x00"
	r := prototest.Drive(Protocol, prototest.Options{Conn: proto.Conn{Transport: proto.UDP}}, prototest.C(loop), prototest.C(browse[:25]), prototest.C("x"))
	if want := []string{"forward_pointer", "pointer_loop", "malformed_data", "malformed_data"}; !slices.Equal(r.Anomalies, want) || r.Err != nil {
		t.Errorf("%v %v", r.Anomalies, r.Err)
	}
}

func TestValue(t *testing.T) {
	var m dns.Message
	m.Parse([]byte(announce))
	msg := Message{&m}
	r := m.Record(dns.Answers, 1)
	for key, want := range map[string]string{"TY": `"x`, "txtv": "2", "x": "1"} {
		if v, ok := msg.Value(r, key); !ok || string(v) != want {
			t.Errorf("%s: %q %v", key, v, ok)
		}
	}
	if _, ok := msg.Value(r, "t"); ok {
		t.Error("the start of a key is a key")
	}
	if _, ok := msg.Value(m.Record(dns.Answers, 0), "ty"); ok {
		t.Error("a PTR has a value")
	}
}

func TestBuffers(t *testing.T) {
	want := map[string]string{
		"mdns.queries.rrname":     "",
		"mdns.answers.rrname":     "_ipp._tcp.local|A. Hall!._ipp._tcp.local|",
		"mdns.authorities.rrname": "",
		"mdns.additionals.rrname": "",
		"mdns.response.rrname":    "_ipp._tcp.local|A. Hall!._ipp._tcp.local|A. Hall!._ipp._tcp.local|",
	}
	var m dns.Message
	m.Parse([]byte(announce))
	for _, b := range Protocol.Buffers {
		var s strings.Builder
		for i := 0; ; i++ {
			v, ok := b.Get(Message{&m}, i)
			if !ok {
				break
			}
			s.Write(v)
			s.WriteByte('|')
		}
		if s.String() != want[b.Name] {
			t.Errorf("%s: %s", b.Name, s.String())
		}
	}
}

func TestNoAllocs(t *testing.T) { prototest.NoAllocs(t, Protocol, browse, announce) }

func FuzzParse(f *testing.F) {
	for _, s := range []string{browse, legacy, announce, unicastDNS} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		Protocol.Probe(packet.ToServer, b)
		prototest.Drive(Protocol, prototest.Options{Conn: proto.Conn{Transport: proto.UDP}, OnTx: func(tx proto.Tx, _ bool) {
			m := tx.(Message)
			for s := dns.Questions; s <= dns.Additionals; s++ {
				for i := range m.Len(s) {
					r := m.Record(s, i)
					m.Name(r)
					m.Value(r, "ty")
				}
			}
			var e event.Encoder
			e.Obj("")
			m.EncodeEVE(&e)
			e.EndObj()
			if !json.Valid(e.B) {
				t.Errorf("not JSON: %s", e.B)
			}
		}}, prototest.C(string(b)))
	})
}

func BenchmarkParse(b *testing.B) {
	p := Protocol.New()
	c := proto.Conn{Transport: proto.UDP, OnAnomaly: func(string) {}, OnTx: func(proto.Tx, bool) {}}
	in := []byte(announce)
	b.ReportAllocs()
	for b.Loop() {
		p.Parse(&c, packet.ToServer, in)
	}
}
