package store

import (
	"context"
	"testing"
	"time"
)

// TestClockJumps: a router starts in 1970, learns the time, is set back by
// years and forward by decades: no record is lost, and none leaves for its
// age while the clock is not trusted.
func TestClockJumps(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	clk := &fakeClock{t: t0}
	cfg := Config{Dir: dir, Clock: clk.now, FlushEvery: 5 * time.Millisecond}
	s := open(t, cfg)
	n := 0
	put := func(at time.Time) int64 {
		t.Helper()
		clk.set(at)
		f := testFinding(n)
		n++
		f.Time, f.Last = at, at
		r, err := s.AddFinding(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		flush(t, s)
		time.Sleep(12 * time.Millisecond) // a tick: retention looks at the clock
		return r.ID
	}
	var ids []int64
	ids = append(ids, put(t0))
	_ = s.Close()
	boot := time.Date(1970, 1, 1, 0, 0, 30, 0, time.UTC)
	clk.set(boot)
	s = open(t, cfg)
	ids = append(ids, put(boot.Add(time.Second)))
	for _, at := range []time.Time{t0.Add(time.Hour), t0.AddDate(-7, 0, 0), t0.Add(2 * time.Hour), t0.AddDate(60, 0, 0), t0.Add(3 * time.Hour)} {
		ids = append(ids, put(at))
	}
	for i, id := range ids {
		f, err := s.Finding(ctx, id)
		if err != nil {
			t.Errorf("finding %d: %v", i, err)
		} else if i == 1 && (!f.Estimated || f.Time.Before(t0.Add(-time.Hour)) || f.Time.After(t0.Add(time.Hour))) {
			t.Errorf("what was found in 1970 has time %v, estimated %v", f.Time, f.Estimated)
		}
		if i > 0 && id <= ids[i-1] {
			t.Errorf("ids %v do not grow", ids)
		}
	}
	p, err := s.Timeline(ctx, Filter{}, 0, 100)
	if err != nil || len(p.Items) != len(ids) {
		t.Errorf("timeline has %d records (%v), want %d", len(p.Items), err, len(ids))
	}
	// Around the jumps, time still selects.
	p, err = s.Timeline(ctx, Filter{Since: t0.Add(-time.Minute), Until: t0.Add(4 * time.Hour)}, 0, 100)
	if err != nil || len(p.Items) != len(ids)-2 {
		t.Errorf("the hours of today have %d records (%v), want %d", len(p.Items), err, len(ids)-2)
	}
}

// TestRetention: records leave at their age once the clock can be trusted.
func TestRetention(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	clk := &fakeClock{t: t0}
	cfg := Config{Dir: dir, Clock: clk.now, FlushEvery: 5 * time.Millisecond, Flows: true,
		Retention: Retention{Findings: 48 * time.Hour, Events: 24 * time.Hour, Flows: time.Hour, Hours: 24 * time.Hour, Days: 48 * time.Hour, Evidence: 24 * time.Hour}}
	s := open(t, cfg)
	r := add(t, s, 0, 3)
	s.addEventLine(t0, "device", "d", []byte(`{}`))
	s.AddFlow(Flow{Time: t0, Device: "d"})
	if err := s.PutEvidence(ctx, r[0].ID, []byte("x")); err != nil {
		t.Fatal(err)
	}
	flush(t, s)
	have := func() (out [6]int64) {
		err := s.read(ctx, func(rd *reader) error {
			for i, q := range []string{"SELECT count(*) FROM findings", "SELECT count(*) FROM events", "SELECT count(*) FROM flows", "SELECT count(*) FROM evidence", "SELECT count(*) FROM rollup WHERE grain<2", "SELECT total(n) FROM rollup WHERE grain=2"} {
				n, err := rd.c.one(q)
				if err != nil {
					return err
				}
				out[i] = n
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	// A jump of a year proves nothing.
	clk.set(t0.AddDate(1, 0, 0))
	time.Sleep(30 * time.Millisecond)
	if got := have(); got != [6]int64{3, 1, 1, 1, 6, 3} {
		t.Fatalf("after a jump: %v", got)
	}
	clk.set(t0)
	_ = s.Close()
	// Started again three hours later: flows are too old.
	clk.set(t0.Add(3 * time.Hour))
	s = open(t, cfg)
	wait := func(want [6]int64) {
		t.Helper()
		for i := 0; i < 8000 && have() != want; i++ {
			time.Sleep(5 * time.Millisecond)
		}
		if got := have(); got != want {
			t.Errorf("have %v, want %v", got, want)
		}
	}
	wait([6]int64{3, 1, 0, 1, 6, 3})
	_ = s.Close()
	clk.set(t0.Add(27 * time.Hour))
	s = open(t, cfg)
	wait([6]int64{3, 0, 0, 0, 3, 3})
	_ = s.Close()
	clk.set(t0.Add(100 * time.Hour))
	s = open(t, cfg)
	wait([6]int64{0, 0, 0, 0, 0, 3})
}
