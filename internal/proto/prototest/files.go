package prototest

import (
	"fmt"
	"testing"

	"github.com/yamori-net/yamori/internal/proto"
)

// Files gathers the files that a parser hands over and checks the contract of
// proto.File on the way.
type Files struct {
	T    testing.TB
	List []*GotFile
	// Enough refuses more data of a file once it has this many bytes; zero:
	// never.
	Enough int
}

// GotFile is one file.
type GotFile struct {
	Dir       string // ">" to the server, "<" to the client
	Name      string
	Content   string // without what is missing
	Size      uint64
	Gap       bool
	Truncated bool
	Done      bool
	TxID      uint64
	f         *proto.File
}

// String is `> "name" 12 bytes`, with "gap", "cut" and "open" where they apply.
func (g *GotFile) String() string {
	s := fmt.Sprintf("%s %q %d bytes", g.Dir, g.Name, g.Size)
	if g.Gap {
		s += " gap"
	}
	if g.Truncated {
		s += " cut"
	}
	if !g.Done {
		s += " open"
	}
	return s
}

// OnFile is for Options.
func (l *Files) OnFile(f *proto.File) {
	g, _ := f.Listener.(*GotFile)
	if g == nil {
		if f.Offset != 0 && !f.Gap {
			l.T.Errorf("the first piece of %q is at %d", f.Name, f.Offset)
		}
		if int(f.ID) != len(l.List) {
			l.T.Errorf("file %q has number %d, want %d", f.Name, f.ID, len(l.List))
		}
		g = &GotFile{Dir: string("><"[f.Dir]), Name: string(f.Name), TxID: f.TxID, f: f}
		f.Listener = g
		l.List = append(l.List, g)
	}
	switch {
	case g.Done:
		l.T.Errorf("%v: a piece after its end", g)
	case g.f != f:
		l.T.Errorf("%v: moved", g)
	case string(f.Name) != g.Name:
		l.T.Errorf("%v: renamed %q", g, f.Name)
	case !f.Gap && l.Enough == 0 && f.Offset != uint64(len(g.Content)):
		l.T.Errorf("%v: a piece at %d", g, f.Offset)
	case f.Offset < g.Size:
		l.T.Errorf("%v: a piece at %d", g, f.Offset)
	case !f.Done && len(f.Data) == 0:
		l.T.Errorf("%v: an empty piece", g)
	}
	g.Content += string(f.Data)
	g.Size, g.Gap, g.Truncated, g.Done = f.Size, f.Gap, f.Truncated, f.Done
	if !f.Done && f.Size != f.Offset+uint64(len(f.Data)) {
		l.T.Errorf("%v: size %d after %d bytes at %d", g, f.Size, len(f.Data), f.Offset)
	}
	if l.Enough > 0 && g.Size >= uint64(l.Enough) {
		f.Enough = true
	}
}

// Lines is String of each file.
func (l *Files) Lines() []string {
	var out []string
	for _, g := range l.List {
		out = append(out, g.String())
	}
	return out
}

// Check fails unless the files are the wanted ones, by String, and all closed.
func (l *Files) Check(want ...string) {
	l.T.Helper()
	got := l.Lines()
	if len(got) != len(want) {
		l.T.Errorf("files %q, want %q", got, want)
		return
	}
	for i := range got {
		if got[i] != want[i] {
			l.T.Errorf("file %d is %s, want %s", i, got[i], want[i])
		}
	}
}
