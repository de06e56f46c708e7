package llmnr

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

func TestGolden(t *testing.T) { prototest.GoldenUDP(t, Protocol, *update) }

func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }

// Messages written out after RFC 4795 section 2.1.
const (
	wpad   = "\x4a\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04wpad\x00\x00\x01\x00\x01"
	answer = "\x4a\x01\x80\x00\x00\x01\x00\x01\x00\x00\x00\x00\x04wpad\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x1e\x00\x04\xc0\x00\x02\x07"
	flags  = "\x4a\x01\x87\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04wpad\x00\x00\x1c\x00\x01"
	client = "\x4a\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04wpad\x00\x00\x01\x00\x01" // RD as DNS sets it
)

func framed(s string) string { return string([]byte{0, byte(len(s))}) + s }

func TestEvents(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"query", wpad, `"llmnr":{"type":"request","id":18945,"queries":[{"rrname":"wpad","rrtype":"A"}]}`},
		{"answer", answer, `"llmnr":{"type":"response","id":18945,"queries":[{"rrname":"wpad","rrtype":"A"}],` +
			`"answers":[{"rrname":"wpad","rrtype":"A","ttl":30,"rdata":"192.0.2.7"}]}`},
		{"flags", flags, `"llmnr":{"type":"response","id":18945,"conflict":true,"tc":true,"tentative":true,"queries":[{"rrname":"wpad","rrtype":"AAAA"}]}`},
	}
	for _, tt := range tests {
		udp := prototest.Options{Conn: proto.Conn{Transport: proto.UDP}}
		if r := prototest.Drive(Protocol, udp, prototest.C(tt.in)); r.Joined() != tt.want || len(r.Anomalies) != 0 {
			t.Errorf("%s: %v\n%s\nwant %s", tt.name, r.Anomalies, r.Joined(), tt.want)
		}
		for seed := range uint64(10) {
			parts := prototest.Split(seed, prototest.C(framed(tt.in)+framed(tt.in)))
			if r := prototest.Drive(Protocol, prototest.Options{}, parts...); r.Joined() != tt.want+"\n"+tt.want {
				t.Errorf("%s over TCP: %s", tt.name, r.Joined())
			}
		}
	}
}

func TestProbe(t *testing.T) {
	tests := []struct {
		name, in string
		want     proto.Match
	}{
		{"query", wpad, proto.Yes},
		{"answer", answer, proto.Yes},
		{"flags", flags, proto.Yes},
		{"query of a dns client", client, proto.Yes},
		{"conflict", wpad[:2] + "\x04" + wpad[3:], proto.Weak},
		{"opcode", wpad[:2] + "\x48" + wpad[3:], proto.Weak},
		{"trailing", wpad + "x", proto.Weak},
		{"cut", wpad[:14], proto.No},
		{"tcp", framed(wpad), proto.Yes},
		{"tcp, length only", framed(wpad)[:2], proto.More},
		{"tcp, name cut", framed(wpad)[:18], proto.More},
		{"tcp, name cut in dns", framed(client)[:18], proto.More},
		{"mdns", "\x00\x00\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00\x01a\x00\x00\x01\x80\x01\x00\x00\x00\x01\x00\x04\x01\x02\x03\x04", proto.No},
		{"netbios", wpad[:12] + " CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\x00\x00\x21\x00\x01", proto.No},
		{"tls", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03abcdefghijklmnop", proto.No},
		{"http", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", proto.No},
	}
	for _, tt := range tests {
		if got := probe(packet.ToServer, []byte(tt.in)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestFlaws(t *testing.T) {
	udp := prototest.Options{Conn: proto.Conn{Transport: proto.UDP}}
	r := prototest.Drive(Protocol, udp, prototest.C(wpad[:15]), prototest.C("x"), prototest.C(wpad+"x"))
	if want := []string{"malformed_data", "malformed_data", "trailing_bytes"}; !slices.Equal(r.Anomalies, want) || r.Err != nil {
		t.Errorf("%v %v", r.Anomalies, r.Err)
	}
}

func TestBuffers(t *testing.T) {
	seen := ""
	prototest.Drive(Protocol, prototest.Options{Conn: proto.Conn{Transport: proto.UDP}, OnTx: func(tx proto.Tx, _ bool) {
		for _, b := range Protocol.Buffers {
			for i := 0; i < 2; i++ {
				if v, ok := b.Get(tx, i); ok {
					seen += b.Name + "=" + string(v) + " "
				}
			}
		}
	}}, prototest.C(answer))
	if seen != "llmnr.queries.rrname=wpad llmnr.answers.rrname=wpad llmnr.response.rrname=wpad llmnr.response.rrname=wpad " {
		t.Error(seen)
	}
}

func TestNoAllocs(t *testing.T) { prototest.NoAllocs(t, Protocol, wpad, answer) }

func FuzzParse(f *testing.F) {
	for _, s := range []string{wpad, answer, flags} {
		f.Add([]byte(s), false)
		f.Add([]byte(framed(s)), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, stream bool) {
		c := proto.Conn{Transport: proto.UDP}
		if stream {
			c.Transport = proto.TCP
		}
		Protocol.Probe(packet.ToClient, b)
		prototest.Drive(Protocol, prototest.Options{Conn: c, OnTx: func(tx proto.Tx, _ bool) {
			var e event.Encoder
			e.Obj("")
			tx.EncodeEVE(&e)
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
	in := []byte(answer)
	b.ReportAllocs()
	for b.Loop() {
		p.Parse(&c, packet.ToServer, in)
	}
}
