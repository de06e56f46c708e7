package krb5

import (
	"os"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// el is one DER element.
func el(tag byte, parts ...string) string {
	v := strings.Join(parts, "")
	switch n := len(v); {
	case n < 0x80:
		return string([]byte{tag, byte(n)}) + v
	case n < 0x100:
		return string([]byte{tag, 0x81, byte(n)}) + v
	default:
		return string([]byte{tag, 0x82, byte(n >> 8), byte(n)}) + v
	}
}

func ctx(n byte, parts ...string) string { return el(0xa0|n, parts...) }

func integ(v byte) string { return el(2, string([]byte{v})) }

func princ(parts ...string) string {
	var s string
	for _, p := range parts {
		s += el(0x1b, p)
	}
	return el(0x30, ctx(0, integ(1)), ctx(1, el(0x30, s)))
}

func enc(etype byte) string { return el(0x30, ctx(0, integ(etype)), ctx(2, el(4, "cipher"))) }

func asReq(kind byte) string {
	body := el(0x30, ctx(0, el(3, "\x00\x40\x81\x00\x10")), ctx(1, princ("robin")), ctx(2, el(0x1b, "HOME.EXAMPLE")),
		ctx(3, princ("krbtgt", "HOME.EXAMPLE")), ctx(5, el(0x18, "20370913024805Z")))
	return el(0x60|kind, el(0x30, ctx(1, integ(5)), ctx(2, integ(kind)), ctx(4, body)))
}

func asRep(kind, ticket, etype byte) string {
	tkt := el(0x61, el(0x30, ctx(0, integ(5)), ctx(1, el(0x1b, "HOME.EXAMPLE")), ctx(2, princ("krbtgt", "HOME.EXAMPLE")), ctx(3, enc(ticket))))
	return el(0x60|kind, el(0x30, ctx(0, integ(5)), ctx(1, integ(kind)), ctx(3, el(0x1b, "HOME.EXAMPLE")),
		ctx(4, princ("robin")), ctx(5, tkt), ctx(6, enc(etype))))
}

func krbError(code byte) string {
	return el(0x60|30, el(0x30, ctx(0, integ(5)), ctx(1, integ(30)), ctx(4, el(0x18, "20260101000000Z")), ctx(5, integ(1)),
		ctx(6, integ(code)), ctx(9, el(0x1b, "HOME.EXAMPLE")), ctx(10, princ("krbtgt", "HOME.EXAMPLE"))))
}

func framed(s string) string {
	n := len(s)
	return string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + s
}

const (
	reqEvent = `"krb5":{"msg_type":"KRB_AS_REQ","cname":"robin","realm":"HOME.EXAMPLE","sname":"krbtgt/HOME.EXAMPLE","encryption":"<none>","weak_encryption":false}`
	repEvent = `"krb5":{"msg_type":"KRB_AS_REP","cname":"robin","realm":"HOME.EXAMPLE","sname":"krbtgt/HOME.EXAMPLE","encryption":"rc4-hmac","weak_encryption":true,"ticket_encryption":"aes256-cts-hmac-sha1-96","ticket_weak_encryption":false}`
	errEvent = `"krb5":{"msg_type":"KRB_ERROR","failed_request":"KRB_AS_REQ","error_code":"KDC_ERR_PREAUTH_REQUIRED","cname":"<empty>","realm":"<empty>","sname":"krbtgt/HOME.EXAMPLE","encryption":"<none>","weak_encryption":false}`
)

var dialogue = []prototest.Part{
	prototest.C(framed(asReq(ASReq))), prototest.S(framed(krbError(25))),
	prototest.C(framed(asReq(ASReq))), prototest.S(framed(asRep(ASRep, 18, 23))),
}

func TestReadme(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, eve := range []string{reqEvent, errEvent} {
		if !strings.Contains(string(b), eve) {
			t.Errorf("no such example: %s", eve)
		}
	}
	for _, buf := range Protocol.Buffers {
		if !strings.Contains(string(b), "`"+buf.Name+"`") {
			t.Errorf("buffer %s is not named", buf.Name)
		}
	}
}

func TestDialogue(t *testing.T) {
	want := strings.Join([]string{reqEvent, errEvent, reqEvent, repEvent}, "\n")
	var values []string
	o := prototest.Options{OnTx: func(tx proto.Tx, _ bool) { values = append(values, prototest.Values(t, Protocol, tx)...) }}
	r := prototest.Drive(Protocol, o, dialogue...)
	if got := r.Joined(); got != want || r.Err != nil {
		t.Errorf("%v\n%s\nwant\n%s", r.Err, got, want)
	}
	if got := strings.Join(r.Anomalies, " "); got != "weak_encryption" {
		t.Errorf("anomalies %q", got)
	}
	got := strings.Join(values, " ")
	if want := "krb5.msg_type=10 " +
		"krb5.msg_type=30 krb5.err_code=25 krb5.sname=krbtgt krb5.sname=HOME.EXAMPLE " +
		"krb5.msg_type=10 " +
		"krb5.msg_type=11 krb5.ticket_encryption=18 krb5.cname=robin krb5.sname=krbtgt krb5.sname=HOME.EXAMPLE"; got != want {
		t.Errorf("buffers\n%s\nwant\n%s", got, want)
	}
	for seed := range uint64(50) {
		if cut := prototest.Drive(Protocol, prototest.Options{}, prototest.Split(seed, dialogue...)...); cut.Joined() != want {
			t.Fatalf("seed %d: %s", seed, cut.Joined())
		}
	}
}

func TestDatagrams(t *testing.T) {
	for _, tc := range []struct{ name, in, want, anomalies string }{
		{"request", asReq(ASReq), reqEvent, ""},
		{"ticket request", asReq(TGSReq), strings.Replace(reqEvent, "AS_REQ", "TGS_REQ", 1), ""},
		{"unknown encryption", asRep(ASRep, 18, 99), strings.NewReplacer("rc4-hmac", "99", `"weak_encryption":true`, `"weak_encryption":false`).Replace(repEvent), ""},
		{"unknown error", krbError(99), strings.NewReplacer("KDC_ERR_PREAUTH_REQUIRED", "99", "KRB_AS_REQ", "UNKNOWN").Replace(errEvent), ""},
		{"cut", asReq(ASReq)[:40], "", "malformed_data"},
		{"no kerberos", el(0x60, "xx"), "", "malformed_data"},
		{"request to a service", el(0x6e, el(0x30, ctx(0, integ(5)))), "", ""},
	} {
		eve, anomalies, _ := prototest.One(t, Protocol, tc.in)
		if eve != tc.want || strings.Join(anomalies, " ") != tc.anomalies {
			t.Errorf("%s: %q %s", tc.name, anomalies, eve)
		}
	}
}

func TestProbe(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     proto.Match
	}{
		{"empty", "", proto.More},
		{"datagram", asReq(ASReq), proto.Yes},
		{"stream", framed(asReq(ASReq)), proto.Yes},
		{"answer", asRep(ASRep, 18, 18), proto.Yes},
		{"error", krbError(25), proto.Yes},
		{"first bytes", framed(asReq(ASReq))[:9], proto.More},
		{"length alone", framed(asReq(ASReq))[:3], proto.More},
		{"another version", strings.Replace(asReq(ASReq), integ(5), integ(4), 1), proto.No},
		{"bind of a directory", "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00", proto.No},
		{"reserved length", "\x00\xff\xff\xff\x6a", proto.No},
		{"indefinite length", "\x6a\x80\x30\x80\xa1\x03", proto.No},
		{"text", "GET / HTTP/1.1", proto.No},
	} {
		if got := Protocol.Probe(packet.ToServer, []byte(tc.in)); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestLimits(t *testing.T) {
	// A message over the limit is passed over, the next one is read.
	long := framed(strings.Repeat("x", maxMessage+1))
	r := prototest.Drive(Protocol, prototest.Options{}, prototest.C(long+framed(asReq(ASReq))))
	if r.Joined() != reqEvent || strings.Join(r.Anomalies, " ") != "message_too_long" {
		t.Errorf("%v %s", r.Anomalies, r.Joined())
	}
	// A hole inside a message that is passed over does no harm, any other ends it.
	hole := []prototest.Part{prototest.C(long[:100]), {Dir: packet.ToServer, Gap: len(long) - 100, Data: []byte(framed(asReq(ASReq)))}}
	if r := prototest.Drive(Protocol, prototest.Options{}, hole...); r.Joined() != reqEvent || r.Err != nil {
		t.Errorf("%v %s", r.Err, r.Joined())
	}
	if r := prototest.Drive(Protocol, prototest.Options{}, prototest.Part{Dir: packet.ToServer, Gap: 1, Data: []byte(framed(asReq(ASReq)))}); r.Err == nil {
		t.Error("a hole between messages did not end the flow")
	}
	if r := prototest.Drive(Protocol, prototest.Options{}, prototest.C("\x80\x00\x00\x00")); r.Err == nil {
		t.Error("the reserved bit did not end the flow")
	}
	// More parts of a name than are kept.
	var n Name
	n.read([]byte(princ("a", "b", "c", "d", "e", "f", "g", "h", "i")))
	if n.N != maxParts {
		t.Errorf("%d parts", n.N)
	}
	// A name longer than an event shows.
	var e event.Encoder
	var m Message
	m.Service.read([]byte(princ(strings.Repeat("a", 200), strings.Repeat("b", 100), "c")))
	m.EncodeEVE(&e)
	if want := `"sname":"` + strings.Repeat("a", 200) + "/" + strings.Repeat("b", 55) + `"`; !strings.Contains(string(e.B), want) {
		t.Errorf("%s", e.B)
	}
}

func TestNoAllocs(t *testing.T) {
	prototest.NoAllocs(t, Protocol, asReq(ASReq), asRep(ASRep, 18, 23), krbError(25))
}

func FuzzParse(f *testing.F) {
	prototest.Fuzz(f, Protocol, asReq(ASReq), asRep(TGSRep, 23, 18), krbError(99), framed(asReq(TGSReq)))
}

func BenchmarkParse(b *testing.B) { prototest.Bench(b, Protocol, asRep(ASRep, 18, 23)) }
