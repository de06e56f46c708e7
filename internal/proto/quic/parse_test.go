package quic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var (
	dcid = []byte{1, 2, 3, 4, 5, 6, 7, 8}
	scid = []byte{9, 9, 9, 9}
	ssid = []byte{7, 7, 7, 7, 7}
)

func drive(parts ...prototest.Part) prototest.Result {
	return prototest.Drive(Protocol, prototest.Options{Conn: proto.Conn{Transport: proto.UDP}}, parts...)
}

func first(v uint32, frames []byte) []byte {
	return initial(packetSpec{version: v, dcid: dcid, scid: scid, frames: frames, pad: 1200})
}

// answer is the server's first Initial, whose keys follow from key.
func answer(v uint32, key, frames []byte) []byte {
	return initial(packetSpec{version: v, key: key, dcid: scid, scid: ssid, server: true, frames: frames})
}

// pieces cuts a message into CRYPTO frames of n bytes.
func pieces(m []byte, n int) (out [][]byte) {
	off := 0
	for p := range slices.Chunk(m, n) {
		out = append(out, cryptoFrame(off, p))
		off += len(p)
	}
	return out
}

func TestVersionsOpen(t *testing.T) {
	hello := cryptoFrame(0, clientHello("cam.example"))
	for _, v := range []uint32{v1, v2, v2Draft, 0xff000016, 0xff000017, 0xff00001b, 0xff00001c, 0xff00001d, 0xff000020, 0xff000021, 0xff000022,
		mvfst22, mvfst27, mvfstExp, q050, t050, t051} {
		a := first(v, hello)
		r := drive(c(a), s(answer(v, dcid, cat([]byte{2, 0, 0, 0, 0}, cryptoFrame(0, serverHello())))))
		want := []string{`"version":"` + string(appendVersion(nil, v)) + `"`, `"sni":"cam.example"`, `"ja4":"q13d0105h3_`, `"ja3s":{`}
		for _, w := range want {
			if !r.Finished || r.Done != 1 || r.Emits != 3 || r.Err != nil || !strings.Contains(r.Joined(), w) {
				t.Errorf("%08x: %+v", v, r)
				break
			}
		}
		if m := probe(packet.ToServer, a); m != proto.Yes {
			t.Errorf("%08x: probe says %v", v, m)
		}
	}
}

// The ClientHello comes in one order or another, in one packet or several, in
// one datagram or several, with other frames between, some of it twice.
func TestScatteredHello(t *testing.T) {
	hello := clientHello("a-host-with-a-fairly-long-name.cam.example")
	between := [][]byte{{0}, {1}, {0, 0, 0}, {2, 5, 3, 1, 2, 1, 1}, {3, 5, 3, 0, 2, 1, 1, 1}}
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		fr := pieces(hello, 1+rnd.IntN(40))
		if len(fr) > maxSpans {
			fr = pieces(hello, 20)
		}
		fr = append(fr, fr[rnd.IntN(len(fr))])
		rnd.Shuffle(len(fr), func(i, j int) { fr[i], fr[j] = fr[j], fr[i] })
		var parts []prototest.Part
		var frames, dgram []byte
		num := 0
		flush := func() {
			if len(frames) > 0 {
				dgram = append(dgram, initial(packetSpec{version: v1, dcid: dcid, scid: scid, number: num, frames: frames})...)
				frames = nil
				num++
			}
		}
		for _, f := range fr {
			frames = cat(frames, f, between[rnd.IntN(len(between))])
			switch rnd.IntN(6) {
			case 0:
				flush()
			case 1:
				flush()
				parts = append(parts, c(dgram, long(v1, typeZeroRTT, dcid, scid, 40)))
				dgram = nil
			}
		}
		flush()
		parts = append(parts, c(dgram))
		r := drive(parts...)
		if r.Emits != 2 || len(r.Anomalies) > 0 || !strings.Contains(r.Joined(), "a-host-with-a-fairly-long-name.cam.example") {
			t.Fatalf("seed %d: %+v", seed, r)
		}
	}
}

func TestOpenings(t *testing.T) {
	hello := cryptoFrame(0, clientHello("cam.example"))
	other := cryptoFrame(0, clientHello("other.example"))
	sh := cryptoFrame(0, serverHello())
	retry := cat([]byte{0xf0}, []byte{0, 0, 0, 1, 4}, scid, []byte{8}, []byte("retrycid"), []byte("token"), noise(16))
	negotiation := cat([]byte{0x8a, 0, 0, 0, 0, 4}, scid, []byte{8}, dcid, []byte{0, 0, 0, 1, 0xff, 0, 0, 29})
	short := cat([]byte{0x41}, noise(60))
	odd := uint32(0x1a2a3a4a)
	for _, x := range []struct {
		name     string
		parts    []prototest.Part
		emits    int
		finished bool
		want     string
		not      string
	}{
		{"retry, client goes on with the new id", []prototest.Part{c(first(v1, hello)), s(retry),
			c(initial(packetSpec{version: v1, dcid: []byte("retrycid"), scid: scid, token: []byte("token"), number: 1, frames: hello})),
			s(answer(v1, []byte("retrycid"), sh))}, 3, true, `"ja3s"`, ""},
		{"retry, its first Initial lost", []prototest.Part{s(retry),
			c(initial(packetSpec{version: v1, dcid: []byte("retrycid"), scid: scid, token: []byte("token"), number: 1, frames: hello}))}, 2, false, `"cam.example"`, ""},
		{"second flight under the server's id", []prototest.Part{c(first(v1, pieces(clientHello("cam.example"), 60)[0])),
			s(answer(v1, dcid, []byte{2, 0, 0, 0, 0})),
			c(initial(packetSpec{version: v1, key: dcid, dcid: ssid, scid: scid, number: 1, frames: cat(pieces(clientHello("cam.example"), 60)[1:]...)}))},
			2, false, `"cam.example"`, ""},
		{"forced negotiation", []prototest.Part{c(initial(packetSpec{version: odd, suite: &suite29, dcid: dcid, scid: scid, frames: hello, pad: 1200})),
			s(negotiation), c(first(v1, other)), s(answer(v1, dcid, sh))}, 4, true, `"version":"1","sni":"other.example"`, ""},
		{"forced negotiation, nothing follows", []prototest.Part{c(initial(packetSpec{version: odd, suite: &suite1, dcid: dcid, scid: scid, frames: hello, pad: 1200})),
			s(negotiation)}, 2, false, `"version":"1a2a3a4a","sni":"cam.example"`, ""},
		{"sides exchanged", []prototest.Part{s(first(v1, hello)), c(answer(v1, dcid, sh))}, 3, true, `"cam.example"`, ""},
		{"server only", []prototest.Part{s(answer(v1, dcid, sh)), s(long(v1, typeHandshake, scid, ssid, 100)), s(short)}, 1, false, `"quic":{"version":"1"}`, ""},
		{"version 2 picks its own types", []prototest.Part{c(first(v2, hello), long(v2, 2, dcid, scid, 40))}, 2, false, `"cam.example"`, ""},
		{"refused", []prototest.Part{c(first(v1, hello)), s(answer(v1, dcid, []byte{frameClose, 0x41, 0x28, 0, 0}))}, 2, true, `"cam.example"`, "ja3s"},
		{"both beyond", []prototest.Part{c(first(v1, hello)), s(long(v1, typeHandshake, scid, ssid, 100)), c(short)}, 2, true, `"cam.example"`, ""},
		{"short headers only", []prototest.Part{c(short), s(short)}, 0, true, "", "quic"},
		{"not ours", []prototest.Part{c(first(v1, hello)[:40]), s([]byte{0xc0}), c([]byte{0x80, 1})}, 0, false, "", "quic"},
		{"changed on the way", []prototest.Part{c(append(first(v1, hello)[:1199], 0))}, 1, false, `"version":"1"`, "sni"},
	} {
		r := drive(x.parts...)
		if r.Err != nil || r.Emits != x.emits || r.Finished != x.finished || len(r.Anomalies) > 0 || r.Done > 1 ||
			!strings.Contains(r.Joined(), x.want) || x.not != "" && strings.Contains(r.Joined(), x.not) {
			t.Errorf("%s: %+v", x.name, r)
		}
	}
}

func TestFrames(t *testing.T) {
	// One of each, RFC 9000 section 19, in the order of their types.
	one := [][]byte{{0}, {1}, {2, 9, 1, 1, 2, 3, 4}, {3, 9, 1, 0, 2, 1, 1, 1}, {4, 1, 2, 3}, {5, 1, 2}, {7, 2, 8, 8}, {0x0a, 4, 2, 8, 8},
		{0x0e, 4, 1, 2, 8, 8}, {0x10, 0x40, 1}, {0x11, 1, 2}, {0x12, 3}, {0x13, 3}, {0x14, 1}, {0x15, 1, 2}, {0x16, 3}, {0x17, 3},
		cat([]byte{0x18, 1, 0, 4, 1, 2, 3, 4}, make([]byte, 16)), {0x19, 1}, cat([]byte{0x1a}, make([]byte, 8)), cat([]byte{0x1b}, make([]byte, 8)),
		{0x1c, 1, 6, 2, 'n', 'o'}, {0x1d, 1, 1, '!'}, {0x1e}}
	got := ""
	see := func(off uint64, data []byte) { got += fmt.Sprint(off, string(data)) }
	all := cat(cat(one...), cryptoFrame(70, []byte("x")))
	if closed, ok := walk(all, false, see); !ok || !closed || got != "70x" {
		t.Errorf("closed %v, ok %v, saw %q", closed, ok, got)
	}
	for _, f := range one {
		for n := 1; n < len(f); n++ {
			if _, ok := walk(f[:n], false, see); ok {
				t.Errorf("frame %#x cut to %d bytes is whole", f[0], n)
			}
		}
	}
	got = ""
	for _, f := range [][]byte{{0x08, 1, 'r', 'e', 's', 't'}, {0x0c, 1, 2, 'r'}} { // STREAM without length: to the end
		if _, ok := walk(cat(f, cryptoFrame(0, []byte("no"))), false, see); !ok || got != "" {
			t.Errorf("frame %#x: ok %v, saw %q", f[0], ok, got)
		}
	}
	if _, ok := walk(cat([]byte{googleCrypto}, vi(3), vi(1), []byte("g")), true, see); !ok || got != "3g" {
		t.Errorf("Google's CRYPTO: %v %q", ok, got)
	}
	for name, f := range map[string][]byte{"unknown": {0x1f}, "far": {0x40, 0x52}, "ranges": cat([]byte{2, 9, 1}, vi(maxRanges+1), make([]byte, 3*maxRanges))} {
		if _, ok := walk(f, false, see); ok {
			t.Errorf("%s: walked", name)
		}
	}
}

// cryptoStream against a map of bytes.
func TestCryptoOracle(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		var cs cryptoStream
		want := map[int]byte{}
		for range 60 {
			off, n := rnd.IntN(300), rnd.IntN(30)
			data := make([]byte, n)
			for i := range data {
				data[i] = byte(rnd.Uint32())
			}
			if !cs.add(uint64(off), data) {
				t.Fatalf("seed %d: refused", seed)
			}
			for i, b := range data {
				if _, ok := want[off+i]; !ok { // the first wins
					want[off+i] = b
				}
			}
			n = 0
			for ; ; n++ {
				if _, ok := want[n]; !ok {
					break
				}
			}
			got := cs.ready()
			if len(got) != n {
				t.Fatalf("seed %d: %d bytes ready, want %d", seed, len(got), n)
			}
			for i := range got {
				if got[i] != want[i] {
					t.Fatalf("seed %d: byte %d differs", seed, i)
				}
			}
		}
	}
}

func TestLimits(t *testing.T) {
	var cs cryptoStream
	if cs.add(maxCrypto-1, []byte{1, 2}) || !cs.add(maxCrypto-2, []byte{1, 2}) || cs.add(1<<62, []byte{1}) {
		t.Error("maxCrypto")
	}
	cs.reset()
	for i := range maxSpans {
		if !cs.add(uint64(2*i+1), []byte{1}) {
			t.Fatalf("stretch %d refused", i)
		}
	}
	if cs.add(2*maxSpans+1, []byte{1}) {
		t.Error("maxSpans")
	}
	if !cs.add(2, []byte{1}) { // joins two
		t.Error("a piece that fits is refused at maxSpans")
	}

	r := drive(c(first(v1, cryptoFrame(maxCrypto, []byte("x")))))
	if !slices.Equal(r.Anomalies, []string{"crypto_limit"}) {
		t.Errorf("beyond maxCrypto: %+v", r)
	}
	if r = drive(c(first(v1, []byte{0x1f}))); !slices.Equal(r.Anomalies, []string{"malformed_frame"}) {
		t.Errorf("unknown frame: %+v", r)
	}
	if r = drive(c(first(v1, cryptoFrame(0, []byte{1, 0, 0, 3, 3, 3, 0})))); !slices.Equal(r.Anomalies, []string{"malformed_client_hello"}) {
		t.Errorf("short hello: %+v", r)
	}

	// Packets that never open cost a bounded number of keys and datagrams.
	p := &parser{}
	conn := proto.Conn{Transport: proto.UDP, OnTx: func(proto.Tx, bool) {}, OnAnomaly: func(string) {}}
	bad := first(v1, cryptoFrame(0, clientHello("x")))
	bad[1199] ^= 1
	for i := range maxDatagrams + 1 {
		if p.tries > maxTries {
			t.Fatalf("%d keys derived", p.tries)
		}
		if conn.Finished() {
			t.Fatalf("finished after %d datagrams", i)
		}
		p.Parse(&conn, packet.ToServer, bad)
	}
	if !conn.Finished() || p.tries != maxTries {
		t.Errorf("finished %v, %d keys", conn.Finished(), p.tries)
	}
	// Many packets in one datagram.
	var many []byte
	for range 100 {
		many = append(many, long(v1, typeZeroRTT, dcid, scid, 20)...)
	}
	if r := drive(c(many, first(v1, cryptoFrame(0, clientHello("late"))))); strings.Contains(r.Joined(), "late") {
		t.Errorf("more than maxCoalesced packets read")
	}
}

func TestProbe(t *testing.T) {
	hello := cryptoFrame(0, clientHello("cam.example"))
	for _, x := range []struct {
		name string
		d    packet.Dir
		b    []byte
		want proto.Match
	}{
		{"short packet, server", packet.ToClient, cat([]byte{0x55}, noise(1250)), proto.Weak},
		{"short packet, client", packet.ToServer, cat([]byte{0x55}, noise(1250)), proto.No},
		{"short packet, small", packet.ToClient, cat([]byte{0x55}, noise(100)), proto.No},
		{"short packet, text", packet.ToClient, []byte(strings.Repeat("HTTP/1.1 200 OK and so on. ", 60)), proto.No},
		{"short packet, zeros", packet.ToClient, cat([]byte{0x55}, make([]byte, 1250)), proto.No},
		{"RTP", packet.ToServer, cat([]byte{0x80, 0x60, 0, 1}, noise(160)), proto.No},
		{"STUN", packet.ToServer, cat([]byte{0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42}, noise(20)), proto.No},
		{"DTLS", packet.ToServer, cat([]byte{22, 0xfe, 0xff}, noise(60)), proto.No},
		{"DNS", packet.ToServer, []byte("\xc1\x23\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x00\x00\x01\x00\x01"), proto.No},
		{"version 1, not fixed", packet.ToServer, cat([]byte{0x80, 0, 0, 0, 1, 8}, dcid, []byte{0, 0, 0x41, 0}, noise(256)), proto.Weak},
		{"version 1, ids too long", packet.ToServer, cat([]byte{0xc0, 0, 0, 0, 1, 21}, noise(200)), proto.No},
		{"version 1, longer than it is", packet.ToServer, first(v1, hello)[:1000], proto.No},
		{"version 1", packet.ToServer, first(v1, hello), proto.Yes},
		{"handshake", packet.ToClient, long(v1, typeHandshake, scid, ssid, 60), proto.Yes},
		{"retry", packet.ToClient, cat([]byte{0xf0, 0, 0, 0, 1, 0, 4}, ssid[:4], noise(30)), proto.Yes},
		{"negotiation", packet.ToClient, cat([]byte{0x80, 0, 0, 0, 0, 4}, scid, []byte{0, 0, 0, 0, 1}), proto.Yes},
		{"negotiation of unknown versions", packet.ToClient, cat([]byte{0x80, 0, 0, 0, 0, 4}, scid, []byte{0, 9, 9, 9, 9}), proto.Weak},
		{"negotiation without ids", packet.ToClient, []byte{0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, proto.No},
		{"forced negotiation", packet.ToServer, initial(packetSpec{version: 0x2a3a4a5a, suite: &suite1, dcid: dcid, frames: hello, pad: 1200}), proto.Yes},
		{"unknown version", packet.ToServer, initial(packetSpec{version: 0x12345678, suite: &suite1, dcid: dcid, frames: hello, pad: 1200}), proto.Weak},
		{"unknown version, small", packet.ToServer, initial(packetSpec{version: 0x12345678, suite: &suite1, dcid: dcid, frames: hello}), proto.No},
		{"Q043", packet.ToServer, cat([]byte{0x0d}, dcid, []byte("Q043"), noise(40)), proto.Yes},
		{"Q043 cut within the packet number", packet.ToServer, cat([]byte{0x3d}, dcid, []byte("Q043"), noise(5)), proto.No},
		{"Q046", packet.ToServer, cat([]byte{0xc3}, []byte("Q046"), []byte{0x50}, dcid, noise(40)), proto.Yes},
		{"Q046 cut", packet.ToServer, cat([]byte{0xc3}, []byte("Q046"), []byte{0x50}, dcid), proto.No},
		{"seven bytes", packet.ToServer, []byte{0xc0, 0, 0, 0, 1, 0, 0}, proto.No},
		{"nothing", packet.ToServer, nil, proto.No},
	} {
		if got := probe(x.d, x.b); got != x.want {
			t.Errorf("%s: %v, want %v", x.name, got, x.want)
		}
	}
	// Random datagrams are never taken for QUIC for certain.
	rnd := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 1300)
	for range 20000 {
		for i := range 40 {
			b[i] = byte(rnd.Uint32())
		}
		if probe(packet.Dir(rnd.IntN(2)), b[:rnd.IntN(len(b))]) == proto.Yes {
			t.Fatalf("%x", b[:40])
		}
	}
}

func TestBuffers(t *testing.T) {
	got := map[string]string{}
	collect := prototest.Options{Conn: proto.Conn{Transport: proto.UDP}, OnTx: func(tx proto.Tx, _ bool) {
		for _, b := range Protocol.Buffers {
			if v, ok := b.Get(tx, 0); ok {
				got[b.Name] = string(v)
			}
			if _, ok := b.Get(tx, 1); ok {
				t.Errorf("%s has two values", b.Name)
			}
			if _, ok := b.Get(other{}, 0); ok {
				t.Errorf("%s of a foreign transaction", b.Name)
			}
		}
	}}
	prototest.Drive(Protocol, collect, c(first(v1, cryptoFrame(0, clientHello("cam.example")))), s(answer(v1, dcid, cryptoFrame(0, serverHello()))))
	prototest.Drive(Protocol, collect, c(googleHello("Q046")))
	for k, w := range map[string]string{"quic.version": "Q046", "quic.sni": "cam.example", "quic.ua": "Toaster/1", "quic.cyu.string": "46,PAD-SNI-UAID",
		"ja3.string": "771,4865,0-16-43-13-57,,", "ja3s.string": "771,4865,43", "tls.alpn": "h3"} {
		if got[k] != w {
			t.Errorf("%s: %q, want %q", k, got[k], w)
		}
	}
	for _, b := range Protocol.Buffers {
		if got[b.Name] == "" {
			t.Errorf("%s has no value", b.Name)
		}
	}
}

// TestVersionBuffer: both sides say the version, as rules have it in bytes.
func TestVersionBuffer(t *testing.T) {
	var got []string
	o := prototest.Options{Conn: proto.Conn{Transport: proto.UDP}, OnTx: func(tx proto.Tx, done bool) {
		for _, b := range Protocol.Buffers {
			if v, ok := b.Get(tx, 0); ok && done && b.Name == "quic.version" {
				got = append(got, fmt.Sprintf("%d %x", b.Dir, v))
			}
		}
	}}
	prototest.Drive(Protocol, o, c(first(v2, cryptoFrame(0, clientHello("cam.example")))), s(answer(v2, dcid, cryptoFrame(0, serverHello()))))
	prototest.Drive(Protocol, o, c(first(v1, cryptoFrame(0, clientHello("cam.example")))))
	if s := strings.Join(got, ", "); s != "0 6b3343cf, 1 6b3343cf, 0 00000001" {
		t.Error(s)
	}
}

type other struct{}

func (other) EventType() event.Type    { return "" }
func (other) EncodeEVE(*event.Encoder) {}
