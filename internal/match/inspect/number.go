package inspect

// maxText is the longest number in text: 64 bits in octal with a leading zero
// (Suricata's limit).
const maxText = 23

func (c *Ctx) isDataAt(o *op) result {
	n := uint64(o.a)
	if o.flags&fBytesVar != 0 {
		n = c.vars[o.a]
	}
	size := uint64(len(c.buf))
	var there bool
	if o.flags&fRelative != 0 {
		there = n <= size && uint64(c.off)+n <= size
	} else {
		there = n < size
	}
	if there != (o.flags&fNegated != 0) {
		return yes
	}
	return no
}

// number reads the number of a byte_ step. It returns the value, the place
// where it begins and how many bytes it takes; of text only the characters
// that belong to the number count, with leading blanks and sign.
func (c *Ctx) number(o *op) (val uint64, at, took int64, ok bool) {
	size := int64(len(c.buf))
	if size == 0 {
		return 0, 0, 0, false
	}
	n := int64(o.d)
	if o.flags&fBytesVar != 0 {
		n = int64(int32(uint32(c.vars[o.d])))
		if most := int64(8); n < 0 || n > maxText || n > most && o.flags&fString == 0 {
			return 0, 0, 0, false
		}
	}
	at = int64(o.a)
	if o.flags&fOffsetVar != 0 {
		at = int64(int32(uint32(c.vars[o.a])))
	}
	if o.flags&fRelative != 0 {
		at += int64(c.off)
	}
	if at < 0 || n > size-at {
		return 0, 0, 0, false
	}
	b := c.buf[at : at+n]
	if n == 0 { // byte_jump by a constant distance
		if o.flags&fString == 0 {
			return 0, at, 0, true
		}
		b = c.buf[at:] // as much text as makes a number
	}
	if o.flags&fString != 0 {
		val, took := parseText(b, uint64(o.base&(1<<alignShift-1)))
		return val, at, int64(took), took > 0
	}
	if c.little(o) {
		for i := len(b) - 1; i >= 0; i-- {
			val = val<<8 | uint64(b[i])
		}
	} else {
		for _, x := range b {
			val = val<<8 | uint64(x)
		}
	}
	return val, at, n, true
}

// little reports the byte order of a number. Without a DCERPC header,
// byte_test and byte_jump with dce read big endian, byte_extract and byte_math
// little endian; that is how Suricata behaves.
func (c *Ctx) little(o *op) bool {
	if o.flags&fDCE == 0 {
		return o.flags&fLittle != 0
	}
	if c.HasDCE {
		return c.DCE == LittleEndian
	}
	return o.kind == ByteExtract || o.kind == ByteMath
}

// parseText reads an unsigned number as strtoull(3) does: blanks, a sign, a
// prefix if the base allows it, digits until something else. took is 0 when
// there is no number or it does not fit in 64 bits.
func parseText(b []byte, base uint64) (val uint64, took int) {
	i := 0
	for i < len(b) && (b[i] == ' ' || '\t' <= b[i] && b[i] <= '\r') {
		i++
	}
	minus := false
	if i < len(b) && (b[i] == '+' || b[i] == '-') {
		minus = b[i] == '-'
		i++
	}
	if (base == 0 || base == 16) && i+2 < len(b) && b[i] == '0' && b[i+1]|0x20 == 'x' && digit(b[i+2]) < 16 {
		i += 2
		base = 16
	} else if base == 0 {
		base = 10
		if i < len(b) && b[i] == '0' {
			base = 8
		}
	}
	first := i
	for ; i < len(b); i++ {
		d := digit(b[i])
		if d >= base {
			break
		}
		if val > (1<<64-1-d)/base {
			return 0, 0
		}
		val = val*base + d
	}
	if i == first {
		return 0, 0
	}
	if minus {
		val = -val
	}
	return val, i
}

func digit(b byte) uint64 {
	switch {
	case '0' <= b && b <= '9':
		return uint64(b - '0')
	case isLetter(b):
		return uint64(b|0x20-'a') + 10
	}
	return 99
}

func (c *Ctx) operand(o *op) uint64 {
	if o.flags&fValueVar != 0 {
		return c.vars[o.v]
	}
	return o.v
}

func masked(val uint64, mask uint32) uint64 {
	if mask == 0 {
		return val
	}
	return val & uint64(mask) >> maskShift(mask)
}

func (c *Ctx) byteTest(o *op) result {
	val, _, _, ok := c.number(o)
	if !ok {
		return no
	}
	val = masked(val, uint32(o.c))
	want := c.operand(o)
	switch Operator(o.aux) {
	case OpEqual:
		ok = val == want
	case OpLess:
		ok = val < want
	case OpGreater:
		ok = val > want
	case OpLessEqual:
		ok = val <= want
	case OpGreaterEqual:
		ok = val >= want
	case OpAnd:
		ok = val&want != 0
	case OpXor:
		ok = val^want != 0
	}
	if ok != (o.flags&fNegated != 0) {
		return yes
	}
	return no
}

func (c *Ctx) byteJump(o *op) result {
	val, at, took, ok := c.number(o)
	if !ok {
		return no
	}
	val = masked(val, uint32(o.c)) * o.v
	if o.base>>alignShift != 0 {
		val = (val + 3) &^ 3
	}
	jump := int64(val + uint64(int64(o.b)))
	size := int64(len(c.buf))
	var from int64
	switch From(o.aux) {
	case FromHere:
		from = at + took
	case FromEnd:
		from = size
	}
	if jump > size-from { // also when the sum would not fit
		return no
	}
	c.off = uint32(max(from+jump, 0))
	return yes
}

func (c *Ctx) byteExtract(o *op) result {
	val, at, took, ok := c.number(o)
	if !ok {
		return no
	}
	val *= o.v
	if a := uint64(o.c); a != 0 && val%a != 0 {
		val += a - val%a
	}
	c.off = uint32(at + took)
	c.vars[o.b] = val
	return yes
}

func (c *Ctx) byteMath(o *op) result {
	val, at, took, ok := c.number(o)
	if !ok {
		return no
	}
	x := c.operand(o)
	c.off = uint32(at + took)
	switch Operator(o.aux) {
	case OpAdd:
		val += x
	case OpSubtract:
		val -= x
	case OpMultiply:
		val *= x
	case OpDivide:
		if x == 0 {
			return no
		}
		val /= x
	case OpShiftLeft:
		val <<= x
	case OpShiftRight:
		val >>= x
	}
	c.vars[o.b] = masked(val, uint32(o.c))
	return yes
}
