package event

import (
	"io"
	"sync"
	"sync/atomic"
)

// Writer is a sink that writes EVE lines as they come, for a replay: it waits
// for a slow reader. Not safe for concurrent use.
type Writer struct {
	W   io.Writer
	eve EVE
	buf []byte
	err error
}

// writeSize is how many bytes of lines are gathered before they are written.
const writeSize = 64 << 10

// Event appends ev's line.
func (w *Writer) Event(ev *Event) {
	w.buf = w.eve.Append(w.buf, ev)
	if len(w.buf) >= writeSize {
		_ = w.Flush()
	}
}

// Flush writes what was gathered. It returns the first error of any write;
// after one, nothing more is written.
func (w *Writer) Flush() error {
	if w.err == nil && len(w.buf) > 0 {
		_, w.err = w.W.Write(w.buf)
	}
	w.buf = w.buf[:0]
	return w.err
}

// Queue stands between a worker and a slow receiver of EVE lines: a bounded
// number of chunks, written by a goroutine of its own. When the queue is full
// the chunk is dropped and counted; the worker never waits. Each worker has
// its own front (see Front).
type Queue struct {
	ch      chan []byte
	free    chan []byte
	wg      sync.WaitGroup
	dropped atomic.Uint64
	errs    atomic.Uint64
}

// queueChunks times writeSize bounds what waits for a slow disk: 4 MiB.
const queueChunks = 64

// NewQueue starts the goroutine that writes to w.
func NewQueue(w io.Writer) *Queue {
	q := &Queue{ch: make(chan []byte, queueChunks), free: make(chan []byte, queueChunks)}
	q.wg.Add(1)
	go func() {
		defer q.wg.Done()
		for b := range q.ch {
			if _, err := w.Write(b); err != nil {
				q.errs.Add(1)
			}
			select {
			case q.free <- b[:0]:
			default:
			}
		}
	}()
	return q
}

// Dropped returns how many events were dropped because the queue was full.
func (q *Queue) Dropped() uint64 { return q.dropped.Load() }

// Errors returns how many writes failed.
func (q *Queue) Errors() uint64 { return q.errs.Load() }

// Close writes what is queued and stops. The fronts must have been flushed.
func (q *Queue) Close() {
	close(q.ch)
	q.wg.Wait()
}

// Front is one worker's sink into a Queue. Not safe for concurrent use.
type Front struct {
	q   *Queue
	eve EVE
	buf []byte
	n   uint64
}

// NewFront returns a sink into q.
func (q *Queue) NewFront() *Front { return &Front{q: q} }

// Event encodes ev; a full chunk is handed over.
func (f *Front) Event(ev *Event) {
	f.buf = f.eve.Append(f.buf, ev)
	f.n++
	if len(f.buf) >= writeSize {
		f.Flush()
	}
}

// Flush hands over what was gathered; called at each tick, so that a quiet
// home's events do not wait for a chunk to fill.
func (f *Front) Flush() {
	if len(f.buf) == 0 {
		return
	}
	select {
	case f.q.ch <- f.buf:
	default:
		f.q.dropped.Add(f.n)
		f.buf, f.n = f.buf[:0], 0
		return
	}
	f.n = 0
	select {
	case f.buf = <-f.q.free:
	default:
		f.buf = nil
	}
}

// Tee is a sink that gives each event to several.
type Tee []Sink

// Event gives ev to all.
func (t Tee) Event(ev *Event) {
	for _, s := range t {
		s.Event(ev)
	}
}
