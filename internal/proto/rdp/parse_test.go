package rdp

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var c, s = prototest.C, prototest.S

func le16(v int) string { return string([]byte{byte(v), byte(v >> 8)}) }
func le32(v int) string { return le16(v) + le16(v>>16) }

func tpkt(s string) string {
	return string(binary.BigEndian.AppendUint16([]byte{3, 0}, uint16(4+len(s)))) + s
}

// x224 is a connection request or confirm, X.224 section 13.3.
func x224(code byte, v string) string {
	return tpkt(string([]byte{byte(6 + len(v)), code}) + "\x00\x00\x12\x34\x00" + v)
}

func neg(typ, v int) string { return string([]byte{byte(typ), 0}) + le16(8) + le32(v) }

func block(typ int, v string) string { return le16(typ) + le16(4+len(v)) + v }

// connectInitial holds core and network data behind the fixed parts.
func connectInitial() string {
	name := ""
	for _, r := range "PC-7" {
		name += le16(int(r))
	}
	core := le32(0x00080004) + le16(1280) + le16(800) + le16(0xca01) + le16(0xaa03) + le32(0x411) + le32(2600) + name + strings.Repeat("\x00", 32-len(name))
	net := le32(2) + "rdpdr\x00\x00\x00" + le32(0) + "cliprdr\x00" + le32(0)
	data := block(0xc001, core) + block(0xc003, net)
	return tpkt("\x02\xf0\x80\x7f\x65\x82\x01\x00" + "\x00\x05\x00\x14|\x00\x01" + "\x81\x00Duca" + string([]byte{0x80 | byte(len(data)>>8), byte(len(data))}) + data)
}

var (
	request  = x224(tpduRequest, mstshash+"bob\r\n"+neg(negRequest, 3))
	confirm  = x224(tpduConfirm, neg(negResponse, 2))
	plain    = x224(tpduConfirm, neg(negResponse, 0))
	response = tpkt("\x02\xf0\x80\x7f\x66\x00")
)

func TestParse(t *testing.T) {
	ask := `"rdp":{"tx_id":0,"event_type":"initial_request","cookie":"bob","protocols":["ssl","hybrid"]}`
	long := tpkt("\x02\xf0\x80" + strings.Repeat("x", maxPDU))
	tests := []struct {
		name       string
		parts      []prototest.Part
		want       []string
		next, rest string
		anom       string
		err        error
		fin        bool
	}{
		{"CredSSP", []prototest.Part{c(request), s(confirm), c("\x16\x03")}, []string{ask, `"rdp":{"tx_id":1,"event_type":"initial_response","protocol":"hybrid"}`}, "tls", "\x16\x03", "", nil, false},
		{"eager client", []prototest.Part{c(request + "\x16\x03"), s(confirm)}, []string{ask, `"rdp":{"tx_id":1,"event_type":"initial_response","protocol":"hybrid"}`}, "tls", "\x16\x03", "", nil, false},
		{"refused", []prototest.Part{c(request), s(x224(tpduConfirm, neg(negFailure, 5)))}, []string{ask, `"rdp":{"tx_id":1,"event_type":"initial_response","error_code":5}`}, "", "", "", nil, false},
		{"standard security", []prototest.Part{c(request), s(plain), c(connectInitial()), s(response), c("x")}, []string{ask, `"rdp":{"tx_id":1,"event_type":"initial_response","protocol":"rdp"}`,
			`"rdp":{"tx_id":2,"event_type":"connect_request","client":{"version":"v5","desktop_width":1280,"desktop_height":800,"keyboard_layout":1041,"build":2600,"client_name":"PC-7"},"channels":["rdpdr","cliprdr"]}`,
			`"rdp":{"tx_id":3,"event_type":"connect_response"}`}, "", "x", "", nil, true},
		{"old client", []prototest.Part{c(x224(tpduRequest, "")), s(x224(tpduConfirm, ""))}, []string{`"rdp":{"tx_id":0,"event_type":"initial_request"}`, `"rdp":{"tx_id":1,"event_type":"initial_response"}`}, "", "", "", nil, false},
		{"long cookie", []prototest.Part{c(x224(tpduRequest, mstshash+strings.Repeat("a", maxCookie+20)+"\r\n"))}, []string{`"rdp":{"tx_id":0,"event_type":"initial_request","cookie":"` + strings.Repeat("a", maxCookie) + `"}`}, "", "", "", nil, false},
		{"long packet is passed over", []prototest.Part{c(request), s(plain + long + response)}, []string{ask, `"rdp":{"tx_id":1,"event_type":"initial_response","protocol":"rdp"}`, `"rdp":{"tx_id":3,"event_type":"connect_response"}`}, "", "", "rdp_packet_too_long", nil, true},
		{"gap in a long packet", []prototest.Part{s(plain + long[:100]), {Dir: packet.ToClient, Gap: len(long) - 200, Data: []byte(long[len(long)-100:] + response)}}, []string{`"rdp":{"tx_id":1,"event_type":"initial_response","protocol":"rdp"}`, `"rdp":{"tx_id":3,"event_type":"connect_response"}`}, "", "", "rdp_packet_too_long", nil, true},
		{"gap", []prototest.Part{c(request), {Gap: 3, Data: []byte("x")}}, []string{ask}, "", "", "", errTPKT, false},
		{"not TPKT", []prototest.Part{c(request), s("ATTP/1.1")}, []string{ask}, "", "", "", errTPKT, false},
		{"short length", []prototest.Part{c("\x03\x00\x00\x06xx")}, nil, "", "\x03\x00\x00\x06xx", "", errTPKT, false},
		{"fast path", []prototest.Part{c(tpkt("\x02\xf0\x80\x7f\x65") + "\x44\x04\x00\x01")}, []string{`"rdp":{"tx_id":2,"event_type":"connect_request"}`}, "", "\x44\x04\x00\x01", "", nil, true},
		{"many packets", []prototest.Part{s(strings.Repeat(tpkt("\x02\xf0\x80data"), maxPDUs))}, nil, "", "", "", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(8) {
				parts := tt.parts
				if seed > 0 {
					parts = prototest.Split(seed, parts...)
				}
				r := prototest.Drive(Protocol, prototest.Options{}, parts...)
				if r.Joined() != strings.Join(tt.want, "\n") || r.Next != tt.next || r.Rest[0] != tt.rest || strings.Join(r.Anomalies, " ") != tt.anom || r.Err != tt.err || r.Finished != tt.fin {
					t.Fatalf("seed %d: next %q, rest %q, %v, %v, finished %v\n%s\nwant\n%s", seed, r.Next, r.Rest[0], r.Anomalies, r.Err, r.Finished, r.Joined(), strings.Join(tt.want, "\n"))
				}
			}
		})
	}
}

func TestProbe(t *testing.T) {
	prototest.Probes(t, Protocol, map[string]proto.Match{
		request: proto.Yes, confirm: proto.Yes, plain: proto.Yes, request[:10]: proto.More, request[:12]: proto.More, "\x03": proto.More,
		x224(tpduRequest, ""): proto.Weak, connectInitial(): proto.Yes, response + "xx": proto.Yes,
		x224(tpduRequest, "\xc0\x01\x0a\xc1\x02\x01\x00\xc2\x02\x01\x02"): proto.No, // S7comm
		x224(tpduRequest, "Cookie: msts=3640205228.15629.0000\r\n"):       proto.Yes,
		tpkt("\x02\xf0\x80\x32\x01\x00\x00"):                              proto.No, "\x03\x00\x00\x05xxxxxxx": proto.No, "\x16\x03\x01": proto.No, "": proto.More,
	})
	prototest.ProbeTurned(t, Protocol, request, confirm)
}

func TestUDP(t *testing.T) {
	pad := func(s string) string { return s + strings.Repeat("\x00", udpPadded-len(s)) }
	syn := pad("\xff\xff\xff\xff\x00\x40\x18\x01\xbb\xff\x56\x87\x04\xd0\x04\xd0id")
	answer := pad("\xbb\xff\x56\x87\x00\x40\x10\x05\x12\x34\x56\x78\x04\xd0\x04\xd0")
	for i, tt := range []struct {
		d    packet.Dir
		in   string
		want proto.Match
	}{
		{packet.ToServer, syn, proto.Yes}, {packet.ToClient, answer, proto.Yes}, {packet.ToClient, syn, proto.No}, {packet.ToServer, answer, proto.No},
		{packet.ToServer, syn[:1200], proto.No}, {packet.ToServer, syn[:udpPadded-1] + "x", proto.No}, {packet.ToServer, strings.Repeat("\xff", udpPadded), proto.No},
		{packet.ToServer, pad("\xff\xff\xff\xff\x00\x40\x18\x01\xbb\xff\x56\x87\x05\xd0\x04\xd0"), proto.No},
	} {
		if got := probe(tt.d, []byte(tt.in)); got != tt.want {
			t.Errorf("%d: probe = %v, want %v", i, got, tt.want)
		}
	}
	r := prototest.Drive(Protocol, prototest.Options{Conn: proto.Conn{Transport: proto.UDP}}, c(syn), s(answer))
	if r.Done != 1 || len(r.Events) != 0 || !r.Finished || r.Err != nil {
		t.Errorf("%+v", r)
	}
}

var session = []prototest.Part{c(request), s(plain), c(connectInitial()), s(response)}

func TestNoAllocs(t *testing.T) { prototest.SessionNoAllocs(t, Protocol, session...) }

func BenchmarkParse(b *testing.B) { prototest.SessionBench(b, Protocol, session...) }

func FuzzParse(f *testing.F) {
	f.Add([]byte(request+connectInitial()), []byte(plain+response))
	f.Add([]byte(request+"\x16"), []byte(confirm))
	f.Add([]byte(request+"0000"), []byte(plain+response))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		prototest.Segmentation(t, Protocol, uint64(len(a)), c(string(a)), s(string(b)))
	})
}
