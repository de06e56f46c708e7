package labnet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/labnet/talks"
	"github.com/yamori-net/yamori/internal/netns"
)

// makeHome makes a home for a test, or says what is missing: an error where CI
// promises it.
func makeHome(t *testing.T, o Options) *Home {
	t.Helper()
	if o.Patience == 0 {
		o.Patience = 5 * time.Second // the machine may be busy
	}
	h, err := New(o)
	if err != nil {
		if (errors.Is(err, ErrPermission) || errors.Is(err, ErrMissing)) && os.Getenv("CI") == "" {
			t.Skipf("skipped: %v", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

var kinds = map[string]Options{"router": {IPv6: true}, "bridge": {IPv6: true, Bridge: true}}

// TestTalks: every conversation comes through whole, over both families, in
// clear and inside TLS.
func TestTalks(t *testing.T) {
	for name, o := range kinds {
		t.Run(name, func(t *testing.T) {
			h := makeHome(t, o)
			var wg sync.WaitGroup
			for _, talk := range talks.All() {
				wg.Go(func() {
					for i, b := range []Behaviour{Speak(talk), Speak(talk).Over6(), SpeakTLS(talk), SpeakTLS(talk).Over6()} {
						before := h.Heard(talk.Name)
						r := h.devices[i%len(h.devices)].Run(context.Background(), b)
						if !r.OK() || !r.Connected || r.Sent != talk.Sent() || r.Got != len(talk.Steps)-talk.Sent() {
							t.Errorf("%s (%d): %v", b.Name, i, r)
						}
						if n := h.Heard(talk.Name) - before; n != talk.Sent() {
							t.Errorf("%s (%d): the server heard %d messages, want %d", b.Name, i, n, talk.Sent())
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// TestBlocked: what a device tells when the gateway drops, resets or refuses.
func TestBlocked(t *testing.T) {
	h := makeHome(t, Options{Devices: []string{"camera"}, Patience: 300 * time.Millisecond})
	cam := h.Device("camera")
	for _, tt := range []struct {
		rule string
		end  string
		sent int
	}{
		{`tcp dport 3403 @ih,0,16 0x7b22 drop`, Silence, 1}, // a segment that begins with {"
		{`tcp dport 3403 @ih,0,16 0x7b22 reject with tcp reset`, Reset, 1},
		{`tcp dport 3403 reject with tcp reset`, Refused, 0},
		{`tcp dport 3403 drop`, Silence, 0},
	} {
		if err := nft(h.Gate, "table inet t {\nchain f {\ntype filter hook forward priority 0;\n"+tt.rule+"\n}\n}\n"); err != nil {
			t.Fatal(err)
		}
		before := h.Heard("cryptonote")
		r := cam.Run(context.Background(), Mine("cryptonote"))
		if r.End != tt.end || r.Sent != tt.sent || r.Got != 0 || r.Err == nil || r.Connected != (tt.sent > 0) {
			t.Errorf("%s: %v", tt.rule, r)
		}
		if h.Heard("cryptonote") != before {
			t.Errorf("%s: the server heard something", tt.rule)
		}
		if err := h.Gate.Run("nft", "delete", "table", "inet", "t"); err != nil {
			t.Fatal(err)
		}
	}
	h.Close()
	if r := cam.Run(context.Background(), Mine("cryptonote")); r.End != Stopped || !errors.Is(r.Err, ErrClosed) {
		t.Errorf("closed: %v", r)
	}
}

// TestAlone: no interface of the outside is in a namespace and none of theirs
// outside; no route leads out; nothing answers that is not of the lab.
func TestAlone(t *testing.T) {
	before := names(t)
	for kind, o := range kinds {
		h := makeHome(t, o)
		if now := names(t); !slices.Equal(before, now) {
			t.Errorf("%s: interfaces outside were %v and are %v", kind, before, now)
		}
		type link struct {
			Ifname, Operstate string
			Linkinfo          struct {
				Kind string `json:"info_kind"`
			}
			Peer int `json:"link_netnsid"`
		}
		veths := 0
		for _, n := range h.Spaces() {
			for _, l := range listing[link](t, n, "-d", "link") {
				switch l.Linkinfo.Kind {
				case "veth":
					veths++
				case "bridge":
				default:
					// What the kernel puts into each new namespace carries nothing.
					if l.Ifname != "lo" && l.Operstate != "DOWN" {
						t.Errorf("%s, %s: an interface %+v", kind, n.Name, l)
					}
				}
			}
			for _, f := range []string{"-4", "-6"} {
				for _, r := range listing[struct{ Dst, Dev, Gateway, Type string }](t, n, f, "route", "show", "table", "all") {
					if a, err := netip.ParseAddr(r.Gateway); err == nil && !inside(a) {
						t.Errorf("%s, %s: a route to %+v", kind, n.Name, r)
					}
					if r.Dst == "default" && n == h.Internet && r.Type != "unreachable" {
						t.Errorf("%s: the internet has a way out: %+v", kind, r)
					}
				}
			}
		}
		// Each pair of interfaces has both ends in the lab: as many as were joined.
		if want := 2 * (len(h.devices) + 1 + 2*b2i(o.Bridge)); veths != want {
			t.Errorf("%s: %d ends of pairs, want %d", kind, veths, want)
		}
		var wg sync.WaitGroup
		for _, to := range outsideAddrs(t) {
			for _, n := range h.Spaces() {
				wg.Go(func() {
					err := <-n.Go(func() error {
						c, err := (&net.Dialer{Timeout: 300 * time.Millisecond}).Dial("tcp", net.JoinHostPort(to, "53"))
						if err == nil {
							_ = c.Close()
						}
						return err
					})
					if err == nil || strings.Contains(err.Error(), "refused") {
						t.Errorf("%s: %s reaches %s outside (%v)", kind, n.Name, to, err)
					}
				})
			}
		}
		wg.Wait()
		if _, err := h.Device("pc").Dial(context.Background(), netip.MustParseAddrPort("1.1.1.1:53")); !errors.Is(err, ErrOutside) {
			t.Errorf("%s: an address outside: %v", kind, err)
		}
		h.Close()
	}
}

// listing asks ip for JSON.
func listing[T any](t *testing.T, n *netns.NS, args ...string) (out []T) {
	t.Helper()
	b, err := n.Output("ip", append([]string{"-j"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 0 {
		if err := json.Unmarshal(b, &out); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
	}
	return out
}

func names(t *testing.T) (out []string) {
	t.Helper()
	list, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list {
		out = append(out, fmt.Sprint(i.Index, i.Name))
	}
	return out
}

// outsideAddrs are addresses of this machine, which no lab may reach.
func outsideAddrs(t *testing.T) (out []string) {
	t.Helper()
	list, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		if p, err := netip.ParsePrefix(a.String()); err == nil && !p.Addr().IsLoopback() && !p.Addr().IsLinkLocalUnicast() {
			out = append(out, p.Addr().String())
		}
	}
	return out
}
