package main

import (
	"context"
	"os"
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
	for name, kill := range map[string]func(g *labnet.Gateway) error{
		"killed":            func(g *labnet.Gateway) error { return g.Signal(syscall.SIGKILL) },
		"privileges killed": func(g *labnet.Gateway) error { return syscall.Kill(childOf(g.Pid()), syscall.SIGKILL) },
		"privileges hang":   func(g *labnet.Gateway) error { return syscall.Kill(childOf(g.Pid()), syscall.SIGSTOP) },
	} {
		t.Run(name, func(t *testing.T) {
			h, g := gatewayIn(t, bin, labnet.Options{Devices: []string{"pc", "phone"}})
			helper := childOf(g.Pid())
			r, err := labnet.Drill{Home: h, For: 3 * time.Second, Do: func(context.Context) error { return kill(g) }}.Run(context.Background())
			if err != nil || !r.Whole() {
				t.Errorf("%v (%v)\n%s", r, err, g.Log())
			}
			t.Log(r)
			if name == "privileges hang" {
				_ = syscall.Kill(helper, syscall.SIGKILL)
			}
			if name != "killed" {
				select {
				case err := <-g.Gone:
					if err == nil {
						t.Error("it ended as if all was well")
					}
				case <-time.After(10 * time.Second):
					t.Error("it does not end without the privileged process")
				}
			}
		})
	}
}
