// Storebench measures the event store: how fast findings go in, how many
// bytes each takes, and how long the queries of trends and timeline take when
// a month holds them all.
//
//	go run ./internal/tools/storebench -n 5000000
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/yamori-net/yamori/internal/store"
)

func main() {
	n := flag.Int("n", 5_000_000, "findings to insert")
	dir := flag.String("dir", "", "where the store is made (default: a temporary folder, removed at the end)")
	rounds := flag.Int("rounds", 60, "how often each query runs")
	maxMB := flag.Int64("max", 0, "bound of the store in MiB (0: large enough for all)")
	flag.Parse()
	if err := run(*n, *dir, *rounds, *maxMB); err != nil {
		fmt.Fprintln(os.Stderr, "storebench:", err)
		os.Exit(1)
	}
}

func run(n int, dir string, rounds int, maxMB int64) error {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "storebench")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		dir = tmp
	}
	if maxMB == 0 {
		maxMB = int64(n)/1024 + 256
	}
	before := rssAnon()
	s, err := store.Open(store.Config{Dir: dir, MaxBytes: maxMB << 20, Clock: time.Now})
	if err != nil {
		return err
	}
	defer s.Close()
	ctx := context.Background()
	runtime.GC()
	fmt.Printf("memory        RssAnon %.1f MiB before opening, %.1f MiB with an idle store\n", mib(before), mib(rssAnon()))

	g := newGenerator(n)
	peak := int64(0)
	start := time.Now()
	var made time.Duration
	for i := 0; i < n; {
		t := time.Now()
		batch := g.batch(i, min(2000, n-i))
		made += time.Since(t)
		r, err := s.AddFindings(ctx, batch)
		if err != nil {
			return err
		}
		i += len(r)
		if i%100_000 == 0 {
			peak = max(peak, rssAnon())
		}
		if i%1_000_000 == 0 {
			fmt.Fprintf(os.Stderr, "%d of %d after %v\n", i, n, time.Since(start).Round(time.Second))
		}
	}
	if err := s.Flush(ctx); err != nil {
		return err
	}
	took := time.Since(start)
	bytes := size(dir)
	h := s.Health()
	fmt.Printf("insert        %d findings in %.1f s, %.1f s of it making them up: %.0f a second, each commit of up to some hundred on the disk\n", n, took.Seconds(), made.Seconds(), float64(n)/(took-made).Seconds())
	fmt.Printf("size          %.1f MiB, %.0f bytes a finding (its EVE line has %.0f), bound %d MiB\n", mib(bytes), float64(bytes)/float64(n), g.lineBytes(), maxMB)
	fmt.Printf("memory        RssAnon at most %.1f MiB while writing (%.1f MiB of this program's own)\n", mib(max(peak, rssAnon())), mib(before))
	if h.Dropped != (store.Drops{}) || h.WriteError != "" {
		fmt.Printf("health        %+v\n", h)
	}
	fmt.Printf("%-58s %9s %9s %9s\n", "query", "median", "p95", "worst")
	for _, q := range queries(s, g) {
		var times []time.Duration
		for i := range rounds {
			t := time.Now()
			if err := q.run(ctx, i); err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
			times = append(times, time.Since(t))
		}
		slices.Sort(times)
		fmt.Printf("%-58s %9s %9s %9s\n", q.name, ms(times[len(times)/2]), ms(times[(len(times)*95+99)/100-1]), ms(times[len(times)-1]))
	}
	fmt.Printf("memory        RssAnon %.1f MiB after the queries\n", mib(rssAnon()))
	return nil
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

func mib(n int64) float64 { return float64(n) / (1 << 20) }

func size(dir string) (n int64) {
	list, _ := os.ReadDir(dir)
	for _, e := range list {
		if st, err := os.Stat(filepath.Join(dir, e.Name())); err == nil {
			n += st.Size()
		}
	}
	return n
}

// rssAnon is the anonymous resident memory of this process, in bytes.
func rssAnon() int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		var kb int64
		if k, _ := fmt.Sscanf(line, "RssAnon: %d kB", &kb); k == 1 {
			return kb << 10
		}
	}
	return 0
}

type query struct {
	name string
	run  func(ctx context.Context, i int) error
}

func queries(s *store.Store, g *generator) []query {
	from, to := g.start, g.start.Add(month)
	trend := func(name string, q store.TrendQuery) query {
		return query{"trends " + name, func(ctx context.Context, _ int) error {
			t, err := s.Trends(ctx, q)
			if err == nil && t.Total == 0 {
				err = fmt.Errorf("nothing counted")
			}
			return err
		}}
	}
	page := func(name string, f func(i int) store.Filter, deep bool) query {
		return query{"timeline " + name, func(ctx context.Context, i int) error {
			cursor := int64(0)
			if deep {
				cursor = 1 + rand.Int64N(int64(g.n))
			}
			_, err := s.Timeline(ctx, f(i), cursor, 100)
			return err
		}}
	}
	fixed := func(f store.Filter) func(int) store.Filter { return func(int) store.Filter { return f } }
	return []query{
		trend("month by day and category", store.TrendQuery{From: from, To: to, Bucket: store.Day, By: []store.Dim{store.ByCategory}}),
		trend("month by day and category and action", store.TrendQuery{From: from, To: to, Bucket: store.Day, By: []store.Dim{store.ByCategory, store.ByAction}}),
		trend("month by week and device kind", store.TrendQuery{From: from, To: to, Bucket: store.Week, By: []store.Dim{store.ByKind}}),
		trend("month by month and category", store.TrendQuery{From: from, To: to, Bucket: store.Month, By: []store.Dim{store.ByCategory}}),
		trend("month by device", store.TrendQuery{From: from, To: to, By: []store.Dim{store.ByDevice}}),
		trend("month by family", store.TrendQuery{From: from, To: to, By: []store.Dim{store.ByFamily}}),
		trend("month by country and network", store.TrendQuery{From: from, To: to, By: []store.Dim{store.ByCountry, store.ByASN}}),
		trend("day by hour and level", store.TrendQuery{From: from.Add(240 * time.Hour), To: from.Add(264 * time.Hour), Bucket: store.Hour, By: []store.Dim{store.ByLevel}}),
		trend("month, mining of cameras by day", store.TrendQuery{From: from, To: to, Bucket: store.Day, Where: store.Select{Category: "mining", Kind: "camera"}}),
		{"growth between two weeks by category", func(ctx context.Context, _ int) error {
			_, err := s.Growth(ctx, store.Period{From: from, To: from.Add(168 * time.Hour)}, store.Period{From: from.Add(168 * time.Hour), To: from.Add(336 * time.Hour)}, store.ByCategory, store.Select{})
			return err
		}},
		page("newest", fixed(store.Filter{}), false),
		page("anywhere", fixed(store.Filter{}), true),
		page("of a device", func(i int) store.Filter { return store.Filter{Device: g.device(i)} }, true),
		page("of a category", func(i int) store.Filter { return store.Filter{Category: categories[i%len(categories)]} }, true),
		page("of a device and a category", func(i int) store.Filter {
			return store.Filter{Device: g.device(i), Category: categories[i%len(categories)]}
		}, true),
		page("likely or more, blocked", fixed(store.Filter{MinLevel: 2, Action: "blocked"}), true),
		page("confirmed", fixed(store.Filter{MinLevel: 3}), true),
		page("one day of the month", func(i int) store.Filter {
			d := from.Add(time.Duration(i%30) * 24 * time.Hour)
			return store.Filter{Since: d, Until: d.Add(24 * time.Hour)}
		}, false),
		page("one day, a device, blocked", func(i int) store.Filter {
			d := from.Add(time.Duration(i%30) * 24 * time.Hour)
			return store.Filter{Device: g.device(i), Since: d, Until: d.Add(24 * time.Hour), Action: "blocked"}
		}, false),
		page("text that is common", fixed(store.Filter{Text: "xmrig"}), true),
		page("text that is nowhere (one call of the scan)", fixed(store.Filter{Text: "no such text"}), true),
		{"finding by id", func(ctx context.Context, _ int) error {
			_, err := s.Finding(ctx, 1+rand.Int64N(int64(g.n)))
			return err
		}},
		{"describe a device", func(ctx context.Context, i int) error { _, err := s.Describe(ctx, g.device(i)); return err }},
	}
}
