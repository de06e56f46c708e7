package match

import (
	"strconv"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/match/inspect"
	"github.com/yamori-net/yamori/internal/match/inspect/pcre"
)

// TestNoteBounds reaches the bounds on what rules take out of traffic.
func TestNoteBounds(t *testing.T) {
	w := &Worker{}
	for i := range 2 * maxNotes {
		w.note(note{kind: pcre.CaptureAlert, name: strconv.Itoa(i)})
	}
	if len(w.notes) != maxNotes {
		t.Errorf("%d notes", len(w.notes))
	}
	w.forgetNotes()
	w.ins.Captures = []inspect.Capture{{Kind: pcre.CaptureAlert, Name: "long", Data: []byte(strings.Repeat("x", 2*maxNote))}}
	w.captured()
	if n := len(w.noteText); n != maxNote {
		t.Errorf("a note of %d bytes", n)
	}
	f := &Flow{}
	for i := range 2 * MaxFlowVars {
		f.setVar(strconv.Itoa(i), []byte("x"))
	}
	f.setVar("0", []byte("y"))
	if len(f.vars) != MaxFlowVars || f.vars[0].value != "y" {
		t.Errorf("%d variables, the first is %q", len(f.vars), f.vars[0].value)
	}
	if f.reset(0); len(f.vars) != 0 {
		t.Error("a flow's variables outlive it")
	}
}
