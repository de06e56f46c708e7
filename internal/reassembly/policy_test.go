package reassembly

import "testing"

// The ways in which a new segment can lie over a held one, and who wins the
// bytes they share. The held segment is at 10..20 in each; position 0..9 is
// the hole that keeps it held. Suricata 7.0 reads the same bytes in every case
// under each of its host-os-policy names (HTTP requests with the overlap in
// the URL, compared 2026-11-23); it has no "first" and "last".
func TestPolicies(t *testing.T) {
	const n, o = true, false // new, old
	for _, c := range []struct {
		name     string
		from, to int
		// in the order of the constants: First, Last, BSD, Linux, OldLinux, Solaris
		newWins [numPolicies]bool
	}{
		{"the same", 10, 20, [...]bool{o, n, o, o, n, n}},
		{"inside", 12, 18, [...]bool{o, n, o, o, o, o}},
		{"same start, ends earlier", 10, 15, [...]bool{o, n, o, o, o, o}},
		{"same start, ends later", 10, 25, [...]bool{o, n, o, n, n, n}},
		{"starts earlier, ends inside", 5, 15, [...]bool{o, n, n, n, n, o}},
		{"starts earlier, ends alike", 5, 20, [...]bool{o, n, n, n, n, n}},
		{"all over it", 5, 25, [...]bool{o, n, n, n, n, n}},
		{"starts inside, ends alike", 15, 20, [...]bool{o, n, o, o, o, o}},
		{"starts inside, ends later", 15, 25, [...]bool{o, n, o, o, o, n}},
	} {
		for p := range numPolicies {
			r := open(t, Config{}, p, 0)
			text := []byte("..............................")[:max(c.to, 20)]
			put := func(from, to int, b byte) string {
				s := make([]byte, to-from)
				for i := range s {
					s[i] = b
				}
				return string(s)
			}
			r.flags(r.seg(10, put(10, 20, 'o')), OutOfOrder)
			r.flags(r.seg(c.from, put(c.from, c.to, 'n')), OutOfOrder|Overlap|Contradicts)
			for i := range text {
				old, fresh := i >= 10 && i < 20, i >= c.from && i < c.to
				switch {
				case old && (!fresh || !c.newWins[p]):
					text[i] = 'o'
				case fresh:
					text[i] = 'n'
				}
			}
			hole := min(c.from, 10)
			r.seg(0, string(text[:hole]))
			if got := r.out.String(); got != string(text) {
				t.Errorf("policy %d, %s: read %q, expected %q", p, c.name, got, text)
			}
		}
	}
}

// A segment in its turn fights for the held bytes it reaches in the same way.
func TestPolicyInTurn(t *testing.T) {
	for p, want := range []string{First: "nnnoon", Last: "nnnnnn", BSD: "nnnnnn", Linux: "nnnnnn", OldLinux: "nnnnnn", Solaris: "nnnnnn"} {
		r := open(t, Config{}, Policy(p), 0)
		r.seg(3, "oo")
		r.flags(r.seg(0, "nnnnnn"), Overlap|Contradicts)
		r.want(want)
	}
}

// A byte belongs to who supplied it: the third segment starts after the first
// one did, but before the second, which won the middle.
func TestThreeSegments(t *testing.T) {
	r := open(t, Config{}, Solaris, 0)
	r.seg(2, "aaaaaaaa") // 2..10
	r.seg(6, "bbbbbb")   // 6..12, ends later: takes 6..10
	r.seg(4, "cccccc")   // 4..10: ends with the first and starts after it, ends before the second
	r.seg(0, "..")
	r.want("..aaaabbbbbb")
	r = open(t, Config{}, BSD, 0)
	r.seg(6, "aaaaaa") // 6..12
	r.seg(4, "bbbb")   // 4..8 starts earlier
	r.seg(5, "ccccc")  // 5..10: after b, before a
	r.seg(0, "....")
	r.want("....bbbbccaa")
}
