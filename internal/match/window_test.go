package match_test

import (
	"testing"

	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/match"
)

// TestWindows holds what Suricata 7.0.10 tells of twenty datagrams, 2.1 s
// apart: an alert does not begin the window of a threshold anew.
func TestWindows(t *testing.T) {
	for _, c := range []struct {
		rule string
		want string // which datagrams
	}{
		{"threshold:type threshold,track by_src,count 3,seconds 10", "..1....1....1....1.."},
		{"threshold:type limit,track by_src,count 2,seconds 10", "11...11...11...11..."},
		{"threshold:type both,track by_src,count 2,seconds 10", ".1....1....1....1..."},
		{"threshold:type threshold,track by_src,count 1,seconds 2", "11111111111111111111"},
		{"detection_filter:track by_src,count 2,seconds 10", "..111..111..111..111"},
	} {
		r := watchWith(t, engine.Config{Rules: compile(t, "alert udp any any -> any any (content:\"x\"; "+c.rule+"; sid:1;)", match.Options{})})
		got := ""
		for range 20 {
			n := len(r.alerts)
			r.frame(udp([4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, 1000, 2000, "x"))
			got += string(".1"[min(len(r.alerts)-n, 1)])
			r.now += 2099e6 // and a millisecond for the datagram
		}
		if got != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.rule, got, c.want)
		}
	}
}
