package pcre

import (
	"fmt"
	"math"
	"math/bits"
)

// maxCode bounds the instructions of one expression: counted groups are
// written out, so that (((a{9}b){99}c){99}d){99} would take everything.
const maxCode = 1 << 16

// maxVisits bounds the work of compiling where repeated groups hold nothing
// that makes an instruction.
const maxVisits = 1 << 18

// Operations. The comment names what an instruction uses beside op.
const (
	opMatch  uint8 = iota
	opFail         // never goes on
	opByte         // c
	opFold         // c: lower-case letter, either case
	opSet          // s: set
	opAny          // any byte
	opDot          // any byte but newline
	opString       // s: length, y: place in lits
	opStringFold
	opLoop      // one-byte matcher again and again: c matcher, s its byte or set, y min|max<<16; as many as possible
	opLoopLazy  // as few as possible
	opLoopAll   // as many as possible, never fewer
	opSplit     // go on; on failure at y
	opSplitJump // go on at y; on failure here
	opJump      // y
	opSave      // s: slot receives the position
	opNotEmpty  // s: slot of the loop's start; an empty iteration goes to y
	opLook      // c: lookNot or 0, y: where to go on; the body follows
	opLookEnd
	opAtomic // the body follows
	opAtomicEnd
	opBack    // y: bytes to go back
	opBackref // s: group; c: 1 without case
	opCond    // s: group; unset goes to y
	opStart
	opFrom // \G
	opEnd
	opEndNewline
	opLineStart
	opLineEnd
	opWord
	opNotWord
)

// infinite is the max of an opLoop without bound. The largest count of a
// repeat is one less than PCRE's, 65534; no subject is that regular.
const infinite = math.MaxUint16

// inst is one instruction, 12 bytes.
type inst struct {
	op uint8
	c  uint8
	s  uint16
	y  uint32
	id uint16 // of states that a match with memory remembers, from 1
}

// prog is a compiled expression.
type prog struct {
	code   []inst
	sets   []set
	lits   string
	slots  int  // positions kept: groups, then starts of loops
	ids    int  // number of remembered states
	memo   bool // whether a state fails does not depend on groups
	groups int

	// What every match begins with, to find candidates.
	start  uint8 // op… assertion, or 0
	prefix string
	first  *set // nil when it may be any byte or none
	must   string
}

type compiler struct {
	p    *prog
	tree *tree
	keep int // groups up to this one are wanted by the caller
	sets map[set]uint16
	err  error

	visits int
}

// compile writes the program. Groups above keep that nothing refers to are
// not recorded.
func compile(t *tree, opts flags, keep int) (*prog, error) {
	c := &compiler{p: &prog{memo: len(t.refs) == 0, groups: t.groups}, tree: t, keep: keep, sets: map[set]uint16{}}
	c.p.slots = 2 * (t.groups + 1)
	c.node(t.root)
	c.emit(inst{op: opMatch})
	if c.err != nil {
		return nil, c.err
	}
	p := c.p
	p.code = append(make([]inst, 0, len(p.code)), p.code...)
	p.possess()
	if opts&anchored != 0 {
		p.start = opFrom
	} else {
		p.start = startAssertion(t.root)
	}
	if f, ok := firstSet(t.root); ok {
		p.first = &f
	}
	lit, folded := literal(t.root)
	if !folded && p.start == 0 {
		p.must = string(lit)
	}
	switch in := p.code[0]; in.op {
	case opString:
		p.prefix = p.lits[in.y : int(in.y)+int(in.s)]
	case opByte:
		p.prefix = string([]byte{in.c})
	}
	return p, nil
}

func (c *compiler) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

func (c *compiler) emit(in inst) int {
	if len(c.p.code) >= maxCode {
		c.fail("expression needs more than %d instructions", maxCode)
		return 0
	}
	switch in.op {
	case opSplit, opSplitJump, opLoop, opLoopLazy:
		if c.p.ids++; c.p.ids > math.MaxUint16 {
			c.fail("expression has more than %d branches", math.MaxUint16)
		}
		in.id = uint16(c.p.ids)
	}
	c.p.code = append(c.p.code, in)
	return len(c.p.code) - 1
}

// land makes the instruction at point to the next one.
func (c *compiler) land(at int) { c.p.code[at].y = uint32(len(c.p.code)) }

func (c *compiler) slot() uint16 {
	if c.p.slots >= math.MaxUint16 {
		c.fail("too many loops")
		return 0
	}
	c.p.slots++
	return uint16(c.p.slots - 1)
}

// matcher returns the operation for one byte of s and its argument.
func (c *compiler) matcher(s set) (op uint8, arg uint16) {
	if b, ok := s.one(); ok {
		return opByte, uint16(b)
	}
	if s == (set{}.without()) {
		return opAny, 0
	}
	if s == setOf("\n").without() {
		return opDot, 0
	}
	if b, ok := foldedByte(s); ok {
		return opFold, uint16(b)
	}
	i, ok := c.sets[s]
	if !ok {
		i = uint16(len(c.p.sets))
		c.sets[s] = i
		c.p.sets = append(c.p.sets, s)
	}
	return opSet, i
}

// foldedByte returns the lower case of the letter whose two cases are all of s.
func foldedByte(s set) (byte, bool) {
	// Upper case letters are bits 1 to 26 of the second word, lower case 33 to 58.
	if w := s[1]; w != 0 && s == (set{1: w}) && bits.OnesCount64(w) == 2 {
		up := byte(64 + bits.TrailingZeros64(w))
		return up | 0x20, letter(up) && s.has(up|0x20) && up&0x20 == 0
	}
	return 0, false
}

func (c *compiler) node(n *node) {
	if c.visits++; c.visits > maxVisits {
		c.fail("expression is repeated too often")
	}
	if c.err != nil {
		return
	}
	switch n.kind {
	case nSet:
		op, arg := c.matcher(n.set)
		if op == opSet {
			c.emit(inst{op: op, s: arg})
		} else {
			c.emit(inst{op: op, c: uint8(arg)})
		}
	case nCat:
		c.cat(n.subs)
	case nAlt:
		c.alt(n.subs)
	case nRepeat:
		c.repeat(n)
	case nCapture:
		if n.n > c.keep && !c.tree.refs[n.n] {
			c.node(n.subs[0])
			return
		}
		c.emit(inst{op: opSave, s: uint16(2 * n.n)})
		c.node(n.subs[0])
		c.emit(inst{op: opSave, s: uint16(2*n.n + 1)})
	case nAtomic:
		c.emit(inst{op: opAtomic})
		c.node(n.subs[0])
		c.emit(inst{op: opAtomicEnd})
	case nLook:
		c.look(n)
	case nAssert:
		c.emit(inst{op: uint8(n.n)})
	case nBackref:
		in := inst{op: opBackref, s: uint16(n.n)}
		if n.fold {
			in.c = 1
		}
		c.emit(in)
	case nCond:
		test := c.emit(inst{op: opCond, s: uint16(n.n)})
		c.node(n.subs[0])
		end := c.emit(inst{op: opJump})
		c.land(test)
		c.node(n.subs[len(n.subs)-1])
		c.land(end)
	case nKeep:
		c.emit(inst{op: opSave, s: 0})
	case nFail:
		c.emit(inst{op: opFail})
	}
}

// cat writes a sequence, joining single bytes to strings.
func (c *compiler) cat(subs []*node) {
	for i := 0; i < len(subs); {
		text, folded := run(subs[i:])
		if len(text) < 2 {
			c.node(subs[i])
			i++
			continue
		}
		in := inst{op: opString, s: uint16(len(text)), y: uint32(len(c.p.lits))}
		if folded {
			in.op = opStringFold
		}
		c.p.lits += string(text)
		c.emit(in)
		i += len(text)
	}
}

// run returns the single bytes at the head of subs, in lower case if one of
// them is a letter in either case. Letters that must be exact end such a run.
func run(subs []*node) (text []byte, folded bool) {
	exact := false
	for _, n := range subs {
		if n.kind != nSet || len(text) == math.MaxUint16 {
			break
		}
		if b, ok := n.set.one(); ok {
			if letter(b) {
				if folded {
					break
				}
				exact = true
			}
			text = append(text, b)
		} else if b, ok := foldedByte(n.set); ok && !exact {
			folded = true
			text = append(text, b)
		} else {
			break
		}
	}
	return text, folded
}

func letter(b byte) bool { return 'a' <= b|0x20 && b|0x20 <= 'z' }

func (c *compiler) alt(subs []*node) {
	var ends []int
	for i, s := range subs {
		if i == len(subs)-1 {
			c.node(s)
			break
		}
		split := c.emit(inst{op: opSplit})
		c.node(s)
		ends = append(ends, c.emit(inst{op: opJump}))
		c.land(split)
	}
	for _, e := range ends {
		c.land(e)
	}
}

func (c *compiler) look(n *node) {
	in := inst{op: opLook}
	if n.negative {
		in.c = lookNot
	}
	at := c.emit(in)
	if !n.behind {
		c.node(n.subs[0])
	} else {
		c.behind(branches(n.subs[0]))
	}
	c.emit(inst{op: opLookEnd})
	c.land(at)
}

// lookNot is the bit of opLook for a negative assertion.
const lookNot = 1

// behind writes the alternatives of a look-behind, each going back as far as
// it is wide.
func (c *compiler) behind(all []*node) {
	var ends []int
	for i, b := range all {
		split := -1
		if i < len(all)-1 {
			split = c.emit(inst{op: opSplit})
		}
		w, _ := width(b)
		c.emit(inst{op: opBack, y: uint32(w)})
		c.node(b)
		if split >= 0 {
			ends = append(ends, c.emit(inst{op: opJump}))
			c.land(split)
		}
	}
	for _, e := range ends {
		c.land(e)
	}
}

func (c *compiler) repeat(n *node) {
	body := n.subs[0]
	if n.max == 0 {
		return
	}
	for body.kind == nCat && len(body.subs) == 1 {
		body = body.subs[0] // a group that holds one item
	}
	if body.kind == nSet && n.max != 1 {
		c.loop(n, body.set)
		return
	}
	if n.mode == possessive {
		c.emit(inst{op: opAtomic})
		defer c.emit(inst{op: opAtomicEnd})
	}
	// Split so that the body comes first, or second when lazy.
	split := func() int {
		if n.mode != lazy {
			return c.emit(inst{op: opSplit})
		}
		return c.emit(inst{op: opSplitJump})
	}
	copies := n.min
	if n.max == noMax && copies > 0 {
		copies-- // the loop itself is one
	}
	for range copies {
		if c.err != nil {
			return
		}
		c.node(body)
	}
	if n.max == noMax {
		c.forever(n, body, copies < n.min)
		return
	}
	var exits []int
	for range n.max - n.min {
		if c.err != nil {
			return
		}
		exits = append(exits, split())
		c.node(body)
	}
	for _, e := range exits {
		c.land(e)
	}
}

// forever writes a loop without end around body: at least once, or from zero
// times on. An iteration that took no byte leaves the loop, as in PCRE.
func (c *compiler) forever(n, body *node, once bool) {
	top := len(c.p.code)
	test := -1
	if !once {
		op := opSplit
		if n.mode == lazy {
			op = opSplitJump
		}
		test = c.emit(inst{op: op})
	}
	check := -1
	if canBeEmpty(body) {
		reg := c.slot()
		c.emit(inst{op: opSave, s: reg})
		c.node(body)
		check = c.emit(inst{op: opNotEmpty, s: reg})
	} else {
		c.node(body)
	}
	switch {
	case !once:
		c.emit(inst{op: opJump, y: uint32(top)})
		c.land(test)
	case n.mode == lazy:
		c.emit(inst{op: opSplit, y: uint32(top)})
	default:
		c.emit(inst{op: opSplitJump, y: uint32(top)})
	}
	if check >= 0 {
		c.land(check)
	}
}

// loop writes the repetition of a single byte.
func (c *compiler) loop(n *node, s set) {
	kind, arg := c.matcher(s)
	hi := n.max
	if hi == noMax {
		hi = infinite
	} else if hi >= infinite {
		hi = infinite - 1
	}
	if n.min == n.max && n.min <= 4 {
		for range n.min {
			c.node(&node{kind: nSet, set: s})
		}
		return
	}
	op := opLoop
	switch n.mode {
	case lazy:
		op = opLoopLazy
	case possessive:
		op = opLoopAll
	}
	c.emit(inst{op: op, c: kind, s: arg, y: uint32(min(n.min, infinite-1)) | uint32(hi)<<16})
}
