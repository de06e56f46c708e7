package match

import (
	"slices"

	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/reassembly"
)

// Wants reports whether rules care about the stream of direction d of the
// flow under inspection: when both directions are of no interest, the engine
// need not put it together for them.
func (w *Worker) Wants(f *flow.Flow, d packet.Dir) bool {
	if w.set.streams[d].n == 0 {
		return false
	}
	fs := state(f)
	return fs == nil || !fs.dir[d].off && !fs.pass
}

// Stream takes the next bytes of direction d of the flow's stream. They are
// inspected in pieces: of some size and to the end of the packet that completes
// it, as in Suricata, or earlier when Trigger is called; in line also at the end
// of the packet, when what it speaks has been recognised.
func (w *Worker) Stream(d packet.Dir, b []byte) {
	c := &w.c
	if !w.active || c.f == nil || w.set.streams[d].n == 0 {
		return
	}
	if w.headless(c.f) {
		return
	}
	fs := c.flowState()
	if fs.pass {
		return
	}
	// The other side speaks: what this one heard is complete so far.
	if o := &fs.dir[d.Reverse()]; len(o.buf) > o.done && c.app == 0 {
		w.inspectPart(d.Reverse(), w.cfg.Inline)
	}
	s := &fs.dir[d]
	if s.off {
		return
	}
	if room := StreamDepth - int(s.base) - len(s.buf); len(b) > room {
		b = b[:room]
	}
	for len(b) > 0 && !s.off {
		if s.buf == nil {
			if s.buf = w.window(); s.buf == nil {
				w.inspectAlone(d, s, b)
				return
			}
		}
		n := min(len(b), cap(s.buf)-len(s.buf))
		if w.cfg.Inline {
			n = min(n, chunk-(len(s.buf)-s.piece))
		}
		s.buf, b = append(s.buf, b[:n]...), b[n:]
		if len(s.buf) == cap(s.buf) || len(s.buf)-s.piece >= chunk && (len(b) == 0 || w.cfg.Inline) || int(s.base)+len(s.buf) >= StreamDepth {
			w.Trigger(d)
		}
	}
}

// overlap is how much of a direction of a stream is kept.
func (w *Worker) overlap() int {
	if w.cfg.Inline {
		return inlineOverlap
	}
	return overlap
}

// window lends memory for the end of a stream, nil when MaxWindows are lent.
func (w *Worker) window() []byte {
	if n := len(w.windows); n > 0 {
		b := w.windows[n-1]
		w.windows = w.windows[:n-1]
		w.lent++
		return b
	}
	if w.lent >= MaxWindows {
		return nil
	}
	w.lent++
	return make([]byte, 0, window)
}

// giveBack ends the inspection of a direction of a stream.
func (w *Worker) giveBack(s *streamState) {
	if s.buf != nil {
		w.windows = append(w.windows, s.buf[:0])
		w.lent--
		s.buf, s.done, s.piece = nil, 0, 0
	}
}

// inspectAlone inspects bytes for which there is no memory, and keeps nothing:
// what lies across such pieces is missed.
func (w *Worker) inspectAlone(d packet.Dir, s *streamState, b []byte) {
	w.packetRules()
	s.buf, s.done, s.piece = b, 0, 0
	if !w.let() {
		w.inspectStream(d, s, true)
	}
	s.base += uint64(len(b))
	s.buf = nil
	if s.base >= StreamDepth {
		s.off = true
	}
}

// StreamGap says that bytes of direction d are lost: what came before and what
// follows are not one.
func (w *Worker) StreamGap(d packet.Dir, n int) {
	c := &w.c
	if c.p != nil { // at a flow's end nobody has acknowledged what is missing
		w.StreamEvent(reassembly.EvReassemblySeqGap)
	}
	if !w.active || c.fs == nil {
		return
	}
	w.Trigger(d)
	s := &c.fs.dir[d]
	s.base += uint64(len(s.buf) + n)
	s.buf, s.done, s.piece = s.buf[:0], 0, 0
	if s.base >= StreamDepth {
		s.off = true
		w.giveBack(s)
	}
}

// endsPiece holds the protocols whose messages end a piece of the stream, to the
// server and to the client, as Suricata 7 has them: in the others some requests
// are one piece, of which a rule is told once.
var endsPiece = map[string][2]bool{"http": {true, true}, "dns": {true, true}, "tls": {true, true}, "sip": {true, false}}

// Trigger ends a piece of direction d: what of it was not inspected yet is.
func (w *Worker) Trigger(d packet.Dir) { w.inspectPart(d, true) }

// inspectPart inspects what of direction d was not inspected yet. Unless whole
// is set the piece goes on: what matches is told now, and not once more when
// Suricata would tell it, at the end of the piece.
func (w *Worker) inspectPart(d packet.Dir, whole bool) {
	c := &w.c
	fs := c.fs
	if !w.active || fs == nil {
		return
	}
	s := &fs.dir[d]
	if len(s.buf) <= s.done && (!whole || len(s.buf) <= s.piece) {
		return
	}
	w.packetRules()
	if !fs.pass && !fs.drop && !w.passed {
		w.inspectStream(d, s, whole)
	}
	s.done = len(s.buf)
	if !whole {
		return
	}
	switch {
	case int(s.base)+len(s.buf) >= StreamDepth:
		s.off = true
		w.giveBack(s)
		return
	case len(s.buf) > w.overlap():
		n := len(s.buf) - w.overlap()
		copy(s.buf, s.buf[n:])
		s.buf = s.buf[:w.overlap()]
		s.base += uint64(n)
	}
	s.done, s.piece = len(s.buf), len(s.buf)
}

func (w *Worker) inspectStream(d packet.Dir, s *streamState, whole bool) {
	c := &w.c
	kd, ks, kt, ksp, kdp, tx := c.d, c.src, c.dst, c.sp, c.dp, w.tx
	if d != c.d || c.p == nil {
		w.setDir(d)
	}
	c.app |= w.appOf(c.f)
	w.tx.on = false
	g := &w.set.streams[d]
	w.list = w.list[:0]
	if !g.always.empty() {
		w.list = g.always.find(w.list, c.sp, c.dp)
	}
	s.forget()
	from := s.done
	if whole {
		from = s.piece
	}
	from = max(0, from-g.filter.maxLen+1)
	switch {
	case w.cfg.Inline && (s.again || s.app != c.app):
		from = 0 // other rules count now
	case !w.cfg.Inline && s.base == 0 && !s.old:
		// While all of the stream is held it is one buffer, as in Suricata: what a
		// rule is found by may lie in an earlier piece.
		from = 0
	}
	s.app, s.again = c.app, false
	w.hits = g.filter.scan(w.hits[:0], s.buf[from:], int(s.base)+from, 0, c)
	if start := s.base + uint64(s.piece); whole && start > 0 && g.filter.bound > 0 && !w.cfg.Inline {
		// Places count from the start of a piece, too.
		b := s.buf[s.piece:]
		w.hits = g.filter.scan(w.hits, b[:min(len(b), g.filter.bound)], 0, 0, c)
	}
	end := s.base + uint64(len(s.buf))
	if w.cfg.Inline {
		// What completes a match need not hold the pattern it is found by.
		for _, id := range w.hits {
			s.note(id, end, false)
		}
		for i := range s.seen {
			w.hits = append(w.hits, s.seen[i].id)
		}
		slices.Sort(w.hits)
		w.hits = slices.Compact(w.hits)
	}
	hits := w.hits
	all := w.list
	var matched [MaxAlerts]uint32
	n := 0
	for len(all) > 0 || len(hits) > 0 {
		var id uint32
		switch {
		case len(hits) == 0 || len(all) > 0 && all[0] <= hits[0]:
			id, all = all[0], all[1:]
		default:
			id, hits = hits[0], hits[1:]
		}
		r := &w.set.rules[id]
		if !c.matches(r) {
			continue
		}
		// A rule that matched in what is looked at again must match in
		// what is new; of one piece it is told once.
		from := int(s.start(id) - s.base)
		if from == len(s.buf) || from > s.piece && !w.cfg.Inline {
			continue
		}
		if r.flags&lacks != 0 && !whole {
			continue // what it must lack may still come
		}
		w.ins.Start = s.base + uint64(from)
		ok := r.payload.Match(s.buf[from:], &w.ins)
		if !ok && r.flags&byPiece != 0 && s.base+uint64(s.piece) > 0 && !w.cfg.Inline {
			// Suricata looks at each piece alone, and counts from its start.
			w.ins.Start = 0
			ok = r.payload.Match(s.buf[s.piece:], &w.ins)
		}
		if !ok {
			if r.flags&traced != 0 {
				w.traceData(0, s.buf[from:])
			}
			continue
		}
		w.captured()
		if n < len(matched) {
			matched[n] = id
			n++
		}
		if r.flags&isTx != 0 {
			c.fs.saw(id) // its buffers are yet to match
			continue
		}
		// Suricata looks at the stream with a later packet than the one that its
		// payload is found in, and tells of both.
		w.inStream = !w.cfg.Inline
		w.found(id)
		w.inStream = false
		if w.passed {
			break
		}
	}
	w.ins.Start = 0
	for _, id := range matched[:n] {
		s.note(id, end, true)
	}
	c.d, c.src, c.dst, c.sp, c.dp, w.tx = kd, ks, kt, ksp, kdp, tx
}
