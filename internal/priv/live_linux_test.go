package priv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/capture/afpacket"
	"github.com/yamori-net/yamori/internal/capture/nfqueue"
	"github.com/yamori-net/yamori/internal/enforce"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// The queue of the tests and what goes to it: datagrams to this port.
const (
	testQueue = 77
	testPort  = 4077
)

// live is what the daemon without privileges did with what it was handed.
type live struct {
	Frames   uint64 // of the packet socket
	Queued   uint64 // packets of the queue
	Passed   int    // datagrams that came through, of 50 of which each second is dropped
	Mode     string
	Listed   int
	Left     bool
	Beats    bool
	Counters bool
	Sender   string // sent and failed
}

func packets(c *Client, _ string, say func(any)) error {
	var r live
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := r.tap(ctx, c); err != nil {
		return fmt.Errorf("tap: %w", err)
	}
	for range 2 { // it is let go of, and can be had again at once
		r.Passed = 0
		if err := r.line(ctx, c); err != nil {
			return fmt.Errorf("queue: %w", err)
		}
	}
	if err := r.rules(c); err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	s, err := c.OpenSender(0)
	if err != nil {
		return err
	}
	var p packet.Packet
	frame := packet.Frame{Data: segment(), Link: packet.LinkRaw, Len: 40}
	new(packet.Decoder).Decode(&p, &frame)
	s.Reject(&p)
	r.Sender = fmt.Sprint(s.Sent.Load(), s.Failed.Load())
	s.Close()
	say(r)
	return nil
}

// segment is a SYN from 127.0.0.1 to 127.0.0.2.
func segment() []byte {
	return []byte{0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 2,
		0x80, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 1, 0, 0, 0, 0, 0}
}

// tap reads the loopback interface by a packet socket that was handed over.
func (r *live) tap(ctx context.Context, c *Client) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	src, err := afpacket.New(afpacket.Config{Interface: "lo", Workers: 2, Promiscuous: true, RingBytes: 1 << 20, Open: c.OpenPacket})
	if err != nil {
		return err
	}
	var frames atomic.Uint64
	done := make(chan error, len(src))
	for _, s := range src {
		go func() {
			done <- s.Run(ctx, func(f *packet.Frame) verdict.Verdict {
				if f != nil {
					frames.Add(1)
				}
				return verdict.Verdict{}
			})
		}()
	}
	conn, err := net.Dial("udp", "127.0.0.1:9")
	if err != nil {
		return err
	}
	for range 100 {
		_, _ = conn.Write([]byte("x"))
		time.Sleep(time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond)
	cancel()
	for range src {
		if err := <-done; err != nil {
			return err
		}
	}
	r.Frames = frames.Load()
	return nil
}

// line judges datagrams of a queue that was handed over.
func (r *live) line(ctx context.Context, c *Client) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	q, err := c.OpenQueue(nfqueue.Config{Queue: testQueue})
	if err != nil {
		return err
	}
	n := 0
	done := make(chan error, 1)
	go func() {
		done <- q.Run(ctx, func(f *packet.Frame) verdict.Verdict {
			if f == nil {
				return verdict.Verdict{}
			}
			if n++; n%2 == 0 {
				return verdict.Verdict{Action: verdict.Drop}
			}
			return verdict.Verdict{}
		})
	}()
	l, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", testPort))
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	conn, err := net.Dial("udp", l.LocalAddr().String())
	if err != nil {
		return err
	}
	buf := make([]byte, 16)
	for range 50 {
		_, _ = conn.Write([]byte("x"))
	}
	_ = l.SetReadDeadline(time.Now().Add(time.Second))
	for {
		if _, _, err := l.ReadFrom(buf); err != nil {
			break
		}
		r.Passed++
	}
	st := q.Stats()
	r.Queued = st.Packets
	_ = conn.Close()
	cancel()
	return <-done
}

// rules uses everything of a table.
func (r *live) rules(c *Client) error {
	if _, err := c.Install(enforce.Config{Queue: 5, Workers: 1, LAN: []string{"bad name"}}); err == nil {
		return errors.New("a bad interface was taken")
	}
	t, err := c.Install(enforce.Config{Queue: testQueue, Workers: 1, LAN: []string{"lo"}})
	if err != nil {
		return err
	}
	r.Mode = t.Mode()
	var many []enforce.Entry
	for i := range 1000 {
		many = append(many, enforce.Entry{Kind: enforce.Block, Net: netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 32), For: time.Minute})
	}
	if err := t.Put(many...); err != nil {
		return err
	}
	if err := t.Delete(many[0]); err != nil {
		return err
	}
	if err := errors.Join(t.SetNever([]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}), t.SetAllowed(nil)); err != nil {
		return err
	}
	list, err := t.List()
	if err != nil {
		return err
	}
	r.Listed = len(list)
	if len(list) > 0 {
		r.Left = list[0].Left > 0 && list[0].Left <= time.Minute
	}
	r.Beats = t.Beat() == nil && t.Rest() == nil
	_, err = t.Counters()
	r.Counters = err == nil
	if err := t.Put(enforce.Entry{Kind: enforce.Block, Net: netip.MustParsePrefix("0.0.0.0/0")}); err == nil {
		return errors.New("the whole internet was blocked")
	}
	if err := t.Remove(); err != nil {
		return err
	}
	if err := t.Beat(); !errors.Is(err, ErrRefused) {
		return fmt.Errorf("a beat without rules: %w", err)
	}
	return nil
}

// TestHandedOver has a daemon without privileges read frames, judge packets and
// change rules by way of the privileged process.
func TestHandedOver(t *testing.T) {
	needRoot(t)
	if _, err := exec.LookPath("iptables"); err != nil {
		t.Skip("needs iptables, to fill a queue")
	}
	rule := func(op string) {
		out, err := exec.Command("iptables", "-w", op, "OUTPUT", "-o", "lo", "-p", "udp", "--dport", fmt.Sprint(testPort),
			"-j", "NFQUEUE", "--queue-num", fmt.Sprint(testQueue), "--queue-bypass").CombinedOutput()
		if err != nil {
			t.Fatalf("iptables: %v: %s", err, out)
		}
	}
	rule("-A")
	defer rule("-D")
	s := begin(t, "packets", folder(t))
	var r live
	s.read(t, &r)
	t.Logf("%+v", r)
	if r.Frames < 100 {
		t.Errorf("%d frames", r.Frames)
	}
	if r.Queued != 50 || r.Passed != 25 {
		t.Errorf("%d packets queued, %d passed; 50 and 25 are right", r.Queued, r.Passed)
	}
	if r.Mode == "" || r.Listed != 999 || !r.Left || !r.Beats || !r.Counters {
		t.Errorf("rules: %+v", r)
	}
	if r.Sender != "2 0" {
		t.Errorf("sender: %s", r.Sender)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, s.err)
	}
}

// TestVerdictNeedsPrivilege shows why verdicts go by way of the privileged
// process: the kernel asks for the capability with every message.
func TestVerdictNeedsPrivilege(t *testing.T) {
	needRoot(t)
	fd, err := nfqueue.Bind(nfqueue.Config{Queue: testQueue + 1})
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	verdict := []byte{32, 0, 0, 0, 1, 3, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, testQueue + 1, 12, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 1}
	ask := func() int32 {
		if err := nfqueue.Forward(fd, verdict); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 256)
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil || n < 20 {
			t.Fatal(n, err)
		}
		return int32(buf[16]) | int32(buf[17])<<8 | int32(buf[18])<<16 | int32(buf[19])<<24
	}
	if code := ask(); code != -int32(unix.ENOENT) {
		t.Errorf("with privileges: %d, not ENOENT for a packet that is not there", code)
	}
	err = onThread(func() error {
		if err := noCaps(); err != nil {
			return err
		}
		if code := ask(); code != -int32(unix.EPERM) {
			return fmt.Errorf("without: %d, not EPERM", code)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func rules(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("nft", "list", "ruleset").CombinedOutput()
	if err != nil {
		t.Fatalf("nft: %v: %s", err, out)
	}
	return string(out)
}

// TestDeath kills either side and looks what is left: what is blocked stays so.
func TestDeath(t *testing.T) {
	needRoot(t)
	for _, leave := range []bool{false, true} {
		t.Run(fmt.Sprintf("daemon, leave %v", leave), func(t *testing.T) {
			role := "wait"
			if leave {
				role = "leave"
			}
			s := begin(t, role, folder(t))
			var pids []int
			s.read(t, &pids)
			if pids[0] != s.cmd.Process.Pid {
				t.Errorf("process %d became %d", s.cmd.Process.Pid, pids[0])
			}
			if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pids[1])); err != nil || strings.TrimSpace(string(b)) == "exe" {
				t.Errorf("the privileged process is called %q", b)
			}
			for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP} {
				if err := unix.Kill(pids[1], sig); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(50 * time.Millisecond)
			if !alive(pids[1]) {
				t.Fatal("the privileged process ended at a signal")
			}
			if !strings.Contains(rules(t), "table inet yamori") {
				t.Fatal("no rules")
			}
			if err := unix.Kill(pids[0], unix.SIGKILL); err != nil {
				t.Fatal(err)
			}
			d := waitFor(t, "end of the privileged process", 10*time.Second, func() bool { return !alive(pids[1]) })
			t.Logf("the privileged process ended %v after the daemon", d.Round(time.Millisecond))
			text := rules(t)
			if has := strings.Contains(text, "table inet yamori"); has != leave {
				t.Errorf("rules left: %v\n%s", has, text)
			}
			if leave && (!strings.Contains(text, "203.0.113.9") || strings.Contains(text, "ipv4 timeout")) {
				t.Errorf("the block is gone, or packets are still queued:\n%s", text)
			}
			if err := enforce.Unhook(s.state()); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("privileged", func(t *testing.T) {
		s := begin(t, "wait", folder(t))
		var pids []int
		s.read(t, &pids)
		if err := unix.Kill(pids[1], unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		var word string
		s.read(t, &word)
		if word != "gone" {
			t.Errorf("said %q", word)
		}
		if err := enforce.Unhook(s.state()); err != nil {
			t.Error(err)
		}
	})
}

// TestRestart starts a daemon in the moment that another one is killed: the end
// of the old one's rules is not the end of the new one's.
func TestRestart(t *testing.T) {
	needRoot(t)
	for range 3 {
		dir := folder(t)
		old := begin(t, "leave", dir)
		var a, b []int
		old.read(t, &a)
		if err := unix.Kill(a[0], unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		s := begin(t, "leave", dir)
		s.read(t, &b)
		waitFor(t, "end of the old one", 5*time.Second, func() bool { return !alive(a[1]) })
		time.Sleep(100 * time.Millisecond)
		if !strings.Contains(rules(t), "203.0.113.9") {
			t.Error("the new one's rules are gone")
		}
		_ = s.in.Close()
		if err := s.cmd.Wait(); err != nil {
			t.Errorf("%v\n%s", err, s.err)
		}
		waitFor(t, "end of the new one", 5*time.Second, func() bool { return !alive(b[1]) })
	}
	// Somebody who holds the name does not keep the home without protection.
	fd := lock()
	if fd < 0 {
		t.Fatal("the lock was not let go of")
	}
	defer unix.Close(fd)
	began := time.Now()
	s := begin(t, "wait", folder(t))
	var pids []int
	s.read(t, &pids)
	if d := time.Since(began); d < lockTime {
		t.Errorf("it did not wait for the lock, only %v", d)
	}
	_ = s.in.Close()
	_ = s.cmd.Wait()
	waitFor(t, "end", 5*time.Second, func() bool { return !alive(pids[1]) })
}

// state is where the daemon's privileged process keeps what to restore.
func (s *stage) state() string {
	for _, e := range s.cmd.Env {
		if dir, ok := strings.CutPrefix(e, envFolder+"="); ok {
			return dir + "/enforce.json"
		}
	}
	return os.DevNull
}
