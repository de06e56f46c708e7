package app

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/enforce"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/policy"
)

// reactor carries out what a finding leads to beyond the packet that showed it:
// it cuts the flow in the kernel, whose packets may be past the inspection or
// may never have come to it, and keeps the device from the other end for a time
// (see blockers.go). In line the engine has dropped the packet in hand already;
// elsewhere this is how findings stop anything at all.
type reactor struct {
	w    *Watch
	home []netip.Prefix

	cuts   chan *reaction // to the kernel
	blocks chan *reaction // to the policy
	lost   atomic.Uint64  // reactions for which there was no room

	act    atomic.Pointer[string] // what is done about findings; see acts
	can    atomic.Bool            // there are rules to cut flows with
	failed atomic.Bool            // they could not be made, which was told

	abilities atomic.Pointer[enforce.Abilities] // nil: not looked at yet

	mu   sync.Mutex
	late *lately   // cuts without standing in line; nil: not
	last filter    // where flows were cut last
	kept []keptCut // for rules that are made anew

	seen   map[uint64]int64 // of the goroutine that cuts
	doomed doomed           // flows to reset on a mirror
	own    ownBlocks        // of the goroutine that blocks, but for wake
}

// keptCut is a flow that is cut, and until when.
type keptCut struct {
	enforce.Entry
	until time.Time
}

// Limits of reactions.
const (
	maxReactions = 256 // that wait
	// cutFor is how long a flow stays cut: both ends have given up by then, and
	// of one that speaks no TCP the connection keeps the mark.
	cutFor = 10 * time.Minute
	// cutBatch is how many are given to the kernel at a time.
	cutBatch = 64
	// cutPause bounds the transactions: the kernel waits for all processors at
	// each.
	cutPause = 20 * time.Millisecond
	// maxSeen bounds the flows that are remembered as cut, seenFor how long: a
	// rule may match each packet of a flow.
	maxSeen = 4096
	// maxKept bounds the flows that are cut in the kernel, which has no bound of
	// its own: beyond, those cut first are let go, whose ends were reset long ago.
	maxKept = 4096
	seenFor = int64(10 * time.Second)
)

// reaction is what is kept of a finding.
type reaction struct {
	flow     uint64
	cut      enforce.Entry // zero: there is no flow to cut
	device   event.DeviceRef
	remote   netip.Addr // the other end; zero: in the home, or not known
	port     uint16     // of the remote, where it is the server; else 0
	proto    uint8
	name     string // of the remote; empty: not known
	asked    bool   // the finding is about a question for the name
	category event.Category
	family   string
	code     string
	level    event.Level
	rule     bool
	time     int64
	proof    bool         // the remote is a server that the device went to itself; see proven
	answered bool         // and it gave what miners ask for
	asks     policy.Query // what the policy was asked about it
}

func newReactor(w *Watch) *reactor {
	r := &reactor{w: w, home: w.HomeNet, cuts: make(chan *reaction, maxReactions), blocks: make(chan *reaction, maxReactions), seen: map[uint64]int64{}, own: ownBlocks{wake: make(chan struct{}, 1)}}
	if len(r.home) == 0 {
		r.home = device.DefaultHome()
	}
	return r
}

func (r *reactor) inHome(a netip.Addr) bool {
	for _, p := range r.home {
		if p.Contains(a) {
			return true
		}
	}
	return a.IsLinkLocalUnicast() || a.IsMulticast()
}

// Event takes a worker's events before anybody else. It never waits. A finding
// that would be stopped if the engine stood in line, and is stopped here, says
// so from now on.
func (r *reactor) Event(ev *event.Event) {
	f := ev.Finding
	if f == nil || ev.Type != event.Alert || !ev.HasAddr {
		return
	}
	after := false
	switch {
	case f.Action == policy.Blocked:
		// In line. A rule has dropped what it wanted to, a packet or all.
		if f.Rule != nil || f.Code == "dns.blocked" {
			return
		}
	case f.Action == policy.WouldBlock && f.Why != policy.WhyWatch && f.Why != "":
		after = true
	default:
		return
	}
	x := r.reaction(ev)
	if !after {
		r.send(x)
		return
	}
	if x.flow == 0 || x.cut.Kind == "" {
		return
	}
	switch {
	case r.can.Load() && r.send(x), r.doomed.add(x, ev.Time):
		f.Action = policy.Blocked
	}
}

func (r *reactor) send(x *reaction) bool {
	select {
	case r.cuts <- x:
		return true
	default:
		r.lost.Add(1)
		return false
	}
}

// reaction keeps what is needed of an event.
func (r *reactor) reaction(ev *event.Event) *reaction {
	f := ev.Finding
	x := &reaction{flow: ev.FlowID, device: f.Device, proto: ev.Proto, category: f.Category, family: f.Family, code: f.Code, level: f.Level, rule: f.Rule != nil, time: ev.Time}
	from := netip.AddrPortFrom(ev.Src.Netip().Unmap(), ev.SrcPort)
	to := netip.AddrPortFrom(ev.Dst.Netip().Unmap(), ev.DstPort)
	if ev.FlowID != 0 && (ev.Proto == packet.ProtoTCP || ev.Proto == packet.ProtoUDP) && from.Addr().Is4() == to.Addr().Is4() {
		x.cut = enforce.Entry{Kind: enforce.Cut, Proto: ev.Proto, From: from, To: to, For: cutFor}
	}
	server := to
	if !f.FromClient {
		server = from
	}
	switch src, dst := r.inHome(from.Addr()), r.inHome(to.Addr()); {
	case src && !dst:
		x.remote = to.Addr()
	case dst && !src: // somebody outside, against a device of the home
		x.remote = from.Addr()
		x.device = r.w.house.Devices.Ref(packet.MAC{}, ev.Dst)
	default:
		return x
	}
	if x.remote == server.Addr() {
		x.port = server.Port()
		x.name, x.asked = nameOf(ev)
	}
	x.proof, x.answered = f.FromClient && x.remote == server.Addr() && proven(ev), answers(f)
	x.asks = policy.Query{Category: f.Category, Family: f.Family, Level: f.Level, Severity: f.Severity, Confidence: f.Confidence, Device: x.device,
		Remote: packet.AddrOf(x.remote), RemotePort: x.port, Host: x.name, HostClaimed: true, Proto: ev.Proto, GID: event.SignatureGID, SID: f.SignatureID}
	if src := from.Addr(); r.inHome(src) {
		x.asks.Local = ev.Src
		x.asks.MAC = ev.SrcMAC
	}
	if m := f.Mining; m != nil {
		x.asks.Wallet, x.asks.Pool = m.Wallet, m.Pool
	}
	return x
}

// run works until ctx ends.
func (r *reactor) run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { r.keepBlocks(ctx) })
	wg.Go(func() { r.keepProbe(ctx) })
	defer wg.Wait()
	batch := make([]*reaction, 0, cutBatch)
	for {
		batch = batch[:0]
		select {
		case <-ctx.Done():
			return
		case x := <-r.cuts:
			batch = append(batch, x)
		}
	more:
		for len(batch) < cutBatch {
			select {
			case x := <-r.cuts:
				batch = append(batch, x)
			default:
				break more
			}
		}
		r.cutNow(batch)
		for _, x := range batch {
			select {
			case r.blocks <- x:
			default:
				r.lost.Add(1)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(cutPause):
		}
	}
}

// cutNow cuts flows in the kernel, each once.
func (r *reactor) cutNow(batch []*reaction) {
	var put []enforce.Entry
	for _, x := range batch {
		if x.cut.Kind == "" {
			continue
		}
		if at, ok := r.seen[x.flow]; ok && x.time-at < seenFor && x.time >= at {
			continue
		}
		if len(r.seen) >= maxSeen {
			clear(r.seen)
		}
		r.seen[x.flow] = x.time
		put = append(put, x.cut)
	}
	if len(put) == 0 {
		return
	}
	now := time.Now()
	until := now.Add(cutFor)
	var old []enforce.Entry
	r.mu.Lock()
	n := max(0, len(r.kept)+len(put)-maxKept)
	for _, k := range r.kept[:n] {
		if now.Before(k.until) {
			old = append(old, k.Entry)
		}
	}
	for n < len(r.kept) && !now.Before(r.kept[n].until) {
		n++ // its time is over
	}
	r.kept = append(r.kept[:0], r.kept[n:]...)
	for _, e := range put {
		r.kept = append(r.kept, keptCut{e, until})
	}
	r.mu.Unlock()
	if t := r.filter(); t != nil {
		if len(old) > 0 {
			if err := t.Delete(old...); err != nil {
				r.w.Log.Error("flows that were cut could not be let go", "flows", len(old), "error", err)
			}
		}
		r.put(t, put)
	}
}

func (r *reactor) put(t filter, list []enforce.Entry) {
	if err := t.Put(list...); err != nil {
		r.w.Log.Error("flows could not be cut", "flows", len(list), "error", err)
	}
}

// renew cuts again what was cut, in rules that are new.
func (r *reactor) renew() {
	t := r.filter()
	r.mu.Lock()
	same := t == r.last
	r.last = t
	var list []enforce.Entry
	if now := time.Now(); !same && t != nil {
		for _, k := range r.kept {
			if left := k.until.Sub(now); left > time.Second {
				k.For = left
				list = append(list, k.Entry)
			}
		}
	}
	r.mu.Unlock()
	if len(list) > 0 {
		r.put(t, list)
	}
}

// filter is where flows are cut now; nil: nowhere.
func (r *reactor) filter() filter {
	if t := r.w.keeper.filter(); t != nil {
		return t
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.late == nil {
		return nil
	}
	return r.late.table
}
