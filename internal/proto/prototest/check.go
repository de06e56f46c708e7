package prototest

import (
	"encoding/json"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// maxInstances is more than any buffer has of instances; a getter that never
// says that there are no more fails the test instead of hanging it.
const maxInstances = 1 << 17

// Values returns what the buffers of p give for tx, "name=value", in order.
func Values(t testing.TB, p proto.Protocol, tx proto.Tx) []string {
	var out []string
	for _, buf := range p.Buffers {
		for i := 0; ; i++ {
			b, ok := buf.Get(tx, i)
			if !ok {
				break
			}
			if i == maxInstances {
				t.Fatalf("buffer %s has no end", buf.Name)
			}
			out = append(out, buf.Name+"="+string(b))
		}
	}
	return out
}

// One drives p over one datagram and returns its only event, its anomalies and
// the values of the buffers. It fails when the parser gave up.
func One(t testing.TB, p proto.Protocol, in string) (eve string, anomalies, values []string) {
	t.Helper()
	o := Options{Conn: proto.Conn{Transport: proto.UDP}, OnTx: func(tx proto.Tx, _ bool) { values = append(values, Values(t, p, tx)...) }}
	r := Drive(p, o, C(in))
	if r.Err != nil {
		t.Errorf("a datagram ended the flow: %v", r.Err)
	}
	return r.Joined(), r.Anomalies, values
}

// NoAllocs fails when probing, parsing, inspecting or encoding any of the
// datagrams allocates in steady state.
func NoAllocs(t *testing.T, p proto.Protocol, datagrams ...string) {
	t.Helper()
	if Race {
		t.Skip("the race detector takes memory out of pools at random: allocations are not counted")
	}
	ps := p.New()
	var e event.Encoder
	c := proto.Conn{Transport: proto.UDP, OnAnomaly: func(string) {}}
	c.OnTx = func(tx proto.Tx, _ bool) {
		e.B = e.B[:0]
		tx.EncodeEVE(&e)
		for _, buf := range p.Buffers {
			buf.Get(tx, 0)
		}
	}
	for i, s := range datagrams {
		in := []byte(s)
		if n := testing.AllocsPerRun(200, func() {
			p.Probe(packet.ToServer, in)
			if _, err := ps.Parse(&c, packet.ToServer, in); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("datagram %d: %v allocations", i, n)
		}
	}
}

// Fuzz fuzzes p with datagrams and, where p runs on TCP, streams: nothing may
// panic, every event must be JSON, every buffer must end, and a stream must not
// depend on its segmentation.
func Fuzz(f *testing.F, p proto.Protocol, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s), false)
		f.Add([]byte(s+s), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, stream bool) {
		p.Probe(packet.ToServer, b)
		p.Probe(packet.ToClient, b)
		var o Options
		o.OnTx = func(tx proto.Tx, _ bool) {
			Values(t, p, tx)
			var e event.Encoder
			e.Obj("")
			tx.EncodeEVE(&e)
			e.EndObj()
			if !json.Valid(e.B) {
				t.Errorf("not JSON: %s", e.B)
			}
		}
		// Each run has its own files, which must all be closed at its end.
		drive := func(parts ...Part) Result {
			l := &Files{T: t}
			o.OnFile = l.OnFile
			r := Drive(p, o, parts...)
			for _, g := range l.List {
				if !g.Done {
					t.Errorf("%v: not closed", g)
				}
			}
			return r
		}
		if !stream || p.On&proto.TCP == 0 {
			o.Conn.Transport = proto.UDP
			drive(C(string(b)), S(string(b)))
			return
		}
		whole := drive(C(string(b)))
		if cut := drive(Split(1, C(string(b)))...); whole.Joined() != cut.Joined() {
			t.Errorf("segmentation matters:\n%s\n%s", whole.Joined(), cut.Joined())
		}
	})
}

// Bench measures probing and parsing of one datagram.
func Bench(b *testing.B, p proto.Protocol, datagram string) {
	ps := p.New()
	c := proto.Conn{Transport: proto.UDP, OnAnomaly: func(string) {}, OnTx: func(proto.Tx, bool) {}}
	in := []byte(datagram)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		p.Probe(packet.ToServer, in)
		if _, err := ps.Parse(&c, packet.ToServer, in); err != nil {
			b.Fatal(err)
		}
	}
}
