package rules

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func addrs(t testing.TB, vars Vars, list string) Addrs {
	t.Helper()
	a, _, err := newParser(ParseConfig{Vars: vars}).addresses(list)
	if err != nil {
		t.Fatalf("%s: %v", list, err)
	}
	return a
}

func TestAddrs(t *testing.T) {
	for _, c := range []struct{ list, in, out string }{
		{"any", "1.2.3.4 :: ffff::", ""},
		{"[any]", "1.2.3.4 ::", ""},
		{"1.2.3.4", "1.2.3.4", "1.2.3.3 1.2.3.5 ::102:304"},
		{"1.2.3.4/24", "1.2.3.0 1.2.3.255", "1.2.2.255 1.2.4.0"},
		{"1.2.3.4/255.255.0.0", "1.2.0.0 1.2.255.255", "1.1.255.255 1.3.0.0"},
		{"0.0.0.0/0", "0.0.0.0 255.255.255.255", "::1"},
		{"1.2.3.4-1.2.4.1", "1.2.3.4 1.2.3.255 1.2.4.1", "1.2.3.3 1.2.4.2"},
		{"[1.2.3.4, 9.9.9.9]", "1.2.3.4 9.9.9.9", "5.5.5.5"},
		{"2001:db8::/32", "2001:db8:: 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db7:ffff:: 2001:db9:: 1.2.3.4"},
		{"::/0", "::1 ffff::", "1.2.3.4"},
		{"::1-::5", "::1 ::5", "::6 ::"},
		{"fe80::/65", "fe80::7fff:ffff:ffff:ffff", "fe80::8000:0:0:0"},
		// All entries of a family negated: the rest of that family only.
		{"!1.2.3.4", "1.2.3.3 255.255.255.255", "1.2.3.4 ::1"},
		{"!fe80::/10", "::1 ff00::", "fe80::1 1.2.3.4"},
		{"![1.2.3.4,fe80::/10]", "1.1.1.1 ::1", "1.2.3.4 fe80::1"},
		{"[10.0.0.0/8,!10.1.0.0/16]", "10.0.0.1 10.2.0.0 10.255.0.1", "10.1.0.0 10.1.255.255 11.0.0.0"},
		{"[10.0.0.0/8,![10.1.0.0/16,!10.1.1.1]]", "10.0.0.1 10.1.1.1", "10.1.1.2 10.1.0.0"},
		{"[any,!1.2.3.4]", "1.2.3.3 ::1", "1.2.3.4"},
		{"!!1.2.3.4", "1.1.1.1", "1.2.3.4"},
		// Lists within lists are as if their entries stood there.
		{"[1.2.3.4,[!5.6.7.8]]", "1.2.3.4", "5.6.7.8 9.9.9.9"},
		{"$HOME_NET", "10.0.0.1 172.31.255.255 192.168.0.0", "172.32.0.0 11.0.0.0 fe80::1"},
		{"$EXTERNAL_NET", "8.8.8.8 172.32.0.0", "10.0.0.1 2001:db8::1"},
		{"!$EXTERNAL_NET", "10.0.0.1", "8.8.8.8"},
		{"!$HOME_NET", "8.8.8.8", "10.0.0.1"},
		{"[$HOME_NET,!10.0.0.1]", "10.0.0.2 192.168.1.1", "10.0.0.1 8.8.8.8"},
		{"[$AIM_SERVERS,8.8.8.8]", "8.8.8.8", "10.0.0.1 8.8.4.4"}, // [!$HOME_NET,8.8.8.8]
	} {
		a := addrs(t, Vars{}, c.list)
		for _, s := range strings.Fields(c.in) {
			if !a.Contains(mapped(t, s)) {
				t.Errorf("%s lacks %s", c.list, s)
			}
		}
		for _, s := range strings.Fields(c.out) {
			if a.Contains(mapped(t, s)) {
				t.Errorf("%s holds %s", c.list, s)
			}
		}
		if a.String() != c.list || a.Any() != strings.HasPrefix(strings.Trim(c.list, "[]"), "any") != (c.list == "[any,!1.2.3.4]") {
			t.Errorf("%s: text %s, any %v", c.list, a, a.Any())
		}
	}
}

func TestPorts(t *testing.T) {
	for _, c := range []struct {
		list    string
		in, out []uint16
	}{
		{"any", []uint16{0, 80, 65535}, nil},
		{":", []uint16{0, 65535}, nil},
		{"80", []uint16{80}, []uint16{79, 81, 0}},
		{"00080", []uint16{80}, []uint16{8}},
		{"80:90", []uint16{80, 90}, []uint16{79, 91}},
		{"1024:", []uint16{1024, 65535}, []uint16{1023}},
		{":1023", []uint16{0, 1023}, []uint16{1024}},
		{"!80", []uint16{0, 79, 81, 65535}, []uint16{80}},
		{"!80:90", []uint16{79, 91}, []uint16{80, 90}},
		{"[80:90,!85]", []uint16{80, 84, 86, 90}, []uint16{85, 79, 91}},
		{"[!80,!90]", []uint16{0, 85, 65535}, []uint16{80, 90}},
		{"![80,443]", []uint16{0, 81}, []uint16{80, 443}},
		{"[135,139,445,1024:]", []uint16{135, 139, 445, 1024, 65535}, []uint16{136, 1023}},
		{"$HTTP_PORTS", []uint16{80}, []uint16{81}},
		{"!$HTTP_PORTS", []uint16{81}, []uint16{80}},
		{"$SHELLCODE_PORTS", []uint16{81}, []uint16{80}},
		{"!$SHELLCODE_PORTS", []uint16{80}, []uint16{81}},
		// Nested negations, as Suricata has them.
		{"[16,!$SHELLCODE_PORTS]", []uint16{16, 80}, []uint16{81, 17}},
		{"![!1,!2,12:16,!5]", []uint16{5}, []uint16{1, 2, 13, 6}},
		{"[3:7,![!1]]", []uint16{1, 3, 7}, []uint16{2, 8}},
		{"![80,[!443]]", []uint16{443}, []uint16{80, 81}},
		{"[$FILE_DATA_PORTS,!110]", []uint16{80, 143}, []uint16{110, 1}},
	} {
		p, _, err := newParser(ParseConfig{}).portList(c.list)
		if err != nil {
			t.Errorf("%s: %v", c.list, err)
			continue
		}
		for _, n := range c.in {
			if !p.Contains(n) {
				t.Errorf("%s lacks %d", c.list, n)
			}
		}
		for _, n := range c.out {
			if p.Contains(n) {
				t.Errorf("%s holds %d", c.list, n)
			}
		}
		if p.String() != c.list || p.Any() != (c.list == "any" || c.list == ":") {
			t.Errorf("%s: text %s, any %v", c.list, p, p.Any())
		}
	}
}

// randomList writes a list and evaluates it on 256 addresses in the
// slowest way: a truth table for each part.
func randomList(r *rand.Rand, depth int, b *strings.Builder) (yes, no [256]bool, some bool) {
	n := 1 + r.IntN(4)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		negated := r.IntN(3) == 0
		if negated {
			b.WriteByte('!')
		}
		if depth < 3 && r.IntN(4) == 0 {
			b.WriteByte('[')
			y, x, s := randomList(r, depth+1, b)
			b.WriteByte(']')
			if !negated {
				for i := range 256 {
					yes[i], no[i] = yes[i] || y[i], no[i] || x[i]
				}
				some = some || s
				continue
			}
			for i := range 256 {
				no[i] = no[i] || (y[i] || !s) && !x[i]
			}
			continue
		}
		lo := r.IntN(256)
		hi := min(lo+r.IntN(40), 255)
		fmt.Fprintf(b, "0.0.0.%d-0.0.0.%d", lo, hi)
		for i := lo; i <= hi; i++ {
			if negated {
				no[i] = true
			} else {
				yes[i] = true
			}
		}
		some = some || !negated
	}
	return yes, no, some
}

// TestListsAgainstTruth compares the range arithmetic with truth tables.
func TestListsAgainstTruth(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const lists = 3000
	refused := 0
	for range lists {
		var b strings.Builder
		yes, no, some := randomList(r, 0, &b)
		a, _, err := newParser(ParseConfig{}).addresses("[" + b.String() + "]")
		if err != nil { // a part holds nothing, which is refused
			refused++
			continue
		}
		for i := range 256 {
			if want := (yes[i] || !some) && !no[i]; a.Set().Contains4(uint32(i)) != want {
				t.Fatalf("%s holds %d: %v", b.String(), i, !want)
			}
		}
		rs := a.Set().V4()
		for i, x := range rs {
			if x.Lo > x.Hi || i > 0 && x.Lo <= rs[i-1].Hi+1 {
				t.Fatalf("%s: ranges %v are not sorted and apart", b.String(), rs)
			}
		}
	}
	if refused > lists/4 {
		t.Errorf("%d of %d lists refused", refused, lists)
	}
}

// TestShared: equal text gives equal values, equal content one set.
func TestShared(t *testing.T) {
	rules, problems := parse("alert tcp $HOME_NET 80 -> [10.0.0.0/8,192.168.0.0/16,172.16.0.0/12] [80] (sid:1;)\n"+
		"alert tcp $HOME_NET 80 -> any $HTTP_PORTS (sid:2;)", ParseConfig{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	a, b := rules[0], rules[1]
	if a.Src != b.Src || a.SrcPorts != b.SrcPorts {
		t.Error("equal text is not shared")
	}
	if a.Src == a.Dst || a.Src.Set() != a.Dst.Set() || a.DstPorts.Set() != b.DstPorts.Set() {
		t.Error("equal content is not shared")
	}
	if !b.Dst.Any() || b.Dst != (Addrs{}) || b.Dst.Set() != nil {
		t.Error("any is not the zero value")
	}
}

func TestZeroLists(t *testing.T) {
	var a Addrs
	var p Ports
	if !a.Any() || !p.Any() || !a.Contains(mapped(t, "1.2.3.4")) || !p.Contains(7) || a.String() != "any" || p.String() != "any" {
		t.Error("the zero value is not any")
	}
	var s *AddrSet
	if v4, v6 := s.V4(), s.V6(); v4[0] != (Range4{0, 0xffffffff}) || v6[0].Hi != [16]byte(*mapped(t, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")) || !s.Contains4(1) {
		t.Error(v4, v6)
	}
	var ps *PortSet
	if r := ps.Ranges(); len(r) != 1 || r[0] != (PortRange{0, 65535}) {
		t.Error(r)
	}
}

func TestVars(t *testing.T) {
	v := DefaultVars().With(Vars{Addrs: map[string]string{"HOME_NET": "10.9.0.0/16"}, Ports: map[string]string{"HTTP_PORTS": "[80,8080]", "MINE": "7"}})
	if a := addrs(t, v, "$HTTP_SERVERS"); !a.Contains(mapped(t, "10.9.1.1")) || a.Contains(mapped(t, "192.168.1.1")) {
		t.Error("HOME_NET is not replaced within HTTP_SERVERS")
	}
	if p, _, err := newParser(ParseConfig{Vars: v}).portList("[$FILE_DATA_PORTS,$MINE]"); err != nil || !p.Contains(8080) || !p.Contains(7) {
		t.Error(p, err)
	}
	if DefaultVars().Addrs["HOME_NET"] == v.Addrs["HOME_NET"] {
		t.Error("With changed the defaults")
	}
	if p := DefaultVars().Check(); len(p) > 0 {
		t.Error(p)
	}
	if p := (Vars{}).With(Vars{}).Check(); len(p) > 0 {
		t.Error(p)
	}
	for _, c := range []struct {
		name, value, reason, cure string
	}{
		{"HOME_NET", "any", "the address list $EXTERNAL_NET negates everything", "set EXTERNAL_NET to any"},
		{"X", "$Y", "$X: the address variable $Y is not defined", ""},
		{"X", "[1.2.3.4,$X]", "$X: the address variable $X contains itself", ""},
		{"X", " ", "the address variable $X is empty", "value"},
		{"X", "nonsense", `$X: "nonsense" is no address`, ""},
		{"X", "!$HOME", "$X: the address variable $HOME is not defined", ""},
	} {
		p := DefaultVars().With(Vars{Addrs: map[string]string{c.name: c.value}}).Check()
		if len(p) == 0 || p[0].Reason != c.reason && p[len(p)-1].Reason != c.reason {
			t.Errorf("%s = %s: %v, want %s", c.name, c.value, p, c.reason)
			continue
		}
		if c.cure != "" && !strings.Contains(p[0].Cure+p[len(p)-1].Cure, c.cure) {
			t.Errorf("%s = %s: cure %q", c.name, c.value, p[0].Cure)
		}
	}
	// HOME_NET any with an EXTERNAL_NET of its own is fine.
	if p := DefaultVars().With(Vars{Addrs: map[string]string{"HOME_NET": "any", "EXTERNAL_NET": "any"}}).Check(); len(p) > 0 {
		t.Error(p)
	}
}

func TestContainsAllocatesNothing(t *testing.T) {
	a := addrs(t, Vars{}, "[$EXTERNAL_NET,2001:db8::/32]")
	p, _, _ := newParser(ParseConfig{}).portList("[80,443,8000:9000]")
	ip4, ip6 := mapped(t, "8.8.8.8"), mapped(t, "2001:db8::1")
	if n := testing.AllocsPerRun(100, func() { _ = a.Contains(ip4) && a.Contains(ip6) && p.Contains(443) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkContains(b *testing.B) {
	var list strings.Builder
	for i := range 500 {
		fmt.Fprintf(&list, "%d.%d.0.0/17,", 1+i%200, i%256)
	}
	a := addrs(b, Vars{}, "["+list.String()+"]")
	ip := mapped(b, "1.2.3.4")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		binary.BigEndian.PutUint32(ip[12:], uint32(i)*2654435761)
		a.Contains(ip)
	}
}
