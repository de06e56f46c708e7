// Package inspect matches the payload options of one rule against one buffer:
// content with its modifiers, isdataat, the byte_ family, pcre, base64_decode,
// buffer lengths and asn1.
//
// The outcome is that of Suricata 7's content inspection, including how a
// failed relative option makes an earlier one try its next occurrence, which
// failures are final, and the limit of 3000 steps for one inspection. A rule
// engine translates the options of one buffer, in the order of the rule, into
// Steps, compiles them into a Program that shares an Arena with all other
// rules, and calls Match with one Ctx per worker. Match does not allocate.
//
// Two answers of Suricata are not those of its inspection but of its
// prefilter, and the caller has to see to them: a rule whose only pattern in a
// buffer is negated is dropped when the pattern is anywhere in the buffer, in
// spite of endswith; and a plain negated content before a relative one moves
// the earliest place of that one by its length. The asn1 step reads BER like
// Suricata but knows the inner form of fewer types.
package inspect

import "github.com/yamori-net/yamori/internal/match/inspect/pcre"

// Kind says what a Step does.
type Kind uint8

// The kinds of steps. The comment names the fields of Step that each reads;
// all read Negated and Relative unless it says otherwise.
const (
	Content     Kind = iota + 1 // Pattern, NoCase, Offset, Depth, Distance, Within, StartsWith, EndsWith (not Relative)
	IsDataAt                    // Bytes: how far; Relative, Negated
	ByteTest                    // Bytes, Op, Value, Offset, Base, Endian, String, Bitmask
	ByteJump                    // Bytes, Offset, Multiplier, Align, From, PostOffset, Base, Endian, String, Bitmask (not Negated)
	ByteExtract                 // Bytes, Offset, Result, Multiplier, Align, Base, Endian, String (not Negated)
	ByteMath                    // Bytes, Offset, Op, Value, Result, Bitmask, Base, Endian, String (not Negated)
	PCRE                        // Regexp; Relative and Negated come from Regexp
	Base64                      // Bytes, Offset, Sub: the steps on base64_data (not Negated)
	Size                        // Min, Max: length of the buffer, both inclusive (bsize)
	URILen                      // Min, Max: as Size, but lengths over 65535 count as 65535
	ASN1                        // Asn1 (not Negated, not Relative)
	Call                        // Func: a check of the whole buffer by the caller, for example a dataset
)

// Num is a number in a rule option: absent (the zero value), a constant, or a
// variable set by byte_extract or byte_math.
type Num struct {
	Set   bool
	Var   string // name of the variable; empty for a constant
	Value int64
}

// N returns the constant v.
func N(v int64) Num { return Num{Set: true, Value: v} }

// V returns the variable with the given name.
func V(name string) Num { return Num{Set: true, Var: name} }

// Operator is the comparison of byte_test or the arithmetic of byte_math.
type Operator uint8

// Operators of ByteTest: OpEqual to OpXor. Operators of ByteMath: OpAdd to
// OpShiftRight.
const (
	OpEqual Operator = iota + 1
	OpLess
	OpGreater
	OpLessEqual
	OpGreaterEqual
	OpAnd // true when value & operand is not zero
	OpXor // true when value ^ operand is not zero
	OpAdd
	OpSubtract
	OpMultiply
	OpDivide // no match when the operand is zero
	OpShiftLeft
	OpShiftRight
)

// Endian is the byte order of a number in the buffer.
type Endian uint8

// Byte orders. EndianDCE takes the order of the DCERPC header from Ctx.DCE.
const (
	BigEndian Endian = iota
	LittleEndian
	EndianDCE
)

// From is where byte_jump counts from.
type From uint8

// Origins of a jump.
const (
	FromHere      From = iota // after the bytes read
	FromBeginning             // the start of the buffer
	FromEnd                   // the end of the buffer
)

// Asn1Options are the checks of the asn1 option.
type Asn1Options struct {
	Oversize  Num  // oversize_length: an object longer than this matches
	Bitstring bool // bitstring_overflow
	Double    bool // double_overflow
	Absolute  Num  // absolute_offset
	Rel       Num  // relative_offset, from the last match
}

// Step is one payload option of a rule, in the order of the rule. Which fields
// count depends on Kind.
type Step struct {
	Kind     Kind
	Negated  bool
	Relative bool
	// Sticky says, for a Relative step of IsDataAt or the byte_ family, that it
	// stands behind a sticky buffer keyword in the rule. It decides which
	// earlier step tries again when this one fails.
	Sticky bool

	Pattern              []byte // at least 1 byte, at most MaxPattern
	NoCase               bool
	StartsWith, EndsWith bool
	// Offset and Depth exclude Distance and Within. Depth counts from Offset.
	// Offset is also the offset of the byte_ family and of base64_decode.
	Offset, Depth, Distance, Within Num

	Bytes      Num // number of bytes to read, or to look ahead for IsDataAt
	Op         Operator
	Value      Num
	Bitmask    uint32 // 0 for none; the result is shifted right past the mask's trailing zeros
	Multiplier uint32 // 0 means 1
	Align      uint8  // 0 for none; byte_jump's align is 4, byte_extract's 2 or 4
	PostOffset int32
	From       From
	String     bool // the number is text
	Base       int  // of text: 8, 10, 16, or 0 to let the prefix decide, as strtoull does
	Endian     Endian
	Result     string // variable that receives the number

	Regexp *pcre.Regexp
	Sub    []Step // Base64: may not hold another Base64

	Min, Max uint64
	Asn1     Asn1Options
	Func     func(buf []byte, user any) bool // Call: user is Ctx.User
}
