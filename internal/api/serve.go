package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// maxConns bounds the connections of each listener; the next ones wait in the
// kernel.
const maxConns = 256

// Listen says where to serve. Empty: not there.
type Listen struct {
	HTTPS []netip.AddrPort // addresses of the LAN
	HTTP  []netip.AddrPort // redirected to HTTPS, or served where HTTPS is empty
	Cert  *Certificate     // for HTTPS

	// Anywhere allows addresses that the internet may reach. Without it only
	// loopback, private and link-local ones are taken (RFC 1918, 3927, 4193).
	Anywhere bool

	// Open listens at an address of the LAN, for a process that may not; nil:
	// Serve does.
	Open func(netip.AddrPort) (net.Listener, error)

	// Unix is a listener of a Unix socket; who may open its file is owner.
	Unix net.Listener
}

// Serve listens and answers until ctx ends, then lets requests finish for
// three seconds. An address that cannot be listened on is an error at once.
func (s *Server) Serve(ctx context.Context, l Listen) error {
	if len(l.HTTPS) > 0 {
		if l.Cert == nil {
			return errors.New("api: HTTPS needs a certificate")
		}
		if _, err := l.Cert.Get(); err != nil {
			return err
		}
	}
	for _, a := range append(slices.Clone(l.HTTPS), l.HTTP...) {
		if ip := a.Addr().Unmap(); !l.Anywhere && !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast() {
			return fmt.Errorf("api: %s may be reached from the internet; name an address of the LAN", a)
		}
	}
	var srvs []*http.Server
	var starts []func() error
	var open []net.Listener
	add := func(srv *http.Server, ln net.Listener, wrap func(net.Listener) net.Listener) {
		open = append(open, ln)
		srvs = append(srvs, srv)
		lim := net.Listener(&limited{Listener: ln, room: make(chan struct{}, maxConns)})
		if wrap != nil {
			lim = wrap(lim)
		}
		starts = append(starts, func() error { return srv.Serve(lim) })
	}
	closeAll := func() {
		for _, ln := range open {
			_ = ln.Close() // going away
		}
	}
	if l.Unix != nil {
		srv := s.server(s.Handler())
		srv.ConnContext = peerOf
		add(srv, l.Unix, nil)
	}
	for _, a := range l.HTTPS {
		ln, err := l.open(a)
		if err != nil {
			closeAll()
			return fmt.Errorf("api: %w; choose another address or port", err)
		}
		conf := l.Cert.TLS()
		srv := s.server(s.Handler())
		srv.TLSConfig = conf
		add(srv, ln, func(x net.Listener) net.Listener { return tls.NewListener(x, conf) })
	}
	for _, a := range l.HTTP {
		ln, err := l.open(a)
		if err != nil {
			closeAll()
			return fmt.Errorf("api: %w; choose another address or port", err)
		}
		h := s.Handler()
		if len(l.HTTPS) > 0 {
			h = s.redirect(l.HTTPS[0].Port())
		}
		add(s.server(h), ln, nil)
	}
	if len(srvs) == 0 {
		return errors.New("api: nowhere to listen")
	}
	failed := make(chan error, len(starts))
	var wg sync.WaitGroup
	for _, start := range starts {
		wg.Go(func() {
			if err := start(); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	s.cfg.Events.Close()
	end, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	for _, srv := range srvs {
		if srv.Shutdown(end) != nil {
			_ = srv.Close() // those that do not finish
		}
	}
	wg.Wait()
	return err
}

func (l *Listen) open(a netip.AddrPort) (net.Listener, error) {
	if l.Open != nil {
		return l.Open(a)
	}
	return net.Listen("tcp", a.String())
}

// server has the limits that every listener shares. Streams move their own
// deadlines.
func (s *Server) server(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 60 * time.Second, WriteTimeout: 90 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, HTTP2: http2Limits(), ErrorLog: log.New(quiet{s.cfg.Log}, "", 0)}
}

// quiet takes what net/http says of bad clients: interesting to who looks for
// it only.
type quiet struct{ log *slog.Logger }

// Write logs a line.
func (q quiet) Write(b []byte) (int, error) {
	q.log.Debug("http", "says", string(b[:max(0, len(b)-1)]))
	return len(b), nil
}

// redirect leads from HTTP to HTTPS; changes are refused rather than led on,
// since their content has already gone over the wire.
func (s *Server) redirect(port uint16) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secureHeaders(w.Header(), r)
		if !s.hosts.ok(r.Host) {
			s.problem(w, r, refuse(http.StatusMisdirectedRequest, "host", "this is not a name of yamori"))
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			s.problem(w, r, refuse(http.StatusForbidden, "https", "use https"))
			return
		}
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		} else if len(host) > 2 && host[0] == '[' {
			host = host[1 : len(host)-1]
		}
		to := net.JoinHostPort(host, strconv.Itoa(int(port)))
		if port == 443 {
			if to = host; net.ParseIP(host) != nil && net.ParseIP(host).To4() == nil {
				to = "[" + host + "]"
			}
		}
		http.Redirect(w, r, "https://"+to+r.URL.RequestURI(), http.StatusTemporaryRedirect)
	})
}

// peerOf notes who is at the other end of a Unix socket (SO_PEERCRED, unix(7)).
func peerOf(ctx context.Context, c net.Conn) context.Context {
	if l, ok := c.(*limitedConn); ok {
		c = l.Conn
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		return ctx
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return ctx
	}
	var cred *unix.Ucred
	var credErr error
	err = raw.Control(func(fd uintptr) { cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err != nil || credErr != nil {
		return ctx // without credentials it is a connection like any other
	}
	return context.WithValue(ctx, connKey{}, conn{socket: true, uid: cred.Uid})
}

// limited is a listener with room for a number of connections, and for fewer of
// one address.
type limited struct {
	net.Listener
	room chan struct{}
	busy busy
}

// Accept waits for room first.
func (l *limited) Accept() (net.Conn, error) {
	l.room <- struct{}{}
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			<-l.room
			return nil, err
		}
		addr := hostOf(c.RemoteAddr())
		if addr == "" { // who may open the socket's file is trusted
			return &limitedConn{Conn: c, free: sync.OnceFunc(func() { <-l.room })}, nil
		}
		if l.busy.take(addr, maxConns, maxConnsOf) {
			return &limitedConn{Conn: c, free: sync.OnceFunc(func() { l.busy.give(addr); <-l.room })}, nil
		}
		_ = c.Close() // it has enough
	}
}

type limitedConn struct {
	net.Conn
	free func()
}

// Close gives the room back.
func (c *limitedConn) Close() error {
	defer c.free()
	return c.Conn.Close()
}
