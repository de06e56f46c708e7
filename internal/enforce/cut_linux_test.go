package enforce

import (
	"errors"
	gonet "net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCut: one flow ends at both ends and its neighbours go on, also one that
// was let go of, and with rules that queue nothing.
func TestCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		cfg  Config
	}{{"in line", Config{LAN: []string{"br-lan"}, Local: true}}, {"passive", Config{Passive: true, Local: true}}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := makeHouse(t)
			tab := h.install(c.cfg)
			if c.cfg.Passive {
				if out, err := h.router.Output("nft", "list", "table", "inet", "yamori"); err != nil || strings.Contains(string(out), "queue num") {
					t.Errorf("passive rules queue: %v\n%s", err, out)
				}
			}
			for _, to := range []string{world, world6} {
				open := func() gonet.Conn {
					t.Helper()
					var c gonet.Conn
					if err := h.pc.Do(func() (err error) { c, err = gonet.Dial("tcp", gonet.JoinHostPort(to, "3333")); return err }); err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { _ = c.Close() })
					if err := ask(c, "one", patience); err != nil {
						t.Fatal(err)
					}
					return c
				}
				bad, good := open(), open()
				e := Entry{Kind: Cut, Proto: 6, From: bad.LocalAddr().(*gonet.TCPAddr).AddrPort(), To: bad.RemoteAddr().(*gonet.TCPAddr).AddrPort(), For: time.Minute}
				h.do(func() error { return tab.Put(e) })
				start := time.Now()
				err := ask(bad, "two", patience)
				if took := time.Since(start); err == nil || nftReject() && (!errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) || took > time.Second) {
					t.Errorf("%s: after %v: %v", to, took, err)
				}
				if err := ask(good, "two", patience); err != nil {
					t.Errorf("%s: its neighbour: %v", to, err)
				}
				if !reaches(h.pc, to, patience) {
					t.Errorf("%s: a new connection is stopped, too", to)
				}
				var list []Active
				h.do(func() (err error) { list, err = tab.List(); return err })
				if len(list) != 1 || list[0].Kind != Cut || list[0].Proto != 6 || list[0].Left == 0 ||
					(list[0].From != e.From || list[0].To != e.To) && (list[0].From != e.To || list[0].To != e.From) {
					t.Errorf("listed as %+v", list)
				}
				h.do(func() error { return tab.Delete(e) })
				h.do(func() (err error) { list, err = tab.List(); return err })
				if len(list) != 0 {
					t.Errorf("deleted, and listed as %+v", list)
				}
			}
			var n Counters
			h.do(func() (err error) { n, err = tab.Counters(); return err })
			if n.Cut == 0 || n.Blocked != 0 {
				t.Errorf("%+v", n)
			}
		})
	}
}

// TestService: a service is refused to one device alone, and at once.
func TestService(t *testing.T) {
	t.Parallel()
	h := makeHouse(t)
	tab := h.install(Config{Passive: true})
	mac, _ := gonet.ParseMAC(camera)
	for _, to := range []string{world, world6} {
		a := netip.MustParseAddr(to)
		e := Entry{Kind: Block, Net: netip.PrefixFrom(a, a.BitLen()), Proto: 6, Port: 3333, MAC: mac, For: time.Minute}
		h.do(func() error { return tab.Put(e) })
		start := time.Now()
		if reaches(h.camera, to, 2*time.Second) {
			t.Errorf("%s is reached", to)
		}
		if took := time.Since(start); nftReject() && took > time.Second {
			t.Errorf("%s: refused after %v", to, took)
		}
		if !reaches(h.pc, to, patience) {
			t.Errorf("%s is refused to another device", to)
		}
		var list []Active
		h.do(func() (err error) { list, err = tab.List(); return err })
		if len(list) != 1 || list[0].Net != e.Net || list[0].Port != 3333 || list[0].Proto != 6 || list[0].MAC.String() != camera {
			t.Errorf("listed as %+v", list)
		}
		other := e
		other.Port = 3334
		h.do(func() error { return errors.Join(tab.Delete(e), tab.Put(other)) })
		if !reaches(h.camera, to, patience) {
			t.Errorf("%s: another port is refused", to)
		}
		h.do(func() error { return errors.Join(tab.SetNever([]netip.Prefix{e.Net}), tab.Put(e)) })
		if !reaches(h.camera, to, patience) {
			t.Errorf("%s is on the never-block list and refused", to)
		}
		h.do(func() error { return errors.Join(tab.SetNever(nil), tab.Delete(e, other)) })
	}
}
