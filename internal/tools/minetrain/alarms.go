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
	"github.com/yamori-net/yamori/internal/seq"
	"github.com/yamori-net/yamori/internal/seq/seqlog"
)

// alarms replays a recording of minelab, or its log, through the whole engine with
// the present model and everything else that is weighed (names, hellos, ports,
// other flows of the device), and prints which level each pair reached.
func alarms(pcap, log, plan string) error {
	rows, err := readTable(plan)
	if err != nil {
		return err
	}
	var level map[string]event.Level
	if log != "" {
		level, err = levelsOfLog(log, rows)
	} else {
		level, err = levelsOfCapture(pcap)
	}
	if err != nil {
		return err
	}
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

// levelsOfCapture returns the level that each pair of client and server reached.
func levelsOfCapture(pcap string) (map[string]event.Level, error) {
	level := map[string]event.Level{}
	src, err := pcapfile.Open(pcap)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Detectors: []detect.Detector{mining.Sequence()},
		Sink: func(int) event.Sink {
			return event.SinkFunc(func(ev *event.Event) {
				if ev.Type != event.Alert || ev.Finding == nil {
					return
				}
				k := ev.Src.String() + ">" + netip.AddrPortFrom(ev.Dst.Netip(), ev.DstPort).String()
				level[k] = max(level[k], ev.Finding.Level)
			})
		}})
	if err != nil {
		return nil, err
	}
	if err := src.Run(context.Background(), e.Workers[0].Handle); err != nil {
		return nil, err
	}
	e.Close()
	return level, nil
}

// openSSL is what OpenSSL 3.0 offers by itself.
var openSSL = []uint16{0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0x009f, 0xcca9, 0xcca8, 0xccaa, 0xc02b, 0xc02f, 0x009e, 0xc024, 0xc028, 0x006b,
	0xc023, 0xc027, 0x0067, 0xc00a, 0xc014, 0x0039, 0xc009, 0xc013, 0x0033, 0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f, 0x00ff}

// levelsOfLog does the same for a log: the flows are put on the wire again, with
// the names, ports and hellos that the plan has.
func levelsOfLog(log string, rows []map[string]string) (map[string]event.Level, error) {
	flows, err := seqlog.Read(log)
	if err != nil {
		return nil, err
	}
	row := map[string]map[string]string{}
	for _, r := range rows {
		row[r["id"]] = r
	}
	of := func(f *seqlog.Flow) map[string]string { return row[f.ID[len(f.Source)+1:]] }
	got, err := judgeWire(flows, func(f *seqlog.Flow, i int) *seqlog.Wire {
		r := of(f)
		w := &seqlog.Wire{Client: netip.AddrPortFrom(netip.MustParseAddr(r["client"]), 40000+uint16(i)), Server: netip.MustParseAddrPort(r["server"]),
			Start: 1e18 + f.Start, Name: r["sni"], Seal: seqlog.Seals[0]}
		if f.Kind == seq.TLS12 {
			w.Seal = seqlog.Seals[2]
		}
		if r["stack"] == "openssl" {
			w.Suites = openSSL
		}
		return w
	}, nil)
	if err != nil {
		return nil, err
	}
	level := map[string]event.Level{}
	for _, f := range flows {
		r := of(f)
		level[r["client"]+">"+r["server"]] = got[f.ID]
	}
	return level, nil
}
