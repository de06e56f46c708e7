package match

import (
	"math/bits"
	"slices"

	"github.com/yamori-net/yamori/internal/match/mpm"
	"github.com/yamori-net/yamori/internal/rules"
)

// prefilter finds the rules whose pattern is in a payload. It is in parts, so
// that a payload is searched only for what rules on its ports, its size and
// the protocol of its flow look for.
type prefilter struct {
	every  portFilter
	small  portFilter    // rules on payloads of at most smallPayload bytes
	apps   []*portFilter // rules on flows of one protocol, by its number
	maxLen int           // of the patterns
}

// smallPayload is what a packet of a rule with a narrow dsize has at most: the
// segments of a bulk transfer are larger.
const smallPayload = 512

// prefilterRule is a rule's pattern with what a payload must be for it.
type prefilterRule struct {
	p       mpm.Pattern
	sp, dp  *rules.PortSet
	apps    uint64
	hasApps bool
	small   bool
}

// scan appends the rules whose pattern is in data, in order, each once. The
// data begin base bytes into the stream, and belong to a payload of size
// bytes; 0 when it is a stream's.
func (f *prefilter) scan(out []uint32, data []byte, base, size int, c *ctx) []uint32 {
	s := &c.w.scr
	out = f.every.scan(out, data, base, c.sp, c.dp, s)
	n := len(out)
	if size > 0 && size <= smallPayload {
		out = f.small.scan(out, data, base, c.sp, c.dp, s)
	}
	for m := c.app; m != 0; m &= m - 1 {
		if i := bits.TrailingZeros64(m); i < len(f.apps) && f.apps[i] != nil {
			out = f.apps[i].scan(out, data, base, c.sp, c.dp, s)
		}
	}
	if len(out) > n && n > 0 || len(out) > n+1 {
		slices.Sort(out)
		out = slices.Compact(out)
	}
	return out
}

func (g *grouper) prefilter(in []prefilterRule) (f prefilter) {
	var every, small []prefilterRule
	apps := make([][]prefilterRule, len(g.s.protocols))
	for _, r := range in {
		f.maxLen = max(f.maxLen, len(r.p.Bytes))
		switch {
		case r.hasApps:
			for i := range apps {
				if r.apps&(1<<i) != 0 {
					apps[i] = append(apps[i], r)
				}
			}
		case r.small:
			small = append(small, r)
		default:
			every = append(every, r)
		}
	}
	f.every, f.small = g.portFilter(every), g.portFilter(small)
	for i, l := range apps {
		if len(l) == 0 {
			continue
		}
		for len(f.apps) <= i {
			f.apps = append(f.apps, nil)
		}
		p := g.portFilter(l)
		f.apps[i] = &p
	}
	return f
}

// nearEnd is how far into a payload a pattern may reach to be searched for at
// its begin only, if possible the nearest part of that, and nearShared how many
// rules may share it: what begins the messages of many, such as a method of
// HTTP, begins most messages.
const (
	nearestEnd = 128
	nearEnd    = 640
	nearLength = 3
	nearShared = 16
)

// near reports whether a content lies at the begin of the payload.
func (c *compiler) near(k *content) bool {
	s := k.step()
	if k.l != c.lists[0] || k.sub || s.Negated || s.Distance.Set || s.Within.Set || len(s.Pattern) < nearLength {
		return false
	}
	offset, depth := bounds(s)
	return depth > 0 && offset+depth <= nearEnd
}

// countNear counts the rules by the contents at the begin of their payload.
func (g *grouper) countNear() {
	g.nearUsed = map[string]int{}
	for _, c := range g.b.compiled {
		for _, k := range c.contents {
			if c.near(k) {
				g.nearUsed[string(k.step().Pattern)]++
			}
		}
	}
}

// payloadPattern chooses what the payload of a rule is filtered by: a content
// at its begin that tells enough, since that costs no search, or what
// fastPattern says.
func (g *grouper) payloadPattern(c *compiler) (p mpm.Pattern, ok bool) {
	best := 0
	for _, k := range c.contents {
		if !c.near(k) {
			continue
		}
		s := k.step()
		n := patternScore(s.Pattern)
		if offset, depth := bounds(s); offset+depth <= nearestEnd {
			n += 1 << 10
		}
		if n > best && g.nearUsed[string(s.Pattern)] <= nearShared {
			best, ok = n, true
			p = mpm.Pattern{Bytes: s.Pattern, NoCase: s.NoCase}
			p.Offset, p.Depth = bounds(s)
		}
	}
	if ok {
		return p, true
	}
	return c.fastPattern(nil)
}
