package dns

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// full is an answer with every section filled.
func full() *msg {
	return reply(2, 1, 2).
		rr("", TypeCNAME, 60, 3, 'c', 'd', 'n', 0xc0, 16).
		rr("cdn.example.com", TypeA, 60, 192, 0, 2, 1).
		rr("example.com", TypeNS, 60, 2, 'n', 's', 0xc0, 16).
		rr("ns.example.com", TypeA, 60, 192, 0, 2, 53).
		opt(1232, 0)
}

// get returns what the buffers of that name, in either direction, give for m.
func get(t *testing.T, m *Message, name string) []string {
	t.Helper()
	out, found := []string{}, false
	for _, buf := range Protocol.Buffers {
		if buf.Name != name {
			continue
		}
		found = true
		for k := 0; ; k++ {
			b, ok := buf.Get(m, k)
			if !ok {
				break
			}
			out = append(out, string(b))
		}
	}
	if !found {
		t.Fatalf("no buffer %s", name)
	}
	return out
}

// TestDirections: a rule's flow:to_server means queries, also for numbers.
func TestDirections(t *testing.T) {
	var q, a Message
	q.Parse(query("www.example.com", TypeMX).b)
	a.Parse(full().b)
	for _, buf := range Protocol.Buffers {
		other := &q
		if buf.Dir == packet.ToServer {
			other = &a
		}
		if b, ok := buf.Get(other, 0); ok {
			t.Errorf("%s to direction %d: %q of the other direction", buf.Name, buf.Dir, b)
		}
	}
}

func TestBuffers(t *testing.T) {
	var q, a, two Message
	q.Parse(query("www.example.com", TypeMX).b)
	a.Parse(full().b)
	two.Parse(header(1, 0x8003, 2).question("a", TypeA).question("b", 4660).b)
	tests := []struct {
		buffer string
		m      *Message
		want   string
	}{
		{"dns.query", &q, "www.example.com"}, {"dns.query", &a, ""},
		{"dns.query.name", &q, "www.example.com"},
		{"dns.queries.rrname", &q, "www.example.com"}, {"dns.queries.rrname", &a, "www.example.com"},
		{"dns.answer.name", &a, "www.example.com cdn.example.com"},
		{"dns.answers.rrname", &a, "www.example.com cdn.example.com"}, {"dns.answers.rrname", &q, ""},
		{"dns.authorities.rrname", &a, "example.com"},
		{"dns.additionals.rrname", &a, "ns.example.com "},
		{"dns.response.rrname", &a, "www.example.com www.example.com cdn.example.com example.com ns.example.com  cdn.example.com ns.example.com"},
		{"dns.response.rrname", &q, ""},
		{"dns.opcode", &q, "0"}, {"dns.rcode", &q, ""}, {"dns.rcode", &a, "0"}, {"dns.rcode", &two, "3"},
		{"dns.rrtype", &q, "15"}, {"dns.rrtype", &two, "1 4660"},
	}
	for _, tt := range tests {
		for range 2 { // what a getter keeps must not change what the next one says
			if got := strings.Join(get(t, tt.m, tt.buffer), " "); got != tt.want {
				t.Errorf("%s: %q, want %q", tt.buffer, got, tt.want)
			}
		}
	}
}

func TestAccessors(t *testing.T) {
	var m Message
	m.Parse(full().b)
	if n := []int{m.Len(Questions), m.Len(Answers), m.Len(Authorities), m.Len(Additionals)}; !slices.Equal(n, []int{1, 2, 1, 2}) {
		t.Fatal(n)
	}
	if a, ok := m.Addr(m.Record(Additionals, 0)); !ok || a.String() != "192.0.2.53" {
		t.Error(a, ok)
	}
	if _, ok := m.Addr(m.Record(Answers, 0)); ok {
		t.Error("a CNAME has an address")
	}
	if s := string(m.Target(m.Record(Authorities, 0))); s != "ns.example.com" {
		t.Error(s)
	}
	if m.OPT() == nil || m.OPT().Class != 1232 {
		t.Error("no OPT")
	}
	if _, ok := m.ClientSubnet(); ok {
		t.Error("a subnet from nowhere")
	}
}

func TestNoAllocs(t *testing.T) {
	prototest.NoAllocs(t, Protocol, query("www.example.com", TypeMX).String(), full().String())
}

func TestReset(t *testing.T) {
	p := Protocol.New()
	in := prototest.C(framed(query("a", TypeA)))
	first := prototest.DriveParser(Protocol, p, prototest.Options{}, in, prototest.Part{Gap: 5, Data: []byte("x")})
	p.Reset()
	if again := prototest.DriveParser(Protocol, p, prototest.Options{}, in); again.Joined() != first.Joined() {
		t.Errorf("%s\n%s", again.Joined(), first.Joined())
	}
}

func FuzzParse(f *testing.F) {
	for _, m := range []*msg{query("www.example.com", TypeA), full(), header(1, 0x8005)} {
		f.Add(m.b, false)
		f.Add([]byte(framed(m, m)), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, stream bool) {
		c := proto.Conn{Transport: proto.UDP}
		if stream {
			c.Transport = proto.TCP
		}
		Protocol.Probe(packet.ToServer, b)
		o := prototest.Options{Conn: c, OnTx: func(tx proto.Tx, _ bool) {
			m := tx.(*Message)
			for _, buf := range Protocol.Buffers {
				for i := 0; ; i++ {
					if _, ok := buf.Get(tx, i); !ok {
						break
					}
				}
			}
			var e event.Encoder
			e.Obj("")
			m.EncodeEVE(&e)
			e.EndObj()
			if !json.Valid(e.B) {
				t.Errorf("not JSON: %s", e.B)
			}
		}}
		whole := prototest.Drive(Protocol, o, prototest.C(string(b)))
		if stream {
			cut := prototest.Drive(Protocol, o, prototest.Split(1, prototest.C(string(b)))...)
			if whole.Joined() != cut.Joined() {
				t.Errorf("segmentation matters:\n%s\n%s", whole.Joined(), cut.Joined())
			}
		}
	})
}

func FuzzName(f *testing.F) {
	f.Add([]byte("\x03www\x00\xc0\x00"), 5)
	f.Fuzz(func(t *testing.T, b []byte, off int) {
		if off < 0 || off > len(b) {
			return
		}
		text, flaw := AppendName(nil, b, off)
		if len(text) >= MaxName {
			t.Errorf("%d octets of text", len(text))
		}
		if next, ok := SkipName(b, off); ok && next > len(b) {
			t.Error("skipped beyond the end")
		}
		if again, flaw2 := AppendName([]byte("x"), b, off); !bytes.Equal(again[1:], text) || flaw != flaw2 {
			t.Error("depends on what is before it")
		}
	})
}

func BenchmarkParse(b *testing.B) {
	in := full().b
	p := Protocol.New()
	c := proto.Conn{Transport: proto.UDP, OnAnomaly: func(string) {}, OnTx: func(proto.Tx, bool) {}}
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		p.Parse(&c, packet.ToClient, in)
	}
}

func BenchmarkProbe(b *testing.B) {
	in := full().b
	for b.Loop() {
		probe(packet.ToClient, in)
	}
}

func BenchmarkEVE(b *testing.B) {
	var m Message
	m.Parse(full().b)
	var e event.Encoder
	for b.Loop() {
		e.B = e.B[:0]
		m.EncodeEVE(&e)
	}
}
