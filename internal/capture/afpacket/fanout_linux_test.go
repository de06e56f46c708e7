package afpacket

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/capture"
	"github.com/yamori-net/yamori/internal/packet"
)

func TestBothDirectionsMeet(t *testing.T) {
	needNet(t)
	p := newPeer(t)
	p.link(t, "ya0")
	p.echo(t, far)
	p.echo(t, far6)
	w := start(t, Config{Interface: "ya0", Workers: 3})
	asked := map[uint16]bool{}
	for range 60 {
		asked[ask(t, far, 40)] = true
		asked[ask(t, far6, 40)] = true
	}
	for range 20 {
		c, err := net.Dial("tcp", far+":7")
		if err != nil {
			t.Fatal(err)
		}
		asked[uint16(c.LocalAddr().(*net.TCPAddr).Port)] = true
		c.Write([]byte("hello"))
		io.ReadFull(c, make([]byte, 5))
		c.Close()
	}
	w.until(t, "all flows", func() bool { return len(w.frames) > 60*4+20*8 })
	time.Sleep(2 * retireTime)
	out, in, workers := w.flowsOf(t)
	for port := range asked {
		if out[port] == 0 || in[port] == 0 {
			t.Errorf("flow of port %d: %d frames out, %d in", port, out[port], in[port])
		}
	}
	if len(workers) != 3 {
		t.Errorf("flows by worker: %v, want all of 3 used", workers)
	}
	index, _ := net.InterfaceByName("ya0")
	now := time.Now().UnixNano()
	var bytes uint64
	frames := w.snapshot()
	for _, f := range frames {
		bytes += uint64(len(f.Data))
		if f.Link != packet.LinkEthernet || f.Iface != uint32(index.Index) || f.Time < now-20e9 || f.Time > now || f.Len != len(f.Data) {
			t.Fatalf("frame of link type %d, interface %d, time %d, length %d of %d", f.Link, f.Iface, f.Time, len(f.Data), f.Len)
		}
	}
	var sum capture.Stats
	for _, s := range w.sources {
		st := s.Stats()
		sum.Packets += st.Packets
		sum.Bytes += st.Bytes
		sum.Dropped += st.Dropped
	}
	if sum.Packets != uint64(len(frames)) || sum.Bytes != bytes || sum.Dropped != 0 {
		t.Errorf("stats %+v, want %d packets and %d bytes", sum, len(frames), bytes)
	}
}

// TestNoDuplicates: every datagram is delivered once, also those that arrive
// while the workers join their group.
func TestNoDuplicates(t *testing.T) {
	needNet(t)
	p := newPeer(t)
	p.link(t, "ya0")
	p.echo(t, far)
	ask(t, far, 10) // the neighbours know each other
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		c, err := net.Dial("udp", far+":9")
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		for n := uint64(1); ; n++ {
			select {
			case <-stop:
				return
			default:
				c.Write(binary.BigEndian.AppendUint64(nil, n))
				time.Sleep(100 * time.Microsecond)
			}
		}
	})
	w := start(t, Config{Interface: "ya0", Workers: 4})
	w.until(t, "datagrams", func() bool { return len(w.frames) > 500 })
	close(stop)
	wg.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	times := map[uint64]int{}
	for i := range w.frames {
		if f := &w.frames[i]; len(f.Data) == 50 {
			if _, dst := ports(&f.Frame); dst == 9 {
				times[binary.BigEndian.Uint64(f.Data[42:])]++
			}
		}
	}
	for n, k := range times {
		if k != 1 {
			t.Errorf("datagram %d was seen %d times", n, k)
		}
	}
	if len(times) < 200 {
		t.Errorf("only %d datagrams", len(times))
	}
}

// TestFragments: a datagram in fragments meets the worker of its short answer.
func TestFragments(t *testing.T) {
	needNet(t)
	p := newPeer(t)
	p.link(t, "ya0")
	p.echo(t, far)
	w := start(t, Config{Interface: "ya0", Workers: 4})
	const flows = 24
	asked := map[uint16]bool{} // a port may come twice
	for range flows {
		asked[ask(t, far, 4000)] = true
	}
	w.until(t, "all flows", func() bool { return len(w.frames) >= 2*flows })
	time.Sleep(2 * retireTime)
	out, in, workers := w.flowsOf(t)
	if len(out) != len(asked) || len(in) != len(asked) || len(workers) < 2 {
		t.Errorf("%d flows out, %d in, by worker %v; want %d", len(out), len(in), workers, len(asked))
	}
	whole := 0
	for _, f := range w.snapshot() {
		if len(f.Data) == 14+20+8+4000 {
			whole++
		}
	}
	if whole < flows {
		t.Errorf("%d datagrams were put together, want %d", whole, flows)
	}
}

// inject sends raw frames on an interface of the calling namespace.
func inject(name string, frames ...[]byte) error {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	d, err := lookup(fd, name)
	if err != nil {
		return err
	}
	for _, f := range frames {
		if err := unix.Sendto(fd, f, 0, &unix.SockaddrLinklayer{Ifindex: d.index}); err != nil {
			return err
		}
	}
	return nil
}

// Pieces of hand-made frames. rev exchanges the ends.
func ethHeader(types ...byte) []byte {
	return append([]byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}, types...)
}

func ipv4(proto byte, a, b byte, rev bool, payload []byte) []byte {
	if rev {
		a, b = b, a
	}
	h := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, proto, 0, 0, 192, 0, 2, a, 192, 0, 2, b}
	binary.BigEndian.PutUint16(h[2:], uint16(20+len(payload)))
	var sum uint32
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(h[i:]))
	}
	binary.BigEndian.PutUint16(h[10:], ^uint16(sum+sum>>16))
	return append(h, payload...)
}

func ipv6(proto byte, a, b byte, rev bool, payload []byte) []byte {
	if rev {
		a, b = b, a
	}
	h := make([]byte, 40)
	h[0], h[6], h[7], h[8], h[23], h[24], h[39] = 0x60, proto, 64, 0xfd, a, 0xfd, b
	binary.BigEndian.PutUint16(h[4:], uint16(len(payload)))
	return append(h, payload...)
}

func udp(port uint16, rev bool, mark uint16) []byte {
	src, dst := port, uint16(7)
	if rev {
		src, dst = dst, src
	}
	b := make([]byte, 0, 24)
	for _, v := range []uint16{src, dst, 24, 0, 0x5961, mark} {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return append(b, make([]byte, 12)...)
}

// TestEncapsulations holds the package comment to its word: the directions of
// a flow meet inside these encapsulations too. One direction is received, the
// other sent, as on a real link.
func TestEncapsulations(t *testing.T) {
	needNet(t)
	p := newPeer(t)
	p.link(t, "ya0")
	kinds := []struct {
		name   string
		spread bool // flows between one pair of hosts reach several workers
		make   func(port uint16, rev bool, mark uint16) []byte
	}{
		{"VLAN", true, func(port uint16, rev bool, m uint16) []byte {
			return append(ethHeader(0x81, 0, 0, 5, 8, 0), ipv4(17, 1, 2, rev, udp(port, rev, m))...)
		}},
		{"QinQ", true, func(port uint16, rev bool, m uint16) []byte {
			return append(ethHeader(0x88, 0xa8, 0, 6, 0x81, 0, 0, 5, 8, 0), ipv4(17, 1, 2, rev, udp(port, rev, m))...)
		}},
		{"PPPoE", true, func(port uint16, rev bool, m uint16) []byte {
			ip := ipv4(17, 1, 2, rev, udp(port, rev, m))
			return append(ethHeader(0x88, 0x64, 0x11, 0, 0, 9, 0, byte(len(ip)+2), 0, 0x21), ip...)
		}},
		{"GRE", true, func(port uint16, rev bool, m uint16) []byte {
			return append(ethHeader(8, 0), ipv4(47, 8, 9, rev, append([]byte{0, 0, 8, 0}, ipv4(17, 1, 2, rev, udp(port, rev, m))...))...)
		}},
		{"IP in IP", true, func(port uint16, rev bool, m uint16) []byte {
			return append(ethHeader(8, 0), ipv4(4, 8, 9, rev, ipv4(17, 1, 2, rev, udp(port, rev, m)))...)
		}},
		{"6in4", true, func(port uint16, rev bool, m uint16) []byte {
			return append(ethHeader(8, 0), ipv4(41, 8, 9, rev, ipv6(17, 1, 2, rev, udp(port, rev, m)))...)
		}},
		{"4in6", true, func(port uint16, rev bool, m uint16) []byte {
			return append(ethHeader(0x86, 0xdd), ipv6(4, 8, 9, rev, ipv4(17, 1, 2, rev, udp(port, rev, m)))...)
		}},
		{"IPv6 behind two extension headers", true, func(port uint16, rev bool, m uint16) []byte {
			ext := []byte{60, 0, 0, 0, 0, 0, 0, 0, 17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
			return append(ethHeader(0x86, 0xdd), ipv6(0, 1, 2, rev, append(ext, udp(port, rev, m)...))...)
		}},
		{"GRE with key and number", true, func(port uint16, rev bool, m uint16) []byte {
			return append(ethHeader(8, 0), ipv4(47, 8, 9, rev, append([]byte{0x30, 0, 0x86, 0xdd, 1, 2, 3, 4, 5, 6, 7, 8}, ipv6(17, 1, 2, rev, udp(port, rev, m))...))...)
		}},
		{"IP in IP in IP", true, func(port uint16, rev bool, m uint16) []byte {
			return append(ethHeader(8, 0), ipv4(4, 6, 7, rev, ipv4(4, 8, 9, rev, ipv4(17, 1, 2, rev, udp(port, rev, m))))...)
		}},
		{"VXLAN, source ports that differ by direction", true, func(port uint16, rev bool, m uint16) []byte {
			inner := append(ethHeader(8, 0), ipv4(17, 1, 2, rev, udp(port, rev, m))...)
			outer := []byte{byte(m), byte(port), 0x12, 0xb5, 0, byte(16 + len(inner)), 0, 0, 8, 0, 0, 0, 0, 0, 42, 0}
			if rev {
				outer[0] ^= 0x55
			}
			return append(ethHeader(8, 0), ipv4(17, 8, 9, rev, append(outer, inner...))...)
		}},
		{"deeper than looked", false, func(port uint16, rev bool, m uint16) []byte {
			return append(ethHeader(8, 0), ipv4(4, 4, 5, rev, ipv4(4, 6, 7, rev, ipv4(4, 8, 9, rev, ipv4(17, 1, 2, rev, udp(port, rev, m)))))...)
		}},
		{"later fragment of IPv6", false, func(port uint16, rev bool, m uint16) []byte {
			return append(ethHeader(0x86, 0xdd), ipv6(44, 1, 2, rev, append([]byte{17, 0, 0, 8, 0, 0, 0, 1}, udp(port, rev, m)...))...)
		}},
		{"MPLS", true, func(port uint16, rev bool, m uint16) []byte {
			return append(ethHeader(0x88, 0x47, 0, 1, 1, 64), ipv4(17, 1, 2, rev, udp(port, rev, m))...)
		}},
	}
	w := start(t, Config{Interface: "ya0", Workers: 3})
	const flows = 40
	var in, out [][]byte
	for k, kind := range kinds {
		for i := range uint16(flows) {
			mark := uint16(k)<<8 | i
			in = append(in, kind.make(1000+i, false, mark))
			out = append(out, kind.make(1000+i, true, mark))
		}
	}
	p.do(t, func() error { return inject("far", in...) })
	if err := inject("ya0", out...); err != nil {
		t.Fatal(err)
	}
	home := map[uint16][]int{}
	w.until(t, "all frames", func() bool {
		clear(home)
		for _, f := range w.frames {
			if i := strings.Index(string(f.Data), "\x00\x18\x00\x00\x59\x61"); i > 0 {
				mark := binary.BigEndian.Uint16(f.Data[i+6:])
				home[mark] = append(home[mark], f.worker)
			}
		}
		n := 0
		for _, l := range home {
			n += len(l)
		}
		return n >= len(in)+len(out)
	})
	for k, kind := range kinds {
		used := map[int]bool{}
		for i := range uint16(flows) {
			l := home[uint16(k)<<8|i]
			if len(l) != 2 || l[0] != l[1] {
				t.Errorf("%s: flow %d met workers %v", kind.name, i, l)
			}
			for _, at := range l {
				used[at] = true
			}
		}
		if kind.spread != (len(used) > 1) {
			t.Errorf("%s: flows reached workers %v, spread should be %v", kind.name, used, kind.spread)
		}
	}
}

func TestVLAN(t *testing.T) {
	needNet(t)
	p := newPeer(t)
	p.link(t, "ya0")
	w := start(t, Config{Interface: "ya0"})
	inner := ipv4(17, 1, 2, false, udp(5, false, 1))
	p.do(t, func() error {
		return inject("far",
			append(ethHeader(0x81, 0, 0x20, 5, 8, 0), inner...),
			append(ethHeader(0x88, 0xa8, 0, 6, 0x81, 0, 0, 7, 8, 0), inner...),
			append(ethHeader(8, 0), inner...))
	})
	var got []string
	w.until(t, "three frames", func() bool {
		got = nil
		for _, f := range w.frames {
			if strings.Contains(string(f.Data), string(inner)) {
				got = append(got, fmt.Sprintf("%04x/%x/%x", f.VLANTPID, f.VLAN, f.Data[12:len(f.Data)-len(inner)]))
			}
		}
		return len(got) == 3
	})
	want := []string{"8100/2005/0800", "88a8/6/810000070800", "0000/0/0800"}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("frame %d: tag type/tag/types left %s, want %s", i, got[i], want[i])
		}
	}
}
