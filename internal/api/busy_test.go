package api

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestBusy: one address, and all together, have so much under way and no more;
// the socket is not counted, and what ends makes room.
func TestBusy(t *testing.T) {
	w := newWorld(t)
	h := w.Handler()
	var open []*io.PipeWriter
	var wg sync.WaitGroup
	begin := func(addr string) {
		r, body := io.Pipe()
		open = append(open, body)
		req := httptest.NewRequest("POST", "https://192.168.1.1/api/v1/session", r)
		req.RemoteAddr = addr + ":40000"
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set(csrfHeader, "1")
		wg.Go(func() { h.ServeHTTP(httptest.NewRecorder(), req) })
		_, _ = io.WriteString(body, "{") // taken: the handler reads
	}
	ask := func(addr string) *httptest.ResponseRecorder {
		req := httptest.NewRequest("GET", "https://192.168.1.1/healthz", nil)
		req.RemoteAddr = addr + ":40000"
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		return rec
	}
	for range maxBusyOf {
		begin("192.168.1.66")
	}
	if rec := ask("192.168.1.66"); rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" || !strings.Contains(rec.Body.String(), `"busy"`) {
		t.Errorf("one more of the same: %d %s", rec.Code, rec.Body)
	}
	if rec := ask("192.168.1.5"); rec.Code != http.StatusOK {
		t.Errorf("of another: %d", rec.Code)
	}
	for i := maxBusyOf; i < maxBusy; i++ {
		begin(fmt.Sprintf("192.168.2.%d", i))
	}
	if rec := ask("192.168.1.5"); rec.Code != http.StatusServiceUnavailable {
		t.Errorf("beyond all: %d", rec.Code)
	}
	req := httptest.NewRequest("GET", "http://yamori/healthz", nil)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req.WithContext(context.WithValue(req.Context(), connKey{}, conn{socket: true})))
	if rec.Code != http.StatusOK {
		t.Errorf("over the socket: %d", rec.Code)
	}
	for _, b := range open {
		_ = b.Close()
	}
	wg.Wait()
	if rec := ask("192.168.1.66"); rec.Code != http.StatusOK || w.busy.all != 0 || len(w.busy.of) != 0 {
		t.Errorf("afterwards: %d, %d %v", rec.Code, w.busy.all, w.busy.of)
	}
}

// TestConnectionsOf: one address has so many connections to a listener, and
// each connection so many requests at once.
func TestConnectionsOf(t *testing.T) {
	w := newWorld(t)
	if n := w.server(nil).HTTP2.MaxConcurrentStreams; n != maxStreams {
		t.Errorf("%d requests at once on a connection", n)
	}
	at := freePort(t)
	cert := &Certificate{Dir: filepath.Join(t.TempDir(), "tls"), Addrs: func() []netip.Addr { return nil }}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Serve(ctx, Listen{HTTPS: []netip.AddrPort{at}, Cert: cert}) }()
	conf := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // its certificate was made just now
	dial := func() (net.Conn, error) {
		return tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", at.String(), conf)
	}
	var open []net.Conn
	for len(open) < maxConnsOf {
		c, err := dial()
		if err != nil {
			if len(open) > 0 {
				t.Fatalf("connection %d: %v", len(open)+1, err)
			}
			time.Sleep(5 * time.Millisecond) // it is still starting
			continue
		}
		open = append(open, c)
	}
	if c, err := dial(); err == nil {
		_ = c.Close()
		t.Error("one connection more")
	}
	_ = open[0].Close()
	ok := false
	for range 500 {
		if c, err := dial(); err == nil {
			open[0], ok = c, true
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if !ok {
		t.Error("what ended made no room")
	}
	for _, c := range open {
		_ = c.Close()
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
