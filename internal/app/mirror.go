package app

import (
	"sync"
	"sync/atomic"

	"github.com/yamori-net/yamori/internal/capture"
	"github.com/yamori-net/yamori/internal/inject"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// doomed are the connections seen on a mirror port that are reset, segment by
// segment, until they are quiet: a race that is sometimes lost.
type doomed struct {
	on atomic.Bool
	n  atomic.Int32

	mu      sync.RWMutex
	flows   map[doomKey]*doom
	mirrors []*inject.Mirror // one for each worker
	failed  bool
}

// doomKey names the two ends of a connection, the lower one first.
type doomKey struct {
	a, b         packet.Addr
	aPort, bPort uint16
}

type doom struct {
	until int64
	left  atomic.Int32
}

// Limits of resets. inject.MirrorRate bounds them over all connections.
const (
	maxDoomed  = 1024
	doomTime   = int64(60e9) // how long after the finding, in packet time
	doomResets = 64          // for each connection
)

func doomKeyOf(a, b packet.Addr, aPort, bPort uint16) doomKey {
	for i := range a {
		if a[i] != b[i] {
			if a[i] < b[i] {
				return doomKey{a, b, aPort, bPort}
			}
			return doomKey{b, a, bPort, aPort}
		}
	}
	return doomKey{a, b, min(aPort, bPort), max(aPort, bPort)}
}

// open opens what resets go out by, or closes it.
func (d *doomed) open(w *Watch, want bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !want {
		d.failed = false
	}
	if want == d.on.Load() {
		return
	}
	if !want {
		d.on.Store(false)
		d.n.Store(0)
		for _, m := range d.mirrors {
			m.Close()
		}
		d.mirrors, d.flows = nil, nil
		return
	}
	for range w.sources {
		m, err := inject.OpenMirror(w.Config.Inline.Resets, w.rights().OpenPacket)
		if err != nil {
			if !d.failed {
				w.Log.Error("connections cannot be reset; watching goes on", "error", err)
			}
			d.failed = true
			for _, m := range d.mirrors {
				m.Close()
			}
			d.mirrors = nil
			return
		}
		d.mirrors = append(d.mirrors, m)
	}
	d.failed, d.flows = false, map[doomKey]*doom{}
	d.on.Store(true)
	w.Log.Info("connections in which something is found are reset", "out", w.Config.Inline.Resets)
}

// add dooms the flow of a reaction; it reports whether it can be reset.
func (d *doomed) add(x *reaction, now int64) bool {
	if !d.on.Load() || x.proto != packet.ProtoTCP {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.flows == nil {
		return false
	}
	if len(d.flows) >= maxDoomed {
		for k, f := range d.flows {
			if now > f.until || f.left.Load() <= 0 {
				delete(d.flows, k)
			}
		}
		if len(d.flows) >= maxDoomed {
			return false
		}
	}
	f := &doom{until: now + doomTime}
	f.left.Store(doomResets)
	d.flows[doomKeyOf(packet.AddrOf(x.cut.From.Addr()), packet.AddrOf(x.cut.To.Addr()), x.cut.From.Port(), x.cut.To.Port())] = f
	d.n.Store(int32(len(d.flows)))
	return true
}

// around wraps what worker n makes of frames.
func (d *doomed) around(n int, handle capture.Handler) capture.Handler {
	var dec packet.Decoder
	var p packet.Packet
	return func(f *packet.Frame) verdict.Verdict {
		v := handle(f)
		if f == nil || d.n.Load() == 0 {
			return v
		}
		if dec.Decode(&p, f); p.Proto != packet.ProtoTCP || p.Fragment {
			return v
		}
		d.mu.RLock()
		if x := d.flows[doomKeyOf(p.Src, p.Dst, p.SrcPort, p.DstPort)]; x != nil && f.Time <= x.until && x.left.Add(-1) >= 0 {
			d.mirrors[n].Reset(f, &p)
		}
		d.mu.RUnlock()
		return v
	}
}

// sent counts the frames that went out, and the connections held back.
func (d *doomed) sent() (frames, limited uint64) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, m := range d.mirrors {
		frames += m.Sent.Load()
		limited += m.Limited.Load()
	}
	return frames, limited
}
