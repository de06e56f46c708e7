package openvpn

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

func TestGolden(t *testing.T) { prototest.GoldenUDP(t, Protocol, *update) }
func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }

const (
	sidC, sidS = "CLIENTid", "SERVERid"
	noAcks     = "\x00"
	ackC       = "\x01\x00\x00\x00\x00" + sidC
	id0        = "\x00\x00\x00\x00"
	replay1    = "\x00\x00\x00\x01\x65\x00\x00\x00"

	resetC   = "\x38" + sidC + noAcks + id0
	resetS   = "\x40" + sidS + ackC + id0
	resetCV1 = "\x08" + sidC + noAcks + id0
	resetSV1 = "\x10" + sidS + noAcks + id0
	ackS     = "\x28" + sidS + "\x01\x00\x00\x00\x05" + sidC
	hello    = "\x20" + sidC + "\x01\x00\x00\x00\x00" + sidS + "\x00\x00\x00\x01\x16\x03\x01\x00\x10"
	dataUp   = "\x48\x00\x00\x00\x00\x00\x00\x07" + "0123456789abcdef" + "payload"
	dataDown = "\x49\x00\x00\x03\x00\x00\x01\x07" + "0123456789abcdef" + "p"
	soft     = "\x19" + sidC + noAcks + id0
)

// auth gives a plain packet an HMAC of n bytes.
func auth(pkt string, n int) string {
	return pkt[:9] + strings.Repeat("h", n) + replay1 + pkt[9:]
}

// crypt makes a tls-crypt packet with n encrypted bytes.
func crypt(op byte, sid string, n int) string {
	return string([]byte{op << 3}) + sid + replay1 + strings.Repeat("t", lenTag) + strings.Repeat("e", n)
}

func tcp(pkts ...string) (s string) {
	for _, p := range pkts {
		s += string(binary.BigEndian.AppendUint16(nil, uint16(len(p)))) + p
	}
	return s
}

const sessions = `"client_session":"434c49454e546964","server_session":"5345525645526964",`

func TestTunnel(t *testing.T) {
	c, s := prototest.C, prototest.S
	const v2 = `"openvpn":{"opcode":"P_CONTROL_HARD_RESET_CLIENT_V2",`
	const alone = v2 + `"client_session":"434c49454e546964","protection":"none","answered":false}`
	tests := []struct {
		name      string
		parts     []prototest.Part
		want      string
		finished  bool
		anomalies []string
	}{
		{"plain", []prototest.Part{c(resetC), s(resetS), c(hello)}, v2 + sessions + `"protection":"none","answered":true,"confirmed":true}`, true, nil},
		{"v1", []prototest.Part{c(resetCV1), s(resetSV1)},
			`"openvpn":{"opcode":"P_CONTROL_HARD_RESET_CLIENT_V1",` + sessions + `"protection":"none","answered":true}`, true, nil},
		{"sent again", []prototest.Part{c(resetC), c(resetC), s(resetS)}, v2 + sessions + `"protection":"none","answered":true,"confirmed":true}`, true, nil},
		{"another session", []prototest.Part{c("\x38OTHERsid" + noAcks + id0), c(resetC), s(resetS)}, v2 + sessions + `"protection":"none","answered":true,"confirmed":true}`, true, nil},
		{"md5", []prototest.Part{c(auth(resetC, 16)), s(auth(resetS, 16))}, v2 + sessions + `"protection":"tls-auth","hmac_length":16,"answered":true,"confirmed":true}`, true, nil},
		{"sha1", []prototest.Part{c(auth(resetC, 20)), s(auth(resetS, 20))}, v2 + sessions + `"protection":"tls-auth","hmac_length":20,"answered":true,"confirmed":true}`, true, nil},
		{"sha224", []prototest.Part{c(auth(resetC, 28)), s(auth(resetS, 28))}, v2 + sessions + `"protection":"tls-auth","hmac_length":28,"answered":true,"confirmed":true}`, true, nil},
		{"sha256", []prototest.Part{c(auth(resetC, 32)), s(auth(resetS, 32))}, v2 + sessions + `"protection":"tls-auth","hmac_length":32,"answered":true,"confirmed":true}`, true, nil},
		{"sha384", []prototest.Part{c(auth(resetC, 48)), s(auth(resetS, 48))}, v2 + sessions + `"protection":"tls-auth","hmac_length":48,"answered":true,"confirmed":true}`, true, nil},
		{"sha512", []prototest.Part{c(auth(resetC, 64)), s(auth(resetS, 64))}, v2 + sessions + `"protection":"tls-auth","hmac_length":64,"answered":true,"confirmed":true}`, true, nil},
		{"tls-crypt", []prototest.Part{c(crypt(7, sidC, 5)), s(crypt(8, sidS, 17))}, v2 + sessions + `"protection":"tls-crypt","answered":true}`, true, nil},
		{"tls-crypt-v2", []prototest.Part{c(crypt(10, sidC, 300)), s(crypt(8, sidS, 17))},
			`"openvpn":{"opcode":"P_CONTROL_HARD_RESET_CLIENT_V3",` + sessions + `"protection":"tls-crypt-v2","answered":true}`, true, nil},
		{"no answer", []prototest.Part{c(resetC)}, alone, false, nil},
		{"answer to another", []prototest.Part{c(resetC), s("\x40" + sidS + "\x01\x00\x00\x00\x00" + "CLIENTiX" + id0)}, alone, false, []string{"session_mismatch"}},
		{"answer alone", []prototest.Part{s(resetS)},
			`"openvpn":{"opcode":"P_CONTROL_HARD_RESET_SERVER_V2",` + sessions + `"protection":"none","answered":true}`, true, nil},
		{"data", []prototest.Part{c(dataUp), c(dataUp), s(dataDown)}, `"openvpn":{"opcode":"P_DATA_V2","answered":false}`, true, nil},
		{"control midway", []prototest.Part{c(hello), s(ackS)}, `"openvpn":{"opcode":"P_CONTROL_V1",` + sessions + `"protection":"none","answered":false}`, true, nil},
		{"data before the answer", []prototest.Part{c(resetC), c(dataUp), s(dataDown), s(resetS)}, v2 + sessions + `"protection":"none","answered":true,"confirmed":true}`, true, nil},
		{"others", []prototest.Part{c("x"), s(resetC[:13]), c(resetC + "x"), c("\x48")}, "", false, nil},
	}
	for _, tt := range tests {
		r := prototest.Drive(Protocol, prototest.Options{Conn: proto.Conn{Transport: proto.UDP}}, tt.parts...)
		if r.Joined() != tt.want || r.Finished != tt.finished || !slices.Equal(r.Anomalies, tt.anomalies) || r.Err != nil {
			t.Errorf("%s: %v %v\n%s\nwant %s", tt.name, r.Finished, r.Anomalies, r.Joined(), tt.want)
		}
		var framed []prototest.Part
		for _, p := range tt.parts {
			framed = append(framed, prototest.Part{Dir: p.Dir, Data: []byte(tcp(string(p.Data)))})
		}
		for seed := range uint64(3) {
			r := prototest.Drive(Protocol, prototest.Options{}, prototest.Split(seed, framed...)...)
			if r.Joined() != tt.want || r.Finished != tt.finished || !slices.Equal(r.Anomalies, tt.anomalies) || r.Err != nil {
				t.Errorf("%s on TCP: %v %v %v\n%s\nwant %s", tt.name, r.Err, r.Finished, r.Anomalies, r.Joined(), tt.want)
			}
		}
	}
}

// A packet longer than maxPacket is passed over, whole or with a hole in it.
func TestStream(t *testing.T) {
	long := tcp("\x30" + strings.Repeat("x", 9000))
	ps := Protocol.New()
	for _, parts := range [][]prototest.Part{
		{prototest.C(long + tcp(resetC)), prototest.S(tcp(resetS))},
		{prototest.C(long[:4000]), {Dir: packet.ToServer, Gap: 3000, Data: []byte(long[7000:] + tcp(resetC))}, prototest.S(tcp(resetS))},
	} {
		if r := prototest.DriveParser(Protocol, ps, prototest.Options{}, parts...); r.Done != 1 || !r.Finished || r.Err != nil {
			t.Errorf("%+v", r)
		}
		ps.Reset()
	}
	r := prototest.Drive(Protocol, prototest.Options{}, prototest.C(tcp(resetC)), prototest.Part{Dir: packet.ToServer, Gap: 1, Data: []byte("x")})
	if r.Err != errLost || r.Done != 1 {
		t.Errorf("gap: %v, %d", r.Err, r.Done)
	}
	if r := prototest.Drive(Protocol, prototest.Options{}, prototest.C(tcp(""))); r.Err != errFrame {
		t.Errorf("empty packet: %v", r.Err)
	}
}

func TestProbe(t *testing.T) {
	tests := []struct {
		name, in string
		want     proto.Match
	}{
		{"client", resetC, proto.Weak},
		{"server", resetS, proto.Weak},
		{"client v1", resetCV1, proto.Weak},
		{"tls-auth", auth(resetC, 20), proto.Weak},
		{"tls-crypt", crypt(7, sidC, 5), proto.Weak},
		{"tls-crypt-v2", crypt(10, sidC, 300), proto.Weak},
		{"early negotiation", "\x50" + sidC + "\x0f\x00\x00\x01\x65\x00\x00\x00" + strings.Repeat("e", 340), proto.Weak},
		{"wrapped key too long", crypt(10, sidC, 2000), proto.No},
		{"short v3", "\x50" + sidC + "x", proto.No},
		{"ack", ackS, proto.Weak},
		{"soft reset", soft, proto.Weak},
		{"data", dataUp, proto.Weak},
		{"data without number", "\x48\x00\x00\x00\x00\x00\x00\x00" + dataUp[8:], proto.No},
		{"short data", dataUp[:24], proto.No},
		{"key identifier", "\x39" + resetC[1:], proto.No},
		{"session of zeros", "\x38" + strings.Repeat("\x00", 13), proto.No},
		{"nine acks", "\x28" + sidS + "\x09" + strings.Repeat("\x00", 44), proto.No},
		{"acks past the end", "\x28" + sidS + "\x08" + "\x00\x00\x00\x05" + sidC, proto.No},
		{"large ack", "\x28" + sidS + "\x01\x00\x01\x00\x00" + sidC, proto.No},
		{"reset with payload", resetC + "x", proto.No},
		{"not the first packet", resetC[:13] + "\x01", proto.No},
		{"old time", "\x38" + sidC + strings.Repeat("h", 20) + "\x00\x00\x00\x01\x00\x00\x00\x01" + noAcks + id0, proto.No},
		{"data version 1", "\x30" + strings.Repeat("x", 40), proto.No},
		{"empty", "", proto.No},
		{"text", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", proto.No},
		{"tcp client", tcp(resetC), proto.Weak},
		{"tcp two", tcp(resetS, ackS), proto.Weak},
		{"tcp data", tcp(dataUp)[:30], proto.Weak},
		{"tcp one byte", "\x00", proto.More},
		{"tcp length", "\x00\x0e", proto.More},
		{"tcp cut", tcp(resetC)[:9], proto.More},
		{"tcp too short", "\x00\x0d\x38", proto.No},
		{"tcp too long a reset", "\x07\x00\x38", proto.No},
		{"tcp opcode", "\x00\x0e\x60", proto.No},
		{"dns over tcp", "\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01", proto.No},
		{"stun", "\x00\x01\x00\x00\x21\x12\xa4\x42" + strings.Repeat("t", 12), proto.No},
	}
	for _, tt := range tests {
		for d := range packet.Dir(2) {
			if got := probe(d, []byte(tt.in)); got != tt.want {
				t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
			}
		}
	}
}

func TestNoAllocs(t *testing.T) {
	prototest.NoAllocs(t, Protocol, resetC, resetS, auth(resetC, 64), crypt(8, sidS, 17), dataUp, hello)
	ps := Protocol.New()
	var e event.Encoder
	c := &proto.Conn{Transport: proto.TCP, OnAnomaly: func(string) {}, OnTx: func(tx proto.Tx, _ bool) { e.B = e.B[:0]; tx.EncodeEVE(&e) }}
	up, down := []byte(tcp(resetC)), []byte(tcp(resetS))
	if n := testing.AllocsPerRun(100, func() {
		_, _ = ps.Parse(c, packet.ToServer, up)
		_, _ = ps.Parse(c, packet.ToClient, down)
		ps.End(c)
		ps.Reset()
		c.Reset()
		c.Transport = proto.TCP
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) { prototest.Bench(b, Protocol, auth(resetC, 64)) }

func FuzzParse(f *testing.F) {
	prototest.Fuzz(f, Protocol, resetC, resetS, auth(resetC, 20), auth(resetS, 64), crypt(7, sidC, 5), crypt(10, sidC, 60), dataUp, hello, ackS,
		tcp(resetC, hello), tcp(resetS, ackS), tcp("\x30"+strings.Repeat("x", 3000), resetC))
}
