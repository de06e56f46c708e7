package dnsmode

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func TestForms(t *testing.T) {
	v4, v6 := netip.MustParseAddr("192.168.1.1"), netip.MustParseAddr("fd00::1")
	for _, c := range []struct {
		form  Form
		qtype uint16
		rcode int
		addrs string
	}{
		{Form{}, dns.TypeA, dns.RcodeNameError, "[]"},
		{Form{Kind: Refused}, dns.TypeA, dns.RcodeRefused, "[]"},
		{Form{Kind: NoData}, dns.TypeA, 0, "[]"},
		{Form{Kind: Null}, dns.TypeA, 0, "[0.0.0.0]"},
		{Form{Kind: Null}, dns.TypeAAAA, 0, "[::]"},
		{Form{Kind: Null}, dns.TypeHTTPS, 0, "[]"},
		{Form{Custom, v4, v6}, dns.TypeA, 0, "[192.168.1.1]"},
		{Form{Custom, v4, v6}, dns.TypeAAAA, 0, "[fd00::1]"},
		{Form{Kind: Custom, V4: v4}, dns.TypeAAAA, 0, "[]"},
	} {
		o := newOutside(t, records(t, 0, www))
		var told []Blocked
		s := server(t, o, func(cf *Config) { cf.Blocked = c.form; cf.OnBlock = func(b Blocked) { told = append(told, b) } })
		loadLists(t, s, list("pools", "example"+".org\n||pool.example^"))
		m := ask(t, s, edns("XMR.Pool.Example.", c.qtype))
		if m.Rcode != c.rcode || fmt.Sprint(addresses(m)) != c.addrs || !slices.Equal(explained(m), []uint16{dns.ExtendedErrorCodeBlocked}) {
			t.Errorf("%+v: %v", c, m)
		}
		if c.form.Kind != Refused && len(m.Answer) == 0 && (len(m.Ns) != 1 || m.Ns[0].Header().Ttl != 30) {
			t.Errorf("%+v: clients cannot remember it: %v", c, m)
		}
		want := Blocked{Client: pc, Name: "xmr.pool.example", Type: c.qtype, Reason: ByList, List: "pools", Entry: "pool.example", Form: c.form}
		if len(told) != 1 || told[0].Time.IsZero() {
			t.Fatalf("told %+v", told)
		}
		told[0].Time = time.Time{}
		if told[0] != want {
			t.Errorf("told %+v, want %+v", told[0], want)
		}
		if m = ask(t, s, question("pool.example.", c.qtype)); m.IsEdns0() != nil {
			t.Error("EDNS for a client that has none")
		}
		if o.n.Load() != 0 {
			t.Error("the upstream was asked for a refused name")
		}
	}
	for _, f := range []Form{{Kind: Custom}, {Kind: Custom, V4: v6}, {Kind: Custom, V6: v4}, {Kind: 9}} {
		if f.check() == nil {
			t.Errorf("%+v is accepted", f)
		}
	}
}

func TestBlockByFinding(t *testing.T) {
	o := newOutside(t, records(t, 0, "other.example. 300 IN A 192.0.2.1"))
	ck := new(clock)
	var told []Blocked
	s := server(t, o, func(c *Config) { c.Now = ck.Now; c.OnBlock = func(b Blocked) { told = append(told, b) } })
	refused := func(name string) bool {
		return ask(t, s, question(name, dns.TypeA)).Rcode == dns.RcodeNameError
	}
	refused("c2.evil.example.") // kept: a block holds all the same
	if err := s.Block("Evil.Example.", time.Hour, "botnet"); err != nil {
		t.Fatal(err)
	}
	if !refused("c2.evil.example.") || !refused("evil.example.") || refused("notevil.example.") {
		t.Error("the block does not hold what it should")
	}
	if b := told[0]; b.Reason != ByFinding || b.Why != "botnet" || b.Entry != "evil.example" {
		t.Errorf("told %+v", b)
	}
	_ = s.Block("evil.example", time.Minute, "shorter")
	ck.advance(59 * time.Minute)
	if !refused("evil.example.") || len(s.Blocks()) != 1 || s.Blocks()[0].Why != "botnet" {
		t.Errorf("%+v", s.Blocks())
	}
	ck.advance(time.Minute)
	if refused("evil.example.") || len(s.Blocks()) != 0 {
		t.Error("a block does not end")
	}
	_ = s.Block("evil.example", time.Hour, "again")
	if !s.Unblock("EVIL.example.") || s.Unblock("evil.example") || refused("evil.example.") {
		t.Error("a block cannot be ended")
	}
	for name, want := range map[string]error{"com": ErrWide, "": ErrName, "a..b": ErrName, "printer.home.arpa": ErrOwn, "x.local": ErrOwn, "x.localhost": ErrOwn} {
		if err := s.Block(name, time.Hour, ""); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", name, err, want)
		}
	}
	if err := s.Block("a.example", 0, ""); !errors.Is(err, ErrBlock) {
		t.Error(err)
	}
	for i := range MaxBlocks {
		if err := s.Block(fmt.Sprintf("n%d.example", i), time.Minute, ""); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := s.Block("one.more.example", time.Minute, ""); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	ck.advance(time.Minute)
	if err := s.Block("one.more.example", time.Minute, ""); err != nil {
		t.Errorf("what is over takes room: %v", err)
	}
}

// decider decides by client and name.
type decider func(client netip.Addr, name string, qtype uint16) Decision

func (d decider) Decide(c netip.Addr, n string, q uint16) Decision { return d(c, n, q) }

func TestPolicyByDevice(t *testing.T) {
	o := newOutside(t, records(t, 0, "www.example. 300 IN A 192.0.2.1"))
	child, nas := netip.MustParseAddr("192.168.1.50"), netip.MustParseAddr("192.168.1.60")
	var told []Blocked
	s := server(t, o, func(c *Config) {
		c.OnBlock = func(b Blocked) { told = append(told, b) }
		c.GatewayAddresses = []netip.Addr{netip.MustParseAddr("192.168.1.1")}
		c.Policy = decider(func(client netip.Addr, name string, _ uint16) Decision {
			switch {
			case client == child:
				return Decision{Action: Block, Why: "pause", By: "p1", Form: &Form{Kind: Refused}}
			case client == nas && under(name, "pool.example"):
				return Decision{Action: Allow, Why: "consent", By: "c1"}
			}
			return Decision{}
		})
	})
	loadLists(t, s, list("pools", "pool.example"))
	_ = s.Block("x.pool.example", time.Hour, "mining")
	if m := askBy(t, s, edns("www.example.", dns.TypeA), child, false); m.Rcode != dns.RcodeRefused || explained(m)[0] != dns.ExtendedErrorCodeFiltered {
		t.Errorf("%v", m)
	}
	if b := told[0]; b.Reason != ByPolicy || b.Why != "pause" || b.By != "p1" || b.Client != child || b.Form.Kind != Refused {
		t.Errorf("told %+v", b)
	}
	if m := askBy(t, s, question("yamori.home.arpa.", dns.TypeA), child, false); m.Rcode != 0 {
		t.Error("a paused device cannot find the gateway")
	}
	for name, by := range map[string]netip.Addr{"pool.example.": nas, "x.pool.example.": nas} {
		if m := askBy(t, s, question(name, dns.TypeA), by, false); m.Rcode != 0 {
			t.Errorf("%s: %v", name, m)
		}
		if m := askBy(t, s, question(name, dns.TypeA), pc, false); m.Rcode != dns.RcodeNameError {
			t.Errorf("%s for another device: %v", name, m)
		}
	}
}

// What is refused hides behind a name of the page's own.
func TestAliases(t *testing.T) {
	chain := func(names ...string) string {
		var b strings.Builder
		for i := range len(names) - 1 {
			fmt.Fprintf(&b, "%s 300 IN CNAME %s\n", names[i], names[i+1])
		}
		return b.String() + names[len(names)-1] + " 300 IN A 192.0.2.1"
	}
	long := []string{"www.shop.example."}
	for i := range maxAliases + 5 {
		long = append(long, fmt.Sprintf("n%d.example.", i))
	}
	for _, c := range []struct {
		what, text, list string
		alias            string // refused for it; empty: passes
	}{
		{"nothing listed", chain("www.shop.example.", "cdn.example.", "edge.example."), "other.example", ""},
		{"the first", chain("www.shop.example.", "x.Tracker.example."), "||tracker.example^", "x.tracker.example"},
		{"the last", chain("www.shop.example.", "cdn.example.", "t.tracker.example."), "tracker.example", "t.tracker.example"},
		{"in another order", "b.example. 300 IN CNAME t.tracker.example.\nwww.shop.example. 300 IN CNAME b.example.", "tracker.example", "t.tracker.example"},
		{"DNAME", "shop.example. 300 IN DNAME tracker.example.\nwww.shop.example. 300 IN CNAME www.tracker.example.", "tracker.example", "www.tracker.example"},
		{"HTTPS", "www.shop.example. 300 IN HTTPS 0 t.tracker.example.", "tracker.example", "t.tracker.example"},
		{"an exception for the page", chain("www.shop.example.", "t.tracker.example."), "tracker.example\n@@||shop.example^", ""},
		{"an exception for the alias", chain("www.shop.example.", "t.tracker.example."), "tracker.example\n@@||t.tracker.example^", ""},
		{"within", chain(long...), "n30.example", "n30.example"},
	} {
		var told []Blocked
		o := newOutside(t, records(t, 0, c.text))
		s := server(t, o, func(cf *Config) { cf.OnBlock = func(b Blocked) { told = append(told, b) } })
		loadLists(t, s, list("trackers", c.list))
		qtype := dns.TypeA
		if c.what == "HTTPS" {
			qtype = dns.TypeHTTPS
		}
		for range 2 { // from the cache, too
			m := ask(t, s, edns("www.shop.example.", qtype))
			if (m.Rcode == dns.RcodeNameError) != (c.alias != "") || c.alias != "" && len(m.Answer) > 0 {
				t.Errorf("%s: %v", c.what, m)
			}
		}
		if c.alias != "" && (len(told) != 2 || told[0].Alias != c.alias || told[0].Name != "www.shop.example" || told[0].List != "trackers") || c.alias == "" && len(told) > 0 {
			t.Errorf("%s: told %+v", c.what, told)
		}
	}
	// More of them than anybody follows cannot hide one.
	far := server(t, newOutside(t, records(t, 0, chain(long...))), nil)
	loadLists(t, far, list("trackers", "n35.example"))
	if m := askBy(t, far, edns("www.shop.example.", dns.TypeA), pc, true); m.Rcode != dns.RcodeServerFailure || len(m.Answer) > 0 || !slices.Equal(explained(m), []uint16{dns.ExtendedErrorCodeInvalidData}) {
		t.Errorf("too many aliases: %v", m)
	}
	// A list that comes later holds for what is kept, too.
	o := newOutside(t, records(t, 0, chain("www.shop.example.", "t.tracker.example.")))
	s := server(t, o, nil)
	if m := ask(t, s, question("www.shop.example.", dns.TypeA)); m.Rcode != 0 {
		t.Error(m)
	}
	_ = s.Block("tracker.example", time.Hour, "malware")
	if m := ask(t, s, question("www.shop.example.", dns.TypeA)); m.Rcode != dns.RcodeNameError || o.n.Load() != 1 {
		t.Error(m)
	}
}
