package mpm

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestEven: few short patterns are one pass over pairs, wherever they lie; many, or such as text is full of, are not.
func TestEven(t *testing.T) {
	few := []Pattern{{Bytes: []byte("flv"), NoCase: true, ID: 1}, {Bytes: []byte("\\u0"), ID: 2}, {Bytes: []byte("strf"), ID: 3},
		{Bytes: []byte("\x7fELF"), ID: 4}, {Bytes: []byte("/tttttt"), ID: 5}, {Bytes: []byte("<location>"), ID: 6}}
	many := make([]Pattern, maxEven+1)
	for i := range many {
		many[i] = Pattern{Bytes: fmt.Appendf(nil, "%04x", 7919*i&0xffff), ID: uint32(i)}
	}
	var common []Pattern
	for i, a := range "etaoinsr" {
		for j, b := range "eta oinsr" {
			common = append(common, Pattern{Bytes: []byte(string([]rune{a, b, a})), ID: uint32(16*i + j)})
		}
	}
	kindsOf := func(f *Filter) (even, other int) {
		for i := range f.classes {
			if f.classes[i].no == kindEven {
				even++
			} else {
				other++
			}
		}
		return even, other
	}
	f := Build(few)
	if even, other := kindsOf(f); even != 1 || other+len(f.rares) != 0 {
		t.Errorf("few: %d passes over pairs, %d others, %d single bytes", even, other, len(f.rares))
	}
	for name, ps := range map[string][]Pattern{"many": many, "common": common} {
		if even, _ := kindsOf(Build(ps)); even != 0 {
			t.Errorf("%s: over pairs", name)
		}
	}
	var s Scratch
	for _, p := range few {
		for at := range 19 {
			data := make([]byte, 2*at+40) // not of a block's size
			for i := range data {
				data[i] = byte(0x80 + i)
			}
			copy(data[at:], p.Bytes)
			if p.NoCase {
				data[at] -= 0x20
			}
			if got := f.Scan(data, &s); len(got) != 1 || got[0] != p.ID {
				t.Errorf("%q at %d: found %v", p.Bytes, at, got)
			}
			if got := f.Scan(data[:at+len(p.Bytes)], &s); len(got) != 1 {
				t.Errorf("%q at the end, %d: found %v", p.Bytes, at, got)
			}
			if got := f.Scan(data[:at+len(p.Bytes)-1], &s); len(got) != 0 {
				t.Errorf("%q cut off at %d: found %v", p.Bytes, at, got)
			}
		}
	}
}

// BenchmarkFew searches random bytes for few short patterns.
func BenchmarkFew(b *testing.B) {
	f := Build([]Pattern{{Bytes: []byte("flv"), NoCase: true}, {Bytes: []byte("PE\x00\x00")}, {Bytes: []byte("\\u0")}, {Bytes: []byte("strf")},
		{Bytes: []byte("\x7fELF")}, {Bytes: []byte("@\xe8\xd4\xf1\xff3")}})
	d, r, s := make([]byte, 64*1460), rand.New(rand.NewPCG(1, 2)), Scratch{}
	for i := range d {
		d[i] = byte(r.Uint32())
	}
	b.SetBytes(int64(len(d)))
	for b.Loop() {
		for at := 0; at < len(d); at += 1460 {
			f.Scan(d[at:at+1460], &s)
		}
	}
}
