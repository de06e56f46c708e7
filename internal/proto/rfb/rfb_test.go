package rfb

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

// TestCaptures compares what is read from every testdata/*.pcap with the
// golden file beside it.
func TestCaptures(t *testing.T) { prototest.Golden(t, Protocol, *update) }

// TestReadme holds README.md against the code and the captures.
func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }

const (
	v8, v7, v3 = "RFB 003.008\n", "RFB 003.007\n", "RFB 003.003\n"
	challenge  = "0123456789abcdef"
	ok         = "\x00\x00\x00\x00"
	pixel      = "\x20\x18\x00\x01\x00\xff\x00\xff\x00\xff\x10\x08\x00\x00\x00\x00"
	screen     = "\x02\x80\x01\xe0" + pixel + "\x00\x00\x00\x03lab"
)

func TestSessions(t *testing.T) {
	c, s := prototest.C, prototest.S
	long := strings.Repeat("n", maxText)
	const fb = `"screen_shared":true,"framebuffer":{"width":640,"height":480,"name":"lab","pixel_format":{"bits_per_pixel":32,"depth":24,"big_endian":false,"true_color":true,"red_max":255,"green_max":255,"blue_max":255,"red_shift":16,"green_shift":8,"blue_shift":0}}}`
	tests := []struct {
		name  string
		parts []prototest.Part
		want  string // end of the event
		fin   bool
		bad   bool
	}{
		{"3.8, none", []prototest.Part{s(v8), c(v8), s("\x02\x01\x02"), c("\x01"), s(ok), c("\x01"), s(screen), s("picture")}, `"authentication":{"security_type":1,"security_result":"OK"},` + fb, true, false},
		{"3.7, none", []prototest.Part{s(v8), c(v7), s("\x01\x01"), c("\x01\x01"), s(screen)}, `"authentication":{"security_type":1},` + fb, true, false},
		{"3.3, password", []prototest.Part{s(v3), c(v3), s("\x00\x00\x00\x02" + challenge), c(challenge), s(ok), c("\x01"), s(screen)},
			`"authentication":{"security_type":2,"vnc":{"challenge":"30313233343536373839616263646566","response":"30313233343536373839616263646566"},"security_result":"OK"},` + fb, true, false},
		{"refused", []prototest.Part{s(v8), c(v8), s("\x01\x02"), c("\x02"), s(challenge), c(challenge), s("\x00\x00\x00\x01\x00\x00\x00\x04nope")},
			`"security_result":"FAIL"},"server_security_failure_reason":"nope"}`, true, false},
		{"too many, 3.7", []prototest.Part{s(v8), c(v7), s("\x01\x02"), c("\x02"), s(challenge), c(challenge), s("\x00\x00\x00\x02")}, `"security_result":"TOOMANY"}}`, true, false},
		{"nothing offered", []prototest.Part{s(v8), c(v8), s("\x00\x00\x00\x00\x04busy")}, `"minor":"008"},"server_security_failure_reason":"busy"}`, true, false},
		{"nothing offered, 3.3", []prototest.Part{s(v3), c(v3), s("\x00\x00\x00\x00\x00\x00\x00\x04busy")}, `"authentication":{"security_type":0},"server_security_failure_reason":"busy"}`, true, false},
		{"another security type", []prototest.Part{s(v8), c(v8), s("\x01\x13"), c("\x13"), s("\x00\x02")}, `"authentication":{"security_type":19}}`, true, false},
		{"server's bytes before the client's", []prototest.Part{s(v8), c(v8), s("\x01\x02" + challenge), c("\x02"), c(challenge), s(ok + screen), c("\x01")}, fb, true, false},
		{"long name", []prototest.Part{s(v8), c(v8), s("\x01\x01"), c("\x01"), s(ok), c("\x00"), s("\x02\x80\x01\xe0" + pixel + "\x7f\xff\xff\xff" + long + long)}, `"name":"` + long + `","pixel_format":{"bits_per_pixel":32,"depth":24,"big_endian":false,"true_color":true,"red_max":255,"green_max":255,"blue_max":255,"red_shift":16,"green_shift":8,"blue_shift":0}}}`, true, false},
		{"ended early", []prototest.Part{s(v8), c(v8)}, `"client_protocol_version":{"major":"003","minor":"008"}}`, false, false},
		{"gap", []prototest.Part{s(v8), c(v8), {Dir: packet.ToClient, Gap: 5, Data: []byte(ok)}}, `"client_protocol_version":{"major":"003","minor":"008"}}`, false, true},
		{"no version", []prototest.Part{s("RFC 003.008\n")}, ``, false, true},
	}
	for _, tt := range tests {
		for seed := range uint64(5) {
			parts := tt.parts
			if seed > 0 {
				parts = prototest.Split(seed, parts...)
			}
			r := prototest.Drive(Protocol, prototest.Options{}, parts...)
			if !strings.HasSuffix(r.Joined(), tt.want) || (tt.want == "") != (r.Joined() == "") || r.Finished != tt.fin || (r.Err != nil) != tt.bad {
				t.Fatalf("%s, seed %d: %v, finished %v\n%s\nwant %s", tt.name, seed, r.Err, r.Finished, r.Joined(), tt.want)
			}
		}
	}
}

func TestBuffers(t *testing.T) {
	var got []string
	o := prototest.Options{OnTx: func(tx proto.Tx, done bool) {
		if done {
			got = prototest.Values(t, Protocol, tx)
		}
	}}
	prototest.Drive(Protocol, o, session...)
	if strings.Join(got, " ") != "rfb.name=lab rfb.sectype=2 rfb.secresult=0" {
		t.Errorf("%q", got)
	}
}

var session = []prototest.Part{prototest.S(v8), prototest.C(v8), prototest.S("\x01\x02"), prototest.C("\x02"), prototest.S(challenge), prototest.C(challenge), prototest.S(ok), prototest.C("\x01"), prototest.S(screen)}

func TestProbe(t *testing.T) {
	for in, want := range map[string]proto.Match{v8: proto.Yes, v8[:7]: proto.More, "": proto.More, "RFB 3.8\n": proto.No, "RFB 003,008\n": proto.No, v3 + "x": proto.Yes} {
		if got := probe(packet.ToClient, []byte(in)); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

func drive(p proto.Parser, c *proto.Conn) {
	for _, pt := range session {
		_, _ = p.Parse(c, pt.Dir, pt.Data)
	}
	p.End(c)
	p.Reset()
	c.Reset()
}

func TestNoAllocs(t *testing.T) {
	p, c := Protocol.New(), &proto.Conn{OnTx: func(proto.Tx, bool) {}}
	if n := testing.AllocsPerRun(100, func() { drive(p, c) }); n != 0 {
		t.Errorf("%v allocations per session", n)
	}
}

func BenchmarkParse(b *testing.B) {
	p, c := Protocol.New(), &proto.Conn{OnTx: func(proto.Tx, bool) {}}
	b.ReportAllocs()
	for b.Loop() {
		drive(p, c)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(v8+"\x02"+challenge+"\x01"), []byte(v8+"\x01\x02"+challenge+ok+screen))
	f.Add([]byte(v3+"\x01"), []byte(v3+"\x00\x00\x00\x01"+screen))
	f.Fuzz(func(t *testing.T, client, server []byte) {
		o := prototest.Options{OnTx: func(tx proto.Tx, _ bool) {
			prototest.Values(t, Protocol, tx)
			var e event.Encoder
			e.Obj("")
			tx.EncodeEVE(&e)
			e.EndObj()
			if !json.Valid(e.B) {
				t.Errorf("not JSON: %s", e.B)
			}
		}}
		one, two := prototest.Split(1, prototest.C(string(client))), prototest.Split(2, prototest.S(string(server)))
		var parts []prototest.Part // the two sides in turn
		for len(one)+len(two) > 0 {
			if len(two) > 0 {
				parts, two = append(parts, two[0]), two[1:]
			}
			if len(one) > 0 {
				parts, one = append(parts, one[0]), one[1:]
			}
		}
		prototest.Drive(Protocol, o, parts...)
	})
}
