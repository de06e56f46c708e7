// Package mpm finds which of many byte strings occur in a buffer: the prefilter in front of the rules.
//
// Rules name far more strings than a packet can be searched for one by one, and the automata usually built for this
// (Aho-Corasick with dense tables) take hundreds of megabytes for a public rule set. Here a pattern is represented by a
// short window of its rarest bytes. Windows are hashed into a bitmap small enough for the first- or second-level cache;
// the few positions whose bit is set are looked up in a bucket table and the whole pattern is compared before it is
// reported. Everything lives in flat arrays without pointers, under 100 bytes a pattern.
//
// Patterns are split into classes by length, because a short pattern forces a dense search upon its whole class:
//
//	length ≥ 8   5-byte windows, 4 neighbours stored, every 4th position of the data looked at
//	length 5–7   4-byte windows, 2 neighbours stored, every 2nd position
//	length 4     3-byte windows, likewise
//	length 3     every position
//	length 2     every position, blind to nothing
//	few          of length 3 and more: pairs at every 2nd position, not hashed
//	length 1     bytes.IndexByte
//	runs         one byte repeated: the data's own runs are measured
//	rare bytes   few patterns of a class above: each by its rarest byte with bytes.IndexByte
//
// Each of these exists once for patterns that may lie anywhere and once for those bound to the buffer's start by Depth;
// the latter reads only that far. Empty classes cost nothing. A pattern without windows that are rare enough for its
// class (zeros, mostly) goes to one that looks more closely.
//
// One core of a 2.6 GHz server finds patterns of 5 bytes and more of a public rule set in web traffic, mostly encrypted,
// at 0.79 GB/s (3,400 patterns), 0.58 (18,000) and 0.38 (45,000). In small flows of many protocols, where a dozen and
// more patterns do occur in each packet, it is 0.40, 0.28 and 0.13 (November 2026). Patterns of 3 and 4 bytes cost half
// as much again as all longer ones, so sets without them are worth having.
//
// Work is linear in the data, whatever the data: each position has at most MaxChain patterns compared, each comparison
// reads at most the pattern, and a pattern found is not compared again in the same scan.
package mpm

// Pattern is one string to look for.
type Pattern struct {
	Bytes  []byte // copied by Build; an empty pattern matches every buffer
	NoCase bool   // ASCII letters match in either case
	Offset int    // the pattern begins at this position of the buffer or later; negative counts as 0
	Depth  int    // the pattern ends within Depth bytes after Offset; 0 or negative: anywhere
	ID     uint32 // what Scan reports; several patterns may share one
}

// Filter is an immutable set of patterns. Any number of goroutines may scan with it, each with its own Scratch.
type Filter struct {
	pool    []byte   // all pattern bytes, end to end; nocase ones in lower case; 8 bytes of padding at the end
	pats    []pat    // one more than there are patterns: entry i+1 ends what i begins
	ids     []uint32 // IDs by pattern
	anchors []anchor // distinct position limits; the first is "anywhere"
	classes []class
	singles []uint32 // patterns of one byte
	runs    []run    // patterns of one byte repeated
	rares   []rare   // few patterns, found by a byte each
	always  []uint32 // IDs of empty patterns
	maxLen  int

	runMin   int       // length of the shortest run
	runLimit int       // where the last run must end
	runBytes [4]uint64 // set of the bytes of runs

	shared bool // some ID belongs to several patterns, so results need compacting
}

// pat describes a pattern; 12 bytes.
type pat struct {
	pos    uint32 // begin in pool
	ids    uint32 // begin in ids
	anchor uint16 // index into anchors
	win    uint8  // begin of the first stored window within the pattern
	flags  uint8
}

const flagNoCase = 1

// anchor bounds where a pattern may lie: begin ≥ min, end ≤ max.
type anchor struct{ min, max uint32 }

// anywhere is the max of a pattern without a depth; buffers are shorter than 2 GB on every machine.
const anywhere = 1<<31 - 1

// maxAnchors is how many distinct limits a filter keeps. Patterns beyond are searched for without theirs, which only
// reports more; public rule sets have a few hundred.
const maxAnchors = 1 << 16

// Scratch is what one worker needs to scan: the zero value is ready, and one serves filters and name sets of any size.
type Scratch struct {
	cand [blockSize]uint16 // positions whose bit is set
	seen []uint64          // one bit a pattern, all clear between scans
	hits []uint32          // patterns found in this scan
	out  []uint32
}

// Len returns the number of distinct patterns.
func (f *Filter) Len() int {
	if f == nil || len(f.pats) == 0 {
		return 0
	}
	return len(f.pats) - 1
}

// MaxLen returns the length of the longest pattern: who scans a stream piece by piece repeats that many bytes less one.
func (f *Filter) MaxLen() int {
	if f == nil {
		return 0
	}
	return f.maxLen
}

// MaxChain returns the most patterns that data made for it can have compared at one of its positions. The windows chosen
// differ where the patterns allow it: 23 for the raw contents of a public rule set, 79 for 18,000 of all its buffers.
func (f *Filter) MaxChain() int {
	if f == nil {
		return 0
	}
	n := len(f.rares)
	for i := range f.classes {
		n += f.classes[i].chain
	}
	return n
}

// Size returns the bytes of memory the filter's arrays take.
func (f *Filter) Size() int {
	if f == nil {
		return 0
	}
	n := cap(f.pool) + 12*cap(f.pats) + 4*cap(f.ids) + 8*cap(f.anchors) + 4*cap(f.always) + 4*cap(f.singles) + 12*cap(f.runs) + 8*cap(f.rares)
	for i := range f.classes {
		n += f.classes[i].size()
	}
	return n
}

// add notes that a pattern was found.
func (s *Scratch) add(m uint32) {
	if s.seen[m/64]>>(m%64)&1 == 0 {
		s.seen[m/64] |= 1 << (m % 64)
		s.hits = append(s.hits, m)
	}
}
