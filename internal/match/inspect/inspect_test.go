package inspect

import "testing"

func must(t testing.TB, steps ...Step) *Program {
	t.Helper()
	p, err := NewArena().Compile(steps, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestChain(t *testing.T) {
	ab := []Step{{Kind: Content, Pattern: []byte("a")}, {Kind: Content, Pattern: []byte("b"), Within: N(1)}}
	for _, c := range []struct {
		buf  string
		want bool
	}{
		{"ab", true}, {"a-b", false}, {"a-ab", true}, {"", false}, {"a", false},
	} {
		if got := must(t, ab...).Match([]byte(c.buf), new(Ctx)); got != c.want {
			t.Errorf("%q: %v, want %v", c.buf, got, c.want)
		}
	}
}
