package match_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/match"
)

// TestPieces: what comes before Suricata would look is inspected as a whole,
// however often it was looked at before; each rule tells of it once.
func TestPieces(t *testing.T) {
	for _, c := range []struct {
		rule string
		n    int
	}{
		{`alert tcp any any -> any any (flow:to_server; content:"long pattern"; content:"xy"; sid:1;)`, 1},
		{`alert tcp any any -> any any (flow:to_server; content:"xy"; content:"long pattern"; sid:1;)`, 1},
		{`alert tcp any any -> any any (flow:to_server; content:"long pattern"; sid:1;)`, 1},
		{`alert tcp any any -> any any (flow:to_server; content:"xy"; sid:1;)`, 1},
		{`alert tcp any any -> any any (flow:to_server; content:"pattern xy"; sid:1;)`, 1},
		{`alert tcp any any -> any any (flow:to_server; content:"long pattern"; content:"absent"; sid:1;)`, 0},
		{`alert tcp-stream any any -> any any (flow:to_server; content:"xy"; content:!"long"; sid:1;)`, 0},
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
			if got := r.end(); len(got) != c.n {
				t.Errorf("%s, %s: %v", c.rule, name, got)
			}
		}
	}
}

// TestPieceOfPackets holds what Suricata 7.0.10 tells of a conversation of 40
// requests of 200 bytes and answers of 300 that nothing recognises: a piece
// ends with the packet that makes it 2,560 bytes, each rule tells of it once,
// and places count from its start. Tell it earlier, never more often.
func TestPieceOfPackets(t *testing.T) {
	for _, c := range []struct {
		rule string
		n    int
	}{
		{`alert tcp any any -> any any (flow:to_server; content:"abc"; sid:1;)`, 4},
		{`alert tcp any any -> any any (flow:to_client; content:"abc"; sid:1;)`, 5},
		{`alert tcp-stream any any -> any any (flow:to_server; content:"REQ"; depth:3; sid:1;)`, 4},
		{`alert tcp-stream any any -> any any (flow:to_server; content:"abc"; offset:5; depth:3; sid:1;)`, 4},
		{`alert tcp-stream any any -> any any (flow:to_server; content:"REQ"; offset:1; depth:3; sid:1;)`, 0},
		{`alert tcp-stream any any -> any any (flow:to_client; content:"RESP"; depth:4; sid:1;)`, 5},
		{`alert tcp any any -> any any (flow:to_server; content:"abc"; content:!"XYZ"; sid:1;)`, 4},
		{`alert tcp any any -> any any (flow:to_server; content:!"XYZ"; sid:1;)`, 4},
		{`alert tcp any any -> any any (flow:to_server; content:!"abc"; sid:1;)`, 0},
		{`alert tcp any any -> any any (flow:to_server; content:"abc"; threshold:type both,track by_src,count 4,seconds 60; sid:1;)`, 1},
		{`alert tcp any any -> any any (flow:to_server; content:"abc"; threshold:type both,track by_src,count 5,seconds 60; sid:1;)`, 0},
	} {
		r := watchWith(t, engine.Config{Rules: compile(t, c.rule, match.Options{})})
		f := r.open(4000, 8888)
		for i := range 40 {
			f.send(toServer, fmt.Sprintf("REQ%02dabc%s\n", i, strings.Repeat(".", 191)))
			f.send(toClient, fmt.Sprintf("RESP%02dabc%s", i, strings.Repeat(".", 291)))
		}
		f.close()
		if got := r.end(); len(got) != c.n {
			t.Errorf("%s: told %d times, want %d", c.rule, len(got), c.n)
		}
	}
}
