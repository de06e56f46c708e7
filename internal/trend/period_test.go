package trend

import (
	"strings"
	"testing"
	"time"
)

func TestPeriod(t *testing.T) {
	tokyo := time.FixedZone("JST", 9*3600)
	now := time.Date(2026, 3, 31, 15, 4, 5, 0, tokyo)
	for _, tt := range []struct{ from, to, want string }{
		{"", "", "2026-03-02 00:00 2026-03-31 15:04"},
		{"2026-02", "", "2026-02-01 00:00 2026-03-31 15:04"},
		{"2026-02", "2026-02", "2026-02-01 00:00 2026-03-01 00:00"},
		{"2025", "2025", "2025-01-01 00:00 2026-01-01 00:00"},
		{"2026-03-01", "2026-03-01", "2026-03-01 00:00 2026-03-02 00:00"},
		{"", "2026-01", "2026-01-02 00:00 2026-02-01 00:00"},
		{"7d", "now", "2026-03-24 00:00 2026-03-31 15:04"},
		{"2w", "1d", "2026-03-17 00:00 2026-03-31 00:00"},
		{"6m", "", "2025-10-01 00:00 2026-03-31 15:04"}, // 31 September is 1 October
		{"1y", "", "2025-03-31 00:00 2026-03-31 15:04"},
	} {
		a, b, err := Period(tt.from, tt.to, now)
		const f = "2006-01-02 15:04"
		if got := a.Format(f) + " " + b.Format(f); err != nil || got != tt.want || a.Location() != tokyo {
			t.Errorf("%q … %q: %s, %v; want %s", tt.from, tt.to, got, err, tt.want)
		}
	}
	for _, tt := range []struct{ from, to, want string }{
		{"tomorrow", "", `"tomorrow" is no date; write a day`},
		{"2026-13", "", "is no date"},
		{"", "0d", "the end of the period"},
		{"3x", "", "is no date"},
		{"d", "", "is no date"},
		{"2026-03-02", "2026-03-01", "swap the two"},
		{"now", "now", "swap the two"},
		{"99y", "", "longer than 50 years"},
	} {
		if _, _, err := Period(tt.from, tt.to, now); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q … %q: %v, want %q", tt.from, tt.to, err, tt.want)
		}
	}
}

func FuzzPeriod(f *testing.F) {
	f.Add("2026", "2026-02")
	f.Add("é", "9d")
	f.Fuzz(func(t *testing.T, from, to string) {
		if a, b, err := Period(from, to, monday); err == nil && !a.Before(b) {
			t.Errorf("%q … %q: %v … %v", from, to, a, b)
		}
	})
}
