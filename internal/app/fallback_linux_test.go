package app

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/capture/nfqueue"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/enforce"
)

// TestFallback: where the queues cannot be had, findings cut flows afterwards;
// each new try to inspect in line keeps what is cut.
func TestFallback(t *testing.T) {
	if !apart(t) {
		return
	}
	camera, _ := homeOf(t)
	taken, err := nfqueue.Open(nfqueue.Config{Queue: config.DefaultQueue})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	r := runWatch(t, func(*config.Config) {})
	r.acts("after")
	failed := func() bool {
		for _, p := range (daemon{r.w}).Ready() {
			if p.Code == "inline.failed" {
				return true
			}
		}
		return false
	}
	if !failed() {
		t.Errorf("not told: %v", (daemon{r.w}).Ready())
	}
	miner := dial(t, camera, poolAddr, "3333")
	if err := ends(miner, login, 5*time.Second); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("the miner's connection: %v", err)
	}
	cuts := func() (out []enforce.Active) {
		f := r.w.reactor.filter()
		if f == nil {
			return nil
		}
		list, _ := f.List()
		for _, a := range list {
			if a.Kind == enforce.Cut {
				out = append(out, a)
			}
		}
		return out
	}
	eventually(t, "the flow is cut", func() bool { return len(cuts()) == 1 })
	old := r.w.reactor.filter()
	again := func() {
		r.w.keeper.mu.Lock()
		r.w.keeper.tried = time.Now().Add(-tryEvery)
		r.w.keeper.mu.Unlock()
		r.w.keeper.changed()
	}
	r.w.keeper.changed()
	time.Sleep(300 * time.Millisecond)
	if r.w.reactor.filter() != old {
		t.Error("it is tried again at each change of the policy")
	}
	again()
	eventually(t, "rules are made anew", func() bool { f := r.w.reactor.filter(); return f != nil && f != old })
	eventually(t, "the flow is still cut", func() bool { return len(cuts()) == 1 })
	eventually(t, "so are the blocks", func() bool {
		f := r.w.reactor.filter()
		if f == nil {
			return false
		}
		list, _ := f.List()
		for _, a := range list {
			if a.Kind == enforce.Block && a.Port == 3333 {
				return true
			}
		}
		return len(r.blocks()) == 0
	})

	// Once the queues are free, it stands in line.
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	again()
	r.acts("inline")
	if failed() {
		t.Error("in line, and still told as failed")
	}
	eventually(t, "in line, the flow is still cut", func() bool { return len(cuts()) == 1 })
}
