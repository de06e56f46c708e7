package app

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	t.Parallel()
	for name, bridge := range map[string]bool{"router": false, "bridge": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := makeGate(t, labnet.Options{Bridge: bridge, IPv6: true, Devices: []string{"camera", "pc"}, Patience: 500 * time.Millisecond})
			camera := g.home.Device("camera")
			g.others()
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
				inTime(t, "mining", func() bool { return camera.Run(context.Background(), labnet.Mine("cryptonote")).OK() })
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

// varies is what changes by itself; the error is of a namespace that ends while the
// links are listed.
// others puts rules in place as the programs do that a gateway has besides:
// OpenWrt's firewall, a container engine with iptables, a mangle table, old
// iptables, and a table of a bridge.
func (g *gate) others() {
	g.t.Helper()
	in := g.home.Gate
	rules := filepath.Join(g.t.TempDir(), "others.nft")
	if err := os.WriteFile(rules, []byte(`
table inet fw4 {
	set banned { type ipv4_addr; flags interval; auto-merge; elements = { 192.0.2.0/24 } }
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		ip daddr @banned drop
		accept
	}
	chain mangle_forward {
		type filter hook forward priority mangle; policy accept;
		tcp flags syn tcp option maxseg size set rt mtu
		meta mark set meta mark | 0x100 ct mark set ct mark | 0x200
	}
}
table bridge other {
	chain forward {
		type filter hook forward priority filter; policy accept;
		counter
	}
}
`), 0o600); err != nil {
		g.t.Fatal(err)
	}
	if err := in.Script("nft -f " + rules + `
		iptables-nft -N DOCKER-USER
		iptables-nft -A DOCKER-USER -j RETURN
		iptables-nft -I FORWARD -j DOCKER-USER
		iptables-nft -t nat -N DOCKER
		iptables-nft -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
		iptables-nft -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
		ip6tables-nft -A FORWARD -s 2001:db8:dead::/48 -j DROP`); err != nil {
		g.t.Fatal(err)
	}
	// Not every kernel has the tables of old iptables.
	if err := in.Script("iptables-legacy -A FORWARD -s 192.0.2.77 -j DROP"); err != nil {
		g.t.Logf("without rules of old iptables: %v", err)
	}
}

var varies = regexp.MustCompile(`packets \d+ bytes \d+|\[\d+:\d+\]|#.*|expires \S+|Error: Peer netns reference is invalid\.\n|(REACHABLE|STALE|DELAY|PROBE)`)

// snapshot is the state of the gateway that the daemon might touch.
func (g *gate) snapshot() string {
	g.t.Helper()
	var b strings.Builder
	for _, c := range []string{"nft list ruleset", "iptables-nft-save", "ip6tables-nft-save", "sysctl -a -r ^net[.](bridge|netfilter[.]nf_conntrack_(acct|timestamp|tcp_be_liberal))",
		"iptables-legacy-save", "ip6tables-legacy-save", "sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding", "ip rule", "ip -6 rule", "ip route", "ip -6 route", "ip -o link"} {
		f := strings.Fields(c)
		out, err := g.home.Gate.Output(f[0], f[1:]...)
		if err != nil {
			g.t.Fatal(err)
		}
		b.WriteString(c + "\n" + inOrder(varies.ReplaceAllString(string(out), "")) + "\n")
	}
	return b.String()
}

// inOrder brings what has no order of its own into one: tables, chains, routes,
// links. What is within a chain stays as it is.
func inOrder(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	switch {
	case strings.Contains(text, " {\n"): // nft: blocks within blocks
		out, _ := sortBlocks(lines)
		return strings.Join(out, "\n")
	case strings.Contains(text, "COMMIT\n"): // iptables-save: a line of a rule begins with its chain
		table := ""
		for i, l := range lines {
			if strings.HasPrefix(l, "*") {
				table = l
			}
			lines[i] = table + " " + l
		}
		slices.SortStableFunc(lines, func(a, b string) int {
			key := func(s string) string { return strings.Join(strings.Fields(s + " - - -")[:3], " ") }
			return strings.Compare(key(a), key(b))
		})
	default:
		slices.Sort(lines)
	}
	return strings.Join(lines, "\n")
}

// sortBlocks sorts the blocks among lines and leaves other lines before them,
// up to the end of the block that they are in.
func sortBlocks(lines []string) (out, rest []string) {
	var blocks []string
	for len(lines) > 0 {
		l := strings.TrimRight(lines[0], " \t")
		lines = lines[1:]
		switch {
		case strings.TrimSpace(l) == "}":
			slices.Sort(blocks)
			return append(out, blocks...), lines
		case strings.HasSuffix(l, "{"):
			var in []string
			in, lines = sortBlocks(lines)
			blocks = append(blocks, l+"\n"+strings.Join(in, "\n"))
		case l != "":
			out = append(out, l)
		}
	}
	slices.Sort(blocks)
	return append(out, blocks...), nil
}

// TestInOrder: the order of tables and links is no difference, that of rules is.
func TestInOrder(t *testing.T) {
	nft := func(tables ...string) string { return inOrder(strings.Join(tables, "")) }
	a := "table ip a {\n\tchain x {\n\t\taccept\n\t\tdrop\n\t}\n\n\tchain y {\n\t}\n}\n"
	b := "table ip b {\n\tset s {\n\t\ttype ipv4_addr\n\t}\n}\n"
	if nft(a, b) != nft(b, a) || nft(a) == nft(strings.Replace(a, "accept\n\t\tdrop", "drop\n\t\taccept", 1)) || nft(a) == nft(a, b) {
		t.Error(nft(a, b))
	}
	f, m := "*filter\n:F - [0:0]\n-A F -j X\n-A F -j Y\nCOMMIT\n", "*mangle\n:F - [0:0]\nCOMMIT\n"
	if inOrder(f+m) != inOrder(m+f) || inOrder(f) == inOrder("*filter\n:F - [0:0]\n-A F -j Y\n-A F -j X\nCOMMIT\n") {
		t.Error(inOrder(f + m))
	}
	if inOrder("b\na") != inOrder("a\nb") || inOrder("b\na") == inOrder("a\na\nb") {
		t.Error("lines")
	}
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
	if b.Len() == 0 {
		return "the same lines in another order:\n" + before + "\nand now:\n" + after
	}
	return b.String()
}
