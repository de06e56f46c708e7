package match_test

import (
	"testing"

	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/match"
)

// TestPieces: the beginning of a stream is inspected as a whole, however often
// it was looked at before; each rule tells of it once.
func TestPieces(t *testing.T) {
	for _, c := range []struct {
		rule string
		n    int // -1: one when only watching, where a piece alone counts as well
	}{
		{`alert tcp any any -> any any (flow:to_server; content:"long pattern"; content:"xy"; sid:1;)`, 1},
		{`alert tcp any any -> any any (flow:to_server; content:"xy"; content:"long pattern"; sid:1;)`, 1},
		{`alert tcp any any -> any any (flow:to_server; content:"long pattern"; sid:1;)`, 1},
		{`alert tcp any any -> any any (flow:to_server; content:"xy"; sid:1;)`, 1},
		{`alert tcp any any -> any any (flow:to_server; content:"pattern xy"; sid:1;)`, 1},
		{`alert tcp any any -> any any (flow:to_server; content:"long pattern"; content:"absent"; sid:1;)`, 0},
		{`alert tcp-stream any any -> any any (flow:to_server; content:"xy"; content:!"long"; sid:1;)`, -1},
	} {
		// The second rule makes the answers count, which end pieces.
		set := compile(t, c.rule+"\n"+`alert tcp any any -> any any (flow:to_client; content:"never"; sid:2;)`, match.Options{})
		for name, r := range map[string]*replayer{"watching": watchWith(t, engine.Config{Rules: set}), "in line": replayWith(t, engine.Config{Rules: set})} {
			f := r.open(4000, 9999)
			f.send(toServer, "\x01\x02long pattern ")
			f.send(toClient, "\x03\x04")
			f.send(toServer, "xy")
			f.send(toClient, "\x05\x06")
			f.close()
			want := c.n
			if want < 0 {
				want = 0
				if name == "watching" {
					want = 1
				}
			}
			if got := r.end(); len(got) != want {
				t.Errorf("%s, %s: %v", c.rule, name, got)
			}
		}
	}
}
