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

// TrialOptions say how a trial speaks.
type TrialOptions struct {
	V6    bool
	Split int // both ends send segments of so many bytes; 0: whole messages
	// Again is how many times a conversation that went wrong is had once more,
	// alone: a gateway that gets no processor for a while lets packets pass, as it
	// should, and what it does not recognise it never does.
	Again int
}

// Tried is what became of one conversation of a trial.
type Tried struct {
	Talk talks.Talk
	Result
	Heard int   // messages that the server heard
	Out   int64 // bytes that the server heard
	Tries int   // how often it was had
	Wrong error // what is not as it should be; nil: nothing
}

// Stop says in words at what a miner was to be stopped.
func (t *Tried) Stop() string {
	n, what := 0, "message"
	if t.Talk.Steps[t.Talk.At].FromServer {
		what = "answer"
	}
	for _, s := range t.Talk.Steps[t.Talk.Skip : t.Talk.At+1] {
		if s.FromServer == t.Talk.Steps[t.Talk.At].FromServer {
			n++
		}
	}
	return fmt.Sprintf("%s %d", what, n)
}

// Trial has every conversation once, past a gateway that protects, and returns
// what is not as it should be: a miner of which more got through than what came
// before the message that makes it certain, or whose connection was not to be
// had at all; something harmless that was touched.
func (h *Home) Trial(ctx context.Context, v6 bool) (wrong []error) {
	for _, t := range h.TrialOf(ctx, TrialOptions{V6: v6, Again: 3}) {
		if t.Wrong != nil {
			wrong = append(wrong, t.Wrong)
		}
	}
	return wrong
}

// TrialOf is Trial with what became of each conversation: the miners, each with
// its twin on the same port of another server, and the others. Each trial gives a
// conversation to another device, because a gateway may remember who mined where.
// One runs at a time.
func (h *Home) TrialOf(ctx context.Context, o TrialOptions) []Tried {
	var all []talks.Talk
	for _, t := range talks.All() {
		if all = append(all, t); t.Mining {
			all = append(all, talks.Twin(t))
		}
	}
	h.pieces.Store(int64(o.Split))
	defer h.pieces.Store(0)
	out := make([]Tried, len(all))
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	shift := int(h.trials.Add(1))
	for i, t := range all {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			out[i] = h.try(ctx, h.devices[(i/2+shift)%len(h.devices)], t, o)
		})
	}
	wg.Wait()
	for i := range out {
		for n := 1; out[i].Wrong != nil && n <= o.Again && ctx.Err() == nil; n++ {
			out[i] = h.try(ctx, h.devices[(i/2+shift+n)%len(h.devices)], all[i], o)
			out[i].Tries += n
		}
	}
	return out
}

// try has one conversation.
func (h *Home) try(ctx context.Context, d *Device, t talks.Talk, o TrialOptions) Tried {
	b := SpeakSplit(t, o.Split)
	b.V6 = o.V6
	e := h.heard[t.Name]
	heard, got := e.messages.Load(), e.bytes.Load()
	r := Tried{Talk: t, Result: d.Run(ctx, b), Tries: 1}
	r.Heard, r.Out = int(e.messages.Load()-heard), e.bytes.Load()-got
	if r.Wrong = r.judge(o.Split > 0); r.Wrong != nil {
		r.Wrong = fmt.Errorf("%s: %w", t.Name, r.Wrong)
	}
	return r
}

// judge says what is not as it should be.
func (r *Tried) judge(split bool) error {
	t := &r.Talk
	if !t.Mining {
		if !r.OK() {
			return fmt.Errorf("harmless, and %v", r.Result)
		}
		return nil
	}
	var said, answered int          // before it was certain
	var saidBytes, heardBytes int64 // the same
	for _, s := range t.Steps[:t.At] {
		if s.FromServer {
			answered++
			heardBytes += int64(len(s.Data))
		} else {
			said++
			saidBytes += int64(len(s.Data))
		}
	}
	proof := &t.Steps[t.At]
	if split { // of the message that proves it, all but the last piece may pass
		if proof.FromServer {
			heardBytes += int64(len(proof.Data)) - 1
		} else {
			saidBytes += int64(len(proof.Data)) - 1
		}
	}
	switch {
	case !r.Connected:
		return fmt.Errorf("not stopped by what it says: %v", r.Result)
	case r.OK():
		return fmt.Errorf("it was not stopped")
	case r.Heard > said || r.Got > answered:
		return fmt.Errorf("stopped late: the server heard %d messages (%d may pass), the miner %d (%d may pass); %v", r.Heard, said, r.Got, answered, r.Result)
	case r.Out > saidBytes || r.Bytes > heardBytes:
		return fmt.Errorf("stopped late: the server heard %d bytes (%d may pass), the miner %d (%d may pass); %v", r.Out, saidBytes, r.Bytes, heardBytes, r.Result)
	}
	return nil
}
