package priv

import "golang.org/x/sys/unix"

var native = &arch{audit: unix.AUDIT_ARCH_MIPSEL, deny: []uint32{
	unix.SYS_SOCKETCALL, // the old way to open sockets
	unix.SYS_CLOCK_SETTIME64, unix.SYS_CLOCK_ADJTIME64, unix.SYS_CREATE_MODULE, unix.SYS_UMOUNT, unix.SYS_STIME, unix.SYS__SYSCTL, unix.SYS_USELIB,
}}
