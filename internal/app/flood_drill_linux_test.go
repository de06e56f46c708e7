package app

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/labnet"
	"github.com/yamori-net/yamori/internal/packet"
)

// TestFlood: 50,000 flows and a flood of 100,000 SYNs a second go through the
// gateway; its memory stays bounded and good connections stay open.
func TestFlood(t *testing.T) {
	g := makeGate(t, labnet.Options{Devices: []string{"camera", "pc"}})
	g.start()
	pc, camera := g.home.Device("pc"), g.home.Device("camera")
	const (
		good     = 200
		flows    = 50_000
		perTick  = 1000 // SYNs each 10 ms
		floodFor = 2 * time.Second
		most     = 512 << 20
	)
	l, err := labnet.Listen(g.home.Internet, ":9007")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); _, _ = io.Copy(c, c) }()
		}
	}()
	web := labnet.Web.Addr(false)
	var conns []net.Conn
	for range good {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		c, err := pc.Dial(ctx, netip.AddrPortFrom(web, 9007))
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns = append(conns, c)
	}
	talkAll := func(when string) {
		t.Helper()
		start, broken := time.Now(), 0
		for _, c := range conns {
			_ = c.SetDeadline(time.Now().Add(5 * time.Second))
			if _, err := fmt.Fprintln(c, "hello"); err != nil {
				broken++
			} else if _, err := bufio.NewReader(c).ReadString('\n'); err != nil {
				broken++
			}
		}
		now, peak := g.rss()
		t.Logf("%s: %d of %d good connections broken, %v for a word on each; memory %d MB, at most %d MB", when, broken, good, time.Since(start).Round(time.Millisecond), now>>20, peak>>20)
		if broken > 0 {
			t.Errorf("%s: %d good connections are broken", when, broken)
		}
		if peak > most {
			t.Errorf("%s: %d MB of memory", when, peak>>20)
		}
	}
	talkAll("before")

	// Datagrams from 50 ports to 1000 each, twice.
	start := time.Now()
	for i := range flows / 1000 {
		var fd int
		if err := camera.NS.Do(func() (err error) {
			fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for port := range 1000 {
			for range 2 {
				_ = unix.Sendto(fd, []byte("fifty thousand flows"), 0, &unix.SockaddrInet4{Port: 20000 + port, Addr: web.As4()})
			}
		}
		_ = unix.Close(fd)
		if i%10 == 9 {
			time.Sleep(10 * time.Millisecond)
		}
	}
	t.Logf("%d flows in %v", flows, time.Since(start).Round(time.Millisecond))
	talkAll("50,000 flows")

	sent := make(chan int, 1)
	var raw int
	if err := camera.NS.Do(func() (err error) {
		raw, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	go func() {
		n := 0
		b := syn(camera.IP4, web)
		to := &unix.SockaddrInet4{Addr: web.As4()}
		for begin := time.Now(); time.Since(begin) < floodFor; {
			tick := time.Now()
			for range perTick {
				n++
				aim(b, uint16(1024+n%60000), uint16(10000+n/60000), uint32(n))
				_ = unix.Sendto(raw, b, 0, to)
			}
			time.Sleep(10*time.Millisecond - time.Since(tick))
		}
		_ = unix.Close(raw)
		sent <- n
	}()
	time.Sleep(floodFor / 2)
	talkAll("in the flood")
	n := <-sent
	t.Logf("%d SYNs in %v: %d a second", n, floodFor, n*int(time.Second)/int(floodFor))
	talkAll("after the flood")
	eventually(t, "packets are inspected again", g.inline)
	if r := camera.Run(context.Background(), labnet.Mine("cryptonote")); r.OK() {
		t.Error("after the flood mining passes")
	}
}

// syn is an IPv4 packet with a SYN, but for its ports, number and checksum.
func syn(from, to netip.Addr) []byte {
	b := make([]byte, 40)
	b[0], b[8], b[9] = 0x45, 64, packet.ProtoTCP
	binary.BigEndian.PutUint16(b[2:], 40)
	copy(b[12:], from.AsSlice())
	copy(b[16:], to.AsSlice())
	b[32], b[33] = 5<<4, packet.SYN
	binary.BigEndian.PutUint16(b[34:], 64240)
	return b // the kernel fills in the header's checksum
}

// aim gives it ports and a number.
func aim(b []byte, src, dst uint16, seq uint32) {
	binary.BigEndian.PutUint16(b[20:], src)
	binary.BigEndian.PutUint16(b[22:], dst)
	binary.BigEndian.PutUint32(b[24:], seq)
	b[36], b[37] = 0, 0
	sum := uint32(packet.ProtoTCP) + 20
	for i := 12; i < 40; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	binary.BigEndian.PutUint16(b[36:], ^uint16(sum))
}
