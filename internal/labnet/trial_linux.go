package labnet

import (
	"context"
	"fmt"
	"sync"

	"github.com/yamori-net/yamori/internal/labnet/talks"
)

// atOnce is how many conversations a trial has at a time. Each that is dropped
// costs the device's patience.
const atOnce = 20

// Trial has every conversation once, past a gateway that protects, and returns
// what is not as it should be: a miner of which more got through than what came
// before the message that makes it certain, or whose connection was not to be
// had at all; something harmless that was touched.
func (h *Home) Trial(ctx context.Context, v6 bool) (wrong []error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i, t := range talks.All() {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := h.try(ctx, h.devices[i%len(h.devices)], &t, v6); err != nil {
				mu.Lock()
				defer mu.Unlock()
				wrong = append(wrong, fmt.Errorf("%s: %w", t.Name, err))
			}
		})
	}
	wg.Wait()
	return wrong
}

// try has one conversation.
func (h *Home) try(ctx context.Context, d *Device, t *talks.Talk, v6 bool) error {
	b := Speak(*t)
	b.V6 = v6
	before := h.Heard(t.Name)
	r := d.Run(ctx, b)
	heard := h.Heard(t.Name) - before
	if !t.Mining {
		if !r.OK() {
			return fmt.Errorf("harmless, and %v", r)
		}
		return nil
	}
	var said, answered int // before it was certain
	for _, s := range t.Steps[:t.At] {
		if s.FromServer {
			answered++
		} else {
			said++
		}
	}
	switch {
	case !r.Connected:
		return fmt.Errorf("not stopped by what it says: %v", r)
	case r.OK():
		return fmt.Errorf("it was not stopped")
	case heard > said || r.Got > answered:
		return fmt.Errorf("stopped late: the server heard %d messages (%d may pass), the miner %d (%d may pass); %v", heard, said, r.Got, answered, r)
	}
	return nil
}
