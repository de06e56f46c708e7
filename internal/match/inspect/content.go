package inspect

import "bytes"

// contentChain matches o at one occurrence after another until the rest
// matches too.
func (c *Ctx) contentChain(o *op, rest []op) result {
	base := c.off
	from := uint32(0)
	for {
		c.off = base
		r := c.content(o, from)
		if r != yes {
			return r
		}
		from = c.off - (uint32(o.v) - 1) // one behind the start of this occurrence
		if r = c.run(rest); r != no {
			return r
		}
	}
}

// content looks for the pattern of o, beginning at from when that is not 0,
// and moves c.off behind it. The arithmetic is in 32 bits with wrap-around, as
// Suricata's is, so that rules with odd numbers answer alike.
func (c *Ctx) content(o *op, from uint32) result {
	negated := o.flags&fNegated != 0
	offset, depth, ok := c.window(o)
	if !ok {
		return no
	}
	if from != 0 {
		offset = from
	}
	size := uint32(len(c.buf))
	depth = min(depth, size)
	if offset > depth || depth == 0 {
		if negated {
			return yes
		}
		return no
	}
	at := -1
	if o.flags&fEndsWith == 0 || depth == size {
		at = c.search(o, c.buf[offset:depth])
	}
	if at == exhausted {
		return give
	}
	if at < 0 {
		switch {
		case negated:
			return yes
		case o.flags&(fDistance|fWithin) == 0:
			return give // it depends on no other step: the failure is final
		}
		return no
	}
	end := offset + uint32(at) + uint32(o.v)
	if negated {
		// With endswith, only a first occurrence at the end counts; Suricata
		// measures the end from the start of the window.
		if o.flags&(fEndsWith|fTail) == fEndsWith && end != depth-offset {
			return yes
		}
		if o.single() {
			return give
		}
		return no
	}
	c.off = end
	return yes
}

// window returns where the pattern may lie: from offset to depth, not yet cut
// to the buffer. It is false when the buffer lies outside of it.
func (c *Ctx) window(o *op) (offset, depth uint32, ok bool) {
	size := uint32(len(c.buf))
	depth = size
	if o.flags&(fDistance|fWithin) == 0 {
		if o.flags&fDepthVar != 0 {
			depth = uint32(c.vars[o.b])
		} else if o.b != 0 {
			depth = uint32(o.b)
		}
		if c.start != 0 && o.flags&fDepth != 0 {
			if depth, ok = c.streamDepth(depth); !ok {
				return 0, 0, false
			}
		}
		offset = uint32(o.a)
		if o.flags&fOffsetVar != 0 {
			offset = uint32(c.vars[o.a])
		}
		if o.flags&(fOffsetVar|fDepthVar) != 0 {
			depth += offset
		}
		return offset, depth, true
	}
	offset = c.off
	distance := o.c
	if o.flags&fDistance != 0 {
		if o.flags&fDistanceVar != 0 {
			distance = int32(uint32(c.vars[o.c]))
		}
		if distance < 0 && uint32(-int64(distance)) > offset {
			offset = 0
		} else {
			offset += uint32(distance)
		}
	}
	if o.flags&fWithin != 0 {
		within := uint32(o.d)
		if o.flags&fWithinVar != 0 {
			within = uint32(c.vars[o.d])
		}
		if end := c.off + within + uint32(distance); int32(depth) > int32(end) {
			depth = end
		}
		if c.start != 0 && c.off == 0 {
			if depth, ok = c.streamDepth(depth); !ok {
				return 0, 0, false
			}
		}
	}
	return offset, depth, true
}

// streamDepth turns a depth counted from the start of the stream into one of
// the buffer. It is false when the buffer lies behind it.
func (c *Ctx) streamDepth(depth uint32) (uint32, bool) {
	switch d := uint64(depth); {
	case d <= c.start:
		return 0, false
	case d >= c.start+uint64(len(c.buf)):
		return depth, true
	default:
		return uint32(d - c.start), true
	}
}

// exhausted is what search returns when the budget is used up.
const exhausted = -2

// search returns the first place of o's pattern in s, or -1. With endswith,
// unless negated beside others, only the place at the end of the buffer counts.
func (c *Ctx) search(o *op, s []byte) int {
	n := int(uint32(o.v))
	if n > len(s) {
		return -1
	}
	at := uint32(o.v >> 32)
	p := c.arena.bytes[at : at+uint32(n)]
	if o.flags&(fEndsWith|fNegated) == fEndsWith || o.flags&fTail != 0 {
		if tail := s[len(s)-n:]; o.flags&fNoCase == 0 && bytes.Equal(tail, p) || o.flags&fNoCase != 0 && equalFold(tail, p) == n {
			return len(s) - n
		}
		return -1
	}
	var i int
	cost := 16
	if o.flags&fNoCase != 0 {
		i = indexFold(s, p, int(o.aux), &cost, c.budget)
	} else {
		i = bytes.Index(s, p)
	}
	if i < 0 {
		cost += len(s)
	} else {
		cost += i
	}
	if !c.spend(cost) {
		return exhausted
	}
	return i
}
