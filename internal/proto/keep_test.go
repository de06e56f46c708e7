package proto

import "testing"

// Slices taken of a growing buffer keep all its arrays: together they are
// within what Held says, and nothing is lost.
func TestAppend(t *testing.T) {
	var b []byte
	arrays, last := 0, 0
	for i := range 5000 {
		b = Append(b, []byte{byte(i), byte(i >> 8), 0}[:i%4%3+1])
		if cap(b) != last {
			last = cap(b)
			arrays += last
		}
		if arrays > Held(b) {
			t.Fatalf("%d bytes in arrays, %d said", arrays, Held(b))
		}
	}
	if b[0] != 0 || len(b) < 5000 {
		t.Errorf("%d bytes", len(b))
	}
	if cap(Keep(b, cap(b))) != cap(b) || len(Keep(b, cap(b))) != 0 || Keep(b, cap(b)-1) != nil {
		t.Error("Keep")
	}
}
