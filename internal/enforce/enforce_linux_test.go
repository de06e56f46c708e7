package enforce

import (
	"net"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/nftables"
)

func TestConfig(t *testing.T) {
	for _, tt := range []struct {
		c    Config
		want string
	}{
		{Config{}, ""},
		{Config{LAN: []string{"br-lan", "eth0.10"}}, ""},
		{Config{Marks: Marks{1, 2, 4, 8, 8}}, "five different bits"},
		{Config{Marks: Marks{1, 2, 4, 8, 48}}, "five different bits"},
		{Config{Marks: Marks{Queue: 1}}, "five different bits"},
		{Config{Timeout: 5 * time.Second}, "choose between"},
		{Config{Timeout: time.Millisecond}, "choose between"},
		{Config{Queue: 65535, Workers: 2}, "the last number is 65535"},
		{Config{LAN: []string{`lan" ; flush ruleset`}}, "is no name of an interface"},
		{Config{LAN: []string{"averylonginterfacename"}}, "is no name"},
	} {
		err := tt.c.setDefaults()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", tt.c, err, tt.want)
		}
	}
}

var mac = net.HardwareAddr{2, 0, 0, 0, 0, 9}

func TestEntry(t *testing.T) {
	p := netip.MustParsePrefix
	for _, tt := range []struct {
		e    Entry
		want string
	}{
		{Entry{Kind: Pause, MAC: mac}, ""},
		{Entry{Kind: Quarantine, MAC: mac, For: time.Hour}, ""},
		{Entry{Kind: Block, Net: p("203.0.113.9/32")}, ""},
		{Entry{Kind: Block, Net: p("203.0.113.0/24")}, ""},
		{Entry{Kind: Block, Net: p("2001:db8::1/128"), Proto: 6, Port: 3333}, ""},
		{Entry{Kind: Block, Net: p("203.0.113.9/32"), MAC: mac}, ""},
		{Entry{Kind: Pause}, "hardware address"},
		{Entry{Kind: Pause, MAC: mac, Net: p("1.2.3.4/32")}, "nothing else"},
		{Entry{Kind: Block}, "address or a network"},
		{Entry{Kind: Block, Net: p("0.0.0.0/0")}, "whole internet"},
		{Entry{Kind: Block, Net: p("203.0.113.9/32"), Port: 5}, "TCP or UDP"},
		{Entry{Kind: Block, Net: p("203.0.113.0/24"), Proto: 6, Port: 5}, "single address"},
		{Entry{Kind: Block, Net: p("203.0.113.9/32"), For: -1}, "the time is over"},
		{Entry{Kind: "ban", MAC: mac}, "not known"},
		{Entry{Kind: Pause, MAC: mac[:5]}, "six bytes"},
		{Entry{Kind: Block, Net: p("203.0.113.9/32"), Proto: 6, Port: 5, MAC: mac}, ""},
		{Entry{Kind: Cut, Proto: 6, From: ends("192.168.9.2:40000"), To: ends("203.0.113.9:3333")}, ""},
		{Entry{Kind: Cut, Proto: 6, From: ends("192.168.9.2:40000"), To: ends("[2001:db8::9]:3333")}, "one family"},
		{Entry{Kind: Cut, Proto: 6, From: ends("192.168.9.2:40000")}, "one family"},
		{Entry{Kind: Cut, Proto: 6, From: ends("[fe80::1%eth0]:1"), To: ends("[fe80::2%eth0]:1")}, "one family"},
		{Entry{Kind: Cut, From: ends("192.168.9.2:40000"), To: ends("203.0.113.9:3333")}, "its protocol"},
		{Entry{Kind: Cut, Proto: 6, From: ends("192.168.9.2:40000"), To: ends("203.0.113.9:3333"), MAC: mac}, "nothing else"},
		{Entry{Kind: Pause, MAC: mac, To: ends("203.0.113.9:3333")}, "two ends"},
	} {
		err := tt.e.check()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", tt.e, err, tt.want)
		}
	}
}

func ends(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// TestDisjoint against every address of a small space.
func TestDisjoint(t *testing.T) {
	p := netip.MustParsePrefix
	in := []netip.Prefix{p("10.0.0.0/30"), p("10.0.0.0/28"), p("10.0.0.5/32"), p("10.0.0.32/28"), p("10.0.0.32/28"), p("10.0.0.63/26"), p("2001:db8::/64"), {}, p("10.0.1.7/32")}
	out := disjoint(in, true)
	for i, a := range out {
		for j, b := range out {
			if i != j && a.Overlaps(b) {
				t.Errorf("%v overlaps %v", a, b)
			}
		}
	}
	in6, out6 := disjoint(in, false), []netip.Prefix{p("2001:db8::/64")}
	if !reflect.DeepEqual(in6, out6) {
		t.Errorf("IPv6: %v", in6)
	}
	for i := range 512 {
		a := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		was, is := false, false
		for _, x := range in {
			was = was || x.IsValid() && x.Contains(a)
		}
		for _, x := range out {
			is = is || x.Contains(a)
		}
		if was != is {
			t.Errorf("%v: %v before, %v after", a, was, is)
		}
	}
}

func TestInterval(t *testing.T) {
	for _, s := range []string{"10.0.0.0/8", "203.0.113.0/24", "203.0.113.9/32", "255.255.255.255/32", "192.0.0.0/2", "2001:db8::/32", "ffff::/16", "::1/128"} {
		p := netip.MustParsePrefix(s)
		el := interval(p)
		// The kernel lists them the other way round.
		for i, j := 0, len(el)-1; i < j; i, j = i+1, j-1 {
			el[i], el[j] = el[j], el[i]
		}
		got := read("blocked_net"+map[bool]string{true: "4", false: "6"}[p.Addr().Is4()], el)
		if len(got) != 1 || got[0].Net != p {
			t.Errorf("%s reads back as %v", s, got)
		}
	}
	if got := read("blocked_port4", []nftables.SetElement{{Key: concat([]byte{1, 2, 3, 4}, []byte{6}, []byte{0x0d, 0x05})}}); got[0].Port != 3333 || got[0].Proto != 6 || got[0].Net.String() != "1.2.3.4/32" {
		t.Errorf("%+v", got)
	}
}

// TestRuleset: what belongs to others is not named.
func TestRuleset(t *testing.T) {
	for _, c := range []Config{{}, {LAN: []string{"lan"}, Workers: 3, Queue: 5}, {Local: true, Bridge: true}, {Local: true, Passive: true}} {
		if err := c.setDefaults(); err != nil {
			t.Fatal(err)
		}
		text := ruleset(&c, modeNFT, true, true)
		for line := range strings.Lines(text) {
			f := strings.Fields(line)
			if len(f) > 1 && (f[0] == "table" || f[0] == "delete") && !strings.Contains(line, " yamori ") && !strings.HasSuffix(strings.TrimSpace(line), " yamori") {
				t.Errorf("touches %q", line)
			}
		}
		if strings.Contains(text, "flush") || strings.Count(text, "{") != strings.Count(text, "}") {
			t.Error(text)
		}
		if c.Workers == 3 && !strings.Contains(text, "queue num 5-7 bypass") {
			t.Error(text)
		}
	}
}
