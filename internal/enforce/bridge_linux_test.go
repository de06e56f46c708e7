package enforce

import (
	"context"
	"errors"
	"fmt"
	gonet "net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/capture/nfqueue"
	"github.com/yamori-net/yamori/internal/netns"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// span is a bridge with three ports: a device, the way out and a bystander, who
// makes what the bridge floods go to more than one.
type span struct {
	*house
	bystander *netns.NS
}

const outside = "192.168.9.9"

func makeSpan(t *testing.T) *span {
	t.Helper()
	for _, what := range []struct {
		ok   bool
		name string
	}{{os.Geteuid() == 0, "root"}, {onPath("nft"), "the program nft"}, {exists(sysBridge + bridgeSettings[0]), "br_netfilter"}} {
		if what.ok {
			continue
		}
		if os.Getenv("CI") != "" && what.name != "br_netfilter" {
			t.Fatalf("this test needs %s", what.name)
		}
		t.Skipf("skipped: this test needs %s", what.name)
	}
	s := &span{house: &house{t: t, state: filepath.Join(t.TempDir(), "enforce.json")}}
	for name, ns := range map[string]**netns.NS{"bridge": &s.router, "pc": &s.pc, "out": &s.world, "bystander": &s.bystander} {
		n, err := netns.New(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(n.Close)
		*ns = n
	}
	for _, err := range []error{
		netns.Join(s.pc, "eth0", s.router, "p1"), netns.Join(s.world, "eth0", s.router, "p2"), netns.Join(s.bystander, "eth0", s.router, "p3"),
		s.router.Script(`
			ip link add br0 type bridge
			ip link set p1 master br0
			ip link set p2 master br0
			ip link set p3 master br0
			ip link set br0 up
			ip addr add 192.168.9.1/24 dev br0`),
		s.pc.Script("ip addr add 192.168.9.2/24 dev eth0\nip -6 addr add fd00:9::2/64 dev eth0 nodad"),
		s.world.Script("ip addr add " + outside + "/24 dev eth0\nip -6 addr add fd00:9::9/64 dev eth0 nodad"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	// Datagrams are echoed.
	var c gonet.PacketConn
	if err := s.world.Do(func() (err error) { c, err = gonet.ListenPacket("udp", ":53"); return err }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		buf := make([]byte, 2048)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(buf[:n], from)
		}
	}()
	return s
}

func onPath(p string) bool { _, err := exec.LookPath(p); return err == nil }
func exists(f string) bool { _, err := os.Stat(f); return err == nil }

// question sends one datagram from a new port and reports whether it is echoed.
func (s *span) question(to, text string, limit time.Duration) bool {
	return s.pc.Do(func() error {
		c, err := gonet.Dial("udp", gonet.JoinHostPort(to, "53"))
		if err != nil {
			return err
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(limit))
		if _, err := c.Write([]byte(text)); err != nil {
			return err
		}
		buf := make([]byte, 100)
		n, err := c.Read(buf)
		if err == nil && string(buf[:n]) != text {
			err = fmt.Errorf("got %q", buf[:n])
		}
		return err
	}) == nil
}

// TestBridge: the first packet of a connection is inspected and can be stopped,
// what is flooded arrives, no mark stays, and what cannot be inspected is counted.
func TestBridge(t *testing.T) {
	t.Parallel()
	s := makeSpan(t)
	waitFor(t, "the bridge carries", func() bool { return s.question(outside, "hi", glance) && s.question("fd00:9::9", "hi", glance) })
	tab := s.install(Config{Queue: 40, Workers: 2, LAN: []string{"br0"}, Bridge: true})
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	pulses := []*Pulse{{}, {}}
	var syns [2]atomic.Uint64
	var whole atomic.Bool
	var other, words, known, local atomic.Uint64
	var ended [3]<-chan error
	for i, p := range pulses {
		var src *nfqueue.Source
		s.do(func() (err error) {
			src, err = nfqueue.Open(nfqueue.Config{Queue: uint16(40 + i), Marks: nfqueue.Marks{Release: DefaultMarks.Release, Cut: DefaultMarks.Cut}})
			return err
		})
		ended[i] = s.router.Go(func() error {
			return src.Run(ctx, func(f *packet.Frame) verdict.Verdict {
				p.Take()
				if f == nil {
					return verdict.Verdict{}
				}
				if b := f.Data; len(b) >= 54 && b[12] != 8 && b[20] != packet.ProtoTCP && b[20] != packet.ProtoUDP {
					other.Add(1) // the neighbours' discovery
				}
				text := string(f.Data)
				switch { // a connection that ends, or repeats, counts with none of these
				case strings.Contains(text, "good "):
					words.Add(1)
				case strings.Contains(text, "known"):
					known.Add(1)
				case strings.Contains(text, "to the machine itself"):
					local.Add(1)
				}
				switch {
				case strings.Contains(text, "evil"):
					return verdict.Verdict{Action: verdict.Drop, Scope: verdict.Flow}
				case strings.Contains(text, "known") && whole.Load():
					return verdict.Verdict{Action: verdict.Accept, Scope: verdict.Flow}
				}
				if b := f.Data; f.Link == packet.LinkEthernet && len(b) > 47 && b[12] == 8 && b[23] == packet.ProtoTCP && b[47]&0x3f == 2 {
					syns[i].Add(1)
				}
				return verdict.Verdict{}
			})
		})
	}
	heart := &Heart{Table: tab, Pulses: pulses}
	ended[2] = s.router.Go(func() error { heart.Run(ctx); return nil })
	waitFor(t, "the heart beats", heart.On)

	for _, flooded := range []bool{false, true} {
		if flooded {
			// Nothing is remembered: each frame goes to all other ports.
			if err := s.router.Script("ip link set br0 type bridge ageing_time 0"); err != nil {
				t.Fatal(err)
			}
		}
		for _, to := range []string{outside, "fd00:9::9"} {
			before := words.Load()
			for i := range 20 {
				if !s.question(to, fmt.Sprint("good ", i), patience) {
					t.Errorf("flooded %v, %s: datagram %d is lost", flooded, to, i)
				}
			}
			if n := words.Load() - before; n != 40 {
				t.Errorf("flooded %v, %s: %d of 40 packets of one-packet exchanges were inspected", flooded, to, n)
			}
			if s.question(to, "evil", glance) {
				t.Errorf("flooded %v, %s: a bad question is answered", flooded, to)
			}
			conn, n := syns[0].Load()+syns[1].Load(), s.tcp(t, to)
			if to == outside && syns[0].Load()+syns[1].Load() != conn+n {
				t.Errorf("flooded %v: of %d openings %d were inspected", flooded, n, syns[0].Load()+syns[1].Load()-conn)
			}
		}
	}

	// What is let go of is not seen again, and arrives.
	whole.Store(true)
	err := s.pc.Do(func() error {
		c, err := gonet.Dial("udp", outside+":53")
		if err != nil {
			return err
		}
		defer c.Close()
		buf := make([]byte, 100)
		var before uint64
		for i := range 20 {
			_ = c.SetDeadline(time.Now().Add(patience))
			if _, err := c.Write([]byte("known")); err != nil {
				return err
			}
			if _, err := c.Read(buf); err != nil {
				return fmt.Errorf("datagram %d of a released flow: %w", i, err)
			}
			if i == 1 {
				before = known.Load()
			}
		}
		if n := known.Load() - before; n > 2 {
			return fmt.Errorf("%d packets of a released flow are queued", n)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}

	// This machine's own services are not bridged.
	var l gonet.PacketConn
	s.do(func() (err error) { l, err = gonet.ListenPacket("udp", "192.168.9.1:5300"); return err })
	defer l.Close()
	if err := s.pc.Do(func() error {
		c, err := gonet.Dial("udp", "192.168.9.1:5300")
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Write([]byte("to the machine itself"))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	_ = l.SetDeadline(time.Now().Add(patience))
	if _, _, err := l.ReadFrom(make([]byte, 100)); err != nil || local.Load() != 0 {
		t.Errorf("a datagram to the machine itself: %v, %d inspected", err, local.Load())
	}

	if n := other.Load(); n != 0 {
		t.Errorf("%d packets of neighbour discovery had to wait", n)
	}

	// A port that comes later is known by and by.
	late := "02:00:00:00:00:1a"
	if err := s.router.Script("ip link add late address " + late + " type veth peer name later"); err != nil {
		t.Fatal(err)
	}
	s.do(func() error { tab.mu.Lock(); defer tab.mu.Unlock(); return tab.noteOwn() })
	if out, err := s.router.Output("nft", "list", "set", "inet", "yamori", "own"); err != nil || !strings.Contains(string(out), late) {
		t.Errorf("the address of a new port is not known: %v\n%s", err, out)
	}

	// Frames of other protocols, and IP within tags within tags.
	var n Counters
	s.do(func() (err error) { n, err = tab.Counters(); return err })
	if n.Uninspected != 0 || n.Cut == 0 || n.Queued == 0 {
		t.Errorf("before there is anything that cannot be inspected: %+v", n)
	}
	if err := s.router.Script("ip link set br0 type bridge ageing_time 30000"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the bridge learns again", func() bool { return s.question(outside, "hi", glance) })
	if err := s.frames(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(2 * time.Second); n.Uninspected != 2 && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		s.do(func() (err error) { n, err = tab.Counters(); return err })
	}
	if n.Uninspected != 2 {
		out, _ := s.router.Output("nft", "list", "table", "bridge", "yamori")
		t.Errorf("%d frames are counted as not inspected, want 2:\n%s", n.Uninspected, out)
	}

	// Everything passes when the program is gone.
	stop()
	for _, e := range ended {
		if err := <-e; err != nil {
			t.Error(err)
		}
	}
	if !s.question(outside, "evil, and nobody looks", patience) {
		t.Error("without the daemon the bridge carries nothing")
	}
}

// tcp opens connections to a listener and says a word on each; of bad ones the
// first word never arrives. It returns how many it opened.
func (s *span) tcp(t *testing.T, to string) (n uint64) {
	t.Helper()
	var l gonet.Listener
	if err := s.world.Do(func() (err error) { l, err = gonet.Listen("tcp", gonet.JoinHostPort(to, "4444")); return err }); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, x := range []struct {
		word string
		want bool
	}{{"good", true}, {"evil", false}, {"nice", true}} {
		var c gonet.Conn
		if err := s.pc.Do(func() (err error) {
			c, err = gonet.DialTimeout("tcp", gonet.JoinHostPort(to, "4444"), patience)
			return err
		}); err != nil {
			t.Errorf("%s: %v", to, err)
			return n
		}
		n++
		in, err := l.Accept()
		if err == nil {
			_, err = c.Write([]byte(x.word))
		}
		if err == nil {
			limit := glance
			if x.want {
				limit = patience
			}
			_ = in.SetDeadline(time.Now().Add(limit))
			_, err = in.Read(make([]byte, 10))
		}
		if (err == nil) != x.want {
			t.Errorf("%s: the first word %q: %v", to, x.word, err)
		}
		_ = errors.Join(c.Close(), in.Close())
	}
	return n
}

// frames sends one frame of an experimental protocol (IEEE 802, 0x88b5) and one
// of IPv4 within two tags, from the device to the address of the way out, and
// one ARP, which is none of those that are counted.
func (s *span) frames() error {
	var dst gonet.HardwareAddr
	if err := s.world.Do(func() error {
		i, err := gonet.InterfaceByName("eth0")
		if err == nil {
			dst = i.HardwareAddr
		}
		return err
	}); err != nil {
		return err
	}
	return s.pc.Do(func() error {
		i, err := gonet.InterfaceByName("eth0")
		if err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		for _, kind := range [][]byte{{0x88, 0xb5}, {0x81, 0, 0, 5, 0x81, 0, 0, 6, 8, 0}, {8, 6}} {
			f := append(append(append([]byte{}, dst...), i.HardwareAddr...), kind...)
			f = append(f, make([]byte, 60)...)
			if err := unix.Sendto(fd, f, 0, &unix.SockaddrLinklayer{Ifindex: i.Index}); err != nil {
				return err
			}
		}
		return nil
	})
}
