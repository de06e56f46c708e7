package reassembly

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

const (
	fromClient = packet.ToServer
	fromServer = packet.ToClient
	tSYN       = packet.SYN
	tACK       = packet.ACK
	tFIN       = packet.FIN
	tRST       = packet.RST
)

// said is one packet of a connection and the events that it is to raise.
// Numbers count from the initial ones, 1000 and 5000, of sender and peer.
type said struct {
	d        packet.Dir
	flags    uint8
	seq, ack int
	data     int
	want     []string
}

func shake() []said {
	return []said{
		{fromClient, tSYN, 0, -5000, 0, nil},
		{fromServer, tSYN | tACK, 0, 1, 0, nil},
		{fromClient, tACK, 1, 1, 0, nil},
	}
}

func TestWatch(t *testing.T) {
	open := func(more ...said) []said {
		return append(append(shake(), said{fromClient, tACK, 1, 1, 100, nil}, said{fromServer, tACK, 1, 101, 200, nil}), more...)
	}
	for name, l := range map[string][]said{
		"a whole connection": open(
			said{fromClient, tACK, 101, 201, 0, nil}, said{fromClient, tACK | tFIN, 101, 201, 0, nil}, said{fromServer, tACK, 201, 102, 0, nil},
			said{fromServer, tACK | tFIN, 201, 102, 0, nil}, said{fromClient, tACK, 102, 202, 0, nil}),
		"the server ends it": open(
			said{fromServer, tACK | tFIN, 201, 101, 0, nil}, said{fromClient, tACK, 101, 202, 0, nil}, said{fromClient, tACK, 101, 202, 50, nil},
			said{fromServer, tACK, 202, 151, 0, nil}, said{fromClient, tACK | tFIN, 151, 202, 0, nil}, said{fromServer, tACK, 202, 152, 0, nil}),
		"both at once": open(
			said{fromServer, tACK | tFIN, 201, 101, 0, nil}, said{fromClient, tACK | tFIN, 101, 201, 0, nil},
			said{fromServer, tACK, 202, 102, 0, nil}, said{fromClient, tACK, 102, 202, 0, nil}),
		"keep-alive": open(said{fromClient, tACK, 100, 201, 0, nil}, said{fromClient, tACK, 100, 201, 1, nil}),
		"the handshake's last is lost, the server goes on": {shake()[0], shake()[1], {fromServer, tACK, 1, 1, 10, nil}},

		"no session":           {{fromServer, tRST, 5, 5, 0, []string{"pkt_broken_ack", "rst_but_no_session"}}, {fromServer, tFIN | tACK, 5, 5, 0, []string{"fin_but_no_session"}}},
		"SYN and FIN":          {{fromClient, tSYN | tFIN, 0, -5000, 0, []string{"fin_syn"}}},
		"SYN-ACK by client":    {shake()[0], {fromClient, tSYN | tACK, 0, 1, 0, []string{"3whs_synack_in_wrong_direction"}}},
		"SYN-ACK of another":   {shake()[0], {fromServer, tSYN | tACK, 0, 1 << 20, 0, []string{"3whs_synack_with_wrong_ack"}}},
		"again, other numbers": append(shake()[:2], said{fromServer, tSYN | tACK, 0, 2, 0, []string{"3whs_synack_resend_with_different_ack"}}, said{fromServer, tSYN | tACK, 7, 1, 0, []string{"3whs_synack_resend_with_diff_seq"}}),
		"SYN-ACK to server":    append(shake()[:2], said{fromClient, tSYN | tACK, 0, 1, 0, []string{"3whs_synack_toserver_on_syn_recv"}}),
		"SYN while opening":    append(shake()[:2], said{fromServer, tSYN, 0, -1000, 0, []string{"3whs_syn_toclient_on_syn_recv"}}, said{fromClient, tSYN, 9, -5000, 0, []string{"3whs_syn_resend_diff_seq_on_syn_recv"}}),
		"ACK by server":        append(shake()[:2], said{fromServer, tACK, 1, 1, 0, []string{"3whs_ack_in_wrong_dir"}}),
		"right and wrong":      append(shake()[:2], said{fromClient, tACK, 1, 9, 0, []string{"3whs_right_seq_wrong_ack_evasion"}}),
		"wrong and wrong":      append(shake()[:2], said{fromClient, tACK, 9, 9, 0, []string{"3whs_wrong_seq_wrong_ack"}}),

		"split":                 {shake()[0], {fromServer, tSYN, 0, -1000, 0, nil}, {fromClient, tSYN | tACK, 0, 1, 0, nil}, {fromServer, tACK, 1, 1, 0, nil}},
		"split, wrong ack":      {shake()[0], {fromServer, tSYN, 0, -1000, 0, nil}, {fromClient, tSYN | tACK, 0, 3, 0, []string{"4whs_synack_with_wrong_ack"}}},
		"split, wrong SYN":      {shake()[0], {fromServer, tSYN, 0, -1000, 0, nil}, {fromClient, tSYN | tACK, 3, 1, 0, []string{"4whs_synack_with_wrong_syn"}}},
		"split, wrong seq":      {shake()[0], {fromServer, tSYN, 0, -1000, 0, nil}, {fromClient, tSYN | tACK, 0, 1, 0, nil}, {fromServer, tACK, 5, 1, 0, []string{"4whs_wrong_seq"}}},
		"split, wrong last":     {shake()[0], {fromServer, tSYN, 0, -1000, 0, nil}, {fromClient, tSYN | tACK, 0, 1, 0, nil}, {fromServer, tACK, 1, 1 << 20, 0, []string{"4whs_invalid_ack", "pkt_invalid_ack"}}},
		"acknowledges too much": open(said{fromClient, tACK, 101, 1 << 20, 0, []string{"est_invalid_ack", "pkt_invalid_ack"}}),
		"too far":               open(said{fromClient, tACK, 1 << 20, 201, 5, []string{"est_packet_out_of_window"}}),
		"too old":               open(said{fromClient, tACK, 50, 201, 0, []string{"est_pkt_before_last_ack"}}),
		"acknowledged again":    open(said{fromClient, tACK, 51, 201, 50, []string{"pkt_spurious_retransmission"}}),
		"in flight again": open(said{fromClient, tACK, 101, 201, 50, nil}, said{fromClient, tACK, 101, 201, 50, nil},
			said{fromClient, tACK | tFIN, 151, 201, 0, nil}, said{fromClient, tACK, 101, 201, 50, []string{"pkt_retransmission"}}),
		"SYN on open": open(said{fromClient, tSYN, 0, -5000, 0, []string{"est_syn_resend"}}, said{fromClient, tSYN, 9, -5000, 0, []string{"est_syn_resend_diff_seq"}}, said{fromServer, tSYN, 9, -1000, 0, []string{"est_syn_toclient"}}),
		"SYN-ACK on open": open(said{fromServer, tSYN | tACK, 0, 1, 0, []string{"est_synack_resend"}}, said{fromServer, tSYN | tACK, 9, 1, 0, []string{"est_synack_resend_with_diff_seq"}},
			said{fromServer, tSYN | tACK, 0, 9, 0, []string{"est_synack_resend_with_different_ack"}}, said{fromClient, tSYN | tACK, 0, 1, 0, []string{"est_synack_toserver"}}),
		"FIN too far":       open(said{fromClient, tACK | tFIN, 1 << 20, 201, 0, []string{"fin_out_of_window"}}),
		"FIN, bad ack":      open(said{fromClient, tACK | tFIN, 101, 1 << 20, 0, []string{"fin_invalid_ack", "pkt_invalid_ack"}}),
		"reset, bad ack":    open(said{fromClient, tACK | tRST, 101, 1 << 20, 0, []string{"pkt_invalid_ack", "rst_invalid_ack"}}),
		"reset goes on":     open(said{fromClient, tRST, 101, -5000, 0, nil}, said{fromClient, tACK, 101, 201, 9, []string{"suspected_rst_inject"}}, said{fromClient, tACK, 110, 201, 9, nil}),
		"SYN while closing": open(said{fromClient, tACK | tFIN, 101, 201, 0, nil}, said{fromClient, tSYN, 0, -5000, 0, []string{"shutdown_syn_resend"}}),
		"close wait":        open(said{fromClient, tACK | tFIN, 101, 201, 0, nil}, said{fromClient, tACK, 102, 1 << 20, 0, []string{"closewait_invalid_ack", "pkt_invalid_ack"}}, said{fromServer, tACK, 1 << 20, 102, 5, []string{"closewait_ack_out_of_window"}}),
		"fin wait 1":        open(said{fromServer, tACK | tFIN, 201, 101, 0, nil}, said{fromClient, tACK, 101, 1 << 20, 0, []string{"fin1_invalid_ack", "pkt_invalid_ack"}}, said{fromClient, tACK, 1 << 20, 202, 5, []string{"fin1_ack_wrong_seq"}}, said{fromClient, tACK | tFIN, 1 << 20, 202, 0, []string{"fin1_fin_wrong_seq"}}),
		"fin wait 2":        open(said{fromServer, tACK | tFIN, 201, 101, 0, nil}, said{fromClient, tACK, 101, 202, 0, nil}, said{fromClient, tACK, 1 << 20, 202, 5, []string{"fin2_ack_wrong_seq"}}, said{fromClient, tACK | tFIN, 1 << 20, 202, 0, []string{"fin2_fin_wrong_seq"}}),
		"before the begin":  append(shake(), said{fromClient, tACK, -20, 1, 5, []string{"est_pkt_before_last_ack", "pkt_spurious_retransmission", "reassembly_segment_before_base_seq"}}),
	} {
		var w Watch
		for i, s := range l {
			isn, other := 1000, 5000
			if s.d == fromServer {
				isn, other = other, isn
			}
			p := &packet.Packet{Proto: packet.ProtoTCP, TCPFlags: s.flags, Seq: uint32(isn + s.seq), Ack: uint32(other + s.ack), Window: 8192, Payload: make([]byte, s.data)}
			if got := eventNamesOf(w.Packet(p, s.d)); !slices.Equal(got, s.want) {
				t.Errorf("%s, packet %d: %v, want %v", name, i, got, s.want)
			}
		}
	}
	for e := range NumEvents {
		if back, ok := EventOf(e.String()); !ok || back != e {
			t.Errorf("%s is not found by its name", e)
		}
	}
}

func eventNamesOf(ev Events) (names []string) {
	for ; ev != 0; ev &= ev - 1 {
		names = append(names, ev.First().String())
	}
	slices.Sort(names)
	return names
}

// stamped is a packet with timestamps.
func stamped(flags uint8, seq, ack int, val, echo uint32, at int64) *packet.Packet {
	o := []byte{8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1}
	binary.BigEndian.PutUint32(o[2:], val)
	binary.BigEndian.PutUint32(o[6:], echo)
	return &packet.Packet{Proto: packet.ProtoTCP, TCPFlags: flags, Seq: uint32(seq), Ack: uint32(ack), Window: 8192, TCPOpts: o, Time: at}
}

// TestWatchTimestamps: RFC 7323 section 5, and a forged answer to a SYN that
// echoes what was never sent.
func TestWatchTimestamps(t *testing.T) {
	var w Watch
	const day = 24 * 3600 * int64(1e9)
	for i, s := range []struct {
		d    packet.Dir
		p    *packet.Packet
		want bool
	}{
		{fromClient, stamped(tSYN, 1000, 0, 500, 0, 0), false},
		{fromServer, stamped(tRST|tACK, 0, 1001, 100, 100, 1), true},
		{fromServer, stamped(tSYN|tACK, 5000, 1001, 900, 500, 2), false},
		{fromClient, stamped(tACK, 1001, 5001, 501, 900, 3), false},
		{fromClient, stamped(tACK, 1001, 5001, 499, 900, 4), true},
		{fromClient, stamped(tRST, 1001, 5001, 10, 900, 5), true},
		{fromClient, stamped(tACK, 1001, 5001, 502, 900, 6), false},
		{fromClient, stamped(tACK, 1001, 5001, 5, 900, 25*day), false},
	} {
		if got := w.Packet(s.p, s.d).Has(EvPacketInvalidTimestamp); got != s.want {
			t.Errorf("packet %d: %v", i, got)
		}
	}
}

// TestWatchFloods: many SYNs with numbers of their own.
func TestWatchFloods(t *testing.T) {
	var w Watch
	first := -1
	for i := range 30 {
		p := &packet.Packet{TCPFlags: tSYN, Seq: uint32(1000 * (i + 1)), Window: 100}
		if w.Packet(p, fromClient).Has(EvHandSYNFlood) && first < 0 {
			first = i
		}
	}
	if first != maxSYNs+1 {
		t.Errorf("a flood of SYNs is told at %d", first)
	}
}

func FuzzWatch(f *testing.F) {
	f.Add([]byte("\x00\x02\x01\x00\x05\x00\x01\x12\x00\x01\x05\x00\x00\x10\x01\x01\x05\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var w Watch
		p := &packet.Packet{}
		for ; len(b) >= 6; b = b[6:] {
			p.TCPFlags, p.Window = b[1], uint16(b[4])<<6
			p.Seq, p.Ack = uint32(int8(b[2])), uint32(int8(b[3]))
			p.Payload, p.TCPOpts = b[:b[5]%6], b[:min(len(b), int(b[4]%32))]
			p.Time += int64(b[0]) << 40
			if ev := w.Packet(p, packet.Dir(b[0]&1)); ev>>NumEvents != 0 || w.state > watchClosed {
				t.Fatal("out of range")
			}
		}
	})
}

func TestWatchAllocs(t *testing.T) {
	w := &Watch{}
	p := stamped(tACK, 1, 1, 1, 1, 1)
	if n := testing.AllocsPerRun(100, func() { w.Packet(p, fromClient) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
