package dnsmode

import (
	"net/netip"
	"time"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/policy"
	"github.com/yamori-net/yamori/internal/verdict"
)

// Who says which device has an address; zero values: not known.
type Who func(netip.Addr) (event.DeviceRef, packet.MAC)

// OwnersPolicy lets the owner's policy decide: blocks by name, quarantines and
// pauses hold for names as they do for packets, and exceptions, consents and
// the never-block list hold for lists.
type OwnersPolicy struct {
	handle *policy.Handle
	who    Who
	now    func() time.Time
}

// FromPolicy adapts the policy in force; who may be nil.
func FromPolicy(h *policy.Handle, who Who) *OwnersPolicy {
	if who == nil {
		who = func(netip.Addr) (event.DeviceRef, packet.MAC) { return event.DeviceRef{}, packet.MAC{} }
	}
	return &OwnersPolicy{h, who, time.Now}
}

func (p *OwnersPolicy) query(client netip.Addr, name string) policy.Query {
	q := policy.Query{Host: name, Local: packet.AddrOf(client), Now: p.now().UnixNano()}
	q.Device, q.MAC = p.who(client)
	return q
}

// Decide implements Decider.
func (p *OwnersPolicy) Decide(client netip.Addr, name string, _ uint16) Decision {
	s := p.handle.Load()
	if s == nil || !s.BlocksTraffic() {
		return Decision{}
	}
	q := p.query(client, name)
	switch d := s.Decide(&q); {
	case d.Found: // the resolver has it too, and says that a finding is the reason
	case d.Action == policy.Block:
		return Decision{Action: Block, Why: d.Why, By: d.By}
	case d.Why == policy.WhyNever: // a block is there, and does not hold
		return Decision{Action: Allow, Why: d.Why, By: d.By}
	}
	return Decision{}
}

// Pass implements Reviewer. A list is as sure as the owner who chose it: its
// refusal counts as a rule that drops, so that it holds unless the owner said
// otherwise.
func (p *OwnersPolicy) Pass(b *Blocked) bool {
	s := p.handle.Load()
	if s == nil {
		return false
	}
	name := b.Name
	if b.Alias != "" {
		name = b.Alias
	}
	q := p.query(b.Client, name)
	q.Category = event.Category(b.Category)
	if q.Category == "" {
		q.Category = event.Policy
	}
	q.Family, q.Level, q.Severity, q.Rule = b.List, event.Confirmed, 2, true
	if q.Category == event.Mining {
		q.Pool = name
	}
	q.Wants = verdict.Verdict{Action: verdict.Drop, Scope: verdict.Flow}
	switch d := s.Decide(&q); d.Why {
	case policy.WhyConsent, policy.WhyException, policy.WhyNever:
		return true
	case policy.WhyAction:
		return d.Action != policy.Block
	}
	return false
}
