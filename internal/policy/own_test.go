package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// TestAnswer: what the ends of a flow hear when a finding stops it.
func TestAnswer(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer Answer
		proto  uint8
		port   uint16
		want   verdict.Action
	}{
		{"TCP", Answer{}, packet.ProtoTCP, 3333, verdict.Reject},
		{"silent", Answer{Silent: true, ICMP: true}, packet.ProtoTCP, 3333, verdict.Drop},
		{"names", Answer{}, packet.ProtoUDP, 53, verdict.Reject},
		{"names, silent", Answer{Silent: true}, packet.ProtoUDP, 53, verdict.Drop},
		{"datagrams", Answer{}, packet.ProtoUDP, 3333, verdict.Drop},
		{"datagrams with ICMP", Answer{ICMP: true}, packet.ProtoUDP, 3333, verdict.Reject},
		{"not known", Answer{}, 0, 3333, verdict.Drop},
	} {
		c := &clocks{wall: monday}
		m, err := NewManager(Config{Mono: func() time.Duration { return c.mono }, Wall: func() time.Time { return c.wall }, Location: time.UTC, Mode: Protect, Answer: tt.answer})
		if err != nil {
			t.Fatal(err)
		}
		q := mining(camera, "camera", event.Confirmed)
		q.Proto, q.RemotePort = tt.proto, tt.port
		if d := m.Handle().Load().Decide(&q); d.Verdict.Action != tt.want || d.Verdict.Scope != verdict.Flow || d.Word != Blocked {
			t.Errorf("%s: %+v", tt.name, d)
		}
		// A block that a finding made answers alike; the owner's as he said.
		for _, author := range []string{Itself, "anna"} {
			e := add(t, m, Entry{Kind: BlockEntry, Scope: Scope{Device: camera}, Reject: true, Author: author, For: time.Hour})
			q.Category = ""
			want := tt.want
			if author != Itself {
				want = verdict.Reject
			}
			if d := m.Handle().Load().Decide(&q); d.Verdict.Action != want || d.Why != WhyBlock {
				t.Errorf("%s: block of %s: %+v", tt.name, author, d)
			}
			if _, err := m.Remove(e.ID, author); err != nil {
				t.Fatal(err)
			}
		}
		// Consent and the never-block list come before any of it.
		for _, e := range []Entry{{Kind: Consent, Scope: Scope{Device: camera}}, {Kind: Never, Scope: Scope{Dest: "198.51.100.0/24"}}} {
			e = add(t, m, e)
			q.Category = event.Mining
			if d := m.Handle().Load().Decide(&q); d.Verdict.Action != verdict.NoOpinion || d.Word != Allowed {
				t.Errorf("%s: with %s: %+v", tt.name, e.Kind, d)
			}
			if _, err := m.Remove(e.ID, "anna"); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestOwn: what findings add never takes the owner's word, room or undo.
func TestOwn(t *testing.T) {
	c := &clocks{wall: monday}
	m := manage(t, newMemory(), c)
	owners := add(t, m, Entry{Kind: BlockEntry, Scope: Scope{Device: camera, Dest: "198.51.100.7", Port: 3333}, Author: "anna"})
	own := Entry{Kind: BlockEntry, Scope: owners.Scope, Author: Itself, For: time.Hour}
	if _, _, err := m.Add(own); !errors.Is(err, ErrOwners) {
		t.Errorf("replacing the owner's entry: %v", err)
	}
	if l := m.List(BlockEntry); len(l) != 1 || l[0].Author != "anna" || l[0].Left != 0 {
		t.Errorf("%+v", l)
	}
	for i := range MaxOwn {
		own.Scope.Dest = netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}).String()
		add(t, m, own)
	}
	again := add(t, m, own) // prolongs
	own.Scope.Dest = "192.0.2.1"
	if _, _, err := m.Add(own); field(err) != "kind" {
		t.Errorf("one more than MaxOwn: %v", err)
	}
	own.Author = "anna"
	add(t, m, own)
	n := map[string]int{}
	for _, x := range m.Changes() {
		n[x.Author]++
	}
	if n[Itself] != MaxOwnUndo || n["anna"] != 2 {
		t.Errorf("changes that can be undone: %v", n)
	}
	// The owner takes one of them back.
	for _, x := range slices.Backward(m.Changes()) {
		if x.Entry == again.ID {
			if _, err := m.Undo(x.Seq, "anna"); err != nil {
				t.Error(err)
			}
		}
	}
	if l := m.List(BlockEntry); len(l) != MaxOwn+1 {
		t.Errorf("%d entries", len(l))
	}
	c.pass(time.Hour + time.Second)
	m.Tick()
	if l := m.List(BlockEntry); len(l) != 1 || l[0].ID != owners.ID {
		t.Errorf("an hour later: %d entries", len(l))
	}
	for i := range MaxUndo + 3 {
		add(t, m, Entry{Kind: Never, Scope: Scope{Dest: fmt.Sprintf("192.0.2.%d", i+10)}, Author: "anna"})
	}
	if l := m.Changes(); len(l) != MaxUndo {
		t.Errorf("%d changes can be undone", len(l))
	}
}
