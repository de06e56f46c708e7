package match

import (
	"bytes"
	"math"
	"strings"

	"github.com/yamori-net/yamori/internal/rules"
)

var thresholdKeywords = []Keyword{
	{Name: "threshold", Family: "threshold", Doc: "alert less often: type limit, threshold or both; track; count; seconds",
		Example: `content:"x"; threshold:type limit, track by_src, count 1, seconds 60;`, Setup: setupThreshold},
	{Name: "detection_filter", Family: "threshold", Doc: "alert from a rate on", Example: `content:"x"; detection_filter:track by_src, count 5, seconds 60;`, Setup: setupDetectionFilter},
}

// Kinds of thresholds.
const (
	thrLimit = iota
	thrThreshold
	thrBoth
	thrFilter // detection_filter
	thrSuppress
	thrRate
	thrBackoff // alerts at count, count × multiplier, …
)

// What is counted by.
const (
	bySrc = iota
	byDst
	byPair
	byRule
	byFlow
)

// threshold is one limit of a rule; next is tried after it.
type threshold struct {
	kind, track int
	count       uint32
	span        int64 // ns
	until       int64 // rate_filter: how long its action holds
	action      rules.Action
	addrs       *rules.AddrSet // suppress
	next        *threshold
	n           uint8
	multiplier  uint32
	unique      uint8 // of these ports only different ones count
}

// Ports that unique_on names.
const (
	uniqueSrc = 1 + iota
	uniqueDst
)

// global applies the lines of threshold.config that concern the rule.
func (c *compiler) global(lines []rules.GlobalThreshold) {
	tracks := [...]int{rules.TrackNone: -1, rules.BySrc: bySrc, rules.ByDst: byDst, rules.ByEither: byPair, rules.ByBoth: byPair, rules.ByRule: byRule, rules.ByFlow: byFlow}
	for i := range lines {
		g := &lines[i]
		if g.GID != 0 && g.GID != c.m.GID || g.SID != 0 && g.SID != c.m.SID {
			continue
		}
		t := &threshold{track: tracks[g.Track], count: g.Count, span: int64(g.Seconds) * 1e9}
		switch g.Kind {
		case rules.Suppress:
			t.kind, t.addrs = thrSuppress, g.Addrs.Set()
		case rules.RateFilter:
			t.kind, t.action, t.until = thrRate, g.NewAction, int64(g.Timeout)*1e9
		default:
			t.kind = [...]int{rules.Limit: thrLimit, rules.Threshold: thrThreshold, rules.LimitBoth: thrBoth}[g.Type]
			if g.SID == 0 && c.out.thr != nil {
				continue // a rule's own threshold counts before those of all rules
			}
			if c.out.thr != nil && c.out.thr.kind <= thrBoth {
				c.out.thr = c.out.thr.next
			}
		}
		c.addThreshold(t)
	}
}

var tracks = map[string]int{"by_src": bySrc, "by_dst": byDst, "by_both": byPair, "by_rule": byRule, "by_flow": byFlow, "by_either": byPair}

func readThreshold(v string, filter bool) (*threshold, error) {
	t := &threshold{kind: -1, track: -1}
	seen := map[string]bool{}
	for _, p := range split(unquote(v)) {
		f := strings.Fields(p)
		if len(f) != 2 {
			return nil, fail("threshold does not know %q", p)
		}
		if seen[f[0]] {
			return nil, fail("%s stands twice", f[0])
		}
		seen[f[0]] = true
		switch f[0] {
		case "type":
			switch strings.ToLower(f[1]) {
			case "limit":
				t.kind = thrLimit
			case "threshold":
				t.kind = thrThreshold
			case "both":
				t.kind = thrBoth
			case "backoff":
				t.kind = thrBackoff
			default:
				return nil, fail("threshold knows limit, threshold and both, not %q", f[1])
			}
		case "track":
			n, ok := tracks[strings.ToLower(f[1])]
			if !ok {
				return nil, fail("threshold tracks by_src, by_dst, by_both, by_rule or by_flow, not %q", f[1])
			}
			t.track = n
		case "count":
			n, err := rules.ParseUint(f[1], math.MaxUint32)
			if err != nil {
				return nil, err
			}
			t.count = uint32(n)
		case "multiplier":
			n, err := rules.ParseUint(f[1], math.MaxUint16)
			if err != nil || n < 2 {
				return nil, fail("multiplier must be 2 or more")
			}
			t.multiplier = uint32(n)
		case "unique_on":
			switch strings.ToLower(f[1]) {
			case "src_port":
				t.unique = uniqueSrc
			case "dst_port":
				t.unique = uniqueDst
			default:
				return nil, fail("unique_on knows src_port and dst_port, not %q", f[1])
			}
		case "seconds":
			n, err := rules.ParseUint(f[1], math.MaxUint32)
			if err != nil {
				return nil, err
			}
			t.span = int64(n) * 1e9
		default:
			return nil, fail("threshold does not know %q", f[0])
		}
	}
	if filter {
		if seen["type"] {
			return nil, fail("detection_filter has no type")
		}
		t.kind = thrFilter
	}
	if t.unique != 0 && (t.kind == thrLimit || t.kind == thrBackoff) {
		return nil, fail("unique_on goes with types that count up: threshold and both")
	}
	if t.kind == thrBackoff {
		if t.track != byFlow || t.count == 0 || t.multiplier == 0 {
			return nil, fail("backoff needs track by_flow, count and multiplier")
		}
		t.span = math.MaxInt64
		return t, nil
	}
	if t.kind < 0 || t.track < 0 || !seen["count"] || !seen["seconds"] {
		return nil, fail("type, track, count and seconds are needed")
	}
	if t.count == 0 || t.span == 0 {
		return nil, fail("count and seconds must be more than 0")
	}
	return t, nil
}

func setupThreshold(c *compiler, o rules.Option) error {
	t, err := readThreshold(o.Value, false)
	if err != nil {
		return err
	}
	c.addThreshold(t)
	return nil
}

func setupDetectionFilter(c *compiler, o rules.Option) error {
	t, err := readThreshold(o.Value, true)
	if err != nil {
		return err
	}
	c.addThreshold(t)
	return nil
}

func (c *compiler) addThreshold(t *threshold) {
	n := uint8(0)
	at := &c.out.thr
	for *at != nil {
		at = &(*at).next
		n++
	}
	t.n = n
	*at = t
}

// say is what thresholds make of a match.
type say uint8

const (
	nowise say = iota // it is none
	silent            // its action is taken, and it is not told, as in Suricata
	aloud
)

func aloudIf(ok bool, otherwise say) say {
	if ok {
		return aloud
	}
	return otherwise
}

// judge counts one match and says what is to be made of it.
func (t *threshold) judge(h *Hosts, m *Meta, a *Alert, now int64) say {
	least := aloud
	for ; t != nil; t = t.next {
		least = min(least, t.one(h, m, a, now))
	}
	return least
}

func (t *threshold) one(h *Hosts, m *Meta, a *Alert, now int64) say {
	k := countKey{rule: uint64(m.GID)<<32 | uint64(m.SID), n: t.n}
	switch t.track {
	case bySrc:
		k.a = a.Src
	case byDst:
		k.a = a.Dst
	case byPair:
		// Of a pair it does not matter who sends.
		k.a, k.b = a.Src, a.Dst
		if bytes.Compare(k.a[:], k.b[:]) > 0 {
			k.a, k.b = k.b, k.a
		}
	case byFlow:
		for i := range 8 {
			k.a[i] = byte(a.flowID >> (8 * i))
		}
	}
	if t.kind == thrSuppress {
		switch t.track {
		case bySrc:
			return aloudIf(!t.addrs.Contains((*[16]byte)(&a.Src)), silent)
		case byDst:
			return aloudIf(!t.addrs.Contains((*[16]byte)(&a.Dst)), silent)
		case byPair:
			return aloudIf(!t.addrs.Contains((*[16]byte)(&a.Src)) && !t.addrs.Contains((*[16]byte)(&a.Dst)), silent)
		}
		return silent
	}
	c, fresh, s := h.count(k, now, t.span)
	defer s.mu.Unlock()
	expired := now-c.since > t.span
	if t.unique != 0 && t.kind != thrFilter && !expired && !h.distinct(c, t.port(a), t.count) {
		return nowise // counted already
	}
	switch t.kind {
	case thrLimit:
		if fresh || expired {
			c.since, c.n = now, 1
			return aloud
		}
		c.n++
		return aloudIf(c.n <= t.count, silent)
	case thrThreshold:
		if expired && !fresh {
			t.again(h, c, a, now)
		}
		c.n++
		if c.n >= t.count {
			c.n = 0 // the window goes on, as in Suricata
			h.forgetPorts(c)
			return aloud
		}
		return nowise
	case thrBoth:
		if expired && !fresh {
			t.again(h, c, a, now)
		}
		if c.n++; c.n < t.count {
			return nowise
		}
		return aloudIf(c.n == t.count, silent)
	case thrBackoff:
		if fresh {
			c.next = t.count
		}
		if c.n++; c.n != c.next {
			return silent
		}
		if c.next > math.MaxUint32/t.multiplier {
			c.next = math.MaxUint32
		} else {
			c.next *= t.multiplier
		}
		return aloud
	case thrFilter:
		if expired && !fresh {
			t.again(h, c, a, now)
			c.n++
		} else if t.unique == 0 || h.distinct(c, t.port(a), t.count) {
			c.n++
		}
		return aloudIf(c.n > t.count, nowise)
	case thrRate:
		if now < c.until {
			a.Action = t.action
			return aloud
		}
		if expired && !fresh {
			c.since, c.n = now, 0
		}
		c.n++
		if c.n > t.count {
			c.until = now + t.until
			if t.until == 0 {
				c.until = math.MaxInt64
			}
			a.Action = t.action
		}
	}
	return aloud
}

// port is the one that unique_on names.
func (t *threshold) port(a *Alert) uint16 {
	if t.unique == uniqueSrc {
		return a.SrcPort
	}
	return a.DstPort
}

// again begins a window with the match at hand, which is yet to be counted.
func (t *threshold) again(h *Hosts, c *count, a *Alert, now int64) {
	c.since, c.n = now, 0
	if t.unique != 0 {
		h.forgetPorts(c)
		h.distinct(c, t.port(a), t.count)
	}
}
