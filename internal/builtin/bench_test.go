package builtin_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/engine"
)

// BenchmarkReplay measures the whole way of a packet over the captures that
// YAMORI_BENCH names (a list of files, as in PATH).
func BenchmarkReplay(b *testing.B) {
	list := os.Getenv("YAMORI_BENCH")
	if list == "" {
		b.Skip("no captures: set YAMORI_BENCH, see docs/performance.md")
	}
	for _, f := range filepath.SplitList(list) {
		b.Run(strings.TrimSuffix(filepath.Base(f), ".pcap"), func(b *testing.B) {
			b.ReportAllocs()
			var packets uint64
			for b.Loop() {
				e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Detectors: builtin.Detectors(), Seed: 1})
				if err != nil {
					b.Fatal(err)
				}
				r, err := pcapfile.Open(f)
				if err != nil {
					b.Fatal(err)
				}
				if err := r.Run(context.Background(), e.Workers[0].Handle); err != nil {
					b.Fatal(err)
				}
				_ = r.Close()
				e.Close()
				packets += e.Stats().Packets
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/packet")
		})
	}
}
