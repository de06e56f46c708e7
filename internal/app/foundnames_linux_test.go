package app

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/policy"
)

// TestFoundNames: a finding with a name keeps the device from the name, and the
// whole home where the resolver itself gave it that address; nobody where the
// finding is not certain, or the device only claims the name; it ends with its
// time, by the owner's word, and where consent is given.
func TestFoundNames(t *testing.T) {
	if !apart(t) {
		return
	}
	camera, pc := homeOf(t)
	nameserver(t)
	r := runWatch(t, func(c *config.Config) {
		c.Inline.Off = true
		c.Policy.BlockFor = "4s"
		c.DNS = config.DNS{On: true, Upstreams: []config.DNSUpstream{{URL: "198.51.100.53"}}}
	})
	ctx := context.Background()
	r.acts("after")
	const there = "203.0.113.80"
	answers := func(name string) (cam, other bool) {
		t.Helper()
		a, err := askName(camera, "udp", name+".")
		b, err2 := askName(pc, "udp", name+".")
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		return a == there, b == there
	}
	var cam string
	eventually(t, "the camera is known", func() bool {
		answers("www.example")
		ref, _ := r.w.dns.who(netip.MustParseAddr("192.168.9.3"))
		cam = ref.ID
		return cam != ""
	})
	flow := uint64(1)
	finding := func(name, remote string, level event.Level) {
		flow++
		f := event.Finding{Category: event.Mining, Level: level, Code: "mining.stratum", Action: policy.WouldBlock, Why: policy.WhyTable, FromClient: true,
			Device: event.DeviceRef{ID: cam, Kind: "camera"}, Mining: &event.MiningDetail{Pool: name + ":3333"}}
		if !strings.HasPrefix(name, "accused") {
			f.Evidence = []event.Evidence{{Code: "stratum.answer"}}
		}
		r.w.reactor.Event(&event.Event{Time: time.Now().UnixNano(), Type: event.Alert, FlowID: flow, HasAddr: true, Proto: packet.ProtoTCP, Answered: true, Finding: &f,
			Src: packet.AddrOf(netip.MustParseAddr("192.168.9.3")), SrcPort: uint16(40000 + flow), Dst: packet.AddrOf(netip.MustParseAddr(remote)), DstPort: 3333})
		if f.Action != policy.Blocked {
			t.Errorf("%s: the finding says %s", name, f.Action)
		}
	}
	names := func(device string) (out []string) {
		for _, e := range r.blocks() {
			if e.Scope.Device == device && e.Scope.Host != "" {
				out = append(out, e.Scope.Host)
			}
		}
		return out
	}

	answers("eu.pool.example") // so the resolver knows whose address it is
	finding("eu.pool.example", there, event.Confirmed)
	eventually(t, "the pool's name is refused to all", func() bool { a, b := answers("eu.pool.example"); return !a && !b })
	if a, b := answers("www.example"); !a || !b {
		t.Error("another name is refused")
	}
	eventually(t, "its time is over", func() bool { a, b := answers("eu.pool.example"); return a && b && len(r.blocks()) == 0 })

	finding("claimed.example", "203.0.113.66", event.Confirmed)
	eventually(t, "a claimed name is refused to the device", func() bool { a, _ := answers("claimed.example"); return !a })
	if _, b := answers("claimed.example"); !b || len(names("")) > 0 {
		t.Errorf("a name that a device only claims is refused to all: %v", names(""))
	}
	answers("accused.example")
	finding("accused.example", there, event.Confirmed)
	eventually(t, "one that gave nothing a miner asks for is refused to the device", func() bool { a, _ := answers("accused.example"); return !a })
	if _, b := answers("accused.example"); !b || len(names("")) > 0 {
		t.Errorf("what a device says to a server refuses its name to all: %v", names(""))
	}
	answers("likely.example")
	finding("likely.example", there, event.Likely)
	eventually(t, "a likely one is refused to the device", func() bool { a, _ := answers("likely.example"); return !a })
	if _, b := answers("likely.example"); !b || len(names("")) > 0 {
		t.Errorf("a finding that is not certain refuses a name to all: %v", names(""))
	}

	answers("asia.pool.example")
	finding("asia.pool.example", there, event.Confirmed)
	eventually(t, "the name is refused", func() bool { _, b := answers("asia.pool.example"); return !b })
	for c, err := range r.cl.Changes(ctx) {
		if err == nil && c.Author == policy.Itself && c.What == "add" {
			_, _ = r.cl.Undo(ctx, c.ID) // some have ended
		}
	}
	eventually(t, "the owner has taken it back", func() bool { a, b := answers("asia.pool.example"); return a && b })

	if _, err := r.cl.AddEntry(ctx, "consents", api.EntryNew{Scope: api.Scope{Pool: "us.pool.example"}}); err != nil {
		t.Fatal(err)
	}
	answers("bad.example")
	finding("bad.example", there, event.Confirmed)
	eventually(t, "it is refused to the device", func() bool { a, _ := answers("bad.example"); return !a })
	if len(names("")) > 0 {
		t.Errorf("although somebody at home may mine, refused to all: %v", names(""))
	}
}
