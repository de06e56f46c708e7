//go:build unix

package mpm

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func BenchmarkScan(b *testing.B) {
	raw, longest, all := rulePatterns(b)
	data := map[string][]byte{"synthetic": traffic(1 << 20)}
	if name := os.Getenv("MPM_DATA"); name != "" {
		d, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		data[filepath.Base(name)] = d[:min(len(d), 16<<20)]
	}
	long := func(ps []Pattern, n int) (out []Pattern) {
		for _, p := range ps {
			if len(p.Bytes) >= n {
				out = append(out, p)
			}
		}
		return out
	}
	for _, set := range []struct {
		name string
		ps   []Pattern
	}{{"raw", raw}, {"raw≥4", long(raw, 4)}, {"raw≥5", long(raw, 5)}, {"raw≥8", long(raw, 8)},
		{"longest≥5", long(longest, 5)}, {"all≥5", long(all, 5)}} {
		f := Build(set.ps)
		for name, d := range data {
			b.Run(fmt.Sprintf("%s-%d/%s", set.name, f.Len(), name), func(b *testing.B) {
				var s Scratch
				b.SetBytes(int64(len(d)))
				b.ReportAllocs()
				found, before := 0, cpuTime(b)
				for b.Loop() {
					found = 0
					for at := 0; at < len(d); at += 1200 {
						found += len(f.Scan(d[at:min(at+1200, len(d))], &s))
					}
				}
				// The machine may be shared: what counts is the processor's time.
				b.ReportMetric(float64(len(d))*float64(b.N)*1e3/float64(cpuTime(b)-before), "cpu-MB/s")
				b.ReportMetric(float64(f.Size())/float64(f.Len()), "B/pattern")
				b.ReportMetric(float64(found)*1200/float64(len(d)), "ids/scan")
			})
		}
	}
}

func cpuTime(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
