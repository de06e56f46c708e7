package priv

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/netns"
)

// The test program plays all parts: it runs the tests in a network namespace of
// its own, and is begun again as the daemon, which begins itself anew, and as
// the privileged process.
const (
	envInside = "YAMORI_TEST_NETNS"
	envRole   = "YAMORI_TEST_ROLE"   // of the daemon: a key of roles
	envFolder = "YAMORI_TEST_FOLDER" // it may use
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "privileged" {
		log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError + 1}))
		if err := Serve(log, appendTo); err != nil {
			fmt.Fprintln(os.Stderr, "privileged:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if role := os.Getenv(envRole); role != "" {
		daemon(role)
		return
	}
	if os.Getenv(envInside) == "" && os.Geteuid() == 0 {
		os.Exit(inNamespace())
	}
	// The runtime never ends the process's first thread: a namespace that had
	// that one could not be closed, and TestOrphan waits for such an end.
	runtime.LockOSThread()
	os.Exit(m.Run())
}

// appendTo opens the event file, as package evefile does.
func appendTo(path string, keep int, rotate bool) (*os.File, error) {
	if rotate {
		if err := os.Rename(path, fmt.Sprintf("%s.%d", path, keep)); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
}

// inNamespace runs the tests where there is nothing but a loopback interface.
func inNamespace() int {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		fmt.Fprintln(os.Stderr, "a network namespace:", err)
		return 1
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		fmt.Fprintln(os.Stderr, "ip:", err, string(out))
		return 1
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), envInside+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("giving up privileges needs root")
	}
}

// folder makes what the daemon gets: state is its own, rules it may read,
// outside anybody might use but for Landlock.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "priv")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for _, d := range []string{"rules", "outside"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for path, mode := range map[string]os.FileMode{dir: 0o755, filepath.Join(dir, "outside"): 0o777} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"rules/local.rules", "outside/file", "kept"} {
		if err := os.WriteFile(filepath.Join(dir, f), []byte("text\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// stage is a running daemon.
type stage struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	err *bytes.Buffer
}

// begin starts a daemon, if asked in a namespace.
func begin(t *testing.T, role, dir string, in ...*netns.NS) *stage {
	t.Helper()
	s := &stage{cmd: exec.Command("/proc/self/exe", "-test.run=^$"), err: &bytes.Buffer{}}
	s.cmd.Env = append(os.Environ(), envRole+"="+role, envFolder+"="+dir)
	s.cmd.Stderr = s.err
	var err error
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.out = bufio.NewReader(out)
	launch := s.cmd.Start
	if role == "orphan" {
		s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	}
	if len(in) > 0 {
		launch = func() error { return in[0].Do(s.cmd.Start) }
	}
	if err := launch(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); _ = s.cmd.Wait() })
	return s
}

// read takes one line of JSON that the daemon prints.
func (s *stage) read(t *testing.T, v any) {
	t.Helper()
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		_ = s.cmd.Wait()
		t.Fatalf("the daemon ended: %v\n%s", err, s.err)
	}
	if err := json.Unmarshal(line, v); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
}

// alive reports whether a process runs (a zombie does not).
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}

func waitFor(t *testing.T, what string, d time.Duration, f func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !f() {
		if time.Since(began) > d {
			t.Fatalf("%s: not within %v", what, d)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(began)
}

// daemon is the other program: it parts itself, then plays its role.
func daemon(role string) {
	dir := os.Getenv(envFolder)
	exit := func(err error) {
		fmt.Fprintln(os.Stderr, role+":", err)
		os.Exit(1)
	}
	cfg := Config{Own: []string{filepath.Join(dir, "state")}, Read: []string{filepath.Join(dir, "rules"), "/no/such/path"},
		Helper: HelperConfig{State: filepath.Join(dir, "enforce.json"), Ports: []uint16{77}, Events: filepath.Join(dir, "events"), Keep: 3}}
	if !Departed() {
		f, err := os.Open(filepath.Join(dir, "kept"))
		if err != nil {
			exit(err)
		}
		cfg.Keep = []*os.File{f}
	}
	c, err := Start(cfg)
	if err != nil {
		exit(err)
	}
	out := json.NewEncoder(os.Stdout)
	if err := roles[role](c, dir, func(v any) { _ = out.Encode(v) }); err != nil {
		exit(err)
	}
	if err := c.Close(); err != nil {
		exit(err)
	}
}
