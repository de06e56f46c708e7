package dcerpc

import (
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

func TestLimits(t *testing.T) {
	// More interfaces than are kept, in three proposals: the last are there.
	var contexts []int
	for i := range MaxInterfaces - 1 {
		contexts = append(contexts, i)
	}
	var a Assoc
	feed := func(typ byte, list ...int) {
		b := []byte(le.bind(typ, 3, 1, list...))
		h, ok := ParseHeader(b)
		if !ok {
			t.Fatal("no header")
		}
		a.propose(&h, b[headerLen:])
		b = []byte(le.ack(TypeAlterResp, 1, make([]int, len(list))...))
		h, _ = ParseHeader(b)
		a.answer(&h, b[headerLen:])
	}
	feed(TypeBind, contexts...)
	feed(TypeAlter, 100, 101, 102)
	if _, ok := a.Find(0); ok || len(a.Interfaces()) != MaxInterfaces || len(a.Proposed()) != 3 {
		t.Errorf("%d interfaces, %d proposed, first found %v", len(a.Interfaces()), len(a.Proposed()), ok)
	}
	for _, c := range []uint16{2, 62, 100, 102} {
		if i, ok := a.Find(c); !ok || i.Context != c {
			t.Errorf("context %d: %v %v", c, i, ok)
		}
	}

	// Arguments beyond MaxStub.
	big := strings.Repeat("x", 60000)
	p := Protocol.New().(*parser)
	var most int
	o := prototest.Options{OnTx: func(tx proto.Tx, _ bool) {
		b, _ := tx.(*Call).Stub(packet.ToServer)
		most = max(most, len(b))
	}}
	r := prototest.DriveParser(Protocol, p, o, prototest.C(le.request(1, 1, 0, 0, big)+le.request(0, 1, 0, 0, big)+le.request(2, 1, 0, 0, big)))
	if r.Err != nil || most != MaxStub || p.Size() > 1<<20 {
		t.Errorf("%v, %d octets of arguments, size %d", r.Err, most, p.Size())
	}
	p.Reset()
	if p.Size() > maxKept*(maxKeptStub*2+1024) {
		t.Errorf("%d octets kept", p.Size())
	}

	// The longest message, and one call more than may wait.
	r = prototest.Drive(Protocol, prototest.Options{}, prototest.Split(3, prototest.C(le.pdu(TypeRequest, 3, 1, strings.Repeat("x", maxPDU-headerLen))))...)
	if r.Err != nil || r.Done != 1 {
		t.Errorf("longest message: %v, %d done", r.Err, r.Done)
	}
	var calls string
	for i := range maxPending + 1 {
		calls += le.request(3, i, 0, i, "x")
	}
	done := 0
	o = prototest.Options{OnTx: func(_ proto.Tx, d bool) {
		if d {
			done++
		} else if done > 1 {
			t.Error("too many given up")
		}
	}}
	if prototest.Drive(Protocol, o, prototest.C(calls)); done != maxPending+1 {
		t.Errorf("%d done", done)
	}

	// Nothing to be found for too long.
	r = prototest.Drive(Protocol, prototest.Options{}, prototest.C(strings.Repeat("junk", maxLost/4+10)))
	if r.Err == nil {
		t.Error("searched for ever")
	}
}

func TestBuffers(t *testing.T) {
	var got []string
	o := prototest.Options{OnTx: func(tx proto.Tx, done bool) {
		if done {
			got = append(got, prototest.Values(t, Protocol, tx)...)
		}
	}}
	parts := append(session(), prototest.C(le.request(3, 9, 1, 65535, "unanswered")))
	prototest.Drive(Protocol, o, parts...)
	const iface = "dcerpc.iface=\x36\x7a\xbb\x81\x98\x44\x35\xf1\xad\x32\x98\xf0\x38\x00\x10\x03\x00\x03\x01"
	want := []string{"dcerpc.stub_data=args", "dcerpc.stub_data=results", "dcerpc.opnum=15", "dcerpc.opnum=15", iface, iface,
		"dcerpc.stub_data=unanswered", "dcerpc.opnum=65535", iface}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestProbe(t *testing.T) {
	bind := le.bind(TypeBind, 3, 1, 0)
	tests := []struct {
		d    packet.Dir
		in   string
		want proto.Match
	}{
		{packet.ToServer, bind, proto.Yes}, {packet.ToServer, bind[:16], proto.Yes}, {packet.ToServer, be.bind(TypeBind, 3, 1, 0), proto.Yes},
		{packet.ToServer, bind[:15], proto.More}, {packet.ToServer, "", proto.More}, {packet.ToServer, "\x05", proto.More},
		{packet.ToClient, bind, proto.No}, {packet.ToClient, bind[:3], proto.No},
		{packet.ToClient, le.ack(TypeBindAck, 1, 0), proto.Yes}, {packet.ToServer, le.response(3, 1, ""), proto.No},
		{packet.ToServer, "\x05\x01\x00", proto.More},                                                   // also a SOCKS greeting: one method, none
		{packet.ToServer, "\x05\x02\x00\x02", proto.No},                                                 // SOCKS, two methods
		{packet.ToServer, "\x05\x00\x0b\x03\x10\x00\x00\x01", proto.No},                                 // reserved octet
		{packet.ToServer, "\x05\x00\x0b\x03\x10\x00\x00\x00\x10\x00\x00\x00\x01\x00\x00\x00", proto.No}, // shorter than a bind
		{packet.ToServer, "\x05\x00\x00\x03\x10\x00\x00\x00\x18\x00\x09\x00\x01\x00\x00\x00", proto.No}, // longer verifier than message
		{packet.ToServer, le.datagram(0, 0, 1, 0, 0, "x"), proto.Yes}, {packet.ToClient, le.datagram(0, 0, 1, 0, 0, "x"), proto.No},
		{packet.ToServer, le.datagram(0, 0, 1, 0, 0, "x")[:80], proto.No}, {packet.ToServer, "\x04\x01\x00\x50\x7f\x00\x00\x01\x00", proto.No}, // SOCKS 4
		{packet.ToServer, "GET / HTTP/1.1\r\n", proto.No},
	}
	for _, tt := range tests {
		if got := probe(tt.d, []byte(tt.in)); got != tt.want {
			t.Errorf("probe(%v, %q) = %v, want %v", tt.d, tt.in, got, tt.want)
		}
	}
}

func conn() *proto.Conn {
	return &proto.Conn{Transport: proto.TCP, OnTx: func(proto.Tx, bool) {}, OnAnomaly: func(string) {}}
}

func session() []prototest.Part {
	return []prototest.Part{
		prototest.C(le.bind(TypeBind, 3, 1, 0, 1)), prototest.S(le.ack(TypeBindAck, 1, 2, 0)),
		prototest.C(le.request(1, 2, 1, 15, "ar") + le.request(2, 2, 1, 15, "gs")), prototest.S(le.response(3, 2, "results")),
	}
}

func drive(p proto.Parser, c *proto.Conn, parts []prototest.Part) {
	for _, pt := range parts {
		_, _ = p.Parse(c, pt.Dir, pt.Data)
	}
	p.End(c)
	p.Reset()
}

func TestNoAllocs(t *testing.T) {
	p, c, parts := Protocol.New(), conn(), session()
	for range 10 {
		drive(p, c, parts)
	}
	if n := testing.AllocsPerRun(100, func() { drive(p, c, parts) }); n != 0 {
		t.Errorf("%v allocations per session", n)
	}
	prototest.NoAllocs(t, Protocol, le.datagram(0, 0, 5, 1, 0, "args"), be.datagram(2, 0, 5, 1, 0, "args"))
}

func BenchmarkParse(b *testing.B) {
	p, c, parts := Protocol.New(), conn(), session()
	b.ReportAllocs()
	for b.Loop() {
		drive(p, c, parts)
	}
}

func FuzzParse(f *testing.F) {
	prototest.Fuzz(f, Protocol, le.bind(TypeBind, 3, 1, 0, 1), be.bind(TypeAlter, 3, 1, 9), le.ack(TypeBindAck, 1, 2, 0), le.request(3, 2, 1, 15, "args"),
		be.response(3, 2, "results"), le.datagram(0, 4, 5, 1, 0, "args"), be.datagram(2, 0, 5, 1, 0, "args"))
}

// FuzzPipe: what goes through a pipe in two pieces is read as in one.
func FuzzPipe(f *testing.F) {
	f.Add([]byte(le.bind(TypeBind, 3, 1, 0)+le.request(3, 2, 0, 1, "args")), 20)
	f.Add([]byte(le.request(1, 2, 0, 1, "ar")+le.request(2, 2, 0, 1, "gs")), 30)
	f.Fuzz(func(t *testing.T, b []byte, at int) {
		if at < 0 || at > len(b) || len(b) > maxPart {
			return
		}
		var one, two Pipe
		var a, c Call
		one.Feed(&a, packet.ToServer, b, false)
		two.Feed(&c, packet.ToServer, b[:at], false)
		if two.Busy(packet.ToServer) || at == 0 {
			two.Feed(&c, packet.ToServer, b[at:], false)
			x, _ := a.Stub(packet.ToServer)
			y, _ := c.Stub(packet.ToServer)
			if a.Seen() != c.Seen() || string(x) != string(y) {
				t.Errorf("%v %q, in pieces %v %q", a.Seen(), x, c.Seen(), y)
			}
		}
		one.Reset()
	})
}
