package enforce

import (
	"fmt"
	"strconv"
	"strings"
)

// ctConfirmed is IPS_CONFIRMED of linux/netfilter/nf_conntrack_common.h.
const ctConfirmed = 1 << 3

// tableName is the name of the program's tables.
const tableName = "yamori"

// ruleset writes the nft text that sets everything up, replacing what was
// there in one transaction. withQueue: the kernel has nft's "queue"; reject: it
// has "reject", by which programs fail at once instead of waiting.
func ruleset(c *Config, withQueue, reject bool) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	m := c.Marks
	p("table inet %s {}", tableName)
	p("delete table inet %s", tableName)
	p("table inet %s {", tableName)
	p("  comment \"rules of yamori; removed by: yamori unhook\"")
	p("  set busy { type nf_proto; }") // holds something while anything may be blocked
	p("  set alive { type nf_proto; flags timeout; }")
	for _, f := range families {
		p("  set never%s { type %s; flags interval; }", f.n, f.typ)
		p("  set allowed%s { type %s; flags interval; }", f.n, f.typ)
		p("  set blocked%s { type %s; flags timeout; }", f.n, f.typ)
		p("  set blocked_net%s { type %s; flags interval; }", f.n, f.typ)
		p("  set blocked_port%s { type %s . inet_proto . inet_service; flags timeout; }", f.n, f.typ)
		p("  set blocked_pair%s { type ether_addr . %s; flags timeout; }", f.n, f.typ)
		p("  set blocked_pair_port%s { type ether_addr . %s . inet_proto . inet_service; flags timeout; }", f.n, f.typ)
		p("  set cut%s { type %s . %s . inet_proto . inet_service . inet_service; flags timeout; }", f.n, f.typ, f.typ)
	}
	p("  set paused { type ether_addr; flags timeout; }")
	p("  set quarantined { type ether_addr; flags timeout; }")
	for _, n := range counterNames {
		p("  counter %s {}", n)
	}

	// What the owner asked for, then who is inspected. Each packet of the home
	// goes through this, so that the never-block list is looked at for what
	// would be dropped alone; it goes before blocks, not before a pause.
	p("  chain block {")
	for _, f := range families {
		p("    %s daddr @never%s goto admit", f.ip, f.n)
		p("    %s saddr @never%s goto admit", f.ip, f.n)
	}
	p("    counter name blocked drop")
	p("  }")
	reset := func() {
		if reject {
			p("    meta l4proto tcp reject with tcp reset")
		}
	}
	p("  chain refuse {")
	for _, f := range families {
		p("    %s daddr @never%s goto admit", f.ip, f.n)
	}
	p("    counter name blocked")
	reset()
	p("    drop")
	p("  }")
	// A flow that is cut after its packets have left: each end is reset by its
	// next packet, so that the mark, which drops in silence, comes after.
	p("  chain cutflow {")
	p("    counter name cut")
	reset()
	p("    ct mark set ct mark | %#x drop", m.Cut)
	p("  }")
	p("  chain quarantine {")
	for _, f := range families {
		p("    %s daddr @never%s return", f.ip, f.n)
		p("    %s saddr @never%s return", f.ip, f.n)
		p("    %s daddr @allowed%s return", f.ip, f.n)
	}
	p("    counter name quarantined drop")
	p("  }")
	// What of a connection is let go of. The end of one that is let go of as a
	// whole is seen, for its numbers say how much it carried.
	p("  chain loose {")
	p("    ct mark & %#x != 0 tcp flags & (fin | rst) != 0 return", m.Release)
	p("    ct mark & %#x != 0 accept", m.Release)
	p("    ct mark & %#x != 0 ct direction reply accept", m.Side)
	p("    ct mark & %#x != 0 ct direction original accept", m.Back)
	p("  }")
	p("  chain admit {")
	p("    ct mark & %#x != 0 jump loose", m.loose())
	if len(c.LAN) > 0 {
		lan := set(c.LAN)
		p("    iifname != %s oifname != %s return", lan, lan)
	}
	if c.Bridge {
		// A bridge hands copies of one packet to several ports, and of all of
		// them to a bridge that listens to everything (tcpdump). The kernel
		// drops what is queued while a copy shares its unconfirmed connection
		// (nf_ct_drop_unconfirmed), so a connection is inspected from its second
		// packet on; broadcasts, and the frames of an address that the bridge has
		// not learnt, would otherwise never arrive.
		p("    meta pkttype != host return")
		p("    ct status & %d == 0 return", ctConfirmed)
	}
	if !c.Passive {
		p("    meta nfproto @alive counter name queued meta mark set meta mark | %#x return", m.Queue)
		p("    counter name passed")
	}
	p("  }")
	for _, f := range families {
		p("  chain forward%s {", f.n)
		p("    %s", cutRule(f.ip, f.n))
		for _, set := range [...]string{"blocked", "blocked_net"} {
			p("    %s daddr @%s%s goto block", f.ip, set, f.n)
			p("    %s saddr @%s%s goto block", f.ip, set, f.n)
		}
		p("    %s daddr . meta l4proto . th dport @blocked_port%s goto block", f.ip, f.n)
		p("    %s saddr . meta l4proto . th sport @blocked_port%s goto block", f.ip, f.n)
		p("    ether saddr . %s daddr @blocked_pair%s goto block", f.ip, f.n)
		p("    ether saddr . %s daddr . meta l4proto . th dport @blocked_pair_port%s goto refuse", f.ip, f.n)
		p("    goto admit")
		p("  }")
	}
	p("  chain forward_before {")
	p("    type filter hook forward priority mangle - 1; policy accept;")
	p("    ct mark & %#x != 0 counter name cut drop", m.Cut)
	p("    meta nfproto != @busy goto admit")
	p("    ether saddr @paused counter name paused drop")
	p("    ether saddr @quarantined jump quarantine")
	p("    meta nfproto ipv4 goto forward4")
	p("    goto forward6")
	p("  }")
	if c.Local {
		p("  chain cut_local {")
		for _, f := range families {
			p("    %s", cutRule(f.ip, f.n))
		}
		p("  }")
		p("  chain admit_local {")
		if !c.Passive {
			p("    ct mark & %#x != 0 jump loose", m.loose())
			p("    meta nfproto @alive counter name queued meta mark set meta mark | %#x", m.Queue)
		}
		p("  }")
		var ports []string
		for _, n := range LocalPorts {
			ports = append(ports, strconv.Itoa(int(n)))
		}
		list := "{ " + strings.Join(ports, ", ") + " }"
		for _, d := range [...]struct{ hook, iface, port string }{{"input", "iifname", "dport"}, {"output", "oifname", "sport"}} {
			p("  chain %s_before {", d.hook)
			p("    type filter hook %s priority mangle - 1; policy accept;", d.hook)
			p("    %s \"lo\" return", d.iface)
			if len(c.LAN) > 0 {
				p("    %s != %s return", d.iface, set(c.LAN))
			}
			p("    ct mark & %#x != 0 counter name cut drop", m.Cut)
			p("    meta nfproto @busy jump cut_local")
			p("    tcp %s %s goto admit_local", d.port, list)
			p("    udp %s 53 goto admit_local", d.port)
			p("  }")
		}
	}
	// What the verdict said, remembered for the flow.
	p("  chain remember {")
	p("    meta mark & %#x != 0 ct mark set ct mark | %#x", m.Release, m.Release)
	p("    meta mark & %#x != 0 ct direction reply ct mark set ct mark | %#x", m.Side, m.Side)
	p("    meta mark & %#x != 0 ct direction original ct mark set ct mark | %#x", m.Side, m.Back)
	p("    meta mark & %#x != 0 ct mark set ct mark & %#x", m.Back, ^(m.Side | m.Back))
	p("  }")
	hooks := []string{"forward"}
	if c.Local {
		hooks = append(hooks, "input", "output")
	}
	if c.Passive {
		hooks = nil
	}
	for _, h := range hooks {
		if withQueue {
			p("  chain %s_queue {", h)
			p("    type filter hook %s priority mangle; policy accept;", h)
			p("    meta mark & %#x != 0 queue num %s bypass", m.Queue, queues(c, "-"))
			p("  }")
		}
		// No bit of ours stays on a packet.
		p("  chain %s_after {", h)
		p("    type filter hook %s priority mangle + 1; policy accept;", h)
		p("    meta mark & %#x == 0 return", m.all())
		p("    meta mark & %#x != 0 ct mark set ct mark | %#x counter name cut drop", m.Cut, m.Cut)
		p("    meta mark & %#x != 0 jump remember", m.loose())
		p("    meta mark set meta mark & %#x", ^m.all())
		p("  }")
	}
	p("}")
	p("table bridge %s {}", tableName)
	p("delete table bridge %s", tableName)
	if c.Bridge {
		// Devices on the bridge reach each other without being forwarded.
		p("table bridge %s {", tableName)
		p("  set quarantined { type ether_addr; flags timeout; }")
		p("  set paused { type ether_addr; flags timeout; }")
		p("  counter quarantined {}")
		p("  chain forward {")
		p("    type filter hook forward priority filter; policy accept;")
		p("    ether saddr @quarantined counter name quarantined drop")
		p("    ether daddr @quarantined counter name quarantined drop")
		p("  }")
		p("}")
	}
	return b.String()
}

// cutRule finds the flows that are cut, in either direction.
func cutRule(ip, n string) string {
	return fmt.Sprintf("%s saddr . %s daddr . meta l4proto . th sport . th dport @cut%s goto cutflow", ip, ip, n)
}

var families = [...]struct{ n, ip, typ string }{{"4", "ip", "ipv4_addr"}, {"6", "ip6", "ipv6_addr"}}

var counterNames = [...]string{"cut", "blocked", "paused", "quarantined", "queued", "passed"}

func set(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = strconv.Quote(n)
	}
	return "{ " + strings.Join(q, ", ") + " }"
}

// queues writes the range of queue numbers.
func queues(c *Config, sep string) string {
	if c.Workers == 1 {
		return strconv.Itoa(int(c.Queue))
	}
	return fmt.Sprintf("%d%s%d", c.Queue, sep, int(c.Queue)+c.Workers-1)
}

// chainName is the program's chain in iptables.
const chainName = "YAMORI"

// iptables lists the arguments that set up the queue where nft has none, for
// one of the two programs.
func iptables(c *Config) (out [][]string) {
	out = append(out, []string{"-N", chainName},
		append([]string{"-A", chainName, "-m", "mark", "--mark", fmt.Sprintf("%#x/%#x", c.Marks.Queue, c.Marks.Queue), "-j", "NFQUEUE"}, queueArgs(c)...))
	for _, h := range jumps(c) {
		out = append(out, []string{"-I", h, "1", "-j", chainName})
	}
	return out
}

func queueArgs(c *Config) []string {
	if c.Workers == 1 {
		return []string{"--queue-num", queues(c, ":"), "--queue-bypass"}
	}
	return []string{"--queue-balance", queues(c, ":"), "--queue-bypass"}
}

func jumps(c *Config) []string {
	if c.Local {
		return []string{"FORWARD", "INPUT", "OUTPUT"}
	}
	return []string{"FORWARD"}
}
