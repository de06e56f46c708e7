package house

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/auth"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/evidence"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/store"
	"github.com/yamori-net/yamori/internal/trend"
)

// quiet is a daemon without an engine.
type quiet struct{ flows []api.Flow }

func (quiet) Fill(s *api.Status)                             { s.Interface = "lan0" }
func (quiet) Ready() []api.Problem                           { return nil }
func (quiet) Samples() []api.Sample                          { return nil }
func (q quiet) Flows(context.Context) ([]api.Flow, error)    { return q.flows, nil }
func (quiet) Rules() api.Rules                               { return api.Rules{} }
func (quiet) ReloadRules(context.Context) (api.Rules, error) { return api.Rules{}, api.ErrConflict }

func open(t *testing.T, dir string) *House {
	t.Helper()
	h, err := Open(Config{Store: store.Config{Dir: dir}, HomeNet: device.DefaultHome(), Evidence: true, Location: time.UTC,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

var (
	camMAC = packet.MAC{2, 0, 0, 0, 0, 0xcc}
	camIP  = packet.AddrFrom4([]byte{192, 168, 1, 7})
	pool   = packet.AddrFrom4([]byte{203, 0, 113, 9})
)

func mining(h *House, flowID uint64) *event.Event {
	return &event.Event{Time: time.Now().UnixNano(), Type: event.Alert, FlowID: flowID, HasAddr: true, Proto: packet.ProtoTCP, Src: camIP, Dst: pool, SrcPort: 40000, DstPort: 3333,
		Finding: &event.Finding{Category: event.Mining, Family: "stratum", Detector: "mining", Level: event.Confirmed, Confidence: 0.99, SignatureID: 1002, Signature: "mining",
			Severity: 1, Action: "would_block", Evidence: []event.Evidence{{Code: "stratum.login", Value: "login", Weight: 5}}, Code: "mining.stratum",
			Args: []event.Arg{{Name: "pool", Value: "pool.example:3333"}}, Device: h.Ref(camMAC, camIP)}}
}

// joined lets a camera join the home.
func joined(h *House) {
	now := time.Now().UnixNano()
	h.Devices.Add(device.Clue{Source: device.DHCP, Key: "hostname", Value: "garden-camera", Time: now, MAC: camMAC, IP: camIP})
	h.Devices.Advance(now)
}

// TestLife: what is found is kept over a restart, with its capture; what the
// owner says about a device holds; erasing leaves nothing of it.
func TestLife(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	ctx := context.Background()
	b := h.Backend(quiet{})
	joined(h)
	id := h.Ref(camMAC, camIP).ID
	if id == "" {
		t.Fatal("the camera is no device")
	}
	h.Recorder().Event(mining(h, 77))
	h.captured(&evidence.Item{FlowID: 77, Data: []byte("pcapng of a flow that mined")})
	var list []api.Finding
	wait(t, "the finding is kept, with its capture", func() bool {
		list, _, _ = b.Findings.Findings(ctx, api.FindingQuery{Category: "mining"}, api.Page{Limit: 10})
		return len(list) == 1 && list[0].Capture
	})
	f := list[0]
	if f.Device != id || f.Direction != "outbound" || f.Remote != "203.0.113.9" || f.Explain.Args["pool"] != "pool.example:3333" || f.Action != "would_block" || f.State != "new" {
		t.Errorf("%+v", f)
	}
	r, err := b.Findings.Capture(ctx, f.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(r); string(got) != "pcapng of a flow that mined" {
		t.Errorf("%q", got)
	}
	name := "Garden"
	if d, err := b.Devices.ChangeDevice(ctx, id, api.DeviceChange{Name: &name}); err != nil || d.Name != name {
		t.Fatal(d, err)
	}
	os, maker, model := "OpenIPC", "Garden Works", "X1"
	if d, err := b.Devices.ChangeDevice(ctx, id, api.DeviceChange{OS: &os, Maker: &maker, Model: &model}); err != nil || d.OS != os || d.Maker != maker || d.Model != model || d.Name != name {
		t.Fatal(d, err)
	}
	seen := "seen"
	if c, err := b.Findings.ChangeFinding(ctx, f.ID, api.FindingChange{State: &seen}); err != nil || c.State != seen || len(c.Evidence) != 1 || c.DeviceName != name {
		t.Errorf("%+v %v", c, err)
	}
	e, err := b.Rulebook.AddEntry(ctx, "consent", api.EntryNew{Scope: api.Scope{Device: id}, Seconds: 3600}, "owner")
	if err != nil {
		t.Fatal(err)
	}
	h.Audit(auth.Entry{Actor: "owner", Via: auth.ViaSession, Action: "consents.add", Target: e.ID, Outcome: "ok"})
	st, err := b.State.Status(ctx)
	if err != nil || st.Open != 0 || st.Devices != 1 || st.Interface != "lan0" || len(st.Problems) != 0 {
		t.Errorf("%+v %v", st, err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}

	h = open(t, dir)
	defer h.Close()
	b = h.Backend(quiet{})
	if d, err := b.Devices.Device(ctx, id); err != nil || d.Name != name || d.OS != os || d.Maker != maker || d.Model != model || len(d.Corrected) != 4 {
		t.Errorf("after a restart: %+v %v", d, err)
	}
	if x, err := b.Findings.Finding(ctx, f.ID); err != nil || x.State != seen {
		t.Errorf("after a restart: %+v %v", x, err)
	}
	if l, err := b.Rulebook.Entries(ctx, "consent"); err != nil || len(l) != 1 || l[0].ID != e.ID || time.Until(l[0].Until) > time.Hour {
		t.Errorf("after a restart: %+v %v", l, err)
	}
	log, _, err := b.Logbook.AuditLog(ctx, "owner", "", time.Time{}, time.Time{}, api.Page{Limit: 10})
	if err != nil || len(log) != 1 || log[0].Action != "consents.add" || log[0].Target != e.ID || log[0].Via != "session" {
		t.Errorf("%+v %v", log, err)
	}
	tr, err := b.Figures.Trends(ctx, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil || tr.Mining.Count != 1 || tr.MiningShare != 1 || tr.Outbound != 1 || len(tr.Devices) != 1 || tr.Devices[0].Label != name || len(tr.Months) == 0 {
		t.Errorf("%+v %v", tr, err)
	}
	rec, err := b.Records.Record(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, s := range rec.Sections {
		kinds[s.Kind] = true
		if s.Kind == "findings" && (len(s.Rows) == 0 || !strings.Contains(string(s.Rows[0]), `"eve":`)) {
			t.Errorf("the record shows findings in part: %s", s.Rows)
		}
	}
	for _, k := range []string{"device", "findings", "captures", "entries"} {
		if !kinds[k] {
			t.Errorf("the record has no %s: %v", k, kinds)
		}
	}
	if _, err := b.Records.Erase(ctx, id); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Records.Record(ctx, id); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("after erasing: %v", err)
	}
	if _, err := b.Findings.Finding(ctx, f.ID); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("its finding: %v", err)
	}
	if l, _ := b.Rulebook.Entries(ctx, "consent"); len(l) != 0 {
		t.Errorf("its consent: %+v", l)
	}
}

func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	// The limit is far beyond what it takes: a machine that is busy does not reach it.
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within a minute: %s", what)
}

// TestBackup: what one gateway kept, another takes.
func TestBackup(t *testing.T) {
	ctx := context.Background()
	a := open(t, t.TempDir())
	defer a.Close()
	joined(a)
	id, name := a.Ref(camMAC, camIP).ID, "Garden"
	ab := a.Backend(quiet{})
	if _, err := ab.Devices.ChangeDevice(ctx, id, api.DeviceChange{Name: &name}); err != nil {
		t.Fatal(err)
	}
	if _, err := ab.Rulebook.AddEntry(ctx, "never", api.EntryNew{Scope: api.Scope{Dest: "203.0.113.53"}}, ""); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := ab.Safe.Backup(ctx, api.BackupOptions{Passphrase: "a long secret"}, &file); err != nil {
		t.Fatal(err)
	}
	if a.lastBackup().IsZero() {
		t.Error("the backup is not noted")
	}
	dir := t.TempDir()
	b := open(t, dir)
	bb := b.Backend(quiet{})
	damaged := bytes.Clone(file.Bytes())
	damaged[len(damaged)/2] ^= 1
	if _, err := bb.Safe.Restore(ctx, "", bytes.NewReader(damaged)); !errors.Is(err, api.ErrInvalid) {
		t.Errorf("a damaged file: %v", err)
	}
	// This gateway knows the device already, under another name.
	joined(b)
	wrongName := "Not this"
	if _, err := bb.Devices.ChangeDevice(ctx, id, api.DeviceChange{Name: &wrongName}); err != nil {
		t.Fatal(err)
	}
	if r, err := bb.Safe.Restore(ctx, "a long secret", &file); err != nil || r.Counts["devices"] != 1 || len(r.Notes) != 0 {
		t.Fatalf("%+v %v", r, err)
	}
	if d, err := bb.Devices.Device(ctx, id); err != nil || d.Name != name {
		t.Errorf("at once: %+v %v", d, err)
	}
	if l, _ := bb.Rulebook.Entries(ctx, "never"); len(l) != 1 || l[0].Scope.Dest != "203.0.113.53" {
		t.Errorf("at once: %+v", l)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, dir)
	defer b.Close()
	bb = b.Backend(quiet{})
	if d, err := bb.Devices.Device(ctx, id); err != nil || d.Name != name {
		t.Errorf("%+v %v", d, err)
	}
	if l, _ := bb.Rulebook.Entries(ctx, "never"); len(l) != 1 || l[0].Scope.Dest != "203.0.113.53" {
		t.Errorf("%+v", l)
	}
}

// TestSettings: a change is checked, and lasts.
func TestSettings(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	ctx := context.Background()
	c := h.Backend(quiet{}).Choices
	yes, lang, zone := true, "ja", "Nowhere/Atall"
	if _, err := c.ChangeSettings(ctx, api.SettingsChange{TimeZone: &zone}); !errors.Is(err, api.ErrInvalid) {
		t.Error(err)
	}
	for _, r := range []map[string]int{{"coffee": 1}, {"findings": 0}, {"findings": 1 << 20}} {
		if _, err := c.ChangeSettings(ctx, api.SettingsChange{Retention: r}); !errors.Is(err, api.ErrInvalid) {
			t.Errorf("%v: %v", r, err)
		}
	}
	if _, err := c.ChangeSettings(ctx, api.SettingsChange{Names: &yes}); !errors.Is(err, api.ErrInvalid) {
		t.Errorf("a browsing history that is not kept can be switched on: %v", err)
	}
	if _, err := c.ChangeSettings(ctx, api.SettingsChange{Language: &lang, Presence: &yes, Retention: map[string]int{"findings": 30}}); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h = open(t, dir)
	defer func() { _ = h.Close() }()
	s := h.settings.get()
	if s.Language != "ja" || !s.Presence || s.Retention["findings"] != 30 || s.Retention["events"] != 90 || s.Names {
		t.Errorf("%+v", s)
	}
	if h.settings.retention().Findings != 30*24*time.Hour {
		t.Error(h.settings.retention())
	}
	zone, no := "Asia/Tokyo", false
	if _, err := h.Backend(quiet{}).Choices.ChangeSettings(ctx, api.SettingsChange{TimeZone: &zone, Evidence: &no}); err != nil {
		t.Fatal(err)
	}
	if h.zone().String() != zone || h.Evidence.On() {
		t.Errorf("not at once: the home is in %s, captures %t", h.zone(), h.Evidence.On())
	}
	if d, err := h.Figures(ctx, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Now()); err != nil || d.From.Location().String() != zone {
		t.Errorf("the report is of %v, %v", d.From, err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h = open(t, dir)
	if h.zone().String() != zone || h.Evidence.On() {
		t.Errorf("after a restart the home is in %s, captures %t", h.zone(), h.Evidence.On())
	}
}

// TestTrendShapes: the API's figures have the members of a report's.
func TestTrendShapes(t *testing.T) {
	b, err := json.Marshal(trend.Make(trend.Demo(trend.DemoFrom, trend.DemoTo)))
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var x api.Trends
	if err := d.Decode(&x); err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(&x)
	var p, q any
	_, _ = json.Unmarshal(b, &p), json.Unmarshal(again, &q)
	if !reflect.DeepEqual(p, q) {
		t.Error("the two differ")
	}
}

// TestPages: cursors walk over everything once; a made-up one is refused.
func TestPages(t *testing.T) {
	h := open(t, t.TempDir())
	defer h.Close()
	ctx := context.Background()
	joined(h)
	r := h.Recorder()
	for i := range 25 {
		ev := mining(h, uint64(i+1))
		ev.Finding.Family = []string{"stratum", "getwork"}[i%2]
		ev.Dst = packet.AddrFrom4([]byte{203, 0, 113, byte(i)})
		ev.Finding.SignatureID += uint32(i)
		r.Event(ev)
	}
	b := h.Backend(quiet{flows: make([]api.Flow, 7)})
	for _, family := range []string{"", "getwork"} {
		want := map[string]int{"": 25, "getwork": 12}[family]
		all := func() (n int, ids map[string]bool) {
			ids = map[string]bool{}
			for p := (api.Page{Limit: 5}); ; {
				l, next, err := b.Findings.Findings(ctx, api.FindingQuery{Family: family}, p)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range l {
					n++
					ids[f.ID] = true
				}
				if p.After = next; next == "" {
					return n, ids
				}
			}
		}
		wait(t, "all are listed", func() bool { n, ids := all(); return n == want && len(ids) == want })
	}
	for _, after := range []string{"x", "-1", "99999999999999999999"} {
		if _, _, err := b.Findings.Findings(ctx, api.FindingQuery{}, api.Page{Limit: 1, After: after}); !errors.Is(err, api.ErrInvalid) {
			t.Errorf("%q: %v", after, err)
		}
		if _, _, err := b.Devices.Devices(ctx, api.DeviceQuery{}, api.Page{Limit: 1, After: after}); !errors.Is(err, api.ErrInvalid) {
			t.Errorf("%q: %v", after, err)
		}
	}
	// An export selects as a list does.
	for _, x := range []struct {
		q    api.FindingQuery
		want int
	}{{api.FindingQuery{Family: "getwork"}, 12}, {api.FindingQuery{Family: "nothing"}, 0}, {api.FindingQuery{Verdict: "confirmed"}, 25},
		{api.FindingQuery{Verdict: "suspect"}, 0}, {api.FindingQuery{Verdict: "likely", Family: "stratum"}, 0}, {api.FindingQuery{Verdict: "confirmed", Family: "stratum"}, 13}} {
		var out bytes.Buffer
		l, next, err := b.Findings.Findings(ctx, x.q, api.Page{Limit: 100})
		if xerr := b.Findings.Export(ctx, x.q, "eve", &out); xerr != nil || err != nil {
			t.Fatal(err, xerr)
		}
		if n := bytes.Count(out.Bytes(), []byte("\n")); n != x.want || len(l) != x.want || next != "" {
			t.Errorf("%+v: %d listed, %d exported, want %d", x.q, len(l), n, x.want)
		}
	}
	for _, after := range []string{"1:true:0:", "9223372036854775807:false:-9223372036854775808:x", "0:false:0:mac:02"} {
		if _, _, err := b.Devices.Devices(ctx, api.DeviceQuery{}, api.Page{Limit: 1, After: after}); err != nil {
			t.Error(err)
		}
	}
	n := 0
	for p := (api.Page{Limit: 3}); ; {
		l, next, err := b.Flows.Flows(ctx, "", "", p)
		if err != nil {
			t.Fatal(err)
		}
		n += len(l)
		if p.After = next; next == "" {
			break
		}
	}
	if n != 7 {
		t.Errorf("%d flows", n)
	}
	m, _, err := b.Timeline.Timeline(ctx, "", "", time.Time{}, time.Time{}, api.Page{Limit: 50})
	if err != nil || len(m) < 25 {
		t.Errorf("%d moments, %v", len(m), err)
	}
	for _, s := range b.State.Metrics(ctx) {
		if !strings.HasPrefix(s.Name, "yamori_") {
			t.Errorf("%+v", s)
		}
	}
}

// TestRestoreRefused: what is no backup is refused in one sentence with a cure.
func TestRestoreRefused(t *testing.T) {
	h := open(t, t.TempDir())
	defer h.Close()
	var bad *api.InvalidError
	_, err := h.Backend(quiet{}).Safe.Restore(context.Background(), "", strings.NewReader("a list of things to buy\n"))
	if !errors.As(err, &bad) || bad.Field != "file" || bad.Text != "this is no backup of Yamori; choose a file that yamori backup wrote" {
		t.Error(err)
	}
}

// TestRestoreByHand: a backup that somebody wrote makes nobody a user, and no
// setting that could not have been chosen.
func TestRestoreByHand(t *testing.T) {
	h := open(t, t.TempDir())
	defer h.Close()
	ctx := context.Background()
	file := func(line string) io.Reader {
		text := `{"yamori_backup":1,"created":"2026-01-01T00:00:00Z"}` + "\n" + line + "\n"
		return strings.NewReader(fmt.Sprintf("%s{\"sha256\":\"%x\"}\n", text, sha256.Sum256([]byte(text))))
	}
	safe := h.Backend(quiet{}).Safe
	_, err := safe.Restore(ctx, "", file(`{"document":{"bucket":"auth.users","key":"u","value":{"id":"u","name":"mallory","role":"owner","hash":"x"}}}`))
	if !errors.Is(err, api.ErrInvalid) || !h.Auth.NeedsSetup() {
		t.Errorf("a user in the open: %v", err)
	}
	if _, err := safe.Restore(ctx, "", file(`{"document":{"bucket":"settings","key":"owner","value":{"language":"xx","retention":{"findings":-5,"events":7,"coffee":3}}}}`)); err != nil {
		t.Fatal(err)
	}
	s := h.settings.get()
	if s.Language != "auto" || len(s.Retention) != len(days) || s.Retention["findings"] != 365 || s.Retention["events"] != 7 {
		t.Errorf("%+v", s)
	}
}

// TestChangesInTimeline: what was changed of the policy stands in the timeline,
// whoever did it, also over a restart, each once.
func TestChangesInTimeline(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	ctx := context.Background()
	b := h.Backend(quiet{})
	e, err := b.Rulebook.AddEntry(ctx, "block", api.EntryNew{Scope: api.Scope{Dest: "203.0.113.9"}}, "Kenji")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Rulebook.AddEntry(ctx, "pause", api.EntryNew{Scope: api.Scope{Device: "mac:02:00:00:00:00:cc"}}, "mqtt"); err != nil {
		t.Fatal(err)
	}
	if err := b.Rulebook.RemoveEntry(ctx, e.ID); err != nil {
		t.Fatal(err)
	}
	if err := b.Rulebook.SetMode(ctx, "protect", 0); err != nil {
		t.Fatal(err)
	}
	if l, _, err := b.Timeline.Timeline(ctx, "", "policy", time.Time{}, time.Time{}, api.Page{Limit: 10}); err != nil || len(l) != 1 {
		t.Errorf("not at once: %+v %v", l, err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h = open(t, dir)
	defer h.Close()
	b = h.Backend(quiet{})
	for kind, want := range map[string]string{"block": "policy.remove;policy.add mac:02:00:00:00:00:cc;policy.add;", "policy": "policy.mode;"} {
		l, _, err := b.Timeline.Timeline(ctx, "", kind, time.Time{}, time.Time{}, api.Page{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, m := range l {
			got += strings.TrimSpace(m.Code+" "+m.Device) + ";"
			if m.Kind != kind || len(m.Args) == 0 {
				t.Errorf("%+v", m)
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
}
