package engine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/files"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// A flow that was announced is parsed by its protocol whatever its content
// says; others with the same content are not.
func TestExpectedFlow(t *testing.T) {
	w := newWorld(t, nil, alpha)
	w.e.expects.add(&proto.Expected{Proto: "alpha", Client: addr(192, 168, 1, 2), Server: addr(192, 0, 2, 1), Port: 9}, w.now)
	w.open(8)
	w.c(8, "anything\n")
	w.open(9)
	w.c(9, "anything\n")
	w.done(ev("alpha", ">anything"), "flow failed", "flow alpha")
}

func addr(b ...byte) packet.Addr { return packet.AddrFrom4(b) }

func TestExpectations(t *testing.T) {
	var e expectations
	a, b := addr(192, 0, 2, 1), addr(192, 0, 2, 2)
	x := proto.Expected{Proto: "p", Client: a, Server: b, Port: 1, Name: []byte("one")}
	e.add(&x, 0)
	x.Verb, x.Name = "RETR", []byte("two") // said again, with more
	e.add(&x, 1)
	x.Name[0] = 'X'
	if e.take(b, a, 1, 2) != nil || e.take(a, b, 2, 2) != nil {
		t.Error("another flow was expected")
	}
	if g := e.take(a, b, 1, 2); g == nil || string(g.Name) != "two" || g.Verb != "RETR" {
		t.Errorf("%+v", g)
	}
	if e.take(a, b, 1, 2) != nil || e.n.Load() != 0 {
		t.Error("expected twice")
	}
	e.add(&x, 0)
	if e.take(a, b, 1, expectTime+1) != nil {
		t.Error("expected for ever")
	}
	for i := range maxExpected + 10 {
		x.Port = uint16(1000 + i)
		e.add(&x, 5)
		if len(e.table) > maxExpected || len(e.order) > maxExpected {
			t.Fatalf("%d flows expected", len(e.table))
		}
	}
	if e.take(a, b, 1000, 6) != nil || e.take(a, b, uint16(1000+maxExpected+9), 6) == nil {
		t.Error("not the oldest was given up")
	}
	x.Port = 1
	e.add(&x, 5+2*expectTime) // the others are too old
	if len(e.table) != 1 || len(e.order) != 1 || e.n.Load() != 1 {
		t.Errorf("%d, %d, %d left", len(e.table), len(e.order), e.n.Load())
	}
}

// carrier is a protocol each line of which is a file: its name, and content.
// The name "open" leaves it open.
type carrier struct {
	lineParser
	file proto.File
}

func (p *carrier) Parse(c *proto.Conn, d packet.Dir, b []byte) (int, error) {
	n := strings.LastIndexByte(string(b), '\n') + 1
	for line := range strings.Lines(string(b[:n])) {
		name, content, _ := strings.Cut(strings.TrimSpace(line), " ")
		if p.file.IsOpen() { // forgotten, as a faulty parser might
			p.file = proto.File{}
		}
		if c.WantFiles {
			c.OpenFile(&p.file, d, []byte(name), &lineTx{"alpha", []byte(line[:1])}, 7)
			c.FileData(&p.file, []byte(content))
		}
		if name == "panic" {
			panic("as asked")
		}
		if name != "open" {
			c.CloseFile(&p.file, name == "cut")
		}
	}
	return n, nil
}

func filesWorld(t *testing.T, mod func(*Config)) *world {
	return newWorld(t, func(c *Config) {
		c.Protocols[0].New = func() proto.Parser { return &carrier{} }
		if mod != nil {
			mod(c)
		}
	}, alpha)
}

func TestFileInfo(t *testing.T) {
	w := filesWorld(t, func(c *Config) {
		c.Events = append(c.Events, event.FileInfo)
		c.Files.Want = files.MD5
	})
	w.open(9)
	w.c(9, "ALPHA hello\ncut hello\nempty\n")
	w.s(9, "open x\n")
	info := func(tx, rest string) string {
		return `"alpha":{"line":"` + tx + `"},"fileinfo":{"filename":` + rest + `,"tx_id":7}`
	}
	w.done(info("A", `"ALPHA","magic":"ASCII text","gaps":false,"state":"CLOSED","md5":"5d41402abc4b2a76b9719d911017c592","stored":false,"size":5`),
		info("c", `"cut","magic":"ASCII text","gaps":false,"state":"TRUNCATED","stored":false,"size":5`),
		info("e", `"empty","gaps":false,"state":"CLOSED","md5":"d41d8cd98f00b204e9800998ecf8427e","stored":false,"size":0`),
		"flow alpha")
	if k := w.e.Workers[0]; k.files.Live() != 0 || k.n.Files != 4 {
		t.Errorf("%d files left, %d counted", k.files.Live(), k.n.Files)
	}
}

// Without listeners parsers are told so, and no file is followed.
func TestFilesUnwanted(t *testing.T) {
	w := filesWorld(t, nil)
	w.open(9)
	w.c(9, "ALPHA hello\n")
	w.done("flow alpha")
	if w.e.Workers[0].files != nil {
		t.Error("files are followed")
	}
}

// What a faulty parser leaves open, and what a panic leaves behind, is let go.
func TestFilesLetGo(t *testing.T) {
	w := filesWorld(t, func(c *Config) { c.Files = files.Config{Want: files.Inspect, Tracks: 5} })
	for i := range uint16(20) {
		w.open(100 + i)
		w.c(100+i, "ALPHA x\nopen "+strings.Repeat("x", 3000)+"\nopen y\npanic\n")
	}
	if w.panics != 20 {
		t.Errorf("%d panics", w.panics)
	}
	k := w.e.Workers[0]
	if k.files.Live() != 0 || k.files.Used() != 0 {
		t.Errorf("%d files, %d bytes left", k.files.Live(), k.files.Used())
	}
	for i := range 10 {
		w.open(200)
		w.c(200, fmt.Sprintf("ALPHA x\n%sopen y\n", strings.Repeat("open x\n", i)))
	}
	if k.n.FilesUnseen == 0 || k.files.Live() != 5 {
		t.Errorf("%d files followed, %d not", k.files.Live(), k.n.FilesUnseen)
	}
	w.e.Close()
	if k.files.Live() != 0 {
		t.Errorf("%d files left", k.files.Live())
	}
}
