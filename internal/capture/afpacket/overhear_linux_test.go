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
	tell := func(host, port string) {
		c, err := net.Dial("udp", net.JoinHostPort(host, port))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = c.Write([]byte("news"))
	}
	ask(t, far, 40)
	ask(t, far6, 40)
	wait(7, 2)
	if err := w.sources[0].Overhear(true); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * retireTime)
	before := to(7)
	ask(t, far, 40)
	ask(t, far6, 40)
	tell(far, "1900")
	tell(far6, "5353")
	wait(1900, 1)
	wait(5353, 1)
	time.Sleep(3 * retireTime)
	if n := to(7); n != before {
		t.Errorf("%d datagrams between two hosts are delivered", n-before)
	}
	if err := w.sources[0].Overhear(false); err != nil {
		t.Fatal(err)
	}
	ask(t, far, 40)
	wait(7, before+1)
}
