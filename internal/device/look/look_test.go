package look

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/device"
)

type list struct {
	mu  sync.Mutex
	all []string
}

func (l *list) Add(c device.Clue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, c.Source.String()+"."+c.Key+"="+c.Value)
}
func (l *list) Advance(int64) {}

// fake answers each datagram that comes to it on the loopback.
func fake(t *testing.T, answer func(b []byte) []string) netip.AddrPort {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		buf := make([]byte, 2000)
		for {
			n, from, err := c.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			for _, a := range answer(buf[:n]) {
				_, _ = c.WriteToUDPAddrPort([]byte(a), from)
			}
		}
	}()
	return c.LocalAddr().(*net.UDPAddr).AddrPort()
}

func response(location string) string {
	return "HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:Basic:1\r\nUSN: uuid:1::x\r\nSERVER: Linux UPnP/1.0 Example/1\r\nLOCATION: " + location + "\r\n\r\n"
}

const document = `<root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>urn:schemas-upnp-org:device:Basic:1</deviceType>` +
	`<friendlyName>Hall</friendlyName><manufacturer>Example &amp; Co</manufacturer><modelName>IPC-1</modelName><UDN>uuid:12345678</UDN></device></root>`

func home() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

func TestLook(t *testing.T) {
	asked := 0
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch r.URL.Path {
		case "/desc.xml":
			fmt.Fprint(w, document)
		case "/endless":
			for range 2 * MaxDocument / 1024 {
				fmt.Fprint(w, strings.Repeat("x", 1024))
			}
		case "/moved":
			http.Redirect(w, r, "/desc.xml", http.StatusFound)
		}
	}))
	defer web.Close()
	s := fake(t, func(b []byte) []string {
		if !strings.HasPrefix(string(b), "M-SEARCH") {
			return nil
		}
		return []string{response(web.URL + "/desc.xml"), response(web.URL + "/desc.xml"), response(web.URL + "/endless"), response(web.URL + "/moved"),
			response("http://192.0.2.1/desc.xml"), response("http://127.0.0.2/desc.xml"), response("file:///etc/passwd"), response("http://u:p@127.0.0.1/"),
			response(web.URL + "/4"), response(web.URL + "/5"), "nonsense", ""}
	})
	m := fake(t, func(b []byte) []string {
		if !strings.Contains(string(b), "\x04_ipp") {
			return nil
		}
		return []string{"\x00\x00\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00\x04_ipp\x04_tcp\x05local\x00\x00\x0c\x00\x01\x00\x00\x11\x94\x00\x07\x04Hall\xc0\x0c"}
	})
	var l list
	now := int64(1e18)
	k := New(Config{Home: home(), Wait: 600 * time.Millisecond, Sink: &l, Now: func() int64 { return now }, Local: netip.MustParseAddr("127.0.0.1"), SSDP: s, MDNS: m})
	res, err := k.Look(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if res.Descriptions != 1 || res.Failed != 3 || res.Refused != 5 || asked != MaxPerHost {
		t.Errorf("%+v, asked %d times", res, asked)
	}
	for _, want := range []string{"ssdp.type=urn:schemas-upnp-org:device:Basic:1", "mdns.service=_ipp._tcp", "upnp.name=Hall", "upnp.maker=Example & Co",
		"upnp.model=IPC-1", "upnp.udn=12345678"} {
		if !slices.Contains(l.all, want) {
			t.Errorf("no %s in %q", want, l.all)
		}
	}
	if _, err := k.Look(context.Background()); !errors.Is(err, ErrTooSoon) {
		t.Error(err)
	}
	now += int64(Least)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := k.Look(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestOnlyLAN(t *testing.T) {
	k := New(Config{Sink: &list{}, Now: func() int64 { return 1 }, Local: netip.MustParseAddr("127.0.0.1")})
	if _, err := k.Look(context.Background()); !errors.Is(err, ErrNoLAN) {
		t.Error(err)
	}
}

// Whatever answers, it is bounded and nothing outside the home is planned.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(response("http://127.0.0.1/x")))
	f.Add([]byte(response("http://[::ffff:127.0.0.1]/x")))
	f.Add([]byte("\x00\x00\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00\x04_ipp\x04_tcp\x05local\x00\x00\x0c\x00\x01\x00\x00\x11\x94\x00\x07\x04Hall\xc0\x0c"))
	f.Fuzz(func(t *testing.T, b []byte) {
		k := New(Config{Home: home(), Sink: &list{}, Now: func() int64 { return 1 }})
		x := fetcher{l: k, res: &Result{}, hosts: map[netip.Addr]int{}, seen: map[string]bool{}}
		x.answer(netip.MustParseAddrPort("127.0.0.1:1900"), b)
		for _, p := range x.todo {
			if !k.home(p.host) {
				t.Fatalf("%+v", p)
			}
		}
	})
}
