package prototest

import (
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Probes asks p's Probe about the beginnings of streams, from both directions:
// the better answer counts.
func Probes(t *testing.T, p proto.Protocol, cases map[string]proto.Match) {
	t.Helper()
	for in, want := range cases {
		if got := max(p.Probe(packet.ToServer, []byte(in)), p.Probe(packet.ToClient, []byte(in))); got != want {
			t.Errorf("probe(%.40q) = %v, want %v", in, got, want)
		}
	}
}

// ProbeTurned fails when p's Probe does not tell the directions apart: what
// comes the wrong way round is left for the engine to turn.
func ProbeTurned(t *testing.T, p proto.Protocol, client, server string) {
	t.Helper()
	if p.Probe(packet.ToServer, []byte(server)) != proto.No || p.Probe(packet.ToClient, []byte(client)) != proto.No {
		t.Error("direction does not matter")
	}
}

// Quiet returns a flow whose callbacks do nothing, for measuring.
func Quiet(on proto.Transport) *proto.Conn {
	return &proto.Conn{Transport: on, OnTx: func(proto.Tx, bool) {}, OnMessage: func(packet.Dir, []byte) {}, OnAnomaly: func(string) {}}
}

// play gives a parser one flow after the other, each with the same segments.
func play(ps proto.Parser, c *proto.Conn, parts []Part) {
	c.Transport = proto.TCP
	for _, pt := range parts {
		// What a parser thinks of them is for other tests to say.
		_, _ = ps.Parse(c, pt.Dir, pt.Data)
	}
	ps.End(c)
	ps.Reset()
	c.Reset()
}

// SessionNoAllocs fails when parsing the segments of a session allocates once
// the parser has seen a few. No segment may need the bytes before it.
func SessionNoAllocs(t *testing.T, p proto.Protocol, parts ...Part) {
	t.Helper()
	ps, c := p.New(), Quiet(proto.TCP)
	for range 5 {
		play(ps, c, parts)
	}
	if n := testing.AllocsPerRun(100, func() { play(ps, c, parts) }); n != 0 {
		t.Errorf("%v allocations per session", n)
	}
}

// SessionBench measures parsing the segments of a session.
func SessionBench(b *testing.B, p proto.Protocol, parts ...Part) {
	ps, c := p.New(), Quiet(proto.TCP)
	n := 0
	for _, pt := range parts {
		n += len(pt.Data)
	}
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		play(ps, c, parts)
	}
}

// Segmentation fails when cutting the parts at random places changes events or
// the protocol switched to, and asks Probe about them.
func Segmentation(t *testing.T, p proto.Protocol, seed uint64, parts ...Part) {
	t.Helper()
	whole := Drive(p, Options{}, parts...)
	cut := Drive(p, Options{}, Split(seed, parts...)...)
	if whole.Joined() != cut.Joined() || whole.Next != cut.Next {
		t.Errorf("segmentation matters:\n%s\nthen %s\n%s\nthen %s", whole.Joined(), whole.Next, cut.Joined(), cut.Next)
	}
	for _, pt := range parts {
		p.Probe(pt.Dir, pt.Data)
	}
}
