package match_test

import (
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
)

// TestDecodeEvents: rules on events of the decoder see packets of a flow and
// those that have none, alone and with other options.
func TestDecodeEvents(t *testing.T) {
	r := replay(t, compile(t, `
alert pkthdr any any -> any any (decode-event:ipv4.opt_invalid_len; sid:1;)
alert pkthdr any any -> any any (decode-event:ipv4.trunc_pkt; sid:2;)
alert udp any any -> any 53 (decode-event:ipv4.opt_pad_required; sid:3;)
alert udp any any -> any 54 (decode-event:ipv4.opt_pad_required; sid:4;)
alert pkthdr any any -> any any (decode-event:ipv4.opt_pad_required; decode-event:ipv4.opt_invalid_len; sid:5;)
alert pkthdr any any -> any any (decode-event:udp.hlen_invalid; sid:6;)
alert pkthdr any any -> any any (decode-event:erspan.header_too_small; sid:7;)
`, match.Options{}))
	p := udp(client, server, 1000, 53, "data")
	r.frame(p)
	same(t, r.alerts, nil)
	opts := append(append([]byte{0x46}, p[1:20]...), 7, 9, 4, 0)
	opts[3] += 4
	r.frame(append(opts, p[20:]...))
	same(t, r.alerts, []uint32{1, 3, 5})
	r.frame(p[:25])
	same(t, r.alerts, []uint32{1, 3, 5, 2})
	p[24], p[25] = 0, 3
	r.frame(p)
	same(t, r.end(), []uint32{1, 3, 5, 2, 6})
}

// TestStreamEvents: rules on events of TCP see each where it happens.
func TestStreamEvents(t *testing.T) {
	var text strings.Builder
	for i, name := range []string{"3whs_ack_in_wrong_dir", "est_packet_out_of_window", "est_invalid_ack", "pkt_invalid_ack", "est_syn_resend",
		"fin_but_no_session", "rst_but_no_session", "reassembly_seq_gap", "reassembly_overlap_different_data", "wrong_thread"} {
		text.WriteString("alert tcp any any -> any any (stream-event:" + name + "; sid:" + itoa(i+1) + ";)\n")
	}
	r := replay(t, compile(t, text.String(), match.Options{}))
	c := r.open(2000, 80)
	c.send(toServer, "GET / HTTP/1.1\r\n")
	same(t, r.alerts, nil)
	c.segment(toServer, packet.ACK, c.seq[0], c.seq[1]+100000, "x")
	same(t, r.alerts, []uint32{3, 4})
	c.segment(toServer, packet.ACK, c.seq[0]+1<<20, c.seq[1], "x")
	same(t, r.alerts, []uint32{3, 4, 2})
	c.segment(toServer, packet.SYN, 1000, 0, "")
	same(t, r.alerts, []uint32{3, 4, 2, 5})
	// Data that come again with another content.
	r.alerts = nil
	c.segment(toServer, packet.ACK, 1001, c.seq[1], "GET / HTTP/1.1\r\n")
	same(t, r.alerts, nil)
	c.segment(toServer, packet.ACK, 1003, c.seq[1], "X / H")
	same(t, r.alerts, []uint32{9})
	// A hole, held bytes that another segment contradicts, and the receiver
	// has it all.
	r.alerts = nil
	at := c.seq[0]
	c.segment(toServer, packet.ACK, at+10, c.seq[1], "held bytes")
	c.segment(toServer, packet.ACK, at+10, c.seq[1], "other data")
	same(t, r.alerts, []uint32{9})
	c.segment(toClient, packet.ACK, c.seq[1], at+20, "")
	same(t, r.alerts, []uint32{9, 8})
	r.alerts = nil
	n := &conn{r: r, cp: 3000, sp: 80}
	n.segment(toServer, packet.FIN|packet.ACK, 1, 1, "")
	n.cp++
	n.segment(toServer, packet.RST, 1, 0, "")
	same(t, r.end(), []uint32{6, 7})
}

// TestOddAllocs: looking for events allocates nothing for a flow that goes on.
func TestOddAllocs(t *testing.T) {
	r := replay(t, compile(t, `
alert tcp any any -> any any (stream-event:pkt_invalid_ack; sid:1;)
alert pkthdr any any -> any any (decode-event:ipv4.opt_malformed; sid:2;)
`, match.Options{}))
	c := r.open(2000, 9999)
	c.send(toServer, "first")
	b := tcpSegment(c, toServer, packet.ACK, c.seq[0], c.seq[1], "again")
	if n := testing.AllocsPerRun(100, func() { r.frame(b) }); n != 0 {
		t.Errorf("%.1f allocations a packet", n)
	}
}
