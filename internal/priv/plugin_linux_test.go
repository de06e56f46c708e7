package priv

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/netns"
	"github.com/yamori-net/yamori/internal/plugin"
	"github.com/yamori-net/yamori/internal/plugin/plugintest"
)

// plug leads the client of a test home, then waits.
func plug(c *Client, dir string, say func(any)) error {
	bad := plugintest.Config()
	bad.Devices = nil
	if err := c.StartPlugin(bad); !errors.Is(err, plugin.ErrRefused) {
		return errors.New("nobody was named, and it began")
	}
	if err := c.StartPlugin(plugintest.Config()); err != nil {
		return err
	}
	if err := c.StartPlugin(plugintest.Config()); !errors.Is(err, ErrRefused) {
		return errors.New("it began twice")
	}
	st, err := c.PluginState()
	if err != nil || !st.Running {
		return errors.Join(errors.New("it does not run"), err)
	}
	if err := waitForEnd(c, false, say); err != nil {
		return err
	}
	return c.StopPlugin()
}

// TestPluginCrash kills the daemon: the privileged process tells the truth.
func TestPluginCrash(t *testing.T) {
	needRoot(t)
	t.Parallel()
	for _, kill := range []bool{true, false} {
		t.Run(fmt.Sprintf("killed %v", kill), func(t *testing.T) {
			t.Parallel()
			h, err := plugintest.New()
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			k, err := h.NewTalk(false)
			if err != nil {
				t.Fatal(err)
			}
			defer k.Close()
			s := begin(t, "plug", folder(t), h.Box)
			var pids []int
			s.read(t, &pids)
			led := func(by string) func() bool {
				return func() bool { return plugintest.Neighbour(h.Client, plugintest.RouterIP) == plugintest.MAC(by) }
			}
			waitFor(t, "led by the box", 5*time.Second, led(plugintest.BoxIP))
			time.Sleep(500 * time.Millisecond)
			k.Mark()
			if kill {
				if err := unix.Kill(pids[0], unix.SIGKILL); err != nil {
					t.Fatal(err)
				}
			} else {
				_ = s.in.Close()
			}
			d := waitFor(t, "the truth", 5*time.Second, led(plugintest.RouterIP))
			waitFor(t, "end of the privileged process", 10*time.Second, func() bool { return !alive(pids[1]) })
			gap, n := k.Gap()
			t.Logf("killed %v: the truth after %v, longest gap %v in %d answers", kill, d.Round(time.Millisecond), gap.Round(time.Millisecond), n)
			if gap > time.Second || n < 10 {
				t.Error("the client noticed")
			}
			if !led(plugintest.RouterIP)() {
				t.Error("the truth did not last")
			}
		})
	}
}

// TestOrphan: who is to be killed when his parent ends still is, although he
// became another user.
func TestOrphan(t *testing.T) {
	needRoot(t)
	n, err := netns.New("parent")
	if err != nil {
		t.Fatal(err)
	}
	s := begin(t, "orphan", folder(t), n)
	var pids []int
	s.read(t, &pids)
	n.Close() // and with it the thread that was the parent
	waitFor(t, "end of the daemon", 30*time.Second, func() bool { return !alive(pids[0]) })
	waitFor(t, "end of the privileged process", 30*time.Second, func() bool { return !alive(pids[1]) })
}
