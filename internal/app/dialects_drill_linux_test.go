package app

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/labnet"
	"github.com/yamori-net/yamori/internal/labnet/talks"
)

// TestDialects: in line, as a router and as a bridge, over IPv4 and IPv6, with
// whole messages and with messages cut into small segments, each dialect of
// mining that is spoken in clear ends with the message that makes it certain,
// of which nothing (or, cut up, not all) leaves the gateway; its twin on the
// same port, and the everyday, are left alone.
func TestDialects(t *testing.T) {
	type row struct {
		talk talks.Talk
		stop string
		out  []int64
	}
	var mu sync.Mutex
	table := map[string]*row{}
	t.Run("home", func(t *testing.T) {
		for name, bridge := range map[string]bool{"router": false, "bridge": true} {
			t.Run(name, func(t *testing.T) {
				g := makeGate(t, labnet.Options{Bridge: bridge, IPv6: true, Patience: 700 * time.Millisecond})
				g.plan.Config.Policy.BlockFor = "off" // each is to be stopped by what it says itself
				g.start()
				for i, o := range []labnet.TrialOptions{{}, {V6: true}, {Split: 7}, {V6: true, Split: 60}} {
					o.Again = 3
					tried := g.home.TrialOf(context.Background(), o)
					// A gateway that gets too little of the processor lets packets pass for
					// seconds: all are had anew then. What it does not know, it never does.
					for range 3 {
						if !slices.ContainsFunc(tried, func(r labnet.Tried) bool { return r.Wrong != nil }) {
							break
						}
						eventually(t, "packets are inspected again", g.inline)
						for i, r := range g.home.TrialOf(context.Background(), o) {
							if r.Tries += tried[i].Tries; tried[i].Wrong != nil {
								tried[i] = r
							}
						}
					}
					for _, r := range tried {
						if r.Wrong != nil {
							t.Errorf("%+v: %v", o, r.Wrong)
						} else if r.Tries > 1 {
							t.Logf("%+v: %s was had %d times", o, r.Talk.Name, r.Tries)
						}
						if !r.Talk.Mining {
							continue
						}
						mu.Lock()
						if table[r.Talk.Name] == nil {
							table[r.Talk.Name] = &row{talk: r.Talk, stop: r.Stop(), out: make([]int64, 4)}
						}
						table[r.Talk.Name].out[i] = max(table[r.Talk.Name].out[i], r.Out)
						mu.Unlock()
					}
				}
			})
		}
	})
	if len(table) < 49 {
		t.Errorf("%d dialects", len(table))
	}
	t.Log("bytes that reached the pool, the most of router and bridge:")
	t.Logf("%-24s %-20s %-10s %6s %6s %6s %6s", "conversation", "dialect", "stopped at", "IPv4", "IPv6", "by 7", "by 60")
	for _, name := range slices.Sorted(maps.Keys(table)) {
		r := table[name]
		t.Logf("%-24s %-20s %-10s %6d %6d %6d %6d", name, r.talk.Dialect, r.stop, r.out[0], r.out[1], r.out[2], r.out[3])
	}
}

// TestConsentExpires: the owner's consent and an exception let mining pass, for
// as long as they hold.
func TestConsentExpires(t *testing.T) {
	t.Parallel()
	g := makeGate(t, labnet.Options{Devices: []string{"camera", "pc"}, Patience: 500 * time.Millisecond})
	g.plan.Config.Policy.BlockFor = "off" // what follows from a finding besides is another test's
	g.start()
	camera, pc := g.home.Device("camera"), g.home.Device("pc")
	ctx := context.Background()
	mines := func(d *labnet.Device) bool { return d.Run(ctx, labnet.Mine("cryptonote")).OK() }
	for _, d := range []*labnet.Device{camera, pc} {
		inTime(t, "mining", func() bool { return mines(d) })
	}
	for list, e := range map[string]api.EntryNew{
		"consents":   {Scope: api.Scope{Device: g.device(camera)}, Seconds: 2},
		"exceptions": {Scope: api.Scope{Device: g.device(camera), Category: "mining"}, Seconds: 2},
	} {
		start := time.Now()
		if _, err := g.cl.AddEntry(ctx, list, e); err != nil {
			t.Fatal(err)
		}
		if !mines(camera) {
			t.Errorf("%s: mining is stopped", list)
		}
		inTime(t, list+": another device's mining", func() bool { return mines(pc) })
		eventually(t, list+" end", func() bool { return !mines(camera) })
		if d := time.Since(start); d < 1900*time.Millisecond {
			t.Errorf("%s ended after %v", list, d)
		}
	}
	var blocked []string
	for f, err := range g.cl.Findings(ctx, api.FindingQuery{Category: "mining", Action: "blocked"}) {
		if err != nil {
			t.Fatal(err)
		}
		blocked = append(blocked, f.Device)
	}
	if !slices.Contains(blocked, g.device(camera)) || !slices.Contains(blocked, g.device(pc)) {
		t.Errorf("told as blocked: %v", blocked)
	}
}

// TestConsentWallet: what the owner consents to by wallet goes on, though the
// miner says what it is before it logs in; any other wallet is stopped.
func TestConsentWallet(t *testing.T) {
	t.Parallel()
	g := makeGate(t, labnet.Options{Devices: []string{"camera", "pc"}, Patience: 500 * time.Millisecond})
	g.plan.Config.Policy.BlockFor = "off"
	g.start()
	camera, pc := g.home.Device("camera"), g.home.Device("pc")
	ctx := context.Background()
	mines := func(d *labnet.Device, dialect string) bool { return d.Run(ctx, labnet.Mine(dialect)).OK() }
	inTime(t, "mining", func() bool { return mines(camera, "stratum") })
	const wallet = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT" // of the lab's conversations
	if _, err := g.cl.AddEntry(ctx, "consents", api.EntryNew{Scope: api.Scope{Device: g.device(camera), Wallet: wallet}}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if !mines(camera, "stratum") {
			t.Fatal("mining to the owner's wallet is stopped")
		}
	}
	inTime(t, "mining without a wallet", func() bool { return mines(camera, "stratum-quiet") })
	inTime(t, "mining to another wallet", func() bool { return mines(camera, "cryptonote") })
	inTime(t, "another device's mining", func() bool { return mines(pc, "stratum") })
	// Findings are stored beside the packets' way, a little later.
	eventually(t, "a finding of what was allowed", func() bool {
		allowed := 0
		for f, err := range g.cl.Findings(ctx, api.FindingQuery{Category: "mining", Action: "allowed"}) {
			if err != nil {
				t.Fatal(err)
			}
			allowed++
			if f.Device != g.device(camera) || f.Explain.Args["wallet"] != wallet {
				t.Errorf("allowed: %+v", f)
			}
		}
		return allowed > 0
	})
}
