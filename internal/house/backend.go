package house

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"runtime/debug"
	"strings"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/store"
)

// Daemon is the rest of the program, as the API sees it.
type Daemon interface {
	// Fill adds what the engine knows to a status.
	Fill(*api.Status)
	// Ready lists what keeps it from inspecting.
	Ready() []api.Problem
	Samples() []api.Sample
	Flows(ctx context.Context) ([]api.Flow, error)
	Rules() api.Rules
	ReloadRules(context.Context) (api.Rules, error)
}

// Backend is what the API is given.
func (h *House) Backend(d Daemon) api.Backend {
	return api.Backend{Devices: devices{h}, Records: records{h}, Findings: findings{h}, Flows: flows{h, d}, Timeline: timeline{h}, Figures: figures{h},
		Rulebook: rulebook{h}, Choices: choices{h}, Safe: safe{h}, RuleSets: ruleSets{d}, State: state{h, d}, Logbook: logbook{h}, Zone: h.zone}
}

type ruleSets struct{ d Daemon }

// Rules says which are loaded.
func (x ruleSets) Rules(context.Context) (api.Rules, error) { return x.d.Rules(), nil }

// ReloadRules loads them again.
func (x ruleSets) ReloadRules(ctx context.Context) (api.Rules, error) { return x.d.ReloadRules(ctx) }

type state struct {
	h *House
	d Daemon
}

// Status says how everything is.
func (x state) Status(context.Context) (api.Status, error) {
	h, hl := x.h, x.h.Store.Health()
	s := api.Status{Version: h.cfg.Version, Mode: h.Policy.Mode().String(), Open: max(h.open.Load(), 0), StoreBytes: hl.Bytes, StoreLimit: hl.MaxBytes,
		LastBackup: h.lastBackup(), Problems: []api.Problem{}}
	for _, dev := range h.Devices.Devices() {
		s.Devices++
		if dev.Present {
			s.Online++
		}
	}
	x.d.Fill(&s)
	s.EventsDropped += int64(h.dropped.Load())
	problem := func(code string, args ...api.Pair) {
		if args == nil {
			args = []api.Pair{}
		}
		s.Problems = append(s.Problems, api.Problem{Code: code, Args: args})
	}
	switch {
	case hl.Full:
		problem("store.full", api.Pair{Name: "error", Value: hl.WriteError})
	case hl.WriteError != "":
		problem("store.failing", api.Pair{Name: "error", Value: hl.WriteError})
	}
	if hl.Damaged {
		problem("store.damaged")
	}
	if hl.Repaired != nil {
		problem("store.repaired", api.Pair{Name: "aside", Value: hl.Repaired.Aside})
	}
	if h.dropped.Load() > 0 {
		problem("findings.dropped")
	}
	if len(h.Policy.Faults()) > 0 {
		problem("policy.unreadable")
	}
	s.Problems = append(s.Problems, x.d.Ready()...)
	return s, nil
}

// Ready lists what keeps the program from doing its work.
func (x state) Ready(context.Context) []api.Problem {
	out := x.d.Ready()
	if hl := x.h.Store.Health(); hl.WriteError != "" {
		out = append(out, api.Problem{Code: "store.failing", Args: []api.Pair{}})
	}
	return out
}

// Metrics are the figures of /metrics.
func (x state) Metrics(context.Context) []api.Sample {
	h := x.h
	out := append(x.d.Samples(), h.counted.samples()...)
	kinds := map[[2]string]float64{}
	for _, d := range h.Devices.Devices() {
		on := "offline"
		if d.Present {
			on = "online"
		}
		kinds[[2]string{d.Kind, on}]++
	}
	for k, n := range kinds {
		out = append(out, api.Sample{Name: "yamori_devices", Labels: []string{k[0], k[1]}, Value: n})
	}
	hl := h.Store.Health()
	return append(out, api.Sample{Name: "yamori_db_bytes", Value: float64(hl.Bytes)},
		api.Sample{Name: "yamori_queue_depth", Labels: []string{"findings"}, Value: float64(len(h.findings))},
		api.Sample{Name: "yamori_queue_drops_total", Labels: []string{"findings"}, Value: float64(h.dropped.Load() + hl.Dropped.Findings)},
		api.Sample{Name: "yamori_queue_drops_total", Labels: []string{"clues"}, Value: float64(h.live.Dropped())},
		api.Sample{Name: "yamori_queue_drops_total", Labels: []string{"store"}, Value: float64(hl.Dropped.Events + hl.Dropped.Flows + hl.Dropped.Traffic + hl.Dropped.Devices)})
}

type logbook struct{ h *House }

// AuditLog lists the latest first. Lines that the store writes for itself say
// nobody; the API's own lines beside them say who.
func (x logbook) AuditLog(ctx context.Context, actor, action string, since, until time.Time, p api.Page) ([]api.AuditLine, string, error) {
	after, err := parseAfter(p.After)
	if err != nil {
		return nil, "", err
	}
	out := []api.AuditLine{}
	for range 20 {
		list, next, err := x.h.Store.AuditLog(ctx, after, p.Limit)
		if err != nil {
			return nil, "", failed(err)
		}
		for i, e := range list {
			if e.Who == "" && e.After == nil || actor != "" && e.Who != actor || action != "" && e.Action != action ||
				!since.IsZero() && e.Time.Before(since) || !until.IsZero() && !e.Time.Before(until) {
				continue
			}
			var d auditDetail
			_ = json.Unmarshal(e.After, &d) // of a change of the store's own: nothing
			if d.Detail == nil {
				d.Detail = map[string]string{}
			}
			out = append(out, api.AuditLine{ID: formatID(e.ID), Time: e.Time, Actor: e.Who, Via: d.Via, Addr: d.Addr, Action: e.Action,
				Target: e.Key, Outcome: cmp.Or(d.Outcome, "ok"), Detail: d.Detail})
			if len(out) == p.Limit && i+1 < len(list) {
				return out, formatID(e.ID), nil
			}
		}
		if after = next; next == 0 {
			return out, "", nil
		}
		if len(out) >= p.Limit {
			break
		}
	}
	return out, formatID(after), nil
}

type safe struct{ h *House }

// Backup writes what is the owner's.
func (x safe) Backup(ctx context.Context, o api.BackupOptions, w io.Writer) error {
	if err := x.h.Devices.Save(); err != nil {
		return err
	}
	if err := x.h.Store.Backup(ctx, w, store.BackupOptions{Secrets: bucketsSecret, Passphrase: o.Passphrase, Findings: o.Findings}); err != nil {
		return failed(err)
	}
	b, _ := json.Marshal(x.h.cfg.Now())
	return documents{x.h.Store}.Put(store.HostBucket, "last-backup", b)
}

func (h *House) lastBackup() (t time.Time) {
	if b, ok, err := (documents{h.Store}).Get(store.HostBucket, "last-backup"); ok && err == nil {
		_ = json.Unmarshal(b, &t)
	}
	return t
}

// Restore takes a backup back. All of it holds at once.
func (x safe) Restore(ctx context.Context, passphrase string, r io.Reader) (api.Restored, error) {
	out := api.Restored{Counts: map[string]int64{}, Notes: []string{}}
	// What waits to be written must not come after it.
	if err := errors.Join(x.h.Devices.Save(), x.h.Store.Flush(ctx)); err != nil {
		return out, err
	}
	// A backup with findings is a hundred megabytes in memory: a small gateway
	// needs them back at once.
	defer debug.FreeOSMemory()
	done, err := x.h.Store.Restore(ctx, api.Actor(ctx), r, passphrase, bucketsSecret...)
	if err != nil {
		if errors.Is(err, store.ErrPassphrase) {
			return out, &api.InvalidError{Field: "file", Text: "its secrets need a passphrase"}
		}
		return out, &api.InvalidError{Field: "file", Text: strings.TrimPrefix(err.Error(), "store: ")}
	}
	out.Counts["documents"], out.Counts["devices"], out.Counts["findings"] = int64(done.Documents), int64(done.Devices), int64(done.Findings)
	if err := x.h.Auth.Reload(); err != nil {
		return out, err
	}
	if err := x.h.settings.load(x.h); err != nil {
		return out, err
	}
	s := x.h.settings.get()
	x.h.settle(&s)
	if err := errors.Join(x.h.Policy.Reload(), x.h.Devices.Adopt()); err != nil {
		return out, err
	}
	for _, f := range x.h.Policy.Faults() {
		x.h.cfg.Log.Warn("a part of the policy could not be read", "fault", f)
	}
	x.h.countOpen()
	if done.SecretsLeft {
		out.Notes = append(out.Notes, "secrets-left")
	}
	return out, nil
}

type flows struct {
	h *House
	d Daemon
}

// Flows are the connections open now.
func (x flows) Flows(ctx context.Context, dev, app string, p api.Page) ([]api.Flow, string, error) {
	after, err := parseAfter(p.After)
	if err != nil {
		return nil, "", err
	}
	all, err := x.d.Flows(ctx)
	if err != nil {
		return nil, "", err
	}
	out := []api.Flow{}
	for _, f := range all {
		if dev != "" && f.Device != dev || app != "" && f.AppProto != app {
			continue
		}
		out = append(out, f)
	}
	from := int(min(after, int64(len(out))))
	to := min(from+p.Limit, len(out))
	if to == len(out) {
		return out[from:to], "", nil
	}
	return out[from:to], formatID(int64(to)), nil
}

type timeline struct{ h *House }

// Timeline is what happened: findings, what became of devices, and what was
// changed of the policy.
func (x timeline) Timeline(ctx context.Context, dev, kind string, since, until time.Time, p api.Page) ([]api.Moment, string, error) {
	after, err := parseAfter(p.After)
	if err != nil {
		return nil, "", err
	}
	if x.h.changes.waiting.Swap(false) { // who has just changed something looks for it here
		if err := x.h.Store.Flush(ctx); err != nil {
			x.h.changes.waiting.Store(true)
			x.h.cfg.Log.Warn("what waits for the timeline could not be written", "error", err)
		}
	}
	f := store.Filter{Device: dev, Since: since, Until: until, Events: kind != "finding"}
	if kind != "" && kind != "finding" {
		f.Type = kind
	}
	page, err := x.h.Store.Timeline(ctx, f, after, p.Limit)
	if err != nil {
		return nil, "", failed(err)
	}
	out := []api.Moment{}
	for i := range page.Items {
		out = append(out, x.h.moment(&page.Items[i]))
	}
	if page.Next == 0 {
		return out, "", nil
	}
	return out, formatID(page.Next), nil
}

func (h *House) moment(it *store.Item) api.Moment {
	m := api.Moment{ID: formatID(it.ID), Args: []api.Pair{}}
	if f := it.Finding; f != nil {
		x := h.finding(f, false)
		m.Time, m.End, m.Kind, m.Device, m.Code, m.Finding = x.Time, x.Last, "finding", x.Device, x.Explain.Code, x.ID
		for _, k := range sortedKeys(x.Explain.Args) {
			m.Args = append(m.Args, api.Pair{Name: k, Value: x.Explain.Args[k]})
		}
		return m
	}
	e := it.Event
	m.Time, m.Kind, m.Device, m.Code = e.Time, "system", e.Device, e.Type
	if e.Type == eventBlock || e.Type == eventPolicy {
		changed(&m, e)
		return m
	}
	var l struct {
		Device struct {
			Change string `json:"change"`
			Kind   string `json:"kind"`
			Name   string `json:"name"`
			Old    string `json:"old_kind"`
		} `json:"device"`
	}
	if e.Type == "device" && json.Unmarshal(e.EVE, &l) == nil {
		m.Kind, m.Code = "device", "device."+l.Device.Change
		for _, a := range [...]api.Pair{{Name: "name", Value: l.Device.Name}, {Name: "kind", Value: l.Device.Kind}, {Name: "old", Value: l.Device.Old}} {
			if a.Value != "" {
				m.Args = append(m.Args, a)
			}
		}
	}
	return m
}
