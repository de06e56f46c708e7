package afpacket

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The tests of live capture run in a network namespace of their own: TestMain
// starts the test program again inside one, so that whatever the tests do to
// interfaces and addresses ends with them.

const inside = "YAMORI_TEST_NETNS"

func TestMain(m *testing.M) {
	if os.Getenv(inside) == "" {
		if code, ok := reexec(); ok {
			os.Exit(code)
		}
	}
	os.Exit(m.Run())
}

// reexec runs the program in a new namespace; false if that is not possible.
func reexec() (code int, ok bool) {
	runtime.LockOSThread() // Pdeathsig goes by thread
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: unix.SIGKILL}
	if os.Geteuid() != 0 {
		// Root of a user namespace may do all that is needed, where the system
		// grants such namespaces.
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	if err := cmd.Start(); err != nil {
		return 0, false
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		return exit.ExitCode(), true
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tests in a network namespace:", err)
		return 1, true
	}
	return 0, true
}

// needNet skips a test, or fails it where CI promises root, when there is no
// namespace.
func needNet(t *testing.T) {
	t.Helper()
	missing := ""
	if os.Getenv(inside) == "" {
		missing = "a network namespace of its own: run as root, or allow unprivileged user namespaces"
	} else if _, err := exec.LookPath("ip"); err != nil {
		missing = "the program ip (Debian package iproute2)"
	}
	if missing == "" {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("this test needs %s", missing)
	}
	t.Skipf("skipped: this test needs %s", missing)
}

// ip runs the program ip in the namespace of the calling thread.
func ip(args string) error {
	out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", args, err, out)
	}
	return nil
}

func mustIP(t *testing.T, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if err := ip(l); err != nil {
			t.Fatal(err)
		}
	}
}

// peer is a second namespace: a thread that lives in it. Sockets opened there
// stay there, whoever uses them.
type peer struct {
	path  string
	calls chan func()
}

func newPeer(t *testing.T) *peer {
	p := &peer{calls: make(chan func())}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		p.path = fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid())
		ready <- err
		if err == nil {
			for f := range p.calls {
				f()
			}
		}
	}()
	if err := <-ready; err != nil {
		t.Fatal("second namespace:", err)
	}
	t.Cleanup(func() { close(p.calls) })
	return p
}

// do runs f in the namespace.
func (p *peer) do(t *testing.T, f func() error) {
	t.Helper()
	done := make(chan error)
	p.calls <- func() { done <- f() }
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// Addresses of the link between this namespace and the peer.
const (
	near, far   = "10.77.0.1", "10.77.0.2"
	near6, far6 = "fd77::1", "fd77::2"
)

// link joins the peer by a pair of virtual interfaces, name here, "far" there.
func (p *peer) link(t *testing.T, name string) {
	t.Helper()
	mustIP(t, "link add "+name+" type veth peer name far netns "+p.path)
	p.do(t, func() error {
		for _, l := range []string{"link set far up", "addr add " + far + "/24 dev far", "addr add " + far6 + "/64 dev far nodad"} {
			if err := ip(l); err != nil {
				return err
			}
		}
		return nil
	})
	mustIP(t, "link set "+name+" up", "addr add "+near+"/24 dev "+name, "addr add "+near6+"/64 dev "+name+" nodad")
	t.Cleanup(func() { _ = ip("link del " + name) })
	// Frames sent before the kernel has noticed the carrier are lost.
	if err := carrier(name); err != nil {
		t.Fatal(err)
	}
	p.do(t, func() error { return carrier("far") })
}

// carrier waits until an interface of the calling thread's namespace runs.
func carrier(name string) error {
	for range 1000 {
		i, err := net.InterfaceByName(name)
		if err != nil {
			return err
		}
		if i.Flags&net.FlagRunning != 0 {
			return nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	return fmt.Errorf("%s does not run", name)
}
