package store

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"github.com/yamori-net/yamori/internal/event"
)

// Imported says what became of the lines of an import.
type Imported struct {
	Findings, Events int
	Skipped          int      // EVE lines of types that were not asked for
	Bad              int      // lines that are neither form
	Problems         []string // the first few of them, with their lines
}

// Bounds of an import.
const (
	importLine  = maxBody + 8<<10 // the EVE line and what stands beside it
	importBatch = 500
	maxProblems = 20
)

// Import reads what Export wrote as JSON, and EVE lines of Yamori or Suricata.
// Of EVE lines, alerts become findings; those of other types hold what the
// household visited and are taken only when named in types. Records get new
// ids; what is imported twice is there twice. A bad line is counted and left
// out; an error is of reading or of the store.
func (s *Store) Import(ctx context.Context, r io.Reader, types ...string) (Imported, error) {
	var out Imported
	var batch []Finding
	send := func() error {
		got, err := s.addFindings(ctx, batch, true)
		out.Findings += len(got)
		batch = batch[:0]
		return err
	}
	br := bufio.NewReaderSize(r, importLine)
	for num := 1; ; num++ {
		line, err := br.ReadSlice('\n')
		bad := error(nil)
		if errors.Is(err, bufio.ErrBufferFull) {
			bad = errors.New("too long")
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = br.ReadSlice('\n')
			}
		}
		if err != nil && err != io.EOF {
			return out, err
		}
		if line = bytes.TrimSpace(line); bad == nil && len(line) > 0 {
			var f *Finding
			var e *EventRecord
			if f, e, bad = parseRecord(line, types); f != nil {
				batch = append(batch, *f)
			} else if e != nil {
				if err := s.importEvent(ctx, e); err != nil {
					return out, err
				}
				out.Events++
			} else if bad == nil {
				out.Skipped++
			}
		}
		if bad != nil {
			if out.Bad++; len(out.Problems) < maxProblems {
				out.Problems = append(out.Problems, fmt.Sprintf("line %d: %v", num, bad))
			}
		}
		if len(batch) == importBatch || err == io.EOF && len(batch) > 0 {
			if err := send(); err != nil {
				return out, err
			}
		}
		if err == io.EOF {
			return out, s.Flush(ctx)
		}
	}
}

// importEvent waits for room in the queue instead of dropping.
func (s *Store) importEvent(ctx context.Context, e *EventRecord) error {
	it := item{time: e.Time, estimated: e.Estimated, typ: e.Type, device: e.Device, line: e.EVE}
	s.q.mu.Lock()
	tight := s.q.bytes+it.size() > queueBytes/2
	s.q.mu.Unlock()
	if tight {
		if err := s.Flush(ctx); err != nil {
			return err
		}
	}
	if !s.offer(it) {
		return errors.New("store: the queue is full")
	}
	return nil
}

// parseRecord reads one line. Nothing of all: not asked for.
func parseRecord(line []byte, types []string) (*Finding, *EventRecord, error) {
	var r record
	if err := json.Unmarshal(line, &r); err != nil {
		return nil, nil, err
	}
	switch r.Record {
	case "":
		return parseEVE(line, types)
	case "event":
		if r.Type == "" || len(r.Type) > maxWord || len(r.Device) > maxWord {
			return nil, nil, errors.New("an event without a type")
		}
		return nil, &EventRecord{Time: r.Time, Estimated: r.Estimated, Type: r.Type, Device: r.Device, EVE: r.EVE}, nil
	case "finding":
	default:
		return nil, nil, fmt.Errorf("a record %q", r.Record)
	}
	if !event.KnownCategory(r.Category) {
		return nil, nil, fmt.Errorf("a category %q", r.Category)
	}
	f := &Finding{Time: r.Time, Count: min(max(r.Count, 1), 1<<40), Estimated: r.Estimated, Device: r.Device, Kind: r.Kind, Category: r.Category, Family: r.Family,
		Level: levelOf(r.Level), Action: r.Action, Country: r.Country, ASN: r.ASN, Signature: r.Signature, Confidence: min(max(r.Confidence, 0), 1), Note: cut(r.Note, maxNote), EVE: r.EVE}
	f.State, _ = ParseState(r.State)
	for i, w := range directionWords {
		if w == r.Direction {
			f.Direction = Direction(i)
		}
	}
	if r.Last != nil {
		f.Last = *r.Last
	}
	if r.Until != nil {
		f.Until = *r.Until
	}
	if r.Remote != nil {
		f.Remote = *r.Remote
	}
	return f, nil, checkFinding(f)
}

func checkFinding(f *Finding) error {
	if len(f.EVE) > maxBody || len(f.Device) > maxWord || len(f.Family) > maxWord || len(f.Kind) > maxWord || len(f.Country) > maxWord {
		return errors.New("too long")
	}
	return nil
}

func levelOf(word string) event.Level {
	for l := event.Suspect; l <= event.Confirmed; l++ {
		if l.String() == word {
			return l
		}
	}
	return event.Suspect
}

// eveTime is the form of Suricata's timestamps.
const eveTime = "2006-01-02T15:04:05.999999999-0700"

// parseEVE makes a finding of an alert, also of one without Yamori's part.
func parseEVE(line []byte, types []string) (*Finding, *EventRecord, error) {
	var e struct {
		Timestamp string     `json:"timestamp"`
		EventType string     `json:"event_type"`
		Src       netip.Addr `json:"src_ip"`
		Dst       netip.Addr `json:"dest_ip"`
		Alert     struct {
			Action    string `json:"action"`
			Signature uint32 `json:"signature_id"`
		} `json:"alert"`
		Yamori struct {
			Category   event.Category `json:"category"`
			Family     string         `json:"family"`
			Verdict    string         `json:"verdict"`
			Confidence float64        `json:"confidence"`
			Action     string         `json:"action"`
			Device     struct {
				ID   string `json:"id"`
				Kind string `json:"kind"`
			} `json:"device"`
		} `json:"yamori"`
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return nil, nil, err
	}
	at, err := time.Parse(eveTime, e.Timestamp)
	if err != nil {
		return nil, nil, fmt.Errorf("a timestamp %q", cut(e.Timestamp, 40))
	}
	if e.EventType == "" || len(e.EventType) > maxWord {
		return nil, nil, errors.New("no event_type")
	}
	body := bytes.Clone(line)
	if len(body) > maxBody {
		return nil, nil, errors.New("too long")
	}
	if e.EventType != "alert" {
		if !slices.Contains(types, e.EventType) {
			return nil, nil, nil
		}
		return nil, &EventRecord{Time: at, Type: e.EventType, EVE: body}, nil
	}
	y := e.Yamori
	f := &Finding{Time: at, Count: 1, Device: y.Device.ID, Kind: y.Device.Kind, Category: y.Category, Family: y.Family, Level: levelOf(y.Verdict), Action: y.Action,
		Signature: e.Alert.Signature, Confidence: min(max(y.Confidence, 0), 1), EVE: body}
	if !event.KnownCategory(f.Category) {
		f.Category = event.Odd
	}
	if f.Action == "" && e.Alert.Action == "blocked" {
		f.Action = "blocked"
	}
	f.Remote, f.Direction = e.Dst, Outbound
	if e.Dst.IsPrivate() && e.Src.IsValid() {
		f.Remote, f.Direction = e.Src, Inbound
		if e.Src.IsPrivate() {
			f.Remote, f.Direction = e.Dst, Local
		}
	}
	return f, nil, checkFinding(f)
}
