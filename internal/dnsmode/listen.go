package dnsmode

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Limits of listeners.
const (
	// maxUDP bounds the questions over UDP that are under way; beyond, they
	// are dropped and asked again by whoever asked.
	maxUDP = 1024
	// maxConns and maxConnsClient bound TCP connections, in all and of one client.
	maxConns       = 256
	maxConnsClient = 32
	// maxPipeline bounds the questions under way on one connection (RFC 7766
	// section 6.2.1.1); beyond, it is not read.
	maxPipeline = 16
	// maxQuestion bounds a question over TCP: the longest name with every
	// option in use is less than a quarter.
	maxQuestion = 4096
	// idleTime is how long a connection may be silent, readTime how long a
	// question may take to arrive, writeTime how long an answer to leave.
	idleTime  = 10 * time.Second
	readTime  = 3 * time.Second
	writeTime = 5 * time.Second
)

// times are those three; tests shorten them.
type times struct{ idle, read, write time.Duration }

// port is one address.
type port struct {
	at  netip.AddrPort
	pc  net.PacketConn
	ln  net.Listener
	err error
}

func (s *Server) isOpen(p *port) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.pc != nil
}

// open binds an address for UDP and TCP.
func (s *Server) open(p *port) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var pc net.PacketConn
	var ln net.Listener
	err := s.cfg.In(func() (err error) {
		if s.cfg.Open != nil {
			pc, ln, err = s.handed(p.at)
			return err
		}
		lc := net.ListenConfig{Control: bindTo(s.cfg.Interface)}
		if ln, err = lc.Listen(context.Background(), "tcp", p.at.String()); err != nil {
			return err
		}
		// Port 0 stands for any: both get the same.
		at := ln.Addr().(*net.TCPAddr).AddrPort()
		if pc, err = lc.ListenPacket(context.Background(), "udp", netip.AddrPortFrom(p.at.Addr(), at.Port()).String()); err != nil {
			_ = ln.Close()
		}
		return err
	})
	if p.err = err; err != nil {
		return err
	}
	p.pc, p.ln = pc, ln
	p.at = netip.AddrPortFrom(p.at.Addr(), ln.Addr().(*net.TCPAddr).AddrPort().Port())
	return nil
}

// handed gets the sockets of an address from Config.Open.
func (s *Server) handed(at netip.AddrPort) (net.PacketConn, net.Listener, error) {
	f, err := s.cfg.Open(true, at)
	if err != nil {
		return nil, nil, err
	}
	ln, err := net.FileListener(f)
	_ = f.Close() // it was duplicated
	if err != nil {
		return nil, nil, err
	}
	if f, err = s.cfg.Open(false, at); err == nil {
		var pc net.PacketConn
		pc, err = net.FilePacketConn(f)
		if _ = f.Close(); err == nil {
			return pc, ln, nil
		}
	}
	_ = ln.Close()
	return nil, nil, err
}

func (s *Server) serveUDP(ctx context.Context, p *port) {
	pc := p.pc.(*net.UDPConn)
	buf := make([]byte, maxQuestion)
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		n, from, err := pc.ReadFromUDPAddrPort(buf)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			// An ICMP error of an earlier answer, or memory is short: go on.
			s.stats.readErrors.Add(1)
			time.Sleep(time.Millisecond)
			continue
		}
		if from.Port() == 0 {
			continue // nobody can be answered there
		}
		select {
		case s.slots <- struct{}{}:
		default:
			s.drop()
			continue
		}
		q := append([]byte(nil), buf[:n]...)
		wg.Go(func() {
			defer func() { <-s.slots }()
			if out := s.Answer(ctx, from.Addr(), false, q); out != nil {
				_, _ = pc.WriteToUDPAddrPort(out, from)
			}
		})
	}
}

func (s *Server) serveTCP(ctx context.Context, p *port) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		c, err := p.ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			s.stats.readErrors.Add(1)
			time.Sleep(10 * time.Millisecond) // no file descriptors left: they come back
			continue
		}
		from := c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap().WithZone("")
		if !s.enterTCP(from) {
			_ = c.Close()
			continue
		}
		wg.Go(func() {
			defer s.leaveTCP(from)
			s.serveConn(ctx, c, from)
		})
	}
}

func (s *Server) enterTCP(a netip.Addr) bool {
	if !s.atHome(a) {
		s.stats.notHome.Add(1)
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total >= maxConns || s.conns[a] >= maxConnsClient {
		s.drop()
		return false
	}
	s.total++
	s.conns[a]++
	return true
}

func (s *Server) leaveTCP(a netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	if s.conns[a]--; s.conns[a] == 0 {
		delete(s.conns, a)
	}
}

// serveConn answers on one connection; answers leave as they are ready, in any
// order (RFC 7766 section 6.2.1.1).
func (s *Server) serveConn(ctx context.Context, c net.Conn, from netip.Addr) {
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	slots := make(chan struct{}, maxPipeline)
	var write sync.Mutex
	var wg sync.WaitGroup
	defer wg.Wait()
	var head [2]byte
	for {
		_ = c.SetReadDeadline(time.Now().Add(s.times.idle))
		if _, err := io.ReadFull(c, head[:1]); err != nil {
			return
		}
		_ = c.SetReadDeadline(time.Now().Add(s.times.read))
		if _, err := io.ReadFull(c, head[1:]); err != nil {
			return
		}
		n := int(binary.BigEndian.Uint16(head[:]))
		if n < headerLen || n > maxQuestion {
			s.stats.malformed.Add(1)
			return
		}
		q := make([]byte, n)
		if _, err := io.ReadFull(c, q); err != nil {
			return
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		wg.Go(func() {
			defer func() { <-slots }()
			out := s.Answer(ctx, from, true, q)
			if out == nil {
				_ = c.Close()
				return
			}
			write.Lock()
			defer write.Unlock()
			_ = c.SetWriteDeadline(time.Now().Add(s.times.write))
			if _, err := c.Write(append(binary.BigEndian.AppendUint16(make([]byte, 0, len(out)+2), uint16(len(out))), out...)); err != nil {
				_ = c.Close()
			}
		})
	}
}
