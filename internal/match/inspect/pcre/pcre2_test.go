package pcre

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestPCRE2 compares with answers recorded from PCRE2 by testdata/record.py,
// with and without memory of failed states.
func TestPCRE2(t *testing.T) {
	f, err := os.Open("testdata/pcre2.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var m Machine
	n, matched := 0, 0
	for sc := bufio.NewScanner(f); sc.Scan(); n++ {
		part := strings.Split(sc.Text(), "\t")
		opt, _ := hex.DecodeString(part[0])
		subject, _ := hex.DecodeString(part[1])
		start, _ := strconv.Atoi(part[2])
		want := part[3]
		if want != "-" {
			matched++
		}
		re := withGroups(t, string(opt))
		for _, m.remember = range []bool{false, true} {
			m.Reset(0)
			ok, err := re.Match(subject, start, &m)
			if got := places(&m, ok, re.prog.Load().groups); got != want || err != nil {
				t.Errorf("%s on %q from %d, memory %v: %s %v, PCRE2 says %s", opt, subject, start, m.remember, got, err, want)
			}
		}
	}
	if n < 500 || matched < 100 {
		t.Errorf("%d cases, %d matches", n, matched)
	}
}

// withGroups parses an option and makes it record all groups.
func withGroups(t testing.TB, opt string) *Regexp {
	t.Helper()
	re, err := Parse(opt)
	if err != nil {
		t.Fatalf("%s: %v", opt, err)
	}
	tree, err := parse(re.src, re.opts)
	if err != nil {
		t.Fatal(err)
	}
	p, err := compile(tree, re.opts, tree.groups)
	if err != nil {
		t.Fatal(err)
	}
	re.prog.Store(p)
	return re
}

func places(m *Machine, ok bool, groups int) string {
	if !ok {
		return "-"
	}
	var out []string
	last := 0
	for i := range groups + 1 {
		lo, hi := m.Group(i)
		if out = append(out, fmt.Sprintf("%d,%d", lo, hi)); lo >= 0 {
			last = i
		}
	}
	return strings.Join(out[:last+1], " ")
}
