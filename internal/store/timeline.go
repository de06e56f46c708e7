package store

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/yamori-net/yamori/internal/event"
)

// Filter selects records. Zero fields select all.
type Filter struct {
	Device   string
	Category event.Category
	MinLevel event.Level
	Level    event.Level // this one alone
	Family   string
	Action   string
	State    *State
	Since    time.Time // inclusive
	Until    time.Time // exclusive
	Text     string    // in the record's EVE line or note, case of ASCII letters ignored
	// Events adds the events that are no findings; what selects findings alone
	// (Category, MinLevel, Level, Family, Action, State) leaves them out.
	Events bool
	// Type selects events of one type, and leaves findings out.
	Type string
}

// Item is one record of the timeline: a finding or an event.
type Item struct {
	ID      int64
	Finding *Finding
	Event   *EventRecord
}

// EventRecord is an event as the store keeps it.
type EventRecord struct {
	ID        int64
	Time      time.Time
	Estimated bool
	Type      string
	Device    string
	EVE       []byte // the line without newline
}

// Page is a part of the timeline, newest first.
type Page struct {
	Items []Item
	// Next is the cursor of the page after this one; 0: this is the last. A
	// page may be short, or empty, and have a next one: a call looks at a
	// bounded number of records.
	Next int64
}

// Bounds of one call of Timeline.
const (
	MaxPage      = 500
	scanCost     = 6000 // records looked at
	textCost     = 4    // a record whose text is searched counts as so many
	maxTextBytes = 200
)

// Timeline returns at most limit records before cursor (0: from the newest),
// in the order they came in, newest first.
func (s *Store) Timeline(ctx context.Context, f Filter, cursor int64, limit int) (Page, error) {
	limit = max(1, min(limit, MaxPage))
	var page Page
	err := s.read(ctx, func(rd *reader) error {
		var err error
		page, err = rd.timeline(f, cursor, limit)
		return err
	})
	return page, err
}

// source is one query whose rows come with falling ids.
type source struct {
	st    *sqlite3.Stmt
	event bool
	id    int64 // of the row it stands on; 0: at its end
}

func (src *source) next() error {
	src.id = 0
	if src.st.Step() {
		src.id = src.st.ColumnInt64(0)
	}
	return src.st.Err()
}

func (rd *reader) timeline(f Filter, cursor int64, limit int) (Page, error) {
	if len(f.Text) > maxTextBytes {
		f.Text = f.Text[:maxTextBytes]
	}
	low, high, err := rd.ids(f.Since, f.Until)
	if err != nil || high == 0 {
		return Page{}, err
	}
	if cursor > 0 {
		high = min(high, cursor-1)
	}
	sources, err := rd.sources(f, low, high)
	defer func() {
		for _, src := range sources {
			_ = src.st.Reset()
		}
	}()
	if err != nil {
		return Page{}, err
	}
	for _, src := range sources {
		if err := src.next(); err != nil {
			return Page{}, err
		}
	}
	m := matcher{f: f, text: bytes.ToLower([]byte(f.Text))}
	if m.category, _, err = wordID(rd.c, string(f.Category)); err != nil {
		return Page{}, err
	}
	if m.device, _, err = wordID(rd.c, f.Device); err != nil {
		return Page{}, err
	}
	if m.family, _, err = wordID(rd.c, f.Family); err != nil {
		return Page{}, err
	}
	var page Page
	for cost := 0; ; {
		var top *source
		for _, src := range sources {
			if src.id != 0 && (top == nil || src.id > top.id) {
				top = src
			}
		}
		if top == nil {
			return page, nil
		}
		if len(page.Items) == limit || cost >= scanCost {
			page.Next = top.id + 1
			return page, nil
		}
		it, ok, err := rd.item(top, &m)
		if err != nil {
			return Page{}, err
		}
		if ok {
			page.Items = append(page.Items, it)
		}
		cost++
		if f.Text != "" {
			cost += textCost - 1
		}
		if err := top.next(); err != nil {
			return Page{}, err
		}
	}
}

// ids returns the range of ids that records of a span of time can have. Ids
// follow the order of arrival; where the clock jumped the range is wider than
// need be, never too narrow.
func (rd *reader) ids(since, until time.Time) (low, high int64, err error) {
	low, high = 1, 1<<62
	last, err := rd.c.one("SELECT value FROM meta WHERE key='rolled'") // spans go as far
	if err != nil {
		return 0, 0, err
	}
	if !since.IsZero() {
		n, err := rd.c.one("SELECT min(low) FROM spans WHERE hour>=?", floorDiv(since.Unix(), 3600))
		if err != nil {
			return 0, 0, err
		}
		if n == 0 {
			n = last + 1
		}
		low = min(n, last+1)
	}
	if !until.IsZero() {
		// What came since the last flush has no span yet: when that is
		// little, it is simply looked at.
		fresh, err := rd.c.one("SELECT count(*) FROM (SELECT 1 FROM findings WHERE id>? AND time<? LIMIT 1)", last, until.UnixMilli())
		if err != nil {
			return 0, 0, err
		}
		if fresh == 0 {
			if high, err = rd.c.one("SELECT max(high) FROM spans WHERE hour<=?", floorDiv(until.Unix(), 3600)); err != nil {
				return 0, 0, err
			}
		}
	}
	return low, high, nil
}

const eventColumns = "id, time, flags, type, device, body"

// sources chooses the queries: the index that leaves the fewest rows to look
// at.
func (rd *reader) sources(f Filter, low, high int64) (out []*source, err error) {
	add := func(event bool, sql string, args ...any) {
		if err != nil {
			return
		}
		var st *sqlite3.Stmt
		if st, err = rd.c.prep(sql, args...); err == nil {
			out = append(out, &source{st: st, event: event})
		}
	}
	from := "SELECT " + findingColumns + " FROM findings"
	dev, known, err := wordID(rd.c, f.Device)
	if err != nil || !known {
		return nil, err
	}
	cat, catKnown, err := wordID(rd.c, string(f.Category))
	if err != nil {
		return nil, err
	}
	_, famKnown, err := wordID(rd.c, f.Family)
	if err != nil {
		return nil, err
	}
	switch {
	case f.Type != "" || f.Category != "" && !catKnown || !famKnown:
	case f.Device != "":
		add(false, from+" INDEXED BY findings_device WHERE device=? AND id BETWEEN ? AND ? ORDER BY id DESC", dev, low, high)
	case f.Category != "":
		add(false, from+" INDEXED BY findings_category WHERE category=? AND id BETWEEN ? AND ? ORDER BY id DESC", cat, low, high)
	case f.Action != "" && f.Action != "allowed":
		add(false, from+" INDEXED BY findings_action WHERE action=? AND id BETWEEN ? AND ? ORDER BY id DESC", actionID(f.Action), low, high)
	case f.Level > event.Suspect && f.Level <= event.Confirmed:
		add(false, from+levelQuery[f.Level], int64(f.Level), low, high)
	case f.MinLevel > event.Suspect:
		for l := min(f.MinLevel, event.Confirmed); l <= event.Confirmed; l++ {
			add(false, from+levelQuery[l], int64(l), low, high)
		}
	default:
		add(false, from+" WHERE id BETWEEN ? AND ? ORDER BY id DESC", low, high)
	}
	plain := f.Category == "" && f.Family == "" && f.MinLevel == 0 && f.Level == 0 && f.Action == "" && f.State == nil
	if plain && (f.Events || f.Type != "") {
		from := "SELECT " + eventColumns + " FROM events"
		if f.Device != "" {
			add(true, from+" INDEXED BY events_device WHERE device=? AND id BETWEEN ? AND ? ORDER BY id DESC", dev, low, high)
		} else {
			add(true, from+" WHERE id BETWEEN ? AND ? ORDER BY id DESC", low, high)
		}
	}
	return out, err
}

// levelQuery has a text of its own for each level, because each is a
// statement that runs at the same time as the others.
var levelQuery = [...]string{
	event.Likely:    " INDEXED BY findings_level WHERE level=? AND id BETWEEN ? AND ? ORDER BY id DESC /*2*/",
	event.Confirmed: " INDEXED BY findings_level WHERE level=? AND id BETWEEN ? AND ? ORDER BY id DESC /*3*/",
}

// matcher is what the index did not decide.
type matcher struct {
	f                Filter
	category, device int64
	family           int64
	text             []byte
	line             []byte // scratch
}

func (m *matcher) inTime(ms int64) bool {
	return (m.f.Since.IsZero() || ms >= m.f.Since.UnixMilli()) && (m.f.Until.IsZero() || ms < m.f.Until.UnixMilli())
}

func (rd *reader) item(src *source, m *matcher) (it Item, ok bool, err error) {
	st := src.st
	if src.event {
		return rd.event(st, m)
	}
	r := scanRow(st)
	f := &m.f
	switch {
	case !m.inTime(r.time),
		f.Category != "" && r.cell.category != m.category,
		f.Device != "" && r.cell.device != m.device,
		r.cell.level < int64(f.MinLevel),
		f.Level != 0 && r.cell.level != int64(f.Level),
		f.Family != "" && r.cell.family != m.family,
		f.Action != "" && r.cell.action != actionID(f.Action),
		f.State != nil && r.state != int64(*f.State):
		return it, false, nil
	}
	note := st.ColumnText(19)
	body := st.ColumnRawBlob(20)
	if len(m.text) > 0 {
		if m.line, err = rd.un.unpack(m.line[:0], body); err != nil {
			return it, false, nil // a damaged record has no text
		}
		if !containsFold(m.line, m.text) && !containsFold([]byte(note), m.text) {
			return it, false, nil
		}
	}
	fi, err := r.finding(rd, note, body)
	if err == errBody {
		err = nil
	}
	return Item{ID: r.id, Finding: &fi}, err == nil, err
}

func (rd *reader) event(st *sqlite3.Stmt, m *matcher) (it Item, ok bool, err error) {
	e := EventRecord{ID: st.ColumnInt64(0), Time: time.UnixMilli(st.ColumnInt64(1)), Estimated: st.ColumnInt64(2)&flagEstimated != 0}
	if !m.inTime(st.ColumnInt64(1)) || m.f.Device != "" && st.ColumnInt64(4) != m.device {
		return it, false, nil
	}
	if e.Type, err = rd.word(st.ColumnInt64(3)); err != nil {
		return it, false, err
	}
	if m.f.Type != "" && e.Type != m.f.Type {
		return it, false, nil
	}
	if e.Device, err = rd.word(st.ColumnInt64(4)); err != nil {
		return it, false, err
	}
	if e.EVE, err = rd.un.unpack(nil, st.ColumnRawBlob(5)); err != nil && err != errBody {
		return it, false, err
	}
	if len(m.text) > 0 && !containsFold(e.EVE, m.text) {
		return it, false, nil
	}
	return Item{ID: e.ID, Event: &e}, true, nil
}

// containsFold reports whether low (in lower case) occurs in b, ASCII letters
// of any case.
func containsFold(b, low []byte) bool {
	if len(low) == 0 {
		return true
	}
	first, upper := low[0], low[0]
	if 'a' <= first && first <= 'z' {
		upper -= 'a' - 'A'
	}
	for i := 0; i+len(low) <= len(b); i++ {
		if b[i] != first && b[i] != upper {
			continue
		}
		if bytes.EqualFold(b[i:i+len(low)], low) {
			return true
		}
	}
	return false
}

// Finding returns one finding, or ErrNotFound.
func (s *Store) Finding(ctx context.Context, id int64) (Finding, error) {
	var out Finding
	found := false
	err := s.read(ctx, func(rd *reader) error {
		return rd.c.rows(func(st *sqlite3.Stmt) (err error) {
			r := scanRow(st)
			found = true
			out, err = r.finding(rd, st.ColumnText(19), st.ColumnRawBlob(20))
			return err
		}, "SELECT "+findingColumns+" FROM findings WHERE id=?", id)
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	return out, err
}

// SetState notes what the owner did about a finding; durable, and in the
// audit log.
func (s *Store) SetState(ctx context.Context, who string, id int64, state State, until time.Time, note string) error {
	if len(note) > maxNote {
		return ErrTooBig
	}
	var ms int64
	if !until.IsZero() {
		ms = until.UnixMilli()
	}
	return s.do(ctx, &request{durable: true, run: func() error {
		var before []byte
		err := s.w.rows(func(st *sqlite3.Stmt) (err error) {
			before, err = stateJSON(State(st.ColumnInt64(0)), st.ColumnText(1))
			return err
		}, "SELECT state, note FROM findings WHERE id=?", id)
		if err != nil {
			return err
		}
		if before == nil {
			return refusal{ErrNotFound}
		}
		after, err := stateJSON(state, note)
		if err != nil {
			return err
		}
		if err := s.w.exec("UPDATE findings SET state=?, until=?, note=? WHERE id=?", int64(state), ms, note, id); err != nil {
			return err
		}
		s.repeats.forgetID(id)
		return s.audit(who, "finding.state", "findings", itoa(id), before, after)
	}})
}

// maxNote bounds the owner's note on a finding, in bytes.
const maxNote = 2000

func stateJSON(st State, note string) ([]byte, error) {
	return json.Marshal(struct {
		State string `json:"state"`
		Note  string `json:"note,omitempty"`
	}{st.String(), note})
}
