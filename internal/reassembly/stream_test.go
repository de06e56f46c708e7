package reassembly

import (
	"fmt"
	"strings"
	"testing"
)

// rig is a stream with its pool and output, positions counted from the first
// byte after the SYN.
type rig struct {
	t    *testing.T
	pool *Pool
	s    Stream
	out  script
	now  int64
	isn  uint32
}

// script writes a stream down with gaps as "<n>", and can stop it.
type script struct {
	strings.Builder
	stop  int // stop the stream at this call
	calls int
	r     *rig
}

func (o *script) Data(b []byte) { o.Write(b); o.called() }
func (o *script) Gap(n int)     { fmt.Fprintf(o, "<%d>", n); o.called() }

func (o *script) called() {
	if o.calls++; o.calls == o.stop {
		o.r.s.Stop(o.r.pool)
	}
}

func newRig(t *testing.T, cfg Config, policy Policy, depth uint64) *rig {
	r := &rig{t: t, pool: NewPool(cfg), isn: 1<<32 - 5}
	r.out.r = r
	r.s.Init(policy, depth)
	return r
}

// open is a rig whose SYN has been seen and acknowledged.
func open(t *testing.T, cfg Config, policy Policy, depth uint64) *rig {
	r := newRig(t, cfg, policy, depth)
	r.syn(0)
	r.ack(0)
	return r
}

func (r *rig) syn(at int) Result {
	return r.s.Segment(r.pool, r.isn+uint32(at)-1, true, false, nil, 0, r.now, &r.out)
}

func (r *rig) seg(at int, data string) Result {
	return r.s.Segment(r.pool, r.isn+uint32(at), false, false, []byte(data), 0, r.now, &r.out)
}

func (r *rig) fin(at int, data string) Result {
	return r.s.Segment(r.pool, r.isn+uint32(at), false, true, []byte(data), 0, r.now, &r.out)
}

func (r *rig) snap(at int, data string, missing int) Result {
	return r.s.Segment(r.pool, r.isn+uint32(at), false, false, []byte(data), missing, r.now, &r.out)
}

func (r *rig) ack(at int) { r.s.Ack(r.pool, r.isn+uint32(at), &r.out) }

func (r *rig) want(s string) {
	r.t.Helper()
	if r.out.String() != s {
		r.t.Fatalf("delivered %q, expected %q", r.out.String(), s)
	}
	checkBlocks(r.t, &r.s)
}

// flags fails unless a result is what it should be.
func (r *rig) flags(got, want Result) {
	r.t.Helper()
	if got != want {
		r.t.Fatalf("result %b, expected %b", got, want)
	}
}

func TestInOrderIsNotCopied(t *testing.T) {
	pool := NewPool(Config{})
	var s Stream
	var got alias
	b := []byte("hello")
	s.Segment(pool, 7, false, false, b, 0, 0, &got)
	if len(got) != 1 || got[0] != &b[0] {
		t.Error("bytes in their turn were copied")
	}
}

type alias []*byte

func (a *alias) Data(b []byte) { *a = append(*a, &b[0]) }
func (a *alias) Gap(int)       {}

func TestFIN(t *testing.T) {
	r := open(t, Config{}, First, 0)
	r.flags(r.fin(5, "fgh"), OutOfOrder)
	if r.s.Done() {
		t.Error("done before the hole is filled")
	}
	r.seg(0, "abcde")
	r.want("abcdefgh")
	if !r.s.Done() {
		t.Error("not done after all bytes before the FIN")
	}
	r.flags(r.fin(8, ""), 0)
	r.ack(9)        // the FIN has a number of its own
	r.seg(8, "ijk") // the FIN may have been forged
	r.want("abcdefghijk")
	var empty Stream
	if empty.Done() || empty.Started() {
		t.Error("a stream without segments is done")
	}
	r = newRig(t, Config{}, First, 0)
	if r.fin(0, ""); !r.s.Done() {
		t.Error("a FIN alone is an end")
	}
}

func TestSYN(t *testing.T) {
	t.Run("with data (RFC 7413), refused and sent again", func(t *testing.T) {
		r := newRig(t, Config{}, First, 0)
		r.flags(r.s.Segment(r.pool, r.isn-1, true, false, []byte("abc"), 0, 0, &r.out), 0)
		r.ack(0)
		r.flags(r.seg(0, "abcdef"), Retransmit)
		r.want("abcdef")
	})
	t.Run("another ISN before any data", func(t *testing.T) {
		r := newRig(t, Config{}, First, 0)
		r.syn(1000)
		r.flags(r.syn(0), 0)
		r.flags(r.syn(0), 0)
		r.seg(0, "abc")
		r.want("abc")
		r.flags(r.syn(0), 0) // a late retransmission
		r.flags(r.syn(500), OutOfWindow)
		r.seg(3, "def")
		r.want("abcdef")
	})
	t.Run("another ISN takes what was held along, or not", func(t *testing.T) {
		r := newRig(t, Config{}, First, 0)
		r.ack(0)
		r.flags(r.seg(3, "def"), OutOfOrder)
		r.syn(3)
		r.want("def")
		r = newRig(t, Config{}, First, 0)
		r.ack(0)
		r.seg(3, "def")
		r.syn(1 << 31)
		r.seg(1<<31, "abc")
		r.want("abc")
		checkEmpty(t, r.pool)
	})
	t.Run("forged: the receiver talks about other numbers", func(t *testing.T) {
		r := newRig(t, Config{}, First, 0)
		r.syn(5000)
		r.ack(10)
		r.flags(r.seg(10, "abc"), 0)
		r.want("abc")
	})
}

func TestMidstream(t *testing.T) {
	t.Run("the first segment is the start", func(t *testing.T) {
		r := newRig(t, Config{}, First, 0)
		r.flags(r.seg(100, "abc"), 0)
		r.flags(r.seg(97, "xyz"), Retransmit)
		r.seg(103, "def")
		r.want("abcdef")
	})
	t.Run("the first two come in the wrong order", func(t *testing.T) {
		r := newRig(t, Config{}, First, 0)
		r.ack(100)
		r.flags(r.seg(103, "def"), OutOfOrder)
		r.seg(100, "abc")
		r.want("abcdef")
	})
	t.Run("bytes on the way when the capture began are no gap", func(t *testing.T) {
		r := newRig(t, Config{}, First, 0)
		r.ack(100)
		r.seg(103, "def")
		r.ack(103)
		r.want("def")
		r.seg(109, "jkl")
		r.ack(112)
		r.want("def<3>jkl")
	})
	t.Run("a far acknowledgement says nothing", func(t *testing.T) {
		r := newRig(t, Config{}, First, 0)
		r.ack(0)
		r.flags(r.seg(softStart+1, "abc"), 0)
		r.want("abc")
		r = newRig(t, Config{}, First, 0)
		r.ack(50)
		r.flags(r.seg(0, "abc"), 0) // before it
		r.want("abc")
	})
}

func TestAck(t *testing.T) {
	r := open(t, Config{}, First, 0)
	r.seg(0, "abc")
	r.seg(6, "ghi")
	r.seg(12, "mno")
	r.ack(3) // the receiver waits too
	r.want("abc")
	r.ack(5) // it has some of the hole, but not up to what is held
	r.want("abc")
	r.ack(17) // not sent yet: forged, or about bytes the capture lost
	r.want("abc")
	r.ack(6)
	r.want("abc<3>ghi")
	r.flags(r.seg(3, "def"), Retransmit) // too late
	r.ack(15)
	r.want("abc<3>ghi<3>mno")
	if st := r.pool.Stats(); st.Gaps != 2 || st.GapBytes != 6 || st.OutOfOrder != 2 || st.Retransmitted != 1 {
		t.Errorf("%+v", st)
	}
	checkEmpty(t, r.pool)
}

func TestOneWay(t *testing.T) {
	cfg := Config{HoldTime: 1000, MaxStreamBytes: 4 * BlockSize}
	t.Run("time", func(t *testing.T) {
		r := newRig(t, cfg, BSD, 0)
		r.syn(0)
		r.seg(3, "def")
		r.now = 1000
		r.seg(9, "jkl")
		r.want("")
		r.now = 1001
		r.seg(12, "mno")
		r.want("<3>def") // the next hole has its own time
		r.now = 3000
		r.seg(4, "ef") // nothing new, but time
		r.want("<3>def")
		r.seg(15, "pqr")
		r.want("<3>def<3>jklmnopqr")
		r.now = 9000
		r.seg(20, "uv")
		r.now = 19000
		r.seg(19, "tuv") // before what is held, after time
		r.want("<3>def<3>jklmnopqr<2>uv")
	})
	t.Run("room", func(t *testing.T) {
		r := newRig(t, cfg, BSD, 0)
		r.syn(0)
		for i := range 4 {
			r.seg(10+i, string(rune('a'+i)))
		}
		r.want("")
		r.seg(14, "e")
		r.want("<10>abcde")
		for i := range 4 {
			r.seg(20+i, string(rune('a'+i)))
		}
		r.seg(18, "xx") // before what is held
		r.want("<10>abcde<3>xxabcd")
		checkEmpty(t, r.pool)
	})
	t.Run("a segment that never fits", func(t *testing.T) {
		r := newRig(t, cfg, First, 0)
		r.syn(0)
		big := strings.Repeat("x", 5*maxData)
		r.flags(r.seg(10, big), 0)
		r.want("<10>" + big)
	})
}

// As long as the receiver acknowledges and waits, neither time nor what lies
// ahead moves the stream: else a client could send it off with bytes that
// never arrive.
func TestLiesAboutTheFuture(t *testing.T) {
	r := open(t, Config{MaxStreamBytes: 8 * BlockSize}, First, 0)
	r.seg(0, "GET ")
	for i := range 1000 {
		r.now += 60e9
		r.seg(5+i*3000, strings.Repeat("x", 3000))
		r.ack(4)
	}
	r.want("GET ")
	if r.s.Held() > 8*BlockSize || r.pool.Stats().Dropped == 0 {
		t.Errorf("holds %d, dropped %d", r.s.Held(), r.pool.Stats().Dropped)
	}
	r.seg(4, "/")
	if got := r.out.String(); !strings.HasPrefix(got, "GET /xxxx") {
		t.Errorf("delivered %q", got)
	}
}

// With the room used up, what lies nearest to the hole is kept.
func TestNearestStays(t *testing.T) {
	r := open(t, Config{MaxStreamBytes: 3 * BlockSize}, Linux, 0)
	for _, at := range []int{50, 40, 30} {
		r.flags(r.seg(at, "xx"), OutOfOrder)
	}
	r.flags(r.seg(60, "yy"), OutOfOrder|Dropped)
	r.flags(r.seg(20, "aa"), OutOfOrder) // 50 goes
	r.flags(r.seg(10, "bb"), OutOfOrder) // 40 goes
	r.s.Flush(r.pool, &r.out)
	r.want("<10>bb<8>aa<8>xx")
	if n := r.pool.Stats().Dropped; n != 3 {
		t.Errorf("%d dropped", n)
	}
	// Making way may take the very block the segment overlaps.
	r = open(t, Config{MaxStreamBytes: 2 * BlockSize}, Linux, 0)
	r.seg(20, "t")
	r.seg(50, "xx")
	r.flags(r.seg(40, strings.Repeat("a", 11)), OutOfOrder)
	r.s.Flush(r.pool, &r.out)
	r.want("<20>t<19>aaaaaaaaaaa")
	checkEmpty(t, r.pool)
}

func TestOutOfWindow(t *testing.T) {
	r := open(t, Config{}, First, 0)
	r.seg(0, "abc")
	r.flags(r.seg(3+maxAhead+1, "x"), OutOfWindow)
	r.flags(r.seg(3-maxAhead-1, "x"), OutOfWindow)
	r.flags(r.seg(3+maxAhead, "x"), OutOfOrder)
	r.flags(r.seg(3-maxAhead, "x"), Retransmit)
	r.flags(r.snap(3, "x", maxSegment), OutOfWindow)
	r.flags(r.snap(3, "x", -7), 0)
	r.want("abcx")
	if n := r.pool.Stats().OutOfWindow; n != 3 {
		t.Errorf("%d out of window", n)
	}
}

func TestProbes(t *testing.T) {
	r := open(t, Config{}, First, 0)
	r.seg(0, "abc")
	r.flags(r.seg(2, ""), KeepAlive)
	r.flags(r.seg(2, "?"), KeepAlive|Retransmit)
	r.flags(r.seg(3, ""), 0)
	r.flags(r.seg(3, "d"), 0) // zero window: one byte, and again with the rest
	r.flags(r.seg(3, "def"), Retransmit)
	r.want("abcdef")
}

func TestSuperSegment(t *testing.T) {
	r := open(t, Config{}, Linux, 0)
	big := strings.Repeat("0123456789abcdef", 4096)
	r.flags(r.seg(2, big), OutOfOrder)
	r.flags(r.seg(2+100, big[100:5000]), OutOfOrder|Overlap)
	r.seg(0, "ab")
	r.want("ab" + big)
}

func TestSnapLength(t *testing.T) {
	r := open(t, Config{}, First, 0)
	r.flags(r.snap(0, "abc", 2), 0)
	r.want("abc<2>")
	r.flags(r.snap(10, "klm", 2), OutOfOrder)
	r.flags(r.seg(15, "pq"), OutOfOrder)
	r.snap(5, "fg", 3)
	r.want("abc<2>fg<3>klm<2>pq")
	// Bytes cut off here and held from elsewhere.
	r.seg(20, "uvw")
	r.snap(17, "r", 9)
	r.want("abc<2>fg<3>klm<2>pqr<2>uvw<4>")
	// Cut off at the end of a held run, partly present in the next.
	r.snap(30, "EF", 6)
	r.seg(34, "IJ")
	r.snap(27, "", 3)
	r.want("abc<2>fg<3>klm<2>pqr<2>uvw<4><3>EF<2>IJ")
	// A held run that was cut, ending where the segment in turn ends.
	r.snap(38, "MN", 5)
	r.seg(36, "KLMN")
	r.want("abc<2>fg<3>klm<2>pqr<2>uvw<4><3>EF<2>IJKLMN<5>")
}

func TestDepth(t *testing.T) {
	r := open(t, Config{}, First, 8)
	r.flags(r.seg(5, "fghij"), OutOfOrder)
	r.flags(r.seg(0, "abcde"), DepthReached)
	r.want("abcdefgh")
	r.flags(r.seg(10, "k"), Ignored)
	r.ack(11)
	if !r.s.Stopped() || r.s.Delivered() != 8 {
		t.Errorf("stopped %v after %d bytes", r.s.Stopped(), r.s.Delivered())
	}
	checkEmpty(t, r.pool)
}

// Output may stop the stream at any call; nothing follows then, and nothing
// stays held.
func TestStopFromOutput(t *testing.T) {
	full := 0
	for stop := 0; stop == 0 || stop <= full; stop++ {
		r := open(t, Config{}, BSD, 0)
		r.out.stop = stop
		r.snap(3, "defgh", 2)
		r.seg(12, "m")
		r.seg(15, "pqr")
		r.seg(0, "abcdefg")
		r.ack(18)
		r.seg(19, "tu")
		r.snap(18, "s", 30)
		r.s.Flush(r.pool, &r.out)
		if stop == 0 {
			r.want("abcdefgh<2><2>m<2>pqrstu<28>")
			full = r.out.calls
			continue
		}
		if r.out.calls != stop || !r.s.Stopped() {
			t.Errorf("stopped at call %d, got %d calls: %q", stop, r.out.calls, r.out.String())
		}
		checkEmpty(t, r.pool)
	}
	if full < 8 {
		t.Errorf("only %d calls", full)
	}
}

// The same while a segment waits for a hole to be given up for it.
func TestStopWhileGivingUp(t *testing.T) {
	for stop, want := range []string{1: "<3>", 2: "<3>d", 3: "<3>d<4>"} {
		if stop == 0 {
			continue
		}
		r := newRig(t, Config{HoldTime: 1000}, First, 0)
		r.out.stop = stop
		r.syn(0)
		r.seg(3, "d")
		r.now = 2000
		r.seg(8, "i")
		r.now = 4000
		r.seg(9, "j")
		r.now = 6000
		r.seg(20, "u")
		if !strings.HasPrefix(r.out.String(), want) || r.out.calls != stop || !r.s.Stopped() {
			t.Errorf("stopped at call %d: %q", stop, r.out.String())
		}
		checkEmpty(t, r.pool)
	}
}

// TestSkip: what went by unseen on purpose is no gap, and what comes after it
// is in its turn.
func TestSkip(t *testing.T) {
	pool := NewPool(Config{MaxBytes: 1 << 20})
	var s Stream
	var o counting
	s.Init(0, 0)
	if s.Skip(7) != 0 {
		t.Error("before it began")
	}
	s.Segment(pool, 999, true, false, nil, 0, 1, &o)
	s.Segment(pool, 1000, false, false, make([]byte, 10), 0, 1, &o)
	for _, tt := range []struct {
		to uint32
		n  int
	}{{1010, 0}, {1500, 490}, {1400, 0}, {1500 + maxAhead + 1, 0}, {1500 + maxAhead, maxAhead}} {
		if n := s.Skip(tt.to); n != tt.n {
			t.Errorf("to %d: %d, want %d", tt.to, n, tt.n)
		}
	}
	at := uint32(1500 + maxAhead)
	s.Segment(pool, at, false, false, make([]byte, 5), 0, 1, &o)
	s.Segment(pool, at+10, false, false, make([]byte, 5), 0, 1, &o)
	if n := s.Skip(at + 10); n != 0 {
		t.Errorf("%d bytes while segments are held", n)
	}
	s.Ack(pool, at+15, &o)
	if o.bytes != 20 || o.gaps != 5 {
		t.Errorf("%+v", o)
	}
	s.Stop(pool)
	if s.Skip(at+100) != 0 {
		t.Error("after the end")
	}
}

type counting struct{ bytes, gaps int }

func (c *counting) Data(b []byte) { c.bytes += len(b) }
func (c *counting) Gap(n int)     { c.gaps += n }
