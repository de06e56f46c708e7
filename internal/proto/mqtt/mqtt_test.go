package mqtt

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

func TestGolden(t *testing.T) { prototest.Golden(t, Protocol, *update) }
func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }

// pkt frames a packet.
func pkt(first byte, body ...string) string {
	b := strings.Join(body, "")
	out := []byte{first}
	for n := len(b); ; {
		c := byte(n & 0x7f)
		if n >>= 7; n > 0 {
			out = append(out, c|0x80)
			continue
		}
		return string(append(out, c)) + b
	}
}

func str(s string) string { return string([]byte{byte(len(s) >> 8), byte(len(s))}) + s }

var (
	connect311 = pkt(0x10, str("MQTT"), "\x04\xee\x00\x3c", str("cam-1"), str("w/t"), str("gone"), str("bob"), str("secret"))
	connect31  = pkt(0x10, str("MQIsdp"), "\x03\x02\x00\x0a", str("old"))
	connect5   = pkt(0x10, str("MQTT"), "\x05\x04\x00\x3c", "\x05\x11\x00\x00\x00\x0a", str(""), "\x00", str("w"), str("x"))
	connack311 = "\x20\x02\x00\x00"
	connack5   = pkt(0x20, "\x00\x00", "\x07\x12", str("auto"))
	publish    = pkt(0x30, str("home/door"), "open")
	publish5   = pkt(0x32, str(""), "\x00\x07", "\x03\x23\x00\x09", "v5")
	subscribe  = pkt(0x82, "\x00\x01", str("a/+"), "\x01", str("b/#"), "\x02")
	subscribe5 = pkt(0x82, "\x00\x01", "\x02\x0b\x01", str("a"), "\x2c")
	unsub      = pkt(0xa2, "\x00\x02", str("a/+"))
	suback     = "\x90\x04\x00\x01\x01\x80"
	ping, pong = "\xc0\x00", "\xd0\x00"
	bye        = "\xe0\x00"
)

const (
	ev311 = `"mqtt":{"connect":{"qos":0,"retain":false,"dup":false,"protocol_string":"MQTT","protocol_version":4,"flags":{"username":true,"password":true,"will_retain":true,"will":true,"clean_session":true},"keep_alive":60,"client_id":"cam-1","will":{"topic":"w/t","message_length":4},"username":"bob"}`
	ack   = `,"connack":{"session_present":false,"return_code":0}}`
	evBye = `"mqtt":{"disconnect":{"qos":0,"retain":false,"dup":false}}`
	fixed = `{"qos":0,"retain":false,"dup":false`
)

func TestPackets(t *testing.T) {
	c, s := prototest.C, prototest.S
	big := pkt(0x30, str("big"), strings.Repeat("x", 100<<10))
	tests := []struct {
		name      string
		parts     []prototest.Part
		want      string
		anomalies []string
		err       error
	}{
		{"session 3.1.1", []prototest.Part{c(connect311), s(connack311), c(publish + ping), s(pong), c(bye)},
			ev311 + ack + "\n" + `"mqtt":{"publish":` + fixed + `,"topic":"home/door","message_length":4}}` + "\n" +
				`"mqtt":{"pingreq":` + fixed + "}}\n" + evBye, nil, nil},
		{"publish before the answer", []prototest.Part{c(connect31 + bye), s(connack311)},
			evBye + "\n" + `"mqtt":{"connect":` + fixed + `,"protocol_string":"MQIsdp","protocol_version":3,"flags":{"username":false,"password":false,"will_retain":false,"will":false,"clean_session":true},"keep_alive":10,"client_id":"old"}` + ack, nil, nil},
		{"session 5.0", []prototest.Part{c(connect5), s(connack5), c(publish5 + subscribe5), s(pkt(0x90, "\x00\x01\x00\x02")), c(pkt(0xe0, "\x04\x00"))},
			`"mqtt":{"connect":` + fixed + `,"protocol_string":"MQTT","protocol_version":5,"flags":{"username":false,"password":false,"will_retain":false,"will":true,"clean_session":false},"keep_alive":60,"client_id":"","will":{"topic":"w","message_length":1}},"connack":{"session_present":false,"return_code":0,"assigned_client_id":"auto"}}` + "\n" +
				`"mqtt":{"publish":{"qos":1,"retain":false,"dup":false,"message_id":7,"topic":"","topic_alias":9,"message_length":2}}` + "\n" +
				`"mqtt":{"subscribe":{"qos":1,"retain":false,"dup":false,"message_id":1,"topics":[{"topic":"a","qos":0}]}}` + "\n" +
				`"mqtt":{"suback":` + fixed + `,"message_id":1,"qos_granted":[2]}}` + "\n" +
				`"mqtt":{"disconnect":` + fixed + `,"reason_code":4}}`, nil, nil},
		{"topics", []prototest.Part{c(connect311), s(connack311), c(subscribe), s(suback), c(unsub), s("\xb0\x02\x00\x02")},
			ev311 + ack + "\n" +
				`"mqtt":{"subscribe":{"qos":1,"retain":false,"dup":false,"message_id":1,"topics":[{"topic":"a/+","qos":1},{"topic":"b/#","qos":2}]}}` + "\n" +
				`"mqtt":{"suback":` + fixed + `,"message_id":1,"qos_granted":[1,128]}}` + "\n" +
				`"mqtt":{"unsubscribe":{"qos":1,"retain":false,"dup":false,"message_id":2,"topics":["a/+"]}}` + "\n" +
				`"mqtt":{"unsuback":` + fixed + `,"message_id":2}}`, nil, nil},
		{"large message", []prototest.Part{c(connect311 + big + bye), s(connack311)},
			`"mqtt":{"publish":` + fixed + `,"topic":"big","message_length":102400}}` + "\n" + evBye + "\n" + ev311 + ack, nil, nil},
		{"no answer", []prototest.Part{c(connect311)}, ev311 + "}", nil, nil},
		{"two connects", []prototest.Part{c(connect311 + connect311), s(connack311)}, ev311 + "}\n" + ev311 + ack, []string{"double_connect"}, nil},
		{"connect again", []prototest.Part{c(connect311), s(connack311), c(connect311), s(connack311)}, ev311 + ack + "\n" + ev311 + ack, []string{"double_connect"}, nil},
		{"no connect", []prototest.Part{c(bye)}, evBye, []string{"unintroduced_message"}, nil},
		{"answer to nothing", []prototest.Part{s(connack311 + bye)}, `"mqtt":{"connack":` + fixed + `,"session_present":false,"return_code":0}}` + "\n" + evBye, []string{"missing_connect"}, nil},
		{"server first", []prototest.Part{s(bye)}, evBye, []string{"unintroduced_message"}, nil},
		{"flags", []prototest.Part{c(connect311 + "\xe1\x00"), s(connack311)},
			`"mqtt":{"disconnect":{"qos":0,"retain":true,"dup":false}}` + "\n" + ev311 + ack, []string{"invalid_flags"}, nil},
		{"dup subscribe of 3.1", []prototest.Part{c(connect31), s(connack311), c("\x8a" + subscribe[1:])}, "-", nil, nil},
		{"dup subscribe", []prototest.Part{c(connect311), s(connack311), c("\x8a" + subscribe[1:])}, "-", []string{"invalid_flags"}, nil},
		{"qos 3", []prototest.Part{c(connect311), s(connack311), c("\x36\x05\x00\x01a\x00\x01")}, "-", []string{"invalid_qos_level"}, nil},
		{"auth in 3.1.1", []prototest.Part{c(connect311), s(connack311), c("\xf0\x00")}, "-", []string{"unassigned_msg_type"}, nil},
		{"string past the end", []prototest.Part{c(connect311), s(connack311), c("\x30\x04\x00\x09ab" + bye)}, "-", []string{"malformed_traffic"}, nil},
		{"unknown property", []prototest.Part{c(connect5), s(connack5), c(pkt(0x30, str("t"), "\x02\x7f\x00"))}, "-", []string{"malformed_traffic"}, nil},
		{"no topic", []prototest.Part{c(connect311), s(connack311), c(pkt(0x82, "\x00\x01"))}, "-", []string{"malformed_traffic"}, nil},
		{"overlong length", []prototest.Part{c(connect311), s(connack311), c("\xe0\x80\x00")}, ev311 + ack + "\n" + evBye, []string{"non_minimal_length"}, nil},
		{"five bytes of length", []prototest.Part{c(connect311), s(connack311), c("\x30\x80\x80\x80\x80\x01")}, ev311 + ack, nil, errLength},
		{"type 0", []prototest.Part{c(connect311), s(connack311), c("\x00")}, ev311 + ack, []string{"unassigned_msg_type"}, errType},
		{"gap in a message", []prototest.Part{c(connect311), s(connack311), c(big[:50<<10]), {Dir: packet.ToServer, Gap: 20 << 10, Data: []byte(big[70<<10:] + bye)}},
			"-", nil, nil},
		{"long topics", []prototest.Part{c(connect311), s(connack311), c(pkt(0x82, "\x00\x01", strings.Repeat(str(strings.Repeat("t", 200))+"\x00", 100)) + bye)},
			"-", []string{"truncated_packet"}, nil},
		{"gap", []prototest.Part{c(connect311), s(connack311), {Dir: packet.ToServer, Gap: 1, Data: []byte(bye)}}, ev311 + ack, nil, errLost},
	}
	for _, tt := range tests {
		for seed := range uint64(3) {
			parts := tt.parts
			if seed > 0 {
				parts = prototest.Split(seed, parts...)
			}
			r := prototest.Drive(Protocol, prototest.Options{}, parts...)
			if r.Err != tt.err || !slices.Equal(r.Anomalies, tt.anomalies) || tt.want != "-" && r.Joined() != tt.want {
				t.Errorf("%s, %d: %v %v\n%s\nwant %s", tt.name, seed, r.Err, r.Anomalies, r.Joined(), tt.want)
			}
			if r.Err == nil && r.Rest[0]+r.Rest[1] != "" {
				t.Errorf("%s: left %q", tt.name, r.Rest)
			}
			if r.Joined() != "" && !json.Valid([]byte("{" + strings.Join(r.Events, "},{") + "}")[:len(r.Events[0])+2]) {
				t.Errorf("%s: not JSON", tt.name)
			}
			if strings.Contains(r.Joined(), "secret") {
				t.Errorf("%s: the password is kept", tt.name)
			}
		}
	}
}

func TestBuffers(t *testing.T) {
	var v []string
	o := prototest.Options{OnTx: func(tx proto.Tx, done bool) {
		if done {
			v = append(v, prototest.Values(t, Protocol, tx)...)
		}
	}}
	prototest.Drive(Protocol, o, prototest.C(connect311), prototest.S(connack311), prototest.C(publish+subscribe+unsub))
	want := []string{"mqtt.connect.clientid=cam-1", "mqtt.connect.username=bob", "mqtt.connect.protocol_string=MQTT",
		"mqtt.connect.willtopic=w/t", "mqtt.connect.willmessage=gone", "mqtt.connect.password=secret", "mqtt.type=1", "mqtt.type=2", "mqtt.qos=0",
		"mqtt.protocol_version=4", "mqtt.reason_code=0", "mqtt.connack.session_present=0", "mqtt.flags=",
		"mqtt.connect.flags=username password will will_retain clean_session",
		"mqtt.publish.topic=home/door", "mqtt.publish.message=open", "mqtt.type=3", "mqtt.qos=0", "mqtt.protocol_version=4", "mqtt.flags=",
		"mqtt.subscribe.topic=a/+", "mqtt.subscribe.topic=b/#", "mqtt.type=8", "mqtt.qos=1", "mqtt.protocol_version=4", "mqtt.flags=",
		"mqtt.unsubscribe.topic=a/+", "mqtt.type=10", "mqtt.qos=1", "mqtt.protocol_version=4", "mqtt.flags="}
	if !slices.Equal(v, want) {
		t.Errorf("%q", v)
	}
}

// TestReasonCodes: one of an answer, one for each topic of a suback.
func TestReasonCodes(t *testing.T) {
	for _, tt := range []struct {
		name string
		p    Packet
		want string
	}{
		{"refused", Packet{Type: ConnAck, ReasonCode: 5, SessionPresent: true, Retain: true, Dup: true},
			"mqtt.type=2 mqtt.qos=0 mqtt.reason_code=5 mqtt.connack.session_present=1"},
		{"not answered", Packet{Type: Connect, Version: 5}, "mqtt.type=1 mqtt.qos=0 mqtt.protocol_version=5 mqtt.flags= mqtt.connect.flags="},
		{"topics", Packet{Type: SubAck, Codes: []byte{1, 128}}, "mqtt.type=9 mqtt.qos=0 mqtt.reason_code=1 mqtt.reason_code=128"},
		{"acknowledged", Packet{Type: PubAck, Version: 4}, "mqtt.type=4 mqtt.qos=0"},
		{"acknowledged with a reason", Packet{Type: PubAck, Version: 5, ReasonCode: 16},
			"mqtt.type=4 mqtt.qos=0 mqtt.reason_code=16"},
		{"message of the server", Packet{Dir: packet.ToClient, Type: Publish, Topic: []byte("a"), Payload: []byte("b")}, "mqtt.publish.topic=a mqtt.type=3"},
		{"answer of the server to a ping", Packet{Dir: packet.ToClient, Type: PingResp}, "mqtt.type=13"},
		{"bye without a code", Packet{Type: Disconnect, Version: 4}, "mqtt.type=14 mqtt.qos=0 mqtt.protocol_version=4 mqtt.flags="},
	} {
		if got := strings.Join(prototest.Values(t, Protocol, &tt.p), " "); got != tt.want {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
}

// A packet of many topics keeps MaxTopics, a message MaxBody, a flow picked up
// midstream knows no version, and one parser serves many flows.
func TestLimits(t *testing.T) {
	var topics, payload int
	o := prototest.Options{Conn: proto.Conn{Midstream: true}, OnTx: func(tx proto.Tx, done bool) {
		topics, payload = len(tx.(*Packet).Topics), len(tx.(*Packet).Payload)
	}}
	prototest.Drive(Protocol, o, prototest.C(pkt(0x82, "\x00\x01", strings.Repeat(str("t")+"\x00", MaxTopics+1))))
	if topics != MaxTopics {
		t.Errorf("%d topics", topics)
	}
	prototest.Drive(Protocol, o, prototest.C(pkt(0x30, str("t"), strings.Repeat("x", MaxBody))))
	if payload != MaxBody-3 {
		t.Errorf("%d bytes of a message", payload)
	}
	r := prototest.Drive(Protocol, o, prototest.C(subscribe5))
	if !strings.Contains(r.Joined(), `"topic":"a"`) || r.Anomalies != nil {
		t.Errorf("midstream: %s %v", r.Joined(), r.Anomalies)
	}
	ps := Protocol.New()
	for range 2 {
		r := prototest.DriveParser(Protocol, ps, prototest.Options{}, prototest.C(connect311+bye))
		if r.Joined() != evBye+"\n"+ev311+"}" || r.Anomalies != nil {
			t.Errorf("%v %s", r.Anomalies, r.Joined())
		}
		ps.Reset()
	}
}

// What a peer can make a parser hold is bounded and told.
func TestSize(t *testing.T) {
	const most = 2*MaxBody + 64 + 2*(2*(maxHeader+MaxBody)) + 2*MaxTopics*32
	ps := Protocol.New()
	size := ps.(proto.Sizer).Size
	if size() != 0 {
		t.Errorf("%d bytes at first", size())
	}
	long := strings.Repeat("x", 8000)
	big := pkt(0x10, str("MQTT"), "\x04\xee\x00\x3c", str(long), str("w"), str(long), str("u"), str("p"))
	topics := pkt(0x82, "\x00\x01", strings.Repeat(str("t")+"\x00", 1000))
	prototest.DriveParser(Protocol, ps, prototest.Options{Conn: proto.Conn{Transport: proto.Message}},
		prototest.Split(1, prototest.C(strings.Repeat(big+topics, 20)), prototest.S(strings.Repeat(big, 20)))...)
	if n := size(); n < 16000 || n > most {
		t.Errorf("%d bytes, want at most %d", n, most)
	}
}

// Packets need not be aligned with WebSocket messages.
func TestMessages(t *testing.T) {
	stream := connect311 + pkt(0x30, str("big"), strings.Repeat("x", 40<<10)) + publish + bye
	want := prototest.Drive(Protocol, prototest.Options{}, prototest.C(stream))
	for seed := range uint64(20) {
		o := prototest.Options{Conn: proto.Conn{Transport: proto.Message}}
		if r := prototest.Drive(Protocol, o, prototest.Split(seed, prototest.C(stream))...); r.Joined() != want.Joined() || r.Err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, r.Err, r.Joined())
		}
	}
}

func TestProbe(t *testing.T) {
	tests := []struct {
		name, in string
		d        packet.Dir
		want     proto.Match
	}{
		{"3.1", connect31, packet.ToServer, proto.Yes},
		{"3.1.1", connect311, packet.ToServer, proto.Yes},
		{"5.0", connect5, packet.ToServer, proto.Yes},
		{"overlong length", "\x10\x9d\x00" + connect311[2:], packet.ToServer, proto.Yes},
		{"wrong way", connect311, packet.ToClient, proto.No},
		{"nothing", "", packet.ToServer, proto.More},
		{"cut", connect311[:7], packet.ToServer, proto.More},
		{"other name", "\x10\x10\x00\x04MQTX\x04", packet.ToServer, proto.No},
		{"too short for the name", "\x10\x03\x00\x04MQTT", packet.ToServer, proto.No},
		{"five bytes of length", "\x10\xff\xff\xff\xff", packet.ToServer, proto.No},
		{"answer", connack311, packet.ToClient, proto.Weak},
		{"answer 5.0", connack5, packet.ToClient, proto.Weak},
		{"answer cut", "\x20\x02\x00", packet.ToClient, proto.More},
		{"bad answer", "\x20\x02\x02\x00", packet.ToClient, proto.No},
		{"ping", ping, packet.ToServer, proto.Weak},
		{"pong", pong, packet.ToClient, proto.Weak},
		{"ping with body", "\xc0\x01x", packet.ToServer, proto.No},
		{"publish", publish, packet.ToClient, proto.Weak},
		{"publish cut", publish[:6], packet.ToClient, proto.More},
		{"publish binary topic", pkt(0x30, str("a\x01b"), "x"), packet.ToClient, proto.No},
		{"publish qos 3", "\x36" + publish[1:], packet.ToClient, proto.No},
		{"subscribe", subscribe, packet.ToServer, proto.Weak},
		{"subscribe 5.0", pkt(0x82, "\x00\x01\x00", str("home/#"), "\x00"), packet.ToServer, proto.Weak},
		{"unsubscribe", unsub, packet.ToServer, proto.Weak},
		{"suback", suback, packet.ToClient, proto.Weak},
		{"suback with other codes", "\x90\x03\x00\x01\x33", packet.ToClient, proto.No},
		{"puback", "\x40\x02\x00\x01", packet.ToClient, proto.Weak},
		{"http", "GET / HTTP/1.1\r\n", packet.ToServer, proto.No},
		{"smtp", "220 mail.example ESMTP\r\n", packet.ToClient, proto.No},
		{"ldap", "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00", packet.ToServer, proto.No},
		{"tls", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", packet.ToServer, proto.No},
	}
	for _, tt := range tests {
		if got := probe(tt.d, []byte(tt.in)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func quiet() *proto.Conn {
	var e event.Encoder
	return &proto.Conn{Transport: proto.TCP, OnAnomaly: func(string) {}, OnTx: func(tx proto.Tx, _ bool) {
		e.B = e.B[:0]
		tx.EncodeEVE(&e)
		for _, b := range buffers {
			b.Get(tx, 0)
		}
	}}
}

func TestNoAllocs(t *testing.T) {
	ps, c := Protocol.New(), quiet()
	in := []byte(connect311 + publish + subscribe + unsub + ping + bye)
	answer := []byte(connack5)
	if n := testing.AllocsPerRun(100, func() {
		probe(packet.ToServer, in)
		_, _ = ps.Parse(c, packet.ToServer, in)
		_, _ = ps.Parse(c, packet.ToClient, answer)
		ps.End(c)
		ps.Reset()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) {
	ps, c := Protocol.New(), quiet()
	c.OnTx = func(proto.Tx, bool) {}
	in := []byte(connect311 + publish + subscribe + bye)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ps.Parse(c, packet.ToServer, in); err != nil {
			b.Fatal(err)
		}
		ps.Reset()
	}
}

func FuzzParse(f *testing.F) {
	prototest.Fuzz(f, Protocol, connect311, connect31+bye, connect5+publish5+subscribe5, connack5, publish+subscribe+unsub+suback, connect311+"\xe0\x80\x00\x30\xff\xff\x03")
}
