package rules

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// header is a rule's text cut into its parts; offsets are into the text.
type header struct {
	action, proto, src, srcPorts, dst, dstPorts part
	dir                                         Direction
	options                                     int // where the options begin, after "("
}

type part struct {
	text string
	off  int
}

// splitHeader cuts text before its options. The error is nil or says what is
// missing, at off.
func splitHeader(text string) (h header, off int, err *ValueError) {
	c := cursor{text: text}
	h.action = c.word()
	h.proto = c.word()
	if h.src, err = c.list("source address"); err != nil {
		return h, c.bad, err
	}
	if h.srcPorts, err = c.list("source port"); err != nil {
		return h, c.bad, err
	}
	arrow := c.word()
	if h.dir, err = directionOf(arrow.text); err != nil {
		return h, arrow.off, err
	}
	if h.dst, err = c.list("destination address"); err != nil {
		return h, c.bad, err
	}
	if h.dstPorts, err = c.list("destination port"); err != nil {
		return h, c.bad, err
	}
	c.skip()
	if c.pos >= len(text) {
		return h, len(text), badValue("end the rule with its options, at least (sid:N;)", "the rule has no options")
	}
	// Suricata takes any number of opening parentheses, and none.
	h.options = c.pos
	for h.options < len(text) && (text[h.options] == '(' || isBlank(text[h.options])) {
		h.options++
	}
	return h, 0, nil
}

type cursor struct {
	text string
	pos  int
	bad  int // where the last error is
}

func (c *cursor) skip() {
	for c.pos < len(c.text) && isBlank(c.text[c.pos]) {
		c.pos++
	}
}

// word takes what stands before the next blank.
func (c *cursor) word() part {
	c.skip()
	start := c.pos
	for c.pos < len(c.text) && !isBlank(c.text[c.pos]) {
		c.pos++
	}
	return part{c.text[start:c.pos], start}
}

// list takes a word in which blanks may stand within brackets.
func (c *cursor) list(what string) (part, *ValueError) {
	c.skip()
	start, depth := c.pos, 0
	for c.pos < len(c.text) {
		switch b := c.text[c.pos]; {
		case b == '[':
			depth++
		case b == ']':
			depth--
			if depth < 0 {
				c.bad = c.pos
				return part{}, badValue("", "the %s list closes a bracket that it did not open", what)
			}
		case b == '(' && depth == 0:
			c.bad = c.pos
			if c.pos == start {
				return part{}, badValue("a header is: action protocol source ports -> destination ports", "the %s is missing", what)
			}
			return part{}, badValue("write a blank before the parenthesis", "the %s runs into the options", what)
		case isBlank(b) && depth == 0:
			return part{c.text[start:c.pos], start}, nil
		}
		c.pos++
	}
	c.bad = start
	switch {
	case depth > 0:
		return part{}, badValue("close it with ]", "the %s list is not closed", what)
	case c.pos == start:
		return part{}, badValue("a header is: action protocol source ports -> destination ports", "the %s is missing", what)
	}
	return part{c.text[start:], start}, nil
}

// actionOf knows the actions in any case, as Suricata does.
func actionOf(word string) (Action, bool) {
	for a := Alert; a <= Pass; a++ {
		if strings.EqualFold(word, actionNames[a]) {
			return a, true
		}
	}
	return 0, false
}

func badAction(word string) *ValueError {
	switch {
	case word == "config":
		return badValue("remove the rule, or set the logging in the configuration", "config rules are not supported")
	case word == "accept" || strings.Contains(word, ":"):
		return badValue("use alert, drop, reject or pass", "action %q belongs to Suricata 8's firewall mode, which is not supported", clip(word))
	case word == "log" || word == "activate" || word == "dynamic" || word == "sdrop" || word == "block":
		return badValue("use alert, drop, reject or pass", "action %q belongs to Snort", word)
	}
	if s := Suggest(lower(word), actionNames[1:]); s != "" {
		return badValue("did you mean "+s+"?", "unknown action %q", clip(word))
	}
	return badValue("use alert, drop, reject, rejectsrc, rejectdst, rejectboth or pass", "unknown action %q", clip(word))
}

// anyCaseProtocols are those of DetectProtoParse, compared without case; the
// names of application protocols are compared as they are.
var anyCaseProtocols = [...]string{
	"tcp", "tcp-pkt", "tcp-stream", "udp", "icmpv4", "icmpv6", "icmp", "sctp", "ipv4", "ip4", "ipv6", "ip6", "ip", "pkthdr",
}

func protoOf(word string) string {
	for _, p := range anyCaseProtocols {
		if strings.EqualFold(word, p) {
			return p
		}
	}
	return word
}

func directionOf(word string) (Direction, *ValueError) {
	switch word {
	case "->":
		return ToRight, nil
	case "<>":
		return Either, nil
	case "=>":
		return BothOf, nil
	case "<-":
		return 0, badValue("swap the sides and write ->", `"<-" is no direction`)
	}
	return 0, badValue("a header is: action protocol source ports -> destination ports", "%q is no direction, -> or <> is expected here", clip(word))
}

// clip makes text of a rule fit for a message: short, and without what would
// steer a terminal.
func clip(s string) string {
	const most = 60
	end := ""
	if len(s) > most {
		s, end = s[:most], "…"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return '.'
		}
		return r
	}, s) + end
}
