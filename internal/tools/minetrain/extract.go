package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/detect/mining"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/seq"
	"github.com/yamori-net/yamori/internal/seq/seqlog"
	"github.com/yamori-net/yamori/internal/verdict"
)

// tap stands in for the detector: it follows what the detector would follow,
// and writes the messages down instead of judging them.
type tap struct {
	detect.Inline
	seq   detect.Sequencer
	flows map[packet.Key]*open
	all   []*open
}

type open struct {
	seq.Reader
	log    *seqlog.Flow
	client packet.Addr
	cport  uint16
	server packet.Addr
	sport  uint16
	over   bool
}

func (t *tap) Follow(f *flow.Flow, c *proto.Conn, tr *seq.Tracker) bool {
	if !t.seq.Follow(f, c, tr) {
		return false
	}
	o := &open{Reader: tr.Reader, log: &seqlog.Flow{Kind: tr.Kind}}
	o.client, o.cport = f.Client()
	o.server, o.sport = f.Server()
	t.flows[f.Key] = o
	t.all = append(t.all, o)
	return true
}

func (t *tap) Judge(f *flow.Flow, _ *seq.Tracker, _ int64, end bool, _ func() event.DeviceRef) (event.Finding, bool) {
	if end {
		if o := t.flows[f.Key]; o != nil {
			o.over = true
			delete(t.flows, f.Key)
		}
	}
	return event.Finding{}, false
}

// sequences replays a capture and returns the flows that the detector would
// have followed, in order.
func sequences(file string) ([]*open, error) {
	src, err := pcapfile.Open(file)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	t := &tap{flows: map[packet.Key]*open{}}
	d := mining.Sequence()
	e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Detectors: []detect.Detector{{Name: "tap", New: func() detect.Inline {
		t.Inline = d.New()
		t.seq = t.Inline.(detect.Sequencer)
		return t
	}}}})
	if err != nil {
		return nil, err
	}
	var dec packet.Decoder
	var p packet.Packet
	dec.Defrag = packet.NewDefrag(packet.DefragConfig{})
	first := int64(0)
	err = src.Run(context.Background(), func(f *packet.Frame) verdict.Verdict {
		if first == 0 {
			first = f.Time - 1 // so that no time is zero
		}
		v := e.Workers[0].Handle(f)
		dec.Decode(&p, f)
		if len(p.Payload) == 0 || p.Proto != packet.ProtoTCP && p.Proto != packet.ProtoUDP {
			return v
		}
		var key packet.Key
		p.Key(&key)
		o := t.flows[key]
		if o == nil {
			return v
		}
		d := packet.ToClient
		if p.Src == o.client && p.SrcPort == o.cport {
			d = packet.ToServer
		}
		now := f.Time - first
		if o.Kind == seq.QUIC {
			o.Datagram(now, d, p.Payload, p.Missing, o.log)
		} else {
			o.Segment(now, d, p.Seq, p.Payload, p.Missing, o.log)
		}
		return v
	})
	e.Close()
	return t.all, err
}

// extract turns a recording of minelab into logs, labelled by its plan. most,
// if it is not 0, is how much of the recording is taken; with is a log that the rest
// of the pairs comes from, so that some of them can be recorded anew.
func extract(pcap, plan, out, source, with string, keep int, most time.Duration) error {
	rows, err := readTable(plan)
	if err != nil {
		return err
	}
	flows, err := sequences(pcap)
	if err != nil {
		return err
	}
	by := map[string]map[string]string{}
	for _, r := range rows {
		by[r["client"]+">"+r["server"]] = r
	}
	var logs []*seqlog.Flow
	lost := 0
	for _, o := range flows {
		r := by[fmt.Sprintf("%s>%s:%d", o.client, o.server, o.sport)]
		if r == nil || len(o.log.Msgs) < 2 {
			lost++
			continue
		}
		l := o.log
		if most > 0 { // what followed is the end of the recording, not of the talk
			l.Msgs = slices.DeleteFunc(l.Msgs, func(m seqlog.Msg) bool { return l.Start+m.At > int64(most) })
			if len(l.Msgs) < 2 {
				lost++
				continue
			}
		}
		l.Source, l.ID, l.Mining, l.Group, l.Client, l.Stack = source, source+"-"+r["id"], r["label"] == "mining", r["group"], r["name"], r["stack"]
		logs = append(logs, l)
	}
	logs = thin(logs, keep)
	if with != "" {
		others, err := seqlog.Read(with)
		if err != nil {
			return err
		}
		mine := map[string]bool{}
		for _, r := range rows {
			mine[source+"-"+r["id"]] = true
		}
		logs = append(slices.DeleteFunc(others, func(f *seqlog.Flow) bool { return mine[f.ID] }), logs...)
	}
	fmt.Printf("%d flows written, %d without label or content\n", len(logs), lost)
	return seqlog.Write(out, logs)
}

// thin keeps so many of the short flows of one pair.
func thin(logs []*seqlog.Flow, keep int) []*seqlog.Flow {
	n := map[string]int{}
	return slices.DeleteFunc(logs, func(l *seqlog.Flow) bool {
		n[l.ID]++
		return n[l.ID] > keep
	})
}

// readTable reads a table with a heading.
func readTable(file string) (out []map[string]string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var head []string
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		cells := strings.Split(sc.Text(), "\t")
		if head == nil {
			head = cells
			continue
		}
		row := map[string]string{}
		for i, c := range cells[:min(len(cells), len(head))] {
			row[head[i]] = c
		}
		out = append(out, row)
	}
	return out, sc.Err()
}
