package match

import (
	"math"
	"strconv"
	"strings"

	"github.com/yamori-net/yamori/internal/match/inspect"
	"github.com/yamori-net/yamori/internal/rules"
)

var bytesKeywords = []Keyword{
	{Name: "byte_test", Family: "payload", Doc: "compare a number in the data", Example: `byte_test:2,>,100,0;`, Setup: setupByteTest},
	{Name: "byte_jump", Family: "payload", Doc: "go forward by a number in the data", Example: `content:"a"; byte_jump:1,0,relative; content:"b"; distance:0;`, Setup: setupByteJump},
	{Name: "byte_extract", Family: "payload", Doc: "take a number from the data for later options", Example: `byte_extract:1,0,len; content:"x"; depth:len;`, Setup: setupByteExtract},
	{Name: "byte_math", Family: "payload", Doc: "calculate with a number of the data", Example: `byte_math:bytes 1, offset 0, oper +, rvalue 2, result n; isdataat:n;`, Setup: setupByteMath},
}

// bytesOption sets what the byte_ options have in common; false when it is
// none of these.
func bytesOption(s *inspect.Step, word string, based *bool) bool {
	switch strings.ToLower(word) {
	case "relative":
		s.Relative = true
	case "big":
		s.Endian = inspect.BigEndian
	case "little":
		s.Endian = inspect.LittleEndian
	case "dce":
		s.Endian = inspect.EndianDCE
	case "string":
		s.String = true
	case "hex":
		s.Base, *based = 16, true
	case "dec":
		s.Base, *based = 10, true
	case "oct":
		s.Base, *based = 8, true
	default:
		return false
	}
	return true
}

func parseMask(v string) (uint32, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(strings.ToLower(v), "0x"), 16, 32)
	if err != nil {
		return 0, fail("%q is no bit mask", v)
	}
	return uint32(n), nil
}

// fields splits a value at commas and blanks inside of its parts.
func bytesParts(v string) [][]string {
	var out [][]string
	for _, p := range split(unquote(v)) {
		out = append(out, strings.Fields(p))
	}
	return out
}

func (c *compiler) bytesNum(s *inspect.Step, v string) (err error) {
	s.Bytes, err = c.num(v, 0, 23)
	return err
}

// farAway is an offset that no buffer reaches, as far as programs can say it.
const farAway = 1 << 20

func setupByteTest(c *compiler, o rules.Option) error {
	p := split(unquote(o.Value))
	if len(p) < 4 {
		return fail("byte_test needs bytes, operator, value and offset")
	}
	s := inspect.Step{Kind: inspect.ByteTest}
	if err := c.bytesNum(&s, p[0]); err != nil {
		return err
	}
	op := strings.TrimSpace(p[1])
	if rest, ok := strings.CutPrefix(op, "!"); ok {
		s.Negated = true
		if op = strings.TrimSpace(rest); op == "" {
			op = "="
		}
	}
	ops := map[string]inspect.Operator{"=": inspect.OpEqual, "==": inspect.OpEqual, "<": inspect.OpLess, ">": inspect.OpGreater, "<=": inspect.OpLessEqual,
		">=": inspect.OpGreaterEqual, "&": inspect.OpAnd, "^": inspect.OpXor}
	var ok bool
	if s.Op, ok = ops[op]; !ok {
		return fail("byte_test does not know the operator %q", p[1])
	}
	var err error
	if s.Value, err = c.wideNum(p[2]); err != nil {
		return err
	}
	if s.Offset, err = c.num(p[3], math.MinInt32, math.MaxInt32); err != nil {
		return err
	}
	if s.Offset.Var == "" {
		s.Offset.Value = max(-farAway, min(s.Offset.Value, farAway))
	}
	based := false
	for _, m := range p[4:] {
		f := strings.Fields(m)
		switch {
		case len(f) == 2 && f[0] == "bitmask":
			if s.Bitmask, err = parseMask(f[1]); err != nil {
				return err
			}
		case len(f) == 1 && bytesOption(&s, f[0], &based):
		default:
			return fail("byte_test does not know %q", m)
		}
	}
	c.notPlain()
	c.add(s, s.Relative)
	return nil
}

// wideNum reads an unsigned number of up to 64 bits or a variable.
func (c *compiler) wideNum(v string) (inspect.Num, error) {
	v = strings.TrimSpace(v)
	if v == "" {
		return inspect.Num{}, fail("a number is missing")
	}
	if v[0] < '0' || v[0] > '9' {
		return inspect.V(v), nil
	}
	n, err := rules.ParseUint(v, math.MaxUint64)
	return inspect.N(int64(n)), err
}

func setupByteJump(c *compiler, o rules.Option) error {
	p := split(unquote(o.Value))
	if len(p) < 2 {
		return fail("byte_jump needs bytes and offset")
	}
	s := inspect.Step{Kind: inspect.ByteJump}
	if err := c.bytesNum(&s, p[0]); err != nil {
		return err
	}
	var err error
	if s.Offset, err = c.num(p[1], -math.MaxUint16, math.MaxUint16); err != nil {
		return err
	}
	based := false
	for _, m := range p[2:] {
		f := strings.Fields(m)
		switch {
		case len(f) == 2 && f[0] == "bitmask":
			if s.Bitmask, err = parseMask(f[1]); err != nil {
				return err
			}
		case len(f) == 2 && f[0] == "multiplier":
			n, err := rules.ParseUint(f[1], math.MaxUint16)
			if err != nil {
				return err
			}
			s.Multiplier = uint32(n)
		case len(f) == 2 && f[0] == "post_offset":
			n, err := rules.ParseInt(f[1], -math.MaxUint16, math.MaxUint16)
			if err != nil {
				return err
			}
			s.PostOffset = int32(n)
		case len(f) == 1 && f[0] == "align":
			s.Align = 4
		case len(f) == 1 && f[0] == "from_beginning":
			s.From = inspect.FromBeginning
		case len(f) == 1 && f[0] == "from_end":
			s.From = inspect.FromEnd
		case len(f) == 1 && bytesOption(&s, f[0], &based):
		default:
			return fail("byte_jump does not know %q", m)
		}
	}
	c.notPlain()
	c.add(s, s.Relative)
	return nil
}

func setupByteExtract(c *compiler, o rules.Option) error {
	p := split(unquote(o.Value))
	if len(p) < 3 {
		return fail("byte_extract needs bytes, offset and a name")
	}
	s := inspect.Step{Kind: inspect.ByteExtract, Result: strings.Clone(p[2])}
	if err := c.bytesNum(&s, p[0]); err != nil {
		return err
	}
	var err error
	if s.Offset, err = c.num(p[1], -math.MaxUint16, math.MaxUint16); err != nil {
		return err
	}
	based := false
	for _, m := range p[3:] {
		f := strings.Fields(m)
		switch {
		case len(f) == 2 && (f[0] == "multiplier" || f[0] == "align"):
			n, err := rules.ParseUint(f[1], math.MaxUint16)
			if err != nil {
				return err
			}
			if f[0] == "align" {
				s.Align = uint8(n)
			} else {
				s.Multiplier = uint32(n)
			}
		case len(f) == 1 && bytesOption(&s, f[0], &based):
		default:
			return fail("byte_extract does not know %q", m)
		}
	}
	c.notPlain()
	c.add(s, s.Relative)
	return nil
}

func setupByteMath(c *compiler, o rules.Option) error {
	s := inspect.Step{Kind: inspect.ByteMath}
	ops := map[string]inspect.Operator{"+": inspect.OpAdd, "-": inspect.OpSubtract, "*": inspect.OpMultiply, "/": inspect.OpDivide,
		"<<": inspect.OpShiftLeft, ">>": inspect.OpShiftRight}
	based := false
	for _, f := range bytesParts(o.Value) {
		if len(f) == 0 {
			continue
		}
		if len(f) == 1 {
			if !bytesOption(&s, f[0], &based) {
				return fail("byte_math does not know %q", f[0])
			}
			continue
		}
		var err error
		switch v := f[1]; f[0] {
		case "bytes":
			err = c.bytesNum(&s, v)
		case "offset":
			s.Offset, err = c.num(v, -math.MaxUint16, math.MaxUint16)
		case "oper":
			var ok bool
			if s.Op, ok = ops[v]; !ok {
				err = fail("byte_math does not know the operator %q", v)
			}
		case "rvalue":
			s.Value, err = c.wideNum(v)
		case "result":
			s.Result = strings.Clone(v)
		case "endian":
			if !bytesOption(&s, v, &based) {
				err = fail("byte_math does not know the byte order %q", v)
			}
		case "string":
			s.String = true
			if !bytesOption(&s, v, &based) {
				err = fail("byte_math does not know the base %q", v)
			}
		case "bitmask":
			s.Bitmask, err = parseMask(v)
		default:
			err = fail("byte_math does not know %q", f[0])
		}
		if err != nil {
			return err
		}
	}
	if !s.Bytes.Set || s.Op == 0 || s.Result == "" {
		return fail("byte_math needs bytes, offset, oper, rvalue and result")
	}
	c.notPlain()
	c.add(s, s.Relative)
	return nil
}
