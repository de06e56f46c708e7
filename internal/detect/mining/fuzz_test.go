package mining

import (
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/http"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// FuzzInspect gives both sides of a conversation to the detector, as a stream
// and as bodies of HTTP. Whatever comes, there is no panic, at most one finding,
// and each stands on two independent marks.
func FuzzInspect(f *testing.F) {
	add := func(lines []string) {
		var side [2]strings.Builder
		for _, p := range talk(lines...) {
			side[p.Dir].Write(p.Data)
		}
		f.Add(side[0].String(), side[1].String(), "cpuminer/2.5")
	}
	for _, s := range sessions {
		add(s.lines)
	}
	for _, lines := range benign {
		add(lines)
	}
	f.Fuzz(func(t *testing.T, up, down, agent string) {
		if g, at, _ := judge(t, proto.Conn{Midstream: len(up)%2 == 0}, prototest.C(up), prototest.S(down)); at >= 0 && g.Level == event.Confirmed {
			checkEvidence(t, &g)
		}
		tx := &http.Tx{URI: []byte("/getheight"), UserAgent: []byte(agent), RequestBody: []byte(up), ResponseBody: []byte(down), RequestDone: true,
			RequestHeaders: []http.Header{{Name: []byte("Authorization"), Value: []byte("Basic " + agent)}, {Name: []byte(agent)}}}
		if g, ok := Detector.New().Inspect(nil, &proto.Conn{}, tx); ok {
			checkEvidence(t, &g)
		}
	})
}
