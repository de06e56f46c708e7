package netns

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// NS is a namespace.
type NS struct {
	Name  string // for errors
	path  string
	calls chan func()
	once  sync.Once
}

// New makes a namespace with its loopback interface up.
func New(name string) (*NS, error) {
	n := &NS{Name: name, calls: make(chan func())}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		n.path = fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid())
		ready <- err
		if err == nil {
			for f := range n.calls {
				f()
			}
		}
	}()
	if err := <-ready; err != nil {
		if err == unix.EPERM {
			return nil, fmt.Errorf("namespace %s: %w", name, ErrPermission)
		}
		return nil, fmt.Errorf("namespace %s: %w", name, err)
	}
	if err := n.Run("ip", "link", "set", "lo", "up"); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// Path names the namespace for other programs ("ip link set … netns PATH").
func (n *NS) Path() string { return n.path }

// Do runs f on the namespace's thread. f must not start goroutines that expect
// to be in the namespace; sockets it opens stay there.
func (n *NS) Do(f func() error) error {
	done := make(chan error, 1)
	n.calls <- func() { done <- f() }
	return <-done
}

// Go runs f on a thread of its own in the namespace and returns at once; the
// channel gives f's error.
func (n *NS) Go(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		fd, err := unix.Open(n.path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			err = unix.Setns(fd, unix.CLONE_NEWNET)
			_ = unix.Close(fd)
		}
		if err != nil {
			done <- fmt.Errorf("namespace %s: %w", n.Name, err)
			return
		}
		done <- f()
	}()
	return done
}

// Run runs a program in the namespace; the error holds what it printed.
func (n *NS) Run(name string, args ...string) error {
	_, err := n.Output(name, args...)
	return err
}

// Output is Run that returns what the program printed.
func (n *NS) Output(name string, args ...string) (out []byte, err error) {
	err = n.Do(func() error {
		out, err = exec.Command(name, args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("in %s: %s %s: %w: %s", n.Name, name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
		}
		return nil
	})
	return out, err
}

// Script runs one command a line; words are split at spaces, empty lines and
// those that begin with # are left out.
func (n *NS) Script(text string) error {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0][0] == '#' {
			continue
		}
		if err := n.Run(f[0], f[1:]...); err != nil {
			return err
		}
	}
	return nil
}

// Join joins two namespaces by a pair of virtual Ethernet interfaces and sets
// both up.
func Join(a *NS, nameA string, b *NS, nameB string) error {
	if err := a.Run("ip", "link", "add", nameA, "type", "veth", "peer", "name", nameB, "netns", b.path); err != nil {
		return err
	}
	if err := a.Run("ip", "link", "set", nameA, "up"); err != nil {
		return err
	}
	return b.Run("ip", "link", "set", nameB, "up")
}

// Close ends the namespace once nothing in it is running any more.
func (n *NS) Close() { n.once.Do(func() { close(n.calls) }) }
