package nfqueue

import (
	"fmt"
	gonet "net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// datagrams sends n of them from the client, through the queue, and returns how
// to wait until they have arrived.
func (h *home) datagrams(t *testing.T) (send func(n int), arrive func(n int, within time.Duration) int) {
	t.Helper()
	var l gonet.PacketConn
	if err := h.server.Do(func() (err error) { l, err = gonet.ListenPacket("udp", serverAddr+":9"); return err }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	var c gonet.Conn
	if err := h.client.Do(func() (err error) { c, err = gonet.Dial("udp", serverAddr+":9"); return err }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	send = func(n int) {
		for i := range n {
			_, _ = fmt.Fprint(c, i)
		}
	}
	arrive = func(n int, within time.Duration) int {
		var b [64]byte
		_ = l.SetReadDeadline(time.Now().Add(within))
		for got := range n {
			if _, _, err := l.ReadFrom(b[:]); err != nil {
				return got
			}
		}
		return n
	}
	return send, arrive
}

// TestEnd: what waits for a worker that ends goes on; the kernel would drop it.
func TestEnd(t *testing.T) {
	h := makeHome(t, "--queue-num 4")
	send, arrive := h.datagrams(t)
	busy, free := make(chan bool, 1), make(chan bool)
	s, stop := h.listen(t, 4, func(f *packet.Frame) verdict.Verdict {
		if f != nil {
			select {
			case busy <- true:
			default:
			}
			<-free
		}
		return verdict.Verdict{}
	})
	send(1)
	<-busy
	send(40) // more than one system call brings
	if n := arrive(1, 50*time.Millisecond); n != 0 {
		t.Fatal("the worker does not hold anything up")
	}
	ended := make(chan bool)
	go func() { stop(); close(ended) }()
	time.Sleep(20 * time.Millisecond) // it is told to end
	close(free)
	<-ended
	if n := arrive(41, 2*time.Second); n != 41 {
		t.Errorf("of 41 datagrams that waited %d arrived", n)
	}
	if st := s.Stats(); st.Packets+st.Relieved != 41 || st.Relieved < 8 {
		t.Errorf("%+v", st)
	}
}

// TestStandby: for a process that holds the queue and does nothing another one
// lets packets pass, late or at the end.
func TestStandby(t *testing.T) {
	h := makeHome(t, "--queue-num 5")
	send, arrive := h.datagrams(t)
	var fd int
	var b *Standby
	if err := h.router.Do(func() (err error) {
		if fd, err = Bind(Config{Queue: 5}); err == nil {
			b, err = NewStandby(fd, 5)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if n := b.Release(); n != 0 || b.Late() || b.Late() || b.Late() {
		t.Errorf("%d packets of an empty queue, or it is late", n)
	}
	send(10)
	if n := arrive(1, 50*time.Millisecond); n != 0 {
		t.Fatal("nothing is held up")
	}
	if b.Late() {
		t.Error("packets that came a moment ago are late")
	}
	send(3)
	if b.Late() || !b.Late() {
		t.Error("packets are late at the third look")
	}
	if n := b.Release(); n != 13 {
		t.Errorf("%d packets that waited for too long pass, with those behind them", n)
	}
	if n := arrive(13, 2*time.Second); n != 13 {
		t.Errorf("%d arrived", n)
	}
	send(7)
	time.Sleep(20 * time.Millisecond)
	if n := b.Release(); n != 7 {
		t.Errorf("%d packets pass at the end", n)
	}
	_ = unix.Close(fd)
	if n := arrive(7, 2*time.Second); n != 7 {
		t.Errorf("%d arrived", n)
	}
	send(2) // nobody listens
	if n := arrive(2, 2*time.Second); n != 2 {
		t.Errorf("%d arrived", n)
	}
}
