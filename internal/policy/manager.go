package policy

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config is what a Manager needs.
type Config struct {
	// Store keeps the owner's changes; nil: they last as long as the process.
	Store Persistence
	// Mono is a clock that only goes forward, evenly, from any start. Wall is
	// the time of day, which may jump. Both are required.
	Mono func() time.Duration
	Wall func() time.Time
	// Location is the home's time zone, for schedules; nil: time.Local.
	Location *time.Location
	// Mode is used when the store holds none.
	Mode Mode
	// Answer is what the ends of a flow hear when a finding stops it.
	Answer Answer
	// Handle is where snapshots are published; nil: one of its own.
	Handle *Handle
	// OnPublish is called after each new snapshot, without locks held, so that
	// a mechanism outside of the engine can follow Enforced; may be nil.
	OnPublish func()
}

// Manager holds the owner's policy. All methods are safe from any goroutine.
type Manager struct {
	cfg    Config
	handle *Handle

	mu      sync.Mutex
	mode    Mode
	entries map[string]*item
	fixed   []*item // of SetHome
	gen     uint32
	journal []change
	seq     uint64
	clock   clock
	faults  []string // what could not be read at the start
	failed  uint64   // writes that did not matter enough to fail a change
}

// item is an entry with its state.
type item struct {
	e        Entry
	hits     Hits
	deadline time.Duration // by the monotonic clock; 0: none
	owed     bool          // an unknown time when the gateway was off is still to be counted
	saved    uint64        // hits as of the latest write
	stamp    time.Time     // wall clock of the latest write
	on       bool          // in the snapshot
}

// ErrNotFound says that no entry has this identity.
var ErrNotFound = errors.New("policy: no such entry; list them to see their identities")

// ErrOwners says that an entry of the owner's stands where the program wanted
// to put its own.
var ErrOwners = errors.New("policy: the owner has said so already")

// NewManager reads what the store holds and publishes the first snapshot. An
// entry that cannot be read is left out and named by Faults; the error is that
// of the store itself.
func NewManager(cfg Config) (*Manager, error) {
	if cfg.Mono == nil || cfg.Wall == nil {
		return nil, errors.New("policy: the manager needs both clocks")
	}
	if cfg.Location == nil {
		cfg.Location = time.Local
	}
	if cfg.Handle == nil {
		cfg.Handle = &Handle{}
	}
	m := &Manager{cfg: cfg, handle: cfg.Handle, mode: cfg.Mode, entries: map[string]*item{}}
	m.clock.start(m.now())
	if err := m.load(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	m.publish()
	m.mu.Unlock()
	return m, nil
}

// Handle returns where the snapshots are published.
func (m *Manager) Handle() *Handle { return m.handle }

// Faults lists what the store held and could not be used.
func (m *Manager) Faults() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.faults)
}

// FailedWrites counts writes of counters and stamps that failed; they are
// tried again. A change of the owner's that cannot be written fails itself.
func (m *Manager) FailedWrites() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failed
}

// Mode returns the mode in force.
func (m *Manager) Mode() Mode {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mode
}

// SetMode changes the mode; it is durable before it holds.
func (m *Manager) SetMode(mode Mode, author string) (Change, error) {
	if mode != Watch && mode != Protect {
		return Change{}, fieldError("mode", "%d is not a mode; use watch or protect", mode)
	}
	return m.do(func() (change, error) {
		old := m.mode
		if err := m.putMode(mode); err != nil {
			return change{}, err
		}
		m.mode = mode
		return change{Change: Change{What: "mode", Author: author}, undo: func() error {
			if err := m.putMode(old); err != nil {
				return err
			}
			m.mode = old
			return nil
		}}, nil
	})
}

// Add checks e, makes it durable and lets it hold. The entry that comes back
// has its identity. An entry of the same kind and scope is replaced, so that
// pausing twice prolongs and does not pile up.
func (m *Manager) Add(e Entry) (Entry, Change, error) { return m.add(e, false) }

// AddOwn is Add for who may change only what they made: where it would replace
// somebody else's entry, and end it earlier perhaps, it fails with ErrOwners.
func (m *Manager) AddOwn(e Entry) (Entry, Change, error) { return m.add(e, true) }

func (m *Manager) add(e Entry, own bool) (Entry, Change, error) {
	e.ID, e.Hits, e.LastHit, e.Fixed = "", 0, time.Time{}, false
	if err := e.check(); err != nil {
		return e, Change{}, err
	}
	var out Entry
	c, err := m.do(func() (change, error) {
		if err := m.guard(&e); err != nil {
			return change{}, err
		}
		old := m.same(&e)
		if own && old != nil && old.e.Author != e.Author {
			return change{}, ErrOwners
		}
		if e.Author == Itself {
			if err := m.modest(old); err != nil {
				return change{}, err
			}
		}
		if old == nil && m.count(e.Kind) >= limitOf(e.Kind) {
			return change{}, fieldError("kind", "there are already %d entries of this kind, which is the limit; remove some first", limitOf(e.Kind))
		}
		it := &item{e: e}
		if it.e.ID = strings.ToLower(rand.Text()[:10]); old != nil {
			it.e.ID = old.e.ID
		}
		mono, wall := m.now()
		it.e.Created = wall
		if e.For > 0 {
			it.deadline = mono + e.For
		}
		if err := m.put(it, mono, wall); err != nil {
			return change{}, err
		}
		m.entries[it.e.ID] = it
		out = m.show(it, mono, wall)
		return change{Change: Change{What: "add", Entry: out.ID, Kind: e.Kind, Author: e.Author, Device: e.Scope.Device}, undo: func() error {
			if m.entries[it.e.ID] != it {
				return ErrNotFound
			}
			if old != nil {
				return m.restore(old)
			}
			return m.drop(it)
		}}, nil
	})
	return out, c, err
}

// Remove ends an entry at once.
func (m *Manager) Remove(id, author string) (Change, error) {
	return m.do(func() (change, error) {
		it := m.entries[id]
		if it == nil {
			for _, f := range m.fixed {
				if f.e.ID == id {
					return change{}, fieldError("id", "%s keeps the home itself working and cannot be removed", id)
				}
			}
			return change{}, ErrNotFound
		}
		if err := m.drop(it); err != nil {
			return change{}, err
		}
		return change{Change: Change{What: "remove", Entry: id, Kind: it.e.Kind, Author: author, Device: it.e.Scope.Device}, undo: func() error {
			if m.entries[id] != nil {
				return fieldError("id", "%s is in use again; remove that entry first", id)
			}
			if m.count(it.e.Kind) >= limitOf(it.e.Kind) {
				return fieldError("kind", "there are already %d entries of this kind, which is the limit; remove some first", limitOf(it.e.Kind))
			}
			return m.restore(it)
		}}, nil
	})
}

// Move makes the entries of one device those of another, after both turned out
// to be one. Of two alike the one that lasts longer stays.
func (m *Manager) Move(from, to string) error {
	m.mu.Lock()
	mono, wall := m.now()
	var err error
	for id, it := range m.entries {
		if from == "" || it.e.Scope.Device != from || err != nil {
			continue
		}
		n := &item{e: it.e, deadline: it.deadline, owed: it.owed}
		n.e.Scope.Device, n.e.Hits = to, it.e.Hits+it.hits.n.Load()
		n.hits.last.Store(it.hits.last.Load())
		drop := ""
		if old := m.same(&n.e); old != nil {
			if drop = old.e.ID; old.deadline == 0 || n.deadline != 0 && n.deadline <= old.deadline {
				drop, n = id, nil
			}
		}
		if n != nil {
			if err = m.put(n, mono, wall); err != nil {
				continue
			}
			m.entries[id] = n
		}
		if drop != "" {
			if err = m.erase(drop); err == nil {
				delete(m.entries, drop)
			}
		}
	}
	m.publish()
	m.mu.Unlock()
	m.published()
	return err
}

// Forget removes the entries of a device, also from what can be undone.
func (m *Manager) Forget(device string) error {
	m.mu.Lock()
	var err error
	for id, it := range m.entries {
		if device != "" && it.e.Scope.Device == device && err == nil {
			if err = m.erase(id); err == nil {
				delete(m.entries, id)
			}
		}
	}
	m.journal = slices.DeleteFunc(m.journal, func(c change) bool { return device != "" && c.Device == device })
	m.publish()
	m.mu.Unlock()
	m.published()
	return err
}

// Reload reads the store again, after a backup was restored. Nothing of before
// can be undone.
func (m *Manager) Reload() error {
	m.mu.Lock()
	mode, entries := m.mode, m.entries
	m.entries, m.faults, m.journal, m.clock = map[string]*item{}, nil, nil, clock{}
	m.clock.start(m.now())
	err := m.load()
	if err != nil {
		m.mode, m.entries = mode, entries
	}
	m.publish()
	m.mu.Unlock()
	m.published()
	return err
}

// SetHome says what keeps the home itself working: the gateway, its DNS and
// DHCP servers, hosts of updates. It replaces what was said before, is not
// stored, and cannot be removed by the owner.
func (m *Manager) SetHome(entries []Entry) error {
	var items []*item
	for i, e := range entries {
		e.Kind, e.Fixed, e.For = Never, true, 0
		if err := e.check(); err != nil {
			return err
		}
		if i >= MaxNever {
			return fieldError("home", "%d entries, the limit is %d; keep what the home cannot do without", len(entries), MaxNever)
		}
		e.ID = "home-" + e.Scope.key()
		items = append(items, &item{e: e})
	}
	m.mu.Lock()
	m.fixed = items
	m.publish()
	m.mu.Unlock()
	m.published()
	return nil
}

// List returns the entries of some kinds, of all when none is named, sorted by
// kind and time.
func (m *Manager) List(kinds ...Kind) []Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	mono, wall := m.now()
	var out []Entry
	add := func(it *item) {
		if len(kinds) == 0 || slices.Contains(kinds, it.e.Kind) {
			out = append(out, m.show(it, mono, wall))
		}
	}
	for _, it := range m.entries {
		add(it)
	}
	for _, it := range m.fixed {
		add(it)
	}
	slices.SortFunc(out, func(a, b Entry) int {
		if c := strings.Compare(string(a.Kind), string(b.Kind)); c != 0 {
			return c
		}
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out
}

// WhatIf answers q as the snapshot in force does, says what was considered,
// and counts nothing.
func (m *Manager) WhatIf(q *Query) (Decision, []Step) { return m.handle.Load().WhatIf(q) }

// SetLocation moves the home to another time zone: schedules follow at once.
func (m *Manager) SetLocation(loc *time.Location) {
	m.mu.Lock()
	m.cfg.Location = loc
	m.publish()
	m.mu.Unlock()
	m.published()
}

// Tick ends what has come to its end, follows schedules and watches the
// clocks. Call it about once a second.
func (m *Manager) Tick() {
	m.mu.Lock()
	changed := m.tick()
	m.mu.Unlock()
	if changed {
		m.published()
	}
}

// Run ticks until ctx ends, then writes the counters.
func (m *Manager) Run(ctx context.Context) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			m.Flush()
			return
		case <-t.C:
			m.Tick()
		}
	}
}

// Flush writes the counters and the time, as at a proper end.
func (m *Manager) Flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	mono, wall := m.now()
	m.heartbeat(mono, wall)
}

func (m *Manager) published() {
	if m.cfg.OnPublish != nil {
		m.cfg.OnPublish()
	}
}

// now reads the clocks. Round takes the monotonic reading off the time of day,
// with which Sub would never see a jump.
func (m *Manager) now() (time.Duration, time.Time) { return m.cfg.Mono(), m.cfg.Wall().Round(0) }

// publish makes the snapshot of what holds now.
func (m *Manager) publish() {
	_, wall := m.now()
	local := wall.In(m.cfg.Location)
	src := make([]source, 0, len(m.entries)+len(m.fixed))
	for _, it := range m.entries {
		if it.on = it.e.Schedule == nil || it.e.Schedule.Holds(local); it.on {
			src = append(src, source{&it.e, &it.hits})
		}
	}
	for _, it := range m.fixed {
		it.on = true
		src = append(src, source{&it.e, &it.hits})
	}
	if m.gen++; m.gen == 0 {
		m.gen = 1
	}
	snap := build(m.mode, m.gen, src)
	snap.answer = m.cfg.Answer
	m.handle.Store(snap)
}

// guard refuses a block that could never hold.
func (m *Manager) guard(e *Entry) error {
	if e.Kind != BlockEntry && e.Kind != Quarantine && e.Kind != Pause {
		return nil
	}
	c := compile(e, nil)
	for k, list := range [2][]*item{m.fixed, m.values(Never)} {
		cure := "remove it there first"
		if k == 0 {
			cure = "the home does not work without it, so it cannot be blocked"
		}
		for _, it := range list {
			n := compile(&it.e, nil)
			switch {
			case n.port != 0:
			case n.device != "" && n.device == c.device && !n.hasDest && n.host == "":
				return fieldError("device", "%s is on the never-block list (%s); %s", c.device, it.e.ID, cure)
			case n.hasDest && n.device == "" && n.host == "" && c.hasDest && c.bits >= n.bits && covers(&n.dest, n.bits, &c.dest):
				return fieldError("dest", "%s is on the never-block list (%s); %s", e.Scope.Dest, it.e.ID, cure)
			case n.host != "" && n.device == "" && !n.hasDest && c.host != "" && (c.host == n.host || strings.HasSuffix(c.host, "."+n.host)):
				return fieldError("host", "%s is on the never-block list (%s); %s", e.Scope.Host, it.e.ID, cure)
			}
		}
	}
	return nil
}

// modest keeps the program from changing what the owner said, and from making
// so many entries that there is no room for the owner's. old: what would be
// replaced; nil: nothing.
func (m *Manager) modest(old *item) error {
	if old != nil {
		if old.e.Author != Itself {
			return ErrOwners
		}
		return nil
	}
	n := 0
	for _, it := range m.entries {
		if it.e.Author == Itself {
			n++
		}
	}
	if n >= MaxOwn {
		return fieldError("kind", "findings have made %d entries, which is the limit", MaxOwn)
	}
	return nil
}

func (m *Manager) values(k Kind) (out []*item) {
	for _, it := range m.entries {
		if it.e.Kind == k {
			out = append(out, it)
		}
	}
	return out
}

// same finds an entry that e replaces.
func (m *Manager) same(e *Entry) *item {
	for _, it := range m.entries {
		if it.e.Kind == e.Kind && it.e.Scope == e.Scope && it.e.Severity == e.Severity && (it.e.Schedule == nil) == (e.Schedule == nil) {
			return it
		}
	}
	return nil
}

func (m *Manager) count(k Kind) int {
	n := 0
	for _, it := range m.entries {
		if limitGroup(it.e.Kind) == limitGroup(k) {
			n++
		}
	}
	return n
}

func limitGroup(k Kind) Kind {
	if k == Quarantine || k == Pause {
		return BlockEntry
	}
	return k
}

func limitOf(k Kind) int {
	switch limitGroup(k) {
	case Exception:
		return MaxExceptions
	case Consent:
		return MaxConsents
	case BlockEntry:
		return MaxBlocks
	case Never:
		return MaxNever
	}
	return MaxActions
}

// show makes the entry that lists show.
func (m *Manager) show(it *item, mono time.Duration, wall time.Time) Entry {
	e := it.e
	if e.Schedule != nil {
		e.Schedule = &Schedule{Slots: slices.Clone(e.Schedule.Slots)}
	}
	e.Active = it.on || e.Schedule == nil
	e.Hits = it.e.Hits + it.hits.n.Load()
	if l := it.hits.last.Load(); l != 0 {
		e.LastHit = time.Unix(0, l)
	}
	if it.deadline != 0 {
		e.Left = max(0, it.deadline-mono)
		e.Until = wall.Add(e.Left)
	}
	return e
}
