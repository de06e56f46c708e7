package packet

import (
	"bytes"
	"slices"
	"testing"
)

// piece is a fragment of a datagram: what lies at off, and whether more
// follows.
type piece struct {
	off  int
	data string
	more bool
}

// v4frag and v6frag build the packet that carries a piece.
func v4frag(id int, c piece) []byte {
	word := c.off / 8
	if c.more {
		word |= 0x2000
	}
	return v4opt(17, a1, a2, nil, id, word, []byte(c.data))
}

func v6frag(id int, c piece) []byte {
	return v6(44, b1, b2, frag6(17, c.off, c.more, id), []byte(c.data))
}

// cut splits data into pieces of size bytes.
func cut(data []byte, size int) []piece {
	var out []piece
	for off := 0; off < len(data); off += size {
		end := min(off+size, len(data))
		out = append(out, piece{off, string(data[off:end]), end < len(data)})
	}
	return out
}

// pattern is n bytes of a UDP packet that differ from place to place.
func pattern(n int) []byte {
	b := udp(1000, 2000, zeros(n-8))
	for i := 8; i < n; i++ {
		b[i] = byte(i ^ i>>8)
	}
	return b
}

// rig feeds packets to a decoder with a defragmenter, a millisecond apart.
type rig struct {
	t *testing.T
	d Decoder
	p Packet
	f Frame
}

func newRig(t *testing.T, cfg DefragConfig) *rig {
	return &rig{t: t, d: Decoder{Defrag: NewDefrag(cfg)}, f: Frame{Time: 1e18, Link: LinkRaw}}
}

func (r *rig) send(b []byte) *Packet {
	r.f.Time += 1e6
	r.f.Data, r.f.Len = b, len(b)
	r.d.Decode(&r.p, &r.f)
	return &r.p
}

// none sends a fragment that must not complete anything.
func (r *rig) none(b []byte, a Anomaly) {
	r.t.Helper()
	if p := r.send(b); p.Defrag || !p.Fragment || p.L4 != nil || p.Anomalies != a {
		r.t.Fatalf("Defrag %v, Fragment %v, Anomalies %#x, want anomalies %#x", p.Defrag, p.Fragment, p.Anomalies, a)
	}
}

// whole sends the fragment that must complete the datagram data.
func (r *rig) whole(b, data []byte) {
	r.t.Helper()
	p := r.send(b)
	if !p.Defrag || p.Fragment || p.Missing != 0 {
		r.t.Fatalf("not reassembled: %+v, %+v", p.Anomalies, r.d.Defrag.Stats())
	}
	if !bytes.Equal(p.IP[p.IPHdr:], data) {
		r.t.Fatalf("reassembled %d bytes that differ from the %d sent", len(p.IP)-p.IPHdr, len(data))
	}
	if p.SrcPort != 1000 || !bytes.Equal(p.Payload, data[8:]) {
		r.t.Fatalf("transport: %+v", p)
	}
}

func (r *rig) stats(check func(s DefragStats) bool) {
	r.t.Helper()
	if s := r.d.Defrag.Stats(); !check(s) {
		r.t.Fatalf("stats %+v", s)
	}
}

func TestDefragInOrder(t *testing.T) {
	data := pattern(4000)
	for _, build := range []func(int, piece) []byte{v4frag, v6frag} {
		r := newRig(t, DefragConfig{})
		c := cut(data, 1480)
		r.none(build(1, c[0]), 0)
		r.none(build(1, c[1]), 0)
		r.whole(build(1, c[2]), data)
		r.stats(func(s DefragStats) bool {
			return s == DefragStats{Fragments: 3, Datagrams: 1, Reassembled: 1}
		})
	}
}

// The header of the whole packet is the first fragment's, made to fit.
func TestDefragHeader(t *testing.T) {
	data := pattern(64)
	r := newRig(t, DefragConfig{})
	first := v4opt(17, a1, a2, []byte{7, 7, 4, 0, 0, 0, 0, 0}, 9, 0x2000, data[:32])
	first[1], first[8] = 0x48, 99
	r.none(v4opt(17, a1, a2, nil, 9, 4, data[32:]), 0)
	r.whole(first, data)
	p := &r.p
	if p.IPHdr != 28 || p.TOS != 0x48 || p.TTL != 99 || p.IPFlags != 0 || p.FragOff != 0 || p.IPID != 9 {
		t.Errorf("fields %+v", p)
	}
	if be.Uint16(p.IP[2:]) != 28+64 || be.Uint16(p.IP[6:]) != 0 || rfcSum(p.IP[:28]) != 0 {
		t.Errorf("header % x", p.IP[:28])
	}
	// IPv6: the first fragment's next header counts, headers before it go.
	r.none(v6(60, b1, b2, ext(44), frag6(6, 32, false, 9), data[32:]), 0)
	r.whole(v6(60, b1, b2, ext(44), frag6(17, 0, true, 9), data[:32]), data)
	if p.IPHdr != 40 || p.IP[6] != 17 || be.Uint16(p.IP[4:]) != 64 || p.IPID != 9 || p.Proto != 17 {
		t.Errorf("fields %+v", p)
	}
}

// Extension headers may lie in the fragmented part.
func TestDefragExtensions(t *testing.T) {
	data := cat(ext(17), udp(1000, 2000, []byte("abc")))
	r := newRig(t, DefragConfig{})
	r.none(v6(44, b1, b2, frag6(60, 0, true, 9), data[:8]), 0)
	p := r.send(v6(44, b1, b2, frag6(60, 8, false, 9), data[8:]))
	if !p.Defrag || p.IPHdr != 48 || string(p.Payload) != "abc" || p.DstPort != 2000 {
		t.Errorf("%+v", p)
	}
}

// The fragments of different datagrams do not mix.
func TestDefragKeys(t *testing.T) {
	data := pattern(64)
	c := cut(data, 32)
	first := ether(0x0800, v4frag(1, c[0]))
	for name, last := range map[string][]byte{
		"identification": ether(0x0800, v4frag(2, c[1])),
		"source":         ether(0x0800, v4opt(17, a2, a2, nil, 1, 4, data[32:])),
		"destination":    ether(0x0800, v4opt(17, a1, a1, nil, 1, 4, data[32:])),
		"protocol":       ether(0x0800, v4opt(6, a1, a2, nil, 1, 4, data[32:])),
		"VLAN":           ether(0x8100, tag(5, 0x0800), v4frag(1, c[1])),
		"tunnel":         ether(0x0800, v4(4, a1, a2, v4frag(1, c[1]))),
	} {
		r := newRig(t, DefragConfig{})
		r.f.Link = LinkEthernet
		r.none(first, 0)
		if p := r.send(last); p.Defrag {
			t.Errorf("%s: mixed", name)
		}
		r.whole(ether(0x0800, v4frag(1, c[1])), data)
	}
}

// What is in a reassembled packet is read as any other: here a VXLAN packet in
// fragments that holds a fragment of another datagram, at every level.
func TestDefragNested(t *testing.T) {
	inner := pattern(3000)
	c := cut(inner, 1504)
	r := newRig(t, DefragConfig{})
	for i, part := range c {
		outer := cut(udp(1, 4789, vxlanHdr, ether(0x0800, v4frag(77, part))), 800)
		for j, o := range outer {
			b := v4frag(i+1, o)
			switch {
			case j < len(outer)-1:
				r.none(b, 0)
			case i < len(c)-1: // the outer one is whole, the inner one a fragment
				if p := r.send(b); !p.Fragment || p.Depth != 1 || p.L4 != nil || p.Tunnels != TunnelVXLAN {
					t.Fatalf("inner fragment: %+v", p)
				}
			default:
				r.whole(b, inner)
				if r.p.Depth != 1 {
					t.Errorf("Depth %d", r.p.Depth)
				}
			}
		}
	}
	r.stats(func(s DefragStats) bool { return s.Reassembled == 3 && s.Held == 0 })
}

// Fragments in fragments in fragments: each fragment but the outermost lies in
// the packet that was reassembled just before.
func TestDefragDeep(t *testing.T) {
	data := pattern(1600)
	// split wraps every packet into two fragments.
	split := func(packets [][]byte, id int) (out [][]byte) {
		for i, b := range packets {
			half := len(b) / 2 &^ 7
			out = append(out, v4opt(4, a1, a2, nil, id+i, 0x2000, b[:half]), v4opt(4, a1, a2, nil, id+i, half/8, b[half:]))
		}
		return out
	}
	c := cut(data, 800)
	packets := [][]byte{v4frag(1, c[0]), v4frag(1, c[1])}
	for level := range 4 {
		packets = split(packets, 100*(level+1))
	}
	r := newRig(t, DefragConfig{})
	for _, b := range packets[:len(packets)-1] {
		if p := r.send(b); !p.Fragment {
			t.Fatalf("whole too early: %+v", p)
		}
	}
	r.whole(packets[len(packets)-1], data)
	if r.p.Depth != 4 {
		t.Errorf("Depth %d", r.p.Depth)
	}
}

// RFC 6946: a fragment that is the whole packet has nothing to do with others
// of the same name.
func TestDefragAtomic(t *testing.T) {
	data := pattern(64)
	c := cut(data, 32)
	r := newRig(t, DefragConfig{})
	r.none(v6frag(5, c[0]), 0)
	if p := r.send(v6frag(5, piece{0, string(pattern(16)), false})); p.Defrag || p.Fragment || p.DstPort != 2000 || p.IPID != 5 {
		t.Fatalf("atomic: %+v", p)
	}
	r.whole(v6frag(5, c[1]), data)
}

// RFC 5722: overlapping IPv6 fragments void the whole datagram, what comes
// later included; an exact repetition does not.
func TestDefragIPv6Overlap(t *testing.T) {
	data := pattern(96)
	c := cut(data, 32)
	t.Run("duplicate", func(t *testing.T) {
		r := newRig(t, DefragConfig{})
		r.none(v6frag(5, c[0]), 0)
		r.none(v6frag(5, c[0]), 0)
		r.none(v6frag(5, c[2]), 0)
		r.none(v6frag(5, c[2]), 0)
		r.whole(v6frag(5, c[1]), data)
		r.stats(func(s DefragStats) bool { return s.Duplicates == 2 && s.Overlaps == 0 })
	})
	for name, bad := range map[string]piece{
		"other bytes": {0, string(zeros(32)), true},
		"part":        {8, string(data[8:16]), true},
		"across":      {24, string(data[24:40]), true},
		"end moved":   {8, string(data[8:16]), false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, DefragConfig{})
			r.none(v6frag(5, c[0]), 0)
			r.none(v6frag(5, bad), FragmentOverlap)
			for _, x := range c {
				r.none(v6frag(5, x), 0)
			}
			r.stats(func(s DefragStats) bool {
				return s.Overlaps == 1 && s.Dropped == 1 && s.Late == 3 && s.Reassembled == 0 && s.Held == 0
			})
			// The name is free again after the time-out.
			r.f.Time += 61e9
			r.none(v6frag(5, c[0]), 0)
			r.none(v6frag(5, c[1]), 0)
			r.whole(v6frag(5, c[2]), data)
			r.stats(func(s DefragStats) bool { return s.Dropped == 1 && s.TimedOut == 0 })
		})
	}
}

// The old attacks: each leaves the defragmenter with nothing and says what it
// saw.
func TestDefragAttacks(t *testing.T) {
	data := pattern(64)
	t.Run("teardrop", func(t *testing.T) { // the second lies inside the first
		r := newRig(t, DefragConfig{})
		r.none(v4frag(1, piece{0, string(data[:40]), true}), 0)
		r.none(v4frag(1, piece{24, "\xff\xff\xff\xff", false}), FragmentOverlap)
		r.stats(func(s DefragStats) bool { return s.Overlaps == 1 && s.Reassembled == 0 })
	})
	t.Run("end before data", func(t *testing.T) {
		r := newRig(t, DefragConfig{})
		r.none(v4frag(1, piece{0, string(data[:40]), true}), 0)
		r.none(v4frag(1, piece{16, string(data[16:32]), false}), FragmentOverlap) // same bytes
		r.whole(v4frag(1, piece{40, string(data[40:]), false}), data)
	})
	t.Run("end moves in", func(t *testing.T) {
		r := newRig(t, DefragConfig{})
		r.none(v4frag(1, piece{32, string(data[32:]), false}), 0)
		r.none(v4frag(1, piece{16, string(data[16:32]), false}), FragmentOverlap)
		r.none(v4frag(1, piece{64, "12345678", true}), FragmentOverlap)
		r.whole(v4frag(1, piece{0, string(data[:32]), true}), data)
	})
	t.Run("ping of death", func(t *testing.T) {
		r := newRig(t, DefragConfig{})
		r.none(v4frag(1, piece{65528, string(zeros(500)), false}), FragmentOversize)
		r.none(v4frag(1, piece{65512, "1234", false}), FragmentOversize) // with the header
		r.none(v6frag(1, piece{65528, "12345678", false}), FragmentOversize)
		r.stats(func(s DefragStats) bool { return s.Oversize == 3 && s.Datagrams == 0 })
	})
	t.Run("no data", func(t *testing.T) {
		r := newRig(t, DefragConfig{})
		r.none(v4frag(1, piece{8, "", false}), BadIPHeader)
		r.none(v4frag(1, piece{0, "1234567", true}), BadIPHeader)
		r.none(v6frag(1, piece{0, "123456789", true}), FragmentLength)
		r.stats(func(s DefragStats) bool { return s.Invalid == 3 && s.Datagrams == 0 })
	})
	t.Run("odd middle", func(t *testing.T) { // rounded down
		r := newRig(t, DefragConfig{})
		r.none(v4frag(1, piece{0, string(data[:35]), true}), 0)
		r.whole(v4frag(1, piece{32, string(data[32:]), false}), data)
	})
	t.Run("tiny", func(t *testing.T) { // the TCP header over three fragments
		r := newRig(t, DefragConfig{})
		seg := tcp(40000, 80, "GET")
		r.send(v4opt(6, a1, a2, nil, 3, 0x2000, seg[:8]))
		r.send(v4opt(6, a1, a2, nil, 3, 0x2001, seg[8:16]))
		if p := r.send(v4opt(6, a1, a2, nil, 3, 2, seg[16:])); !p.Defrag || p.DstPort != 80 || string(p.Payload) != "GET" {
			t.Errorf("%+v", p)
		}
	})
	t.Run("cut by the capture", func(t *testing.T) {
		r := newRig(t, DefragConfig{})
		b := v4frag(1, piece{0, string(data), true})
		r.f.Data, r.f.Len = b[:40], len(b)
		r.d.Decode(&r.p, &r.f)
		if r.p.Missing != len(b)-40 || !r.p.Fragment {
			t.Errorf("%+v", r.p)
		}
		b = v6frag(1, piece{0, string(data), true})
		r.f.Data, r.f.Len = b[:60], len(b)
		r.d.Decode(&r.p, &r.f)
		r.stats(func(s DefragStats) bool { return s == DefragStats{Truncated: 2} })
	})
}

// The largest datagrams there can be, backwards; over the smallest MTU of
// IPv4, too (68 bytes, RFC 791 section 3.2).
func TestDefragMaximum(t *testing.T) {
	for name, c := range map[string]struct {
		size, part int
		build      func(int, piece) []byte
	}{"IPv4": {65515, 1480, v4frag}, "IPv4 small": {65515, 48, v4frag}, "IPv6": {65535, 1232, v6frag}} {
		t.Run(name, func(t *testing.T) {
			data := pattern(c.size)
			r := newRig(t, DefragConfig{MaxMemory: 1}) // raised to what one datagram needs
			parts := cut(data, c.part)
			slices.Reverse(parts)
			for _, x := range parts[:len(parts)-1] {
				r.none(c.build(1, x), 0)
			}
			r.whole(c.build(1, parts[len(parts)-1]), data)
		})
	}
}
