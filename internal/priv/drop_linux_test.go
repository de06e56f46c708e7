package priv

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/enforce"
	"github.com/yamori-net/yamori/internal/store"
)

var roles = map[string]func(c *Client, dir string, say func(any)) error{
	"confined": confined,
	"wait":     waiting(false),
	"leave":    waiting(true),
	"orphan":   waiting(false),
	"packets":  packets,
	"plug":     plug,
}

// sys makes a system call on the calling thread.
func sys(nr uintptr, a ...uintptr) error {
	var x [6]uintptr
	copy(x[:], a)
	if _, _, e := unix.Syscall6(nr, x[0], x[1], x[2], x[3], x[4], x[5]); e != 0 {
		return e
	}
	return nil
}

// must not be possible: each has to fail with the error named; nil: with any.
func forbidden(dir string) map[string]struct {
	err  error
	want error
} {
	type try = struct{ err, want error }
	socket := func(family, kind, proto int) try {
		fd, err := unix.Socket(family, kind, proto)
		if err == nil {
			_ = unix.Close(fd)
		}
		return try{err, unix.EPERM}
	}
	write := func(path string) error { return os.WriteFile(path, []byte("x"), 0o644) }
	_, shadow := os.ReadFile("/etc/shadow")
	_, outside := os.ReadFile(filepath.Join(dir, "outside/file"))
	_, list := os.ReadDir("/root")
	path, _ := unix.BytePtrFromString("/bin/true")
	empty, _ := unix.BytePtrFromString("")
	text := func(p *byte) uintptr { return uintptr(unsafe.Pointer(p)) }
	out := map[string]try{
		"read /etc/shadow":        {shadow, nil},
		"read outside":            {outside, unix.EACCES},
		"list /root":              {list, nil},
		"write outside":           {write(filepath.Join(dir, "outside/new")), unix.EACCES},
		"change outside":          {write(filepath.Join(dir, "outside/file")), unix.EACCES},
		"truncate outside":        {os.Truncate(filepath.Join(dir, "outside/file"), 0), unix.EACCES},
		"remove outside":          {os.Remove(filepath.Join(dir, "outside/file")), unix.EACCES},
		"write rules":             {write(filepath.Join(dir, "rules/local.rules")), unix.EACCES},
		"write /tmp":              {write("/tmp/yamori-priv-test"), unix.EACCES},
		"write /etc":              {write("/etc/yamori-priv-test"), unix.EACCES},
		"move out":                {os.Rename(filepath.Join(dir, "state/own"), filepath.Join(dir, "outside/own")), nil},
		"raw socket":              socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_RAW),
		"raw socket, IPv6":        socket(unix.AF_INET6, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMPV6),
		"packet socket":           socket(unix.AF_PACKET, unix.SOCK_RAW, 0),
		"packet socket, old":      socket(unix.AF_INET, unix.SOCK_PACKET, 0),
		"netfilter":               socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_NETFILTER),
		"audit":                   socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_AUDIT),
		"kernel crypto":           socket(unix.AF_ALG, unix.SOCK_SEQPACKET, 0),
		"virtual machine":         socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0),
		"Bluetooth":               socket(unix.AF_BLUETOOTH, unix.SOCK_RAW, 1),
		"start a program":         {exec.Command("/bin/true").Run(), unix.EPERM},
		"become a program":        {syscall.Exec(self, os.Args, nil), unix.EPERM},
		"execve":                  {sys(unix.SYS_EXECVE, text(path), 0, 0), unix.EPERM},
		"execveat":                {sys(unix.SYS_EXECVEAT, 0, text(empty), 0, 0, unix.AT_EMPTY_PATH), unix.EPERM},
		"ptrace":                  {sys(unix.SYS_PTRACE, unix.PTRACE_ATTACH, uintptr(os.Getppid())), unix.EPERM},
		"ptrace me":               {sys(unix.SYS_PTRACE, unix.PTRACE_TRACEME), unix.EPERM},
		"mount":                   {unix.Mount("none", filepath.Join(dir, "state"), "tmpfs", 0, ""), unix.EPERM},
		"umount":                  {unix.Unmount("/proc", unix.MNT_DETACH), unix.EPERM},
		"chroot":                  {unix.Chroot(dir), unix.EPERM},
		"unshare":                 {unix.Unshare(unix.CLONE_NEWUSER), unix.EPERM},
		"setns":                   {sys(unix.SYS_SETNS, 0, 0), unix.EPERM},
		"clone into a namespace":  {sys(unix.SYS_CLONE, unix.CLONE_NEWUSER|uintptr(unix.SIGCHLD)), unix.EPERM},
		"clone3":                  {sys(unix.SYS_CLONE3, 0, 0), unix.ENOSYS},
		"bpf":                     {sys(unix.SYS_BPF, 0, 0, 0), unix.EPERM},
		"performance events":      {sys(unix.SYS_PERF_EVENT_OPEN, 0, 0, 0, 0, 0), unix.EPERM},
		"user faults":             {sys(unix.SYS_USERFAULTFD, 0), unix.EPERM},
		"keys":                    {sys(unix.SYS_KEYCTL, 0, 0), unix.EPERM},
		"memory of others":        {sys(unix.SYS_PROCESS_VM_READV, uintptr(os.Getppid())), unix.EPERM},
		"io_uring":                {sys(unix.SYS_IO_URING_SETUP, 1, 0), unix.EPERM},
		"modules":                 {sys(unix.SYS_INIT_MODULE, 0, 0, 0), unix.EPERM},
		"kexec":                   {sys(unix.SYS_KEXEC_LOAD, 0, 0, 0, 0), unix.EPERM},
		"reboot":                  {sys(unix.SYS_REBOOT, 0, 0, 0, 0), unix.EPERM},
		"swap":                    {sys(unix.SYS_SWAPON, 0, 0), unix.EPERM},
		"personality":             {sys(unix.SYS_PERSONALITY, 0xffffffff), unix.EPERM},
		"clock":                   {sys(unix.SYS_CLOCK_SETTIME, 0, 0), unix.EPERM},
		"root again":              {sys(sysSetresuid, 0, 0, 0), unix.EPERM},
		"signal the test":         {unix.Kill(os.Getppid(), 0), unix.EPERM},
		"environment of the test": {func() error { _, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", os.Getppid())); return err }(), nil},
	}
	if landlockABI() == 0 {
		for name := range out {
			if strings.HasSuffix(name, "outside") || name == "write /tmp" || name == "move out" {
				delete(out, name)
			}
		}
	}
	return out
}

// allowed has to work: what a daemon does all day.
func allowed(c *Client, dir string) map[string]error {
	read := func(path string) error { _, err := os.ReadFile(path); return err }
	out := map[string]error{
		"own file":     os.WriteFile(filepath.Join(dir, "state/own"), []byte("x"), 0o600),
		"rules":        read(filepath.Join(dir, "rules/local.rules")),
		"resolv.conf":  read("/etc/resolv.conf"),
		"status":       read("/proc/self/status"),
		"null":         os.WriteFile("/dev/null", []byte("x"), 0),
		"HTTPS":        https(),
		"Unix socket":  unixSocket(filepath.Join(dir, "state/sock")),
		"database":     database(filepath.Join(dir, "state/db")),
		"many threads": threads(),
	}
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err == nil && tokyo.String() != "Asia/Tokyo" {
		err = errors.New(tokyo.String())
	}
	out["time zones"] = err
	_, out["names"] = net.LookupHost("localhost")
	ifcs, err := net.Interfaces()
	if err == nil && len(ifcs) == 0 {
		err = errors.New("there are none")
	}
	out["interfaces"] = err
	_, out["certificates"] = x509.SystemCertPool()
	_, out["temporary file"] = os.CreateTemp(filepath.Join(dir, "state"), "x")
	if out["kept file"] = errors.New("was not handed over"); len(c.Files()) == 1 {
		b, err := io.ReadAll(c.Files()[0])
		if err == nil && string(b) != "text\n" {
			err = fmt.Errorf("reads %q", b)
		}
		out["kept file"] = err
	}
	out["port that was named"] = namedPort(c)
	out["event file"] = events(c)
	runtime.GC()
	return out
}

// namedPort is had from the privileged process, for IPv4 and IPv6, TCP and UDP;
// no other one is.
func namedPort(c *Client) error {
	for _, a := range []string{"127.0.0.1:77", "[::1]:77", "[::ffff:127.0.0.2]:77"} {
		at := netip.MustParseAddrPort(a)
		f, err := c.Listen(true, at)
		if err != nil {
			return err
		}
		l, err := net.FileListener(f)
		if err != nil {
			return err
		}
		if _, err := c.Listen(true, at); err == nil {
			return errors.New("it was had twice")
		}
		u, err := c.Listen(false, at)
		if err != nil {
			return err
		}
		pc, err := net.FilePacketConn(u)
		if err != nil {
			return err
		}
		if l.Addr().(*net.TCPAddr).Port != 77 || pc.LocalAddr().(*net.UDPAddr).Port != 77 {
			return fmt.Errorf("%v, %v", l.Addr(), pc.LocalAddr())
		}
		_, _, _, _ = f.Close(), l.Close(), u.Close(), pc.Close()
	}
	if _, err := c.Listen(true, netip.MustParseAddrPort("127.0.0.1:78")); !errors.Is(err, ErrRefused) {
		return fmt.Errorf("a port that was not named: %v", err)
	}
	return nil
}

// events only grow, and a new file is begun on request.
func events(c *Client) error {
	for _, rotate := range []bool{false, true} {
		f, err := c.OpenEvents(rotate)
		if err != nil {
			return err
		}
		if _, err := f.WriteString("event\n"); err != nil {
			return err
		}
		if _, err := f.ReadAt(make([]byte, 1), 0); err == nil {
			return errors.New("it can be read")
		}
		_ = f.Close()
	}
	return nil
}

func confined(c *Client, dir string, say func(any)) error {
	res := map[string]string{}
	for name, err := range allowed(c, dir) {
		if err != nil {
			res["may: "+name] = err.Error()
		}
	}
	for name, try := range forbidden(dir) {
		switch {
		case try.err == nil:
			res["may not: "+name] = "it worked"
		case try.want != nil && !errors.Is(try.err, try.want):
			res["may not: "+name] = try.err.Error() + ", not " + try.want.Error()
		}
	}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil || len(tasks) < 10 {
		return fmt.Errorf("%d threads: %w", len(tasks), err)
	}
	for _, task := range tasks {
		b, err := os.ReadFile("/proc/self/task/" + task.Name() + "/status")
		if err != nil {
			continue // it ended
		}
		for _, want := range []string{"CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000",
			"CapAmb:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2", "Groups:\t \n"} {
			if !bytes.Contains(b, []byte(want)) {
				res["thread "+task.Name()] = "not " + want
			}
		}
		if uid := fmt.Sprintf("Uid:\t%d\t%[1]d\t%[1]d\t%[1]d\n", c.Report().UID); !bytes.Contains(b, []byte(uid)) {
			res["thread "+task.Name()] = "another user"
		}
	}
	say(res)
	say(c.Report())
	return nil
}

// threads starts many, each a clone and the runtime's set-up of it.
func threads() error {
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 12 {
		wg.Add(1)
		go func() {
			runtime.LockOSThread()
			wg.Done()
			<-stop
		}()
	}
	wg.Wait()
	_ = stop // they stay, to be looked at
	return nil
}

// https serves and asks over TLS, HTTP/2 included.
func https() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	tmpl := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, &tmpl, &tmpl, &key.PublicKey, key)
	if err != nil {
		return err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"h2"}}}
	go func() { _ = srv.ServeTLS(l, "", "") }()
	defer func() { _ = srv.Close() }()
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return err
	}
	resp, err := client.Get("https://localhost:" + port + "/")
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "HTTP/2.0" {
		return fmt.Errorf("%q: %w", b, err)
	}
	return nil
}

func unixSocket(path string) error {
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	c, err := net.Dial("unix", path)
	if err != nil {
		return err
	}
	return c.Close()
}

// database opens the store twice, one after the other: its locks and its log
// are files beside it.
func database(dir string) error {
	for i := range 2 {
		s, err := store.Open(store.Config{Dir: dir, Clock: time.Now})
		if err != nil {
			return err
		}
		if _, err := s.Put(context.Background(), "test", "test", "key", []byte(`{"a":1}`), store.AnyVersion); err != nil {
			return fmt.Errorf("put %d: %w", i, err)
		}
		if err := s.Close(); err != nil {
			return err
		}
	}
	return nil
}

// TestConfined tries everything the daemon is to be kept from and everything it
// needs.
func TestConfined(t *testing.T) {
	needRoot(t)
	dir := folder(t)
	s := begin(t, "confined", dir)
	var res map[string]string
	s.read(t, &res)
	for name, err := range res {
		t.Errorf("%s: %s", name, err)
	}
	var r Report
	s.read(t, &r)
	t.Logf("%+v", r)
	if r.UID == 0 || r.GID == 0 || !r.NoCaps || !r.NoNewPrivs || !r.NoDump || !r.Seccomp {
		t.Errorf("report %+v", r)
	}
	if r.Landlock != landlockABI() {
		t.Errorf("Landlock %d, the kernel has %d", r.Landlock, landlockABI())
	}
	if fmt.Sprint(r.Missing) != "[{path.absent /no/such/path}]" && r.Landlock >= 3 {
		t.Errorf("missing: %v", r.Missing)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, s.err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "outside/file")); err != nil || string(b) != "text\n" {
		t.Errorf("outside: %q, %v", b, err)
	}
}

// waiting has rules, with a block among them or not, says who it is, and ends
// when its input does.
func waiting(block bool) func(*Client, string, func(any)) error {
	return func(c *Client, _ string, say func(any)) error { return waitForEnd(c, block, say) }
}

func waitForEnd(c *Client, blocked bool, say func(any)) error {
	t, err := c.Install(enforce.Config{Queue: testQueue, Workers: 1, LAN: []string{"lo"}})
	if err != nil {
		return err
	}
	block := enforce.Entry{Kind: enforce.Block, Net: netip.MustParsePrefix("203.0.113.9/32"), For: time.Hour}
	if blocked {
		err = t.Put(block)
	}
	if err := errors.Join(err, t.Beat()); err != nil {
		return err
	}
	say([]int{os.Getpid(), c.helper})
	in := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(in)
	}()
	select {
	case <-c.Done():
		say("gone")
		_, err := c.OpenPacket(true)
		if !errors.Is(err, ErrGone) {
			return fmt.Errorf("asked the dead: %w", err)
		}
	case <-in:
	}
	return nil
}
