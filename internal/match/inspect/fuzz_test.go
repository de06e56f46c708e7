package inspect

import (
	"encoding/binary"
	"testing"

	"github.com/yamori-net/yamori/internal/match/inspect/pcre"
)

// source turns bytes into the fields of steps.
type source []byte

func (s *source) byte() byte {
	if len(*s) == 0 {
		return 0
	}
	b := (*s)[0]
	*s = (*s)[1:]
	return b
}

func (s *source) num() Num {
	switch b := s.byte(); b % 6 {
	case 0:
		return Num{}
	case 1:
		return V("x")
	case 2:
		var raw [8]byte
		*s = (*s)[copy(raw[:], *s):]
		return N(int64(binary.LittleEndian.Uint64(raw[:])))
	default:
		return N(int64(int8(s.byte())))
	}
}

func (s *source) steps(depth int, res []*pcre.Regexp) (steps []Step) {
	for range 1 + s.byte()%6 {
		f := s.byte()
		st := Step{
			Kind: Kind(s.byte() % 14), Negated: f&1 != 0, Relative: f&2 != 0, Sticky: f&4 != 0,
			NoCase: f&8 != 0, StartsWith: f&16 != 0, EndsWith: f&32 != 0, String: f&64 != 0,
			Offset: s.num(), Bytes: s.num(), Result: "x",
		}
		switch st.Kind {
		case Content:
			st.Pattern = []byte{s.byte(), s.byte()}[:1+f>>7]
			st.Depth, st.Distance, st.Within = s.num(), s.num(), s.num()
		case PCRE:
			st.Regexp = res[int(s.byte())%len(res)]
		case Base64:
			if depth > 0 {
				st.Sub = s.steps(depth-1, res)
			}
		case Size, URILen:
			st.Min, st.Max = uint64(s.byte()), uint64(s.byte())
		case ASN1:
			st.Asn1 = Asn1Options{Oversize: s.num(), Bitstring: f&1 != 0, Double: f&4 != 0, Absolute: s.num(), Rel: s.num()}
		default:
			st.Op, st.Value, st.Base, st.Endian = Operator(s.byte()%15), s.num(), int(s.byte()%4)*8, Endian(s.byte()%4)
			st.Bitmask, st.Multiplier, st.Align = uint32(s.byte())<<8, uint32(s.byte()), s.byte()%5
			st.PostOffset, st.From = int32(int8(s.byte())), From(s.byte()%3)
		}
		steps = append(steps, st)
	}
	return steps
}

// FuzzCompile compiles steps of every kind with any numbers and runs them:
// nothing may panic, and the limits hold.
func FuzzCompile(f *testing.F) {
	var res []*pcre.Regexp
	for _, opt := range []string{`"/a(.)/R, flow:x"`, `!"/b+$/"`, `"/(?<=a)\w*?1/Ri"`} {
		re, err := pcre.Parse(opt)
		if err != nil {
			f.Fatal(err)
		}
		res = append(res, re)
	}
	f.Add([]byte("\x03\x00\x01\x00\x00ab\x00\x00\x00\x02\x05\x03\x01\x03\x02\x01"), []byte("ab12aGVsbG8="))
	f.Add([]byte("\x02\x02\x08\x00\x00\x01\x00\x01\x03\x04a"), []byte("YWJj!"))
	f.Fuzz(func(t *testing.T, rule, buf []byte) {
		src := source(rule)
		a := NewArena()
		p, err := a.Compile(src.steps(1, res), nil)
		if err != nil {
			return
		}
		a.Seal()
		ctx := &Ctx{Start: uint64(src.byte()), HasDCE: src.byte()&1 != 0, DCE: Endian(src.byte() % 2), Limit: 1 << 20}
		first := p.Match(buf, ctx)
		if ctx.count > stepLimit+len(buf)+MaxSteps {
			t.Fatalf("%d steps", ctx.count)
		}
		ctx.ClearVars()
		if p.Match(buf, ctx) != first && !ctx.Exhausted {
			t.Fatal("two matches differ")
		}
	})
}
