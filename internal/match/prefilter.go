package match

import (
	"math/bits"
	"slices"

	"github.com/yamori-net/yamori/internal/match/mpm"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/rules"
)

// prefilter finds the rules whose pattern is in a payload. It is in parts, so
// that a payload is searched only for what rules on its ports, its size and
// the protocol of its flow look for.
type prefilter struct {
	dir    packet.Dir
	every  portFilter
	small  portFilter   // rules on payloads of at most smallPayload bytes
	apps   []*appFilter // rules on flows of one protocol, by its number
	maxLen int          // of the patterns
	bound  int          // before it lie all patterns that have a place from the start
}

// appFilter is what the rules on flows of one protocol look for.
type appFilter struct {
	own   portFilter
	usual []usualFilter
}

// usualFilter is all that a flow of one protocol on a usual port of its is
// searched for, in one filter: most bulk is such, and one pass over it costs
// less than one for each part. The other side's port is left out of it.
type usualFilter struct {
	port uint16
	f    *mpm.Filter
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
	rest := c.app
	var usual *mpm.Filter
	if i := bits.TrailingZeros64(rest); rest&(rest-1) == 0 && i < len(f.apps) && f.apps[i] != nil {
		usual = f.apps[i].at(f.service(c.sp, c.dp))
		if usual != nil {
			rest = 0
			out = append(out, usual.ScanAt(data, base, s)...)
			if o := f.every.away(f.dir, c.sp, c.dp); o != nil {
				out = append(out, o.ScanAt(data, base, s)...)
			}
			if o := f.apps[i].own.away(f.dir, c.sp, c.dp); o != nil {
				out = append(out, o.ScanAt(data, base, s)...)
			}
		}
	}
	if usual == nil {
		out = f.every.scan(out, data, base, c.sp, c.dp, s)
	}
	if size > 0 && size <= smallPayload {
		out = f.small.scan(out, data, base, c.sp, c.dp, s)
	}
	for m := rest; m != 0; m &= m - 1 {
		if i := bits.TrailingZeros64(m); i < len(f.apps) && f.apps[i] != nil {
			out = f.apps[i].own.scan(out, data, base, c.sp, c.dp, s)
		}
	}
	if len(out) > 1 {
		slices.Sort(out)
		out = slices.Compact(out)
	}
	return out
}

// service is the port of the server.
func (f *prefilter) service(sp, dp uint16) uint16 {
	if f.dir == packet.ToServer {
		return dp
	}
	return sp
}

func (a *appFilter) at(port uint16) *mpm.Filter {
	for i := range a.usual {
		if a.usual[i].port == port {
			return a.usual[i].f
		}
	}
	return nil
}

// away is the filter of the rules that name the client's port.
func (f *portFilter) away(d packet.Dir, sp, dp uint16) *mpm.Filter {
	if d == packet.ToServer {
		return f.src.at(sp)
	}
	return f.dst.at(dp)
}

// usual reports whether the rule is for a service on the port, and not filtered
// by the client's port.
func (r *prefilterRule) usual(d packet.Dir, port uint16) bool {
	switch {
	case few(r.dp):
		return d == packet.ToServer && r.dp.Contains(port)
	case few(r.sp):
		return d == packet.ToClient && r.sp.Contains(port)
	}
	return true
}

func (g *grouper) prefilter(in []prefilterRule, d packet.Dir) (f prefilter) {
	f.dir = d
	var every, small []prefilterRule
	apps := make([][]prefilterRule, len(g.s.protocols))
	for _, r := range in {
		f.maxLen = max(f.maxLen, len(r.p.Bytes))
		if r.p.Depth > 0 {
			f.bound = max(f.bound, r.p.Offset+r.p.Depth)
		}
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
		a := &appFilter{own: g.portFilter(l)}
		if d == packet.ToServer {
			f.apps[i] = a // seldom bulk, and many patterns
			continue
		}
		for _, port := range g.s.protocols[i].Ports {
			var ps []mpm.Pattern
			for _, rs := range [2][]prefilterRule{every, l} {
				for k := range rs {
					if rs[k].usual(d, port) {
						ps = append(ps, rs[k].p)
					}
				}
			}
			a.usual = append(a.usual, usualFilter{port, g.filter(ps)})
		}
		f.apps[i] = a
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
