// Command kindscore says how well devices are told apart: it replays labelled
// captures and compares the kinds with the truth. A folder holds one folder of
// captures per device and device-kinds.tsv with the columns folder, mac, kind
// (several, by "|") and maker.
//
//	go run ./internal/tools/kindscore ../shared/captures/iot-sentinel
//
// It is printed three times: as recorded; with every hardware address replaced
// by a random one, also inside DHCP and in addresses made from it; and with the
// makers' table taken away, so that their names cannot decide. With
// -synthetic the conversations of internal/device/synth are scored instead, each
// set for itself.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

func main() {
	synthetic := flag.Bool("synthetic", false, "score generated conversations instead of captures")
	verbose := flag.Bool("v", false, "print every capture, with its evidence when it is wrong or unknown")
	flag.Parse()
	var err error
	switch {
	case *synthetic:
		for _, set := range generated {
			fmt.Printf("synthetic: %s\n", set.name)
			if err = score(samples(set.list()), *verbose); err != nil {
				break
			}
		}
	case flag.NArg() == 1:
		var runs []sample
		if runs, err = recorded(flag.Arg(0)); err == nil {
			err = score(runs, *verbose)
		}
	default:
		fmt.Fprintln(os.Stderr, "usage: kindscore [-v] FOLDER | kindscore -synthetic")
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kindscore:", err)
		os.Exit(1)
	}
}

func score(runs []sample, verbose bool) error {
	for _, m := range []mode{asRecorded, randomMAC, noMaker} {
		s, err := measure(runs, m, verbose)
		if err != nil {
			return err
		}
		s.print(m)
	}
	return nil
}

// mode is what is done to the captures first.
type mode int

const (
	asRecorded mode = iota
	randomMAC
	noMaker
)

func (m mode) String() string {
	return [...]string{"as recorded", "every MAC random", "without makers"}[m]
}

type result struct {
	n, right, wrong, unknown int
	times                    []float64 // seconds from the first sign to the kind
	folders                  map[string]*[3]int
}

func (s *result) print(m mode) {
	fmt.Printf("%-17s %3d captures: right %3d (%.1f %%), confidently wrong %d (%.1f %%), unknown %d (%.1f %%)", m, s.n,
		s.right, percent(s.right, s.n), s.wrong, percent(s.wrong, s.n), s.unknown, percent(s.unknown, s.n))
	if len(s.times) > 0 {
		slices.Sort(s.times)
		fmt.Printf(", time to kind median %.1f s, 90 %% within %.1f s", s.times[len(s.times)/2], s.times[len(s.times)*9/10])
	}
	fmt.Println()
	var names []string
	whole := 0
	for n, f := range s.folders {
		names = append(names, n)
		if f[0] > f[1]+f[2] {
			whole++
		}
	}
	fmt.Printf("  devices mostly right: %d of %d\n", whole, len(names))
	slices.Sort(names)
	for _, n := range names {
		if f := s.folders[n]; f[1]+f[2] > 0 {
			fmt.Printf("  %-24s right %d, wrong %d, unknown %d\n", n, f[0], f[1], f[2])
		}
	}
}

func percent(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return 100 * float64(a) / float64(b)
}

func measure(runs []sample, m mode, verbose bool) (result, error) {
	s := result{folders: map[string]*[3]int{}}
	for i := range runs {
		r := &runs[i]
		frames, err := r.frames()
		if err != nil {
			return s, err
		}
		mac := r.mac
		if m == randomMAC {
			mac = randomise(frames, mac)
		}
		d, first, ok := replay(frames, mac, m)
		s.n++
		f := s.folders[r.device]
		if f == nil {
			f = new([3]int)
			s.folders[r.device] = f
		}
		verdict := "right"
		switch {
		case (!ok || d.Kind == "unknown") && !slices.Contains(strings.Split(r.kind, "|"), "unknown"):
			s.unknown++
			f[2]++
			verdict = "unknown"
		case slices.Contains(strings.Split(r.kind, "|"), d.Kind):
			s.right++
			f[0]++
			if d.KindAt != 0 {
				s.times = append(s.times, float64(d.KindAt-first)/1e9)
			}
		default:
			s.wrong++
			f[1]++
			verdict = "WRONG"
		}
		if verbose {
			fmt.Printf("%s: %s is %s, said %s (%.2f) %s %s %q\n", verdict, r.name, r.kind, d.Kind, d.Confidence, d.Maker, d.Model, d.Name)
			if verdict != "right" {
				for _, e := range d.Evidence {
					fmt.Printf("    %-20s %-40q %.1f\n", e.Code, e.Value, e.Weight)
				}
			}
		}
	}
	return s, nil
}
