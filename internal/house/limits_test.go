package house

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/evidence"
)

// TestFindingQueue: with a disk that takes nothing, findings beyond the queue
// are dropped and counted, and nobody waits.
func TestFindingQueue(t *testing.T) {
	h := &House{cfg: Config{HomeNet: device.DefaultHome()}, Hub: api.NewHub(), findings: make(chan found, findingQueue)}
	r := h.Recorder()
	ev := &event.Event{Time: 1, Type: event.Alert, HasAddr: true, Src: camIP, Dst: pool, Finding: &event.Finding{Category: event.Mining, Level: event.Likely, Severity: 9}}
	for range findingQueue + 7 {
		r.Event(ev)
	}
	if n := h.dropped.Load(); n != 7 || len(h.findings) != findingQueue {
		t.Errorf("%d dropped, %d wait", n, len(h.findings))
	}
	if s := h.counted.samples(); len(s) != 1 || s[0].Value != findingQueue+7 {
		t.Errorf("%+v", s)
	}
}

// TestCaptureLimits: captures and findings that wait for each other are
// bounded, and forgotten after a while.
func TestCaptureLimits(t *testing.T) {
	now := time.Unix(1e9, 0)
	h := &House{cfg: Config{Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}}
	h.settings.s.Evidence = true
	for i := range maxWaitingIDs + 5 {
		h.captures.known(h, captureKey{flow: uint64(i + 1)}, int64(i+1))
	}
	for i := range maxWaitingBlobs + 5 {
		h.captured(&evidence.Item{FlowID: uint64(1e6 + i), Data: []byte("x")})
	}
	if c := &h.captures; len(c.ids) != maxWaitingIDs || len(c.blobs) != maxWaitingBlobs {
		t.Errorf("%d findings and %d captures wait", len(c.ids), len(c.blobs))
	}
	now = now.Add(2 * captureWait)
	h.captures.known(h, captureKey{flow: 1e9}, 1)
	if c := &h.captures; len(c.ids) != 1 || len(c.blobs) != 0 {
		t.Errorf("later %d findings and %d captures wait", len(c.ids), len(c.blobs))
	}
}
