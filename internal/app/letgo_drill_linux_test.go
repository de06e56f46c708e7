package app

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/labnet"
)

var queuedBytes = regexp.MustCompile(`counter queued \{\s*packets (\d+) bytes (\d+)`)

// queued is what the kernel has handed to the inspection.
func (g *gate) queued() (packets, bytes int64) {
	g.t.Helper()
	out, err := g.home.Gate.Output("nft", "list", "table", "inet", "yamori")
	m := queuedBytes.FindSubmatch(out)
	if err != nil || m == nil {
		g.t.Fatalf("%v\n%s", err, out)
	}
	packets, _ = strconv.ParseInt(string(m[1]), 10, 64)
	bytes, _ = strconv.ParseInt(string(m[2]), 10, 64)
	return packets, bytes
}

// TestLetGo: of a large download over plain HTTP hardly anything is inspected,
// and what the same connection is asked for afterwards is: an innocent request
// is answered, one for mining's work is not.
func TestLetGo(t *testing.T) {
	const size = 48 << 20
	for name, bridge := range map[string]bool{"router": false, "bridge": true} {
		t.Run(name, func(t *testing.T) {
			g := makeGate(t, labnet.Options{Bridge: bridge, IPv6: true, Devices: []string{"pc"}})
			g.start()
			for _, v6 := range []bool{false, true} {
				c, err := g.home.Device("pc").Dial(context.Background(), netip.AddrPortFrom(labnet.Web.Addr(v6), 80))
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				host := fmt.Sprintf("six-%v.lab.example", v6) // what mines there may be blocked by its name afterwards
				r := bufio.NewReaderSize(c, 64<<10)
				ask := func(head, path, agent, body string, patience time.Duration) (int64, error) {
					_ = c.SetDeadline(time.Now().Add(patience))
					if _, err := fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nContent-Length: %d\r\n\r\n%s", head, path, host, agent, len(body), body); err != nil {
						return 0, err
					}
					a, err := http.ReadResponse(r, nil)
					if err != nil {
						return 0, err
					}
					defer a.Body.Close()
					return io.Copy(io.Discard, a.Body)
				}
				for range 2 {
					packets, bytes := g.queued()
					start := time.Now()
					if n, err := ask("GET", fmt.Sprintf("/?bytes=%d", size), "tv/1", "", 20*time.Second); err != nil || n != size {
						t.Fatalf("IPv6 %v: %d bytes, %v", v6, n, err)
					}
					took := time.Since(start)
					p, b := g.queued()
					t.Logf("IPv6 %v: %d MB in %v, %d packets with %.2f MB inspected", v6, size>>20, took.Round(time.Millisecond), p-packets, float64(b-bytes)/(1<<20))
					if b-bytes > size/5 || p == packets {
						t.Errorf("IPv6 %v: %d of %d bytes were inspected", v6, b-bytes, size)
					}
					if n, err := ask("GET", "/", "tv/1", "", 3*time.Second); err != nil || n == 0 {
						t.Errorf("IPv6 %v: an innocent request after the download: %d bytes, %v", v6, n, err)
					}
				}
				eventually(t, "what went by is counted", func() bool { return g.received(netip.AddrPortFrom(labnet.Web.Addr(v6), 80)) >= 2*size })
				if _, err := ask("POST", "/", "cpuminer/2.5.1", `{"method":"getwork","params":[],"id":0}`, 700*time.Millisecond); err == nil {
					t.Errorf("IPv6 %v: a request for work after the download is answered", v6)
				}
			}
		})
	}
}

// received is what the daemon counts of the connection to a port, from the home
// on.
func (g *gate) received(to netip.AddrPort) (n int64) {
	g.t.Helper()
	for f, err := range g.cl.Flows(context.Background(), "", "") {
		if err != nil {
			g.t.Fatal(err)
		}
		if f.DestIP == to.Addr().String() && f.DestPort == int(to.Port()) {
			n += f.Received
		}
	}
	return n
}

// TestLetGoWhole: a connection that nobody can read is let go of as a whole; its
// end is seen, and says how much it carried.
func TestLetGoWhole(t *testing.T) {
	const size = 32 << 20
	g := makeGate(t, labnet.Options{IPv6: true, Devices: []string{"pc"}})
	g.start()
	l, err := labnet.Listen(g.home.Internet, ":5999")
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
			go func() {
				defer c.Close()
				_, _ = c.Read(make([]byte, 100))
				_, _ = c.Write(bytes.Repeat([]byte{0xa7, 0x13, 0x5c, 0xe9}, size/4))
			}()
		}
	}()
	for _, v6 := range []bool{false, true} {
		to := netip.AddrPortFrom(labnet.Cloud.Addr(v6), 5999)
		c, err := g.home.Device("pc").Dial(context.Background(), to)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		_, before := g.queued()
		_, _ = c.Write([]byte("\x9a\x03 give me all you have"))
		n, err := io.Copy(io.Discard, c)
		_ = c.Close()
		if err != nil || n != size {
			t.Fatalf("IPv6 %v: %d bytes, %v", v6, n, err)
		}
		_, after := g.queued()
		t.Logf("IPv6 %v: of %d MB %.2f MB inspected", v6, size>>20, float64(after-before)/(1<<20))
		if after-before > size/4 {
			t.Errorf("IPv6 %v: %d of %d bytes were inspected", v6, after-before, size)
		}
		eventually(t, "what went by is counted", func() bool { return g.received(to) >= size })
		if n := g.received(to); n > size+size/20 {
			t.Errorf("IPv6 %v: %d bytes are counted", v6, n)
		}
	}
}

// TestQuarantine: a device in quarantine reaches the gateway and what the owner
// never wants blocked, names and updates here, and nothing else, until it ends;
// other devices notice nothing.
func TestQuarantine(t *testing.T) {
	t.Parallel()
	for name, bridge := range map[string]bool{"router": false, "bridge": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := makeGate(t, labnet.Options{Bridge: bridge, IPv6: true, Devices: []string{"camera", "pc"}, Patience: 500 * time.Millisecond})
			g.start()
			ctx := context.Background()
			camera, pc := g.home.Device("camera"), g.home.Device("pc")
			gateway := [2]netip.Addr{labnet.Router4, labnet.Router6}
			if bridge {
				gateway = [2]netip.Addr{labnet.Gate4, labnet.Gate6}
			}
			l, err := labnet.Listen(g.home.Gate, ":8088")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() { _ = http.Serve(l, http.NotFoundHandler()) }()
			// What the devices offer each other, by the router's own bridge; what a
			// switch carries no gateway sees.
			var peers []net.Listener
			if !bridge {
				for _, d := range []*labnet.Device{pc, camera} {
					p, err := labnet.Listen(d.NS, ":8099")
					if err != nil {
						t.Fatal(err)
					}
					defer p.Close()
					peers = append(peers, p)
				}
			}
			for _, s := range []labnet.Server{labnet.DNS, labnet.Update} {
				for _, v6 := range []bool{false, true} {
					if _, err := g.cl.AddEntry(ctx, "never", api.EntryNew{Scope: api.Scope{Dest: s.Addr(v6).String()}}); err != nil {
						t.Fatal(err)
					}
				}
			}
			if b := labnet.Browse(1); !camera.Run(ctx, b).OK() || !camera.Run(ctx, b.Over6()).OK() {
				t.Fatal("the camera is not connected")
			}
			id := g.device(camera)
			hold := func(d time.Duration) {
				t.Helper()
				if _, err := g.cl.Quarantine(ctx, id, api.Hold{Seconds: int64(d / time.Second)}); err != nil {
					t.Fatal(err)
				}
			}
			hold(10 * time.Minute)
			eventually(t, "the quarantine holds", func() bool { return !camera.Run(ctx, labnet.SetClock()).OK() })
			for i, v6 := range []bool{false, true} {
				six := func(b labnet.Behaviour) labnet.Behaviour { b.V6 = v6; return b }
				reach := func(d *labnet.Device, to netip.AddrPort) error {
					ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
					defer cancel()
					c, err := d.Dial(ctx, to)
					if err == nil {
						c.Close()
					}
					return err
				}
				// What is asked of whom the quarantine allows is answered.
				if r := camera.Run(ctx, six(labnet.FetchUpdate())); !r.OK() {
					t.Errorf("IPv6 %v: an update: %v", v6, r)
				}
				if err := reach(camera, netip.AddrPortFrom(gateway[i], 8088)); err != nil {
					t.Errorf("IPv6 %v: the gateway: %v", v6, err)
				}
				for _, b := range []netip.AddrPort{netip.AddrPortFrom(labnet.Web.Addr(v6), 80), netip.AddrPortFrom(labnet.Pool.Addr(v6), 3333)} {
					if err := reach(camera, b); err == nil || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrPermission) {
						t.Errorf("IPv6 %v: %v is reached from quarantine (%v)", v6, b, err)
					}
				}
				if r := pc.Run(ctx, six(labnet.Browse(1))); !r.OK() {
					t.Errorf("IPv6 %v: another device: %v", v6, r)
				}
				for k := range peers {
					from, to := camera, pc
					if k == 1 {
						from, to = pc, camera
					}
					a := to.IP4
					if v6 {
						a = to.IP6
					}
					if err := reach(from, netip.AddrPortFrom(a, 8099)); err == nil || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrPermission) {
						t.Errorf("IPv6 %v: %s reaches %s (%v)", v6, from.Name, to.Name, err)
					}
				}
			}
			const lasts = 2 * time.Second
			start := time.Now()
			hold(lasts)
			eventually(t, "the quarantine ends", func() bool { return camera.Run(ctx, labnet.SetClock()).OK() })
			if d := time.Since(start); d < lasts-100*time.Millisecond {
				t.Errorf("it ended after %v", d)
			}
			if len(peers) > 0 {
				eventually(t, "devices reach each other", func() bool {
					ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
					defer cancel()
					c, err := camera.Dial(ctx, netip.AddrPortFrom(pc.IP4, 8099))
					if err == nil {
						c.Close()
					}
					return err == nil
				})
			}
		})
	}
}
