package wireguard

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

func TestGolden(t *testing.T) { prototest.GoldenUDP(t, Protocol, *update) }
func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }

// msg makes a message of n bytes with its first words in place and the rest
// unlike zero.
func msg(n int, words ...uint32) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)%0x7f + 1
	}
	for i, w := range words {
		binary.LittleEndian.PutUint32(b[4*i:], w)
	}
	return string(b)
}

var (
	initiation = msg(148, 1, 7)
	response   = msg(92, 2, 9, 7)
	cookie     = msg(64, 3, 7)
	dataUp     = msg(32, 4, 9, 0, 0)
	dataDown   = msg(96, 4, 7, 5, 0)
)

func TestTunnel(t *testing.T) {
	c, s := prototest.C, prototest.S
	tests := []struct {
		name      string
		parts     []prototest.Part
		want      string
		finished  bool
		anomalies []string
	}{
		{"handshake", []prototest.Part{c(initiation), s(response), c(dataUp)},
			`"wireguard":{"type":"handshake","initiator":"client","answered":true,"client_index":7,"server_index":9}`, true, nil},
		{"from the server", []prototest.Part{c(dataUp), s(initiation), c(response)},
			`"wireguard":{"type":"handshake","initiator":"server","answered":true,"client_index":9,"server_index":7}`, true, nil},
		{"cookie and again", []prototest.Part{c(initiation), s(cookie), c(msg(148, 1, 8)), s(msg(92, 2, 9, 8))},
			`"wireguard":{"type":"handshake","initiator":"client","answered":true,"client_index":8,"server_index":9,"tries":2,"cookie":true}`, true, nil},
		{"no answer", []prototest.Part{c(initiation)},
			`"wireguard":{"type":"handshake","initiator":"client","answered":false,"client_index":7}`, false, nil},
		{"answer to another", []prototest.Part{c(initiation), s(msg(92, 2, 9, 8)), s(msg(64, 3, 8))},
			`"wireguard":{"type":"handshake","initiator":"client","answered":false,"client_index":7}`, false, []string{"index_mismatch"}},
		{"response by the initiator", []prototest.Part{c(initiation), c(response)},
			`"wireguard":{"type":"handshake","initiator":"client","answered":false,"client_index":7}`, false, []string{"index_mismatch"}},
		{"response alone", []prototest.Part{s(response)},
			`"wireguard":{"type":"handshake","initiator":"client","answered":true,"client_index":7,"server_index":9}`, true, nil},
		{"data between handshakes", []prototest.Part{c(initiation), c(dataUp), s(dataDown), s(response)},
			`"wireguard":{"type":"handshake","initiator":"client","answered":true,"client_index":7,"server_index":9}`, true, nil},
		{"met midway", []prototest.Part{c(dataUp), c(dataUp), s(dataDown)},
			`"wireguard":{"type":"transport","client_index":7,"server_index":9}`, true, nil},
		{"data one way", []prototest.Part{c(dataUp)}, `"wireguard":{"type":"transport","server_index":9}`, false, nil},
		{"others", []prototest.Part{c(""), s("x"), c(initiation[:147]), c(initiation + "x"), c(cookie)}, ``, false, nil},
	}
	for _, tt := range tests {
		r := prototest.Drive(Protocol, prototest.Options{Conn: proto.Conn{Transport: proto.UDP}}, tt.parts...)
		if r.Joined() != tt.want || r.Finished != tt.finished || !slices.Equal(r.Anomalies, tt.anomalies) || r.Err != nil {
			t.Errorf("%s: %v %v\n%s\nwant %s", tt.name, r.Finished, r.Anomalies, r.Joined(), tt.want)
		}
	}
}

func TestProbe(t *testing.T) {
	zeroKey := []byte(initiation)
	clear(zeroKey[8:40])
	highKey := []byte(initiation)
	highKey[39] = 0x80
	highAnswer := []byte(response)
	highAnswer[43] = 0xff
	tests := []struct {
		name, in string
		want     proto.Match
	}{
		{"initiation", initiation, proto.Yes},
		{"response", response, proto.Weak},
		{"cookie", cookie, proto.Weak},
		{"keepalive", dataUp, proto.Weak},
		{"data", dataDown, proto.Weak},
		{"late counter", msg(32, 4, 9, 0xffffffff, 0xff), proto.Weak},
		{"counter out of reach", msg(32, 4, 9, 0, 0x100), proto.No},
		{"data not padded", msg(40, 4, 9, 0, 0), proto.No},
		{"reserved", msg(148, 0x101, 7), proto.No},
		{"short", initiation[:147], proto.No},
		{"long", initiation + "x", proto.No},
		{"type 5", msg(148, 5, 7), proto.No},
		{"no key", string(zeroKey), proto.No},
		{"key above 2^255", string(highKey), proto.No},
		{"answer's key above 2^255", string(highAnswer), proto.No},
		{"empty", "", proto.No},
	}
	for _, tt := range tests {
		for d := range packet.Dir(2) {
			if got := probe(d, []byte(tt.in)); got != tt.want {
				t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
			}
		}
	}
}

// A parser serves one flow after the other.
func TestReset(t *testing.T) {
	ps := Protocol.New()
	for range 2 {
		r := prototest.DriveParser(Protocol, ps, prototest.Options{Conn: proto.Conn{Transport: proto.UDP}},
			prototest.C(initiation), prototest.S(response))
		if r.Done != 1 || !r.Finished || ps.Gap(nil, 0, 1) != nil {
			t.Errorf("%+v", r)
		}
		ps.Reset()
	}
}

func TestNoAllocs(t *testing.T) {
	prototest.NoAllocs(t, Protocol, initiation, response, cookie, dataUp)
}
func FuzzParse(f *testing.F) {
	prototest.Fuzz(f, Protocol, initiation, response, cookie, dataUp, dataDown)
}
func BenchmarkParse(b *testing.B) { prototest.Bench(b, Protocol, initiation) }
