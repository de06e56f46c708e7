package stun

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

func TestGolden(t *testing.T) { prototest.GoldenUDP(t, Protocol, *update) }

func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }

const (
	id    = "\x21\x12\xa4\x42abcdefghijkl"
	oldID = "ABCDabcdefghijkl"
)

func message(typ uint16, id string, attrs ...string) string {
	body := strings.Join(attrs, "")
	b := binary.BigEndian.AppendUint16(nil, typ)
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	return string(b) + id + body
}

func attr(t uint16, v string) string {
	b := binary.BigEndian.AppendUint16(nil, t)
	b = binary.BigEndian.AppendUint16(b, uint16(len(v)))
	return string(b) + v + strings.Repeat("\x00", -len(v)&3)
}

func framedIn(s string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(len(s)))) + s
}

var (
	binding = message(0x0001, id, attr(0x8022, "agent"), attr(0x0006, "a:b"), attr(0x8029, "12345678"))
	// 192.0.2.1:32853 and 2001:db8::1:32853 under the mask of RFC 8489 section 14.2.
	mapped4  = attr(0x0020, "\x00\x01\xa1\x47\xe1\x12\xa6\x43")
	mapped6  = attr(0x0020, "\x00\x02\xa1\x47\x01\x13\xa9\xfaabcdefghijkm")
	success  = message(0x0101, id, mapped4)
	success6 = message(0x0101, id, mapped6)
	refused  = message(0x0113, id, attr(0x0009, "\x00\x00\x04\x01Unauthorized"), attr(0x0014, "home.example"))
	allocate = message(0x0103, id, attr(0x0016, "\x00\x01\xa1\x47\xe1\x12\xa6\x43"), mapped4, attr(0x000d, "\x00\x00\x02\x58"))
	bind     = message(0x0009, id, attr(0x000c, "\x40\x01\x00\x00"), attr(0x0012, "\x00\x01\xa1\x47\xe1\x12\xa6\x43"))
	sendInd  = message(0x0016, id, attr(0x0013, "data"))
	strange  = message(0x0801, id)
	old      = message(0x0001, oldID, attr(0x0003, "\x00\x00\x00\x00"))
	oldReply = message(0x0101, oldID, attr(0x0001, "\x00\x01\x80\x55\xc0\x00\x02\x01"), attr(0x0004, "\x00\x01\x80\x55\xc0\x00\x02\x01"))
	channel  = "\x40\x01\x00\x05hello"
)

func TestMessages(t *testing.T) {
	ep := `{"addr":"192.0.2.1","port":32853}`
	tests := []struct {
		name, in  string
		probe     proto.Match
		want      string
		anomalies []string
	}{
		{"binding", binding, proto.Yes, `"stun":{"class":"request","method":"binding","ice":true,"software":"agent","username":"a:b"}`, nil},
		{"success", success, proto.Yes, `"stun":{"class":"success","method":"binding","mapped":` + ep + `}`, nil},
		{"success 6", success6, proto.Yes, `"stun":{"class":"success","method":"binding","mapped":{"addr":"2001:db8::1","port":32853}}`, nil},
		{"refused", refused, proto.Yes, `"stun":{"class":"error","method":"allocate","realm":"home.example","error_code":401,"error_reason":"Unauthorized"}`, nil},
		{"allocate", allocate, proto.Yes, `"stun":{"class":"success","method":"allocate","lifetime":600,"mapped":` + ep + `,"relayed":` + ep + `}`, nil},
		{"channel bind", bind, proto.Yes, `"stun":{"class":"request","method":"channel_bind","channel":16385,"peer":` + ep + `}`, nil},
		{"send indication", sendInd, proto.Yes, `"stun":{"class":"indication","method":"send"}`, nil},
		{"unknown method", strange, proto.Yes, `"stun":{"class":"request","method":"513"}`, nil},
		{"classic", old, proto.Weak, `"stun":{"class":"request","method":"binding","classic":true}`, nil},
		{"classic answer", oldReply, proto.Weak, `"stun":{"class":"success","method":"binding","classic":true,"mapped":` + ep + `}`, nil},
		{"channel data", channel, proto.No, `"stun":{"class":"channel_data","channel":16385,"length":5}`, nil},
		{"channel data of media", "\x40\x01\x00\x05\x80hell\x00\x00\x00", proto.Weak, `"stun":{"class":"channel_data","channel":16385,"length":5}`, nil},
		{"channel data too long", channel + "0123456789", proto.No, ``, nil},
		{"attribute beyond the end", message(0x0001, id, "\x80\x22\x00\x09abcd"), proto.Yes, `"stun":{"class":"request","method":"binding"}`, []string{"malformed_data"}},
		{"too many attributes", message(0x0001, id, strings.Repeat(attr(0x8022, "x"), MaxAttributes+1)), proto.Yes,
			`"stun":{"class":"request","method":"binding","software":"x"}`, []string{"too_many_attributes"}},
		{"odd attributes", message(0x0101, id, attr(0x0020, "\x00\x03\x00\x00\x00\x00\x00\x00"), attr(0x0020, "\x00\x01"), attr(9, "x"), attr(13, "x"), attr(12, "x")), proto.Yes,
			`"stun":{"class":"success","method":"binding"}`, nil},
		{"odd length", "\x00\x01\x00\x03" + id + "abc", proto.No, ``, nil},
		{"classic, unknown type", message(0x0801, oldID), proto.No, `"stun":{"class":"request","method":"513","classic":true}`, nil},
		{"dtls", "\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x01\x00\x00\x74\x00\x00\x00\x00\x00\x00\x00\x74\xfe\xfd", proto.No, ``, nil},
		{"rtp", "\x80\x60\x00\x01\x00\x00\x00\xa0\x12\x34\x56\x78\xff\xff\xff\xff\xff\xff\xff\xff", proto.No, ``, nil},
		{"dns", "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x00\x00\x01\x00\x01", proto.No, ``, nil},
		{"framed", framedIn(binding), proto.Yes, ``, nil},
		{"text", "GET / HTTP/1.1\r\n\r\n", proto.No, ``, nil},
	}
	for _, tt := range tests {
		if m := probe(packet.ToServer, []byte(tt.in)); m != tt.probe {
			t.Errorf("%s: probe %v, want %v", tt.name, m, tt.probe)
		}
		eve, anomalies, _ := prototest.One(t, Protocol, tt.in)
		if eve != tt.want || !slices.Equal(anomalies, tt.anomalies) {
			t.Errorf("%s: %v\n%s\nwant %s", tt.name, anomalies, eve, tt.want)
		}
	}
}

// TestRepeats: of the messages of one kind in a direction the first is logged,
// all are handed on.
func TestRepeats(t *testing.T) {
	udp := prototest.Options{Conn: proto.Conn{Transport: proto.UDP}}
	r := prototest.Drive(Protocol, udp, prototest.C(binding), prototest.S(success), prototest.C(binding), prototest.C("\x80rtp"),
		prototest.C(channel), prototest.S(success), prototest.C(channel))
	if len(r.Events) != 3 || r.Done != 6 {
		t.Errorf("%d events, %d messages: %v", len(r.Events), r.Done, r.Events)
	}
	var parts []prototest.Part
	for i := range uint16(maxKinds + 9) {
		parts = append(parts, prototest.C(message(i&0xf|i&0x10<<1, id)))
	}
	if r := prototest.Drive(Protocol, udp, parts...); len(r.Events) != maxKinds || r.Done != maxKinds+9 {
		t.Errorf("%d events, %d messages", len(r.Events), r.Done)
	}
}

func TestStream(t *testing.T) {
	pad := channel + "\x00\x00\x00"
	for name, parts := range map[string][]prototest.Part{
		"plain":  {prototest.C(binding + allocate + pad + bind), prototest.S(success + pad + pad + refused)},
		"framed": {prototest.C(framedIn(binding) + framedIn("\x80rtp and more") + framedIn(bind)), prototest.S(framedIn(success) + framedIn(channel))},
	} {
		whole := prototest.Drive(Protocol, prototest.Options{}, parts...)
		if whole.Err != nil || len(whole.Anomalies) != 0 || whole.Rest != [2]string{} {
			t.Errorf("%s: %v %v %q", name, whole.Err, whole.Anomalies, whole.Rest)
		}
		if want := map[string]int{"plain": 7, "framed": 4}[name]; len(whole.Events) != want {
			t.Errorf("%s: %d events", name, len(whole.Events))
		}
		for seed := range uint64(40) {
			if cut := prototest.Drive(Protocol, prototest.Options{}, prototest.Split(seed, parts...)...); cut.Joined() != whole.Joined() {
				t.Fatalf("%s, seed %d: %s", name, seed, cut.Joined())
			}
		}
	}
	for name, in := range map[string]string{"noise": binding + "\x80\x00\x00\x00", "odd length": binding + "\x00\x01\x00\x01" + id + "x"} {
		r := prototest.Drive(Protocol, prototest.Options{}, prototest.C(in))
		if r.Err == nil || !slices.Equal(r.Anomalies, []string{"malformed_data"}) || len(r.Events) != 1 {
			t.Errorf("%s: %v %v", name, r.Err, r.Anomalies)
		}
	}
	r := prototest.Drive(Protocol, prototest.Options{}, prototest.C(binding), prototest.Part{Gap: 3, Data: []byte(success)})
	if len(r.Events) != 1 || len(r.Anomalies) != 0 {
		t.Errorf("behind a gap: %v %v", r.Events, r.Anomalies)
	}
}

// TestProbePrefix: no stream is refused before it can be told, and none of
// 200,000 random datagrams is taken for a message.
func TestProbePrefix(t *testing.T) {
	for _, s := range []string{binding, framedIn(binding)} {
		for i := range s {
			if m := probe(packet.ToServer, []byte(s[:i])); m != proto.More && m != proto.Yes {
				t.Errorf("%d octets of %q: %v", i, s[:8], m)
			}
		}
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	weak := 0
	for range 200_000 {
		b := make([]byte, headerLen+rnd.IntN(100))
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		switch probe(packet.ToServer, b) {
		case proto.Yes:
			t.Fatalf("% x", b)
		case proto.Weak:
			weak++
		}
	}
	if weak > 20 {
		t.Errorf("%d weak", weak)
	}
}

// TestDTLS: with the first DTLS record the flow is DTLS; what only looks like
// one leaves it STUN.
func TestDTLS(t *testing.T) {
	udp := prototest.Options{Conn: proto.Conn{Transport: proto.UDP}}
	hello := "\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04abcd"
	r := prototest.Drive(Protocol, udp, prototest.C(binding), prototest.S(success), prototest.C(hello), prototest.S(success))
	if !r.Switched || r.Next != "dtls" || len(r.Events) != 2 {
		t.Errorf("switched %v to %q, %d events", r.Switched, r.Next, len(r.Events))
	}
	for _, s := range []string{hello[:16], "\x16\x03\x01" + hello[3:], "\x80" + hello[1:]} {
		if r := prototest.Drive(Protocol, udp, prototest.C(binding), prototest.C(s)); r.Switched {
			t.Errorf("switched for %q", s)
		}
	}
}

func TestBuffers(t *testing.T) {
	_, _, v := prototest.One(t, Protocol, binding)
	if want := []string{"stun.software=agent", "stun.username=a:b"}; !slices.Equal(v, want) {
		t.Errorf("%q", v)
	}
	if _, _, v = prototest.One(t, Protocol, refused); !slices.Equal(v, []string{"stun.realm=home.example"}) {
		t.Errorf("%q", v)
	}
}

func TestNoAllocs(t *testing.T) {
	prototest.NoAllocs(t, Protocol, binding, success, refused, allocate, channel)
}

func FuzzParse(f *testing.F) {
	prototest.Fuzz(f, Protocol, binding, success, success6, refused, allocate, old, channel, framedIn(binding))
}

func BenchmarkParse(b *testing.B) { prototest.Bench(b, Protocol, binding) }
