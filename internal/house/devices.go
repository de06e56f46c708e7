package house

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/policy"
)

func stamp(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// device is the API's shape of d; full: with the clues.
func (h *House) device(d *device.Device, full bool) api.Device {
	out := api.Device{ID: d.ID, Name: d.Name, Kind: d.Kind, OS: d.OS, Maker: d.Maker, Model: d.Model, Confidence: d.Confidence, Person: d.Person,
		Online: d.Present, First: stamp(d.First), Last: stamp(d.Last), MACs: []api.MAC{}, Addresses: []string{}, Corrected: []string{}, Clues: []api.Clue{}}
	for _, a := range d.Addresses {
		out.Addresses = append(out.Addresses, a.String())
	}
	for _, m := range d.MACs {
		out.MACs = append(out.MACs, api.MAC{Address: string(event.AppendMAC(nil, m)), Random: device.Random(m), Last: stamp(d.Last)})
	}
	if c, err := h.Devices.Correction(d.ID); err == nil {
		for _, x := range [...]struct{ field, value string }{{"kind", c.Kind}, {"name", c.Name}, {"person", c.Person}, {"os", c.OS}, {"maker", c.Maker}, {"model", c.Model}} {
			if x.value != "" {
				out.Corrected = append(out.Corrected, x.field)
			}
		}
	}
	for _, e := range h.Policy.List(policy.Quarantine, policy.Pause) {
		if e.Scope.Device != d.ID || !e.Active {
			continue
		}
		if e.Kind == policy.Quarantine {
			out.Quarantine = e.ID
		} else {
			out.Pause = e.ID
		}
	}
	for _, c := range h.Devices.Clues(d.ID) {
		if c.Key == "hostname" && out.Hostname == "" {
			out.Hostname = c.Value
		}
	}
	if full {
		for _, e := range d.Evidence {
			out.Clues = append(out.Clues, api.Clue{Code: e.Code, Value: e.Value, Weight: e.Weight, Seen: stamp(d.Last)})
		}
	}
	return out
}

type devices struct{ h *House }

// Devices lists the latest seen first. A device that is seen while somebody
// turns the pages comes once more at the end, rather than never.
func (x devices) Devices(_ context.Context, q api.DeviceQuery, p api.Page) ([]api.Device, string, error) {
	at, err := parsePlace(p.After, x.h.cfg.Now().UnixNano())
	if err != nil {
		return nil, "", err
	}
	text := strings.ToLower(q.Text)
	all := slices.DeleteFunc(x.h.Devices.Devices(), func(d device.Device) bool {
		return q.Kind != "" && d.Kind != q.Kind || q.Person != "" && d.Person != q.Person || q.Online != nil && d.Present != *q.Online ||
			text != "" && !strings.Contains(searched(&d), text) ||
			p.After != "" && at.compare(at.of(&d)) >= 0
	})
	slices.SortFunc(all, func(a, b device.Device) int { return at.of(&a).compare(at.of(&b)) })
	out := []api.Device{}
	for i := range all[:min(p.Limit, len(all))] {
		out = append(out, x.h.device(&all[i], false))
	}
	if len(out) == len(all) {
		return out, "", nil
	}
	return out, at.of(&all[len(out)-1]).String(), nil
}

// searched is what a search looks at, in lower case.
func searched(d *device.Device) string {
	out := []string{d.Name, d.Maker, d.Model, d.ID, d.Person}
	for _, m := range d.MACs {
		out = append(out, string(event.AppendMAC(nil, m)))
	}
	for _, a := range d.Addresses {
		out = append(out, a.String())
	}
	return strings.ToLower(strings.Join(out, "\n"))
}

// called is what a report calls a device: its name, else what tells it from
// others of its maker; empty when nothing is known beyond its identity.
func called(d *device.Device) string {
	if d.Name != "" {
		return d.Name
	}
	what := strings.TrimSpace(d.Maker + " " + d.Model)
	if what == "" || len(d.Addresses) == 0 {
		return what
	}
	return what + " (" + d.Addresses[0].String() + ")"
}

// place is where a device stands in the list of one who turns its pages.
type place struct {
	since int64 // when the first page was read
	late  bool  // seen since then: these stand at the end
	last  int64 // when it was seen last; of the late ones 0, since it moves on
	id    string
}

func (p place) of(d *device.Device) place {
	if d.Last > p.since {
		return place{p.since, true, 0, d.ID}
	}
	return place{p.since, false, d.Last, d.ID}
}

func (p place) compare(q place) int {
	if p.late != q.late {
		if p.late {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(q.last, p.last), cmp.Compare(p.id, q.id))
}

// String is the position that parsePlace reads.
func (p place) String() string {
	return fmt.Sprintf("%d:%t:%d:%s", p.since, p.late, p.last, p.id)
}

func parsePlace(s string, now int64) (p place, err error) {
	if s == "" {
		return place{since: now}, nil
	}
	f := strings.SplitN(s, ":", 4)
	if len(f) == 4 {
		var e1, e2, e3 error
		p.since, e1 = strconv.ParseInt(f[0], 10, 64)
		p.late, e2 = strconv.ParseBool(f[1])
		p.last, e3 = strconv.ParseInt(f[2], 10, 64)
		p.id, err = f[3], errors.Join(e1, e2, e3)
	}
	if len(f) != 4 || err != nil {
		return p, &api.InvalidError{Field: "cursor", Text: "is not one that was given out"}
	}
	return p, nil
}

// Device returns one.
func (x devices) Device(_ context.Context, id string) (api.Device, error) {
	d, ok := x.h.Devices.Get(id)
	if !ok {
		return api.Device{}, api.ErrNotFound
	}
	return x.h.device(&d, true), nil
}

// wrong turns the registry's errors into the API's.
func wrong(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, device.ErrNotFound):
		return api.ErrNotFound
	case errors.Is(err, device.ErrKind):
		return &api.InvalidError{Field: "kind", Text: "is not one of: " + strings.Join(device.Kinds(), ", ")}
	case errors.Is(err, device.ErrText):
		return &api.InvalidError{Field: "name", Text: "is longer than 256 bytes"}
	case errors.Is(err, device.ErrSplit):
		return &api.InvalidError{Field: "macs", Text: "a device keeps at least one of its addresses"}
	case errors.Is(err, device.ErrMerge):
		return &api.InvalidError{Field: "with", Text: "is the same device"}
	}
	return err
}

// ChangeDevice notes what the owner says about a device; it holds for good.
func (x devices) ChangeDevice(ctx context.Context, id string, c api.DeviceChange) (api.Device, error) {
	k, err := x.h.Devices.Correction(id)
	if err != nil {
		return api.Device{}, wrong(err)
	}
	for _, f := range [...]struct{ to, from *string }{{&k.Name, c.Name}, {&k.Kind, c.Kind}, {&k.Person, c.Person}, {&k.OS, c.OS}, {&k.Maker, c.Maker}, {&k.Model, c.Model}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if err := x.h.Devices.Correct(id, k); err != nil {
		return api.Device{}, wrong(err)
	}
	return x.saved(ctx, id)
}

// saved makes the owner's change durable before it is answered.
func (x devices) saved(ctx context.Context, id string) (api.Device, error) {
	if err := x.h.Store.Flush(ctx); err != nil {
		return api.Device{}, err
	}
	return x.Device(ctx, id)
}

// MergeDevices makes with a part of id.
func (x devices) MergeDevices(ctx context.Context, id, with string) (api.Device, error) {
	if err := x.h.Devices.Merge(id, with); err != nil {
		return api.Device{}, wrong(err)
	}
	// What holds the other and what is known of it goes with it.
	if err := x.h.Policy.Move(with, id); err != nil {
		return api.Device{}, err
	}
	x.h.written(ctx)
	if err := x.h.Store.MoveDevice(ctx, with, id); err != nil {
		return api.Device{}, failed(err)
	}
	return x.saved(ctx, id)
}

// SplitDevice makes the addresses a device of their own.
func (x devices) SplitDevice(ctx context.Context, id string, macs []string) (api.Device, error) {
	d, ok := x.h.Devices.Get(id)
	if !ok {
		return api.Device{}, api.ErrNotFound
	}
	// All of it can be done, or nothing is.
	var list []packet.MAC
	for _, s := range macs {
		m, err := parseMAC(s)
		if err != nil {
			return api.Device{}, err
		}
		if !slices.Contains(d.MACs, m) {
			return api.Device{}, &api.InvalidError{Field: "macs", Text: s + " is not an address of this device"}
		}
		if !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	if len(list) >= len(d.MACs) {
		return api.Device{}, wrong(device.ErrSplit)
	}
	fresh := ""
	for _, m := range list {
		n, err := x.h.Devices.Split(id, m)
		if err != nil {
			return api.Device{}, wrong(err)
		}
		if fresh == "" {
			fresh = n
		} else if err := x.h.Devices.Merge(fresh, n); err != nil {
			return api.Device{}, wrong(err)
		}
	}
	return x.saved(ctx, fresh)
}

func parseMAC(s string) (m packet.MAC, err error) {
	bad := &api.InvalidError{Field: "macs", Text: "write an address as aa:bb:cc:dd:ee:ff"}
	f := strings.Split(s, ":")
	if len(f) != len(m) {
		return m, bad
	}
	for i := range m {
		n, err := strconv.ParseUint(f[i], 16, 8)
		if err != nil || len(f[i]) != 2 {
			return m, bad
		}
		m[i] = byte(n)
	}
	return m, nil
}

// LookAt asks the device for its description.
func (x devices) LookAt(_ context.Context, id string) error {
	d, ok := x.h.Devices.Get(id)
	switch {
	case !ok:
		return api.ErrNotFound
	case !x.h.settings.get().Look || x.h.cfg.Look == nil:
		return api.ErrConflict
	}
	return x.h.cfg.Look(d)
}

type records struct{ h *House }

// Record lists everything that is stored about a device.
func (x records) Record(ctx context.Context, id string) (api.Record, error) {
	if err := x.h.Store.Flush(ctx); err != nil {
		return api.Record{}, err
	}
	d, known := x.h.Devices.Get(id)
	desc, err := x.h.Store.Describe(ctx, id)
	if err != nil {
		return api.Record{}, failed(err)
	}
	if !known && desc.Record == nil && desc.Findings+desc.Events+desc.Flows+desc.Figures+desc.TrafficRows == 0 && len(desc.Documents)+len(desc.Mentions) == 0 {
		return api.Record{}, api.ErrNotFound
	}
	d.ID = id
	out := api.Record{Device: x.h.device(&d, true)}
	add := func(kind string, n int64, keep time.Duration, rows ...json.RawMessage) {
		if n == 0 && len(rows) == 0 {
			return
		}
		if rows == nil {
			rows = []json.RawMessage{}
		}
		s := api.RecordSection{Kind: kind, Count: max(n, int64(len(rows))), Rows: rows}
		if keep > 0 && !desc.First.IsZero() {
			s.Oldest, s.Until = desc.First, desc.First.Add(keep)
		}
		out.Sections = append(out.Sections, s)
	}
	if desc.Record != nil {
		add("device", 1, 0, desc.Record)
	}
	ret := x.h.settings.retention()
	if desc.Findings > 0 {
		f, _, err := findings(x).Findings(ctx, api.FindingQuery{Device: id}, api.Page{Limit: 100})
		if err != nil {
			return out, err
		}
		var rows []json.RawMessage
		for i := range f {
			whole, err := findings(x).Finding(ctx, f[i].ID) // a list leaves out the evidence
			if errors.Is(err, api.ErrNotFound) {
				continue // forgotten meanwhile
			}
			if err != nil {
				return out, err
			}
			b, _ := json.Marshal(&whole)
			rows = append(rows, b)
		}
		add("findings", desc.Findings, ret.Findings, rows...)
	}
	add("events", desc.Events, ret.Events)
	add("flows", desc.Flows, ret.Flows)
	add("captures", desc.Captures, ret.Evidence)
	add("figures", desc.Figures, 0)
	add("traffic", desc.TrafficRows, 0)
	var refs []json.RawMessage
	for _, r := range append(names(desc.Documents), names(desc.Mentions)...) {
		b, _ := json.Marshal(r)
		refs = append(refs, b)
	}
	add("entries", int64(len(refs)), 0, refs...)
	add("audit", desc.Audit, ret.Audit)
	return out, nil
}

// Erase forgets a device everywhere.
func (x records) Erase(ctx context.Context, id string) (api.Erased, error) {
	out := api.Erased{Counts: map[string]int64{}}
	rec, err := x.Record(ctx, id)
	if err != nil {
		return out, err
	}
	for _, s := range rec.Sections {
		out.Counts[s.Kind] = s.Count
	}
	// Its entries go with it, and what could bring them back.
	if err := x.h.Policy.Forget(id); err != nil {
		return out, err
	}
	if err := x.h.Devices.Forget(id); err != nil && !errors.Is(err, device.ErrNotFound) {
		return out, wrong(err)
	}
	x.h.written(ctx) // what was found of it and waits for the disk
	left, err := x.h.Store.Erase(ctx, "", id)
	if err != nil {
		return out, failed(err)
	}
	x.h.Hub.Forget(id)
	x.h.Hub.Publish(api.EventDevice, &api.DeviceEvent{What: "erased", Device: api.Device{ID: id}})
	out.Counts["left"] = int64(len(left))
	x.h.countOpen()
	return out, nil
}
