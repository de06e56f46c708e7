package afpacket

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/packet"
)

// fake describes one frame of a block, as the kernel lays it out.
type fake struct {
	data     string
	wire     uint32
	status   uint32
	tci      uint32
	tpid     uint16
	proto    uint16
	hardware uint16
	typ      uint8
}

const fakeMAC = 96 // where the kernel puts the data of a SOCK_DGRAM socket

// lay builds a block of size bytes.
func lay(size int, frames ...fake) []byte {
	ne := binary.NativeEndian
	b := make([]byte, size)
	ne.PutUint32(b[blkStatus:], unix.TP_STATUS_USER)
	ne.PutUint32(b[blkCount:], uint32(len(frames)))
	ne.PutUint32(b[blkFirst:], 48)
	at := 48
	for i, f := range frames {
		h := b[at:]
		step := (fakeMAC + len(f.data) + 15) &^ 15
		if i < len(frames)-1 {
			ne.PutUint32(h[pktNext:], uint32(step))
		}
		ne.PutUint32(h[pktSec:], 3)
		ne.PutUint32(h[pktNsec:], 4)
		ne.PutUint32(h[pktSnap:], uint32(len(f.data)))
		ne.PutUint32(h[pktLen:], f.wire)
		ne.PutUint32(h[pktStatus:], f.status|unix.TP_STATUS_USER)
		ne.PutUint16(h[pktMAC:], fakeMAC)
		ne.PutUint32(h[pktTCI:], f.tci)
		ne.PutUint16(h[pktTPID:], f.tpid)
		binary.BigEndian.PutUint16(h[sllProto:], f.proto)
		ne.PutUint16(h[sllHardware:], f.hardware)
		h[sllType] = f.typ
		h[sllAddrLen] = 6
		copy(h[sllAddr:], "addr66")
		copy(h[fakeMAC:], f.data)
		at += step
	}
	return b
}

func TestBlock(t *testing.T) {
	type want struct {
		data      string
		len       int
		link      packet.LinkType
		vlan, tag uint16
	}
	const vlan, tpid = unix.TP_STATUS_VLAN_VALID, unix.TP_STATUS_VLAN_TPID_VALID
	for _, c := range []struct {
		name   string
		block  block
		frames []fake
		want   []want
	}{
		{"none", block{}, nil, nil},
		{"ethernet", block{}, []fake{{data: "abc", wire: 60}, {data: "", wire: 0}, {data: "defg", wire: 4}},
			[]want{{"abc", 60, 1, 0, 0}, {"", 0, 1, 0, 0}, {"defg", 4, 1, 0, 0}}},
		{"wire length below data", block{}, []fake{{data: "abc", wire: 1}}, []want{{"abc", 3, 1, 0, 0}}},
		{"tag", block{}, []fake{{data: "abc", wire: 3, status: vlan | tpid, tci: 0x2007, tpid: 0x88a8}}, []want{{"abc", 3, 1, 0x2007, 0x88a8}}},
		{"tag of an old kernel", block{}, []fake{{data: "abc", wire: 3, status: vlan, tci: 7, tpid: 0x1234}}, []want{{"abc", 3, 1, 7, 0x8100}}},
		{"fields of a tag that is not valid", block{}, []fake{{data: "abc", wire: 3, tci: 7, tpid: 0x8100}}, []want{{"abc", 3, 1, 0, 0}}},
		{"loopback", block{inOnly: true}, []fake{{data: "out", typ: unix.PACKET_OUTGOING}, {data: "in", wire: 2}, {data: "out", typ: unix.PACKET_OUTGOING}},
			[]want{{"in", 2, 1, 0, 0}}},
		{"outgoing elsewhere", block{}, []fake{{data: "out", wire: 3, typ: unix.PACKET_OUTGOING}}, []want{{"out", 3, 1, 0, 0}}},
		{"raw IP", block{framing: rawIP}, []fake{{data: "v4", wire: 2, proto: unix.ETH_P_IP}, {data: "ctl", wire: 3, proto: 0xc021}, {data: "v6", wire: 2, proto: unix.ETH_P_IPV6}},
			[]want{{"v4", 2, 101, 0, 0}, {"v6", 2, 101, 0, 0}}},
		{"cooked", block{framing: cooked}, []fake{{data: "pay", wire: 90, proto: 0x0800, hardware: 801, typ: 4}},
			[]want{{"\x00\x04\x03\x21\x00\x06addr66\x00\x00\x08\x00pay", 106, 113, 0, 0}}},
	} {
		c.block.index = 7
		c.block.reset(lay(4096, c.frames...))
		var f packet.Frame
		n := 0
		for ; c.block.next(&f); n++ {
			if n >= len(c.want) {
				t.Fatalf("%s: more frames than %d", c.name, len(c.want))
			}
			got := want{string(f.Data), f.Len, f.Link, f.VLAN, f.VLANTPID}
			if got != c.want[n] || f.Time != 3e9+4 || f.Iface != 7 {
				t.Errorf("%s: frame %d: %+v at %d on %d, want %+v", c.name, n, got, f.Time, f.Iface, c.want[n])
			}
		}
		if n != len(c.want) {
			t.Errorf("%s: %d frames, want %d", c.name, n, len(c.want))
		}
	}
}

// TestBlockContradictions: whatever stands in the shared memory, nothing
// outside the block is read and the walk ends.
func TestBlockContradictions(t *testing.T) {
	ne := binary.NativeEndian
	const first = 48
	for name, spoil := range map[string]func(b []byte){
		"first frame outside":    func(b []byte) { ne.PutUint32(b[blkFirst:], 0xfffffff0) },
		"first frame at the end": func(b []byte) { ne.PutUint32(b[blkFirst:], uint32(len(b)-sllEnd+1)) },
		"data outside":           func(b []byte) { ne.PutUint32(b[first+pktSnap:], uint32(len(b))) },
		"data length wraps":      func(b []byte) { ne.PutUint32(b[first+pktSnap:], 0xffffffff) },
		"data inside the header": func(b []byte) { ne.PutUint16(b[first+pktMAC:], 20) },
	} {
		b := lay(1024, fake{data: "abc"})
		spoil(b)
		var k block
		k.reset(b)
		var f packet.Frame
		for range 2 { // nor does the reader go on behind it
			if k.next(&f) {
				t.Errorf("%s: a frame was read", name)
			}
		}
	}
	b := lay(1024, fake{data: "abc"}, fake{data: "def"})
	ne.PutUint32(b[first:], 0xfffffff0)
	ne.PutUint32(b[blkCount:], 0xffffffff)
	var k block
	k.reset(b)
	var f packet.Frame
	if !k.next(&f) || k.next(&f) {
		t.Error("next frame outside: not exactly one frame read")
	}
}

func FuzzBlock(f *testing.F) {
	f.Add(lay(512, fake{data: "abc"}, fake{data: "defgh"}), uint8(0), false)
	f.Add(lay(512, fake{data: "abc", proto: 0x0800}), uint8(1), true)
	f.Add(lay(512, fake{data: "abc", status: unix.TP_STATUS_VLAN_VALID}), uint8(2), true)
	f.Fuzz(func(t *testing.T, b []byte, kind uint8, inOnly bool) {
		if len(b) < 48 {
			return // a block is never smaller than its own header
		}
		k := block{framing: framing(kind % 3), inOnly: inOnly}
		k.reset(b)
		var fr packet.Frame
		n := 0
		for ; k.next(&fr); n++ {
			if n > len(b) || fr.Len < len(fr.Data) {
				t.Fatalf("frame %d of a block of %d bytes: %d bytes, length %d", n, len(b), len(fr.Data), fr.Len)
			}
		}
	})
}

func many() []byte {
	frames := make([]fake, 300)
	for i := range frames {
		frames[i] = fake{data: string(make([]byte, 700)), wire: 700, proto: 0x0800}
	}
	return lay(blockSize, frames...)
}

func TestBlockAllocs(t *testing.T) {
	b := many()
	for kind := range framing(3) {
		k := block{framing: kind}
		var f packet.Frame
		n := 0
		if a := testing.AllocsPerRun(10, func() {
			for k.reset(b); k.next(&f); n++ {
			}
		}); a != 0 || n != 11*300 {
			t.Errorf("framing %d: %v allocations, %d frames", kind, a, n)
		}
	}
}

func BenchmarkBlock(b *testing.B) {
	mem := many()
	b.SetBytes(300 * 700)
	b.ReportAllocs()
	var k block
	var f packet.Frame
	n := 0
	for b.Loop() {
		for k.reset(mem); k.next(&f); n++ {
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/packet")
}

func TestFraming(t *testing.T) {
	for hw, want := range map[uint16]framing{
		1: ethernet, 772: ethernet, 512: rawIP, 519: rawIP, 768: rawIP, 769: rawIP, 776: rawIP, 778: rawIP, 823: rawIP, 0xfffe: rawIP,
		801: cooked, 803: cooked, 280: cooked, 24: cooked,
	} {
		if got := framingOf(hw); got != want {
			t.Errorf("hardware type %d: framing %d, want %d", hw, got, want)
		}
	}
}

func TestRingSize(t *testing.T) {
	for _, c := range []struct{ wish, size, blocks int }{
		{0, blockSize, DefaultRing / blockSize},
		{-1, blockSize, DefaultRing / blockSize},
		{1, smallBlockSize, 2},
		{smallRing - 1, smallBlockSize, 31},
		{smallRing, blockSize, 16},
		{MaxRing + 1, blockSize, MaxRing / blockSize},
	} {
		if size, blocks := ringSize(c.wish); size != c.size || blocks != c.blocks {
			t.Errorf("ring of %d: %d blocks of %d, want %d of %d", c.wish, blocks, size, c.blocks, c.size)
		}
	}
}
