package evefile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
)

func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "eve.json")
	f, err := Open(Config{Path: path, MaxMB: 1, Keep: 3})
	if err != nil {
		t.Fatal(err)
	}
	line := []byte(strings.Repeat("x", 1<<18-1) + "\n")
	for i := range 40 {
		line[0] = byte('0' + i%10)
		if _, err := f.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range []string{path, path + ".1", path + ".2", path + ".3"} {
		b, err := os.ReadFile(name)
		if err != nil || len(b) != 1<<20 || b[0] != "62840"[i] {
			t.Errorf("%s: %d bytes from %.1q, %v", name, len(b), b, err)
		}
	}
	if _, err := os.Stat(path + ".4"); !errors.Is(err, os.ErrNotExist) {
		t.Error("more old files than asked for")
	}
	if err := f.Close(); err != nil || f.Close() != nil {
		t.Error(err)
	}
	if _, err := f.Write(line); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	// A file that is there is gone on with.
	f, err = Open(Config{Path: path, MaxMB: 1, Keep: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(line); err != nil {
		t.Fatal(err)
	}
	if st, _ := os.Stat(path); st.Size() != 1<<18 {
		t.Errorf("%d bytes after opening a full file", st.Size())
	}
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "eve.json")
	f, err := Open(Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, _ = f.Write([]byte("one\n"))
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	_, _ = f.Write([]byte("two\n"))
	if err := f.Reopen(); err != nil {
		t.Fatal(err)
	}
	_, _ = f.Write([]byte("three\n"))
	old, _ := os.ReadFile(path + ".old")
	now, _ := os.ReadFile(path)
	if string(old) != "one\ntwo\n" || string(now) != "three\n" {
		t.Errorf("%q, %q", old, now)
	}
}

// TestRotationFails: where rotating is impossible, no line is lost.
func TestRotationFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "eve.json")
	f, err := Open(Config{Path: path, MaxMB: 1, Keep: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.MkdirAll(filepath.Join(path+".1", "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	line := bytes.Repeat([]byte("y"), 1<<18)
	for range 12 {
		if _, err := f.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if st, _ := os.Stat(path); st.Size() != 12<<18 || f.Errors() == 0 || f.Errors() > 8 {
		t.Errorf("%d bytes, %d errors", st.Size(), f.Errors())
	}
}

func TestBehindQueue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "eve.json")
	f, err := Open(Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	q := event.NewQueue(f)
	fr := q.NewFront()
	for i := range 100 {
		fr.Event(&event.Event{Time: int64(i), Type: event.Stats})
	}
	fr.Flush()
	q.Close()
	_ = f.Close()
	if b, _ := os.ReadFile(path); bytes.Count(b, []byte("\n")) != 100 {
		t.Errorf("%d lines", bytes.Count(b, []byte("\n")))
	}
}

func TestCheck(t *testing.T) {
	for field, c := range map[string]Config{"file": {}, "max_mb": {Path: "x", MaxMB: -1}, "keep": {Path: "x", Keep: 100}} {
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), "evefile: "+field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := Open(Config{Path: filepath.Join(t.TempDir(), "no", "eve.json")}); err == nil || !strings.Contains(err.Error(), "make the folder") {
		t.Error(err)
	}
}

// TestRotatesFilesAlone: what is no file, as /dev/null, is not moved away.
func TestRotatesFilesAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "null")
	if err := os.Symlink(os.DevNull, path); err != nil {
		t.Skipf("skipped: no symbolic links: %v", err)
	}
	f, err := Open(Config{Path: path, MaxMB: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	line := []byte(strings.Repeat("x", 1<<18-1) + "\n")
	for range 20 {
		if _, err := f.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Lstat(path + ".1"); !errors.Is(err, os.ErrNotExist) || f.Errors() > 0 {
		t.Errorf("moved away (%v), %d errors", err, f.Errors())
	}
}
