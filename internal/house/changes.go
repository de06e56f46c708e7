package house

import (
	"encoding/json"
	"sync"
	"sync/atomic"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/policy"
	"github.com/yamori-net/yamori/internal/store"
)

// Types of the store's events about the policy; the timeline's kinds.
const (
	eventBlock  = "block" // a block, a quarantine, a pause
	eventPolicy = "policy"
)

// changes brings what was changed of the policy, by whom or what ever, into the
// timeline.
type changes struct {
	mu   sync.Mutex
	seen uint64 // the latest change that was noted

	waiting atomic.Bool // some may not be on the disk yet
}

// policyEvent is the body of an event about one.
type policyEvent struct {
	c    policy.Change
	mode string
}

// EncodeEVE appends "policy":{…}.
func (p *policyEvent) EncodeEVE(e *event.Encoder) {
	e.Obj("policy")
	e.Str("change", p.c.What)
	e.OptStr("entry", p.c.Entry)
	e.OptStr("kind", string(p.c.Kind))
	e.OptStr("author", p.c.Author)
	e.OptStr("mode", p.mode)
	e.EndObj()
}

// note adds what has been changed since it was called last.
func (x *changes) note(h *House) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range h.Policy.Changes() {
		if c.Seq <= x.seen {
			continue
		}
		x.seen = c.Seq
		p := &policyEvent{c: c}
		if c.Entry == "" {
			p.mode = h.Policy.Mode().String()
		}
		typ := event.Type(eventPolicy)
		switch c.Kind {
		case policy.BlockEntry, policy.Quarantine, policy.Pause:
			typ = eventBlock
		}
		h.Store.AddEvent(&event.EVE{}, &event.Event{Time: c.At.UnixNano(), Type: typ, Body: p}, c.Device)
		x.waiting.Store(true)
	}
}

// changed fills m with an event about the policy.
func changed(m *api.Moment, e *store.EventRecord) {
	var l struct {
		Policy struct {
			Change string `json:"change"`
			Entry  string `json:"entry"`
			Kind   string `json:"kind"`
			Author string `json:"author"`
			Mode   string `json:"mode"`
		} `json:"policy"`
	}
	if json.Unmarshal(e.EVE, &l) != nil { // the store wrote it
		return
	}
	p := &l.Policy
	m.Kind, m.Code = e.Type, "policy."+p.Change
	for _, a := range [...]api.Pair{{Name: "kind", Value: p.Kind}, {Name: "entry", Value: p.Entry}, {Name: "author", Value: p.Author}, {Name: "mode", Value: p.Mode}} {
		if a.Value != "" {
			m.Args = append(m.Args, a)
		}
	}
}
