package match

import (
	"slices"

	"github.com/yamori-net/yamori/internal/packet"
)

// packetRules tries the rules on the packet itself, once, and before those on
// what its payload completes.
func (w *Worker) packetRules() {
	if !w.pending {
		return
	}
	w.pending = false
	c := &w.c
	if c.f != nil && c.proto != packet.ProtoTCP {
		c.app = w.appOf(c.f) // of TCP, what was known before this packet
	}
	if w.let() {
		return
	}
	if w.set.odd.decode != nil || w.set.odd.stream != nil {
		w.oddities()
	}
	if c.p.Version == 0 {
		w.linkRules()
		return
	}
	keep, dir, app := w.tx, c.d, c.app
	if c.f != nil && c.proto == packet.ProtoTCP {
		if c.app = w.before; w.cfg.Inline { // the packet is looked at after its payload
			c.app |= w.appOf(c.f)
		}
	}
	w.tx.on = false
	if w.set.ipOnly.n > 0 && (c.f == nil || c.f.Side[c.d].Packets == 1) {
		w.list = w.set.ipOnly.find(w.list[:0], &c.src, &c.dst)
		for _, id := range w.list {
			if c.matches(&w.set.rules[id]) {
				w.found(id)
			}
		}
	}
	if len(w.set.pdOnly) > 0 && c.f != nil {
		w.protoRules()
	}
	g := &w.set.packets[l4Of(c.proto)]
	w.list = w.list[:0]
	n := 0
	if g.addrs.n > 0 {
		w.list = g.addrs.find(w.list, &c.src, &c.dst)
	}
	n = len(w.list)
	if !g.always.empty() {
		w.list = g.always.find(w.list, c.sp, c.dp)
	}
	if c.p.TCPFlags&packet.SYN != 0 && !g.syn.empty() {
		w.list = g.syn.find(w.list, c.sp, c.dp)
		n++
	}
	if n > 0 {
		slices.Sort(w.list)
	}
	w.group(&g.payload[c.d], w.list, false)
	// A segment that no stream takes is looked at as it is.
	if w.headless(c.f) {
		s := &w.set.streams[c.d]
		w.list = w.list[:0]
		if !s.always.empty() {
			w.list = s.always.find(w.list, c.sp, c.dp)
		}
		w.group(&s.filter, w.list, true)
	}
	w.tx, c.d, c.app = keep, dir, app
}

// group tries the rules of a group on the packet, in order.
func (w *Worker) group(filter *prefilter, all []uint32, stream bool) {
	c := &w.c
	data := c.p.Payload
	if c.fs != nil && c.fs.noPayload {
		data = nil
	}
	w.hits = w.hits[:0]
	if len(data) > 0 {
		w.hits = filter.scan(w.hits, data, 0, len(data)+c.p.Missing, c)
	}
	hits := w.hits
	for len(all) > 0 || len(hits) > 0 {
		var id uint32
		switch {
		case len(hits) == 0 || len(all) > 0 && all[0] <= hits[0]:
			id, all = all[0], all[1:]
		default:
			id, hits = hits[0], hits[1:]
		}
		r := &w.set.rules[id]
		if !stream && r.flags&onlyStream != 0 && r.payload != nil {
			continue
		}
		if !c.matches(r) {
			continue
		}
		if r.payload != nil {
			w.ins.Start = 0
			if len(data) == 0 || c.p.Fragment || !r.payload.Match(data, &w.ins) {
				if r.flags&traced != 0 && len(data) > 0 {
					w.traceData(0, data)
				}
				continue
			}
			w.captured()
		}
		w.found(id)
		if w.passed {
			return
		}
	}
}

// protoRules tries the rules on the recognised protocol, once for each
// direction that carried data and each protocol.
func (w *Worker) protoRules() {
	c := &w.c
	if c.app == 0 && c.f.AppProto != "failed" {
		return
	}
	fs, n := c.fs, c.f.AppIndex+1
	if fs == nil || !fs.spoke[c.d] || fs.pd[c.d] == n {
		return
	}
	fs.pd[c.d] = n
	for _, id := range w.set.pdOnly {
		if c.matches(&w.set.rules[id]) {
			w.found(id)
		}
	}
}
