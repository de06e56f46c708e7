package app

import (
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/enforce"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/policy"
)

// cutter is a packet filter that remembers what is cut.
type cutter struct {
	filter
	put  []enforce.Entry
	gone int
	fail error
}

func (c *cutter) Delete(e ...enforce.Entry) error { c.gone += len(e); return nil }

func (c *cutter) Put(e ...enforce.Entry) error { c.put = append(c.put, e...); return c.fail }

func quietReactor() (*reactor, *cutter) {
	w := &Watch{Config: &config.Config{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	w.keeper = &keeper{w: w}
	r := newReactor(w)
	w.reactor = r
	c := &cutter{}
	r.late = &lately{c}
	return r, c
}

func flowOf(n int) *reaction {
	from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 168, byte(n >> 8), byte(n)}), 40000)
	return &reaction{flow: uint64(n + 1), proto: packet.ProtoTCP, time: 1e9, cut: enforce.Entry{Kind: enforce.Cut, Proto: 6, From: from, To: ends4, For: cutFor}}
}

var ends4 = netip.MustParseAddrPort("203.0.113.9:3333")

// TestReactionLimits reaches each limit of what is kept of findings.
func TestReactionLimits(t *testing.T) {
	r, c := quietReactor()
	for i := range maxReactions {
		if !r.send(flowOf(i)) {
			t.Fatalf("no room for reaction %d", i)
		}
	}
	if r.send(flowOf(0)) || r.lost.Load() != 1 {
		t.Errorf("more than maxReactions wait, %d lost", r.lost.Load())
	}

	// A flow is cut once, however often something is found in it.
	a := flowOf(7)
	r.cutNow([]*reaction{a, a, flowOf(8)})
	r.cutNow([]*reaction{a})
	if len(c.put) != 2 {
		t.Errorf("%d cuts of two flows", len(c.put))
	}
	later := *a
	later.time += seenFor
	r.cutNow([]*reaction{&later, {flow: 9}})
	if len(c.put) != 3 {
		t.Errorf("later: %d cuts", len(c.put))
	}
	for i := range maxKept + 100 {
		r.cutNow([]*reaction{flowOf(i)})
		if len(r.seen) > maxSeen || len(r.kept) > maxKept {
			t.Fatalf("%d flows are remembered, %d cuts kept", len(r.seen), len(r.kept))
		}
	}

	if c.gone != len(c.put)-maxKept {
		t.Errorf("%d flows were cut, and %d let go again", len(c.put), c.gone)
	}

	// Rules that are new get what was cut, those that are not do not.
	r.last = c
	c.put = nil
	r.renew()
	n := &cutter{fail: errors.New("no room")} // which is logged
	r.late = &lately{n}
	r.kept[0].until = time.Now()
	r.renew()
	if len(c.put) != 0 || len(n.put) != len(r.kept)-1 {
		t.Errorf("%d put again into old rules, %d of %d into new ones", len(c.put), len(n.put), len(r.kept))
	}
}

// TestDoomedLimits: connections to reset are bounded in number, time and resets,
// and nothing but TCP is.
func TestDoomedLimits(t *testing.T) {
	d := &doomed{flows: map[doomKey]*doom{}}
	if d.add(flowOf(1), 0) {
		t.Error("not open, and a connection is doomed")
	}
	d.on.Store(true)
	udp := flowOf(1)
	udp.proto = packet.ProtoUDP
	if d.add(udp, 0) {
		t.Error("a datagram is to be reset")
	}
	for i := range maxDoomed {
		if !d.add(flowOf(i), 0) {
			t.Fatalf("no room for connection %d", i)
		}
	}
	if d.add(flowOf(maxDoomed), 0) {
		t.Error("more than maxDoomed")
	}
	for _, f := range d.flows {
		f.left.Store(0) // as after doomResets of them
		break
	}
	if !d.add(flowOf(maxDoomed), 0) {
		t.Error("a connection that had its resets keeps its place")
	}
	if !d.add(flowOf(maxDoomed+1), doomTime+1) || len(d.flows) != 1 {
		t.Errorf("when their time is over, %d connections keep their places", len(d.flows))
	}
	for _, p := range [...][2]string{{"192.0.2.1", "192.0.2.2"}, {"2001:db8::1", "2001:db8::2"}, {"192.0.2.1", "192.0.2.1"}} {
		x, y := packet.AddrOf(netip.MustParseAddr(p[0])), packet.AddrOf(netip.MustParseAddr(p[1]))
		if doomKeyOf(x, y, 1, 2) != doomKeyOf(y, x, 2, 1) || x != y && doomKeyOf(x, y, 1, 2) == doomKeyOf(x, y, 2, 1) {
			t.Errorf("%v", p)
		}
	}
}

// TestReactsTo: which findings are carried out, and what they say afterwards.
func TestReactsTo(t *testing.T) {
	for _, tt := range []struct {
		name string
		f    event.Finding
		flow uint64
		can  bool
		cut  bool
		says string
	}{
		{"in line", event.Finding{Action: policy.Blocked, Why: policy.WhyTable}, 1, true, true, policy.Blocked},
		{"a rule in line", event.Finding{Action: policy.Blocked, Why: policy.WhyRule, Rule: &event.Rule{}}, 1, true, false, policy.Blocked},
		{"a refused name", event.Finding{Action: policy.Blocked, Code: "dns.blocked"}, 0, true, false, policy.Blocked},
		{"elsewhere", event.Finding{Action: policy.WouldBlock, Why: policy.WhyTable}, 1, true, true, policy.Blocked},
		{"a rule elsewhere", event.Finding{Action: policy.WouldBlock, Why: policy.WhyRule, Rule: &event.Rule{}}, 1, true, true, policy.Blocked},
		{"nothing to cut with", event.Finding{Action: policy.WouldBlock, Why: policy.WhyTable}, 1, false, false, policy.WouldBlock},
		{"no flow", event.Finding{Action: policy.WouldBlock, Why: policy.WhyTable}, 0, true, false, policy.WouldBlock},
		{"mode watch", event.Finding{Action: policy.WouldBlock, Why: policy.WhyWatch}, 1, true, false, policy.WouldBlock},
		{"never to be blocked", event.Finding{Action: policy.Allowed, Why: policy.WhyNever}, 1, true, false, policy.Allowed},
		{"consent", event.Finding{Action: policy.Allowed, Why: policy.WhyConsent}, 1, true, false, policy.Allowed},
	} {
		r, _ := quietReactor()
		r.can.Store(tt.can)
		f := tt.f
		f.FromClient = true
		r.Event(&event.Event{Time: 1, Type: event.Alert, FlowID: tt.flow, HasAddr: true, Proto: packet.ProtoTCP, Finding: &f, SrcPort: 40000, DstPort: 3333,
			Src: packet.AddrOf(netip.MustParseAddr("192.168.1.7")), Dst: packet.AddrOf(ends4.Addr())})
		if got := len(r.cuts) == 1; got != tt.cut || f.Action != tt.says {
			t.Errorf("%s: cut %v, says %s", tt.name, got, f.Action)
		}
		if tt.cut {
			if x := <-r.cuts; x.cut.To != ends4 || x.remote != ends4.Addr() || x.port != 3333 {
				t.Errorf("%s: %+v", tt.name, x)
			}
		}
	}
}
