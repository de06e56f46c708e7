package afpacket

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// twoMembers returns a group of two on an interface that is up.
func twoMembers(t *testing.T, name string, states *[]string) *group {
	t.Helper()
	return &group{members: 2, factor: 1, cfg: Config{Interface: name, Workers: 2, OnState: func(up bool, err error) {
		*states = append(*states, fmt.Sprint(up))
	}}}
}

func mustJoin(t *testing.T, g *group) *socket {
	t.Helper()
	s, err := g.join()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestNothingBeforeAllJoined: a socket that waits for the others of its group
// receives nothing, else a frame would be seen twice or a flow would move.
func TestNothingBeforeAllJoined(t *testing.T) {
	needNet(t)
	p := newPeer(t)
	p.link(t, "ya0")
	var states []string
	g := twoMembers(t, "ya0", &states)
	frame := append(ethHeader(0x88, 0xb5), make([]byte, 100)...)
	send := func() {
		p.do(t, func() error { return inject("far", frame, frame, frame) })
		time.Sleep(3 * retireTime)
	}
	first := mustJoin(t, g)
	defer first.close()
	send()
	if first.take() != nil {
		t.Error("frames came before the group was complete")
	}
	second := mustJoin(t, g)
	defer second.close()
	send()
	if a, b := first.take(), second.take(); a == nil && b == nil {
		t.Error("no frames once the group was complete")
	} else if a != nil && b != nil {
		t.Error("frames that are no IP reached both workers")
	}
	if len(states) != 0 {
		t.Errorf("states %v were told at the start", states)
	}
}

// TestLossIsOne: two workers notice the same loss one after the other.
func TestLossIsOne(t *testing.T) {
	needNet(t)
	mustIP(t, "link set lo up")
	var states []string
	g := twoMembers(t, "lo", &states)
	a, b := mustJoin(t, g), mustJoin(t, g)
	gone := fmt.Errorf("%w: test", ErrDown)
	if !g.lose(a, gone) {
		t.Error("the first loss was not the first")
	}
	if !b.stale.Load() {
		t.Error("the other socket was not told")
	}
	if _, err := g.join(); !errors.Is(err, errBusy) {
		t.Errorf("joined beside a stale socket: %v", err)
	}
	if g.lose(b, gone) {
		t.Error("the second notice of one loss counted as another")
	}
	a, b = mustJoin(t, g), mustJoin(t, g)
	if fmt.Sprint(states) != "[false true]" {
		t.Errorf("states %v", states)
	}
	// One worker ends while the other waits to return: it waits no longer.
	g.lose(a, gone)
	g.lose(b, gone)
	a = mustJoin(t, g)
	g.leave(nil)
	if fmt.Sprint(states) != "[false true false true]" {
		t.Errorf("states %v", states)
	}
	g.leave(a)
	if len(g.open) != 0 || g.members != 0 {
		t.Errorf("%d sockets and %d members left", len(g.open), g.members)
	}
}
