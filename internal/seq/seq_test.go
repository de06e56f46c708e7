package seq

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/yamori-net/yamori/internal/packet"
)

const (
	client = packet.ToServer
	server = packet.ToClient
	second = int64(1e9)
)

// TestSize holds the promise of the package: a flow costs so much and no more.
func TestSize(t *testing.T) {
	if n := unsafe.Sizeof(Tracker{}); n > 512 {
		t.Errorf("a tracker has %d bytes, more than 512", n)
	}
}

// list is a Sink that writes lengths down.
type list []int

func (l *list) Message(_ int64, _ packet.Dir, n int) bool { *l = append(*l, n); return true }

// record makes a TLS record of n bytes.
func record(typ byte, n int) []byte {
	b := make([]byte, 5+n)
	b[0], b[1], b[2], b[3], b[4] = typ, 3, 3, byte(n>>8), byte(n)
	for i := range n {
		b[5+i] = byte(i * 7)
	}
	return b
}

// TestRecords cuts one stream of records into segments in every way and loses
// or repeats some: the messages found are those that were sent.
func TestRecords(t *testing.T) {
	var stream []byte
	want := []int{100, 1, 700, 1400, 33, 60}
	stream = append(stream, record(20, 1)...)  // ChangeCipherSpec
	stream = append(stream, record(23, 53)...) // Finished
	for _, n := range want {
		stream = append(stream, record(23, n+17)...)
	}
	stream = append(stream, record(21, 19)...) // an encrypted alert
	const base = uint32(0xffffff00)            // the numbers wrap
	for size := 1; size < 400; size++ {
		var got list
		r := Reader{Kind: TLS13}
		for at := 0; at < len(stream); at += size {
			seg := stream[at:min(at+size, len(stream))]
			r.Segment(second, client, base+uint32(at), seg, 0, &got)
			if at%3 == 0 { // sent again
				r.Segment(second, client, base+uint32(at), seg, 0, &got)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("segments of %d: %v, want %v", size, got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("segments of %d: %v, want %v", size, got, want)
			}
		}
	}
}

// TestLoss: after lost segments the reader goes on with the next that begins
// with a record, and nothing else is taken for one.
func TestLoss(t *testing.T) {
	var got list
	r := Reader{Kind: TLS12}
	at := uint32(5)
	for i := range 20 {
		b := record(23, 200+24)
		if i%5 != 2 {
			r.Segment(second, server, at, b, 0, &got)
		} else if i == 7 {
			r.Segment(second, server, at+100, b[100:], 0, &got) // only its end arrives
		}
		at += uint32(len(b))
	}
	if len(got) != 16 {
		t.Errorf("%d of 16 messages found", len(got))
	}
	for _, n := range got {
		if n != 200 {
			t.Errorf("a message of %d bytes", n)
		}
	}
}

// TestTruncated: a capture that cuts packets short still tells the lengths.
func TestTruncated(t *testing.T) {
	var got list
	r := Reader{Kind: TLS13}
	at := uint32(1)
	for range 10 {
		b := record(23, 500)
		r.Segment(second, server, at, b[:40], len(b)-40, &got)
		at += uint32(len(b))
	}
	if len(got) != 10 {
		t.Errorf("%d of 10 messages found", len(got))
	}
}

// talk makes a tracker of a miner as Monero's are: shares by chance, a fixed
// answer to each, jobs now and then, a keep-alive after a minute of silence.
func talk(k Kind) *Tracker {
	t := new(Tracker)
	t.Start(k)
	r := rand.New(rand.NewPCG(1, 2))
	now := 5e17 + 0.0
	say := func(after float64, d packet.Dir, n int) {
		now += after * 1e9
		t.Message(int64(now), d, n)
	}
	say(0, client, 500)
	say(.05, server, 450)
	for i := range 200 {
		say(r.ExpFloat64()*20, client, 210+len([]byte{1, 2, 3}[:min(3, 1+i/70)]))
		say(.05, server, 63)
		if i%3 == 0 {
			say(2, server, 390)
		}
		if i%20 == 0 {
			say(60.2, client, 102)
			say(.05, server, 71)
		}
	}
	t.Flush()
	return t
}

func TestStats(t *testing.T) {
	s := &talk(TLS13).Stats
	var share, keep *Call
	for i := range s.Call {
		switch c := &s.Call[i]; {
		case c.N == 200:
			share = c
		case c.Quiet == 10:
			keep = c
		}
	}
	if share == nil || keep == nil {
		t.Fatalf("%+v", s.Call)
	}
	if share.Reply != 63 || share.Hit != 200 || share.Miss != 0 || share.Slow != 0 {
		t.Errorf("answers to shares: %+v", share)
	}
	if d := share.Gap.Dev(); d < 1 || d > 1.7 {
		t.Errorf("gaps of shares are spread by %.2f", d)
	}
	if s.Push[0].Len != 390 || s.Push[0].N != 67 || s.Pushed != 67 || s.Woke != 67 {
		t.Errorf("jobs: %+v of %d", s.Push[0], s.Pushed)
	}
	if s.First[0] != 450 || s.Unanswered != 0 {
		t.Errorf("first %d, unanswered %d", s.First[0], s.Unanswered)
	}
	if keep.Reply != 71 {
		t.Errorf("keep-alive: %+v", keep)
	}
}

// TestPings: the layer below has signs of life of its own, and they change
// nothing.
func TestPings(t *testing.T) {
	var a Tracker
	a.Start(TLS13)
	now := second
	for i := range 30 {
		now += 7 * second
		a.Message(now, server, 2)
		a.Message(now+10e6, client, 6)
		if i%3 == 0 {
			a.Message(now+second, server, 300)
		}
	}
	a.Flush()
	if a.Pings != 60 || a.Bursts != [2]uint32{0, 10} || a.Unanswered != 0 {
		t.Errorf("%d pings, %v messages", a.Pings, a.Bursts)
	}
}

// TestBulk: who moves data is let go, whoever talks slowly never.
func TestBulk(t *testing.T) {
	var a Tracker
	a.Start(TLS13)
	now := 5e17
	n := 0
	for a.Message(int64(now), server, 1400) {
		n++
		now += 1e6
	}
	if n < 80 || n > 120 {
		t.Errorf("a download was let go after %d messages", n)
	}
	a.Start(TLS13)
	for range 1 << 20 { // six days
		now += .5e9
		if !a.Message(int64(now), server, 1000) {
			t.Fatal("a slow talker was let go")
		}
	}
}

// TestBounds: whatever the messages, the counts stay within their limits and
// the times may go anywhere.
func TestBounds(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var a Tracker
	a.Start(Raw)
	for range 200000 {
		a.Message(r.Int64()-math.MaxInt64/2, packet.Dir(r.IntN(2)), 1+r.IntN(70000))
		a.Due(r.Int64())
	}
	for i := range a.Call {
		if d := a.Call[i].Gap.Dev(); math.IsNaN(d) || math.IsInf(d, 0) {
			t.Errorf("a spread of %v", d)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	b := record(23, 230)
	a := new(Tracker)
	a.Start(TLS13)
	at, now := uint32(1), second
	if n := testing.AllocsPerRun(1000, func() {
		a.Segment(now, packet.Dir(at&1), at, b, 0)
		a.Due(now)
		at += uint32(len(b))
		now += second
	}); n > 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

// TestDue: looks come ever more seldom by number, and each half minute.
func TestDue(t *testing.T) {
	var a Tracker
	a.Start(TLS13)
	looks := 0
	for i := range 1000 {
		now := second + int64(i)*10e6 // ten seconds in all
		a.Message(now, packet.Dir(i&1), 100)
		if a.Due(now) {
			looks++
		}
	}
	if looks < 8 || looks > 16 {
		t.Errorf("%d looks at 1000 messages", looks)
	}
}

func FuzzSegment(f *testing.F) {
	f.Add(record(23, 40), uint32(0), byte(1))
	f.Add([]byte{23, 3, 3, 0}, uint32(0xfffffffe), byte(2))
	f.Fuzz(func(t *testing.T, b []byte, at uint32, k byte) {
		var a Tracker
		a.Start(Kind(k % 5))
		for i := 0; i < len(b); i += 1 + int(k)%7 {
			a.Segment(int64(i)*1e8, packet.Dir(i&1), at+uint32(i), b[i:], i&3)
			a.Datagram(int64(i), packet.Dir(k&1), make([]byte, i), 0)
		}
		a.Flush()
	})
}

func BenchmarkSegment(b *testing.B) {
	rec := record(23, 230)
	a := new(Tracker)
	a.Start(TLS13)
	at, now := uint32(1), second
	for b.Loop() {
		a.Segment(now, packet.Dir(at&1), at, rec, 0)
		a.Due(now)
		at += uint32(len(rec))
		now += second
	}
}

// TestEarly: what a server says at the beginning is its answers and what follows them
// without a pause.
func TestEarly(t *testing.T) {
	type msg struct {
		at  float64 // seconds
		d   packet.Dir
		len int
	}
	const c, s = packet.ToServer, packet.ToClient
	for _, tt := range []struct {
		name string
		msgs []msg
		want uint8
	}{
		{"job in the answer", []msg{{0, c, 500}, {.2, s, 450}, {9, s, 380}}, 1},
		{"job behind the answers", []msg{{0, c, 80}, {.1, s, 120}, {.1, c, 90}, {.3, s, 40}, {.3, s, 60}, {.31, s, 900}}, 4},
		{"looked up", []msg{{0, c, 80}, {.1, s, 120}, {1.6, s, 900}}, 2},
		{"after a pause", []msg{{0, c, 80}, {.1, s, 120}, {2.6, s, 900}, {2.7, s, 900}}, 1},
		{"a late answer", []msg{{0, c, 80}, {6, s, 450}}, 1},
		{"an answer to something later", []msg{{0, c, 80}, {.1, s, 120}, {30, c, 90}, {30.1, s, 900}}, 1},
		{"server first", []msg{{0, s, 10000}, {4, s, 10000}, {9, c, 200}}, 1},
		{"more than is kept", []msg{{0, c, 80}, {.1, s, 30}, {.2, s, 40}, {.3, s, 50}, {.4, s, 60}, {.5, s, 70}, {.6, s, 80}, {.7, s, 90}, {.8, s, 100}, {.9, s, 110}}, Firsts},
	} {
		var tr Tracker
		tr.Start(TLS13)
		for _, m := range tt.msgs {
			tr.Message(1e18+int64(m.at*1e9), m.d, m.len)
		}
		if tr.Early != tt.want {
			t.Errorf("%s: %d of %v", tt.name, tr.Early, tr.First)
		}
	}
}
