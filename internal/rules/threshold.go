package rules

import (
	"io"
	"math"
	"strings"
)

// ThresholdKind is what a line of threshold.config does.
type ThresholdKind uint8

// Kinds. Suricata takes threshold and event_filter for the same.
const (
	Suppress ThresholdKind = iota + 1
	EventFilter
	RateFilter
)

// LimitType is how an event filter counts.
type LimitType uint8

// Types of event filters.
const (
	Limit     LimitType = iota + 1 // the first Count in Seconds are reported
	Threshold                      // every Count-th in Seconds is reported
	LimitBoth                      // once in Seconds, when there were Count
)

// Track is what events are counted by.
type Track uint8

// Tracks. TrackNone is a suppression of the rule as a whole.
const (
	TrackNone Track = iota
	BySrc
	ByDst
	ByEither // suppress only
	ByBoth
	ByRule
	ByFlow
)

// GlobalThreshold is a line of threshold.config. SID 0 means every rule of the
// GID, and GID 0 with it every rule.
type GlobalThreshold struct {
	Kind     ThresholdKind
	GID, SID uint32
	Type     LimitType // EventFilter
	Track    Track
	Addrs    Addrs  // Suppress with a track
	Count    uint32 // EventFilter and RateFilter, at least 1
	Seconds  uint32 // EventFilter and RateFilter, at least 1
	// NewAction and Timeout (seconds) are what a RateFilter changes a rule to
	// and for how long; a timeout of 0 means for as long as it runs.
	NewAction Action
	Timeout   uint32
	File      string
	Line      int
}

// ParseThresholds reads a threshold.config: suppress, threshold, event_filter
// and rate_filter, one a line. The addresses of a suppression may use vars,
// whose zero value means DefaultVars.
func ParseThresholds(file string, r io.Reader, vars Vars) ([]GlobalThreshold, []*Problem) {
	var out []GlobalThreshold
	lists := newParser(ParseConfig{Vars: vars})
	problems := parseConfig(file, r, func(st *statement) (int, *ValueError) {
		if len(out) >= MaxConfigEntries {
			return 0, badValue("", "there are more than %d lines", MaxConfigEntries)
		}
		t, off, err := threshold(st.text, lists)
		if err != nil {
			return off, err
		}
		t.File, t.Line = file, st.line
		out = append(out, t)
		return 0, nil
	})
	return out, problems
}

var (
	thresholdKinds = []string{"", "suppress", "event_filter", "rate_filter", "threshold"}
	limitTypes     = []string{"", "limit", "threshold", "both"}
	tracks         = []string{"", "by_src", "by_dst", "by_either", "by_both", "by_rule", "by_flow"}
	// settings of each kind, those that must be there first
	thresholdSettings = [...]struct {
		names []string
		must  int
	}{
		Suppress:    {[]string{"gen_id", "sig_id", "track", "ip"}, 2},
		EventFilter: {[]string{"gen_id", "sig_id", "type", "track", "count", "seconds"}, 6},
		RateFilter:  {[]string{"gen_id", "sig_id", "track", "count", "seconds", "new_action", "timeout"}, 7},
	}
)

func threshold(text string, lists *parser) (t GlobalThreshold, off int, err *ValueError) {
	c := cursor{text: text}
	word := c.word()
	kind := index(thresholdKinds, word.text)
	switch {
	case kind < 1:
		return t, 0, unknown("directive", word.text, thresholdKinds[1:])
	case kind == len(thresholdKinds)-1:
		kind = int(EventFilter)
	}
	t.Kind = ThresholdKind(kind)
	known := thresholdSettings[kind]
	var have [8]bool
	for c.skip(); c.pos < len(text); c.skip() {
		at := c.pos
		key, value := c.setting()
		i := index(known.names, key.text)
		if i < 0 {
			return t, at, unknown("setting", key.text, known.names)
		}
		if have[i] {
			return t, at, badValue("keep one of them", "%s is set twice", key.text)
		}
		have[i] = true
		if bad, err := t.set(key.text, value.text, lists); err != nil {
			return t, value.off + bad, err
		}
	}
	for i, name := range known.names[:known.must] {
		if !have[i] {
			return t, len(text), badValue("", "%s is missing", name)
		}
	}
	switch {
	case t.GID == 0 && t.SID != 0:
		return t, 0, badValue("write gen_id 1", "gen_id 0 stands for all rules and cannot have a sig_id")
	case t.Kind == Suppress && have[2] != have[3]:
		return t, len(text), badValue("write track by_src, ip ADDRESSES, or neither", "track and ip go together")
	}
	return t, 0, nil
}

// setting takes "key value," where the value of ip may hold a list with commas.
func (c *cursor) setting() (key, value part) {
	start := c.pos
	for c.pos < len(c.text) && !isBlank(c.text[c.pos]) && c.text[c.pos] != ',' {
		c.pos++
	}
	key = part{c.text[start:c.pos], start}
	c.skip()
	start = c.pos
	for depth := 0; c.pos < len(c.text) && (depth > 0 || c.text[c.pos] != ','); c.pos++ {
		switch c.text[c.pos] {
		case '[':
			depth++
		case ']':
			depth--
		}
	}
	value = part{trim(c.text[start:c.pos]), start}
	if c.pos < len(c.text) {
		c.pos++ // the comma
	}
	return key, value
}

func (t *GlobalThreshold) set(key, value string, lists *parser) (off int, err *ValueError) {
	number := func(to *uint32, least uint64) *ValueError {
		n, e := ParseUint(value, math.MaxUint32)
		if e != nil || n < least {
			return badValue("", "%s needs a number of at least %d, not %q", key, least, clip(value))
		}
		*to = uint32(n)
		return nil
	}
	switch key {
	case "gen_id":
		return 0, number(&t.GID, 0)
	case "sig_id":
		return 0, number(&t.SID, 0)
	case "count":
		return 0, number(&t.Count, 1)
	case "seconds":
		return 0, number(&t.Seconds, 1)
	case "timeout":
		return 0, number(&t.Timeout, 0)
	case "type":
		i := index(limitTypes, value)
		if i < 1 {
			return 0, unknown("type", value, limitTypes[1:])
		}
		t.Type = LimitType(i)
	case "track":
		allowed := tracks[1:]
		if t.Kind == Suppress {
			allowed = tracks[1:4]
		}
		i := index(tracks, value)
		if index(allowed, value) < 0 || t.Kind != Suppress && Track(i) == ByEither {
			return 0, unknown("track of "+thresholdKinds[t.Kind], value, allowed)
		}
		t.Track = Track(i)
	case "ip":
		t.Addrs, off, err = lists.addresses(value)
		return off, err
	case "new_action":
		switch value {
		case "alert", "drop", "pass", "reject":
			t.NewAction, _ = actionOf(value)
		case "sdrop": // Snort's drop without a record; Suricata drops
			t.NewAction = Drop
		case "log": // Snort's record without an alert; Suricata alerts
			t.NewAction = Alert
		default:
			return 0, unknown("action", value, []string{"alert", "drop", "pass", "reject"})
		}
	}
	return 0, nil
}

func unknown(what, word string, known []string) *ValueError {
	cure := "use " + strings.Join(known, ", ")
	if s := Suggest(lower(word), known); s != "" {
		cure = "did you mean " + s + "?"
	}
	return badValue(cure, "unknown %s %q", what, clip(word))
}

func index(list []string, s string) int {
	for i, x := range list {
		if x == s {
			return i
		}
	}
	return -1
}
