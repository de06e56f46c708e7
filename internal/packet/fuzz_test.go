package packet

import (
	"reflect"
	"testing"
	"unsafe"
)

// within reports whether part lies inside whole.
func within(part, whole []byte) bool {
	if len(part) == 0 {
		return true
	}
	p, w := uintptr(unsafe.Pointer(&part[0])), uintptr(unsafe.Pointer(unsafe.SliceData(whole)))
	return p >= w && p+uintptr(len(part)) <= w+uintptr(len(whole))
}

// FuzzDecode checks what holds of every packet, whatever the bytes: slices lie
// in each other and in the frame, nothing of an earlier frame is left, and the
// limits hold.
func FuzzDecode(f *testing.F) {
	for _, rows := range [][]row{linkRows, tunnelRows, ipRows, transportRows} {
		for _, r := range rows {
			if len(r.data) < 4096 {
				f.Add(uint16(r.link), uint16(0), uint16(0), r.data)
			}
		}
	}
	f.Add(uint16(1), uint16(300), uint16(0x8100), ether(0x0800, web))
	full := decode(frame(LinkEthernet, ether(0x8100, tag(9, 0x0800), v4(47, a1, a2, u16(0, 0x86dd), web6))))
	f.Fuzz(func(t *testing.T, link, cut, tpid uint16, data []byte) {
		fr := &Frame{Time: 5, Data: data, Len: len(data) + int(cut), Link: LinkType(link), VLAN: cut, VLANTPID: tpid}
		var d Decoder
		p := new(Packet)
		d.Decode(p, fr)
		dirty := *full
		d.Decode(&dirty, fr)
		if !reflect.DeepEqual(*p, dirty) {
			t.Fatalf("stale:\n got %+v\nwant %+v", dirty, *p)
		}
		if !within(p.IP, data) || !within(p.L4, p.IP) || !within(p.Payload, p.L4) || !within(p.TCPOpts, p.L4) {
			t.Fatalf("slices: %+v", p)
		}
		switch p.Version {
		case 0:
			if p.IP != nil || p.L4 != nil || p.Payload != nil || p.Depth != 0 || p.Tunnels != 0 || p.Proto != 0 {
				t.Fatalf("no IP, but %+v", p)
			}
		case 4, 6:
			if p.IPHdr > len(p.IP) || p.IPHdr < 20 || p.ARP.Op != 0 || p.Src.Is4() != (p.Version == 4) && p.Version == 4 {
				t.Fatalf("header: %+v", p)
			}
		default:
			t.Fatalf("version %d", p.Version)
		}
		if p.Depth > MaxDepth || p.Missing < 0 || p.Fragment && p.L4 != nil || p.Defrag {
			t.Fatalf("%+v", p)
		}
		if p.L4 == nil && (p.Payload != nil || p.TCPOpts != nil || p.TCPFlags != 0) {
			t.Fatalf("no transport, but %+v", p)
		}
		VerifyChecksum(p)
		var e Events
		Check(p, &e)
		var k Key
		p.Key(&k)
		// Twice, so that fragments meet themselves.
		d.Defrag = NewDefrag(DefragConfig{MaxMemory: 1, MaxDatagrams: 4})
		d.Decode(p, fr)
		d.Decode(p, fr)
		sound(t, d.Defrag)
	})
}

func TestDecodeAllocs(t *testing.T) {
	d := Decoder{Defrag: NewDefrag(DefragConfig{})}
	p := new(Packet)
	for _, rows := range [][]row{linkRows, tunnelRows, ipRows, transportRows} {
		for _, r := range rows {
			f := frame(r.link, r.data)
			if n := testing.AllocsPerRun(5, func() { d.Decode(p, f); VerifyChecksum(p) }); n != 0 {
				t.Errorf("%s: %v allocations", r.name, n)
			}
		}
	}
}
