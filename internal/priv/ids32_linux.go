//go:build linux && (arm || 386)

package priv

import "golang.org/x/sys/unix"

// Calls that take user numbers of 32 bits: the older ones take 16.
const (
	sysSetgroups = unix.SYS_SETGROUPS32
	sysSetresgid = unix.SYS_SETRESGID32
	sysSetresuid = unix.SYS_SETRESUID32
)
