package priv

import "golang.org/x/sys/unix"

var native = &arch{audit: unix.AUDIT_ARCH_X86_64, x32: true, deny: []uint32{
	unix.SYS_KEXEC_FILE_LOAD, unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_CREATE_MODULE, unix.SYS_MODIFY_LDT, unix.SYS__SYSCTL, unix.SYS_USELIB,
}}
