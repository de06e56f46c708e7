package store

import (
	"net/netip"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/yamori-net/yamori/internal/event"
)

// State is what the owner did about a finding.
type State uint8

// States.
const (
	New State = iota
	Seen
	Solved
	Ignored // until Finding.Until; zero: for good
)

var stateWords = [...]string{"new", "seen", "solved", "ignored"}

// String returns the word that the API uses.
func (s State) String() string {
	if int(s) < len(stateWords) {
		return stateWords[s]
	}
	return "new"
}

// ParseState is the way back.
func ParseState(word string) (State, bool) {
	for i, w := range stateWords {
		if w == word {
			return State(i), true
		}
	}
	return New, false
}

// Direction says which way what was found goes, seen from the home.
type Direction uint8

// Directions.
const (
	Undirected Direction = iota
	Outbound             // a device of the home misbehaves towards the world
	Inbound              // the world towards the home
	Local                // within the home
)

var directionWords = [...]string{"", "outbound", "inbound", "local"}

// String returns the word that the API uses; empty when unknown.
func (d Direction) String() string {
	if int(d) < len(directionWords) {
		return directionWords[d]
	}
	return ""
}

// actionWords are the values of event.Finding.Action, by their number.
var actionWords = [...]string{"allowed", "blocked", "would_block"}

func actionID(word string) int64 {
	for i, w := range actionWords {
		if w == word {
			return int64(i)
		}
	}
	return 0
}

// Finding is one finding as the store keeps it: what queries filter and count
// by, and the whole as an EVE line.
type Finding struct {
	ID         int64     // order of arrival, never used again
	Time       time.Time // of the first
	Last       time.Time // of the latest repeat
	Count      int64     // 1 and its repeats; 0 is taken as 1
	Estimated  bool      // the clock was not set: Time is the store's estimate
	Device     string    // id; empty: no device
	Kind       string    // of the device when it was found
	Category   event.Category
	Family     string
	Level      event.Level
	Action     string // "allowed", "blocked", "would_block"; empty is allowed
	Direction  Direction
	Remote     netip.Addr // the other side; zero: none
	Country    string     // of Remote, two letters; empty: not known
	ASN        uint32     // of Remote's network; 0: not known
	Signature  uint32     // signature id
	Confidence float64    // 0…1
	State      State
	Until      time.Time // of Ignored
	Note       string    // the owner's
	Evidence   bool      // a capture is kept (see Store.Evidence)
	EVE        []byte    // the line without newline, at most 32 kB
}

// Where is what the caller knows about a finding beyond its event.
type Where struct {
	Device    event.DeviceRef // used when the finding names none
	Direction Direction
	Remote    netip.Addr
	Country   string
	ASN       uint32
}

// FindingOf copies what the store keeps of ev, which must have a Finding. The
// encoder is the caller's, for reuse.
func FindingOf(eve *event.EVE, ev *event.Event, w Where) Finding {
	f := ev.Finding
	dev := f.Device
	if dev.ID == "" {
		dev = w.Device
	}
	out := Finding{
		Time: time.Unix(0, ev.Time), Count: 1,
		Device: dev.ID, Kind: dev.Kind, Category: f.Category, Family: f.Family, Level: f.Level, Action: f.Action,
		Direction: w.Direction, Remote: w.Remote, Country: w.Country, ASN: w.ASN,
		Signature: f.SignatureID, Confidence: f.Confidence,
	}
	out.Last = out.Time
	if f.Rule != nil {
		out.Signature = f.Rule.SID
	}
	out.EVE = lineOf(eve, ev)
	return out
}

// lineOf encodes ev without the newline; what is longer than a record may be
// loses the part of its type, then the values of its evidence.
func lineOf(eve *event.EVE, ev *event.Event) []byte {
	line := eve.Append(nil, ev)
	if len(line) > maxBody {
		cut := *ev
		cut.Body = nil
		if line = eve.Append(nil, &cut); len(line) > maxBody && cut.Finding != nil {
			f := *cut.Finding
			f.Evidence, f.Args, f.Mining, f.Rule = nil, nil, nil, nil
			cut.Finding = &f
			line = eve.Append(nil, &cut)
		}
	}
	return line[:len(line)-1]
}

// Flags of a record.
const (
	flagEstimated = 1 << 0
	flagEvidence  = 1 << 1
)

const findingColumns = `id, time, last, count, flags, device, category, level, action, direction, kind, family, country, asn, signature, confidence, state, until, remote, note, body`

// insertFinding gives f the id; called in a transaction of the writer.
func (s *Store) insertFinding(id int64, f *Finding) (cell, error) {
	c := s.w
	d, err := s.cellOf(c, f)
	if err != nil {
		return d, err
	}
	var flags int64
	if f.Estimated {
		flags |= flagEstimated
	}
	var until int64
	if !f.Until.IsZero() {
		until = f.Until.UnixMilli()
	}
	var note, remote any
	if f.Note != "" {
		note = f.Note
	}
	if f.Remote.IsValid() {
		remote = f.Remote.AsSlice()
	}
	return d, c.exec(`INSERT INTO findings(`+findingColumns+`) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		id, f.Time.UnixMilli(), f.Last.UnixMilli(), f.Count, flags, d.device, d.category, d.level, d.action, d.direction, d.kind, d.family, d.country, d.asn,
		int64(f.Signature), int64(f.Confidence*1000), int64(f.State), until, remote, note, s.pack.pack(f.EVE))
}

// row is a finding's columns as numbers, before words and body are looked up.
type row struct {
	id, time, last, count, flags int64
	cell                         cell
	signature, confidence        int64
	state, until                 int64
	remote                       netip.Addr
}

func scanRow(s *sqlite3.Stmt) row {
	r := row{id: s.ColumnInt64(0), time: s.ColumnInt64(1), last: s.ColumnInt64(2), count: s.ColumnInt64(3), flags: s.ColumnInt64(4),
		cell: cell{device: s.ColumnInt64(5), category: s.ColumnInt64(6), level: s.ColumnInt64(7), action: s.ColumnInt64(8), direction: s.ColumnInt64(9),
			kind: s.ColumnInt64(10), family: s.ColumnInt64(11), country: s.ColumnInt64(12), asn: s.ColumnInt64(13)},
		signature: s.ColumnInt64(14), confidence: s.ColumnInt64(15), state: s.ColumnInt64(16), until: s.ColumnInt64(17)}
	if a, ok := netip.AddrFromSlice(s.ColumnRawBlob(18)); ok {
		r.remote = a
	}
	return r
}

// finding completes r; body and note are those of the row.
func (r *row) finding(c *reader, note string, body []byte) (Finding, error) {
	f := Finding{ID: r.id, Time: time.UnixMilli(r.time), Last: time.UnixMilli(r.last), Count: r.count,
		Estimated: r.flags&flagEstimated != 0, Evidence: r.flags&flagEvidence != 0,
		Level: event.Level(r.cell.level), Direction: Direction(r.cell.direction), Remote: r.remote, ASN: uint32(r.cell.asn),
		Signature: uint32(r.signature), Confidence: float64(r.confidence) / 1000, State: State(r.state), Note: note}
	f.Action = actionWords[min(max(r.cell.action, 0), int64(len(actionWords)-1))]
	if r.until != 0 {
		f.Until = time.UnixMilli(r.until)
	}
	for _, w := range []struct {
		to *string
		id int64
	}{{&f.Device, r.cell.device}, {(*string)(&f.Category), r.cell.category}, {&f.Kind, r.cell.kind}, {&f.Family, r.cell.family}, {&f.Country, r.cell.country}} {
		var err error
		if *w.to, err = c.word(w.id); err != nil {
			return f, err
		}
	}
	var err error
	f.EVE, err = c.un.unpack(nil, body)
	return f, err
}
