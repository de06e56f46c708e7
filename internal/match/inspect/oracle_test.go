package inspect

import (
	"bytes"
	"fmt"
	"math/rand"
	"strings"
	"testing"
)

// naive is the slow and plain matcher of content chains. It tries every place
// of a content that the next one counts from. Where it does not, the first
// place decides, and a failure behind it ends all.
type naive struct {
	buf   []byte
	steps []Step
	ended bool
}

func (n *naive) match(i, off int) bool {
	if i == len(n.steps) {
		return true
	}
	s := &n.steps[i]
	relative := s.Distance.Set || s.Within.Set
	size := len(n.buf)
	lo, hi := int(s.Offset.Value), size
	if s.Depth.Set {
		hi = min(size, lo+int(s.Depth.Value))
	}
	if s.StartsWith {
		hi = min(size, len(s.Pattern))
	}
	if relative {
		lo = max(0, off+int(s.Distance.Value))
		if end := off + int(s.Distance.Value) + int(s.Within.Value); s.Within.Set && end >= 0 {
			hi = min(size, end)
		}
	}
	var found []int
	for at := lo; at+len(s.Pattern) <= hi; at++ {
		part := n.buf[at : at+len(s.Pattern)]
		if bytes.Equal(part, s.Pattern) || s.NoCase && bytes.EqualFold(part, s.Pattern) {
			if !s.EndsWith || at+len(s.Pattern) == size {
				found = append(found, at)
			}
		}
	}
	if s.Negated {
		return len(found) == 0 && n.match(i+1, off)
	}
	for _, at := range found {
		if n.match(i+1, at+len(s.Pattern)) {
			return true
		}
		if i+1 < len(n.steps) && !n.countsFrom(i) {
			n.ended = true
		}
		if n.ended {
			return false
		}
	}
	return false
}

// countsFrom reports whether the next relative content after i counts from it.
func (n *naive) countsFrom(i int) bool {
	next := n.steps[i+1]
	return next.Distance.Set || next.Within.Set
}

// chain makes contents over a small alphabet from a source of numbers.
func chain(pick func(n int) int) (steps []Step) {
	for i := range 1 + pick(5) {
		s := Step{Kind: Content, Negated: pick(5) == 0, NoCase: pick(3) == 0}
		for range 1 + pick(3) {
			s.Pattern = append(s.Pattern, "abA-"[pick(4)])
		}
		s.EndsWith = !s.Negated && pick(8) == 0
		n := int64(len(s.Pattern))
		form := pick(8)
		if i == 0 && form < 4 {
			form += 4
		}
		switch form {
		case 0:
			s.Distance = N(int64(pick(8) - 3))
		case 1:
			s.Within = N(n + int64(pick(6)))
		case 2, 3:
			s.Distance, s.Within = N(int64(pick(8)-3)), N(n+int64(pick(6)))
		case 4:
			s.Offset = N(int64(pick(8)))
		case 5:
			s.Offset, s.Depth = N(int64(pick(4))), N(n+int64(pick(8)))
		case 6:
			s.StartsWith = pick(3) == 0
		}
		steps = append(steps, s)
	}
	return steps
}

func TestOracle(t *testing.T) {
	r := rand.New(rand.NewSource(7))
	ctx := new(Ctx)
	matched := 0
	for range 20000 {
		steps := chain(r.Intn)
		p := must(t, steps...)
		for range 8 {
			buf := make([]byte, 1+r.Intn(24))
			for i := range buf {
				buf[i] = "aabbA-"[r.Intn(6)]
			}
			want := (&naive{buf: buf, steps: steps}).match(0, 0)
			if got := p.Match(buf, ctx); got != want {
				t.Fatalf("%s on %q: %v, want %v", show(steps), buf, got, want)
			}
			if want {
				matched++
			}
		}
	}
	if matched < 10000 {
		t.Errorf("only %d of 160000 matched", matched)
	}
}

func TestIndexFold(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	for range 50000 {
		s, p := make([]byte, r.Intn(40)), make([]byte, 1+r.Intn(4))
		for i := range s {
			s[i] = "aAbB-\x00\xe1"[r.Intn(7)]
		}
		for i := range p {
			p[i] = "ab-\x00\xe1"[r.Intn(5)]
		}
		want := -1
		for i := 0; i+len(p) <= len(s) && want < 0; i++ {
			if equalFold(s[i:i+len(p)], p) == len(p) {
				want = i
			}
		}
		cost := 0
		if got := indexFold(s, p, int(rarest(p, true)), &cost, 1<<20); got != want {
			t.Fatalf("%q in %q: %d, want %d", p, s, got, want)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add([]byte("\x03\x01\x02\x00\x04\x05\x01\x02\x03"), []byte("abA-ab"))
	f.Fuzz(func(t *testing.T, rule, buf []byte) {
		pick := func(n int) int {
			if len(rule) == 0 {
				return 0
			}
			b := int(rule[0])
			rule = rule[1:]
			return b % n
		}
		steps := chain(pick)
		if len(buf) == 0 || len(buf) > 200 {
			return
		}
		p := must(t, steps...)
		ctx := new(Ctx)
		want := (&naive{buf: buf, steps: steps}).match(0, 0)
		if got := p.Match(buf, ctx); got != want && ctx.count < stepLimit && !ctx.Exhausted {
			t.Fatalf("%s on %q: %v, want %v", show(steps), buf, got, want)
		}
	})
}

// show writes steps as a rule would.
func show(steps []Step) string {
	var b strings.Builder
	for _, s := range steps {
		if s.Negated {
			b.WriteByte('!')
		}
		fmt.Fprintf(&b, "%q", s.Pattern)
		for _, m := range []struct {
			name string
			on   bool
			n    Num
		}{
			{"nocase", s.NoCase, Num{}}, {"startswith", s.StartsWith, Num{}}, {"endswith", s.EndsWith, Num{}},
			{"offset", s.Offset.Set, s.Offset}, {"depth", s.Depth.Set, s.Depth},
			{"distance", s.Distance.Set, s.Distance}, {"within", s.Within.Set, s.Within},
		} {
			if m.on {
				fmt.Fprintf(&b, " %s", m.name)
				if m.n.Set {
					fmt.Fprintf(&b, ":%d", m.n.Value)
				}
			}
		}
		b.WriteString("; ")
	}
	return b.String()
}
