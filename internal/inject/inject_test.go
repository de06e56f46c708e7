package inject

import (
	"bytes"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

// decode reads an IP packet as the engine does, and checks its checksums.
func decode(t testing.TB, b []byte) *packet.Packet {
	t.Helper()
	var d packet.Decoder
	var p packet.Packet
	d.Decode(&p, &packet.Frame{Data: b, Len: len(b), Link: packet.LinkRaw})
	if p.Anomalies != 0 {
		t.Fatalf("anomalies %x in % x", p.Anomalies, b)
	}
	if p.Version == 4 && fold(sum(0, b[:p.IPHdr])) != 0 {
		t.Errorf("header checksum of % x", b)
	}
	s := uint32(0)
	if p.Proto != packet.ProtoICMP { // which has no pseudo header
		s = uint32(p.Proto) + uint32(len(p.L4))
		for _, a := range [2]packet.Addr{p.Src, p.Dst} {
			if ip := a.Netip(); ip.Is4() {
				x := ip.As4()
				s = sum(s, x[:])
			} else {
				x := ip.As16()
				s = sum(s, x[:])
			}
		}
	}
	if fold(sum(s, p.L4)) != 0 {
		t.Errorf("transport checksum of % x", b)
	}
	return &p
}

var (
	a4 = packet.AddrFrom4([]byte{192, 168, 1, 2})
	b4 = packet.AddrFrom4([]byte{203, 0, 113, 9})
	a6 = packet.AddrFrom16([]byte{0x20, 1, 0xd, 0xb8, 15: 2})
	b6 = packet.AddrFrom16([]byte{0x20, 1, 0xd, 0xb8, 15: 9})
)

// segment makes one with a payload.
func segment(t testing.TB, a, b packet.Addr, seq, ack uint32, flags byte, payload string) *packet.Packet {
	raw := tcp(nil, a, b, 40000, 3333, seq, ack, flags)
	raw = append(raw, payload...)
	if raw[0]>>4 == 4 {
		raw[2], raw[3] = byte(len(raw)>>8), byte(len(raw))
	} else {
		raw[4], raw[5] = byte((len(raw)-40)>>8), byte(len(raw)-40)
	}
	var d packet.Decoder
	var p packet.Packet
	d.Decode(&p, &packet.Frame{Data: raw, Len: len(raw), Link: packet.LinkRaw})
	return &p
}

func TestResets(t *testing.T) {
	for _, ends := range [][2]packet.Addr{{a4, b4}, {a6, b6}} {
		a, b := ends[0], ends[1]
		for _, tt := range []struct {
			flags          byte
			payload        string
			seq, ack       uint32 // of the segment
			dstSeq         uint32 // of the reset to its destination
			srcSeq, srcAck uint32 // of the reset to its source
			dstFlags       byte
		}{
			{packet.ACK | packet.PSH, "login", 1000, 5000, 1000, 5000, 1005, packet.RST | packet.ACK},
			{packet.SYN, "", 7, 0, 7, 0, 8, packet.RST},
			{packet.ACK | packet.FIN, "bye", 0xffffffff, 9, 0xffffffff, 9, 3, packet.RST | packet.ACK},
		} {
			toDst, toSrc := Resets(nil, segment(t, a, b, tt.seq, tt.ack, tt.flags, tt.payload))
			d, s := decode(t, toDst), decode(t, toSrc)
			if d.Src != a || d.Dst != b || d.SrcPort != 40000 || d.DstPort != 3333 || d.Seq != tt.dstSeq || d.TCPFlags != tt.dstFlags {
				t.Errorf("to the destination: %+v", d)
			}
			if s.Src != b || s.Dst != a || s.SrcPort != 3333 || s.DstPort != 40000 || s.Seq != tt.srcSeq || s.Ack != tt.srcAck || s.TCPFlags != packet.RST|packet.ACK {
				t.Errorf("to the source: %+v", s)
			}
		}
		if x, y := Resets(nil, segment(t, a, b, 1, 1, packet.RST, "")); x != nil || y != nil {
			t.Error("a reset is answered")
		}
	}
}

func TestUnreachable(t *testing.T) {
	for _, ends := range [][2]packet.Addr{{a4, b4}, {a6, b6}} {
		q := &packet.Packet{Proto: packet.ProtoUDP, Version: 4, Src: ends[0], Dst: ends[1], SrcPort: 5, DstPort: 6}
		if ends[0] == a6 {
			q.Version = 6
		}
		in := decode(t, UDP(nil, &packet.Packet{Proto: packet.ProtoUDP, Version: q.Version, Src: ends[1], Dst: ends[0], SrcPort: 6, DstPort: 5}, bytes.Repeat([]byte("x"), 1200)))
		b := Unreachable(nil, in)
		p := decode(t, b)
		if p.Src != ends[1] || p.Dst != ends[0] || len(b) > MaxPacket || !bytes.Contains(b, in.IP[:in.IPHdr+8]) {
			t.Errorf("%+v", p)
		}
		if ends[0] == a4 && (p.ICMPType != 3 || p.ICMPCode != 13 || len(b) != 20+8+28) || ends[0] == a6 && (p.ICMPType != 1 || p.ICMPCode != 1) {
			t.Errorf("type %d code %d, %d bytes", p.ICMPType, p.ICMPCode, len(b))
		}
		if Unreachable(nil, p) != nil {
			t.Error("an error is answered with an error")
		}
	}
	group := &packet.Packet{Version: 4, Proto: packet.ProtoUDP, Src: a4, Dst: packet.AddrFrom4([]byte{224, 0, 0, 251}), IP: make([]byte, 28), IPHdr: 20}
	if Unreachable(nil, group) != nil || UDP(nil, group, nil) != nil {
		t.Error("a multicast is answered")
	}
}

func TestDNSRefusal(t *testing.T) {
	query := append([]byte{0x12, 0x34, 0x01, 0x10, 0, 1, 0, 0, 0, 0, 0, 1}, "\x04pool\x07example\x00\x00\x01\x00\x01"...)
	opt := append(bytes.Clone(query), "\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"...)
	got := DNSRefusal(nil, opt, NXDomain)
	want := bytes.Clone(query)
	want[2], want[3], want[11] = 0x81, 0x93, 0
	if !bytes.Equal(got, want) {
		t.Errorf("% x\nwant % x", got, want)
	}
	for n := range query {
		if DNSRefusal(nil, query[:n], Refused) != nil {
			t.Errorf("%d bytes are answered", n)
		}
	}
	answer := bytes.Clone(query)
	answer[2] |= 0x80
	pointer := append(bytes.Clone(query[:12]), 0xc0, 12, 0, 1, 0, 1)
	for _, b := range [][]byte{answer, pointer, append(bytes.Clone(query[:12]), bytes.Repeat([]byte("\x3fabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"), 5)...)} {
		if DNSRefusal(nil, b, Refused) != nil {
			t.Errorf("% x is answered", b[:16])
		}
	}
}

// FuzzReject: whatever is decoded, what is built is sound and short.
func FuzzReject(f *testing.F) {
	f.Add(tcp(nil, a4, b4, 1, 2, 3, 4, packet.ACK))
	f.Add(tcp(nil, a6, b6, 1, 2, 3, 4, packet.SYN))
	f.Add(UDP(nil, &packet.Packet{Proto: packet.ProtoUDP, Version: 4, Src: a4, Dst: b4}, []byte("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01")))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d packet.Decoder
		var p packet.Packet
		d.Decode(&p, &packet.Frame{Data: b, Len: len(b), Link: packet.LinkRaw})
		x, y := Resets(nil, &p)
		u := Unreachable(nil, &p)
		r := UDP(nil, &p, DNSRefusal(nil, p.Payload, Refused))
		for _, out := range [][]byte{x, y, u, r} {
			if len(out) > MaxPacket {
				t.Fatalf("%d bytes", len(out))
			}
			if out != nil {
				decode(t, out)
			}
		}
	})
}
