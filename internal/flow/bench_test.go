package flow

import (
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

func TestAllocs(t *testing.T) {
	tb := NewTable(Config{MaxFlows: 2000, OnEnd: func(*Flow, Reason) {}})
	establish(tb, 0, 100)
	now := int64(0)
	known := pkt(0, packet.ProtoTCP, client, 20050, server, 443, 0)
	known.TCPFlags, known.Seq, known.Ack = ack, 101, 501
	fresh := pkt(0, packet.ProtoUDP, client, 0, server, 53, 0)
	step := func() {
		now += 1e9 / 50
		known.Time, fresh.Time = now, now
		fresh.SrcPort++
		tb.Lookup(&known)
		tb.Lookup(&fresh)
		tb.Advance(now)
	}
	for range 5000 { // the table grows to its size
		step()
	}
	if n := testing.AllocsPerRun(20000, step); n != 0 {
		t.Errorf("%v allocations for a packet and a flow", n)
	}
	if st := tb.Stats(); st.Created < 20000 || st.Ended[Timeout] < 15000 {
		t.Errorf("%+v", st)
	}
}

func BenchmarkLookup(b *testing.B) {
	for _, c := range []struct {
		name  string
		flows int
	}{{"1k", 1000}, {"40k", 40000}} {
		b.Run(c.name, func(b *testing.B) {
			tb := NewTable(Config{})
			establish(tb, 0, c.flows)
			p := make([]packet.Packet, c.flows)
			for i := range p {
				p[i] = pkt(0, packet.ProtoTCP, client, uint16(20000+i), server, 443, 0)
				p[i].TCPFlags, p[i].Seq, p[i].Ack = ack, 101, 501
			}
			b.ReportAllocs()
			i, now := 0, int64(0)
			for b.Loop() {
				now += 1e4
				p[i].Time = now
				tb.Lookup(&p[i])
				if i++; i == len(p) {
					i = 0
				}
			}
		})
	}
}

func BenchmarkNewFlow(b *testing.B) {
	tb := NewTable(Config{})
	p := pkt(0, packet.ProtoTCP, 0, 0, client, 22, 0)
	p.TCPFlags = syn
	b.ReportAllocs()
	x := uint64(1)
	for b.Loop() {
		x = x*6364136223846793005 + 1442695040888963407
		p.Time += 1e4
		p.Src, p.SrcPort, p.Seq = addr(uint32(x>>32)), uint16(x>>16), uint32(x>>8)
		tb.Lookup(&p)
	}
}

func BenchmarkAdvanceIdle(b *testing.B) {
	tb := NewTable(Config{})
	establish(tb, 0, 1000)
	now := int64(0)
	for b.Loop() {
		now++
		tb.Advance(now)
	}
}
