package tls

// Tags of DER (X.690 section 8.1.2) that certificates use.
const (
	tagBoolean         = 0x01
	tagInteger         = 0x02
	tagOctetString     = 0x04
	tagOID             = 0x06
	tagUTCTime         = 0x17
	tagGeneralizedTime = 0x18
	tagBMPString       = 0x1e
	tagUniversalString = 0x1c
	tagSequence        = 0x30
	tagSet             = 0x31
	tagContext0        = 0xa0 // [0] EXPLICIT
	tagContext3        = 0xa3 // [3] EXPLICIT
)

// derReader walks DER elements one after another. Like reader it remembers
// that something was missing instead of failing at each step. It never
// recurses: nesting is what its callers write out.
type derReader struct {
	b   []byte
	bad bool
}

// next takes one element: identifier of one byte, definite length of at most
// three bytes (a certificate message is never longer).
func (r *derReader) next() (tag byte, content []byte) {
	if len(r.b) < 2 || r.b[0]&0x1f == 0x1f {
		r.bad, r.b = true, nil
		return 0, nil
	}
	tag = r.b[0]
	n, off := int(r.b[1]), 2
	if n >= 0x80 {
		k := n & 0x7f
		if k < 1 || k > 3 || len(r.b) < 2+k {
			r.bad, r.b = true, nil
			return 0, nil
		}
		n = 0
		for _, c := range r.b[2 : 2+k] {
			n = n<<8 | int(c)
		}
		off = 2 + k
	}
	if n > len(r.b)-off {
		r.bad, r.b = true, nil
		return 0, nil
	}
	content = r.b[off : off+n : off+n]
	r.b = r.b[off+n:]
	return tag, content
}

// want takes one element that must have the given tag.
func (r *derReader) want(tag byte) []byte {
	if len(r.b) == 0 || r.b[0] != tag {
		r.bad, r.b = true, nil
		return nil
	}
	_, c := r.next()
	return c
}

// peek returns the tag of the next element, or 0.
func (r *derReader) peek() byte {
	if len(r.b) == 0 {
		return 0
	}
	return r.b[0]
}
