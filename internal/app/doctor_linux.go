package app

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// freeBytes is what a user may still write to the disk of a folder.
func freeBytes(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return s.Bavail * uint64(s.Bsize), nil
}

// timeError is TIME_ERROR of linux/timex.h: nobody keeps the clock right.
const timeError = 5

// synchronised reports whether the kernel knows of somebody who keeps the clock
// right; when it does not say, yes.
func synchronised() bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err != nil || state != timeError
}

// missingCapabilities names those of cap_net_admin and cap_net_raw that the
// process lacks.
func missingCapabilities() (out []string) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(b)) {
		text, ok := strings.CutPrefix(line, "CapEff:")
		if !ok {
			continue
		}
		has, err := strconv.ParseUint(strings.TrimSpace(text), 16, 64)
		if err != nil {
			return nil
		}
		for _, c := range [...]struct {
			bit  uint
			name string
		}{{unix.CAP_NET_ADMIN, "cap_net_admin"}, {unix.CAP_NET_RAW, "cap_net_raw"}} {
			if has>>c.bit&1 == 0 {
				out = append(out, c.name)
			}
		}
	}
	return out
}
