package match

import (
	"slices"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/match/inspect/pcre"
)

// Limits of what rules take out of traffic for their alerts: groups of pcre
// with alert:, flow: and pkt:, and entries of data sets in JSON.
const (
	maxNotes    = 16   // of one match
	maxNote     = 1024 // bytes of one; what is longer is cut off
	MaxFlowVars = 16   // variables of a flow
)

// note is a piece of the match at hand.
type note struct {
	kind pcre.CaptureKind
	name string
	text span   // in Worker.noteText
	json string // an entry of a data set, instead of text
}

// flowVar is a variable of a flow: text, or a number that a keyword has worked out.
type flowVar struct {
	name, value string
	num         float64
	isNum       bool
}

// forgetNotes begins a rule, and ends one that matched.
func (w *Worker) forgetNotes() {
	clear(w.notes) // entries belong to a set
	w.notes, w.noteText = w.notes[:0], w.noteText[:0]
}

// note keeps n, in the place of another of its name.
func (w *Worker) note(n note) {
	i := slices.IndexFunc(w.notes, func(o note) bool { return o.kind == n.kind && o.name == n.name })
	switch {
	case i >= 0:
		w.notes[i] = n
	case len(w.notes) < maxNotes:
		w.notes = append(w.notes, n)
	}
}

// captured keeps what the last program that matched took.
func (w *Worker) captured() {
	for i := range w.ins.Captures {
		c := &w.ins.Captures[i]
		lo := len(w.noteText)
		w.noteText = append(w.noteText, c.Data[:min(len(c.Data), maxNote)]...)
		w.note(note{kind: c.Kind, name: c.Name, text: span{lo, len(w.noteText)}})
	}
}

// annotate puts the notes of a rule that matched into its alert, and variables of
// the flow into its state.
func (w *Worker) annotate(a *Alert) {
	for i := range w.notes {
		if n := &w.notes[i]; n.kind == pcre.CaptureFlow {
			if fs := w.c.flowState(); fs != nil {
				fs.setVar(n.name, w.noteText[n.text.lo:n.text.hi])
			}
		}
	}
	lo := len(w.bodies)
	for i := range w.notes {
		if n := &w.notes[i]; n.kind == pcre.CaptureAlert {
			w.bodies = comma(w.bodies, lo)
			w.bodies = event.AppendString(w.bodies, n.name)
			w.bodies = append(w.bodies, ':')
			if n.json != "" {
				w.bodies = append(w.bodies, n.json...)
			} else {
				w.bodies = event.AppendString(w.bodies, string(w.noteText[n.text.lo:n.text.hi]))
			}
		}
	}
	a.context = span{lo, len(w.bodies)}
	lo = len(w.bodies)
	at := 0
	for i := range w.notes {
		if n := &w.notes[i]; n.kind == pcre.CapturePacket {
			if at == 0 {
				w.bodies = append(w.bodies, `"pktvars":[`...)
				at = len(w.bodies)
			}
			w.variable(at, n.name, string(w.noteText[n.text.lo:n.text.hi]))
		}
	}
	if at > 0 {
		w.bodies = append(w.bodies, ']')
	}
	a.vars = span{lo, len(w.bodies)}
}

// variable appends {"name":"value"} to the list that began at at.
func (w *Worker) variable(at int, name, value string) {
	w.bodies = appendVar(w.bodies, at, name, value)
}

func appendVar(b []byte, at int, name, value string) []byte {
	b = append(comma(b, at), '{')
	b = append(event.AppendString(b, name), ':')
	return append(event.AppendString(b, value), '}')
}

// comma parts what follows from what begins at lo.
func comma(b []byte, lo int) []byte {
	if len(b) > lo {
		return append(b, ',')
	}
	return b
}

// setVar keeps a variable of the flow.
func (f *Flow) setVar(name string, value []byte) {
	for i := range f.vars {
		if !f.vars[i].isNum && f.vars[i].name == name {
			f.vars[i].value = string(value)
			return
		}
	}
	if len(f.vars) < MaxFlowVars {
		f.vars = append(f.vars, flowVar{name: name, value: string(value)})
	}
}

// setNum keeps a number of the flow.
func (f *Flow) setNum(name string, v float64) {
	for i := range f.vars {
		if o := &f.vars[i]; o.isNum && o.name == name {
			o.num = v
			return
		}
	}
	if len(f.vars) < MaxFlowVars {
		f.vars = append(f.vars, flowVar{name: name, num: v, isNum: true})
	}
}
