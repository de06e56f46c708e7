package dnsmode

import (
	"context"
	"encoding/binary"
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/yamori-net/yamori/internal/dnsmode/upstream"
)

// query is one question of a client.
type query struct {
	client netip.Addr
	req    *dns.Msg
	opt    *dns.OPT // nil: the client knows no EDNS
	name   string   // as asked, with the last dot
	bare   string   // in lower case, without
	qtype  uint16
	do     bool
	subnet *dns.EDNS0_SUBNET // only where it is to be passed on
	edes   []*dns.EDNS0_EDE
}

func (q *query) ede(code uint16, text string) {
	q.edes = append(q.edes, &dns.EDNS0_EDE{InfoCode: code, ExtraText: clip(text)})
}

const (
	headerLen = 12
	// maxAliases bounds the aliases of an answer; one with more is nothing
	// that resolvers follow, and is not passed on.
	maxAliases = 32
)

// Answer gives the answer to a question in wire form; nil: none is given. It
// is what the listeners call; client is who asks.
func (s *Server) Answer(ctx context.Context, client netip.Addr, tcp bool, wire []byte) []byte {
	client = client.Unmap().WithZone("")
	if !s.atHome(client) {
		s.stats.notHome.Add(1)
		return nil
	}
	if len(wire) < headerLen || wire[2]&0x80 != 0 {
		s.stats.malformed.Add(1)
		return nil // an answer to an answer would go round for ever
	}
	c, ok := s.limit.enter(client, s.cfg.Now())
	if !ok {
		s.stats.limited.Add(1)
		if tcp {
			return header(wire, dns.RcodeRefused, false)
		}
		// Cut off and no larger than the question: whoever really is at that
		// address asks again over TCP, and a forged address is not flooded.
		return header(wire, dns.RcodeSuccess, true)
	}
	defer s.limit.leave(c)
	s.stats.queries.Add(1)
	return s.safely(ctx, client, tcp, wire)
}

// safely lets one question that makes the program panic cost that question.
func (s *Server) safely(ctx context.Context, client netip.Addr, tcp bool, wire []byte) (out []byte) {
	defer func() {
		if recover() != nil {
			s.stumble()
			out = header(wire, dns.RcodeServerFailure, false)
		}
	}()
	q, rcode := s.read(client, wire)
	if q == nil {
		s.stats.malformed.Add(1)
		return header(wire, rcode, false)
	}
	var m *dns.Msg
	if rcode != dns.RcodeSuccess {
		s.stats.refused.Add(1)
		m = new(dns.Msg)
		m.Rcode = rcode
	} else {
		m = s.resolve(ctx, q)
	}
	out = s.finish(q, m, tcp)
	if out == nil {
		return header(wire, dns.RcodeServerFailure, false)
	}
	return out
}

// header is an answer without records: a header, and the question where it can
// be read.
func header(wire []byte, rcode int, truncated bool) []byte {
	out := make([]byte, headerLen, headerLen+64)
	copy(out, wire[:2])
	flags := uint16(1<<15|1<<7) | binary.BigEndian.Uint16(wire[2:])&(0xf<<11|1<<8) | uint16(rcode&0xf)
	if truncated {
		flags |= 1 << 9
	}
	binary.BigEndian.PutUint16(out[2:], flags)
	if binary.BigEndian.Uint16(wire[4:]) != 1 {
		return out
	}
	for i := headerLen; i < len(wire) && i <= headerLen+255; {
		n := int(wire[i])
		if n == 0 && i+5 <= len(wire) {
			out[5] = 1
			return append(out, wire[headerLen:i+5]...)
		}
		if n == 0 || n > 63 { // the end, or a pointer, which a question has no use for
			return out
		}
		i += 1 + n
	}
	return out
}

// read takes a question apart. q is nil when it cannot even be repeated.
func (s *Server) read(client netip.Addr, wire []byte) (*query, int) {
	if op := int(wire[2] >> 3 & 0xf); op != dns.OpcodeQuery {
		return nil, dns.RcodeNotImplemented
	}
	req := new(dns.Msg)
	if req.Unpack(wire) != nil || len(req.Question) != 1 { // RFC 9619: exactly one
		return nil, dns.RcodeFormatError
	}
	qu := req.Question[0]
	q := &query{client: client, req: req, name: qu.Name, qtype: qu.Qtype, bare: strings.TrimSuffix(strings.ToLower(qu.Name), ".")}
	for _, rr := range req.Extra {
		if o, ok := rr.(*dns.OPT); ok {
			if q.opt != nil { // RFC 6891 section 6.1.1
				return nil, dns.RcodeFormatError
			}
			q.opt = o
		}
	}
	if q.opt != nil {
		if q.opt.Version() != 0 {
			return q, dns.RcodeBadVers
		}
		q.do = q.opt.Do()
		if s.cfg.KeepSubnet {
			for _, e := range q.opt.Option {
				if sub, ok := e.(*dns.EDNS0_SUBNET); ok && sub.SourceNetmask > 0 {
					q.subnet = &dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: sub.Family, SourceNetmask: sub.SourceNetmask, Address: sub.Address}
				}
			}
		}
	}
	switch {
	case qu.Qclass != dns.ClassINET:
		return q, dns.RcodeRefused
	case qu.Qtype == dns.TypeANY:
	case qu.Qtype >= 128 && qu.Qtype < 256, qu.Qtype == dns.TypeOPT, qu.Qtype == 0:
		// Transfers and what is no question (RFC 6895 section 3.1).
		return q, dns.RcodeRefused
	}
	return q, dns.RcodeSuccess
}

// resolve answers a proper question. What belongs to the home comes first, so
// that it works whatever the policy says of the internet.
func (s *Server) resolve(ctx context.Context, q *query) *dns.Msg {
	if m := s.local(q); m != nil {
		s.stats.local.Add(1)
		return m
	}
	b, refused, allow, excepted := s.judge(q, q.bare, false)
	if refused {
		return s.refuse(q, b)
	}
	if q.qtype == dns.TypeANY {
		// RFC 8482 section 4.2: little, but an answer.
		m := new(dns.Msg)
		m.Answer = []dns.RR{&dns.HINFO{Hdr: dns.RR_Header{Name: q.name, Rrtype: dns.TypeHINFO, Class: dns.ClassINET, Ttl: 3600}, Cpu: "RFC8482"}}
		return m
	}
	m := s.lookup(ctx, q)
	if !allow {
		if b, refused := s.aliases(q, m, excepted); refused {
			return s.refuse(q, b)
		}
	}
	if b, found := s.rebinds(q, m); found {
		return s.refuse(q, b)
	}
	return m
}

// aliases judges the names behind the one that was asked for: a tracker or a
// pool may hide behind a name of the page's own (CNAME cloaking).
func (s *Server) aliases(q *query, m *dns.Msg, excepted bool) (Blocked, bool) {
	n := 0
	for _, rr := range m.Answer {
		var target string
		switch r := rr.(type) {
		case *dns.CNAME:
			target = r.Target
		case *dns.DNAME:
			continue // comes with the CNAME it makes (RFC 6672 section 3.1)
		case *dns.HTTPS:
			target = r.Target
		case *dns.SVCB:
			target = r.Target
		}
		target = strings.TrimSuffix(strings.ToLower(target), ".")
		if target == "" || target == q.bare {
			continue
		}
		if n++; n > maxAliases {
			q.ede(dns.ExtendedErrorCodeInvalidData, "")
			*m = *failure()
			return Blocked{}, false
		}
		b, refused, allow, exc := s.judge(q, target, excepted)
		if refused {
			return b, true
		}
		if allow || exc {
			// What comes behind an excepted alias is excepted with it.
			excepted = true
		}
	}
	return Blocked{}, false
}

// finish makes the message for the client: its ID, its letters, its size.
func (s *Server) finish(q *query, m *dns.Msg, tcp bool) []byte {
	r := new(dns.Msg)
	r.SetReply(q.req)
	r.RecursionAvailable = true
	r.Authoritative = m.Authoritative
	r.AuthenticatedData = m.AuthenticatedData && (q.do || q.req.AuthenticatedData) // RFC 6840 section 5.8
	r.Rcode, r.Truncated = m.Rcode, m.Truncated
	r.Answer, r.Ns, r.Extra = m.Answer, m.Ns, m.Extra
	if m.Truncated && tcp {
		// There is more and it cannot be had: not the same as nothing.
		r.Rcode, r.Truncated = dns.RcodeServerFailure, false
		r.Answer, r.Ns, r.Extra = nil, nil, nil
	}
	// Some clients hold the letters of the answer against those they asked
	// with, which they chose at random.
	if lower := strings.ToLower(q.name); lower != q.name {
		for _, rr := range r.Answer {
			if h := rr.Header(); h.Name == lower {
				h.Name = q.name
			}
		}
	}
	limit := dns.MaxMsgSize
	if q.opt != nil {
		o := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}
		o.SetUDPSize(upstream.UDPSize)
		if q.do {
			o.SetDo()
		}
		for _, e := range q.edes {
			o.Option = append(o.Option, e)
		}
		if q.subnet != nil { // RFC 7871 section 7.2.2; it holds for that subnet
			o.Option = append(o.Option, &dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: q.subnet.Family,
				SourceNetmask: q.subnet.SourceNetmask, SourceScope: q.subnet.SourceNetmask, Address: q.subnet.Address})
		}
		r.Extra = append(r.Extra[:len(r.Extra):len(r.Extra)], o)
	} else if r.Rcode > 0xf {
		r.Rcode = dns.RcodeServerFailure
	}
	if !tcp {
		limit = dns.MinMsgSize
		if q.opt != nil {
			limit = min(max(int(q.opt.UDPSize()), dns.MinMsgSize), upstream.UDPSize)
		}
	}
	s.fit(r, q, limit)
	out, err := r.Pack()
	if err != nil || len(out) > limit {
		return nil
	}
	return out
}

// fit makes r fit: first goes what nobody asked for, and only when that does
// not help the answer is cut off and says so (RFC 2181 section 9).
func (s *Server) fit(r *dns.Msg, q *query, limit int) {
	r.Compress = true
	if r.Len() <= limit {
		return
	}
	var opt []dns.RR
	if o := r.IsEdns0(); o != nil {
		opt = []dns.RR{o}
	}
	r.Extra = opt
	if r.Len() <= limit {
		return
	}
	if len(r.Answer) > 0 && !q.do {
		r.Ns = nil
		if r.Len() <= limit {
			return
		}
	}
	s.stats.truncated.Add(1)
	whole := len(r.Answer)
	r.Truncate(limit)
	r.Truncated = true
	// Half a set of records must not be taken for the whole.
	if n := len(r.Answer); n > 0 && n < whole {
		last := r.Answer[n-1].Header()
		for n > 0 && r.Answer[n-1].Header().Rrtype == last.Rrtype && r.Answer[n-1].Header().Name == last.Name {
			n--
		}
		r.Answer = r.Answer[:n]
	}
}

// atHome says whether a client belongs to the home.
func (s *Server) atHome(a netip.Addr) bool {
	if a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return true
	}
	for _, p := range s.cfg.Clients {
		if p.Contains(a) {
			return true
		}
	}
	return s.cfg.Home != nil && s.cfg.Home(a)
}
