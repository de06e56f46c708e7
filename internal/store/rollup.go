package store

import (
	"slices"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/yamori-net/yamori/internal/event"
)

// cell is one combination of what is counted, words as their numbers.
type cell struct {
	category, family, kind, device, country, asn, action, level, direction int64
}

// Grains of the figures.
const (
	grainHour  = 0 // bucket: hours since 1970, UTC
	grainDay   = 1 // bucket: days since 1970 of the calendar where the home is
	grainMonth = 2 // bucket: months since year 0
)

// maxCells bounds the rows of one bucket, of a store of at least 32 MiB (in
// proportion below). While a bucket is filling up to openFactor times as many
// are kept; then the smallest are put together as "other".
var maxCells = [3]int64{256, 512, 2048}

const openFactor = 3

// maxPending bounds the cells that wait in memory for the next flush.
const maxPending = 4096

// cellOf returns f's cell.
func (s *Store) cellOf(c *conn, f *Finding) (d cell, err error) {
	for _, w := range []struct {
		to   *int64
		word string
	}{{&d.category, string(f.Category)}, {&d.family, f.Family}, {&d.kind, f.Kind}, {&d.device, f.Device}, {&d.country, f.Country}} {
		if *w.to, err = s.words.id(c, w.word); err != nil {
			return d, err
		}
	}
	d.asn, d.action, d.level, d.direction = int64(f.ASN), actionID(f.Action), int64(min(f.Level, event.Confirmed)), int64(min(f.Direction, Local))
	return d, nil
}

// bucketOf returns the bucket of each grain that t falls into.
func bucketOf(t time.Time, loc *time.Location) (b [3]int64) {
	b[grainHour] = floorDiv(t.Unix(), 3600)
	y, m, d := t.In(loc).Date()
	b[grainDay] = floorDiv(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix(), 86400)
	b[grainMonth] = int64(y)*12 + int64(m) - 1
	return b
}

// startOf is the way back: when a bucket begins.
func startOf(grain int, bucket int64, loc *time.Location) time.Time {
	switch grain {
	case grainHour:
		return time.Unix(bucket*3600, 0).In(loc)
	case grainDay:
		y, m, d := time.Unix(bucket*86400, 0).UTC().Date()
		return time.Date(y, m, d, 0, 0, 0, 0, loc)
	}
	return time.Date(int(floorDiv(bucket, 12)), time.Month(bucket-floorDiv(bucket, 12)*12)+1, 1, 0, 0, 0, 0, loc)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

type cellKey struct {
	bucket [3]int64
	cell   cell
}

// figures is what waits for the next flush. Owned by the writer.
type figures struct {
	cells map[cellKey]int64
	spans map[int64][2]int64 // hour → lowest and highest id
	// rows of the buckets that fill, per grain: known after the first look.
	size [3]map[int64]int64
	// latest bucket of each grain that got a row.
	latest [3]int64
}

func newFigures() *figures {
	f := &figures{cells: map[cellKey]int64{}, spans: map[int64][2]int64{}}
	f.forget()
	return f
}

// forget drops what is known about the file, after a transaction failed.
func (f *figures) forget() {
	for g := range f.size {
		f.size[g] = map[int64]int64{}
	}
}

// add counts n in d at t.
func (s *Store) count(t time.Time, d cell, n int64) {
	s.fig.cells[cellKey{bucketOf(t, s.zone()), d}] += n
}

// span notes that record id has time t.
func (f *figures) span(t time.Time, id int64) {
	h := floorDiv(t.Unix(), 3600)
	if sp, ok := f.spans[h]; ok {
		f.spans[h] = [2]int64{min(sp[0], id), max(sp[1], id)}
	} else {
		f.spans[h] = [2]int64{id, id}
	}
}

const rollupKey = `grain=? AND bucket=? AND category=? AND family=? AND kind=? AND device=? AND country=? AND asn=? AND action=? AND level=? AND direction=?`

// upsert adds n to a row. With a limit it makes a new one only below it, and
// reports false otherwise.
func (s *Store) upsert(grain int, bucket int64, d cell, n, limit int64) (bool, error) {
	args := []any{n, grain, bucket, d.category, d.family, d.kind, d.device, d.country, d.asn, d.action, d.level, d.direction}
	if err := s.w.exec(`UPDATE rollup SET n=n+? WHERE `+rollupKey, args...); err != nil {
		return false, err
	}
	if s.w.db.Changes() > 0 {
		return true, nil
	}
	size, ok := s.fig.size[grain][bucket]
	if !ok {
		var err error
		if size, err = s.w.one("SELECT count(*) FROM rollup WHERE grain=? AND bucket=?", grain, bucket); err != nil {
			return false, err
		}
	}
	if limit > 0 && size >= limit {
		s.fig.size[grain][bucket] = size
		return false, nil
	}
	s.fig.size[grain][bucket] = size + 1
	s.fig.latest[grain] = max(s.fig.latest[grain], bucket)
	s.compacted[grain] = min(s.compacted[grain], bucket)
	return true, s.w.exec(`INSERT INTO rollup(n, grain, bucket, category, family, kind, device, country, asn, action, level, direction) VALUES(?,?,?,?,?,?,?,?,?,?,?,?)`, args...)
}

// fold is where a cell goes that no row of its own is left for: what the
// yearly figures need most is kept apart.
func (d cell) fold() cell {
	return cell{category: d.category, family: wordOther, kind: d.kind, device: wordOther, country: wordOther, action: d.action, level: d.level, direction: d.direction}
}

// flushFigures writes what waits; called in a transaction.
func (s *Store) flushFigures() error {
	for k, n := range s.fig.cells {
		for g := range k.bucket {
			limit := s.cells[g] * openFactor
			if ok, err := s.upsert(g, k.bucket[g], k.cell, n, limit); err != nil {
				return err
			} else if !ok {
				if _, err := s.upsert(g, k.bucket[g], k.cell.fold(), n, 0); err != nil {
					return err
				}
			}
		}
	}
	for h, sp := range s.fig.spans {
		err := s.w.exec(`INSERT INTO spans(hour, low, high) VALUES(?,?,?) ON CONFLICT(hour) DO UPDATE SET low=min(low, excluded.low), high=max(high, excluded.high)`, h, sp[0], sp[1])
		if err != nil {
			return err
		}
	}
	return nil
}

// flushed empties what flushFigures wrote, after the commit.
func (f *figures) flushed(now [3]int64) {
	clear(f.cells)
	clear(f.spans)
	for g := range f.size { // of buckets that fill no more, nothing is remembered
		for b := range f.size[g] {
			if b != now[g] && b != f.latest[g] {
				delete(f.size[g], b)
			}
		}
	}
}

// compact puts the smallest cells of a closed bucket together, one bucket a
// call; false: nothing was left to do. Closed is what is neither now's bucket
// nor the latest (a replay's or an import's buckets lie in the past).
func (s *Store) compact(now [3]int64) (bool, error) {
	for g := range now {
		if s.compacted[g] >= min(now[g], s.fig.latest[g]) {
			continue
		}
		var bucket, size int64
		err := s.w.rows(func(st *sqlite3.Stmt) error {
			bucket, size = st.ColumnInt64(0), st.ColumnInt64(1)
			return nil
		}, `SELECT bucket, count(*) FROM rollup WHERE grain=? AND bucket>=? AND bucket<>? AND bucket<? GROUP BY bucket HAVING count(*)>? LIMIT 1`,
			g, s.compacted[g], now[g], s.fig.latest[g], s.cells[g])
		if err != nil {
			return false, err
		}
		if size == 0 {
			s.compacted[g] = min(now[g], s.fig.latest[g])
			continue
		}
		return true, s.w.tx(false, func() error { return s.compactBucket(g, bucket, size-s.cells[g]*3/4) })
	}
	return false, nil
}

// compactSteps bounds the buckets of one flush.
const compactSteps = 64

// compactSome follows each flush.
func (s *Store) compactSome() {
	now := bucketOf(s.clk.estimate(), s.zone())
	for range compactSteps {
		more, err := s.compact(now)
		s.health.note(err)
		if !more || err != nil {
			return
		}
	}
}

func (s *Store) compactBucket(g int, bucket, excess int64) error {
	type entry struct {
		cell
		n int64
	}
	var small []entry
	err := s.w.rows(func(st *sqlite3.Stmt) error {
		var v [9]int64
		for i := range v {
			v[i] = st.ColumnInt64(i)
		}
		small = append(small, entry{cell{v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8]}, st.ColumnInt64(9)})
		return nil
	}, `SELECT category, family, kind, device, country, asn, action, level, direction, n FROM rollup WHERE grain=? AND bucket=? ORDER BY n LIMIT ?`, g, bucket, excess)
	if err != nil {
		return err
	}
	folded := map[cell]int64{}
	for _, e := range small {
		d := e.cell
		if err := s.w.exec(`DELETE FROM rollup WHERE `+rollupKey, g, bucket, d.category, d.family, d.kind, d.device, d.country, d.asn, d.action, d.level, d.direction); err != nil {
			return err
		}
		folded[d.fold()] += e.n
	}
	delete(s.fig.size[g], bucket)
	keys := make([]cell, 0, len(folded))
	for d := range folded {
		keys = append(keys, d)
	}
	slices.SortFunc(keys, func(a, b cell) int { return int(folded[b] - folded[a]) })
	for _, d := range keys {
		if _, err := s.upsert(g, bucket, d, folded[d], 0); err != nil {
			return err
		}
	}
	s.compacted[g] = bucket + 1 // after what upsert made of it
	return nil
}
