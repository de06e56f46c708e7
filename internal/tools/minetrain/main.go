// Command minetrain makes and judges the model that finds mining in encrypted
// flows (internal/detect/mining/model.tsv).
//
//	minetrain extract -pcap a.pcap -plan a.pcap.tsv -source a -o a.seq.gz     with -with, the rest of the pairs from another log
//	minetrain train [-o model.tsv]     from the logs in testdata/sequences
//	minetrain tables                   leaves out each coin, client, service and source in turn
//	minetrain alarms -pcap a.pcap -plan a.pcap.tsv     or -log a.seq.gz
//	minetrain wires                    the whole engine on the logs, as other TLS implementations would send them
//	minetrain show                     what the present model makes of each recording
//
// It is deterministic: the same logs give the same model.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/yamori-net/yamori/internal/seq/seqlog"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: minetrain extract|train|tables|show …")
		os.Exit(2)
	}
	fs := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	pcap := fs.String("pcap", "", "recording")
	plan := fs.String("plan", "", "its plan, written by minelab")
	source := fs.String("source", "", "name of the recording")
	logs := fs.String("logs", "internal/detect/mining/testdata/sequences", "folder of logs")
	lab := fs.String("lab", "../shared/captures/mining-lab", "folder of captures with labels.tsv, for the test by source")
	out := fs.String("o", "internal/detect/mining/model.tsv", "file to write")
	with := fs.String("with", "", "with extract: another log, whose flows of pairs that are not in this recording are taken as well")
	keep := fs.Int("keep", 40, "with extract: flows of one pair that are kept")
	one := fs.String("log", "", "with alarms: one log instead of a recording")
	most := fs.Duration("for", 0, "with extract: how much of the recording to take, 0: all")
	id := fs.String("id", "", "with show: explain the latest look at this recording; with wires: part of the name of those wanted")
	without := fs.String("without", "", "with show: by a model that does not know this coin or kind of service")
	_ = fs.Parse(os.Args[2:])
	var err error
	switch os.Args[1] {
	case "extract":
		err = extract(*pcap, *plan, *out, *source, *with, *keep, *most)
	case "alarms":
		err = alarms(*pcap, *one, *plan)
	default:
		var all []*seqlog.Flow
		if all, err = readLogs(*logs); err != nil {
			break
		}
		if os.Args[1] == "wires" {
			err = wires(all, *id)
			break
		}
		d := prepare(all)
		switch os.Args[1] {
		case "train":
			err = train(d, *out)
		case "tables":
			err = tables(d, *lab)
		case "show":
			err = show(d, *lab, *id, *without)
		default:
			err = fmt.Errorf("unknown command %q", os.Args[1])
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "minetrain:", err)
		os.Exit(1)
	}
}

func readLogs(dir string) (all []*seqlog.Flow, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.gz"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no logs in %s", dir)
	}
	slices.Sort(files)
	for _, f := range files {
		l, err := seqlog.Read(f)
		if err != nil {
			return nil, err
		}
		all = append(all, l...)
	}
	return all, nil
}

func train(d []*item, out string) error {
	m := fit(d)
	calibrate(m, d)
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := m.Write(f); err != nil {
		return err
	}
	fmt.Printf("%d recordings, slope %.2f, cap %.2f\n", len(d), m.Slope, m.Cap)
	return f.Close()
}
