package priv

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Environment variables by which the stages of a start tell each other what
// stands; they are taken away at once.
const (
	envHandoff = "YAMORI_PRIV"        // to the program begun anew: a handoff
	envHelper  = "YAMORI_PRIV_HELPER" // to the privileged process: HelperConfig
)

// handoff is what the program knew before it began anew.
type handoff struct {
	Socket   int    `json:"socket"`
	Files    []int  `json:"files,omitempty"`
	Helper   int    `json:"helper"` // process number
	Landlock int    `json:"landlock"`
	Death    int    `json:"death,omitempty"`  // signal at the end of the parent
	Parent   int    `json:"parent,omitempty"` // process number
	Missing  []Note `json:"missing,omitempty"`
}

// death is the signal that the process gets when its parent ends
// (PR_SET_PDEATHSIG); 0: none. It belongs to the first thread, which runs this,
// and another user loses it.
var death = func() int {
	var sig int32
	if unix.Prctl(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&sig)), 0, 0, 0) != nil {
		return 0
	}
	return int(sig)
}()

// inherit asks for the parent's end again, which may have come meanwhile.
func inherit(h *handoff) error {
	if h.Death == 0 {
		return nil
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(h.Death), 0, 0, 0); err != nil {
		return fmt.Errorf("signal at the parent's end: %w", err)
	}
	if os.Getppid() != h.Parent {
		return errors.New("the parent has ended")
	}
	return nil
}

// Start parts the process. It is called twice, at the beginning of the program:
// the first time, with privileges, it does not return unless it fails (then
// nothing has changed), for the program begins anew with the same arguments;
// the second time it returns the way to the privileged process.
func Start(c Config) (*Client, error) {
	if text, ok := os.LookupEnv(envHandoff); ok {
		return attach(text)
	}
	if err := depart(&c); err != nil {
		return nil, fmt.Errorf("give up privileges: %w", err)
	}
	return nil, nil // not reached
}

// Departed reports whether the program is in the second stage: Start will
// return at once, and what needs privileges was done before.
func Departed() bool { _, ok := os.LookupEnv(envHandoff); return ok }

func depart(c *Config) error {
	a, err := findUser(c.User)
	if err != nil {
		return err
	}
	var missing []Note
	state := filepath.Clean(c.Helper.State)
	for _, dir := range c.Own {
		if rel, err := filepath.Rel(dir, state); c.Helper.State != "" && err == nil && rel != ".." && !strings.HasPrefix(rel, "../") {
			return fmt.Errorf("%s lies in %s, which the unprivileged process may change; name another place", c.Helper.State, dir)
		}
		kept, err := own(dir, a)
		if err != nil {
			return err
		}
		for _, k := range kept {
			missing = append(missing, Note{KeptOwner, k})
		}
	}
	cmd, sock, err := spawn(c)
	if err != nil {
		return fmt.Errorf("start the privileged process: %w", err)
	}
	err = onThread(func() error {
		abi, notes, err := drop(c, a)
		if err != nil {
			return err
		}
		h := handoff{Socket: int(sock.Fd()), Helper: cmd.Process.Pid, Landlock: abi, Missing: append(missing, notes...), Death: death, Parent: os.Getppid()}
		for _, f := range c.Keep {
			h.Files = append(h.Files, int(f.Fd()))
		}
		text, err := json.Marshal(h)
		if err != nil {
			return err
		}
		for _, fd := range append([]int{h.Socket}, h.Files...) {
			if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
				return err
			}
		}
		env := append(os.Environ(), envHandoff+"="+string(text))
		if path := program(); path != self {
			_ = unix.Exec(path, os.Args, env) // fails where the user cannot reach the folder
		}
		err = unix.Exec(self, os.Args, env)
		if errors.Is(err, unix.EACCES) {
			return fmt.Errorf("begin anew: %w: the program's file must be executable for user %d", err, a.uid)
		}
		return fmt.Errorf("begin anew: %w", err)
	})
	_ = sock.Close()
	_ = cmd.Wait()
	return err
}

// program is the file of this program by its name, so that lists of processes
// show that and not "exe"; or self, when the file was replaced meanwhile.
func program() string {
	path, err := os.Readlink(self)
	if err != nil {
		return self
	}
	a, aerr := os.Stat(path)
	b, berr := os.Stat(self)
	if aerr != nil || berr != nil || !os.SameFile(a, b) {
		return self
	}
	return path
}

// onThread runs f on a thread that ends with it, so that what f changes of the
// thread stays with f.
func onThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked
		done <- f()
	}()
	return <-done
}

// spawn starts the privileged process and makes sure that it answers.
func spawn(c *Config) (*exec.Cmd, *os.File, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "helper"), os.NewFile(uintptr(pair[1]), "daemon")
	defer func() { _ = theirs.Close() }()
	config, err := json.Marshal(c.Helper)
	if err != nil {
		return nil, nil, err
	}
	args := c.Command
	if args == nil {
		args = []string{"privileged"}
	}
	cmd := &exec.Cmd{
		Path: program(), Args: append([]string{os.Args[0]}, args...), Dir: "/",
		// Programs are found in the system's places only.
		Env:        []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", envHelper + "=" + string(config)},
		ExtraFiles: []*os.File{theirs}, Stderr: os.Stderr,
	}
	err = onThread(func() error {
		// Not being allowed to cut the set is to have little to cut.
		if err := cutBounding(helperCaps); err != nil && !errors.Is(err, unix.EPERM) {
			return err
		}
		return cmd.Start()
	})
	if err == nil {
		if err = hello(pair[0]); err == nil {
			return cmd, ours, nil
		}
	}
	_ = ours.Close()
	if cmd.Process != nil {
		_ = cmd.Wait()
	}
	return nil, nil, err
}

// hello asks once whether the other side answers.
func hello(fd int) error {
	m, err := encode(header{op: OpHello}, struct{}{})
	if err != nil {
		return err
	}
	if err := unix.Send(fd, m, unix.MSG_NOSIGNAL); err != nil {
		return err
	}
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10_000)
	for err == unix.EINTR {
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10_000)
	}
	if err != nil || n == 0 {
		return errors.Join(errors.New("it does not answer"), err)
	}
	buf := make([]byte, maxMessage)
	n, _, err = unix.Recvfrom(fd, buf, 0)
	if err != nil || n == 0 {
		return errors.Join(errors.New("it ended at once"), err)
	}
	var r reply
	if _, err := decode(buf[:n], &r); err != nil {
		return err
	}
	return r.err()
}

// attach is the second stage.
func attach(text string) (*Client, error) {
	_ = os.Unsetenv(envHandoff)
	var h handoff
	if err := json.Unmarshal([]byte(text), &h); err != nil {
		return nil, fmt.Errorf("the environment variable %s is not for people to set: %w", envHandoff, err)
	}
	if unix.Gettid() == os.Getpid() { // the first thread gives the process its name
		if name, err := unix.BytePtrFromString(filepath.Base(os.Args[0])); err == nil {
			_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(name)), 0, 0, 0)
		}
	}
	if err := inherit(&h); err != nil {
		return nil, err
	}
	r := Report{Landlock: h.Landlock, Missing: h.Missing}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("not dumpable: %w", err)
	}
	switch err := seccomp(); {
	case errors.Is(err, errNoSeccomp):
		r.Missing = append(r.Missing, Note{NoSeccomp, runtime.GOARCH})
	case err != nil:
		return nil, err
	default:
		r.Seccomp = true
	}
	c, err := newClient(h.Socket, h.Helper)
	if err != nil {
		return nil, fmt.Errorf("the privileged process: %w", err)
	}
	for i, fd := range h.Files {
		unix.CloseOnExec(fd)
		c.files = append(c.files, os.NewFile(uintptr(fd), "kept "+strconv.Itoa(i)))
	}
	r.UID, r.GID, r.NoCaps = os.Geteuid(), os.Getegid(), caps()
	get := func(option int) int { v, _ := unix.PrctlRetInt(option, 0, 0, 0, 0); return v }
	r.NoNewPrivs, r.NoDump = get(unix.PR_GET_NO_NEW_PRIVS) == 1, get(unix.PR_GET_DUMPABLE) == 0
	if !r.NoCaps || !r.NoNewPrivs {
		_ = c.Close()
		return nil, errors.New("privileges were to be given up, but are still there")
	}
	c.report = r
	return c, nil
}
