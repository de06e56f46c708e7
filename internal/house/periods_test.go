package house

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/store"
	"github.com/yamori-net/yamori/internal/trend"
)

// happened is what a test counts by hand.
type happened struct {
	at   time.Time
	cat  event.Category
	done string
	n    int64
}

// years opens a home in a zone with two and a half years of events, which end
// at now.
func years(t *testing.T, zone string, now time.Time) (*House, []happened, *time.Location) {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	h, err := Open(Config{Store: store.Config{Dir: t.TempDir()}, HomeNet: device.DefaultHome(), Location: loc,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: func() time.Time { return now }, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	r := rand.New(rand.NewPCG(2026, 11))
	var all []happened
	add := func(at time.Time, cat event.Category, done string, n int64) {
		all = append(all, happened{at, cat, done, n})
		err := h.Store.Count(context.Background(), store.Finding{Time: at, Category: cat, Kind: "camera", Level: event.Confirmed, Action: done, Direction: store.Outbound}, n)
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 4000 {
		cat := []event.Category{event.Mining, event.Scan, event.Botnet}[r.IntN(3)]
		add(now.Add(-time.Duration(r.Int64N(int64(900*24*time.Hour)))), cat, []string{"blocked", "allowed"}[r.IntN(2)], 1+r.Int64N(50))
	}
	// Around midnight, where the year, the month and the clocks change.
	for _, at := range []time.Time{time.Date(2026, 1, 1, 0, 0, 0, 0, loc), time.Date(2026, 3, 29, 1, 59, 0, 0, loc), time.Date(2026, 3, 29, 3, 0, 0, 0, loc),
		time.Date(2026, 10, 25, 2, 30, 0, 0, loc), time.Date(2026, 10, 25, 23, 59, 0, 0, loc), time.Date(2026, 11, 1, 0, 0, 0, 0, loc)} {
		add(at, event.Mining, "blocked", 1000)
		add(at.Add(-time.Millisecond), event.Scan, "allowed", 100)
	}
	if err := h.Store.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	return h, all, loc
}

func sum(all []happened, from, to time.Time, of func(*happened) bool) (n uint64) {
	for i := range all {
		if x := &all[i]; !x.at.Before(from) && x.at.Before(to) && of(x) {
			n += uint64(x.n)
		}
	}
	return n
}

func every(*happened) bool     { return true }
func mines(x *happened) bool   { return x.cat == event.Mining }
func stopped(x *happened) bool { return x.done == "blocked" }

// TestPeriods: what is counted of a period and of the one before it is what
// happened in them, wherever clocks change and months differ.
func TestPeriods(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Asia/Kolkata", "Australia/Lord_Howe"} {
		t.Run(zone, func(t *testing.T) {
			now := time.Date(2026, 11, 23, 15, 4, 5, 0, time.UTC)
			h, all, loc := years(t, zone, now)
			day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, loc) }
			type period struct{ before, from, to time.Time }
			list := []period{
				{day(2026, 2, 1), day(2026, 3, 1), day(2026, 4, 1)},       // a month beside the month before
				{day(2026, 9, 1), day(2026, 10, 1), day(2026, 11, 1)},     // clocks go back
				{day(2026, 3, 30), day(2026, 4, 29), day(2026, 5, 29)},    // the day after they went forward
				{day(2026, 10, 18), day(2026, 10, 25), day(2026, 11, 1)},  // a week
				{day(2026, 3, 28), day(2026, 3, 29), day(2026, 3, 30)},    // a day of 23 hours
				{day(2025, 12, 31), day(2026, 1, 1), day(2026, 1, 2)},     // over the year
				{day(2025, 12, 27), day(2026, 3, 7), day(2026, 5, 16)},    // ten weeks
				{day(2026, 11, 21), day(2026, 11, 22), day(2026, 11, 23)}, // yesterday
			}
			whole := len(list)
			if loc.String() != "Asia/Kolkata" && loc.String() != "Australia/Lord_Howe" { // hours that begin with a day
				nine := time.Date(2026, 11, 10, 9, 0, 0, 0, loc)
				list = append(list, period{nine.AddDate(0, 0, -4), nine, nine.AddDate(0, 0, 4)}, period{nine.Add(-5 * time.Hour), nine, nine.Add(5 * time.Hour)},
					period{day(2026, 11, 19).Add(9 * time.Hour), day(2026, 11, 21), day(2026, 11, 22).Add(15 * time.Hour)})
			}
			for i, p := range list {
				if got := trend.Before(p.from, p.to); !got.Equal(p.before) {
					t.Errorf("%v … %v: before begins at %v, want %v", p.from, p.to, got, p.before)
				}
				d, err := h.Figures(context.Background(), p.from, p.to)
				if err != nil {
					t.Fatal(err)
				}
				r := trend.Make(d)
				name := fmt.Sprintf("%v … %v", p.from, p.to)
				for _, x := range []struct {
					what      string
					got, want uint64
				}{
					{"all", r.Total.Count, sum(all, p.from, p.to, every)}, {"mining", r.Mining.Count, sum(all, p.from, p.to, mines)},
					{"blocked", r.Blocked, sum(all, p.from, p.to, stopped)}, {"outbound", r.Outbound, sum(all, p.from, p.to, every)},
					{"all before", *r.Total.Before, sum(all, p.before, p.from, every)}, {"mining before", *r.Mining.Before, sum(all, p.before, p.from, mines)},
					{"kinds", r.Kinds[0].Count, sum(all, p.from, p.to, every)}, {"kinds before", *r.Kinds[0].Before, sum(all, p.before, p.from, every)},
				} {
					if x.got != x.want {
						t.Errorf("%s: %s %d, want %d", name, x.what, x.got, x.want)
					}
				}
				for _, b := range [][]trend.Bucket{r.Months, r.Weeks, r.Days} {
					var n uint64
					for j, x := range b {
						end := p.to
						if j+1 < len(b) {
							end = b[j+1].Start
						}
						start := x.Start
						if start.Before(p.from) {
							start = p.from
						}
						if want := sum(all, start, end, every); x.Total != want {
							t.Errorf("%s: %s holds %d, want %d", name, x.Key, x.Total, want)
						}
						n += x.Total
					}
					if n != r.Total.Count {
						t.Errorf("%s: the parts hold %d of %d", name, n, r.Total.Count)
					}
				}
				if i < whole && r.Total.Growth != nil {
					want := float64(r.Total.Count)/float64(*r.Total.Before) - 1
					if g := *r.Total.Growth; g < want-1e-9 || g > want+1e-9 {
						t.Errorf("%s: growth %v, want %v", name, g, want)
					}
				}
			}
		})
	}
}

// TestOldPeriods: where days are not kept any more, whole months are counted,
// none twice.
func TestOldPeriods(t *testing.T) {
	now := time.Date(2026, 11, 23, 15, 4, 5, 0, time.UTC)
	h, all, loc := years(t, "Europe/Berlin", now)
	ctx := context.Background()
	if _, err := h.Backend(quiet{}).Choices.ChangeSettings(ctx, api.SettingsChange{Retention: map[string]int{"days": 60}}); err != nil {
		t.Fatal(err)
	}
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, loc) }
	for _, p := range []struct {
		from, to         time.Time // asked
		first, now, then time.Time // what is counted before, and of the period
		coarse           bool
	}{
		{day(2026, 7, 1), day(2026, 10, 1), day(2026, 4, 1), day(2026, 7, 1), day(2026, 10, 1), true}, // a quarter: as many months
		{day(2026, 7, 10), day(2026, 7, 20), day(2026, 6, 1), day(2026, 7, 1), day(2026, 8, 1), true}, // ten days: their month
		{day(2025, 1, 1), day(2026, 1, 1), day(2024, 1, 1), day(2025, 1, 1), day(2026, 1, 1), true},   // a year
		{day(2026, 11, 1), day(2026, 11, 20), day(2026, 10, 13), day(2026, 11, 1), day(2026, 11, 20), false},
		// What lies before is kept by the month until September: from the month
		// that begins nearest.
		{day(2026, 10, 10), day(2026, 11, 23), day(2026, 9, 1), day(2026, 10, 10), day(2026, 11, 23), false},
	} {
		d, err := h.Figures(ctx, p.from, p.to)
		if err != nil {
			t.Fatal(err)
		}
		r := trend.Make(d)
		if d.Coarse != p.coarse || r.Total.Count != sum(all, p.now, p.then, every) || r.Total.Before == nil || *r.Total.Before != sum(all, p.first, p.now, every) {
			t.Errorf("%v … %v: %t %d beside %d, want %t %d beside %d", p.from, p.to, d.Coarse, r.Total.Count, *r.Total.Before, p.coarse, sum(all, p.now, p.then, every), sum(all, p.first, p.now, every))
		}
	}
}

// TestCalled: a device without a name is told from others, and found by its
// address.
func TestCalled(t *testing.T) {
	ip := packet.AddrFrom4([]byte{192, 168, 1, 7})
	for _, c := range []struct {
		d    device.Device
		want string
	}{
		{device.Device{ID: "mac:02", Name: "Garden", Maker: "D-Link", Addresses: []packet.Addr{ip}}, "Garden"},
		{device.Device{ID: "mac:02", Maker: "D-Link", Model: "DCS-935L", Addresses: []packet.Addr{ip}}, "D-Link DCS-935L (192.168.1.7)"},
		{device.Device{ID: "mac:02", Maker: "D-Link"}, "D-Link"},
		{device.Device{ID: "mac:02", Addresses: []packet.Addr{ip}}, ""},
	} {
		if got := called(&c.d); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	h := open(t, t.TempDir())
	defer h.Close()
	joined(h)
	for text, want := range map[string]int{"192.168.1.7": 1, "02:00:00:00:00:CC": 1, "GARDEN": 1, "192.168.9": 0} {
		l, _, err := h.Backend(quiet{}).Devices.Devices(context.Background(), api.DeviceQuery{Text: text}, api.Page{Limit: 10})
		if err != nil || len(l) != want {
			t.Errorf("%s: %d devices, %v", text, len(l), err)
		}
	}
}
