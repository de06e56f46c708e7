package reassembly

import "time"

// Config bounds a Pool. Zero fields get the defaults.
type Config struct {
	// MaxBytes bounds the memory for bytes held back, over all streams of the
	// pool. DefaultMaxBytes; at least MinBytes.
	MaxBytes int

	// MaxStreamBytes bounds it for one stream. DefaultMaxStreamBytes.
	MaxStreamBytes int

	// HoldTime is how long (ns of packet time) a stream waits for a hole when
	// the peer's acknowledgements are not seen. DefaultHoldTime.
	HoldTime int64
}

// Defaults and bounds.
const (
	DefaultMaxBytes       = 16 << 20
	DefaultMaxStreamBytes = 256 << 10
	DefaultHoldTime       = int64(10 * time.Second)
	MinBytes              = slabBlocks * BlockSize
)

// BlockSize is the unit in which memory is taken and counted: a segment of up
// to maxData bytes, as Ethernet carries it, fits in one. A segment of one byte
// takes one too, and is charged for it.
const (
	BlockSize   = 2048
	blockHeader = 40
	maxData     = BlockSize - blockHeader
	slabBlocks  = 32
)

// block holds a run of bytes of one segment. The blocks of a stream are in
// order and do not overlap.
type block struct {
	prev, next *block
	seq        uint32 // of data[off]
	off, n     uint16
	lost       uint32 // bytes after the run that the capture cut off
	oseq, oend uint32 // extents of the segment it came in, for the policy
	_          uint32
	data       [maxData]byte
}

func (b *block) end() uint32 { return b.seq + uint32(b.n) }

// bytes returns those of the sequence numbers from..to, which must be inside.
func (b *block) bytes(from, to uint32) []byte {
	o := uint32(b.off) - b.seq
	return b.data[o+from : o+to]
}

// Stats counts since the pool was made.
type Stats struct {
	Segments      uint64 // with payload
	Retransmitted uint64 // segments with bytes already passed
	OutOfOrder    uint64 // segments that came ahead of their turn
	Overlaps      uint64 // segments that overlapped held bytes
	Contradicting uint64 // of these, with other content
	OutOfWindow   uint64 // segments too far from their stream
	Dropped       uint64 // segments not (wholly) held for want of room
	Gaps          uint64 // holes given up
	GapBytes      uint64 //
	Reclaimed     uint64 // streams that lost what they held to make room for another
	HeldBytes     int    // memory in use for held bytes, in whole blocks
	PeakBytes     int
	Holding       int // streams that hold bytes
}

func (t *Stats) count(r Result) {
	t.OutOfOrder += uint64(r / OutOfOrder & 1)
	t.Overlaps += uint64(r / Overlap & 1)
	t.Contradicting += uint64(r / Contradicts & 1)
	t.Dropped += uint64(r / Dropped & 1)
}

// Pool is the memory of one worker's streams. It has no lock. Memory is taken
// in slabs as needed, up to MaxBytes, and reused.
type Pool struct {
	free      *block
	blocks    int // that the pool may hold
	room      int // of these, not allocated yet
	perStream int
	holdTime  int64
	now       int64
	stats     Stats

	// Streams that hold bytes, the longest without progress first.
	oldest, newest *Stream
}

// NewPool returns a pool with the bounds of cfg.
func NewPool(cfg Config) *Pool {
	or := func(v, def int) int {
		if v <= 0 {
			return def
		}
		return v
	}
	p := &Pool{
		blocks:    max(or(cfg.MaxBytes, DefaultMaxBytes), MinBytes) / BlockSize,
		perStream: min(max(or(cfg.MaxStreamBytes, DefaultMaxStreamBytes)/BlockSize, 1), 1<<16-1),
		holdTime:  cfg.HoldTime,
	}
	p.room = p.blocks
	if p.holdTime <= 0 {
		p.holdTime = DefaultHoldTime
	}
	return p
}

// Stats returns the counters.
func (p *Pool) Stats() Stats { return p.stats }

// available returns the number of blocks not in use.
func (p *Pool) available() int { return p.blocks - p.stats.HeldBytes/BlockSize }

// get returns a block for s, or nil. When the pool is exhausted the stream
// that has waited longest without progress loses what it holds; unless that is
// s, which then has to give up its own hole.
func (p *Pool) get(s *Stream) *block {
	if p.free == nil && p.room == 0 && p.oldest != s && p.oldest != nil {
		p.stats.Reclaimed++
		p.oldest.release(p)
	}
	if p.free == nil {
		n := min(slabBlocks, p.room)
		if n == 0 {
			return nil
		}
		p.room -= n
		slab := make([]block, n)
		for i := range slab {
			slab[i].next, p.free = p.free, &slab[i]
		}
	}
	b := p.free
	p.free = b.next
	b.next, b.prev = nil, nil
	p.stats.HeldBytes += BlockSize
	p.stats.PeakBytes = max(p.stats.PeakBytes, p.stats.HeldBytes)
	return b
}

func (p *Pool) put(b *block) {
	b.prev, b.next = nil, p.free
	p.free = b
	p.stats.HeldBytes -= BlockSize
}

// push and remove keep the list of streams that hold bytes.
func (p *Pool) push(s *Stream) {
	s.older, s.newer = p.newest, nil
	if p.newest == nil {
		p.oldest = s
	} else {
		p.newest.newer = s
	}
	p.newest = s
	s.since = p.now
	p.stats.Holding++
}

func (p *Pool) remove(s *Stream) {
	if s.older == nil {
		p.oldest = s.newer
	} else {
		s.older.newer = s.newer
	}
	if s.newer == nil {
		p.newest = s.older
	} else {
		s.newer.older = s.older
	}
	s.older, s.newer = nil, nil
	p.stats.Holding--
}
