package websocket

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// frame builds one frame; flags is the first byte.
func frame(flags byte, masked bool, payload string) string {
	b := []byte{flags}
	m := byte(0)
	if masked {
		m = 0x80
	}
	switch n := len(payload); {
	case n < 126:
		b = append(b, m|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, m|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, m|127), uint64(n))
	}
	key := []byte{0x37, 0xfa, 0x21, 0x3d}
	if masked {
		b = append(b, key...)
	}
	for i := range len(payload) {
		x := payload[i]
		if masked {
			x ^= key[i&3]
		}
		b = append(b, x)
	}
	return string(b)
}

func up(flags byte, payload string) prototest.Part { return prototest.C(frame(flags, true, payload)) }
func down(flags byte, payload string) prototest.Part {
	return prototest.S(frame(flags, false, payload))
}

// compressor keeps its window over messages, as with context takeover.
type compressor struct {
	w bytes.Buffer
	z *flate.Writer
}

func (c *compressor) message(s string) string {
	if c.z == nil {
		c.z, _ = flate.NewWriter(&c.w, 9)
	}
	c.w.Reset()
	c.z.Write([]byte(s))
	c.z.Flush()
	return strings.TrimSuffix(c.w.String(), "\x00\x00\xff\xff")
}

func deflated(msgs ...string) []prototest.Part {
	var c compressor
	var out []prototest.Part
	for _, m := range msgs {
		out = append(out, down(0xc1, c.message(m)))
	}
	return out
}

func run(parts ...prototest.Part) (prototest.Result, []string) {
	var txs []string
	r := prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, done bool) {
		t := tx.(*Tx)
		f := ""
		for _, x := range []struct {
			on   bool
			name string
		}{{t.Masked, "m"}, {t.Compressed, "z"}, {t.Opaque, "o"}, {t.Truncated, "t"}} {
			if x.on {
				f += x.name
			}
		}
		p := string(t.Payload)
		if len(p) > 60 {
			p = fmt.Sprintf("%s…%d", p[:4], len(p))
		}
		txs = append(txs, fmt.Sprintf("%c%d/%d %s %q", "><"[t.Dir], t.Opcode, t.Frames, f, p))
	}}, parts...)
	return r, txs
}

var long = strings.Repeat("a", 70000)

var messagesTable = []struct {
	name      string
	parts     []prototest.Part
	want      []string
	carried   int
	anomalies string
	err       bool
}{
	{"RFC 6455 5.7 hello", []prototest.Part{prototest.S("\x81\x05Hello"), prototest.C("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")},
		[]string{`<1/1  "Hello"`, `>1/1 m "Hello"`}, 2, "", false},
	{"fragments with a ping between", []prototest.Part{up(0x01, "Hel"), up(0x89, "ping"), up(0x00, ""), up(0x80, "lo")},
		[]string{`>9/1 m "ping"`, `>1/3 m "Hello"`}, 1, "", false},
	{"length of 16 bits", []prototest.Part{up(0x82, strings.Repeat("b", 300))}, []string{`>2/1 m "bbbb…300"`}, 1, "", false},
	{"length of 64 bits, too long", []prototest.Part{up(0x81, long), up(0x81, "x")},
		[]string{`>1/1 mt "aaaa…65536"`, `>1/1 m "x"`}, 1, "message_too_long", false},
	{"server masks, client does not", []prototest.Part{prototest.S(frame(0x81, true, "s")), prototest.C(frame(0x81, false, "c"))},
		[]string{`<1/1 m "s"`, `>1/1  "c"`}, 2, "mask_wrong", false},
	{"RFC 7692 7.2.3.1 compressed hello", []prototest.Part{prototest.S("\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"), prototest.S("\xc1\x05\xf2\x00\x11\x00\x00")},
		[]string{`<1/1 z "Hello"`, `<1/1 z "Hello"`}, 2, "", false},
	{"RFC 7692 7.2.3.4 final block", []prototest.Part{prototest.S("\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00")}, []string{`<1/1 z "Hello"`}, 1, "", false},
	{"RFC 7692 7.2.3.1 compressed in fragments", []prototest.Part{prototest.S("\x41\x03\xf2\x48\xcd"), prototest.S("\x80\x04\xc9\xc9\x07\x00")},
		[]string{`<1/2 z "Hello"`}, 1, "", false},
	{"context takeover over many windows", deflated(long[:30000], long[:30000], long[:30000], "b"+long[:30000]),
		[]string{`<1/1 z "aaaa…30000"`, `<1/1 z "aaaa…30000"`, `<1/1 z "aaaa…30000"`, `<1/1 z "baaa…30001"`}, 4, "", false},
	{"inflates to too much", deflated(long, "b"), []string{`<1/1 zt "aaaa…65536"`, `<1/1 z "b"`}, 1, "message_too_long", false},
	{"not deflate at all", []prototest.Part{down(0xc1, "\xff\xff\xff"), down(0x81, "x")},
		[]string{`<1/1 zo ""`, `<1/1  "x"`}, 1, "decompression_failed", false},
	{"long control frame", []prototest.Part{up(0x89, strings.Repeat("p", 200))}, []string{`>9/1 mt "pppp…125"`}, 0, "control_frame_invalid", false},
	{"continuation of nothing", []prototest.Part{up(0x80, "x"), up(0x81, "y")}, []string{`>0/1 m "x"`, `>1/1 m "y"`}, 2, "continuation_invalid", false},
	{"message begun anew", []prototest.Part{up(0x01, "x"), up(0x81, "y")}, []string{`>1/1 m "y"`}, 1, "continuation_invalid", false},
	{"cut off", []prototest.Part{prototest.C(frame(0x81, true, "Hello")[:8])}, []string{`>1/1 mt "He"`}, 0, "", false},
	{"gap in a payload", []prototest.Part{prototest.C(frame(0x81, true, "Hello")[:8]), {Dir: packet.ToServer, Gap: 2, Data: []byte(frame(0x81, true, "Hello")[10:] + frame(0x81, true, "x"))}},
		[]string{`>1/1 mt "Heo"`, `>1/1 m "x"`}, 1, "", false},
	{"gap beyond a payload", []prototest.Part{prototest.C(frame(0x81, true, "Hello")[:8]), {Dir: packet.ToServer, Gap: 4, Data: []byte("x")}},
		[]string{`>1/1 mt "He"`}, 0, "", true},
	{"reserved bits", []prototest.Part{up(0xb1, "x")}, nil, 0, "", true},
	{"reserved opcode", []prototest.Part{up(0x83, "x")}, nil, 0, "", true},
	{"compressed control frame", []prototest.Part{up(0xc9, "x")}, nil, 0, "", true},
	{"length beyond 63 bits", []prototest.Part{prototest.S("\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00")}, nil, 0, "", true},
}

func TestMessages(t *testing.T) {
	for _, tt := range messagesTable {
		t.Run(tt.name, func(t *testing.T) {
			for seed := uint64(0); seed < 12; seed++ {
				parts := tt.parts
				if seed > 0 {
					parts = prototest.Split(seed, parts...)
				}
				r, got := run(parts...)
				if (r.Err != nil) != tt.err || !slices.Equal(got, tt.want) {
					t.Fatalf("seed %d: err %v\n got %q\nwant %q", seed, r.Err, got, tt.want)
				}
				if len(r.Messages) != tt.carried {
					t.Errorf("seed %d: carried %d, want %d", seed, len(r.Messages), tt.carried)
				}
				if a := strings.Join(r.Anomalies, " "); a != tt.anomalies {
					t.Errorf("seed %d: anomalies %q, want %q", seed, a, tt.anomalies)
				}
			}
		})
	}
}

func TestBuffers(t *testing.T) {
	tx := &Tx{Dir: packet.ToServer, Opcode: 1, Flags: 0x80, Masked: true, Mask: [4]byte{1, 2, 3, 4}, Payload: []byte("p")}
	want := map[string]string{"websocket.payload": "p", "websocket.opcode": "\x01", "websocket.fin": "\x01", "websocket.mask": "\x01\x02\x03\x04"}
	for _, b := range buffers {
		got, ok := b.Get(tx, 0)
		if ok != (b.Dir == tx.Dir) || ok && string(got) != want[b.Name] {
			t.Errorf("%s %v: %q %v", b.Name, b.Dir, got, ok)
		}
		if _, ok := b.Get(tx, 1); ok {
			t.Errorf("%s has a second instance", b.Name)
		}
	}
}

func TestProbe(t *testing.T) {
	text := func(d packet.Dir, s string) string { return frame(0x81, d == packet.ToServer, s) }
	for _, tt := range []struct {
		name string
		d    packet.Dir
		b    string
		want proto.Match
	}{
		{"nothing", 0, "", proto.More}, {"one byte", 0, "\x81", proto.More}, {"head alone", 0, text(0, "hello world")[:6], proto.More},
		{"some text", 0, text(0, "hello world")[:12], proto.More}, {"client text", 0, text(0, "hello world"), proto.Yes},
		{"long client text", 0, text(0, strings.Repeat("{}", 100)), proto.Yes}, {"short client text", 0, text(0, "hi"), proto.Weak},
		{"several frames", 0, text(0, "hello world") + "\x82\x80", proto.Yes}, {"utf-8", 0, text(0, "grüße, 世界"), proto.Yes},
		{"unmasked client", 0, text(1, "hello world"), proto.No}, {"masked server", 1, text(0, "hello world"), proto.No},
		{"server json", 1, text(1, "{\"jsonrpc\":2}"), proto.Yes}, {"server text", 1, text(1, "hello world"), proto.Weak},
		{"binary", 0, text(0, "hello\x00world"), proto.No}, {"binary frame", 0, "\x82" + text(0, "hello world")[1:], proto.No},
		{"empty", 0, text(0, ""), proto.No}, {"length not shortest", 1, "\x81\x7e\x00\x05{abc}", proto.No}, {"http", 0, "GET / HTTP/1.1\r\n", proto.No},
		{"tls", 0, "\x16\x03\x01", proto.No}, {"64-bit length", 1, "\x81\x7f\x00\x00", proto.No}, {"length cut off", 1, "\x81\x7e\x00", proto.More},
	} {
		if got := Probe(tt.d, []byte(tt.b)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestAllocs(t *testing.T) {
	if prototest.Race {
		t.Skip("skips 1 case: the race detector takes memory out of sync.Pool at random, so that allocations cannot be counted")
	}
	p, c := Protocol.New(), prototest.Quiet(proto.TCP)
	plain := []byte(frame(0x81, true, strings.Repeat("x", 2000)))
	packed := []byte(deflated(strings.Repeat("hello ", 400))[0].Data)
	n := testing.AllocsPerRun(200, func() {
		p.Parse(c, packet.ToServer, plain)
		p.Parse(c, packet.ToClient, packed)
		p.End(c)
		p.Reset()
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) {
	p, c := Protocol.New(), prototest.Quiet(proto.TCP)
	data := []byte(frame(0x81, true, strings.Repeat("x", 2000)))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		p.Parse(c, packet.ToServer, data)
	}
}

func FuzzParse(f *testing.F) {
	for _, tt := range messagesTable {
		var a, b []byte
		for _, p := range tt.parts {
			if p.Dir == packet.ToServer {
				a = append(a, p.Data...)
			} else {
				b = append(b, p.Data...)
			}
		}
		if len(a)+len(b) < 2000 {
			f.Add(a, b, uint64(1))
		}
	}
	f.Fuzz(func(t *testing.T, a, b []byte, seed uint64) {
		Probe(packet.ToServer, a)
		Probe(packet.ToClient, b)
		parts := []prototest.Part{prototest.C(string(a)), prototest.S(string(b))}
		_, whole := run(parts...)
		_, cut := run(prototest.Split(seed, parts...)...)
		if !slices.Equal(whole, cut) {
			t.Fatalf("whole %q\ncut %q", whole, cut)
		}
	})
}
