package afpacket

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/packet"
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

// own counts the frames that came to s with the EtherType for experiments
// (IEEE 802, 0x88b5), which nobody sends but the test.
func own(s *socket) (n int) {
	for b := s.take(); b != nil; b = s.take() {
		var f packet.Frame
		for b.next(&f) {
			if d := f.Data; len(d) > 14 && d[12] == 0x88 && d[13] == 0xb5 {
				n++
			}
		}
		s.give()
	}
	return n
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
	var a, b int
	for end := time.Now().Add(time.Minute); a+b < 3 && time.Now().Before(end); time.Sleep(retireTime) {
		a, b = a+own(first), b+own(second)
	}
	// Only the frames sent here count: the kernel solicits the neighbours of
	// its own new addresses (RFC 4862 section 5.4) at a time it draws by lot,
	// and those frames are IPv6 and go wherever their hash says.
	a, b = a+own(first), b+own(second)
	if a+b != 3 {
		t.Errorf("%d and %d frames once the group was complete, want 3 in all", a, b)
	}
	if a != 0 && b != 0 {
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
