package inspect

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// Program is the compiled form of the steps of one rule on one buffer. It is
// immutable and safe for concurrent use, each goroutine with its own Ctx.
type Program struct {
	arena *Arena
	first uint32
	n     uint16 // at most MaxSteps
	dce   bool
}

// DCE reports that p asks for the byte order of a DCERPC header.
func (p *Program) DCE() bool { return p.dce }

// Len returns the number of steps.
func (p *Program) Len() int { return int(p.n) }

// Compile translates the steps of one rule on one buffer. Programs of the same
// rule share vars; nil stands for a program that shares none. The error names
// the step and what is wrong with it; the arena then holds nothing of the
// program.
func (a *Arena) Compile(steps []Step, vars *Vars) (*Program, error) {
	if vars == nil {
		vars = new(Vars)
	}
	nres, nfuncs := len(a.res), len(a.funcs)
	c := compiler{arena: a, vars: vars}
	ops, err := c.list(steps, false)
	if err == nil && len(a.ops)+len(ops)+len(c.sub) > math.MaxInt32 {
		err = ErrArenaFull
	}
	if err != nil {
		a.res, a.funcs = a.res[:nres], a.funcs[:nfuncs]
		return nil, err
	}
	sub := uint64(len(a.ops)) + uint64(len(ops))
	for i := range ops {
		if ops[i].kind == Base64 {
			ops[i].v += sub << 32
		}
	}
	p := &Program{arena: a, first: uint32(len(a.ops)), n: uint16(len(ops))}
	for i := range ops {
		p.dce = p.dce || ops[i].flags&fDCE != 0
	}
	a.ops = append(append(a.ops, ops...), c.sub...)
	return p, nil
}

type compiler struct {
	arena *Arena
	vars  *Vars
	sub   []op
}

// StepError is what is wrong with a step of a program, by its place in it.
type StepError struct {
	Step int // from 0
	Err  error
}

func (e *StepError) Error() string { return e.Err.Error() }
func (e *StepError) Unwrap() error { return e.Err }

func (c *compiler) list(steps []Step, sub bool) ([]op, error) {
	if len(steps) == 0 {
		return nil, errors.New("no steps")
	}
	if len(steps) > MaxSteps {
		return nil, fmt.Errorf("%d steps, at most %d", len(steps), MaxSteps)
	}
	ops := make([]op, 0, len(steps))
	for i := range steps {
		o, err := c.step(&steps[i], sub)
		if err != nil {
			if e, ok := err.(*StepError); ok {
				err = e.Err // of a step within this one
			}
			return nil, &StepError{Step: i, Err: err}
		}
		if prev := previous(ops, &o, steps[i].Sticky); prev != nil {
			if o.kind == IsDataAt && prev.kind == Content && o.flags&(fNegated|fBytesVar) == fNegated && o.a == 1 {
				prev.flags |= fEndsWith // isdataat:!1,relative says just that
				continue
			}
			prev.flags |= fNext
		}
		ops = append(ops, o)
	}
	onlyTails(ops)
	return ops, nil
}

// onlyTails makes negated contents with endswith mean what they say, the end of
// the buffer, where no content is wanted. (Suricata finds such rules by the
// pattern and wants it absent from all of the buffer; beside a content that is
// wanted, it looks at the first occurrence alone, and so does Ctx.content.)
func onlyTails(ops []op) {
	for i := range ops {
		if ops[i].kind == Content && ops[i].flags&fNegated == 0 {
			return
		}
	}
	for i := range ops {
		if o := &ops[i]; o.kind == Content && o.flags&fEndsWith != 0 && o.single() {
			o.flags |= fTail
		}
	}
}

// previous returns the content or pcre that o counts from, or nil. If it has
// matched and o fails, it has to try its next occurrence.
//
// For isdataat and the byte_ family behind a sticky buffer that is the last
// content or pcre, whatever lies between; elsewhere only one directly before.
// Suricata looks for it in these two ways, and answers differ with them.
func previous(ops []op, o *op, sticky bool) *op {
	switch o.kind {
	case Content:
		sticky = true
		if o.flags&(fDistance|fWithin) == 0 {
			return nil
		}
	case PCRE:
		sticky = true
		fallthrough
	case IsDataAt, ByteTest, ByteJump, ByteExtract, ByteMath:
		if o.flags&fRelative == 0 {
			return nil
		}
	default:
		return nil
	}
	for i := len(ops) - 1; i >= 0; i-- {
		switch ops[i].kind {
		case Content, PCRE:
			return &ops[i]
		case IsDataAt, ByteTest, ByteJump, ByteExtract, ByteMath:
			if !sticky {
				return nil
			}
		}
	}
	return nil
}

func (c *compiler) step(s *Step, sub bool) (op, error) {
	o := op{kind: s.Kind}
	if s.Negated {
		o.flags |= fNegated
	}
	if s.Relative {
		o.flags |= fRelative
	}
	switch s.Kind {
	case Content:
		return o, c.content(&o, s)
	case IsDataAt:
		if !s.Bytes.Set {
			return o, errors.New("isdataat without a number")
		}
		return o, c.num(&o.a, &o.flags, fBytesVar, s.Bytes, 0, math.MaxInt32)
	case ByteTest, ByteJump, ByteExtract, ByteMath:
		return o, c.byteOp(&o, s)
	case PCRE:
		if s.Regexp == nil {
			return o, errors.New("pcre without an expression")
		}
		o.flags = 0
		if s.Regexp.Relative() {
			o.flags |= fRelative
		}
		if s.Regexp.Negated() {
			o.flags |= fNegated
		}
		o.v = uint64(len(c.arena.res))
		c.arena.res = append(c.arena.res, s.Regexp)
		return o, nil
	case Base64:
		return o, c.base64(&o, s, sub)
	case Size, URILen:
		o.v = uint64(min(s.Min, math.MaxUint32))<<32 | min(s.Max, math.MaxUint32)
		return o, nil
	case ASN1:
		return o, c.asn1(&o, &s.Asn1)
	case Call:
		if s.Func == nil {
			return o, errors.New("call without a function")
		}
		o.v = uint64(len(c.arena.funcs))
		c.arena.funcs = append(c.arena.funcs, s.Func)
		return o, nil
	}
	return o, fmt.Errorf("unknown kind %d", s.Kind)
}

// num stores a number or the slot of its variable.
func (c *compiler) num(to *int32, flags *uint32, varFlag uint32, n Num, lo, hi int64) error {
	if n.Var != "" {
		slot, ok := c.vars.lookup(n.Var)
		if !ok {
			return fmt.Errorf("variable %q is used before it is set", n.Var)
		}
		*to, *flags = slot, *flags|varFlag
		return nil
	}
	if n.Value < lo || n.Value > hi {
		return fmt.Errorf("number %d out of range %d to %d", n.Value, lo, hi)
	}
	*to = int32(n.Value)
	return nil
}

func (c *compiler) content(o *op, s *Step) error {
	n := len(s.Pattern)
	if n == 0 || n > MaxPattern {
		return fmt.Errorf("content of %d bytes, wanted 1 to %d", n, MaxPattern)
	}
	absolute := s.Offset.Set || s.Depth.Set || s.StartsWith
	if absolute && (s.Distance.Set || s.Within.Set) {
		return errors.New("offset, depth or startswith together with distance or within")
	}
	if s.StartsWith {
		if s.Offset.Set || s.Depth.Set {
			return errors.New("startswith together with offset or depth")
		}
		o.flags |= fDepth
		o.b = int32(n)
	}
	for _, f := range []struct {
		n         Num
		to        *int32
		set, byVa uint32
		lo, hi    int64
	}{
		{s.Offset, &o.a, fOffset, fOffsetVar, 0, maxRange},
		{s.Depth, &o.b, fDepth, fDepthVar, int64(n), maxRange},
		{s.Distance, &o.c, fDistance, fDistanceVar, -maxRange, maxRange},
		{s.Within, &o.d, fWithin, fWithinVar, int64(n), maxRange},
	} {
		if !f.n.Set {
			continue
		}
		o.flags |= f.set
		if err := c.num(f.to, &o.flags, f.byVa, f.n, f.lo, f.hi); err != nil {
			return err
		}
	}
	if o.flags&(fDepth|fDepthVar|fOffsetVar) == fDepth {
		o.b += o.a
	}
	p := s.Pattern
	if s.NoCase {
		p = make([]byte, n)
		for i, b := range s.Pattern {
			p[i] = toLower(b)
			if isLetter(b) {
				o.flags |= fNoCase // without a letter it is searched as is
			}
		}
	}
	if s.EndsWith {
		o.flags |= fEndsWith
	}
	at, err := c.arena.intern(p)
	if err != nil {
		return err
	}
	o.v = uint64(at)<<32 | uint64(n)
	o.aux = rarest(p, o.flags&fNoCase != 0)
	return nil
}

func (c *compiler) byteOp(o *op, s *Step) error {
	if !s.Bytes.Set {
		return errors.New("number of bytes is missing")
	}
	most := int64(8)
	if s.String {
		most = maxText
		o.flags |= fString
		switch s.Base {
		case 0, 8, 10, 16:
			o.base = uint8(s.Base)
		default:
			return fmt.Errorf("base %d", s.Base)
		}
	}
	least := int64(1)
	if s.Kind == ByteJump || s.String {
		least = 0 // a jump of a constant distance; text of any length
	}
	if err := c.num(&o.d, &o.flags, fBytesVar, s.Bytes, least, most); err != nil {
		return err
	}
	if err := c.num(&o.a, &o.flags, fOffsetVar, s.Offset, -maxRange, maxRange); err != nil {
		return err
	}
	switch s.Endian {
	case LittleEndian:
		o.flags |= fLittle
	case EndianDCE:
		o.flags |= fDCE
	}
	mult := uint64(max(s.Multiplier, 1))
	switch s.Kind {
	case ByteTest, ByteMath:
		o.aux = uint8(s.Op)
		if s.Kind == ByteTest && (s.Op < OpEqual || s.Op > OpXor) || s.Kind == ByteMath && (s.Op < OpAdd || s.Op > OpShiftRight) {
			return fmt.Errorf("operator %d", s.Op)
		}
		o.c = int32(s.Bitmask)
		o.v = uint64(s.Value.Value)
		if s.Value.Var != "" {
			slot, ok := c.vars.lookup(s.Value.Var)
			if !ok {
				return fmt.Errorf("variable %q is used before it is set", s.Value.Var)
			}
			o.flags, o.v = o.flags|fValueVar, uint64(slot)
		}
	case ByteJump:
		o.aux, o.base = uint8(s.From), o.base|s.Align<<alignShift
		o.b, o.c, o.v = s.PostOffset, int32(s.Bitmask), mult
	case ByteExtract:
		o.c, o.v = int32(s.Align), mult
	}
	if s.Kind == ByteExtract || s.Kind == ByteMath {
		if s.Result == "" {
			return errors.New("result variable is missing")
		}
		slot, ok := c.vars.define(s.Result)
		if !ok {
			return fmt.Errorf("more than %d variables", MaxVars)
		}
		o.b = slot
	}
	return nil
}

func (c *compiler) base64(o *op, s *Step, sub bool) error {
	if sub {
		return errors.New("base64_decode inside base64_data")
	}
	if len(c.sub) > 0 {
		return errors.New("more than one base64_decode")
	}
	n := s.Bytes
	if n.Value == 0 {
		n = N(maxBase64)
	}
	if n.Var != "" || s.Offset.Var != "" {
		return errors.New("base64_decode takes no variable")
	}
	if err := c.num(&o.a, &o.flags, 0, n, 1, maxBase64); err != nil {
		return err
	}
	if err := c.num(&o.b, &o.flags, 0, s.Offset, 0, math.MaxInt32); err != nil {
		return err
	}
	if len(s.Sub) == 0 {
		return nil // decoding alone never matches
	}
	ops, err := c.list(s.Sub, true)
	if err != nil {
		return fmt.Errorf("base64_data: %w", err)
	}
	o.v = uint64(len(ops)) // Compile adds the place
	c.sub = ops
	return nil
}

func (c *compiler) asn1(o *op, s *Asn1Options) error {
	if s.Oversize.Set {
		o.flags |= fOversize
		if err := c.num(&o.a, &o.flags, 0, s.Oversize, 0, math.MaxInt32); err != nil {
			return err
		}
	}
	if s.Bitstring {
		o.flags |= fBitstring
	}
	if s.Double {
		o.flags |= fDouble
	}
	o.flags &^= fRelative
	off := s.Absolute
	if !off.Set && s.Rel.Set {
		o.flags |= fRelative
		off = s.Rel
	}
	return c.num(&o.b, &o.flags, 0, off, -math.MaxUint16, math.MaxUint16)
}

// alignShift is where byte_jump's align sits above the base, which needs 5 bits.
const alignShift = 5

// maskShift is how far a masked value moves right: past the zeros below the
// mask's lowest bit.
func maskShift(m uint32) int { return bits.TrailingZeros32(m) & 31 }
