package mpm

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// naive is the oracle: every pattern at every place, byte by byte.
func naive(ps []Pattern, data []byte, base int) []uint32 {
	var out []uint32
	for _, p := range ps {
		if naiveOne(p, data, base) {
			out = append(out, p.ID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func naiveOne(p Pattern, data []byte, base int) bool {
	if len(p.Bytes) == 0 {
		return true
	}
	off := max(p.Offset, 0)
	for i := 0; i+len(p.Bytes) <= len(data); i++ {
		if base+i < off || p.Depth > 0 && base+i+len(p.Bytes) > off+p.Depth {
			continue
		}
		if p.NoCase && bytes.EqualFold(ascii(p.Bytes), ascii(data[i:i+len(p.Bytes)])) ||
			bytes.Equal(p.Bytes, data[i:i+len(p.Bytes)]) {
			return true
		}
	}
	return false
}

// ascii makes bytes outside ASCII distinct runes, so that bytes.EqualFold sees no Unicode in them. Latin-1 has case
// too, therefore a block without it.
func ascii(b []byte) []byte {
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
		if c >= 0x80 {
			r[i] = 0x4E00 + rune(c)
		}
	}
	return []byte(string(r))
}

// alphabets from one letter, where everything overlaps, to all bytes.
var alphabets = []string{"a", "aA", "ab", "aAbB@`", "\x00 ", "\x00\x20\xff", "abcdefghABCDEFGH[{", ""}

func randomBytes(r *rand.Rand, alphabet string, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		if alphabet == "" {
			b[i] = byte(r.Uint32())
		} else {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
	}
	return b
}

// randomCase makes data and patterns, many of them cut from the data, from each other, or at its ends.
func randomCase(r *rand.Rand) ([]Pattern, []byte) {
	alphabet := alphabets[r.IntN(len(alphabets))]
	data := randomBytes(r, alphabet, r.IntN(300))
	ps := make([]Pattern, 1+r.IntN(60))
	for i := range ps {
		n := 1 + r.IntN([]int{2, 4, 8, 12, 64, 300}[r.IntN(6)])
		p := Pattern{ID: uint32(r.IntN(80)), NoCase: r.IntN(2) == 0}
		switch k := r.IntN(6); {
		case k == 0 && i > 0:
			q := ps[r.IntN(i)].Bytes
			p.Bytes = bytes.Clone(q[:r.IntN(len(q)+1)])
		case k == 1 && i > 0:
			p.Bytes = append(bytes.Clone(ps[r.IntN(i)].Bytes), randomBytes(r, alphabet, 1)...)
		case k == 2 && len(data) > 0:
			at := r.IntN(len(data))
			p.Bytes = bytes.Clone(data[at:min(at+n, len(data))])
		case k == 3 && len(data) >= n:
			p.Bytes = bytes.Clone(data[len(data)-n:])
		case k == 4 && len(data) >= n:
			p.Bytes = bytes.Clone(data[:n])
		default:
			p.Bytes = randomBytes(r, alphabet, n)
		}
		if r.IntN(3) == 0 {
			for j, c := range p.Bytes {
				if c|0x20 >= 'a' && c|0x20 <= 'z' {
					p.Bytes[j] = c ^ 0x20
				}
			}
		}
		if r.IntN(3) == 0 {
			p.Offset = r.IntN(80) - 2
		}
		if r.IntN(3) == 0 {
			p.Depth = r.IntN(120)
		}
		ps[i] = p
	}
	return ps, data
}

func TestScanAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var s Scratch
	found := 0
	for i := range 4000 {
		ps, data := randomCase(r)
		f := Build(ps)
		base := 0
		if i%4 == 0 {
			base = r.IntN(100)
		}
		got, want := f.ScanAt(data, base, &s), naive(ps, data, base)
		if !slices.Equal(got, want) {
			t.Fatalf("case %d: data %q base %d\npatterns %v\ngot  %v\nwant %v", i, data, base, ps, got, want)
		}
		found += len(got)
	}
	if found < 10000 {
		t.Errorf("only %d matches: the cases test too little", found)
	}
}

func TestNamesAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var s Scratch
	found := 0
	for i := range 3000 {
		alphabet := []string{"a.", "aA.", "ab.", "aAbB.@`\x0e", ""}[r.IntN(5)]
		v := randomBytes(r, alphabet, r.IntN(80))
		ns := make([]Name, 1+r.IntN(60))
		for j := range ns {
			b := randomBytes(r, alphabet, r.IntN(8))
			if r.IntN(2) == 0 {
				b = bytes.Clone(v[r.IntN(len(v)+1):])
			}
			if r.IntN(3) == 0 {
				b = bytes.ToUpper(b)
			}
			ns[j] = Name{Bytes: b, NoCase: r.IntN(2) == 0, Mode: Mode(r.IntN(3)), ID: uint32(r.IntN(80))}
		}
		var want []uint32
		for _, n := range ns {
			if len(n.Bytes) > len(v) {
				continue
			}
			end := v[len(v)-len(n.Bytes):]
			rest := v[:len(v)-len(n.Bytes)]
			ok := bytes.Equal(end, n.Bytes) || n.NoCase && bytes.EqualFold(ascii(end), ascii(n.Bytes))
			switch n.Mode {
			case Exact:
				ok = ok && len(rest) == 0
			case Domain:
				ok = ok && (len(rest) == 0 || rest[len(rest)-1] == '.')
			}
			if ok {
				want = append(want, n.ID)
			}
		}
		slices.Sort(want)
		want = slices.Compact(want)
		if got := BuildNames(ns).Lookup(v, &s); !slices.Equal(got, want) {
			t.Fatalf("case %d: value %q\nnames %v\ngot  %v\nwant %v", i, v, ns, got, want)
		}
		found += len(want)
	}
	if found < 10000 {
		t.Errorf("only %d matches: the cases test too little", found)
	}
}
