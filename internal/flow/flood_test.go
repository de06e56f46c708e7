package flow

import (
	"runtime"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

// establish makes n established connections from one client.
func establish(tb *Table, t int64, n int) {
	for i := range n {
		a := pkt(t, packet.ProtoTCP, client, uint16(20000+i), server, 443, 0)
		b := pkt(t, packet.ProtoTCP, server, 443, client, uint16(20000+i), 0)
		a.TCPFlags, a.Seq = syn, 100
		b.TCPFlags, b.Seq, b.Ack = syn|ack, 500, 101
		tb.Lookup(&a)
		tb.Lookup(&b)
		a.TCPFlags, a.Seq, a.Ack = ack, 101, 501
		tb.Lookup(&a)
	}
}

// A million spoofed SYNs at 100,000 a second do not displace one established
// flow of a full table, and take no memory beyond it.
func TestSYNFlood(t *testing.T) {
	var e ended
	var lost int
	tb := NewTable(Config{MaxFlows: 10000, OnEnd: func(f *Flow, r Reason) {
		if f.State == Established {
			lost++
			e.hook(f, r)
		}
	}})
	establish(tb, 0, 1000)
	var before, after runtime.MemStats
	p := pkt(0, packet.ProtoTCP, 0, 0, client, 22, 0)
	p.TCPFlags = syn
	x := uint64(1)
	for i := range 1_000_000 {
		x = x*6364136223846793005 + 1442695040888963407
		p.Time = int64(i) * 10_000
		p.Src, p.SrcPort, p.Seq = addr(uint32(x>>32)), uint16(x>>16), uint32(x>>8)
		tb.Advance(p.Time)
		tb.Lookup(&p)
		if i == 20_000 {
			runtime.ReadMemStats(&before)
		}
	}
	runtime.ReadMemStats(&after)
	st := tb.Stats()
	if lost != 0 || st.Evicted[Talking] != 0 {
		t.Errorf("%d established flows lost: %v", lost, e.reasons)
	}
	if st.Current > 10000 || st.Peak != 10000 || st.Emergencies == 0 {
		t.Errorf("%+v", st)
	}
	if st.Evicted[Unanswered] != st.Ended[Evicted] || st.Evicted[Unanswered] < 900_000 {
		t.Errorf("evicted %v of %d", st.Evicted, st.Ended[Evicted])
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<16 {
		t.Errorf("the flood made the table allocate %d bytes", n)
	}
	established := 0
	tb.Each(func(f *Flow) {
		if f.State == Established {
			established++
		}
	})
	if established != 1000 {
		t.Errorf("%d established flows left", established)
	}
	check(t, tb)

	// When it is over the table recovers.
	for s := range int64(62) {
		tb.Advance(p.Time + s*second)
	}
	if st := tb.Stats(); st.InEmergency || st.Current != 1000 {
		t.Errorf("after the flood: %+v", st)
	}
}

// Two packets of each spoofed source raise the flood's flows to Opening: they
// still displace only each other, and flows that are done.
func TestInsistentFlood(t *testing.T) {
	tb := NewTable(Config{MaxFlows: 1000})
	establish(tb, 0, 500)
	for i := range 20000 {
		p := pkt(int64(i)*1e4, packet.ProtoUDP, uint32(i)<<8, 9, client, 53, 0)
		tb.Lookup(&p)
		tb.Lookup(&p)
	}
	st := tb.Stats()
	if st.Evicted[Talking] != 0 || st.Evicted[Opening] == 0 {
		t.Errorf("evicted %v", st.Evicted)
	}
	check(t, tb)
}

func TestEvictionOrder(t *testing.T) {
	var e ended
	tb := NewTable(Config{MaxFlows: 4, OnEnd: e.hook})
	look := func(at int64, src uint16, flags uint8) {
		p := pkt(at, packet.ProtoTCP, client, 10000+src, server, 80, 0)
		p.TCPFlags, p.Seq = flags, uint32(src)
		tb.Lookup(&p)
	}
	establish(tb, 0, 1)     // talking
	look(1*second, 1, syn)  // opening
	look(1*second, 1, syn)  //
	look(2*second, 2, rst)  // closed
	look(3*second, 3, syn)  // unanswered
	look(4*second, 4, syn)  // displaces 3
	look(5*second, 4, syn)  // and is opening now
	look(6*second, 5, syn)  // displaces 2
	look(7*second, 5, syn)  //
	look(8*second, 6, syn)  // displaces 1, before 4
	look(9*second, 6, syn)  //
	look(10*second, 7, syn) // displaces 4
	var ports []uint16
	for i, f := range e.flows {
		_, p := f.Client()
		ports = append(ports, p-10000)
		if e.reasons[i] != Evicted && f.State != Closed {
			t.Errorf("flow %d ended by %v", p, e.reasons[i])
		}
	}
	if len(ports) != 4 || ports[0] != 3 || ports[1] != 2 || ports[2] != 1 || ports[3] != 4 {
		t.Errorf("displaced %v", ports)
	}
	// Of established flows the least recently used goes.
	tb = NewTable(Config{MaxFlows: 3, OnEnd: e.hook})
	establish(tb, 0, 3)
	p := pkt(2*second, packet.ProtoTCP, client, 20000, server, 443, 0)
	p.TCPFlags, p.Seq, p.Ack = ack, 101, 501
	tb.Lookup(&p)
	look(3*second, 9, syn)
	_, port := e.flows[len(e.flows)-1].Client()
	if st := tb.Stats(); st.Evicted[Talking] != 1 || port != 20001 {
		t.Errorf("evicted %v, port %d", st.Evicted, port)
	}
	check(t, tb)
}

// In an emergency unanswered flows are given ten seconds, so that the table
// empties by itself; established TCP keeps five minutes.
func TestEmergency(t *testing.T) {
	tb := NewTable(Config{MaxFlows: 100})
	establish(tb, 0, 20)
	for i := range 81 {
		p := pkt(0, packet.ProtoUDP, client, uint16(i), server, 53, 0)
		tb.Lookup(&p)
	}
	if st := tb.Stats(); !st.InEmergency || st.Emergencies != 1 || st.Evicted[Unanswered] != 1 {
		t.Fatalf("%+v", st)
	}
	tb.Advance(11 * second)
	if st := tb.Stats(); st.InEmergency || st.Current > 70 || st.Ended[Timeout] < 30 {
		t.Errorf("%+v", st)
	}
	// At ease again, what is left gets its full time.
	left := tb.Stats().Current
	tb.Advance(30 * second)
	if n := tb.Stats().Current; n != left {
		t.Errorf("%d flows left of %d", n, left)
	}
	check(t, tb)
}
