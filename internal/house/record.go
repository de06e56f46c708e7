package house

import (
	"context"
	"sync"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/evidence"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/store"
)

// found is a finding on its way to the disk.
type found struct {
	f    store.Finding
	key  captureKey
	want bool          // a capture of it may follow
	done chan struct{} // closed once all before it is written; then it is no finding
}

// Recorder takes the events of one worker. It never waits: what finds no room
// is counted and shown.
type Recorder struct {
	h   *House
	eve event.EVE
}

// Recorder makes one for a worker.
func (h *House) Recorder() *Recorder { return &Recorder{h: h} }

// Event keeps findings; other events pass.
func (r *Recorder) Event(ev *event.Event) {
	if ev.Type != event.Alert || ev.Finding == nil {
		return
	}
	r.h.counted.finding(ev.Finding)
	x := found{f: store.FindingOf(&r.eve, ev, r.h.where(ev)), key: keyOf(ev.FlowID, ev.Time), want: r.h.Evidence.On() && evidence.Worthy(ev.Finding)}
	select {
	case r.h.findings <- x:
	default:
		r.h.dropped.Add(1)
	}
}

// where says which end of a finding is the home's.
func (h *House) where(ev *event.Event) (w store.Where) {
	if !ev.HasAddr {
		return w
	}
	src, dst := h.home(ev.Src), h.home(ev.Dst)
	remote := ev.Dst
	switch {
	case src && dst:
		w.Direction = store.Local
	case src:
		w.Direction = store.Outbound
	case dst:
		w.Direction, remote = store.Inbound, ev.Src
		w.Device = h.Devices.Ref(ev.DstMAC, ev.Dst)
	}
	w.Remote = remote.Netip()
	if w.Direction != store.Local {
		w.Country = h.cfg.Geo.Country(w.Remote)
		w.ASN, _ = h.cfg.Networks.ASN(w.Remote)
	}
	return w
}

func (h *House) home(a packet.Addr) bool {
	ip := a.Netip()
	for _, p := range h.cfg.HomeNet {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// keepFindings writes findings and tells those who listen. What waits when the
// house closes is written too.
func (h *House) keepFindings(context.Context) {
	batch := make([]found, 0, 64)
	list := make([]store.Finding, 0, 64)
	var told []chan struct{}
	for x := range h.findings {
		batch, told = batch[:0], told[:0]
		take := func(x found) {
			if x.done != nil {
				told = append(told, x.done)
			} else {
				batch = append(batch, x)
			}
		}
		take(x)
	more:
		for len(batch)+len(told) < cap(batch) {
			select {
			case y, ok := <-h.findings:
				if !ok {
					break more
				}
				take(y)
			default:
				break more
			}
		}
		list = list[:0]
		for i := range batch {
			list = append(list, batch[i].f)
		}
		h.counting.Lock()
		ctx, cancel := short()
		done, err := h.Store.AddFindings(ctx, list)
		cancel()
		if err != nil {
			h.cfg.Log.Error("findings could not be kept", "findings", len(list)-len(done), "error", err)
			h.dropped.Add(uint64(len(list) - len(done)))
		}
		for i, d := range done {
			f := &batch[i].f
			f.ID = d.ID
			if batch[i].want {
				h.captures.known(h, batch[i].key, d.ID)
			}
			if !d.Repeat {
				h.open.Add(1)
			}
			h.publish(f.ID, f)
		}
		h.counting.Unlock()
		for _, c := range told {
			close(c)
		}
	}
}

// written waits until the findings that wait now are on the disk.
func (h *House) written(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	x := found{done: make(chan struct{})}
	select {
	case h.findings <- x:
	case <-ctx.Done():
		return
	}
	select {
	case <-x.done:
	case <-ctx.Done():
	}
}

// publish tells those who listen of a finding, and those who come back for what
// they missed.
func (h *House) publish(id int64, f *store.Finding) {
	x := h.finding(f, true)
	x.ID, x.EVE = formatID(id), nil
	h.Hub.Publish(api.EventFinding, &x)
}

// captureKey says which finding a capture belongs to: they come by different
// ways, and either may come first.
type captureKey struct {
	flow uint64
	time int64 // of findings without a flow
}

func keyOf(flow uint64, t int64) captureKey {
	if flow != 0 {
		return captureKey{flow: flow}
	}
	return captureKey{time: t}
}

// captures brings findings and captures together. What has no partner is
// forgotten after a while.
type captures struct {
	mu      sync.Mutex
	ids     map[captureKey]waiting
	blobs   map[captureKey]waiting
	cleaned time.Time
}

type waiting struct {
	id   int64
	data []byte
	at   time.Time
}

// Limits of what waits for its partner: captures of 64 kB at most.
const (
	maxWaitingIDs   = 4096
	maxWaitingBlobs = 32
	captureWait     = 2 * time.Minute
)

// known says which number the finding has got.
func (c *captures) known(h *House, k captureKey, id int64) {
	now := h.cfg.Now()
	c.mu.Lock()
	if c.ids == nil {
		c.ids, c.blobs = map[captureKey]waiting{}, map[captureKey]waiting{}
	}
	c.clean(now)
	b, ok := c.blobs[k]
	if delete(c.blobs, k); !ok && len(c.ids) < maxWaitingIDs {
		c.ids[k] = waiting{id: id, at: now}
	}
	c.mu.Unlock()
	if ok {
		h.keepCapture(id, b.data)
	}
}

// captured takes a capture from the collector.
func (h *House) captured(it *evidence.Item) {
	if !h.settings.get().Evidence {
		return // switched off meanwhile
	}
	k, now, c := keyOf(it.FlowID, it.Time), h.cfg.Now(), &h.captures
	c.mu.Lock()
	if c.ids == nil {
		c.ids, c.blobs = map[captureKey]waiting{}, map[captureKey]waiting{}
	}
	c.clean(now)
	w, ok := c.ids[k]
	if delete(c.ids, k); !ok && len(c.blobs) < maxWaitingBlobs {
		c.blobs[k] = waiting{data: it.Data, at: now}
	}
	c.mu.Unlock()
	if ok {
		h.keepCapture(w.id, it.Data)
	}
}

func (c *captures) clean(now time.Time) {
	if now.Sub(c.cleaned) < captureWait/4 {
		return
	}
	c.cleaned = now
	for _, m := range [...]map[captureKey]waiting{c.ids, c.blobs} {
		for k, w := range m {
			if now.Sub(w.at) > captureWait {
				delete(m, k)
			}
		}
	}
}

func (h *House) keepCapture(id int64, data []byte) {
	ctx, cancel := short()
	defer cancel()
	if err := h.Store.PutEvidence(ctx, id, data); err != nil {
		h.cfg.Log.Warn("the capture of a finding could not be kept", "finding", id, "error", err)
	}
}

// counters are what /metrics shows of findings.
type counters struct {
	mu sync.Mutex
	n  map[[3]string]uint64 // category, severity, action
}

// finding counts one. Categories, severities and actions are closed sets, so
// the map is small.
func (c *counters) finding(f *event.Finding) {
	action := f.Action
	if action == "" {
		action = "allowed"
	}
	sev := [...]string{"unknown", "high", "medium", "low"}[min(int(f.Severity), 3)]
	c.mu.Lock()
	if c.n == nil {
		c.n = map[[3]string]uint64{}
	}
	c.n[[3]string{string(f.Category), sev, action}]++
	c.mu.Unlock()
}

func (c *counters) samples() (out []api.Sample) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, n := range c.n {
		out = append(out, api.Sample{Name: "yamori_alerts_total", Labels: []string{k[0], k[1], k[2]}, Value: float64(n)})
	}
	return out
}
