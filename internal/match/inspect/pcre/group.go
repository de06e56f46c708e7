package pcre

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// group reads what follows an opening parenthesis.
func (p *parser) group() (*node, error) {
	if p.accept("*") {
		return p.verb()
	}
	if !p.accept("?") {
		return p.capture("")
	}
	switch {
	case p.accept(":"):
		return p.closed(nil)
	case p.accept("|"):
		return p.branchReset()
	case p.accept(">"):
		return p.closed(&node{kind: nAtomic})
	case p.accept("="):
		return p.closed(&node{kind: nLook})
	case p.accept("!"):
		return p.closed(&node{kind: nLook, negative: true})
	case p.accept("<="):
		return p.behind(&node{kind: nLook, behind: true})
	case p.accept("<!"):
		return p.behind(&node{kind: nLook, behind: true, negative: true})
	case p.accept("P<"), p.accept("<"):
		return p.namedGroup('>')
	case p.accept("'"):
		return p.namedGroup('\'')
	case p.accept("P="):
		name, err := p.name(')')
		if err != nil {
			return nil, err
		}
		return p.backref(0, name)
	case p.accept("("):
		return p.condition()
	}
	return p.options()
}

// closed reads alternatives up to the closing parenthesis into wrap.
func (p *parser) closed(wrap *node) (*node, error) {
	n, err := p.alternatives()
	if err != nil {
		return nil, err
	}
	if !p.accept(")") {
		return nil, errors.New("missing )")
	}
	if wrap == nil {
		// A node of its own, so that a quantifier takes all of it.
		return &node{kind: nCat, subs: []*node{n}}, nil
	}
	wrap.subs = []*node{n}
	return wrap, nil
}

func (p *parser) behind(n *node) (*node, error) {
	n, err := p.closed(n)
	if err != nil {
		return nil, err
	}
	for _, alt := range branches(n.subs[0]) {
		if _, ok := width(alt); !ok {
			return nil, errors.New("lookbehind assertion is not fixed length")
		}
	}
	return n, nil
}

// branches returns the alternatives of n, also of one that stands alone in a
// group.
func branches(n *node) []*node {
	if n.kind == nAlt {
		var all []*node
		for _, s := range n.subs {
			all = append(all, branches(s)...)
		}
		return all
	}
	if n.kind == nCat && len(n.subs) == 1 {
		return branches(n.subs[0])
	}
	return []*node{n}
}

// width returns the number of bytes n matches when that is always the same.
func width(n *node) (int, bool) {
	switch n.kind {
	case nSet:
		return 1, true
	case nCat:
		sum := 0
		for _, s := range n.subs {
			w, ok := width(s)
			if sum += w; !ok || sum > maxRepeat {
				return 0, false
			}
		}
		return sum, true
	case nAlt:
		first, ok := width(n.subs[0])
		for _, s := range n.subs[1:] {
			w, same := width(s)
			ok = ok && same && w == first
		}
		return first, ok
	case nRepeat:
		w, ok := width(n.subs[0])
		if !ok || n.min != n.max || w*n.min > maxRepeat {
			return 0, false
		}
		return w * n.min, true
	case nCapture, nAtomic:
		return width(n.subs[0])
	case nBackref, nCond:
		return 0, false
	}
	return 0, true
}

func (p *parser) capture(name string) (*node, error) {
	p.groups++
	n := &node{kind: nCapture, n: p.groups}
	if name != "" {
		if _, ok := p.named[name]; ok {
			return nil, fmt.Errorf("two groups are named %q", name)
		}
		p.named[name] = n.n
		p.names = append(p.names, name)
	}
	return p.closed(n)
}

func (p *parser) namedGroup(end byte) (*node, error) {
	name, err := p.name(end)
	if err != nil {
		return nil, err
	}
	return p.capture(name)
}

// name reads a group name and the byte that ends it.
func (p *parser) name(end byte) (string, error) {
	i := strings.IndexByte(p.s[p.i:], end)
	if i <= 0 || i > 32 {
		return "", errors.New("group name of 1 to 32 characters expected")
	}
	name := p.s[p.i : p.i+i]
	word := wordSet()
	for j := range len(name) {
		if !word.has(name[j]) || '0' <= name[0] && name[0] <= '9' {
			return "", fmt.Errorf("bad group name %q", name)
		}
	}
	p.i += i + 1
	return name, nil
}

// branchReset reads (?|…): all alternatives number their groups alike.
func (p *parser) branchReset() (*node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("more than %d nested groups", maxDepth)
	}
	defer func(o flags) { p.opts = o; p.depth-- }(p.opts)
	first, most := p.groups, p.groups
	alt := &node{kind: nAlt}
	for {
		p.groups = first
		n, err := p.sequence()
		if err != nil {
			return nil, err
		}
		most = max(most, p.groups)
		alt.subs = append(alt.subs, n)
		if !p.accept("|") {
			break
		}
	}
	p.groups = most
	if !p.accept(")") {
		return nil, errors.New("missing )")
	}
	return &node{kind: nCat, subs: []*node{alt}}, nil
}

// options reads (?i), (?-s:…) and the like.
func (p *parser) options() (*node, error) {
	set, clear, off := flags(0), flags(0), false
	for p.more() {
		ch := p.s[p.i]
		p.i++
		var f flags
		switch ch {
		case 'i':
			f = fold
		case 's':
			f = dotAll
		case 'm':
			f = multiline
		case 'x':
			f = extended
		case 'U':
			f = ungreedy
		case '-':
			off = true
			continue
		case '^':
			clear |= fold | dotAll | multiline | extended
			continue
		case ')', ':':
			old := p.opts
			p.opts = p.opts&^clear | set
			if ch == ')' {
				return nil, nil // until the end of the group
			}
			n, err := p.closed(nil)
			p.opts = old
			return n, err
		default:
			return nil, fmt.Errorf("unsupported group (?%c", ch)
		}
		if off {
			clear |= f
			set &^= f
		} else {
			set |= f
		}
	}
	return nil, errors.New("missing )")
}

func (p *parser) verb() (*node, error) {
	if p.accept("F)") || p.accept("FAIL)") {
		return &node{kind: nFail}, nil
	}
	return nil, errors.New("backtracking verbs are not supported")
}

// condition reads (?(…)yes|no) behind its second parenthesis.
func (p *parser) condition() (*node, error) {
	var test *node // an assertion; nil for a group
	ref := pending{}
	if p.more() && p.s[p.i] == '?' {
		var err error
		if test, err = p.group(); err != nil {
			return nil, err
		}
		if test == nil || test.kind != nLook {
			return nil, errors.New("condition is no assertion")
		}
	} else {
		end := strings.IndexByte(p.s[p.i:], ')')
		if end <= 0 {
			return nil, errors.New("condition without )")
		}
		text := p.s[p.i : p.i+end]
		p.i += end + 1
		if n, err := strconv.Atoi(text); err == nil {
			if text[0] == '-' {
				n += p.groups + 1
			} else if text[0] == '+' {
				n += p.groups
			}
			ref.node = &node{kind: nCond, n: n}
		} else {
			text = strings.Trim(text, "<>'")
			if text == "R" || text == "DEFINE" || text == "" {
				return nil, fmt.Errorf("unsupported condition %q", text)
			}
			ref.node, ref.name = &node{kind: nCond}, text
		}
	}
	body, err := p.closed(nil)
	if err != nil {
		return nil, err
	}
	parts := []*node{body.subs[0], {kind: nEmpty}}
	if body.subs[0].kind == nAlt {
		if parts = body.subs[0].subs; len(parts) > 2 {
			return nil, errors.New("condition with more than two branches")
		}
	}
	if test == nil {
		ref.node.subs = parts
		p.later = append(p.later, ref)
		return ref.node, nil
	}
	not := *test
	not.negative = !test.negative
	return &node{kind: nAlt, subs: []*node{
		{kind: nCat, subs: []*node{test, parts[0]}},
		{kind: nCat, subs: []*node{&not, parts[1]}},
	}}, nil
}

func (p *parser) backref(n int, name string) (*node, error) {
	b := &node{kind: nBackref, n: n, fold: p.opts&fold != 0}
	p.later = append(p.later, pending{b, name})
	return b, nil
}

// escape reads what follows a backslash outside of a class.
func (p *parser) escape() (*node, error) {
	if !p.more() {
		return nil, errors.New(`\ at the end`)
	}
	ch := p.s[p.i]
	if s, ok := shorthand(ch); ok {
		p.i++
		return &node{kind: nSet, set: s}, nil
	}
	switch ch {
	case 'b', 'B', 'A', 'z', 'Z', 'G':
		p.i++
		return assert(map[byte]uint8{'b': opWord, 'B': opNotWord, 'A': opStart, 'z': opEnd, 'Z': opEndNewline, 'G': opFrom}[ch]), nil
	case 'K':
		p.i++
		return &node{kind: nKeep}, nil
	case 'C':
		p.i++
		return &node{kind: nSet, set: set{}.without()}, nil
	case 'R':
		p.i++
		crlf := &node{kind: nCat, subs: []*node{{kind: nSet, set: setOf("\r")}, {kind: nSet, set: setOf("\n")}}}
		one := &node{kind: nSet, set: setOf("\n\v\f\r\x85")}
		return &node{kind: nAtomic, subs: []*node{{kind: nAlt, subs: []*node{crlf, one}}}}, nil
	case 'Q':
		p.i++
		text, _, _ := strings.Cut(p.s[p.i:], `\E`)
		p.i += len(text)
		if text == "" {
			return nil, nil // atom skips a following \E
		}
		// The last byte is left for a quantifier.
		cat := &node{kind: nCat}
		for i := range len(text) - 1 {
			cat.subs = append(cat.subs, p.literal(text[i]))
		}
		last, err := p.quantified(p.literal(text[len(text)-1]))
		cat.subs = append(cat.subs, last)
		return cat, err
	case 'g':
		p.i++
		return p.gRef()
	case 'k':
		p.i++
		for _, pair := range []string{"<>", "''", "{}"} {
			if p.accept(pair[:1]) {
				name, err := p.name(pair[1])
				if err != nil {
					return nil, err
				}
				return p.backref(0, name)
			}
		}
		return nil, errors.New(`\k without a name`)
	}
	if '1' <= ch && ch <= '9' {
		end := p.i
		for end < len(p.s) && '0' <= p.s[end] && p.s[end] <= '9' {
			end++
		}
		// One digit is always a reference; more are one if there are so many
		// groups to the left, else the value of a byte in octal.
		n, err := strconv.Atoi(p.s[p.i:end])
		if err == nil && (n < 10 || ch >= '8' || n <= p.groups) {
			p.i = end
			return p.backref(n, "")
		}
	}
	if '0' <= ch && ch <= '7' {
		b, err := p.octal(3)
		if err != nil {
			return nil, err
		}
		return p.literal(b), nil
	}
	b, err := p.byteEscape()
	if err != nil {
		return nil, err
	}
	return p.literal(b), nil
}

// gRef reads \g1, \g-1, \g{1} or \g{name}.
func (p *parser) gRef() (*node, error) {
	var text string
	if p.accept("{") {
		end := strings.IndexByte(p.s[p.i:], '}')
		if end <= 0 {
			return nil, errors.New(`\g{ without }`)
		}
		text = p.s[p.i : p.i+end]
		p.i += end + 1
	} else {
		end := p.i
		for end < len(p.s) && (p.s[end] >= '0' && p.s[end] <= '9' || end == p.i && (p.s[end] == '-' || p.s[end] == '+')) {
			end++
		}
		text = p.s[p.i:end]
		p.i = end
	}
	if text == "" {
		return nil, errors.New(`\g without a group`)
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		if text[0] == '-' || text[0] == '+' {
			return nil, fmt.Errorf("bad group %q", text)
		}
		return p.backref(0, text)
	}
	switch text[0] {
	case '-':
		n += p.groups + 1
	case '+':
		n += p.groups
	}
	return p.backref(n, "")
}
