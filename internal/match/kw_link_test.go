package match_test

import (
	"encoding/binary"
	"testing"

	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
)

// ethernet sends an IP packet or an ARP message in a frame with VLAN tags.
func (r *replayer) ethernet(typ uint16, b []byte, tags ...uint16) {
	f := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}
	for _, t := range tags {
		f = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(f, 0x8100), t)
	}
	f = append(binary.BigEndian.AppendUint16(f, typ), b...)
	r.now += 1e6
	r.f = packet.Frame{Time: r.now, Data: f, Len: len(f), Link: packet.LinkEthernet}
	r.last = r.e.Workers[0].Handle(&r.f)
}

// arp is a request of the client (RFC 826).
func arp() []byte {
	b := []byte{0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2}
	b = append(b, client[:]...)
	b = append(b, 0, 0, 0, 0, 0, 0)
	return append(b, server[:]...)
}

// igmp is a message of version 2 (RFC 2236) with a right checksum.
func igmp(typ byte) []byte {
	sum := ^(uint16(typ)<<8 + 0xe000 + 0x0001)
	return ip(client, [4]byte{224, 0, 0, 1}, packet.ProtoIGMP, []byte{typ, 0, byte(sum >> 8), byte(sum), 0xe0, 0, 0, 1})
}

// sctp is a packet of SCTP (RFC 9260) with these chunks, each a type and a
// value.
func sctp(chunks ...string) []byte {
	b := []byte{0x10, 0, 0x20, 0, 0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 0}
	for _, c := range chunks {
		n := len(c) - 1 + 4
		b = append(b, c[0], 0, byte(n>>8), byte(n))
		b = append(b, c[1:]...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	return ip(client, server, packet.ProtoSCTP, b)
}

func TestLinkKeywords(t *testing.T) {
	const ip4, arpType = 0x0800, 0x0806
	datagram := udp(client, server, 4000, 9999, "x")
	for _, c := range []struct {
		rule string
		send func(r *replayer)
		want int
	}{
		{`alert ip any any -> any any (vlan.id:200; sid:1;)`, func(r *replayer) { r.ethernet(ip4, datagram, 100, 200) }, 1},
		{`alert ip any any -> any any (vlan.id:200,1; sid:1;)`, func(r *replayer) { r.ethernet(ip4, datagram, 100, 200) }, 1},
		{`alert ip any any -> any any (vlan.id:200,0; sid:1;)`, func(r *replayer) { r.ethernet(ip4, datagram, 100, 200) }, 0},
		{`alert ip any any -> any any (vlan.id:200,-1; sid:1;)`, func(r *replayer) { r.ethernet(ip4, datagram, 100, 200) }, 1},
		{`alert ip any any -> any any (vlan.id:100,-2; sid:1;)`, func(r *replayer) { r.ethernet(ip4, datagram, 100, 200) }, 1},
		{`alert ip any any -> any any (vlan.id:100,2; sid:1;)`, func(r *replayer) { r.ethernet(ip4, datagram, 100, 200) }, 0},
		{`alert ip any any -> any any (vlan.id:>50,all; sid:1;)`, func(r *replayer) { r.ethernet(ip4, datagram, 100, 200) }, 1},
		{`alert ip any any -> any any (vlan.id:>150,all; sid:1;)`, func(r *replayer) { r.ethernet(ip4, datagram, 100, 200) }, 0},
		{`alert ip any any -> any any (vlan.id:>50; sid:1;)`, func(r *replayer) { r.ethernet(ip4, datagram) }, 0},
		{`alert ip any any -> any any (vlan.layers:2; sid:1;)`, func(r *replayer) { r.ethernet(ip4, datagram, 100, 200) }, 1},
		{`alert ip any any -> any any (vlan.layers:0; sid:1;)`, func(r *replayer) { r.ethernet(ip4, datagram) }, 1},
		{`alert ip any any -> any any (vlan.layers:!2; sid:1;)`, func(r *replayer) { r.ethernet(ip4, datagram, 100, 200) }, 0},
		{`alert arp any any -> any any (sid:1;)`, func(r *replayer) { r.ethernet(arpType, arp()); r.ethernet(ip4, datagram) }, 1},
		{`alert arp any any -> any any (vlan.id:7; sid:1;)`, func(r *replayer) { r.ethernet(arpType, arp(), 7); r.ethernet(arpType, arp()) }, 1},
		{`alert ether any any -> any any (sid:1;)`, func(r *replayer) { r.ethernet(arpType, arp()); r.ethernet(ip4, datagram) }, 2},
		{`alert ether any any -> any any (ether.hdr; content:"|08 06|"; offset:12; sid:1;)`, func(r *replayer) { r.ethernet(arpType, arp()); r.ethernet(ip4, datagram) }, 1},
		{`alert ether any any -> any any (sid:1;)`, func(r *replayer) { r.frame(datagram) }, 0},
		{`alert igmp any any -> any any (igmp.type:0x16; dsize:0; sid:1;)`, func(r *replayer) { r.frame(igmp(0x16)); r.frame(igmp(0x17)) }, 1},
		{`alert igmp any any -> any any (igmp.hdr; content:"|17|"; startswith; sid:1;)`, func(r *replayer) { r.frame(igmp(0x16)); r.frame(igmp(0x17)) }, 1},
		{`alert igmp any any -> any any (igmp-csum:valid; sid:1;)`, func(r *replayer) { r.frame(igmp(0x16)) }, 1},
		{`alert igmp any any -> any any (igmp-csum:invalid; sid:1;)`, func(r *replayer) {
			b := igmp(0x16)
			b[22] ^= 1
			r.frame(igmp(0x16))
			r.frame(b)
		}, 1},
		{`alert sctp any any -> any any (sctp.vtag:3405691582; sid:1;)`, func(r *replayer) { r.frame(sctp("\x01abcd")) }, 1},
		{`alert sctp any any -> any any (sctp.chunk_cnt:2; sid:1;)`, func(r *replayer) { r.frame(sctp("\x01abcd", "\x00x")); r.frame(sctp("\x01abcd")) }, 1},
		{`alert sctp any any -> any any (sctp.chunk_type:data; sid:1;)`, func(r *replayer) { r.frame(sctp("\x01abcd", "\x00x")); r.frame(sctp("\x01abcd")) }, 1},
		{`alert sctp any any -> any any (sctp.chunk_type:!init; sid:1;)`, func(r *replayer) { r.frame(sctp("\x01abcd", "\x00x")); r.frame(sctp("\x01abcd")) }, 1},
		{`alert sctp any any -> any any (sctp.chunk_type:>9; sid:1;)`, func(r *replayer) { r.frame(sctp("\x0aabcd")); r.frame(sctp("\x01abcd")) }, 1},
		{`alert sctp any any -> any any (sctp.chunk_data; content:"needle"; startswith; endswith; sid:1;)`, func(r *replayer) {
			r.frame(sctp("\x01abcd", "\x00needle"))
			r.frame(sctp("\x01needles", "\x00x"))
		}, 1},
		{`alert sctp any any -> any any (sctp.hdr; content:"|10 00 20 00|"; startswith; sid:1;)`, func(r *replayer) { r.frame(sctp("\x01abcd")) }, 1},
		{`alert udp:flow_start any any -> any any (sid:1;)`, func(r *replayer) {
			for range 3 {
				r.frame(datagram)
				r.frame(udp(server, client, 9999, 4000, "y"))
			}
		}, 2},
		{`alert udp:flow_start any any -> any any (flow:to_server; sid:1;)`, func(r *replayer) {
			r.frame(datagram)
			r.frame(udp(server, client, 9999, 4000, "y"))
		}, 1},
	} {
		r := replay(t, compile(t, c.rule, match.Options{}))
		c.send(r)
		if got := len(r.end()); got != c.want {
			t.Errorf("%s: %d alerts, want %d", c.rule, got, c.want)
		}
	}
}

// TestSCTPHostile: chunks that lie about their length end the walk.
func TestSCTPHostile(t *testing.T) {
	set := compile(t, `alert sctp any any -> any any (sctp.chunk_cnt:>200; sid:1;)
alert sctp any any -> any any (sctp.chunk_data; content:"zz"; sid:2;)
alert sctp any any -> any any (sctp.chunk_type:77; sid:3;)`, match.Options{})
	r := replay(t, set)
	whole := sctp("\x00a", "\x00b", "\x00c")
	for at := 32; at < len(whole); at++ {
		for _, v := range []byte{0, 1, 3, 4, 0xff} {
			b := append([]byte{}, whole...)
			b[at] = v
			r.frame(b)
			r.frame(b[:at])
		}
	}
	same(t, r.end(), nil)
}

// TestUniqueOn: with unique_on a port counts once.
func TestUniqueOn(t *testing.T) {
	for _, c := range []struct {
		option string
		ports  []uint16
		want   int
	}{
		{"detection_filter:track by_src, count 2, seconds 60, unique_on src_port", []uint16{1, 1, 1, 2, 2, 2}, 0},
		{"detection_filter:track by_src, count 2, seconds 60, unique_on src_port", []uint16{1, 2, 1, 3, 1, 4}, 3},
		{"detection_filter:track by_src, count 2, seconds 60, unique_on dst_port", []uint16{1, 2, 3, 4, 5, 6}, 0},
		{"threshold:type threshold, track by_src, count 3, seconds 60, unique_on src_port", []uint16{1, 1, 2, 2, 3, 3}, 1},
		{"threshold:type threshold, track by_src, count 2, seconds 60, unique_on src_port", []uint16{1, 2, 1, 2}, 2},
		{"threshold:type both, track by_src, count 2, seconds 60, unique_on src_port", []uint16{1, 1, 2, 2, 3, 1, 2}, 1},
	} {
		r := replay(t, compile(t, "alert udp any any -> any 9999 (content:\"x\"; "+c.option+"; sid:1;)", match.Options{}))
		for _, p := range c.ports {
			r.frame(udp(client, server, 4000+p, 9999, "x"))
		}
		if got := len(r.end()); got != c.want {
			t.Errorf("%s: %v: %d alerts, want %d", c.option, c.ports, got, c.want)
		}
	}
	// A window that is over begins again with the match at hand.
	r := replay(t, compile(t, `alert udp any any -> any 9999 (content:"x"; detection_filter:track by_src, count 1, seconds 5, unique_on src_port; sid:1;)`, match.Options{}))
	r.frame(udp(client, server, 4001, 9999, "x"))
	r.now += 10e9
	r.frame(udp(client, server, 4002, 9999, "x"))
	r.frame(udp(client, server, 4002, 9999, "x"))
	same(t, r.alerts, nil)
	r.frame(udp(client, server, 4001, 9999, "x"))
	same(t, r.end(), []uint32{1})
}
