package tls

import (
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// player drives one parser over and over without memory of its own.
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
		if _, err := pl.p.Parse(&pl.c, pt.Dir, pt.Data); err != nil {
			panic(err)
		}
	}
	pl.p.End(&pl.c)
}

// bigChain is a chain as public sites send it: two certificates of about
// 1.5 kB.
func bigChain() []byte {
	pad := make([][]byte, 40)
	for i := range pad {
		pad[i] = der(0x82, []byte("some-longer-name-of-a-site.example"))
	}
	ct := cert([]byte{1, 2, 3, 4, 5, 6, 7, 8}, rdn("\x55\x04\x03", 12, "ca"), rdn("\x55\x04\x03", 12, "www.example.com"), pad...)
	return msg(MsgCertificate, vec24(cat(vec24(ct...), vec24(ct...))...)...)
}

func bigHandshake() []prototest.Part {
	return []prototest.Part{c(hello13), s(rec(22, cat(sh12, bigChain(), rest12)...)), c(rec(22, msg(16, 1)...), ccs, fin), s(ccs, fin)}
}

// A handshake with all its fingerprints and its event costs no allocation once
// the parser's buffers have grown.
func TestAllocs(t *testing.T) {
	for name, parts := range map[string][]prototest.Part{
		"TLS 1.2": bigHandshake(), "TLS 1.3": {c(hello13), s(rec(22, sh13...), ccs, data), c(ccs, data)},
		"segments": prototest.Split(3, c(hello13), s(rec(22, cat(sh12, bigChain(), rest12)...)))[:1],
	} {
		pl := newPlayer()
		pl.play(parts)
		if n := testing.AllocsPerRun(100, func() { pl.play(parts) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// Every getter of every buffer works without allocation.
func TestBufferAllocs(t *testing.T) {
	pl := newPlayer()
	n := 0
	pl.c.OnTx = func(tx proto.Tx, done bool) {
		for i := range Buffers {
			for k := 0; ; k++ {
				if _, ok := Buffers[i].Get(tx, k); !ok {
					break
				}
				n++
			}
		}
	}
	parts := bigHandshake()
	pl.play(parts)
	if a := testing.AllocsPerRun(100, func() { pl.play(parts) }); a != 0 || n == 0 {
		t.Errorf("%v allocations, %d values", a, n)
	}
}

func BenchmarkParse(b *testing.B) {
	for name, parts := range map[string][]prototest.Part{
		"full12": bigHandshake(), "full13": {c(hello13), s(rec(22, sh13...), ccs, data), c(ccs, data)},
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

func BenchmarkProbe(b *testing.B) {
	for b.Loop() {
		probe(packet.ToServer, hello13)
	}
}

func FuzzParse(f *testing.F) {
	for _, parts := range [][]prototest.Part{full12(), bigHandshake()} {
		f.Add(uint64(1), []byte(parts[0].Data), []byte(parts[1].Data))
	}
	f.Add(uint64(2), cat(ccs, data), rec(recAlert, 2, 40))
	f.Add(uint64(3), cat(hello13, ccs, hello12), cat(rec(22, hrr...), rec(22, sh13...)))
	f.Add(uint64(4), cat(u16(0x802e), []byte{1, 3, 1, 0, 0x15, 0, 0, 0, 0x10}, make([]byte, 37)), []byte{0x84, 0, 4})
	f.Fuzz(func(t *testing.T, seed uint64, client, server []byte) {
		look := prototest.Options{OnTx: func(tx proto.Tx, _ bool) {
			for i := range Buffers {
				for k := 0; k < 4; k++ {
					Buffers[i].Get(tx, k)
				}
			}
		}}
		whole := prototest.Drive(Protocol, look, prototest.C(string(client)), prototest.S(string(server)))
		cut := prototest.Split(seed, prototest.C(string(client)), prototest.S(string(server)))
		r := prototest.Drive(Protocol, look, cut...)
		if r.Joined() != whole.Joined() || r.Finished != whole.Finished || (r.Err == nil) != (whole.Err == nil) {
			t.Fatalf("cut differently:\n%+v\n%+v", r, whole)
		}
		if r.Done > 1 || r.Done == 0 && r.Emits > 0 {
			t.Fatalf("%+v", r)
		}
		prototest.Drive(Protocol, prototest.Options{}, prototest.Part{Data: client},
			prototest.Part{Data: server, Gap: int(seed % 70000)})
	})
}
