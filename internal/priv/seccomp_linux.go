//go:build amd64 || arm64 || arm || mipsle

package priv

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// arch is what the filter has to know of a processor.
type arch struct {
	audit uint32 // AUDIT_ARCH_*
	x32   bool   // numbers from 0x40000000 on are another table of calls
	deny  []uint32
}

// denied are the calls that are refused on every processor: none of them is
// needed to read packets, keep a database or serve the web, and each has been
// the way out of some confinement, or changes the machine as a whole.
var denied = [...]uint32{
	// Starting programs.
	unix.SYS_EXECVE, unix.SYS_EXECVEAT,
	// Other processes, and this one's handling.
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_KCMP, unix.SYS_PIDFD_GETFD, unix.SYS_PERSONALITY,
	unix.SYS_USERFAULTFD, unix.SYS_PROCESS_MADVISE, unix.SYS_MIGRATE_PAGES, unix.SYS_MOVE_PAGES,
	// File systems and namespaces.
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_UNSHARE, unix.SYS_SETNS,
	unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_OPEN_TREE, unix.SYS_MOVE_MOUNT, unix.SYS_MOUNT_SETATTR,
	unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD, unix.SYS_ACCT, unix.SYS_SWAPON, unix.SYS_SWAPOFF,
	// The kernel.
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD, unix.SYS_REBOOT, unix.SYS_BPF,
	unix.SYS_PERF_EVENT_OPEN, unix.SYS_SYSLOG, unix.SYS_VHANGUP,
	unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL,
	unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER, // calls that no filter sees
	unix.SYS_NFSSERVCTL, unix.SYS_LOOKUP_DCOOKIE,
	// The machine's clock and name.
	unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_ADJTIMEX, unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME,
}

// newNamespaces are the flags of clone that make namespaces.
const newNamespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// Offsets in struct seccomp_data; arguments have 64 bits everywhere, and all
// processors here are little-endian, so that the low half comes first.
const (
	dataNr   = 0
	dataArch = 4
	dataArgs = 16
)

// filter builds the program for a processor: every conditional jump goes over
// one instruction, so that no list is too long for its 8-bit distance.
func filter(a *arch) []unix.SockFilter {
	const (
		refuse = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
		absent = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	)
	var p []unix.SockFilter
	load := func(at uint32) { p = append(p, unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}) }
	ret := func(v uint32) { p = append(p, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: v}) }
	and := func(v uint32) { p = append(p, unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: v}) }
	// next runs the following n instructions when the comparison holds, or else
	// skips them; unless is the other way round.
	next := func(op uint16, k uint32, n uint8) {
		p = append(p, unix.SockFilter{Code: unix.BPF_JMP | op | unix.BPF_K, Jf: n, K: k})
	}
	unless := func(op uint16, k uint32, n uint8) {
		p = append(p, unix.SockFilter{Code: unix.BPF_JMP | op | unix.BPF_K, Jt: n, K: k})
	}
	load(dataArch)
	unless(unix.BPF_JEQ, a.audit, 1)
	ret(refuse) // another processor's calls, such as those of 32-bit programs
	load(dataNr)
	if a.x32 {
		next(unix.BPF_JGE, 0x40000000, 1)
		ret(refuse)
	}
	for _, nr := range append(denied[:], a.deny...) {
		next(unix.BPF_JEQ, nr, 1)
		ret(refuse)
	}
	// The flags of clone3 lie in memory, where a filter cannot look. Who is told
	// that it does not exist uses clone.
	next(unix.BPF_JEQ, unix.SYS_CLONE3, 1)
	ret(absent)
	next(unix.BPF_JEQ, unix.SYS_CLONE, 4)
	load(dataArgs)
	next(unix.BPF_JSET, newNamespaces, 1)
	ret(refuse)
	ret(unix.SECCOMP_RET_ALLOW)
	unless(unix.BPF_JEQ, unix.SYS_SOCKET, 1)
	ret(unix.SECCOMP_RET_ALLOW)
	load(dataArgs) // family
	next(unix.BPF_JEQ, unix.AF_UNIX, 1)
	ret(unix.SECCOMP_RET_ALLOW)
	next(unix.BPF_JEQ, unix.AF_NETLINK, 4) // the library lists interfaces so
	load(dataArgs + 16)                    // protocol
	next(unix.BPF_JEQ, unix.NETLINK_ROUTE, 1)
	ret(unix.SECCOMP_RET_ALLOW)
	ret(refuse)
	unless(unix.BPF_JEQ, unix.AF_INET, 2)
	unless(unix.BPF_JEQ, unix.AF_INET6, 1)
	ret(refuse)
	load(dataArgs + 8) // type
	and(0xf)
	unless(unix.BPF_JEQ, unix.SOCK_STREAM, 2)
	unless(unix.BPF_JEQ, unix.SOCK_DGRAM, 1)
	ret(refuse)
	ret(unix.SECCOMP_RET_ALLOW)
	return p
}

// seccomp sets the filter on all threads. It needs no_new_privs.
func seccomp() error {
	p := filter(native)
	prog := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}
	const modeFilter = 1 // SECCOMP_SET_MODE_FILTER
	tid, _, e := unix.Syscall(unix.SYS_SECCOMP, modeFilter, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	switch {
	case e == unix.ENOSYS || e == unix.EINVAL:
		return fmt.Errorf("%w: %w", errNoSeccomp, e)
	case e != 0:
		return fmt.Errorf("seccomp: %w", e)
	case tid != 0:
		return fmt.Errorf("seccomp: thread %d cannot be confined", tid)
	}
	return nil
}
