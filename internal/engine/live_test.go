package engine

import (
	"context"
	"testing"
	"time"
)

// TestLiveFlows: a worker tells of its flows when its timers run, once for
// each question.
func TestLiveFlows(t *testing.T) {
	e, err := New(Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	w := e.Workers[0]
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := e.LiveFlows(ctx); err == nil {
		t.Error("nobody answered, and that is no error")
	}
	w.Tick(1e9) // the answer nobody waits for any more
	got := make(chan []LiveFlow)
	go func() {
		l, err := e.LiveFlows(context.Background())
		if err != nil {
			t.Error(err)
		}
		got <- l
	}()
	for n := int64(2); ; n++ {
		w.Tick(n * 1e9)
		select {
		case l := <-got:
			if len(l) != 0 {
				t.Errorf("%d flows of a table without any", len(l))
			}
			return
		case <-time.After(time.Millisecond):
		}
	}
}
