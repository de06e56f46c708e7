package policy

import (
	"strings"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// Decide answers q and counts the entry that decided. It never allocates.
func (s *Snapshot) Decide(q *Query) Decision {
	d, by := s.decide(q, nil)
	if by != nil {
		by.hits.hit(q.Now)
	}
	return d
}

// name is a host name in lower case, on the stack of who decides.
type name struct {
	b [maxHost]byte
	n int
}

func (n *name) set(host string) {
	host = strings.TrimSuffix(host, ".")
	if len(host) > len(n.b) {
		return
	}
	n.n = len(host)
	for i := range n.n {
		c := host[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		n.b[i] = c
	}
}

func (n *name) under(host string) bool {
	if n.n < len(host) || string(n.b[n.n-len(host):n.n]) != host {
		return false
	}
	return n.n == len(host) || n.b[n.n-len(host)-1] == '.'
}

// decide is the whole of the policy, in the order in which things count:
//
//  1. what the owner blocks (block, quarantine, pause), unless the never-block
//     list holds;
//  2. consent to mine;
//  3. exceptions;
//  4. the level: a suspicion is recorded and no more;
//  5. the rule's own wish, action entries, the table; in mode watch, or where
//     the never-block list holds, they tell and do not block.
func (s *Snapshot) decide(q *Query, tr *trace) (Decision, *compiled) {
	var host name
	if q.Host != "" {
		host.set(q.Host)
	}
	safe := s.neverBlock(q, &host)
	if c := s.blocked(q, &host); c != nil {
		if safe == nil {
			d := Decision{Action: Block, Why: whyOf(c.kind), By: c.id, Word: Blocked, Found: c.own && c.device == "",
				Verdict: verdict.Verdict{Action: verdict.Drop, Scope: verdict.Flow, Why: verdictOf(c.kind)}}
			if c.reject && (!c.own || s.tells(q)) {
				d.Verdict.Action = verdict.Reject
			}
			tr.add(whyOf(c.kind), c, true)
			return d, c
		}
		tr.add(whyOf(c.kind), c, false)
		if q.Category == "" {
			tr.add(WhyNever, safe, true)
			return Decision{Why: WhyNever, By: safe.id, Word: Allowed}, safe
		}
	}
	if q.Category == "" {
		return Decision{Word: Allowed}, nil
	}
	if q.Category == event.Mining {
		if c := first(s.consents, q, &host); c != nil {
			tr.add(WhyConsent, c, true)
			return Decision{Action: Record, Why: WhyConsent, By: c.id, Word: Allowed, Quiet: true}, c
		}
	}
	if c := first(s.exceptions, q, &host); c != nil {
		tr.add(WhyException, c, true)
		return Decision{Action: Record, Why: WhyException, By: c.id, Word: Allowed, Quiet: true}, c
	}
	if q.Level < event.Likely {
		tr.add(WhySuspect, nil, true)
		return Decision{Action: Record, Why: WhySuspect, Word: Allowed}, nil
	}
	why, by, v := s.wish(q, &host, tr)
	switch {
	case v.Action < verdict.Drop:
		return Decision{Action: Tell, Why: why, By: idOf(by), Word: Allowed}, by
	case safe != nil:
		tr.add(WhyNever, safe, true)
		return Decision{Action: Tell, Why: WhyNever, By: safe.id, Word: Allowed}, safe
	case s.mode == Watch:
		tr.add(WhyWatch, nil, true)
		return Decision{Action: Tell, Why: WhyWatch, By: idOf(by), Word: WouldBlock}, by
	}
	return Decision{Action: Block, Why: why, By: idOf(by), Word: Blocked, Verdict: v}, by
}

// wish says what a finding of at least Likely leads to by itself.
func (s *Snapshot) wish(q *Query, host *name, tr *trace) (why string, by *compiled, v verdict.Verdict) {
	sev := q.Severity
	if sev == 0 {
		sev = 2
	}
	drop := verdict.Verdict{Action: verdict.Drop, Scope: verdict.Flow, Why: categoryWhy(q.Category)}
	if s.tells(q) {
		drop.Action = verdict.Reject
	}
	for _, c := range s.actions {
		if c.severity != 0 && sev > c.severity || !c.match(q, host, true) {
			continue
		}
		// A set of rules holds thousands that only warn: an entry that names
		// no rule does not turn them into blocks.
		if q.Rule && q.Wants.Action < verdict.Drop && c.sid == 0 && c.at != never {
			tr.add(WhyAction, c, false)
			continue
		}
		tr.add(WhyAction, c, true)
		if c.at == never || q.Level < c.at {
			return WhyAction, c, verdict.Verdict{}
		}
		if q.Wants.Action >= verdict.Drop {
			drop = q.Wants
		}
		return WhyAction, c, drop
	}
	if q.Rule {
		tr.add(WhyRule, nil, true)
		if q.Wants.Action >= verdict.Drop {
			return WhyRule, nil, q.Wants
		}
		return WhyRule, nil, verdict.Verdict{}
	}
	if sev > 2 {
		tr.add(WhyLow, nil, true)
		return WhyLow, nil, verdict.Verdict{}
	}
	tr.add(WhyTable, nil, true)
	if at := DefaultAt(q.Category, q.Device.Kind); at == never || q.Level < at {
		return WhyTable, nil, verdict.Verdict{}
	}
	return WhyTable, nil, drop
}

// tells reports whether the ends of q's flow hear that a finding stopped it.
func (s *Snapshot) tells(q *Query) bool {
	switch {
	case s.answer.Silent || q.Proto == 0:
		return false
	case q.Proto == packet.ProtoTCP:
		return true
	case q.Proto == packet.ProtoUDP && q.RemotePort == dnsPort:
		return true // the question is refused
	}
	return s.answer.ICMP
}

// dnsPort is where names are asked for, RFC 1035 section 4.2.
const dnsPort = 53

func idOf(c *compiled) string {
	if c == nil {
		return ""
	}
	return c.id
}

func first(list []*compiled, q *Query, host *name) *compiled {
	for _, c := range list {
		if c.match(q, host, c.device != "") {
			return c
		}
	}
	return nil
}

// neverBlock finds the entry of the never-block list that holds. An address on
// it is safe at both ends: the gateway must not be cut off because something
// behind it misbehaved. What only a device claims to talk to is not believed.
func (s *Snapshot) neverBlock(q *Query, host *name) *compiled {
	for _, c := range s.never {
		if c.match(q, host, false) {
			return c
		}
		if c.hasDest && c.device == "" && c.host == "" && c.port == 0 && q.Local != (packet.Addr{}) && covers(&c.dest, c.bits, &q.Local) {
			return c
		}
	}
	return nil
}

// blocked finds the block that holds: the one that comes first in order.
func (s *Snapshot) blocked(q *Query, host *name) (best *compiled) {
	x := &s.blocks
	if x.n == 0 {
		return nil
	}
	if q.Device.ID != "" {
		best = better(best, x.byDevice[q.Device.ID], q, host)
	}
	if q.MAC != (packet.MAC{}) {
		best = better(best, x.byMAC[q.MAC], q, host)
	}
	for i := range x.nets {
		n := &x.nets[i]
		best = better(best, n.m[masked(q.Remote, n.bits)], q, host)
	}
	if len(x.hosts) > 0 && host.n > 0 {
		h := host.b[:host.n]
		for i := 0; i < len(h); i++ {
			if i == 0 || h[i-1] == '.' {
				best = better(best, x.hosts[string(h[i:])], q, host)
			}
		}
	}
	return best
}

func better(best *compiled, list []*compiled, q *Query, host *name) *compiled {
	for _, c := range list {
		if (best == nil || c.order < best.order) && (c.kind != Pause || !q.RemoteHome) && c.match(q, host, true) {
			return c // lists are in order
		}
	}
	return best
}

// match compares all fields that are set. claimed says whether a name that
// only the device claims counts.
func (c *compiled) match(q *Query, host *name, claimed bool) bool {
	if c.device != "" && c.device != q.Device.ID && !(c.hasMAC && c.mac == q.MAC) {
		return false
	}
	if c.devKind != "" && c.devKind != q.Device.Kind || c.category != "" && c.category != q.Category || c.family != "" && c.family != q.Family {
		return false
	}
	if c.sid != 0 && (c.sid != q.SID || c.gid != q.GID) || c.port != 0 && c.port != q.RemotePort {
		return false
	}
	if c.hasDest && (q.Remote == (packet.Addr{}) || !covers(&c.dest, c.bits, &q.Remote)) {
		return false
	}
	if c.host != "" && (q.HostClaimed && !claimed || !host.under(c.host)) {
		return false
	}
	if c.wallet != "" && !sameWallet(c.wallet, q.Wallet) {
		return false
	}
	return c.poolHost == "" || samePool(c, q.Pool)
}

// AwaitsWallet reports whether the wallet that q does not name yet decides: a
// consent would hold if it were its own, and none holds without.
func (s *Snapshot) AwaitsWallet(q *Query) bool {
	if q.Category != event.Mining || q.Wallet != "" {
		return false
	}
	var host name
	if q.Host != "" {
		host.set(q.Host)
	}
	if s.blocked(q, &host) != nil || first(s.consents, q, &host) != nil {
		return false
	}
	for _, c := range s.consents {
		if c.wallet == "" {
			continue
		}
		any := *c
		any.wallet = ""
		if any.match(q, &host, any.device != "") {
			return true
		}
	}
	return false
}

// sameWallet compares accounts: those of Ethereum are hexadecimal and may be
// written in either case (EIP-55), all others are exact.
func sameWallet(a, b string) bool {
	if a == b {
		return true
	}
	return len(a) > 2 && a[0] == '0' && a[1]|0x20 == 'x' && strings.EqualFold(a, b)
}

func samePool(c *compiled, pool string) bool {
	host, port := splitPool(pool)
	if c.poolPort != "" && c.poolPort != port {
		return false
	}
	n := len(host) - len(c.poolHost)
	if n < 0 || !strings.EqualFold(host[n:], c.poolHost) {
		return false
	}
	// A name covers the names under it; an address covers only itself.
	return n == 0 || host[n-1] == '.' && !numeric(c.poolHost)
}

func numeric(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '.' && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func whyOf(k Kind) string {
	switch k {
	case Quarantine:
		return WhyQuarantine
	case Pause:
		return WhyPause
	}
	return WhyBlock
}

func verdictOf(k Kind) string {
	switch k {
	case Quarantine:
		return "policy.quarantine"
	case Pause:
		return "policy.pause"
	}
	return "policy.block"
}

func categoryWhy(c event.Category) string {
	switch c {
	case event.Mining:
		return "policy.mining"
	case event.Botnet:
		return "policy.botnet"
	case event.Exploit:
		return "policy.exploit"
	case event.Malware:
		return "policy.malware"
	case event.Ransomware:
		return "policy.ransomware"
	case event.Scan:
		return "policy.scan"
	case event.Bruteforce:
		return "policy.bruteforce"
	case event.Flood:
		return "policy.flood"
	case event.WebThreat:
		return "policy.webthreat"
	case event.DNS:
		return "policy.dns"
	case event.Tunneled:
		return "policy.tunnel"
	}
	return "policy.finding"
}

// Step is one thing that was considered for an answer.
type Step struct {
	Why     string `json:"why"`
	By      string `json:"by,omitempty"`
	Applied bool   `json:"applied"` // false: it was overruled
}

// trace gathers steps; nil gathers nothing.
type trace struct{ steps []Step }

func (t *trace) add(why string, c *compiled, applied bool) {
	if t != nil {
		t.steps = append(t.steps, Step{why, idOf(c), applied})
	}
}

// WhatIf answers q without counting, and says what was considered.
func (s *Snapshot) WhatIf(q *Query) (Decision, []Step) {
	var t trace
	d, _ := s.decide(q, &t)
	return d, t.steps
}
