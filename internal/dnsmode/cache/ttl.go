package cache

import (
	"time"

	"github.com/miekg/dns"
)

func eachTTL(m *dns.Msg, f func(uint32) uint32) {
	for _, s := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range s {
			if h := rr.Header(); h.Rrtype != dns.TypeOPT {
				h.Ttl = f(h.Ttl)
			}
		}
	}
}

// lifetime says for how long m may be kept, and sets its TTLs within the
// bounds. What has no time to live, what is cut off, and a denial without the
// zone's SOA (RFC 2308 section 5) is not kept.
func (c *Cache) lifetime(m *dns.Msg) (time.Duration, bool) {
	if m.Truncated || len(m.Question) != 1 || m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
		return 0, false
	}
	most := c.cfg.MaxTTL
	if Negative(m) {
		soa := soaOf(m)
		if soa == nil {
			return 0, false
		}
		// RFC 2308 section 5: the smaller of the SOA's own TTL and its last field.
		soa.Hdr.Ttl = min(soa.Hdr.Ttl, soa.Minttl)
		most = min(most, c.cfg.MaxNegative)
	}
	lo, hi := uint32(c.cfg.MinTTL/time.Second), uint32(most/time.Second)
	least := hi
	eachTTL(m, func(ttl uint32) uint32 {
		if ttl > 1<<31-1 { // RFC 2181 section 8
			ttl = 0
		}
		ttl = min(max(ttl, lo), hi)
		least = min(least, ttl)
		return ttl
	})
	return time.Duration(least) * time.Second, least > 0
}

// Negative says that m denies what was asked: the name, or data of the type.
func Negative(m *dns.Msg) bool {
	if m.Rcode == dns.RcodeNameError {
		return true
	}
	for _, rr := range m.Answer {
		if t := rr.Header().Rrtype; t == m.Question[0].Qtype || m.Question[0].Qtype == dns.TypeANY {
			return false
		}
	}
	return true
}

func soaOf(m *dns.Msg) *dns.SOA {
	for _, rr := range m.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return soa
		}
	}
	return nil
}
