package house

import (
	"context"
	"time"

	"github.com/yamori-net/yamori/internal/store"
)

// piece is a part of a period, counted in buckets of one size: the store's
// hours, days or months, whole ones.
type piece struct {
	from, to time.Time
	bucket   store.Bucket
}

// daysFrom says since when there are figures by the day.
func (h *House) daysFrom(ctx context.Context) (time.Time, error) {
	t := h.cfg.Now().Add(48*time.Hour - h.settings.retention().Days) // a round of tidying may be near
	kept, err := h.Store.DaysKept(ctx)
	if kept.After(t) { // others left sooner, to make room
		t = kept
	}
	return t, err
}

// pieces cuts a period, whose days are kept since the given time, into what the
// store counts.
func (h *House) pieces(ctx context.Context, from, to, days time.Time) ([]piece, error) {
	loc := h.zone()
	from, to = from.In(loc), to.In(loc)
	if from.Before(days) {
		return monthly(from, to, days.In(loc)), nil
	}
	// A day of which the period holds a part is counted by the hour, as long as
	// hours are kept. What lies ahead needs no parting.
	var head, tail []piece
	if first := midnight(from, 0); first.Before(from) {
		end := midnight(from, 1)
		ok, err := h.hourly(ctx, first, end)
		if err != nil {
			return nil, err
		}
		if end.After(to) {
			end = to
		}
		if ok {
			head, from = []piece{{from, end, store.Hour}}, end
		} else {
			from = first
		}
	}
	if last := midnight(to, 0); from.Before(last) && last.Before(to) && to.Before(h.cfg.Now().Add(-time.Hour)) {
		ok, err := h.hourly(ctx, last, midnight(to, 1))
		if err != nil {
			return nil, err
		}
		if ok {
			tail, to = []piece{{last, to, store.Hour}}, last
		}
	}
	if from.Before(to) {
		head = append(head, piece{from, to, store.Day})
	}
	return append(head, tail...), nil
}

// monthly cuts a period whose first days are not kept any more: whole months,
// the nearest to where it begins, then days as soon as they are kept.
func monthly(from, to, days time.Time) []piece {
	first := month(from, 0)
	if next := month(from, 1); next.Sub(from) < from.Sub(first) && next.Before(to) {
		first = next
	}
	then := days // days begin with a month, or within the one that is cut off
	if m := month(days, 0); m.Before(days) {
		if then = month(days, 1); then.After(to) {
			then = m
		}
	}
	if !then.Before(to) {
		return []piece{{first, to, store.Month}}
	}
	var out []piece
	if first.Before(then) {
		out = append(out, piece{first, then, store.Month})
	}
	if then.Before(days) {
		then = days
	}
	return append(out, piece{then, to, store.Day})
}

// hourly reports whether the hours from a to b are all that the days between
// hold: hours leave earlier, and where days do not begin with one they do not
// add up.
func (h *House) hourly(ctx context.Context, a, b time.Time) (bool, error) {
	var n [2]int64
	for i, bucket := range [...]store.Bucket{store.Hour, store.Day} {
		t, err := h.Store.Trends(ctx, store.TrendQuery{From: a, To: b, Bucket: bucket})
		if err != nil {
			return false, err
		}
		n[i] = t.Total
	}
	return n[0] == n[1], nil
}

func midnight(t time.Time, days int) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day()+days, 0, 0, 0, 0, t.Location())
}

func month(t time.Time, months int) time.Time {
	return time.Date(t.Year(), t.Month()+time.Month(months), 1, 0, 0, 0, 0, t.Location())
}
