// Package evefile is a file of EVE lines that keeps itself small: it is rotated
// at a size, only so many old ones are kept, and it can be reopened for a
// rotator outside. It stands behind an event.Queue, so that a slow disk delays
// no packet.
package evefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
)

// Config says where the file is and how large it may become.
type Config struct {
	Path  string `yaml:"file"`
	MaxMB int    `yaml:"max_mb"` // rotated before it would become larger; 0: never
	Keep  int    `yaml:"keep"`   // old files that are kept, PATH.1 the youngest; 0: DefaultKeep
	// Append opens the file, after moving the old ones if rotate is set; nil:
	// as the function Append does. Another process may do it.
	Append func(rotate bool) (*os.File, error) `yaml:"-"`
}

// DefaultKeep is how many old files are kept when nothing else is said.
const DefaultKeep = 4

// Bounds of the settings.
const (
	maxMB   = 1 << 20
	maxKeep = 99
)

// Check validates c. The error names the field and the cure.
func (c *Config) Check() error {
	switch {
	case c.Path == "":
		return errors.New("evefile: file: empty; name the file, such as /var/log/yamori/eve.json")
	case c.MaxMB < 0 || c.MaxMB > maxMB:
		return fmt.Errorf("evefile: max_mb %d: use 1 to %d, or 0 for no rotation", c.MaxMB, maxMB)
	case c.Keep < 0 || c.Keep > maxKeep:
		return fmt.Errorf("evefile: keep %d: use 1 to %d, or 0 for %d", c.Keep, maxKeep, DefaultKeep)
	}
	return nil
}

// File is a writer of whole lines, safe for concurrent use.
type File struct {
	path   string
	max    int64
	append func(rotate bool) (*os.File, error)
	errs   atomic.Uint64

	mu    sync.Mutex
	f     *os.File
	size  int64
	retry int64 // after a failed rotation: the size at which the next is tried
}

// Open checks c and opens the file for appending.
func Open(c Config) (*File, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	f := &File{path: c.Path, max: int64(c.MaxMB) << 20, append: c.Append}
	if f.append == nil {
		f.append = func(rotate bool) (*os.File, error) { return Append(c.Path, c.Keep, rotate) }
	}
	if err := f.Reopen(); err != nil {
		return nil, err
	}
	return f, nil
}

// Reopen opens the path anew, as after a rotator moved the file away. When
// that fails, the old file stays in use.
func (f *File) Reopen() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reopen(false)
}

func (f *File) reopen(rotate bool) error {
	n, err := f.append(rotate)
	if err != nil {
		return fmt.Errorf("evefile: %w; make the folder %s and let this user write to it", err, filepath.Dir(f.path))
	}
	st, err := n.Stat()
	if err != nil {
		_ = n.Close()
		return fmt.Errorf("evefile: %w", err)
	}
	if f.f != nil {
		_ = f.f.Close()
	}
	f.f, f.size, f.retry = n, st.Size(), 0
	return nil
}

// Write appends whole lines, in a new file when the present one would become
// too large. When rotating fails it goes on writing to the present one.
func (f *File) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.f == nil {
		return 0, os.ErrClosed
	}
	if f.max > 0 && f.size > 0 && f.size+int64(len(b)) > f.max && f.size >= f.retry {
		if rerr := f.reopen(true); rerr != nil {
			f.errs.Add(1)
			f.retry = f.size + f.max/4
		}
	}
	n, err := f.f.Write(b)
	f.size += int64(n)
	if err != nil {
		f.errs.Add(1)
	}
	return n, err
}

// Append opens a file for appending. With rotate it moves the files one number up
// first and begins a new one; keep are those that stay, 0: DefaultKeep.
// What is no file, as /dev/null or a pipe, stays where it is.
func Append(path string, keep int, rotate bool) (*os.File, error) {
	if at, err := os.Stat(path); err == nil && !at.Mode().IsRegular() {
		rotate = false
	}
	if keep == 0 {
		keep = DefaultKeep
	}
	name := func(i int) string { return path + "." + strconv.Itoa(i) }
	if rotate {
		if err := os.Remove(name(keep)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		for i := keep - 1; i >= 1; i-- {
			if err := os.Rename(name(i), name(i+1)); err != nil && !errors.Is(err, os.ErrNotExist) {
				return nil, err
			}
		}
		if err := os.Rename(path, name(1)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
}

// Errors counts writes and rotations that failed.
func (f *File) Errors() uint64 { return f.errs.Load() }

// Close closes the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.f == nil {
		return nil
	}
	err := f.f.Close()
	f.f = nil
	return err
}
