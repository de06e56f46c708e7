package main

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/detect/mining"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
)

// alarms replays a recording of minelab through the whole engine with the
// present model and everything else that is weighed (names, hellos, ports,
// other flows of the device), and prints which level each pair reached.
func alarms(pcap, plan string) error {
	rows, err := readTable(plan)
	if err != nil {
		return err
	}
	level := map[string]event.Level{}
	src, err := pcapfile.Open(pcap)
	if err != nil {
		return err
	}
	defer src.Close()
	e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Detectors: []detect.Detector{mining.Sequence()},
		Sink: func(int) event.Sink {
			return event.SinkFunc(func(ev *event.Event) {
				if ev.Type != event.Alert || ev.Finding == nil {
					return
				}
				k := ev.Src.String() + ">" + netip.AddrPortFrom(ev.Dst.Netip(), ev.DstPort).String()
				if ev.Finding.Level > level[k] {
					level[k] = ev.Finding.Level
				}
			})
		}})
	if err != nil {
		return err
	}
	if err := src.Run(context.Background(), e.Workers[0].Handle); err != nil {
		return err
	}
	e.Close()
	type count struct {
		name               string
		n, suspect, likely int
		mining             bool
	}
	by := map[string]*count{}
	for _, r := range rows {
		c := by[r["name"]]
		if c == nil {
			c = &count{name: r["name"], mining: r["label"] == "mining"}
			by[r["name"]] = c
		}
		c.n++
		switch l := level[r["client"]+">"+r["server"]]; {
		case l >= event.Likely:
			c.likely++
		case l == event.Suspect:
			c.suspect++
		}
	}
	var all []*count
	for _, c := range by {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *count) int { return cmp.Compare(a.name, b.name) })
	fmt.Print("| recorded | pairs | suspect | likely |\n|---|---|---|---|\n")
	var sum [2]count
	for _, c := range all {
		s := &sum[class(&item{mining: c.mining})]
		s.n, s.suspect, s.likely = s.n+c.n, s.suspect+c.suspect, s.likely+c.likely
		if c.mining || c.suspect+c.likely > 0 {
			fmt.Printf("| %s | %d | %d | %d |\n", c.name, c.n, c.suspect, c.likely)
		}
	}
	fmt.Printf("| **all mining** | %d | %d | %d |\n| **all benign** | %d | %d | %d |\n", sum[1].n, sum[1].suspect, sum[1].likely, sum[0].n, sum[0].suspect, sum[0].likely)
	return nil
}
