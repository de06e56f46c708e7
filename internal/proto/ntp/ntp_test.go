package ntp

import (
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

var (
	zero32  = strings.Repeat("\x00", 32)
	stamp   = "\xe9\x00\x00\x00\x80\x00\x00\x00"
	client  = "\x23\x00\x06\x20" + zero32 + "\x00\x00\x00\x00" + stamp
	server  = "\x24\x02\x06\xe9\x00\x00\x10\x00\x00\x00\x20\x00\xc0\x00\x02\x01" + stamp + stamp + stamp + stamp
	gps     = "\x1c\x01\x06\xec\x00\x00\x00\x00\x00\x00\x00\x10GPS\x00" + stamp + stamp + stamp + stamp
	refusal = "\xe4\x00\x06\xe9\x00\x00\x00\x00\x00\x00\x00\x00RATE" + stamp + stamp + stamp + stamp
	v1      = "\x08\x00\x06\xfa" + zero32 + "\x00\x00\x00\x00" + stamp
	control = "\x16\x02\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"
	answer  = "\x16\x82\x00\x01\x06\x18\x00\x00\x00\x00\x00\x05a=\"b\"\x00\x00\x00"
	monlist = "\x17\x00\x03\x2a\x00\x00\x00\x00"
)

func TestMessages(t *testing.T) {
	tests := []struct {
		name, in string
		probe    proto.Match
		want     string
	}{
		{"client", client, proto.Weak, `"ntp":{"version":4,"mode":"client","leap":0,"stratum":0,"poll":6,"precision":32}`},
		{"server", server, proto.Weak, `"ntp":{"version":4,"mode":"server","leap":0,"stratum":2,"poll":6,"precision":-23,"reference_id":"192.0.2.1"}`},
		{"clock", gps, proto.Weak, `"ntp":{"version":3,"mode":"server","leap":0,"stratum":1,"poll":6,"precision":-20,"reference_id":"GPS"}`},
		{"refusal", refusal, proto.Weak, `"ntp":{"version":4,"mode":"server","leap":3,"stratum":0,"poll":6,"precision":-23,"reference_id":"RATE"}`},
		{"odd letters", gps[:12] + "\x01\xff\x00\x00" + gps[16:], proto.Weak, `"ntp":{"version":3,"mode":"server","leap":0,"stratum":1,"poll":6,"precision":-20,"reference_id":"01ff0000"}`},
		{"signed", client + strings.Repeat("x", 20), proto.Weak, `"ntp":{"version":4,"mode":"client","leap":0,"stratum":0,"poll":6,"precision":32}`},
		{"version 1", v1, proto.Weak, `"ntp":{"version":1,"mode":"reserved","leap":0,"stratum":0,"poll":6,"precision":-6}`},
		{"control", control, proto.Weak, `"ntp":{"version":2,"mode":"control","response":false,"opcode":2,"count":0}`},
		{"control answer", answer, proto.Weak, `"ntp":{"version":2,"mode":"control","response":true,"opcode":2,"count":5}`},
		{"monlist", monlist, proto.Weak, `"ntp":{"version":2,"mode":"private","response":false,"request_code":42,"count":0}`},
		{"mode zero", "\x20" + client[1:], proto.No, ``},
		{"version zero", "\x03" + client[1:], proto.No, ``},
		{"version five", "\x2b" + client[1:], proto.No, ``},
		{"cut", client[:47], proto.No, ``},
		{"control cut", control[:11], proto.No, ``},
		{"short", "\x23", proto.No, ``},
		{"stratum", client[:1] + "\x11" + client[2:], proto.No, `"ntp":{"version":4,"mode":"client","leap":0,"stratum":17,"poll":6,"precision":32}`},
		{"delay", client[:4] + "\x10" + client[5:], proto.No, `"ntp":{"version":4,"mode":"client","leap":0,"stratum":0,"poll":6,"precision":32}`},
		{"odd length", client + "x", proto.No, `"ntp":{"version":4,"mode":"client","leap":0,"stratum":0,"poll":6,"precision":32}`},
		{"server without time", server[:40] + "\x00\x00\x00\x00\x00\x00\x00\x00", proto.No, `"ntp":{"version":4,"mode":"server","leap":0,"stratum":2,"poll":6,"precision":-23,"reference_id":"192.0.2.1"}`},
		{"control that promises more", control[:10] + "\x01\x00", proto.No, `"ntp":{"version":2,"mode":"control","response":false,"opcode":2,"count":256}`},
	}
	for _, tt := range tests {
		if m := probe(packet.ToServer, []byte(tt.in)); m != tt.probe {
			t.Errorf("%s: probe %v, want %v", tt.name, m, tt.probe)
		}
		eve, anomalies, _ := prototest.One(t, Protocol, tt.in)
		if eve != tt.want || slices.Equal(anomalies, []string{"malformed_data"}) != (tt.want == "") {
			t.Errorf("%s: %v\n%s\nwant %s", tt.name, anomalies, eve, tt.want)
		}
	}
}

// TestProbeRandom: of 200,000 random datagrams of the usual length fewer than
// one in 10,000 is plausible.
func TestProbeRandom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	n := 0
	for range 200_000 {
		b := make([]byte, headerLen)
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		b[0] = b[0]&^7 | byte(1+rnd.IntN(5))
		if probe(packet.ToServer, b) != proto.No {
			n++
		}
	}
	if n > 20 {
		t.Errorf("%d plausible", n)
	}
}

func TestNoAllocs(t *testing.T) {
	prototest.NoAllocs(t, Protocol, client, server, gps, answer, monlist)
}
func FuzzParse(f *testing.F)      { prototest.Fuzz(f, Protocol, client, server, v1, answer, monlist) }
func BenchmarkParse(b *testing.B) { prototest.Bench(b, Protocol, server) }
