package match

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
)

// Suricata's prefixes of flowbits that are not told as such but as the member
// "traffic" of alerts and flows.
const (
	trafficID    = "traffic/id/"
	trafficLabel = "traffic/label/"
)

// variables appends to Worker.bodies what is told of a packet's and its flow's
// variables when an alert is.
func (w *Worker) variables(a *Alert) span {
	if w.c.fs == nil || !w.c.fs.hasMeta() {
		return a.vars
	}
	lo := len(w.bodies)
	w.bodies = w.appendTraffics(w.bodies, w.c.fs)
	a.traffic = span{lo, len(w.bodies)}
	lo = len(w.bodies)
	w.bodies = append(w.bodies, w.bodies[a.vars.lo:a.vars.hi]...)
	w.bodies = w.appendMeta(w.bodies, lo, w.c.fs)
	return span{lo, len(w.bodies)}
}

// FlowMeta appends what rules have noted of a flow: members of "metadata", and
// those of "traffic". Nothing is appended when there is nothing.
func (w *Worker) FlowMeta(meta, traffic []byte, f *flow.Flow) (m, t []byte) {
	fs := w.current(f)
	if fs == nil || !fs.hasMeta() {
		return meta, traffic
	}
	return w.appendMeta(meta, len(meta), fs), w.appendTraffics(traffic, fs)
}

func (f *Flow) hasMeta() bool {
	return len(f.vars) > 0 || len(f.ints) > 0 || slices.ContainsFunc(f.bits, func(b uint64) bool { return b != 0 })
}

// appendMeta appends members as Suricata names them; what begins at lo comes
// before.
func (w *Worker) appendMeta(b []byte, lo int, f *Flow) []byte {
	at := 0
	f.eachBit(func(id uint32) {
		name := w.nameOf(kindFlowbit, id)
		if name == "" || strings.HasPrefix(name, trafficID) || strings.HasPrefix(name, trafficLabel) {
			return
		}
		if at == 0 {
			b = append(comma(b, lo), `"flowbits":[`...)
			at = len(b)
		}
		b = event.AppendString(comma(b, at), name)
	})
	b = closed(b, at, ']')
	at = 0
	for _, v := range f.ints {
		name := w.nameOf(kindFlowint, v.id)
		if name == "" {
			continue
		}
		if at == 0 {
			b = append(comma(b, lo), `"flowints":{`...)
			at = len(b)
		}
		b = append(event.AppendString(comma(b, at), name), ':')
		b = strconv.AppendUint(b, uint64(v.v), 10)
	}
	b = closed(b, at, '}')
	at = 0
	for i := range f.vars {
		v := &f.vars[i]
		if v.isNum {
			continue
		}
		if at == 0 {
			b = append(comma(b, lo), `"flowvars":[`...)
			at = len(b)
		}
		b = appendVar(b, at, v.name, v.value)
	}
	b = closed(b, at, ']')
	at = 0
	for i := range f.vars {
		v := &f.vars[i]
		if !v.isNum {
			continue
		}
		if at == 0 {
			b = append(comma(b, lo), `"entropy":{`...)
			at = len(b)
		}
		b = append(event.AppendString(comma(b, at), v.name), ':')
		b = strconv.AppendFloat(b, v.num, 'g', -1, 64)
	}
	return closed(b, at, '}')
}

func (w *Worker) appendTraffics(b []byte, f *Flow) []byte {
	lo := len(b)
	return w.appendTraffic(w.appendTraffic(b, lo, f, "id", trafficID), lo, f, "label", trafficLabel)
}

func (w *Worker) appendTraffic(b []byte, lo int, f *Flow, key, prefix string) []byte {
	at := 0
	f.eachBit(func(id uint32) {
		name, ok := strings.CutPrefix(w.nameOf(kindFlowbit, id), prefix)
		if !ok {
			return
		}
		if at == 0 {
			b = append(event.AppendString(comma(b, lo), key), ':', '[')
			at = len(b)
		}
		b = event.AppendString(comma(b, at), name)
	})
	return closed(b, at, ']')
}

// closed ends what began at at, if it did.
func closed(b []byte, at int, c byte) []byte {
	if at > 0 {
		b = append(b, c)
	}
	return b
}

func (f *Flow) eachBit(do func(id uint32)) {
	for i, b := range f.bits {
		for ; b != 0; b &= b - 1 {
			do(uint32(i)*64 + uint32(bits.TrailingZeros64(b)))
		}
	}
}

// nameOf is the name of a number, "" when no rule of the set has it. The list is
// made when first needed: names are immutable once a set is compiled.
func (w *Worker) nameOf(kind int, id uint32) string {
	if w.nameGen != w.set.gen {
		w.nameGen, w.nameList = w.set.gen, [2][]string{}
	}
	n := w.set.names
	l := w.nameList[kind]
	if l == nil {
		l = make([]string, n.count(kind))
		for name, i := range n.of[kind] {
			l[i-n.base[kind]] = name
		}
		w.nameList[kind] = l
	}
	if i := id - n.base[kind]; int64(i) < int64(len(l)) {
		return l[i]
	}
	return ""
}
