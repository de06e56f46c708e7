package priv

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Rights of Landlock (Linux documentation, userspace-api/landlock), by what
// they are used for here.
const (
	llReadFile = unix.LANDLOCK_ACCESS_FS_READ_FILE
	llRead     = llReadFile | unix.LANDLOCK_ACCESS_FS_READ_DIR
	llWrite    = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	// llChange does not hold devices: nobody is to make those.
	llChange = llWrite | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_MAKE_DIR |
		unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_SYM |
		unix.LANDLOCK_ACCESS_FS_REFER
	// llFile are the rights that make sense for a file.
	llFile = llReadFile | llWrite | unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
)

// landlockABI asks the kernel for its version; 0: it has none.
func landlockABI() int {
	v, _, e := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if e != 0 {
		return 0
	}
	return int(v)
}

// handled are the rights that version abi knows: what is not handled is free.
func handled(abi int) (fs, scoped uint64) {
	fs = unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1 // the thirteen of version 1
	if abi >= 2 {
		fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if abi >= 3 {
		fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if abi >= 5 {
		fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if abi >= 6 {
		scoped = unix.LANDLOCK_SCOPE_SIGNAL
	}
	return fs, scoped
}

// grant is one path with its rights.
type grant struct {
	path   string
	rights uint64
}

// landlock confines the calling thread. It returns the version, and the paths
// that are not there.
func landlock(grants []grant) (abi int, absent []string, err error) {
	if abi = landlockABI(); abi == 0 {
		return 0, nil, nil
	}
	fs, scoped := handled(abi)
	attr := unix.LandlockRulesetAttr{Handled_access_fs: fs, Scoped: scoped}
	set, _, e := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if e != 0 {
		return 0, nil, fmt.Errorf("landlock: %w", e)
	}
	defer unix.Close(int(set))
	for _, g := range grants {
		err := allow(int(set), g.path, g.rights&fs)
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
			absent = append(absent, g.path)
			continue
		}
		if err != nil {
			return 0, nil, fmt.Errorf("landlock: %s: %w", g.path, err)
		}
	}
	if _, _, e := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, set, 0, 0); e != 0 {
		return 0, nil, fmt.Errorf("landlock: %w", e)
	}
	return abi, absent, nil
}

// allow adds one path to a rule set.
func allow(set int, path string, rights uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= llFile
	}
	attr := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(fd)}
	if _, _, e := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(set), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&attr)), 0, 0, 0); e != 0 {
		return e
	}
	return nil
}
