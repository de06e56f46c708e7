package quic

import (
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

type player struct {
	p   parser
	c   proto.Conn
	enc event.Encoder
}

func newPlayer() *player {
	pl := &player{}
	pl.c.OnAnomaly = func(string) {}
	pl.c.OnTx = func(tx proto.Tx, done bool) {
		if done {
			pl.enc.B = pl.enc.B[:0]
			tx.EncodeEVE(&pl.enc)
		}
	}
	return pl
}

func (pl *player) play(parts []prototest.Part) {
	pl.p.Reset()
	pl.c.Reset()
	for _, pt := range parts {
		if pl.c.Finished() {
			break
		}
		pl.p.Parse(&pl.c, pt.Dir, pt.Data)
	}
	pl.p.End(&pl.c)
}

// A connection allocates its ciphers (three for each side, as the standard
// library makes them) and nothing else.
func TestAllocs(t *testing.T) {
	if prototest.Race {
		t.Skip("skips 1 case: the race detector takes memory out of sync.Pool at random, so that allocations cannot be counted")
	}
	hello := first(v1, cryptoFrame(0, clientHello("cam.example")))
	full := []prototest.Part{c(hello), s(answer(v1, dcid, cryptoFrame(0, serverHello())))}
	pl := newPlayer()
	pl.play(full)
	n := testing.AllocsPerRun(100, func() { pl.play(full) })
	if n > 8 {
		t.Errorf("%v allocations for a connection", n)
	}
	// More packets of the same connection cost nothing.
	more := []prototest.Part{c(hello), c(initial(packetSpec{version: v1, dcid: dcid, scid: scid, number: 1, frames: []byte{1}})),
		c(initial(packetSpec{version: v1, dcid: dcid, scid: scid, number: 2, frames: []byte{1}})), full[1]}
	pl.play(more)
	if m := testing.AllocsPerRun(100, func() { pl.play(more) }); m != n {
		t.Errorf("%v allocations with two packets more, %v without", m, n)
	}
	google := []prototest.Part{c(googleHello("Q046"))}
	pl.play(google)
	if n := testing.AllocsPerRun(100, func() { pl.play(google) }); n != 0 {
		t.Errorf("Q046: %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { probe(packet.ToServer, hello) }); n != 0 {
		t.Errorf("probe: %v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) {
	hello := first(v1, cryptoFrame(0, clientHello("cam.example")))
	for name, parts := range map[string][]prototest.Part{
		"client": {c(hello)}, "both": {c(hello), s(answer(v1, dcid, cryptoFrame(0, serverHello())))},
	} {
		b.Run(name, func(b *testing.B) {
			pl := newPlayer()
			b.ReportAllocs()
			for b.Loop() {
				pl.play(parts)
			}
		})
	}
}

// FuzzParse reads hostile datagrams: as they are, and as the frames of packets
// that open.
func FuzzParse(f *testing.F) {
	hello := cryptoFrame(0, clientHello("cam.example"))
	f.Add(uint32(v1), first(v1, hello), hello)
	f.Add(uint32(v2), first(v2, hello), cat(pieces(clientHello("a"), 9)...))
	f.Add(uint32(q050), googleHello("Q046"), cryptoFrame(0, chlo("SNI", "a")))
	f.Add(uint32(mvfst22), googleHello("Q039"), []byte{3, 5, 3, 0, 2, 1, 1, 1, 0x1c, 0, 0, 0})
	f.Fuzz(func(t *testing.T, version uint32, raw, frames []byte) {
		look := prototest.Options{Conn: proto.Conn{Transport: proto.UDP}, OnTx: func(tx proto.Tx, _ bool) {
			for _, b := range Protocol.Buffers {
				b.Get(tx, 0)
			}
		}}
		parts := []prototest.Part{c(raw), s(raw)}
		if suiteOf(version) != nil && len(frames) < 16000 {
			half := len(frames) / 2
			parts = append(parts, c(initial(packetSpec{version: version, dcid: dcid, scid: scid, frames: frames[:half]})),
				c(initial(packetSpec{version: version, dcid: dcid, scid: scid, number: 1, frames: frames[half:]})),
				s(answer(version, dcid, frames)))
		}
		for _, pt := range parts {
			probe(pt.Dir, pt.Data)
		}
		r := prototest.Drive(Protocol, look, parts...)
		if r.Done > 1 || r.Err != nil {
			t.Fatalf("%+v", r)
		}
	})
}
