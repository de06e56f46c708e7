package labnet

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/netns"
)

// past is a time that is over: set as a deadline, it ends what waits.
var past = time.Unix(1, 0)

// Dial connects over TCP from a namespace. Only the socket is made on the
// namespace's thread, so that many may wait at once.
func Dial(ctx context.Context, ns *netns.NS, to netip.AddrPort) (net.Conn, error) {
	return dialFrom(ctx, ns, netip.AddrPort{}, to)
}

// dialFrom is Dial from an address of one's own, when it is given.
func dialFrom(ctx context.Context, ns *netns.NS, from, to netip.AddrPort) (net.Conn, error) {
	if !inside(to.Addr()) {
		return nil, fmt.Errorf("dial %v: %w", to, ErrOutside)
	}
	f, err := socket(ns, from, to, unix.SOCK_STREAM)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	stop := context.AfterFunc(ctx, func() { _ = f.SetDeadline(past) })
	defer stop()
	rc, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	var failed error
	err = rc.Write(func(fd uintptr) bool {
		if n, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR); err != nil || n != 0 {
			if failed = err; err == nil {
				failed = unix.Errno(n)
			}
			return true
		}
		_, err := unix.Getpeername(int(fd))
		return err == nil
	})
	if failed != nil {
		err = os.NewSyscallError("connect", failed)
	} else if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("dial %v: %w", to, err)
	}
	return net.FileConn(f)
}

// socket makes a socket that is connecting to an address, from one if it is
// given.
func socket(ns *netns.NS, from, to netip.AddrPort, kind int) (*os.File, error) {
	family := unix.AF_INET
	if to.Addr().Is6() {
		family = unix.AF_INET6
	}
	var fd int
	if err := ns.Do(func() (err error) {
		fd, err = unix.Socket(family, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		return err
	}); err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	var err error
	if from.IsValid() {
		err = os.NewSyscallError("bind", unix.Bind(fd, sockaddr(from)))
	}
	if err == nil {
		if err = unix.Connect(fd, sockaddr(to)); err == unix.EINPROGRESS {
			err = nil
		}
		err = os.NewSyscallError("connect", err)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("dial %v: %w", to, err)
	}
	return os.NewFile(uintptr(fd), "socket"), nil
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

// dialUDP makes a connected UDP socket.
func dialUDP(ns *netns.NS, to netip.AddrPort) (net.Conn, error) {
	if !inside(to.Addr()) {
		return nil, fmt.Errorf("dial %v: %w", to, ErrOutside)
	}
	f, err := socket(ns, netip.AddrPort{}, to, unix.SOCK_DGRAM)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return net.FileConn(f)
}

// Listen listens over TCP in a namespace: ":80", "192.0.2.10:23".
func Listen(ns *netns.NS, address string) (l net.Listener, err error) {
	err = ns.Do(func() error { l, err = net.Listen("tcp", address); return err })
	return l, err
}

// ListenUDP is Listen for datagrams.
func ListenUDP(ns *netns.NS, address string) (c net.PacketConn, err error) {
	err = ns.Do(func() error { c, err = net.ListenPacket("udp", address); return err })
	return c, err
}
