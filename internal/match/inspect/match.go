package inspect

import "github.com/yamori-net/yamori/internal/match/inspect/pcre"

const (
	// stepLimit ends one inspection without a match when so many steps were
	// executed: Suricata's inspection-recursion-limit in its stock settings.
	stepLimit = 3000
	// DefaultBudget is the work one Match may do, about the number of bytes it
	// looks at. stepLimit alone would allow 3000 searches of the whole buffer.
	// It is some milliseconds of one core; rules of ET Open stay below a
	// hundredth of it.
	DefaultBudget = 32 << 20
)

// Ctx is the memory one worker uses for matching. It is reused for every
// rule and buffer; the zero value is ready. It must not be copied while used.
type Ctx struct {
	// Start is the place of buf in the stream or body it belongs to, 0 when
	// buf begins it. Depth, within at the start and bsize count from there.
	Start uint64
	// DCE is the byte order a DCERPC header announced; meaningful with HasDCE.
	DCE    Endian
	HasDCE bool
	// User is handed to the functions of Call steps.
	User any
	// Limit is the budget of one Match; 0 means DefaultBudget.
	Limit int

	// Captures are what the pcre steps of the last Match stored, in the order
	// of execution. Their Data points into the buffer of that Match, or into
	// the Ctx for decoded base64, and is valid until the next one. After a
	// Match that returned false it is empty.
	Captures []Capture
	// Exhausted reports that the last Match ended because its budget or that
	// of a pcre was used up; the caller may stop trying the rule on the flow.
	Exhausted bool

	vars    [MaxVars]uint64
	machine pcre.Machine
	base64  []byte

	// State of the running Match.
	arena  *Arena
	buf    []byte
	start  uint64
	off    uint32 // end of the last match: what the next relative step counts from
	count  int
	budget int
}

// Capture is a group of a pcre that the rule stores in a variable.
type Capture struct {
	Kind pcre.CaptureKind
	Name string
	Data []byte
}

// ClearVars forgets the values of byte variables. Call it before the first
// program of a rule whose programs share variables across buffers.
func (c *Ctx) ClearVars() { clear(c.vars[:]) }

// Var returns the value a byte_extract or byte_math step stored last in the
// variable, by its place in Vars.
func (c *Ctx) Var(slot int) uint64 { return c.vars[slot] }

// Match reports whether all steps of p match buf. It allocates nothing, apart
// from the first use of a regular expression or of base64 in a Ctx.
func (p *Program) Match(buf []byte, ctx *Ctx) bool {
	ctx.arena, ctx.buf, ctx.start = p.arena, buf, ctx.Start
	ctx.off, ctx.count = 0, 0
	ctx.budget = ctx.Limit
	if ctx.budget <= 0 {
		ctx.budget = DefaultBudget
	}
	ctx.Captures, ctx.Exhausted = ctx.Captures[:0], false
	ctx.machine.Reset(0)
	ok := ctx.run(p.arena.ops[p.first:p.first+uint32(p.n)]) == yes
	if !ok {
		ctx.Captures = ctx.Captures[:0]
	}
	ctx.arena, ctx.buf = nil, nil
	return ok
}

// result is what the rest of a chain answers.
type result int8

const (
	give result = -1 // no match, and no other occurrence can change it
	no   result = 0  // no match; an earlier step may try its next occurrence
	yes  result = 1
)

// run executes ops in turn. It recurses only at a step that can match at
// several places while later ones depend on where. Once a content that nothing
// depends on has matched, a failure behind it is final; floor holds that.
func (c *Ctx) run(ops []op) result {
	floor := no
	for i := range ops {
		o := &ops[i]
		c.count++
		if c.count == stepLimit {
			return give
		}
		var r result
		switch o.kind {
		case Content:
			if o.flags&(fNext|fNegated) == fNext && i+1 < len(ops) {
				if r = c.contentChain(o, ops[i+1:]); r == no {
					r = floor
				}
				return r
			}
			if r = c.content(o, 0); r == yes && o.flags&fNegated == 0 {
				floor = give
			}
		case PCRE:
			if o.flags&fNext != 0 && i+1 < len(ops) {
				if r = c.pcreChain(o, ops[i+1:]); r == no {
					r = floor
				}
				return r
			}
			r, _ = c.pcre(o, 0)
		case Base64:
			if r = c.decodeBase64(o); r == no {
				r = floor
			}
			return r // base64_data ends the chain
		default:
			r = c.simple(o)
		}
		if r == no {
			return floor
		}
		if r == give {
			return give
		}
	}
	return yes
}

// simple executes a step that has one answer for one place.
func (c *Ctx) simple(o *op) result {
	switch o.kind {
	case IsDataAt:
		return c.isDataAt(o)
	case ByteTest:
		return c.byteTest(o)
	case ByteJump:
		return c.byteJump(o)
	case ByteExtract:
		return c.byteExtract(o)
	case ByteMath:
		return c.byteMath(o)
	case Size, URILen:
		n := uint64(len(c.buf))
		if o.kind == URILen {
			n = min(n, 0xffff)
		} else {
			n += c.start
		}
		if (n >= o.v>>32 && n <= o.v&0xffffffff) != (o.flags&fNegated != 0) {
			return yes
		}
		return give
	case ASN1:
		if c.asn1(o) {
			return yes
		}
	case Call:
		if c.arena.funcs[o.v](c.buf, c.User) != (o.flags&fNegated != 0) {
			return yes
		}
		return give
	}
	return no
}

// spend takes n from the budget and reports whether any is left.
func (c *Ctx) spend(n int) bool {
	c.budget -= n
	if c.budget >= 0 {
		return true
	}
	c.Exhausted = true
	return false
}

// pcreChain matches o at one place after another until the rest matches too.
func (c *Ctx) pcreChain(o *op, rest []op) result {
	base, kept := c.off, len(c.Captures)
	from := 0
	for {
		c.off, c.Captures = base, c.Captures[:kept]
		r, next := c.pcre(o, from)
		if r != yes {
			return r
		}
		if r = c.run(rest); r != no {
			return r
		}
		if o.flags&fNegated != 0 {
			return no // a negated expression has no next occurrence
		}
		from = next
	}
}

// pcre matches one expression, beginning at from when that is not 0. It
// returns where the next occurrence may begin. The subject of a relative
// expression begins at the end of the last match, so ^ stands for that place.
func (c *Ctx) pcre(o *op, from int) (result, int) {
	re := c.arena.res[o.v]
	base := 0
	if o.flags&fRelative != 0 {
		base = int(c.off)
	}
	if base > len(c.buf) {
		return no, 0
	}
	ok, err := re.Match(c.buf[base:], max(from-base, 0), &c.machine)
	if err != nil {
		c.Exhausted = true
		return give, 0
	}
	if ok == (o.flags&fNegated != 0) {
		return no, 0
	}
	if !ok {
		return yes, 0
	}
	for i, v := range re.Captures() {
		if lo, hi := c.machine.Group(i + 1); lo >= 0 {
			c.Captures = append(c.Captures, Capture{v.Kind, v.Name, c.buf[base+lo : base+hi]})
		}
	}
	lo, hi := c.machine.Group(0)
	c.off = uint32(base + hi)
	return yes, base + lo + 1
}
