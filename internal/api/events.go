package api

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limits of live events.
const (
	ringEvents     = 512      // kept for those who come back
	ringBytes      = 1 << 20  // of all kept events
	maxEvent       = 16 << 10 // of one; a larger one is left out and counted
	maxSubscribers = 32
	subscriberRoom = 64 // events that wait for a slow reader; then it is cut off and comes back
)

// heartbeat keeps connections through NATs and finds dead ones; a session that
// ended is noticed at the latest now.
var heartbeat = 15 * time.Second

// Types of live events.
const (
	EventFinding = "finding" // data: Finding
	EventDevice  = "device"  // data: DeviceEvent
	EventStatus  = "status"  // data: Status
	EventPolicy  = "policy"  // data: Policy or Entry
)

// DeviceEvent is something that happened to a device.
type DeviceEvent struct {
	What   string `json:"what" enum:"new,returned,changed,gone,erased"`
	Device Device `json:"device"`
}

// live is one event as it is sent.
type live struct {
	seq  uint64
	typ  string
	text []byte // "id: …\nevent: …\ndata: …\n\n"
}

// Hub hands live events to those who listen. Publish never waits.
type Hub struct {
	epoch string // tells a ring of before a restart from this one

	mu      sync.Mutex
	seq     uint64
	ring    []live
	bytes   int
	subs    map[*subscriber]bool
	tooBig  uint64
	cutOff  uint64
	closing bool
}

type subscriber struct {
	ch  chan live
	cut chan struct{} // closed when the reader was too slow
}

// NewHub makes a hub without listeners.
func NewHub() *Hub {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return &Hub{epoch: hex.EncodeToString(b[:]), subs: map[*subscriber]bool{}}
}

// Publish sends data, a pointer to a shape, to all who listen. It does not
// keep data.
func (h *Hub) Publish(typ string, data any) {
	b, err := encode(data)
	if err != nil || len(b) > maxEvent {
		h.mu.Lock()
		h.tooBig++
		h.mu.Unlock()
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return
	}
	h.seq++
	e := live{seq: h.seq, typ: typ, text: fmt.Appendf(nil, "id: %s-%d\nevent: %s\ndata: %s\n\n", h.epoch, h.seq, typ, b[:len(b)-1])}
	h.ring, h.bytes = append(h.ring, e), h.bytes+len(e.text)
	drop := 0
	for len(h.ring)-drop > ringEvents || h.bytes > ringBytes {
		h.bytes -= len(h.ring[drop].text)
		drop++
	}
	if drop > 0 {
		n := copy(h.ring, h.ring[drop:])
		clear(h.ring[n:])
		h.ring = h.ring[:n]
	}
	for s := range h.subs {
		select {
		case s.ch <- e:
		default:
			h.cutOff++
			delete(h.subs, s)
			close(s.cut)
		}
	}
}

// Forget takes what names a device out of what is kept for those who come back.
func (h *Hub) Forget(id string) {
	word, err := json.Marshal(id)
	if err != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.ring {
		if e := &h.ring[i]; bytes.Contains(e.text, word) {
			h.bytes -= len(e.text)
			e.text = nil // its number stays, so that nobody misses it
		}
	}
}

// Close ends all streams, for a shutdown.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closing = true
	for s := range h.subs {
		delete(h.subs, s)
		close(s.cut)
	}
}

// Listening is the number of listeners.
func (h *Hub) Listening() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.subs)
}

// subscribe begins after the event named last. missed: events between are not
// kept any more, so that lists must be read again.
func (h *Hub) subscribe(last string) (s *subscriber, back []live, missed, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing || len(h.subs) >= maxSubscribers {
		return nil, nil, false, false
	}
	s = &subscriber{ch: make(chan live, subscriberRoom), cut: make(chan struct{})}
	h.subs[s] = true
	if last == "" {
		return s, nil, false, true
	}
	epoch, num, _ := strings.Cut(last, "-")
	n, err := strconv.ParseUint(num, 10, 64)
	if err != nil || epoch != h.epoch || n > h.seq {
		return s, nil, true, true
	}
	if first := h.seq - uint64(len(h.ring)); n < first {
		return s, nil, true, true
	}
	for _, e := range h.ring {
		if e.seq > n && e.text != nil {
			back = append(back, e)
		}
	}
	return s, back, false, true
}

func (h *Hub) leave(s *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subs, s)
}

// eventTypes are the values of the parameter type.
var eventTypes = []string{EventFinding, EventDevice, EventStatus, EventPolicy}

// serveEvents is GET /api/v1/events: server-sent events (HTML standard,
// section 9.2).
func serveEvents(c *call) error {
	only := c.str("type")
	last := c.r.Header.Get("Last-Event-ID")
	if last == "" {
		last = c.str("last_event_id")
	}
	sub, back, missed, ok := c.s.cfg.Events.subscribe(last)
	if !ok {
		return ErrBusy
	}
	defer c.s.cfg.Events.leave(sub)
	rc := http.NewResponseController(c.w)
	h := c.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	// A deadline for reading would end the request's context (net/http looks
	// for the end of the connection in the background).
	_ = rc.SetReadDeadline(time.Time{})
	write := func(b []byte) error {
		// Not every writer of a test has a deadline.
		_ = rc.SetWriteDeadline(time.Now().Add(2 * heartbeat))
		if _, err := c.w.Write(b); err != nil {
			return err
		}
		return rc.Flush()
	}
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method == http.MethodHead {
		return nil
	}
	hello := "retry: 3000\n: yamori\n\n"
	if missed {
		hello += "event: reset\ndata: {}\n\n"
	}
	if err := write([]byte(hello)); err != nil {
		return nil
	}
	send := func(e live) error {
		if only != "" && e.typ != only {
			return nil
		}
		return write(e.text)
	}
	for _, e := range back {
		if send(e) != nil {
			return nil
		}
	}
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case e := <-sub.ch:
			if send(e) != nil {
				return nil
			}
		case <-sub.cut:
			_ = write([]byte("event: bye\ndata: {}\n\n"))
			return nil
		case <-c.ctx().Done():
			return nil
		case <-tick.C:
			if who, err := c.s.identify(c.r); err != nil || who.Role < c.route.Need.role() {
				return nil
			}
			if write([]byte(": still here\n\n")) != nil {
				return nil
			}
		}
	}
}
