package engine

import (
	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/policy"
	"github.com/yamori-net/yamori/internal/proto"
)

func (c *conn) onTx(tx proto.Tx, done bool) { c.judge(&c.pc, c.idx, tx, done) }

// judge shows a transaction of protocol app to the rules and the inline
// detectors, and logs it when done.
func (c *conn) judge(pc *proto.Conn, app int, tx proto.Tx, done bool) {
	w := c.w
	if w.e.cfg.Judge != nil {
		c.seeHost(app, tx)
	}
	id := c.txID
	if w.match != nil {
		id = w.match.Tx(app, tx, done)
	}
	for i, d := range w.detectors {
		if c.found&(1<<i) != 0 {
			w.progress(c.flow, pc, tx, i)
			if !w.rises[i] {
				continue
			}
		}
		if f, ok := d.Inspect(c.flow, pc, tx); ok {
			found := f // moved to the heap here, not for each transaction without a finding
			if c.held < maxHeld && w.awaits(c.flow, pc, d, tx, &found) {
				c.held++
				continue
			}
			c.found |= 1 << i
			w.emitFinding(c.flow, pc, &found)
		}
	}
	if !done {
		return
	}
	if w.observer != nil {
		w.observer.Tx(c.flow, pc, &w.pkt, tx)
	}
	c.txID++
	typ := tx.EventType()
	if typ == "" || w.sink == nil || !w.wants[typ] || w.match != nil && w.match.Unread(c.flow) {
		return
	}
	ev := w.event(c.flow, typ, pc.Time)
	ev.AppProto, ev.AppProtoOrig = "", ""
	ev.TxID, ev.HasTx = id, true
	ev.Body = tx
	w.sink.Event(ev)
}

// event fills the worker's event with what belongs to fl, in the flow's
// direction.
func (w *Worker) event(fl *flow.Flow, typ event.Type, t int64) *event.Event {
	ev := &w.ev
	*ev = event.Event{Time: t, Type: typ, Iface: w.e.cfg.Iface}
	ev.FlowID = fl.ID
	ev.Src, ev.SrcPort = fl.Client()
	ev.Dst, ev.DstPort = fl.Server()
	ev.Proto, ev.HasAddr = fl.Key.Proto, true
	ev.ICMPType, ev.ICMPCode = fl.ICMPType, fl.ICMPCode
	ev.VLANs, ev.VLAN = fl.VLANs, fl.VLAN
	ev.AppProto, ev.AppProtoOrig = fl.AppProto, fl.AppProtoOrig
	ev.Midstream, ev.Answered = fl.Midstream, answered(fl)
	if w.e.cfg.NumberPackets {
		ev.PcapCnt = w.num
	}
	return ev
}

// answered reports whether both ends of fl were heard; see event.Event.
func answered(fl *flow.Flow) bool {
	const link = packet.TunnelPPPoE | packet.TunnelMPLS
	switch {
	case fl.Tunnels&^link != 0:
		return false
	case fl.Key.Proto == packet.ProtoTCP:
		return !fl.Midstream && fl.EstablishedAt != 0
	}
	return fl.Side[packet.ToServer].Packets > 0 && fl.Side[packet.ToClient].Packets > 0
}

func (w *Worker) emitFinding(fl *flow.Flow, pc *proto.Conn, f *event.Finding) {
	w.n.Findings++
	fl.Alerted = true
	if w.e.cfg.Judge != nil {
		w.decide(fl, pc, f)
		if f.Action == policy.Blocked {
			w.tellBlocked(fl, f, pc.Time)
		}
	}
	if w.sink == nil {
		return
	}
	ev := w.event(fl, event.Alert, pc.Time)
	ev.AppProto = pc.AppProto
	if ev.AppProtoOrig == "" && fl.AppProto != pc.AppProto {
		ev.AppProtoOrig = fl.AppProto
	}
	m := fl.ClientMAC
	if !f.FromClient {
		ev.Src, ev.Dst = ev.Dst, ev.Src
		ev.SrcPort, ev.DstPort = ev.DstPort, ev.SrcPort
		m = fl.ServerMAC
	}
	f.Device = w.ref(m, ev.Src)
	if f.Action == "" {
		f.Action = "allowed"
	}
	ev.Finding = f
	w.prove(nil)
	w.sink.Event(ev)
}

// tellBlocked tells the detectors that want to know that a finding's flow is
// dropped.
func (w *Worker) tellBlocked(fl *flow.Flow, f *event.Finding, now int64) {
	for _, d := range w.detectors {
		if b, ok := d.(detect.Blocked); ok {
			b.Blocked(fl, f, now)
		}
	}
}

// progress lets detector i tell more of a flow that it has found something in.
func (w *Worker) progress(fl *flow.Flow, pc *proto.Conn, tx proto.Tx, i int) {
	if w.more[i] == nil || w.sink == nil || !w.wants[event.MiningProgress] {
		return
	}
	u, ok := w.more[i].Progress(pc, tx)
	if !ok {
		return
	}
	ev := w.event(fl, event.MiningProgress, pc.Time)
	ev.AppProto, ev.AppProtoOrig = "", ""
	m := fl.ClientMAC
	if !u.FromClient {
		ev.Src, ev.Dst = ev.Dst, ev.Src
		ev.SrcPort, ev.DstPort = ev.DstPort, ev.SrcPort
		m = fl.ServerMAC
	}
	u.Device = w.ref(m, ev.Src)
	ev.Body = u
	w.sink.Event(ev)
}

func (c *conn) onAnomaly(name string) { c.anomaly(name) }

// anomaly reports a violation, at most MaxFlowAnomalies a flow.
func (c *conn) anomaly(name string) {
	w := c.w
	w.n.Anomalies++
	if w.match != nil {
		w.match.Event(c.pc.AppProto, name, c.parsing)
	}
	if c.odd >= MaxFlowAnomalies || w.sink == nil || !w.wants[event.Anomaly] {
		return
	}
	c.odd++
	w.anomaly = anomalyBody{name: name, app: c.pc.AppProto}
	ev := w.event(c.flow, event.Anomaly, c.pc.Time)
	ev.AppProto, ev.AppProtoOrig = "", ""
	ev.Body = &w.anomaly
	w.sink.Event(ev)
}

// anomalyBody is the member "anomaly", in the shape Suricata gives to
// application layer anomalies.
type anomalyBody struct{ name, app string }

func (b *anomalyBody) EncodeEVE(e *event.Encoder) {
	e.Obj("anomaly")
	e.OptStr("app_proto", b.app)
	e.Str("type", "applayer")
	e.Str("event", b.name)
	e.Str("layer", "proto_parser")
	e.EndObj()
}

// flowBody is the members "flow" and "tcp" of a flow event.
type flowBody struct {
	fl      *flow.Flow
	why     flow.Reason
	meta    []byte // what rules noted of it: members of "metadata"
	traffic []byte // and of "traffic"
}

func (w *Worker) emitFlow(fl *flow.Flow, why flow.Reason) {
	if w.sink == nil {
		return
	}
	w.flowBody.fl, w.flowBody.why = fl, why
	ev := w.event(fl, event.Flow, fl.Last)
	ev.PcapCnt = 0
	ev.SrcMAC, ev.DstMAC = fl.ClientMAC, fl.ServerMAC
	ev.HasMAC = fl.ClientMAC != packet.MAC{} || fl.ServerMAC != packet.MAC{}
	ev.Body = &w.flowBody
	w.sink.Event(ev)
	w.flowBody.fl = nil
}

func (b *flowBody) EncodeEVE(e *event.Encoder) {
	f := b.fl
	e.Obj("flow")
	e.Uint("pkts_toserver", f.Side[0].Packets)
	e.Uint("pkts_toclient", f.Side[1].Packets)
	e.Uint("bytes_toserver", f.Side[0].Bytes)
	e.Uint("bytes_toclient", f.Side[1].Bytes)
	e.Time("start", f.Start)
	e.Time("end", f.Last)
	e.Int("age", max(0, f.Last/1e9-f.Start/1e9)) // of whole seconds, as in Suricata
	state := f.State
	if f.Key.Proto == packet.ProtoTCP {
		if s := f.TCPState(); s == "last_ack" || s == "time_wait" {
			state = flow.Closed // both sides have ended it, as Suricata has it
		}
	}
	if f.Loose == bothSides {
		e.Str("state", "bypassed") // let go of
	} else {
		e.Str("state", state.String())
	}
	e.Str("reason", b.why.String())
	e.Bool("alerted", f.Alerted)
	if f.Midstream {
		e.Bool("midstream", true)
	}
	e.OptStr("action", f.Action)
	e.EndObj()
	if f.Key.Proto == packet.ProtoTCP {
		e.Obj("tcp")
		flags := [3]uint8{f.Side[0].TCPFlags | f.Side[1].TCPFlags, f.Side[0].TCPFlags, f.Side[1].TCPFlags}
		for i, k := range [3]string{"tcp_flags", "tcp_flags_ts", "tcp_flags_tc"} {
			e.Hex(k, flags[i:i+1])
		}
		for i, k := range [8]string{"fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr"} {
			if flags[0]&(1<<i) != 0 {
				e.Bool(k, true)
			}
		}
		e.Str("state", f.TCPState())
		e.EndObj()
	}
	if len(b.traffic) > 0 {
		e.Obj("traffic")
		e.Raw(b.traffic)
		e.EndObj()
	}
	if len(b.meta) > 0 {
		e.Obj("metadata")
		e.Raw(b.meta)
		e.EndObj()
	}
}
