package policy

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/event"
)

func TestValidation(t *testing.T) {
	m := manage(t, nil, &clocks{wall: monday})
	slots := func(s ...Slot) *Schedule { return &Schedule{Slots: s} }
	for _, tt := range []struct {
		e     Entry
		field string
	}{
		{Entry{Kind: "ban"}, "kind"},
		{Entry{Kind: Exception}, "scope"},
		{Entry{Kind: Exception, Scope: Scope{Port: 443}}, "port"},
		{Entry{Kind: Exception, Scope: Scope{Category: "mines"}}, "category"},
		{Entry{Kind: Exception, Scope: Scope{Kind: "toaster"}}, "kind"},
		{Entry{Kind: Exception, Scope: Scope{GID: 7}}, "sid"},
		{Entry{Kind: Exception, Scope: Scope{Device: "mac:02"}}, "device"},
		{Entry{Kind: Exception, Scope: Scope{Device: "mac:00:00:00:00:00:00"}}, "device"},
		{Entry{Kind: Exception, Scope: Scope{Device: "mac:ff:ff:ff:ff:ff:ff"}}, "device"},
		{Entry{Kind: Exception, Scope: Scope{Device: "a\nb"}}, "device"},
		{Entry{Kind: Exception, Scope: Scope{Family: strings.Repeat("x", 300)}}, "family"},
		{Entry{Kind: Exception, Scope: Scope{Dest: "10.0.0"}}, "dest"},
		{Entry{Kind: Exception, Scope: Scope{Dest: "fe80::1%eth0"}}, "dest"},
		{Entry{Kind: Exception, Scope: Scope{Dest: "::ffff:0:0/90"}}, "dest"},
		{Entry{Kind: Exception, Scope: Scope{Host: "https://x.example"}}, "host"},
		{Entry{Kind: Exception, Scope: Scope{Host: "192.0.2.1"}}, "host"},
		{Entry{Kind: Exception, Scope: Scope{SID: 1}, For: -1}, "for"},
		{Entry{Kind: Exception, Scope: Scope{SID: 1}, For: MaxFor + 1}, "for"},
		{Entry{Kind: Exception, Scope: Scope{SID: 1}, At: event.Likely}, "at"},
		{Entry{Kind: Exception, Scope: Scope{SID: 1}, Reason: strings.Repeat("x", MaxReason+1)}, "reason"},
		{Entry{Kind: Exception, Scope: Scope{SID: 1}, Author: "\xff"}, "author"},
		{Entry{Kind: Consent}, "scope"},
		{Entry{Kind: Consent, Scope: Scope{Device: pc, SID: 1}}, "scope"},
		{Entry{Kind: BlockEntry}, "scope"},
		{Entry{Kind: BlockEntry, Scope: Scope{Dest: "192.0.2.1", SID: 1}}, "scope"},
		{Entry{Kind: BlockEntry, Scope: Scope{Dest: "0.0.0.0/0"}}, "dest"},
		{Entry{Kind: Quarantine}, "device"},
		{Entry{Kind: Pause, Scope: Scope{Device: pc, Dest: "192.0.2.1"}}, "scope"},
		{Entry{Kind: Quarantine, Scope: Scope{Device: pc}, Schedule: slots(Slot{1, 0, 60})}, "schedule"},
		{Entry{Kind: Pause, Scope: Scope{Device: pc}, Schedule: slots()}, "schedule.slots"},
		{Entry{Kind: Pause, Scope: Scope{Device: pc}, Schedule: slots(Slot{0, 0, 60})}, "schedule.slots.days"},
		{Entry{Kind: Pause, Scope: Scope{Device: pc}, Schedule: slots(Slot{1, 0, 1441})}, "schedule.slots.from"},
		{Entry{Kind: Pause, Scope: Scope{Device: pc}, Schedule: slots(Slot{1, 60, 60})}, "schedule.slots.to"},
		{Entry{Kind: Never}, "scope"},
		{Entry{Kind: Never, Scope: Scope{SID: 1}}, "scope"},
		{Entry{Kind: ActionRule, At: event.Suspect}, "at"},
		{Entry{Kind: ActionRule, At: event.Likely, Severity: 4}, "severity"},
	} {
		_, _, err := m.Add(tt.e)
		if field(err) != tt.field {
			t.Errorf("%+v: %v, want an error about %s", tt.e, err, tt.field)
		}
	}
	if n := len(m.List()); n != 0 {
		t.Errorf("%d entries came out of errors", n)
	}
	e := add(t, m, Entry{Kind: BlockEntry, Scope: Scope{Device: "mac:02-00-00-00-00-0A", Dest: "::ffff:192.0.2.77/120", Host: "*.Bad.Example."}})
	if want := (Scope{Device: "mac:02:00:00:00:00:0a", Dest: "192.0.2.0/24", Host: "bad.example"}); e.Scope != want {
		t.Errorf("one form: %+v, want %+v", e.Scope, want)
	}
}

func TestExpiry(t *testing.T) {
	c := &clocks{wall: monday}
	s := newMemory()
	m := manage(t, s, c)
	q := mining(camera, "camera", event.Likely)
	q.Category = ""
	blocked := func() bool { return m.Handle().Load().Decide(&q).Action == Block }
	e := add(t, m, Entry{Kind: Quarantine, Scope: Scope{Device: camera}, For: time.Hour, Reason: "looks infected"})
	if !e.Until.Equal(monday.Add(time.Hour)) || !e.Active {
		t.Errorf("%+v", e)
	}
	for _, jump := range []time.Duration{0, 50 * 365 * 24 * time.Hour, -100 * 365 * 24 * time.Hour, 3 * time.Hour} {
		c.pass(14 * time.Minute)
		c.wall = c.wall.Add(jump)
		m.Tick()
		if !blocked() {
			t.Fatalf("after a jump of %v the block is lost", jump)
		}
	}
	if l := m.List(Quarantine); len(l) != 1 || l[0].Left != 4*time.Minute || !l[0].Until.Equal(c.wall.Add(4*time.Minute)) {
		t.Errorf("%+v", l)
	}
	c.pass(4*time.Minute - 1)
	m.Tick()
	if !blocked() {
		t.Error("ended too early")
	}
	c.pass(1)
	m.Tick()
	if blocked() || len(m.List()) != 0 {
		t.Error("still there after its time")
	}
	for k := range s.m {
		if strings.HasPrefix(k, BucketEntries) {
			t.Errorf("%s is still stored", k)
		}
	}
}

// TestRestarts: power is lost and the time of day comes back in several ways.
func TestRestarts(t *testing.T) {
	boot1970 := time.Unix(30, 0)
	for _, tt := range []struct {
		name string
		boot func(off time.Duration) time.Time // time of day after having been off
		ntp  bool                              // set right after a minute
		off  time.Duration
		left time.Duration // of two hours, after a minute of the new run
	}{
		{"good clock", func(off time.Duration) time.Time { return monday.Add(30*time.Minute + off) }, false, 20 * time.Minute, 69 * time.Minute},
		{"1970, then NTP", func(time.Duration) time.Time { return boot1970 }, true, 20 * time.Minute, 69 * time.Minute},
		{"1970 for ever", func(time.Duration) time.Time { return boot1970 }, false, 20 * time.Minute, 89 * time.Minute},
		{"fifty years ahead", func(time.Duration) time.Time { return monday.AddDate(50, 0, 0) }, true, 20 * time.Minute, 69 * time.Minute},
		{"off for longer than it lasts", func(off time.Duration) time.Time { return monday.Add(30*time.Minute + off) }, false, 3 * time.Hour, 0},
		{"1970, NTP, off for longer", func(time.Duration) time.Time { return boot1970 }, true, 3 * time.Hour, 0},
	} {
		c, s := &clocks{wall: monday, mono: time.Hour}, newMemory()
		m := manage(t, s, c)
		add(t, m, Entry{Kind: Quarantine, Scope: Scope{Device: camera}, For: 2 * time.Hour})
		add(t, m, Entry{Kind: BlockEntry, Scope: Scope{Dest: "192.0.2.1"}})
		for range 30 {
			c.pass(time.Minute)
			m.Tick()
		}
		m.Flush() // power is lost here
		real := c.wall.Add(tt.off)
		c.mono, c.wall = time.Second, tt.boot(tt.off)
		m = manage(t, s, c)
		for range 30 {
			c.pass(time.Second)
			m.Tick()
		}
		// A second restart before the time is known changes nothing.
		c.mono = time.Minute
		m = manage(t, s, c)
		for range 30 {
			c.pass(time.Second)
			m.Tick()
		}
		if tt.ntp {
			c.wall = real.Add(time.Minute)
			m.Tick()
		}
		var left time.Duration
		for _, e := range m.List(Quarantine) {
			left = e.Left
		}
		if d := left - tt.left; d > time.Minute || d < -time.Second {
			t.Errorf("%s: %v left, want %v", tt.name, left, tt.left)
		}
		if len(m.List(BlockEntry)) != 1 {
			t.Errorf("%s: the block without an end is gone", tt.name)
		}
	}
}

// TestNoEternity: a router without a clock that loses power again and again.
func TestNoEternity(t *testing.T) {
	c, s := &clocks{wall: time.Unix(0, 0)}, newMemory()
	m := manage(t, s, c)
	add(t, m, Entry{Kind: Quarantine, Scope: Scope{Device: camera}, For: 10 * time.Hour})
	for i := range 40 {
		for range 20 {
			c.pass(time.Minute)
			m.Tick()
		}
		if len(m.List(Quarantine)) == 0 {
			if i < 29 {
				t.Errorf("ended after %d runs of 20 minutes", i+1)
			}
			return
		}
		c.mono, c.wall = 0, time.Unix(0, 0)
		m = manage(t, s, c)
	}
	t.Error("never ended")
}

func TestPersistence(t *testing.T) {
	c, s := &clocks{wall: monday}, newMemory()
	m := manage(t, s, c)
	if m.Mode() != Protect {
		t.Error(m.Mode())
	}
	if _, err := m.SetMode(Watch, "owner"); err != nil {
		t.Fatal(err)
	}
	x := add(t, m, Entry{Kind: Exception, Scope: Scope{Device: pc, Category: event.Mining}, Reason: "mine", Author: "owner", For: 90 * 24 * time.Hour})
	add(t, m, Entry{Kind: Pause, Scope: Scope{Device: camera}, Schedule: &Schedule{Slots: []Slot{{allDays, 22 * 60, 7 * 60}}}, Reject: true})
	add(t, m, Entry{Kind: ActionRule, Scope: Scope{Category: event.Scan}, At: event.Confirmed, Severity: 1})
	q := mining(pc, "computer", event.Confirmed)
	q.Now = monday.UnixNano()
	for range 3 {
		m.Handle().Load().Decide(&q)
	}
	m.WhatIf(&q) // counts nothing
	m.Flush()
	before := m.List()
	m = manage(t, s, c)
	if got := m.List(); !reflect.DeepEqual(got, before) {
		t.Errorf("%+v\nwant %+v", got, before)
	}
	if m.Mode() != Watch || len(m.Faults()) != 0 {
		t.Error(m.Mode(), m.Faults())
	}
	m.Handle().Load().Decide(&q)
	if l := m.List(Exception); l[0].ID != x.ID || l[0].Hits != 4 || !l[0].LastHit.Equal(monday) {
		t.Errorf("hits: %+v", l)
	}

	// What cannot be stored does not hold.
	s.fail = errors.New("disk full")
	if _, _, err := m.Add(Entry{Kind: Quarantine, Scope: Scope{Device: pc}}); !errors.Is(err, s.fail) {
		t.Error(err)
	}
	if _, err := m.Remove(x.ID, ""); !errors.Is(err, s.fail) {
		t.Error(err)
	}
	if _, err := m.SetMode(Protect, ""); !errors.Is(err, s.fail) {
		t.Error(err)
	}
	if m.Mode() != Watch || len(m.List(Quarantine)) != 0 || len(m.List(Exception)) != 1 {
		t.Error("a change holds that was not stored")
	}
	m.Flush()
	if m.FailedWrites() == 0 {
		t.Error("failed writes of counters are not counted")
	}
	s.fail = nil

	// What cannot be read is named and stops nothing.
	s.m[BucketEntries+"/bad"] = []byte("{")
	s.m[BucketEntries+"/odd"] = []byte(`{"id":"odd","kind":"exception","scope":{}}`)
	s.m[BucketState+"/mode"] = []byte(`"attack"`)
	m = manage(t, s, c)
	if f := m.Faults(); len(f) != 3 || len(m.List()) != 3 {
		t.Error(f, len(m.List()))
	}
}

func TestUndo(t *testing.T) {
	c := &clocks{wall: monday}
	m := manage(t, newMemory(), c)
	e, c1, err := m.Add(Entry{Kind: Pause, Scope: Scope{Device: pc}, For: 15 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	again, c2, err := m.Add(Entry{Kind: Pause, Scope: Scope{Device: pc}, For: time.Hour})
	if err != nil || again.ID != e.ID || len(m.List()) != 1 || m.List()[0].Left != time.Hour {
		t.Fatal(again, err, m.List())
	}
	if _, err := m.Undo(c2.Seq, ""); err != nil || m.List()[0].Left != 15*time.Minute {
		t.Error(err, m.List())
	}
	if _, err := m.Undo(c2.Seq, ""); err == nil {
		t.Error("undone twice")
	}
	c3, err := m.Remove(e.ID, "")
	if err != nil || len(m.List()) != 0 {
		t.Fatal(err)
	}
	if _, err := m.Undo(c3.Seq, ""); err != nil || len(m.List()) != 1 {
		t.Error(err, m.List())
	}
	if _, err := m.Undo(c1.Seq, ""); err != nil || len(m.List()) != 0 {
		t.Error(err, m.List()) // what c1 added was back
	}
	e = add(t, m, Entry{Kind: Pause, Scope: Scope{Device: pc}, For: time.Hour})
	c4, _ := m.SetMode(Watch, "")
	if _, err := m.Undo(c4.Seq, ""); err != nil || m.Mode() != Protect {
		t.Error(err, m.Mode())
	}
	c5, _ := m.Remove(e.ID, "")
	c.pass(time.Hour)
	if _, err := m.Undo(c5.Seq, ""); field(err) != "for" {
		t.Error("brought back after its time", err)
	}
	for range 2 * MaxUndo {
		_, _ = m.SetMode(Watch, "")
	}
	if n := len(m.Changes()); n != MaxUndo {
		t.Errorf("%d changes kept, the limit is %d", n, MaxUndo)
	}
	if _, err := m.Remove("nothing", ""); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func TestLimits(t *testing.T) {
	m := manage(t, nil, &clocks{wall: monday})
	for i := range MaxConsents {
		add(t, m, Entry{Kind: Consent, Scope: Scope{Wallet: fmt.Sprint("w", i)}})
	}
	if _, _, err := m.Add(Entry{Kind: Consent, Scope: Scope{Wallet: "one more"}}); field(err) != "kind" {
		t.Error(err)
	}
	add(t, m, Entry{Kind: Consent, Scope: Scope{Wallet: "w7"}, For: time.Hour}) // replaces
	if _, err := m.Remove(m.List(Consent)[0].ID, ""); err != nil {
		t.Fatal(err)
	}
	add(t, m, Entry{Kind: Consent, Scope: Scope{Wallet: "one more"}})
	if err := m.SetHome(make([]Entry, 1)); field(err) != "scope" {
		t.Error(err)
	}
	var many []Entry
	for i := range MaxNever + 1 {
		many = append(many, Entry{Scope: Scope{Host: fmt.Sprintf("h%d.example", i)}})
	}
	if err := m.SetHome(many); field(err) != "home" {
		t.Error(err)
	}
}

func TestHomeAndView(t *testing.T) {
	c := &clocks{wall: monday}
	published := 0
	m, err := NewManager(Config{Mono: func() time.Duration { return c.mono }, Wall: func() time.Time { return c.wall }, Location: time.UTC, OnPublish: func() { published++ }})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.SetHome([]Entry{{Scope: Scope{Dest: "192.168.1.1"}}, {Scope: Scope{Host: "updates.example"}}}); err != nil {
		t.Fatal(err)
	}
	for _, s := range []Scope{{Dest: "192.168.1.1"}, {Host: "x.updates.example"}} {
		if _, _, err := m.Add(Entry{Kind: BlockEntry, Scope: s}); err == nil {
			t.Errorf("%+v can be blocked, and the list says never", s)
		}
	}
	add(t, m, Entry{Kind: BlockEntry, Scope: Scope{Dest: "192.168.0.0/16"}, Reason: "r"})
	q := Query{Remote: addr("192.168.1.1")}
	if d := m.Handle().Load().Decide(&q); d.Action != None || d.Why != WhyNever {
		t.Errorf("the gateway: %+v", d)
	}
	q.Remote = addr("192.168.1.2")
	if d := m.Handle().Load().Decide(&q); d.Action != Block {
		t.Errorf("beside the gateway: %+v", d)
	}
	home := m.List(Never)
	if len(home) != 2 || !home[0].Fixed || home[0].Hits+home[1].Hits != 1 {
		t.Errorf("%+v", home)
	}
	if _, err := m.Remove(home[0].ID, ""); field(err) != "id" {
		t.Error(err)
	}
	add(t, m, Entry{Kind: Pause, Scope: Scope{Device: pc}, Schedule: &Schedule{Slots: []Slot{{1 << 1, 12 * 60, 13 * 60}, {1 << 1, 13 * 60, 30}}}})
	add(t, m, Entry{Kind: Pause, Scope: Scope{Device: camera}, Schedule: &Schedule{Slots: []Slot{{1 << 0, 23 * 60, 11 * 60}}}})
	v := m.Enforced()
	if len(v.Blocks) != 2 || len(v.Never) != 2 {
		t.Fatalf("%+v", v)
	}
	for _, b := range v.Blocks {
		if b.Kind == Pause && (b.Device != pc || b.Left != 12*time.Hour+30*time.Minute) || b.Kind == BlockEntry && (b.Dest.String() != "192.168.0.0/16" || b.Left != 0) {
			t.Errorf("%+v", b)
		}
	}
	n := published
	c.pass(11 * time.Hour)
	m.Tick()
	if published != n {
		t.Error("published though nothing changed")
	}
	c.pass(90 * time.Minute)
	m.Tick()
	if v := m.Enforced(); len(v.Blocks) != 1 || published == n {
		t.Errorf("the slot is over: %+v", v)
	}
}

func TestSchedule(t *testing.T) {
	fri := Schedule{Slots: []Slot{{Days: 1 << 5, From: 22 * 60, To: 7 * 60}}}
	for _, tt := range []struct {
		at   string
		want bool
	}{{"2026-03-06 21:59", false}, {"2026-03-06 22:00", true}, {"2026-03-07 00:00", true}, {"2026-03-07 06:59", true}, {"2026-03-07 07:00", false}, {"2026-03-07 23:00", false}, {"2026-03-06 03:00", false}} {
		at, err := time.Parse("2006-01-02 15:04", tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if fri.Holds(at) != tt.want {
			t.Errorf("%s: %v", tt.at, !tt.want)
		}
	}
	tokyo := time.FixedZone("JST", 9*3600)
	for at, want := range map[int]time.Duration{22: 9 * time.Hour, 6: time.Hour, 7: 24 * time.Hour} {
		if d := UntilMorning(time.Date(2026, 3, 2, at, 0, 0, 0, tokyo)); d != want {
			t.Errorf("from %d o'clock: %v, want %v", at, d, want)
		}
	}
}
