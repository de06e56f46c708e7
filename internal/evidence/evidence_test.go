package evidence

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// bench is a recorder and what came out of it.
type bench struct {
	t     testing.TB
	c     *Collector
	r     *Recorder
	mu    sync.Mutex
	items []*Item
	now   int64
}

func newBench(t testing.TB, cfg Config) *bench {
	t.Helper()
	b := &bench{t: t, now: 1e18}
	var err error
	b.c, err = New(cfg, func(it *Item) { b.mu.Lock(); b.items = append(b.items, it); b.mu.Unlock() })
	if err != nil {
		t.Fatal(err)
	}
	b.r = b.c.Recorder()
	return b
}

// frame is a frame that says which it is.
func frame(id uint64, n, size int, now int64) *packet.Frame {
	data := make([]byte, size)
	copy(data, fmt.Sprintf("flow %d packet %d.", id, n))
	return &packet.Frame{Time: now, Data: data, Len: size, Link: packet.LinkEthernet}
}

// send records n packets of a flow, gap ns apart.
func (b *bench) send(fl *flow.Flow, n, size int, gap int64) {
	for range n {
		b.now += gap
		if fl.Start == 0 {
			fl.Start = b.now
		}
		fl.Last = b.now
		fl.Side[0].Packets++
		fl.Side[0].Bytes += uint64(size)
		b.r.Packet(frame(fl.ID, int(fl.Side[0].Packets), size, b.now), fl)
	}
}

func (b *bench) found(id uint64) {
	b.r.Found(&event.Event{Time: b.now, FlowID: id, Finding: &event.Finding{Category: event.Mining, SignatureID: 1001, Level: event.Likely, Severity: 1,
		Signature: "Mining", Evidence: []event.Evidence{{Code: "stratum.login", Value: "me", Weight: 2.5}}}}, nil)
}

// done closes everything and reads the captures: the packets of each.
func (b *bench) done() (out [][]string) {
	b.t.Helper()
	b.r.Close()
	b.c.Close()
	for _, it := range b.items {
		src := pcapfile.NewReader("item", bytes.NewReader(it.Data))
		var ps []string
		last := int64(0)
		if err := src.Run(context.Background(), func(f *packet.Frame) verdict.Verdict {
			i := bytes.IndexByte(f.Data, '.')
			ps = append(ps, string(f.Data[:max(i, 0)]))
			if f.Time < last {
				b.t.Errorf("time goes back")
			}
			last = f.Time
			return verdict.Verdict{}
		}); err != nil {
			b.t.Error(err)
		}
		if len(ps) != it.Packets {
			b.t.Errorf("%d packets read, %d said", len(ps), it.Packets)
		}
		out = append(out, ps)
	}
	return out
}

func TestCapture(t *testing.T) {
	b := newBench(t, Config{})
	miner, other := &flow.Flow{ID: 1}, &flow.Flow{ID: 2}
	for range 20 {
		b.send(miner, 1, 300, 1e9)
		b.send(other, 5, 1000, 1e6)
	}
	b.found(1)
	b.found(1)          // once is enough
	b.r.Tick(b.now + 1) // not yet
	for range 9 {
		b.send(miner, 1, 300, 1e8)
		b.send(other, 5, 1000, 1e6)
	}
	got := b.done()
	if len(got) != 1 || len(got[0]) != 26 || got[0][0] != "flow 1 packet 1" || got[0][25] != "flow 1 packet 26" {
		t.Fatalf("%q", got)
	}
	it := b.items[0]
	if it.FlowID != 1 || it.Category != event.Mining || it.SID != 1001 || it.GID != event.SignatureGID {
		t.Errorf("%+v", it)
	}
	// The comment stands at the packet that shows the proof.
	at := bytes.Index(it.Data, []byte("stratum.login: me (2.50)"))
	if p := bytes.LastIndex(it.Data[:max(at, 0)], []byte("flow 1 packet")); at < 0 || !bytes.HasPrefix(it.Data[p:], []byte("flow 1 packet 20.")) {
		t.Errorf("comment at %d", at)
	}
	if s := b.c.Stats(); s != (Stats{Made: 1}) {
		t.Errorf("%+v", s)
	}
}

// TestSlowBesideFast: a download does not push out a flow that speaks once a
// second, nor its beginning.
func TestSlowBesideFast(t *testing.T) {
	b := newBench(t, Config{})
	miner, load := &flow.Flow{ID: 1}, &flow.Flow{ID: 2}
	for range 120 {
		b.send(miner, 1, 200, 1e9)
		b.send(load, 100, 1514, 1e5)
	}
	b.found(1)
	b.found(2)
	got := b.done()
	if len(got) != 2 || len(got[0]) != 120 {
		t.Fatalf("%d packets of the slow flow", len(got[0]))
	}
	ps := got[1]
	if n := len(ps); n < 10 || ps[0] != "flow 2 packet 1" || ps[n-1] != "flow 2 packet 12000" || ps[n-2] != "flow 2 packet 692" {
		t.Errorf("of bulk there should be the beginning and the proof: %q", ps) // 692 whole frames are a megabyte
	}
}

func TestBlobLimit(t *testing.T) {
	for _, blob := range []int{minBlob, 20000, maxBlob} {
		b := newBench(t, Config{Blob: blob})
		fl := &flow.Flow{ID: 1}
		b.send(fl, 200, 1514, 1e8)
		b.found(1)
		b.send(fl, 50, 1514, 1e8)
		ps := b.done()[0]
		if n := len(b.items[0].Data); n > blob || n < blob*2/3 {
			t.Errorf("%d bytes of a capture, the limit is %d", n, blob)
		}
		has := strings.Join(ps, ",")
		for _, want := range []string{"packet 1,", "packet 200,", "packet 201"} {
			if !strings.Contains(has, want) {
				t.Errorf("blob %d: no %s in %s", blob, want, has)
			}
		}
	}
	// A comment that is too long is cut at a character.
	b := newBench(t, Config{})
	b.send(&flow.Flow{ID: 1}, 1, 60, 1)
	b.r.Found(&event.Event{Time: b.now, FlowID: 1, Finding: &event.Finding{Signature: strings.Repeat("採", 2000), Level: event.Likely}}, nil)
	b.done()
	if d := b.items[0].Data; bytes.Count(d, []byte("採")) != maxComment/3 || bytes.Contains(d, []byte("採\xe6\x8e\x00")) {
		t.Errorf("%d characters", bytes.Count(d, []byte("採")))
	}
}

func TestLimits(t *testing.T) {
	b := newBench(t, Config{PerMinute: 20})
	b.now = 60e9 * 1e7
	for i := range 40 {
		b.send(&flow.Flow{ID: uint64(i + 1)}, 1, 60, 1)
		b.found(uint64(i + 1))
	}
	if s := b.c.Stats(); s.Dropped != 40-slots || s.Limited != 0 {
		t.Errorf("%+v: %d captures may be made at a time", s, slots)
	}
	b.r.Tick(b.now + afterTime)
	for range 4 * slots { // until the collector has given the slots back
		if len(b.c.free) == slots {
			break
		}
		b.c.free <- <-b.c.free
	}
	if n := len(b.done()); n != slots {
		t.Errorf("%d captures", n)
	}

	b = newBench(t, Config{PerMinute: 3})
	b.now = 60e9 * 1e7
	for i := range 5 {
		b.send(&flow.Flow{ID: uint64(i + 1)}, 1, 60, 1)
		b.found(uint64(i + 1))
	}
	if s := b.c.Stats(); s.Limited != 2 {
		t.Errorf("%+v", s)
	}
	b.done()
	quiet := &event.Finding{Quiet: true}
	info := &event.Finding{Rule: &event.Rule{}, Level: event.Likely, Severity: 3}
	if Worthy(quiet) || Worthy(info) || !Worthy(&event.Finding{}) {
		t.Error("worth")
	}
	for _, c := range []Config{{Bytes: 1}, {Snap: 2000}, {Blob: 1 << 20}, {After: 100}, {PerMinute: -1}} {
		if _, err := New(c, func(*Item) {}); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	var none *Collector
	if r := none.Recorder(); r != nil {
		t.Error("switched off")
	}
}

// TestSwitch: switched off nothing is kept or made, not even of what was there
// before; switched on it works again.
func TestSwitch(t *testing.T) {
	b := newBench(t, Config{})
	fl := &flow.Flow{ID: 1}
	b.send(fl, 5, 100, 1e9)
	b.c.Switch(false)
	b.found(1)
	b.send(fl, 5, 100, 1e9)
	if b.r.kept || b.r.ring[heads].buf != nil || b.c.On() {
		t.Error("switched off, the packets stay in memory")
	}
	b.c.Switch(true)
	b.send(fl, 3, 100, 1e9)
	b.found(1)
	got := b.done()
	if len(got) != 1 || len(got[0]) != 3 || got[0][0] != "flow 1 packet 11" {
		t.Errorf("%q", got)
	}
}

// TestVLAN: a tag that the network card took off is put back; a packet of no
// flow stands alone.
func TestVLAN(t *testing.T) {
	b := newBench(t, Config{})
	f := frame(0, 1, 60, b.now)
	f.VLANTPID, f.VLAN = 0x8100, 7
	b.r.Found(&event.Event{Time: b.now, Finding: &event.Finding{Level: event.Likely}}, f)
	b.done()
	d := b.items[0].Data
	at := bytes.Index(d, []byte("flow 0 packe"))
	if at < 0 || binary.BigEndian.Uint16(d[at+12:]) != 0x8100 || d[at+15] != 7 || d[at+16] != 't' {
		t.Errorf("%q", d)
	}
}

// TestRing puts records of all sizes and compares with a list.
func TestRing(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	r := ring{buf: make([]byte, 4096)}
	var want []uint64
	for seq := uint64(1); seq < 5000; seq++ {
		h := record{size: sizeOf(rnd.IntN(900)), seq: seq}
		h.put(r.room(h.size))
		want = append(want, seq)
		var got []uint64
		sum := 0
		r.each(func(b []byte) {
			var h record
			h.get(b)
			got = append(got, h.seq)
			sum += h.size
		})
		want = want[max(0, len(want)-len(got)):]
		if fmt.Sprint(got) != fmt.Sprint(want) || sum > len(r.buf) || seq > 50 && sum < len(r.buf)/2 {
			t.Fatalf("%v, %d bytes, want %v", got, sum, want)
		}
	}
	if r.room(5000) != nil {
		t.Error("room for what never fits")
	}
}

func TestAllocs(t *testing.T) {
	b := newBench(t, Config{})
	fl, f := &flow.Flow{ID: 1}, frame(1, 1, 600, 1)
	if n := testing.AllocsPerRun(5000, func() {
		fl.Side[0].Packets++
		b.r.Packet(f, fl)
	}); n != 0 {
		t.Errorf("%v allocations a packet, want 0", n)
	}
	b.done()
}

func BenchmarkPacket(b *testing.B) {
	for _, size := range []int{66, 600, 1514} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			x := newBench(b, Config{})
			fl, f := &flow.Flow{ID: 1}, frame(1, 1, size, 1)
			b.ReportAllocs()
			for b.Loop() {
				fl.Side[0].Packets++
				x.r.Packet(f, fl)
			}
		})
	}
}
