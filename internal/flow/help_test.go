package flow

import (
	"encoding/binary"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

const (
	syn = packet.SYN
	ack = packet.ACK
	fin = packet.FIN
	rst = packet.RST
	psh = packet.PSH
)

var l4 [20]byte // stands for a TCP header: the table only wants it to be there

// addr returns an IPv4 address by number.
func addr(n uint32) packet.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return packet.AddrFrom4(b[:])
}

const (
	client = 0x0a000001 // 10.0.0.1
	server = 0xc6336401 // 198.51.100.1
)

// pkt builds a packet of n payload bytes without going through a frame.
func pkt(t int64, proto uint8, src uint32, sport uint16, dst uint32, dport uint16, n int) packet.Packet {
	return packet.Packet{
		Time: t, Version: 4, TTL: 64, Proto: proto,
		Src: addr(src), Dst: addr(dst), SrcPort: sport, DstPort: dport,
		IP: make([]byte, 20+20+n), L4: l4[:], Payload: make([]byte, n),
	}
}

// tcp builds a segment; up goes from the client (port 40000) to the server (port 443).
func tcp(t int64, up bool, flags uint8, seq, ackn uint32, n int) packet.Packet {
	p := pkt(t, packet.ProtoTCP, client, 40000, server, 443, n)
	if !up {
		p = pkt(t, packet.ProtoTCP, server, 443, client, 40000, n)
	}
	p.TCPFlags, p.Seq, p.Ack, p.Window = flags, seq, ackn, 1000
	return p
}

// ended records what a table reports.
type ended struct {
	flows   []Flow
	reasons []Reason
}

func (e *ended) hook(f *Flow, r Reason) {
	e.flows = append(e.flows, *f)
	e.reasons = append(e.reasons, r)
}

// check verifies a table's inner order: counts, queues, chains.
func check(t *testing.T, tb *Table) {
	t.Helper()
	n := 0
	for q := range tb.queues {
		var prev *Flow
		for f := tb.queues[q].head; f != nil; f = f.next {
			if f.prev != prev || int(f.queue) != q || prev != nil && prev.touched > f.touched {
				t.Fatalf("queue %d is out of order at its flow %d", q, n)
			}
			prev = f
			n++
		}
		if tb.queues[q].tail != prev {
			t.Fatalf("queue %d has a wrong tail", q)
		}
	}
	chained := 0
	for i, f := range tb.buckets {
		for ; f != nil; f = f.hnext {
			if f.Hash&tb.mask != uint64(i) {
				t.Fatalf("a flow hangs in the wrong bucket")
			}
			chained++
		}
	}
	st := tb.Stats()
	total := uint64(st.Current)
	for _, n := range st.Ended {
		total += n
	}
	if n != st.Current || chained != n || st.Created != total || st.Current > tb.cfg.MaxFlows {
		t.Fatalf("%d flows in queues, %d in chains, stats %+v", n, chained, st)
	}
}
