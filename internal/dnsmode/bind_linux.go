package dnsmode

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// bindTo binds a socket to an interface before it gets its address.
func bindTo(ifname string) func(string, string, syscall.RawConn) error {
	if ifname == "" {
		return nil
	}
	return func(_, _ string, c syscall.RawConn) (err error) {
		if cerr := c.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), ifname) }); cerr != nil {
			return cerr
		}
		return err
	}
}
