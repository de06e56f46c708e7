package app

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

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
		good      = 200
		flows     = 50_000
		perSecond = 100_000 // SYNs
		floodFor  = 3 * time.Second
		most      = 512 << 20
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

	// A sender for each of two processors: one alone has too little time for
	// all, since the gateway's kernel works in it, too.
	type volleys struct {
		n    int
		cost time.Duration // of the sender's processor, the gateway's kernel included
	}
	const guns = 2
	sent := make(chan volleys, guns)
	for i := range guns {
		raw, err := newPacketGun(camera, web)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			n, before := 0, threadTime()
			for begin := time.Now(); time.Since(begin) < floodFor; {
				// As many as are due: a sender that was held up catches up, by a
				// twentieth of a second at most.
				due := min(int(time.Since(begin).Seconds()*perSecond/guns), n+perSecond/20)
				for n < due {
					n += raw.fire(i*gunApart + n)
				}
				time.Sleep(time.Millisecond)
			}
			raw.close()
			sent <- volleys{n, threadTime() - before}
		}()
	}
	time.Sleep(floodFor / 2)
	talkAll("in the flood")
	n, cost := 0, time.Duration(0)
	for range guns {
		v := <-sent
		n, cost = n+v.n, cost+v.cost
	}
	t.Logf("%d SYNs in %v: %d a second of %d; each takes %v of the sender's processor, with the gateway's kernel", n, floodFor, n*int(time.Second)/int(floodFor), perSecond, cost/time.Duration(n))
	talkAll("after the flood")
	// On a machine that is busy with other things packets pass for a while yet.
	eventually(t, "mining is stopped again", func() bool { return g.inline() && !camera.Run(context.Background(), labnet.Mine("cryptonote")).OK() })
}

// packetGun sends SYNs as fast as a machine can: many by one system call, past
// the sender's own network layers.
type packetGun struct {
	fd   int
	msgs [volley]mmsghdr
	iov  [volley]unix.Iovec
	pkt  [volley][40]byte
}

// gunApart is how far the numbers of two senders lie apart, so that all ports differ.
const gunApart = 60000 * 20000

// volley is how many packets one system call sends.
const volley = 64

// mmsghdr is struct mmsghdr of sendmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

func newPacketGun(from *labnet.Device, to netip.Addr) (*packetGun, error) {
	g := &packetGun{}
	err := from.NS.Do(func() error {
		ifc, err := net.InterfaceByName("eth0")
		if err != nil {
			return err
		}
		out, err := exec.Command("ip", "-4", "neigh", "show", "dev", "eth0").Output()
		if err != nil {
			return err
		}
		_, after, _ := strings.Cut(string(out), "lladdr ")
		mac, err := net.ParseMAC(strings.TrimSpace(after[:min(17, len(after))]))
		if err != nil {
			return fmt.Errorf("the router's hardware address: %w in %q", err, out)
		}
		if g.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return err
		}
		_ = unix.SetsockoptInt(g.fd, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1)
		ll := unix.RawSockaddrLinklayer{Family: unix.AF_PACKET, Protocol: 0x0008, Ifindex: int32(ifc.Index), Halen: 6} // ETH_P_IP, as it is sent
		copy(ll.Addr[:], mac)
		for i := range volley {
			copy(g.pkt[i][:], syn(from.IP4, to))
			g.iov[i].Base = &g.pkt[i][0]
			g.iov[i].SetLen(40)
			g.msgs[i].hdr.Iov = &g.iov[i]
			g.msgs[i].hdr.SetIovlen(1)
			g.msgs[i].hdr.Name = (*byte)(unsafe.Pointer(&ll))
			g.msgs[i].hdr.Namelen = unix.SizeofSockaddrLinklayer
		}
		return nil
	})
	return g, err
}

// fire sends a volley, with numbers from n on, and returns how many went out.
func (g *packetGun) fire(n int) int {
	for i := range volley {
		k := n + i
		aim(g.pkt[i][:], uint16(1024+k%60000), uint16(10000+k/60000), uint32(k))
	}
	sent, _, _ := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(g.fd), uintptr(unsafe.Pointer(&g.msgs[0])), volley, 0, 0, 0)
	return max(int(sent), 1) // what the interface did not take was sent all the same
}

// threadTime is what the calling thread has had of the processor.
func threadTime() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_THREAD, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (g *packetGun) close() { _ = unix.Close(g.fd) }

// syn is an IPv4 packet with a SYN, but for its ports, number and checksum.
func syn(from, to netip.Addr) []byte {
	b := make([]byte, 40)
	b[0], b[8], b[9] = 0x45, 64, packet.ProtoTCP
	binary.BigEndian.PutUint16(b[2:], 40)
	copy(b[12:], from.AsSlice())
	copy(b[16:], to.AsSlice())
	b[32], b[33] = 5<<4, packet.SYN
	binary.BigEndian.PutUint16(b[34:], 64240)
	sum := uint32(0)
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	binary.BigEndian.PutUint16(b[10:], ^uint16(sum>>16+sum&0xffff))
	return b
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
