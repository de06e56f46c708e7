package house

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/policy"
)

// trial is protection that ends by itself unless the owner confirms it: whoever
// cut the own connection cannot take it back.
type trial struct {
	mu    sync.Mutex
	timer *time.Timer
	until time.Time
	round uint64 // counts trials, so that one that is over ends nothing
}

// keyTrial is the document that says that a trial is under way, so that a
// restart in the middle of it does not make it last.
const keyTrial = "trial"

// SetMode changes the mode; with a trial it goes back to watch after that time
// unless it is set again without one.
func (h *House) SetMode(m policy.Mode, d time.Duration, who string) error {
	h.trial.mu.Lock()
	defer h.trial.mu.Unlock()
	return h.setMode(m, d, who)
}

// setMode is SetMode with trial.mu held.
func (h *House) setMode(m policy.Mode, d time.Duration, who string) error {
	if d > 0 && m == policy.Protect {
		if h.Policy.Mode() == policy.Protect && h.trial.timer == nil {
			return nil // it is in force and confirmed
		}
		b, _ := json.Marshal(h.cfg.Now().Add(d))
		if err := (documents{h.Store}).Put(bucketState, keyTrial, b); err != nil {
			return err
		}
	}
	if _, err := h.Policy.SetMode(m, who); err != nil {
		return err
	}
	if h.trial.timer != nil {
		h.trial.timer.Stop()
		h.trial.timer, h.trial.until = nil, time.Time{}
	}
	if d > 0 && m == policy.Protect {
		h.trial.until = h.cfg.Now().Add(d)
		h.trial.round++
		round := h.trial.round
		h.trial.timer = time.AfterFunc(d, func() { h.endTrial(round) })
		return nil
	}
	return documents{h.Store}.Delete(bucketState, keyTrial)
}

// bucketState holds what the house has to remember of itself.
const bucketState = "house.state"

// endTrial ends the trial of that number, unless it was confirmed or replaced
// while its timer ran out.
func (h *House) endTrial(round uint64) {
	h.trial.mu.Lock()
	defer h.trial.mu.Unlock()
	if h.trial.timer == nil || h.trial.round != round {
		return
	}
	h.cfg.Log.Warn("the trial of protection was not confirmed: watching only")
	if err := h.setMode(policy.Watch, 0, "trial"); err != nil {
		h.cfg.Log.Error("the trial could not be ended", "error", err)
	}
}

// recoverTrial ends a trial that a restart interrupted.
func (h *House) recoverTrial() error {
	if _, under, err := (documents{h.Store}).Get(bucketState, keyTrial); err != nil || !under {
		return err
	}
	h.cfg.Log.Warn("a trial of protection was interrupted: watching only")
	return h.SetMode(policy.Watch, 0, "trial")
}

func (h *House) policyState() api.Policy {
	h.trial.mu.Lock()
	until := h.trial.until
	h.trial.mu.Unlock()
	return api.Policy{Mode: h.Policy.Mode().String(), Until: until, Inline: h.inline.Load(), Acts: h.actsNow()}
}

// SetActs says what is done about findings that are to be stopped: inline, after,
// reset or tell.
func (h *House) SetActs(word string) {
	if h.actsNow() != word {
		h.acts.Store(&word)
		p := h.policyState()
		h.Hub.Publish(api.EventPolicy, &p)
	}
}

func (h *House) actsNow() string {
	if s := h.acts.Load(); s != nil {
		return *s
	}
	return ""
}

// SetInline says whether packets pass through the inspection and can be
// stopped.
func (h *House) SetInline(on bool) {
	if h.inline.Swap(on) != on {
		p := h.policyState()
		h.Hub.Publish(api.EventPolicy, &p)
	}
}

// PublishStatus tells those who follow events how things are.
func (h *House) PublishStatus(d Daemon) {
	if st, err := h.Backend(d).State.Status(context.Background()); err == nil {
		h.Hub.Publish(api.EventStatus, &st)
	}
}
