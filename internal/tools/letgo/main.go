// Command letgo replays captures as if the engine stood in line, and prints what
// share of each protocol it inspects and what it lets go of:
//
//	go run ./internal/tools/letgo [-rules FILE] CAPTURE…
//
// The kernel is played by a table of marks: what was let go of does not reach
// the engine, as in the chains of internal/enforce.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// share is what was carried, and what of it went by unseen.
type share struct {
	packets, bytes, unseen, unseenBytes uint64
}

func (s *share) add(o share) {
	s.packets += o.packets
	s.bytes += o.bytes
	s.unseen += o.unseen
	s.unseenBytes += o.unseenBytes
}

// connection is what the kernel knows of one: which sides are let go of.
type connection struct {
	share
	all  bool
	side [2]bool // by whether Key's Hi end sends
}

// gateway is the kernel and the engine behind its queue.
type gateway struct {
	dec   packet.Decoder
	p     packet.Packet
	e     *engine.Engine
	conns map[packet.Key]*connection
	rest  share // what belongs to no connection
}

func (g *gateway) handle(f *packet.Frame) verdict.Verdict {
	if f == nil {
		return verdict.Verdict{}
	}
	g.dec.Decode(&g.p, f)
	p := &g.p
	if p.Version == 0 || p.Fragment {
		g.rest.add(share{packets: 1, bytes: uint64(f.Len)})
		return g.e.Workers[0].Handle(f)
	}
	var k packet.Key
	from := 0
	if p.Key(&k) {
		from = 1
	}
	c := g.conns[k]
	if c == nil {
		c = &connection{}
		g.conns[k] = c
	}
	if p.Proto == packet.ProtoTCP && p.TCPFlags&(packet.SYN|packet.ACK) == packet.SYN {
		c.all, c.side = false, [2]bool{} // a new one on the same ports
	}
	c.packets++
	c.bytes += uint64(f.Len)
	ends := p.Proto == packet.ProtoTCP && p.TCPFlags&(packet.FIN|packet.RST) != 0
	if c.all && !ends || c.side[from] {
		c.unseen++
		c.unseenBytes += uint64(f.Len)
		return verdict.Verdict{}
	}
	v := g.e.Workers[0].Handle(f)
	if v.Action == verdict.Accept {
		switch v.Scope {
		case verdict.Flow:
			c.all = true
		case verdict.Side:
			c.side[from] = true
		case verdict.Back:
			c.side = [2]bool{}
		}
	}
	return v
}

func main() {
	rules := flag.String("rules", "", "a file of rules besides the built-in ones")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: letgo [-rules FILE] CAPTURE…")
		os.Exit(2)
	}
	if err := run(*rules, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "letgo:", err)
		os.Exit(1)
	}
}

func run(rules string, files []string) error {
	g := &gateway{conns: map[packet.Key]*connection{}}
	apps := map[packet.Key]string{}
	cfg := engine.Config{Protocols: builtin.Protocols(), Detectors: builtin.Detectors(), Inline: true, Flows: true, Seed: 1,
		OnPanic: func(v any, stack []byte) { fmt.Fprintf(os.Stderr, "panic: %v\n%s", v, stack) },
		Sink: func(int) event.Sink {
			return event.SinkFunc(func(ev *event.Event) {
				if ev.Type == event.Flow {
					p := packet.Packet{Src: ev.Src, Dst: ev.Dst, SrcPort: ev.SrcPort, DstPort: ev.DstPort, Proto: ev.Proto}
					var k packet.Key
					p.Key(&k)
					apps[k] = ev.AppProto
				}
			})
		}}
	rc := app.RuleConfig{Builtin: true}
	if rules != "" {
		rc.Files = []string{rules}
	}
	l, err := rc.Load()
	if err != nil {
		return err
	}
	cfg.Rules = l.Set
	if g.e, err = engine.New(cfg); err != nil {
		return err
	}
	for _, name := range files {
		src, err := pcapfile.Open(name)
		if err == nil {
			err = src.Run(context.Background(), g.handle)
			_ = src.Close()
		}
		if err != nil {
			return err
		}
	}
	g.e.Close()
	print(g, apps)
	return nil
}

func print(g *gateway, apps map[packet.Key]string) {
	by := map[string]*share{}
	total := g.rest
	for k, c := range g.conns {
		k.VLAN = 0
		name := cmp.Or(apps[k], "(no content)")
		if by[name] == nil {
			by[name] = &share{}
		}
		by[name].add(c.share)
		total.add(c.share)
	}
	st := g.e.Stats()
	names := slices.SortedFunc(maps.Keys(by), func(a, b string) int { return cmp.Compare(by[b].bytes, by[a].bytes) })
	fmt.Println("| protocol | MB | packets | of these inspected: bytes | packets | let go of: over | watched | parsed | side |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|")
	line := func(name string, s *share, n [engine.LetGoReasons]uint64) {
		fmt.Printf("| %s | %.1f | %d | %.1f %% | %.1f %% | %d | %d | %d | %d |\n", name, float64(s.bytes)/1e6, s.packets, 100-percent(s.unseenBytes, s.bytes), 100-percent(s.unseen, s.packets), n[0], n[1], n[2], n[3])
	}
	var all [engine.LetGoReasons]uint64
	for _, name := range names {
		a := st.Apps[name]
		for i, n := range a.LetGo {
			all[i] += n
		}
		line(name, by[name], a.LetGo)
	}
	line("**all**", &total, all)
	fmt.Printf("\nlet go of %d times, taken back %d times; panics %d\n", st.Released, st.Recalled, st.Panics)
}

func percent(a, b uint64) float64 {
	if b == 0 {
		return 0
	}
	return 100 * float64(a) / float64(b)
}
