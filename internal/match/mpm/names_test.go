package mpm

import (
	"fmt"
	"slices"
	"testing"
)

func TestNamesByMode(t *testing.T) {
	set := BuildNames([]Name{
		{Bytes: []byte("Example.com"), Mode: Domain, NoCase: true, ID: 1},
		{Bytes: []byte("example.com"), Mode: Exact, ID: 2},
		{Bytes: []byte("ple.com"), Mode: Suffix, ID: 3},
		{Bytes: []byte("com"), Mode: Domain, ID: 4},
		{Bytes: nil, Mode: Exact, ID: 5},
		{Bytes: []byte("example.com"), Mode: Exact, ID: 1},
	})
	if set.Len() != 5 {
		t.Errorf("%d distinct names, want 5", set.Len())
	}
	var s Scratch
	for value, want := range map[string][]uint32{
		"example.com":      {1, 2, 3, 4},
		"EXAMPLE.com":      {1, 4},
		"www.example.com":  {1, 3, 4},
		"wwwexample.com":   {3, 4},
		"example.com.":     nil,
		"telecom":          nil,
		"":                 {5},
		"ple.com":          {3, 4},
		"very.long.name.x": nil,
	} {
		if got := set.Lookup([]byte(value), &s); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	var none *NameSet
	for _, set := range []*NameSet{none, BuildNames(nil)} {
		if got := set.Lookup([]byte("x"), &s); len(got) != 0 || set.Len() != 0 {
			t.Errorf("an empty set found %v", got)
		}
	}
}

// TestNamesSize keeps the promise of a compact set: entry, hash slot and ID are at most 32 bytes beside the name.
func TestNamesSize(t *testing.T) {
	ns, text := manyNames(10000)
	if set := BuildNames(ns); set.Size() > text+33*len(ns) {
		t.Errorf("%d bytes for %d names of %d bytes in all", set.Size(), len(ns), text)
	}
}

func manyNames(n int) (ns []Name, text int) {
	for i := range n {
		b := fmt.Appendf(nil, "%x.host-%d.example", i*i, i)
		ns = append(ns, Name{Bytes: b, NoCase: true, Mode: Mode(i % 3), ID: uint32(i)})
		text += len(b)
	}
	return ns, text
}

func BenchmarkLookup(b *testing.B) {
	ns, _ := manyNames(10000)
	set := BuildNames(ns)
	var s Scratch
	v := []byte("cdn-17.static.content.some-provider.example")
	b.ReportAllocs()
	b.SetBytes(int64(len(v)))
	for b.Loop() {
		set.Lookup(v, &s)
	}
	b.ReportMetric(float64(set.Size())/float64(set.Len()), "B/name")
}
