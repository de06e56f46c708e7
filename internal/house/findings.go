package house

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/store"
)

func formatID(id int64) string { return strconv.FormatInt(id, 10) }

// parseID reads an identity or a position; both are positive numbers.
func parseID(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return 0, api.ErrNotFound
	}
	return n, nil
}

func parseAfter(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, &api.InvalidError{Field: "cursor", Text: "is not one that was given out"}
	}
	return n, nil
}

// failed turns the store's errors into the API's.
func failed(err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return api.ErrNotFound
	case errors.Is(err, store.ErrConflict):
		return api.ErrConflict
	case errors.Is(err, store.ErrTooBig):
		return fmt.Errorf("%w: %w", api.ErrInvalid, err)
	}
	return err
}

// line is what is read back of a finding's EVE line.
type line struct {
	Alert struct {
		Signature string `json:"signature"`
		Severity  int    `json:"severity"`
		GID       int64  `json:"gid"`
		SID       int64  `json:"signature_id"`
		Category  string `json:"category"`
	} `json:"alert"`
	Yamori struct {
		Evidence []api.Evidence `json:"evidence"`
		Explain  api.Explain    `json:"explain"`
	} `json:"yamori"`
	Src  string `json:"src_ip"`
	Dest string `json:"dest_ip"`
}

// finding is the API's shape of f; full: with evidence and the line itself.
func (h *House) finding(f *store.Finding, full bool) api.Finding {
	var l line
	_ = json.Unmarshal(f.EVE, &l) // the store wrote it
	out := api.Finding{
		ID: formatID(f.ID), Time: f.Time, Last: f.Last, Count: max(f.Count, 1), Estimated: f.Estimated, Device: f.Device, DeviceKind: f.Kind,
		Category: string(f.Category), Family: f.Family, Verdict: f.Level.String(), Confidence: f.Confidence, Severity: l.Alert.Severity, Action: f.Action,
		Direction: f.Direction.String(), Country: f.Country, ASN: int64(f.ASN), Signature: int64(f.Signature), Title: l.Alert.Signature,
		State: f.State.String(), Until: f.Until, Note: f.Note, Capture: f.Evidence, Explain: l.Yamori.Explain, Evidence: []api.Evidence{},
	}
	if out.Action == "" {
		out.Action = "allowed"
	}
	if f.Remote.IsValid() {
		out.Remote = f.Remote.String()
	}
	if d, ok := h.Devices.Get(f.Device); ok {
		out.DeviceName = d.Name
		if out.DeviceKind == "" {
			out.DeviceKind = d.Kind
		}
	}
	if out.Explain.Code == "" { // a rule's
		out.Explain = api.Explain{Code: "rule", Args: map[string]string{"rule": l.Alert.Signature, "class": l.Alert.Category,
			"sid": strconv.FormatInt(l.Alert.SID, 10), "gid": strconv.FormatInt(l.Alert.GID, 10)}}
	}
	if out.Explain.Args == nil {
		out.Explain.Args = map[string]string{}
	}
	if full {
		out.EVE = f.EVE
		if l.Yamori.Evidence != nil {
			out.Evidence = l.Yamori.Evidence
		}
	}
	return out
}

// filter is the store's form of a query.
func filter(q *api.FindingQuery) (store.Filter, error) {
	f := store.Filter{Device: q.Device, Category: event.Category(q.Category), Family: q.Family, Action: q.Action, Since: q.Since, Until: q.Until}
	switch q.Verdict {
	case "":
	case "suspect":
		f.Level = event.Suspect
	case "likely":
		f.Level = event.Likely
	case "confirmed":
		f.Level = event.Confirmed
	default:
		return f, &api.InvalidError{Field: "verdict", Text: "use suspect, likely or confirmed"}
	}
	if q.State != "" {
		s, ok := store.ParseState(q.State)
		if !ok {
			return f, &api.InvalidError{Field: "state", Text: "use new, seen, solved or ignored"}
		}
		f.State = &s
	}
	return f, nil
}

type findings struct{ h *House }

// Findings lists the latest first. Where little is selected of much, a page may
// be short and have a next one.
func (x findings) Findings(ctx context.Context, q api.FindingQuery, p api.Page) ([]api.Finding, string, error) {
	f, err := filter(&q)
	if err != nil {
		return nil, "", err
	}
	after, err := parseAfter(p.After)
	if err != nil {
		return nil, "", err
	}
	var out []api.Finding
	for range 20 { // a rare family must not look through all of the store at once
		page, err := x.h.Store.Timeline(ctx, f, after, p.Limit-len(out))
		if err != nil {
			return nil, "", failed(err)
		}
		for i := range page.Items {
			out = append(out, x.h.finding(page.Items[i].Finding, false))
		}
		if after = page.Next; after == 0 {
			return out, "", nil
		}
		if len(out) >= p.Limit {
			break
		}
	}
	return out, formatID(after), nil
}

// Finding returns one.
func (x findings) Finding(ctx context.Context, id string) (api.Finding, error) {
	n, err := parseID(id)
	if err != nil {
		return api.Finding{}, err
	}
	f, err := x.h.Store.Finding(ctx, n)
	if err != nil {
		return api.Finding{}, failed(err)
	}
	return x.h.finding(&f, true), nil
}

// ChangeFinding notes what the owner did about one.
func (x findings) ChangeFinding(ctx context.Context, id string, c api.FindingChange) (api.Finding, error) {
	n, err := parseID(id)
	if err != nil {
		return api.Finding{}, err
	}
	x.h.counting.Lock() // also so that no change falls between reading and writing
	defer x.h.counting.Unlock()
	f, err := x.h.Store.Finding(ctx, n)
	if err != nil {
		return api.Finding{}, failed(err)
	}
	was := f.State
	state, until, note := f.State, f.Until, f.Note
	if c.State != nil {
		s, ok := store.ParseState(*c.State)
		if !ok {
			return api.Finding{}, &api.InvalidError{Field: "state", Text: "use new, seen, solved or ignored"}
		}
		state, until = s, time.Time{}
	}
	if c.Until != nil {
		until = *c.Until
	}
	if c.Note != nil {
		note = *c.Note
	}
	if err := x.h.Store.SetState(ctx, "", n, state, until, note); err != nil {
		return api.Finding{}, failed(err)
	}
	switch {
	case was == store.New && state != store.New:
		x.h.open.Add(-1)
	case was != store.New && state == store.New:
		x.h.open.Add(1)
	}
	return x.Finding(ctx, id)
}

// Capture returns the packets that prove a finding.
func (x findings) Capture(ctx context.Context, id string) (io.ReadCloser, error) {
	n, err := parseID(id)
	if err != nil {
		return nil, err
	}
	b, err := x.h.Store.Evidence(ctx, n)
	if err != nil {
		return nil, failed(err)
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// Export writes findings, the oldest first.
func (x findings) Export(ctx context.Context, q api.FindingQuery, format string, w io.Writer) error {
	f, err := filter(&q)
	if err != nil {
		return err
	}
	return failed(x.h.Store.Export(ctx, w, store.Format(format), f))
}

// Import adds findings that were exported, here or by Suricata. What is taken
// in twice is there twice.
func (x findings) Import(ctx context.Context, r io.Reader) (api.Imported, error) {
	done, err := x.h.Store.Import(ctx, r)
	out := api.Imported{Findings: int64(done.Findings), Skipped: int64(done.Skipped), Bad: int64(done.Bad), Problems: done.Problems}
	x.h.countOpen()
	return out, failed(err)
}

// countOpen counts the findings that wait for the owner: at the start, and when
// some may have gone.
func (h *House) countOpen() {
	ctx, cancel := short()
	defer cancel()
	h.counting.Lock()
	defer h.counting.Unlock()
	fresh := store.New
	var after, n int64
	for n < 10000 {
		page, err := h.Store.Timeline(ctx, store.Filter{State: &fresh}, after, store.MaxPage)
		if err != nil {
			break
		}
		n += int64(len(page.Items))
		if after = page.Next; after == 0 {
			break
		}
	}
	h.open.Store(n)
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
