package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/detect/mining"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/seq/seqlog"
)

// judgeWire replays the flows of pairs through the whole engine, each as its
// wire has it, and returns the level that each pair reached and when.
func judgeWire(flows []*seqlog.Flow, wire func(*seqlog.Flow, int) *seqlog.Wire, damage *damage) (map[string]event.Level, error) {
	level := map[string]event.Level{}
	type frame struct {
		at   int64
		data []byte
	}
	for pair := range slices.Values(pairsOf(flows)) {
		var all []frame
		for i, f := range pair {
			wire(f, i).Frames(f, func(at int64, b []byte) { all = append(all, frame{at, slices.Clone(b)}) })
		}
		if damage != nil {
			var kept []frame
			r := rand.New(rand.NewPCG(uint64(len(all)), 3))
			for _, f := range all {
				for range damage.times(r) {
					kept = append(kept, f)
				}
			}
			all = kept
		}
		slices.SortStableFunc(all, func(a, b frame) int { return int(max(-1, min(1, a.at-b.at))) })
		id := pair[0].ID
		level[id] = 0
		e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Detectors: []detect.Detector{mining.Sequence()},
			Sink: func(int) event.Sink {
				return event.SinkFunc(func(ev *event.Event) {
					if ev.Type == event.Alert && ev.Finding != nil {
						level[id] = max(level[id], ev.Finding.Level)
					}
				})
			}})
		if err != nil {
			return nil, err
		}
		for _, f := range all {
			n := len(f.data)
			if damage != nil && damage.snap > 0 {
				n = min(n, damage.snap)
			}
			e.Workers[0].Handle(&packet.Frame{Time: f.at, Data: f.data[:n], Len: len(f.data), Link: packet.LinkEthernet})
		}
		e.Close()
	}
	return level, nil
}

// pairsOf gathers the flows of each pair that can be put on the wire.
func pairsOf(flows []*seqlog.Flow) (out [][]*seqlog.Flow) {
	at := map[string]int{}
	for _, f := range flows {
		if !f.TLS() {
			continue
		}
		i, ok := at[f.ID]
		if !ok {
			i = len(out)
			at[f.ID], out = i, append(out, nil)
		}
		out[i] = append(out[i], f)
	}
	return out
}

// wires prints what the whole engine makes of the recordings when another
// implementation of TLS protects them, packets are cut otherwise, or the capture
// begins midway. part, if it is not empty, is part of the names of those wanted.
func wires(all []*seqlog.Flow, part string) error {
	all = slices.DeleteFunc(slices.Clone(all), func(f *seqlog.Flow) bool { return f.Source == pollSource })
	label, kind := map[string]bool{}, map[string]string{}
	for _, f := range all {
		label[f.ID], kind[f.ID] = f.Mining, f.Client
	}
	plain := seqlog.Seals[0]
	type way struct {
		name   string
		set    func(*seqlog.Wire)
		change func(*seqlog.Flow) []*seqlog.Flow
		damage *damage
	}
	asIs := func(*seqlog.Wire) {}
	midway := func(w *seqlog.Wire) { w.Midway = true }
	odd := func(w *seqlog.Wire) { w.Midway = true; w.Server = netip.MustParseAddrPort("198.18.0.2:14433") }
	var ways []way
	for _, s := range seqlog.Seals {
		ways = append(ways, way{name: s.Name, set: func(w *seqlog.Wire) { w.Seal = s }})
	}
	ways = append(ways,
		way{name: "1.3, packets of 100 bytes", set: func(w *seqlog.Wire) { w.Segment = 100 }},
		way{name: "1.3, packets of 3 bytes", set: func(w *seqlog.Wire) { w.Segment = 3 }},
		way{name: "1.3, without the handshake", set: midway},
		way{name: "1.3, first 30 s missing", set: midway, change: from(30e9)},
		way{name: "1.3, first 5 min missing", set: midway, change: from(300e9)},
		way{name: "1.3, first 5 min missing, port 14433", set: odd, change: from(300e9)},
		way{name: "1.3, first 5 min missing, begins with the server, port 14433", set: odd, change: fromServer(300e9)},
		way{name: "1.3, snaplen 96", set: asIs, damage: &damage{snap: 96}},
		way{name: "1.3, snaplen 60", set: asIs, damage: &damage{snap: 60}},
		way{name: "1.3, snaplen 54", set: asIs, damage: &damage{snap: 54}},
		way{name: "1.3, 2 % lost", set: asIs, damage: &damage{loss: .02}},
		way{name: "1.3, all twice", set: asIs, damage: &damage{twice: true}},
		way{name: "1.3, first 2 min", set: asIs, change: until(120e9)},
		way{name: "1.3, first 3 min", set: asIs, change: until(180e9)},
		way{name: "1.3, first 5 min", set: asIs, change: until(300e9)},
		way{name: "1.3, new connection each 2 min", set: asIs, change: rotate(120e9)},
		way{name: "1.3, new connection each 5 min", set: asIs, change: rotate(300e9)},
		way{name: "1.3, 6 times the shares", set: asIs, change: shares(6)},
		way{name: "1.3, 30 times the shares", set: asIs, change: shares(30)},
		way{name: "1.3, a third of the shares", set: asIs, change: fewer(3)},
		way{name: "1.3, a tenth of the shares", set: asIs, change: fewer(10)},
		way{name: "1.3, jobs 700 bytes longer", set: asIs, change: longer(700)},
		way{name: "1.3, jobs 2,000 bytes longer", set: asIs, change: longer(2000)},
		way{name: "1.3, jobs 6,000 bytes longer", set: asIs, change: longer(6000)},
		way{name: "1.3, newline by itself", set: asIs, change: newline},
	)
	for _, s := range seqlog.Seals {
		ways = append(ways, way{name: s.Name + ", without the handshake", set: func(w *seqlog.Wire) { w.Seal, w.Midway = s, true }})
	}
	fmt.Print("| carried by | miners likely | suspect | services likely | suspect |\n|---|---|---|---|---|\n")
	for _, y := range ways {
		if !strings.Contains(y.name, part) {
			continue
		}
		flows := all
		if y.change != nil {
			flows = nil
			for _, f := range all {
				flows = append(flows, y.change(f)...)
			}
		}
		got, err := judgeWire(flows, func(f *seqlog.Flow, i int) *seqlog.Wire {
			w := &seqlog.Wire{Client: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 168, 1, 9}), 40000+uint16(i)),
				Server: netip.MustParseAddrPort("198.18.0.2:443"), Start: 1e18 + f.Start, Name: "s.lab.example", Seal: plain}
			y.set(w)
			return w
		}, y.damage)
		if err != nil {
			return err
		}
		var n, likely, suspect [2]int
		called := map[string]int{}
		for id, l := range got {
			k := class(&item{mining: label[id]})
			n[k]++
			switch {
			case l >= event.Likely:
				likely[k]++
				if k == 0 {
					called[kind[id]]++
				}
			case l == event.Suspect:
				suspect[k]++
			}
		}
		fmt.Printf("| %s | %d of %d | %d | %d of %d | %d |\n", y.name, likely[1], n[1], suspect[1], likely[0], n[0], suspect[0])
		if os.Getenv("CALLED") != "" {
			fmt.Println("   ", called)
		}
	}
	return nil
}

// damage is what a capture may lack.
type damage struct {
	snap  int // bytes of a frame that are kept, 0: all
	loss  float64
	twice bool
}

// times is how often a frame is in the capture.
func (d *damage) times(r *rand.Rand) int {
	switch {
	case d.twice:
		return 2
	case r.Float64() < d.loss:
		return 0
	}
	return 1
}

// part returns the messages from and until a time, as another flow.
func cut(f *seqlog.Flow, from, until int64) *seqlog.Flow {
	g := *f
	g.Msgs = nil
	for _, m := range f.Msgs {
		if m.At >= from && m.At < until {
			m.At -= from
			g.Msgs = append(g.Msgs, m)
		}
	}
	g.Start += from
	return &g
}

func from(at int64) func(*seqlog.Flow) []*seqlog.Flow {
	return func(f *seqlog.Flow) []*seqlog.Flow { return []*seqlog.Flow{cut(f, at, 1<<62)} }
}

func fromServer(at int64) func(*seqlog.Flow) []*seqlog.Flow {
	return func(f *seqlog.Flow) []*seqlog.Flow {
		g := cut(f, at, 1<<62)
		for len(g.Msgs) > 0 && g.Msgs[0].Dir == client {
			g.Msgs = g.Msgs[1:]
		}
		return []*seqlog.Flow{g}
	}
}

func until(at int64) func(*seqlog.Flow) []*seqlog.Flow {
	return func(f *seqlog.Flow) []*seqlog.Flow { return []*seqlog.Flow{cut(f, 0, at)} }
}

// rotate begins a new connection each so many nanoseconds; each begins as the
// first did, with what was said in its first seconds.
func rotate(every int64) func(*seqlog.Flow) []*seqlog.Flow {
	return func(f *seqlog.Flow) (out []*seqlog.Flow) {
		if len(f.Msgs) == 0 {
			return []*seqlog.Flow{f}
		}
		const begins = 3e9
		login := cut(f, 0, begins).Msgs
		for at := int64(0); at <= f.Msgs[len(f.Msgs)-1].At; at += every {
			g := cut(f, at, at+every)
			if at > 0 {
				for i := range g.Msgs {
					g.Msgs[i].At += begins
				}
				g.Msgs = append(slices.Clone(login), g.Msgs...)
			}
			out = append(out, g)
		}
		return out
	}
}

// newline sends each message's last byte in a record of its own.
func newline(f *seqlog.Flow) []*seqlog.Flow {
	g := *f
	g.Msgs = nil
	for _, m := range f.Msgs {
		a, b := m, m
		a.Len, b.Len = max(1, m.Len-1), 1
		g.Msgs = append(g.Msgs, a, b)
	}
	return []*seqlog.Flow{&g}
}

// modal is the length that the client sends most often.
func modal(f *seqlog.Flow) (n int) {
	by := map[int]int{}
	for _, m := range f.Msgs {
		if m.Dir == client {
			if by[m.Len/4]++; by[m.Len/4] > by[n/4] {
				n = m.Len
			}
		}
	}
	return n
}

// pairs returns the places of the client's messages of the usual length and of
// what answered them.
func pairs(f *seqlog.Flow) (out [][2]int) {
	n := modal(f)
	for i, m := range f.Msgs {
		if m.Dir == client && m.Len/4 == n/4 && i+1 < len(f.Msgs) && f.Msgs[i+1].Dir == server && f.Msgs[i+1].At-m.At < 2e9 {
			out = append(out, [2]int{i, i + 1})
		}
	}
	return out
}

// shares repeats what a miner hands in, at times of its own.
func shares(times int) func(*seqlog.Flow) []*seqlog.Flow {
	return func(f *seqlog.Flow) []*seqlog.Flow {
		if !f.Mining || len(f.Msgs) == 0 {
			return []*seqlog.Flow{f}
		}
		r := rand.New(rand.NewPCG(uint64(len(f.Msgs)), 5))
		g := *f
		g.Msgs = slices.Clone(f.Msgs)
		end := f.Msgs[len(f.Msgs)-1].At
		for _, p := range pairs(f) {
			a, b := f.Msgs[p[0]], f.Msgs[p[1]]
			for range times - 1 {
				c, d := a, b
				c.At = 2e9 + r.Int64N(max(1, end))
				d.At += c.At - a.At
				g.Msgs = append(g.Msgs, c, d)
			}
		}
		g.Msgs = sorted(g.Msgs)
		return []*seqlog.Flow{&g}
	}
}

// fewer leaves one in so many.
func fewer(of int) func(*seqlog.Flow) []*seqlog.Flow {
	return func(f *seqlog.Flow) []*seqlog.Flow {
		if !f.Mining {
			return []*seqlog.Flow{f}
		}
		r := rand.New(rand.NewPCG(uint64(len(f.Msgs)), 6))
		drop := map[int]bool{}
		for _, p := range pairs(f) {
			if r.IntN(of) > 0 {
				drop[p[0]], drop[p[1]] = true, true
			}
		}
		g := *f
		g.Msgs = nil
		for i, m := range f.Msgs {
			if !drop[i] {
				g.Msgs = append(g.Msgs, m)
			}
		}
		return []*seqlog.Flow{&g}
	}
}

// longer lengthens jobs, and the first answer that holds one.
func longer(by int) func(*seqlog.Flow) []*seqlog.Flow {
	return func(f *seqlog.Flow) []*seqlog.Flow {
		if !f.Mining {
			return []*seqlog.Flow{f}
		}
		g := *f
		g.Msgs = slices.Clone(f.Msgs)
		for i := range g.Msgs {
			if m := &g.Msgs[i]; m.Dir == server && m.Len >= 150 {
				m.Len += by
			}
		}
		return []*seqlog.Flow{&g}
	}
}
