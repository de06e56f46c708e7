package pcapfile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/yamori-net/yamori/internal/capture"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

var _ capture.Source = (*Reader)(nil)

// got is a frame whose data were copied.
type got struct {
	time  int64
	data  string
	len   int
	link  packet.LinkType
	iface uint32
}

// drain reads everything.
func drain(r *Reader) ([]got, error) {
	var all []got
	var f packet.Frame
	for {
		err := r.Next(&f)
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, got{f.Time, string(f.Data), f.Len, f.Link, f.Iface})
	}
}

func gz(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func zst(b []byte) []byte {
	var out bytes.Buffer
	w, _ := zstd.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

const sec = 1_000_000_000

// variants are whole files and the frames in them.
func variants() map[string]struct {
	file []byte
	want []got
} {
	type v = struct {
		file []byte
		want []got
	}
	two := []got{{1*sec + 2000, "abc", 60, 1, 0}, {3*sec + 4000, "", 0, 1, 0}}
	nano := []got{{1*sec + 2, "abc", 60, 1, 0}, {3*sec + 4, "", 0, 1, 0}}
	m := map[string]v{
		"pcap little micro": {le().pcap(0xa1b2c3d4, 4, 1).rec(1, 2, 60, "abc").rec(3, 4, 0, "").b, two},
		"pcap big micro":    {be().pcap(0xa1b2c3d4, 4, 1).rec(1, 2, 60, "abc").rec(3, 4, 0, "").b, two},
		"pcap little nano":  {le().pcap(0xa1b23c4d, 4, 1).rec(1, 2, 60, "abc").rec(3, 4, 0, "").b, nano},
		"pcap big nano":     {be().pcap(0xa1b23c4d, 4, 1).rec(1, 2, 60, "abc").rec(3, 4, 0, "").b, nano},
		"pcap modified": {le().pcap(0xa1b2cd34, 4, 1).u32(1, 2, 3, 60, 7, 0).raw("abc").u32(3, 4, 0, 0, 8, 0).b,
			[]got{{1*sec + 2000, "abc", 60, 1, 7}, {3*sec + 4000, "", 0, 1, 8}}},
		"pcap modified big": {be().pcap(0xa1b2cd34, 4, 1).u32(1, 2, 3, 60, 7, 0).raw("abc").b,
			[]got{{1*sec + 2000, "abc", 60, 1, 7}}},
		"pcap 2.2, lengths swapped":         {le().pcap(0xa1b2c3d4, 2, 1).u32(1, 2, 60, 3).raw("abc").b, two[:1]},
		"pcap 2.3, lengths swapped":         {le().pcap(0xa1b2c3d4, 3, 1).u32(1, 2, 60, 3).raw("abc").b, two[:1]},
		"pcap 2.3, lengths straight":        {le().pcap(0xa1b2c3d4, 3, 1).u32(1, 2, 3, 60).raw("abc").b, two[:1]},
		"pcap no packets":                   {le().pcap(0xa1b2c3d4, 4, 1).b, nil},
		"pcap frame check sequence in link": {le().pcap(0xa1b2c3d4, 4, 0x24000001).rec(1, 2, 60, "abc").b, two[:1]},
		"pcap unknown link type":            {le().pcap(0xa1b2c3d4, 4, 189).rec(1, 2, 60, "abc").b, []got{{1*sec + 2000, "abc", 60, 189, 0}}},
		"pcap wire shorter than captured":   {le().pcap(0xa1b2c3d4, 4, 1).rec(1, 2, 1, "abc").b, []got{{1*sec + 2000, "abc", 3, 1, 0}}},
		"pcap last second, absurd fraction": {le().pcap(0xa1b2c3d4, 4, 1).rec(0xffffffff, 0xffffffff, 3, "abc").b,
			[]got{{0xffffffff*sec + 0xffffffff*1000, "abc", 3, 1, 0}}},
		"ng no packets": {le().shb().b, nil},
		"ng all packet blocks": {le().shb().idb(1, 0, nil).idb(101, 4, le().tsresol(9)).
			epb(0, 1_000_002, 60, "abc").epb(1, 5, 4, "wxyz").pb(1, 6, 9, "pq").spb(5, "hello").b,
			[]got{{1*sec + 2000, "abc", 60, 1, 0}, {5, "wxyz", 4, 101, 1}, {6, "pq", 9, 101, 1}, {6, "hello", 5, 1, 0}}},
		"ng big": {be().shb().idb(1, 0, nil).idb(101, 4, be().tsresol(9)).
			epb(0, 1_000_002, 60, "abc").epb(1, 5, 4, "wxyz").pb(1, 6, 9, "pq").spb(5, "hello").b,
			[]got{{1*sec + 2000, "abc", 60, 1, 0}, {5, "wxyz", 4, 101, 1}, {6, "pq", 9, 101, 1}, {6, "hello", 5, 1, 0}}},
		"ng simple cut by snap length": {le().shb().idb(1, 3, nil).spb(1500, "hel\x00").b, []got{{0, "hel", 1500, 1, 0}}},
		"ng simple longer than block":  {le().shb().idb(1, 0, nil).spb(1500, "hell").b, []got{{0, "hell", 1500, 1, 0}}},
		"ng unknown blocks": {le().shb().block(0xbad, []byte("custom")).idb(1, 0, nil).block(10, nil).block(5, make([]byte, 600<<10)).
			epb(0, 1_000_002, 60, "abc").block(0x80000001, []byte("x")).b, two[:1]},
		"ng version 1.2": {le().block(0x0a0d0d0a, le().u32(0x1a2b3c4d).u16(1, 2).u64(0).b).idb(1, 0, nil).epb(0, 1_000_002, 60, "abc").b, two[:1]},
		"ng options that overrun": {le().shb().idb(1, 0, le().u16(2, 0xffff).raw("eth0").b).epb(0, 1_000_002, 60, "abc").
			idb(1, 0, le().u16(9, 1).raw("\x09").b).epb(1, 8, 3, "abc").
			idb(1, 0, le().u16(9, 0).u16(14, 2).raw("\x01\x00\x00\x00").u16(9).b).epb(2, 8, 3, "abc").b,
			[]got{two[0], {8, "abc", 3, 1, 1}, {8000, "abc", 3, 1, 2}}},
		"ng option behind the end": {le().shb().idb(1, 0, le().u16(0, 0, 9, 1).raw("\x00").b).epb(0, 1_000_002, 60, "abc").b, two[:1]},
		"ng time offset": {le().shb().idb(1, 0, le().u16(14, 8).u64(100).u16(9, 1).raw("\x89\x00\x00\x00").b).epb(0, 513, 3, "abc").b,
			[]got{{101*sec + 1953125, "abc", 3, 1, 0}}},
	}
	mixed := le().shb().idb(1, 0, nil).idb(113, 0, nil).epb(1, 1, 1, "a")
	mixed.b = append(mixed.b, be().shb().idb(101, 0, nil).epb(0, 2, 1, "b").b...)
	mixed.b = append(mixed.b, le().shb().idb(276, 0, nil).spb(1, "c\x00\x00\x00").b...)
	m["ng sections of both byte orders"] = v{mixed.b,
		[]got{{1000, "a", 1, 113, 1}, {2000, "b", 1, 101, 2}, {2000, "c", 1, 276, 3}}}

	base := m["ng all packet blocks"]
	m["gzip"] = v{gz(base.file), base.want}
	m["zstd"] = v{zst(base.file), base.want}
	m["gzip in zstd"] = v{zst(gz(base.file)), base.want}
	m["four layers"] = v{gz(zst(gz(gz(base.file)))), base.want}
	m["gzip members"] = v{append(gz(base.file[:50]), gz(base.file[50:])...), base.want}
	m["zstd frames behind a skippable one"] = v{
		append(le().u32(0x184d2a53, 2).raw("hi").b, append(zst(base.file[:50]), zst(base.file[50:])...)...), base.want}
	return m
}

func equal(a, b []got) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestVariants(t *testing.T) {
	for name, v := range variants() {
		t.Run(name, func(t *testing.T) {
			all, err := drain(NewReader("x", bytes.NewReader(v.file)))
			if err != nil || !equal(all, v.want) {
				t.Errorf("got  %v, %v\nwant %v", all, err, v.want)
			}
			all, err = drain(NewReader("x", iotest.OneByteReader(bytes.NewReader(v.file))))
			if err != nil || !equal(all, v.want) {
				t.Errorf("byte by byte: got %v, %v\nwant %v", all, err, v.want)
			}
			all, err = drain(NewReader("x", iotest.DataErrReader(bytes.NewReader(v.file))))
			if err != nil || !equal(all, v.want) {
				t.Errorf("EOF with the last bytes: got %v, %v\nwant %v", all, err, v.want)
			}
		})
	}
}

// TestCutAnywhere cuts every variant at every byte: what is delivered is a
// prefix, and the error says that the end is missing.
func TestCutAnywhere(t *testing.T) {
	for name, v := range variants() {
		step := 1 + len(v.file)/400
		for n := 0; n < len(v.file); n += step {
			all, err := drain(NewReader("cut.pcap", bytes.NewReader(v.file[:n])))
			if len(all) > len(v.want) || !equal(all, v.want[:len(all)]) {
				t.Fatalf("%s cut at %d: got %v, not a prefix of %v", name, n, all, v.want)
			}
			if err == nil {
				continue // at the border of two records
			}
			var d *Damage
			if !errors.As(err, &d) || d.File != "cut.pcap" || d.What == "" || d.Offset > int64(n)<<10 {
				t.Fatalf("%s cut at %d: %v", name, n, err)
			}
			if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, ErrNotCapture) {
				t.Fatalf("%s cut at %d: cause %v in %v", name, n, d.Err, err)
			}
		}
	}
}

func TestDamage(t *testing.T) {
	head := func() *builder { return le().shb().idb(1, 0, nil).epb(0, 1, 1, "a") } // 28+20+48 bytes
	const at = 96
	pc := func() *builder { return le().pcap(0xa1b2c3d4, 4, 1).rec(1, 2, 1, "a") } // 24+17 bytes
	many := le().shb()
	for range MaxInterfaces + 1 {
		many.idb(1, 0, nil)
	}
	onion := head().b
	for range maxLayers + 1 {
		onion = gz(onion)
	}
	badCRC := gz(head().b)
	badCRC[len(badCRC)-8] ^= 0xff
	flip := zst(head().b)
	flip[len(flip)-1] ^= 0xff // content checksum, RFC 8878 section 3.1.1

	for _, c := range []struct {
		name   string
		file   []byte
		frames int
		offset int64
		want   string
	}{
		{"empty", nil, 0, 0, "the file is empty"},
		{"short", []byte{0xd4, 0xc3}, 0, 0, "file header of 4 bytes begins here, but only 2 are left"},
		{"text", []byte("GET / HTTP/1.1\r\n"), 0, 0, "not a capture file: it begins with 47 45 54 20"},
		{"xz", []byte("\xfd7zXZ\x00\x00\x04"), 0, 0, "xz -d"},
		{"snoop", []byte("snoop\x00\x00\x00\x00\x00\x00\x02"), 0, 0, "editcap"},
		{"pcap header cut", le().pcap(0xa1b2c3d4, 4, 1).b[:20], 0, 0, "only 20 are left"},
		{"pcap version", le().u32(0xa1b2c3d4).u16(3, 0).u32(0, 0, 0, 1).b, 0, 0, "version 3.0"},
		{"pcap record header cut", pc().u32(1, 2, 3).b, 1, 41, "packet header of 16 bytes begins here, but only 12 are left"},
		{"pcap packet cut", pc().u32(1, 2, 9, 9).raw("abc").b, 1, 41, "packet of 25 bytes begins here, but only 19 are left"},
		{"pcap packet too long", pc().u32(1, 2, MaxSnap+1, 9).raw("abc").b, 1, 41, "a packet of 16777217 bytes"},
		{"pcap largest packet cut", pc().u32(1, 2, MaxSnap, 9).raw("abc").b, 1, 41, "only 19 are left"},
		{"ng no byte order", le().u32(0x0a0d0d0a, 28, 0x11223344).b, 0, 0, "byte-order magic"},
		{"ng version", le().block(0x0a0d0d0a, le().u32(0x1a2b3c4d).u16(2, 0).u64(0).b).b, 0, 0, "version 2.0"},
		{"ng short section header", le().block(0x0a0d0d0a, le().u32(0x1a2b3c4d).u16(1, 0).b).b, 0, 0, "section header of 20 bytes is too short"},
		{"ng second section broken", head().u32(0x0a0d0d0a, 28, 1, 0, 0, 0, 28).b, 1, at, "byte-order magic"},
		{"ng length zero", head().u32(6, 0, 0).b, 1, at, "impossible length 0"},
		{"ng length odd", head().u32(6, 13, 0, 0).b, 1, at, "impossible length 13"},
		{"ng length huge", head().u32(6, 0xfffffffc, 0).b, 1, at, "more than the 16842752 accepted"},
		{"ng unknown block huge", head().u32(99, 0xfffffffc, 0).b, 1, at, "block of type 0x63"},
		{"ng unknown block lengths differ", head().u32(99, 12, 16).b, 1, at, "12 bytes at its begin and 16 at its end"},
		{"ng lengths differ", head().u32(3, 16, 0, 12).b, 1, at, "16 bytes at its begin and 12 at its end"},
		{"ng block cut", head().u32(6, 64, 0).b, 1, at, "block of 64 bytes begins here, but only 12 are left"},
		{"ng head cut", head().u32(6, 64).b, 1, at, "block of 12 bytes begins here, but only 8 are left"},
		{"ng unknown block cut", head().u32(99, 64, 0).b, 1, at, "block of type 0x63 of 64 bytes begins here, but only 12 are left"},
		{"ng unknown block cut in its last length", head().u32(99, 16, 0).raw("\x10").b, 1, at, "but only 13 are left"},
		{"ng unknown interface", head().epb(1, 1, 1, "a").b, 1, at, "interface 1, but the section describes 1"},
		{"ng interface of the section before", append(head().b, be().shb().epb(0, 1, 1, "a").b...), 1, at + 28, "describes 0"},
		{"ng simple without interface", le().shb().spb(1, "a").b, 0, 28, "describes no interface"},
		{"ng short interface", head().block(1, []byte{1, 0, 0, 0}).b, 1, at, "interface description of 16 bytes"},
		{"ng short enhanced", head().block(6, make([]byte, 16)).b, 1, at, "enhanced packet block of 28 bytes"},
		{"ng short obsolete", head().block(2, make([]byte, 16)).b, 1, at, "packet block of 28 bytes"},
		{"ng short simple", head().block(3, nil).b, 1, at, "simple packet block of 12 bytes"},
		{"ng packet beyond block", head().block(6, le().u32(0, 0, 0, 5, 5).raw("abcd").b).b, 1, at, "5 bytes in a block that has room for 4"},
		{"ng packet too long", head().block(6, le().u32(0, 0, 0, MaxSnap+1, 5).raw("abcd").b).b, 1, at, "16777217 bytes"},
		{"ng packet length wraps", head().block(2, le().u32(0, 0, 0, 0xffffffff, 5).raw("abcd").b).b, 1, at, "4294967295 bytes"},
		{"ng too many interfaces", many.b, 0, 28 + 20*MaxInterfaces, "more than 4096 interfaces"},
		{"too many layers", onion, 0, 0, "more than 4 compressions"},
		{"gzip cut", gz(head().b)[:30], 0, 0, "the compressed data end early"},
		{"gzip header cut", gz(head().b)[:2], 0, 0, "the compressed data end early"},
		{"gzip check sum", badCRC, 1, at, "of the data inside gzip"},
		{"gzip trailing rubbish", append(gz(head().b), "rubbish rubbish"...), 1, at, "cannot read or decompress further"},
		{"zstd check sum", flip, 0, 0, "of the data inside zstd"},
		{"cut inside gzip in zstd", zst(gz(head().u32(6, 64).b)), 1, at, "inside zstd+gzip: block of 12"},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, err := drain(NewReader("f.pcap", bytes.NewReader(c.file)))
			var d *Damage
			if !errors.As(err, &d) {
				t.Fatalf("error %v, not a Damage", err)
			}
			if len(all) != c.frames || d.Offset != c.offset || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%d frames, offset %d, %q;\nwant %d, %d, %q", len(all), d.Offset, err, c.frames, c.offset, c.want)
			}
			if !strings.HasPrefix(err.Error(), "f.pcap: byte ") || d.Cure == "" {
				t.Errorf("error %q lacks file, offset or cure", err)
			}
		})
	}
}

// TestErrorStays: a caller that asks again gets the same answer.
func TestErrorStays(t *testing.T) {
	r := NewReader("x", bytes.NewReader(le().pcap(0xa1b2c3d4, 4, 1).u32(1).b))
	var f packet.Frame
	first := r.Next(&f)
	if first == nil || r.Next(&f) != first {
		t.Error("the error did not stay")
	}
}

// TestLargest reaches MaxSnap exactly, in both formats, with the buffer grown
// only as far as needed.
func TestLargest(t *testing.T) {
	data := strings.Repeat("x", MaxSnap)
	for name, file := range map[string][]byte{
		"pcap": le().pcap(0xa1b2c3d4, 4, 1).rec(1, 2, MaxSnap, data).rec(1, 2, 1, "a").b,
		"ng":   le().shb().idb(1, 0, nil).epb(0, 1, MaxSnap, data).epb(0, 1, 1, "a").b,
	} {
		r := NewReader("x", bytes.NewReader(file))
		all, err := drain(r)
		if err != nil || len(all) != 2 || len(all[0].data) != MaxSnap {
			t.Errorf("%s: %d frames, %v", name, len(all), err)
		}
		if len(r.buf) > maxBlock {
			t.Errorf("%s: buffer of %d", name, len(r.buf))
		}
	}
}

// TestClaimsAreNotAllocated: a header that claims 16 MiB costs nothing before
// the bytes arrive.
func TestClaimsAreNotAllocated(t *testing.T) {
	for name, file := range map[string][]byte{
		"pcap":       le().pcap(0xa1b2c3d4, 4, 1).u32(1, 2, MaxSnap, 9).b,
		"ng":         le().shb().idb(1, 0, nil).u32(6, MaxSnap, 0).b,
		"ng skipped": le().shb().idb(1, 0, nil).u32(99, 0x80000000, 0).b,
	} {
		r := NewReader("x", bytes.NewReader(file))
		if _, err := drain(r); err == nil {
			t.Errorf("%s: no error", name)
		}
		if len(r.buf) != chunk {
			t.Errorf("%s: buffer of %d, want %d", name, len(r.buf), chunk)
		}
	}
}

// TestWindow: a zstd frame that wants more memory than allowed is refused and
// the cure is named. Header by hand, RFC 8878 section 3.1.1.1.
func TestWindow(t *testing.T) {
	// Window descriptor: exponent 16 -> 2^(10+16) = 64 MiB; one raw last block.
	file := append(le().u32(magicZstd).b, 0x00, 16<<3, 0x09, 0x00, 0x00, 'x')
	_, err := drain(NewReader("x", bytes.NewReader(file)))
	if err == nil || !strings.Contains(err.Error(), "32 MiB") || !strings.Contains(err.Error(), "zstd -d") {
		t.Errorf("64 MiB window: %v", err)
	}
	file[5] = 15 << 3
	_, err = drain(NewReader("x", bytes.NewReader(file)))
	if err == nil || strings.Contains(err.Error(), "MiB") {
		t.Errorf("32 MiB window: %v", err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestReadErrors(t *testing.T) {
	file := le().pcap(0xa1b2c3d4, 4, 1).rec(1, 2, 1, "a").b
	cable := errors.New("cable pulled")
	all, err := drain(NewReader("x", io.MultiReader(bytes.NewReader(file), iotest.ErrReader(cable))))
	if len(all) != 1 || !errors.Is(err, cable) {
		t.Errorf("read error: %d frames, %v", len(all), err)
	}
	_, err = drain(NewReader("x", iotest.ErrReader(cable)))
	if !errors.Is(err, cable) {
		t.Errorf("read error at once: %v", err)
	}
	_, err = drain(NewReader("x", io.MultiReader(bytes.NewReader(file), stuck{})))
	if !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("source without progress: %v", err)
	}
}

func TestRun(t *testing.T) {
	file := le().pcap(0xa1b2c3d4, 4, 1)
	for range 5000 {
		file.rec(1, 2, 3, "abc")
	}
	path := filepath.Join(t.TempDir(), "a.pcap")
	if err := os.WriteFile(path, file.b, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := r.Run(t.Context(), func(*packet.Frame) verdict.Verdict { n++; return verdict.Verdict{} }); err != nil || n != 5000 {
		t.Errorf("%d packets, %v", n, err)
	}
	if s := r.Stats(); s.Packets != 5000 || s.Bytes != 15000 {
		t.Errorf("stats %+v", s)
	}
	if r.Offset() != int64(len(file.b)) || r.Size() != int64(len(file.b)) {
		t.Errorf("offset %d, size %d, want %d", r.Offset(), r.Size(), len(file.b))
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := r.Next(&packet.Frame{}); err != io.EOF {
		t.Errorf("after the end and Close: %v", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	n = 0
	err = NewReader("x", bytes.NewReader(file.b)).Run(ctx, func(*packet.Frame) verdict.Verdict { n++; cancel(); return verdict.Verdict{} })
	if err != context.Canceled || n > ctxEvery {
		t.Errorf("cancelled: %d packets, %v", n, err)
	}
}

// TestRunBlockedPipe: the end of the context frees a reader that waits for a
// pipe.
func TestRunBlockedPipe(t *testing.T) {
	pr, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pw.Close()
	pw.Write(le().pcap(0xa1b2c3d4, 4, 1).rec(1, 2, 3, "abc").b)
	ctx, cancel := context.WithCancel(t.Context())
	err = NewReader("pipe", pr).Run(ctx, func(*packet.Frame) verdict.Verdict { cancel(); return verdict.Verdict{} })
	if err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

func TestOpen(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("directory: %v", err)
	}
	r, err := Open("-")
	if err != nil || r.name != "standard input" || r.Size() != 0 {
		t.Errorf("-: %v", err)
	}
	r.Close()
	if _, err := os.Stdin.Stat(); err != nil {
		t.Errorf("Close closed standard input: %v", err)
	}
	if err := r.Next(&packet.Frame{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Next after Close: %v", err)
	}
}
