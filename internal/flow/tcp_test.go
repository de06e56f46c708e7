package flow

import (
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

// seg is one step of a conversation and what is expected after it.
type seg struct {
	up      bool
	flags   uint8
	seq     uint32
	ack     uint32
	n       int
	state   State
	created bool
}

var conversations = []struct {
	name  string
	segs  []seg
	toHi  bool // the client is the server's address: orientation the other way round
	check func(*testing.T, *Table, *Flow)
}{
	{name: "handshake, data, orderly close", segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{false, syn | ack, 500, 101, 0, New, false},
		{true, ack, 101, 501, 0, Established, false},
		{true, ack | psh, 101, 501, 50, Established, false},
		{false, ack, 501, 151, 80, Established, false},
		{true, fin | ack, 151, 581, 0, Established, false},
		{false, fin | ack, 581, 152, 0, Established, false},
		{true, ack, 152, 582, 0, Closed, false},
		{true, ack, 152, 582, 0, Closed, false},
	}},
	{name: "sequence numbers wrap", segs: []seg{
		{true, syn, 0xfffffff0, 0, 0, New, true},
		{false, syn | ack, 0xffffffff, 0xfffffff1, 0, New, false},
		{true, ack, 0xfffffff1, 0, 0, Established, false},
		{true, ack | fin, 0xfffffff1, 0, 50, Established, false},
		{false, ack | fin, 0, 0x24, 10, Established, false},
		{true, ack, 0x24, 11, 0, Closed, false},
	}},
	{name: "SYN-ACK with a wrong acknowledgement does not open", segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{false, syn | ack, 500, 999, 0, New, false},
		{true, ack, 101, 501, 0, New, false},
	}},
	{name: "something of an earlier connection before the SYN-ACK", segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{false, ack | psh, 70000000, 90000000, 130, New, false},
		{true, rst, 90000000, 0, 0, New, false},
		{false, psh, 501, 0, 130, New, false}, // nor what acknowledges nothing
		{true, syn, 100, 0, 0, New, false},
		{false, syn | ack, 500, 101, 0, New, false},
		{true, ack, 101, 501, 0, Established, false},
	}},
	{name: "the same, its acknowledgement near the SYN", segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{false, ack | psh, 70000000, 600, 130, New, false},
		{true, rst, 600, 0, 0, Closed, false},
		{false, syn | ack, 500, 101, 0, Closed, false},
		{true, ack | psh, 101, 501, 10, Established, false},
	}},
	{name: "a wrong SYN-ACK before the right one", segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{false, syn | ack, 9000, 99, 0, New, false},
		{true, rst, 99, 0, 0, Closed, false}, // the client refuses it, and waits on
		{false, syn | ack, 500, 101, 0, Closed, false},
		{true, ack | psh, 101, 501, 10, Established, false},
	}, check: func(t *testing.T, _ *Table, f *Flow) {
		if f.ISN != [2]uint32{100, 500} {
			t.Error(f.ISN)
		}
	}},
	{name: "a SYN more that the server does not hear", segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{true, syn, 9000, 0, 0, New, false},
		{true, syn, 9900, 0, 0, New, false},
		{false, syn | ack, 500, 101, 0, New, true},
		{true, ack | psh, 101, 501, 10, Established, false},
		{false, ack | psh, 501, 111, 10, Established, false},
	}, check: func(t *testing.T, _ *Table, f *Flow) {
		if f.ISN != [2]uint32{100, 500} || f.Refused {
			t.Error(f.ISN, f.Refused)
		}
	}},
	{name: "SYNs that the server does not hear after something that the client refuses", segs: []seg{
		{true, syn, 9000, 0, 0, New, true},
		{false, ack | psh, 70000000, 90000000, 130, New, false},
		{true, syn, 100, 0, 0, New, false},
		{true, syn, 9900, 0, 0, New, false},
		{false, syn | ack, 500, 101, 0, New, true},
		{true, ack | psh, 101, 501, 10, Established, false},
		{false, ack | psh, 501, 111, 10, Established, false},
	}, check: func(t *testing.T, _ *Table, f *Flow) {
		if f.ISN != [2]uint32{100, 500} || f.Refused {
			t.Error(f.ISN, f.Refused)
		}
	}},
	{name: "the SYN-ACK and what follows it not captured", segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{true, ack | psh, 151, 0, 10, New, false},
		{false, ack | psh, 700, 151, 30, Established, false},
	}},
	{name: "half-open scan answered by reset", segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{false, rst | ack, 0, 101, 0, Closed, false},
		{true, syn, 100, 0, 0, New, false}, // Windows tries again with the same ISN
		{false, rst | ack, 0, 101, 0, Closed, false},
		{true, syn, 200, 0, 0, New, true}, // another connection
	}},
	{name: "reset that answers no SYN of ours is not believed", segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{false, rst | ack, 0, 777, 0, New, false},
		{false, rst, 12345, 0, 0, New, false},
	}, check: func(t *testing.T, tb *Table, _ *Flow) {
		if n := tb.Stats().BadResets; n != 2 {
			t.Errorf("%d bad resets counted", n)
		}
	}},
	{name: "reset in the window closes, outside it does not", segs: []seg{
		{true, syn, 1 << 20, 0, 0, New, true},
		{false, syn | ack, 1 << 28, 1<<20 + 1, 0, New, false},
		{true, ack, 1<<20 + 1, 1<<28 + 1, 0, Established, false},
		{false, rst, 1<<28 + 1 + 1000 + 2*resetSlack, 0, 0, Established, false},
		{false, rst, 1<<28 - 2*resetSlack, 0, 0, Established, false},
		{false, rst, 1<<28 + 1, 0, 0, Closed, false},
	}},
	{name: "forged reset is undone when its sender goes on", segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{false, syn | ack, 500, 101, 0, New, false},
		{true, ack, 101, 501, 0, Established, false},
		{true, rst, 101, 0, 0, Closed, false},
		{false, ack, 501, 101, 10, Closed, false}, // the receiver may not have seen it yet
		{true, ack | psh, 101, 511, 50, Established, false},
	}},
	{name: "client that aborts its own SYN", segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{true, rst, 101, 0, 0, Closed, false},
	}},
	{name: "ports used anew after a close", segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{false, syn | ack, 500, 101, 0, New, false},
		{true, ack | fin, 101, 501, 0, Established, false},
		{false, ack | fin, 501, 102, 0, Established, false},
		{true, ack, 102, 502, 0, Closed, false},
		{true, syn, 9000, 0, 0, New, true},
		{false, syn | ack, 70, 9001, 0, New, false},
	}},
	{name: "ports used anew by the other side", toHi: true, segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{false, rst | ack, 0, 101, 0, Closed, false},
		{false, syn, 9000, 0, 0, New, true},
	}},
	{name: "new connection whose predecessor's end was not seen", segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{false, syn | ack, 500, 101, 0, New, false},
		{true, ack, 101, 501, 0, Established, false},
		{true, syn, 9000, 0, 0, Established, false}, // nobody has answered this one yet
		{false, syn | ack, 70, 9001, 0, New, true},
		{true, ack, 9001, 71, 0, Established, false},
	}, check: func(t *testing.T, _ *Table, f *Flow) {
		if f.Midstream || f.ISN != [2]uint32{9000, 70} || f.HasISN != [2]bool{true, true} {
			t.Errorf("midstream %v, ISN %v %v", f.Midstream, f.ISN, f.HasISN)
		}
	}},
	{name: "forged SYN on an open connection does nothing", segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{false, syn | ack, 500, 101, 0, New, false},
		{true, ack, 101, 501, 0, Established, false},
		{true, syn, 9000, 0, 0, Established, false},
		{false, ack, 501, 101, 0, Established, false}, // challenge ACK
		{true, ack, 101, 501, 30, Established, false},
	}, check: func(t *testing.T, _ *Table, f *Flow) {
		if f.ISN[0] != 100 {
			t.Errorf("the ISN became %d", f.ISN[0])
		}
	}},
	{name: "client gets no answer and tries another ISN", segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{true, syn, 200, 0, 0, New, false},
		{false, syn | ack, 500, 201, 0, New, false},
		{true, ack, 201, 501, 0, Established, false},
	}},
	{name: "retransmitted SYN-ACK keeps what is known", segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{false, syn | ack, 500, 101, 0, New, false},
		{true, ack, 101, 501, 0, Established, false},
		{false, syn | ack, 500, 101, 0, Established, false},
		{true, ack | fin, 101, 501, 0, Established, false},
		{false, ack | fin, 501, 102, 0, Established, false},
		{true, ack, 102, 502, 0, Closed, false},
	}},
	{name: "simultaneous open (RFC 9293 figure 7)", segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{false, syn, 300, 0, 0, New, false},
		{true, syn | ack, 100, 301, 0, New, false},
		{false, syn | ack, 300, 101, 0, Established, false},
	}},
	{name: "simultaneous close", segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{false, syn | ack, 500, 101, 0, New, false},
		{true, ack, 101, 501, 0, Established, false},
		{true, fin | ack, 101, 501, 0, Established, false},
		{false, fin | ack, 501, 101, 0, Established, false},
		{true, ack, 102, 502, 0, Established, false},
		{false, ack, 502, 102, 0, Closed, false},
	}},
	{name: "old FIN again does not close", segs: []seg{
		{true, syn, 100, 0, 0, New, true},
		{false, syn | ack, 500, 101, 0, New, false},
		{true, ack, 101, 501, 90, Established, false},
		{false, ack, 501, 191, 0, Established, false},
		{true, fin | ack, 111, 501, 0, Established, false}, // forged, behind what was sent
		{false, fin | ack, 501, 191, 0, Established, false},
		{true, ack, 191, 502, 0, Established, false},
	}},
	{name: "SYN with data (RFC 7413)", segs: []seg{
		{true, syn, 100, 0, 40, New, true},
		{false, syn | ack, 500, 141, 0, New, false},
		{true, ack, 141, 501, 0, Established, false},
	}},
	{name: "SYN-ACK first", segs: []seg{
		{false, syn | ack, 500, 101, 0, New, true},
		{true, ack, 101, 501, 0, Established, false},
	}, check: func(t *testing.T, _ *Table, f *Flow) {
		if f.Midstream || f.ISN[0] != 100 || !f.HasISN[0] {
			t.Errorf("midstream %v, client's ISN %d", f.Midstream, f.ISN[0])
		}
	}},
	{name: "midstream, client first", segs: []seg{
		{true, ack, 101, 501, 20, New, true},
		{false, ack, 501, 121, 20, Established, false},
	}, check: midstream},
	{name: "midstream, server first", segs: []seg{
		{false, ack, 501, 121, 20, New, true},
		{true, ack, 121, 521, 20, Established, false},
	}, check: midstream},
	{name: "reset first", segs: []seg{
		{false, rst | ack, 0, 101, 0, Closed, true},
	}, check: midstream},
}

func midstream(t *testing.T, tb *Table, f *Flow) {
	if !f.Midstream || tb.Stats().Midstream != 1 {
		t.Errorf("midstream %v, counted %d", f.Midstream, tb.Stats().Midstream)
	}
}

func TestTCP(t *testing.T) {
	for _, c := range conversations {
		t.Run(c.name, func(t *testing.T) {
			tb := NewTable(Config{MaxFlows: 16})
			var f *Flow
			for i, s := range c.segs {
				p := tcp(int64(i)*1e6, s.up, s.flags, s.seq, s.ack, s.n)
				var d packet.Dir
				var created bool
				f, d, created = tb.Lookup(&p)
				if f.State != s.state || created != s.created {
					t.Fatalf("segment %d: %v, created %v; expected %v, %v", i, f.State, created, s.state, s.created)
				}
				last := i == len(c.segs)-1
				if !c.toHi && (d == packet.ToServer) != s.up || c.toHi && last && d != packet.ToServer {
					t.Fatalf("segment %d goes %v", i, d)
				}
				check(t, tb)
			}
			a, port := f.Client()
			if !c.toHi && (a != addr(client) || port != 40000) {
				t.Errorf("client is %v port %d", a, port)
			}
			if c.check != nil {
				c.check(t, tb, f)
			}
		})
	}
}

func TestWindowScale(t *testing.T) {
	for _, c := range []struct {
		opts []byte
		want uint8
	}{
		{nil, 0},
		{[]byte{1, 1, 3, 3, 7}, 7},
		{[]byte{2, 4, 5, 180, 1, 3, 3, 15}, 14}, // RFC 7323 section 2.3 bounds it
		{[]byte{0, 3, 3, 7}, 0},                 // behind the end
		{[]byte{2, 0, 3, 3, 7}, 0},              // a length that goes nowhere
		{[]byte{2, 40, 3, 3, 7}, 0},             // and one that leaves
		{[]byte{3}, 0},
		{[]byte{3, 2, 3, 3, 7}, 7},
	} {
		if got := windowScale(c.opts); got != c.want {
			t.Errorf("%v: scale %d, expected %d", c.opts, got, c.want)
		}
	}
}

// A reset beyond the plain window is in the scaled one.
func TestResetUsesScaledWindow(t *testing.T) {
	tb := NewTable(Config{MaxFlows: 16})
	p := tcp(0, true, syn, 1<<20, 0, 0)
	p.TCPOpts = []byte{3, 3, 10}
	tb.Lookup(&p)
	for _, p := range []packet.Packet{
		tcp(1, false, syn|ack, 1<<28, 1<<20+1, 0),
		tcp(2, true, ack, 1<<20+1, 1<<28+1, 0),
		tcp(3, false, rst, 1<<28+900<<10, 0, 0),
	} {
		tb.Lookup(&p)
	}
	if st := tb.Stats(); st.BadResets != 0 {
		t.Errorf("%d bad resets", st.BadResets)
	}
}

// TestUnseen: what is let go of is counted by the numbers of what is still seen,
// and the end of the flow is believed.
func TestUnseen(t *testing.T) {
	tb := NewTable(Config{MaxFlows: 16})
	var f *Flow
	step := func(up bool, flags uint8, seq, ackn uint32, n int) {
		t.Helper()
		p := tcp(1e9, up, flags, seq, ackn, n)
		f, _, _ = tb.Lookup(&p)
	}
	step(true, syn, 100, 0, 0)
	step(false, syn|ack, 500, 101, 0)
	step(true, ack, 101, 501, 0)
	step(true, ack, 101, 501, 10)
	step(false, ack, 501, 111, 50)
	headers := f.Side[0].Bytes + f.Side[1].Bytes - 60
	f.Loose = 1 << packet.ToClient
	step(true, ack, 111, 501+1000, 0) // 950 bytes have gone by
	step(true, ack, 111, 501+1000, 0)
	step(true, ack, 111, 501+900, 0) // late
	if f.Unseen != 950 || f.Side[1].Bytes < 1000 {
		t.Errorf("%d bytes unseen, %d of the server", f.Unseen, f.Side[1].Bytes)
	}
	f.Loose = 3
	end := uint32(501 + 3<<30) // both ends are seen, 3 GB later
	step(false, ack|fin, end, 111+40, 0)
	step(true, ack|fin, 151, end+1, 0)
	step(false, ack, end+1, 152, 0)
	if f.State != Closed || f.Unseen != 3<<30-50+40 {
		t.Errorf("state %v, %d bytes unseen", f.State, f.Unseen)
	}
	if sum := f.Side[0].Bytes + f.Side[1].Bytes; sum-headers > 3<<30+50+7*40 || sum < 3<<30+50 {
		t.Errorf("%d bytes in all", sum)
	}
}
