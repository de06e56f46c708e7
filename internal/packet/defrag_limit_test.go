package packet

import "testing"

func TestDefragTimeout(t *testing.T) {
	data := pattern(96)
	c := cut(data, 32)
	r := newRig(t, DefragConfig{Timeout: 10e9})
	r.none(v4frag(1, c[0]), 0)
	r.f.Time += 6e9
	r.none(v4frag(1, c[1]), 0)
	r.f.Time += 6e9 // 12 s after the first fragment, 6 s after the second
	r.none(v4frag(1, c[2]), 0)
	r.stats(func(s DefragStats) bool { return s.TimedOut == 1 && s.Datagrams == 2 && s.Held == 1 })
	r.none(v4frag(1, c[1]), 0)
	r.whole(v4frag(1, c[0]), data)

	r.none(v4frag(2, c[0]), 0)
	r.d.Defrag.Expire(r.f.Time + 10e9)
	r.stats(func(s DefragStats) bool { return s.TimedOut == 1 && s.Held == 1 })
	r.d.Defrag.Expire(r.f.Time + 10e9 + 1)
	r.stats(func(s DefragStats) bool { return s.TimedOut == 2 && s.Held == 0 })

	// A clock that is set back must not keep anything for ever; one that
	// jitters must not lose anything.
	r.none(v4frag(3, c[0]), 0)
	r.f.Time -= 5e9
	r.none(v4frag(3, c[1]), 0)
	r.whole(v4frag(3, c[2]), data)
	r.none(v4frag(4, c[0]), 0)
	r.f.Time -= 3600e9
	r.none(v4frag(5, c[0]), 0)
	r.stats(func(s DefragStats) bool { return s.TimedOut == 3 && s.Held == 1 })
}

func TestDefragMaxFragments(t *testing.T) {
	r := newRig(t, DefragConfig{MaxFragments: 4})
	data := pattern(32)
	c := cut(data, 8)
	r.none(v4frag(1, c[0]), 0)
	r.none(v4frag(1, c[1]), 0)
	r.none(v4frag(1, c[2]), 0)
	r.whole(v4frag(1, c[3]), data) // exactly the limit
	for range 4 {
		r.none(v4frag(2, c[0]), 0)
	}
	r.none(v4frag(2, c[1]), 0) // one more
	r.none(v4frag(2, c[3]), 0)
	r.stats(func(s DefragStats) bool {
		return s.TooMany == 1 && s.Dropped == 1 && s.Late == 1 && s.Held == 0 && s.Reassembled == 1
	})
	if got := NewDefrag(DefragConfig{MaxFragments: 1e6}).cfg.MaxFragments; got != maxFragments {
		t.Errorf("MaxFragments %d", got)
	}
}

// A full table gives up the datagram that was used least recently.
func TestDefragMaxDatagrams(t *testing.T) {
	r := newRig(t, DefragConfig{MaxDatagrams: 3})
	data := pattern(64)
	c := cut(data, 32)
	for _, id := range []int{1, 2, 3} {
		r.none(v4frag(id, c[0]), 0)
	}
	r.none(v4frag(1, c[0]), 0) // used again: 2 is the oldest now
	r.none(v4frag(4, c[0]), 0)
	r.stats(func(s DefragStats) bool { return s.Evicted == 1 && s.Held == 3 })
	for _, id := range []int{1, 3, 4} {
		r.whole(v4frag(id, c[1]), data)
	}
	r.none(v4frag(2, c[1]), 0)
	r.stats(func(s DefragStats) bool { return s.Evicted == 1 && s.Held == 1 && s.Reassembled == 3 })
}

// A flood of datagrams that never complete takes no more than the budget, and
// what comes after it still works.
func TestDefragMaxMemory(t *testing.T) {
	const budget = 256 << 10
	r := newRig(t, DefragConfig{MaxMemory: budget, MaxDatagrams: 4096})
	body := string(zeros(1480))
	for id := range 2000 {
		r.none(v4frag(id, piece{8 * (id % 8000), body, true}), 0)
	}
	d := r.d.Defrag
	if d.pages.made > d.pages.max || d.pages.max*pageSize+d.blocks.max*blockBytes > budget {
		t.Errorf("%d of %d pages", d.pages.made, d.pages.max)
	}
	r.stats(func(s DefragStats) bool { return s.Evicted > 1800 && s.Evicted+uint64(s.Held) == 2000 })
	data := pattern(4000)
	c := cut(data, 1480)
	r.none(v4frag(9999, c[2]), 0)
	r.none(v4frag(9999, c[1]), 0)
	r.whole(v4frag(9999, c[0]), data)

	r.f.Time += 61e9
	d.Expire(r.f.Time)
	if len(d.pages.idle) != d.pages.made {
		t.Errorf("%d pages of %d came back", len(d.pages.idle), d.pages.made)
	}
}

// Datagrams in very many pieces share a bounded store for their books; the one
// that finds it empty is given up, not its neighbours.
func TestDefragMaxBlocks(t *testing.T) {
	r := newRig(t, DefragConfig{MaxMemory: 128 << 10})
	d := r.d.Defrag
	if d.blocks.max != 1 {
		t.Fatalf("%d blocks", d.blocks.max)
	}
	data := pattern(400)
	c := cut(data, 8)
	for i := range inlineRuns + 1 { // the 25th run does not fit
		r.none(v4frag(1, c[i]), 0)
	}
	for i := range inlineRuns {
		r.none(v4frag(2, c[i]), 0)
		r.none(v4frag(3, c[2*i]), 0)
	}
	r.none(v4frag(2, c[inlineRuns]), 0) // in order
	r.none(v4frag(3, c[1]), 0)          // in between
	r.stats(func(s DefragStats) bool { return s.Evicted == 2 && s.Held == 1 })
	for i := inlineRuns + 1; i < len(c)-1; i++ {
		r.none(v4frag(1, c[i]), 0)
	}
	r.whole(v4frag(1, c[len(c)-1]), data)
	if len(d.blocks.idle) != 1 {
		t.Error("the block did not come back")
	}
}

// Reassembly in steady state takes nothing from the heap, whatever the order.
func TestDefragAllocs(t *testing.T) {
	data := pattern(65000)
	d := Decoder{Defrag: NewDefrag(DefragConfig{})}
	var frames []*Frame
	for _, build := range []func(int, piece) []byte{v4frag, v6frag} {
		for i, c := range cut(data, 1232) {
			if i%2 == 0 {
				frames = append(frames, frame(LinkRaw, build(1, c)))
			} else {
				frames = append([]*Frame{frame(LinkRaw, build(1, c))}, frames...)
			}
		}
		frames = append(frames, frame(LinkRaw, build(7, piece{8, "12345678", true})))
	}
	overlap := []piece{{0, string(data[:800]), true}, {1600, string(zeros(800)), false}, {400, string(zeros(1600)), true}}
	for _, c := range overlap {
		frames = append(frames, frame(LinkRaw, v4frag(2, c)))
	}
	p := new(Packet)
	whole := 0
	n := testing.AllocsPerRun(50, func() {
		for _, f := range frames {
			if d.Decode(p, f); p.Defrag {
				whole++
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
	if whole != 3*51 {
		t.Errorf("%d datagrams reassembled, %+v", whole, d.Defrag.Stats())
	}
}

func BenchmarkDefrag(b *testing.B) {
	data := pattern(4000)
	var frames []*Frame
	for _, c := range cut(data, 1480) {
		frames = append(frames, frame(LinkEthernet, ether(0x0800, v4frag(1, c))))
	}
	d := Decoder{Defrag: NewDefrag(DefragConfig{})}
	p := new(Packet)
	b.ReportAllocs()
	b.SetBytes(4000)
	for b.Loop() {
		for _, f := range frames {
			d.Decode(p, f)
		}
	}
	if !p.Defrag {
		b.Fatal("not reassembled")
	}
}

// BenchmarkDefragHostile is what an attacker can make of a fragment: tiny
// ones, backwards, each overlapping the one before.
func BenchmarkDefragHostile(b *testing.B) {
	var frames []*Frame
	for i := maxFragments - 1; i >= 0; i-- {
		frames = append(frames, frame(LinkRaw, v4frag(1, piece{16 * i, "12345678abcdefgh12345678", true})))
	}
	d := Decoder{Defrag: NewDefrag(DefragConfig{Policy: PolicyLinux})}
	p := new(Packet)
	b.ReportAllocs()
	for b.Loop() {
		for _, f := range frames {
			d.Decode(p, f)
		}
		d.Defrag.Expire(frames[0].Time + 61e9)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(frames)), "ns/fragment")
}
