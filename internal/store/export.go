package store

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/yamori-net/yamori/internal/event"
)

// Format is what Export writes.
type Format string

// Formats.
const (
	EVE  Format = "eve"  // the lines as they were, for readers of Suricata's log
	JSON Format = "json" // one object a line, with what the store and the owner know beside the EVE line; Import takes it
	CSV  Format = "csv"  // findings only, for spreadsheets
)

// exportStep is how many records one look at the database takes, so that the
// log can be emptied in between.
const exportStep = 200

// Export writes the records that f selects, oldest first (CSV: findings only).
// Records made meanwhile may or may not be among them.
func (s *Store) Export(ctx context.Context, w io.Writer, format Format, f Filter) error {
	bw := bufio.NewWriterSize(w, 32<<10)
	var put func(Item) error
	switch format {
	case EVE:
		put = func(it Item) error {
			line := it.line()
			_, _ = bw.Write(line)
			return bw.WriteByte('\n')
		}
	case JSON:
		enc := json.NewEncoder(bw)
		enc.SetEscapeHTML(false)
		put = func(it Item) error { return enc.Encode(exported(it)) }
	case CSV:
		cw := csv.NewWriter(bw)
		if err := cw.Write(csvHeader); err != nil {
			return err
		}
		put = func(it Item) error {
			if it.Finding == nil {
				return nil
			}
			err := cw.Write(csvRow(it.Finding))
			cw.Flush()
			return err
		}
	default:
		return fmt.Errorf("store: no format %q", format)
	}
	for after := int64(0); ; {
		var items []Item
		err := s.read(ctx, func(rd *reader) (err error) {
			items, after, err = rd.ascending(f, after)
			return err
		})
		if err != nil {
			return err
		}
		for _, it := range items {
			if err := put(it); err != nil {
				return err
			}
		}
		if after == 0 {
			return bw.Flush()
		}
	}
}

func (it Item) line() []byte {
	if it.Finding != nil {
		return it.Finding.EVE
	}
	return it.Event.EVE
}

// ascending returns some records after an id, and the id to go on from (0:
// the end).
func (rd *reader) ascending(f Filter, after int64) (out []Item, next int64, err error) {
	m := matcher{f: f, text: []byte(strings.ToLower(f.Text))}
	var known bool
	if m.device, known, err = wordID(rd.c, f.Device); err != nil || !known {
		return nil, 0, err
	}
	if m.category, known, err = wordID(rd.c, string(f.Category)); err != nil || !known && f.Type == "" {
		return nil, 0, err
	}
	if m.family, known, err = wordID(rd.c, f.Family); err != nil || !known && f.Type == "" {
		return nil, 0, err
	}
	// Up to the same id from both tables, so that the order is kept.
	high, err := rd.c.one(`SELECT max(id) FROM (SELECT id FROM (SELECT id FROM findings WHERE id>?1 ORDER BY id LIMIT ?2) UNION ALL SELECT id FROM (SELECT id FROM events WHERE id>?1 ORDER BY id LIMIT ?2) ORDER BY id LIMIT ?2)`, after, exportStep)
	if err != nil || high == 0 {
		return nil, 0, err
	}
	if f.Type == "" {
		st, err := rd.c.prep("SELECT "+findingColumns+" FROM findings WHERE id>? AND id<=? ORDER BY id", after, high)
		if err != nil {
			return nil, 0, err
		}
		if out, err = rd.collect(out, &source{st: st}, &m); err != nil {
			return nil, 0, err
		}
	}
	if f.Events || f.Type != "" {
		st, err := rd.c.prep("SELECT "+eventColumns+" FROM events WHERE id>? AND id<=? ORDER BY id", after, high)
		if err != nil {
			return nil, 0, err
		}
		if out, err = rd.collect(out, &source{st: st, event: true}, &m); err != nil {
			return nil, 0, err
		}
	}
	sortItems(out)
	return out, high, nil
}

func (rd *reader) collect(out []Item, src *source, m *matcher) ([]Item, error) {
	defer func() { _ = src.st.Reset() }()
	for src.st.Step() {
		it, ok, err := rd.item(src, m)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, it)
		}
	}
	return out, src.st.Err()
}

// record is one line of the JSON format.
type record struct {
	Record     string          `json:"record"` // "finding" or "event"
	ID         int64           `json:"id"`
	Time       time.Time       `json:"time"`
	Last       *time.Time      `json:"last,omitempty"`
	Count      int64           `json:"count,omitempty"`
	Estimated  bool            `json:"time_estimated,omitempty"`
	Type       string          `json:"type,omitempty"`
	Device     string          `json:"device,omitempty"`
	Kind       string          `json:"kind,omitempty"`
	Category   event.Category  `json:"category,omitempty"`
	Family     string          `json:"family,omitempty"`
	Level      string          `json:"verdict,omitempty"`
	Action     string          `json:"action,omitempty"`
	Direction  string          `json:"direction,omitempty"`
	Remote     *netip.Addr     `json:"remote,omitempty"`
	Country    string          `json:"country,omitempty"`
	ASN        uint32          `json:"asn,omitempty"`
	Signature  uint32          `json:"signature_id,omitempty"`
	Confidence float64         `json:"confidence,omitempty"`
	State      string          `json:"state,omitempty"`
	Until      *time.Time      `json:"until,omitempty"`
	Note       string          `json:"note,omitempty"`
	EVE        json.RawMessage `json:"eve,omitempty"`
}

func exported(it Item) record {
	if e := it.Event; e != nil {
		return record{Record: "event", ID: e.ID, Time: e.Time.UTC(), Estimated: e.Estimated, Type: e.Type, Device: e.Device, EVE: validJSON(e.EVE)}
	}
	f := it.Finding
	last := f.Last.UTC()
	r := record{Record: "finding", ID: f.ID, Time: f.Time.UTC(), Last: &last, Count: f.Count, Estimated: f.Estimated, Device: f.Device, Kind: f.Kind, Category: f.Category, Family: f.Family,
		Level: f.Level.String(), Action: f.Action, Direction: f.Direction.String(), Country: f.Country, ASN: f.ASN, Signature: f.Signature, Confidence: f.Confidence,
		State: f.State.String(), Note: f.Note, EVE: validJSON(f.EVE)}
	if f.Remote.IsValid() {
		r.Remote = &f.Remote
	}
	if !f.Until.IsZero() {
		u := f.Until.UTC()
		r.Until = &u
	}
	return r
}

// validJSON leaves out what damage made of a line.
func validJSON(b []byte) json.RawMessage {
	if !json.Valid(b) {
		return nil
	}
	return b
}

var csvHeader = []string{"id", "time", "last", "count", "device", "kind", "category", "family", "verdict", "action", "direction", "remote", "country", "asn", "signature_id", "confidence", "state", "note"}

func csvRow(f *Finding) []string {
	remote := ""
	if f.Remote.IsValid() {
		remote = f.Remote.String()
	}
	row := []string{itoa(f.ID), f.Time.UTC().Format(time.RFC3339), f.Last.UTC().Format(time.RFC3339), itoa(f.Count), f.Device, f.Kind, string(f.Category), f.Family, f.Level.String(), f.Action,
		f.Direction.String(), remote, f.Country, strconv.Itoa(int(f.ASN)), strconv.Itoa(int(f.Signature)), strconv.FormatFloat(f.Confidence, 'f', 3, 64), f.State.String(), f.Note}
	for i, v := range row {
		// A spreadsheet would run what begins so as a formula, and words may
		// come from an attacker (the wide forms: in East Asia).
		if r, n := utf8.DecodeRuneInString(v); n > 0 && strings.ContainsRune("=+-@\t\r\n＝＋－＠", r) {
			row[i] = "'" + v
		}
	}
	return row
}

func sortItems(list []Item) {
	// Two runs, each in order: findings, then events.
	var a, b []Item
	for _, it := range list {
		if it.Finding != nil {
			a = append(a, it)
		} else {
			b = append(b, it)
		}
	}
	for i := range list {
		if len(b) == 0 || len(a) > 0 && a[0].ID < b[0].ID {
			list[i], a = a[0], a[1:]
		} else {
			list[i], b = b[0], b[1:]
		}
	}
}
