package priv

import (
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// serve runs the privileged side on one end of a socket and returns the other.
func serve(t *testing.T) (fd int, ended chan error) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := connect(pair[1])
	if err != nil {
		t.Fatal(err)
	}
	ended = make(chan error, 1)
	s := newServer(conn, HelperConfig{State: t.TempDir() + "/state.json"}, slog.New(slog.DiscardHandler))
	go func() { ended <- s.run() }()
	return pair[0], ended
}

func ask(t *testing.T, fd int, m []byte, oob []byte) reply {
	t.Helper()
	if err := unix.Sendmsg(fd, m, oob, nil, unix.MSG_NOSIGNAL); err != nil {
		t.Fatal(err)
	}
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 5000); n != 1 {
		t.Fatal("no answer", err)
	}
	buf := make([]byte, maxMessage)
	n, _, err := unix.Recvfrom(fd, buf, 0)
	if err != nil || n == 0 {
		t.Fatal("no answer", err)
	}
	var r reply
	if _, err := decode(buf[:n], &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRefused sends what the privileged side must not take; it goes on.
func TestRefused(t *testing.T) {
	fd, ended := serve(t)
	null, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	before := files(t)
	for name, m := range map[string][]byte{
		"short":             {version},
		"unknown operation": message(lastOp+1, "{}"),
		"other version":     append([]byte{9}, message(OpHello, "{}")[1:]...),
		"an answer":         append([]byte{version, 1, flagReply}, message(OpHello, "{}")[3:]...),
		"too long":          message(OpHello, `{"x":"`+strings.Repeat("x", maxMessage)+`"}`),
		"a path":            message(OpInstall, `{"install":{"queue":0,"workers":1,"marks":{},"state":"/etc/shadow"}}`),
		"no rules yet":      message(OpBeat, "{}"),
		"nor to put in":     message(OpPut, `{"entries":[]}`),
		"bad plugin":        message(OpPlugin, `{"plugin":{"interface":"no-such","gateway":{"mac":null,"addrs":null},"devices":null}}`),
	} {
		if r := ask(t, fd, m, nil); r.Error == "" || r.Code == "" {
			t.Errorf("%s: taken: %+v", name, r)
		}
	}
	if r := ask(t, fd, message(OpHello, "{}"), unix.UnixRights(int(null.Fd()))); !errors.Is(r.err(), ErrRefused) {
		t.Errorf("a file was taken: %+v", r)
	}
	if after := files(t); after > before {
		t.Errorf("%d files are open, %d before", after, before)
	}
	if r := ask(t, fd, message(OpHello, "{}"), nil); r.err() != nil {
		t.Errorf("it does not go on: %v", r.err())
	}
	_ = unix.Close(fd)
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("it did not end with its other side")
	}
}

func files(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestOwn gives a folder away, but not what a link in it leads to.
func TestOwn(t *testing.T) {
	needRoot(t)
	dir := folder(t)
	secret := dir + "/kept"
	own1 := dir + "/own"
	for _, err := range []error{os.MkdirAll(own1+"/deep", 0o755), os.WriteFile(own1+"/deep/file", nil, 0o600), os.Symlink(secret, own1+"/link"), os.Link(secret, own1+"/hard")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	kept, err := own(own1, account{uid: 65534, gid: 65534})
	if err != nil {
		t.Fatal(err)
	}
	uid := func(path string) uint32 {
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			t.Fatal(err)
		}
		return st.Uid
	}
	if uid(own1) != 65534 || uid(own1+"/deep/file") != 65534 || uid(secret) != 0 || len(kept) != 2 {
		t.Errorf("owners %d, %d, %d; kept %v", uid(own1), uid(own1+"/deep/file"), uid(secret), kept)
	}
	for _, dir := range []string{"/", "/etc", "/var/lib", "relative", "/usr/../etc", ""} {
		if _, err := own(dir, account{uid: 65534}); err == nil {
			t.Errorf("%q was given away", dir)
		}
	}
	if _, err := findUser("root"); err == nil {
		t.Error("root has no privileges, it says")
	}
	if _, err := findUser("no-such-user"); err == nil {
		t.Error("a user who is not there")
	}
	if err := depart(&Config{Own: []string{own1}, Helper: HelperConfig{State: own1 + "/enforce.json"}}); err == nil || !strings.Contains(err.Error(), "name another place") {
		t.Errorf("the state may lie where the user may write: %v", err)
	}
}
