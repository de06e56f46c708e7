package files

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// feed drives one file through a Pool as a parser would.
type feed struct {
	p *Pool
	w WindowConfig
	c proto.Conn
	f proto.File
	t *Track

	ended int
	views []view
}

type view struct {
	at uint64
	b  string
}

func newFeed(p *Pool, w WindowConfig, name string) *feed {
	x := &feed{p: p, w: w}
	x.c.OnFile = func(f *proto.File) {
		if f.Listener == nil {
			x.t = p.Begin(f, w)
			f.Listener = x.t
		}
		if x.t == nil {
			return
		}
		if x.t.Update() && x.ended == 0 {
			x.ended++
		}
		if b, at := x.t.Window(); len(b) > 0 {
			x.views = append(x.views, view{at, string(b)})
		}
	}
	x.c.OpenFile(&x.f, packet.ToClient, []byte(name), nil, 3)
	return x
}

func (x *feed) data(s string) *feed { x.c.FileData(&x.f, []byte(s)); return x }
func (x *feed) gap(n int) *feed     { x.c.FileGap(&x.f, n); return x }

func (x *feed) info() string {
	var e event.Encoder
	e.Obj("")
	(&Info{x.t}).EncodeEVE(&e)
	e.EndObj()
	return string(e.B)
}

func TestTrack(t *testing.T) {
	kB100 := string(bytes.Repeat([]byte("0123456789abcdef"), 100<<10/16))
	tests := []struct {
		name string
		cfg  Config
		w    WindowConfig
		do   func(x *feed)
		want string
	}{
		{"whole", Config{}, ResponseWindow, func(x *feed) { x.data("hello ").data("world\n").c.CloseFile(&x.f, false) },
			`{"fileinfo":{"filename":"a.txt","magic":"ASCII text","gaps":false,"state":"CLOSED","stored":false,"size":12,"tx_id":3}}`},
		{"cut", Config{}, ResponseWindow, func(x *feed) { x.data("%PDF-1.7").c.CloseFile(&x.f, true) },
			`{"fileinfo":{"filename":"a.txt","magic":"PDF document","gaps":false,"state":"TRUNCATED","stored":false,"size":8,"tx_id":3}}`},
		{"gap", Config{Want: MD5}, ResponseWindow, func(x *feed) { x.data("GIF8").gap(10).data("x").c.CloseFile(&x.f, false) },
			`{"fileinfo":{"filename":"a.txt","magic":"GIF image data","gaps":true,"state":"TRUNCATED","stored":false,"size":15,"tx_id":3}}`},
		{"as long as the limit", Config{}, ResponseWindow, func(x *feed) { x.data(kB100).c.CloseFile(&x.f, false) },
			`{"fileinfo":{"filename":"a.txt","magic":"ASCII text","gaps":false,"state":"CLOSED","stored":false,"size":102400,"tx_id":3}}`},
		{"longer", Config{}, ResponseWindow, func(x *feed) { x.data(kB100).data("x") },
			`{"fileinfo":{"filename":"a.txt","magic":"ASCII text","gaps":false,"state":"TRUNCATED","stored":false,"size":102400,"tx_id":3}}`},
		{"other protocols have no limit", Config{}, FileWindow, func(x *feed) { x.data(kB100).data(kB100).c.CloseFile(&x.f, false) },
			`{"fileinfo":{"filename":"a.txt","magic":"ASCII text","gaps":false,"state":"CLOSED","stored":false,"size":204800,"tx_id":3}}`},
		{"own limit", Config{Limit: 5}, FileWindow, func(x *feed) { x.data("abc").data("def") },
			`{"fileinfo":{"filename":"a.txt","magic":"ASCII text","gaps":false,"state":"TRUNCATED","stored":false,"size":5,"tx_id":3}}`},
		{"hashes lift it", Config{Want: Hashes}, ResponseWindow, func(x *feed) { x.data(kB100).data(kB100).c.CloseFile(&x.f, false) },
			fmt.Sprintf(`{"fileinfo":{"filename":"a.txt","magic":"ASCII text","gaps":false,"state":"CLOSED","md5":"%x","sha1":"%x","sha256":"%x","stored":false,"size":204800,"tx_id":3}}`,
				md5.Sum([]byte(kB100+kB100)), sha1.Sum([]byte(kB100+kB100)), sha256.Sum256([]byte(kB100+kB100)))},
	}
	for _, tt := range tests {
		x := newFeed(NewPool(tt.cfg), tt.w, "a.txt")
		track := ""
		on := x.c.OnFile
		x.c.OnFile = func(f *proto.File) {
			on(f)
			if x.t.State() != Open && track == "" {
				track = x.info()
			}
		}
		tt.do(x)
		if track != tt.want || x.ended != 1 || !json.Valid([]byte(track)) {
			t.Errorf("%s: %d ends\n%s, want\n%s", tt.name, x.ended, track, tt.want)
		}
	}
}

// What goes on beyond the limit is refused, so that the parser need not decode
// it.
func TestEnough(t *testing.T) {
	x := newFeed(NewPool(Config{Limit: 4}), FileWindow, "")
	if x.data("abcd"); x.f.Enough {
		t.Error("enough at the limit")
	}
	if x.data("e"); !x.f.Enough || x.t.State() != Truncated {
		t.Error("not enough beyond the limit")
	}
}

func TestPoolLimits(t *testing.T) {
	p := NewPool(Config{Tracks: 2, Memory: 8 << 10, Want: Inspect})
	a, b, c := newFeed(p, FileWindow, "a"), newFeed(p, FileWindow, "b"), newFeed(p, FileWindow, "c")
	a.data("x")
	b.data("x")
	c.data("x")
	if a.t == nil || b.t == nil || c.t != nil || p.Live() != 2 {
		t.Fatalf("%d files followed", p.Live())
	}
	for range 100 {
		a.data(string(make([]byte, 1000)))
		b.data(string(make([]byte, 1000)))
		if p.Used() > 8<<10 {
			t.Fatalf("%d bytes of windows", p.Used())
		}
	}
	if len(a.views) == 0 || len(b.views) == 0 {
		t.Error("without memory nothing is shown")
	}
	a.t.Release()
	b.t.Release()
	if p.Used() != 0 || p.Live() != 0 {
		t.Errorf("%d bytes, %d files left", p.Used(), p.Live())
	}
}

func TestExt(t *testing.T) {
	for name, want := range map[string]string{"a.exe": "exe", "a.tar.gz": "gz", "none": "", "dot.": "", "": "", `\dir.d\x`: `d\x`} {
		x := newFeed(NewPool(Config{}), FileWindow, name).data("x")
		if got := string(x.t.Ext()); got != want || string(x.t.Name()) != name {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// Whatever the pieces: all bytes are shown, in order, nothing before MinSize
// is there, and what is no longer than Overlap is seen in one piece.
func TestWindowOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		w := WindowConfig{MinSize: []int{0, 1, 100, 3000, 40 << 10}[r.IntN(5)], Overlap: []int{0, 1, 16, 4 << 10}[r.IntN(4)], Step: []int{0, 100, 5000}[r.IntN(3)]}
		whole := make([]byte, r.IntN(90<<10))
		for i := range whole {
			whole[i] = byte(r.Uint32())
		}
		p := NewPool(Config{Want: Inspect})
		x := newFeed(p, w, "")
		for rest := whole; len(rest) > 0; {
			n := min(len(rest), 1+r.IntN([]int{10, 1500, 40 << 10}[r.IntN(3)]))
			if r.IntN(50) != 0 && n < 100 && len(whole) > 20<<10 {
				n = min(len(rest), 1460)
			}
			x.data(string(rest[:n]))
			rest = rest[n:]
		}
		x.c.CloseFile(&x.f, false)
		end := uint64(0)
		for i, v := range x.views {
			if !bytes.Equal(whole[v.at:v.at+uint64(len(v.b))], []byte(v.b)) {
				t.Fatalf("round %d: view %d at %d is not of the file", round, i, v.at)
			}
			if i == 0 && len(v.b) < min(w.MinSize, len(whole)) {
				t.Fatalf("round %d: the first look is at %d bytes", round, len(v.b))
			}
			if v.at > end || i > 0 && v.at > end-min(end, uint64(w.Overlap)) {
				t.Fatalf("round %d: view %d begins at %d, %d overlap, the last ended at %d", round, i, v.at, w.Overlap, end)
			}
			if i > 0 && i < len(x.views)-1 && v.at+uint64(len(v.b)) < end+uint64(w.Step) {
				t.Fatalf("round %d: view %d comes after %d bytes", round, i, v.at+uint64(len(v.b))-end)
			}
			if e := v.at + uint64(len(v.b)); e <= end {
				t.Fatalf("round %d: view %d shows nothing new", round, i)
			} else {
				end = e
			}
		}
		if end != uint64(len(whole)) {
			t.Fatalf("round %d: shown up to %d of %d", round, end, len(whole))
		}
		x.t.Release()
		if p.Used() != 0 {
			t.Fatalf("round %d: %d bytes left", round, p.Used())
		}
	}
}

func TestWindowGap(t *testing.T) {
	x := newFeed(NewPool(Config{Want: Inspect}), WindowConfig{Overlap: 100}, "")
	x.data("before").gap(5).data("after").c.CloseFile(&x.f, false)
	if fmt.Sprint(x.views) != "[{0 before} {11 after}]" {
		t.Errorf("%v", x.views)
	}
	x = newFeed(NewPool(Config{Want: Inspect}), WindowConfig{MinSize: 100, Overlap: 100}, "")
	x.data("before").gap(5).data("after").c.CloseFile(&x.f, false)
	if fmt.Sprint(x.views) != "[{5 beforeafter}]" {
		t.Errorf("%v", x.views)
	}
}

func TestNoAllocs(t *testing.T) {
	p := NewPool(Config{Want: Inspect | Hashes})
	var c proto.Conn
	var info Info
	var e event.Encoder
	c.OnFile = func(f *proto.File) {
		tr, _ := f.Listener.(*Track)
		if tr == nil {
			tr = p.Begin(f, ResponseWindow)
			f.Listener = tr
		}
		if tr.Update() {
			info.Track, e.B = tr, e.B[:0]
			info.EncodeEVE(&e)
		}
		if f.Done {
			tr.Release()
		}
	}
	piece, name := make([]byte, 1460), []byte("x")
	var f proto.File
	run := func() {
		c.OpenFile(&f, packet.ToClient, name, nil, 0)
		for range 50 {
			c.FileData(&f, piece)
		}
		c.CloseFile(&f, false)
	}
	run()
	if n := testing.AllocsPerRun(50, run); n > 0 {
		t.Errorf("%v allocations a file", n)
	}
}

func BenchmarkWindow(b *testing.B) {
	p := NewPool(Config{Want: Inspect})
	var c proto.Conn
	var f proto.File
	c.OnFile = func(f *proto.File) {
		if f.Listener == nil {
			f.Listener = p.Begin(f, FileWindow)
		}
		f.Listener.(*Track).Update()
	}
	piece := make([]byte, 1460)
	c.OpenFile(&f, packet.ToClient, nil, nil, 0)
	b.SetBytes(1460)
	for b.Loop() {
		c.FileData(&f, piece)
	}
}
