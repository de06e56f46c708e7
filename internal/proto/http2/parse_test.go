package http2

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

func unhex(s string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return string(b)
}

// frame builds one frame, RFC 9113 section 4.1.
func frame(typ, flags byte, stream uint32, payload string) string {
	n := len(payload)
	b := []byte{byte(n >> 16), byte(n >> 8), byte(n), typ, flags}
	return string(binary.BigEndian.AppendUint32(b, stream)) + payload
}

// lit encodes a literal field with incremental indexing and a new name.
func lit(name, value string) string {
	return "\x40" + length(len(name)) + name + length(len(value)) + value
}

func length(n int) string {
	if n < 127 {
		return string([]byte{byte(n)})
	}
	b := []byte{127}
	for n -= 127; n >= 128; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return string(append(b, byte(n)))
}

// Examples of RFC 7541 appendix C.
var (
	c41 = unhex("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff")
	c42 = unhex("8286 84be 5886 a8eb 1064 9cbf")
	c43 = unhex("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf")
	c61 = unhex("4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3")
	c62 = unhex("4883 640e ffc1 c0bf")
)

const settings = "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"

func run(o prototest.Options, parts ...prototest.Part) (prototest.Result, []string) {
	var out []string
	o.OnTx = func(tx proto.Tx, done bool) {
		if !done {
			return
		}
		t := tx.(*Tx)
		if t.Stream == 0 {
			return // a frame of the connection
		}
		s := fmt.Sprintf("%d %s %s %s %d %d/%d", t.Stream, t.Method, t.Host, t.Path, t.Status, t.RequestLen, t.ResponseLen)
		for _, h := range append(slices.Clone(t.RequestHeaders), t.ResponseHeaders...) {
			if !strings.HasPrefix(string(h.Name), ":") && len(h.Value) < 100 {
				s += fmt.Sprintf(" %s=%s", h.Name, h.Value)
			}
		}
		out = append(out, s)
	}
	r := prototest.Drive(Protocol, o, parts...)
	return r, out
}

func up(frames ...string) prototest.Part {
	return prototest.C(preface + settings + strings.Join(frames, ""))
}

func down(frames ...string) prototest.Part { return prototest.S(settings + strings.Join(frames, "")) }

const head = flEndHeaders
const last = flEndHeaders | flEndStream

var big = strings.Repeat("v", 2500)

var table2 = []struct {
	name      string
	parts     []prototest.Part
	want      []string
	anomalies string
	err       bool
}{
	{"RFC 7541 C.4 and C.6", []prototest.Part{
		up(frame(1, last, 1, c41), frame(1, last, 3, c42), frame(1, last, 5, c43)),
		down(frame(1, head, 1, c61), frame(1, last, 3, c62), frame(0, 1, 1, "body"))},
		[]string{
			"3 GET www.example.com / 307 0/0 cache-control=no-cache cache-control=private date=Mon, 21 Oct 2013 20:13:21 GMT location=https://www.example.com",
			"1 GET www.example.com / 302 0/4 cache-control=private date=Mon, 21 Oct 2013 20:13:21 GMT location=https://www.example.com",
			"5 GET www.example.com /index.html 0 0/0 custom-key=custom-value"}, "", false},
	{"continuation, padding, priority", []prototest.Part{
		up(frame(1, flEndStream|flPadded|flPriority, 1, "\x03\x00\x00\x00\x00\x10"+c41[:5]+"pad"), frame(9, 0, 1, c41[5:6]), frame(9, flEndHeaders, 1, c41[6:])),
		down(frame(1, last, 1, "\x88"))},
		[]string{"1 GET www.example.com / 200 0/0"}, "", false},
	{"upload and trailers", []prototest.Part{
		up(frame(1, head, 1, "\x83\x84"), frame(0, 0, 1, "abc"), frame(1, last, 1, lit("x", "y"))),
		down(frame(1, head, 1, "\x48\x03100"), frame(1, head, 1, "\x88"), frame(0, 0, 1, "hi"), frame(1, last, 1, lit("t", "r")))},
		[]string{"1 POST  / 200 3/2"}, "", false},
	{"reset", []prototest.Part{up(frame(1, last, 1, c41)), down(frame(3, 0, 1, "\x00\x00\x00\x08"))},
		[]string{"1 GET www.example.com / 0 0/0"}, "", false},
	{"reset by the client, answered meanwhile", []prototest.Part{up(frame(1, head, 1, c41), frame(3, 0, 1, "\x00\x00\x00\x08")), down(frame(1, last, 1, "\x88"))},
		[]string{"1 GET www.example.com / 200 0/0"}, "", false},
	{"push", []prototest.Part{up(frame(1, last, 1, c41)),
		down(frame(5, head, 1, "\x00\x00\x00\x02\x82\x85"), frame(1, last, 1, "\x88"), frame(1, last, 2, "\x88"))},
		[]string{"1 GET www.example.com / 200 0/0", "2 GET  /index.html 200 0/0"}, "", false},
	{"answer of an upgraded connection", []prototest.Part{up(), down(frame(1, last, 1, "\x88"))}, []string{"1    200 0/0"}, "", false},
	{"no preface", []prototest.Part{prototest.C(settings + frame(1, last, 1, c41)), down(frame(1, last, 1, "\x88"))},
		[]string{"1 GET www.example.com / 200 0/0"}, "", false},
	{"eviction", []prototest.Part{up(
		frame(1, last, 1, lit("a", big)+lit("b", big)+lit("c", "d")+"\xbe\xbf"),
		frame(1, last, 3, "\x3f\x00"+lit("e", "f")+"\xbe"), // table of 31 bytes: nothing fits
		frame(1, last, 5, "\x82"))},
		[]string{"1    0 0/0 c=d c=d", "3    0 0/0 e=f", "5    0 0/0"}, "header_block_invalid", false},
	{"table larger than allowed", []prototest.Part{up(frame(1, last, 1, "\x3f"+"\xe2\xff\x03"+"\x82"))}, []string{"1    0 0/0"}, "header_block_invalid", false},
	{"block too long", []prototest.Part{up(frame(1, 0, 1, strings.Repeat("\x82", MaxBlock)), frame(9, last, 1, "\x82"), frame(0, 1, 1, "x"))},
		[]string{"1    0 1/0"}, "header_block_too_long", false},
	{"too many fields", []prototest.Part{up(frame(1, last, 1, "\x82"+strings.Repeat(lit("a", "b"), 2)+strings.Repeat("\xbe", MaxHeaders)))},
		[]string{"1 GET   0 0/0" + strings.Repeat(" a=b", MaxHeaders-1)}, "too_many_headers", false},
	{"unknown frames and large data", []prototest.Part{up(frame(1, head, 1, "\x83"), frame(0x77, 0xff, 1, "xyz"), frame(0, 1, 1, strings.Repeat("x", 60000)))},
		[]string{"1 POST   0 60000/0"}, "", false},
	{"gap in data", []prototest.Part{up(frame(1, head, 1, "\x83"), frame(0, 1, 1, "abcd")[:11]), {Dir: packet.ToServer, Gap: 1, Data: []byte("d" + frame(1, last, 3, "\x82"))}},
		[]string{"1 POST   0 3/0", "3 GET   0 0/0"}, "", false},
	{"gap over frames", []prototest.Part{up(frame(1, head, 1, "\x83")), {Dir: packet.ToServer, Gap: 1, Data: []byte("d")}}, []string{"1 POST   0 0/0"}, "", true},
	{"huffman padding too long", []prototest.Part{up(frame(1, last, 1, "\x40\x81\xff\x00"))}, []string{"1    0 0/0"}, "header_block_invalid", false},
	{"integer without end", []prototest.Part{up(frame(1, last, 1, "\xff\xff\xff\xff\xff\xff"))}, []string{"1    0 0/0"}, "header_block_invalid", false},
	{"continuation missing", []prototest.Part{up(frame(1, 0, 1, "\x82"), frame(0, 0, 1, "x"))}, nil, "", true},
	{"continuation of another stream", []prototest.Part{up(frame(1, 0, 1, "\x82"), frame(9, head, 3, "x"))}, nil, "", true},
	{"headers on stream 0", []prototest.Part{up(frame(1, head, 0, "\x82"))}, nil, "", true},
	{"padding longer than the frame", []prototest.Part{up(frame(1, head|flPadded, 1, "\x09\x82"))}, nil, "", true},
	{"settings of odd length", []prototest.Part{prototest.C(preface + frame(4, 0, 0, "1234"))}, nil, "", true},
}

func TestStreams(t *testing.T) {
	for _, tt := range table2 {
		t.Run(tt.name, func(t *testing.T) {
			for seed := uint64(0); seed < 10; seed++ {
				parts := tt.parts
				if seed > 0 {
					parts = prototest.Split(seed, parts...)
				}
				r, got := run(prototest.Options{}, parts...)
				if (r.Err != nil) != tt.err || !slices.Equal(got, tt.want) || strings.Join(r.Anomalies, " ") != tt.anomalies {
					t.Fatalf("seed %d: err %v, anomalies %v\n got %q\nwant %q", seed, r.Err, r.Anomalies, got, tt.want)
				}
			}
		})
	}
}

func TestTooManyStreams(t *testing.T) {
	var frames []string
	for i := range uint32(MaxStreams + 2) {
		frames = append(frames, frame(1, last, 2*i+1, "\x82"))
	}
	r, got := run(prototest.Options{}, up(frames...))
	if len(got) != MaxStreams+2 || len(r.Anomalies) != 1 || r.Anomalies[0] != "too_many_streams" {
		t.Errorf("%d streams, %v", len(got), r.Anomalies)
	}
}

// The dynamic table never holds more memory than its size allows.
func TestTableBound(t *testing.T) {
	var d decoder
	d.table.reset()
	d.table.max = MaxTable
	for i := range 20000 {
		d.table.add([]byte("name"), []byte(strings.Repeat("v", i%4000)))
		if d.table.size > MaxTable || len(d.table.buf) > 3*MaxTable || len(d.table.entries) > 6000 {
			t.Fatalf("size %d, %d bytes, %d entries", d.table.size, len(d.table.buf), len(d.table.entries))
		}
	}
}

func TestEvent(t *testing.T) {
	r, _ := run(prototest.Options{}, up(frame(1, last, 1, c41)), down(frame(1, last, 1, c61)))
	want := `"http":{"version":"2","hostname":"www.example.com","url":"/","http_method":"GET","status":302,"redirect":"https://www.example.com","length":0,"http2":{"stream_id":1}}`
	if r.Joined() != want {
		t.Error(r.Joined())
	}
}

func TestBuffers(t *testing.T) {
	want := map[string]string{"http.method": "GET", "http.uri": "/", "http.uri.raw": "/", "http.host": "www.example.com", "http.host.raw": "www.example.com",
		"http.stat_code": "302", "http.stat_msg": "", "http.location": "https://www.example.com", "http.request_line": "GET / HTTP/2\r\n", "http.response_line": "HTTP/2 302\r\n",
		"> http2.header_name": ":method", "< http2.header_name": ":status", "> http.protocol": "HTTP/2", "< http.protocol": "HTTP/2",
		"http.request_header": ":method: GET", "http.response_header": ":status: 302",
		"> http.header":       ":method: GET\r\n:scheme: http\r\n:path: /\r\n:authority: www.example.com\r\n",
		"< http.header":       ":status: 302\r\ncache-control: private\r\ndate: Mon, 21 Oct 2013 20:13:21 GMT\r\nlocation: https://www.example.com\r\n",
		"> http.header_names": "\r\n:method\r\n:scheme\r\n:path\r\n:authority\r\n\r\n",
		"> http2.frametype":   "1", "< http2.frametype": "1",
		"< http.header_names": "\r\n:status\r\ncache-control\r\ndate\r\nlocation\r\n\r\n"}
	run2 := func(tx proto.Tx, done bool) {
		if tx.(*Tx).Stream == 0 {
			return // see TestConnectionFrames
		}
		for _, b := range buffers {
			got, ok := b.Get(tx, 0)
			w, there := want[b.Name]
			if !there {
				w, there = want[[2]string{"> ", "< "}[b.Dir]+b.Name]
			}
			if done && (there != ok || w != string(got)) {
				t.Errorf("%s: %q %v", b.Name, got, ok)
			}
		}
	}
	prototest.Drive(Protocol, prototest.Options{OnTx: run2}, up(frame(1, last, 1, c41)), down(frame(1, last, 1, c61)))
}

func TestErrorCodes(t *testing.T) {
	for _, tt := range []struct {
		name  string
		parts []prototest.Part
		want  string // values at the emissions, the direction before them
	}{
		{"stream reset by the client", []prototest.Part{up(frame(1, head, 1, c41), frame(3, 0, 1, "\x00\x00\x00\x08"))}, "> 8 > 8"},
		{"stream reset by the server", []prototest.Part{up(frame(1, last, 1, c41)), down(frame(3, 0, 1, "\x00\x00\x00\x02"))}, "< 2 < 2"},
		{"end of the connection", []prototest.Part{up(), down(frame(7, 0, 0, "\x00\x00\x00\x01\x00\x00\x00\x0bwhy"))}, "< 11"},
		{"too short to tell", []prototest.Part{up(), down(frame(7, 0, 0, "\x00\x00\x00\x01\x00"))}, ""},
	} {
		var got []string
		prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, _ bool) {
			for _, b := range buffers {
				if v, ok := b.Get(tx, 0); ok && b.Name == "http2.errorcode" {
					got = append(got, [2]string{"> ", "< "}[b.Dir]+string(v))
				}
			}
		}}, prototest.Split(1, tt.parts...)...)
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, s, tt.want)
		}
	}
}

func TestAuthority(t *testing.T) {
	for _, tt := range []struct{ authority, host, want string }{
		{"a.example", "A.example", ""},
		{"a.example", "b.example", "authority_host_mismatch"},
		{"user@a.example", "", "userinfo_in_uri"},
	} {
		block := lit(":authority", tt.authority)
		if tt.host != "" {
			block += lit("host", tt.host)
		}
		r := prototest.Drive(Protocol, prototest.Options{}, up(frame(1, last, 1, "\x82\x84"+block)))
		if s := strings.Join(r.Anomalies, " "); s != tt.want {
			t.Errorf("%s, %s: %q, want %q", tt.authority, tt.host, s, tt.want)
		}
	}
}

func TestProbe(t *testing.T) {
	for _, tt := range []struct {
		d    packet.Dir
		b    string
		want proto.Match
	}{
		{packet.ToServer, "", proto.More}, {packet.ToServer, "PRI * HT", proto.More}, {packet.ToServer, preface, proto.Yes},
		{packet.ToServer, "POST / HTTP/1.1\r\n", proto.No}, {packet.ToServer, settings, proto.Weak}, {packet.ToClient, settings, proto.Weak},
		{packet.ToClient, settings[:9], proto.Weak}, {packet.ToClient, settings[:5], proto.More},
		{packet.ToClient, "\x00\x00\x00\x04\x01\x00\x00\x00\x00", proto.Weak}, {packet.ToClient, "\x00\x00\x06\x04\x01\x00\x00\x00\x00", proto.No},
		{packet.ToClient, "\x00\x00\x05\x04\x00\x00\x00\x00\x00", proto.No}, {packet.ToClient, settings[:9] + "\x77\x77\x00\x00\x00\x00", proto.No},
		{packet.ToClient, preface, proto.No}, {packet.ToClient, "HTTP/1.1 200", proto.No}, {packet.ToClient, "\x00\x00\x00\x00\x00\x00\x00\x00\x00", proto.No},
	} {
		if got := Probe(tt.d, []byte(tt.b)); got != tt.want {
			t.Errorf("%v %q: %v, want %v", tt.d, tt.b, got, tt.want)
		}
	}
}

func TestAllocs(t *testing.T) {
	if prototest.Race {
		t.Skip("skips 1 case: the race detector takes memory out of sync.Pool at random, so that allocations cannot be counted")
	}
	p, c := Protocol.New(), prototest.Quiet(proto.TCP)
	a, b := []byte(up(frame(1, last, 1, c41)).Data), []byte(down(frame(1, last, 1, c61)).Data)
	if n := testing.AllocsPerRun(200, func() {
		p.Parse(c, packet.ToServer, a)
		p.Parse(c, packet.ToClient, b)
		p.End(c)
		p.Reset()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) {
	p, c := Protocol.New(), prototest.Quiet(proto.TCP)
	x, y := []byte(up(frame(1, last, 1, c41)).Data), []byte(down(frame(1, last, 1, c61)).Data)
	b.ReportAllocs()
	for b.Loop() {
		p.Parse(c, packet.ToServer, x)
		p.Parse(c, packet.ToClient, y)
		p.Reset()
	}
}

func FuzzParse(f *testing.F) {
	for _, tt := range table2 {
		var x [2]string
		for _, p := range tt.parts {
			x[p.Dir] += string(p.Data)
		}
		if len(x[0])+len(x[1]) < 4000 {
			f.Add([]byte(x[0]), []byte(x[1]), uint64(1))
		}
	}
	f.Fuzz(func(t *testing.T, a, b []byte, seed uint64) {
		Probe(packet.ToServer, a)
		Probe(packet.ToClient, b)
		parts := []prototest.Part{prototest.C(string(a)), prototest.S(string(b))}
		x, whole := run(prototest.Options{}, parts...)
		y, cut := run(prototest.Options{}, prototest.Split(seed, parts...)...)
		if x.Err == nil && y.Err == nil && !slices.Equal(whole, cut) {
			t.Fatalf("whole %q\ncut %q", whole, cut)
		}
	})
}
