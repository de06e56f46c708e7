package inspect

// op is one compiled step: 32 bytes, no pointers. What a to d and v hold
// depends on the kind:
//
//	Content      a offset, b end of depth (0 none), c distance, d within; v pattern place<<32 | length
//	IsDataAt     a bytes
//	ByteTest     a offset, c bitmask, d bytes; v operand
//	ByteJump     a offset, b post offset, c bitmask, d bytes; v multiplier
//	ByteExtract  a offset, b result slot, c align, d bytes; v multiplier
//	ByteMath     a offset, b result slot, c bitmask, d bytes; v operand
//	PCRE         v index of the expression
//	Base64       a bytes, b offset; v first op of the sub program<<32 | number
//	Size, URILen v min<<32 | max
//	ASN1         a oversize, b offset
//	Call         v index of the function
//
// A number that comes from a variable holds its slot, and a flag says so.
type op struct {
	kind  Kind
	aux   uint8 // Content: place of the rarest byte; byte_ family: Operator or From
	base  uint8 // of a number in text; above alignShift the align of byte_jump
	_     uint8
	flags uint32
	a, b  int32
	c, d  int32
	v     uint64
}

const opSize = 32

const (
	fNegated uint32 = 1 << iota
	fRelative
	fNoCase
	fEndsWith
	fOffset
	fDepth
	fDistance
	fWithin
	fOffsetVar
	fDepthVar
	fDistanceVar
	fWithinVar
	fBytesVar
	fValueVar
	fLittle
	fDCE
	fString
	fNext // a later step counts from where this one matched: if it fails, try the next occurrence
	fOversize
	fBitstring
	fDouble
	fTail // negated with endswith: only the end of the buffer is looked at
)

// single reports whether no other step and no limit is tied to the content.
// Finding such a content negated ends the inspection.
func (o *op) single() bool {
	return o.flags&(fDistance|fWithin|fNext|fDepth|fOffset) == 0
}
