package match_test

import (
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/rules"
)

// TestBothSides: a rule with => asks for buffers of both sides of one
// transaction.
func TestBothSides(t *testing.T) {
	for _, c := range []struct {
		options string
		want    int
	}{
		{`http.uri; content:"/one"; http.stat_code; content:"200";`, 1},
		{`http.uri; content:"/one"; http.stat_code; content:"404";`, 0},
		{`http.uri; content:"/one"; http.content_len; content:"5"; http.response_body; content:"two";`, 0}, // of the other one's answer
		{`http.uri; content:"/two"; fast_pattern; http.response_body; content:"two";`, 1},
		{`http.uri; content:"/two"; http.response_body; content:"two"; fast_pattern;`, 1},
		{`http.protocol:to_client; content:"HTTP/1.1"; http.protocol:to_server; content:"HTTP/1.1";`, 2},
		{`http.content_type:to_server; content:"text";`, 0},
		{`http.content_type:to_client; content:"text";`, 2},
		{`http.content_type:to_client; content:"text"; http.uri; content:"/one";`, 1},
		{`http.uri; content:"/one"; file.data:to_client; content:"first";`, 1},
		{`http.uri; content:"/one"; file.data; content:"two";`, 0},
		{`http.uri; content:"/one"; filesize:to_client,<10;`, 1},
		{`http.uri; content:"/one"; filesize:to_client,>10;`, 0},
		{`http.uri; content:"/one"; filesize:<10;`, 1},
	} {
		r := replay(t, compile(t, "alert http $HOME_NET any => any 80 (flow:established; "+c.options+" sid:1;)", match.Options{}))
		f := r.open(4000, 80)
		f.get("/one", "first")
		f.get("/two", "two")
		f.close()
		if got := len(r.end()); got != c.want {
			t.Errorf("%s: %d alerts, want %d", c.options, got, c.want)
		}
	}
	for _, rule := range []string{`alert http any any -> any any (http.protocol:to_client; content:"x"; sid:1;)`, `alert http any any => any any (http.protocol:both; content:"x"; sid:1;)`} {
		rs, _ := rules.Parse("t", strings.NewReader(rule), rules.ParseConfig{})
		if _, p := match.Compile(rs, match.Options{Protocols: builtin.Protocols()}); len(p) != 1 {
			t.Errorf("%s loads", rule)
		}
	}
}

// TestHeadless: of a stream without the client's SYN no protocol is known to
// rules, even when the server's answer to it was seen.
func TestHeadless(t *testing.T) {
	text := `alert http any any -> any any (sid:1;)
alert http any any -> any any (http.uri; content:"one"; sid:2;)
alert tcp any any -> any any (flow:established; sid:3;)
alert tcp any any -> any any (content:"GET /one"; sid:4;)
`
	for _, whole := range []bool{true, false} {
		r := replay(t, compile(t, text, match.Options{}))
		f := &conn{r: r, cp: 4000, sp: 80, seq: [2]uint32{1001, 5001}}
		if whole {
			f.segment(toServer, packet.SYN, 1000, 0, "")
		}
		f.segment(toClient, packet.SYN|packet.ACK, 5000, 1001, "")
		f.segment(toServer, packet.ACK, 1001, 5001, "")
		f.get("/one", "first")
		f.close()
		n := [5]int{}
		for _, sid := range r.end() {
			n[sid]++
		}
		if n[4] != 1 || (n[1] > 0) != whole || (n[2] > 0) != whole || (n[3] > 0) != whole {
			t.Errorf("with SYN %v: alerts by rule %v", whole, n[1:])
		}
	}
}
