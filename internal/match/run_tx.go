package match

import (
	"math"
	"slices"

	"github.com/yamori-net/yamori/internal/match/inspect"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Tx inspects a transaction of protocol app (its number in
// Options.Protocols). It is called each time there is something new in it and
// with done when it is complete. The number is the transaction's in its flow.
func (w *Worker) Tx(app int, tx proto.Tx, done bool) (id uint64) {
	c := &w.c
	if !w.active || c.f == nil {
		return 0
	}
	fs := c.flowState()
	g := &w.set.txs[app]
	c.app |= 1 << app
	var one txState
	t := &one
	one.id = fs.next
	if open := fs.open(tx); !done || open {
		if t = fs.tx(tx); t == nil {
			t = &one
		}
	} else {
		fs.next++
	}
	id = t.id
	// Alerts on the packet or the stream that completes a transaction name it.
	w.guess = txAlert{id: id, on: true, tx: tx}
	if done {
		// A whole message: what of the stream belongs to it is looked at now.
		for d, apps := range w.set.ends {
			w.inspectPart(packet.Dir(d), w.cfg.Inline || apps&(1<<app) != 0)
		}
	}
	w.packetRules()
	w.guess.on = false
	w.encode(id, tx)
	if w.headless(c.f) || w.let() {
		if done {
			fs.forget(tx)
		}
		return id
	}
	kd, ks, kt, ksp, kdp := c.d, c.src, c.dst, c.sp, c.dp
	keep := w.tx
	w.tx = txAlert{id: id, on: true, tx: tx}
	for d := range g {
		if g[d].n == 0 {
			continue
		}
		w.setDir(packet.Dir(d))
		w.inspectTx(&g[d], app, packet.Dir(d), tx, &t.dir[d], done)
		if w.let() {
			break
		}
	}
	if len(fs.events) > 0 {
		w.eventRules(app, tx, t, done)
	}
	w.tx = keep
	c.d, c.src, c.dst, c.sp, c.dp = kd, ks, kt, ksp, kdp
	w.encode(id, tx)
	if done {
		fs.forget(tx)
	}
	return id
}

// eventRules tries the rules that ask for a violation and for more, once the
// violation was told, on the transaction that it belongs to.
func (w *Worker) eventRules(app int, tx proto.Tx, t *txState, done bool) {
	c := &w.c
	keep := c.fs.events[:0]
	for _, id := range c.fs.events {
		r := &w.set.rules[id]
		d := packet.ToServer
		if r.flags&toClient != 0 {
			d = packet.ToClient
		}
		if w.setDir(d); contains(t.dir[d].matched, id) {
			continue
		}
		if !w.let() && c.matches(r) && w.offers(r, app, d) && w.buffers(id, r, app, d, tx, done) {
			if !done {
				t.dir[d].matched = append(t.dir[d].matched, id)
			}
			w.found(id)
			continue
		}
		keep = append(keep, id)
	}
	if c.fs.events = keep; done {
		c.fs.events = keep[:0]
	}
}

// open reports that there is state of tx.
func (f *Flow) open(tx proto.Tx) bool {
	for i := range f.txs {
		if f.txs[i].tx == tx {
			return true
		}
	}
	return false
}

func (w *Worker) inspectTx(g *txGroup, app int, d packet.Dir, tx proto.Tx, t *txDir, done bool) {
	c := &w.c
	fresh := false
	w.list = w.list[:0]
	for i := range g.bufs {
		f := &g.bufs[i]
		if f.kind == notFile && i < 64 && t.seen&(1<<i) != 0 || f.kind != notFile && w.file.f == nil {
			continue
		}
		n := 0
		for {
			var b []byte
			ok := false
			if f.kind != notFile {
				b, ok = w.file.buffer(f.kind, n)
			} else if tx != nil {
				b, ok = f.get(tx, n)
			}
			if !ok {
				break
			}
			if f.chain != 0 {
				b = w.apply(w.set.chains[f.chain], b)
			}
			base := 0
			if f.kind == fileData {
				base = int(min(w.file.at, math.MaxInt32/2)) // room to add to it in 32 bits
			}
			if f.filter != nil && w.fresh(t, f.filter.ScanAt(b, base, &w.scr)) {
				fresh = true
			}
			if f.names != nil && w.fresh(t, f.names.Lookup(b, &w.scr)) {
				fresh = true
			}
			if n++; n >= maxInstances {
				break
			}
		}
		if n > 0 && i < 64 {
			t.seen |= 1 << i
		}
	}
	if fresh {
		t.cand = append(t.cand, w.list...)
		slices.Sort(t.cand)
		t.cand = slices.Compact(t.cand)
	}
	if len(t.cand) == 0 && len(g.always) == 0 {
		return
	}
	cand, all := t.cand, g.always
	keep := t.cand[:0]
	for len(cand) > 0 || len(all) > 0 {
		var id uint32
		always := len(cand) == 0 || len(all) > 0 && all[0] < cand[0]
		if always {
			id, all = all[0], all[1:]
			if contains(t.matched, id) {
				continue
			}
		} else {
			id, cand = cand[0], cand[1:]
		}
		r := &w.set.rules[id]
		if r.flags&wholeTx != 0 {
			w.setDir(packet.ToServer) // its header is written from the client on
		}
		ok := !c.w.passed && c.matches(r) && w.buffers(id, r, app, d, tx, done)
		if ok {
			if !done {
				t.matched = append(t.matched, id)
			}
			w.found(id)
		}
		if r.flags&wholeTx != 0 {
			w.setDir(d)
		}
		if ok {
			continue
		}
		if !always {
			keep = append(keep, id)
		}
	}
	t.cand = keep
}

// offers reports that protocol app has all buffers of a rule in direction d.
func (w *Worker) offers(r *rule, app int, d packet.Dir) bool {
	for i := range r.bufs {
		b := &r.bufs[i]
		at := d
		if b.side != anySide {
			at = packet.Dir(b.side - 1)
		}
		if w.set.fileKind[b.buf] == notFile && w.set.get[app][at][b.buf] == nil {
			return false
		}
	}
	return true
}

// fresh adds the rules that are not yet candidates to the worker's list.
func (w *Worker) fresh(t *txDir, ids []uint32) (any bool) {
	for _, id := range ids {
		if !contains(t.cand, id) && !contains(t.matched, id) {
			w.list = append(w.list, id)
			any = true
		}
	}
	return any
}

// maxInstances bounds how many instances of a buffer are looked at.
const maxInstances = 256

// buffers tries every buffer of a rule.
func (w *Worker) buffers(id uint32, r *rule, app int, d packet.Dir, tx proto.Tx, done bool) bool {
	if r.vars {
		w.ins.ClearVars()
	}
	w.ins.Start = 0
	for i := range r.bufs {
		b := &r.bufs[i]
		if b.side != anySide {
			d = packet.Dir(b.side - 1)
		}
		get := w.set.get[app][d]
		ok, n := false, 0
		for n < maxInstances {
			var data []byte
			there := false
			kind := w.set.fileKind[b.buf]
			if kind != notFile {
				data, there = w.file.buffer(kind, n)
				w.ins.Start = 0
				if kind == fileData {
					w.ins.Start = w.file.at
				}
			} else if tx != nil {
				data, there = get[b.buf](tx, n)
				w.ins.Start = 0
			}
			if !there {
				break
			}
			n++
			if b.prog == nil {
				ok = !b.neg
				break
			}
			if b.chain != 0 {
				data = w.apply(w.set.chains[b.chain], data)
			}
			if b.prog.DCE() {
				w.byteOrder(tx, d)
			}
			match := b.prog.Match(data, &w.ins)
			w.ins.HasDCE = false
			if match {
				w.captured()
				ok = true
				break
			}
			if r.flags&traced != 0 {
				w.traceData(i+1, data)
			}
		}
		if n == 0 && b.neg && done {
			ok = true
		}
		if !ok {
			return false
		}
	}
	if r.payload == nil {
		return true
	}
	return w.c.fs.sawRaw(id) || w.payload(r, d)
}

// byteOrder gives the byte order of a remote call to programs that ask for it.
func (w *Worker) byteOrder(tx proto.Tx, d packet.Dir) {
	o, ok := tx.(interface{ BigEndian(packet.Dir) bool })
	w.ins.DCE, w.ins.HasDCE = inspect.LittleEndian, ok
	if ok && o.BigEndian(d) {
		w.ins.DCE = inspect.BigEndian
	}
}

// payload tries the payload options of a rule that also names buffers: on the
// stream as far as it is kept, or on the packet.
func (w *Worker) payload(r *rule, d packet.Dir) bool {
	c := &w.c
	if c.proto == packet.ProtoTCP && c.fs != nil && r.flags&needStream != 0 {
		if s := &c.fs.dir[d]; len(s.buf) > 0 {
			w.ins.Start = s.base
			ok := r.payload.Match(s.buf, &w.ins)
			w.ins.Start = 0
			if ok {
				return true
			}
		}
	}
	return c.p != nil && len(c.p.Payload) > 0 && r.payload.Match(c.p.Payload, &w.ins)
}

// Event tells of a violation of a protocol by its name, such as
// "line_too_long" of "http", and of who sent it.
func (w *Worker) Event(app, name string, from packet.Dir) {
	c := &w.c
	ids := w.set.events[eventKey{app, name}]
	if len(ids) == 0 || !w.active || c.f == nil || w.let() {
		return
	}
	w.packetRules()
	c.app |= w.appOf(c.f)
	kd, ks, kt, ksp, kdp := c.d, c.src, c.dst, c.sp, c.dp
	for _, id := range ids {
		r := &w.set.rules[id]
		if r.flags&ofRequest != 0 && from != packet.ToServer || r.flags&ofResponse != 0 && from != packet.ToClient {
			continue
		}
		if len(r.bufs) > 0 || r.payload != nil {
			c.flowState().note(id) // it asks for more
			continue
		}
		if r.flags&toServer != 0 {
			w.setDir(packet.ToServer)
		} else if r.flags&toClient != 0 {
			w.setDir(packet.ToClient)
		}
		if c.matches(r) {
			w.found(id)
		}
	}
	c.d, c.src, c.dst, c.sp, c.dp = kd, ks, kt, ksp, kdp
}
