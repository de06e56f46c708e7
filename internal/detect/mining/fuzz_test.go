package mining

import (
	"math"
	"slices"
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
	for _, s := range slices.Concat(sessions, moreSessions, kinSessions) {
		add(s.lines)
	}
	for _, lines := range benign {
		add(lines)
	}
	f.Fuzz(func(t *testing.T, up, down, agent string) {
		g, at, s := judge(t, proto.Conn{Midstream: len(up)%2 == 0}, prototest.C(up), prototest.S(down))
		if at >= 0 && g.Level == event.Confirmed {
			checkEvidence(t, &g)
		}
		if s != nil {
			s.Last += 60e9 // the estimates are numbers, whatever the difficulty
			r := run(s)
			for _, v := range []float64{r.PerShare, r.Work, r.Rate, r.Power[0], r.Power[1], r.Energy[1]} {
				if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
					t.Errorf("%+v", r)
				}
			}
		}
		tx := &http.Tx{URI: []byte("/getheight"), UserAgent: []byte(agent), RequestBody: []byte(up), ResponseBody: []byte(down), RequestDone: true,
			RequestHeaders: []http.Header{{Name: []byte("Authorization"), Value: []byte("Basic " + agent)}, {Name: []byte(agent)}}}
		if g, ok := Detector.New().Inspect(nil, &proto.Conn{}, tx); ok && g.Level > event.Suspect {
			checkEvidence(t, &g)
		}
	})
}
