package reassembly

import (
	"runtime"
	"strings"
	"testing"
)

// A thousand connections that each leave a hole open and send on cannot take
// more than the pool's memory. The stream that waits longest without progress
// loses what it holds, the younger ones do not.
func TestPoolIsBounded(t *testing.T) {
	const budget = 1 << 20
	pool := NewPool(Config{MaxBytes: budget, MaxStreamBytes: 64 << 10})
	data := []byte(strings.Repeat("x", 1400))
	streams := make([]Stream, 1000)
	out := &checkedNothing{t}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range streams {
		s := &streams[i]
		s.Segment(pool, 99, true, false, nil, 0, int64(i), out)
		s.Ack(pool, 100, out)
		for j := range uint32(20) {
			s.Segment(pool, 101+1400*j, false, false, data, 0, int64(i), out)
		}
		if n := pool.Stats().HeldBytes; n > budget {
			t.Fatalf("holds %d bytes", n)
		}
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > budget+budget/8 {
		t.Errorf("%d bytes allocated", n)
	}
	st := pool.Stats()
	if st.PeakBytes != budget || st.Reclaimed < 900 || st.Holding > budget/(14*BlockSize) { // 28,000 bytes in a row take 14 blocks
		t.Errorf("%+v", st)
	}
	if streams[0].Held() != 0 || streams[999].Held() != 14*BlockSize {
		t.Errorf("the oldest holds %d, the youngest %d", streams[0].Held(), streams[999].Held())
	}
	// A stream that lost its bytes goes on where it was, and sees a gap later.
	r := &rig{t: t, pool: pool, s: streams[0], isn: 100}
	r.out.r = r
	r.seg(0, "abc")
	r.want("abc")
	r.seg(28001, "xyz")
	r.ack(28004)
	r.want("abc<27998>xyz")
	for i := range streams[1:] {
		streams[i+1].Stop(pool)
	}
	checkEmpty(t, pool)
}

type checkedNothing struct{ t *testing.T }

func (c *checkedNothing) Data([]byte) { c.t.Error("data from behind a hole") }
func (c *checkedNothing) Gap(int)     { c.t.Error("a gap while the receiver waits") }

// When the pool is exhausted by the stream itself, what it cannot hold is
// dropped; without acknowledgements its hole is given up.
func TestPoolExhaustedByOne(t *testing.T) {
	cfg := Config{MaxBytes: MinBytes, MaxStreamBytes: 2 * MinBytes}
	r := open(t, cfg, First, 0)
	big := strings.Repeat("x", MinBytes)
	r.flags(r.seg(1, big), OutOfOrder|Dropped)
	if r.s.Held() != MinBytes {
		t.Errorf("holds %d", r.s.Held())
	}
	r = newRig(t, cfg, First, 0)
	r.syn(0)
	r.seg(1, big[:MinBytes/2])
	r.want("")
	r.seg(1+MinBytes/2, big[:MinBytes/2])
	r.want("<1>" + big)
}

// A split that finds no room leaves the bytes with their old owner, and no
// byte in the wrong place.
func TestSplitWithoutRoom(t *testing.T) {
	for room := 1; room <= 3; room++ {
		r := open(t, Config{MaxStreamBytes: room * BlockSize}, Solaris, 0)
		r.seg(10, "aaaaaaaaaa")
		r.seg(15, "bbbbb") // loses: ends alike but starts later
		r.seg(12, "cccccccccc")
		checkBlocks(t, &r.s)
		r.seg(0, "..........")
		if got := r.out.String(); got != "..........aacccccccc" && got != "..........aacccccccccc" {
			t.Errorf("room %d: %q", room, got)
		}
	}
}

func TestPoolDefaults(t *testing.T) {
	p := NewPool(Config{})
	if p.blocks != DefaultMaxBytes/BlockSize || p.perStream != DefaultMaxStreamBytes/BlockSize || p.holdTime != DefaultHoldTime {
		t.Errorf("%+v", p)
	}
	if p = NewPool(Config{MaxBytes: 1, MaxStreamBytes: 1 << 40}); p.blocks != MinBytes/BlockSize || p.perStream != 1<<16-1 {
		t.Errorf("%+v", p)
	}
}
