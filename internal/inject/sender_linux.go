package inject

import (
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/packet"
)

// Sender puts packets on the wire through raw sockets. Its methods may be
// called by one goroutine at a time.
type Sender struct {
	v4, v6 int
	buf    []byte
	to4    unix.SockaddrInet4
	to6    unix.SockaddrInet6

	Sent, Failed atomic.Uint64
}

// Sockets are the two raw sockets a Sender needs, for a process that gives its
// privileges up afterwards; -1: none.
type Sockets struct{ V4, V6 int }

// OpenSockets opens them. mark is set on every packet sent, so that rules know
// the program's own packets; 0: none.
func OpenSockets(mark int) (Sockets, error) {
	s := Sockets{-1, -1}
	open := func(family int) (int, error) {
		fd, err := unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_RAW)
		if err == nil && mark != 0 {
			err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, mark)
		}
		return fd, err
	}
	var err error
	if s.V4, err = open(unix.AF_INET); err != nil {
		return s, fmt.Errorf("inject: raw socket: %w; run as root, or grant cap_net_raw and cap_net_admin", err)
	}
	s.V6, err = open(unix.AF_INET6)
	if errors.Is(err, unix.EAFNOSUPPORT) {
		s.V6, err = -1, nil // a machine without IPv6
	}
	if err != nil {
		return s, fmt.Errorf("inject: raw socket for IPv6: %w", err)
	}
	return s, nil
}

// NewSender takes the sockets over.
func NewSender(s Sockets) *Sender { return &Sender{v4: s.V4, v6: s.V6} }

// Close closes the sockets.
func (s *Sender) Close() {
	for _, fd := range [...]int{s.v4, s.v6} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
	s.v4, s.v6 = -1, -1
}

// Reject tells the ends of p that it was not let through: resets for TCP, an
// ICMP error for the rest.
func (s *Sender) Reject(p *packet.Packet) {
	if toDst, toSrc := Resets(s.buf[:0], p); toDst != nil {
		s.buf = toDst[:0]
		s.send(p.Dst, toDst)
		s.send(p.Src, toSrc)
		return
	}
	if p.Proto == packet.ProtoTCP {
		return
	}
	if b := Unreachable(s.buf[:0], p); b != nil {
		s.buf = b[:0]
		s.send(p.Src, b)
	}
}

// Refuse answers a DNS query over UDP.
func (s *Sender) Refuse(p *packet.Packet, code Rcode) {
	if a := DNSRefusal(nil, p.Payload, code); a != nil {
		if b := UDP(s.buf[:0], p, a); b != nil {
			s.buf = b[:0]
			s.send(p.Src, b)
		}
	}
}

// send sends one whole IP packet.
func (s *Sender) send(to packet.Addr, b []byte) {
	ip := to.Netip()
	var err error
	if ip.Is4() {
		s.to4.Addr = ip.As4()
		err = unix.Sendto(s.v4, b, 0, &s.to4)
	} else {
		s.to6.Addr = ip.As16()
		err = unix.Sendto(s.v6, b, 0, &s.to6)
	}
	if err != nil {
		s.Failed.Add(1)
		return
	}
	s.Sent.Add(1)
}
