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
	"slices"
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

// snapshot returns what was seen so far.
func (w *watch) snapshot() []seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.frames)
}

// until waits for a condition over what was seen.
func (w *watch) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
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
	for _, f := range w.snapshot() {
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
			out, err := net.Dial("udp", "10.78.0.2:9")
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			var a, a6, b *seen
			var sent time.Time
			w.until(t, "both directions", func() bool {
				if time.Since(sent) > 500*time.Millisecond { // a kernel that is busy may lose one
					sent = time.Now()
					dev.Write(in)
					dev.Write(in6)
					out.Write([]byte("outward"))
				}
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
