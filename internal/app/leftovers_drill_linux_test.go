package app

import (
	"context"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/enforce"
	"github.com/yamori-net/yamori/internal/labnet"
)

// TestLeftovers: a stop, a kill followed by an unhook, and a second daemon over
// what a killed one left behind leave the gateway as it was: rules, settings,
// routes, neighbours and links.
func TestLeftovers(t *testing.T) {
	for name, bridge := range map[string]bool{"router": false, "bridge": true} {
		t.Run(name, func(t *testing.T) {
			g := makeGate(t, labnet.Options{Bridge: bridge, IPv6: true, Devices: []string{"camera", "pc"}, Patience: 500 * time.Millisecond})
			camera := g.home.Device("camera")
			before := g.snapshot()
			same := func(what string) {
				t.Helper()
				if after := g.snapshot(); after != before {
					t.Errorf("%s leaves something behind:\n%s", what, difference(before, after))
				}
			}
			use := func() {
				t.Helper()
				g.start()
				if camera.Run(context.Background(), labnet.Mine("cryptonote")).OK() {
					t.Error("mining passes")
				}
				if _, err := g.cl.Quarantine(context.Background(), g.device(camera), api.Hold{Seconds: 60}); err != nil {
					t.Error(err)
				}
				if g.snapshot() == before {
					t.Error("the snapshot does not see the rules")
				}
			}
			use()
			g.end(syscall.SIGTERM)
			same("a stop")
			use()
			g.end(syscall.SIGKILL)
			if g.snapshot() == before {
				t.Error("a killed daemon has removed its rules")
			}
			if err := g.home.Gate.Do(func() error { return enforce.Unhook(g.plan.Config.Inline.State) }); err != nil {
				t.Error(err)
			}
			same("a kill and an unhook")
			use()
			g.end(syscall.SIGKILL)
			use()
			g.end(syscall.SIGTERM)
			same("a daemon after one that was killed")
		})
	}
}

var varies = regexp.MustCompile(`packets \d+ bytes \d+|\[\d+:\d+\]|#.*|expires \S+|(REACHABLE|STALE|DELAY|PROBE)`)

// snapshot is the state of the gateway that the daemon might touch.
func (g *gate) snapshot() string {
	g.t.Helper()
	var b strings.Builder
	for _, c := range []string{"nft list ruleset", "iptables-nft-save", "ip6tables-nft-save", "sysctl -a -r ^net[.](bridge|netfilter[.]nf_conntrack_(acct|timestamp|tcp_be_liberal))",
		"sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding", "ip rule", "ip -6 rule", "ip route", "ip -6 route", "ip -o link"} {
		f := strings.Fields(c)
		out, err := g.home.Gate.Output(f[0], f[1:]...)
		if err != nil {
			g.t.Fatal(err)
		}
		b.WriteString(c + "\n" + varies.ReplaceAllString(string(out), "") + "\n")
	}
	return b.String()
}

// difference lists the lines that only one of them has.
func difference(before, after string) string {
	var b strings.Builder
	for _, x := range []struct{ sign, from, not string }{{"-", before, after}, {"+", after, before}} {
		for line := range strings.Lines(x.from) {
			if !strings.Contains(x.not, line) {
				b.WriteString(x.sign + line)
			}
		}
	}
	return b.String()
}
