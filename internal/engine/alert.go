package engine

import (
	"strconv"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
)

// emitAlert reports a rule that matched. Its event has the ends of the packet,
// or of the direction inspected, as Suricata's alerts do.
func (w *Worker) emitAlert(a *match.Alert) {
	w.n.Alerts++
	if a.Flow != nil {
		a.Flow.Alerted = true
	}
	if w.sink == nil {
		return
	}
	ev := &w.ev
	if a.Flow != nil {
		w.event(a.Flow, event.Alert, a.Time)
	} else {
		*ev = event.Event{Time: a.Time, Type: event.Alert, Iface: w.e.cfg.Iface, HasAddr: a.Packet.Version != 0, Proto: a.Packet.Proto,
			VLANs: a.Packet.VLANs, VLAN: a.Packet.VLAN}
		if w.e.cfg.NumberPackets {
			ev.PcapCnt = w.num
		}
	}
	ev.Src, ev.Dst, ev.SrcPort, ev.DstPort = a.Src, a.Dst, a.SrcPort, a.DstPort
	ev.TxID, ev.HasTx = a.TxID, a.HasTx
	if a.Packet == nil {
		ev.PcapCnt = 0
	} else if p := a.Packet.Proto; p == packet.ProtoICMP || p == packet.ProtoICMPv6 {
		ev.ICMPType, ev.ICMPCode = a.Packet.ICMPType, a.Packet.ICMPCode
	}
	r := a.Rule
	f := event.Finding{
		Category: match.CategoryOf(r.Class), Family: r.Class, Detector: "rules", Level: event.Likely, Confidence: 0.8,
		SignatureID: r.SID, Signature: r.Msg, Severity: r.Severity, Action: "allowed", Rule: &r.Rule, Code: "rule.match",
		Evidence:   []event.Evidence{{Code: "rule.match", Value: strconv.FormatUint(uint64(r.SID), 10) + " " + r.Msg}},
		FromClient: a.Dir == packet.ToServer,
	}
	if a.Blocked {
		f.Action = "blocked"
	}
	if a.Flow != nil {
		m, addr := a.Flow.ClientMAC, a.Src
		if a.Dir == packet.ToClient {
			m = a.Flow.ServerMAC
		}
		f.Device = w.devices.Ref(m, addr)
	}
	ev.Finding = &f
	w.sink.Event(ev)
}
