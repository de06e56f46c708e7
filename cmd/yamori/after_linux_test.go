package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/labnet"
	"github.com/yamori-net/yamori/internal/policy"
)

// TestAfterTheFact: the program as two processes, told not to stand in line,
// cuts a miner's connection once it is found, through the process that kept the
// privileges; the status and the doctor say how it is; the end leaves nothing.
func TestAfterTheFact(t *testing.T) {
	t.Parallel()
	h, err := labnet.New(labnet.Options{Devices: []string{"camera", "pc"}, Patience: time.Second})
	if err != nil {
		if os.Getenv("CI") == "" && os.Geteuid() != 0 {
			t.Skipf("skipped: %v", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	dir := openFolder(t)
	bin := filepath.Join(dir, "yamori")
	buildInto(t, bin)
	g, err := h.StartGateway(context.Background(), labnet.GatewayOptions{Program: bin, Folder: dir, More: map[string]any{
		"policy": map[string]any{"mode": "protect"}, "inline": map[string]any{"off": true, "state": filepath.Join(dir, "enforce.json")}}})
	if err != nil {
		t.Fatal(err)
	}
	acts := func() bool {
		p, err := g.Client.Policy(context.Background())
		return err == nil && p.Acts == "after" && !p.Inline
	}
	for end := time.Now().Add(10 * time.Second); !acts(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("flows are not cut:\n%s", g.Log())
		}
	}
	camera, pc := h.Device("camera"), h.Device("pc")
	if r := camera.Run(context.Background(), labnet.MineOn(40, 100*time.Millisecond, false)); r.OK() || r.End != labnet.Reset && r.End != labnet.Silence { // silence: it waits for a word of the pool, which was reset
		t.Errorf("a miner: %v", r)
	}
	if r := pc.Run(context.Background(), labnet.Browse(2)); !r.OK() {
		t.Errorf("a browser: %v", r)
	}
	blocked := false
	for end := time.Now().Add(5 * time.Second); !blocked && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		for e, err := range g.Client.Entries(context.Background(), "blocks", "") {
			blocked = blocked || err == nil && e.Author == policy.Itself
		}
	}
	if !blocked {
		t.Error("the pool is not blocked for the camera")
	}
	if r := camera.Run(context.Background(), labnet.MineOn(1, 0, false)); r.End != labnet.Refused {
		t.Errorf("the miner's next try: %v", r)
	}
	for _, args := range [][]string{{"status", "--socket", g.Socket}, {"doctor", "--socket", g.Socket, "--lang", "en"}} {
		if _, out, errs := call(t, args...); !strings.Contains(out, "cut afterwards") {
			t.Errorf("%v: %s%s", args, out, errs)
		}
	}
	if err := g.Stop(); err != nil {
		t.Error(err)
	}
	if out, err := h.Gate.Output("nft", "list", "ruleset"); err != nil || strings.Contains(string(out), "yamori") {
		t.Errorf("after the end: %v\n%s", err, out)
	}
	if t.Failed() {
		t.Log(g.Log())
	}
}
