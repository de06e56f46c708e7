package dnsmode

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"github.com/yamori-net/yamori/internal/dnsmode/lists"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/policy"
)

func TestOwnersPolicy(t *testing.T) {
	o := newOutside(t, records(t, 0, "other.example. 300 IN A 192.0.2.1"))
	devs := map[netip.Addr]string{
		netip.MustParseAddr("192.168.1.10"): "pc", netip.MustParseAddr("192.168.1.11"): "tv",
		netip.MustParseAddr("192.168.1.12"): "camera", netip.MustParseAddr("192.168.1.13"): "rig",
	}
	addr := map[string]netip.Addr{}
	for a, d := range devs {
		addr[d] = a
	}
	var h policy.Handle
	s := server(t, o, func(c *Config) {
		c.Policy = FromPolicy(&h, func(a netip.Addr) (event.DeviceRef, packet.MAC) { return event.DeviceRef{ID: devs[a]}, packet.MAC{} })
	})
	mining := list("pools", "pool.example\nother-pool.example")
	mining.Category = "mining"
	loadLists(t, s, []lists.Source{mining, list("ads", "ads.example\nshop.example\nupdate.maker.example")}...)
	refused := func(dev, name string) bool {
		return askBy(t, s, question(name, dns.TypeA), addr[dev], false).Rcode == dns.RcodeNameError
	}
	if refused("pc", "www.example.") || !refused("pc", "pool.example.") {
		t.Error("without a policy only lists count")
	}
	for _, mode := range []policy.Mode{policy.Watch, policy.Protect} {
		snap, err := policy.New(mode, 1, []policy.Entry{
			{ID: "b1", Kind: policy.BlockEntry, Scope: policy.Scope{Host: "bad.example"}},
			{ID: "p1", Kind: policy.Pause, Scope: policy.Scope{Device: "tv"}},
			{ID: "q1", Kind: policy.Quarantine, Scope: policy.Scope{Device: "camera"}},
			{ID: "n1", Kind: policy.Never, Scope: policy.Scope{Host: "update.maker.example"}},
			{ID: "c1", Kind: policy.Consent, Scope: policy.Scope{Device: "rig", Pool: "pool.example"}},
			{ID: "e1", Kind: policy.Exception, Scope: policy.Scope{Host: "shop.example", Device: "pc"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		h.Store(snap)
		for _, c := range []struct {
			dev, name string
			refused   bool
		}{
			{"pc", "www.example.", false}, {"pc", "x.bad.example.", true}, {"rig", "bad.example.", true},
			{"tv", "www.example.", true}, {"camera", "www.example.", true},
			{"camera", "update.maker.example.", false}, {"pc", "update.maker.example.", false},
			{"rig", "eu.pool.example.", false}, {"rig", "other-pool.example.", true}, {"pc", "pool.example.", true},
			{"pc", "shop.example.", false}, {"rig", "shop.example.", true}, {"pc", "ads.example.", true},
		} {
			if got := refused(c.dev, c.name); got != c.refused {
				t.Errorf("%v: %s asks for %s: refused %v", mode, c.dev, c.name, got)
			}
		}
	}
}
