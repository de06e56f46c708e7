package match_test

import (
	"testing"

	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/match"
)

// TestPassMidstream: no rule looks at a stream whose start was not seen, also
// when its bytes would be a protocol's; those that begin are inspected.
func TestPassMidstream(t *testing.T) {
	set := compile(t, `drop tcp any any -> any any (content:"secret"; sid:1;)
alert ip any any -> any any (content:"secret"; sid:2;)
alert http any any -> any any (http.uri; content:"/secret"; sid:3;)
alert tcp any any -> any 80 (sid:4;)
`, match.Options{})
	for _, tt := range []struct {
		name string
		cfg  engine.Config
		want []uint32
	}{
		{"pass", engine.Config{RulesPassMidstream: true}, nil},
		{"pass before inspect", engine.Config{RulesPassMidstream: true, RulesMidstream: true}, nil},
	} {
		tt.cfg.Rules = set
		r := replayWith(t, tt.cfg)
		f := &conn{r: r, cp: 4000, sp: 80, seq: [2]uint32{1, 1}}
		f.get("/secret", "secret")
		same(t, r.end(), tt.want)
	}
	r := replayWith(t, engine.Config{Rules: set, RulesPassMidstream: true})
	f := r.open(4000, 80)
	f.send(toServer, "GET /open HTTP/1.1\r\nHost: a\r\n\r\n")
	f.send(toServer, "GET /secret HTTP/1.1\r\nHost: a\r\n\r\n")
	f.close()
	found := false
	for _, sid := range r.end() {
		found = found || sid == 1
	}
	if !found {
		t.Error("a connection seen from its start is not inspected")
	}
}
