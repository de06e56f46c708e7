package sip

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
	invite = "INVITE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\nf: <sip:alice@example.org>;tag=1\r\nTo: <sip:bob@example.org>\r\n" +
		"Call-ID: 1@192.0.2.1\r\nUser-Agent: phone/1\r\nContent-Type: application/sdp\r\nl: 5\r\n\r\nv=0\r\n"
	trying = "SIP/2.0 100 Trying\r\nVia: SIP/2.0/UDP 192.0.2.1\r\nContent-Length: 0\r\n\r\n"
)

func text(tx proto.Tx) string {
	t := tx.(*Tx)
	return fmt.Sprintf("%s %s %s|%s %s|%s %s %s", t.Method, t.URI, t.Version, t.Code, t.Reason, t.Header("from"), t.Header("call-id"), t.Header("user-agent"))
}

func run(o prototest.Options, parts ...prototest.Part) (prototest.Result, []string) {
	var out []string
	o.OnTx = func(tx proto.Tx, _ bool) { out = append(out, text(tx)) }
	r := prototest.Drive(Protocol, o, parts...)
	return r, out
}

const (
	wantInvite = "INVITE sip:bob@example.org SIP/2.0| |<sip:alice@example.org>;tag=1 1@192.0.2.1 phone/1"
	wantTrying = "  SIP/2.0|100 Trying|  "
)

var table = []struct {
	name      string
	udp       bool
	parts     []prototest.Part
	want      []string
	anomalies string
	err       bool
}{
	{"udp", true, []prototest.Part{c(invite), s(trying)}, []string{wantInvite, wantTrying}, "", false},
	{"udp without an empty line", true, []prototest.Part{c(strings.TrimSuffix(trying, "\r\n\r\n"))}, []string{wantTrying}, "", false},
	{"udp rubbish", true, []prototest.Part{c("hello\r\n")}, nil, "", true},
	{"tcp", false, []prototest.Part{c(invite + "\r\n\r\n" + invite), s(trying + trying)}, []string{wantInvite, wantInvite, wantTrying, wantTrying}, "", false},
	{"tcp line feeds alone", false, []prototest.Part{c(strings.ReplaceAll(trying, "\r", ""))}, []string{wantTrying}, "", false},
	{"tcp cut off", false, []prototest.Part{c(trying[:30])}, []string{wantTrying}, "", false},
	{"tcp rubbish", false, []prototest.Part{c("hello\r\n")}, nil, "", true},
	{"tcp endless start line", false, []prototest.Part{c(strings.Repeat("x", MaxStartLine+1))}, nil, "", true},
	{"too many fields", false, []prototest.Part{c("SIP/2.0 100 Trying\r\n" + strings.Repeat("A: b\r\n", MaxHeaders+1) + "\r\n")}, []string{wantTrying}, "too_many_headers", false},
	{"too long a head", true, []prototest.Part{c("SIP/2.0 100 Trying\r\n" + strings.Repeat("A: "+strings.Repeat("b", 1000)+"\r\n", 10) + "\r\n")}, []string{wantTrying}, "too_many_headers", false},
	{"gap in a body", false, []prototest.Part{c(invite[:len(invite)-4]), {Dir: packet.ToServer, Gap: 4, Data: []byte(trying)}}, []string{wantInvite, wantTrying}, "", false},
	{"gap in a head", false, []prototest.Part{c(invite[:50]), {Dir: packet.ToServer, Gap: 4, Data: []byte(trying)}}, []string{"INVITE sip:bob@example.org SIP/2.0| |  "}, "", true},
}

func TestMessages(t *testing.T) {
	for _, tt := range table {
		t.Run(tt.name, func(t *testing.T) {
			for seed := uint64(0); seed < 20; seed++ {
				parts := tt.parts
				o := prototest.Options{}
				if tt.udp {
					o.Conn.Transport = proto.UDP
				} else if seed > 0 {
					parts = prototest.Split(seed, parts...)
				}
				r, got := run(o, parts...)
				if !tt.err && !slices.Equal(got, tt.want) || (r.Err != nil) != tt.err || strings.Join(r.Anomalies, " ") != tt.anomalies {
					t.Fatalf("seed %d: %q err %v %v\nwant %q", seed, got, r.Err, r.Anomalies, tt.want)
				}
			}
		})
	}
}

func TestEvent(t *testing.T) {
	r, _ := run(prototest.Options{}, c(invite), s(trying))
	want := `"sip":{"method":"INVITE","uri":"sip:bob@example.org","version":"SIP/2.0","request_line":"INVITE sip:bob@example.org SIP/2.0"}
"sip":{"version":"SIP/2.0","code":"100","reason":"Trying","response_line":"SIP/2.0 100 Trying"}`
	if r.Joined() != want {
		t.Error(r.Joined())
	}
}

func TestBuffers(t *testing.T) {
	want := map[string]string{
		"sip.method": "INVITE", "sip.uri": "sip:bob@example.org", "sip.request_line": "INVITE sip:bob@example.org SIP/2.0",
		"sip.protocol": "SIP/2.0", "sip.from": "<sip:alice@example.org>;tag=1", "sip.to": "<sip:bob@example.org>", "sip.via": "SIP/2.0/UDP 192.0.2.1",
		"sip.ua": "phone/1", "sip.user_agent": "phone/1", "sip.content_type": "application/sdp", "sip.content_length": "5",
		"frame.sip.pdu": invite, "frame.sip.request.line": invite[:36], "frame.sip.request.headers": invite[36 : len(invite)-7], "frame.sip.request.body": "v=0\r\n",
	}
	prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, _ bool) {
		for _, b := range Protocol.Buffers {
			got, ok := b.Get(tx, 0)
			w, there := want[b.Name]
			if there = there && b.Dir == packet.ToServer; ok != there || string(got) != w && there {
				t.Errorf("%s %v: %q %v", b.Name, b.Dir, got, ok)
			}
		}
	}}, c(invite))
	n := 0
	prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, _ bool) {
		for _, b := range Protocol.Buffers {
			if got, ok := b.Get(tx, 0); ok {
				n++
				t.Logf("%s %q", b.Name, got)
			}
		}
	}}, s(trying))
	if n != 9 { // code, message, line, protocol, via, content length, three frames
		t.Errorf("%d buffers of the answer", n)
	}
}

const session = "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=call\r\ni=talk\r\nu=https://a.example\r\ne=a@a.example\r\np=+1 2\r\nc=IN IP4 192.0.2.1\r\nb=AS:64\r\nb=CT:9\r\n" +
	"t=1 2\r\nr=7 1 0\r\nt=3 4\r\nz=1 -1h\r\nk=clear:secret\r\na=sendrecv\r\nrubbish\r\nm=audio 30000 RTP/AVP 0\r\ni=voice\r\nb=AS:32\r\nc=IN IP4 192.0.2.2\r\nk=prompt\r\na=rtpmap:0 PCMU/8000\r\n" +
	"m=video 1 RTP/AVP 9\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secret"

func withBody(kind, body string) string {
	return fmt.Sprintf("INVITE sip:b SIP/2.0\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", kind, len(body), body)
}

// TestSDP: the session description, over UDP and in whatever pieces over TCP.
func TestSDP(t *testing.T) {
	const event = `,"sdp":{"origin":"a 1 1 IN IP4 192.0.2.1","session_name":"call","session_info":"talk","uri":"https://a.example","email":"a@a.example","phone_number":"+1 2","connection_data":"IN IP4 192.0.2.1",` +
		`"bandwidths":["AS:64","CT:9"],"time_descriptions":[{"time":"1 2","repeat_time":"7 1 0"},{"time":"3 4"}],"timezone":"1 -1h","encryption_key":"clear","attributes":["sendrecv"],` +
		`"media_descriptions":[{"media":"audio 30000 RTP/AVP 0","media_info":"voice","bandwidths":["AS:32"],"connection_data":"IN IP4 192.0.2.2","encryption_key":"prompt","attributes":["rtpmap:0 PCMU/8000"]},` +
		`{"media":"video 1 RTP/AVP 9","attributes":["crypto"]}]}}`
	want := "sdp.origin=a 1 1 IN IP4 192.0.2.1|sdp.session_name=call|sdp.session_info=talk|sdp.uri=https://a.example|sdp.email=a@a.example|sdp.phone_number=+1 2|sdp.connection_data=IN IP4 192.0.2.1|" +
		"sdp.bandwidth=AS:64|sdp.bandwidth=CT:9|sdp.time=1 2|sdp.time=3 4|sdp.repeat_time=7 1 0|sdp.timezone=1 -1h|sdp.encryption_key=clear:secret|sdp.attribute=sendrecv|" +
		"sdp.media.media=audio 30000 RTP/AVP 0|sdp.media.media=video 1 RTP/AVP 9|sdp.media.media_info=voice|sdp.media.connection_data=IN IP4 192.0.2.2|sdp.media.encryption_key=prompt"
	for seed := range uint64(10) {
		var got []string
		o := prototest.Options{OnTx: func(tx proto.Tx, _ bool) {
			for _, v := range prototest.Values(t, Protocol, tx) {
				if strings.HasPrefix(v, "sdp.") {
					got = append(got, v)
				}
			}
		}}
		parts := []prototest.Part{c(withBody("Application/SDP; x=y", session))}
		if seed == 0 {
			o.Conn.Transport = proto.UDP
		} else {
			parts = prototest.Split(seed, parts...)
		}
		r := prototest.Drive(Protocol, o, parts...)
		if s := strings.Join(got, "|"); s != want || !strings.HasSuffix(r.Joined(), event) {
			t.Fatalf("seed %d: %q\nwant %q\n%s\nwant %s", seed, s, want, r.Joined(), event)
		}
	}
	if r := prototest.Drive(Protocol, prototest.Options{}, c(withBody("text/plain", session))); strings.Contains(r.Joined(), "sdp") {
		t.Error(r.Joined())
	}
}

// TestBody: bodies over TCP that are long, lost or cut off.
func TestBody(t *testing.T) {
	long := "s=first\r\n" + strings.Repeat("a=x\r\n", MaxBody/4)
	for name, parts := range map[string][]prototest.Part{
		"long":    {c(withBody("application/sdp", long) + trying)},
		"lost":    {c(withBody("application/sdp", long)[:200]), {Dir: packet.ToServer, Gap: len(withBody("application/sdp", long)) - 200, Data: []byte(trying)}},
		"cut off": {c(trying), c(withBody("application/sdp", long)[:200])},
	} {
		most := 0
		r := prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, _ bool) { most = max(most, len(tx.(*Tx).SDP)) }}, parts...)
		if len(r.Events) != 2 || !strings.Contains(r.Joined(), `"session_name":"first"`) || r.Err != nil || name == "long" && most != MaxLines {
			t.Errorf("%s: %v %d %s", name, r.Err, most, r.Joined())
		}
	}
	p := Protocol.New()
	prototest.DriveParser(Protocol, p, prototest.Options{}, c(withBody("application/sdp", long)))
	if n := p.(proto.Sizer).Size(); n > 64<<10 {
		t.Error(n, "bytes held")
	}
}

// TestFrames: the parts of a message as sent.
func TestFrames(t *testing.T) {
	const head = "OPTIONS sip:x SIP/2.0\r\n"
	for _, tt := range []struct{ name, in, want string }{
		{"body", head + "A: b\r\nC: d\r\n\r\nv=0", "pdu=" + head + "A: b\r\nC: d\r\n\r\nv=0|request.line=" + head + "|request.headers=A: b\r\nC: d\r\n|request.body=v=0"},
		{"no body", head + "A: b\r\n\r\n", "pdu=" + head + "A: b\r\n\r\n|request.line=" + head + "|request.headers=A: b\r\n"},
		{"no fields", head + "\r\n", "pdu=" + head + "\r\n|request.line=" + head},
		{"bare line feeds", "SIP/2.0 200 OK\nA: b\n\nx", "pdu=SIP/2.0 200 OK\nA: b\n\nx|response.line=SIP/2.0 200 OK\n|response.headers=A: b\n|response.body=x"},
		{"no empty line", head + "A: b\r\n", "pdu=" + head + "A: b\r\n|request.line=" + head + "|request.headers=A: b\r\n"},
		{"cut in a field", head + "A: b", "pdu=" + head + "A: b|request.line=" + head + "|request.headers=A: b"},
	} {
		var got []string
		o := prototest.Options{Conn: proto.Conn{Transport: proto.UDP}, OnTx: func(tx proto.Tx, _ bool) {
			for _, v := range prototest.Values(t, Protocol, tx) {
				if f, ok := strings.CutPrefix(v, "frame.sip."); ok {
					got = append(got, f)
				}
			}
		}}
		prototest.Drive(Protocol, o, c(tt.in))
		if s := strings.Join(got, "|"); s != tt.want {
			t.Errorf("%s: %q\nwant %q", tt.name, s, tt.want)
		}
	}
}

func TestProbe(t *testing.T) {
	for b, want := range map[string]proto.Match{
		"": proto.More, "INV": proto.More, "SIP": proto.More, "SIP/2.0": proto.Yes, "INVITE sip:b": proto.More,
		invite: proto.Yes, trying: proto.Yes, "\r\n\r\n" + invite: proto.Yes, "REGISTER sip:x SIP/2.0\r\n": proto.Yes,
		"OPTIONS * HTTP/1.1\r\n": proto.No, "OPTIONS rtsp://x RTSP/1.0\r\n": proto.No, "NOTIFY * HTTP/1.1\r\n": proto.No,
		"USER joe\r\n": proto.No, "SIP\r\n": proto.No, "{\"id\":1}": proto.No, "GET / HTTP/1.0\r\n": proto.No,
	} {
		if got := probe(packet.ToServer, []byte(b)); got != want {
			t.Errorf("%q: %v, want %v", b, got, want)
		}
	}
}

func TestAllocs(t *testing.T) {
	p, c := Protocol.New(), prototest.Quiet(proto.UDP)
	m := []byte(invite)
	if n := testing.AllocsPerRun(100, func() { p.Parse(c, packet.ToServer, m); p.Reset() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	m = []byte(withBody("application/sdp", session))
	c = prototest.Quiet(proto.TCP)
	if n := testing.AllocsPerRun(100, func() { p.Parse(c, packet.ToServer, m); p.Reset() }); n != 0 {
		t.Errorf("%v allocations of a description over TCP", n)
	}
}

func BenchmarkParse(b *testing.B) {
	p, c := Protocol.New(), prototest.Quiet(proto.UDP)
	m := []byte(invite)
	b.SetBytes(int64(len(m)))
	for b.Loop() {
		p.Parse(c, packet.ToServer, m)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(invite), []byte(trying), uint64(1))
	f.Add([]byte(withBody("application/sdp", session)), []byte(trying), uint64(2))
	f.Fuzz(func(t *testing.T, a, b []byte, seed uint64) {
		probe(packet.ToServer, a)
		run(prototest.Options{Conn: proto.Conn{Transport: proto.UDP}}, c(string(a)), s(string(b)))
		parts := []prototest.Part{c(string(a)), s(string(b))}
		x, whole := run(prototest.Options{}, parts...)
		y, cut := run(prototest.Options{}, prototest.Split(seed, parts...)...)
		if x.Err == nil && y.Err == nil && !slices.Equal(whole, cut) {
			t.Fatalf("whole %q\ncut %q", whole, cut)
		}
	})
}
