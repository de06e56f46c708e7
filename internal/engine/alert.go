package engine

import (
	"bytes"
	"strconv"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/files"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/verdict"
)

// encodeTx makes the members of a transaction that its alerts carry.
func (w *Worker) encodeTx(dst []byte, tx proto.Tx) []byte {
	e := &w.enc
	e.B = append(dst, '{') // what follows is a first member
	tx.EncodeEVE(e)
	b := e.B
	e.B = nil
	copy(b[len(dst):], b[len(dst)+1:])
	return b[:len(b)-1]
}

// encodeFile makes the member "files" of an alert on a file.
func encodeFile(dst []byte, f match.File) []byte {
	t, ok := f.(*files.Track)
	if !ok {
		return dst
	}
	lead := byte(',')
	if len(dst) == 0 {
		lead = '{'
	}
	e := event.Encoder{B: dst}
	if lead == '{' {
		e.B = append(e.B, lead)
	}
	e.Arr("files")
	e.Obj("")
	e.OptBytes("filename", t.Name())
	e.OptStr("magic", t.Magic())
	e.Bool("gaps", t.Gaps())
	e.Str("state", t.State().String())
	if b, ok := t.MD5(); ok {
		e.Hex("md5", b)
	}
	if b, ok := t.SHA1(); ok {
		e.Hex("sha1", b)
	}
	if b, ok := t.SHA256(); ok {
		e.Hex("sha256", b)
	}
	e.Bool("stored", false)
	e.Uint("size", t.Size())
	e.Uint("tx_id", t.File().TxID)
	e.EndObj()
	e.EndArr()
	if lead == '{' {
		return e.B[1:]
	}
	return e.B
}

// alertBody is what an alert tells besides its rule: the transaction, the
// direction, and the flow so far, as Suricata writes them.
type alertBody struct {
	tx      []byte
	vars    []byte // of packet and flow: members of "metadata"
	dir     packet.Dir
	flow    *flow.Flow
	verdict string
	source  string       // where the packet came from
	payload bool         // tell the payload
	alert   *match.Alert // for that
}

func (b *alertBody) EncodeEVE(e *event.Encoder) {
	if len(b.tx) > 0 {
		e.Raw(b.tx)
	}
	if len(b.vars) > 0 {
		e.Obj("metadata")
		e.Raw(b.vars)
		e.EndObj()
	}
	if b.alert != nil && len(b.alert.Traffic) > 0 {
		e.Obj("traffic")
		e.Raw(b.alert.Traffic)
		e.EndObj()
	}
	e.Str("pkt_src", b.source)
	e.Obj("verdict")
	e.Str("action", b.verdict)
	e.EndObj()
	if b.payload {
		encodePayload(e, b.alert)
	}
	f := b.flow
	if f == nil {
		return
	}
	e.Str("direction", b.dir.String())
	e.Obj("flow")
	e.Uint("pkts_toserver", f.Side[0].Packets)
	e.Uint("pkts_toclient", f.Side[1].Packets)
	e.Uint("bytes_toserver", f.Side[0].Bytes)
	e.Uint("bytes_toclient", f.Side[1].Bytes)
	e.Time("start", f.Start)
	src, sp := f.Client()
	dst, dp := f.Server()
	e.Addr("src_ip", src)
	e.Addr("dest_ip", dst)
	if p := f.Key.Proto; p == packet.ProtoTCP || p == packet.ProtoUDP {
		e.Uint("src_port", uint64(sp))
		e.Uint("dest_port", uint64(dp))
	}
	e.EndObj()
}

// emitAlert reports a rule that matched. Its event has the ends of the packet,
// or of the direction inspected, as Suricata's alerts do.
func (w *Worker) emitAlert(a *match.Alert) {
	w.n.Alerts++
	if a.Flow != nil {
		a.Flow.Alerted = true
	}
	decision, decided := w.ruleDecision(a)
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
	rule := r.Rule // what keeps findings must not keep the set
	level, confidence := trust(&rule)
	f := event.Finding{
		Category: match.CategoryOf(r.Class), Family: r.Class, Detector: "rules", Level: level, Confidence: confidence,
		SignatureID: r.SID, Signature: r.Msg, Severity: r.Severity, Action: "allowed", Rule: &rule, Code: "rule.match",
		Evidence:   []event.Evidence{{Code: "rule.match", Value: strconv.FormatUint(uint64(r.SID), 10) + " " + r.Msg}},
		FromClient: a.Dir == packet.ToServer,
	}
	if a.Blocked && w.e.cfg.Inline {
		f.Action = "blocked"
	}
	if decided {
		f.Action, f.Why, f.By, f.Quiet = decision.Word, decision.Why, decision.By, decision.Quiet
	}
	if a.Flow != nil {
		m, addr := a.Flow.ClientMAC, a.Src
		if a.Dir == packet.ToClient {
			m = a.Flow.ServerMAC
		}
		f.Device = w.ref(m, addr)
	}
	f.Context = bytes.Clone(a.Context) // findings are kept
	ev.Finding = &f
	w.alertBody = alertBody{tx: a.Body, vars: a.Vars, dir: a.Dir, flow: a.Flow, verdict: "alert", source: sourceOf(a.Packet),
		payload: w.e.cfg.AlertPayload, alert: a}
	switch {
	case a.Verdict == verdict.Accept:
		w.alertBody.verdict = "pass"
	case a.Verdict >= verdict.Drop && w.e.cfg.Inline:
		w.alertBody.verdict = "drop"
	}
	ev.Body = &w.alertBody
	w.prove(a)
	w.sink.Event(ev)
	w.alertBody.alert = nil
}

// sourceOf says where a packet came from in Suricata's words: from the wire, out
// of a tunnel, or from the end of a flow (nil).
func sourceOf(p *packet.Packet) string {
	if p == nil {
		return "stream (flow timeout)"
	}
	for _, s := range [...]struct {
		t    packet.Tunnel
		name string
	}{
		{packet.TunnelVXLAN, "vxlan encapsulation"}, {packet.TunnelGENEVE, "geneve encapsulation"}, {packet.TunnelTeredo, "teredo tunnel"},
		{packet.TunnelGRE, "gre tunnel"}, {packet.TunnelIPIP | packet.Tunnel6in4, "ipv4 tunnel"},
		{packet.Tunnel4in6 | packet.TunnelIP6IP, "ipv6 tunnel"},
	} {
		if p.Tunnels&s.t != 0 {
			return s.name
		}
	}
	if p.Defrag {
		return "defrag"
	}
	return "wire/pcap"
}

// encodePayload tells what an alert was found in, in base64 and readable, and
// the packet.
func encodePayload(e *event.Encoder, a *match.Alert) {
	b := a.Payload()
	stream := uint64(0)
	if a.InStream {
		stream = 1
	}
	if len(b) == 0 && a.Packet != nil {
		b = a.Packet.Payload
	}
	if len(b) > 0 {
		e.Base64("payload", b)
		e.Printable("payload_printable", b)
	}
	e.Uint("stream", stream)
	if a.Packet == nil || a.Packet.Frame == nil {
		return
	}
	f := a.Packet.Frame
	e.Base64("packet", f.Data)
	e.Obj("packet_info")
	e.Uint("linktype", uint64(f.Link))
	e.Str("linktype_name", linkName(f.Link))
	e.EndObj()
}

// linkName is the name of a link type in libpcap.
func linkName(l packet.LinkType) string {
	switch l {
	case packet.LinkNull:
		return "NULL"
	case packet.LinkEthernet:
		return "EN10MB"
	case packet.LinkPPP, packet.LinkPPPHDLC:
		return "PPP"
	case packet.LinkPPPoE:
		return "PPP_ETHER"
	case packet.LinkRaw, packet.LinkRawBSD, packet.LinkRawOBSD:
		return "RAW"
	case packet.LinkCHDLC:
		return "C_HDLC"
	case packet.LinkLoop:
		return "LOOP"
	case packet.LinkSLL:
		return "LINUX_SLL"
	case packet.LinkIPv4:
		return "IPV4"
	case packet.LinkIPv6:
		return "IPV6"
	case packet.LinkSLL2:
		return "LINUX_SLL2"
	}
	return "n/a"
}
