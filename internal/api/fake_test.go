package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/auth"
)

// house is every part of a Backend, in memory, as unhelpful as a part may be:
// it leaves lists nil and takes positions as they come.
type house struct {
	from, to time.Time // of the latest trends
	mu       sync.Mutex
	devices  map[string]*Device
	findings map[string]*Finding
	entries  []Entry
	next     int
	mode     string
	settings Settings
	audit    []auth.Entry
	notReady []Problem
	fail     error // what every call of Status returns
}

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newHouse() *house {
	h := &house{devices: map[string]*Device{}, findings: map[string]*Finding{}, mode: "watch", settings: Settings{Language: "auto"}}
	for k := range 120 {
		id := fmt.Sprintf("mac:02:00:00:00:00:%02x", k)
		h.devices[id] = &Device{ID: id, Name: fmt.Sprintf("Device %d", k), Kind: "camera", First: t0, Last: t0.Add(time.Duration(k) * time.Minute),
			MACs: []MAC{{Address: id[4:], Last: t0}}, Clues: []Clue{{Code: "dhcp.vendor", Value: "udhcp 1.2 <b>", Weight: 1.5, Seen: t0}}}
	}
	for k := range 70 {
		id := strconv.Itoa(k + 1)
		h.findings[id] = &Finding{ID: id, Time: t0, Last: t0, Count: 1, Device: "mac:02:00:00:00:00:01", Category: "mining", Family: "stratum", Verdict: "confirmed", Action: "would_block",
			Severity: 1, State: "new", Capture: true, EVE: json.RawMessage(`{"event_type":"alert"}`), Evidence: []Evidence{{"stratum.login", "x", 3}}}
	}
	for _, kind := range []string{"exception", "consent", "block", "never", "action"} {
		_, _ = h.AddEntry(context.Background(), kind, EntryNew{Scope: Scope{Device: "mac:02:00:00:00:00:05"}, At: map[bool]string{true: "likely"}[kind == "action"]}, "Kenji")
	}
	return h
}

func (h *house) backend() Backend {
	return Backend{Devices: h, Records: h, Findings: h, Flows: h, Timeline: h, Figures: h, Rulebook: h, Choices: h, Safe: h, RuleSets: h, State: h, Logbook: h}
}

func page[T any](all []T, p Page) ([]T, string, error) {
	items, next := cutPage(all, p)
	return items, next, nil
}

func (h *house) Devices(_ context.Context, q DeviceQuery, p Page) ([]Device, string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []Device
	for _, d := range h.devices {
		if (q.Kind == "" || d.Kind == q.Kind) && (q.Online == nil || *q.Online == d.Online) && strings.Contains(d.Name, q.Text) && (q.Person == "" || d.Person == q.Person) {
			all = append(all, *d)
		}
	}
	sort.Slice(all, func(a, b int) bool { return all[a].Last.After(all[b].Last) })
	return page(all, p)
}

func (h *house) Device(_ context.Context, id string) (Device, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d := h.devices[id]; d != nil {
		return *d, nil
	}
	return Device{}, fmt.Errorf("device %q: %w", id, ErrNotFound)
}

func (h *house) ChangeDevice(ctx context.Context, id string, c DeviceChange) (Device, error) {
	if _, err := h.Device(ctx, id); err != nil {
		return Device{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	d := h.devices[id]
	if c.Name != nil {
		d.Name, d.Corrected = *c.Name, []string{"name"}
	}
	if c.Kind != nil && *c.Kind != "" {
		d.Kind = *c.Kind
	}
	return *d, nil
}

func (h *house) MergeDevices(ctx context.Context, id, with string) (Device, error) {
	if _, err := h.Device(ctx, with); err != nil {
		return Device{}, &InvalidError{"with", "no such device"}
	}
	return h.Device(ctx, id)
}

func (h *house) SplitDevice(ctx context.Context, id string, macs []string) (Device, error) {
	return h.Device(ctx, id)
}

func (h *house) LookAt(ctx context.Context, id string) error {
	_, err := h.Device(ctx, id)
	return err
}

func (h *house) Record(ctx context.Context, id string) (Record, error) {
	d, err := h.Device(ctx, id)
	return Record{Device: d, Sections: []RecordSection{{Kind: "findings", Count: 1, Until: t0, Rows: []json.RawMessage{[]byte(`{"a":"<script>"}`)}}, {Kind: "counters"}}}, err
}

func (h *house) Erase(ctx context.Context, id string) (Erased, error) {
	if _, err := h.Device(ctx, id); err != nil {
		return Erased{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.devices, id)
	return Erased{Counts: map[string]int64{"findings": 3}}, nil
}

func (h *house) Findings(_ context.Context, q FindingQuery, p Page) ([]Finding, string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []Finding
	for _, f := range h.findings {
		if q.State == "" || f.State == q.State {
			all = append(all, *f)
		}
	}
	sort.Slice(all, func(a, b int) bool { return all[a].ID < all[b].ID })
	return page(all, p)
}

func (h *house) Finding(_ context.Context, id string) (Finding, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f := h.findings[id]; f != nil {
		return *f, nil
	}
	return Finding{}, ErrNotFound
}

func (h *house) ChangeFinding(ctx context.Context, id string, c FindingChange) (Finding, error) {
	if _, err := h.Finding(ctx, id); err != nil {
		return Finding{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.findings[id]
	if c.State != nil {
		f.State = *c.State
	}
	if c.Until != nil {
		f.Until = *c.Until
	}
	if c.Note != nil {
		f.Note = *c.Note
	}
	return *f, nil
}

func (h *house) Capture(ctx context.Context, id string) (io.ReadCloser, error) {
	_, err := h.Finding(ctx, id)
	return io.NopCloser(strings.NewReader("\x0a\x0d\x0d\x0a")), err
}

func (h *house) Export(_ context.Context, _ FindingQuery, format string, w io.Writer) error {
	_, err := fmt.Fprintf(w, "{\"format\":%q}\n", format)
	return err
}

func (h *house) Import(_ context.Context, r io.Reader) (Imported, error) {
	b, err := io.ReadAll(r)
	return Imported{Findings: int64(strings.Count(string(b), "\n"))}, err
}

func (h *house) Flows(_ context.Context, _, _ string, p Page) ([]Flow, string, error) {
	return page([]Flow{{ID: "1", First: t0, Last: t0}}, p)
}

func (h *house) Timeline(_ context.Context, _, _ string, _, _ time.Time, p Page) ([]Moment, string, error) {
	return page([]Moment{{ID: "1", Time: t0, Kind: "device", Code: "device.new"}}, p)
}

func (h *house) Trends(_ context.Context, from, to time.Time) (Trends, error) {
	h.from, h.to = from, to
	g := 0.92
	return Trends{From: from, To: to, Mining: Figure{Growth: &g}, Months: []TrendBucket{{Key: "2026-03", Start: from}}, Kinds: []TrendShare{{Name: "camera"}}}, nil
}

func (h *house) Policy(context.Context) (Policy, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Policy{Mode: h.mode}, nil
}

func (h *house) SetMode(_ context.Context, mode string, _ time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mode = mode
	return nil
}

func (h *house) Entries(_ context.Context, kinds ...string) ([]Entry, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []Entry
	for _, e := range h.entries {
		for _, k := range kinds {
			if e.Kind == k {
				out = append(out, e)
			}
		}
	}
	return out, nil
}

func (h *house) AddEntry(ctx context.Context, kind string, e EntryNew, author string) (Entry, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, old := range h.entries {
		if OwnOnly(ctx) && old.Kind == kind && old.Scope == e.Scope && old.Author != author {
			return Entry{}, ErrNotYours
		}
	}
	if len(h.entries) > 2000 {
		h.entries = h.entries[:100] // a fuzzer adds many
	}
	h.next++
	n := Entry{ID: fmt.Sprintf("e%d", h.next), Kind: kind, Scope: e.Scope, Reason: e.Reason, Author: author, At: e.At, Created: t0, Active: true, Schedule: e.Schedule}
	if e.Seconds > 0 {
		n.Until = t0.Add(time.Duration(e.Seconds) * time.Second)
	}
	h.entries = append(h.entries, n)
	return n, nil
}

func (h *house) RemoveEntry(_ context.Context, id string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for k, e := range h.entries {
		if e.ID == id {
			h.entries = append(h.entries[:k:k], h.entries[k+1:]...)
			return nil
		}
	}
	return ErrNotFound
}

func (h *house) Changes(context.Context) ([]PolicyChange, error) {
	return []PolicyChange{{ID: "7", At: t0, What: "mode"}}, nil
}

func (h *house) Undo(ctx context.Context, id string) (PolicyChange, error) {
	if id != "7" {
		return PolicyChange{}, ErrNotFound
	}
	return PolicyChange{ID: "8", At: t0, What: "undo", Author: Actor(ctx)}, nil
}

func (h *house) Settings(context.Context) (Settings, error) { return h.settings, nil }

func (h *house) ChangeSettings(_ context.Context, c SettingsChange) (Settings, error) {
	s := h.settings
	if c.Language != nil {
		s.Language = *c.Language
	}
	return s, nil
}

func (h *house) Backup(_ context.Context, o BackupOptions, w io.Writer) error {
	_, err := io.WriteString(w, "backup"+o.Passphrase)
	return err
}

func (h *house) Restore(_ context.Context, pass string, r io.Reader) (Restored, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return Restored{}, err
	}
	if string(b) != "backup"+pass {
		return Restored{}, &InvalidError{"body", "not a backup"}
	}
	return Restored{}, nil
}

func (h *house) Rules(context.Context) (Rules, error)       { return Rules{Loaded: 3, Since: t0}, nil }
func (h *house) ReloadRules(context.Context) (Rules, error) { return Rules{Loaded: 4, Since: t0}, nil }

func (h *house) Status(context.Context) (Status, error) {
	return Status{Version: "test", Mode: "watch", Since: t0}, h.fail
}
func (h *house) Ready(context.Context) []Problem { return h.notReady }

func (h *house) Metrics(context.Context) []Sample {
	return []Sample{{Name: "yamori_flows_active", Value: 3}, {Name: "yamori_alerts_total", Labels: []string{"mining", "1", "blocked"}, Value: 2},
		{Name: "yamori_clients", Labels: []string{"192.168.1.2"}, Value: 1}}
}

func (h *house) Audit(e auth.Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.audit = append(h.audit, e); len(h.audit) > 1000 {
		h.audit = h.audit[500:]
	}
}

func (h *house) AuditLog(_ context.Context, _, _ string, _, _ time.Time, p Page) ([]AuditLine, string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []AuditLine
	for k := len(h.audit) - 1; k >= 0; k-- {
		e := h.audit[k]
		all = append(all, AuditLine{ID: strconv.Itoa(k), Time: e.Time, Actor: e.Actor, Via: string(e.Via), Addr: e.Addr, Action: e.Action, Target: e.Target, Outcome: e.Outcome, Detail: e.Detail})
	}
	return page(all, p)
}

// memory is an auth.Store in memory.
type memory struct {
	mu sync.Mutex
	m  map[string][]byte
}

func (s *memory) Get(b, k string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.m[b+"/"+k]
	return v, ok, nil
}
func (s *memory) Put(b, k string, v []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m[b+"/"+k] = v
	return nil
}
func (s *memory) Delete(b, k string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.m, b+"/"+k)
	return nil
}
func (s *memory) Each(b string, f func(string, []byte) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, v := range s.m {
		if r, ok := strings.CutPrefix(k, b+"/"); ok {
			if err := f(r, v); err != nil {
				return err
			}
		}
	}
	return nil
}

const (
	testHost = "192.168.1.1:8443"
	testPass = "correct horse battery"
)

// world is a server with a house, a user of each role and what they log in
// with.
type world struct {
	*Server
	h       *house
	auth    *auth.Service
	users   map[auth.Role]auth.User
	cookies map[auth.Role]string
	tokens  map[auth.Role]string
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{h: newHouse(), users: map[auth.Role]auth.User{}, cookies: map[auth.Role]string{}, tokens: map[auth.Role]string{}}
	var err error
	w.auth, err = auth.New(auth.Config{Store: &memory{m: map[string][]byte{}}, Audit: w.h, Now: time.Now, Hash: auth.Params{Memory: 64, Time: 1, Threads: 1}, HashQueue: 1000})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for r, name := range map[auth.Role]string{auth.Viewer: "Nana", auth.Member: "Aiko", auth.Owner: "Kenji"} {
		if w.users[r], err = w.auth.AddUser(ctx, name, testPass, r); err != nil {
			t.Fatal(err)
		}
		if w.cookies[r], _, err = w.auth.Login(ctx, auth.Login{Name: name, Password: testPass, Addr: "192.168.1.50"}); err != nil {
			t.Fatal(err)
		}
		if w.tokens[r], _, err = w.auth.AddToken("", name, r, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	w.Server, err = New(Config{Backend: w.h.backend(), Auth: w.auth, Audit: w.h, Log: slog.New(slog.DiscardHandler), Version: "test",
		Names: []string{"yamori.lan"}, Addrs: func() []netip.Addr {
			return []netip.Addr{netip.MustParseAddr("192.168.1.1"), netip.MustParseAddr("fd00::1")}
		}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// request is one that would be let in, if who asks may; opts change it.
func (w *world) request(method, target, body string, opts ...func(*http.Request)) *http.Request {
	r := httptest.NewRequest(method, "/", strings.NewReader(body))
	if u, err := r.URL.Parse(target); err == nil {
		r.URL, r.RequestURI = u, target
	}
	r.Host = testHost
	r.RemoteAddr = "192.168.1.50:40000"
	r.Header.Set(csrfHeader, "1")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, o := range opts {
		o(r)
	}
	return r
}

func (w *world) do(r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.Handler().ServeHTTP(rec, r)
	return rec
}

func (w *world) session(role auth.Role) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: cookiePlain, Value: w.cookies[role]}) }
}

func (w *world) token(role auth.Role) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+w.tokens[role]) }
}

func header(k, v string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(k, v) }
}

func socket(r *http.Request) {
	*r = *r.WithContext(context.WithValue(r.Context(), connKey{}, conn{socket: true, uid: 1000}))
}
