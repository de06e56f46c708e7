package priv

import (
	"time"

	"golang.org/x/sys/unix"
)

// The rules of a network namespace have one owner: a process that is started
// anew waits until the one before has taken its rules away, or it would take
// away the new ones. The lock is a name among the Unix sockets of the
// namespace, which goes with its process.
const (
	lockName = "@yamori-rules" // abstract: no file
	lockTime = 5 * time.Second
	lockGap  = 20 * time.Millisecond
)

// lock returns the lock, or -1 when somebody holds it for longer than an end
// takes: anybody may, so that is no reason not to protect.
func lock() int {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	for waited := time.Duration(0); waited < lockTime; waited += lockGap {
		if unix.Bind(fd, &unix.SockaddrUnix{Name: lockName}) == nil {
			return fd
		}
		time.Sleep(lockGap)
	}
	_ = unix.Close(fd)
	return -1
}
