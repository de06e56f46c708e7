package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// stream asks over TCP, or TLS in it (RFC 7858). One question is under way on a
// connection at a time; idle connections are used again.
type stream struct {
	at   []netip.AddrPort
	dial Dial
	tls  *tls.Config // nil: none
	mu   sync.Mutex
	idle []idleConn // youngest last
}

type idleConn struct {
	net.Conn
	since time.Time
}

func tlsConfig(name string, roots *x509.CertPool) *tls.Config {
	return &tls.Config{ServerName: name, RootCAs: roots, MinVersion: tls.VersionTLS12, NextProtos: []string{"dot"},
		ClientSessionCache: tls.NewLRUClientSessionCache(maxIdle)}
}

func newStream(at []netip.AddrPort, dial Dial, conf *tls.Config) *stream {
	return &stream{at: at, dial: dial, tls: conf}
}

func (s *stream) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.idle {
		_ = c.Close()
	}
	s.idle = nil
}

// take gives an idle connection, the youngest; nil: there is none.
func (s *stream) take() net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.idle) > 0 {
		c := s.idle[len(s.idle)-1]
		s.idle = s.idle[:len(s.idle)-1]
		if time.Since(c.since) < idleFor {
			return c.Conn
		}
		_ = c.Close()
	}
	return nil
}

func (s *stream) keep(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.idle) == maxIdle {
		_ = s.idle[0].Close()
		s.idle = append(s.idle[:0], s.idle[1:]...)
	}
	_ = c.SetDeadline(time.Time{})
	s.idle = append(s.idle, idleConn{c, time.Now()})
}

func (s *stream) open(ctx context.Context) (net.Conn, error) {
	c, err := dialAny(ctx, s.dial, "tcp", s.at)
	if err != nil || s.tls == nil {
		return c, err
	}
	t := tls.Client(c, s.tls)
	if err := t.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	return t, nil
}

func (s *stream) Exchange(ctx context.Context, q *dns.Msg) (*dns.Msg, error) {
	// A connection that was idle may have been closed at the other end: then
	// the question is asked once more on a new one.
	for c := s.take(); c != nil; c = nil {
		m, err := s.ask(ctx, c, q)
		if err == nil || ctx.Err() != nil || errors.Is(err, ErrMalformed) || errors.Is(err, ErrMismatch) {
			return m, err
		}
	}
	c, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	return s.ask(ctx, c, q)
}

func (s *stream) ask(ctx context.Context, c net.Conn, q *dns.Msg) (m *dns.Msg, err error) {
	stop := endWith(ctx, c)
	defer func() {
		stop()
		if err != nil || ctx.Err() != nil {
			_ = c.Close()
		} else {
			s.keep(c)
		}
	}()
	id := randomID()
	wire, err := encode(q, id, s.tls != nil)
	if err != nil {
		return nil, err
	}
	// One write, so that length and message leave together (RFC 7766 section 8).
	if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(wire))), wire...)); err != nil {
		return nil, err
	}
	var head [2]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return nil, err
	}
	buf := make([]byte, binary.BigEndian.Uint16(head[:]))
	if _, err := io.ReadFull(c, buf); err != nil {
		return nil, err
	}
	return check(q, id, buf)
}
