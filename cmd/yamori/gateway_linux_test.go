package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/labnet"
)

// gatewayIn makes a home with the program as its gateway.
func gatewayIn(t *testing.T, bin string, o labnet.Options) (*labnet.Home, *labnet.Gateway) {
	t.Helper()
	h, err := labnet.New(o)
	if err != nil {
		if os.Getenv("CI") == "" && os.Geteuid() != 0 {
			t.Skipf("skipped: %v", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	g, err := h.StartGateway(context.Background(), labnet.GatewayOptions{Program: bin, Folder: openFolder(t), Protect: true})
	if err != nil {
		t.Fatal(err)
	}
	return h, g
}

// openFolder is a temporary folder that every user can reach, unlike those of
// testing: a daemon that gave its privileges up has to.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "yamori-test")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// gateway: the program as a household runs it stops every clear dialect of
// mining at the message that makes it certain and touches nothing else, as a
// router and as a bridge, over both families; what devices of the home say to
// each other goes on; the end of the program leaves nothing behind.
func gateway(t *testing.T, bin string) {
	for name, o := range map[string]labnet.Options{"router": {IPv6: true, Patience: 1200 * time.Millisecond}, "bridge": {IPv6: true, Bridge: true, Patience: 1200 * time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, g := gatewayIn(t, bin, o)
			for _, v6 := range []bool{false, true} {
				for _, err := range h.Trial(context.Background(), v6) {
					t.Errorf("IPv6 %v: %v", v6, err)
				}
			}
			for _, b := range []labnet.Behaviour{labnet.Browse(3), labnet.Watch(5 << 20), labnet.Watch(5 << 20).Over6(), labnet.SetClock(), labnet.AskFor("www.lab.example")} {
				if r := h.Device("pc").Run(context.Background(), b); !r.OK() {
					t.Errorf("%s: %v", b.Name, r)
				}
			}
			if r := h.Device("phone").Run(context.Background(), labnet.GuessPasswords(3, 100)); !r.OK() {
				t.Errorf("between devices at home: %v", r)
			}
			if err := g.Stop(); err != nil {
				t.Error(err)
			}
			if out, err := h.Gate.Output("nft", "list", "ruleset"); err != nil || strings.Contains(strings.ToLower(string(out)), "yamori") {
				t.Errorf("after the end: %v\n%s", err, out)
			}
			if r := h.Device("pc").Run(context.Background(), labnet.Browse(1)); !r.OK() {
				t.Errorf("after the end: %v", r)
			}
			if t.Failed() {
				t.Log(g.Log())
			}
		})
	}
	stop := func(pids ...int) error { // for longer than packets wait
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				return err
			}
		}
		time.Sleep(1500 * time.Millisecond)
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
				return err
			}
		}
		return nil
	}
	for name, x := range map[string]struct {
		do    func(daemon, helper int) error
		alone bool // 20 requests a second are the only traffic
		after string
	}{
		"killed": {do: func(d, _ int) error { return syscall.Kill(d, syscall.SIGKILL) }, after: "nothing left"},
		"both killed": {do: func(d, h int) error {
			return errors.Join(syscall.Kill(h, syscall.SIGKILL), syscall.Kill(d, syscall.SIGKILL))
		}, after: "unhooked"},
		"privileges killed":                   {do: func(_, h int) error { return syscall.Kill(h, syscall.SIGKILL) }, after: "ends"},
		"privileges hang":                     {do: func(_, h int) error { return syscall.Kill(h, syscall.SIGSTOP) }, after: "ends"},
		"stopped":                             {do: func(d, _ int) error { return stop(d) }, after: "told"},
		"stopped, 20 requests a second alone": {do: func(d, _ int) error { return stop(d) }, alone: true, after: "told"},
		"both stopped":                        {do: func(d, h int) error { return stop(d, h) }, after: "told"},
	} {
		t.Run(name, func(t *testing.T) {
			h, g := gatewayIn(t, bin, labnet.Options{Devices: []string{"camera", "pc", "phone"}, Patience: 1200 * time.Millisecond})
			helper := childOf(g.Pid())
			drill := labnet.Drill{Home: h, For: 3 * time.Second, Do: func(context.Context) error { return x.do(g.Pid(), helper) }}
			if x.alone {
				drill.Transfers, drill.Requests = -1, 20
			}
			r, err := drill.Run(context.Background())
			if err != nil || !r.Whole() {
				t.Errorf("%v (%v)\n%s", r, err, g.Log())
			}
			t.Log(r)
			switch x.after {
			case "ends":
				if name == "privileges hang" {
					_ = syscall.Kill(helper, syscall.SIGKILL)
				}
				select {
				case err := <-g.Gone:
					if err == nil {
						t.Error("it ended as if all was well")
					}
				case <-time.After(10 * time.Second):
					t.Error("it does not end without the privileged process")
				}
			case "nothing left", "unhooked":
				left := func() bool {
					out, err := h.Gate.Output("nft", "list", "tables")
					return err != nil || strings.Contains(string(out), "yamori")
				}
				if x.after == "unhooked" {
					if !left() {
						t.Error("nobody was there to remove the rules, and they are gone")
					}
					if err := h.Gate.Run(bin, "unhook", "--config", g.Config); err != nil {
						t.Error(err)
					}
				}
				for end := time.Now().Add(5 * time.Second); left(); time.Sleep(20 * time.Millisecond) {
					if time.Now().After(end) {
						t.Fatal("rules are left")
					}
				}
			case "told":
				told := func() (what []string) {
					st, err := g.Client.Status(context.Background())
					if err != nil {
						return []string{err.Error()}
					}
					for _, p := range st.Problems {
						what = append(what, p.Code)
					}
					return what
				}
				for end := time.Now().Add(10 * time.Second); !slices.Contains(told(), "inline.passed"); time.Sleep(50 * time.Millisecond) {
					if time.Now().After(end) {
						t.Fatalf("packets passed and it does not say so: %v\n%s", told(), g.Log())
					}
				}
				if log := g.Log(); !strings.Contains(log, "pass") {
					t.Errorf("the log does not say that packets passed:\n%s", log)
				}
				if r := h.Device("camera").Run(context.Background(), labnet.Mine("cryptonote")); r.OK() {
					t.Error("afterwards mining passes")
				}
			}
		})
	}
}
