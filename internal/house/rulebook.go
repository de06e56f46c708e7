package house

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/policy"
)

type rulebook struct{ h *House }

// refused turns the policy's errors into the API's.
func refused(err error) error {
	var f *policy.FieldError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, policy.ErrNotFound):
		return api.ErrNotFound
	case errors.Is(err, policy.ErrOwners):
		return api.ErrNotYours
	case errors.As(err, &f):
		return &api.InvalidError{Field: f.Field, Text: f.Text}
	}
	return err
}

// Policy returns the mode, and when a trial of it ends.
func (x rulebook) Policy(context.Context) (api.Policy, error) { return x.h.policyState(), nil }

// SetMode changes it.
func (x rulebook) SetMode(ctx context.Context, mode string, trial time.Duration) error {
	m, err := policy.ParseMode(mode)
	if err != nil {
		return &api.InvalidError{Field: "mode", Text: "use watch or protect"}
	}
	return refused(x.h.SetMode(m, trial, api.Actor(ctx)))
}

// Entries lists those of some kinds, the oldest first.
func (x rulebook) Entries(_ context.Context, kinds ...string) ([]api.Entry, error) {
	k := make([]policy.Kind, len(kinds))
	for i := range kinds {
		k[i] = policy.Kind(kinds[i])
	}
	out := []api.Entry{}
	for _, e := range x.h.Policy.List(k...) {
		out = append(out, entry(&e))
	}
	return out, nil
}

var levels = map[string]event.Level{"": 0, "never": 0, "suspect": event.Suspect, "likely": event.Likely, "confirmed": event.Confirmed}

// AddEntry makes one.
func (x rulebook) AddEntry(ctx context.Context, kind string, e api.EntryNew, author string) (api.Entry, error) {
	at, ok := levels[e.At]
	if !ok {
		return api.Entry{}, &api.InvalidError{Field: "at", Text: "use never, suspect, likely or confirmed"}
	}
	if e.Scope.Port < 0 || e.Scope.Port > 65535 || e.Severity < 0 || e.Severity > 3 || e.Seconds < 0 {
		return api.Entry{}, &api.InvalidError{Field: "scope", Text: "a number is out of its range"}
	}
	p := policy.Entry{Kind: policy.Kind(kind), Reason: e.Reason, Author: author, At: at, Severity: uint8(e.Severity), Reject: e.Reject,
		For: time.Duration(e.Seconds) * time.Second,
		Scope: policy.Scope{Device: e.Scope.Device, Kind: e.Scope.Kind, Dest: e.Scope.Dest, Host: e.Scope.Host, Port: uint16(e.Scope.Port),
			GID: uint32(e.Scope.GID), SID: uint32(e.Scope.SID), Category: event.Category(e.Scope.Category), Family: e.Scope.Family, Pool: e.Scope.Pool, Wallet: e.Scope.Wallet}}
	if e.Schedule != nil {
		p.Schedule = &policy.Schedule{}
		for _, s := range e.Schedule.Slots {
			p.Schedule.Slots = append(p.Schedule.Slots, policy.Slot{Days: uint8(s.Days), From: uint16(s.From), To: uint16(s.To)})
		}
	}
	add := x.h.Policy.Add
	if api.OwnOnly(ctx) {
		add = x.h.Policy.AddOwn
	}
	done, _, err := add(p)
	if err != nil {
		return api.Entry{}, refused(err)
	}
	out := entry(&done)
	x.h.Hub.Publish(api.EventPolicy, &out)
	return out, nil
}

// RemoveEntry ends one.
func (x rulebook) RemoveEntry(ctx context.Context, id string) error {
	_, err := x.h.Policy.Remove(id, api.Actor(ctx))
	return refused(err)
}

// Changes lists what can be undone.
func (x rulebook) Changes(context.Context) ([]api.PolicyChange, error) {
	out := []api.PolicyChange{}
	for _, c := range x.h.Policy.Changes() {
		out = append(out, change(&c))
	}
	return out, nil
}

// Undo takes a change back.
func (x rulebook) Undo(ctx context.Context, id string) (api.PolicyChange, error) {
	seq, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return api.PolicyChange{}, api.ErrNotFound
	}
	c, err := x.h.Policy.Undo(seq, api.Actor(ctx))
	return change(&c), refused(err)
}

func change(c *policy.Change) api.PolicyChange {
	return api.PolicyChange{ID: strconv.FormatUint(c.Seq, 10), At: c.At, What: c.What, Entry: c.Entry, Kind: string(c.Kind), Author: c.Author}
}

// entry is the API's shape of e.
func entry(e *policy.Entry) api.Entry {
	out := api.Entry{ID: e.ID, Kind: string(e.Kind), Reason: e.Reason, Author: e.Author, Severity: int(e.Severity), Reject: e.Reject,
		Created: e.Created, Until: e.Until, Active: e.Active, Hits: int64(e.Hits), LastHit: e.LastHit, Fixed: e.Fixed,
		Scope: api.Scope{Device: e.Scope.Device, Kind: e.Scope.Kind, Dest: e.Scope.Dest, Host: e.Scope.Host, Port: int(e.Scope.Port),
			GID: int64(e.Scope.GID), SID: int64(e.Scope.SID), Category: string(e.Scope.Category), Family: e.Scope.Family, Pool: e.Scope.Pool, Wallet: e.Scope.Wallet}}
	if e.Kind == policy.ActionRule {
		if out.At = "never"; e.At != 0 {
			out.At = e.At.String()
		}
	}
	if e.Schedule != nil {
		out.Schedule = &api.Schedule{Slots: []api.Slot{}}
		for _, s := range e.Schedule.Slots {
			out.Schedule.Slots = append(out.Schedule.Slots, api.Slot{Days: int(s.Days), From: int(s.From), To: int(s.To)})
		}
	}
	return out
}
