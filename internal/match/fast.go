package match

import (
	"github.com/yamori-net/yamori/internal/match/inspect"
	"github.com/yamori-net/yamori/internal/match/mpm"
)

// fastPattern chooses what a rule's payload or one list is filtered by: the
// content marked so, or else the longest that must be there. ok is false when
// there is none.
func (c *compiler) fastPattern(l *list) (p mpm.Pattern, ok bool) {
	if c.out.flags&traced != 0 {
		return p, false
	}
	if l == nil {
		l = c.lists[0]
	}
	best := -1
	for _, k := range c.contents {
		if k.l != l {
			continue
		}
		s := k.step()
		if s.Negated {
			continue
		}
		n := patternScore(s.Pattern)
		if k.fast {
			n += 1 << 20
		}
		if n <= best {
			continue
		}
		best = n
		b := s.Pattern
		p = mpm.Pattern{Bytes: b, NoCase: s.NoCase}
		if k.chop {
			p.Bytes = b[k.off : k.off+k.n]
		} else if !s.Distance.Set && !s.Within.Set && l.chain.empty() {
			p.Offset, p.Depth = bounds(s)
		}
		ok = true
	}
	if ok {
		return p, true
	}
	return literalOf(l)
}

// literalOf filters by the text that every match of a pcre holds.
func literalOf(l *list) (p mpm.Pattern, ok bool) {
	for i := range l.steps {
		s := &l.steps[i]
		if s.Kind != inspect.PCRE || s.Regexp.Negated() {
			continue
		}
		if lit, fold := s.Regexp.Literal(); len(lit) >= 3 && len(lit) > len(p.Bytes) {
			p, ok = mpm.Pattern{Bytes: []byte(lit), NoCase: fold}, true
		}
	}
	return p, ok
}

// bounds returns where a content may lie, when constants say so.
func bounds(s *inspect.Step) (offset, depth int) {
	if s.StartsWith {
		return 0, len(s.Pattern)
	}
	if s.Offset.Var != "" || s.Depth.Var != "" {
		return 0, 0
	}
	return int(s.Offset.Value), int(s.Depth.Value)
}

// patternScore prefers long patterns of varied bytes.
func patternScore(b []byte) int {
	n := 0
	var seen [4]uint64
	for _, x := range b {
		if seen[x>>6]&(1<<(x&63)) == 0 {
			seen[x>>6] |= 1 << (x & 63)
			n += 3
		} else {
			n++
		}
	}
	return n
}

// weight prefers buffers that are small and tell much.
var weight = map[string]int{
	"http.method": -40, "http.stat_code": -40, "http.stat_msg": -30, "http.protocol": -40, "http.accept": -20, "http.accept_enc": -20,
	"http.connection": -20, "http.content_type": -20, "http.header_names": -20, "http.start": -5, "http.request_line": -5,
	"file.data": -12, "http.response_body": -12, "http.request_body": -6, "http.header": -4, "http.header.raw": -4,
}

// fastBuffer chooses what a rule on transactions is filtered by.
func (c *compiler) fastBuffer() (p mpm.Pattern, l *list) {
	best := -1 << 30
	for _, cand := range c.lists[1:] {
		if cand.absentOK || isFrame(cand.name) {
			continue
		}
		q, ok := c.fastPattern(cand)
		if !ok {
			continue
		}
		n := patternScore(q.Bytes) + weight[cand.name]
		for _, k := range c.contents {
			if k.fast && k.l == cand && !k.step().Negated {
				n += 1 << 20
			}
		}
		if n > best {
			best, p, l = n, q, cand
		}
	}
	return p, l
}
