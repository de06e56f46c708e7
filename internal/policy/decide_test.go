package policy

import (
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/verdict"
)

func TestDecide(t *testing.T) {
	ids := func(es ...Entry) []Entry {
		for i := range es {
			es[i].ID = string(rune('a' + i))
		}
		return es
	}
	scope := func(k Kind, s Scope) Entry { return Entry{Kind: k, Scope: s} }
	flowDrop := verdict.Verdict{Action: verdict.Drop, Scope: verdict.Flow}
	ruleDrop := verdict.Verdict{Action: verdict.Reject, Scope: verdict.Packet, Why: "rule"}
	rule := func(q Query, v verdict.Verdict) Query {
		q.Category, q.Rule, q.GID, q.SID, q.Wants = event.Exploit, true, 1, 2024, v
		return q
	}
	traffic := func(q Query) Query { q.Category, q.Level = "", 0; return q }
	cam, comp := mining(camera, "camera", event.Likely), mining(pc, "computer", event.Likely)
	sure := mining(pc, "computer", event.Confirmed)
	low := mining(camera, "camera", event.Confirmed)
	low.Severity = 3
	claimed := sure
	claimed.Host, claimed.HostClaimed = "cdn.update.example", true
	named := sure
	named.Host = "CDN.Update.Example."
	lan := traffic(cam)
	lan.RemoteHome = true
	other := sure
	other.Wallet = "48edfHu7V9Z84YzzMa6fUueoELZ9ZRXq9VetWzYGzKt5"
	hex := sure
	hex.Wallet = "0xABCDEF0123456789abcdef0123456789ABCDEF01"

	for _, tt := range []struct {
		name    string
		mode    Mode
		entries []Entry
		q       Query
		want    string // action/why/by/word
		v       verdict.Verdict
	}{
		{"a camera mines", Protect, nil, cam, "block/table//blocked", flowDrop},
		{"a camera mines, watched", Watch, nil, cam, "tell/watch//would_block", verdict.Verdict{}},
		{"a camera may mine", Protect, nil, mining(camera, "camera", event.Suspect), "record/suspect//allowed", verdict.Verdict{}},
		{"a computer likely mines", Protect, nil, comp, "tell/table//allowed", verdict.Verdict{}},
		{"a computer mines", Protect, nil, sure, "block/table//blocked", flowDrop},
		{"of little weight", Protect, nil, low, "tell/low_severity//allowed", verdict.Verdict{}},

		{"consent to a device", Protect, ids(scope(Consent, Scope{Device: pc})), sure, "record/consent/a/allowed", verdict.Verdict{}},
		{"consent, another device", Protect, ids(scope(Consent, Scope{Device: pc})), cam, "block/table//blocked", flowDrop},
		{"consent to a wallet", Protect, ids(scope(Consent, Scope{Device: pc, Wallet: sure.Wallet})), sure, "record/consent/a/allowed", verdict.Verdict{}},
		{"consent, a new wallet", Protect, ids(scope(Consent, Scope{Device: pc, Wallet: sure.Wallet})), other, "block/table//blocked", flowDrop},
		{"consent, Ethereum's spelling", Protect, ids(scope(Consent, Scope{Wallet: "0xabcdef0123456789abcdef0123456789abcdef01"})), hex, "record/consent/a/allowed", verdict.Verdict{}},
		{"consent to a pool", Protect, ids(scope(Consent, Scope{Pool: "Pool.example"})), sure, "record/consent/a/allowed", verdict.Verdict{}},
		{"consent to a pool's other port", Protect, ids(scope(Consent, Scope{Pool: "eu.pool.example:4444"})), sure, "block/table//blocked", flowDrop},
		{"consent to a pool that only sounds alike", Protect, ids(scope(Consent, Scope{Pool: "ool.example"})), sure, "block/table//blocked", flowDrop},
		{"consent is for mining alone", Protect, ids(scope(Consent, Scope{Device: pc})), rule(sure, ruleDrop), "block/rule//blocked", ruleDrop},

		{"exception for device and rule", Protect, ids(scope(Exception, Scope{Device: pc, GID: 7411, SID: 1001})), sure, "record/exception/a/allowed", verdict.Verdict{}},
		{"exception for another rule", Protect, ids(scope(Exception, Scope{Device: pc, SID: 1001})), sure, "block/table//blocked", flowDrop},
		{"exception for a network", Protect, ids(scope(Exception, Scope{Dest: "198.51.100.0/24"})), sure, "record/exception/a/allowed", verdict.Verdict{}},
		{"exception for a kind", Protect, ids(scope(Exception, Scope{Kind: "camera", Category: event.Mining})), sure, "block/table//blocked", flowDrop},
		{"exception for a name", Protect, ids(scope(Exception, Scope{Host: "update.example"})), named, "record/exception/a/allowed", verdict.Verdict{}},
		{"exception for a claimed name", Protect, ids(scope(Exception, Scope{Host: "update.example"})), claimed, "block/table//blocked", flowDrop},
		{"exception for a device and a claimed name", Protect, ids(scope(Exception, Scope{Device: pc, Host: "update.example"})), claimed, "record/exception/a/allowed", verdict.Verdict{}},
		{"exceptions hide suspicions", Protect, ids(scope(Exception, Scope{Category: event.Mining})), mining(pc, "computer", event.Suspect), "record/exception/a/allowed", verdict.Verdict{}},

		{"never by address", Protect, ids(scope(Never, Scope{Dest: "198.51.100.7"})), sure, "tell/never_block/a/allowed", verdict.Verdict{}},
		{"never by own address", Protect, ids(scope(Never, Scope{Dest: "192.168.1.20"})), sure, "tell/never_block/a/allowed", verdict.Verdict{}},
		{"never by port", Protect, ids(scope(Never, Scope{Dest: "198.51.100.7", Port: 53})), sure, "block/table//blocked", flowDrop},
		{"never by name", Protect, ids(scope(Never, Scope{Host: "update.example"})), named, "tell/never_block/a/allowed", verdict.Verdict{}},
		{"never by a claimed name", Protect, ids(scope(Never, Scope{Host: "update.example"})), claimed, "block/table//blocked", flowDrop},
		{"never does not shout", Protect, ids(scope(Never, Scope{Dest: "198.51.100.7"})), comp, "tell/table//allowed", verdict.Verdict{}},
		{"never wins over a block", Protect, ids(scope(Never, Scope{Device: camera}), scope(BlockEntry, Scope{Dest: "198.51.100.0/24"})), traffic(cam), "none/never_block/a/allowed", verdict.Verdict{}},

		{"traffic is free", Protect, nil, traffic(cam), "none///allowed", verdict.Verdict{}},
		{"quarantine", Watch, ids(scope(Quarantine, Scope{Device: camera})), traffic(cam), "block/quarantine/a/blocked", flowDrop},
		{"quarantine within the home", Watch, ids(scope(Quarantine, Scope{Device: camera})), lan, "block/quarantine/a/blocked", flowDrop},
		{"pause", Watch, ids(scope(Pause, Scope{Device: camera})), traffic(cam), "block/pause/a/blocked", flowDrop},
		{"pause leaves the home", Watch, ids(scope(Pause, Scope{Device: camera})), lan, "none///allowed", verdict.Verdict{}},
		{"block and finding", Watch, ids(scope(Exception, Scope{Device: pc}), scope(BlockEntry, Scope{Host: "update.example"})), claimed, "block/block/b/blocked", flowDrop},
		{"block of another device's destination", Watch, ids(scope(BlockEntry, Scope{Device: camera, Dest: "198.51.100.7"})), traffic(sure), "none///allowed", verdict.Verdict{}},
		{"the more specific block decides", Watch, ids(scope(BlockEntry, Scope{Dest: "198.51.0.0/16"}), Entry{Kind: BlockEntry, Scope: Scope{Device: camera, Dest: "198.51.100.7"}, Reject: true}),
			traffic(cam), "block/block/b/blocked", verdict.Verdict{Action: verdict.Reject, Scope: verdict.Flow}},

		{"a rule drops", Protect, nil, rule(sure, ruleDrop), "block/rule//blocked", ruleDrop},
		{"a rule drops, watched", Watch, nil, rule(sure, ruleDrop), "tell/watch//would_block", verdict.Verdict{}},
		{"a doubtful rule drops", Protect, nil, rule(mining(pc, "computer", event.Suspect), ruleDrop), "record/suspect//allowed", verdict.Verdict{}},
		{"a rule warns", Protect, nil, rule(sure, verdict.Verdict{}), "tell/rule//allowed", verdict.Verdict{}},
		{"the owner lets a rule block", Protect, ids(Entry{Kind: ActionRule, Scope: Scope{SID: 2024}, At: event.Likely}), rule(comp, verdict.Verdict{}), "block/action/a/blocked", flowDrop},
		{"a category does not turn warnings into blocks", Protect, ids(Entry{Kind: ActionRule, Scope: Scope{Category: event.Exploit}, At: event.Likely}), rule(comp, verdict.Verdict{}), "tell/rule//allowed", verdict.Verdict{}},
		{"the owner stops a rule from blocking", Protect, ids(Entry{Kind: ActionRule, Scope: Scope{SID: 2024}}), rule(comp, ruleDrop), "tell/action/a/allowed", verdict.Verdict{}},
		{"the owner blocks earlier", Protect, ids(Entry{Kind: ActionRule, Scope: Scope{Category: event.Mining}, At: event.Likely}), comp, "block/action/a/blocked", flowDrop},
		{"the owner never blocks cameras", Protect, ids(Entry{Kind: ActionRule, Scope: Scope{Kind: "camera"}}, Entry{Kind: ActionRule, Scope: Scope{Category: event.Botnet}, At: event.Likely}), cam, "tell/action/a/allowed", verdict.Verdict{}},
		{"actions by severity", Protect, ids(Entry{Kind: ActionRule, Scope: Scope{Category: event.Mining}, At: event.Likely, Severity: 2}), low, "tell/low_severity//allowed", verdict.Verdict{}},
		{"no level below likely ever blocks", Protect, ids(Entry{Kind: ActionRule, Scope: Scope{Category: event.Mining}, At: event.Likely}), mining(camera, "camera", event.Suspect), "record/suspect//allowed", verdict.Verdict{}},
	} {
		s, err := New(tt.mode, 1, tt.entries)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		d, steps := s.WhatIf(&tt.q)
		got := d.Action.String() + "/" + d.Why + "/" + d.By + "/" + d.Word
		v := d.Verdict
		if tt.v.Why == "" {
			v.Why = ""
		}
		if got != tt.want || v != tt.v {
			t.Errorf("%s: %s %+v, want %s %+v (%v)", tt.name, got, d.Verdict, tt.want, tt.v, steps)
		}
		if e := s.Decide(&tt.q); e != d {
			t.Errorf("%s: asked again: %+v, not %+v", tt.name, e, d)
		}
		if d.Action != None && (len(steps) == 0 || !steps[len(steps)-1].Applied) {
			t.Errorf("%s: the last step %v does not explain %s", tt.name, steps, d.Why)
		}
	}
}

// TestOnlySureFindingsBlock: no combination of the table blocks a suspicion.
func TestOnlySureFindingsBlock(t *testing.T) {
	s, _ := New(Protect, 1, nil)
	for _, c := range event.CategoryNames() {
		for _, kind := range []string{"camera", "computer", "nas", "unknown", ""} {
			for l := event.Level(0); l <= event.Confirmed; l++ {
				q := Query{Category: event.Category(c), Level: l, Severity: 1, Device: event.DeviceRef{Kind: kind}}
				d := s.Decide(&q)
				at := DefaultAt(q.Category, kind)
				if block := d.Action == Block; block != (at != 0 && l >= at) || block && l < event.Likely {
					t.Errorf("%s on %s at %s: %s", c, kind, l, d.Action)
				}
			}
		}
	}
}

func TestDecideAllocs(t *testing.T) {
	var es []Entry
	for i := range 100 {
		es = append(es, Entry{Kind: BlockEntry, Scope: Scope{Dest: addr("203.0.113.0").String()[:10] + string(rune('0'+i%10))}},
			Entry{Kind: BlockEntry, Scope: Scope{Host: "bad.example"}}, Entry{Kind: Exception, Scope: Scope{Device: camera, Host: "good.example"}},
			Entry{Kind: Never, Scope: Scope{Host: "update.example", Port: 443}})
	}
	s, err := New(Protect, 1, es)
	if err != nil {
		t.Fatal(err)
	}
	q := mining(camera, "camera", event.Likely)
	q.Host = "A.Long.Name.In.Mixed.Case.Example"
	tr := q
	tr.Category = ""
	if n := testing.AllocsPerRun(100, func() {
		if d := s.Decide(&q); d.Action != Block {
			t.Fatal(d)
		}
		if d := s.Decide(&tr); d.Action != None {
			t.Fatal(d)
		}
	}); n != 0 {
		t.Errorf("%v allocations a decision, want 0", n)
	}
}

func BenchmarkDecide(b *testing.B) {
	var es []Entry
	for i := range 1000 {
		es = append(es, Entry{Kind: Exception, Scope: Scope{Device: pc, SID: uint32(i + 1)}}, Entry{Kind: BlockEntry, Scope: Scope{Dest: netOf(i)}})
	}
	s, err := New(Protect, 1, es)
	if err != nil {
		b.Fatal(err)
	}
	q := mining(camera, "camera", event.Likely)
	q.Host = "www.example.com"
	tr := q
	tr.Category = ""
	for name, q := range map[string]*Query{"finding": &q, "traffic": &tr} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Decide(q)
			}
		})
	}
}

// TestAwaitsWallet: a finding waits for the wallet only where that may decide.
func TestAwaitsWallet(t *testing.T) {
	blind := mining(pc, "computer", event.Confirmed)
	blind.Wallet, blind.Pool = "", "eu.pool.example:3333"
	seen := blind
	seen.Wallet = "another"
	worm := blind
	worm.Category = event.Botnet
	consent := func(s Scope) Entry { return Entry{Kind: Consent, Scope: s} }
	for _, tt := range []struct {
		name    string
		entries []Entry
		q       Query
		want    bool
	}{
		{"no consent", nil, blind, false},
		{"to the wallet, anywhere", []Entry{consent(Scope{Wallet: "w"})}, blind, true},
		{"which is visible", []Entry{consent(Scope{Wallet: "w"})}, seen, false},
		{"not mining", []Entry{consent(Scope{Wallet: "w"})}, worm, false},
		{"of this device", []Entry{consent(Scope{Wallet: "w", Device: pc})}, blind, true},
		{"of another device", []Entry{consent(Scope{Wallet: "w", Device: camera})}, blind, false},
		{"at this pool", []Entry{consent(Scope{Wallet: "w", Pool: "pool.example"})}, blind, true},
		{"at another pool", []Entry{consent(Scope{Wallet: "w", Pool: "pool.test"})}, blind, false},
		{"to the device alone", []Entry{consent(Scope{Device: pc})}, blind, false},
		{"to either", []Entry{consent(Scope{Device: pc}), consent(Scope{Wallet: "w"})}, blind, false},
		{"a device in quarantine", []Entry{consent(Scope{Wallet: "w"}), {Kind: Quarantine, Scope: Scope{Device: pc}}}, blind, false},
	} {
		for i := range tt.entries {
			tt.entries[i].ID = string(rune('a' + i))
		}
		s, err := New(Protect, 1, tt.entries)
		if err != nil {
			t.Fatal(tt.name, err)
		}
		if got := s.AwaitsWallet(&tt.q); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
		if n := testing.AllocsPerRun(20, func() { s.AwaitsWallet(&tt.q) }); n != 0 {
			t.Errorf("%s: %v allocations", tt.name, n)
		}
	}
}
