package flow

import (
	"slices"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

func TestAccount(t *testing.T) {
	tb := NewTable(Config{MaxFlows: 16, Seed: 5})
	up := pkt(1000, packet.ProtoUDP, client, 5000, server, 53, 30)
	up.HasMAC, up.SrcMAC, up.VLANs, up.VLAN = true, packet.MAC{1}, 1, [2]uint16{7}
	up.TTL = 60
	f, d, created := tb.Lookup(&up)
	if !created || d != packet.ToServer || f.State != New || f.Start != 1000 || f.Hash != f.Key.Hash(5) {
		t.Fatalf("created %v, %v, %+v", created, d, f)
	}
	down := pkt(2000, packet.ProtoUDP, server, 53, client, 5000, 100)
	down.HasMAC, down.SrcMAC, down.VLANs, down.VLAN = true, packet.MAC{2}, 1, [2]uint16{7}
	down.TTL = 50
	down.Missing = 11
	g, d, created := tb.Lookup(&down)
	if g != f || created || d != packet.ToClient || f.State != Established || f.Last != 2000 {
		t.Fatalf("created %v, %v, %+v", created, d, g)
	}
	down.SrcMAC, down.Time = packet.MAC{3}, 1500 // another router; and late
	tb.Lookup(&down)
	want := [2]Side{{Packets: 1, Bytes: 70}, {Packets: 2, Bytes: 302}}
	if f.Side != want || f.TTL != [2]uint8{60, 50} || f.Last != 2000 {
		t.Errorf("%+v, TTL %v, last %d", f.Side, f.TTL, f.Last)
	}
	if f.ClientMAC != (packet.MAC{1}) || f.ServerMAC != (packet.MAC{2}) || f.VLANs != 1 || f.VLAN[0] != 7 {
		t.Errorf("MACs %v %v, VLANs %d %v", f.ClientMAC, f.ServerMAC, f.VLANs, f.VLAN)
	}
	down.VLAN[0] = 8
	if _, _, created := tb.Lookup(&down); !created {
		t.Error("another VLAN is another flow")
	}
	check(t, tb)
}

func TestTCPFlagsAndReverse(t *testing.T) {
	tb := NewTable(Config{MaxFlows: 16})
	// The "server" has the higher port, so the guess is wrong.
	p := pkt(0, packet.ProtoTCP, client, 2000, server, 3000, 10)
	p.TCPFlags, p.Seq, p.Ack = ack|psh, 100, 200
	f, d, _ := tb.Lookup(&p)
	if d != packet.ToClient || f.Side[1].TCPFlags != ack|psh {
		t.Fatalf("%v %+v", d, f.Side)
	}
	f.Reverse()
	p.Seq = 110
	if _, d, created := tb.Lookup(&p); d != packet.ToServer || created || f.Side[0].Packets != 2 || f.Side[1].Packets != 0 {
		t.Errorf("after Reverse: %v, %+v", d, f.Side)
	}
}

// Headers that do not decode have no say in a connection's state.
func TestBrokenHeaderIsNoTCP(t *testing.T) {
	tb := NewTable(Config{MaxFlows: 16})
	for _, up := range []bool{true, false, true} {
		p := tcp(0, up, syn, 1, 1, 0)
		p.L4 = nil
		if f, _, _ := tb.Lookup(&p); f.State != New || f.HasISN[0] {
			t.Fatalf("%+v", f)
		}
	}
}

func TestICMP(t *testing.T) {
	tb := NewTable(Config{MaxFlows: 16})
	p := pkt(0, packet.ProtoICMP, client, 77, server, 77, 8)
	p.ICMPType, p.ICMPCode = 8, 0
	f, _, _ := tb.Lookup(&p)
	q := pkt(1, packet.ProtoICMP, server, 77, client, 77, 8)
	if g, d, _ := tb.Lookup(&q); g != f || d != packet.ToClient || f.State != Established || f.ICMPType != 8 {
		t.Errorf("%v %+v", d, f)
	}
}

// open makes a table with one flow of each time-out class, all last used at 0.
func open(e *ended, cfg Config) *Table {
	cfg.OnEnd = e.hook
	tb := NewTable(cfg)
	for _, p := range []packet.Packet{
		pkt(0, packet.ProtoTCP, client, 1, server, 80, 0), // below: a SYN
		tcp(0, true, syn, 100, 0, 0), tcp(0, false, syn|ack, 500, 101, 0), tcp(0, true, ack, 101, 501, 0),
		pkt(0, packet.ProtoTCP, client, 3, server, 80, 0), // below: a reset
		pkt(0, packet.ProtoUDP, client, 1, server, 53, 0),
		pkt(0, packet.ProtoUDP, client, 2, server, 53, 0), pkt(0, packet.ProtoUDP, server, 53, client, 2, 0),
		pkt(0, packet.ProtoICMP, client, 1, server, 1, 0),
		pkt(0, packet.ProtoICMP, client, 2, server, 2, 0), pkt(0, packet.ProtoICMP, server, 2, client, 2, 0),
	} {
		switch {
		case p.Proto == packet.ProtoTCP && p.SrcPort == 1:
			p.TCPFlags = syn
		case p.Proto == packet.ProtoTCP && p.SrcPort == 3:
			p.TCPFlags = rst
		}
		tb.Lookup(&p)
	}
	return tb
}

func TestTimeouts(t *testing.T) {
	var e ended
	tb := open(&e, Config{MaxFlows: 100})
	if n := tb.Stats().Current; n != 7 {
		t.Fatalf("%d flows", n)
	}
	steps := []struct {
		at, total int64 // seconds; flows ended by then
	}{{9, 0}, {10, 0}, {11, 1}, {30, 1}, {31, 3}, {60, 3}, {61, 4}, {300, 4}, {301, 6}, {600, 6}, {601, 7}}
	for _, s := range steps {
		tb.Advance(s.at * second)
		if n := int64(len(e.flows)); n != s.total {
			t.Errorf("after %d s %d flows have ended, expected %d", s.at, n, s.total)
		}
		check(t, tb)
	}
	for i, f := range e.flows {
		want := Timeout
		if f.State == Closed {
			want = Finished
		}
		if e.reasons[i] != want || f.ID == 0 {
			t.Errorf("%v flow ended by %v", f.State, e.reasons[i])
		}
	}
}

// Use moves the end; a lookup never returns a flow that is due, whoever calls
// Advance or not.
func TestUseKeepsAlive(t *testing.T) {
	var e ended
	tb := NewTable(Config{MaxFlows: 10, OnEnd: e.hook})
	at := int64(0)
	for ; at < 100*second; at += 29*second + 999e6 {
		p := pkt(at, packet.ProtoUDP, client, 1, server, 53, 0)
		if _, _, created := tb.Lookup(&p); created != (at == 0) {
			t.Fatalf("created %v at %d", created, at)
		}
		tb.Advance(at)
	}
	p := pkt(at+31*second, packet.ProtoUDP, client, 1, server, 53, 0)
	if _, _, created := tb.Lookup(&p); !created || len(e.flows) != 1 || e.reasons[0] != Timeout {
		t.Errorf("created %v, %v", created, e.reasons)
	}
	check(t, tb)
}

const year = 365 * 24 * 3600 * second

func TestClockJumps(t *testing.T) {
	t.Run("fifty years pass in a replay", func(t *testing.T) {
		var e ended
		tb := open(&e, Config{MaxFlows: 100})
		tb.Advance(50 * year)
		if len(e.flows) != 7 {
			t.Errorf("%d flows ended", len(e.flows))
		}
		check(t, tb)
	})
	t.Run("a live clock is set fifty years ahead", func(t *testing.T) {
		var e ended
		tb := open(&e, Config{MaxFlows: 100, MaxStep: 60 * second})
		tb.Advance(50 * year)
		p := tcp(50*year+1, true, ack, 101, 501, 5)
		if f, _, created := tb.Lookup(&p); created || len(e.flows) != 0 || f.Last != 50*year+1 {
			t.Errorf("created %v, %d flows ended", created, len(e.flows))
		}
		for s := range int64(40) { // and time goes on from there
			tb.Advance(50*year + s*second)
		}
		if len(e.flows) != 3 {
			t.Errorf("%d flows ended", len(e.flows))
		}
		check(t, tb)
	})
	t.Run("back", func(t *testing.T) {
		var e ended
		tb := open(&e, Config{MaxFlows: 100})
		tb.Advance(5 * second)
		tb.Advance(-20 * year)
		for s := range int64(7) {
			tb.Advance(-20*year + s*second)
		}
		if len(e.flows) != 1 { // 5 + 6 s: the closed one
			t.Errorf("%d flows ended", len(e.flows))
		}
		p := tcp(-20*year+7*second, true, ack, 101, 501, 5)
		if f, _, created := tb.Lookup(&p); created || f.Last < f.Start {
			t.Errorf("created %v, from %d to %d", created, f.Start, f.Last)
		}
		check(t, tb)
	})
	t.Run("one stray packet of hours ago", func(t *testing.T) {
		var e ended
		tb := open(&e, Config{MaxFlows: 100})
		tb.Advance(second)
		tb.Advance(-5 * 3600 * second)
		tb.Advance(2 * second)
		if len(e.flows) != 0 {
			t.Errorf("%d flows ended", len(e.flows))
		}
		// Once the clock went on from where it was set to, it counts again.
		tb.Advance(-5 * 3600 * second)
		tb.Advance(-3 * 3600 * second)
		if len(e.flows) == 0 {
			t.Error("no flow ended in two hours")
		}
		check(t, tb)
	})
	t.Run("out of order by a little does not run the clock", func(t *testing.T) {
		var e ended
		tb := open(&e, Config{MaxFlows: 100})
		for range 1000 {
			tb.Advance(9 * second)
			tb.Advance(1 * second)
		}
		if len(e.flows) != 0 {
			t.Errorf("%d flows ended", len(e.flows))
		}
	})
	t.Run("extremes", func(t *testing.T) {
		var e ended
		tb := open(&e, Config{MaxFlows: 100})
		for range 3 {
			tb.Advance(-1 << 63)
			tb.Advance(1<<63 - 1)
		}
		if len(e.flows) != 7 {
			t.Errorf("%d flows ended", len(e.flows))
		}
	})
}

// After millions of jumps the inner clock starts again without a flow noticing.
func TestRebase(t *testing.T) {
	var e ended
	tb := open(&e, Config{MaxFlows: 100})
	tb.clock.now += rebaseAt - 5*second
	for q := range tb.queues {
		for f := tb.queues[q].head; f != nil; f = f.next {
			f.touched += rebaseAt - 5*second
		}
	}
	for s := range int64(10) {
		tb.Advance(s * second)
	}
	if tb.clock.now > 100*second || len(e.flows) != 0 {
		t.Errorf("clock at %d, %d flows ended", tb.clock.now, len(e.flows))
	}
	tb.Advance(11 * second)
	if len(e.flows) != 1 {
		t.Errorf("%d flows ended", len(e.flows))
	}
	check(t, tb)
}

func TestFlowID(t *testing.T) {
	ids := map[uint64]bool{}
	for _, seed := range []uint64{1, 2} { // the secret must not show
		tb := NewTable(Config{MaxFlows: 1000, Seed: seed})
		for i := range 500 {
			p := pkt(int64(i), packet.ProtoUDP, client+uint32(i), 1, server, 53, 0)
			f, _, _ := tb.Lookup(&p)
			if f.ID == 0 || f.ID >= 1<<51 || ids[f.ID] != (seed == 2) {
				t.Fatalf("flow %d has ID %d", i, f.ID)
			}
			ids[f.ID] = true
		}
	}
	// One key at one moment, twice.
	tb := NewTable(Config{MaxFlows: 10})
	a := tcp(0, true, syn, 1, 0, 0)
	f, _, _ := tb.Lookup(&a)
	id := f.ID
	b := tcp(0, false, rst|ack, 0, 2, 0)
	tb.Lookup(&b)
	c := tcp(0, true, syn, 9, 0, 0)
	if f, _, created := tb.Lookup(&c); !created || f.ID == id {
		t.Errorf("created %v, ID %d after %d", created, f.ID, id)
	}
}

func TestEachAndClose(t *testing.T) {
	var e ended
	tb := NewTable(Config{MaxFlows: 100, OnEnd: e.hook})
	for i := range 20 {
		p := pkt(int64(i)*second, packet.ProtoUDP, client, uint16(i+1), server, 53, 0)
		tb.Lookup(&p)
	}
	p := pkt(20*second, packet.ProtoUDP, client, 1, server, 53, 0)
	tb.Lookup(&p)
	var last []int64
	tb.Each(func(f *Flow) { last = append(last, f.Last) })
	if len(last) != 20 || !slices.IsSorted(last) {
		t.Errorf("not by last use: %v", last)
	}
	tb.Close()
	if len(e.flows) != 20 || tb.Stats().Current != 0 || tb.Stats().Ended[Shutdown] != 20 {
		t.Fatalf("%d flows, %+v", len(e.flows), tb.Stats())
	}
	if !slices.IsSortedFunc(e.flows, func(a, b Flow) int { return int(a.Start - b.Start) }) {
		t.Error("not by start")
	}
	if _, _, created := tb.Lookup(&p); !created {
		t.Error("the table is of no use after Close")
	}
	check(t, tb)
}

func TestDefaults(t *testing.T) {
	tb := NewTable(Config{Timeouts: Timeouts{TCPNew: 1 << 62}})
	if tb.cfg.MaxFlows != DefaultMaxFlows || tb.cfg.Timeouts.TCPNew != MaxTimeout ||
		tb.cfg.Timeouts.UDPNew != 30*second || tb.cfg.Emergency != EmergencyTimeouts() {
		t.Errorf("%+v", tb.cfg)
	}
	if BytesPerFlow < 300 || BytesPerFlow > 512 {
		t.Errorf("%d bytes a flow", BytesPerFlow)
	}
}

func TestWords(t *testing.T) {
	for _, c := range [][2]string{
		{New.String(), "new"}, {Established.String(), "established"}, {Closed.String(), "closed"},
		{Timeout.String(), "timeout"}, {Finished.String(), "timeout"}, {Evicted.String(), "forced"}, {Shutdown.String(), "shutdown"},
		{Unanswered.String(), "unanswered"}, {Done.String(), "closed"}, {Opening.String(), "opening"},
		{Talking.String(), "established"}, {Class(200).String(), "?"},
	} {
		if c[0] != c[1] {
			t.Errorf("%q, expected %q", c[0], c[1])
		}
	}
}

// A packet counts with its frame, or when it comes out of something, with itself.
func TestLength(t *testing.T) {
	f := &packet.Frame{Len: 60}
	ip := make([]byte, 40)
	for _, c := range []struct {
		p    packet.Packet
		want uint64
	}{
		{packet.Packet{IP: ip, Frame: f}, 60},
		{packet.Packet{IP: ip, Missing: 5}, 45},
		{packet.Packet{IP: ip, Frame: f, Depth: 1}, 40},
		{packet.Packet{IP: ip, Frame: f, Defrag: true}, 40},
	} {
		if got := length(&c.p); got != c.want {
			t.Errorf("%+v counts for %d, not %d", c.p, got, c.want)
		}
	}
}
