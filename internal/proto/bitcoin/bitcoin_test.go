package bitcoin

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// message is written from the developer reference, apart from the parser.
func message(magic, command, payload string) string {
	one := sha256.Sum256([]byte(payload))
	two := sha256.Sum256(one[:])
	return magic + command + strings.Repeat("\x00", 12-len(command)) + string(binary.LittleEndian.AppendUint32(nil, uint32(len(payload)))) + string(two[:4]) + payload
}

func version(agent string, services uint64, height uint32) string {
	b := binary.LittleEndian.AppendUint32(nil, 70016)
	b = binary.LittleEndian.AppendUint64(b, services)
	b = binary.LittleEndian.AppendUint64(b, 1767225600)
	b = append(b, make([]byte, 52)...)
	b = append(b, "\x11\x22\x33\x44\x55\x66\x77\x88"...)
	b = append(append(b, byte(len(agent))), agent...)
	return string(append(binary.LittleEndian.AppendUint32(b, height), 1))
}

const (
	mainnet = "\xf9\xbe\xb4\xd9"
	other   = "\x12\x34\x56\x78"
)

var (
	c, s    = prototest.C, prototest.S
	session = []prototest.Part{
		c(message(mainnet, "version", version("/Satoshi:27.0.0/", 1033, 800000))),
		s(message(mainnet, "version", version("/btcwire:0.5.0/btcd:0.24.0/", 9, 799998)) + message(mainnet, "verack", "")),
		c(message(mainnet, "verack", "") + message(mainnet, "ping", "12345678")),
		s(message(mainnet, "block", strings.Repeat("\x01", 5000)) + message(mainnet, "pong", "12345678")),
	}
)

func TestSession(t *testing.T) {
	for seed := range uint64(40) {
		parts := session
		if seed > 0 {
			parts = prototest.Split(seed, parts...)
		}
		var last Tx
		n := 0
		r := prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, done bool) { last, n = *tx.(*Tx), n+1 }}, parts...)
		if r.Err != nil || len(r.Events) > 0 || r.Rest != [2]string{} || n != 3 || r.Done != 1 {
			t.Fatalf("seed %d: %+v, %d", seed, r, n)
		}
		a, b := &last.Peer[0], &last.Peer[1]
		if string(last.Network) != "mainnet" || string(a.Agent()) != "/Satoshi:27.0.0/" || a.Height != 800000 || a.Services != 1033 || a.Version != 70016 || string(b.Agent()) != "/btcwire:0.5.0/btcd:0.24.0/" {
			t.Fatalf("seed %d: %+v", seed, last)
		}
	}
}

func TestProbe(t *testing.T) {
	v := message(other, "version", version("/x/", 0, 1))
	wrong := []byte(v)
	wrong[20] ^= 1
	for _, tt := range []struct {
		in   string
		want proto.Match
	}{
		{"", proto.More}, {mainnet, proto.More}, {mainnet + "ver", proto.More}, {mainnet + "\x00", proto.No}, {"GET ", proto.No}, {"RAVN", proto.More},
		{message(mainnet, "version", version("/x/", 0, 1))[:headerLen], proto.Yes}, {message(mainnet, "inv", "x"), proto.Yes}, {message("RAVN", "verack", ""), proto.Yes},
		{message(mainnet, "nonsense", ""), proto.No}, {message(mainnet, "", "x"), proto.No}, {mainnet + "ver\x00ion\x00\x00\x00\x00\x00" + strings.Repeat("\x00", 8), proto.No},
		{v[:40], proto.More}, {v, proto.Yes}, {string(wrong), proto.No}, {message(other, "ping", "12345678"), proto.No}, {other + "p", proto.No},
		{message(mainnet, "block", "")[:16] + "\xff\xff\xff\xff\x00\x00\x00\x00", proto.No}, {"\x00\x00\x00\x10\xffSMB", proto.No},
	} {
		if got := probe(0, []byte(tt.in)); got != tt.want {
			t.Errorf("%q: %d, want %d", tt.in, got, tt.want)
		}
	}
}

func TestBad(t *testing.T) {
	for name, parts := range map[string][]prototest.Part{
		"another network in between": {session[0], c(message(other, "ping", ""))},
		"no header":                  {session[0], c(strings.Repeat("\x01", 60))},
	} {
		if r := prototest.Drive(Protocol, prototest.Options{}, parts...); r.Err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	var p Peer
	for _, b := range []string{"", version("", 0, 0)[:80], strings.Repeat("\xff", 200)} {
		if p.read([]byte(b)); p.Seen {
			t.Errorf("%d bytes are an introduction", len(b))
		}
	}
	in := s(message(mainnet, "ping", "12345678"))
	in.Gap = 4000
	cut := []prototest.Part{session[0], session[1], s(message(mainnet, "block", strings.Repeat("\x01", 4100))[:headerLen+100]), in}
	if r := prototest.Drive(Protocol, prototest.Options{}, cut...); r.Err != nil {
		t.Error(r.Err)
	}
}

// TestLimits: a long introduction passes unread, and after maxRead messages
// everything passes.
func TestLimits(t *testing.T) {
	var last Tx
	opt := prototest.Options{OnTx: func(tx proto.Tx, _ bool) { last = *tx.(*Tx) }}
	prototest.Drive(Protocol, opt, c(message(mainnet, "version", version("/x/", 0, 1)+strings.Repeat("x", maxVersion))))
	if last.Peer[0].Seen {
		t.Error("an introduction longer than the limit is read")
	}
	if r := prototest.Drive(Protocol, opt, c(strings.Repeat(message(mainnet, "ping", "12345678"), maxRead)+"anything")); r.Err != nil || r.Rest != [2]string{} {
		t.Errorf("%+v", r)
	}
	if r := prototest.Drive(Protocol, opt, c(strings.Repeat(message(mainnet, "ping", "12345678"), maxRead-1)+strings.Repeat("\xff", headerLen))); r.Err == nil {
		t.Error("a message before the limit is not read")
	}
}

func TestReadme(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range Protocol.Buffers {
		if !bytes.Contains(b, []byte("`"+x.Name+"`")) {
			t.Errorf("%s does not stand in README.md", x.Name)
		}
	}
	tx := &Tx{Network: []byte("mainnet")}
	tx.Peer[0].n = copy(tx.Peer[0].agent[:], "/a/")
	for _, x := range Protocol.Buffers {
		_, first := x.Get(tx, 0)
		_, second := x.Get(tx, 1)
		if _, none := x.Get(&Tx{}, 0); none || second || first != (x.Name != "bitcoin.server_agent") {
			t.Errorf("%s", x.Name)
		}
	}
}

func run(p proto.Parser, conn *proto.Conn) {
	for _, part := range session {
		probe(part.Dir, part.Data)
		_, _ = p.Parse(conn, part.Dir, part.Data)
	}
	p.End(conn)
	p.Reset()
}

func TestAllocs(t *testing.T) {
	p, conn := Protocol.New(), proto.Conn{OnTx: func(proto.Tx, bool) {}}
	if n := testing.AllocsPerRun(100, func() { run(p, &conn) }); n != 0 {
		t.Errorf("%v allocations a session", n)
	}
}

func BenchmarkParse(b *testing.B) {
	p, conn := Protocol.New(), proto.Conn{OnTx: func(proto.Tx, bool) {}}
	b.ReportAllocs()
	for b.Loop() {
		run(p, &conn)
	}
}

// FuzzParse: nothing panics, and the cuts change nothing.
func FuzzParse(f *testing.F) {
	for _, p := range session {
		f.Add(p.Data, uint64(1))
	}
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		one := prototest.Drive(Protocol, prototest.Options{}, c(string(b)))
		two := prototest.Drive(Protocol, prototest.Options{}, prototest.Split(seed, c(string(b)))...)
		if (one.Err == nil) != (two.Err == nil) || one.Err == nil && one.Rest != two.Rest {
			t.Fatalf("%+v\n%+v", one, two)
		}
		probe(packet.ToServer, b)
	})
}
