package levin

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/corpus"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// message is written from LEVIN_PROTOCOL.md, apart from the parser.
func message(command, flags uint32, body string) string {
	b := binary.LittleEndian.AppendUint64(nil, 0x0101010101012101)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(body)))
	b = append(b, byte(flags&1))
	for _, v := range []uint32{command, 0, flags, 1} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return string(b) + body
}

const (
	mainnet = "\x12\x30\xf1\x71\x61\x04\x41\x61\x17\x31\x00\x82\x16\xa1\xa1\x10"
	// Portable storage: signature and version, one member "node_data" that is an object of two.
	hello = "\x01\x11\x01\x01\x01\x01\x02\x01\x01" + "\x04\x09node_data\x0c\x08" + "\x07my_port\x06\xa0\x46\x00\x00" + "\x0anetwork_id\x0a\x40" + mainnet
)

var (
	c, s    = prototest.C, prototest.S
	session = []prototest.Part{
		c(message(1001, 1, hello+strings.Repeat("x", 300))),
		s(message(1001, 2, hello) + message(1002, 2, "")),
		c(message(2006, 1, strings.Repeat("\x01", 900)) + message(1003, 1, "")),
		s(message(2007, 1, strings.Repeat("\x02", 7000))),
	}
)

var update = prototest.UpdateFlag()

func TestCaptures(t *testing.T) { prototest.Golden(t, Protocol, *update) }

func TestSession(t *testing.T) {
	for seed := range uint64(40) {
		parts := session
		if seed > 0 {
			parts = prototest.Split(seed, parts...)
		}
		var last Tx
		n := 0
		r := prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, _ bool) { last, n = *tx.(*Tx), n+1 }}, parts...)
		if r.Err != nil || len(r.Events) > 0 || r.Rest != [2]string{} || n != 2 || r.Done != 1 || string(last.NetworkID[:]) != mainnet {
			t.Fatalf("seed %d: %+v, %d, %x", seed, r, n, last.NetworkID)
		}
	}
}

func TestProbe(t *testing.T) {
	m := message(1003, 1, "")
	bad := func(i int, v byte) string {
		b := []byte(m)
		b[i] = v
		return string(b)
	}
	for in, want := range map[string]proto.Match{
		"": proto.More, m[:5]: proto.More, m[:32]: proto.More, m: proto.Yes, m + "x": proto.Yes, "\x01\x21\x02": proto.No, "GET": proto.No,
		bad(7, 0): proto.No, bad(15, 1): proto.No, bad(16, 2): proto.No, bad(26, 1): proto.No, bad(29, 2): proto.No,
	} {
		if got := probe(0, []byte(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestGapsAndLimits(t *testing.T) {
	hole := s(message(1003, 1, ""))
	hole.Gap = 400
	body := message(2007, 1, strings.Repeat("\x02", 500))
	if r := prototest.Drive(Protocol, prototest.Options{}, session[0], s(body[:headerLen+100]), hole); r.Err != nil {
		t.Error(r.Err)
	}
	hole.Gap = 401
	p := new(parser)
	if p.side[1].remain = 400; p.Gap(nil, 1, 401) == nil || p.Gap(nil, 1, 400) != nil {
		t.Error("a hole over the end of a message")
	}
	var last Tx
	opt := prototest.Options{OnTx: func(tx proto.Tx, _ bool) { last = *tx.(*Tx) }}
	prototest.Drive(Protocol, opt, c(message(1001, 1, strings.Repeat("x", maxHello)+hello)))
	if last.HasNetwork {
		t.Error("a handshake is read beyond the limit")
	}
	if r := prototest.Drive(Protocol, opt, c(strings.Repeat(message(1003, 1, ""), maxRead)+"anything")); r.Err != nil || r.Rest != [2]string{} {
		t.Errorf("%+v", r)
	}
	if r := prototest.Drive(Protocol, opt, c(strings.Repeat(message(1003, 1, ""), maxRead-1)+strings.Repeat("\xff", headerLen))); r.Err == nil {
		t.Error("a message before the limit is not read")
	}
}

// TestCapture: a Monero node of nDPI's collection.
func TestCapture(t *testing.T) {
	flows, err := prototest.Flows(corpus.Path(t, 1, "captures", "ndpi", "monero.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range flows {
		if len(f.Parts) > 0 && probe(f.Parts[0].Dir, f.Parts[0].Data) == proto.Yes {
			n++
		}
	}
	if n == 0 {
		t.Errorf("none of %d flows is recognised", len(flows))
	}
}

func TestReadme(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil || !bytes.Contains(b, []byte("`levin.network_id`")) {
		t.Error("the buffer does not stand in README.md", err)
	}
	get := Protocol.Buffers[0].Get
	if v, ok := get(&Tx{HasNetwork: true}, 0); !ok || len(v) != 16 {
		t.Error("no buffer")
	}
	if _, ok := get(&Tx{}, 0); ok {
		t.Error("a buffer of nothing")
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
