package house

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/store"
)

// settings are the owner's choices, kept as one document.
type settings struct {
	mu sync.RWMutex
	s  api.Settings
}

// days says how long each kind of record is kept when the owner says nothing:
// the store's defaults.
var days = map[string]int{"findings": 365, "events": 90, "flows": 7, "evidence": 90, "hours": 35, "days": 400, "audit": 730}

func (x *settings) load(h *House) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.s = api.Settings{Language: "auto", Evidence: h.cfg.Evidence, Retention: map[string]int{}}
	b, ok, err := documents{h.Store}.Get(bucketSettings, "owner")
	if err != nil {
		return fmt.Errorf("the owner's settings: %w", err)
	}
	if ok {
		if err := json.Unmarshal(b, &x.s); err != nil {
			h.cfg.Log.Warn("the owner's settings could not be read; the defaults hold", "error", err)
		}
	}
	mend(&x.s)
	return nil
}

// mend puts the defaults in the place of what no owner can have chosen: the
// settings may come from a backup that was written by hand. A time zone that is
// not known here stays; see place.
func mend(s *api.Settings) {
	if s.Language != "en" && s.Language != "ja" {
		s.Language = "auto"
	}
	s.Names = false // see ChangeSettings
	keep := map[string]int{}
	for k, n := range days {
		if keep[k] = n; s.Retention[k] >= 1 && s.Retention[k] <= maxDays {
			keep[k] = s.Retention[k]
		}
	}
	s.Retention = keep
}

// maxDays is the longest that any record is kept.
const maxDays = 36500

func (x *settings) get() api.Settings {
	x.mu.RLock()
	defer x.mu.RUnlock()
	s := x.s
	s.Retention = maps.Clone(x.s.Retention)
	return s
}

// retention is what the store is told.
func (x *settings) retention() store.Retention {
	s := x.get()
	return retentionOf(&s)
}

func retentionOf(s *api.Settings) store.Retention {
	day := func(k string) time.Duration { return time.Duration(s.Retention[k]) * 24 * time.Hour }
	return store.Retention{Findings: day("findings"), Events: day("events"), Flows: day("flows"), Evidence: day("evidence"), Hours: day("hours"), Days: day("days"), Audit: day("audit")}
}

type choices struct{ h *House }

// Settings returns the owner's choices.
func (x choices) Settings(context.Context) (api.Settings, error) { return x.h.settings.get(), nil }

// ChangeSettings changes some of them, durably.
func (x choices) ChangeSettings(_ context.Context, c api.SettingsChange) (api.Settings, error) {
	set := &x.h.settings
	set.mu.Lock()
	defer set.mu.Unlock()
	s := set.s
	s.Retention = maps.Clone(set.s.Retention)
	if c.TimeZone != nil {
		if *c.TimeZone != "" {
			if _, err := time.LoadLocation(*c.TimeZone); err != nil {
				return s, &api.InvalidError{Field: "time_zone", Text: "is no IANA name such as Asia/Tokyo"}
			}
		}
		s.TimeZone = *c.TimeZone
	}
	if c.Language != nil {
		s.Language = *c.Language
	}
	if c.Names != nil && *c.Names {
		// A switch that says on and keeps nothing would be worse.
		return s, &api.InvalidError{Field: "names", Text: "cannot be on: this version keeps no browsing history"}
	}
	for _, f := range [...]struct{ to, from *bool }{{&s.Evidence, c.Evidence}, {&s.Presence, c.Presence}, {&s.Names, c.Names}, {&s.Look, c.Look}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	for k, n := range c.Retention {
		if _, ok := days[k]; !ok {
			return s, &api.InvalidError{Field: "retention", Text: "is for " + strings.Join(slices.Sorted(maps.Keys(days)), ", ")}
		}
		if n < 1 || n > maxDays {
			return s, &api.InvalidError{Field: "retention", Text: fmt.Sprintf("is 1 to %d days", maxDays)}
		}
		s.Retention[k] = n
	}
	b, err := json.Marshal(&s)
	if err != nil {
		return s, err
	}
	if err := (documents{x.h.Store}).Put(bucketSettings, "owner", b); err != nil {
		return s, fmt.Errorf("the settings could not be stored and were not changed: %w", err)
	}
	set.s = s
	s.Retention = maps.Clone(s.Retention)
	x.h.settle(&s)
	return s, nil
}
