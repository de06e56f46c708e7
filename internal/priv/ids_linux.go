//go:build linux && !arm && !386

package priv

import "golang.org/x/sys/unix"

// Calls that take user numbers of 32 bits.
const (
	sysSetgroups = unix.SYS_SETGROUPS
	sysSetresgid = unix.SYS_SETRESGID
	sysSetresuid = unix.SYS_SETRESUID
)
