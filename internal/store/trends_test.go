package store

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/event"
)

// TestTrends counts over days, weeks and months of a home in Japan.
func TestTrends(t *testing.T) {
	ctx := context.Background()
	tokyo := time.FixedZone("JST", 9*3600)
	s := open(t, Config{Location: tokyo})
	at := func(m time.Month, d, h int) time.Time { return time.Date(2026, m, d, h, 0, 0, 0, tokyo) }
	for _, c := range []struct {
		t   time.Time
		cat event.Category
		kin string
		n   int64
	}{
		{at(4, 30, 23), event.Mining, "camera", 10}, {at(5, 1, 0), event.Mining, "camera", 20}, {at(5, 3, 23), event.Scan, "tv", 5}, // a Sunday
		{at(5, 4, 1), event.Scan, "tv", 7}, {at(5, 31, 23), event.Botnet, "camera", 1}, {at(6, 1, 0), event.Mining, "computer", 100},
	} {
		if err := s.Count(ctx, Finding{Time: c.t, Category: c.cat, Kind: c.kin, Level: event.Confirmed, Action: "blocked", ASN: 64500, Country: "JP", Direction: Outbound}, c.n); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, s)
	type point struct {
		start string
		keys  string
		n     int64
	}
	for _, c := range []struct {
		name string
		q    TrendQuery
		want []point
	}{
		{"months", TrendQuery{From: at(4, 1, 0), To: at(7, 1, 0), Bucket: Month}, []point{{"2026-04-01", "", 10}, {"2026-05-01", "", 33}, {"2026-06-01", "", 100}}},
		{"month by category", TrendQuery{From: at(5, 10, 0), To: at(5, 11, 0), Bucket: Month, By: []Dim{ByCategory}}, []point{{"2026-05-01", "mining", 20}, {"2026-05-01", "scan", 12}, {"2026-05-01", "botnet", 1}}},
		{"days", TrendQuery{From: at(5, 1, 0), To: at(5, 5, 0), Bucket: Day}, []point{{"2026-05-01", "", 20}, {"2026-05-03", "", 5}, {"2026-05-04", "", 7}}},
		{"weeks begin on Monday", TrendQuery{From: at(5, 1, 0), To: at(5, 5, 0), Bucket: Week}, []point{{"2026-04-27", "", 35}, {"2026-05-04", "", 7}}},
		{"whole", TrendQuery{From: at(5, 1, 0), To: at(6, 1, 0), By: []Dim{ByKind, ByCategory}, Where: Select{Action: "blocked", MinLevel: event.Likely, ASN: 64500, Country: "JP", Direction: Outbound}},
			[]point{{"2026-05-01", "camera mining", 20}, {"2026-05-01", "tv scan", 12}, {"2026-05-01", "camera botnet", 1}}},
		{"other", TrendQuery{From: at(4, 1, 0), To: at(7, 1, 0), By: []Dim{ByCategory}, Top: 1}, []point{{"2026-04-01", "mining", 130}, {"2026-04-01", "other", 13}}},
		{"hours", TrendQuery{From: at(5, 4, 0), To: at(5, 4, 2), Bucket: Hour, By: []Dim{ByASN}}, []point{{"2026-05-04", "AS64500", 7}}},
		{"of nothing", TrendQuery{From: at(5, 1, 0), To: at(6, 1, 0), Where: Select{Family: "never seen"}}, nil},
	} {
		got, err := s.Trends(ctx, c.q)
		if err != nil || len(got.Rows) != len(c.want) {
			t.Errorf("%s: %+v, %v", c.name, got.Rows, err)
			continue
		}
		for i, w := range c.want {
			r := got.Rows[i]
			keys := ""
			for j, k := range r.Keys {
				if j > 0 {
					keys += " "
				}
				keys += k
			}
			if r.Start.Format(time.DateOnly) != w.start || keys != w.keys || r.Count != w.n {
				t.Errorf("%s: row %d is %v %q %d, want %v", c.name, i, r.Start, keys, r.Count, w)
			}
		}
	}
	g, err := s.Growth(ctx, Period{at(4, 1, 0), at(5, 1, 0)}, Period{at(6, 1, 0), at(7, 1, 0)}, ByKind, Select{Category: event.Mining})
	if err != nil || len(g) != 2 || g[0] != (GrowthRow{Key: "computer", After: 100, New: true}) || g[1] != (GrowthRow{Key: "camera", Before: 10, Change: -1}) {
		t.Errorf("growth %+v, %v", g, err)
	}
	for _, q := range []TrendQuery{{}, {From: at(5, 2, 0), To: at(5, 1, 0)}, {From: at(5, 1, 0), To: at(5, 2, 0), By: []Dim{99}}, {From: at(5, 1, 0), To: at(5, 2, 0), By: []Dim{1, 2, 3}}} {
		if _, err := s.Trends(ctx, q); err == nil {
			t.Errorf("%+v is answered", q)
		}
	}
}

// TestLocation: what was not counted before a kill is counted where the owner
// says that the home is; a home that moves counts on in its new place.
func TestLocation(t *testing.T) {
	ctx := context.Background()
	s := open(t, Config{})
	if _, err := s.Put(ctx, "", "settings", "owner", []byte(`"JST"`), AnyVersion); err != nil {
		t.Fatal(err)
	}
	f := testFinding(1)
	f.Time = time.Date(2026, 1, 31, 20, 0, 0, 0, time.UTC) // February in Japan
	if _, err := s.AddFinding(ctx, f); err != nil {
		t.Fatal(err)
	}
	killed := t.TempDir() // as the disk is now: the finding is there, its figures are not
	if err := os.CopyFS(killed, os.DirFS(s.cfg.Dir)); err != nil {
		t.Fatal(err)
	}
	tokyo := time.FixedZone("JST", 9*3600)
	for name, in := range map[string]func(func(bucket, key string) []byte) *time.Location{
		"January": nil,
		"February": func(get func(bucket, key string) []byte) *time.Location {
			return map[string]*time.Location{`"JST"`: tokyo}[string(get("settings", "owner"))]
		},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(killed)); err != nil {
			t.Fatal(err)
		}
		x := open(t, Config{Dir: dir, LocationIn: in})
		got, err := x.Trends(ctx, TrendQuery{From: f.Time, To: f.Time.Add(time.Hour), Bucket: Month})
		if err != nil || len(got.Rows) != 1 || got.Rows[0].Start.Month().String() != name {
			t.Errorf("%s: %+v, %v", name, got.Rows, err)
		}
		if name == "January" {
			x.SetLocation(tokyo)
			f2 := testFinding(2)
			f2.Time = f.Time
			if _, err := x.AddFinding(ctx, f2); err != nil {
				t.Fatal(err)
			}
			flush(t, x)
			got, err := x.Trends(ctx, TrendQuery{From: f.Time.AddDate(0, -1, 0), To: f.Time.Add(time.Hour), Bucket: Month})
			if err != nil || len(got.Rows) != 2 || got.Rows[1].Count != 1 || got.Rows[1].Start.Month() != time.February {
				t.Errorf("after the move: %+v, %v", got.Rows, err)
			}
		}
	}
}

// TestDaysKept: days that left are told from days on which nothing happened.
func TestDaysKept(t *testing.T) {
	ctx := context.Background()
	tokyo := time.FixedZone("JST", 9*3600)
	day := func(m time.Month, d int) time.Time { return time.Date(2026, m, d, 0, 0, 0, 0, tokyo) }
	s := open(t, Config{Location: tokyo})
	check := func(what string, want time.Time) {
		t.Helper()
		if got, err := s.DaysKept(ctx); err != nil || !got.Equal(want) {
			t.Errorf("%s: days are kept since %v (%v), want %v", what, got, err, want)
		}
	}
	check("nothing counted", time.Time{})
	for _, at := range []time.Time{day(1, 5), day(2, 3), day(2, 20), day(4, 10)} {
		if err := s.Count(ctx, Finding{Time: at.Add(time.Hour), Category: event.Scan}, 3); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, s)
	check("all there", time.Time{})
	drop := func(before time.Time) {
		t.Helper()
		err := s.do(ctx, &request{durable: true, run: func() error {
			return s.w.exec("DELETE FROM rollup WHERE grain=? AND bucket<?", grainDay, bucketOf(before, tokyo)[grainDay])
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	drop(day(2, 1))
	check("January left", day(2, 1)) // not the third, on which something happened again
	drop(day(2, 10))
	check("a part of February left", day(2, 20))
	drop(day(3, 1))
	check("February left", day(3, 1)) // March was quiet
	tr, err := s.Trends(ctx, TrendQuery{From: day(3, 5), To: day(4, 5), Bucket: Whole})
	if err != nil || tr.Total != 0 {
		t.Errorf("a quiet month after one that left holds %d, %v", tr.Total, err)
	}
	drop(day(12, 1))
	check("all days left", day(5, 1))
}
