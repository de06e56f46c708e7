package rules

import (
	"maps"
	"slices"
	"strings"
)

// sets holds ranges by family: IPv4 and IPv6, or ports alone in the first.
type sets [2][]span

// element is what one entry of a list stands for.
type element struct {
	family int
	span   span
	any    bool // everything, of every family
}

// lister reads lists of addresses or ports.
//
// Its meaning of a list is that of Suricata's DetectAddressParse and
// DetectPortParse: a list is the union of its entries without the union of
// its negated entries; where all entries of a family are negated, the union is
// the whole family. Lists and variables within a list are taken as if their
// entries stood there; negated ones are evaluated first and negated whole.
// One consequence: !$HOME_NET holds no IPv6 address when HOME_NET has only
// IPv4 ones.
//
// Port lists are evaluated otherwise when negations are nested: there every
// entry goes to the one side or the other by the negations around it, see
// sign. TestPeer compares both readings with Suricata on random lists.
type lister struct {
	flat    bool   // ports
	what    string // "address" or "port"
	vars    map[string]string
	full    []span // of each family
	one     func(text string) (element, *ValueError)
	entries int      // so far, variables expanded
	names   []string // variables that are being expanded
}

// parse evaluates text. A nil result with no error is everything.
func (l *lister) parse(text string) (s sets, off int, err *ValueError) {
	l.entries, l.names = 0, l.names[:0]
	var yes, no sets
	if off, err := l.list(text, 0, false, &yes, &no); err != nil {
		return s, off, err
	}
	s, err = l.merge(text, yes, no)
	return s, 0, err
}

// merge takes no away from yes. Like Suricata it refuses a list that negates
// the whole of a family, even where another family is left.
func (l *lister) merge(text string, yes, no sets) (s sets, err *ValueError) {
	left := false
	for f, full := range l.full {
		y, n := normalize(yes[f]), normalize(no[f])
		if len(n) == 1 && n[0] == full {
			return s, badValue("remove what negates all of it", "the %s list %s negates everything", l.what, clip(text))
		}
		if len(y) == 0 && len(n) > 0 {
			y = []span{full}
		}
		if y = subtract(y, n); len(y) > 0 {
			s[f], left = y, true
		}
	}
	if !left {
		return s, badValue("remove what negates all of it", "the %s list %s holds nothing", l.what, clip(text))
	}
	return s, nil
}

// whole reports whether s holds everything.
func (l *lister) whole(s sets) bool {
	for f, full := range l.full {
		if len(s[f]) != 1 || s[f][0] != full {
			return false
		}
	}
	return true
}

// list adds the entries of text to yes and no. The offset of an error is in text.
// outer says that a negation stands before it, in flat lists.
func (l *lister) list(text string, depth int, outer bool, yes, no *sets) (int, *ValueError) {
	if depth > MaxNesting {
		return 0, badValue("", "the %s list is nested more than %d deep", l.what, MaxNesting)
	}
	for i := 0; ; {
		for i < len(text) && isBlank(text[i]) {
			i++
		}
		if i >= len(text) { // also after a last comma, which Suricata takes
			return 0, nil
		}
		negated := false
		for i < len(text) && (text[i] == '!' || isBlank(text[i])) {
			negated = negated || text[i] == '!'
			i++
		}
		if l.entries++; l.entries > MaxListEntries {
			return i, badValue("", "the %s list has more than %d entries", l.what, MaxListEntries)
		}
		if l.flat {
			negated = sign(text[i:], outer, negated)
		}
		n, err := l.entry(text[i:], i, depth, negated, yes, no)
		if err != nil {
			return n, err
		}
		i = n
		for i < len(text) && isBlank(text[i]) {
			i++
		}
		if i < len(text) && text[i] != ',' {
			return i, badValue("separate entries with commas", "unexpected %q in the %s list", clip(text[i:]), l.what)
		}
		i++
	}
}

// entry reads the entry text begins with, at offset off of its list. It
// returns the offset after the entry, or of the error.
func (l *lister) entry(text string, off, depth int, negated bool, yes, no *sets) (int, *ValueError) {
	if strings.HasPrefix(text, "[") {
		end := closing(text)
		if end < 0 {
			return off, badValue("close it with ]", "the %s list is not closed", l.what)
		}
		if bad, err := l.nested(text[1:end], depth, negated, yes, no); err != nil {
			return off + 1 + bad, err
		}
		return off + end + 1, nil
	}
	word := text
	if i := strings.IndexByte(text, ','); i >= 0 {
		word = text[:i]
	}
	after := off + len(word)
	word = trim(word)
	if strings.HasPrefix(word, "$") {
		return l.variable(word[1:], off, after, depth, negated, yes, no)
	}
	if word == "" {
		return off, badValue("remove the comma", "empty entry in the %s list", l.what)
	}
	e, err := l.one(word)
	if err != nil {
		return off, err
	}
	to := yes
	if negated {
		to = no
	}
	if e.any {
		for f, full := range l.full {
			to[f] = append(to[f], full)
		}
	} else {
		to[e.family] = append(to[e.family], e.span)
	}
	return after, nil
}

// nested reads a list or variable within a list.
func (l *lister) nested(text string, depth int, negated bool, yes, no *sets) (int, *ValueError) {
	if !negated || l.flat {
		return l.list(text, depth+1, negated, yes, no)
	}
	var y, n sets
	if off, err := l.list(text, depth+1, false, &y, &n); err != nil {
		return off, err
	}
	s, err := l.merge(text, y, n)
	if err != nil {
		return 0, err
	}
	for f := range s {
		no[f] = append(no[f], s[f]...)
	}
	return 0, nil
}

func (l *lister) variable(name string, off, after, depth int, negated bool, yes, no *sets) (int, *ValueError) {
	value, ok := l.vars[name]
	if !ok {
		cure := "define it, or write the " + l.what + "es in its place"
		if l.what == "port" {
			cure = "define it, or write the ports in its place"
		}
		if s := Suggest(name, slices.Sorted(maps.Keys(l.vars))); s != "" {
			cure = "did you mean $" + s + "?"
		}
		return off, badValue(cure, "the %s variable $%s is not defined", l.what, clip(name))
	}
	if slices.Contains(l.names, name) {
		return off, badValue("", "the %s variable $%s contains itself", l.what, name)
	}
	if trim(value) == "" {
		return off, badValue("give it a value", "the %s variable $%s is empty", l.what, name)
	}
	l.names = append(l.names, name)
	_, err := l.nested(value, depth, negated, yes, no)
	l.names = l.names[:len(l.names)-1]
	if err != nil {
		if len(l.names) == 0 { // name the variable the rule wrote, once
			err.Reason = "$" + name + ": " + err.Reason
		}
		return off, err
	}
	return after, nil
}

// sign says on which side the entry that text begins with goes, outer being
// the negation around its list and own the one before it. A variable and the
// last port of a list turn the negation around; a list and the ports before
// the last keep it. DetectPortParseDo of Suricata 7 does so, by accident, and
// $SHELLCODE_PORTS (!80) needs the first half of it.
func sign(text string, outer, own bool) bool {
	if strings.HasPrefix(text, "$") || text != "" && text[0] != '[' && !strings.Contains(text, ",") {
		return outer != own
	}
	return outer || own
}

// closing is the offset of the bracket that closes the first of text, or -1.
func closing(text string) int {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '[':
			depth++
		case ']':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}
