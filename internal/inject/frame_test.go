package inject

import (
	"bytes"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

var (
	own  = packet.MAC{2, 0, 0, 0, 0, 9}
	macA = packet.MAC{2, 0, 0, 0, 0, 1}
	macB = packet.MAC{2, 0, 0, 0, 0, 2}
)

// seen makes a frame of a segment with the tags given, and decodes it.
func seen(t testing.TB, a, b packet.Addr, flags byte, payload string, tags ...byte) (*packet.Frame, *packet.Packet) {
	p := segment(t, a, b, 1000, 2000, flags, payload)
	data := append(append(append([]byte{}, macB[:]...), macA[:]...), tags...)
	if p.Version == 4 {
		data = append(data, 8, 0)
	} else {
		data = append(data, 0x86, 0xdd)
	}
	f := &packet.Frame{Data: append(data, p.IP...), Link: packet.LinkEthernet}
	f.Len = len(f.Data)
	out := &packet.Packet{}
	new(packet.Decoder).Decode(out, f)
	return f, out
}

func TestMirrorResets(t *testing.T) {
	for _, c := range []struct {
		name       string
		a, b       packet.Addr
		flags      byte
		tags       []byte
		vlan, tpid uint16 // that the card took off
		seqB, seqA uint32 // of the two resets
		wantTags   []byte
	}{
		{"IPv4", a4, b4, packet.ACK, nil, 0, 0, 1005, 2000, nil},
		{"IPv6", a6, b6, packet.ACK | packet.PSH, nil, 0, 0, 1005, 2000, nil},
		{"FIN", a4, b4, packet.ACK | packet.FIN, nil, 0, 0, 1006, 2000, nil},
		{"SYN", a4, b4, packet.SYN, nil, 0, 0, 1006, 0, nil},
		{"tag", a4, b4, packet.ACK, []byte{0x81, 0, 0x20, 7}, 0, 0, 1005, 2000, []byte{0x81, 0, 0x20, 7}},
		{"tag of the card", a6, b6, packet.ACK, nil, 0x2007, 0x8100, 1005, 2000, []byte{0x81, 0, 0x20, 7}},
		{"two tags", a4, b4, packet.ACK, []byte{0x81, 0, 0, 9}, 0x5, 0x88a8, 1005, 2000, []byte{0x88, 0xa8, 0, 5, 0x81, 0, 0, 9}},
	} {
		f, p := seen(t, c.a, c.b, c.flags, "12345", c.tags...)
		f.VLAN, f.VLANTPID = c.vlan, c.tpid
		toB, toA := MirrorResets(nil, own, f, p)
		for _, x := range []struct {
			frame []byte
			to    packet.MAC
			seq   uint32
			dst   packet.Addr
		}{{toB, macB, c.seqB, c.b}, {toA, macA, c.seqA, c.a}} {
			head := 14 + len(c.wantTags)
			if len(x.frame) < head+40 || len(x.frame) > MaxFrame || !bytes.Equal(x.frame[:6], x.to[:]) || !bytes.Equal(x.frame[6:12], own[:]) || !bytes.Equal(x.frame[12:head-2], c.wantTags) {
				t.Errorf("%s: header of %x", c.name, x.frame)
				continue
			}
			r := decode(t, x.frame[head:])
			if r.TCPFlags&packet.RST == 0 || r.Seq != x.seq || r.Dst != x.dst {
				t.Errorf("%s: flags %x, number %d to %s; want %d to %s", c.name, r.TCPFlags, r.Seq, r.Dst, x.seq, x.dst)
			}
		}
	}
}

// TestMirrorNothing has no frame made where it could do harm or be of no use.
func TestMirrorNothing(t *testing.T) {
	f, p := seen(t, a4, b4, packet.RST, "")
	if a, _ := MirrorResets(nil, own, f, p); a != nil {
		t.Error("a reset is answered")
	}
	f, p = seen(t, a4, b4, packet.ACK, "x")
	for name, change := range map[string]func(f *packet.Frame, p *packet.Packet){
		"raw link":      func(f *packet.Frame, _ *packet.Packet) { f.Link = packet.LinkRaw },
		"from here":     func(_ *packet.Frame, p *packet.Packet) { p.SrcMAC = own },
		"to here":       func(_ *packet.Frame, p *packet.Packet) { p.DstMAC = own },
		"to a group":    func(_ *packet.Frame, p *packet.Packet) { p.DstMAC[0] |= 1 },
		"in a tunnel":   func(_ *packet.Frame, p *packet.Packet) { p.Depth = 1 },
		"no Ethernet":   func(_ *packet.Frame, p *packet.Packet) { p.HasMAC = false },
		"another frame": func(f *packet.Frame, _ *packet.Packet) { f.Data = bytes.Clone(f.Data) },
		"cut":           func(f *packet.Frame, _ *packet.Packet) { f.Data = f.Data[:13] },
	} {
		g, q := *f, *p
		if change(&g, &q); true {
			if a, _ := MirrorResets(nil, own, &g, &q); a != nil {
				t.Errorf("%s: %x", name, a)
			}
		}
	}
	room := make([]byte, 0, 2*MaxFrame)
	if n := testing.AllocsPerRun(100, func() { MirrorResets(room, own, f, p) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzMirrorResets(f *testing.F) {
	a, _ := seen(f, a4, b4, packet.ACK, "x", 0x81, 0, 0, 7)
	f.Add(a.Data, uint16(0), uint16(0))
	b, _ := seen(f, a6, b6, packet.SYN, "")
	f.Add(b.Data, uint16(7), uint16(0x8100))
	f.Fuzz(func(t *testing.T, data []byte, vlan, tpid uint16) {
		fr := packet.Frame{Data: data, Len: len(data), Link: packet.LinkEthernet, VLAN: vlan, VLANTPID: tpid}
		var p packet.Packet
		new(packet.Decoder).Decode(&p, &fr)
		x, y := MirrorResets(nil, own, &fr, &p)
		if len(x) > MaxFrame || len(y) > MaxFrame || (x == nil) != (y == nil) {
			t.Fatalf("%x %x", x, y)
		}
	})
}
