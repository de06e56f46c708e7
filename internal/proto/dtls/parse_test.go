package dtls

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
	"github.com/yamori-net/yamori/internal/proto/tls"
)

func cat(bs ...[]byte) []byte {
	var out []byte
	for _, b := range bs {
		out = append(out, b...)
	}
	return out
}

func u16(v int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(v)) }

func b24(v int) []byte { return []byte{byte(v >> 16), byte(v >> 8), byte(v)} }

// rec encodes a record of DTLS 1.2.
func rec(typ byte, epoch, seq int, body []byte) []byte {
	return cat([]byte{typ, 0xfe, 0xfd}, u16(epoch), []byte{0, 0, 0, 0}, u16(seq), u16(len(body)), body)
}

// frag encodes the bytes from off on, n of them, of a handshake message.
func frag(typ byte, seq int, body []byte, off, n int) []byte {
	return cat([]byte{typ}, b24(len(body)), u16(seq), b24(off), b24(n), body[off:off+n])
}

func whole(typ byte, seq int, body []byte) []byte { return frag(typ, seq, body, 0, len(body)) }

func clientHello(cookie string, name string) []byte {
	sni := cat([]byte{0}, u16(len(name)), []byte(name))
	exts := cat(u16(0), u16(2+len(sni)), u16(len(sni)), sni)
	return cat([]byte{0xfe, 0xfd}, make([]byte, 32), []byte{0, byte(len(cookie))}, []byte(cookie), []byte{0, 2, 0xc0, 0x2f, 1, 0}, u16(len(exts)), exts)
}

func serverHello() []byte {
	return cat([]byte{0xfe, 0xfd}, make([]byte, 32), []byte{0, 0xc0, 0x2f, 0})
}

func c(b ...[]byte) prototest.Part { return prototest.Part{Dir: packet.ToServer, Data: cat(b...)} }
func s(b ...[]byte) prototest.Part { return prototest.Part{Dir: packet.ToClient, Data: cat(b...)} }

func drive(parts ...prototest.Part) prototest.Result {
	return prototest.Drive(Protocol, prototest.Options{Conn: proto.Conn{Transport: proto.UDP}}, parts...)
}

func TestHandshakes(t *testing.T) {
	hello := rec(recHandshake, 0, 0, whole(1, 0, clientHello("", "cam.example")))
	verify := rec(recHandshake, 0, 0, whole(3, 0, cat([]byte{0xfe, 0xff, 3}, []byte("abc"))))
	again := rec(recHandshake, 0, 1, whole(1, 1, clientHello("abc", "cam.example")))
	sh := whole(2, 1, serverHello())
	rest := cat(whole(12, 3, []byte{1, 2, 3}), whole(14, 4, nil))
	ccs := rec(recChangeCipher, 0, 9, []byte{1})
	fin := rec(recHandshake, 1, 0, make([]byte, 48))
	data := rec(recData, 1, 1, make([]byte, 60))
	unified := cat([]byte{0x2f}, make([]byte, 40))
	stun := cat([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}, make([]byte, 12))
	rtp := cat([]byte{0x80, 0x60, 0, 1}, make([]byte, 100))
	sh13 := cat([]byte{0xfe, 0xfd}, make([]byte, 32), []byte{0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 0xfe, 0xfc})
	for _, x := range []struct {
		name     string
		parts    []prototest.Part
		emits    int
		finished bool
		want     string
		not      string
	}{
		{"cookie", []prototest.Part{c(hello), s(verify), c(again), s(rec(22, 0, 1, cat(sh, rest))), c(ccs, fin), s(ccs, fin)}, 3, true, `"sni":"cam.example","version":"DTLS 1.2"`, "resumed"},
		{"sent again", []prototest.Part{c(hello), c(hello), c(hello), s(rec(22, 0, 1, cat(sh, rest))), s(rec(22, 0, 2, cat(sh, rest))), c(data), s(data)}, 3, true, `"DTLS 1.2"`, "resumed"},
		{"among STUN and RTP", []prototest.Part{c(stun), s(stun), c(hello), c(rtp), s(rec(22, 0, 1, cat(sh, rest))), c(ccs), s(ccs), c(rtp)}, 3, true, `"cam.example"`, ""},
		{"DTLS 1.3", []prototest.Part{c(hello), s(rec(22, 0, 1, whole(2, 0, sh13)), unified), c(unified)}, 3, true, `"version":"DTLS 1.3"`, ""},
		{"server only", []prototest.Part{s(rec(22, 0, 1, cat(sh, rest))), s(ccs)}, 2, false, `"DTLS 1.2"`, "ja4"},
		{"refused", []prototest.Part{c(hello), s(rec(recAlert, 0, 0, []byte{2, 40}))}, 2, true, `"cam.example"`, ""},
		{"connection ids", []prototest.Part{c(cat([]byte{recCID, 0xfe, 0xfd}, make([]byte, 40))), s(cat([]byte{recCID, 0xfe, 0xfd}, make([]byte, 40)))}, 0, true, "", "tls"},
		{"midway", []prototest.Part{c(data), s(data)}, 0, true, "", "tls"},
		{"nothing of it", []prototest.Part{c(stun), s(rtp)}, 0, false, "", "tls"},
	} {
		r := drive(x.parts...)
		if r.Err != nil || r.Emits != x.emits || r.Finished != x.finished || len(r.Anomalies) > 0 || r.Done > 1 ||
			!strings.Contains(r.Joined(), x.want) || x.not != "" && strings.Contains(r.Joined(), x.not) {
			t.Errorf("%s: %+v", x.name, r)
		}
	}
}

// A hello in fragments of any size, order, overlap and repetition is one hello.
func TestFragments(t *testing.T) {
	body := clientHello("a cookie", "a-host-with-a-long-name.cam.example")
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var frags [][]byte
		size := 4 + rnd.IntN(60)
		for off := 0; off < len(body); off += size {
			from := max(0, off-rnd.IntN(5))
			frags = append(frags, frag(1, 0, body, from, min(off+size, len(body))-from))
		}
		frags = append(frags, frags[rnd.IntN(len(frags))])
		rnd.Shuffle(len(frags), func(i, j int) { frags[i], frags[j] = frags[j], frags[i] })
		var parts []prototest.Part
		for i := 0; i < len(frags); {
			n := min(1+rnd.IntN(3), len(frags)-i)
			if rnd.IntN(2) == 0 { // several in one record, or a record each in one datagram
				parts = append(parts, c(rec(22, 0, i, cat(frags[i:i+n]...))))
			} else {
				var d []byte
				for _, f := range frags[i : i+n] {
					d = append(d, rec(22, 0, i, f)...)
				}
				parts = append(parts, c(d))
			}
			i += n
		}
		r := drive(parts...)
		if r.Emits != 2 || len(r.Anomalies) > 0 || !strings.Contains(r.Joined(), "a-host-with-a-long-name.cam.example") {
			t.Fatalf("seed %d: %+v", seed, r)
		}
	}
}

// The first data for a place wins.
func TestOverlap(t *testing.T) {
	good, bad := clientHello("", "good.example"), clientHello("", "evil.example")
	n := len(good)
	r := drive(c(rec(22, 0, 0, frag(1, 0, good, n-20, 20))), c(rec(22, 0, 1, frag(1, 0, bad, n-30, 29))), c(rec(22, 0, 2, frag(1, 0, good, 0, n-30))))
	if !strings.Contains(r.Joined(), "good.example") {
		t.Errorf("%+v", r)
	}
}

func TestLimits(t *testing.T) {
	body := make([]byte, 4000)
	// A stretch in each second byte leaves more holes than are kept.
	var parts []prototest.Part
	for i := range maxHoles {
		parts = append(parts, c(rec(22, 0, i, frag(1, 0, body, 2*i+1, 1))))
	}
	if r := drive(parts[:maxHoles-1]...); len(r.Anomalies) != 0 {
		t.Errorf("at maxHoles: %v", r.Anomalies)
	}
	if r := drive(parts...); !slices.Equal(r.Anomalies, []string{"too_many_fragments"}) {
		t.Errorf("beyond maxHoles: %v", r.Anomalies)
	}
	parts = parts[:0]
	for i := range maxPending + 1 {
		parts = append(parts, c(rec(22, 0, i, frag(1, i, body, 0, 100))))
	}
	if r := drive(parts[:maxPending]...); len(r.Anomalies) != 0 {
		t.Errorf("at maxPending: %v", r.Anomalies)
	}
	// A message in fragments is still read beyond the limit: the oldest gives way.
	hello := clientHello("", "cam.example")
	parts = append(parts, c(rec(22, 0, 0, frag(1, 9, hello, 0, 30))), c(rec(22, 0, 0, frag(1, 9, hello, 30, len(hello)-30))))
	r := drive(parts...)
	if !slices.Equal(r.Anomalies, []string{"too_many_fragmented_messages", "too_many_fragmented_messages"}) || !strings.Contains(r.Joined(), "cam.example") {
		t.Errorf("beyond maxPending: %+v", r)
	}
	long := cat([]byte{1}, b24(tls.MaxHandshake+1), []byte{0, 0, 0, 0, 0}, b24(4), []byte{1, 2, 3, 4})
	if r := drive(c(rec(22, 0, 0, long))); !slices.Equal(r.Anomalies, []string{"handshake_too_long"}) {
		t.Errorf("beyond MaxHandshake: %v", r.Anomalies)
	}
	parts = parts[:0]
	for range maxDatagrams {
		parts = append(parts, c([]byte{0, 1}))
	}
	if drive(parts...).Finished || !drive(append(parts, c([]byte{0, 1}))...).Finished {
		t.Error("maxDatagrams")
	}
	var many []byte
	for i := range maxRecords {
		many = append(many, rec(22, 0, i, nil)...)
	}
	if r := drive(c(many, rec(22, 0, 99, whole(1, 0, hello)))); r.Emits != 0 {
		t.Errorf("more than maxRecords read: %+v", r)
	}
}

func TestProbe(t *testing.T) {
	hello := rec(22, 0, 0, whole(1, 0, clientHello("", "cam.example")))
	for _, x := range []struct {
		name string
		b    []byte
		want proto.Match
	}{
		{"hello", hello, proto.Yes},
		{"two records", cat(hello, hello), proto.Yes},
		{"data of a later epoch", rec(recData, 1, 5, make([]byte, 30)), proto.Yes},
		{"alert", rec(recAlert, 0, 0, []byte{2, 40}), proto.Yes},
		{"ChangeCipherSpec", rec(recChangeCipher, 0, 0, []byte{1}), proto.Yes},
		{"ChangeCipherSpec of OpenSSL 0.9.8e", cat([]byte{20, 1, 0}, make([]byte, 8), []byte{0, 3, 1, 0, 1}), proto.Yes},
		{"connection id", cat([]byte{recCID, 0xfe, 0xfd}, make([]byte, 30)), proto.Weak},
		{"ACK", rec(recACK, 0, 0, []byte{0, 0}), proto.Weak},
		{"epoch of a thousand", rec(recData, 1000, 5, make([]byte, 30)), proto.Weak},
		{"cut", hello[:len(hello)-1], proto.No},
		{"header only", hello[:recordHeader], proto.No},
		{"data in the clear", rec(recData, 0, 0, make([]byte, 30)), proto.No},
		{"text behind a record", cat(hello, []byte("and some text")), proto.No},
		{"another version behind a record", cat(hello, []byte{22, 3, 1}, make([]byte, 20)), proto.No},
		{"fragment beyond its message", rec(22, 0, 0, cat([]byte{1}, b24(5), []byte{0, 0}, b24(4), b24(2), []byte{1, 2})), proto.No},
		{"alert of level 5", rec(recAlert, 0, 0, []byte{5, 40}), proto.No},
		{"ChangeCipherSpec of 2", rec(recChangeCipher, 0, 0, []byte{2}), proto.No},
		{"TLS", []byte{22, 3, 1, 0, 50, 1, 0, 0, 46, 3, 3, 0, 0, 0, 0}, proto.No},
		{"STUN", cat([]byte{0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42}, make([]byte, 20)), proto.No},
		{"RTP", cat([]byte{0x80, 0x60, 0, 1}, make([]byte, 100)), proto.No},
		{"QUIC", cat([]byte{0xc0, 0, 0, 0, 1, 8}, make([]byte, 100)), proto.No},
		{"nothing", nil, proto.No},
	} {
		if got := probe(packet.ToServer, x.b); got != x.want {
			t.Errorf("%s: %v, want %v", x.name, got, x.want)
		}
	}
}

type player struct {
	p parser
	c proto.Conn
}

func (pl *player) play(parts []prototest.Part) {
	pl.p.Reset()
	pl.c.Reset()
	for _, pt := range parts {
		pl.p.Parse(&pl.c, pt.Dir, pt.Data)
	}
	pl.p.End(&pl.c)
}

func benchParts() []prototest.Part {
	h := clientHello("", "cam.example")
	return []prototest.Part{c(rec(22, 0, 0, frag(1, 0, h, 0, 40))), c(rec(22, 0, 1, frag(1, 0, h, 40, len(h)-40))), s(rec(22, 0, 0, whole(2, 0, serverHello())))}
}

func newPlayer() *player {
	pl := &player{}
	pl.c.OnAnomaly = func(string) {}
	pl.c.OnTx = func(tx proto.Tx, _ bool) { tx.(*tls.Tx).JA4(&tx.(*tls.Tx).Hello, tls.OverDTLS) }
	return pl
}

func TestAllocs(t *testing.T) {
	pl, parts := newPlayer(), benchParts()
	pl.play(parts)
	if n := testing.AllocsPerRun(100, func() { pl.play(parts) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) {
	pl, parts := newPlayer(), benchParts()
	b.ReportAllocs()
	for b.Loop() {
		pl.play(parts)
	}
}

func FuzzParse(f *testing.F) {
	for _, p := range benchParts() {
		f.Add(p.Data, p.Data)
	}
	f.Add(cat(rec(20, 0, 0, []byte{1}), rec(23, 1, 1, make([]byte, 9))), rec(21, 0, 0, []byte{2, 40}))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		probe(packet.ToServer, a)
		probe(packet.ToClient, b)
		if r := drive(c(a), s(b), c(b), s(a)); r.Done > 1 || r.Err != nil {
			t.Fatalf("%+v", r)
		}
	})
}
