package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yamori-net/yamori/internal/event"
)

// Dim is what figures can be grouped by.
type Dim uint8

// Dimensions.
const (
	ByCategory Dim = iota + 1
	ByFamily
	ByKind
	ByDevice
	ByCountry
	ByASN
	ByAction
	ByLevel
	ByDirection
)

var dimColumns = [...]string{ByCategory: "category", ByFamily: "family", ByKind: "kind", ByDevice: "device", ByCountry: "country", ByASN: "asn", ByAction: "action", ByLevel: "level", ByDirection: "direction"}

// String returns the dimension's name in the API.
func (d Dim) String() string {
	if int(d) < len(dimColumns) {
		return dimColumns[d]
	}
	return ""
}

// ParseDim is the way back.
func ParseDim(word string) (Dim, bool) {
	for i, w := range dimColumns {
		if w == word && w != "" {
			return Dim(i), true
		}
	}
	return 0, false
}

// Bucket is how time is divided. Days begin at midnight where the home is,
// weeks on Monday.
type Bucket uint8

// Buckets. Whole gives one row for all of the time.
const (
	Whole Bucket = iota
	Hour
	Day
	Week
	Month
)

// Select narrows figures; zero fields take all.
type Select struct {
	Category  event.Category
	Family    string
	Kind      string
	Device    string
	Country   string
	ASN       uint32
	Action    string
	MinLevel  event.Level
	Direction Direction
}

// TrendQuery asks for figures. From and To are widened to whole buckets; of
// Whole, to whole months when both stand at the beginning of one or days are
// not kept that far back, else to whole days.
type TrendQuery struct {
	From, To time.Time
	Bucket   Bucket
	By       []Dim // at most two; none: totals
	Where    Select
	// Top bounds the groups (0: 100): the largest over the whole time stay,
	// the others are put together as "other".
	Top int
}

// TrendRow is one figure.
type TrendRow struct {
	Start time.Time // of the bucket
	Keys  []string  // in the order of By
	Count int64
}

// Trend is the answer: rows by Start, then the largest first.
type Trend struct {
	From, To time.Time // what the rows cover
	Rows     []TrendRow
	Total    int64
}

var errTrend = errors.New("store: figures need From before To and at most two dimensions")

// Trends counts from the figures alone: it takes no longer with more records.
func (s *Store) Trends(ctx context.Context, q TrendQuery) (Trend, error) {
	if !q.From.Before(q.To) || len(q.By) > 2 {
		return Trend{}, errTrend
	}
	var out Trend
	err := s.read(ctx, func(rd *reader) (err error) {
		out, err = rd.trends(q)
		return err
	})
	return out, err
}

// span is the buckets of a grain that a query covers.
type span struct {
	grain    int
	from, to int64 // inclusive
}

func (rd *reader) span(q TrendQuery) (span, error) {
	loc := rd.s.zone()
	a, b := bucketOf(q.From, loc), bucketOf(q.To.Add(-1), loc)
	switch q.Bucket {
	case Hour:
		return span{grainHour, a[grainHour], b[grainHour]}, nil
	case Day:
		return span{grainDay, a[grainDay], b[grainDay]}, nil
	case Week:
		from, to := monday(a[grainDay]), monday(b[grainDay])+6
		return span{grainDay, from, to}, nil
	case Month:
		return span{grainMonth, a[grainMonth], b[grainMonth]}, nil
	}
	if startOf(grainMonth, a[grainMonth], loc).Equal(q.From) && startOf(grainMonth, b[grainMonth]+1, loc).Equal(q.To) {
		return span{grainMonth, a[grainMonth], b[grainMonth]}, nil
	}
	days := span{grainDay, a[grainDay], b[grainDay]}
	before, err := rd.c.one("SELECT count(*) FROM (SELECT 1 FROM rollup WHERE grain=? AND bucket<=? LIMIT 1)", grainDay, a[grainDay])
	if err != nil || before > 0 { // what is older than from is kept, so all since then is
		return days, err
	}
	kept, some, err := rd.daysKept()
	if err == nil && some && a[grainDay] < kept {
		return span{grainMonth, a[grainMonth], b[grainMonth]}, nil
	}
	return days, err
}

// daysKept is the day since when the days hold all that the months hold; some:
// days before it have left. The oldest leave first. A day of which nothing is
// kept may also be one on which nothing happened, so the months are asked.
func (rd *reader) daysKept() (day int64, some bool, err error) {
	loc := rd.s.zone()
	days, err := rd.c.one("SELECT count(*) FROM (SELECT 1 FROM rollup WHERE grain=? LIMIT 1)", grainDay)
	if err != nil {
		return 0, false, err
	}
	if days == 0 {
		lost, err := rd.c.one("SELECT max(bucket) FROM rollup WHERE grain=?", grainMonth)
		return bucketOf(startOf(grainMonth, lost+1, loc), loc)[grainDay], lost != 0, err
	}
	if day, err = rd.c.one("SELECT min(bucket) FROM rollup WHERE grain=?", grainDay); err != nil {
		return 0, false, err
	}
	month := bucketOf(startOf(grainDay, day, loc), loc)[grainMonth]
	next := bucketOf(startOf(grainMonth, month+1, loc), loc)[grainDay]
	all, err := rd.c.one("SELECT sum(n) FROM rollup WHERE grain=? AND bucket=?", grainMonth, month)
	if err != nil {
		return 0, false, err
	}
	kept, err := rd.c.one("SELECT sum(n) FROM rollup WHERE grain=? AND bucket>=? AND bucket<?", grainDay, day, next)
	if err != nil || kept < all {
		return day, true, err
	}
	// Then only whole months lost theirs, the latest of them this one.
	lost, err := rd.c.one("SELECT max(bucket) FROM rollup WHERE grain=? AND bucket<?", grainMonth, month)
	if err != nil || lost == 0 {
		return day, false, err
	}
	return bucketOf(startOf(grainMonth, lost+1, loc), loc)[grainDay], true, nil
}

// DaysKept says since when figures by the day are kept. Before it there are
// those by the month alone. Zero: none have left yet.
func (s *Store) DaysKept(ctx context.Context) (since time.Time, err error) {
	err = s.read(ctx, func(rd *reader) error {
		day, some, err := rd.daysKept()
		if some {
			since = startOf(grainDay, day, s.zone())
		}
		return err
	})
	return since, err
}

// monday returns the day on which the week of a day begins; day 0 was a
// Thursday.
func monday(day int64) int64 { return day - ((day+3)%7+7)%7 }

// Trends are grouped in memory up to so many groups; what a query asks for is
// below, because buckets and cells are bounded.
const maxGroups = 100000

func (rd *reader) trends(q TrendQuery) (Trend, error) {
	sp, err := rd.span(q)
	if err != nil {
		return Trend{}, err
	}
	loc := rd.s.zone()
	out := Trend{From: startOf(sp.grain, sp.from, loc), To: startOf(sp.grain, sp.to+1, loc)}
	where, args, ok, err := rd.where(q.Where)
	if err != nil || !ok {
		return out, err
	}
	cols := []string{"0", "0"}
	for i, d := range q.By {
		if d == 0 || int(d) >= len(dimColumns) {
			return out, errTrend
		}
		cols[i] = dimColumns[d]
	}
	bucket := "bucket"
	switch q.Bucket {
	case Whole:
		bucket = "0"
	case Week:
		bucket = "bucket-((bucket+3)%7+7)%7"
	}
	sql := fmt.Sprintf("SELECT %s, %s, %s, sum(n) FROM rollup WHERE grain=? AND bucket BETWEEN ? AND ?%s GROUP BY 1, 2, 3 LIMIT %d", bucket, cols[0], cols[1], where, maxGroups)
	type group struct {
		bucket int64
		key    [2]int64
		n      int64
	}
	var groups []group
	sums := map[[2]int64]int64{}
	// The text depends on the question, so it is prepared anew each time.
	st, _, err := rd.c.db.Prepare(sql)
	if err != nil {
		return out, err
	}
	defer st.Close()
	for i, a := range append([]int64{int64(sp.grain), sp.from, sp.to}, args...) {
		if err := st.BindInt64(i+1, a); err != nil {
			return out, err
		}
	}
	for st.Step() {
		g := group{st.ColumnInt64(0), [2]int64{st.ColumnInt64(1), st.ColumnInt64(2)}, st.ColumnInt64(3)}
		groups = append(groups, g)
		sums[g.key] += g.n
		out.Total += g.n
	}
	if st.Err() != nil {
		return out, st.Err()
	}
	top := topKeys(sums, cmp.Or(q.Top, 100))
	names := map[[2]int64][]string{}
	at := map[string]int{}
	for _, g := range groups {
		keys, ok := names[g.key]
		if !ok {
			for i, d := range q.By {
				w := Other
				if top[g.key] {
					if w, err = rd.keyName(d, g.key[i]); err != nil {
						return out, err
					}
				}
				keys = append(keys, w)
			}
			names[g.key] = keys
		}
		start := out.From
		if q.Bucket != Whole {
			start = startOf(sp.grain, g.bucket, loc)
		}
		id := strconv.FormatInt(g.bucket, 10) + "\x00" + strings.Join(keys, "\x00")
		if i, ok := at[id]; ok {
			out.Rows[i].Count += g.n
			continue
		}
		at[id] = len(out.Rows)
		out.Rows = append(out.Rows, TrendRow{Start: start, Keys: keys, Count: g.n})
	}
	slices.SortStableFunc(out.Rows, func(a, b TrendRow) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(b.Count, a.Count), slices.Compare(a.Keys, b.Keys))
	})
	return out, nil
}

func topKeys(sums map[[2]int64]int64, n int) map[[2]int64]bool {
	keys := make([][2]int64, 0, len(sums))
	for k := range sums {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b [2]int64) int {
		return cmp.Or(cmp.Compare(sums[b], sums[a]), slices.Compare(a[:], b[:]))
	})
	out := map[[2]int64]bool{}
	for _, k := range keys[:min(n, len(keys))] {
		out[k] = true
	}
	return out
}

func (rd *reader) keyName(d Dim, id int64) (string, error) {
	switch d {
	case ByASN:
		if id == 0 {
			return "", nil
		}
		return "AS" + strconv.FormatInt(id, 10), nil
	case ByAction:
		return actionWords[min(max(id, 0), int64(len(actionWords)-1))], nil
	case ByLevel:
		return event.Level(id).String(), nil
	case ByDirection:
		return Direction(id).String(), nil
	}
	return rd.word(id)
}

// where returns the conditions of a selection; ok is false when a word of it
// occurs nowhere.
func (rd *reader) where(w Select) (sql string, args []int64, ok bool, err error) {
	var b strings.Builder
	add := func(cond string, v int64) {
		b.WriteString(" AND " + cond)
		args = append(args, v)
	}
	for _, x := range []struct{ col, word string }{{"category", string(w.Category)}, {"family", w.Family}, {"kind", w.Kind}, {"device", w.Device}, {"country", w.Country}} {
		if x.word == "" {
			continue
		}
		id, known, err := wordID(rd.c, x.word)
		if err != nil || !known {
			return "", nil, false, err
		}
		add(x.col+"=?", id)
	}
	if w.ASN != 0 {
		add("asn=?", int64(w.ASN))
	}
	if w.Action != "" {
		add("action=?", actionID(w.Action))
	}
	if w.MinLevel != 0 {
		add("level>=?", int64(w.MinLevel))
	}
	if w.Direction != 0 {
		add("direction=?", int64(w.Direction))
	}
	return b.String(), args, true, nil
}

// Period is a span of time: From inclusive, To exclusive.
type Period struct{ From, To time.Time }

// GrowthRow compares one group in two periods.
type GrowthRow struct {
	Key           string
	Before, After int64
	// Change is (After-Before)/Before; 0 when Before is 0 (see New).
	Change float64
	New    bool // nothing before, something after
}

// Growth compares two periods, by one dimension (0: in total), the largest of
// After first.
func (s *Store) Growth(ctx context.Context, before, after Period, by Dim, where Select) ([]GrowthRow, error) {
	var dims []Dim
	if by != 0 {
		dims = []Dim{by}
	}
	rows := map[string]*GrowthRow{}
	for i, p := range []Period{before, after} {
		t, err := s.Trends(ctx, TrendQuery{From: p.From, To: p.To, By: dims, Where: where, Top: maxGroups})
		if err != nil {
			return nil, err
		}
		for _, r := range t.Rows {
			key := strings.Join(r.Keys, " ")
			g := rows[key]
			if g == nil {
				g = &GrowthRow{Key: key}
				rows[key] = g
			}
			if i == 0 {
				g.Before += r.Count
			} else {
				g.After += r.Count
			}
		}
	}
	out := make([]GrowthRow, 0, len(rows))
	for _, g := range rows {
		if g.Before > 0 {
			g.Change = float64(g.After-g.Before) / float64(g.Before)
		} else {
			g.New = g.After > 0
		}
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b GrowthRow) int { return cmp.Or(cmp.Compare(b.After, a.After), cmp.Compare(a.Key, b.Key)) })
	return out, nil
}
