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

// TestLiveFlowsOfTwo: whoever asks while another waits gets an answer, and takes
// nobody's.
func TestLiveFlowsOfTwo(t *testing.T) {
	e, err := New(Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	const askers = 4
	got := make(chan error, askers)
	for range askers {
		go func() { _, err := e.LiveFlows(ctx); got <- err }()
	}
	for n, answered := int64(1), 0; answered < askers; n++ {
		e.Workers[0].Tick(n * 1e9)
		select {
		case err := <-got:
			if answered++; err != nil {
				t.Fatal(err)
			}
		case <-time.After(time.Millisecond):
		}
	}
}
