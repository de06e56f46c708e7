package krb5

// Tags of DER (X.690 section 8.1.2) as they occur in Kerberos, RFC 4120
// section 5 and appendix A.
const (
	tagInteger = 0x02
	tagOctets  = 0x04
	tagString  = 0x1b // GeneralString, KerberosString
	tagSeq     = 0x30
	context    = 0xa0 // [0], EXPLICIT
	app        = 0x60 // [APPLICATION 0]
)

// element takes the first element off b: definite lengths and tags of one
// octet only.
func element(b []byte) (tag byte, v, rest []byte, ok bool) {
	if len(b) < 2 {
		return 0, nil, nil, false
	}
	tag = b[0]
	n, at, ok := length(b[1:])
	if !ok || n > len(b)-1-at {
		return 0, nil, nil, false
	}
	at++
	return tag, b[at : at+n], b[at+n:], true
}

// length reads the length octets at the start of b; at is how many they are.
func length(b []byte) (n, at int, ok bool) {
	if len(b) == 0 {
		return 0, 0, false
	}
	if b[0] < 0x80 {
		return int(b[0]), 1, true
	}
	size := int(b[0] & 0x7f)
	if size == 0 || size > 3 || len(b) < 1+size {
		return 0, 0, false
	}
	for _, c := range b[1 : 1+size] {
		n = n<<8 | int(c)
	}
	return n, 1 + size, true
}

// want takes the first element off b when it has the tag.
func want(b []byte, tag byte) (v, rest []byte, ok bool) {
	t, v, rest, ok := element(b)
	if !ok || t != tag {
		return nil, b, false
	}
	return v, rest, true
}

// field returns what is in the member [n] of the sequence seq, passing over
// the members before it. Members stand in the order of their numbers.
func field(seq []byte, n byte) (v, rest []byte, ok bool) {
	for len(seq) > 0 {
		t, v, rest, ok := element(seq)
		if !ok || t > context|n {
			return nil, seq, false
		}
		if t == context|n {
			return v, rest, true
		}
		seq = rest
	}
	return nil, nil, false
}

// integer reads an INTEGER of at most 32 bits.
func integer(b []byte) (int32, bool) {
	v, _, ok := want(b, tagInteger)
	if !ok || len(v) == 0 || len(v) > 5 {
		return 0, false
	}
	n := int64(int8(v[0]))
	for _, c := range v[1:] {
		n = n<<8 | int64(c)
	}
	return int32(n), int64(int32(n)) == n
}
