package dnsmode

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"
)

// Action is what a Decider says about a name.
type Action uint8

// Actions.
const (
	NoOpinion Action = iota // findings and lists decide
	Allow                   // neither findings nor lists refuse it
	Block
)

// Decision is the answer of a Decider.
type Decision struct {
	Action Action
	Why    string // a code: why
	By     string // identity of the owner's entry that decided
	Form   *Form  // how a Block is answered; nil: as configured
}

// Decider is the policy by device. It is asked for each question, and for each
// alias behind it, on the goroutine that answers: it must not wait. name is in
// lower case without the last dot.
type Decider interface {
	Decide(client netip.Addr, name string, qtype uint16) Decision
}

// Reviewer is a Decider that also has the last word on what lists refuse: an
// exception, a consent or the never-block list may let a name pass.
type Reviewer interface {
	// Pass reports whether b is not to be refused.
	Pass(b *Blocked) bool
}

// Kind is how a refused name is answered.
type Kind uint8

// Kinds.
const (
	NXDomain Kind = iota // there is no such name
	Refused              // the resolver does not want to; some clients then ask another
	Null                 // 0.0.0.0 and ::
	Custom               // addresses of the owner's choice
	NoData               // the name has nothing of that type
)

// Form is a kind with what belongs to it.
type Form struct {
	Kind   Kind
	V4, V6 netip.Addr // of Custom; the one not given: no data
}

func (f *Form) check() error {
	if f.Kind > NoData {
		return fmt.Errorf("no such form of answer: %d", f.Kind)
	}
	if f.Kind == Custom && (!f.V4.IsValid() && !f.V6.IsValid() || f.V4.IsValid() && !f.V4.Is4() || f.V6.IsValid() && !f.V6.Is6()) {
		return fmt.Errorf("custom answers need an IPv4 address, an IPv6 address or both")
	}
	return nil
}

// Reasons of a refusal: codes.
const (
	ByPolicy   = "policy"   // the policy of the device
	ByFinding  = "finding"  // a finding blocked the name for a time
	ByList     = "list"     // a list holds the name
	ByRebind   = "rebind"   // a public name with a private address
	ByUpstream = "upstream" // the upstream's own filter answered with a null address
)

// Blocked is one refusal.
type Blocked struct {
	Time   time.Time
	Client netip.Addr
	Name   string // that was asked for
	Type   uint16
	Reason string
	List   string // of ByList
	// Category is what the list's names stand for.
	Category string
	Entry    string // the name that is listed or blocked; with ByRebind the address
	Alias    string // the alias behind Name that is refused; empty: Name itself
	Why      string // code of policy or finding
	By       string // entry of the owner that decided
	Form     Form   // how it was answered
}

// judge says whether a name is refused, and whether its aliases need not be
// looked at (allow: at all; excepted: in lists).
func (s *Server) judge(q *query, name string, excepted bool) (b Blocked, refused, allow, exc bool) {
	b = Blocked{Client: q.client, Name: q.bare, Type: q.qtype, Form: s.cfg.Blocked}
	if name != q.bare {
		b.Alias = name
	}
	if p := s.cfg.Policy; p != nil {
		switch d := p.Decide(q.client, name, q.qtype); d.Action {
		case Allow:
			return b, false, true, true
		case Block:
			b.Reason, b.Why, b.By = ByPolicy, d.Why, d.By
			if d.Form != nil && d.Form.check() == nil {
				b.Form = *d.Form
			}
			return b, true, false, false
		}
	}
	if e, why, ok := s.blocks.lookup(name, s.cfg.Now()); ok {
		b.Reason, b.Entry, b.Why = ByFinding, e, why
		return b, true, false, false
	}
	if excepted {
		return b, false, false, true
	}
	hit, ok := s.lists.Lookup(name)
	if ok {
		b.Reason, b.List, b.Entry, b.Category = ByList, hit.List, hit.Entry, hit.Category
		if r, can := s.cfg.Policy.(Reviewer); can && r.Pass(&b) {
			return b, false, false, true
		}
	}
	return b, ok, false, hit.Exception
}

// refuse makes the answer to a refused question, and tells about it.
func (s *Server) refuse(q *query, b Blocked) *dns.Msg {
	s.stats.blocked(b.Reason)
	if s.cfg.OnBlock != nil {
		b.Time = s.cfg.Now()
		s.cfg.OnBlock(b)
	}
	// RFC 8914: 15 is the operator's own block, 17 what the owner asked for.
	code, text := dns.ExtendedErrorCodeBlocked, b.Reason
	if b.Reason == ByPolicy {
		code = dns.ExtendedErrorCodeFiltered
	}
	if b.List != "" {
		text += ": " + b.List
	}
	q.ede(code, text)
	m := new(dns.Msg)
	ttl := uint32(s.cfg.BlockTTL / time.Second)
	f := b.Form
	switch f.Kind {
	case Refused:
		m.Rcode = dns.RcodeRefused
		return m
	case NXDomain:
		m.Rcode = dns.RcodeNameError
	case Null:
		f.V4, f.V6 = netip.IPv4Unspecified(), netip.IPv6Unspecified()
		m.Answer = q.addresses(ttl, f.V4, f.V6)
	case Custom:
		m.Answer = q.addresses(ttl, f.V4, f.V6)
	}
	if len(m.Answer) == 0 {
		// Without an SOA clients would not remember it (RFC 2308 section 5).
		m.Ns = []dns.RR{soa(q.name, ttl)}
	}
	return m
}

// addresses makes the records of the type asked for.
func (q *query) addresses(ttl uint32, addrs ...netip.Addr) (out []dns.RR) {
	for _, a := range addrs {
		h := dns.RR_Header{Name: q.name, Rrtype: q.qtype, Class: dns.ClassINET, Ttl: ttl}
		switch {
		case q.qtype == dns.TypeA && a.Is4():
			out = append(out, &dns.A{Hdr: h, A: net.IP(a.AsSlice())})
		case q.qtype == dns.TypeAAAA && a.Is6():
			out = append(out, &dns.AAAA{Hdr: h, AAAA: net.IP(a.WithZone("").AsSlice())})
		}
	}
	return out
}

// soa stands in answers that deny something here, as RFC 6303 section 3 has it.
func soa(zone string, ttl uint32) dns.RR {
	return &dns.SOA{Hdr: dns.RR_Header{Name: zone, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: ttl},
		Ns: zone, Mbox: "nobody.invalid.", Serial: 1, Refresh: 3600, Retry: 1200, Expire: 604800, Minttl: ttl}
}
