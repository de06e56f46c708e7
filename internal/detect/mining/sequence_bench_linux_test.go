package mining_test

import (
	"math"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/corpus"
	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/packet"
)

// benchBytes is how much of the captures a benchmark holds in memory.
const benchBytes = 64 << 20

// BenchmarkDetectors replays captures of devices and programs through the
// whole engine, with all detectors of mining and with all but the one of
// sequences, by turns: the difference of the quickest passes is what following
// sequences costs. docs/detection/mining.md says what is asked of it.
func BenchmarkDetectors(b *testing.B) {
	var frames []packet.Frame
	size, base := 0, int64(1e18)
	files := corpus.Captures(b, corpus.Path(b, 2, "captures", "iot-sentinel"))
	for _, f := range append(files, corpus.Captures(b, corpus.Path(b, 2, "captures", "ndpi"))...) {
		if size > benchBytes {
			break
		}
		src, err := pcapfile.Open(f)
		if err != nil {
			continue
		}
		first, last := int64(0), int64(0)
		for {
			var fr packet.Frame
			if err := src.Next(&fr); err != nil {
				break // some are damaged on purpose; what was read counts
			}
			if first == 0 {
				first, last = fr.Time, fr.Time
			}
			last = max(last, fr.Time)
			fr.Time += base - first
			fr.Data = slices.Clone(fr.Data)
			size += len(fr.Data)
			frames = append(frames, fr)
		}
		_ = src.Close()
		base += last - first + 1000e9
	}
	sets := [2]func(name string) bool{
		func(name string) bool { return name != "mining-sequence" },
		func(string) bool { return true },
	}
	least := [2]int64{math.MaxInt64, math.MaxInt64}
	for b.Loop() {
		for i, keep := range sets {
			var ds []detect.Detector
			for _, d := range builtin.Detectors() {
				if keep(d.Name) {
					ds = append(ds, d)
				}
			}
			e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Detectors: ds, Workers: 1})
			if err != nil {
				b.Fatal(err)
			}
			// The second pass counts: in the first the engine's pools fill.
			at := int64(0)
			for pass := range int64(2) {
				runtime.GC()
				at = spent(b)
				for k := range frames {
					f := frames[k]
					f.Time += pass * (base - 1e18)
					e.Workers[0].Handle(&f)
				}
			}
			least[i] = min(least[i], spent(b)-at)
			e.Close()
		}
	}
	n := float64(len(frames))
	b.ReportMetric(float64(least[0])/n, "without-ns/packet")
	b.ReportMetric(float64(least[1])/n, "all-ns/packet")
	b.ReportMetric(100*float64(least[1]-least[0])/float64(least[0]), "%more")
}

// spent is the time of processors that the program has used, which other
// programs disturb less than the clock.
func spent(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
