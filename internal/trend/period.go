package trend

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxYears bounds a period: figures older than that are not kept.
const maxYears = 50

// Period reads what an owner writes for the two ends of a report, in the zone
// of now. An end is a day ("2026-09-04"), a month ("2026-09"), a year
// ("2026"), a time ago ("30d", "12w", "6m", "1y") or "now". from is the first
// moment of what it names; to is inclusive: the period lasts to the end of the
// day, month or year it names. Empty: the last thirty days, until now. The
// error names the value and what to write instead.
func Period(from, to string, now time.Time) (a, b time.Time, err error) {
	b = now
	if to != "" {
		if _, b, err = end(to, now); err != nil {
			return a, b, fmt.Errorf("the end of the period: %w", err)
		}
	}
	a = startOfDay(b.Add(-1)).AddDate(0, 0, -29)
	if from != "" {
		if a, _, err = end(from, now); err != nil {
			return a, b, fmt.Errorf("the beginning of the period: %w", err)
		}
	}
	if !a.Before(b) {
		return a, b, fmt.Errorf("the period begins (%s) after it ends (%s); swap the two", a.Format(time.DateOnly), b.Add(-1).Format(time.DateOnly))
	}
	if a.AddDate(maxYears, 0, 0).Before(b) {
		return a, b, fmt.Errorf("the period is longer than %d years; choose a shorter one", maxYears)
	}
	return a, b, nil
}

// Before returns when the period begins that ends at from and is as long as from …
// to: as many months where both are the first moment of one, else as many days
// of the calendar (a day on which clocks change is one) and what is beyond them.
func Before(from, to time.Time) time.Time {
	to = to.In(from.Location())
	if startOfMonth(from).Equal(from) && startOfMonth(to).Equal(to) {
		return from.AddDate(0, -(12*(to.Year()-from.Year()) + int(to.Month()-from.Month())), 0)
	}
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	n := int(day(to).Sub(day(from)) / (24 * time.Hour))
	rest := to.Sub(from.AddDate(0, 0, n))
	if rest < 0 {
		n--
		rest = to.Sub(from.AddDate(0, 0, n))
	}
	return from.AddDate(0, 0, -n).Add(-rest)
}

func startOfMonth(t time.Time) time.Time {
	_, s, _ := monthOf(t)
	return s
}

func startOfDay(t time.Time) time.Time {
	_, s, _ := dayOf(t)
	return s
}

// end returns the first moment of what s names, and the first after it.
func end(s string, now time.Time) (first, after time.Time, err error) {
	if s == "now" {
		return now, now, nil
	}
	for _, f := range []struct {
		layout string
		of     span
	}{{time.DateOnly, dayOf}, {"2006-01", monthOf}, {"2006", yearOf}} {
		if t, err := time.ParseInLocation(f.layout, s, now.Location()); err == nil {
			_, first, after = f.of(t)
			return first, after, nil
		}
	}
	if n, err := strconv.Atoi(s[:len(s)-1]); err == nil && n > 0 && n < 100000 {
		d := startOfDay(now)
		switch s[len(s)-1] {
		case 'd':
			d = d.AddDate(0, 0, -n)
		case 'w':
			d = d.AddDate(0, 0, -7*n)
		case 'm':
			d = d.AddDate(0, -n, 0)
		case 'y':
			d = d.AddDate(-n, 0, 0)
		default:
			return first, after, wrong(s)
		}
		return d, d.AddDate(0, 0, 1), nil
	}
	return first, after, wrong(s)
}

func yearOf(t time.Time) (string, time.Time, time.Time) {
	s := time.Date(t.Year(), 1, 1, 0, 0, 0, 0, t.Location())
	return s.Format("2006"), s, s.AddDate(1, 0, 0)
}

func wrong(s string) error {
	return fmt.Errorf("%q is no date; write a day (2026-09-04), a month (2026-09), a year (2026), or a time ago (30d, 12w, 6m, 1y)", strings.ToValidUTF8(s, "?"))
}
