package enforce

import (
	"fmt"
	"strconv"
	"strings"
)

// tableName is the name of the program's tables.
const tableName = "yamori"

// Ways to the queues.
const (
	modeNFT      = "nft"      // by nft's "queue"
	modeXT       = "xt"       // by the target of iptables in the program's own table, see toQueue
	modeIPTables = "iptables" // by a chain of iptables, between two of ours
)

// ruleset writes the nft text that sets everything up, replacing what was
// there in one transaction. With reject the kernel has "reject", by which
// programs fail at once instead of waiting.
//
// A packet meets one chain in each hook, and few rules in it: of a connection
// that was let go of two, while nothing is blocked. What a verdict says about
// the rest of a connection it says by a mark, and sends the packet through the
// chain again (NF_REPEAT), so that no second chain has to look at every packet.
func ruleset(c *Config, mode string, reject, bridges bool) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	m := c.Marks
	p("table inet %s {}", tableName)
	p("delete table inet %s", tableName)
	p("table inet %s {", tableName)
	p("  comment \"rules of yamori; removed by: yamori unhook\"")
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
		p("    %s daddr @never%s return", f.ip, f.n)
		p("    %s saddr @never%s return", f.ip, f.n)
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
		p("    %s daddr @never%s return", f.ip, f.n)
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
	for _, f := range families {
		p("  chain blocks%s {", f.n)
		p("    %s", cutRule(f.ip, f.n))
		for _, set := range [...]string{"blocked", "blocked_net"} {
			p("    %s daddr @%s%s goto block", f.ip, set, f.n)
			p("    %s saddr @%s%s goto block", f.ip, set, f.n)
		}
		p("    %s daddr . meta l4proto . th dport @blocked_port%s goto block", f.ip, f.n)
		p("    %s saddr . meta l4proto . th sport @blocked_port%s goto block", f.ip, f.n)
		p("    ether saddr . %s daddr @blocked_pair%s goto block", f.ip, f.n)
		p("    ether saddr . %s daddr . meta l4proto . th dport @blocked_pair_port%s goto refuse", f.ip, f.n)
		p("  }")
	}
	p("  chain blocks {")
	p("    ether saddr @paused counter name paused drop")
	p("    ether saddr @quarantined jump quarantine")
	p("    meta nfproto ipv4 goto blocks4")
	p("    goto blocks6")
	p("  }")
	// Empty while nothing is blocked; see Table.setBusy.
	p("  chain gate {")
	p("  }")
	p("  chain gate_local {")
	p("  }")

	own := mode != modeIPTables // the queue is in our own chains
	prio := "mangle"
	if !own {
		prio = "mangle - 1"
	}
	if !c.Passive {
		p("  chain to_queue {")
		switch mode {
		case modeNFT:
			p("    queue num %s bypass", queues(c, "-"))
		case modeIPTables:
			p("    meta mark set meta mark | %#x", m.Queue)
		}
		p("  }")
		// What the verdict said, remembered for the flow; no bit of ours stays
		// on a packet.
		p("  chain remember {")
		p("    meta mark & %#x != 0 ct mark set ct mark | %#x counter name cut drop", m.Cut, m.Cut)
		p("    meta mark & %#x != 0 ct mark set ct mark | %#x", m.Release, m.Release)
		p("    meta mark & %#x != 0 ct direction reply ct mark set ct mark | %#x", m.Side, m.Side)
		p("    meta mark & %#x != 0 ct direction original ct mark set ct mark | %#x", m.Side, m.Back)
		p("    meta mark & %#x != 0 ct mark set ct mark & %#x", m.Back, ^(m.Side | m.Back))
		p("    meta mark set meta mark & %#x", ^m.all())
		p("  }")
	}
	// All of it at once for a connection that was let go of as a whole.
	known := func() {
		p("    ct mark & %#x == %#x goto released", m.loose()|m.Cut, m.Release)
		p("    goto way")
	}
	p("  chain way {")
	p("    ct mark & %#x != 0 counter name cut drop", m.Cut)
	p("    jump gate")
	p("    ct mark & %#x != 0 jump loose", m.loose())
	if len(c.LAN) > 0 {
		p("    iifname != %s oifname != %s return", set(c.LAN), set(c.LAN))
	}
	if !c.Passive {
		p("    meta nfproto @alive counter name queued goto to_queue")
		p("    counter name passed")
	}
	p("  }")
	p("  chain released {")
	p("    tcp flags & (fin | rst) != 0 goto way")
	p("    goto gate")
	p("  }")
	p("  chain forward {")
	p("    type filter hook forward priority %s; policy accept;", prio)
	if own && !c.Passive {
		p("    meta mark & %#x != 0 goto remember", m.all())
	}
	if c.Bridge {
		p("    meta pkttype != host goto gate") // what a bridge hands to many
	}
	known()
	p("  }")
	if c.Bridge && !c.Passive {
		bridged(c, p, known)
	}
	if c.Local {
		local(c, p, prio, own)
	}
	if !own && !c.Passive {
		hooks := []string{"forward"}
		if c.Local {
			hooks = append(hooks, "input", "output")
		}
		for _, h := range hooks {
			p("  chain %s_after {", h)
			p("    type filter hook %s priority mangle + 1; policy accept;", h)
			p("    meta mark & %#x != 0 goto remember", m.all())
			p("  }")
		}
	}
	p("}")
	if bridges {
		p("table bridge %s {}", tableName)
		p("delete table bridge %s", tableName)
	}
	if c.Bridge {
		// Devices on the bridge reach each other without being forwarded.
		p("table bridge %s {", tableName)
		p("  set quarantined { type ether_addr; flags timeout; }")
		p("  set paused { type ether_addr; flags timeout; }")
		p("  counter quarantined {}")
		p("  counter uninspected {}")
		p("  chain forward {")
		p("    type filter hook forward priority filter; policy accept;")
		// What is IP has met the chain "quarantine", which knows whom it may reach.
		for _, end := range [...]string{"saddr", "daddr"} {
			p("    ether %s @quarantined ether type != { arp, ip, ip6, vlan, 0x8863, 0x8864 } counter name quarantined drop", end)
		}
		if !c.Passive {
			// Every frame of a device to another that the chain "bridged" saw has
			// the mark.
			p("    meta mark & %#x == 0 ether daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00 ether type != arp counter name uninspected", m.Queue)
		}
		p("  }")
		p("}")
	} else if bridges {
		ports(p)
	}
	return b.String()
}

// ports writes the table for a router whose own bridge joins ports of the home:
// what a device in quarantine says to others there is not forwarded, so that the
// chain "quarantine" does not see it. This machine it reaches by another hook.
func ports(p func(string, ...any)) {
	p("table bridge %s {", tableName)
	for _, f := range families {
		p("  set never%s { type %s; flags interval; }", f.n, f.typ)
		p("  set allowed%s { type %s; flags interval; }", f.n, f.typ)
	}
	p("  set quarantined { type ether_addr; flags timeout; }")
	p("  counter quarantined {}")
	for _, d := range [...]struct{ chain, other string }{{"from_quarantine", "daddr"}, {"to_quarantine", "saddr"}} {
		p("  chain %s {", d.chain)
		p("    ether type arp return")
		p("    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } return")
		p("    udp dport { 67, 68, 546, 547 } return") // who gives it its address need not be this machine
		for _, f := range families {
			p("    %s %s @never%s return", f.ip, d.other, f.n)
			p("    %s %s @allowed%s return", f.ip, d.other, f.n)
		}
		p("    counter name quarantined drop")
		p("  }")
	}
	p("  chain forward {")
	p("    type filter hook forward priority filter; policy accept;")
	p("    ether saddr @quarantined goto from_quarantine")
	p("    ether daddr @quarantined goto to_quarantine")
	p("  }")
	p("}")
}

// bridged writes the chain for what the bridge carries between its ports. It is
// looked at before the bridge decides where to: after that a frame may be many
// that share one connection, and the kernel drops what is queued of a connection
// that is not confirmed yet and not the packet's alone (nf_ct_drop_unconfirmed).
// The mark says in the hook forward that this was done.
func bridged(c *Config, p func(string, ...any), known func()) {
	m := c.Marks
	p("  set own { type ether_addr; }") // what is sent to them is not bridged
	p("  chain remember_bridged {")
	p("    jump remember")
	p("    meta mark set meta mark | %#x", m.Queue)
	p("  }")
	p("  chain bridged {")
	p("    type filter hook prerouting priority mangle; policy accept;")
	p("    meta pkttype != host return")
	p("    meta iiftype != ether return")
	p("    ether daddr @own return")
	p("    meta mark & %#x != 0 goto remember_bridged", m.all())
	p("    meta mark set meta mark | %#x", m.Queue)
	if len(c.LAN) > 0 {
		p("    iifname != %s return", set(c.LAN))
	}
	p("    icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } return") // must never wait
	known()
	p("  }")
}

// local writes the chains for the home's own services on this machine.
func local(c *Config, p func(string, ...any), prio string, own bool) {
	m := c.Marks
	p("  chain cut_local {")
	for _, f := range families {
		p("    %s", cutRule(f.ip, f.n))
	}
	p("  }")
	p("  chain admit_local {")
	if !c.Passive {
		p("    ct mark & %#x != 0 jump loose", m.loose())
		p("    meta nfproto @alive counter name queued goto to_queue")
	}
	p("  }")
	var ports []string
	for _, n := range LocalPorts {
		ports = append(ports, strconv.Itoa(int(n)))
	}
	list := "{ " + strings.Join(ports, ", ") + " }"
	for _, d := range [...]struct{ hook, iface, port string }{{"input", "iifname", "dport"}, {"output", "oifname", "sport"}} {
		p("  chain %s {", d.hook)
		p("    type filter hook %s priority %s; policy accept;", d.hook, prio)
		p("    %s \"lo\" return", d.iface)
		if len(c.LAN) > 0 {
			p("    %s != %s return", d.iface, set(c.LAN))
		}
		if own && !c.Passive {
			p("    meta mark & %#x != 0 goto remember", m.all())
		} else if d.hook == "output" && !c.Passive {
			p("    meta mark & %#x != 0 return", m.Own())
		}
		p("    ct mark & %#x != 0 counter name cut drop", m.Cut)
		p("    jump gate_local")
		p("    tcp %s %s goto admit_local", d.port, list)
		p("    udp %s 53 goto admit_local", d.port)
		p("  }")
	}
}

// cutRule finds the flows that are cut, in either direction.
func cutRule(ip, n string) string {
	return fmt.Sprintf("%s saddr . %s daddr . meta l4proto . th sport . th dport @cut%s goto cutflow", ip, ip, n)
}

var families = [...]struct{ n, ip, typ string }{{"4", "ip", "ipv4_addr"}, {"6", "ip6", "ipv6_addr"}}

var counterNames = [...]string{"cut", "blocked", "paused", "quarantined", "queued", "passed"}

func set(names []string) string {
	if len(names) == 1 {
		return strconv.Quote(names[0]) // a comparison, and no set
	}
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
		append([]string{"-A", chainName, "-m", "mark", "--mark", fmt.Sprintf("%#x/%#x", c.Marks.Queue, c.Marks.all()), "-j", "NFQUEUE"}, queueArgs(c)...))
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
