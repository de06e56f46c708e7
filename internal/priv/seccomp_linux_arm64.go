package priv

import "golang.org/x/sys/unix"

var native = &arch{audit: unix.AUDIT_ARCH_AARCH64, deny: []uint32{unix.SYS_KEXEC_FILE_LOAD}}
