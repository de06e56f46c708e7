package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/policy"
)

const untilMorning = "until-morning"

// howLong reads a time to last: "15m", "1h30m", "2d", "1w", "until-morning".
// Empty: 0, for good.
func howLong(s string, now time.Time) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	if s == untilMorning || s == "morning" {
		return policy.UntilMorning(now), nil
	}
	d, ok := stretch(s)
	switch {
	case !ok:
		return 0, usage(fmt.Errorf("%q is no time to last; write 15m, 1h, 2d, 1w or %s", plain(s), untilMorning))
	case d < time.Second:
		return 0, usage(fmt.Errorf("%q is no time to last; it must be a second at least", plain(s)))
	case d > policy.MaxFor:
		return 0, usage(fmt.Errorf("%q is longer than ten years; leave it out for good", plain(s)))
	}
	return d, nil
}

// stretch reads a duration with days and weeks too.
func stretch(s string) (time.Duration, bool) {
	day := 24 * time.Hour
	for _, u := range []struct {
		name string
		d    time.Duration
	}{{"w", 7 * day}, {"d", day}} {
		if n, ok := strings.CutSuffix(s, u.name); ok {
			k, err := strconv.ParseFloat(n, 64)
			if err != nil || !(k > 0) || k > 1e5 {
				return 0, false
			}
			return time.Duration(k * float64(u.d)), true
		}
	}
	d, err := time.ParseDuration(s)
	return d, err == nil && d > 0
}

// when reads a moment: a time, a day, today, yesterday, or how long ago.
func when(flag, s string, now time.Time) (time.Time, error) {
	switch s {
	case "":
		return time.Time{}, nil
	case "now":
		return now, nil
	case "today":
		return midnight(now, 0), nil
	case "yesterday":
		return midnight(now, -1), nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04", time.DateTime} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	if d, ok := stretch(s); ok {
		return now.Add(-d), nil
	}
	return now, usage(fmt.Errorf("--%s %q is no time; write a day (2026-09-04), a time (\"2026-09-04 18:30\"), today, yesterday, or how long ago (2h, 7d)", flag, plain(s)))
}

func midnight(t time.Time, days int) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day()+days, 0, 0, 0, 0, t.Location())
}

// stamp writes a time for people, where the home is.
func (a *asker) stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(a.now.Location()).Format("2006-01-02 15:04")
}

// zoneTime bounds how long the daemon is asked where the home is.
const zoneTime = 2 * time.Second

// atHome makes days begin where the owner says that the home is; a daemon that
// does not answer leaves the machine's own zone.
func (a *asker) atHome(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, zoneTime)
	defer cancel()
	s, err := a.c.Settings(ctx)
	if err != nil || s.TimeZone == "" {
		return
	}
	if loc, err := time.LoadLocation(s.TimeZone); err == nil {
		a.now = a.now.In(loc)
	}
}

// rfc writes a time for programs.
func rfc(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

var (
	dayNames   = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	dayNamesJA = [7]string{"日", "月", "火", "水", "木", "金", "土"}
)

func weekday(s string) int {
	for i := range dayNames {
		if len(s) >= 3 && strings.HasPrefix(strings.ToLower(s), dayNames[i]) || s == dayNamesJA[i] || s == dayNamesJA[i]+"曜" || s == dayNamesJA[i]+"曜日" {
			return i
		}
	}
	return -1
}

// schedule reads "mon-fri 21:00-06:00", several apart by semicolons. Days may
// be left out, or be "daily".
func schedule(s string) (*api.Schedule, error) {
	bad := func(why string) error {
		return usage(fmt.Errorf(`schedule %q: %s; write it like "mon-fri 21:00-06:00; sat,sun 23:00-08:00"`, plain(s), why))
	}
	out := &api.Schedule{}
	for part := range strings.SplitSeq(s, ";") {
		f := strings.Fields(part)
		if len(f) == 1 {
			f = []string{"daily", f[0]}
		}
		if len(f) != 2 {
			return nil, bad("days and times are needed")
		}
		days, ok := daySet(f[0])
		if !ok {
			return nil, bad(strconv.Quote(f[0]) + " are no days")
		}
		a, b, _ := strings.Cut(f[1], "-")
		from, ok1 := minute(a)
		to, ok2 := minute(b)
		if to == 0 {
			to = 24 * 60
		}
		if !ok1 || !ok2 || from == 24*60 || from == to {
			return nil, bad(strconv.Quote(f[1]) + " is no stretch of a day")
		}
		out.Slots = append(out.Slots, api.Slot{Days: days, From: from, To: to})
	}
	if len(out.Slots) > policy.MaxSlots {
		return nil, bad(fmt.Sprintf("at most %d parts", policy.MaxSlots))
	}
	return out, nil
}

func daySet(s string) (set int, ok bool) {
	if s == "daily" || s == "毎日" {
		return 1<<7 - 1, true
	}
	for part := range strings.SplitSeq(s, ",") {
		a, b, isRange := strings.Cut(part, "-")
		from := weekday(a)
		to := from
		if isRange {
			to = weekday(b)
		}
		if from < 0 || to < 0 {
			return 0, false
		}
		for d := from; ; d = (d + 1) % 7 {
			set |= 1 << d
			if d == to {
				break
			}
		}
	}
	return set, true
}

func minute(s string) (int, bool) {
	h, m, ok := strings.Cut(s, ":")
	if !ok {
		m = "0"
	}
	x, err1 := strconv.ParseUint(h, 10, 8)
	y, err2 := strconv.ParseUint(m, 10, 8)
	n := int(x*60 + y)
	return n, err1 == nil && err2 == nil && y < 60 && n <= 24*60
}

// scheduleText writes a schedule as schedule reads it.
func (a *asker) scheduleText(s *api.Schedule) string {
	names := dayNames
	if a.lang == "ja" {
		names = dayNamesJA
	}
	var out []string
	for _, sl := range s.Slots {
		var days []string
		for i := 0; i < 7; {
			d := (i + 1) % 7 // weeks begin on Monday here
			if sl.Days>>d&1 == 0 {
				i++
				continue
			}
			j := i
			for j+1 < 7 && sl.Days>>((j+2)%7)&1 == 1 {
				j++
			}
			switch j - i {
			case 0:
				days = append(days, names[d])
			case 1:
				days = append(days, names[d], names[(j+1)%7])
			default:
				days = append(days, names[d]+"-"+names[(j+1)%7])
			}
			i = j + 1
		}
		text := strings.Join(days, ",")
		if sl.Days == 1<<7-1 {
			text = a.t("daily", "毎日")
		}
		out = append(out, fmt.Sprintf("%s %02d:%02d-%02d:%02d", text, sl.From/60, sl.From%60, sl.To/60, sl.To%60))
	}
	return strings.Join(out, "; ")
}
