package house

import (
	"context"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/policy"
)

// TestTrial: protection that is not confirmed ends, by time or by a restart;
// confirmed it stays.
func TestTrial(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	ctx := context.Background()
	rb := h.Backend(quiet{}).Rulebook
	if err := rb.SetMode(ctx, "protect", time.Hour); err != nil {
		t.Fatal(err)
	}
	if p, _ := rb.Policy(ctx); p.Mode != "protect" || p.Until.IsZero() {
		t.Errorf("%+v", p)
	}
	if err := rb.SetMode(ctx, "protect", 50*time.Millisecond); err != nil { // shorter after all
		t.Fatal(err)
	}
	wait(t, "the trial ends", func() bool { return h.Policy.Mode() == policy.Watch })
	if p, _ := rb.Policy(ctx); !p.Until.IsZero() {
		t.Errorf("%+v", p)
	}

	// Confirmed.
	for _, d := range []time.Duration{time.Hour, 0} {
		if err := rb.SetMode(ctx, "protect", d); err != nil {
			t.Fatal(err)
		}
	}
	// A trial whose time had come just when it was confirmed does not end it.
	h.endTrial(1)
	if err := rb.SetMode(ctx, "protect", time.Millisecond); err != nil { // asks for less than there is
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond) // no timer may be under way
	if p, _ := rb.Policy(ctx); p.Mode != "protect" || !p.Until.IsZero() {
		t.Errorf("confirmed: %+v", p)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h = open(t, dir)
	if h.Policy.Mode() != policy.Protect {
		t.Error("a restart takes confirmed protection back")
	}
	rb = h.Backend(quiet{}).Rulebook
	if err := rb.SetMode(ctx, "watch", 0); err != nil {
		t.Fatal(err)
	}
	if err := rb.SetMode(ctx, "protect", time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h = open(t, dir)
	defer h.Close()
	if h.Policy.Mode() != policy.Watch {
		t.Error("a restart makes a trial last")
	}
}
