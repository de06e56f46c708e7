package engine

import (
	"sync"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// Dispatcher spreads one source's frames over the engine's workers, for
// replays: batches are copied, worked on side by side while the next one is
// read, and joined before the one after. All packets between two addresses
// (the outermost ones, so that fragments and tunnels stay whole) meet the same
// worker.
type Dispatcher struct {
	e     *Engine
	dec   packet.Decoder
	pkt   packet.Packet
	batch [2]batch
	cur   int
	num   uint64
	wg    sync.WaitGroup
	// AfterBatch is called when a batch is done and before the next begins, on
	// the goroutine of Handle.
	AfterBatch func()
}

const (
	batchFrames = 4096
	batchBytes  = 4 << 20
)

type batch struct {
	data   []byte
	frames []packet.Frame
	first  uint64  // number of the first frame
	byWork [][]int // indexes into frames
}

// NewDispatcher returns a dispatcher to e's workers. Nobody else may call the
// workers' Handle.
func NewDispatcher(e *Engine) *Dispatcher {
	d := &Dispatcher{e: e}
	for i := range d.batch {
		d.batch[i].data = make([]byte, 0, batchBytes)
		d.batch[i].byWork = make([][]int, len(e.Workers))
	}
	return d
}

// Handle is a capture.Handler.
func (d *Dispatcher) Handle(f *packet.Frame) verdict.Verdict {
	if f == nil {
		return verdict.Verdict{}
	}
	b := &d.batch[d.cur]
	if len(b.frames) > 0 && (len(b.frames) == batchFrames || len(b.data)+len(f.Data) > cap(b.data)) {
		d.send()
		b = &d.batch[d.cur]
	}
	d.num++
	if len(b.frames) == 0 {
		b.first = d.num
	}
	g := *f
	if n := len(b.data); n+len(f.Data) <= cap(b.data) {
		b.data = append(b.data, f.Data...)
		g.Data = b.data[n:len(b.data):len(b.data)]
	} else { // larger than a whole batch
		g.Data = append([]byte(nil), f.Data...)
	}
	w := d.worker(&g)
	b.byWork[w] = append(b.byWork[w], len(b.frames))
	b.frames = append(b.frames, g)
	return verdict.Verdict{}
}

func (d *Dispatcher) worker(f *packet.Frame) int {
	if len(d.e.Workers) == 1 {
		return 0
	}
	p := &d.pkt
	d.dec.Decode(p, f)
	a, b := p.Src, p.Dst
	if p.Depth > 0 {
		a, b = p.OuterSrc, p.OuterDst
	}
	for i := range a {
		if a[i] != b[i] {
			if a[i] > b[i] {
				a, b = b, a
			}
			break
		}
	}
	k := packet.Key{Lo: a, Hi: b}
	return int(k.Hash(0) % uint64(len(d.e.Workers)))
}

// send waits for the batch under way, hands the current one to the workers and
// makes the other one current.
func (d *Dispatcher) send() {
	d.join()
	b := &d.batch[d.cur]
	for i, w := range d.e.Workers {
		if len(b.byWork[i]) == 0 {
			continue
		}
		d.wg.Add(1)
		go func() {
			defer d.wg.Done()
			for _, k := range b.byWork[i] {
				w.HandleNumbered(&b.frames[k], b.first+uint64(k))
			}
		}()
	}
	d.cur ^= 1
	n := &d.batch[d.cur]
	n.data, n.frames = n.data[:0], n.frames[:0]
	for i := range n.byWork {
		n.byWork[i] = n.byWork[i][:0]
	}
}

// join waits for the batch under way.
func (d *Dispatcher) join() {
	d.wg.Wait()
	if d.AfterBatch != nil {
		d.AfterBatch()
	}
}

// Finish handles what is left, then ends all flows.
func (d *Dispatcher) Finish() {
	d.send()
	d.join()
	d.e.Close()
	if d.AfterBatch != nil {
		d.AfterBatch()
	}
}
