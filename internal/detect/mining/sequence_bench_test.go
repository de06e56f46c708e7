package mining_test

import (
	"errors"
	"io"
	"slices"
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

// BenchmarkDetectors replays captures of homes and laboratories through the
// whole engine, with all detectors of mining and with all but the one of
// sequences: the difference is what following sequences costs. What is asked of
// it is docs/detection/mining.md's.
func BenchmarkDetectors(b *testing.B) {
	var frames []packet.Frame
	size, base := 0, int64(1e18)
	for _, f := range corpus.Captures(b, corpus.Path(b, 2, "captures")) {
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
				if !errors.Is(err, io.EOF) {
					b.Log(f, err)
				}
				break
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
	for _, set := range []struct {
		name string
		keep func(name string) bool
	}{
		{"without-sequence", func(name string) bool { return name != "mining-sequence" }},
		{"all", func(string) bool { return true }},
	} {
		b.Run(set.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var ds []detect.Detector
				for _, d := range builtin.Detectors() {
					if set.keep(d.Name) {
						ds = append(ds, d)
					}
				}
				e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Detectors: ds, Workers: 1})
				if err != nil {
					b.Fatal(err)
				}
				for i := range frames {
					e.Workers[0].Handle(&frames[i])
				}
				e.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(frames)), "ns/packet")
		})
	}
}
