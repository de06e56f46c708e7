package dnsmode

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/yamori-net/yamori/internal/dnsmode/upstream"
)

// said is a connection to an upstream that answers every question with the
// same bytes behind the question's ID.
type said struct {
	body []byte
	id   [2]byte
}

func (c *said) Write(b []byte) (int, error) { copy(c.id[:], b); return len(b), nil }
func (c *said) Read(b []byte) (int, error) {
	n := copy(b, c.id[:])
	return n + copy(b[n:], c.body), nil
}
func (c *said) Close() error                     { return nil }
func (c *said) LocalAddr() net.Addr              { return nil }
func (c *said) RemoteAddr() net.Addr             { return nil }
func (c *said) SetDeadline(time.Time) error      { return nil }
func (c *said) SetReadDeadline(time.Time) error  { return nil }
func (c *said) SetWriteDeadline(time.Time) error { return nil }

// FuzzAnswer gives the resolver any question and any answer of its upstream.
func FuzzAnswer(f *testing.F) {
	q := edns("www.example.", dns.TypeA)
	add := func(q *dns.Msg, recs string) {
		qw, err := q.Pack()
		if err != nil {
			f.Fatal(err)
		}
		aw, err := records(f, 0, recs)(q, true).Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(qw, aw[2:], false)
		f.Add(qw, aw[2:], true)
	}
	add(q, www)
	add(q, "www.example. 300 IN CNAME t.tracker.example.\nt.tracker.example. 300 IN A 192.168.1.1")
	add(edns("www.example.", dns.TypeHTTPS), "www.example. 300 IN HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1 ipv6hint=fd00::1")
	add(edns("1.1.168.192.in-addr.arpa.", dns.TypePTR), "")
	sub := edns("www.example.", dns.TypeA)
	sub.IsEdns0().Option = append(sub.IsEdns0().Option, &dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: 1, SourceNetmask: 24, Address: net.IP{198, 51, 100, 0}})
	add(sub, www)
	add(edns("printer.home.arpa.", dns.TypeAAAA), "")
	add(question("a\\.b.example.", dns.TypeTXT), "authority\nexample. 300 IN SOA ns.example. h.example. 1 2 3 4 60")
	many := ""
	for range 60 {
		many += "www.example. 300 IN TXT \"0123456789012345678901234567890123456789\"\n"
	}
	add(question("www.example.", dns.TypeTXT), many)
	f.Fuzz(func(t *testing.T, qw, aw []byte, tcp bool) {
		dial := func(context.Context, string, string) (net.Conn, error) { return &said{body: aw}, nil }
		var refused bool
		s, err := New(Config{Listen: []netip.AddrPort{netip.MustParseAddrPort("192.168.1.1:53")}, Names: atHome, Timeout: 200 * time.Millisecond, KeepSubnet: len(aw)%2 == 0,
			Upstreams: upstream.GroupConfig{Upstreams: []upstream.Config{{URL: "192.0.2.53", Dial: dial}}},
			OnBlock:   func(Blocked) { refused = true }})
		if err != nil {
			t.Fatal(err)
		}
		loadLists(t, s, list("l", "tracker.example"))
		for range 2 { // the second time from the cache
			refused = false
			out := s.Answer(context.Background(), pc, tcp, qw)
			if s.stats.panics.Load() > 0 {
				t.Fatal("it panicked")
			}
			if out == nil {
				if len(qw) >= headerLen && qw[2]&0x80 == 0 {
					t.Fatal("a question without an answer")
				}
				return
			}
			m := new(dns.Msg)
			if err := m.Unpack(out); err != nil {
				t.Fatalf("an answer that cannot be read: %v", err)
			}
			if out[0] != qw[0] || out[1] != qw[1] || !m.Response || !tcp && len(out) > upstream.UDPSize && len(out) > len(qw) {
				t.Fatalf("%d bytes: %v", len(out), m)
			}
			if refused && len(m.Answer) > 0 {
				t.Fatalf("refused and answered: %v", m)
			}
			if !m.Authoritative {
				eachAddress(m, func(a netip.Addr) {
					if private(a) {
						t.Fatalf("%v behind a public name", a)
					}
				})
			}
		}
	})
}
