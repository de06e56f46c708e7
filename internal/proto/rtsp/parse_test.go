package rtsp

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var (
	c = prototest.C
	s = prototest.S
)

const (
	describe = "DESCRIBE rtsp://cam/1 RTSP/1.0\r\nCSeq: 2\r\nUser-Agent: player/1\r\nAuthorization: Digest username=\"joe\", realm=\"cam\", nonce=\"1\"\r\n\r\n"
	denied   = "RTSP/1.0 401 Unauthorized\r\nCSeq: 2\r\nServer: camera/2\r\nWWW-Authenticate: Basic realm=\"a cam\"\r\nContent-Length: 3\r\n\r\nno!"
	frame    = "$\x00\x00\x05\r\nRTS"

	wantDescribe = `DESCRIBE rtsp://cam/1 RTSP/1.0 0  ua "player/1" server "" Digest cam joe`
	wantDenied   = `  RTSP/1.0 401 Unauthorized ua "" server "camera/2" Basic a cam `
)

func run(parts ...prototest.Part) (prototest.Result, []string) {
	var out []string
	r := prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, _ bool) {
		t := tx.(*Tx)
		out = append(out, fmt.Sprintf("%s %s %s %d %s ua %q server %q %s %s %s", t.Method, t.URI, t.Version, t.Status, t.Reason, t.UserAgent, t.Server, t.Auth, t.Realm, t.User))
	}}, parts...)
	return r, out
}

var table = []struct {
	name      string
	parts     []prototest.Part
	want      []string
	anomalies string
	err       bool
}{
	{"request and answer", []prototest.Part{c(describe), s(denied)}, []string{wantDescribe, wantDenied}, "", false},
	{"interleaved frames", []prototest.Part{c(describe + frame + frame + describe), s(denied + frame + "\r\n" + denied)},
		[]string{wantDescribe, wantDescribe, wantDenied, wantDenied}, "", false},
	{"line feeds alone", []prototest.Part{c(strings.ReplaceAll(describe, "\r", ""))}, []string{wantDescribe}, "", false},
	{"cut off", []prototest.Part{c(describe[:len(describe)-2])}, []string{wantDescribe}, "", false},
	{"rubbish", []prototest.Part{c("hello\r\n")}, nil, "", true},
	{"endless start line", []prototest.Part{c(strings.Repeat("x", MaxStartLine+1))}, nil, "", true},
	{"too many fields", []prototest.Part{c("OPTIONS * RTSP/1.0\r\n" + strings.Repeat("A: b\r\n", MaxHeaders+1) + "\r\n")},
		[]string{`OPTIONS * RTSP/1.0 0  ua "" server ""   `}, "too_many_headers", false},
	{"too long a head", []prototest.Part{c("OPTIONS * RTSP/1.0\r\n" + strings.Repeat("A: "+strings.Repeat("b", 1000)+"\r\n", 9) + "\r\n")},
		[]string{`OPTIONS * RTSP/1.0 0  ua "" server ""   `}, "too_many_headers", false},
	{"gap in a frame", []prototest.Part{s("$\x00\x00\x05ab"), {Dir: packet.ToClient, Gap: 2, Data: []byte("c" + denied)}}, []string{wantDenied}, "", false},
	{"gap in a head", []prototest.Part{s(denied[:50]), {Dir: packet.ToClient, Gap: 4, Data: []byte(denied)}}, nil, "", true},
}

func TestMessages(t *testing.T) {
	for _, tt := range table {
		t.Run(tt.name, func(t *testing.T) {
			for seed := uint64(0); seed < 20; seed++ {
				parts := tt.parts
				if seed > 0 {
					parts = prototest.Split(seed, parts...)
				}
				r, got := run(parts...)
				if !tt.err && !slices.Equal(got, tt.want) || (r.Err != nil) != tt.err || strings.Join(r.Anomalies, " ") != tt.anomalies {
					t.Fatalf("seed %d: %q err %v %v\nwant %q", seed, got, r.Err, r.Anomalies, tt.want)
				}
			}
		})
	}
}

func TestProbe(t *testing.T) {
	for b, want := range map[string]proto.Match{
		"": proto.More, "DESC": proto.More, "RTS": proto.More, "RTSP/1.0": proto.Yes, "DESCRIBE rts": proto.More,
		describe: proto.Yes, denied: proto.Yes, "OPTIONS * RTSP/1.0\r\n": proto.Yes, "GET_PARAMETER rtsp://x RTSP/2.0\r\n": proto.Yes,
		"OPTIONS * HTTP/1.1\r\n": proto.No, "OPTIONS sip:x SIP/2.0\r\n": proto.No, "SETUP x\r\n": proto.No,
		"USER joe\r\n": proto.No, "{\"id\":1}": proto.No, "GET / HTTP/1.0\r\n": proto.No, "RT\r\n": proto.No, "$\x00\x00\x05": proto.No,
	} {
		if got := probe(packet.ToServer, []byte(b)); got != want {
			t.Errorf("%q: %v, want %v", b, got, want)
		}
	}
}

func TestNoAllocs(t *testing.T) { prototest.SessionNoAllocs(t, Protocol, c(describe+frame), s(denied)) }

func BenchmarkParse(b *testing.B) { prototest.SessionBench(b, Protocol, c(describe+frame), s(denied)) }

func FuzzParse(f *testing.F) {
	f.Add([]byte(describe+frame), []byte(denied), uint64(1))
	f.Fuzz(func(t *testing.T, a, b []byte, seed uint64) {
		probe(packet.ToServer, a)
		parts := []prototest.Part{c(string(a)), s(string(b))}
		x, whole := run(parts...)
		y, cut := run(prototest.Split(seed, parts...)...)
		if x.Err == nil && y.Err == nil && !slices.Equal(whole, cut) {
			t.Fatalf("whole %q\ncut %q", whole, cut)
		}
	})
}
