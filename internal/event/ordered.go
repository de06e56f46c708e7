package event

import (
	"cmp"
	"slices"
)

// Ordered gathers the EVE lines of one worker of a replay with several, so
// that Merge can put all workers' lines into the order of their packets. Not
// safe for concurrent use.
type Ordered struct {
	eve   EVE
	buf   []byte
	lines []line
}

type line struct {
	num        uint64 // packet that caused it
	start, end int
}

// Event encodes ev. Events need their packet number (Event.PcapCnt); those
// without one stand after the latest.
func (o *Ordered) Event(ev *Event) {
	num := ev.PcapCnt
	if num == 0 && len(o.lines) > 0 {
		num = o.lines[len(o.lines)-1].num
	}
	start := len(o.buf)
	o.buf = o.eve.Append(o.buf, ev)
	o.lines = append(o.lines, line{num, start, len(o.buf)})
}

// Merge appends the lines of all workers to dst in the order of packets, and
// empties the workers.
func Merge(dst []byte, workers ...*Ordered) []byte {
	type ref struct {
		line
		w int
	}
	var all []ref
	for i, o := range workers {
		for _, l := range o.lines {
			all = append(all, ref{l, i})
		}
	}
	slices.SortStableFunc(all, func(a, b ref) int { return cmp.Compare(a.num, b.num) })
	for _, r := range all {
		dst = append(dst, workers[r.w].buf[r.start:r.end]...)
	}
	for _, o := range workers {
		o.buf, o.lines = o.buf[:0], o.lines[:0]
	}
	return dst
}
