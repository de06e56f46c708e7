package smb

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

func fid(i int) string { return fmt.Sprintf("FILEID%010d", i) }

// open2 creates file i by that name.
func fileOpen(mid, i int, name string) []prototest.Part {
	n := wide(name)
	return []prototest.Part{
		c(head2(cmd2Create, 0, 0, mid, 0) + u16(57) + "\x00\x00" + u32(2, 0, 0, 0, 0, 0x12019f, 0x80, 7, 1, 0) + u16(120, len(n)) + u32(0, 0) + n),
		s(head2(cmd2Create, 1, 0, mid, 0) + u16(89) + "\x00\x00" + u32(1) + u32(0, 0, 0, 0, 0, 0, 0, 0) + u32(8, 0) + u32(99, 0) + u32(0x80, 0) + fid(i) + u32(0, 0)),
	}
}

func fileWrite(mid, i, off int, data string) prototest.Part {
	return c(head2(cmd2Write, 0, 0, mid, 0) + u16(49, 112) + u32(len(data)) + u32(off, 0) + fid(i) + u32(0, 0) + u16(0, 0) + u32(0) + data)
}

func fileRead(mid, i, off, n int) prototest.Part {
	return c(head2(cmd2Read, 0, 0, mid, 0) + u16(49, 0x50) + u32(n) + u32(off, 0) + fid(i) + u32(0, 0, 0, 0) + "\x00")
}

func fileData(mid int, data string) prototest.Part {
	return s(head2(cmd2Read, 1, 0, mid, 0) + u16(17, 80) + u32(len(data), 0, 0) + data)
}

func fileClose(mid, i int) prototest.Part {
	return c(head2(cmd2Close, 0, 0, mid, 0) + u16(24, 0) + u32(0) + fid(i))
}

func treeConnect(mid int, share string, kind byte) []prototest.Part {
	n := wide(share)
	return []prototest.Part{
		c(head2(cmd2TreeConnect, 0, 0, mid, 0) + u16(9, 0, 72, len(n)) + n),
		s(head2(cmd2TreeConnect, 1, 0, mid, 0) + u16(16) + string([]byte{kind, 0}) + u32(0, 0, 0)),
	}
}

func together(parts ...any) (out []prototest.Part) {
	for _, p := range parts {
		switch p := p.(type) {
		case prototest.Part:
			out = append(out, p)
		case []prototest.Part:
			out = append(out, p...)
		}
	}
	return out
}

func TestFiles(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 3000) // 48 kB, beyond every prefix kept
	half := len(long) / 2
	tests := []struct {
		name  string
		parts []prototest.Part
		want  []string
		text  string
	}{
		{"written", together(fileOpen(1, 1, "a.tx"), fileWrite(2, 1, 0, long[:half]), fileWrite(3, 1, half, long[half:]), fileClose(4, 1)),
			[]string{`> "a.tx" 48000 bytes`}, long},
		{"read", together(fileOpen(1, 1, "a.tx"), fileRead(2, 1, 0, 24000), fileData(2, long[:half]), fileRead(3, 1, half, 24000), fileData(3, long[half:]), fileClose(4, 1)),
			[]string{`< "a.tx" 48000 bytes`}, long},
		{"answers out of order", together(fileOpen(1, 1, "a.tx"), fileRead(2, 1, 0, 10), fileRead(3, 1, 10, 24000), fileRead(4, 1, 24010, 5),
			fileData(4, "tail!"), fileData(3, long[:24000]), fileData(2, "first ten."), fileClose(5, 1)),
			[]string{`< "a.tx" 24015 bytes`}, "first ten." + long[:24000] + "tail!"},
		{"read twice", together(fileOpen(1, 1, "a.tx"), fileRead(2, 1, 0, 6), fileData(2, "abcdef"), fileRead(3, 1, 2, 6), fileData(3, "cdefgh"), fileClose(4, 1)),
			[]string{`< "a.tx" 8 bytes`}, "abcdefgh"},
		{"the beginning is not read", together(fileOpen(1, 1, "a.tx"), fileRead(2, 1, 100, 3), fileData(2, "abc"), fileClose(3, 1)),
			[]string{`< "a.tx" 103 bytes gap cut`}, "abc"},
		{"read and written", together(fileOpen(1, 1, "a.tx"), fileRead(2, 1, 0, 3), fileData(2, "old"), fileWrite(3, 1, 0, "new"), fileClose(4, 1)),
			[]string{`< "a.tx" 3 bytes`, `> "a.tx" 3 bytes`}, "oldnew"},
		{"not closed", together(fileOpen(1, 1, "a.tx"), fileWrite(2, 1, 0, "abc")), []string{`> "a.tx" 3 bytes cut`}, "abc"},
		{"opened unseen", together(fileWrite(2, 1, 0, "abc"), fileClose(3, 1)), []string{`> "" 3 bytes`}, "abc"},
		{"two at a time", together(fileOpen(1, 1, "a.tx"), fileOpen(2, 2, "b.tx"), fileWrite(3, 1, 0, "aa"), fileWrite(4, 2, 0, "bb"), fileWrite(5, 1, 2, "AA"), fileClose(6, 2), fileClose(7, 1)),
			[]string{`> "a.tx" 4 bytes`, `> "b.tx" 2 bytes`}, "aaAAbb"},
		{"a pipe is no file", together(treeConnect(1, `\\nas\IPC$`, 2), fileOpen(2, 1, "lsarpc"), fileWrite(3, 1, 0, "abc"), fileClose(4, 1)), nil, ""},
		{"a disk is", together(treeConnect(1, `\\nas\disk`, 1), fileOpen(2, 1, "x.tx"), fileWrite(3, 1, 0, "abc"), fileClose(4, 1)), []string{`> "x.tx" 3 bytes`}, "abc"},
	}
	for _, tt := range tests {
		for seed := range uint64(10) {
			parts := tt.parts
			if seed > 0 {
				parts = prototest.Split(seed, parts...)
			}
			l := &prototest.Files{T: t}
			r := prototest.Drive(Protocol, prototest.Options{OnFile: l.OnFile}, parts...)
			text := ""
			for _, g := range l.List {
				text += g.Content
			}
			if fmt.Sprint(l.Lines()) != fmt.Sprint(tt.want) || text != tt.text || r.Err != nil {
				t.Errorf("%s, seed %d: %q, want %q; %d bytes, want %d; %v", tt.name, seed, l.Lines(), tt.want, len(text), len(tt.text), r.Err)
				break
			}
		}
	}
}

func TestFileGap(t *testing.T) {
	w := fileWrite(2, 1, 0, strings.Repeat("x", 3000))
	l := &prototest.Files{T: t}
	prototest.Drive(Protocol, prototest.Options{OnFile: l.OnFile}, together(fileOpen(1, 1, "a.tx"),
		prototest.Part{Dir: packet.ToServer, Data: w.Data[:2000]}, prototest.Part{Dir: packet.ToServer, Gap: 500, Data: w.Data[2500:]},
		fileWrite(3, 1, 3000, "end"), fileClose(4, 1))...)
	l.Check(`> "a.tx" 3003 bytes gap cut`)
}

func TestFileLimits(t *testing.T) {
	t.Run("open files", func(t *testing.T) {
		var parts []prototest.Part
		for i := range maxOpen + 1 {
			parts = append(parts, fileOpen(2*i, i, fmt.Sprintf("%04d", i))...)
			parts = append(parts, fileWrite(2*i+1, i, 0, "x"))
		}
		l := &prototest.Files{T: t}
		cut := false
		prototest.Drive(Protocol, prototest.Options{OnFile: func(f *proto.File) {
			l.OnFile(f)
			cut = cut || f.Done && string(f.Name) == "0000" && len(l.List) == maxOpen
		}}, parts...)
		if !cut || len(l.List) != maxOpen+1 {
			t.Errorf("%d files, the first cut off when the last began: %v", len(l.List), cut)
		}
	})
	t.Run("pieces ahead", func(t *testing.T) {
		parts := fileOpen(1, 1, "a.tx")
		for i := range maxPieces + 2 {
			parts = append(parts, fileWrite(2+i, 1, 10*(i+1), "0123456789"))
		}
		l := &prototest.Files{T: t}
		prototest.Drive(Protocol, prototest.Options{OnFile: l.OnFile}, append(parts, fileClose(90, 1))...)
		l.Check(fmt.Sprintf(`> "a.tx" %d bytes gap cut`, 10+10*maxPieces))
	})
	t.Run("bytes ahead", func(t *testing.T) {
		p := Protocol.New().(*parser)
		conn := proto.Conn{Transport: proto.TCP, WantFiles: true, OnAnomaly: func(string) {}, OnTx: func(proto.Tx, bool) {}, OnFile: func(*proto.File) {}}
		for i := range 40 {
			p.Parse(&conn, packet.ToServer, fileWrite(2+i, 1, 1000+60000*i, strings.Repeat("x", 60000)).Data)
			if p.store.held > maxAhead || p.Size() > 2*maxAhead {
				t.Fatalf("%d bytes held, %d in all", p.store.held, p.Size())
			}
		}
		if p.store.held == 0 {
			t.Error("nothing held")
		}
		p.End(&conn)
		if p.store != nil {
			t.Error("kept after the end")
		}
	})
	t.Run("trees", func(t *testing.T) {
		p := Protocol.New().(*parser)
		s := p.files()
		for i := range 3 * maxTrees {
			s.connected(&Tx{Rsp: Header{TID: uint32(i)}, ShareType: 2})
		}
		if s.nTrees != maxTrees || s.treeOf(3*maxTrees-1) == nil {
			t.Errorf("%d trees", s.nTrees)
		}
	})
}

func TestFileNoAllocs(t *testing.T) {
	if prototest.Race {
		t.Skip("the race detector takes memory out of pools at random: allocations are not counted")
	}
	p := Protocol.New()
	n := 0
	conn := proto.Conn{Transport: proto.TCP, WantFiles: true, OnAnomaly: func(string) {}, OnTx: func(proto.Tx, bool) {}, OnFile: func(*proto.File) { n++ }}
	parts := together(fileOpen(1, 1, "a.tx"), fileRead(2, 1, 0, 10), fileRead(3, 1, 10, 9), fileData(3, "ahead of."), fileData(2, "first ten."), fileWrite(4, 1, 0, "abc"), fileClose(5, 1),
		s(head2(cmd2Close, 1, 0, 5, 0)+u16(60, 0)+u32(0)), s(head2(cmd2Write, 1, 0, 4, 0)+u16(17, 0)+u32(3, 0)))
	run := func() {
		for _, x := range parts {
			p.Parse(&conn, x.Dir, x.Data)
		}
	}
	run()
	if a := testing.AllocsPerRun(100, run); a > 0 || n == 0 {
		t.Errorf("%v allocations, %d pieces", a, n)
	}
}
