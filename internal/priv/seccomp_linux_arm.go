package priv

import "golang.org/x/sys/unix"

var native = &arch{audit: unix.AUDIT_ARCH_ARM, deny: []uint32{unix.SYS_KEXEC_FILE_LOAD, unix.SYS_CLOCK_SETTIME64, unix.SYS_CLOCK_ADJTIME64, unix.SYS__SYSCTL, unix.SYS_USELIB}}
