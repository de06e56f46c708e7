package store

import (
	"time"

	"github.com/ncruces/go-sqlite3"
)

// Retention says how long each kind of record is kept at most; the bound by
// bytes may end it sooner. 0 is the default, negative keeps for good. Figures
// by month, documents and device records have no end.
type Retention struct {
	Findings time.Duration // 365 days
	Events   time.Duration // 90 days
	Flows    time.Duration // 7 days
	Evidence time.Duration // 90 days
	Hours    time.Duration // figures by the hour: 35 days
	Days     time.Duration // figures by the day: 400 days
	Audit    time.Duration // 730 days
}

func (r Retention) withDefaults() Retention {
	const day = 24 * time.Hour
	for _, d := range []struct {
		to   *time.Duration
		days time.Duration
	}{{&r.Findings, 365}, {&r.Events, 90}, {&r.Flows, 7}, {&r.Evidence, 90}, {&r.Hours, 35}, {&r.Days, 400}, {&r.Audit, 730}} {
		if *d.to == 0 {
			*d.to = d.days * day
		}
	}
	return r
}

// SetRetention changes how long records are kept; zero fields get the defaults.
// It takes effect with the next round, within an hour.
func (s *Store) SetRetention(r Retention) {
	r = r.withDefaults()
	s.retention.Store(&r)
}

// maxAudit bounds the rows of the audit log.
const maxAudit = 20000

// detail is what leaves to make room, first to last.
var detail = [...]struct{ table, key, del string }{
	{"flows", "id", "DELETE FROM flows WHERE id IN (SELECT id FROM flows ORDER BY id LIMIT ?)"},
	{"events", "id", "DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?)"},
	{"evidence", "finding", ""}, // see dropEvidence
	{"findings", "id", "DELETE FROM findings WHERE id IN (SELECT id FROM findings ORDER BY id LIMIT ?)"},
	{"rollup", "", "DELETE FROM rollup WHERE grain=0 AND bucket=(SELECT min(bucket) FROM rollup WHERE grain=0) AND ?>0"},
	{"traffic", "", "DELETE FROM traffic WHERE grain=0 AND bucket=(SELECT min(bucket) FROM traffic WHERE grain=0) AND ?>0"},
	{"rollup", "", "DELETE FROM rollup WHERE grain=1 AND bucket=(SELECT min(bucket) FROM rollup WHERE grain=1) AND ?>0"},
	{"traffic", "", "DELETE FROM traffic WHERE grain=1 AND bucket=(SELECT min(bucket) FROM traffic WHERE grain=1) AND ?>0"},
}

// inUse is how many pages of the file hold something.
func (s *Store) inUse() (used, total int64, err error) {
	if total, err = s.w.one("PRAGMA page_count"); err != nil {
		return 0, 0, err
	}
	free, err := s.w.one("PRAGMA freelist_count")
	return total - free, total, err
}

// trim lets the oldest detail go until the next transaction has room. It
// reports whether anything went.
func (s *Store) trim(force bool) bool {
	used, _, err := s.inUse()
	if err != nil || !force && used <= s.lim.maxPages-s.lim.headroom {
		return false
	}
	target := s.lim.maxPages - 2*s.lim.headroom
	went := false
	for i := 0; i < len(detail) && (used > target || force && !went); {
		n, err := s.dropOldest(i)
		if err != nil {
			s.health.note(err)
			return went
		}
		if n == 0 {
			i++
			continue
		}
		went = true
		s.bound2()
		if used, _, err = s.inUse(); err != nil {
			return went
		}
	}
	if went {
		_ = s.w.tx(false, s.dropSpans)
		s.repeats.forget()
	}
	s.publish()
	return went
}

// bound2 is the part of bound that trim needs: the log stays small.
func (s *Store) bound2() {
	if n := s.bytes(); n > s.cfg.MaxBytes-s.lim.walSoft {
		s.health.note(s.checkpoint())
	}
}

func (s *Store) dropOldest(i int) (n int64, err error) {
	d := detail[i]
	if d.table == "evidence" {
		return s.dropEvidence(16)
	}
	err = s.w.tx(false, func() error {
		if err := s.w.exec(d.del, s.lim.txRows); err != nil {
			return err
		}
		n = s.w.db.Changes()
		return nil
	})
	return n, err
}

// dropSpans forgets the hours of records that went.
func (s *Store) dropSpans() error {
	return s.w.exec(`DELETE FROM spans WHERE high < min(ifnull((SELECT min(id) FROM findings), 9e18), ifnull((SELECT min(id) FROM events), 9e18), ifnull((SELECT min(id) FROM flows), 9e18))`)
}

// maintain is done once a flush: what is too old leaves, closed buckets of
// figures shrink, and a file with much free room gives some back.
func (s *Store) maintain() {
	s.health.note(s.expire())
	s.compactSome()
	s.shrink()
	s.makeSpare()
	s.publish()
}

func (s *Store) shrink() {
	used, total, err := s.inUse()
	if err != nil {
		return
	}
	// A full store reuses its pages; giving them back would only cost writes.
	if total <= s.lim.maxPages && (total-used)*4 < total {
		return
	}
	s.health.note(s.w.tx(false, func() error {
		// Each step of the statement frees one page.
		return s.w.rows(func(*sqlite3.Stmt) error { return nil }, "PRAGMA incremental_vacuum(256)")
	}))
}

// expireStep bounds what leaves because of its age at a time.
const expireSteps = 16

// expire lets what is too old go, when the clock can be trusted.
func (s *Store) expire() error {
	if !s.clk.trust {
		return nil
	}
	now := s.clk.estimate()
	r := *s.retention.Load()
	for _, k := range []struct {
		keep time.Duration
		drop func(cut time.Time) (int64, error)
	}{
		{r.Flows, s.olderRecords("flows")},
		{r.Events, s.olderRecords("events")},
		{r.Evidence, s.olderEvidence},
		{r.Findings, s.olderRecords("findings")},
		{r.Hours, s.olderFigures(grainHour)},
		{r.Days, s.olderFigures(grainDay)},
		{r.Audit, s.olderAudit},
	} {
		if k.keep < 0 {
			continue
		}
		for i := 0; i < expireSteps; i++ {
			n, err := k.drop(now.Add(-k.keep))
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
			s.bound2()
		}
	}
	return s.w.tx(false, s.dropSpans)
}

func (s *Store) olderRecords(table string) func(time.Time) (int64, error) {
	del := map[string]string{
		"flows":    "DELETE FROM flows WHERE id IN (SELECT id FROM flows WHERE id<=? AND time<? ORDER BY id LIMIT ?)",
		"events":   "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE id<=? AND time<? ORDER BY id LIMIT ?)",
		"findings": "DELETE FROM findings WHERE id IN (SELECT id FROM findings WHERE id<=? AND last<? ORDER BY id LIMIT ?)",
	}[table]
	return func(cut time.Time) (n int64, err error) {
		high, err := s.w.one("SELECT max(high) FROM spans WHERE hour<=?", floorDiv(cut.Unix(), 3600))
		if err != nil || high == 0 {
			return 0, err
		}
		err = s.w.tx(false, func() error {
			if err := s.w.exec(del, high, cut.UnixMilli(), s.lim.txRows); err != nil {
				return err
			}
			n = s.w.db.Changes()
			return nil
		})
		if n > 0 && table == "findings" {
			s.repeats.forget()
		}
		return n, err
	}
}

func (s *Store) olderFigures(grain int) func(time.Time) (int64, error) {
	return func(cut time.Time) (n int64, err error) {
		b := bucketOf(cut, s.zone())[grain]
		err = s.w.tx(false, func() error {
			for _, q := range []string{
				"DELETE FROM rollup WHERE grain=? AND bucket=(SELECT min(bucket) FROM rollup WHERE grain=?) AND bucket<?",
				"DELETE FROM traffic WHERE grain=? AND bucket=(SELECT min(bucket) FROM traffic WHERE grain=?) AND bucket<?",
			} {
				if err := s.w.exec(q, grain, grain, b); err != nil {
					return err
				}
				n += s.w.db.Changes()
			}
			return nil
		})
		return n, err
	}
}

func (s *Store) olderAudit(cut time.Time) (n int64, err error) {
	err = s.w.tx(false, func() error {
		if err := s.w.exec("DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at<? ORDER BY id LIMIT 256)", cut.UnixMilli()); err != nil {
			return err
		}
		n = s.w.db.Changes()
		return nil
	})
	return n, err
}
