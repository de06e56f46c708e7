package match

import (
	"slices"

	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/inflate"
	"github.com/yamori-net/yamori/internal/match/inspect"
	"github.com/yamori-net/yamori/internal/match/inspect/pcre"
	"github.com/yamori-net/yamori/internal/match/mpm"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/rules"
	"github.com/yamori-net/yamori/internal/verdict"
)

// Limits of what one packet or flow may cause.
const (
	// MaxAlerts bounds the alerts of one packet, Suricata's packet-alert-max;
	// those beyond are counted.
	MaxAlerts = 15
	// StreamDepth is how much of a direction of a stream is inspected,
	// Suricata's stream.reassembly.depth.
	StreamDepth = 1 << 20
	// chunk is how many new bytes of a stream are inspected together, Suricata's
	// toserver-chunk-size and toclient-chunk-size.
	chunk = 2560
	// overlap is how much of what was inspected is looked at again with what
	// follows, so that a match may lie across.
	overlap = 1024
	// inlineOverlap is the same where each segment is judged before it leaves.
	inlineOverlap = chunk
	// window is what is kept of a direction of a stream: overlap, a piece and
	// the rest of the packet that completes it; in line inlineOverlap and a piece.
	window = 2 * chunk
	// MaxWindows bounds the directions of streams of which the end is kept, 10
	// MiB in all; those beyond are inspected segment by segment.
	MaxWindows = 2048
	// maxFree bounds the idle states of flows that a worker keeps.
	maxFree = 8192
)

// Alert is a rule that matched. It is valid during the call that delivers it.
type Alert struct {
	Rule     *Meta
	Action   rules.Action // as changed by rate_filter
	Blocked  bool         // the packet is dropped
	Judged   uint32       // belongs to Config.Decide, zero before
	Src, Dst packet.Addr
	SrcPort  uint16
	DstPort  uint16
	Dir      packet.Dir
	Flow     *flow.Flow     // nil: outside of flows
	Packet   *packet.Packet // nil: at the end of the flow
	TxID     uint64
	HasTx    bool
	Time     int64
	InStream bool           // found in the stream or a transaction of TCP, not in the packet alone
	Verdict  verdict.Action // on the packet, as far as rules have spoken

	// Body is what Config.Encode made of the transaction.
	Body []byte

	// Context holds the members of what the rule took out of the traffic to
	// be told, Vars those of the variables of packet and flow, Traffic those of
	// what rules said of its traffic: JSON.
	Context, Vars, Traffic []byte

	body    span
	context span
	vars    span
	traffic span
	order   uint32
	file    uint32 // number of the file it was found in
	stream  bool   // found in the stream, not in the packet
	flowID  uint64
}

// Config is how a Worker inspects.
type Config struct {
	// OnAlert is told of each alert, in the order of the rules.
	OnAlert func(*Alert)
	// Decide has the last word on what a rule that matched wants done; below
	// Drop the packet passes and the match is only told. nil: as the rule says.
	Decide func(a *Alert, v verdict.Verdict) verdict.Verdict
	// Encode appends what an alert is to tell of a transaction; nil: nothing.
	Encode func(dst []byte, tx proto.Tx) []byte
	// EncodeFile does the same for a file, behind its transaction; nil: nothing.
	EncodeFile func(dst []byte, f File) []byte
	// Midstream lets rules inspect streams whose start was not seen.
	Midstream bool
	// PassMidstream lets such streams pass without looking at them.
	PassMidstream bool
	// Inline judges every segment of a stream before the packet leaves, together
	// with what passed before it, so that the verdict of the one that completes
	// a match stops it.
	Inline bool
	// MaxAlerts is how many alerts of one packet are told; 0: MaxAlerts.
	MaxAlerts int
	// Payload keeps the end of each stream for the alerts on it; see Payload.
	Payload bool
}

// Worker inspects with a Set. It belongs to one goroutine.
type Worker struct {
	set *Set
	cfg Config

	c        ctx
	ins      inspect.Ctx
	scr      mpm.Scratch
	machine  pcre.Machine
	scratch  [2][]byte
	text     []byte
	z        *inflate.Stream // of gunzip and zlib_deflate, made when first needed
	windows  [][]byte        // free ones
	lent     int             // windows in use
	showing  int             // directions of which the end is kept for alerts
	bodies   []byte          // what Encode made for the alerts of this packet
	notes    []note          // of the rule being tried
	noteText []byte
	file     file
	files    uint32 // seen begin
	list     []uint32
	hits     []uint32
	free     []*Flow
	alerts   []Alert
	pending  bool   // the packet's own rules have not been tried yet
	active   bool   // between Begin and End
	before   uint64 // protocols known before the packet
	passed   bool   // a pass rule matched the packet
	inStream bool   // what is found is found in the stream
	verdict  verdict.Verdict
	dropped  *Meta // the rule that the verdict is of
	byRate   bool  // rate_filter made it drop
	tx       txAlert
	nameList [2][]string // see nameOf
	nameGen  uint32
	odd      [packet.NumEvents]uint64 // found by the decoder
	untold   uint64                   // alerts beyond MaxAlerts
	guess    txAlert                  // being handed over, while the packet and the stream are looked at

	change *Change // that brought the set; nil for the first
	since  int64   // when, packet time
}

type txAlert struct {
	id uint64
	on bool
	tx proto.Tx
}

// span is a piece of Worker.bodies.
type span struct{ lo, hi int }

// encode keeps what alerts are to tell of a transaction, which may be gone
// when they are told.
func (w *Worker) encode(id uint64, tx proto.Tx) {
	if w.cfg.Encode == nil || tx == nil {
		return
	}
	var s span
	for i := range w.alerts {
		a := &w.alerts[i]
		if !a.HasTx || a.TxID != id || a.body.hi > 0 {
			continue
		}
		if s.hi == 0 {
			s.lo = len(w.bodies)
			w.bodies = w.cfg.Encode(w.bodies, tx)
			if w.file.f != nil && w.cfg.EncodeFile != nil {
				w.bodies = w.cfg.EncodeFile(w.bodies, w.file.f)
			}
			s.hi = len(w.bodies)
		}
		a.body = s
	}
}

// ctx is what conditions look at: the packet, its flow and direction.
type ctx struct {
	w     *Worker
	p     *packet.Packet // nil at the end of a flow
	f     *flow.Flow     // nil outside of flows
	fs    *Flow          // nil until something is kept
	d     packet.Dir
	app   uint64 // protocols of the flow, as bits
	src   packet.Addr
	dst   packet.Addr
	sp    uint16
	dp    uint16
	proto uint8
	v     uint8 // IP version bit
	now   int64
	odd   odd // of the packet
}

// NewWorker returns a worker that inspects with s.
func NewWorker(s *Set, cfg Config) *Worker {
	w := &Worker{set: s, cfg: cfg}
	if w.cfg.MaxAlerts <= 0 {
		w.cfg.MaxAlerts = MaxAlerts
	}
	w.c.w = w
	w.ins.User = &w.c
	w.machine.Reset(0)
	return w
}

// flowState returns the flow's state, made when there is none.
func (c *ctx) flowState() *Flow {
	if c.fs == nil && c.f != nil {
		c.fs = c.w.newFlow()
		c.w.late(c.fs, c.f.Start)
		c.f.Rules = c.fs
	}
	return c.fs
}

func (w *Worker) newFlow() *Flow {
	if n := len(w.free); n > 0 {
		f := w.free[n-1]
		w.free = w.free[:n-1]
		f.gen = w.set.gen
		return f
	}
	f := &Flow{}
	f.reset(w.set.gen)
	return f
}

// state returns the state of a flow, nil when there is none.
func state(f *flow.Flow) *Flow {
	fs, _ := f.Rules.(*Flow)
	return fs
}

// current is state, brought over from an earlier set where needed.
func (w *Worker) current(f *flow.Flow) *Flow {
	fs := state(f)
	if fs != nil && fs.gen != w.set.gen {
		w.adopt(fs)
	}
	return fs
}

// App tells which protocol a flow speaks, by its number in Options.Protocols.
func (w *Worker) appOf(f *flow.Flow) uint64 {
	if f == nil || f.AppIndex == 0 || w.headless(f) {
		return 0
	}
	return 1 << (f.AppIndex - 1)
}

// headless reports a stream whose beginning was not seen, which rules look at
// packet by packet unless the configuration says otherwise.
func (w *Worker) headless(f *flow.Flow) bool {
	return f != nil && !w.cfg.Midstream && w.startless(f)
}

// startless reports a stream without the client's SYN, even when the server's
// answer to it was there.
func (w *Worker) startless(f *flow.Flow) bool {
	return f.Key.Proto == packet.ProtoTCP && (f.Midstream || f.Side[packet.ToServer].TCPFlags&packet.SYN == 0)
}

// Unread reports that a flow passes unread because its start was not seen.
// Their transactions are no events.
func (w *Worker) Unread(f *flow.Flow) bool { return !w.cfg.Midstream && w.passes(f) }

func (w *Worker) passes(f *flow.Flow) bool { return w.cfg.PassMidstream && w.startless(f) }

// Begin starts a packet. f is nil for a packet outside of flows.
func (w *Worker) Begin(p *packet.Packet, f *flow.Flow, d packet.Dir) {
	c := &w.c
	c.p, c.f, c.d, c.fs, c.app = p, f, d, nil, 0
	c.now = p.Time
	c.proto = p.Proto
	c.src, c.dst, c.sp, c.dp = p.Src, p.Dst, p.SrcPort, p.DstPort
	if p.Proto == packet.ProtoICMP || p.Proto == packet.ProtoICMPv6 {
		c.sp, c.dp = 0, 0
	}
	c.v = onV4
	if p.Version == 6 {
		c.v = onV6
	}
	if f != nil {
		c.fs = w.current(f)
		if w.passes(f) {
			c.flowState().pass = true
			f.Action = "pass"
		}
		c.app = w.appOf(f)
		if len(w.set.pdOnly) > 0 && len(p.Payload) > 0 && !w.headless(f) {
			c.flowState().spoke[d] = true
		}
	}
	w.before = c.app
	if w.before != 0 && c.proto == packet.ProtoTCP && handshake(f) && len(p.Payload) == 0 {
		w.before = 0 // what data in the SYN shows counts after the handshake, as in Suricata
	}
	w.pending, w.active, w.passed = true, true, false
	w.verdict, w.dropped = verdict.Verdict{}, nil
	w.tx.on = false
	w.alerts = w.alerts[:0]
	if w.set.trace != nil {
		w.traceHeader()
	}
}

// End tries the packet's rules, if that did not happen yet, tells the alerts
// and returns what is to be done with the packet.
func (w *Worker) End() verdict.Verdict {
	if !w.active {
		return verdict.Verdict{}
	}
	w.packetRules()
	if w.cfg.Inline && w.c.fs != nil {
		for d := range w.c.fs.dir {
			w.Trigger(packet.Dir(d))
		}
	} else {
		w.closing()
	}
	w.finish()
	w.active = false
	c := &w.c
	if c.fs != nil && c.fs.drop && w.verdict.Action == verdict.NoOpinion {
		w.verdict = verdict.Verdict{Action: verdict.Drop, Scope: verdict.Flow, Why: "rule"}
	}
	v := w.verdict
	c.p, c.f, c.fs = nil, nil, nil
	return v
}

// closing inspects what is left of a stream with the packet that ends it.
func (w *Worker) closing() {
	c := &w.c
	if c.fs == nil || c.p == nil || c.p.Proto != packet.ProtoTCP {
		return
	}
	switch f := c.p.TCPFlags; {
	case f&packet.RST != 0:
		w.Trigger(packet.ToServer)
		w.Trigger(packet.ToClient)
	case f&packet.FIN != 0:
		w.Trigger(c.d)
	}
}

// Close ends a flow: what is left of its streams is inspected and its state
// given back. The parsers must have ended before.
func (w *Worker) Close(f *flow.Flow) {
	fs := state(f)
	if fs == nil {
		return
	}
	f.Rules = nil
	w.hide(fs)
	for d := range fs.dir {
		w.giveBack(&fs.dir[d])
	}
	fs.reset(w.set.gen)
	if len(w.free) < maxFree {
		w.free = append(w.free, fs)
	}
}

// BeginEnd starts the end of a flow: no packet, but transactions and streams
// may still be inspected until FinishEnd.
func (w *Worker) BeginEnd(f *flow.Flow) {
	c := &w.c
	c.p, c.f, c.fs, c.app = nil, f, w.current(f), w.appOf(f)
	c.now, c.proto = f.Last, f.Key.Proto
	w.setDir(packet.ToServer)
	c.v = onV6
	if c.src.Is4() {
		c.v = onV4
	}
	w.pending, w.active, w.passed = false, true, false
	w.verdict, w.dropped = verdict.Verdict{}, nil
	w.tx.on = false
	w.alerts = w.alerts[:0]
}

// FinishEnd inspects what is left of the streams and tells the alerts of a
// flow's end.
func (w *Worker) FinishEnd() {
	if !w.active {
		return
	}
	if w.c.fs != nil {
		for d := range w.c.fs.dir {
			w.Trigger(packet.Dir(d))
			if len(w.set.pdOnly) > 0 && w.c.f.Side[d].Packets > 0 && !w.let() {
				w.setDir(packet.Dir(d))
				w.protoRules()
			}
		}
	}
	w.finish()
	w.active = false
	w.c.f, w.c.fs = nil, nil
}

// Suspend makes the worker deaf while the engine ends a flow other than the
// one under inspection; Resume takes its result.
func (w *Worker) Suspend() (was bool) {
	was, w.active = w.active, false
	return was
}

// Resume ends what Suspend began.
func (w *Worker) Resume(was bool) { w.active = was }

// NoPayload says that what follows in the flow under inspection is encrypted:
// payloads and streams are not looked at any more, as Suricata does by default.
func (w *Worker) NoPayload() {
	if fs := w.c.flowState(); fs != nil && w.active {
		w.Trigger(packet.ToServer)
		w.Trigger(packet.ToClient)
		fs.noPayload, fs.dir[0].off, fs.dir[1].off = true, true, true
		w.giveBack(&fs.dir[0])
		w.giveBack(&fs.dir[1])
	}
}

// setDir makes the context that of a packet in direction d of the flow.
func (w *Worker) setDir(d packet.Dir) {
	c := &w.c
	if c.f == nil {
		return
	}
	c.d = d
	c.src, c.sp = c.f.Client()
	c.dst, c.dp = c.f.Server()
	if d == packet.ToClient {
		c.src, c.dst, c.sp, c.dp = c.dst, c.src, c.dp, c.sp
	}
}

// matches tries everything of a rule but payload and buffers.
func (c *ctx) matches(r *rule) bool {
	c.w.forgetNotes()
	if r.on&c.v == 0 || r.on&(1<<l4Of(c.proto)) == 0 {
		return false
	}
	if r.hasApps && r.apps&c.app == 0 {
		return false
	}
	if r.flags&(needFlow|toServer|toClient|established|notEstablish|onlyFrag|noFrag) != 0 && !c.flowFits(r.flags) {
		return false
	}
	if r.sp != nil && !r.sp.Contains(c.sp) || r.dp != nil && !r.dp.Contains(c.dp) {
		return false
	}
	if (r.sp != nil || r.dp != nil) && (!hasPorts(c.proto) || c.p != nil && c.p.Fragment) {
		return false // a fragment's ports are not known, which is another thing than port 0
	}
	if !r.src.Contains((*[16]byte)(&c.src)) || !r.dst.Contains((*[16]byte)(&c.dst)) {
		return false
	}
	for _, f := range r.conds {
		if !f(c) {
			return false
		}
	}
	return true
}

func hasPorts(p uint8) bool {
	return p == packet.ProtoTCP || p == packet.ProtoUDP || p == packet.ProtoSCTP
}

func (c *ctx) flowFits(flags uint32) bool {
	if flags&onlyFrag != 0 && (c.p == nil || !c.p.Fragment && !c.p.Defrag) {
		return false
	}
	if flags&noFrag != 0 && c.p != nil && c.p.Fragment {
		return false
	}
	if flags&(needFlow|toServer|toClient|established|notEstablish) == 0 {
		return true
	}
	if c.f == nil {
		return false
	}
	switch {
	case flags&toServer != 0 && c.d != packet.ToServer, flags&toClient != 0 && c.d != packet.ToClient:
		return false
	case flags&established != 0 && !c.established():
		return false
	case flags&notEstablish != 0 && c.established():
		return false
	}
	return true
}

// established follows Suricata: a TCP flow after its handshake, closed ones
// included, never one picked up midstream; others once both sides have spoken.
func (c *ctx) established() bool {
	f := c.f
	if c.proto == packet.ProtoTCP {
		if c.w.headless(f) {
			return false
		}
		if f.EstablishedAt == 0 || handshake(f) && c.p != nil && len(c.p.Payload) == 0 {
			return false // the packet that ends the handshake still belongs to it
		}
		return f.State != flow.New
	}
	return f.State != flow.New
}

// handshake reports that the latest packet of a flow of TCP ended its handshake.
func handshake(f *flow.Flow) bool {
	return f.EstablishedAt == f.Side[0].Packets+f.Side[1].Packets
}

// found queues an alert of rule id and does what the rule does besides.
func (w *Worker) found(id uint32) {
	r := &w.set.rules[id]
	c := &w.c
	for _, f := range r.posts {
		f(c)
	}
	if r.flags&traced != 0 {
		w.traceMatch()
	}
	if r.action == rules.Pass && w.alertsPass(r) {
		return
	}
	tx := w.tx
	if !tx.on && w.guess.on && (r.flags&needStream != 0 || r.hasApps && c.proto == packet.ProtoUDP) {
		tx = w.guess
	}
	for i := range w.alerts {
		a := &w.alerts[i]
		if a.order == id && a.Dir == c.d && a.HasTx == tx.on && (!tx.on || a.TxID == tx.id) && a.stream == w.inStream &&
			(w.file.f == nil || a.file == w.files) {
			return
		}
	}
	if len(w.alerts) >= 4*w.cfg.MaxAlerts {
		w.untold++
		return
	}
	a := Alert{Rule: &w.set.meta[r.meta], Action: r.action, Src: c.src, Dst: c.dst, SrcPort: c.sp, DstPort: c.dp, Dir: c.d,
		Flow: c.f, Packet: c.p, Time: c.now, order: id, stream: w.inStream}
	if tx.on {
		a.TxID, a.HasTx = tx.id, true
	}
	if w.file.f != nil {
		a.file = w.files
	}
	a.InStream = c.proto == packet.ProtoTCP && (w.tx.on || w.inStream || w.cfg.Inline && r.flags&needStream != 0 && !w.headless(c.f))
	if c.f != nil {
		a.flowID = c.f.ID
	}
	if len(w.notes) > 0 {
		w.annotate(&a)
		w.forgetNotes()
	}
	w.alerts = append(w.alerts, a)
}

// alertsPass notes a pass rule: the packet, and with a rule on stream or
// transactions the flow, is not inspected any further.
func (w *Worker) alertsPass(r *rule) bool {
	w.passed = true
	if r.flags&(isTx|needStream) != 0 || r.hasApps || r.flags&flowAction != 0 {
		if fs := w.c.flowState(); fs != nil {
			fs.pass = true
			w.c.f.Action = "pass"
		}
	}
	return false
}

// Dropped returns the rule that dropped the packet under which End was called
// last, nil when none did, and whether only its rate made it do so. It is valid
// until the next Begin.
func (w *Worker) Dropped() (m *Meta, byRate bool) { return w.dropped, w.byRate }

// Untold returns how many alerts were not told because their packet had too
// many.
func (w *Worker) Untold() uint64 { return w.untold }

// finish sorts the alerts, lets pass rules and thresholds speak, and tells
// what is left.
func (w *Worker) finish() {
	if len(w.alerts) == 0 {
		return
	}
	slices.SortStableFunc(w.alerts, func(a, b Alert) int { return int(a.order) - int(b.order) })
	told := 0
	for i := range w.alerts {
		a := &w.alerts[i]
		r := &w.set.rules[a.order]
		if r.action == rules.Pass {
			if r.flags&withAlert != 0 && w.cfg.OnAlert != nil {
				a.Body, a.Verdict = w.bodies[a.body.lo:a.body.hi], verdict.Accept
				w.cfg.OnAlert(a)
			}
			break
		}
		loud := aloud
		if r.thr != nil {
			if loud = r.thr.judge(w.set.hosts, a.Rule, a, w.c.now); loud == nowise {
				continue
			}
		}
		switch a.Action {
		case rules.Alert:
		case rules.Pass:
			continue
		default:
			v := verdict.Verdict{Action: verdict.Drop, Scope: verdict.Packet, Why: "rule"}
			if a.Action != rules.Drop {
				v.Action = verdict.Reject
			}
			if r.flags&(isTx|needStream|flowAction) != 0 || r.hasApps && r.flags&hasSize == 0 {
				v.Scope = verdict.Flow
			}
			if w.cfg.Decide != nil {
				v = w.cfg.Decide(a, v)
			}
			if v.Action < verdict.Drop {
				break
			}
			a.Blocked, w.verdict = true, v
			if w.dropped == nil {
				w.dropped, w.byRate = a.Rule, a.Action != r.action
			}
			if v.Scope == verdict.Flow {
				if fs := w.c.flowState(); fs != nil {
					fs.drop = true
					w.c.f.Action = "drop"
				}
			}
		}
		if r.flags&noAlert != 0 || loud == silent {
			continue
		}
		if told >= w.cfg.MaxAlerts {
			w.untold++
			continue
		}
		told++
		if r.flags&traced != 0 {
			w.traceAlert()
		}
		if w.cfg.OnAlert != nil {
			a.Verdict = w.verdict.Action
			vars := w.variables(a)
			a.Body = w.bodies[a.body.lo:a.body.hi]
			a.Context, a.Vars = w.bodies[a.context.lo:a.context.hi], w.bodies[vars.lo:vars.hi]
			a.Traffic = w.bodies[a.traffic.lo:a.traffic.hi]
			w.cfg.OnAlert(a)
		}
	}
	w.alerts = w.alerts[:0]
	w.bodies = w.bodies[:0]
}

// let reports that the flow or packet is not to be inspected.
func (w *Worker) let() bool { return w.passed || w.c.fs != nil && (w.c.fs.pass || w.c.fs.drop) }
