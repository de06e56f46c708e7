package policy

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

func netOf(i int) string { return fmt.Sprintf("203.%d.%d.0/24", i/250, i%250) }

// oracle answers as docs/policy.md says, in the slowest way.
func oracle(mode Mode, es []Entry, q *Query) (a Action, why, by, word string, v verdict.Verdict) {
	es = slices.Clone(es)
	slices.SortStableFunc(es, func(a, b Entry) int {
		if n := fields(b.Scope) - fields(a.Scope); n != 0 {
			return n
		}
		if c := b.Created.Compare(a.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	find := func(ok func(e *Entry) bool) *Entry {
		for i := range es {
			if ok(&es[i]) {
				return &es[i]
			}
		}
		return nil
	}
	in := func(s string, a packet.Addr) bool {
		if a == (packet.Addr{}) {
			return false
		}
		if !strings.Contains(s, "/") {
			return netip.MustParseAddr(s) == a.Netip()
		}
		return netip.MustParsePrefix(s).Contains(a.Netip())
	}
	under := func(host, of string) bool {
		host = strings.ToLower(strings.TrimSuffix(host, "."))
		return host == of || strings.HasSuffix(host, "."+of)
	}
	match := func(e *Entry, claimed bool) bool {
		s := e.Scope
		dev := s.Device == q.Device.ID || s.Device == "mac:"+string(event.AppendMAC(nil, q.MAC))
		return (s.Device == "" || dev) && (s.Kind == "" || s.Kind == q.Device.Kind) && (s.Dest == "" || in(s.Dest, q.Remote)) &&
			(s.Host == "" || under(q.Host, s.Host) && (claimed || !q.HostClaimed)) && (s.Port == 0 || s.Port == q.RemotePort) &&
			(s.SID == 0 || s.SID == q.SID && s.GID == q.GID) && (s.Category == "" || s.Category == q.Category) &&
			(s.Family == "" || s.Family == q.Family) && (s.Wallet == "" || s.Wallet == q.Wallet) && (s.Pool == "" || s.Pool == strings.Split(q.Pool, ":")[0])
	}
	safe := find(func(e *Entry) bool {
		s := e.Scope
		return e.Kind == Never && (match(e, false) || s.Dest != "" && s.Port == 0 && s.Host == "" && s.Device == "" && in(s.Dest, q.Local))
	})
	block := find(func(e *Entry) bool {
		return (e.Kind == BlockEntry || e.Kind == Quarantine || e.Kind == Pause && !q.RemoteHome) && match(e, true)
	})
	if block != nil && safe == nil {
		v = verdict.Verdict{Action: verdict.Drop, Scope: verdict.Flow}
		if block.Reject {
			v.Action = verdict.Reject
		}
		return Block, string(block.Kind), block.ID, Blocked, v
	}
	if q.Category == "" {
		if block != nil {
			return None, WhyNever, safe.ID, Allowed, v
		}
		return None, "", "", Allowed, v
	}
	if e := find(func(e *Entry) bool { return e.Kind == Consent && match(e, true) }); e != nil && q.Category == event.Mining {
		return Record, WhyConsent, e.ID, Allowed, v
	}
	if e := find(func(e *Entry) bool { return e.Kind == Exception && match(e, e.Scope.Device != "") }); e != nil {
		return Record, WhyException, e.ID, Allowed, v
	}
	if q.Level < event.Likely {
		return Record, WhySuspect, "", Allowed, v
	}
	drop := verdict.Verdict{Action: verdict.Drop, Scope: verdict.Flow}
	wants := q.Rule && q.Wants.Action >= verdict.Drop
	if wants {
		drop = q.Wants
	}
	sev := q.Severity
	if sev == 0 {
		sev = 2
	}
	blocks := false
	e := find(func(e *Entry) bool {
		return e.Kind == ActionRule && match(e, true) && (e.Severity == 0 || sev <= e.Severity) && (!q.Rule || wants || e.Scope.SID != 0 || e.At == 0)
	})
	switch {
	case e != nil:
		why, by, blocks = WhyAction, e.ID, e.At != 0 && q.Level >= e.At
	case q.Rule:
		why, blocks = WhyRule, wants
	case sev > 2:
		why = WhyLow
	default:
		at := DefaultAt(q.Category, q.Device.Kind)
		why, blocks = WhyTable, at != 0 && q.Level >= at
	}
	switch {
	case !blocks:
		return Tell, why, by, Allowed, v
	case safe != nil:
		return Tell, WhyNever, safe.ID, Allowed, v
	case mode == Watch:
		return Tell, WhyWatch, by, WouldBlock, v
	}
	return Block, why, by, Blocked, drop
}

func fields(s Scope) (n int) {
	for _, b := range []bool{s.Device != "", s.Kind != "", s.Dest != "", s.Host != "", s.Port != 0, s.SID != 0, s.Category != "", s.Family != "", s.Pool != "", s.Wallet != ""} {
		if b {
			n++
		}
	}
	return n
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

var (
	someDevices = []string{"", "", camera, pc, "dev-7"}
	someDests   = []string{"", "", "198.51.100.7", "198.51.100.0/24", "198.51.0.0/17", "2001:db8::/33", "2001:db8:8000::1", "192.168.1.20", "10.0.0.0/8"}
	someHosts   = []string{"", "", "example", "pool.example", "update.example", "a.b.update.example"}
	somePorts   = []uint16{0, 0, 0, 53, 3333}
)

func randomEntry(r *rand.Rand, i int) Entry {
	e := Entry{ID: fmt.Sprintf("e%02d", i), Kind: pick(r, kinds[:]...), Created: time.Unix(int64(r.IntN(3)), 0)}
	s := &e.Scope
	s.Device = pick(r, someDevices...)
	switch e.Kind {
	case Quarantine, Pause:
		e.Reject = r.IntN(2) == 0
	case BlockEntry, Never:
		s.Dest, s.Host, s.Port, e.Reject = pick(r, someDests...), pick(r, someHosts...), pick(r, somePorts...), r.IntN(2) == 0
	case Consent:
		s.Pool, s.Wallet = pick(r, "", "pool.example", "eu.pool.example"), pick(r, "", "w1", "w2")
	default:
		s.Dest, s.Host, s.Port = pick(r, someDests...), pick(r, someHosts...), pick(r, somePorts...)
		s.Kind, s.SID = pick(r, "", "", "camera", "computer"), pick[uint32](r, 0, 0, 7, 8)
		s.Category, s.Family = pick(r, "", "", event.Mining, event.Exploit), pick(r, "", "", "stratum")
		if e.Kind == ActionRule {
			e.At, e.Severity = pick(r, 0, event.Likely, event.Confirmed), uint8(r.IntN(4))
		}
	}
	return e
}

func randomQuery(r *rand.Rand) Query {
	dev := pick(r, someDevices...)
	q := Query{Category: pick(r, "", event.Mining, event.Exploit, event.Scan), Family: pick(r, "stratum", "x"), Level: event.Level(1 + r.IntN(3)), Severity: uint8(r.IntN(4)),
		Device: event.DeviceRef{ID: dev, Kind: pick(r, "camera", "computer")}, Local: pick(r, addr("192.168.1.20"), addr("10.9.9.9"), packet.Addr{}),
		Remote:     pick(r, packet.Addr{}, addr("198.51.100.7"), addr("198.51.100.8"), addr("198.51.127.1"), addr("198.51.128.1"), addr("2001:db8:7fff::1"), addr("2001:db8:8000::1")),
		RemotePort: pick(r, somePorts...), RemoteHome: r.IntN(4) == 0, Host: pick(r, "", "Eu.Pool.Example", "update.example.", "a.b.UPDATE.example", "notupdate.example"),
		HostClaimed: r.IntN(2) == 0, Wallet: pick(r, "", "w1", "w2"), Pool: pick(r, "", "pool.example:3333", "eu.pool.example:1"), Rule: r.IntN(2) == 0, GID: 1, SID: uint32(7 + r.IntN(2))}
	if strings.HasPrefix(dev, "mac:") {
		q.MAC, _ = parseMAC(dev[4:])
		if r.IntN(2) == 0 {
			q.Device.ID = "dev-9" // known by its address alone
		}
	}
	if q.Rule {
		q.Wants = pick(r, verdict.Verdict{}, verdict.Verdict{Action: verdict.Drop, Why: "rule"}, verdict.Verdict{Action: verdict.Reject, Scope: verdict.Flow, Why: "rule"})
	}
	return q
}

func TestOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	answers := map[string]int{}
	for range 1500 {
		var es []Entry
		for i := range 1 + r.IntN(12) {
			e := randomEntry(r, i)
			if c := e; c.check() == nil {
				es = append(es, c)
			}
		}
		mode := Mode(r.IntN(2))
		s, err := New(mode, 1, es)
		if err != nil {
			t.Fatal(err)
		}
		for range 40 {
			q := randomQuery(r)
			d := s.Decide(&q)
			a, why, by, word, v := oracle(mode, es, &q)
			dv := d.Verdict
			if v.Why == "" {
				dv.Why = ""
			}
			// A pool's name covers names under it; the oracle knows only the same.
			if strings.HasPrefix(q.Pool, "eu.") && slices.ContainsFunc(es, func(e Entry) bool { return e.Scope.Pool == "pool.example" }) {
				continue
			}
			if d.Action != a || d.Why != why || d.By != by || d.Word != word || dv != v {
				t.Fatalf("%+v\nof %+v: %s %s %s %s %+v\nwant %s %s %s %s %+v", es, q, d.Action, d.Why, d.By, d.Word, d.Verdict, a, why, by, word, v)
			}
			answers[d.Action.String()+"/"+d.Why]++
		}
	}
	for _, want := range []string{"none/", "none/never_block", "block/block", "block/quarantine", "block/pause", "record/consent", "record/exception", "record/suspect",
		"tell/table", "block/table", "tell/rule", "block/rule", "tell/action", "block/action", "tell/watch", "tell/never_block", "tell/low_severity"} {
		if answers[want] < 20 {
			t.Errorf("%s was asked for %d times, too few to say anything (%v)", want, answers[want], answers)
		}
	}
}

// TestRace changes the policy while workers ask.
func TestRace(t *testing.T) {
	c := &clocks{wall: monday}
	m := manage(t, newMemory(), c)
	h := m.Handle()
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			q := mining(camera, "camera", event.Likely)
			for {
				select {
				case <-done:
					return
				default:
				}
				if d := h.Load().Decide(&q); d.Action != Block && d.Why != WhyException {
					t.Errorf("%+v", d)
					return
				}
			}
		})
	}
	for range 200 {
		e := add(t, m, Entry{Kind: Exception, Scope: Scope{Device: camera, Category: event.Mining}})
		m.List()
		m.Enforced()
		if _, err := m.Remove(e.ID, "owner"); err != nil {
			t.Fatal(err)
		}
		m.Tick()
	}
	close(done)
	wg.Wait()
}
