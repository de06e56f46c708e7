package policy

import (
	"fmt"
	"slices"
	"time"
)

// MaxUndo is how many changes can be undone; MaxOwnUndo of them may be the
// program's, which must not push the owner's out.
const (
	MaxUndo    = 32
	MaxOwnUndo = 8
)

// Change is one change that was made, for lists and for Undo.
type Change struct {
	Seq    uint64    `json:"seq"`
	At     time.Time `json:"at"`
	What   string    `json:"what"`            // add, remove, mode, undo
	Entry  string    `json:"entry,omitempty"` // its identity
	Kind   Kind      `json:"kind,omitempty"`
	Author string    `json:"author,omitempty"`
	Device string    `json:"device,omitempty"` // that the entry is about
}

type change struct {
	Change
	undo func() error
}

// do makes one change under the lock and publishes its outcome.
func (m *Manager) do(f func() (change, error)) (Change, error) {
	m.mu.Lock()
	c, err := f()
	if err == nil {
		m.seq++
		c.Seq = m.seq
		_, c.At = m.now()
		m.makeRoom(c.Author == Itself)
		m.journal = append(m.journal, c)
		m.publish()
	}
	m.mu.Unlock()
	if err == nil {
		m.published()
	}
	return c.Change, err
}

// makeRoom forgets the oldest change when there is no room for another one.
func (m *Manager) makeRoom(own bool) {
	n, first := 0, -1
	for i := range m.journal {
		if m.journal[i].Author == Itself {
			if n++; first < 0 {
				first = i
			}
		}
	}
	switch {
	case own && n >= MaxOwnUndo:
		m.journal = slices.Delete(m.journal, first, first+1)
	case len(m.journal) >= MaxUndo:
		m.journal = slices.Delete(m.journal, 0, 1)
	}
}

// Changes lists the latest changes that can be undone, oldest first.
func (m *Manager) Changes() []Change {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]Change, len(m.journal))
	for i := range m.journal {
		out[i] = m.journal[i].Change
	}
	return out
}

// Undo takes a change back; durable before it holds.
func (m *Manager) Undo(seq uint64, author string) (Change, error) {
	return m.do(func() (change, error) {
		i := slices.IndexFunc(m.journal, func(c change) bool { return c.Seq == seq })
		if i < 0 || m.journal[i].undo == nil {
			return change{}, fmt.Errorf("policy: change %d cannot be undone (any more); the last %d changes can, once each", seq, MaxUndo)
		}
		c := m.journal[i]
		if err := c.undo(); err != nil {
			return change{}, err
		}
		m.journal = slices.Delete(m.journal, i, i+1)
		return change{Change: Change{What: "undo", Entry: c.Entry, Kind: c.Kind, Author: author, Device: c.Device}}, nil
	})
}

// drop removes it, from the store first.
func (m *Manager) drop(it *item) error {
	if err := m.erase(it.e.ID); err != nil {
		return err
	}
	delete(m.entries, it.e.ID)
	return nil
}

// restore brings back an item that was removed or replaced; one whose time
// has come meanwhile cannot be.
func (m *Manager) restore(it *item) error {
	mono, wall := m.now()
	if it.deadline != 0 && it.deadline <= mono {
		return fieldError("for", "the entry has ended meanwhile; add it again")
	}
	if err := m.put(it, mono, wall); err != nil {
		return err
	}
	m.entries[it.e.ID] = it
	return nil
}
