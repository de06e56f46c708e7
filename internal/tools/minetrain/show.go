package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yamori-net/yamori/internal/detect/mining"
	"github.com/yamori-net/yamori/internal/seq/seqlog"
)

// alone is the score at which a sequence is likely mining with no other
// evidence for or against it.
const alone = mining.LikelyAlone

func present(file string) (*mining.Model, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return mining.ReadModel(f)
}

// show prints what the model in the tree makes of each recording.
// With without it is a model that has seen nothing of that coin or kind of
// service.
func show(d []*item, lab, id, without string) error {
	m, err := present("internal/detect/mining/model.tsv")
	if err != nil {
		return err
	}
	if without != "" {
		slope, poll, most := m.Slope, m.PollSlope, m.Cap
		m = fit(slices.DeleteFunc(slices.Clone(d), func(it *item) bool { return it.group == without }))
		m.Slope, m.PollSlope, m.Cap = slope, poll, most
	}
	l, err := labItems(lab)
	if err != nil {
		return err
	}
	for _, it := range append(d, l...) {
		if id != "" {
			if it.id == id && len(it.looks) > 0 {
				fmt.Print(m.Explain(&it.looks[len(it.looks)-1].x))
			}
			continue
		}
		top, at, n := best(m, it.looks, alone)
		last := -99.0
		if k := len(it.looks); k > 0 {
			last = m.Score(&it.looks[k-1].x)
		}
		var cond [3]float64
		hi := -99.0
		for k := range it.looks {
			if s := m.Score(&it.looks[k].x); s > hi {
				hi, cond = s, it.looks[k].cond
			}
		}
		fmt.Printf("cond %v ", cond)
		fmt.Printf("%-14s %-6v %-12s %-24s looks %3d top %6.2f last %6.2f first likely %5.0f s after %d messages\n", it.id, it.mining, it.group, it.client, len(it.looks), top, last, at, n)
	}
	return nil
}

// labItems reads captures labelled by a table, of which no part goes into
// training: the encrypted miners and all that is benign.
func labItems(dir string) ([]*item, error) {
	rows, err := readTable(filepath.Join(dir, "labels.tsv"))
	if err != nil {
		return nil, err
	}
	var flows []*seqlog.Flow
	for _, r := range rows {
		if r["label"] == "mixed" || r["encrypted"] == "no" && r["label"] == "mining" {
			continue
		}
		open, err := sequences(filepath.Join(dir, r["file"]))
		if err != nil {
			return nil, err
		}
		for _, o := range open {
			l := o.log
			if r["label"] == "mining" && netip.AddrPortFrom(o.server.Netip(), o.sport).String() != r["server"] {
				continue
			}
			l.Source, l.ID, l.Mining, l.Group, l.Client = "mining-lab", strings.TrimSuffix(r["file"], ".pcap"), r["label"] == "mining", r["lab_id"], r["variant"]
			flows = append(flows, l)
		}
	}
	return prepare(flows), nil
}
