package store

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

var t0 = time.Date(2026, 5, 4, 12, 30, 0, 0, time.UTC)

// fakeClock is a wall clock that tests set.
type fakeClock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *fakeClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *fakeClock) set(t time.Time) {
	c.mu.Lock()
	c.t = t
	c.mu.Unlock()
}

func open(t testing.TB, cfg Config) *Store {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	if cfg.Clock == nil {
		cfg.Clock = (&fakeClock{t: t0}).now
	}
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// testFinding makes the n-th of many different findings.
func testFinding(n int) Finding {
	dev := fmt.Sprintf("mac:02:00:00:00:00:%02x", n%50)
	ev := &event.Event{Time: t0.Add(time.Duration(n) * time.Second).UnixNano(), Type: event.Alert, FlowID: uint64(n + 1), HasAddr: true, Proto: packet.ProtoTCP,
		Src: packet.AddrOf(netip.AddrFrom4([4]byte{192, 168, 1, byte(10 + n%50)})), Dst: packet.AddrOf(netip.AddrFrom4([4]byte{198, 51, byte(n >> 8), byte(n)})),
		SrcPort: uint16(40000 + n%20000), DstPort: 3333, AppProto: "stratum",
		Finding: &event.Finding{Category: []event.Category{event.Mining, event.Botnet, event.Scan, event.Exploit}[n%4], Family: fmt.Sprintf("family%d", n%7), Detector: "mining",
			Level: event.Level(1 + n%3), Confidence: 0.5, SignatureID: uint32(100 + n%4), Signature: "Yamori: a test finding", Severity: 1, Action: actionWords[n%3],
			Evidence: []event.Evidence{{Code: "stratum.login", Value: fmt.Sprintf("worker%d", n), Weight: 4.5}}, Code: "mining.stratum", Args: []event.Arg{{Name: "pool", Value: "pool.example:3333"}},
			Device: event.DeviceRef{ID: dev, Kind: []string{"camera", "computer"}[n%2], Name: "thing"}}}
	return FindingOf(&event.EVE{}, ev, Where{Direction: Outbound, Remote: ev.Dst.Netip(), Country: []string{"JP", "US", "DE"}[n%3], ASN: uint32(64500 + n%5)})
}

func add(t testing.TB, s *Store, from, to int) []Receipt {
	t.Helper()
	var list []Finding
	for n := from; n < to; n++ {
		list = append(list, testFinding(n))
	}
	r, err := s.AddFindings(context.Background(), list)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func flush(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestFindingRoundTrip(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	want := testFinding(7)
	r, err := s.AddFinding(ctx, want)
	if err != nil || r.Repeat || r.ID == 0 {
		t.Fatalf("receipt %+v, %v", r, err)
	}
	check := func(s *Store) {
		t.Helper()
		got, err := s.Finding(ctx, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		if string(got.EVE) != string(want.EVE) {
			t.Errorf("EVE is\n%s, want\n%s", got.EVE, want.EVE)
		}
		w := want
		w.ID, w.EVE, got.EVE = r.ID, nil, nil
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", normal(w)) {
			t.Errorf("got  %+v\nwant %+v", got, normal(w))
		}
	}
	check(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddFinding(ctx, want); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := s.Finding(ctx, r.ID); !errors.Is(err, ErrClosed) {
		t.Errorf("reading after Close: %v", err)
	}
	s = open(t, Config{Dir: dir})
	check(s)
	if _, err := s.Finding(ctx, r.ID+1); !errors.Is(err, ErrNotFound) {
		t.Errorf("a finding that is not there: %v", err)
	}
	if left, _ := filepath.Glob(dir + "/*damaged*"); len(left) != 0 {
		t.Errorf("set aside: %v", left)
	}
}

// normal is f as times come back: milliseconds, local.
func normal(f Finding) Finding {
	f.Time, f.Last = time.UnixMilli(f.Time.UnixMilli()), time.UnixMilli(f.Last.UnixMilli())
	return f
}

func TestRepeats(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	f := testFinding(1)
	first, _ := s.AddFinding(ctx, f)
	for i := 1; i <= 9; i++ {
		g := f
		g.Time = f.Time.Add(time.Duration(i) * 10 * time.Minute)
		g.Last = g.Time
		r, err := s.AddFinding(ctx, g)
		if err != nil || !r.Repeat || r.ID != first.ID {
			t.Fatalf("repeat %d: %+v, %v", i, r, err)
		}
	}
	late := f
	late.Time = f.Time.Add(90*time.Minute + repeatWindow)
	if r, _ := s.AddFinding(ctx, late); r.Repeat {
		t.Error("a repeat after the window is one")
	}
	flush(t, s)
	got, err := s.Finding(ctx, first.ID)
	if err != nil || got.Count != 10 || !got.Last.Equal(f.Time.Add(90*time.Minute)) {
		t.Errorf("count %d, last %v (%v)", got.Count, got.Last, err)
	}
	tr, err := s.Trends(ctx, TrendQuery{From: t0.Add(-time.Hour), To: t0.Add(24 * time.Hour)})
	if err != nil || tr.Total != 11 {
		t.Errorf("figures count %d (%v), want 11", tr.Total, err)
	}
	// The owner settled it: what comes again is new.
	if err := s.SetState(ctx, "owner", first.ID, Solved, time.Time{}, "unplugged"); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Finding(ctx, first.ID); got.State != Solved || got.Note != "unplugged" {
		t.Errorf("state %v, note %q", got.State, got.Note)
	}
	if err := s.SetState(ctx, "owner", 999999, Solved, time.Time{}, ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("state of nothing: %v", err)
	}
}

func TestTimeline(t *testing.T) {
	ctx := context.Background()
	s := open(t, Config{})
	r := add(t, s, 0, 400)
	for n := range 10 {
		s.AddEvent(&event.EVE{}, &event.Event{Time: t0.Add(time.Duration(n) * time.Minute).UnixNano(), Type: "device"}, "mac:02:00:00:00:00:03")
	}
	seen := func(f Filter, limit int) (ids []int64) {
		t.Helper()
		for cursor := int64(0); ; {
			p, err := s.Timeline(ctx, f, cursor, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range p.Items {
				if len(ids) > 0 && it.ID >= ids[len(ids)-1] {
					t.Fatalf("%+v: id %d after %d", f, it.ID, ids[len(ids)-1])
				}
				ids = append(ids, it.ID)
			}
			if p.Next == 0 {
				return ids
			}
			cursor = p.Next
		}
	}
	count := func(match func(n int) bool) (n int) {
		for i := range 400 {
			if match(i) {
				n++
			}
		}
		return n
	}
	state := Solved
	if err := s.SetState(ctx, "o", r[5].ID, Solved, time.Time{}, "Done By Bob"); err != nil {
		t.Fatal(err)
	}
	for _, flushed := range []bool{false, true} {
		if flushed {
			flush(t, s)
		}
		for _, c := range []struct {
			f    Filter
			want int
		}{
			{Filter{}, 400},
			{Filter{Device: "mac:02:00:00:00:00:03"}, count(func(n int) bool { return n%50 == 3 })},
			{Filter{Device: "mac:02:00:00:00:00:ff"}, 0},
			{Filter{Category: event.Scan}, count(func(n int) bool { return n%4 == 2 })},
			{Filter{Category: event.Flood}, 0},
			{Filter{MinLevel: event.Likely}, count(func(n int) bool { return n%3 >= 1 })},
			{Filter{MinLevel: event.Confirmed, Action: "would_block"}, count(func(n int) bool { return n%3 == 2 })},
			{Filter{Action: "blocked"}, count(func(n int) bool { return n%3 == 1 })},
			{Filter{Action: "blocked", Category: event.Mining, Device: "mac:02:00:00:00:00:04"}, count(func(n int) bool { return n%3 == 1 && n%4 == 0 && n%50 == 4 })},
			{Filter{Since: t0.Add(100 * time.Second)}, 300},
			{Filter{Until: t0.Add(100 * time.Second)}, 100},
			{Filter{Since: t0.Add(50 * time.Second), Until: t0.Add(100 * time.Second)}, 50},
			{Filter{Since: t0.Add(500 * time.Hour)}, 0},
			{Filter{Until: t0.Add(-500 * time.Hour)}, 0},
			{Filter{Text: "WORKER399"}, 1},
			{Filter{Text: "by bob"}, 1},
			{Filter{State: &state}, 1},
		} {
			for _, limit := range []int{3, 500} {
				if got := len(seen(c.f, limit)); got != c.want {
					t.Errorf("flushed %v, %+v by %d: %d records, want %d", flushed, c.f, limit, got, c.want)
				}
			}
		}
	}
	if n := len(seen(Filter{Events: true}, 7)); n != 410 {
		t.Errorf("with events %d", n)
	}
	if n := len(seen(Filter{Type: "device", Device: "mac:02:00:00:00:00:03"}, 7)); n != 10 {
		t.Errorf("events of the device %d", n)
	}
}

// TestScanBound: a page that must look at too much ends early, and the cursor
// goes on.
func TestScanBound(t *testing.T) {
	s := open(t, Config{})
	add(t, s, 0, scanCost/textCost+200)
	p, err := s.Timeline(context.Background(), Filter{Text: "worker0\""}, 0, 10)
	if err != nil || len(p.Items) != 0 || p.Next == 0 {
		t.Fatalf("first page %d items, next %d, %v", len(p.Items), p.Next, err)
	}
	p, err = s.Timeline(context.Background(), Filter{Text: "worker0\""}, p.Next, 10)
	if err != nil || len(p.Items) != 1 || p.Next != 0 {
		t.Fatalf("second page %d items, next %d, %v", len(p.Items), p.Next, err)
	}
}

func TestLongLine(t *testing.T) {
	ev := &event.Event{Time: t0.UnixNano(), Type: event.Alert, Finding: &event.Finding{Category: event.Odd, Signature: "x", Evidence: []event.Evidence{{Code: "c", Value: strings.Repeat("v", maxBody)}}}}
	f := FindingOf(&event.EVE{}, ev, Where{})
	if len(f.EVE) > maxBody || len(f.EVE) < 50 {
		t.Errorf("line of %d bytes", len(f.EVE))
	}
	s := open(t, Config{})
	if _, err := s.AddFinding(context.Background(), f); err != nil {
		t.Error(err)
	}
	f.EVE = make([]byte, maxBody+1)
	if _, err := s.AddFinding(context.Background(), f); !errors.Is(err, ErrTooBig) {
		t.Errorf("too long a line: %v", err)
	}
}
