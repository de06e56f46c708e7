package engine

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// dropBody is the member "drop" of the event of a dropped packet, with
// Suricata's names.
type dropBody struct {
	p      *packet.Packet
	dir    packet.Dir
	reason string
	rule   *event.Rule  // that dropped it; nil: its flow is dropped
	ev     *event.Event // which this belongs to
}

func (b *dropBody) EncodeEVE(e *event.Encoder) {
	p := b.p
	e.Str("direction", b.dir.String())
	e.Obj("drop")
	e.Uint("len", uint64(len(p.IP)+p.Missing))
	e.Uint("tos", uint64(p.TOS))
	e.Uint("ttl", uint64(p.TTL))
	e.Uint("ipid", uint64(p.IPID))
	switch p.Proto {
	case packet.ProtoTCP:
		e.Uint("tcpseq", uint64(p.Seq))
		e.Uint("tcpack", uint64(p.Ack))
		e.Uint("tcpwin", uint64(p.Window))
		for i, k := range [6]string{"fin", "syn", "rst", "psh", "ack", "urg"} {
			e.Bool(k, p.TCPFlags&(1<<i) != 0)
		}
	case packet.ProtoUDP:
		e.Uint("udplen", uint64(len(p.L4)+p.Missing))
	case packet.ProtoICMP, packet.ProtoICMPv6:
		e.Uint("type", uint64(p.ICMPType))
		e.Uint("code", uint64(p.ICMPCode))
	}
	e.Str("reason", b.reason)
	e.EndObj()
	if b.rule != nil {
		event.EncodeRule(e, b.ev, b.rule, "blocked", nil)
	}
}

// emitDrop reports a packet that rules dropped, itself or with its flow.
func (w *Worker) emitDrop(p *packet.Packet, fl *flow.Flow, d packet.Dir, v verdict.Verdict) {
	if !w.e.cfg.Inline || v.Action < verdict.Drop || w.sink == nil || !w.wants[event.Drop] {
		return
	}
	ev := w.event(fl, event.Drop, p.Time)
	ev.Src, ev.Dst, ev.SrcPort, ev.DstPort = p.Src, p.Dst, p.SrcPort, p.DstPort
	w.dropBody = dropBody{p: p, dir: d, reason: "flow drop", ev: ev}
	if r, byRate := w.match.Dropped(); r != nil {
		w.dropBody.reason, w.dropBody.rule = "rules", &r.Rule
		if byRate {
			w.dropBody.reason = "threshold detection_filter" // Suricata's words for rate_filter
		}
	}
	ev.Body = &w.dropBody
	w.sink.Event(ev)
	w.dropBody = dropBody{} // it must not keep the set
}
