package rules

import "strings"

// ParseUintRange reads a comparison of numbers up to most (a limit of the
// field: 255, 65535…), as Suricata's detect_parse_uint: 10, =10, !10, !=10,
// <10, <=10, >10, >=10, 10-20 and 10<>20 (both ends excluded), !10-20, &6=4,
// &6!=4. Numbers may be hexadecimal (0x…) and have a unit (10kb). Comparisons
// that are always or never true are refused.
func ParseUintRange(v string, most uint64) (UintRange, error) {
	return parseUintRange(v, most, false)
}

// ParseUintRangeInclusive is ParseUintRange where 10-20 includes both ends, as
// for itype and icode. The result has ends that Match excludes.
func ParseUintRangeInclusive(v string, most uint64) (UintRange, error) {
	return parseUintRange(v, most, true)
}

func parseUintRange(v string, most uint64, inclusive bool) (UintRange, error) {
	c := numbers{v: v, rest: trim(v), most: most}
	if c.take("&") {
		return c.mask()
	}
	op, explicit := Equal, true
	switch {
	case c.take(">="):
		op = GreaterEqual
	case c.take("<="):
		op = LessEqual
	case c.take(">"):
		op = Greater
	case c.take("<"):
		op = Less
	case c.take("!="):
		op = NotEqual
	case c.take("="):
	case c.take("!"):
		op, explicit = NotEqual, false
	default:
		explicit = false
	}
	a, err := c.number()
	if err != nil {
		return UintRange{}, err
	}
	if !explicit && (c.take("-") || c.take("<>")) {
		return c.between(op, a, inclusive)
	}
	if err := c.end(); err != nil {
		return UintRange{}, err
	}
	switch {
	case op == Less && a == 0, op == Greater && a == most:
		return UintRange{}, badValue("", "%q can never be true", clip(v))
	case op == GreaterEqual && a == 0, op == LessEqual && a == most:
		return UintRange{}, badValue("", "%q is always true", clip(v))
	}
	return UintRange{Op: op, A: a}, nil
}

// numbers reads the parts of a comparison one after the other.
type numbers struct {
	v, rest string
	most    uint64
}

func (c *numbers) take(token string) bool {
	rest, ok := strings.CutPrefix(c.rest, token)
	if ok {
		c.rest = trim(rest)
	}
	return ok
}

func (c *numbers) number() (uint64, error) {
	n, used, ok := uintPrefix(c.rest)
	if !ok {
		return 0, badValue("write 10, !10, <10, <=10, >10, >=10 or 10-20", "%q is no comparison of numbers", clip(c.v))
	}
	rest := c.rest[used:]
	for u, f := range units {
		if len(rest) < len(u) || !strings.EqualFold(rest[:len(u)], u) {
			continue
		}
		if n > c.most/f {
			n = c.most + 1
			if n == 0 {
				return 0, badValue("", "%q has a number that is too large", clip(c.v))
			}
		} else {
			n *= f
		}
		rest = rest[len(u):]
		break
	}
	if n > c.most {
		return 0, badValue("", "%q has a number above %d", clip(c.v), c.most)
	}
	c.rest = trim(rest)
	return n, nil
}

func (c *numbers) end() error {
	if c.rest != "" {
		return badValue("", "unexpected %q in %q", clip(c.rest), clip(c.v))
	}
	return nil
}

func (c *numbers) between(op Op, a uint64, inclusive bool) (UintRange, error) {
	b, err := c.number()
	if err == nil {
		err = c.end()
	}
	if err != nil {
		return UintRange{}, err
	}
	u := UintRange{Between, a, b}
	if op == NotEqual {
		u.Op = NotBetween
	}
	switch {
	case inclusive:
		if a == 0 || b <= a || b >= c.most {
			return UintRange{}, badValue("write the lower number first, or < or > at the end of the field", "%q is no usable range", clip(c.v))
		}
		u.A, u.B = a-1, b+1
	case b <= a || b-a < 2:
		return UintRange{}, badValue("the ends of a range are not part of it", "%q is an empty range", clip(c.v))
	}
	return u, nil
}

func (c *numbers) mask() (UintRange, error) {
	a, err := c.number()
	if err != nil {
		return UintRange{}, err
	}
	u := UintRange{Op: Mask, A: a}
	switch {
	case c.take("!="):
		u.Op = NotMask
	case c.take("="):
	default:
		return UintRange{}, badValue("write &mask=value", "%q compares with nothing", clip(c.v))
	}
	if u.B, err = c.number(); err == nil {
		err = c.end()
	}
	if err != nil {
		return UintRange{}, err
	}
	if u.A&u.B != u.B {
		return UintRange{}, badValue("", "%q asks for bits that the mask takes away", clip(c.v))
	}
	return u, nil
}
