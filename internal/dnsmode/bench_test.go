package dnsmode

import (
	"context"
	"fmt"
	"testing"

	"github.com/miekg/dns"

	"github.com/yamori-net/yamori/internal/dnsmode/lists"
)

// BenchmarkAnswer is the resolver without its sockets: what is kept, refused,
// of the home, and asked outside (over UDP on loopback).
func BenchmarkAnswer(b *testing.B) {
	o := newOutside(b, func(q *dns.Msg, _ bool) *dns.Msg {
		m := new(dns.Msg).SetReply(q)
		m.Answer = []dns.RR{rr(b, q.Question[0].Name+" 300 IN A 192.0.2.1")}
		return m
	})
	s := server(b, o, func(c *Config) { c.Names, c.Rate = atHome, -1 })
	if _, err := s.LoadLists(context.Background(), []lists.Source{list("l", "tracker.example")}); err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct{ what, name string }{
		{"cached", "www.example."}, {"refused", "x.tracker.example."}, {"home", "printer.home.arpa."}, {"forwarded", ""},
	} {
		b.Run(c.what, func(b *testing.B) {
			b.ReportAllocs()
			wire, _ := edns(c.name, dns.TypeA).Pack()
			for i := 0; b.Loop(); i++ {
				if c.name == "" {
					wire, _ = edns(fmt.Sprintf("n%d.example.", i), dns.TypeA).Pack()
				}
				if s.Answer(context.Background(), pc, false, wire) == nil {
					b.Fatal("no answer")
				}
			}
		})
	}
}

// BenchmarkSocket is a cached answer over a UDP socket on loopback, asked by
// one client at a time.
func BenchmarkSocket(b *testing.B) {
	o := newOutside(b, records(b, 0, www))
	s := server(b, o, func(c *Config) { c.Rate = -1 })
	at := run(b, s)
	co, err := dns.Dial("udp", at.String())
	if err != nil {
		b.Fatal(err)
	}
	defer co.Close()
	q := edns("www.example.", dns.TypeA)
	for b.Loop() {
		if err := co.WriteMsg(q); err != nil {
			b.Fatal(err)
		}
		if _, err := co.ReadMsg(); err != nil {
			b.Fatal(err)
		}
	}
}
