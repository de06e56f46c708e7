package reassembly

import (
	"testing"
	"unsafe"
)

func TestSizes(t *testing.T) {
	if n := unsafe.Sizeof(block{}); n != BlockSize {
		t.Errorf("a block takes %d bytes and is charged for %d", n, BlockSize)
	}
	if n := unsafe.Sizeof(Stream{}); n > 96 {
		t.Errorf("a stream takes %d bytes", n)
	}
}

type sink struct{ bytes, gaps int }

func (s *sink) Data(b []byte) { s.bytes += len(b) }
func (s *sink) Gap(n int)     { s.gaps += n }

func TestAllocs(t *testing.T) {
	pool := NewPool(Config{})
	var s Stream
	out := &sink{}
	data := make([]byte, 1400)
	seq := uint32(0)
	step := func() {
		s.Segment(pool, seq, false, false, data, 0, 0, out)            // in turn
		s.Segment(pool, seq+2800, false, false, data, 0, 0, out)       // ahead
		s.Segment(pool, seq+4200, false, false, data, 0, 0, out)       //
		s.Segment(pool, seq+2900, false, false, data, 0, 0, out)       // overlap
		s.Segment(pool, seq+1400, false, false, data[:700], 0, 0, out) // fills half
		s.Ack(pool, seq+2800, out)                                     // the rest is a gap
		s.Segment(pool, seq, false, false, data, 0, 0, out)            // retransmission
		seq += 5600
	}
	step()
	if n := testing.AllocsPerRun(2000, step); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if out.gaps != 700*2002 || out.bytes != 4900*2002 {
		t.Errorf("%+v", out)
	}
	checkEmpty(t, pool)
}

func BenchmarkInTurn(b *testing.B) {
	pool := NewPool(Config{})
	var s Stream
	out := &sink{}
	data := make([]byte, 1400)
	b.SetBytes(1400)
	b.ReportAllocs()
	for seq := uint32(0); b.Loop(); seq += 1400 {
		s.Segment(pool, seq, false, false, data, 0, 0, out)
	}
}

// One segment in eight comes after the seven that follow it.
func BenchmarkReordered(b *testing.B) {
	pool := NewPool(Config{})
	var s Stream
	out := &sink{}
	data := make([]byte, 1400)
	s.Segment(pool, 1<<32-1, true, false, nil, 0, 0, out)
	b.SetBytes(8 * 1400)
	b.ReportAllocs()
	for seq := uint32(0); b.Loop(); seq += 8 * 1400 {
		for i := range uint32(7) {
			s.Segment(pool, seq+1400*(i+1), false, false, data, 0, 0, out)
		}
		s.Segment(pool, seq, false, false, data, 0, 0, out)
	}
}

// The worst an attacker makes of one stream: bytes one by one, backwards, in
// full room.
func BenchmarkBackwards(b *testing.B) {
	pool := NewPool(Config{})
	var s Stream
	out := &sink{}
	s.Segment(pool, 1<<32-1, true, false, nil, 0, 0, out)
	s.Ack(pool, 0, out)
	data := []byte{1}
	b.ReportAllocs()
	for i := uint32(0); b.Loop(); i++ {
		s.Segment(pool, 1<<28-i*2%(1<<27), false, false, data, 0, 0, out)
	}
}
