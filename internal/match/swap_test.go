package match

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/rules"
)

func compileText(t *testing.T, prev *Set, text string) *Set {
	t.Helper()
	rs, problems := rules.Parse("t.rules", strings.NewReader(text), rules.ParseConfig{Vars: rules.DefaultVars()})
	s, more := Compile(rs, Options{Previous: prev})
	for _, p := range append(problems, more...) {
		t.Fatal(p)
	}
	return s
}

func bitRules(from, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "alert tcp any any -> any any (msg:\"b\"; content:\"abcd\"; flowbits:set,b%d; xbits:set,x%d,track ip_src; sid:%d;)\n", from+i, from+i, i+1)
	}
	return b.String()
}

// Names keep their numbers over a line of sets, until there are too many: then
// flows lose theirs, and those of hosts are not taken for others.
func TestNamesOverSets(t *testing.T) {
	first := compileText(t, nil, bitRules(0, 10))
	second := compileText(t, first, bitRules(5, 10))
	for i := range 10 {
		n := fmt.Sprintf("b%d", i)
		if first.names.of[kindFlowbit][n] != second.names.of[kindFlowbit][n] {
			t.Errorf("%s changed its number", n)
		}
	}
	if len(first.names.of[kindFlowbit]) != 10 || len(second.names.of[kindFlowbit]) != 15 || second.names.since != 1 || second.hosts != first.hosts {
		t.Errorf("%d and %d names since %d", len(first.names.of[kindFlowbit]), len(second.names.of[kindFlowbit]), second.names.since)
	}
	full := compileText(t, second, bitRules(100, MaxNames))
	fresh := compileText(t, full, bitRules(0, 10))
	if fresh.names.since != fresh.gen || len(fresh.names.of[kindFlowbit]) != 10 {
		t.Fatalf("%d names since %d of %d", len(fresh.names.of[kindFlowbit]), fresh.names.since, fresh.gen)
	}
	if fresh.names.of[kindFlowbit]["b0"] != 0 || int(fresh.names.of[kindXbit]["x0"]) < MaxNames {
		t.Errorf("numbers %d and %d", fresh.names.of[kindFlowbit]["b0"], fresh.names.of[kindXbit]["x0"])
	}
	w := NewWorker(fresh, Config{})
	w.Use(NewChange(full, fresh), 0)
	f := &Flow{gen: full.gen}
	f.setBit(3)
	f.setInt(1, 2)
	w.adopt(f)
	if f.bit(3) || len(f.ints) != 0 || f.gen != fresh.gen {
		t.Error("a flow keeps marks that mean something else now")
	}
}

// Rules that matched keep their places over a change of places.
func TestRenumber(t *testing.T) {
	a := `alert tcp any any -> any any (msg:"a"; content:"abcd"; sid:1;)` + "\n"
	b := `alert tcp any any <> any 80 (msg:"b"; content:"abcd"; sid:2;)` + "\n"
	first, second := compileText(t, nil, a+b), compileText(t, nil, b+`pass ip any any -> 192.0.2.1 any (msg:"c"; sid:3;)`+"\n")
	ch := NewChange(first, second)
	sid := func(s *Set, id uint32) string {
		return fmt.Sprint(s.meta[s.rules[id].meta].SID, s.rules[id].flags&swapped)
	}
	var all []uint32
	for i := range first.rules {
		all = append(all, uint32(i))
	}
	var was []string
	for _, id := range all {
		if n := sid(first, id); !strings.HasPrefix(n, "1 ") {
			was = append(was, n)
		}
	}
	now := renumber(all, ch.rules)
	if len(now) != 2 || sid(second, now[0]) != was[0] || sid(second, now[1]) != was[1] {
		t.Errorf("%v for %v", now, was)
	}
	if got := renumber([]uint32{0, 1, 77}, nil); len(got) != 0 {
		t.Errorf("without a table %v", got)
	}
}

// Data sets that rules fill live on; a set beyond its memory is not complete.
func TestSetsLiveOnAndAreBounded(t *testing.T) {
	text := `alert tcp any any -> any any (msg:"d"; content:"abcd"; dataset:set,seen,type string; sid:1;)` + "\n"
	first := compileText(t, nil, text)
	second := compileText(t, first, text)
	if d := first.data["seen"]; d == nil || d != second.data["seen"] {
		t.Errorf("%v", d)
	}
	rs, _ := rules.Parse("t.rules", strings.NewReader(bitRules(0, 500)), rules.ParseConfig{Vars: rules.DefaultVars()})
	small, problems := Compile(rs, Options{MaxMemory: 100 << 10})
	if small.Complete() || len(problems) != 1 || !strings.Contains(problems[0].Error(), "raise rules.memory_mb") {
		t.Errorf("%v %v", small.Complete(), problems)
	}
	if large, _ := Compile(rs, Options{MaxMemory: 10 << 20}); !large.Complete() || large.Size() < 500*ruleBytes {
		t.Errorf("%d bytes", large.Size())
	}
}
