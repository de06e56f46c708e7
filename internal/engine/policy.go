package engine

import (
	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/policy"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/verdict"
)

// judged is what policy said about the packet in hand.
type judged struct {
	v    verdict.Verdict // the strongest of what findings led to
	q    policy.Query    // reused
	rule policy.Decision // of the rule's match numbered seq
	seq  uint32
}

// traffic asks whether the packet may pass at all: a flow that a finding
// condemned may not, nor one that the owner blocks. A flow is judged with its
// first packet each way, and again when the policy has changed.
func (w *Worker) traffic(fl *flow.Flow, d packet.Dir, p *packet.Packet) verdict.Verdict {
	w.judged.v = verdict.Verdict{}
	if !w.e.cfg.Inline {
		return verdict.Verdict{}
	}
	s := w.e.cfg.Judge.Load()
	if s == nil {
		return verdict.Verdict{}
	}
	if gen := s.Generation(); fl.PolicyGen != gen || fl.Side[d].Packets == 1 {
		fl.PolicyGen = gen
		if !fl.Condemned {
			fl.Stopped = verdict.NoOpinion
			if s.BlocksTraffic() {
				c, cp := fl.Client()
				r, rp := fl.Server()
				fl.Stopped = w.ends(s, p.Proto, c, cp, fl.ClientMAC, r, rp, fl.ServerMAC, p.Time)
			}
		}
	}
	if fl.Stopped < verdict.Drop {
		return verdict.Verdict{}
	}
	v := verdict.Verdict{Action: fl.Stopped, Scope: verdict.Flow, Why: "policy"}
	w.policyDrop(p, fl, d)
	return v
}

// stray does the same for a packet that belongs to no flow.
func (w *Worker) stray(p *packet.Packet) verdict.Verdict {
	if !w.e.cfg.Inline {
		return verdict.Verdict{}
	}
	s := w.e.cfg.Judge.Load()
	if s == nil || !s.BlocksTraffic() {
		return verdict.Verdict{}
	}
	a := w.ends(s, p.Proto, p.Src, p.SrcPort, p.SrcMAC, p.Dst, p.DstPort, p.DstMAC, p.Time)
	if a < verdict.Drop {
		return verdict.Verdict{}
	}
	return verdict.Verdict{Action: a, Why: "policy"}
}

// ends asks about the traffic between two ends, for each that is in the home.
func (w *Worker) ends(s *policy.Snapshot, proto uint8, c packet.Addr, cp uint16, cm packet.MAC, r packet.Addr, rp uint16, rm packet.MAC, now int64) verdict.Action {
	ch, rh := w.devices.Home(c), w.devices.Home(r)
	q := &w.judged.q
	ask := func(local packet.Addr, m packet.MAC, remote packet.Addr, port uint16, home bool) verdict.Action {
		*q = policy.Query{MAC: m, Local: local, Remote: remote, RemotePort: port, RemoteHome: home, Proto: proto, Now: now}
		if s.NeedsIdentity() {
			q.Device = w.ref(m, local)
		}
		return s.Decide(q).Verdict.Action
	}
	if ch || !rh {
		if a := ask(c, cm, r, rp, rh); a >= verdict.Drop {
			return a
		}
	}
	if rh {
		return ask(r, rm, c, 0, ch)
	}
	return verdict.NoOpinion
}

// policyDrop reports a packet that policy stopped.
func (w *Worker) policyDrop(p *packet.Packet, fl *flow.Flow, d packet.Dir) {
	w.n.PolicyDrops++
	if w.sink == nil || !w.wants[event.Drop] {
		return
	}
	ev := w.event(fl, event.Drop, p.Time)
	ev.Src, ev.Dst, ev.SrcPort, ev.DstPort = p.Src, p.Dst, p.SrcPort, p.DstPort
	w.dropBody = dropBody{p: p, dir: d, reason: "policy"}
	ev.Body = &w.dropBody
	w.sink.Event(ev)
	w.dropBody.p = nil
}

// settle joins what the rules and what findings said of the packet.
func (w *Worker) settle(p *packet.Packet, fl *flow.Flow, d packet.Dir, v verdict.Verdict) verdict.Verdict {
	if j := w.judged.v; j.Action > v.Action || j.Action == v.Action && j.Scope > v.Scope {
		if v.Action < verdict.Drop {
			w.policyDrop(p, fl, d)
		}
		return j
	}
	return v
}

// decide lets policy say what follows from a built-in finding.
func (w *Worker) decide(fl *flow.Flow, pc *proto.Conn, f *event.Finding) {
	s := w.e.cfg.Judge.Load()
	if s == nil {
		return
	}
	d := s.Decide(w.queryOf(fl, pc, f))
	w.carryOut(fl, &d)
	f.Action, f.Why, f.By, f.Quiet = d.Word, d.Why, d.By, d.Quiet
}

// maxHeld is for how many messages of a flow findings may wait: those that
// Stratum's dialects exchange before a login and some to spare.
const maxHeld = 16

// awaits reports whether a finding waits for the wallet it is mined for, because
// the owner consents to one. Nothing waits in a home without such a consent.
func (w *Worker) awaits(fl *flow.Flow, pc *proto.Conn, d detect.Inline, tx proto.Tx, f *event.Finding) bool {
	if f.Mining == nil || f.Mining.Wallet != "" || w.e.cfg.Judge == nil {
		return false
	}
	h, ok := d.(detect.Holder)
	if !ok {
		return false
	}
	s := w.e.cfg.Judge.Load()
	return s != nil && s.AwaitsWallet(w.queryOf(fl, pc, f)) && h.Hold(tx)
}

// queryOf is what policy is asked about a built-in finding.
func (w *Worker) queryOf(fl *flow.Flow, pc *proto.Conn, f *event.Finding) *policy.Query {
	q := w.query(fl, f.FromClient, pc.Time)
	q.Category, q.Family, q.Level, q.Severity, q.Confidence = f.Category, f.Family, f.Level, f.Severity, f.Confidence
	q.GID, q.SID = event.SignatureGID, f.SignatureID
	if m := f.Mining; m != nil {
		q.Wallet, q.Pool = m.Wallet, m.Pool
		if q.Host == "" && q.RemotePort != 0 {
			q.Host, q.HostClaimed = poolHost(m.Pool), true
		}
	}
	return q
}

// decideRule lets policy say whether a rule may drop; v is what it wants.
func (w *Worker) decideRule(a *match.Alert, v verdict.Verdict) verdict.Verdict {
	s := w.e.cfg.Judge.Load()
	if s == nil {
		return v
	}
	var q *policy.Query
	if a.Flow != nil {
		q = w.query(a.Flow, a.Dir == packet.ToServer, a.Time)
	} else {
		q = &w.judged.q
		*q = policy.Query{Now: a.Time}
		var m packet.MAC
		if a.Packet != nil {
			m = a.Packet.SrcMAC
		}
		w.place(q, a.Src, m, a.Dst, packet.MAC{}, a.DstPort, 0)
	}
	r := a.Rule
	q.Category, q.Family = match.CategoryOf(r.Class), r.Class
	q.Level, q.Confidence = trust(&r.Rule)
	q.Severity, q.Rule, q.GID, q.SID, q.Wants = r.Severity, true, r.GID, r.SID, v
	d := s.Decide(q)
	if v.Action < verdict.Drop && a.Flow != nil {
		w.carryOut(a.Flow, &d) // the owner lets a rule block that only alerts
	} else if !w.e.cfg.Inline && d.Word == policy.Blocked {
		d.Word = policy.WouldBlock
	}
	w.judged.seq++
	if w.judged.seq == 0 {
		w.judged.seq = 1
	}
	a.Judged, w.judged.rule = w.judged.seq, d
	return d.Verdict
}

// ruleDecision returns what policy said of a rule's match, which for a rule
// that only alerts is asked now. False: nobody was asked.
func (w *Worker) ruleDecision(a *match.Alert) (policy.Decision, bool) {
	if w.e.cfg.Judge == nil || w.e.cfg.Judge.Load() == nil {
		return policy.Decision{}, false
	}
	if a.Judged == 0 || a.Judged != w.judged.seq {
		w.decideRule(a, verdict.Verdict{})
	}
	return w.judged.rule, true
}

// carryOut makes the decision the packet's, and the flow's where it covers it.
// Where the engine does not stand in line, it only would have blocked.
func (w *Worker) carryOut(fl *flow.Flow, d *policy.Decision) {
	if d.Verdict.Action < verdict.Drop {
		return
	}
	if !w.e.cfg.Inline {
		d.Word = policy.WouldBlock
		return
	}
	if d.Verdict.Action > w.judged.v.Action {
		w.judged.v = d.Verdict
	}
	if d.Verdict.Scope == verdict.Flow {
		fl.Stopped, fl.Condemned, fl.Action = d.Verdict.Action, true, "drop"
	}
}

// query begins a query about a flow whose client, or else server, misbehaves.
func (w *Worker) query(fl *flow.Flow, client bool, now int64) *policy.Query {
	q := &w.judged.q
	*q = policy.Query{Proto: fl.Key.Proto, Now: now}
	c, _ := fl.Client()
	s, sp := fl.Server()
	if client {
		w.place(q, c, fl.ClientMAC, s, fl.ServerMAC, sp, 0)
	} else {
		w.place(q, s, fl.ServerMAC, c, fl.ClientMAC, 0, sp)
	}
	claim(q, fl)
	return q
}

// place says which end is the home's device: the one that misbehaves, or the
// one attacked when the other is outside. The ports are those of a server.
func (w *Worker) place(q *policy.Query, bad packet.Addr, badMAC packet.MAC, other packet.Addr, otherMAC packet.MAC, otherPort, badPort uint16) {
	if !w.devices.Home(bad) && w.devices.Home(other) {
		q.Device, q.MAC, q.Local = w.ref(otherMAC, other), otherMAC, other
		q.Remote, q.RemotePort = bad, badPort
		return
	}
	q.Device, q.MAC, q.Local = w.ref(badMAC, bad), badMAC, bad
	q.Remote, q.RemotePort, q.RemoteHome = other, otherPort, w.devices.Home(other)
}
