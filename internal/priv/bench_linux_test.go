package priv

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/capture/nfqueue"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// BenchmarkVerdicts compares verdicts that go to the kernel with those that go
// by way of the privileged side: datagrams over the loopback interface, one
// at a time (what a packet waits) and as fast as one sender can.
func BenchmarkVerdicts(b *testing.B) {
	rule := []string{"OUTPUT", "-o", "lo", "-p", "udp", "--dport", fmt.Sprint(testPort), "-j", "NFQUEUE", "--queue-num", fmt.Sprint(testQueue), "--queue-bypass"}
	if out, err := exec.Command("iptables", append([]string{"-w", "-A"}, rule...)...).CombinedOutput(); err != nil {
		b.Skipf("needs root and iptables: %v: %s", err, out)
	}
	defer func() { _ = exec.Command("iptables", append([]string{"-w", "-D"}, rule...)...).Run() }()
	for _, way := range []string{"direct", "relayed"} {
		open := nfqueue.Open
		if way == "relayed" {
			cmd, sock, err := spawn(&Config{Helper: HelperConfig{State: b.TempDir() + "/state.json"}})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = cmd.Wait() }()
			fd, err := unix.Dup(int(sock.Fd()))
			if err != nil {
				b.Fatal(err)
			}
			_ = sock.Close()
			c, err := newClient(fd, 0)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			open = c.OpenQueue
		}
		for _, flood := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/flood=%v", way, flood), func(b *testing.B) {
				q, err := open(nfqueue.Config{Queue: testQueue})
				if err != nil {
					b.Fatal(err)
				}
				ctx, cancel := context.WithCancel(context.Background())
				done := make(chan error, 1)
				go func() {
					done <- q.Run(ctx, func(*packet.Frame) verdict.Verdict { return verdict.Verdict{} })
				}()
				defer func() { cancel(); <-done }()
				l, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", testPort))
				if err != nil {
					b.Fatal(err)
				}
				defer func() { _ = l.Close() }()
				conn, err := net.Dial("udp", l.LocalAddr().String())
				if err != nil {
					b.Fatal(err)
				}
				defer func() { _ = conn.Close() }()
				payload, buf := make([]byte, 1400), make([]byte, 2000)
				got := make(chan struct{}, 1<<16)
				go func() {
					for {
						if _, _, err := l.ReadFrom(buf); err != nil {
							return
						}
						got <- struct{}{}
					}
				}()
				ahead := 1
				if flood {
					ahead = 128 // fits in the receiver's buffer
				}
				sent, lost := 0, 0
				for n := 0; n < b.N; {
					for sent-n < ahead && sent < b.N {
						_, _ = conn.Write(payload)
						sent++
					}
					select {
					case <-got:
						n++
					case <-time.After(100 * time.Millisecond):
						lost += sent - n
						n = sent
					}
				}
				b.ReportMetric(float64(lost), "lost")
			})
		}
	}
}
