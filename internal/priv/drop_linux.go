package priv

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

var errNoSeccomp = errors.New("no seccomp filters here")

// account is who the process becomes.
type account struct {
	uid, gid int
	same     bool // stays who he is
}

// findUser looks the account up; "" takes yamori or else nobody.
func findUser(name string) (account, error) {
	if os.Geteuid() != 0 || !may(unix.CAP_SETUID, unix.CAP_SETGID, unix.CAP_CHOWN) { // as in containers that were given little
		return account{os.Geteuid(), os.Getegid(), true}, nil
	}
	names := []string{name}
	if name == "" {
		names = []string{"yamori", "nobody"}
	}
	for _, n := range names {
		u, err := user.Lookup(n)
		if err != nil {
			continue
		}
		uid, uerr := strconv.Atoi(u.Uid)
		gid, gerr := strconv.Atoi(u.Gid)
		if uerr != nil || gerr != nil || uid <= 0 || gid <= 0 {
			return account{}, fmt.Errorf("the user %s has the privileges of root; name another", n)
		}
		return account{uid: uid, gid: gid}, nil
	}
	return account{}, fmt.Errorf("there is no user %s; make one with: useradd --system --no-create-home --shell /usr/sbin/nologin yamori", strings.Join(names, " or "))
}

// own makes a folder and gives what root has in it to the user. Links are not
// followed, and a file with more than one name may be somebody else's: it stays
// as it is and is returned.
func own(dir string, a account) (kept []string, err error) {
	dir = filepath.Clean(dir)
	if !filepath.IsAbs(dir) || strings.Count(dir, "/") < 2 || slices.Contains([]string{"/var/lib", "/var/log", "/var/run", "/var/tmp", "/usr/lib", "/usr/bin", "/usr/local"}, dir) {
		return nil, fmt.Errorf("the folder %s is not one to give away; name one of its own", dir)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	if a.same {
		return nil, nil
	}
	if err := reach(dir, a); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	err = fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok || st.Uid != 0 {
			return nil
		}
		if !d.IsDir() && (!info.Mode().IsRegular() || st.Nlink != 1) {
			if info.Mode()&fs.ModeSocket == 0 { // of an earlier run
				kept = append(kept, filepath.Join(dir, path))
			}
			return nil
		}
		err = root.Lchown(path, a.uid, a.gid)
		if errors.Is(err, unix.EROFS) {
			kept, err = append(kept, filepath.Join(dir, path)), nil
		}
		return err
	})
	return kept, err
}

// reach reports which folder above dir does not let the user through.
func reach(dir string, a account) error {
	for up := filepath.Dir(dir); ; up = filepath.Dir(up) {
		info, err := os.Stat(up)
		if err != nil {
			return err
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		need := fs.FileMode(0o001)
		switch {
		case !ok:
		case int(st.Uid) == a.uid:
			need = 0o100
		case int(st.Gid) == a.gid:
			need = 0o010
		}
		if info.Mode()&need == 0 {
			return fmt.Errorf("user %d cannot reach %s: %s is closed to others; name a folder elsewhere, or open that one with: chmod o+x %[3]s", a.uid, dir, up)
		}
		if up == filepath.Dir(up) {
			return nil
		}
	}
}

// limits are resources that a reader of packets does not need. They hold for
// the whole process and cannot be raised again.
func limits() (kept []string) {
	for _, l := range [...]struct {
		name string
		res  int
	}{
		{"core", unix.RLIMIT_CORE}, // what was in memory is not to be on a disk
		{"msgqueue", unix.RLIMIT_MSGQUEUE},
		{"rtprio", unix.RLIMIT_RTPRIO},
		{"memlock", unix.RLIMIT_MEMLOCK},
	} {
		if unix.Setrlimit(l.res, &unix.Rlimit{}) != nil {
			kept = append(kept, l.name)
		}
	}
	return kept
}

// helperCaps are what the privileged process may keep: rules and sockets, the
// state file among folders of others, the module of bridge mode, and port 53.
var helperCaps = []int{unix.CAP_NET_ADMIN, unix.CAP_NET_RAW, unix.CAP_DAC_OVERRIDE, unix.CAP_SYS_MODULE, unix.CAP_NET_BIND_SERVICE}

// cutBounding takes all capabilities but those to keep out of the bounding set
// of the calling thread.
func cutBounding(keep []int) error {
	for c := 0; c <= 63; c++ {
		if slices.Contains(keep, c) {
			continue
		}
		err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0)
		if err == unix.EINVAL { // the kernel knows no more
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// noCaps gives up every capability of the calling thread.
func noCaps() error {
	_ = unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) // since 4.3
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var d [2]unix.CapUserData
	return unix.Capset(&h, &d[0])
}

// may reports whether the process has all of some capabilities.
func may(want ...int) bool {
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var d [2]unix.CapUserData
	if unix.Capget(&h, &d[0]) != nil {
		return false
	}
	for _, c := range want {
		if d[c/32].Effective&(1<<(c%32)) == 0 {
			return false
		}
	}
	return true
}

// caps reports whether the calling thread has none.
func caps() (none bool) {
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var d [2]unix.CapUserData
	return unix.Capget(&h, &d[0]) == nil && d == [2]unix.CapUserData{}
}

// drop takes everything from the calling thread but a filter of its calls, and
// notes what is weaker than it could be.
func drop(c *Config, a account) (abi int, missing []Note, err error) {
	note := func(code string, args ...string) {
		for _, s := range args {
			missing = append(missing, Note{code, s})
		}
	}
	note(KeptLimit, limits()...)
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, nil, fmt.Errorf("no_new_privs: %w", err)
	}
	abi, absent, err := landlock(grants(c))
	switch {
	case err != nil:
		return 0, nil, err
	case abi == 0:
		note(NoLandlock, "")
	case abi < 3:
		note(OldLandlock, strconv.Itoa(abi))
	}
	for _, p := range absent {
		if !slices.Contains(System, p) {
			note(NoPath, p)
		}
	}
	if err := cutBounding(nil); err != nil {
		note(KeptBounding, err.Error())
	}
	if a.same {
		note(SameUser, strconv.Itoa(a.uid))
	} else {
		// The library's functions change all threads; this is for one alone.
		for _, call := range [...][4]uintptr{
			{sysSetgroups, 0, 0, 0},
			{sysSetresgid, uintptr(a.gid), uintptr(a.gid), uintptr(a.gid)},
			{sysSetresuid, uintptr(a.uid), uintptr(a.uid), uintptr(a.uid)},
		} {
			if _, _, e := unix.RawSyscall(call[0], call[1], call[2], call[3]); e != 0 {
				return 0, nil, fmt.Errorf("become user %d: %w", a.uid, e)
			}
		}
	}
	if err := noCaps(); err != nil {
		return 0, nil, fmt.Errorf("capabilities: %w", err)
	}
	return abi, missing, nil
}

// grants lists what stays open.
func grants(c *Config) (out []grant) {
	add := func(rights uint64, paths ...string) {
		for _, p := range paths {
			out = append(out, grant{p, rights})
		}
	}
	add(llRead, System...)
	add(llRead, c.Read...)
	add(llRead|llChange, c.Own...)
	add(llRead|llChange, c.Write...)
	add(llReadFile|llWrite, "/dev/null")
	add(llReadFile|unix.LANDLOCK_ACCESS_FS_EXECUTE, self) // to begin anew; the filter forbids it after that
	if interpreted() {
		add(llRead|unix.LANDLOCK_ACCESS_FS_EXECUTE, "/lib", "/lib64", "/usr/lib", "/usr/lib64")
	}
	return out
}

// interpreted reports whether the program needs the dynamic linker, as builds
// with C in them do: that is a program too, which has to be started.
func interpreted() bool {
	f, err := elf.Open(self)
	if err != nil {
		return true
	}
	defer func() { _ = f.Close() }()
	return slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
}

// self is this program, also when its file was replaced.
const self = "/proc/self/exe"
