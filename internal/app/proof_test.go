package app

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/house"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/policy"
	"github.com/yamori-net/yamori/internal/store"
)

// reactorAt is a reactor of a house in mode protect, whose goroutines do not
// run: what it is given waits until the test takes it.
func reactorAt(t *testing.T) *reactor {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	h, err := house.Open(house.Config{Store: store.Config{Dir: t.TempDir()}, HomeNet: device.DefaultHome(), Mode: policy.Protect, Log: log, Now: time.Now, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	w := &Watch{Config: &config.Config{}, Log: log, house: h, iface: "lo"}
	w.keeper = &keeper{w: w}
	if w.engine, err = engine.New(engine.Config{}); err != nil {
		t.Fatal(err)
	}
	w.engine.Workers = nil // nobody else talks
	w.reactor = newReactor(w)
	o := &w.reactor.own
	o.made, o.said, o.bad, o.first = map[policy.Scope]madeBlock{}, map[string]bool{}, map[badEnd]time.Time{}, true
	w.reactor.lift()
	return w.reactor
}

// mined is a finding about a miner at home.
func mined() *event.Event {
	return &event.Event{Time: time.Now().UnixNano(), Type: event.Alert, FlowID: 7, HasAddr: true, Proto: packet.ProtoTCP, Answered: true, AppProto: "stratum",
		Src: packet.AddrOf(netip.MustParseAddr("192.168.1.7")), SrcPort: 40000, Dst: packet.AddrOf(netip.MustParseAddr("203.0.113.9")), DstPort: 3333,
		Finding: &event.Finding{Category: event.Mining, Level: event.Confirmed, Severity: 1, Code: "mining.stratum", Action: policy.Blocked, Why: policy.WhyTable, FromClient: true,
			Device: event.DeviceRef{ID: "mac:02:00:5e:00:00:07", Kind: "camera"}, Mining: &event.MiningDetail{Pool: "pool.example:3333"}}}
}

// react carries a finding out, and says what is blocked then.
func react(t *testing.T, r *reactor, ev *event.Event, meanwhile func(*policy.Manager)) (own []policy.Scope) {
	t.Helper()
	r.Event(ev)
	x := <-r.cuts
	if meanwhile != nil {
		meanwhile(r.w.house.Policy)
		r.lift()
	}
	r.block(context.Background(), x)
	r.lift()
	for _, e := range r.w.house.Policy.List(policy.BlockEntry) {
		own = append(own, e.Scope)
	}
	return own
}

// TestReactProof: whatever somebody outside forges, a page makes a browser send,
// or a device says of itself, nothing that the home needs is blocked after it.
func TestReactProof(t *testing.T) {
	to := func(a string, port uint16) func(*event.Event) {
		return func(e *event.Event) { e.Dst, e.DstPort = packet.AddrOf(netip.MustParseAddr(a)), port }
	}
	for _, tt := range []struct {
		name   string
		change func(*event.Event)
		names  bool // it is kept from the name
		addr   bool // and from the address
	}{
		{"a miner", func(*event.Event) {}, true, true},
		{"nobody answered", func(e *event.Event) { e.Answered = false }, false, false},
		{"taken up in the middle", func(e *event.Event) { e.Midstream = true }, false, false},
		{"a page that asks for work", func(e *event.Event) { e.AppProto = "http" }, false, false},
		{"HTTP/2", func(e *event.Event) { e.AppProto = "http2" }, false, false},
		{"a page's WebSocket", func(e *event.Event) { e.AppProtoOrig = "websocket" }, false, false},
		{"a server at home that is called", func(e *event.Event) {
			e.Src, e.Dst, e.SrcPort, e.DstPort = e.Dst, e.Src, e.DstPort, e.SrcPort
		}, false, false},
		{"the server's side", func(e *event.Event) {
			e.Src, e.Dst, e.SrcPort, e.DstPort, e.Finding.FromClient = e.Dst, e.Src, e.DstPort, e.SrcPort, false
		}, false, false},
		{"names", to("203.0.113.9", 53), true, false},
		{"names in private", to("203.0.113.9", 853), true, false},
		{"time", to("203.0.113.9", 123), true, false},
		{"a common port of an unknown network", to("203.0.113.9", 443), true, false},
		{"a provider's router", to("100.64.0.1", 3333), false, false},
		{"a neighbour", to("192.168.1.1", 3333), false, false},
		{"a rule", func(e *event.Event) { e.Finding.Action, e.Finding.Rule = policy.WouldBlock, &event.Rule{} }, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := reactorAt(t)
			r.can.Store(true)
			ev := mined()
			tt.change(ev)
			var host, dest bool
			for _, s := range react(t, r, ev, nil) {
				if s.Device != "mac:02:00:5e:00:00:07" {
					t.Errorf("not this device's alone: %+v", s)
				}
				host, dest = host || s.Host == "pool.example", dest || s.Dest != ""
			}
			if host != tt.names || dest != tt.addr {
				t.Errorf("kept from the name %v, the address %v", host, dest)
			}
		})
	}
	// The router before a home that is named more narrowly is a neighbour still.
	r := reactorAt(t)
	r.home = []netip.Prefix{netip.MustParsePrefix("192.168.1.0/24")}
	ev := mined()
	to("192.168.0.1", 3333)(ev)
	if l := react(t, r, ev, nil); len(l) > 0 {
		t.Errorf("the router before this one: %+v", l)
	}
	if r.home = device.DefaultHome(); !r.near(netip.MustParseAddr("127.0.0.1")) || r.near(netip.MustParseAddr("203.0.113.9")) {
		t.Error("who is near")
	}
}

// TestReactConsentMeanwhile: a finding that waits while the owner speaks does
// what he said.
func TestReactConsentMeanwhile(t *testing.T) {
	dev := policy.Scope{Device: "mac:02:00:5e:00:00:07"}
	for name, say := range map[string]func(*policy.Manager) error{
		"consent": func(m *policy.Manager) error {
			_, _, err := m.Add(policy.Entry{Kind: policy.Consent, Scope: dev})
			return err
		},
		"of a pool": func(m *policy.Manager) error {
			_, _, err := m.Add(policy.Entry{Kind: policy.Consent, Scope: policy.Scope{Pool: "pool.example"}})
			return err
		},
		"an exception": func(m *policy.Manager) error {
			_, _, err := m.Add(policy.Entry{Kind: policy.Exception, Scope: policy.Scope{Category: event.Mining}})
			return err
		},
		"never": func(m *policy.Manager) error {
			_, _, err := m.Add(policy.Entry{Kind: policy.Never, Scope: policy.Scope{Dest: "203.0.113.0/24"}})
			return err
		},
		"watch": func(m *policy.Manager) error { _, err := m.SetMode(policy.Watch, ""); return err },
	} {
		t.Run(name, func(t *testing.T) {
			r := reactorAt(t)
			if l := react(t, r, mined(), func(m *policy.Manager) {
				if err := say(m); err != nil {
					t.Fatal(err)
				}
			}); len(l) > 0 {
				t.Errorf("blocked all the same: %+v", l)
			}
		})
	}
}
