package mining

import (
	"testing"

	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/http2"
)

func TestHTTP2(t *testing.T) {
	agent := []byte("XMRig/6.26.0 (Linux)")
	ext := []http2.Header{{Name: []byte("x-mining-extensions"), Value: []byte("longpoll")}}
	for name, tt := range map[string]struct {
		tx   http2.Tx
		want string // dialect
	}{
		"polls a daemon":          {http2.Tx{RequestHead: true, UserAgent: agent, Path: []byte("/getheight"), Host: []byte("node.example")}, "getblocktemplate"},
		"asks with extensions":    {http2.Tx{RequestHead: true, UserAgent: []byte("cgminer/4.10"), RequestHeaders: ext}, "getwork"},
		"answered by a pool":      {http2.Tx{RequestHead: true, UserAgent: []byte("cgminer/4.10"), ResponseHeaders: []http2.Header{{Name: []byte("X-Long-Polling"), Value: []byte("/lp")}}}, "getwork"},
		"a wallet that polls":     {http2.Tx{RequestHead: true, UserAgent: []byte("monero-gui"), Path: []byte("/getheight")}, ""},
		"a miner's updater":       {http2.Tx{RequestHead: true, UserAgent: agent, Path: []byte("/release")}, ""},
		"its head is not yet all": {http2.Tx{UserAgent: agent, Path: []byte("/getheight")}, ""},
	} {
		in, c, got := Detector.New(), &proto.Conn{ServerPort: 8443}, ""
		f, ok := in.Inspect(nil, c, &tt.tx)
		if ok {
			got = f.Mining.Dialect
			checkEvidence(t, &f)
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		if tt.want == "" {
			if n := testing.AllocsPerRun(50, func() { in.Inspect(nil, c, &tt.tx) }); n != 0 {
				t.Errorf("%s: %v allocations where nothing is found", name, n)
			}
		}
	}
}
