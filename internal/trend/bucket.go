package trend

import (
	"fmt"
	"time"

	"github.com/yamori-net/yamori/internal/event"
)

// span names the bucket that holds t, and says when that and the next begin.
type span func(t time.Time) (key string, start, next time.Time)

func monthOf(t time.Time) (string, time.Time, time.Time) {
	s := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, t.Location())
	return s.Format("2006-01"), s, s.AddDate(0, 1, 0)
}

// weekOf follows ISO 8601: weeks begin on Monday and belong to the year of
// their Thursday.
func weekOf(t time.Time) (string, time.Time, time.Time) {
	s := time.Date(t.Year(), t.Month(), t.Day()-(int(t.Weekday())+6)%7, 0, 0, 0, 0, t.Location())
	y, w := t.ISOWeek()
	return fmt.Sprintf("%d-W%02d", y, w), s, s.AddDate(0, 0, 7)
}

func dayOf(t time.Time) (string, time.Time, time.Time) {
	s := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
	return s.Format(time.DateOnly), s, s.AddDate(0, 0, 1)
}

// manyBuckets is from how many on the empty ones before the first event are
// left out for people: nobody wants to read that nothing is known of 2003.
const manyBuckets = 25

// begun is the list from its first event on, when it is long.
func begun(list []Bucket) []Bucket {
	for i := 0; len(list) >= manyBuckets && i < len(list); i++ {
		if list[i].Total > 0 {
			return list[min(i, len(list)-2):]
		}
	}
	return list
}

// buckets cuts the report's time into spans, empty ones included, so that a
// quiet month is seen as one. More than most buckets: none.
func buckets(d *Data, of span, most int) []Bucket {
	out := []Bucket{}
	at := map[string]int{}
	if !d.To.After(d.From) {
		return out
	}
	for t := d.From; t.Before(d.To); {
		key, start, next := of(t)
		if len(out) == most || len(out) > 12*200 {
			return []Bucket{}
		}
		at[key] = len(out)
		out = append(out, Bucket{Key: key, Start: start, Categories: map[event.Category]uint64{}})
		t = next
	}
	for _, x := range d.Rows {
		key, _, _ := of(x.Start.In(d.From.Location()))
		i, ok := at[key]
		if !ok {
			continue // outside of the report's time
		}
		b := &out[i]
		b.Total += x.Count
		b.Categories[x.Category] += x.Count
		if x.Category == event.Mining {
			b.Mining += x.Count
		}
		if x.Blocked {
			b.Blocked += x.Count
		}
	}
	for i := range out {
		out[i].MiningShare = part(out[i].Mining, out[i].Total)
		if i > 0 {
			out[i].Growth = Growth(out[i-1].Mining, out[i].Mining)
		}
	}
	return out
}
