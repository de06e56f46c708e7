package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// writer counts what is written.
type writer struct {
	io.Writer
	n int64
}

// Write counts.
func (w *writer) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	w.n += int64(n)
	return n, err
}

// save writes a file whole or not at all, readable by its owner alone; "-" is
// standard output, unless that is a terminal. fresh: an existing file stays.
func (a *asker) save(name string, fresh bool, f func(*writer) error) (int64, error) {
	if name == "-" {
		if isTerminal(a.out) {
			return 0, usage(errors.New("this would fill the terminal with bytes; name a file with -w, or redirect"))
		}
		w := &writer{Writer: a.out}
		err := f(w)
		return w.n, err
	}
	if _, err := os.Lstat(name); fresh && err == nil {
		return 0, fmt.Errorf("%s is there already; name another file with -w", plain(name))
	}
	if at, err := os.Stat(name); err == nil && !at.Mode().IsRegular() && !at.IsDir() {
		return pour(name, f) // a device or a pipe, as /dev/null is, is not replaced by a file
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".yamori-*")
	if err != nil {
		return 0, fmt.Errorf("%w; choose another place with -w", err)
	}
	defer os.Remove(tmp.Name()) // gone when all is well
	b := bufio.NewWriter(tmp)
	w := &writer{Writer: b}
	err = f(w)
	err = errors.Join(err, flushed(err, b), closed(err, tmp))
	if err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	return w.n, err
}

// pour writes into what is no file and stays what it is.
func pour(name string, f func(*writer) error) (int64, error) {
	to, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return 0, fmt.Errorf("%w; choose another place with -w", err)
	}
	b := bufio.NewWriter(to)
	w := &writer{Writer: b}
	err = f(w)
	return w.n, errors.Join(err, flushed(err, b), to.Close())
}

func flushed(before error, b *bufio.Writer) error {
	if before != nil {
		return nil
	}
	return b.Flush()
}

// closed makes the file durable before it takes its name.
func closed(before error, f *os.File) error {
	if before != nil {
		_ = f.Close()
		return nil
	}
	return errors.Join(f.Sync(), f.Close())
}

// opened opens a file to read; "-" is standard input.
func opened(name string) (*os.File, error) {
	if name == "-" {
		return os.Stdin, nil
	}
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; check the name, or use - for standard input", err)
	}
	return f, err
}

// maxSecret bounds a password or passphrase that is read from a file.
const maxSecret = 1024

// secretFrom reads the first line of a file.
func secretFrom(name string) (string, error) {
	f, err := opened(name)
	if err != nil {
		return "", err
	}
	if f != os.Stdin {
		defer f.Close()
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+2))
	if err != nil {
		return "", err
	}
	s, _, _ := strings.Cut(string(b), "\n")
	s = strings.TrimSuffix(s, "\r")
	switch {
	case s == "":
		return "", fmt.Errorf("%s begins with an empty line; write the secret in the first line", plain(name))
	case len(s) > maxSecret:
		return "", fmt.Errorf("the first line of %s is longer than %d bytes", plain(name), maxSecret)
	}
	return s, nil
}
