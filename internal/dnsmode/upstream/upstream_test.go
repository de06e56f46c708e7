package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func TestURL(t *testing.T) {
	one := []netip.Addr{netip.MustParseAddr("192.0.2.7")}
	for _, c := range []struct {
		url   string
		addrs []netip.Addr
		want  string
		err   error
	}{
		{"192.0.2.1", nil, "192.0.2.1:53", nil},
		{"192.0.2.1:5353", nil, "192.0.2.1:5353", nil},
		{"2001:db8::1", nil, "[2001:db8::1]:53", nil},
		{"[2001:db8::1]:54", nil, "[2001:db8::1]:54", nil},
		{"tcp://192.0.2.1", nil, "192.0.2.1:53", nil},
		{"tls://2001:db8::1", nil, "[2001:db8::1]:853", nil},
		{"tls://192.0.2.1", nil, "192.0.2.1:853", nil},
		{"tls://dns.example", one, "192.0.2.7:853", nil},
		{"https://dns.example/dns-query", one, "192.0.2.7:443", nil},
		{"https://192.0.2.1:8443/q", nil, "192.0.2.1:8443", nil},
		{"tls://dns.example", nil, "", ErrTLSName},
		{"dns.example", nil, "", ErrTLSName},
		{"https://dns.example/dns-query", nil, "", ErrTLSName},
		{"quic://192.0.2.1", nil, "", ErrURL},
		{"", nil, "", ErrURL},
		{"udp://192.0.2.1/path", nil, "", ErrURL},
		{"udp://192.0.2.1:0", nil, "", ErrURL},
		{"udp://192.0.2.1:99999", nil, "", ErrURL},
		{"https://user@192.0.2.1/", nil, "", ErrURL},
	} {
		at, err := (&Config{URL: c.url, Addresses: c.addrs}).Endpoints()
		if !errors.Is(err, c.err) || err == nil && fmt.Sprint(at) != "["+c.want+"]" {
			t.Errorf("%q: %v, %v; want %s, %v", c.url, at, err, c.want, c.err)
		}
		if _, err := New(Config{URL: c.url, Addresses: c.addrs}); !errors.Is(err, c.err) {
			t.Errorf("%q: New: %v", c.url, err)
		}
	}
}

func up(t testing.TB, c Config) Upstream {
	t.Helper()
	u, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}

func TestPlain(t *testing.T) {
	other := func(change func(m *dns.Msg)) func(q *dns.Msg) []byte {
		return func(q *dns.Msg) []byte { m := a(q, "203.0.113.66"); change(m); return pack(m) }
	}
	wrongID := other(func(m *dns.Msg) { m.Id ^= 1 })
	wrongName := other(func(m *dns.Msg) { m.Question[0].Name = "www.example2." })
	wrongType := other(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAAAA })
	notReply := other(func(m *dns.Msg) { m.Response = false })
	cut := func(q *dns.Msg) []byte { b := pack(a(q, "203.0.113.66")); return b[:len(b)-3] }
	for name, junk := range map[string]func(q *dns.Msg) []byte{
		"wrong ID": wrongID, "wrong name": wrongName, "wrong type": wrongType, "a question": notReply, "cut": cut,
		"a record cut short": func(q *dns.Msg) []byte {
			m := new(dns.Msg).SetReply(q)
			m.Ns = []dns.RR{&dns.RFC3597{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 60}, Rdata: "00"}}
			return pack(m)
		},
		"short": func(*dns.Msg) []byte { return []byte{1, 2, 3} }, "empty": func(*dns.Msg) []byte { return nil },
	} {
		// Before the right answer it changes nothing, and alone it is an error.
		f := serve(t, nil, func(_ string, q *dns.Msg) [][]byte { return [][]byte{junk(q), pack(a(q, "192.0.2.1"))} })
		m, err := up(t, Config{URL: f.at.String()}).Exchange(soon(t, time.Second), question())
		if err != nil || m.Answer[0].(*dns.A).A.String() != "192.0.2.1" {
			t.Errorf("%s first: %v %v", name, m, err)
		}
		f = serve(t, nil, func(_ string, q *dns.Msg) [][]byte { return [][]byte{junk(q)} })
		if m, err := up(t, Config{URL: f.at.String()}).Exchange(soon(t, 50*time.Millisecond), question()); err == nil {
			t.Errorf("%s alone: %v", name, m)
		}
	}
	// The letters of the name may come back in another case.
	f := serve(t, nil, func(_ string, q *dns.Msg) [][]byte {
		q.Question[0].Name = "WWW.Example."
		return [][]byte{pack(a(q, "192.0.2.1"))}
	})
	if _, err := up(t, Config{URL: f.at.String()}).Exchange(soon(t, time.Second), question()); err != nil {
		t.Error(err)
	}
}

// Whoever floods a question with junk cannot keep it listening.
func TestJunkIsBounded(t *testing.T) {
	f := serve(t, nil, func(_ string, q *dns.Msg) (out [][]byte) {
		for range maxJunk + 10 {
			m := a(q, "203.0.113.66")
			m.Id ^= 0x5555
			out = append(out, pack(m))
		}
		return out
	})
	start := time.Now()
	if _, err := up(t, Config{URL: f.at.String()}).Exchange(soon(t, 10*time.Second), question()); !errors.Is(err, ErrMismatch) || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

func TestTruncated(t *testing.T) {
	long := func(net string, q *dns.Msg) [][]byte {
		m := a(q, "192.0.2.1")
		if net == "udp" {
			m.Truncated = true
			m.Answer = nil
		}
		return [][]byte{pack(m)}
	}
	f := serve(t, nil, long)
	m, err := up(t, Config{URL: f.at.String()}).Exchange(soon(t, time.Second), question())
	if err != nil || m.Truncated || len(m.Answer) != 1 || f.tcp.Load() != 1 {
		t.Errorf("%v %v", m, err)
	}
	// No TCP there: the client is told that there is more.
	f = serve(t, nil, func(net string, q *dns.Msg) [][]byte {
		if net == "tcp" {
			return nil
		}
		return long(net, q)
	})
	if m, err = up(t, Config{URL: f.at.String()}).Exchange(soon(t, time.Second), question()); err != nil || !m.Truncated {
		t.Errorf("%v %v", m, err)
	}
	// Cut off on its way, in the middle of a record.
	f = serve(t, nil, func(net string, q *dns.Msg) [][]byte {
		m := a(q, "192.0.2.1")
		m.Truncated = net == "udp"
		b := pack(m)
		if net == "udp" {
			b = b[:len(b)-2]
		}
		return [][]byte{b}
	})
	if m, err = up(t, Config{URL: f.at.String()}).Exchange(soon(t, time.Second), question()); err != nil || m.Truncated || len(m.Answer) != 1 {
		t.Errorf("%v %v", m, err)
	}
}

// A server that sends more than it was allowed to is asked over TCP.
func TestOversized(t *testing.T) {
	f := serve(t, nil, func(net string, q *dns.Msg) [][]byte {
		m := a(q, "192.0.2.1")
		for len(m.Answer) < 300 {
			m.Answer = append(m.Answer, m.Answer[0])
		}
		return [][]byte{pack(m)}
	})
	if m, err := up(t, Config{URL: f.at.String()}).Exchange(soon(t, time.Second), question()); err != nil || len(m.Answer) != 300 || f.tcp.Load() != 1 {
		t.Errorf("%v", err)
	}
}

func TestSecondAddress(t *testing.T) {
	f := serve(t, nil, good)
	// Nobody listens at 127.0.0.2.
	for _, scheme := range []string{"udp", "tcp"} {
		u := up(t, Config{URL: fmt.Sprintf("%s://dns.example:%d", scheme, f.at.Port()), Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.2"), f.at.Addr()}})
		if _, err := u.Exchange(soon(t, time.Second), question()); err != nil {
			t.Errorf("%s: %v", scheme, err)
		}
	}
}

func TestTLS(t *testing.T) {
	conf, roots := authority(t, "dns.example")
	_, others := authority(t, "dns.example")
	lens := make(chan int, 16)
	f := serve(t, conf, func(net string, q *dns.Msg) [][]byte { lens <- q.Len(); return good(net, q) })
	at := []netip.Addr{f.at.Addr()}
	u := up(t, Config{URL: fmt.Sprintf("tls://dns.example:%d", f.at.Port()), Addresses: at, Roots: roots})
	for range 3 {
		if _, err := u.Exchange(soon(t, 2*time.Second), question()); err != nil {
			t.Fatal(err)
		}
		if n := <-lens; n%padTo != 0 {
			t.Errorf("a question of %d bytes is not padded", n)
		}
	}
	if f.conns.Load() != 1 || f.udp.Load() != 0 {
		t.Errorf("%d connections, %d datagrams", f.conns.Load(), f.udp.Load())
	}
	for name, c := range map[string]Config{
		"another authority": {URL: fmt.Sprintf("tls://dns.example:%d", f.at.Port()), Addresses: at, Roots: others},
		"another name":      {URL: fmt.Sprintf("tls://dns2.example:%d", f.at.Port()), Addresses: at, Roots: roots},
		"an address":        {URL: fmt.Sprintf("tls://127.0.0.1:%d", f.at.Port()), Roots: roots},
	} {
		if _, err := up(t, c).Exchange(soon(t, 2*time.Second), question()); err == nil {
			t.Errorf("%s is trusted", name)
		}
	}
}

// A server may close idle connections at any time.
func TestClosedConnection(t *testing.T) {
	var n atomic.Int64
	f := serve(t, nil, func(net string, q *dns.Msg) [][]byte {
		if n.Add(1) == 2 {
			return nil // closes instead of answering
		}
		return good(net, q)
	})
	u := up(t, Config{URL: "tcp://" + f.at.String()})
	for range 3 {
		if _, err := u.Exchange(soon(t, time.Second), question()); err != nil {
			t.Fatal(err)
		}
	}
	if f.conns.Load() != 2 {
		t.Errorf("%d connections", f.conns.Load())
	}
}

func TestIdleConnectionsAreBounded(t *testing.T) {
	f := serve(t, nil, slow(100*time.Millisecond, good))
	u := up(t, Config{URL: "tcp://" + f.at.String()}).(*stream)
	done := make(chan error)
	for range 3 * maxIdle {
		go func() { _, err := u.Exchange(soon(t, 2*time.Second), question()); done <- err }()
	}
	for range 3 * maxIdle {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if len(u.idle) != maxIdle {
		t.Errorf("%d idle connections", len(u.idle))
	}
}

func TestHTTPS(t *testing.T) {
	var handle http.HandlerFunc
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(w, r) }))
	conf, roots := authority(t, "doh.example")
	srv.TLS = conf
	srv.TLS.NextProtos = nil
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	at := netip.MustParseAddrPort(srv.Listener.Addr().String())
	c := Config{URL: fmt.Sprintf("https://doh.example:%d/dns-query", at.Port()), Addresses: []netip.Addr{at.Addr()}, Roots: roots}
	u := up(t, c)
	answer := func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		q := new(dns.Msg)
		if err := q.Unpack(b); err != nil {
			t.Error(err)
			return
		}
		w.Header().Set("Content-Type", dnsMessage)
		_, _ = w.Write(pack(a(q, "192.0.2.1")))
	}
	handle = func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "POST" || r.URL.Path != "/dns-query" || r.Header.Get("Content-Type") != dnsMessage || r.Host != fmt.Sprintf("doh.example:%d", at.Port()) ||
			r.ProtoMajor != 2 || r.Header.Get("User-Agent") != "" || len(r.Cookies()) != 0 || r.ContentLength%padTo != 0 {
			t.Errorf("%s %s %s %v, %d bytes", r.Proto, r.Method, r.URL, r.Header, r.ContentLength)
		}
		http.SetCookie(w, &http.Cookie{Name: "who", Value: "you"})
		w.Header().Set("Age", "100")
		answer(w, r)
	}
	for range 2 {
		m, err := u.Exchange(soon(t, 2*time.Second), question())
		if err != nil {
			t.Fatal(err)
		}
		if m.Id != 0 || m.Answer[0].Header().Ttl != 200 {
			t.Errorf("ID %d, TTL %d", m.Id, m.Answer[0].Header().Ttl)
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://doh.example/other", http.StatusTemporaryRedirect)
		},
		"error":  func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) },
		"a page": func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"too large": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", dnsMessage)
			_, _ = w.Write(make([]byte, 70_000))
		},
		"junk": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", dnsMessage)
			_, _ = io.WriteString(w, strings.Repeat("x", 40))
		},
	} {
		handle = h
		if m, err := u.Exchange(soon(t, 2*time.Second), question()); err == nil {
			t.Errorf("%s: %v", name, m)
		}
	}
	_, others := authority(t, "doh.example")
	c.Roots = others
	handle = answer
	if _, err := up(t, c).Exchange(soon(t, 2*time.Second), question()); err == nil {
		t.Error("another authority is trusted")
	}
}

func TestLeavingEarly(t *testing.T) {
	f := serve(t, nil, silent)
	for _, scheme := range []string{"udp", "tcp"} {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(30*time.Millisecond, cancel)
		start := time.Now()
		if _, err := up(t, Config{URL: scheme + "://" + f.at.String()}).Exchange(ctx, question()); err == nil || time.Since(start) > time.Second {
			t.Errorf("%s: %v after %v", scheme, err, time.Since(start))
		}
	}
}
