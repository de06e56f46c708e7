package policy

import (
	"encoding/json"
	"fmt"
	"time"
)

// Persistence is where the owner's changes are kept. Put and Delete are
// durable when they return. List calls f with each key of a bucket; its value
// is valid only during the call.
type Persistence interface {
	Put(bucket, key string, value []byte) error
	Delete(bucket, key string) error
	List(bucket string, f func(key string, value []byte) error) error
}

// Buckets of the store.
const (
	BucketEntries = "policy.entries"
	BucketState   = "policy.state" // keys "mode" and "clock"
)

// record is an entry as it is stored. What is left of its time is by the
// clock that the stamp was taken from, whatever that clock said.
type record struct {
	Entry
	Left  time.Duration `json:"left_ns,omitempty"`
	Stamp int64         `json:"stamp"` // ns since the Unix epoch
	Owed  bool          `json:"owed,omitempty"`
}

func (m *Manager) put(it *item, mono time.Duration, wall time.Time) error {
	if it.e.Fixed || m.cfg.Store == nil {
		it.stamp = wall
		return nil
	}
	r := record{Entry: m.show(it, mono, wall), Stamp: wall.UnixNano(), Owed: it.owed}
	if it.deadline != 0 {
		r.Left = max(1, it.deadline-mono)
	}
	b, err := json.Marshal(&r)
	if err != nil {
		return err
	}
	if err := m.cfg.Store.Put(BucketEntries, it.e.ID, b); err != nil {
		return fmt.Errorf("policy: the change could not be stored and was not made: %w", err)
	}
	it.stamp, it.saved = wall, it.hits.n.Load()
	return nil
}

func (m *Manager) erase(id string) error {
	if m.cfg.Store == nil {
		return nil
	}
	if err := m.cfg.Store.Delete(BucketEntries, id); err != nil {
		return fmt.Errorf("policy: the change could not be stored and was not made: %w", err)
	}
	return nil
}

func (m *Manager) putMode(mode Mode) error {
	if m.cfg.Store == nil {
		return nil
	}
	b, _ := json.Marshal(mode.String())
	if err := m.cfg.Store.Put(BucketState, "mode", b); err != nil {
		return fmt.Errorf("policy: the change could not be stored and was not made: %w", err)
	}
	return nil
}

// load reads everything. What cannot be understood is named, stays in the
// store, and stops nothing.
func (m *Manager) load() error {
	if m.cfg.Store == nil {
		return nil
	}
	fault := func(format string, args ...any) { m.faults = append(m.faults, fmt.Sprintf(format, args...)) }
	err := m.cfg.Store.List(BucketState, func(key string, b []byte) error {
		switch key {
		case "mode":
			var s string
			err := json.Unmarshal(b, &s)
			mode, perr := ParseMode(s)
			if err != nil || perr != nil {
				fault("the stored mode cannot be read; set it again")
				return nil
			}
			m.mode = mode
		case "clock":
			var s clockState
			if err := json.Unmarshal(b, &s); err != nil {
				fault("the stored time cannot be read; entries may last longer by what the gateway was off")
				return nil
			}
			m.clock.state = s
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	var records []record
	err = m.cfg.Store.List(BucketEntries, func(key string, b []byte) error {
		var r record
		if err := json.Unmarshal(b, &r); err != nil || r.ID != key {
			fault("entry %s cannot be read; remove it and make it again", key)
			return nil
		}
		if err := r.Entry.check(); err != nil {
			fault("entry %s: %v", key, err)
			return nil
		}
		records = append(records, r)
		return nil
	})
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	mono, wall := m.now()
	m.clock.meet(records, wall)
	for _, r := range records {
		if m.count(r.Kind) >= limitOf(r.Kind) {
			fault("entry %s: there are more of its kind than the limit of %d", r.ID, limitOf(r.Kind))
			continue
		}
		it := &item{e: r.Entry, owed: r.Owed || m.clock.unsettled, stamp: time.Unix(0, r.Stamp)}
		it.hits.last.Store(nanos(r.LastHit))
		if r.Left > 0 {
			left := r.Left - m.clock.elapsed(r.Stamp)
			if left <= 0 {
				if err := m.erase(r.ID); err != nil {
					m.failed++
				}
				continue
			}
			it.deadline = mono + left
		}
		m.entries[r.ID] = it
	}
	m.restamp(mono, wall)
	return nil
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
