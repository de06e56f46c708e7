package flow

import (
	"encoding/binary"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

// FuzzTable plays packets of any kind and time against a small table and
// checks its inner order all along.
func FuzzTable(f *testing.F) {
	f.Add([]byte{0, 1, 2, 0, 0, 0, 0, 0, 1, 2, 18, 0, 0, 0, 0, 0, 0, 1, 16, 0, 1, 0, 1, 0})
	f.Add([]byte{9, 1, 4, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 1, 0, 0, 0, 0, 0x80})
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 8*300 {
			script = script[:8*300]
		}
		ends := 0
		tb := NewTable(Config{MaxFlows: 6, OnEnd: func(f *Flow, _ Reason) {
			ends++
			if f.Side[0].Packets+f.Side[1].Packets == 0 || f.Last < f.Start {
				t.Errorf("a flow without packets or with a negative age: %+v", f)
			}
		}})
		now := int64(1e18)
		for ; len(script) >= 8; script = script[8:] {
			x := script[:8]
			switch step := int64(int32(binary.LittleEndian.Uint32(x[4:]))); {
			case x[0]&0xc0 == 0xc0:
				now = step << 32 // anywhere
			default:
				now += step
			}
			port := uint16(1 + x[1]%12)
			p := pkt(now, []uint8{packet.ProtoTCP, packet.ProtoUDP, packet.ProtoICMP, packet.ProtoTCP}[x[0]%4], client, port, server, 6, int(x[3]%5))
			p.TCPFlags, p.Seq, p.Ack = x[2], uint32(x[3])<<(x[0]%32), uint32(x[4])<<(x[1]%32)
			p.TCPOpts = x
			if x[0]&32 != 0 {
				p.Src, p.Dst, p.SrcPort, p.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
			}
			if x[0]&16 != 0 {
				tb.Advance(now)
			}
			f, d, created := tb.Lookup(&p)
			from, port := f.Client()
			if d == packet.ToClient {
				from, port = f.Server()
			}
			if from != p.Src || port != p.SrcPort || created != (f.Side[0].Packets+f.Side[1].Packets == 1) {
				t.Fatalf("created %v, direction %v, %+v", created, d, f)
			}
			if x[1]&0x80 != 0 {
				f.Reverse()
			}
			check(t, tb)
		}
		tb.Close()
		if check(t, tb); tb.Stats().Current != 0 || uint64(ends) != tb.Stats().Created {
			t.Fatalf("%d ends, %+v", ends, tb.Stats())
		}
	})
}

// A report that panics costs its own flow and nothing else.
func TestPanicInOnEnd(t *testing.T) {
	bad := true
	tb := NewTable(Config{MaxFlows: 4, OnEnd: func(*Flow, Reason) {
		if bad {
			panic("parser")
		}
	}})
	try := func(fn func()) {
		defer func() { recover() }()
		fn()
	}
	for i := range 50 {
		p := pkt(int64(i)*20*second, packet.ProtoUDP, client, uint16(1+i), server, 53, 0)
		try(func() { tb.Lookup(&p) })
		try(func() { tb.Advance(p.Time) })
		check(t, tb)
	}
	bad = false
	for i := range 10 {
		p := pkt(1e12+int64(i), packet.ProtoUDP, client, uint16(100+i), server, 53, 0)
		tb.Lookup(&p)
	}
	if st := tb.Stats(); st.Current != 4 || len(tb.slabs) != 1 {
		t.Errorf("%+v, %d slabs", st, len(tb.slabs))
	}
	check(t, tb)
}
