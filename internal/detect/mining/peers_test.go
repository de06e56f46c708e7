package mining_test

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// TestPeers: through the whole engine a node of p2pool is found, on any port;
// those of Bitcoin and Monero are nodes and nothing else.
func TestPeers(t *testing.T) {
	noise := func(n int, seed string) string {
		out := ""
		for len(out) < n {
			sum := sha256.Sum256([]byte(seed + out))
			out += strings.ReplaceAll(string(sum[:]), "\x00", "\x7b")
		}
		return out[:n]
	}
	tip := "\x02\x01\x94\x00\x00\x03" + strings.Repeat("\x00", 32)
	le := func(v uint32) string { return string(binary.LittleEndian.AppendUint32(nil, v)) }
	checked := func(head, payload string) string {
		one := sha256.Sum256([]byte(payload))
		two := sha256.Sum256(one[:])
		return head + le(uint32(len(payload))) + string(two[:4]) + payload
	}
	version := le(70016) + strings.Repeat("\x00", 8+8+52) + "12345678" + "\x05/x:1/" + le(7)
	old := le(3301) + strings.Repeat("\x00", 8+52) + "12345678" + "\x0518.0-" + le(1) + "\x00"
	levin := "\x01\x21\x01\x01\x01\x01\x01\x01" + le(0) + le(0) + "\x01" + le(1003) + le(0) + le(1) + le(1)
	for _, tt := range []struct {
		name  string
		parts []prototest.Part
		want  string
	}{
		{"Monero's p2pool", []prototest.Part{c("\x00" + noise(16, "a")), s("\x00" + noise(16, "b")), c("\x01" + noise(30, "c") + "\x03\x00" + noise(8, "d")),
			s("\x01" + noise(40, "e") + tip), c(tip)}, "p2pool"},
		{"Bitcoin's p2pool", []prototest.Part{c(checked("\x24\x72\xef\x18\x1e\xfc\xd3\x7bversion\x00\x00\x00\x00\x00", old)), s(checked("\x24\x72\xef\x18\x1e\xfc\xd3\x7bhave_tx\x00\x00\x00\x00\x00", "x"))}, "p2pool"},
		{"a Bitcoin node", []prototest.Part{c(checked("\xf9\xbe\xb4\xd9version\x00\x00\x00\x00\x00", version)), s(checked("\xf9\xbe\xb4\xd9version\x00\x00\x00\x00\x00", version))}, ""},
		{"a Monero node", []prototest.Part{c(levin), s(levin)}, ""},
	} {
		for _, port := range []uint16{37889, 443, 25} {
			for _, piece := range []int{1400, 1} {
				got := carry(t, port, piece, tt.parts)
				switch {
				case tt.want == "" && len(got) > 0:
					t.Errorf("%s, port %d: %s", tt.name, port, got[0].Signature)
				case tt.want != "" && (len(got) != 1 || got[0].Level != event.Confirmed || got[0].Mining.Dialect != tt.want || got[0].Category != event.Mining):
					t.Errorf("%s, port %d, %d bytes a segment: %+v", tt.name, port, piece, got)
				}
			}
		}
	}
}
