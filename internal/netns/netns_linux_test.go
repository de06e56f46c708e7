package netns

import (
	"errors"
	"net"
	"os"
	"strings"
	"testing"
)

// Make makes a namespace for a test, or says what is missing: an error where
// CI promises it.
func makeNS(t *testing.T, name string) *NS {
	t.Helper()
	n, err := New(name)
	if err != nil {
		if os.Getenv("CI") != "" && !errors.Is(err, ErrPermission) || os.Geteuid() == 0 {
			t.Fatal(err)
		}
		t.Skipf("skipped: %v", err)
	}
	t.Cleanup(n.Close)
	return n
}

func TestJoin(t *testing.T) {
	a, b := makeNS(t, "a"), makeNS(t, "b")
	if err := Join(a, "left", b, "right"); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{a.Script("# addresses\n\nip addr add 10.9.0.1/24 dev left"), b.Script("ip addr add 10.9.0.2/24 dev right")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var l net.Listener
	if err := b.Do(func() (err error) { l, err = net.Listen("tcp", "10.9.0.2:80"); return err }); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			_, _ = c.Write([]byte("hello"))
			_ = c.Close()
		}
	}()
	done := a.Go(func() error {
		c, err := net.Dial("tcp", "10.9.0.2:80")
		if err != nil {
			return err
		}
		defer c.Close()
		var buf [8]byte
		n, err := c.Read(buf[:])
		if string(buf[:n]) != "hello" {
			t.Errorf("read %q", buf[:n])
		}
		return err
	})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	// Nothing of it is seen from here.
	if ifs, _ := net.Interfaces(); len(ifs) > 0 {
		for _, i := range ifs {
			if i.Name == "left" || i.Name == "right" {
				t.Errorf("%s is outside", i.Name)
			}
		}
	}
	err := a.Run("ip", "link", "set", "nowhere", "up")
	if err == nil || !strings.Contains(err.Error(), "in a: ip link set nowhere up") {
		t.Errorf("error %v", err)
	}
}
