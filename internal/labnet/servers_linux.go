package labnet

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/yamori-net/yamori/internal/labnet/talks"
	"github.com/yamori-net/yamori/internal/netns"
)

// Ports of the internet's servers, besides those of the conversations.
const (
	poolPort  = 3333  // a pool that goes on as long as the miner does
	c2Port    = 48101 // where a bot reports
	bulkPort  = 5201  // transfers of a drill
	telnet    = 23
	maxVideo  = 1 << 30
	loginWord = "correct horse" // the password of the NAS: in no list
)

// wildHosts are the addresses where a scan finds somebody: devices with a
// telnet log-in.
var wildHosts = [...]string{"192.0.2.17", "192.0.2.71", "192.0.2.130", "192.0.2.204"}

// serve accepts connections in a namespace until the home is closed.
func (h *Home) serve(n *netns.NS, address string, f func(net.Conn)) error {
	l, err := Listen(n, address)
	if err != nil {
		return fmt.Errorf("in %s: %w", n.Name, err)
	}
	h.accept(l, f)
	return nil
}

// accept hands each connection to f and closes it afterwards, or when the home
// is closed.
func (h *Home) accept(l net.Listener, f func(net.Conn)) {
	h.closers = append(h.closers, l)
	h.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				if h.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
					return
				}
				time.Sleep(10 * time.Millisecond)
				continue
			}
			h.wg.Go(func() {
				defer c.Close()
				stop := context.AfterFunc(h.ctx, func() { _ = c.SetDeadline(past) })
				defer stop()
				f(c)
			})
		}
	})
}

// serveInternet starts the internet's servers.
func (h *Home) serveInternet() error {
	if err := h.makeCert(); err != nil {
		return err
	}
	n := h.Internet
	secure := &tls.Config{Certificates: []tls.Certificate{h.cert}}
	for _, t := range talks.All() {
		twin := talks.Twin(t)
		if err := errors.Join(h.serve(n, fmt.Sprintf(":%d", t.Port), func(c net.Conn) {
			if to, err := netip.ParseAddrPort(c.LocalAddr().String()); err == nil && t.Mining && to.Addr().Unmap() != Pool.Addr(false) && to.Addr() != Pool.Addr(true) {
				h.answer(c, &twin) // elsewhere the same port has nothing to do with mining
				return
			}
			h.answer(c, &t)
		}),
			h.serve(n, fmt.Sprintf(":%d", t.TLSPort()), func(c net.Conn) { h.answer(tls.Server(c, secure), &t) })); err != nil {
			return err
		}
	}
	page := http.HandlerFunc(h.page)
	if err := errors.Join(h.serveHTTP(n, ":80", page), h.serve(n, fmt.Sprintf(":%d", poolPort), h.pool), h.serve(n, fmt.Sprintf(":%d", c2Port), report),
		h.serve(n, fmt.Sprintf(":%d", bulkPort), h.bulk)); err != nil {
		return err
	}
	// Port 443 is the web's, and at the pool's address the pool's.
	web := newHandOver()
	h.closers = append(h.closers, web)
	h.goHTTP(web, page)
	if err := h.serve(n, ":443", func(c net.Conn) {
		t := tls.Server(c, secure)
		if a, err := netip.ParseAddrPort(c.LocalAddr().String()); err == nil && (a.Addr().Unmap() == Pool.Addr(false) || a.Addr() == Pool.Addr(true)) {
			h.pool(t)
			return
		}
		web.hand(t)
	}); err != nil {
		return err
	}
	for _, a := range wildHosts {
		if err := h.serve(n, fmt.Sprintf("%s:%d", a, telnet), h.telnetLogin); err != nil {
			return err
		}
	}
	return errors.Join(h.serveUDP(":53", answerTo), h.serveUDP(":123", func(q []byte) []byte {
		if len(q) < 48 {
			return nil
		}
		a := make([]byte, 48) // RFC 5905 section 7.3: mode 4, stratum 2
		a[0], a[1] = q[0]&0x38|4, 2
		copy(a[24:32], q[40:48])
		return a
	}))
}

// makeCert makes the certificate of every server.
func (h *Home) makeCert() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Lab"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true}
	for s, names := range servers {
		t.DNSNames = append(t.DNSNames, names...)
		t.IPAddresses = append(t.IPAddresses, s.Addr(false).AsSlice(), s.Addr(true).AsSlice())
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	h.cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
	h.roots = x509.NewCertPool()
	h.roots.AddCert(leaf)
	return nil
}

// answer has the server's part of a conversation, and counts what it hears.
func (h *Home) answer(c net.Conn, t *talks.Talk) {
	buf := make([]byte, 0, 4096)
	for _, s := range t.Steps {
		_ = c.SetDeadline(time.Now().Add(s.Wait + 10*time.Second))
		if h.ctx.Err() != nil {
			return
		}
		if s.FromServer {
			if err := utter(c, s.Data, int(h.pieces.Load())); err != nil {
				return
			}
			continue
		}
		buf = append(buf[:0], make([]byte, len(s.Data))...)
		n, err := io.ReadFull(c, buf)
		h.heard[t.Name].bytes.Add(int64(n))
		if err != nil || !bytes.Equal(buf, s.Data) {
			return
		}
		h.heard[t.Name].messages.Add(1)
	}
	_, _ = c.Read(buf[:1]) // the client hangs up
}

// serveHTTP serves over HTTP.
func (h *Home) serveHTTP(n *netns.NS, address string, f http.Handler) error {
	l, err := Listen(n, address)
	if err != nil {
		return fmt.Errorf("in %s: %w", n.Name, err)
	}
	h.goHTTP(l, f)
	return nil
}

func (h *Home) goHTTP(l net.Listener, f http.Handler) {
	s := &http.Server{Handler: f, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	h.closers = append(h.closers, s)
	h.wg.Go(func() { _ = s.Serve(l) })
}

// page is what the web has: a short text, or as many bytes as asked for.
func (h *Home) page(w http.ResponseWriter, r *http.Request) {
	if n, err := strconv.ParseInt(r.URL.Query().Get("bytes"), 10, 64); err == nil && n >= 0 && n <= maxVideo {
		w.Header().Set("Content-Type", "video/mp4")
		w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
		block := bytes.Repeat([]byte("moving pictures "), 4096)
		for n > 0 {
			m, err := w.Write(block[:min(n, int64(len(block)))])
			if err != nil {
				return
			}
			n -= int64(m)
		}
		return
	}
	w.Header().Set("Content-Type", "text/html")
	_, _ = io.WriteString(w, shortPage)
}

const shortPage = "<!doctype html><title>Lab</title><p>All quiet.\n"

// handOver is a listener whose connections come from elsewhere.
type handOver struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newHandOver() *handOver { return &handOver{conns: make(chan net.Conn), done: make(chan struct{})} }

// hand gives a connection to the server and returns when it is closed.
func (l *handOver) hand(c net.Conn) {
	w := &watched{Conn: c, gone: make(chan struct{})}
	select {
	case l.conns <- w:
		select {
		case <-w.gone:
		case <-l.done:
		}
	case <-l.done:
	}
}

func (l *handOver) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *handOver) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *handOver) Addr() net.Addr { return &net.TCPAddr{} }

// watched tells when it is closed.
type watched struct {
	net.Conn
	gone chan struct{}
	once sync.Once
}

func (w *watched) Close() error {
	w.once.Do(func() { close(w.gone) })
	return w.Conn.Close()
}

// serveUDP answers datagrams of the internet's servers, from the address that
// was asked.
func (h *Home) serveUDP(port string, f func([]byte) []byte) error {
	for s := range servers {
		for _, v6 := range []bool{false, true}[:1+b2i(h.opt.IPv6)] {
			if port == ":53" && s != DNS || port == ":123" && s != Time {
				continue
			}
			c, err := ListenUDP(h.Internet, net.JoinHostPort(s.Addr(v6).String(), port[1:]))
			if err != nil {
				return err
			}
			h.closers = append(h.closers, c)
			h.wg.Go(func() {
				buf := make([]byte, 1500)
				for {
					n, from, err := c.ReadFrom(buf)
					if err != nil {
						return
					}
					if a := f(buf[:n]); a != nil {
						_, _ = c.WriteTo(a, from)
					}
				}
			})
		}
	}
	return nil
}

// report is where a bot says that it is there and hears that nothing is to be
// done: a hello of four bytes with a name, then two bytes back and forth.
func report(c net.Conn) {
	var head [5]byte
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadFull(c, head[:]); err != nil || !bytes.Equal(head[:4], []byte{0, 0, 0, 1}) {
		return
	}
	if _, err := io.CopyN(io.Discard, c, int64(head[4])); err != nil {
		return
	}
	var beat [2]byte
	for {
		_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
		if _, err := io.ReadFull(c, beat[:]); err != nil {
			return
		}
		if _, err := c.Write(beat[:]); err != nil {
			return
		}
	}
}

// telnetLogin asks for a name and a password, and lets nobody in.
func (h *Home) telnetLogin(c net.Conn) {
	r := bufio.NewReaderSize(io.LimitReader(c, 4096), 256)
	for range 3 {
		for _, prompt := range [...]string{"login: ", "Password: "} {
			_ = c.SetDeadline(time.Now().Add(5 * time.Second))
			if _, err := io.WriteString(c, prompt); err != nil {
				return
			}
			if _, err := r.ReadString('\n'); err != nil {
				return
			}
		}
		h.logins.Add(1)
		if _, err := io.WriteString(c, "\r\nLogin incorrect\r\n"); err != nil {
			return
		}
	}
}

// serve starts what a device offers at home.
func (d *Device) serve() error {
	h := d.home
	for _, p := range d.open {
		if err := h.serveHTTP(d.NS, fmt.Sprintf(":%d", p), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, "/login") {
				_, _ = fmt.Fprintf(w, "<!doctype html><title>%s</title>\n", d.hostname)
				return
			}
			h.logins.Add(1)
			if _, word, _ := r.BasicAuth(); word != loginWord {
				w.Header().Set("WWW-Authenticate", `Basic realm="`+d.hostname+`"`)
				w.WriteHeader(http.StatusUnauthorized)
			}
		})); err != nil {
			return err
		}
	}
	if d.Name != "camera" {
		return nil
	}
	return h.serve(d.NS, fmt.Sprintf(":%d", telnet), h.telnetLogin)
}
