package app

import (
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// alone, in the environment, names the test that a process is for.
const alone = "YAMORI_TEST_ALONE"

// apart has a test whose daemon runs in the namespace of the whole process run
// again in a process and a namespace of its own, side by side with others of
// its kind. There it returns true; here the test is over: what became of it
// there has been told.
func apart(t *testing.T) bool {
	t.Helper()
	if os.Getenv(alone) != "" || os.Getenv(inside) == "" {
		return true // without root the test itself says what is missing
	}
	t.Parallel()
	runtime.LockOSThread() // Pdeathsig is of the thread that starts the process
	defer runtime.UnlockOSThread()
	path := strings.Split(t.Name(), "/")
	for i, p := range path {
		path[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	cmd := exec.Command("/proc/self/exe", "-test.v", "-test.timeout=5m", "-test.run="+strings.Join(path, "/"))
	cmd.Env = append(os.Environ(), alone+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Unshareflags: unix.CLONE_NEWNS, Pdeathsig: unix.SIGKILL}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	switch {
	case err != nil:
		t.Error(err)
	case strings.Contains(string(out), "--- SKIP: "+t.Name()+" "):
		t.Skip(whatIsMissing(string(out)))
	case !strings.Contains(string(out), "--- PASS: "+t.Name()+" "):
		t.Error("the test has not been run")
	}
	return false
}

// whatIsMissing is what a test that was left out says that it needs.
func whatIsMissing(out string) string {
	for line := range strings.Lines(out) {
		if _, why, ok := strings.Cut(line, "skipped: "); ok {
			return "skipped: " + strings.TrimSpace(why)
		}
	}
	return "skipped: " + strings.TrimSpace(out)
}
