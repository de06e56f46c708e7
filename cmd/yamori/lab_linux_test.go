package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/labnet"
	"github.com/yamori-net/yamori/internal/report"
)

// labRun is a lab that runs as a program of its own.
type labRun struct {
	t    *testing.T
	cmd  *exec.Cmd
	tmp  string
	mu   sync.Mutex
	out  strings.Builder
	errs bytes.Buffer
	read chan struct{}
}

// startLab starts "yamori lab"; without root it says so and skips.
func startLab(t *testing.T, bin string, args ...string) *labRun {
	t.Helper()
	return startLabIn(t, openFolder(t), bin, args...)
}

// startLabIn is startLab with a temporary folder.
func startLabIn(t *testing.T, tmp, bin string, args ...string) *labRun {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("this test needs root")
		}
		t.Skip("skipped: this test needs root")
	}
	l := &labRun{t: t, tmp: tmp, read: make(chan struct{})}
	l.cmd = exec.Command(bin, append([]string{"lab"}, args...)...)
	l.cmd.Env = append(os.Environ(), "TMPDIR="+l.tmp, "LC_ALL=C")
	l.cmd.Stderr = &l.errs
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(l.read)
		r := bufio.NewReader(out)
		for {
			s, err := r.ReadString('\n')
			l.mu.Lock()
			l.out.WriteString(s)
			l.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { _ = l.cmd.Process.Kill() })
	return l
}

func (l *labRun) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.String()
}

// wait waits for a text, or for the end of the program.
func (l *labRun) wait(text string) {
	l.t.Helper()
	for range 1500 {
		if strings.Contains(l.text(), text) {
			return
		}
		select {
		case <-l.read:
			l.t.Fatalf("the lab ended without %q:\n%s%s", text, l.text(), l.errs.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
	l.t.Fatalf("%q not within 15 s:\n%s", text, l.text())
}

// end waits for the program and returns what it said.
func (l *labRun) end() string {
	l.t.Helper()
	<-l.read
	if err := l.cmd.Wait(); err != nil {
		l.t.Fatalf("%v\n%s%s", err, l.text(), l.errs.String())
	}
	return l.text()
}

// engine is the process of Yamori in the lab, and its network namespace.
func (l *labRun) engine() (pid, space string) {
	l.t.Helper()
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", l.cmd.Process.Pid))
	for _, f := range tasks {
		b, _ := os.ReadFile(f)
		for _, pid := range strings.Fields(string(b)) {
			if c, _ := os.ReadFile("/proc/" + pid + "/cmdline"); bytes.Contains(c, []byte("\x00run\x00")) {
				space, _ := os.Readlink("/proc/" + pid + "/ns/net")
				return pid, space
			}
		}
	}
	l.t.Fatal("no engine runs in the lab")
	return "", ""
}

// gone waits until a process and a namespace are no more.
func gone(t *testing.T, pid, space string) {
	t.Helper()
	for range 3000 {
		_, err := os.Stat("/proc/" + pid)
		if err != nil && !inUse(space) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %s or its namespace %s is still there", pid, space)
}

// inUse looks for a thread in a namespace.
func inUse(space string) bool {
	list, _ := filepath.Glob("/proc/[0-9]*/task/*/ns/net")
	for _, f := range list {
		if s, _ := os.Readlink(f); s == space {
			return true
		}
	}
	return false
}

func TestLab(t *testing.T) {
	t.Parallel()
	bin := filepath.Join(t.TempDir(), "yamori")
	buildInto(t, bin)
	for name, f := range map[string]func(*testing.T, string){"command": labCommand, "gateway": gateway} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, bin)
		})
	}
}

// labCommand: what "yamori lab" prints, and that nothing is left however it
// ends.
func labCommand(t *testing.T, bin string) {
	left := func(t *testing.T, l *labRun) []os.DirEntry {
		t.Helper()
		list, err := os.ReadDir(l.tmp)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	t.Run("infected", func(t *testing.T) {
		t.Parallel()
		l := startLab(t, bin, "--speed", "15")
		out := l.end()
		for _, want := range []string{
			"camera   ** looks for more devices", "DS-2CD2042WD-I is mining cryptocurrency", "study-ubuntu is mining cryptocurrency (monero)",
			"LGwebOSTV is mining cryptocurrency inside a web page", "DiskStation is mining cryptocurrency (monero) by itself", "went through", "a phone (Google)", "Yamori watched br-lan",
			"Yamori watches it.", "Name of a mining pool asked for", "by the real clock", "all 10 things that no owner wants went through. To see them stopped: yamori lab --protect",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("%q is missing", want)
			}
		}
		if t.Failed() {
			t.Log(out)
		}
		if list := left(t, l); len(list) > 0 {
			t.Errorf("left behind: %v", list)
		}
	})
	t.Run("protecting", func(t *testing.T) {
		t.Parallel()
		wanted := []string{"Yamori protects it.", "mines Monero: stopped, with 1 message sent and no answer", "mines, and calls itself an updater: stopped, with 1 message sent", "Yamori stopped it.",
			"Yamori stopped 4 of the 10 things", "a day of a minute cannot):\n  internet guesses passwords"}
		// On a busy machine packets pass for seconds: what is not stopped at all is
		// not stopped on any of three days.
		var out string
		for range 3 {
			out = startLab(t, bin, "--speed", "10", "--protect").end()
			if !slices.ContainsFunc(wanted, func(want string) bool { return !strings.Contains(out, want) }) {
				break
			}
		}
		for _, want := range wanted {
			if !strings.Contains(out, want) {
				t.Errorf("%q is missing", want)
			}
		}
		w := labWords[report.English]
		for code, does := range w.does {
			if !labnet.Bad(code) && strings.Contains(out, does+": stopped") {
				t.Errorf("%s was stopped", code)
			}
		}
		if t.Failed() {
			t.Log(out)
		}
	})
	t.Run("clean, as a bridge, in Japanese", func(t *testing.T) {
		t.Parallel()
		l := startLab(t, bin, "--speed", "15", "--story", "clean", "--bridge", "--lang", "ja")
		if out := l.end(); !strings.Contains(out, "対応は不要です") || !strings.Contains(out, "動画を再生する") || strings.Contains(out, "** ") || strings.Contains(out, "! ") {
			t.Error(out)
		}
	})
	t.Run("in a folder of one's own", func(t *testing.T) {
		t.Parallel()
		tmp := t.TempDir()
		if err := os.Chmod(tmp, 0o700); err != nil {
			t.Fatal(err)
		}
		l := startLabIn(t, tmp, bin, "--speed", "60", "--story", "clean")
		if out := l.end(); !strings.Contains(out, "Nothing needs you") {
			t.Error(out)
		}
	})
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE} {
		t.Run("interrupted, "+sig.String(), func(t *testing.T) {
			t.Parallel()
			l := startLab(t, bin, "--speed", "0.2")
			l.wait("The day begins")
			pid, space := l.engine()
			if err := l.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if out := l.end(); !strings.Contains(out, "broken off") || strings.Contains(out, "stopped, with") || strings.Contains(out, "no owner wants went through") || !strings.Contains(out, "Yamori watched br-lan") {
				t.Error(out)
			}
			gone(t, pid, space)
			if list := left(t, l); len(list) > 0 {
				t.Errorf("left behind: %v", list)
			}
		})
	}
	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		l := startLab(t, bin, "--speed", "0.2", "--bridge")
		l.wait("The day begins")
		pid, space := l.engine()
		if host, _ := os.Readlink("/proc/self/ns/net"); space == host || !inUse(space) {
			t.Fatalf("the engine is in %s, this test in %s", space, host)
		}
		clean := func() string {
			c := exec.Command(bin, "lab", "--clean")
			c.Env = append(os.Environ(), "TMPDIR="+l.tmp)
			out, err := c.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			return string(out)
		}
		if out := clean(); !strings.Contains(out, "Nothing") || len(left(t, l)) != 1 {
			t.Errorf("a lab that lives was cleaned: %s", out)
		}
		if err := l.cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = l.cmd.Wait()
		gone(t, pid, space)
		if out := clean(); !strings.Contains(out, "Removed 1 folder") || len(left(t, l)) != 0 {
			t.Errorf("%s; left %v", out, left(t, l))
		}
	})
	t.Run("words", func(t *testing.T) {
		for lang, w := range labWords {
			for _, c := range labnet.Codes() {
				if w.does[c] == "" {
					t.Errorf("%s: no words for %s", lang, c)
				}
			}
			for _, d := range append(labnet.DeviceNames(), "internet") {
				if w.devices[d] == "" {
					t.Errorf("%s: no word for %s", lang, d)
				}
			}
		}
	})
	t.Run("wrong use", func(t *testing.T) {
		for _, args := range [][]string{{"--story", "sad"}, {"--speed", "0"}, {"--lang", "xx"}} {
			if code, _, stderr := call(t, append([]string{"lab"}, args...)...); code != exitUsage || !strings.Contains(stderr, "use ") {
				t.Errorf("%v: %d %s", args, code, stderr)
			}
		}
	})
}
