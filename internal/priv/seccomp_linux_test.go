//go:build amd64 || arm64 || arm || mipsle

package priv

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

// judge runs a filter as the kernel does.
func judge(t *testing.T, p []unix.SockFilter, data []byte) uint32 {
	t.Helper()
	var a uint32
	for pc := 0; pc < len(p); pc++ {
		i := p[pc]
		jump := func(yes bool) {
			if yes {
				pc += int(i.Jt)
			} else {
				pc += int(i.Jf)
			}
		}
		switch i.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			a = binary.LittleEndian.Uint32(data[i.K:])
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K:
			a &= i.K
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			jump(a == i.K)
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			jump(a >= i.K)
		case unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K:
			jump(a&i.K != 0)
		case unix.BPF_RET | unix.BPF_K:
			return i.K
		default:
			t.Fatalf("instruction %d: %#x", pc, i.Code)
		}
	}
	t.Fatal("the filter has no end")
	return 0
}

func TestFilter(t *testing.T) {
	p := filter(native)
	t.Logf("%d instructions", len(p))
	ask := func(audit, nr uint32, args ...uint32) uint32 {
		b := make([]byte, 64)
		binary.LittleEndian.PutUint32(b, nr)
		binary.LittleEndian.PutUint32(b[4:], audit)
		for i, v := range args {
			binary.LittleEndian.PutUint32(b[16+8*i:], v)
		}
		return judge(t, p, b)
	}
	const (
		yes    = uint32(unix.SECCOMP_RET_ALLOW)
		no     = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
		absent = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	)
	for _, c := range []struct {
		name string
		nr   uint32
		args []uint32
		want uint32
	}{
		{"read", unix.SYS_READ, nil, yes},
		{"futex", unix.SYS_FUTEX, nil, yes},
		{"execve", unix.SYS_EXECVE, nil, no},
		{"mount_setattr", unix.SYS_MOUNT_SETATTR, nil, no},
		{"the last of the table", denied[len(denied)-1], nil, no},
		{"the last of the processor", native.deny[len(native.deny)-1], nil, no},
		{"clone3", unix.SYS_CLONE3, nil, absent},
		{"a thread", unix.SYS_CLONE, []uint32{unix.CLONE_VM | unix.CLONE_THREAD}, yes},
		{"a namespace", unix.SYS_CLONE, []uint32{unix.CLONE_NEWNET}, no},
		{"TCP", unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_STREAM | unix.SOCK_CLOEXEC, 0}, yes},
		{"UDP, IPv6", unix.SYS_SOCKET, []uint32{unix.AF_INET6, unix.SOCK_DGRAM | unix.SOCK_NONBLOCK, 0}, yes},
		{"MPTCP", unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_STREAM, 262}, yes},
		{"raw", unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_RAW | unix.SOCK_CLOEXEC, 1}, no},
		{"packet", unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_PACKET, 0}, no},
		{"Unix", unix.SYS_SOCKET, []uint32{unix.AF_UNIX, unix.SOCK_SEQPACKET, 0}, yes},
		{"routes", unix.SYS_SOCKET, []uint32{unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE}, yes},
		{"netfilter", unix.SYS_SOCKET, []uint32{unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_NETFILTER}, no},
		{"AF_PACKET", unix.SYS_SOCKET, []uint32{unix.AF_PACKET, unix.SOCK_DGRAM, 0}, no},
	} {
		if got := ask(native.audit, c.nr, c.args...); got != c.want {
			t.Errorf("%s: %#x, not %#x", c.name, got, c.want)
		}
	}
	if got := ask(native.audit^1, unix.SYS_READ); got != no {
		t.Errorf("another processor: %#x", got)
	}
	if got := ask(native.audit, 0x40000000|unix.SYS_READ); native.x32 && got != no {
		t.Errorf("x32: %#x", got)
	}
	if len(p) > 4096 { // BPF_MAXINSNS
		t.Errorf("%d instructions", len(p))
	}
}
