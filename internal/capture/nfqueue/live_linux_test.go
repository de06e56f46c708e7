package nfqueue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	gonet "net"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/netns"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// home is a client behind a router with NAT, and a server outside.
type home struct{ client, router, server *netns.NS }

const serverAddr = "203.0.113.9"

// makeHome builds one, with the queue in the router's FORWARD chain and the
// chain behind it that acts on the marks.
func makeHome(t *testing.T, queues string) *home {
	t.Helper()
	missing := func(what string) {
		if os.Getenv("CI") != "" {
			t.Fatalf("this test needs %s", what)
		}
		t.Skipf("skipped: this test needs %s", what)
	}
	for _, p := range []string{"ip", "iptables-nft"} {
		if _, err := exec.LookPath(p); err != nil {
			missing("the program " + p)
		}
	}
	h := &home{}
	for _, x := range []struct {
		name string
		ns   **netns.NS
	}{{"client", &h.client}, {"router", &h.router}, {"server", &h.server}} {
		n, err := netns.New(x.name)
		if errors.Is(err, netns.ErrPermission) {
			missing("root")
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(n.Close)
		*x.ns = n
	}
	for _, err := range []error{
		netns.Join(h.client, "eth0", h.router, "lan"), netns.Join(h.server, "eth0", h.router, "wan"),
		h.client.Script("ip addr add 192.168.9.2/24 dev eth0\nip route add default via 192.168.9.1"),
		h.server.Script("ip addr add " + serverAddr + "/24 dev eth0"),
		h.router.Script(`
			ip addr add 192.168.9.1/24 dev lan
			ip addr add 203.0.113.1/24 dev wan
			sysctl -q -w net.ipv4.ip_forward=1
			iptables-nft -t nat -A POSTROUTING -o wan -j MASQUERADE
			iptables-nft -t mangle -A FORWARD -m mark ! --mark 0/0x3000 -j ACCEPT
			iptables-nft -t mangle -A FORWARD -m connmark --mark 0x1000/0x1000 -j ACCEPT
			iptables-nft -t mangle -A FORWARD -j NFQUEUE ` + queues + ` --queue-bypass
			iptables-nft -A FORWARD -m mark --mark 0x2000/0x2000 -j CONNMARK --save-mark --mask 0x2000
			iptables-nft -A FORWARD -m connmark --mark 0x2000/0x2000 -j DROP
			iptables-nft -t mangle -A POSTROUTING -m mark --mark 0x1000/0x1000 -j CONNMARK --save-mark --mask 0x1000`),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return h
}

var testMarks = Marks{Release: 0x1000, Cut: 0x2000}

// listen opens a queue in the router and runs it until the returned function
// is called.
func (h *home) listen(t *testing.T, queue uint16, handler func(f *packet.Frame) verdict.Verdict) (*Source, func()) {
	t.Helper()
	var s *Source
	if err := h.router.Do(func() (err error) {
		s, err = Open(Config{Queue: queue, Marks: testMarks})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := h.router.Go(func() error { return s.Run(ctx, handler) })
	var once sync.Once
	stop := func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return s, stop
}

// echo serves on the server: it sends back what it gets.
func (h *home) echo(t *testing.T) {
	t.Helper()
	var l gonet.Listener
	if err := h.server.Do(func() (err error) { l, err = gonet.Listen("tcp", serverAddr+":7"); return err }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); _, _ = io.Copy(c, c) }()
		}
	}()
}

// dial connects from the client.
func (h *home) dial() (c gonet.Conn, err error) {
	err = h.client.Do(func() (err error) {
		c, err = gonet.DialTimeout("tcp", serverAddr+":7", 20*time.Second)
		return err
	})
	return c, err
}

// say sends text and reads it back.
func say(c gonet.Conn, text string, limit time.Duration) error {
	_ = c.SetDeadline(time.Now().Add(limit))
	if _, err := io.WriteString(c, text); err != nil {
		return err
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if string(got) != text {
		return fmt.Errorf("got %q back", got)
	}
	return nil
}

// TestInLine: with a bad word a flow is cut at the packet that says it, others
// pass, a released flow is not seen again, and without a listener all pass.
func TestInLine(t *testing.T) {
	h := makeHome(t, "--queue-num 3")
	h.echo(t)
	var mu sync.Mutex
	var afterRelease int
	released := map[uint16]bool{}
	s, stop := h.listen(t, 3, func(f *packet.Frame) verdict.Verdict {
		if f == nil {
			return verdict.Verdict{}
		}
		ip := f.Data
		if f.Link == packet.LinkEthernet {
			ip = ip[14:]
		}
		l4 := ip[int(ip[0]&15)*4:]
		port := max(net.Uint16(l4), net.Uint16(l4[2:]))
		mu.Lock()
		defer mu.Unlock()
		if released[port] {
			afterRelease++
		}
		switch {
		case bytes.Contains(ip, []byte("secret")):
			return verdict.Verdict{Action: verdict.Drop, Scope: verdict.Flow}
		case bytes.Contains(ip, []byte("trust me")):
			released[port] = true
			return verdict.Verdict{Action: verdict.Accept, Scope: verdict.Flow}
		}
		return verdict.Verdict{}
	})
	good, err := h.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer good.Close()
	if err := say(good, "hello", 3*time.Second); err != nil {
		t.Fatal("a good flow:", err)
	}
	bad, err := h.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer bad.Close()
	if err := say(bad, "the secret", 700*time.Millisecond); err == nil {
		t.Error("what was to be cut came through")
	}
	if err := say(good, "trust me", 3*time.Second); err != nil {
		t.Fatal("release:", err)
	}
	time.Sleep(50 * time.Millisecond) // the answer's own packets
	mu.Lock()
	afterRelease = 0
	mu.Unlock()
	for range 20 {
		if err := say(good, "the secret, released", 3*time.Second); err != nil {
			t.Fatal("after release:", err)
		}
	}
	mu.Lock()
	if afterRelease != 0 {
		t.Errorf("%d packets of a released flow were queued", afterRelease)
	}
	mu.Unlock()
	st := s.Stats()
	if st.Released == 0 || st.Cut == 0 || st.Packets < 10 || st.Malformed+st.Unsent+st.Unseen+st.Truncated > 0 {
		t.Errorf("%+v", st)
	}
	stop()
	free, err := h.dial()
	if err != nil {
		t.Fatal("without a listener:", err)
	}
	defer free.Close()
	if err := say(free, "no secret to anyone", 3*time.Second); err != nil {
		t.Error("without a listener:", err)
	}
}

// TestSuperSegments: bulk arrives in segments larger than a frame.
func TestSuperSegments(t *testing.T) {
	h := makeHome(t, "--queue-num 3")
	h.echo(t)
	var most int
	s, stop := h.listen(t, 3, func(f *packet.Frame) verdict.Verdict {
		if f != nil {
			most = max(most, f.Len)
		}
		return verdict.Verdict{}
	})
	c, err := h.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const total = 20 << 20
	go func() { _, _ = c.Write(make([]byte, total)) }()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if n, err := io.CopyN(io.Discard, c, total); err != nil {
		t.Fatalf("%d bytes: %v", n, err)
	}
	st := s.Stats()
	stop()
	if most <= 1514 || st.Truncated > 0 {
		t.Errorf("largest packet %d bytes; %+v", most, st)
	}
	t.Logf("largest packet %d bytes, %d packets for %d MB there and back", most, st.Packets, total>>20)
}

// TestSameWorker: behind a source NAT and spread over queues, both directions
// of a flow meet at the same queue.
func TestSameWorker(t *testing.T) {
	const queues = 4
	h := makeHome(t, fmt.Sprintf("--queue-balance 0:%d", queues-1))
	h.echo(t)
	var mu sync.Mutex
	at := map[uint16]int{} // client port → queue
	dirs := map[uint16][2]int{}
	used := map[int]int{}
	for q := range queues {
		h.listen(t, uint16(q), func(f *packet.Frame) verdict.Verdict {
			if f == nil {
				return verdict.Verdict{}
			}
			ip := f.Data
			if f.Link == packet.LinkEthernet {
				ip = ip[14:]
			}
			l4 := ip[int(ip[0]&15)*4:]
			port, dir := net.Uint16(l4), 0
			if port == 7 {
				port, dir = net.Uint16(l4[2:]), 1
			}
			mu.Lock()
			defer mu.Unlock()
			if was, ok := at[port]; ok && was != q {
				t.Errorf("port %d met queues %d and %d", port, was, q)
			}
			at[port] = q
			d := dirs[port]
			d[dir]++
			dirs[port] = d
			used[q]++
			return verdict.Verdict{}
		})
	}
	// The kernel hashes addresses alone, so it takes several of them.
	if err := h.client.Script("ip addr add 192.168.9.3/24 dev eth0\nip addr add 192.168.9.4/24 dev eth0\nip addr add 192.168.9.5/24 dev eth0\nip addr add 192.168.9.6/24 dev eth0"); err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		var c gonet.Conn
		if err := h.client.Do(func() (err error) {
			d := gonet.Dialer{Timeout: 20 * time.Second, LocalAddr: &gonet.TCPAddr{IP: gonet.IPv4(192, 168, 9, byte(2+i%5))}}
			c, err = d.Dial("tcp", serverAddr+":7")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := say(c, "hello", 3*time.Second); err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
	mu.Lock()
	defer mu.Unlock()
	for port, d := range dirs {
		if d[0] == 0 || d[1] == 0 {
			t.Errorf("port %d: %v packets each way", port, d)
		}
	}
	if len(used) < 2 {
		t.Errorf("all went to one queue: %v", used)
	}
}

// TestBusy: a queue has one owner, and the error says what to do.
func TestBusy(t *testing.T) {
	h := makeHome(t, "--queue-num 3")
	h.listen(t, 3, func(*packet.Frame) verdict.Verdict { return verdict.Verdict{} })
	err := h.router.Do(func() error {
		s, err := Open(Config{Queue: 3})
		if err == nil {
			_ = s.Close()
		}
		return err
	})
	if !errors.Is(err, ErrBusy) {
		t.Errorf("%v", err)
	}
}
