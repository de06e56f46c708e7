package pcre

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// flags are the options of an expression that can change inside of it, and
// those that hold for all of it.
type flags uint16

const (
	fold flags = 1 << iota
	dotAll
	multiline
	extended
	ungreedy
	anchored // whole expression: only at the start
	endOnly  // whole expression: $ not before a final newline
)

// Limits of what parse accepts.
const (
	maxDepth  = 250   // nested groups, PCRE2's parens_nest_limit
	maxRepeat = 65535 // PCRE2's limit of a counted repeat
	noMax     = 1 << 30
)

// kind of a node.
type kind uint8

const (
	nEmpty kind = iota
	nSet        // one byte of set
	nCat
	nAlt
	nRepeat  // subs[0], min to max times
	nCapture // subs[0] as group n
	nAtomic  // subs[0]
	nLook    // subs[0]; behind, negative
	nAssert  // n is one of the op… assertions
	nBackref // group n
	nCond    // subs: yes, no; group n
	nKeep    // \K
	nFail
)

type mode uint8

const (
	greedy mode = iota
	lazy
	possessive
)

type node struct {
	kind     kind
	mode     mode
	fold     bool // nBackref: without case
	behind   bool
	negative bool
	set      set
	n        int
	min, max int
	subs     []*node
}

// tree is a parsed expression.
type tree struct {
	root   *node
	groups int
	refs   map[int]bool // groups that back-references and conditions need
	names  []string     // of groups, in order
}

type parser struct {
	s      string
	i      int
	opts   flags
	depth  int
	groups int
	named  map[string]int
	names  []string
	later  []pending
	refs   map[int]bool
}

// pending is a reference by name or number that is resolved at the end.
type pending struct {
	node *node
	name string
}

func parse(s string, opts flags) (*tree, error) {
	p := &parser{s: s, opts: opts, named: map[string]int{}, refs: map[int]bool{}}
	root, err := p.alternatives()
	if err != nil {
		return nil, fmt.Errorf("%w at byte %d of the expression", err, p.i+1)
	}
	if p.i < len(p.s) {
		return nil, fmt.Errorf("unmatched ) at byte %d of the expression", p.i+1)
	}
	for _, l := range p.later {
		if l.name != "" {
			n, ok := p.named[l.name]
			if !ok {
				return nil, fmt.Errorf("reference to unknown group %q", l.name)
			}
			l.node.n = n
		}
		if l.node.n > p.groups || l.node.n <= 0 {
			return nil, fmt.Errorf("reference to group %d of %d", l.node.n, p.groups)
		}
		p.refs[l.node.n] = true
	}
	return &tree{root: root, groups: p.groups, refs: p.refs, names: p.names}, nil
}

func (p *parser) more() bool { return p.i < len(p.s) }

func (p *parser) accept(t string) bool {
	if strings.HasPrefix(p.s[p.i:], t) {
		p.i += len(t)
		return true
	}
	return false
}

// alternatives reads up to the closing parenthesis or the end. Options set
// inside hold until then.
func (p *parser) alternatives() (*node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("more than %d nested groups", maxDepth)
	}
	defer func(o flags) { p.opts = o; p.depth-- }(p.opts)
	var subs []*node
	for {
		n, err := p.sequence()
		if err != nil {
			return nil, err
		}
		subs = append(subs, n)
		if !p.accept("|") {
			break
		}
	}
	if len(subs) == 1 {
		return subs[0], nil
	}
	return &node{kind: nAlt, subs: subs}, nil
}

func (p *parser) sequence() (*node, error) {
	cat := &node{kind: nCat}
	for p.more() && p.s[p.i] != '|' && p.s[p.i] != ')' {
		n, err := p.atom()
		if err != nil {
			return nil, err
		}
		if n == nil {
			continue
		}
		if n, err = p.quantified(n); err != nil {
			return nil, err
		}
		cat.subs = append(cat.subs, n)
	}
	if len(cat.subs) == 1 {
		return cat.subs[0], nil
	}
	return cat, nil
}

// skip passes what x ignores and comments.
func (p *parser) skip() error {
	for p.more() {
		switch {
		case strings.HasPrefix(p.s[p.i:], "(?#"):
			end := strings.IndexByte(p.s[p.i:], ')')
			if end < 0 {
				return errors.New("comment without end")
			}
			p.i += end + 1
		case p.accept(`\E`):
		case p.opts&extended != 0 && strings.IndexByte(" \t\n\v\f\r", p.s[p.i]) >= 0:
			p.i++
		case p.opts&extended != 0 && p.s[p.i] == '#':
			end := strings.IndexByte(p.s[p.i:], '\n')
			if end < 0 {
				end = len(p.s) - p.i - 1
			}
			p.i += end + 1
		default:
			return nil
		}
	}
	return nil
}

// atom reads one item without its quantifier. It returns nil when there is
// none, as after a comment or an option setting.
func (p *parser) atom() (*node, error) {
	if err := p.skip(); err != nil || !p.more() {
		return nil, err
	}
	ch := p.s[p.i]
	switch ch {
	case '|', ')':
		return nil, nil
	case '(':
		p.i++
		return p.group()
	case '[':
		p.i++
		return p.class()
	case '.':
		p.i++
		n := &node{kind: nSet, set: set{}.without()}
		if p.opts&dotAll == 0 {
			n.set = setOf("\n").without()
		}
		return n, nil
	case '^':
		p.i++
		if p.opts&multiline != 0 {
			return assert(opLineStart), nil
		}
		return assert(opStart), nil
	case '$':
		p.i++
		switch {
		case p.opts&multiline != 0:
			return assert(opLineEnd), nil
		case p.opts&endOnly != 0:
			return assert(opEnd), nil
		}
		return assert(opEndNewline), nil
	case '\\':
		p.i++
		return p.escape()
	case '*', '+', '?':
		return nil, fmt.Errorf("quantifier %c without an item", ch)
	}
	p.i++
	return p.literal(ch), nil
}

func assert(op uint8) *node { return &node{kind: nAssert, n: int(op)} }

func (p *parser) literal(ch byte) *node {
	n := &node{kind: nSet}
	n.set.add(ch)
	if p.opts&fold != 0 {
		n.set.foldCase()
	}
	return n
}

// quantified reads the quantifiers behind n.
func (p *parser) quantified(n *node) (*node, error) {
	if err := p.skip(); err != nil || !p.more() {
		return n, err
	}
	lo, hi := 0, noMax
	switch p.s[p.i] {
	case '*':
		p.i++
	case '+':
		p.i++
		lo = 1
	case '?':
		p.i++
		hi = 1
	case '{':
		var ok bool
		var err error
		if lo, hi, ok, err = p.counts(); err != nil || !ok {
			return n, err
		}
	default:
		return n, nil
	}
	r := &node{kind: nRepeat, min: lo, max: hi, subs: []*node{n}}
	if p.opts&ungreedy != 0 {
		r.mode = lazy
	}
	switch {
	case p.accept("?"):
		r.mode = lazy
		if p.opts&ungreedy != 0 {
			r.mode = greedy
		}
	case p.accept("+"):
		r.mode = possessive
	}
	if n.kind == nLook || n.kind == nAssert {
		r.min, r.max = min(lo, 1), min(hi, 1) // more often changes nothing
	}
	if p.more() && strings.IndexByte("*+?", p.s[p.i]) >= 0 {
		return nil, errors.New("two quantifiers in a row")
	}
	return p.quantified(r)
}

// counts reads {n}, {n,} or {n,m}; anything else is a literal brace.
func (p *parser) counts() (lo, hi int, ok bool, err error) {
	body, _, found := strings.Cut(p.s[p.i+1:], "}")
	from, to, comma := strings.Cut(body, ",")
	if !found || !digits(from) || comma && to != "" && !digits(to) {
		return 0, 0, false, nil
	}
	if lo, err = strconv.Atoi(from); err == nil {
		hi = lo
		if comma && to == "" {
			hi = noMax
		} else if comma {
			hi, err = strconv.Atoi(to)
		}
	}
	if err != nil || lo > maxRepeat || hi > maxRepeat && hi != noMax {
		return 0, 0, false, fmt.Errorf("count over %d", maxRepeat)
	}
	if hi < lo {
		return 0, 0, false, errors.New("counts out of order")
	}
	p.i += len(body) + 2
	return lo, hi, true, nil
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
