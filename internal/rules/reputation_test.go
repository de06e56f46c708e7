package rules

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

func score(r *Reputation, ip string, cat uint8) uint8 {
	a := netip.MustParseAddr(ip).As16()
	return r.Score(&a, cat)
}

func TestReputation(t *testing.T) {
	r := NewReputation()
	if p := r.ReadCategories("c", strings.NewReader("# name\n1,Bad,Bad hosts, with commas\n59,scan,x\n")); len(p) != 0 {
		t.Fatal(p[0])
	}
	if r.Category("bad") != 1 || r.Category("BAD") != 1 || r.Category("scan") != 59 || r.Category("none") != 0 {
		t.Error("categories are not found by name")
	}
	p := r.Read("l", strings.NewReader(`
192.0.2.0/24,1,10
192.0.2.7, 1, 90
192.0.2.8,1,0
192.0.2.128/25,1,20
2001:db8::/32,1,30
2001:db8::1,59,127
0.0.0.0/0,59,5
`))
	if len(p) != 0 {
		t.Fatal(p[0])
	}
	for _, c := range []struct {
		ip        string
		cat, want uint8
	}{
		{"192.0.2.1", 1, 10}, {"192.0.2.7", 1, 90}, {"::ffff:192.0.2.7", 1, 90},
		{"192.0.2.8", 1, 10}, // a score of 0 says nothing
		{"192.0.2.129", 1, 20}, {"192.0.3.1", 1, 0}, {"192.0.2.1", 2, 0}, {"192.0.2.1", 200, 0},
		{"2001:db8::5", 1, 30}, {"2001:db8::1", 59, 127}, {"2001:db9::1", 1, 0},
		{"203.0.113.1", 59, 5}, {"2001:db8::2", 59, 0}, // 0.0.0.0/0 is IPv4 alone
	} {
		if got := score(r, c.ip, c.cat); got != c.want {
			t.Errorf("%s in %d: %d, want %d", c.ip, c.cat, got, c.want)
		}
	}
	if r.Len() != 7 {
		t.Errorf("%d entries", r.Len())
	}
	var none *Reputation
	if none.Len() != 0 || none.Category("x") != 0 || score(none, "192.0.2.1", 1) != 0 {
		t.Error("nil says something")
	}
	a := netip.MustParseAddr("192.0.2.1").As16()
	if n := testing.AllocsPerRun(100, func() { r.Score(&a, 1) }); n > 0 {
		t.Errorf("%v allocations a look-up", n)
	}
}

func TestReputationProblems(t *testing.T) {
	r := NewReputation()
	for _, c := range []struct{ line, want string }{
		{"192.0.2.1,1", "l:1:1: write address,category,score"},
		{"192.0.2.1,1,2,3", "l:1:1: write address,category,score"},
		{"host,1,2", "l:1:1: this is neither an address nor a network"},
		{"192.0.2.1,0,2", "l:1:11: a category has a number from 1 to 59"},
		{"192.0.2.1,60,2", "l:1:11: a category has a number from 1 to 59"},
		{"192.0.2.1,1,128", "l:1:13: a score is from 0 to 127"},
		{strings.Repeat("x", 5000), "l:1: "},
	} {
		p := r.Read("l", strings.NewReader(c.line+"\n"))
		if len(p) != 1 || !strings.HasPrefix(p[0].Error(), c.want) || !p[0].Warning {
			t.Errorf("%.20q: %v, want %s", c.line, p, c.want)
		}
	}
	if p := r.ReadCategories("c", strings.NewReader("60,x,x\n1\n1,,x\n")); len(p) != 3 {
		t.Errorf("categories: %v", p)
	}
	if p := r.Read("l", strings.NewReader(strings.Repeat("x\n", 200))); len(p) != maxRepFaults+1 || p[maxRepFaults].Reason != "150 more lines are not understood" {
		t.Errorf("%d problems", len(p))
	}
	if r.Len() != 0 {
		t.Errorf("%d entries", r.Len())
	}
}

// TestReputationLimit reaches the bound on entries.
func TestReputationLimit(t *testing.T) {
	r := NewReputation()
	var b strings.Builder
	for i := range MaxReputation + 1 {
		fmt.Fprintf(&b, "10.%d.%d.%d,1,1\n", i>>16, i>>8&255, i&255)
	}
	p := r.Read("l", strings.NewReader(b.String()))
	if r.Len() != MaxReputation || len(p) != 1 || p[0].Line != MaxReputation+1 {
		t.Errorf("%d entries, %v", r.Len(), p)
	}
	// What is there already may still be changed.
	if p := r.Read("l", strings.NewReader("10.0.0.0,1,9\n")); len(p) != 0 || score(r, "10.0.0.0", 1) != 9 {
		t.Errorf("the score of a known address: %v", p)
	}
}

func FuzzReputation(f *testing.F) {
	f.Add("1,bad,x\n", "192.0.2.0/24,1,10\n2001:db8::1,1,3\n")
	f.Fuzz(func(t *testing.T, categories, list string) {
		r := NewReputation()
		r.ReadCategories("c", strings.NewReader(categories))
		r.Read("l", strings.NewReader(list))
		for cat := range uint8(MaxCategory) {
			if score(r, "192.0.2.1", cat) > MaxScore {
				t.Error("a score too high")
			}
		}
	})
}
