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
		j := 0
		for j < len(p.Bytes) && (data[i+j] == p.Bytes[j] || p.NoCase && toLower(data[i+j]) == toLower(p.Bytes[j])) {
			j++
		}
		if j == len(p.Bytes) {
			return true
		}
	}
	return false
}

func toLower(b byte) byte {
	if b >= 'A' && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
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
	if r.IntN(4) == 0 { // runs
		for i := 1; i < len(data); i++ {
			if r.IntN(8) > 0 {
				data[i] = data[i-1]
			}
		}
	}
	ps := make([]Pattern, 1+r.IntN(60))
	longest := []int{2, 4, 8, 12, 64, 300}[r.IntN(6):]
	for i := range ps {
		n := 1 + r.IntN(longest[r.IntN(len(longest))])
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
	for i := range 1000 {
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
	if found < 3000 {
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

// TestScanFindsEveryPlace plants a pattern of each class at every position around the borders of blocks.
func TestScanFindsEveryPlace(t *testing.T) {
	var s Scratch
	for _, text := range []string{"q", "qz", "qzj", "zzz", "qzjx", "qzjxv", "qzjxvk!", "qzjxvk!w", "qzjxvk!wQZJXVK", "zzzzzzzzz"} {
		for _, nocase := range []bool{false, true} {
			f := Build([]Pattern{{Bytes: []byte(text), NoCase: nocase, ID: 7}})
			data := make([]byte, 2*4*blockSize+30)
			for at := 0; at+len(text) <= len(data); at++ {
				copy(data[at:], text)
				if got := f.Scan(data, &s); len(got) != 1 || got[0] != 7 {
					t.Fatalf("%q (nocase %v) at %d of %d: %v", text, nocase, at, len(data), got)
				}
				// The pattern cut short at its end must not be found.
				if got := f.Scan(data[:at+len(text)-1], &s); len(got) != 0 {
					t.Fatalf("%q (nocase %v) found in its first %d bytes", text, nocase, len(text)-1)
				}
				clear(data[at : at+len(text)])
				if at == 40 {
					at = blockSize - 20
				} else if at == blockSize+20 || at == 2*blockSize+20 || at == 4*blockSize+20 {
					at = 2*at - 60 // to just before the next doubling
				}
			}
		}
	}
}

func TestScanReportsEqualPatternsOnce(t *testing.T) {
	var s Scratch
	f := Build([]Pattern{
		{Bytes: []byte("evil"), ID: 9}, {Bytes: []byte("evil"), ID: 3}, {Bytes: []byte("evil"), ID: 9},
		{Bytes: []byte("EVIL"), NoCase: true, ID: 5}, {Bytes: []byte("eViL"), NoCase: true, ID: 3},
		{Bytes: []byte("1234"), NoCase: true, ID: 1}, {Bytes: []byte("1234"), ID: 2},
		{Bytes: []byte("too long"), Depth: 7, ID: 4},
	})
	if f.Len() != 3 {
		t.Errorf("%d distinct patterns, want 3", f.Len())
	}
	if f.MaxLen() != 4 {
		t.Errorf("longest pattern of %d bytes, want 4", f.MaxLen())
	}
	if got := f.Scan([]byte("evil evil 1234 evil too long"), &s); !slices.Equal(got, []uint32{1, 2, 3, 5, 9}) {
		t.Errorf("got %v, want [1 2 3 5 9]", got)
	}
}

func TestScanOfNothing(t *testing.T) {
	var s Scratch
	var none *Filter
	for _, f := range []*Filter{none, Build(nil)} {
		if got := f.Scan([]byte("data"), &s); len(got) != 0 {
			t.Errorf("an empty filter found %v", got)
		}
		if f.Len() != 0 || f.MaxLen() != 0 {
			t.Errorf("an empty filter holds %d patterns of up to %d bytes", f.Len(), f.MaxLen())
		}
	}
	f := Build([]Pattern{{ID: 4}, {Bytes: []byte("a"), ID: 5}})
	if got := f.Scan(nil, &s); !slices.Equal(got, []uint32{4}) {
		t.Errorf("empty pattern in empty data: %v, want [4]", got)
	}
}

// TestAnchorsBeyondLimit: a set with more distinct places than are kept still finds every pattern.
func TestAnchorsBeyondLimit(t *testing.T) {
	ps := make([]Pattern, maxAnchors+10)
	for i := range ps {
		ps[i] = Pattern{Bytes: []byte("needle"), Offset: i, ID: uint32(i)}
	}
	f := Build(ps)
	if len(f.anchors) != maxAnchors {
		t.Fatalf("%d anchors kept, want %d", len(f.anchors), maxAnchors)
	}
	var s Scratch
	got := f.ScanAt([]byte("needle"), 20, &s)
	for id := range uint32(21) {
		if _, ok := slices.BinarySearch(got, id); !ok {
			t.Errorf("pattern %d from offset %d not found at 20", id, id)
		}
	}
	if _, ok := slices.BinarySearch(got, 21); ok {
		t.Error("a pattern from offset 21 was found at 20")
	}
}

func TestScanDoesNotAllocate(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	var s Scratch
	for range 20 {
		ps, data := randomCase(r)
		f := Build(ps)
		set := BuildNames([]Name{{Bytes: []byte("a"), Mode: Suffix}, {Bytes: data}})
		f.Scan(data, &s)
		if n := testing.AllocsPerRun(20, func() { f.Scan(data, &s); set.Lookup(data, &s) }); n != 0 {
			t.Fatalf("%v allocations a scan", n)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte("\x03abc\x05ABCde\x08\x00\x00\x00\x00\x00\x00\x00\x00"), []byte("xxabcde\x00\x00\x00\x00\x00\x00\x00\x00"), uint8(1), uint16(0), uint16(9))
	f.Add([]byte("\x09aaaaaaaab\x01a\x02aa"), []byte("aaaaaaaaaaaaaaaaaaaaaaaaab"), uint8(2), uint16(3), uint16(0))
	f.Fuzz(func(t *testing.T, list, data []byte, flags uint8, offset, depth uint16) {
		var ps []Pattern
		for len(list) > 0 && len(ps) < 50 {
			n := min(int(list[0]), len(list)-1)
			p := Pattern{Bytes: list[1 : 1+n], NoCase: flags>>(len(ps)%7)&1 != 0, ID: uint32(len(ps))}
			if len(ps)%3 == 0 {
				p.Offset, p.Depth = int(offset), int(depth)
			}
			ps, list = append(ps, p), list[1+n:]
		}
		var s Scratch
		base := int(flags >> 5)
		if got, want := Build(ps).ScanAt(data, base, &s), naive(ps, data, base); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}
