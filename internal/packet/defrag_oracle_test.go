package packet

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// naive is a reassembler as simple as it can be: it keeps every byte apart
// with the fragment it came from. It has no limits.
type naive struct {
	policy  OverlapPolicy
	timeout int64
	grams   map[string]*naiveGram
}

type naiveByte struct {
	off, end uint16 // of the fragment it came from
	value    byte
	have     bool
}

type naiveGram struct {
	first int64
	void  bool
	total int // -1: not known
	bytes []naiveByte
	frags []piece
}

func (n *naive) add(v6 bool, id int, c piece, now int64) ([]byte, Anomaly) {
	if c.more && len(c.data)%8 != 0 {
		if v6 {
			return nil, FragmentLength
		}
		c.data = c.data[:len(c.data)/8*8]
	}
	if c.data == "" {
		return nil, BadIPHeader
	}
	end := c.off + len(c.data)
	if end > 65535 || !v6 && end+20 > 65535 {
		return nil, FragmentOversize
	}
	key := fmt.Sprint(v6, id)
	g := n.grams[key]
	if g == nil || now-g.first > n.timeout {
		g = &naiveGram{first: now, total: -1}
		n.grams[key] = g
	}
	if g.void {
		return nil, 0
	}
	contradicts := c.more && g.total >= 0 && end > g.total
	if !c.more {
		contradicts = g.total >= 0 && g.total != end || end < len(g.bytes)
	}
	if contradicts {
		g.void = v6
		return nil, FragmentOverlap
	}
	if v6 {
		for _, o := range g.frags {
			if o.off == c.off && o.data == c.data {
				return nil, 0
			}
			if o.off < end && c.off < o.off+len(o.data) {
				g.void = true
				return nil, FragmentOverlap
			}
		}
	}
	g.frags = append(g.frags, c)
	for len(g.bytes) < end {
		g.bytes = append(g.bytes, naiveByte{})
	}
	var bad Anomaly
	for i := range len(c.data) {
		old := &g.bytes[c.off+i]
		if old.have && old.value != c.data[i] {
			bad = FragmentOverlap
		}
		if !old.have || n.newWins(int(old.off), int(old.end), c.off, end) {
			*old = naiveByte{uint16(c.off), uint16(end), c.data[i], true}
		}
	}
	if !c.more {
		g.total = end
	}
	if len(g.bytes) != g.total {
		return nil, bad
	}
	var out []byte
	for _, b := range g.bytes {
		if !b.have {
			return nil, bad
		}
		out = append(out, b.value)
	}
	delete(n.grams, key)
	return out, bad
}

// newWins says it by cases, where the policy says it by comparisons.
func (n *naive) newWins(oldOff, oldEnd, off, end int) bool {
	before, same, behind := off < oldOff, off == oldOff, off > oldOff
	switch n.policy {
	case PolicyFirst:
		return false
	case PolicyLast:
		return true
	case PolicyBSD:
		return before
	case PolicyBSDRight:
		return same || behind
	case PolicyLinux:
		return before || same
	case PolicyWindows:
		return before && end > oldEnd
	case PolicySolaris:
		return before && (end > oldEnd || end == oldEnd)
	}
	panic("policy")
}

// The fragments by which Novak told systems apart ("Target-Based Fragmentation
// Reassembly", 2005, in the form that IDS test suites use): A to I leave holes
// and come first, J to Q overlap them in every way. What each policy makes of
// them, in units of eight bytes.
func TestDefragPolicies(t *testing.T) {
	parts := []struct{ off, size int }{ // units of 8 bytes, A first
		{0, 3}, {4, 2}, {6, 3}, {10, 1}, {13, 2}, {15, 3}, {18, 2}, {20, 2}, {22, 1},
		{1, 4}, {6, 3}, {9, 3}, {12, 3}, {16, 1}, {19, 1}, {20, 1}, {22, 2},
	}
	for policy, want := range map[OverlapPolicy]string{
		PolicyFirst:    "AAAJBBCCCLDLMEEFFFGGHHIQ",
		PolicyLast:     "AJJJJBKKKLLLMMMFNFGOPHQQ",
		PolicyBSD:      "AAAJJBCCCLLLMMMFFFGGHHIQ",
		PolicyBSDRight: "AJJJBBKKKLDLMEEFNFGOPHQQ",
		PolicyLinux:    "AAAJJBKKKLLLMMMFFFGGPHQQ",
		PolicyWindows:  "AAAJBBCCCLLLMEEFFFGGHHIQ",
		PolicySolaris:  "AAAJBBCCCLLLMMMFFFGGHHIQ",
	} {
		r := newRig(t, DefragConfig{Policy: policy})
		for i, c := range parts {
			b := v4opt(253, a1, a2, nil, 1, c.off|0x2000, bytes.Repeat([]byte{byte('A' + i)}, 8*c.size))
			if i == len(parts)-1 {
				be.PutUint16(b[6:], uint16(c.off))
			}
			if p := r.send(b); p.Defrag != (i == len(parts)-1) {
				t.Fatalf("policy %d, fragment %c: Defrag %v", policy, 'A'+i, p.Defrag)
			}
		}
		var got strings.Builder
		for i := 0; i < len(r.p.Payload); i += 8 {
			unit := r.p.Payload[i : i+8]
			if !bytes.Equal(unit, bytes.Repeat(unit[:1], 8)) {
				t.Errorf("policy %d: unit %d is %q", policy, i/8, unit)
			}
			got.WriteByte(unit[0])
		}
		if got.String() != want {
			t.Errorf("policy %d:\n got %s\nwant %s", policy, got.String(), want)
		}
	}
}

// compare sends one fragment to both reassemblers.
func compare(t *testing.T, r *rig, n *naive, v6 bool, id int, c piece) {
	t.Helper()
	var b []byte
	if v6 {
		if c.off == 0 && !c.more {
			return // atomic: never reaches the defragmenter
		}
		if 8+len(c.data) > 65535 {
			return
		}
		b = cat(v6frag(id, piece{c.off, "", c.more}), []byte(c.data))
		be.PutUint16(b[4:], uint16(8+len(c.data)))
		b[40] = 253
	} else {
		if c.off == 0 && !c.more || 20+len(c.data) > 65535 {
			return
		}
		b = v4frag(id, c)
		b[9] = 253
	}
	p := r.send(b)
	want, bad := n.add(v6, id, c, r.f.Time)
	if p.Anomalies != bad || p.Defrag != (want != nil) || !bytes.Equal(p.Payload, want) {
		t.Fatalf("IPv6 %v, id %d, [%d,%d) more %v: anomalies %#x, whole %v, %d bytes; want %#x, %v, %d bytes",
			v6, id, c.off, c.off+len(c.data), c.more, p.Anomalies, p.Defrag, len(p.Payload), bad, want != nil, len(want))
	}
}

// sound checks what always holds of the counters and the stores.
func sound(t *testing.T, d *Defrag) {
	t.Helper()
	s := d.Stats()
	if s.Datagrams != s.Reassembled+s.TimedOut+s.Evicted+s.Dropped+uint64(s.Held) {
		t.Fatalf("datagrams do not add up: %+v", s)
	}
	lent, blocks := 0, 0
	for i := d.oldest; i != none; i = d.table[i].newer {
		for _, page := range d.table[i].pages {
			if page != 0 {
				lent++
			}
		}
		if d.table[i].block != 0 {
			blocks++
		}
	}
	if lent+len(d.pages.idle) != d.pages.made || blocks+len(d.blocks.idle) != len(d.blocks.made) {
		t.Fatalf("%d pages lent, %d idle of %d; %d blocks, %d of %d", lent, len(d.pages.idle), d.pages.made,
			blocks, len(d.blocks.idle), len(d.blocks.made))
	}
}

// Random cuts of random datagrams, shuffled, with duplicates and overlaps of
// other bytes, several at a time.
func TestDefragOracle(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	whole := 0
	for round := range 300 {
		policy := OverlapPolicy(round % 7)
		r := newRig(t, DefragConfig{Policy: policy})
		n := &naive{policy, defaultDefragTime, map[string]*naiveGram{}}
		type item struct {
			v6 bool
			id int
			c  piece
		}
		var items []item
		for id := range 4 {
			size := 9 + rng.IntN(1<<(4+rng.IntN(9)))
			data := make([]byte, size)
			for i := range data {
				data[i] = byte(rng.Uint32())
			}
			v6 := rng.IntN(3) == 0
			var list []piece
			for off := 0; off < size; {
				end := off + 8*(1+rng.IntN(1+size/40))
				list = append(list, piece{off, string(data[off:min(end, size)]), end < size})
				off = end
			}
			for range rng.IntN(2 + len(list)/2) {
				dup := list[rng.IntN(len(list))]
				if !v6 && rng.IntN(2) == 0 { // overlap, with other bytes
					off := 8 * rng.IntN(1+size/8)
					end := min(off+8*(1+rng.IntN(1+size/16)), size)
					if off < end {
						dup = piece{off, strings.Repeat(string(rune('a'+rng.IntN(26))), end-off), end < size}
					}
				}
				list = append(list, dup)
			}
			for _, c := range list {
				items = append(items, item{v6, id, c})
			}
		}
		rng.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		for _, x := range items {
			compare(t, r, n, x.v6, x.id, x.c)
			if r.p.Defrag {
				whole++
			}
		}
		sound(t, r.d.Defrag)
	}
	if whole < 900 {
		t.Errorf("only %d datagrams came together: the test compares little", whole)
	}
}

// FuzzDefrag runs a script of fragments, four bytes each after the policy,
// through the defragmenter and the naive one, and through a defragmenter with
// the smallest limits.
func FuzzDefrag(f *testing.F) {
	f.Add([]byte{0, 0x80, 0, 2, 1, 0, 2, 1, 2})
	f.Add([]byte{4, 0x80, 0, 4, 1, 0x80, 1, 2, 7, 0, 4, 1, 2, 0x80, 2, 3, 9})
	f.Add([]byte{5, 0xc0, 0, 4, 1, 0xc0, 0, 4, 1, 0xc0, 3, 2, 1, 0x40, 4, 1, 2})
	f.Add([]byte{1, 0x80, 0, 200, 1, 0xa0, 255, 255, 3, 0x90, 0, 1, 9, 0x80, 9, 9, 9})
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) == 0 {
			return
		}
		policy := OverlapPolicy(script[0] % 7)
		r := newRig(t, DefragConfig{Policy: policy, MaxDatagrams: 8})
		small := newRig(t, DefragConfig{Policy: policy, MaxMemory: 1, MaxDatagrams: 2, MaxFragments: 30})
		n := &naive{policy, defaultDefragTime, map[string]*naiveGram{}}
		script = script[1:]
		for range min(len(script)/4, 100) {
			op := script[:4]
			script = script[4:]
			// 0x80 more, 0x40 IPv6, 0x20 far, 0x10 time passes, 0x0c odd
			// length, 0x03 identification.
			c := piece{off: int(op[1]) * 8, more: op[0]&0x80 != 0}
			size := int(op[2])*8 + int(op[0]>>2&3)
			if op[0]&0x20 != 0 {
				c.off *= 32
			}
			c.data = strings.Repeat(string([]byte{op[3]}), size)
			if op[0]&0x10 != 0 {
				r.f.Time += int64(op[3]) * 1e9
			}
			compare(t, r, n, op[0]&0x40 != 0, int(op[0]&3), c)
			small.f.Time = r.f.Time
			small.send(cat(r.f.Data))
		}
		sound(t, r.d.Defrag)
		sound(t, small.d.Defrag)
		if d := small.d.Defrag; d.pages.made > d.pages.max || len(d.blocks.made) > d.blocks.max {
			t.Fatalf("%d pages, %d blocks", d.pages.made, len(d.blocks.made))
		}
	})
}
