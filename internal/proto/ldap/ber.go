package ldap

// Tags of BER as LDAP uses it (RFC 4511 section 5.1): definite lengths, tags of
// one octet.
const (
	tagBool = 0x01
	tagInt  = 0x02
	tagStr  = 0x04
	tagEnum = 0x0a
	tagSeq  = 0x30
	tagSet  = 0x31
)

// header reads tag and length of the element at the begin of b, and how many
// octets they take: 0 when there are too few, -1 when they are malformed.
func header(b []byte) (tag byte, size, n int) {
	if len(b) < 2 {
		return 0, 0, 0
	}
	if b[1] < 0x80 {
		return b[0], int(b[1]), 2
	}
	k := int(b[1] & 0x7f)
	if k == 0 || k > 4 {
		return 0, 0, -1
	}
	if len(b) < 2+k {
		return 0, 0, 0
	}
	var v uint64 // an int has 32 bits on small routers
	for _, c := range b[2 : 2+k] {
		v = v<<8 | uint64(c)
	}
	if v >= 1<<30 {
		return 0, 0, -1
	}
	return b[0], int(v), 2 + k
}

// reader takes elements off the content of one. The last element of a message
// that is not there as a whole is given as far as it is.
type reader struct {
	b  []byte
	ok bool
}

// next takes the next element; at the end or behind something malformed the
// tag is 0.
func (r *reader) next() (tag byte, v []byte) {
	tag, size, n := header(r.b)
	if !r.ok || n <= 0 {
		r.ok, r.b = false, nil
		return 0, nil
	}
	end := min(n+size, len(r.b))
	v, r.b = r.b[n:end:end], r.b[end:]
	return tag, v
}

// peek returns the next element's tag, 0 at the end.
func (r *reader) peek() byte {
	if !r.ok || len(r.b) == 0 {
		return 0
	}
	return r.b[0]
}

// want takes the next element, which must have this tag.
func (r *reader) want(tag byte) []byte {
	if r.peek() != tag {
		r.ok, r.b = false, nil
		return nil
	}
	_, v := r.next()
	return v
}

// number takes an integer of that tag.
func (r *reader) number(tag byte) uint32 {
	v := r.want(tag)
	n, ok := number(v)
	r.ok = r.ok && ok
	return n
}

// number reads an integer. RFC 4511 has none below zero or above 31 bits.
func number(v []byte) (n uint32, ok bool) {
	if len(v) == 0 || len(v) > 4 || v[0] >= 0x80 {
		return 0, false
	}
	for _, c := range v {
		n = n<<8 | uint32(c)
	}
	return n, true
}
