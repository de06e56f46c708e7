package p2pool

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
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// noise makes n bytes that look random.
func noise(seed string, n int) string {
	out := ""
	for len(out) < n {
		sum := sha256.Sum256([]byte(seed + out))
		out += strings.ReplaceAll(string(sum[:]), "\x00", "\x81")
	}
	return out[:n]
}

// The messages of Monero's p2pool, from p2p_server.h and .cpp, apart from the parser.
func challenge(seed string) string { return "\x00" + noise(seed, 16) }

func solution(seed string, work bool) string {
	h := noise("h"+seed, 32)
	if work {
		h = h[:30] + "\x05\x00" // the upper end of a number whose first byte is the least
	} else {
		h = h[:31] + "\xee"
	}
	return "\x01" + h + noise("s"+seed, 8)
}

func tip(p uint16) string {
	return "\x02" + string(binary.LittleEndian.AppendUint32(nil, uint32(p))) + "\x03" + strings.Repeat("\x00", 32)
}

func sized(kind byte, body string) string {
	return string(kind) + string(binary.LittleEndian.AppendUint32(nil, uint32(len(body)))) + body
}

// One of Bitcoin's p2pool, from p2p.py.
func message(prefix, command, payload string) string {
	one := sha256.Sum256([]byte(payload))
	two := sha256.Sum256(one[:])
	return prefix + command + strings.Repeat("\x00", 12-len(command)) + string(binary.LittleEndian.AppendUint32(nil, uint32(len(payload)))) + string(two[:4]) + payload
}

func version(agent string) string {
	return string(binary.LittleEndian.AppendUint32(nil, 3301)) + strings.Repeat("\x00", 8+26+26) + "nonce678" + string(byte(len(agent))) + agent + "\x01\x00\x00\x00\x00"
}

const (
	prefix = "\x24\x72\xef\x18\x1e\xfc\xd3\x7b"
	fork   = "\x91\x82\x73\x64\x55\x46\x37\x28"
)

var (
	c, s = prototest.C, prototest.S
	talk = []prototest.Part{
		c(challenge("a")), s(challenge("b")), c(solution("a", true)), s(solution("b", false) + tip(37889)), c(tip(37889)),
		s(sized(4, strings.Repeat("\x0e", 900))), c("\x06"), s("\x07\x02" + noise("p", 38)), s(sized(5, "share")), c(sized(8, "share") + "\x09" + noise("n", 32)),
	}
	oldTalk = []prototest.Part{
		c(message(prefix, "version", version("18.0-dirty"))), s(message(prefix, "version", version("17.0"))),
		c(message(prefix, "addrme", "\x1d\x24") + message(prefix, "getaddrs", "\x08\x00\x00\x00")), s(message(prefix, "shares", strings.Repeat("\x03", 3000)) + message(prefix, "ping", "")),
	}
)

func home() prototest.Options {
	return prototest.Options{Conn: proto.Conn{Client: packet.AddrFrom4([]byte{192, 168, 1, 9}), Server: packet.AddrFrom4([]byte{198, 51, 100, 7})}}
}

const summary = `"stratum":{"dialect":"p2pool",`

func TestSessions(t *testing.T) {
	for name, parts := range map[string][]prototest.Part{"Monero": talk, "Bitcoin": oldTalk} {
		for seed := range uint64(40) {
			in := parts
			if seed > 0 {
				in = prototest.Split(seed, parts...)
			}
			var last Tx
			o := home()
			o.OnTx = func(tx proto.Tx, _ bool) { last = *tx.(*Tx) }
			r := prototest.Drive(Protocol, o, in...)
			if r.Err != nil || r.Rest != [2]string{} || len(r.Events) != 1 || !strings.HasPrefix(r.Joined(), summary) || !last.MinerIsClient() || !last.Done {
				t.Fatalf("%s, seed %d: %+v", name, seed, r)
			}
			if want := map[string]uint32{"Monero": 2, "Bitcoin": 1}[name]; last.Jobs != want {
				t.Errorf("%s: %d jobs", name, last.Jobs)
			}
			if name == "Bitcoin" && string(last.Agent.Bytes()) != "18.0-dirty" {
				t.Errorf("agent %q", last.Agent.Bytes())
			}
		}
	}
}

// TestWhen: it is certain with the work and the question for the tip, not
// before; a node at home that others connect to is the one to tell of.
func TestWhen(t *testing.T) {
	in := proto.Conn{Client: packet.AddrFrom4([]byte{198, 51, 100, 7}), Server: packet.AddrFrom4([]byte{192, 168, 1, 9})}
	for _, tt := range []struct {
		name  string
		conn  proto.Conn
		parts []prototest.Part
		at    int // number of the emission, -1: never
	}{
		{"all", proto.Conn{}, talk, 1},
		{"no more than the handshake", proto.Conn{}, talk[:3], -1},
		{"from outside", in, talk, 1},
		{"Bitcoin's", proto.Conn{}, oldTalk, 1},
		{"Bitcoin's handshake", proto.Conn{}, oldTalk[:2], -1},
	} {
		at, n := -1, 0
		client := true
		prototest.Drive(Protocol, prototest.Options{Conn: tt.conn, OnTx: func(tx proto.Tx, _ bool) {
			if x := tx.(*Tx); at < 0 && x.Mining() {
				at, client = n, x.MinerIsClient()
			}
			n++
		}}, tt.parts...)
		if at != tt.at || client != (tt.name != "from outside") {
			t.Errorf("%s: at %d, client %v", tt.name, at, client)
		}
	}
}

func TestProbe(t *testing.T) {
	first := challenge("a") + solution("a", true)
	answer := challenge("b") + solution("b", false)
	v := message(fork, "version", version("x"))
	wrong := []byte(v)
	wrong[25] ^= 1
	for i, tt := range []struct {
		d    packet.Dir
		in   string
		want proto.Match
	}{
		{0, "", proto.More}, {0, "\x00", proto.More}, {0, first[:17], proto.More}, {0, first[:57], proto.More}, {0, first, proto.Yes}, {0, first + tip(1), proto.Yes},
		{1, answer, proto.Weak}, {1, answer + tip(37889)[:4], proto.Weak}, {1, answer + tip(37889), proto.Yes}, {1, answer + "\x02\x01\x01\x01\x01", proto.No}, {1, answer + "\x05", proto.No},
		{1, answer + tip(1)[:5] + "\x04" + strings.Repeat("\x00", 32), proto.No}, {1, first, proto.Yes}, {0, answer, proto.Weak},
		{0, "\x00\x00\x00\x54\xffSMBr\x00\x00\x00\x00\x18", proto.No}, {0, "\x00abcdefghijklmnopq", proto.No}, {0, first[:17] + "\x02", proto.No},
		{0, first[:18] + strings.Repeat("\x00", 8), proto.No},
		{0, prefix[:3], proto.More}, {0, fork[:3], proto.No}, {0, v[:12], proto.More}, {0, v[:40], proto.More}, {0, v, proto.Yes}, {0, string(wrong), proto.No},
		{0, message(prefix, "shares", "x"), proto.Yes}, {0, message(fork, "shares", "x"), proto.No}, {0, message(prefix, "ping", ""), proto.No}, {0, message(prefix, "", ""), proto.No},
		{0, "GET / HTTP/1.1\r\nHost: version\r\n\r\n", proto.No},
	} {
		if got := probe(tt.d, []byte(tt.in)); got != tt.want {
			t.Errorf("%d (%q): %d, want %d", i, tt.in[:min(len(tt.in), 24)], got, tt.want)
		}
	}
}

func TestBad(t *testing.T) {
	for name, parts := range map[string][]prototest.Part{
		"no order":                 {c(challenge("a") + challenge("c"))},
		"unknown at the beginning": {c(challenge("a") + "\x55")},
		"too many peers":           {c(challenge("a") + "\x07\xff")},
		"Bitcoin's, broken":        {oldTalk[0], c(strings.Repeat("\x01", 40))},
	} {
		if r := prototest.Drive(Protocol, prototest.Options{}, parts...); r.Err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	later := append(append([]prototest.Part(nil), talk...), c("\x77what a later version has"))
	if r := prototest.Drive(Protocol, prototest.Options{}, later...); r.Err != nil || len(r.Events) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestLimitsAndGaps(t *testing.T) {
	for _, tt := range []struct {
		size uint32
		bad  bool
	}{{maxMessage, false}, {maxMessage + 1, true}} {
		if _, _, bad := size([]byte(string([]byte{5}) + string(binary.LittleEndian.AppendUint32(nil, tt.size)))); bad != tt.bad {
			t.Errorf("%d bytes: bad %v", tt.size, bad)
		}
		h := []byte(message(prefix, "shares", ""))
		binary.LittleEndian.PutUint32(h[20:], tt.size)
		if _, ok := readHeader(h); ok == tt.bad {
			t.Errorf("%d bytes of Bitcoin's: %v", tt.size, ok)
		}
	}
	if software([]byte(version(strings.Repeat("a", maxAgent)))) == nil || software([]byte(version(strings.Repeat("a", maxAgent+1)))) != nil {
		t.Error("software")
	}
	if m := probe(0, []byte(message(fork, "version", strings.Repeat("x", maxVersion+1)))); m != proto.No {
		t.Error("a long version message")
	}
	hole := s("")
	hole.Gap = 500
	cut := append(append([]prototest.Part(nil), talk[:5]...), s(sized(4, strings.Repeat("\x0e", 900))[:405]), hole)
	hole.Data = []byte("\x06")
	cut[len(cut)-1] = hole
	if r := prototest.Drive(Protocol, prototest.Options{}, cut...); r.Err != nil || len(r.Events) != 1 {
		t.Errorf("%+v", r)
	}
	p := new(parser)
	if p.Gap(nil, 0, 1) == nil {
		t.Error("a hole between messages")
	}
	p.side[0].n = maxRead
	if n, err := p.Parse(nil, 0, []byte("anything")); n != 8 || err != nil || p.Gap(nil, 0, 9) != nil {
		t.Error("after the last message that is read")
	}
}

func TestReadme(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil || !bytes.Contains(b, []byte("`p2pool.agent`")) {
		t.Error("the buffer does not stand in README.md", err)
	}
	x := &Tx{}
	get := Protocol.Buffers[0].Get
	if _, ok := get(x, 0); ok {
		t.Error("a buffer of nothing")
	}
	x.Agent.Set([]byte("a"))
	if _, ok := get(x, 0); !ok || x.EventType() != "" {
		t.Error("no buffer, or an event of a flow that does not mine")
	}
	x.Mark(stratum.MarkPeer)
	x.Mark(stratum.MarkShareChain)
	if x.EventType() != "stratum" {
		t.Error("no event")
	}
}

func run(p proto.Parser, conn *proto.Conn, parts []prototest.Part) {
	for _, part := range parts {
		probe(part.Dir, part.Data)
		_, _ = p.Parse(conn, part.Dir, part.Data)
	}
	p.End(conn)
	p.Reset()
}

func TestAllocs(t *testing.T) {
	p, conn := Protocol.New(), proto.Conn{OnTx: func(proto.Tx, bool) {}}
	for _, parts := range [][]prototest.Part{talk, oldTalk} {
		if n := testing.AllocsPerRun(100, func() { run(p, &conn, parts) }); n != 0 {
			t.Errorf("%v allocations a session", n)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	p, conn := Protocol.New(), proto.Conn{OnTx: func(proto.Tx, bool) {}}
	b.ReportAllocs()
	for b.Loop() {
		run(p, &conn, talk)
	}
}

// FuzzParse: nothing panics, and the cuts change nothing.
func FuzzParse(f *testing.F) {
	for _, parts := range [][]prototest.Part{talk, oldTalk} {
		for _, p := range parts {
			f.Add(p.Data, uint64(1))
		}
		f.Add(append(append([]byte(nil), parts[0].Data...), parts[2].Data...), uint64(2))
	}
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		one := prototest.Drive(Protocol, prototest.Options{}, c(string(b)))
		two := prototest.Drive(Protocol, prototest.Options{}, prototest.Split(seed, c(string(b)))...)
		if (one.Err == nil) != (two.Err == nil) || one.Err == nil && (one.Rest != two.Rest || one.Joined() != two.Joined()) {
			t.Fatalf("%+v\n%+v", one, two)
		}
		probe(packet.ToServer, b)
		probe(packet.ToClient, b)
	})
}
