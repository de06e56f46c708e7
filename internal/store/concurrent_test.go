package store

import (
	"context"
	"io"
	"sync"
	"testing"
	"time"
)

// TestConcurrent reads in every way while findings and flushes come: nobody
// is told that the database is busy, and the log stays small.
func TestConcurrent(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 400*time.Millisecond)
	defer cancel()
	s := open(t, Config{MaxBytes: MinBytes, FlushEvery: 5 * time.Millisecond})
	add(t, s, 0, 500)
	var wg sync.WaitGroup
	fail := func(what string, err error) bool {
		if err != nil && ctx.Err() == nil {
			t.Errorf("%s: %v", what, err)
		}
		return ctx.Err() != nil || err != nil
	}
	loop := func(what string, f func(n int) error) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for n := 0; !fail(what, f(n)); n++ {
			}
		}()
	}
	loop("timeline", func(int) error { _, err := s.Timeline(ctx, Filter{Text: "worker1"}, 0, 50); return err })
	loop("trends", func(int) error {
		_, err := s.Trends(ctx, TrendQuery{From: t0, To: t0.AddDate(0, 1, 0), Bucket: Day, By: []Dim{ByDevice}})
		return err
	})
	loop("export", func(int) error { return s.Export(ctx, io.Discard, EVE, Filter{Events: true}) })
	loop("health", func(int) error { s.Health(); return nil })
	loop("findings", func(n int) error { _, err := s.AddFinding(ctx, testFinding(1000+n)); return err })
	loop("events", func(n int) error {
		s.addEventLine(t0, "device", "d", []byte(`{}`))
		time.Sleep(time.Millisecond)
		return nil
	})
	wg.Wait()
	if h := s.Health(); h.WriteError != "" || h.Bytes > MinBytes {
		t.Errorf("health %+v", h)
	}
}
