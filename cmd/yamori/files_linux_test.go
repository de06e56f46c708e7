package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSaveInto: what is no file, as a pipe or /dev/null, is written into and
// stays what it is.
func TestSaveInto(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	heard := make(chan string, 1)
	go func() {
		b, _ := os.ReadFile(pipe)
		heard <- string(b)
	}()
	n, err := (&asker{}).save(pipe, false, func(w *writer) error {
		_, err := io.WriteString(w, "all of it")
		return err
	})
	if err != nil || n != 9 {
		t.Fatal(n, err)
	}
	if at, err := os.Lstat(pipe); err != nil || at.Mode()&os.ModeNamedPipe == 0 {
		t.Fatalf("the pipe became %v (%v)", at.Mode(), err) // and nobody hears what is said to it
	}
	if got := <-heard; got != "all of it" {
		t.Errorf("heard %q", got)
	}
}
