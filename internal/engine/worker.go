package engine

import (
	"runtime/debug"
	"sync/atomic"

	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/evidence"
	"github.com/yamori-net/yamori/internal/files"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/reassembly"
	"github.com/yamori-net/yamori/internal/verdict"
)

// Worker takes the frames of one queue. Handle is called by one goroutine;
// Snapshot by anyone.
type Worker struct {
	e       *Engine
	id      int
	dec     packet.Decoder
	pkt     packet.Packet
	outer   packet.Packet // what carries it, for rules
	table   *flow.Table
	pool    *reassembly.Pool
	bufs    bufPool
	sink    event.Sink
	wants   map[event.Type]bool
	devices *device.Inventory

	observer Observer // nil: nobody watches

	detectors   []detect.Inline
	more        []detect.Progress // the same, where they have more to tell; else nil
	rises       []bool            // whether they go on judging what they have found
	match       *match.Worker     // nil without rules
	change      *match.Change     // the swap that brought them; nil: they are the first
	live        int               // conns in use
	lru         [2]connList       // conns in use: one-sided flows, and others
	conns       []*conn           // free ones
	inners      []*inner          // free ones
	parsers     [][]proto.Parser  // free ones, by protocol
	parserBytes int               // sum of what parsers say they hold
	freeBytes   int               // the same of the free ones
	over        *conn             // stands in Flow.App for flows that are done with
	seq         detect.Sequencer  // nil: nobody judges sequences
	watch       watchRing
	who         func() event.DeviceRef

	judged   judged
	hosts    []func(proto.Tx, int) ([]byte, bool) // see seeHost, by protocol
	evidence *evidence.Recorder                   // nil: no captures are made
	cur      *conn                                // being worked on, for rescue
	curFlow  *flow.Flow
	now      int64 // time of the current packet
	lastTick int64
	ev       event.Event   // reused
	enc      event.Encoder // of the members of transactions in alerts
	anomaly  anomalyBody
	fileBody files.Info
	files    *files.Pool // nil: nobody listens to files
	fileWant files.Want  // what is found out about them
	flowBody flowBody

	alertBody alertBody
	dropBody  dropBody

	n    counters
	num  uint64 // number of the current packet, from 1
	snap atomic.Pointer[Stats]
	tell atomic.Pointer[chan []LiveFlow] // who wants to know the flows
}

// tickInterval is how often, in packet time, timers run.
const tickInterval = 1e9

func newWorker(e *Engine, id int) *Worker {
	cfg := &e.cfg
	w := &Worker{e: e, id: id, over: &conn{}, devices: device.NewInventory(cfg.HomeNet), wants: map[event.Type]bool{}}
	w.dec.Defrag = packet.NewDefrag(packet.DefragConfig{MaxMemory: cfg.FragMemory, Policy: cfg.FragPolicy})
	w.table = flow.NewTable(flow.Config{MaxFlows: cfg.MaxFlows, Seed: cfg.Seed, OnEnd: w.flowEnd, MaxStep: cfg.MaxStep, Checksums: cfg.Inline})
	w.pool = reassembly.NewPool(reassembly.Config{MaxBytes: cfg.StreamMemory})
	w.bufs.budget = cfg.HeldMemory
	w.parsers = make([][]proto.Parser, len(cfg.Protocols))
	for _, d := range cfg.Detectors {
		in := d.New()
		w.detectors = append(w.detectors, in)
		p, _ := in.(detect.Progress)
		w.more = append(w.more, p)
		_, rises := in.(detect.Riser)
		w.rises = append(w.rises, rises)
		if s, ok := in.(detect.Sequencer); ok && w.seq == nil {
			w.seq = s
		}
	}
	w.watch.init()
	w.who = w.whoWatched
	for _, t := range cfg.Events {
		w.wants[t] = true
	}
	if cfg.Sink != nil {
		w.sink = cfg.Sink(id)
	}
	if w.wantsFiles() {
		w.files, w.fileWant = files.NewPool(cfg.Files), cfg.Files.Want
	}
	if cfg.Rules != nil {
		w.match = match.NewWorker(cfg.Rules, w.matchConfig())
	}
	if cfg.Observer != nil {
		w.observer = cfg.Observer(id)
	}
	w.n.apps = map[string]AppCount{}
	w.evidence = cfg.Evidence.Recorder()
	for i := range cfg.Protocols {
		w.hosts = append(w.hosts, hostGetter(&cfg.Protocols[i]))
	}
	return w
}

// Handle takes one frame, or with nil lets timers run.
func (w *Worker) Handle(f *packet.Frame) verdict.Verdict {
	w.num++
	return w.handle(f)
}

// HandleNumbered is Handle with the frame's number in its capture.
func (w *Worker) HandleNumbered(f *packet.Frame, num uint64) verdict.Verdict {
	w.num = num
	return w.handle(f)
}

func (w *Worker) handle(f *packet.Frame) verdict.Verdict {
	if f == nil {
		w.num--
		if ch := w.e.rules.Load(); ch != w.change {
			w.takeRules(ch, w.now) // an idle worker must not keep the old set in memory
		}
		if w.e.cfg.Now != nil {
			w.Tick(w.e.cfg.Now())
		}
		return verdict.Verdict{}
	}
	defer w.rescue()
	if ch := w.e.rules.Load(); ch != w.change {
		w.takeRules(ch, f.Time)
	}
	if f.Time-w.lastTick >= tickInterval || f.Time < w.lastTick {
		w.Tick(f.Time)
	}
	w.now = f.Time
	w.n.Packets++
	w.n.Bytes += uint64(f.Len)
	if w.n.First == 0 || f.Time < w.n.First {
		w.n.First = f.Time
	}
	w.n.Last = max(w.n.Last, f.Time)

	p := &w.pkt
	w.dec.Decode(p, f)
	w.n.layers.add(p)
	if p.Anomalies&^packet.Oddities != 0 {
		w.n.Malformed++
	}
	if p.Version == 0 {
		if w.match != nil && (p.Anomalies != 0 || w.match.WantsLinks()) {
			w.match.Begin(p, nil, packet.ToServer)
			w.match.End()
		}
		if p.ARP.Op != 0 {
			w.n.ARP++
			if w.e.cfg.Refs == nil {
				w.devices.Seen(p.ARP.SenderMAC, p.ARP.SenderIP, f.Time)
			}
			if w.observer != nil {
				w.observer.ARP(p)
			}
		} else {
			w.n.NonIP++
		}
		return verdict.Verdict{}
	}
	if w.match != nil && p.Tunnels&carried != 0 {
		if v := w.around(f); v.Action >= verdict.Drop {
			return v
		}
	}
	if p.Fragment {
		w.n.Fragments++
		return w.alone(p)
	}
	fl, d, created := w.table.Lookup(p)
	if fl == nil {
		w.n.NoFlow++
		return w.alone(p)
	}
	if created {
		w.newFlow(fl, p)
	}
	if w.observer != nil {
		w.first(fl, d, p)
	}
	if w.e.cfg.Judge != nil {
		if v := w.traffic(fl, d, p); v.Action >= verdict.Drop {
			return v
		}
	}
	if w.evidence != nil {
		w.keep(f, fl)
	}
	if w.match != nil {
		w.match.Begin(p, fl, d)
	}
	switch p.Proto {
	case packet.ProtoTCP:
		w.tcp(fl, d, p)
	case packet.ProtoUDP:
		w.udp(fl, d, p)
	}
	var v verdict.Verdict
	if w.match != nil {
		v = w.match.End()
		if v.Action >= verdict.Drop {
			w.emitDrop(p, fl, d, v)
		}
	}
	if w.e.cfg.Judge != nil {
		v = w.settle(p, fl, d, v)
	}
	return w.letGo(p, fl, d, v)
}

// alone shows a packet that belongs to no flow to the rules.
func (w *Worker) alone(p *packet.Packet) verdict.Verdict {
	if w.e.cfg.Judge != nil {
		if v := w.stray(p); v.Action >= verdict.Drop {
			return v
		}
	}
	if w.match == nil {
		return verdict.Verdict{}
	}
	w.match.Begin(p, nil, packet.ToServer)
	return w.match.End()
}

// carried are the tunnels whose carrying packet rules see as well: it belongs
// to no flow, as in Suricata, and its payload is the packet inside.
const carried = packet.TunnelGRE | packet.TunnelIPIP | packet.Tunnel6in4 | packet.Tunnel4in6 | packet.TunnelIP6IP |
	packet.TunnelVXLAN | packet.TunnelGENEVE | packet.TunnelTeredo

// around shows the rules the packet that carries a tunnel.
func (w *Worker) around(f *packet.Frame) verdict.Verdict {
	d := packet.Decoder{Outermost: true}
	d.Decode(&w.outer, f)
	if w.outer.Version == 0 || w.outer.Fragment {
		return verdict.Verdict{}
	}
	w.outer.Payload = nil
	w.match.Begin(&w.outer, nil, packet.ToServer)
	return w.match.End()
}

func (w *Worker) newFlow(fl *flow.Flow, p *packet.Packet) {
	w.n.Flows++
	if p.HasMAC && p.Depth == 0 && w.e.cfg.Refs == nil {
		w.devices.Seen(p.SrcMAC, p.Src, p.Time)
	}
}

func (w *Worker) tcp(fl *flow.Flow, d packet.Dir, p *packet.Packet) {
	if fl.Refused {
		return
	}
	if a, ok := fl.App.(*watched); ok {
		w.sequence(fl, a, d, p)
		return
	}
	if fl.App == any(w.over) {
		return
	}
	c, _ := fl.App.(*conn)
	if c == nil {
		if len(p.Payload) == 0 && p.Missing == 0 {
			return
		}
		c = w.newConn(fl, proto.TCP)
	} else {
		w.touch(c)
	}
	w.cur, w.curFlow = c, fl
	c.pc.Time = p.Time
	s := c.of(d)
	if p.TCPFlags&(packet.ACK|packet.RST) == packet.ACK { // a reset's number may be anything
		o := c.other(s)
		o.stream.Ack(w.pool, p.Ack, o)
		if c.loose == o {
			c.passBy(o, p.Ack)
		}
	}
	if (!c.ended || c.raw) && p.TCPFlags&packet.RST == 0 { // what a reset carries is no part of the stream
		r := s.stream.Segment(w.pool, p.Seq, p.TCPFlags&packet.SYN != 0, p.TCPFlags&packet.FIN != 0,
			p.Payload, p.Missing, p.Time, s)
		if w.match != nil && r&(reassembly.Contradicts|reassembly.DepthReached) != 0 {
			w.tellStream(r)
		}
	}
	if c.ended && !w.goOn(c) {
		w.release(fl, c)
		w.cur = nil
		w.follow(fl, &c.pc, d, p)
	}
	w.cur = nil
}

// tellStream tells the rules what a stream found odd.
func (w *Worker) tellStream(r reassembly.Result) {
	if r&reassembly.Contradicts != 0 {
		w.match.StreamEvent(reassembly.EvReassemblyOverlapDifferentData)
	}
	if r&reassembly.DepthReached != 0 {
		w.match.StreamEvent(reassembly.EvReassemblyDepthReached)
	}
}

// goOn reports that the streams of a connection whose parsing is over are put
// together for the rules alone.
func (w *Worker) goOn(c *conn) bool {
	if w.match != nil && c.pc.Finished() && (c.pc.AppProto == "tls" || c.pc.AppProto == "ssh") {
		w.match.NoPayload()
	}
	if w.match == nil || c.pc.Finished() || c.pc.Midstream && !w.e.cfg.RulesMidstream {
		return false
	}
	if !w.match.Wants(c.flow, packet.ToServer) && !w.match.Wants(c.flow, packet.ToClient) {
		return false
	}
	if !c.raw {
		c.raw = true
		w.endParser(c.flow, c)
	}
	return true
}

func (w *Worker) udp(fl *flow.Flow, d packet.Dir, p *packet.Packet) {
	if a, ok := fl.App.(*watched); ok {
		w.sequence(fl, a, d, p)
		return
	}
	if len(p.Payload) == 0 || fl.App == any(w.over) {
		return
	}
	c, _ := fl.App.(*conn)
	if c == nil {
		c = w.newConn(fl, proto.UDP)
	} else {
		w.touch(c)
	}
	w.cur, w.curFlow = c, fl
	c.pc.Time = p.Time
	c.datagram(d, p.Payload)
	if c.ended {
		w.release(fl, c)
		w.cur = nil
		w.follow(fl, &c.pc, d, p)
	}
	w.cur = nil
}

// Tick lets timers run up to now and publishes the counters.
func (w *Worker) Tick(now int64) {
	w.now, w.lastTick = now, now
	w.evidence.Tick(now)
	w.table.Advance(now)
	w.liveFlows()
	if w.observer != nil {
		w.observer.Tick(now)
	}
	if w.e.cfg.Now != nil {
		w.snapshot() // somebody may be watching
	}
}

// Close ends all flows of the worker.
func (w *Worker) Close() {
	defer w.rescue()
	w.table.Close()
	w.evidence.Close()
	w.snapshot()
}

// rescue turns a panic on the packet's way into a lost flow: the packet passes,
// the flow is not looked at again, and the panic is counted and reported.
func (w *Worker) rescue() {
	v := recover()
	if v == nil {
		return
	}
	w.n.Panics++
	if c := w.cur; c != nil {
		w.cur = nil
		w.parserBytes -= c.size
		c.parser, c.sizer, c.bulk, c.inner, c.size = nil, nil, nil, nil, 0 // their state cannot be trusted; not pooled again
		w.release(w.curFlow, c)
	}
	if a := w.watch.cur; a != nil {
		w.watch.cur = nil
		w.unfollow(a)
	}
	if w.e.cfg.OnPanic != nil {
		w.e.cfg.OnPanic(v, debug.Stack())
	}
}

// flowEnd is called by the table for each flow that leaves it.
func (w *Worker) flowEnd(fl *flow.Flow, why flow.Reason) {
	if w.match != nil {
		w.match.BeginEnd(fl)
	}
	w.endConn(fl)
	if w.match != nil {
		w.match.FinishEnd()
		if b := &w.flowBody; w.e.cfg.Flows {
			b.meta, b.traffic = w.match.FlowMeta(b.meta[:0], b.traffic[:0], fl)
		}
		w.match.Close(fl)
	}
	fl.App = nil
	w.countFlow(fl)
	if w.e.cfg.Flows {
		w.emitFlow(fl, why)
	}
}

// endConn gives the parsers what is left of the flow's streams, and ends them.
func (w *Worker) endConn(fl *flow.Flow) {
	num := w.num
	w.num = 0 // what ends with a flow is caused by no packet
	defer func() { w.num = num }()
	defer w.rescue() // the table must go on with its other flows
	if a, ok := fl.App.(*watched); ok {
		w.endSequence(fl, a)
		return
	}
	if c, ok := fl.App.(*conn); ok && c != w.over {
		w.cur, w.curFlow = c, fl
		c.pc.Time = fl.Last
		for d := range c.side {
			s := &c.side[d]
			if (!c.ended || c.raw) && c.pc.Transport == proto.TCP {
				s.stream.Flush(w.pool, s)
			}
		}
		w.release(fl, c)
		w.cur = nil
	}
}
