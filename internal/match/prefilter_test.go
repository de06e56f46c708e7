package match

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/yamori-net/yamori/internal/match/mpm"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/rules"
)

// TestPrefilterFindsAll compares the prefilter, in all its parts, with rules
// tried one by one: it may find more, and never less.
func TestPrefilterFindsAll(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	protocols := []proto.Protocol{{Name: "a", Ports: []uint16{80, 81}}, {Name: "b", Ports: []uint16{443}}, {Name: "c"}}
	ports := []string{"any", "80", "443", "81", "5000", "1:1000", "!80"}
	words := []string{"GET ", "abc", "abcde", "zzzzzzzzz", "\x00\x01", "x", "Content-Type", "qqqq", "needle in hay", "\xff\xfe\xfd"}
	port := func() *rules.PortSet {
		line := fmt.Sprintf(`alert tcp any any -> any %s (sid:1;)`, ports[rnd.IntN(len(ports))])
		rs, problems := rules.Parse("t", bytes.NewReader([]byte(line)), rules.ParseConfig{})
		if len(problems) > 0 {
			t.Fatal(problems[0])
		}
		return rs[0].DstPorts.Set()
	}
	for _, d := range []packet.Dir{packet.ToServer, packet.ToClient} {
		g := &grouper{s: &Set{protocols: protocols}}
		var all []prefilterRule
		for id := range uint32(200) {
			r := prefilterRule{p: mpm.Pattern{Bytes: []byte(words[rnd.IntN(len(words))]), NoCase: rnd.IntN(3) == 0, ID: id}, sp: port(), dp: port(), small: rnd.IntN(5) == 0}
			if rnd.IntN(2) == 0 {
				r.hasApps, r.apps = true, uint64(rnd.IntN(8))
			}
			if rnd.IntN(2) == 0 {
				r.p.Offset, r.p.Depth = rnd.IntN(40), 4+rnd.IntN(700)
			}
			all = append(all, r)
		}
		f := g.prefilter(slices.Clone(all), d)
		c := &ctx{w: &Worker{}, d: d}
		found, parts := 0, map[string]int{}
		for range 1200 {
			var data []byte
			for range 1 + rnd.IntN(60) {
				if rnd.IntN(4) == 0 {
					data = append(data, words[rnd.IntN(len(words))]...)
				} else {
					data = append(data, bytes.Repeat([]byte{byte(rnd.IntN(256))}, rnd.IntN(20))...)
				}
			}
			c.app = uint64(rnd.IntN(8))
			c.sp, c.dp = []uint16{80, 81, 443, 5000, 40000}[rnd.IntN(5)], []uint16{80, 81, 443, 5000, 40000}[rnd.IntN(5)]
			base, size := 0, len(data)
			if rnd.IntN(2) == 0 {
				base, size = rnd.IntN(1000), 0
			}
			got := f.scan(nil, data, base, size, c)
			if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
				t.Fatalf("not in order, or twice: %v", got)
			}
			for i := range all {
				r := &all[i]
				switch {
				case r.hasApps && r.apps&c.app == 0, r.sp != nil && !r.sp.Contains(c.sp), r.dp != nil && !r.dp.Contains(c.dp):
					continue
				case r.small && !r.hasApps && (size == 0 || size > smallPayload):
					continue
				case !within(r.p, data, base):
					continue
				}
				found++
				parts[fmt.Sprint(r.hasApps, r.small, few(r.sp), few(r.dp), c.app)]++
				if !slices.Contains(got, r.p.ID) {
					t.Fatalf("direction %v, ports %d %d, protocols %b, base %d, size %d: rule %+v missed in %q", d, c.sp, c.dp, c.app, base, size, r, data)
				}
			}
		}
		if found < 4000 || len(parts) < 60 {
			t.Errorf("only %d cases of %d kinds", found, len(parts))
		}
	}
}

// within looks for a pattern without any art.
func within(p mpm.Pattern, data []byte, base int) bool {
	for i := 0; i+len(p.Bytes) <= len(data); i++ {
		b := data[i : i+len(p.Bytes)]
		if base+i < p.Offset || p.Depth > 0 && base+i+len(b) > p.Offset+p.Depth {
			continue
		}
		if bytes.Equal(b, p.Bytes) || p.NoCase && bytes.Equal(lowered(b), lowered(p.Bytes)) {
			return true
		}
	}
	return false
}

func lowered(b []byte) []byte {
	b = slices.Clone(b)
	for i, x := range b {
		if x-'A' < 26 {
			b[i] = x | 0x20
		}
	}
	return b
}
