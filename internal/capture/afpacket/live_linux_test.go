package afpacket

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/capture"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

var _ capture.Source = (*Source)(nil)

// seen is a frame with its data copied.
type seen struct {
	packet.Frame
	worker int
}

// watch runs sources and keeps what they deliver.
type watch struct {
	sources []*Source
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	mu      sync.Mutex
	frames  []seen
	ticks   int
	states  []bool
	errs    []error
}

// start opens and runs; the end of the test stops it.
func start(t *testing.T, c Config) *watch {
	t.Helper()
	w := &watch{}
	c.OnState = func(up bool, err error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.states = append(w.states, up)
		if up == (err != nil) || err != nil && !errors.Is(err, ErrDown) {
			w.errs = append(w.errs, fmt.Errorf("state %v with error %w", up, err))
		}
	}
	var err error
	if w.sources, err = New(c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	for i, s := range w.sources {
		w.wg.Go(func() {
			err := s.Run(ctx, func(f *packet.Frame) verdict.Verdict {
				w.mu.Lock()
				defer w.mu.Unlock()
				if f == nil {
					w.ticks++
					return verdict.Verdict{}
				}
				k := seen{*f, i}
				k.Data = append([]byte(nil), f.Data...)
				w.frames = append(w.frames, k)
				return verdict.Verdict{}
			})
			if err != nil {
				w.mu.Lock()
				w.errs = append(w.errs, err)
				w.mu.Unlock()
			}
		})
	}
	t.Cleanup(func() {
		begin := time.Now()
		cancel()
		w.wg.Wait()
		// A quarter of a second to notice; the kernel takes its time to close
		// sockets on a busy machine.
		if d := time.Since(begin); d > 5*time.Second {
			t.Errorf("stopping took %v", d)
		}
		for _, err := range w.errs {
			t.Error(err)
		}
	})
	return w
}

// until waits for a condition over what was seen.
func (w *watch) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(8 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		w.mu.Lock()
		yes := ok()
		w.mu.Unlock()
		if yes {
			return
		}
		if time.Now().After(end) {
			w.mu.Lock()
			defer w.mu.Unlock()
			t.Fatalf("waited in vain for %s; %d frames, states %v", what, len(w.frames), w.states)
		}
	}
}

// ports reads the UDP or TCP ports of an Ethernet frame over IP.
func ports(f *packet.Frame) (src, dst uint16) {
	b := f.Data
	var l4 int
	switch {
	case len(b) >= 42 && b[12] == 8 && b[13] == 0:
		l4 = 14 + int(b[14]&15)*4
	case len(b) >= 62 && b[12] == 0x86 && b[13] == 0xdd && (b[20] == 6 || b[20] == 17):
		l4 = 54
	default:
		return 0, 0
	}
	if len(b) < l4+4 {
		return 0, 0
	}
	return binary.BigEndian.Uint16(b[l4:]), binary.BigEndian.Uint16(b[l4+2:])
}

// echo serves UDP and TCP on port 7 in the peer; UDP answers are short.
func (p *peer) echo(t *testing.T, addr string) {
	t.Helper()
	hostport := net.JoinHostPort(addr, "7")
	p.do(t, func() error {
		u, err := net.ListenPacket("udp", hostport)
		if err != nil {
			return err
		}
		l, err := net.Listen("tcp", hostport)
		if err != nil {
			return err
		}
		t.Cleanup(func() { u.Close(); l.Close() })
		go func() {
			b := make([]byte, 65536)
			for {
				n, from, err := u.ReadFrom(b)
				if err != nil {
					return
				}
				u.WriteTo(b[:min(n, 100)], from)
			}
		}()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() { io.Copy(c, c); c.Close() }()
			}
		}()
		return nil
	})
}

// ask sends n bytes by UDP to the echo server, waits for the answer and
// returns the port it came from.
func ask(t *testing.T, addr string, n int) uint16 {
	t.Helper()
	c, err := net.Dial("udp", net.JoinHostPort(addr, "7"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	buf := make([]byte, 65536)
	for range 20 {
		c.Write(make([]byte, n))
		c.SetReadDeadline(time.Now().Add(time.Second))
		if _, err = c.Read(buf); err == nil {
			return uint16(c.LocalAddr().(*net.UDPAddr).Port)
		}
		time.Sleep(50 * time.Millisecond) // refused or not yet reachable
	}
	t.Fatal(err)
	return 0
}

// flowsOf counts frames by the port that is not 7 and checks that each flow
// stayed with one worker. It returns frames out and in, and the workers used.
func (w *watch) flowsOf(t *testing.T) (out, in map[uint16]int, workers map[int]int) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	out, in, workers = map[uint16]int{}, map[uint16]int{}, map[int]int{}
	home := map[uint16]int{}
	for i := range w.frames {
		f := &w.frames[i]
		src, dst := ports(&f.Frame)
		port := src
		switch {
		case dst == 7:
			out[port]++
		case src == 7:
			port = dst
			in[port]++
		default:
			continue
		}
		if at, ok := home[port]; ok && at != f.worker {
			t.Errorf("flow of port %d met workers %d and %d", port, at, f.worker)
		}
		home[port] = f.worker
	}
	for _, worker := range home {
		workers[worker]++
	}
	return out, in, workers
}

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
	for _, f := range w.frames {
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
	if sum.Packets != uint64(len(w.frames)) || sum.Bytes != bytes || sum.Dropped != 0 {
		t.Errorf("stats %+v, want %d packets and %d bytes", sum, len(w.frames), bytes)
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
	for _, f := range w.frames {
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

func TestLoopbackOnce(t *testing.T) {
	needNet(t)
	mustIP(t, "link set lo up")
	w := start(t, Config{Interface: "lo", Workers: 2, RingBytes: 1 << 20})
	l, err := net.ListenPacket("udp", "127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("udp", "127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 20 {
		c.Write([]byte("lo"))
	}
	count := func() (n int) {
		for i := range w.frames {
			if _, dst := ports(&w.frames[i].Frame); dst == 9 {
				n++
			}
		}
		return n
	}
	w.until(t, "20 datagrams", func() bool { return count() >= 20 })
	time.Sleep(2 * retireTime)
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := count(); n != 20 {
		t.Errorf("20 datagrams were seen as %d", n)
	}
}

// TestLargeSegments: super-segments of a bulk transfer arrive whole.
func TestLargeSegments(t *testing.T) {
	needNet(t)
	p := newPeer(t)
	p.link(t, "ya0")
	p.echo(t, far)
	w := start(t, Config{Interface: "ya0", RingBytes: 32 << 20})
	c, err := net.Dial("tcp", far+":7")
	if err != nil {
		t.Fatal(err)
	}
	const size = 2 << 20
	go c.Write(make([]byte, size))
	if _, err := io.ReadFull(c, make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	c.Close()
	sent := 0
	w.until(t, "the transfer", func() bool {
		sent = 0
		for i := range w.frames {
			if _, dst := ports(&w.frames[i].Frame); dst == 7 {
				sent += len(w.frames[i].Data) - 66
			}
		}
		return sent >= size
	})
	largest := 0
	for _, f := range w.frames {
		largest = max(largest, len(f.Data))
		if f.Len != len(f.Data) {
			t.Fatalf("a frame of %d bytes was cut to %d", f.Len, len(f.Data))
		}
	}
	if largest < 30000 {
		t.Errorf("the largest frame has %d bytes: no super-segment, so nothing was tested", largest)
	}
}

func TestVanishAndReturn(t *testing.T) {
	needNet(t)
	p := newPeer(t)
	p.link(t, "ya0")
	p.echo(t, "0.0.0.0")
	w := start(t, Config{Interface: "ya0", Workers: 2, RingBytes: 1 << 20, Promiscuous: true})
	sees := func(what string) {
		t.Helper()
		w.mu.Lock()
		w.frames = nil
		w.mu.Unlock()
		port := ask(t, far, 50)
		w.until(t, what, func() bool {
			n := 0
			for i := range w.frames {
				if src, dst := ports(&w.frames[i].Frame); src == port || dst == port {
					n++
				}
			}
			return n >= 2
		})
	}
	states := func(want ...bool) func() bool {
		return func() bool { return fmt.Sprint(w.states) == fmt.Sprint(want) }
	}
	lost := func() (n uint64) {
		for _, s := range w.sources {
			n += s.Stats().Lost
		}
		return n
	}
	sees("a flow at the beginning")
	mustIP(t, "link del ya0")
	w.until(t, "the loss", func() bool { return len(w.states) > 0 && !w.states[0] })
	w.mu.Lock()
	w.ticks = 0
	w.mu.Unlock()
	w.until(t, "ticks meanwhile", func() bool { return w.ticks >= 2 })
	if n := lost(); n != 1 {
		t.Errorf("lost %d times, want 1", n)
	}
	p.link(t, "ya0")
	w.until(t, "the return", func() bool { return len(w.states) > 0 && w.states[len(w.states)-1] })
	sees("a flow after the return")

	w.mu.Lock()
	w.states = nil
	w.mu.Unlock()
	mustIP(t, "link set ya0 down")
	w.until(t, "down", func() bool { return len(w.states) > 0 && !w.states[0] })
	mustIP(t, "link set ya0 up")
	w.until(t, "up", func() bool { return len(w.states) > 0 && w.states[len(w.states)-1] })
	mustIP(t, "addr replace "+near6+"/64 dev ya0 nodad") // taking it down removed it
	sees("a flow after down and up")
	if n := lost(); n != 2 {
		t.Errorf("lost %d times, want 2", n)
	}

	// A short flap is one loss, not one for each worker.
	w.mu.Lock()
	w.states = nil
	w.mu.Unlock()
	mustIP(t, "link set ya0 down", "link set ya0 up")
	w.until(t, "the flap", states(false, true))
	sees("a flow after the flap")
	if n := lost(); n != 3 {
		t.Errorf("lost %d times, want 3", n)
	}
}

// TestDownAtStart: an interface that is down is waited for.
func TestDownAtStart(t *testing.T) {
	needNet(t)
	p := newPeer(t)
	p.link(t, "ya0")
	mustIP(t, "link set ya0 down")
	w := start(t, Config{Interface: "ya0", Workers: 2, RingBytes: 1 << 20})
	w.until(t, "word that it is down", func() bool { return len(w.states) == 1 && !w.states[0] })
	mustIP(t, "link set ya0 up")
	w.until(t, "up", func() bool { return len(w.states) == 2 && w.states[1] })
	for _, s := range w.sources {
		if s.Stats().Lost != 0 {
			t.Error("an interface that was never there is counted as lost")
		}
	}
}

// TestDrops: a worker that pauses with a tiny ring loses frames, and knows how
// many.
func TestDrops(t *testing.T) {
	needNet(t)
	p := newPeer(t)
	p.link(t, "ya0")
	all, err := New(Config{Interface: "ya0", RingBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	s := all[0]
	gate := make(chan struct{})
	var got atomic.Int64
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		done <- s.Run(ctx, func(f *packet.Frame) verdict.Verdict {
			<-gate
			if f != nil && len(f.Data) == 1014 {
				got.Add(1)
			}
			return verdict.Verdict{}
		})
	}()
	const sent = 2000
	frames := make([][]byte, sent)
	for i := range frames {
		frames[i] = append(ethHeader(0x88, 0xb5), make([]byte, 1000)...) // an EtherType for experiments
	}
	p.do(t, func() error { return inject("far", frames...) })
	close(gate)
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if n := got.Load(); n > 0 && uint64(n)+s.Stats().Dropped >= sent {
			break
		}
	}
	// It goes on once there is room.
	before := got.Load()
	p.do(t, func() error { return inject("far", frames[:10]...) })
	for end := time.Now().Add(5 * time.Second); got.Load() < before+10 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	st := s.Stats()
	if got.Load() != before+10 {
		t.Errorf("%d of 10 frames after the pause", got.Load()-before)
	}
	// Neighbour discovery may add a few to what was dropped.
	if n := uint64(before) + st.Dropped; st.Dropped < sent/2 || n < sent || n > sent+20 {
		t.Errorf("%d frames delivered and %d dropped of %d", before, st.Dropped, sent)
	}
}

// tun opens a tunnel interface of the given hardware type; what is written to
// the file arrives on it.
func tun(t *testing.T, name string, hardware int) *os.File {
	t.Helper()
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("this test needs /dev/net/tun: %v", err)
		}
		t.Skipf("skipped: this test needs /dev/net/tun: %v", err)
	}
	f := os.NewFile(uintptr(fd), name)
	t.Cleanup(func() { f.Close() })
	ifr, _ := unix.NewIfreq(name)
	ifr.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetInt(fd, unix.TUNSETLINK, hardware); err != nil {
		t.Fatal(err)
	}
	mustIP(t, "link set "+name+" up", "addr add 10.78.0.1/24 dev "+name)
	return f
}

func TestInterfacesWithoutEthernet(t *testing.T) {
	needNet(t)
	for _, c := range []struct {
		hardware int
		link     packet.LinkType
		front    int // bytes before the IP header
	}{
		{unix.ARPHRD_NONE, packet.LinkRaw, 0},
		{unix.ARPHRD_PPP, packet.LinkRaw, 0},
		{unix.ARPHRD_IEEE802154, packet.LinkSLL, cookedLen},
	} {
		t.Run(fmt.Sprint("hardware ", c.hardware), func(t *testing.T) {
			dev := tun(t, "ytun", c.hardware)
			w := start(t, Config{Interface: "ytun", Workers: 2, RingBytes: 1 << 20})
			in := ipv4(17, 1, 2, false, udp(1111, false, 7))
			in6 := ipv6(17, 1, 2, false, udp(1111, false, 7))
			dev.Write(in)
			dev.Write(in6)
			out, err := net.Dial("udp", "10.78.0.2:9")
			if err != nil {
				t.Fatal(err)
			}
			out.Write([]byte("outward"))
			out.Close()
			var a, a6, b *seen
			w.until(t, "both directions", func() bool {
				for i := range w.frames {
					f := &w.frames[i]
					switch s := string(f.Data); {
					case strings.HasSuffix(s, "outward"):
						b = f
					case strings.HasSuffix(s, string(in)):
						a = f
					case strings.HasSuffix(s, string(in6)):
						a6 = f
					}
				}
				return a != nil && a6 != nil && b != nil
			})
			for _, f := range []*seen{a, a6, b} {
				if f.Link != c.link || len(f.Data) <= c.front || f.Len != len(f.Data) {
					t.Fatalf("link type %d, %d of %d bytes", f.Link, len(f.Data), f.Len)
				}
			}
			if len(a.Data) != c.front+len(in) || len(a6.Data) != c.front+len(in6) || len(b.Data) != c.front+20+8+7 {
				t.Errorf("%d, %d and %d bytes", len(a.Data), len(a6.Data), len(b.Data))
			}
			if c.link == packet.LinkSLL {
				for f, want := range map[*seen]string{a: "\x00\x00\x03\x24", b: "\x00\x04\x03\x24"} {
					if got := string(f.Data[:4]); got != want {
						t.Errorf("cooked header begins % x, want % x", got, want)
					}
				}
				if string(a.Data[14:16]) != "\x08\x00" || string(a6.Data[14:16]) != "\x86\xdd" {
					t.Errorf("cooked protocols % x and % x", a.Data[14:16], a6.Data[14:16])
				}
			}
		})
	}
}

func TestPermission(t *testing.T) {
	needNet(t)
	errs := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread without rights ends with the goroutine
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&hdr, &none[0]); err != nil {
			errs <- err
			return
		}
		_, err := New(Config{Interface: "lo"})
		errs <- err
	}()
	err := <-errs
	if !errors.Is(err, ErrPermission) {
		t.Fatalf("error %v", err)
	}
	self, _ := os.Executable()
	for _, want := range []string{"lo", "CAP_NET_RAW", "CAP_NET_ADMIN", "run as root", "sudo setcap cap_net_raw,cap_net_admin+ep " + self} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	needNet(t)
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{Interface: "nope0"}, "there is no interface nope0 (there are: lo"},
		{Config{}, "empty"},
		{Config{Interface: strings.Repeat("x", 16)}, "longer than 15"},
		{Config{Interface: "lo", Workers: MaxWorkers + 1}, "at most 256"},
		{Config{Interface: "lo", RingBytes: MaxRing + 1}, "at most 1073741824"},
		{Config{Interface: "lo", FanoutID: 65536}, "65535"},
	} {
		if _, err := New(c.config); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.config, err, c.want)
		}
	}
}

// TestLifeCycle: ticks, one Run, Close before and during Run, and no
// descriptor left behind.
func TestLifeCycle(t *testing.T) {
	needNet(t)
	mustIP(t, "link set lo up")
	descriptors := func() int {
		l, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(l)
	}
	before := descriptors()
	all, err := New(Config{Interface: "lo", Workers: 3, RingBytes: 1 << 20, FanoutID: 4711})
	if err != nil {
		t.Fatal(err)
	}
	if err := all[0].Close(); err != nil {
		t.Error(err)
	}
	if err := all[0].Run(t.Context(), nil); err == nil {
		t.Error("Run after Close")
	}
	ctx, cancel := context.WithCancel(context.Background())
	ticks := make(chan struct{}, 100)
	done := make(chan error, 2)
	for _, s := range all[1:] {
		go func() {
			done <- s.Run(ctx, func(f *packet.Frame) verdict.Verdict {
				if f == nil {
					ticks <- struct{}{}
				}
				return verdict.Verdict{}
			})
		}()
	}
	for range 4 {
		select {
		case <-ticks:
		case <-time.After(time.Second):
			t.Fatal("no tick within a second")
		}
	}
	if err := all[1].Run(ctx, nil); err == nil {
		t.Error("a second Run")
	}
	all[1].Close()
	cancel()
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := descriptors(); n > before {
		t.Errorf("%d descriptors before, %d after", before, n)
	}
}

// TestDeliveryAllocs: nothing is allocated for a frame on its way from the
// ring to the handler.
func TestDeliveryAllocs(t *testing.T) {
	needNet(t)
	p := newPeer(t)
	p.link(t, "ya0")
	all, err := New(Config{Interface: "ya0"})
	if err != nil {
		t.Fatal(err)
	}
	s := all[0]
	defer s.Close()
	frames := make([][]byte, 500)
	for i := range frames {
		frames[i] = append(ethHeader(0x88, 0xb5), make([]byte, 100)...)
	}
	got := 0
	h := func(f *packet.Frame) verdict.Verdict { got++; return verdict.Verdict{} }
	p.do(t, func() error { return inject("far", frames...) })
	var before, after runtime.MemStats
	ctx := t.Context()
	runtime.ReadMemStats(&before)
	for range 20 {
		s.drain(ctx, h)
		if got >= len(frames) {
			break
		}
		if err := s.wait(); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	// The runtime and the counter of drops take a handful.
	if n := after.Mallocs - before.Mallocs; got < len(frames) || n > 50 {
		t.Errorf("%d frames with %d allocations", got, n)
	}
}
