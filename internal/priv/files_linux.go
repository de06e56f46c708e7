package priv

import (
	"fmt"
	"net"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// Append opens the event file for appending, in a new one when rotate is set:
// see evefile.Append.
type Append func(path string, keep int, rotate bool) (*os.File, error)

// listen opens a socket at a port that was named beforehand. Where it may stand
// is the other side's affair: any address of this machine.
func (s *server) listen(r *listenRequest) (int, error) {
	if !slices.Contains(s.cfg.Ports, r.At.Port()) {
		return -1, fmt.Errorf("%w: port %d", ErrRefused, r.At.Port())
	}
	family, to := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: int(r.At.Port()), Addr: r.At.Addr().As16()})
	if a := r.At.Addr().Unmap(); a.Is4() {
		family, to = unix.AF_INET, &unix.SockaddrInet4{Port: int(r.At.Port()), Addr: a.As4()}
	} else if zone := a.Zone(); zone != "" {
		ifc, err := net.InterfaceByName(zone)
		if err != nil {
			return -1, err
		}
		to = &unix.SockaddrInet6{Port: int(r.At.Port()), Addr: r.At.Addr().As16(), ZoneId: uint32(ifc.Index)}
	}
	kind := unix.SOCK_DGRAM
	if r.Stream {
		kind = unix.SOCK_STREAM
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	if r.Stream {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	if err == nil && family == unix.AF_INET6 {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
	}
	if err == nil {
		err = unix.Bind(fd, to)
	}
	if err == nil && r.Stream {
		err = unix.Listen(fd, unix.SOMAXCONN)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("listen at %s: %w", r.At, err)
	}
	return fd, nil
}

// events opens the event file.
func (s *server) events(rotate bool) (int, error) {
	if s.append == nil || s.cfg.Events == "" {
		return -1, fmt.Errorf("%w: no event file was named", ErrRefused)
	}
	f, err := s.append(s.cfg.Events, s.cfg.Keep, rotate)
	if err != nil {
		return -1, err
	}
	defer func() { _ = f.Close() }()
	return unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
}

// mark is which file a path stands for; the zero mark: none.
type mark struct{ dev, ino uint64 }

// socketAt is the mark of a Unix socket.
func socketAt(path string) mark {
	var st unix.Stat_t
	if path == "" || unix.Lstat(path, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return mark{}
	}
	return mark{uint64(st.Dev), st.Ino} //nolint:unconvert // of 32 bits on some processors
}
