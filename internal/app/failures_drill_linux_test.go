package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/labnet"
)

// TestFailures: whatever happens to the daemon while the home is busy, no
// transfer breaks and no request fails, and what was judged bad stays so while
// the daemon can judge.
func TestFailures(t *testing.T) {
	g := makeGate(t, labnet.Options{Devices: []string{"camera", "pc", "phone"}, IPv6: true, Patience: 700 * time.Millisecond})
	camera := g.home.Device("camera")
	mines := func() bool { return camera.Run(context.Background(), labnet.Mine("cryptonote")).OK() }
	stopFor := func(d time.Duration) func(context.Context) error {
		return func(context.Context) error {
			g.signal(syscall.SIGSTOP)
			time.Sleep(d)
			g.signal(syscall.SIGCONT)
			return nil
		}
	}
	state := g.plan.Config.State.Dir
	for _, x := range []struct {
		name   string
		before func()
		drill  labnet.Drill
		gap    time.Duration // the longest that a transfer may stand still
		slow   time.Duration // the longest that a request may take
		judges bool          // mining is stopped afterwards
		fresh  bool          // the daemon has to be started again
	}{
		{name: "nothing", gap: 300 * time.Millisecond, slow: time.Second, judges: true},
		{name: "nothing, IPv6", drill: labnet.Drill{V6: true}, gap: 300 * time.Millisecond, slow: time.Second, judges: true},
		{name: "kill -9", drill: labnet.Drill{Do: func(context.Context) error { g.end(syscall.SIGKILL); return nil }}, gap: time.Second, slow: 4 * time.Second, fresh: true},
		{name: "SIGSTOP", drill: labnet.Drill{Do: stopFor(1500 * time.Millisecond)}, gap: 1500 * time.Millisecond, slow: 4 * time.Second, judges: true},
		{name: "SIGSTOP, 20 requests a second alone", drill: labnet.Drill{Transfers: -1, Requests: 20, Do: stopFor(1500 * time.Millisecond)}, slow: 4 * time.Second, judges: true},
		{name: "rules loaded again", drill: labnet.Drill{Do: func(ctx context.Context) error {
			var errs []error
			for range 3 {
				_, err := g.cl.ReloadRules(ctx)
				errs = append(errs, err)
			}
			return errors.Join(errs...)
		}}, gap: 500 * time.Millisecond, slow: 2 * time.Second, judges: true},
		{name: "SIGTERM", drill: labnet.Drill{Do: func(context.Context) error { g.end(syscall.SIGTERM); return nil }}, gap: time.Second, slow: 4 * time.Second, fresh: true},
		{name: "full disk", fresh: true, before: func() {
			g.end(syscall.SIGTERM)
			_ = os.MkdirAll(state, 0o700)
			if err := unix.Mount("tmpfs", state, "tmpfs", 0, "size=4m"); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = unix.Unmount(state, unix.MNT_DETACH) })
			g.start()
		}, drill: labnet.Drill{Do: func(context.Context) error {
			if err := os.WriteFile(filepath.Join(state, "filler"), make([]byte, 8<<20), 0o600); !errors.Is(err, unix.ENOSPC) {
				return errors.New("the disk is not full")
			}
			for range 3 {
				inTime(t, "mining", mines)
			}
			return nil
		}}, gap: 500 * time.Millisecond, slow: 2 * time.Second, judges: true},
		{name: "full queue", before: func() {
			g.end(syscall.SIGTERM)
			g.plan.Slow = time.Millisecond
			g.start()
		}, gap: time.Second, slow: 2500 * time.Millisecond, fresh: true},
		{name: "hanging worker", before: func() {
			g.end(syscall.SIGTERM)
			g.plan.Slow = time.Hour
			g.launch()
		}, gap: time.Second, slow: 4 * time.Second, fresh: true},
	} {
		if x.drill.Requests == 0 {
			x.drill.Requests = 200
		}
		t.Run(x.name, func(t *testing.T) {
			// What breaks or fails counts each time. What takes long may be a machine
			// that is busy elsewhere: the daemon is at fault when it takes long each time.
			for tries := 3; tries > 0; tries-- {
				if x.before != nil {
					x.before()
				} else if g.cmd == nil {
					g.start()
				}
				x.drill.Home, x.drill.For, x.drill.Rate = g.home, 2*time.Second, 30<<20
				r, err := x.drill.Run(context.Background())
				t.Log(r)
				if err != nil || !r.Whole() {
					t.Errorf("%v (%v)", r, err)
				}
				late := r.Gap > x.gap || r.Slowest > x.slow
				if late && tries == 1 {
					t.Errorf("the longest gap is %v, the slowest request %v", r.Gap, r.Slowest)
				}
				if x.judges {
					eventually(t, "packets are inspected again", g.inline)
					inTime(t, "mining", mines)
				}
				if x.fresh {
					g.end(syscall.SIGKILL)
					g.plan.Slow = 0
				}
				if !late {
					break
				}
			}
		})
	}
}
