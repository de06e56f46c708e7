package engine

import (
	"maps"
	"slices"
	"strings"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// statsBody is the member "stats" of the record at the end of a replay, with
// Suricata's names.
type statsBody struct{ s Stats }

func (b *statsBody) EncodeEVE(e *event.Encoder) {
	s := &b.s
	e.Obj("stats")
	e.Int("uptime", max(0, s.Last-s.First)/1e9)
	e.Obj("decoder")
	e.Uint("pkts", s.Packets)
	e.Uint("bytes", s.Bytes)
	e.Uint("invalid", s.Malformed)
	s.layers.encode(e)
	encodeEvents(e, s.Oddities)
	e.EndObj()
	e.Obj("flow")
	e.Uint("total", s.Flows)
	e.EndObj()
	e.Obj("tcp")
	e.Uint("reassembly_gap", s.Gaps)
	e.EndObj()
	e.Obj("detect")
	e.Uint("alert", s.Alerts)
	e.Uint("alert_queue_overflow", s.AlertsUntold)
	e.EndObj()
	e.Obj("app_layer")
	e.Obj("flow")
	for _, k := range slices.Sorted(maps.Keys(s.Apps)) {
		if k != "" {
			e.Uint(k, s.Apps[k].Flows)
		}
	}
	e.EndObj()
	e.EndObj()
	e.EndObj()
}

// encodeEvents appends the member "event": how often the decoder found what,
// "ipv4.trunc_pkt" as a member of "ipv4". Packets are looked over for these only
// when a rule asks; when none does there is no such member.
func encodeEvents(e *event.Encoder, counts []uint64) {
	if counts == nil {
		return
	}
	byName := make(map[string]uint64, len(counts))
	for i, n := range counts {
		byName[packet.Event(i).String()] = n
	}
	e.Obj("event")
	open := ""
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		group, short, ok := strings.Cut(name, ".")
		if !ok {
			group, short = "", name
		}
		if group != open {
			if open != "" {
				e.EndObj()
			}
			if open = group; group != "" {
				e.Obj(group)
			}
		}
		e.Uint(short, byName[name])
	}
	if open != "" {
		e.EndObj()
	}
	e.EndObj()
}

// emitStats reports the counters of all workers through the first one's sink.
func (e *Engine) emitStats() {
	w := e.Workers[0]
	if w.sink == nil || !w.wants[event.Stats] {
		return
	}
	b := &statsBody{e.Stats()}
	w.sink.Event(&event.Event{Time: b.s.Last, Type: event.Stats, Iface: e.cfg.Iface, Body: b})
}
