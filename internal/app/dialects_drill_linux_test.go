package app

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/labnet"
	"github.com/yamori-net/yamori/internal/labnet/talks"
)

// TestDialects: in line, as a router and as a bridge, over IPv4 and IPv6, each
// dialect of mining that is spoken in clear ends with the message that makes it
// certain, which is the first or the first answer to it; what only looks like
// it, and the everyday, is left alone.
func TestDialects(t *testing.T) {
	for name, bridge := range map[string]bool{"router": false, "bridge": true} {
		t.Run(name, func(t *testing.T) {
			g := makeGate(t, labnet.Options{Bridge: bridge, IPv6: true, Patience: 700 * time.Millisecond})
			g.start()
			devices := g.home.Devices()
			var wg sync.WaitGroup
			slots := make(chan bool, 8)
			for i, talk := range talks.All() {
				wg.Go(func() {
					slots <- true
					defer func() { <-slots }()
					for j, b := range []labnet.Behaviour{labnet.Speak(talk), labnet.Speak(talk).Over6()} {
						before := g.home.Heard(talk.Name)
						r := devices[(i+j)%len(devices)].Run(context.Background(), b)
						heard := g.home.Heard(talk.Name) - before
						if !talk.Mining {
							if !r.OK() {
								t.Errorf("%s (IPv6: %v), which is no mining: %v", talk.Name, b.V6, r)
							}
							continue
						}
						said := 0 // by the miner before it was certain
						for _, s := range talk.Steps[:talk.At] {
							if !s.FromServer {
								said++
							}
						}
						if r.OK() || !r.Connected || heard != said || r.Got > talk.At-said {
							t.Errorf("%s (IPv6: %v): %v; the pool heard %d messages, %d come before it is certain", talk.Name, b.V6, r, heard, said)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// TestConsentExpires: the owner's consent and an exception let mining pass, for
// as long as they hold.
func TestConsentExpires(t *testing.T) {
	g := makeGate(t, labnet.Options{Devices: []string{"camera", "pc"}, Patience: 500 * time.Millisecond})
	g.start()
	camera, pc := g.home.Device("camera"), g.home.Device("pc")
	ctx := context.Background()
	mines := func(d *labnet.Device) bool { return d.Run(ctx, labnet.Mine("cryptonote")).OK() }
	if mines(camera) || mines(pc) {
		t.Fatal("mining is not stopped")
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
		if mines(pc) {
			t.Errorf("%s: another device mines", list)
		}
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
