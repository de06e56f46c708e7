package policy

import (
	"errors"
	"testing"
	"time"
)

// TestAddOwn: who may change only their own cannot end somebody else's entry by
// making the same one for a moment.
func TestAddOwn(t *testing.T) {
	m := manage(t, newMemory(), &clocks{wall: monday})
	mine := add(t, m, Entry{Kind: Quarantine, Scope: Scope{Device: camera}, Author: "owner"})
	for _, author := range []string{"child", ""} {
		if _, _, err := m.AddOwn(Entry{Kind: Quarantine, Scope: Scope{Device: camera}, Author: author, For: time.Second}); !errors.Is(err, ErrOwners) {
			t.Errorf("%q replaces the owner's: %v", author, err)
		}
	}
	if l := m.List(Quarantine); len(l) != 1 || l[0].ID != mine.ID || l[0].Left != 0 {
		t.Errorf("%+v", l)
	}
	// Their own they prolong, and the owner replaces anybody's.
	for range 2 {
		if _, _, err := m.AddOwn(Entry{Kind: Pause, Scope: Scope{Device: pc}, Author: "child", For: time.Hour}); err != nil {
			t.Error(err)
		}
	}
	add(t, m, Entry{Kind: Pause, Scope: Scope{Device: pc}, Author: "owner"})
}

// TestForget: nothing of a device is left, nor comes back by an undo.
func TestForget(t *testing.T) {
	s := newMemory()
	m := manage(t, s, &clocks{wall: monday})
	other := add(t, m, Entry{Kind: Pause, Scope: Scope{Device: pc}})
	e := add(t, m, Entry{Kind: Quarantine, Scope: Scope{Device: camera}})
	gone := add(t, m, Entry{Kind: Pause, Scope: Scope{Device: camera}})
	c, err := m.Remove(gone.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Undo(c.Seq, ""); err != nil {
		t.Fatal(err)
	}
	if err := m.Forget(camera); err != nil {
		t.Fatal(err)
	}
	if l := m.List(); len(l) != 1 || l[0].ID != other.ID {
		t.Errorf("%+v", l)
	}
	for _, c := range m.Changes() {
		if c.Entry == e.ID || c.Entry == gone.ID {
			t.Errorf("can be undone: %+v", c)
		}
	}
	if m = manage(t, s, &clocks{wall: monday}); len(m.List()) != 1 {
		t.Errorf("after a restart: %+v", m.List())
	}
}

// TestReload: what a restore put into the store holds at once, less the time
// that has passed.
func TestReload(t *testing.T) {
	s, c := newMemory(), &clocks{wall: monday}
	m := manage(t, s, c)
	add(t, m, Entry{Kind: Quarantine, Scope: Scope{Device: camera}, For: 10 * time.Hour})
	if _, err := m.SetMode(Watch, ""); err != nil {
		t.Fatal(err)
	}
	m.Flush()
	old := newMemory()
	for k, v := range s.m {
		old.m[k] = v
	}
	if err := m.Forget(camera); err != nil {
		t.Fatal(err)
	}
	add(t, m, Entry{Kind: Pause, Scope: Scope{Device: pc}})
	if _, err := m.SetMode(Protect, ""); err != nil {
		t.Fatal(err)
	}
	c.pass(time.Hour)
	clear(s.m)
	for k, v := range old.m {
		s.m[k] = v
	}
	if err := m.Reload(); err != nil {
		t.Fatal(err)
	}
	l := m.List()
	if m.Mode() != Watch || len(l) != 1 || l[0].Kind != Quarantine || l[0].Left != 9*time.Hour || len(m.Changes()) != 0 {
		t.Errorf("%v %+v", m.Mode(), l)
	}
	q := mining(camera, "camera", 0)
	q.Category = ""
	if m.Handle().Load().Decide(&q).Action != Block {
		t.Error("the engine does not hear of it")
	}
}

// TestMove: a quarantine of what turned out to be another device goes on, and of
// two alike the longer.
func TestMove(t *testing.T) {
	s, c := newMemory(), &clocks{wall: monday}
	m := manage(t, s, c)
	add(t, m, Entry{Kind: Quarantine, Scope: Scope{Device: camera}})
	add(t, m, Entry{Kind: Pause, Scope: Scope{Device: camera}, For: time.Hour})
	add(t, m, Entry{Kind: Pause, Scope: Scope{Device: pc}, For: 2 * time.Hour})
	add(t, m, Entry{Kind: Consent, Scope: Scope{Device: camera}})
	add(t, m, Entry{Kind: Consent, Scope: Scope{Device: pc}, For: time.Hour})
	if err := m.Move(camera, pc); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"at once", "after a restart"} {
		left := map[Kind]time.Duration{Quarantine: -1, Pause: -1, Consent: -1}
		for _, e := range m.List() {
			if e.Scope.Device != pc {
				t.Errorf("%s: %+v", when, e)
			}
			left[e.Kind] = e.Left
		}
		if len(m.List()) != 3 || left[Quarantine] != 0 || left[Pause] != 2*time.Hour || left[Consent] != 0 {
			t.Errorf("%s: %v", when, left)
		}
		m = manage(t, s, c)
	}
}
