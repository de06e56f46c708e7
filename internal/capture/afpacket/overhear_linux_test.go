package afpacket

import (
	"net"
	"testing"
	"time"
)

// TestOverhear: datagrams between two hosts are not delivered, what devices
// tell of themselves is; afterwards everything again.
func TestOverhear(t *testing.T) {
	needNet(t)
	p := newPeer(t)
	p.link(t, "ya0")
	p.echo(t, far)
	p.echo(t, far6)
	w := start(t, Config{Interface: "ya0", Workers: 2})
	to := func(port uint16) (n int) { // frames so far
		for _, f := range w.snapshot() {
			if _, dst := ports(&f.Frame); dst == port {
				n++
			}
		}
		return n
	}
	wait := func(port uint16, n int) {
		t.Helper()
		for end := time.Now().Add(5 * time.Second); to(port) < n; time.Sleep(retireTime) {
			if time.Now().After(end) {
				t.Fatalf("%d frames to port %d, want %d", to(port), port, n)
			}
		}
	}
	// The peer tells of itself; what this machine sends is not heard.
	tell := func(host, port string) {
		p.do(t, func() error {
			c, err := net.Dial("udp", net.JoinHostPort(host, port))
			if err != nil {
				return err
			}
			defer c.Close()
			_, err = c.Write([]byte("news"))
			return err
		})
	}
	ask(t, far, 40)
	ask(t, far6, 40)
	wait(7, 2)
	w.sources[0].Overhear(true)
	// The workers take turns to change their sockets; then one listens.
	g := w.sources[0].group
	settled := func(ear bool, n int) {
		t.Helper()
		for end := time.Now().Add(5 * time.Second); ; time.Sleep(retireTime) {
			g.mu.Lock()
			ok := g.up && len(g.open) == n && g.open[0].ear == ear
			g.mu.Unlock()
			if ok {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("ear %v: the sockets are not changed", ear)
			}
		}
	}
	settled(true, 1)
	before := to(7)
	ask(t, far, 40)
	ask(t, far6, 40)
	tell(near, "1900")
	tell(near6, "5353")
	wait(1900, 1)
	wait(5353, 1)
	time.Sleep(3 * retireTime)
	if n := to(7); n != before {
		t.Errorf("%d datagrams between two hosts are delivered", n-before)
	}
	w.sources[0].Overhear(false)
	settled(false, 2)
	ask(t, far, 40)
	wait(7, before+1)
	for i, s := range w.sources {
		if n := s.Stats().Lost; n != 0 {
			t.Errorf("worker %d lost the interface %d times", i, n)
		}
	}
	// Another listens when the one that does ends.
	w.sources[0].Overhear(true)
	settled(true, 1)
	g.mu.Lock()
	ear := g.open[0]
	g.mu.Unlock()
	counts := []uint64{w.sources[0].Stats().Packets, w.sources[1].Stats().Packets}
	tell(near, "3702")
	wait(3702, 1)
	for end := time.Now().Add(5 * time.Second); w.sources[0].Stats().Packets == counts[0] && w.sources[1].Stats().Packets == counts[1] && time.Now().Before(end); {
		time.Sleep(retireTime)
	}
	for i, s := range w.sources {
		if s.Stats().Packets != counts[i] {
			_ = s.Close()
		}
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(retireTime) {
		g.mu.Lock()
		ok := g.up && len(g.open) == 1 && g.open[0] != ear && g.open[0].ear
		g.mu.Unlock()
		if ok {
			break
		}
		if time.Now().After(end) {
			t.Fatal("nobody listens after the one that did has ended")
		}
	}
	n := to(1900)
	tell(near, "1900")
	wait(1900, n+1)
}
